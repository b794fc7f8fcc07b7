// SPDX-License-Identifier: Apache-2.0
// Which flits leave in this fabric cycle: output VCs and crossbar of fabric_router, in one step.
//
//   hol_* of 12 inputs x 4 VNs --> input stage --offer per input--> output stage --> sa_*, pop
//
// Separable, input first: each crossbar input offers one VN's head of line, each output takes one
// offer; both in round robin that moves on a grant. A head of packet asks only when its output VC
// is not held by another packet and has credit for the whole packet; it then holds the VC until
// its tail, so body flits never wait for credit and packets never mix inside a VC. The VC is free
// for the next head in the very next cycle, whatever the last packet's flits are still doing.
//
// A head that misses only credit claims its VC: no new packet of another input starts there before
// it. Without that, long packets would starve behind short ones that take each credit as it comes.
`include "assert.svh"

module fabric_allocate #(
  localparam int unsigned Links = defs_pkg::LinkPorts,
  localparam int unsigned Xs = 12,
  localparam int unsigned Outs = 8,
  localparam int unsigned Holds = 6,  // 4 links, 2 receivers
  localparam int unsigned Vns = defs_pkg::VirtualNets,
  localparam int unsigned Vcs = defs_pkg::VirtualChannels,
  localparam int unsigned HolBits = defs_pkg::HolFlitBits
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic fabric_en_i,

  // Head of line: hol_flit_t, index {x, vn}.
  input  logic [Xs*Vns-1:0] hol_valid_i,
  input  logic [HolBits*Xs*Vns-1:0] hol_i,
  input  logic [3:0] now_i,       // in the units of hol_flit_t.injected

  input  logic [2:0] slot_i,      // {slot mode, VN of this cycle}; only its queues are valid then
  input  logic [24:0] arbiter_i,  // {weight 4 of VN 3 .. 0, throttle 7, mode 2}

  // Room behind the outputs: flits of a link's VC, a packet of a local port's VC.
  input  logic [Links-1:0] link_ready_i,
  input  logic [8*Links*Vcs-1:0] credit_i,
  input  logic [2*Vcs-1:0] eject_room_i,
  output logic [Links*Vcs-1:0] credit_take_o,

  // Winners: per input what leaves, per output who came.
  output logic [Xs-1:0] pop_o,
  output logic [2*Xs-1:0] pop_vn_o,
  output logic [Outs-1:0] sa_valid_o,
  output logic [Outs-1:0] sa_head_o,
  output logic [Outs-1:0] sa_tail_o,
  output logic [Outs-1:0] sa_poison_o,
  output logic [4*Outs-1:0] sa_x_o,
  output logic [3*Outs-1:0] sa_vc_o,

  // For the counters: VCs {link, VC} for which a head misses credit; inputs that could go and did not.
  output logic [Links*Vcs-1:0] credit_stall_o,
  output logic [Xs-1:0] lost_arbitration_o,

  // VCs behind the outputs, index {link or 4 + receiver, VC}: held by a packet; (links) claimed by an
  // input.
  output logic [Holds*Vcs-1:0] held_o,
  output logic [Links*Vcs-1:0] claimed_o
);

  logic [Holds*Vcs-1:0] held_q;
  logic [Links*Vcs-1:0] claimed_q;
  logic [4*Links*Vcs-1:0] claimer_q;
  logic [2*Xs-1:0] vn_first_q;
  logic [4*Outs*Vns-1:0] x_first_q;  // {VN, output}; slots of VN 0 only, but in slot mode
  logic [1:0] turn;
  assign turn = slot_i[1:0];
  assign held_o    = held_q;
  assign claimed_o = claimed_q;

  // ---------------------------------------------------------------- modes
  logic round_robin, weighted;
  logic [6:0] throttle;
  logic [Outs*Vns-1:0] funded;
  assign round_robin = arbiter_i[1:0] == defs_pkg::ArbiterRoundRobin;
  assign weighted    = arbiter_i[1:0] == defs_pkg::ArbiterWeighted && !slot_i[2];
  assign throttle    = arbiter_i[8:2];
  logic [5*Outs-1:0] sa_len;  // of heads
  fabric_share u_share (
    .clk_i, .rst_ni, .en_i(weighted), .weight_i(arbiter_i[24:9]),
    .start_i(sa_valid_o & sa_head_o), .vc_i(sa_vc_o), .len_i(sa_len), .funded_o(funded)
  );

  // ---------------------------------------------------------------- allocation
  // Priority: packets under way; (mode Weighted) VNs that have not used up their share; then old ones, then
  // through traffic (inputs 0 .. 7). Never 0. Mode RoundRobin: packets under way, no more.
  function automatic logic [7:0] rank(input logic injects, input logic [1:0] of_vn, input logic head,
                                      input logic [2:0] to, input logic [3:0] injected);
    if (round_robin) begin
      rank = {!head, 7'd1};
    end else begin
      rank = {!head, weighted && funded[{to, of_vn}], head ? now_i - injected : 4'd0, !injects, 1'b1};
    end
  endfunction
  // A receiver has two outputs, one for each of its links, and one set of VCs.
  function automatic logic [5:0] hold(input logic [2:0] out, input logic [2:0] vc);
    hold = {out[2], out[1] && !out[2], out[0], vc};
  endfunction
  // Room that injection leaves in a VC: never so much that the longest packet would not fit into its buffer.
  function automatic logic [6:0] leave(input logic [1:0] vn);
    logic [6:0] most;
    most = 7'(defs_pkg::VnDepth1 - defs_pkg::BodyFlits - 1);
    if (vn == 2'd0) most = 7'(defs_pkg::VnDepth0 - 4);
    if (vn == 2'd3) most = 7'(defs_pkg::VnDepth3 - defs_pkg::BodyFlits - 1);
    leave = (throttle > most) ? most : throttle;
  endfunction
  function automatic logic [3:0] next_x(input logic [3:0] x);
    next_x = (x == 4'(Xs - 1)) ? '0 : x + 4'd1;
  endfunction

  logic work;
  logic [7:0] key, best;
  logic [3:0] x_at, winner;
  logic [8*Xs-1:0] offer_key;
  logic [2*Xs-1:0] offer_vn, wish_vn;
  logic [3*Xs-1:0] offer_out, wish_out;          // wish: heads that miss only credit
  logic [Xs-1:0] offered, wishes, taken;
  logic [Outs-1:0] wanted;
  logic [Links-1:0] wished;
  logic [Links-1:0] claim_valid;
  logic [4*Links-1:0] claim_x;
  logic [3*Links-1:0] claim_vc;
  logic [Vns-1:0] can;                            // of one input: heads of line that could leave
  defs_pkg::hol_flit_t flit;
  logic [5:0] queue;
  logic [2:0] out, vc;
  logic [1:0] vn;
  logic can_leave;
  logic [Xs-1:0] pop_tail;
  logic [6*Outs-1:0] held_at;                     // of grants: the index into held_q
  assign work = fabric_en_i && hol_valid_i != '0;

  always_comb begin
    key         = '0;
    x_at        = '0;
    best        = '0;
    offer_key   = '0;
    offer_vn    = '0;
    offer_out   = '0;
    offered     = '0;
    taken       = '0;
    wish_vn     = '0;
    wish_out    = '0;
    wishes      = '0;
    wanted      = '0;
    wished      = '0;
    sa_valid_o    = '0;
    sa_head_o     = '0;
    sa_tail_o     = '0;
    sa_poison_o   = '0;
    sa_x_o        = '0;
    sa_vc_o       = '0;
    sa_len        = '0;
    held_at       = '0;
    pop_o         = '0;
    pop_vn_o      = '0;
    pop_tail      = '0;
    credit_take_o = '0;
    credit_stall_o = '0;
    claim_valid = '0;
    claim_x     = '0;
    claim_vc    = '0;
    can         = '0;
    flit        = '0;
    queue       = '0;
    out         = '0;
    vn          = '0;
    vc          = '0;
    winner      = '0;
    can_leave   = 1'b0;
    if (work) begin
      // input stage: which VNs could leave, and which of them is offered
      for (int unsigned x = 0; x < Xs; x++) begin
        if (hol_valid_i[4*x +: 4] != '0) begin
          can = '0;
          for (int unsigned v = 0; v < Vns; v++) begin
            if (hol_valid_i[4*x + v]) begin
              flit      = hol_i[HolBits*(4*x + v) +: HolBits];
              out       = flit.out;
              vc        = {2'(v), flit.vc_class};
              can_leave = !flit.head;
              if (flit.head && !held_q[hold(out, vc)]) begin
                if (out[2]) begin
                  can_leave = eject_room_i[{out[0], vc}];
                end else if (!claimed_q[{out[1:0], vc}] ||
                             claimer_q[4*{out[1:0], vc} +: 4] == 4'(x)) begin
                  can_leave = credit_i[8*{out[1:0], vc} +: 8] >= {3'b0, flit.len};
                  if (!can_leave) credit_stall_o = credit_stall_o | ((Links*Vcs)'(1) << {out[1:0], vc});
                  // Injection leaves `throttle` flits of room, and does not claim then.
                  if (x >= 8 && throttle != '0) begin
                    can_leave = credit_i[8*{out[1:0], vc} +: 8] >=
                                {3'b0, flit.len} + {1'b0, leave(2'(v))};
                  end else if (!can_leave && !claimed_q[{out[1:0], vc}]) begin
                    wishes            = wishes | (Xs'(1) << x);
                    wished            = wished | (Links'(1) << out[1:0]);
                    wish_vn[2*x +: 2] = 2'(v);
                    wish_out[3*x +: 3] = out;
                  end
                end
              end
              if (!out[2] && !link_ready_i[out[1:0]]) can_leave = 1'b0;
              can = can | ({3'b0, can_leave} << v);
            end
          end
          if (can != '0) begin
            best = '0;
            for (int unsigned i = 0; i < Vns; i++) begin
              if (can[vn_first_q[2*x +: 2] + 2'(i)]) begin
                queue = {4'(x), vn_first_q[2*x +: 2] + 2'(i)};
                flit  = hol_i[HolBits*queue +: HolBits];
                key   = rank(queue[5], queue[1:0], flit.head, flit.out, flit.injected);
                if (key > best) begin
                  best = key;
                  vn   = queue[1:0];
                end
              end
            end
            flit                = hol_i[HolBits*{4'(x), vn} +: HolBits];
            offered             = offered | (Xs'(1) << x);
            wanted              = wanted | (Outs'(1) << flit.out);
            offer_key[8*x +: 8] = best;
            offer_vn[2*x +: 2]  = vn;
            offer_out[3*x +: 3] = flit.out;
          end
        end
      end
      // output stage
      for (int unsigned y = 0; y < Outs; y++) begin
        // Heads for the VC that the receiver's other output has just given away.
        if (y == 6 && wanted[7:6] != '0 && wanted[5:4] != '0) begin
          for (int unsigned x = 0; x < Xs; x++) begin
            vn    = offer_vn[2*x +: 2];
            flit  = hol_i[HolBits*{4'(x), vn} +: HolBits];
            out   = {2'b10, flit.out[0]};
            if (offered[x] && flit.head && flit.out[2:1] == 2'b11 && sa_valid_o[out] &&
                sa_head_o[out] && sa_vc_o[3*out +: 3] == {vn, flit.vc_class}) begin
              taken = taken | (Xs'(1) << x);
            end
          end
        end
        if (wanted[y]) begin
          best = '0;
          x_at = x_first_q[4*{turn, 3'(y)} +: 4];
          for (int unsigned i = 0; i < Xs; i++) begin
            if (offered[x_at] && offer_out[3*x_at +: 3] == 3'(y) &&
                offer_key[8*x_at +: 8] > best && !(taken[x_at] && y >= 6)) begin
              winner = x_at;
              best   = offer_key[8*x_at +: 8];
            end
            x_at = next_x(x_at);
          end
          if (best != '0) begin
            vn    = offer_vn[2*winner +: 2];
            flit  = hol_i[HolBits*{winner, vn} +: HolBits];
            vc    = {vn, flit.vc_class};
            sa_valid_o[y] = 1'b1;
            sa_x_o[4*y +: 4]  = winner;
            sa_vc_o[3*y +: 3] = vc;
            held_at[6*y +: 6] = hold(3'(y), vc);
            sa_head_o[y]  = flit.head;
            sa_len[5*y +: 5] = flit.len;
            sa_tail_o[y]  = flit.tail;
            sa_poison_o[y] = !flit.head && flit.len[0];
            pop_o[winner]    = 1'b1;
            pop_tail[winner] = flit.tail;
            pop_vn_o[2*winner +: 2] = vn;
            if (y < Links) credit_take_o[{2'(y), vc}] = 1'b1;
          end
        end
      end
      // claims
      if (wished != '0) begin
        for (int unsigned y = 0; y < Links; y++) begin
          if (wished[y]) begin
            // An input may wish for several links; what is kept is the last wish.
            best = '0;
            x_at = round_robin ? x_first_q[4*{turn, 3'(y)} +: 4] : '0;
            for (int unsigned i = 0; i < Xs; i++) begin
              if (wishes[x_at] && wish_out[3*x_at +: 3] == 3'(y)) begin
                queue = {x_at, wish_vn[2*x_at +: 2]};
                flit  = hol_i[HolBits*queue +: HolBits];
                key   = rank(queue[5], queue[1:0], flit.head, flit.out, flit.injected);
                if (key > best) begin
                  winner = x_at;
                  best   = key;
                end
              end
              x_at = next_x(x_at);
            end
            flit = hol_i[HolBits*{winner, wish_vn[2*winner +: 2]} +: HolBits];
            claim_valid[y]       = best != '0;
            claim_x[4*y +: 4]    = winner;
            claim_vc[3*y +: 3]   = {wish_vn[2*winner +: 2], flit.vc_class};
          end
        end
      end
    end
  end

  assign lost_arbitration_o = offered & ~pop_o;

  // ---------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      held_q     <= '0;
      claimed_q  <= '0;
      claimer_q  <= '0;
      vn_first_q <= '0;
      x_first_q  <= '0;
    end else if (work) begin
      for (int unsigned y = 0; y < Outs; y++) begin
        if (sa_valid_o[y]) begin
          held_q[held_at[6*y +: 6]] <= !sa_tail_o[y];
          if (y < Links && sa_head_o[y]) claimed_q[{2'(y), sa_vc_o[3*y +: 3]}] <= 1'b0;
          x_first_q[4*{turn, 3'(y)} +: 4] <= sa_tail_o[y] ? next_x(sa_x_o[4*y +: 4]) : sa_x_o[4*y +: 4];
        end
      end
      // Behind the grants: a claim made while a short packet slips in must last.
      for (int unsigned p = 0; p < Links; p++) begin
        if (claim_valid[p]) begin
          claimed_q[{2'(p), claim_vc[3*p +: 3]}] <= 1'b1;
          claimer_q[4*{2'(p), claim_vc[3*p +: 3]} +: 4] <= claim_x[4*p +: 4];
        end
      end
      for (int unsigned x = 0; x < Xs; x++) begin
        if (pop_o[x]) vn_first_q[2*x +: 2] <= pop_vn_o[2*x +: 2] + {1'b0, pop_tail[x]};
      end
    end
  end

  // ---------------------------------------------------------------- assertions
  // Every output takes another input, one that was offered to it.
  `ASSERT_NOW(InputWinsOnce_A, $countones(pop_o) == $countones(sa_valid_o) && (pop_o & ~offered) == '0)
  // Packets never mix inside an output VC: a head needs a free VC, a body a held one.
  for (genvar y = 0; y < Outs; y++) begin : gen_assert
    `ASSERT_NOW(PacketContiguity_A,
      !sa_valid_o[y] || held_q[held_at[6*y +: 6]] != sa_head_o[y])
  end

endmodule
