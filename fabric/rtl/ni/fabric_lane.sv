// SPDX-License-Identifier: Apache-2.0
// One lane of fabric_ni_tx: which flow's packet goes next in one direction, and how far it is.
//
//   ready_i of all flows --pick--> the packet in the lane --> flit_o
//
// An acknowledgement goes first. Then strict round robin on every 16th pick, so nobody starves; in
// between only flows whose output VC is free, so one full VC does not idle the link, and among them those of
// a link that the other core's lane leaves alone, so that no link idles while two lanes wait for another.
module fabric_lane #(
  parameter bit Odd = 1'b0,  // it goes by links 1 and 3
  localparam int unsigned Flows = 64,
  localparam int unsigned Chips = 16
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic fabric_en_i,

  // Flows {VN, destination} with a packet that goes in this direction, and per destination its class, whether
  // it goes by the upper one of the lane's two links, and whether it is on this chip.
  input  logic [Flows-1:0] ready_i,
  input  logic [Chips-1:0] class_i,
  input  logic [Chips-1:0] upper_i,
  input  logic [Chips-1:0] local_i,
  // Output VCs {upper, VN, class} of the lane's links that could take a whole packet now; a preference.
  input  logic [15:0] room_i,
  input  logic [1:0] busy_i,    // {upper, lower}: the other core's lane waits for or uses that link
  input  logic stop_i,          // nothing new is picked; what was goes out
  // An acknowledgement that goes in this direction, and to whom.
  input  logic ack_i,
  input  logic [3:0] ack_dst_i,
  input  logic [1:0] ack_vn_i,

  output logic pick_o,          // a packet of flow_o with len_i flits
  output logic [5:0] flow_o,
  input  logic [4:0] len_i,
  output logic pick_ack_o,

  output logic valid_o,
  output logic ack_o,
  input  logic [5:0] injected_i,  // of the packet in the lane
  output defs_pkg::lane_flit_t flit_o,
  output logic head_o,          // as in flit_o
  output logic tail_o,
  input  logic pop_i
);

  // ---------------------------------------------------------------- pick
  logic [Flows-1:0] free, apart, ahead, chosen;
  logic [5:0] strict_q, relaxed_q;
  logic [3:0] turn_q;
  logic [3:0] dst;
  logic picks_free, open;

  logic valid_q, ack_q;
  logic [2:0] out_q;
  logic [1:0] vn_q;
  logic [4:0] len_q, flit_q;  // flit: the next one's number
  logic vc_class_q;
  assign tail_o     = flit_q + 5'd1 == len_q;
  assign open       = fabric_en_i && !stop_i && (!valid_q || (pop_i && tail_o));
  assign pick_ack_o = open && ack_i;
  assign pick_o     = open && !ack_i && ready_i != '0;
  assign dst        = pick_ack_o ? ack_dst_i : flow_o[3:0];

  always_comb begin
    free       = '0;
    apart      = '0;
    ahead      = '0;
    chosen     = '0;
    flow_o     = '0;
    picks_free = 1'b0;
    if (pick_o) begin
      for (int unsigned v = 0; v < defs_pkg::VirtualNets; v++) begin
        free[Chips*v +: Chips] = ready_i[Chips*v +: Chips] &
                                 (local_i | (room_i[2*v] ? ~class_i & ~upper_i : '0) |
                                            (room_i[2*v + 1] ? class_i & ~upper_i : '0) |
                                            (room_i[2*v + 8] ? ~class_i & upper_i : '0) |
                                            (room_i[2*v + 9] ? class_i & upper_i : '0));
      end
      apart = free & {4{local_i | (busy_i[1] ? '0 : upper_i) | (busy_i[0] ? '0 : ~upper_i)}};
      picks_free = turn_q != '0 && free != '0;
      chosen = !picks_free ? ready_i : (apart != '0) ? apart : free;
      ahead  = chosen & ({Flows{1'b1}} << (picks_free ? relaxed_q : strict_q));
      if (ahead != '0) chosen = ahead;
      chosen = chosen & (~chosen + Flows'(1));
      for (int unsigned f = 0; f < Flows; f++) begin
        if (chosen[f]) flow_o = flow_o | 6'(f);
      end
    end
  end

  // ---------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      strict_q  <= '0;
      relaxed_q <= '0;
      turn_q    <= '0;
      valid_q   <= 1'b0;
      ack_q     <= 1'b0;
      out_q     <= '0;
      vn_q      <= '0;
      vc_class_q <= 1'b0;
      len_q     <= '0;
      flit_q    <= '0;
    end else if (pick_o || pick_ack_o || pop_i) begin
      if (pop_i) begin
        flit_q <= tail_o ? '0 : flit_q + 5'd1;
        if (tail_o) valid_q <= 1'b0;
      end
      if (pick_o || pick_ack_o) begin
        valid_q <= 1'b1;
        ack_q   <= ack_i;
        out_q      <= {local_i[dst], upper_i[dst], Odd};
        vc_class_q <= class_i[dst];
        vn_q       <= ack_i ? ack_vn_i : flow_o[5:4];
        len_q      <= ack_i ? 5'd1 : len_i;
      end
      if (pick_o) begin
        turn_q <= turn_q + 4'd1;
        if (picks_free) relaxed_q <= flow_o + 6'd1;
        else strict_q <= flow_o + 6'd1;
      end
    end
  end

  assign valid_o  = valid_q;
  assign ack_o    = ack_q;
  assign head_o   = flit_q == '0;
  always_comb begin
    flit_o.injected = injected_i;
    flit_o.vn       = vn_q;
    flit_o.head     = head_o;
    flit_o.tail     = tail_o;
    flit_o.vc_class = vc_class_q;
    flit_o.out      = out_q;
    flit_o.len      = len_q;
  end

  // ---------------------------------------------------------------- assertions
  always_ff @(posedge clk_i) begin
    if (rst_ni && (pick_o || pop_i)) begin
      // One flow is chosen, and it has a packet.
      PickIsOneHot_A: assert (!pick_o || (chosen != '0 && (chosen & (chosen - Flows'(1))) == '0 &&
                                          (chosen & ready_i) == chosen));
      // Only a packet in the lane is sent.
      PopIsValid_A: assert (!pop_i || valid_q);
    end
  end

endmodule
