// SPDX-License-Identifier: Apache-2.0
// One lane of fabric_ni_tx: which engine's packet goes next in one direction, and how far it is.
//
//   ready_i, about_i of all engines --pick--> the packet in the lane --> hol_*, flit by flit
//
// Strict round robin on every fourth pick, so nobody starves; in between only engines whose output
// VC is free, so one full VC does not idle the link.
`include "assert.svh"

module fabric_lane #(
  localparam int unsigned Engines = size_pkg::DmaEngines,
  localparam int unsigned EngineBits = $clog2(Engines)
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic fabric_en_i,

  // Next packet of every engine that goes this way: {class, out 3, VN 2, len 5}, engine i in slice i.
  input  logic [Engines-1:0] ready_i,
  input  logic [11*Engines-1:0] about_i,
  // Output VCs {link port, VN, class} that could take a whole packet now; a preference.
  input  logic [31:0] room_i,
  // Nothing new is picked; what was goes out.
  input  logic stop_i,

  output logic pick_o,
  output logic [EngineBits-1:0] winner_o,

  output logic valid_o,
  output logic [10:0] about_o,
  output logic [4:0] flit_o,  // 0: head
  output logic tail_o,
  input  logic pop_i
);

  // ---------------------------------------------------------------- pick
  logic [Engines-1:0] free, ahead, chosen;
  logic [EngineBits-1:0] strict_q, relaxed_q, first;
  logic [1:0] turn_q;
  logic picks_free;

  logic valid_q;
  logic [10:0] about_q;
  logic [4:0] flit_q;
  assign tail_o = flit_q + 5'd1 == about_q[4:0];
  assign pick_o = fabric_en_i && (!valid_q || (pop_i && tail_o)) && ready_i != '0 && !stop_i;

  always_comb begin
    free       = '0;
    ahead      = '0;
    chosen     = '0;
    first      = '0;
    winner_o   = '0;
    picks_free = 1'b0;
    if (pick_o) begin
      for (int unsigned e = 0; e < Engines; e++) begin
        free[e] = ready_i[e] && (about_i[11*e + 9] ||  // out 4, 5: this chip
                                 room_i[{about_i[11*e + 7 +: 2], about_i[11*e + 5 +: 2],
                                         about_i[11*e + 10]}]);
      end
      picks_free = turn_q != '0 && free != '0;
      first  = picks_free ? relaxed_q : strict_q;
      chosen = picks_free ? free : ready_i;
      ahead  = chosen & ({Engines{1'b1}} << first);
      if (ahead != '0) chosen = ahead;
      chosen = chosen & (~chosen + Engines'(1));
      for (int unsigned e = 0; e < Engines; e++) begin
        if (chosen[e]) winner_o = winner_o | EngineBits'(e);
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
      about_q   <= '0;
      flit_q    <= '0;
    end else if (pick_o || pop_i) begin
      if (pop_i) begin
        flit_q <= tail_o ? '0 : flit_q + 5'd1;
        if (tail_o) valid_q <= 1'b0;
      end
      if (pick_o) begin
        valid_q  <= 1'b1;
        about_q  <= about_i[11*winner_o +: 11];
        turn_q   <= turn_q + 2'd1;
        if (picks_free) relaxed_q <= winner_o + EngineBits'(1);
        else strict_q <= winner_o + EngineBits'(1);
      end
    end
  end

  assign valid_o  = valid_q;
  assign about_o  = about_q;
  assign flit_o   = flit_q;

  // ---------------------------------------------------------------- assertions
  // One engine is chosen, and it has a packet.
  `ASSERT(PickIsOneHot_A, pick_o |-> $onehot(chosen) && (chosen & ready_i) == chosen)
  // Only a packet in the lane is sent.
  `ASSERT(PopIsValid_A, pop_i |-> valid_q)

endmodule
