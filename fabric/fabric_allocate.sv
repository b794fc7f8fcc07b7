// SPDX-License-Identifier: Apache-2.0
// Which flits leave in this fabric cycle: output VCs and crossbar of fabric_router, in one step.
//
//   hol_* of 8 inputs x 4 VNs --> input stage --offer per input--> output stage --> sa_*, pop
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
  localparam int unsigned Xs = 8,
  localparam int unsigned Outs = 4,
  localparam int unsigned Vns = defs_pkg::VirtualNets,
  localparam int unsigned Vcs = defs_pkg::VirtualChannels
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic fabric_en_i,

  // Head of line, index {x, vn}: {head, tail, out 2, len 5, or poison behind the head}; class in which
  // input x leaves.
  input  logic [Xs*Vns-1:0] hol_valid_i,
  input  logic [9*Xs*Vns-1:0] hol_about_i,
  input  logic [Xs-1:0] class_of_i,
  input  logic [4*Xs*Vns-1:0] hol_birth_i,
  input  logic [3:0] now_i,

  // Room behind the outputs: flits of a link's VC, a packet of a local port's VC.
  input  logic [1:0] link_ready_i,
  input  logic [8*2*Vcs-1:0] credit_i,
  input  logic [2*Vcs-1:0] eject_room_i,
  output logic [2*Vcs-1:0] credit_take_o,

  // Winners: per input what leaves, per output who came.
  output logic [Xs-1:0] pop_o,
  output logic [2*Xs-1:0] pop_vn_o,
  output logic [Outs-1:0] sa_valid_o,
  output logic [Outs-1:0] sa_head_o,
  output logic [Outs-1:0] sa_tail_o,
  output logic [Outs-1:0] sa_poison_o,
  output logic [3*Outs-1:0] sa_x_o,
  output logic [3*Outs-1:0] sa_vc_o,

  // Output VCs, index {output, VC}: held by a packet; (links) claimed by an input.
  output logic [Outs*Vcs-1:0] held_o,
  output logic [2*Vcs-1:0] claimed_o
);

  logic [Outs*Vcs-1:0] held_q;
  logic [2*Vcs-1:0] claimed_q;
  logic [3*2*Vcs-1:0] claimer_q;
  logic [2*Xs-1:0] vn_first_q;
  logic [3*Outs-1:0] x_first_q;
  assign held_o    = held_q;
  assign claimed_o = claimed_q;

  // ---------------------------------------------------------------- allocation
  // Who goes first: packets under way, then old ones, then through traffic. Never 0.
  function automatic logic [6:0] rank(input logic [4:0] queue);
    rank = {!hol_about_i[9*queue + 8],
            hol_about_i[9*queue + 8] ? now_i - hol_birth_i[4*queue +: 4] : 4'd0, !queue[4], 1'b1};
  endfunction

  logic work;
  logic [6:0] key, best;
  logic [2:0] x_at;
  logic [7*Xs-1:0] offer_key;
  logic [2*Xs-1:0] offer_vn, wish_vn;
  logic [9*Xs-1:0] offer_about;
  logic [8*Outs-1:0] request, wish;              // wish: heads that miss only credit_i
  logic [7:0] grant0, grant1, grant2, grant3;        // for the assertions
  logic [8*Outs-1:0] grant;
  logic [1:0] claim_valid;
  logic [5:0] claim_x, claim_vc;
  logic [Vns-1:0] can;                            // of one input: heads of line that could leave
  logic [8:0] about;
  logic [1:0] out, vn;
  logic [2:0] vc, winner;
  logic can_leave;
  logic [Xs-1:0] pop_tail;
  assign work = fabric_en_i && hol_valid_i != '0;

  always_comb begin
    key         = '0;
    x_at        = '0;
    best        = '0;
    offer_key   = '0;
    offer_vn    = '0;
    offer_about = '0;
    wish_vn     = '0;
    request     = '0;
    wish        = '0;
    grant       = '0;
    sa_valid_o    = '0;
    sa_head_o     = '0;
    sa_tail_o     = '0;
    sa_poison_o   = '0;
    sa_x_o        = '0;
    sa_vc_o       = '0;
    pop_o         = '0;
    pop_vn_o      = '0;
    pop_tail      = '0;
    credit_take_o = '0;
    claim_valid = '0;
    claim_x     = '0;
    claim_vc    = '0;
    can         = '0;
    about       = '0;
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
              about     = hol_about_i[9*(4*x + v) +: 9];
              out       = about[6:5];
              vc        = {2'(v), class_of_i[x]};
              can_leave = !about[8];
              if (about[8] && !held_q[{out, vc}]) begin
                if (out[1]) begin
                  can_leave = eject_room_i[{out[0], vc}];
                end else if (!claimed_q[{out[0], vc}] ||
                             claimer_q[3*{out[0], vc} +: 3] == 3'(x)) begin
                  can_leave = credit_i[8*{out[0], vc} +: 8] >= {3'b0, about[4:0]};
                  if (!can_leave && !claimed_q[{out[0], vc}]) begin
                    wish[8*out +: 8]  = wish[8*out +: 8] | (8'd1 << x);
                    wish_vn[2*x +: 2] = 2'(v);
                  end
                end
              end
              if (!out[1] && !link_ready_i[out[0]]) can_leave = 1'b0;
              can = can | ({3'b0, can_leave} << v);
            end
          end
          if (can != '0) begin
            best = '0;
            for (int unsigned i = 0; i < Vns; i++) begin
              if (can[vn_first_q[2*x +: 2] + 2'(i)]) begin
                key = rank({3'(x), vn_first_q[2*x +: 2] + 2'(i)});
                if (key > best) begin
                  best = key;
                  vn   = vn_first_q[2*x +: 2] + 2'(i);
                end
              end
            end
            offer_key[7*x +: 7] = best;
            about          = hol_about_i[9*{3'(x), vn} +: 9];
            offer_vn[2*x +: 2]    = vn;
            offer_about[9*x +: 9] = about;
            request[8*about[6:5] +: 8] = request[8*about[6:5] +: 8] | (8'd1 << x);
          end
        end
      end
      // output stage
      for (int unsigned y = 0; y < Outs; y++) begin
        if (request[8*y +: 8] != '0) begin
          best = '0;
          for (int unsigned i = 0; i < Xs; i++) begin
            x_at = x_first_q[3*y +: 3] + 3'(i);
            if (request[8*y + 32'(x_at)] && offer_key[7*x_at +: 7] > best) begin
              winner = x_at;
              best   = offer_key[7*winner +: 7];
            end
          end
          grant[8*y +: 8] = 8'd1 << winner;
          about       = offer_about[9*winner +: 9];
          vc          = {offer_vn[2*winner +: 2], class_of_i[winner]};
          sa_valid_o[y] = 1'b1;
          sa_x_o[3*y +: 3]     = winner;
          sa_vc_o[3*y +: 3]    = vc;
          sa_head_o[y]  = about[8];
          sa_tail_o[y]  = about[7];
          sa_poison_o[y] = !about[8] && about[0];
          pop_o[winner]    = 1'b1;
          pop_tail[winner] = about[7];
          pop_vn_o[2*winner +: 2] = offer_vn[2*winner +: 2];
          if (y < 2) credit_take_o[{1'(y), vc}] = 1'b1;
        end
        if (y < 2 && wish[8*y +: 8] != '0) begin
          // An input may wish for both links; the VN kept is that of one of them.
          best = '0;
          for (int unsigned i = 0; i < Xs; i++) begin
            if (wish[8*y + i]) begin
              key = rank({3'(i), wish_vn[2*i +: 2]});
              if (key > best) begin
                winner = 3'(i);
                best   = key;
              end
            end
          end
          about  = hol_about_i[9*{winner, wish_vn[2*winner +: 2]} +: 9];
          claim_valid[1'(y)] = about[6:5] == 2'(y);
          claim_x[3*1'(y) +: 3]     = winner;
          claim_vc[3*1'(y) +: 3]    = {wish_vn[2*winner +: 2], class_of_i[winner]};
        end
      end
    end
  end
  assign grant0 = grant[8*0 +: 8];
  assign grant1 = grant[8*1 +: 8];
  assign grant2 = grant[8*2 +: 8];
  assign grant3 = grant[8*3 +: 8];

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
          held_q[{2'(y), sa_vc_o[3*y +: 3]}] <= !sa_tail_o[y];
          if (y < 2 && sa_head_o[y]) claimed_q[{1'(y), sa_vc_o[3*y +: 3]}] <= 1'b0;
          x_first_q[3*y +: 3] <= sa_x_o[3*y +: 3] + {2'b0, sa_tail_o[y]};
        end
      end
      // Behind the grants: a claim made while a short packet slips in must last.
      for (int unsigned p = 0; p < 2; p++) begin
        if (claim_valid[p]) begin
          claimed_q[{1'(p), claim_vc[3*p +: 3]}] <= 1'b1;
          claimer_q[3*{1'(p), claim_vc[3*p +: 3]} +: 3] <= claim_x[3*p +: 3];
        end
      end
      for (int unsigned x = 0; x < Xs; x++) begin
        if (pop_o[x]) vn_first_q[2*x +: 2] <= pop_vn_o[2*x +: 2] + {1'b0, pop_tail[x]};
      end
    end
  end

  // ---------------------------------------------------------------- assertions
  // One winner per output, and every winner is offered to that output only.
  `ASSERT(GrantIsOneHot_A, $onehot0(grant0) && $onehot0(grant1) && $onehot0(grant2) &&
          $onehot0(grant3))
  `ASSERT(InputWinsOnce_A, ((grant0 | grant1) & (grant2 | grant3)) == '0 &&
          (grant0 & grant1) == '0 && (grant2 & grant3) == '0)
  // Packets never mix inside an output VC: a head needs a free VC, a body a held one.
  `ASSERT(PacketContiguity_A,
    (!sa_valid_o[0] || held_q[{2'd0, sa_vc_o[2:0]}] != sa_head_o[0]) &&
    (!sa_valid_o[1] || held_q[{2'd1, sa_vc_o[5:3]}] != sa_head_o[1]) &&
    (!sa_valid_o[2] || held_q[{2'd2, sa_vc_o[8:6]}] != sa_head_o[2]) &&
    (!sa_valid_o[3] || held_q[{2'd3, sa_vc_o[11:9]}] != sa_head_o[3]))

endmodule
