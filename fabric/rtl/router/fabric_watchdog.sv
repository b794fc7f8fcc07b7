// SPDX-License-Identifier: Apache-2.0
// Heads of line of the router that are stalled: who, and what they wait for.
//
//   tick:      every queue with a flit is marked; one that is still marked since the last tick is old
//   in between: a queue that gives a flit away loses its mark
//
// A tick comes every patience_i * 128 fabric cycles, so an old one stands for one to two times that. The
// first is kept as it is then (stall_o), all are counted. While the router sleeps no time passes: nothing
// waits there.
module fabric_watchdog #(
  localparam int unsigned Links = defs_pkg::LinkPorts,
  localparam int unsigned Xs = 12,
  localparam int unsigned Vns = defs_pkg::VirtualNets,
  localparam int unsigned Vcs = defs_pkg::VirtualChannels,
  localparam int unsigned Queues = Xs * Vns,
  localparam int unsigned HolBits = defs_pkg::HolFlitBits
) (
  input  logic clk_i,             // the router's
  input  logic slow_clk_i,        // runs at least in cycles with step_i
  input  logic rst_ni,
  input  logic step_i,            // every 128th fabric cycle in which clk_i runs
  input  logic [7:0] patience_i,  // 0: for ever
  input  logic patience_set_i,    // changes when it was written

  // As in fabric_allocate.
  input  logic [Queues-1:0] hol_valid_i,
  input  logic [HolBits*Queues-1:0] hol_i,
  input  logic [Xs-1:0] pop_i,
  input  logic [2*Xs-1:0] pop_vn_i,
  input  logic [Links-1:0] link_ready_i,
  input  logic [8*Links*Vcs-1:0] credit_i,
  input  logic [2*Vcs-1:0] eject_room_i,
  input  logic [6*Vcs-1:0] held_i,
  input  logic [Links*Vcs-1:0] claimed_i,

  output logic [15:0] stalls_o,
  output logic [63:0] stall_o     // fabric_stall
);

  // ---------------------------------------------------------------- marks
  logic [Queues-1:0] still_q, popped, old;
  logic [7:0] steps_q;
  logic tick, anew, set_q;
  assign anew = patience_set_i != set_q;
  assign tick = step_i && (anew || steps_q == 8'd1);
  always_comb begin
    popped = '0;
    if (pop_i != '0) begin
      for (int unsigned x = 0; x < Xs; x++) begin
        if (pop_i[x]) popped[{4'(x), pop_vn_i[2*x +: 2]}] = 1'b1;
      end
    end
    old = '0;
    if (tick && !anew) old = still_q & hol_valid_i;
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) still_q <= '0;
    else if (tick) still_q <= hol_valid_i & ~popped;
    else if (pop_i != '0) still_q <= still_q & ~popped;
  end

  // ---------------------------------------------------------------- the first of the old ones
  defs_pkg::fabric_stall_t stall;
  logic [5:0] queue, hold, number;
  defs_pkg::hol_flit_t flit, other;
  logic [4:0] link_vc;
  logic unused_flit;
  assign unused_flit = ^{flit, other};
  always_comb begin
    stall   = '0;
    queue   = '0;
    hold    = '0;
    number  = '0;
    flit    = '0;
    other   = '0;
    link_vc = '0;
    if (old != '0) begin
      for (int unsigned q = Queues; q > 0; q--) begin
        if (old[q - 1]) begin
          queue  = 6'(q - 1);
          number = number + 6'd1;
        end
      end
      flit    = hol_i[HolBits*queue +: HolBits];
      hold    = {flit.out[2], flit.out[1] && !flit.out[2], flit.out[0], queue[1:0], flit.vc_class};
      link_vc = {flit.out[1:0], queue[1:0], flit.vc_class};
      stall.valid     = 1'b1;
      {stall.who, stall.vn} = queue;
      stall.head      = flit.head;
      stall.out       = flit.out;
      stall.way_class = flit.vc_class;
      stall.len       = flit.head ? flit.len : '0;
      stall.credit    = flit.out[2] ? {7'd0, eject_room_i[{flit.out[0], queue[1:0], flit.vc_class}]}
                                    : credit_i[8*link_vc +: 8];
      stall.ready     = flit.out[2] || link_ready_i[flit.out[1:0]];
      stall.held      = held_i[hold];
      stall.claimed   = !flit.out[2] && claimed_i[link_vc];
      stall.holder    = '1;
      for (int unsigned x = 0; x < Xs; x++) begin
        other = hol_i[HolBits*{4'(x), queue[1:0]} +: HolBits];
        // Both outputs to a receiver lead to the same VCs.
        if (hol_valid_i[{4'(x), queue[1:0]}] && !other.head && other.vc_class == flit.vc_class &&
            ((other.out ^ flit.out) & {1'b1, !flit.out[2], 1'b1}) == '0) stall.holder = 4'(x);
      end
      stall.others    = (number > 6'd7) ? 3'd7 : 3'(number - 6'd1);
    end
  end

  // ---------------------------------------------------------------- registers
  logic [7:0] stalls_q;
  defs_pkg::fabric_stall_t stall_q;
  always_ff @(posedge slow_clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      steps_q  <= 8'(defs_pkg::StallPatience);
      set_q    <= 1'b0;
      stalls_q <= '0;
      stall_q  <= '0;
    end else if (step_i) begin
      set_q   <= patience_set_i;
      steps_q <= tick ? patience_i : steps_q - 8'(steps_q != '0);
      if (old != '0) stalls_q <= stalls_q + 8'(number);
      if (anew) stall_q <= '0;
      else if (!stall_q.valid && old != '0) stall_q <= stall;
    end
  end
  assign stalls_o = {8'd0, stalls_q};
  assign stall_o  = stall_q;

endmodule
