// SPDX-License-Identifier: Apache-2.0
// Heads of line of the router that stand still: who, since when, and what they wait for.
//
//   step_i, every 128 fabric cycles: has this queue lost a flit since the last step? --no--> its age + 1
//   age = patience_i --> stall_o keeps the first one as it is then; stalls_o counts all
//
// A queue that gave away the same number of flits modulo 256 as a step ago gave none: it cannot give
// 256 in a step. A step in which the router slept begins anew, for then its buffers were empty.
// Lanes say whether they gave any.
module fabric_watchdog #(
  localparam int unsigned Links = defs_pkg::LinkPorts,
  localparam int unsigned Xs = 12,
  localparam int unsigned Vns = defs_pkg::VirtualNets,
  localparam int unsigned Vcs = defs_pkg::VirtualChannels,
  localparam int unsigned Queues = Xs * Vns
) (
  input  logic clk_i,       // the router's
  input  logic step_clk_i,  // runs at least where that one does with step_i
  input  logic awake_i,     // which is now: step_clk_i may have other edges
  input  logic rst_ni,
  input  logic step_i,
  input  logic asleep_i,
  input  logic [7:0] patience_i,      // steps; 0: for ever
  input  logic patience_set_i,        // changes when it was written

  // As in fabric_allocate; freed_i: {link, VC}.
  input  logic [Queues-1:0] hol_valid_i,
  input  logic [11*Queues-1:0] hol_about_i,
  input  logic [8*Links*Vcs-1:0] freed_i,
  input  logic [3:0] lane_pop_i,
  input  logic [Links-1:0] link_ready_i,
  input  logic [8*Links*Vcs-1:0] credit_i,
  input  logic [2*Vcs-1:0] eject_room_i,
  input  logic [6*Vcs-1:0] held_i,
  input  logic [Links*Vcs-1:0] claimed_i,

  output logic [15:0] stalls_o,
  output logic [63:0] stall_o  // fabric_stall
);

  // ---------------------------------------------------------------- what has moved
  logic slept_q;
  logic [3:0] lane_moved_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      slept_q      <= 1'b0;
      lane_moved_q <= '0;
    end else if (asleep_i || step_i || lane_pop_i != '0) begin
      slept_q      <= asleep_i || (slept_q && !step_i);
      lane_moved_q <= lane_pop_i | (step_i ? '0 : lane_moved_q);
    end
  end

  // ---------------------------------------------------------------- ages
  logic [8*Links*Vcs-1:0] freed_q;
  logic [8*Queues-1:0] age_q, age_d;
  logic [Queues-1:0] old, moved;
  logic anew, set_q;
  assign anew = patience_set_i != set_q;
  always_comb begin
    moved = '0;
    age_d = '0;
    old   = '0;
    if (step_i) begin
      // Input {link, class}, VN v is VC {v, class} of the link.
      for (int unsigned x = 0; x < 2 * Links; x++) begin
        for (int unsigned v = 0; v < Vns; v++) begin
          moved[4*x + v] = slept_q || freed_i[8*(Vcs*(x/2) + 2*v + x%2) +: 8] !=
                                      freed_q[8*(Vcs*(x/2) + 2*v + x%2) +: 8];
        end
      end
      for (int unsigned l = 0; l < 4; l++) moved[4*(8 + l) +: 4] = {4{lane_moved_q[l]}};
      for (int unsigned q = 0; q < Queues; q++) begin
        if (hol_valid_i[q] && !moved[q] && !anew) begin
          age_d[8*q +: 8] = (age_q[8*q +: 8] >= patience_i) ? age_q[8*q +: 8] : age_q[8*q +: 8] + 8'd1;
          old[q] = age_q[8*q +: 8] < patience_i && age_d[8*q +: 8] == patience_i;
        end
      end
    end
  end

  // ---------------------------------------------------------------- the first of the old ones
  defs_pkg::fabric_stall_t stall;
  logic [5:0] queue, hold, number;
  logic [10:0] about, other;
  logic [4:0] link_vc;
  logic unused_about;
  assign unused_about = ^{about[9], other};
  always_comb begin
    stall   = '0;
    queue   = '0;
    hold    = '0;
    number  = '0;
    about   = '0;
    other   = '0;
    link_vc = '0;
    if (old != '0) begin
      for (int unsigned q = Queues; q > 0; q--) begin
        if (old[q - 1]) begin
          queue  = 6'(q - 1);
          number = number + 6'd1;
        end
      end
      about   = hol_about_i[11*queue +: 11];
      hold    = {about[7], about[6] && !about[7], about[5], queue[1:0], about[8]};
      link_vc = {about[6:5], queue[1:0], about[8]};
      stall.valid   = 1'b1;
      stall.age     = patience_i;
      {stall.who, stall.vn} = queue;
      stall.head    = about[10];
      stall.out     = about[7:5];
      stall.way_class = about[8];
      stall.len     = about[10] ? about[4:0] : '0;
      stall.credit  = about[7] ? {7'd0, eject_room_i[{about[5], queue[1:0], about[8]}]} : credit_i[8*link_vc +: 8];
      stall.ready   = about[7] || link_ready_i[about[6:5]];
      stall.held    = held_i[hold];
      stall.claimed = !about[7] && claimed_i[link_vc];
      stall.holder  = '1;
      for (int unsigned x = 0; x < Xs; x++) begin
        other = hol_about_i[11*{4'(x), queue[1:0]} +: 11];
        // Both outputs to a receiver lead to the same VCs.
        if (hol_valid_i[{4'(x), queue[1:0]}] && !other[10] &&
            ((other[8:5] ^ about[8:5]) & {2'b11, !about[7], 1'b1}) == '0) stall.holder = 4'(x);
      end
      stall.others  = (number > 6'd7) ? 3'd7 : 3'(number - 6'd1);
    end
  end

  // ---------------------------------------------------------------- registers
  logic [15:0] stalls_q;
  logic [63:0] stall_q;
  always_ff @(posedge step_clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      freed_q  <= '0;
      age_q    <= '0;
      set_q    <= 1'b0;
      stalls_q <= '0;
      stall_q  <= '0;
    end else if (step_i && awake_i) begin
      freed_q  <= freed_i;
      age_q    <= age_d;
      set_q    <= patience_set_i;
      stalls_q <= stalls_q + 16'(number);
      if (anew) stall_q <= '0;
      else if (stall_q == '0 && old != '0) stall_q <= stall;
    end
  end
  assign stalls_o = stalls_q;
  assign stall_o  = stall_q;

endmodule
