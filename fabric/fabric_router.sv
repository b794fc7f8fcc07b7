// SPDX-License-Identifier: Apache-2.0
// The router of a chip: virtual cut-through, 6 crossbar inputs, 4 outputs, 8 VCs per link.
//
//   x 0  link 0 class 0  --+                   +--> o 0  link 0
//   x 1  link 0 class 1  --|  allocate   cross |--> o 1  link 1
//   x 2  link 1 class 0  --|  (hol_* in  bar   |--> o 2  local 0
//   x 3  link 1 class 1  --|  registers)       |--> o 3  local 1
//   x 4  local 0         --|                   |
//   x 5  local 1         --+                   |
//
//   cycle   flit_*        buffer    allocate + read    cross     out_*
//           route          hol_*    sa_*, pop          st_*_q
//
// Allocation is separable, input first: each crossbar input offers the head of one VN, each output
// takes one offer; both in round robin that moves on a grant. A head asks only when its output VC
// is not held by another packet and has credit for the whole packet; it then holds the VC until
// its tail, so body flits never wait for credit and packets never mix inside a VC. The VC is free
// for the next head in the very next cycle, whatever the last packet's flits are still doing.
//
// A head that misses credit only because others take it claims the VC: no new packet passes it
// there. Without that, long packets would starve behind short ones.
`include "assert.svh"

module fabric_router #(
  localparam int unsigned Xs = 6,
  localparam int unsigned Outs = 4,
  localparam int unsigned Vns = defs_pkg::VirtualNets,
  localparam int unsigned Vcs = defs_pkg::VirtualChannels
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic fabric_en_i,

  input  logic [3:0] chip_i,
  input  logic [4:0] ring_size_i,

  // Ports of several links, VCs or outputs are flat vectors: number i in slice i.
  // flits from the two links, one each per fabric cycle
  input  logic [1:0] flit_valid_i,
  input  logic [5:0] flit_vc_i,
  input  logic [1:0] flit_head_i,
  input  logic [1:0] flit_tail_i,
  input  logic [511:0] flit_payload0_i,
  input  logic [511:0] flit_payload1_i,

  // credit reports of the two neighbours
  input  logic [5:0] credit_vc_i,
  input  logic [15:0] credit_freed_i,

  // what this chip reports to them: {port, VC}
  output logic [16*Vcs-1:0] freed_o,

  // next flit of the two local senders
  input  logic [1:0] local_valid_i,
  input  logic [3:0] local_vn_i,
  input  logic [1:0] local_head_i,
  input  logic [1:0] local_tail_i,
  input  logic [3:0] local_out_i,
  input  logic [9:0] local_len_i,
  output logic [1:0] local_pop_o,
  input  logic [511:0] local_payload0_i,
  input  logic [511:0] local_payload1_i,
  output logic [7:0] local_room_o,

  // slots of the two local receivers
  input  logic [2*Vcs-1:0] eject_room_i,
  output logic [1:0] eject_take_o,
  output logic [5:0] eject_take_vc_o,

  // flits to link 0, link 1, local 0, local 1
  output logic [Outs-1:0] out_valid_o,
  output logic [3*Outs-1:0] out_vc_o,
  output logic [Outs-1:0] out_head_o,
  output logic [Outs-1:0] out_tail_o,
  output logic [511:0] out_payload0_o,
  output logic [511:0] out_payload1_o,
  output logic [511:0] out_payload2_o,
  output logic [511:0] out_payload3_o,

  output logic idle_o
);

  // ---------------------------------------------------------------- route and buffer
  // Head of line of crossbar input x and VN v: what the allocator and a watchdog look at.
  logic [Xs-1:0][Vns-1:0] hol_valid, hol_head, hol_tail;
  logic [Xs-1:0][Vns-1:0][1:0] hol_out;
  logic [Xs-1:0][Vns-1:0][4:0] hol_len;
  logic [Xs-1:0] class_of;  // deadlock class in which packets of input x leave
  logic [Xs-1:0] pop;
  logic [Xs-1:0][1:0] pop_vn;

  for (genvar p = 0; p < 2; p++) begin : gen_port
    defs_pkg::header_t header;
    logic [1:0] way;
    logic [2:0] flit_vc;
    logic [511:0] flit_payload;
    assign flit_payload = (p == 0) ? flit_payload0_i : flit_payload1_i;
    assign flit_vc      = flit_vc_i[3*p +: 3];
    assign header       = flit_payload[127:0];
    logic unused_header;
    assign unused_header = ^header;

    for (genvar k = 0; k < 2; k++) begin : gen_class
      logic [8*Vns-1:0] freed;
      logic [511:0] payload;
      if (k == 0) begin : gen_route
        fabric_route u_route (
          .chip_i, .ring_size_i,
          .from_i(2'(p)), .class_i(1'b0),
          .dst_i(header.dst[3:0]), .lport_i(header.lport[0]),
          .out_o(way), .class_o(class_of[2*p])
        );
        assign class_of[2*p + 1] = 1'b1;
      end
      fabric_input u_input (
        .clk_i, .rst_ni,
        .push_i(fabric_en_i && flit_valid_i[p] && flit_vc[0] == 1'(k)),
        .push_vn_i(flit_vc[2:1]),
        .push_head_i(flit_head_i[p]), .push_tail_i(flit_tail_i[p]),
        .push_out_i(way), .push_len_i(header.len),
        .push_payload_i(flit_payload),
        .hol_valid_o(hol_valid[2*p + k]), .hol_head_o(hol_head[2*p + k]),
        .hol_tail_o(hol_tail[2*p + k]), .hol_out_o(hol_out[2*p + k]),
        .hol_len_o(hol_len[2*p + k]),
        .pop_i(pop[2*p + k]), .pop_vn_i(pop_vn[2*p + k]),
        .payload_o(payload), .freed_o(freed)
      );
      for (genvar v = 0; v < Vns; v++) begin : gen_freed
        assign freed_o[8*(Vcs*p + 2*v + k) +: 8] = freed[8*v +: 8];
      end
    end

    // Local packets start in class 0.
    assign class_of[4 + p]  = 1'b0;
    assign hol_valid[4 + p] = {3'b0, local_valid_i[p]} << local_vn_i[2*p +: 2];
    assign hol_head[4 + p]  = {4{local_head_i[p]}};
    assign hol_tail[4 + p]  = {4{local_tail_i[p]}};
    assign hol_out[4 + p]   = {4{local_out_i[2*p +: 2]}};
    assign hol_len[4 + p]   = {4{local_len_i[5*p +: 5]}};
    assign local_pop_o[p]   = pop[4 + p];
  end

  // ---------------------------------------------------------------- state of the output VCs
  logic [Outs-1:0][Vcs-1:0] held_q, claimed_q;   // output VC: held by a packet, claimed by an input
  logic [2*Vcs-1:0][2:0] claimer_q;              // link outputs only
  logic [1:0][Vcs-1:0][7:0] credit;  // flits that VC of the neighbour can still take
  logic [1:0][Vcs-1:0] credit_home;
  logic [1:0][Vcs-1:0] credit_take;
  for (genvar o = 0; o < 2; o++) begin : gen_out
    for (genvar c = 0; c < Vcs; c++) begin : gen_vc
      localparam int unsigned Depth = (c / 2 == 0) ? defs_pkg::VnDepth0
                                    : (c / 2 == 1) ? defs_pkg::VnDepth1
                                    : (c / 2 == 2) ? defs_pkg::VnDepth2 : defs_pkg::VnDepth3;
      // A packet of VN 0 has at most 4 flits, of the others 17.
      localparam int unsigned Longest = (c / 2 == 0) ? 4 : defs_pkg::BodyFlits + 1;
      prim_credit_counter #(.Depth(Depth)) u_credit (
        .clk_i, .rst_ni,
        .take_i(credit_take[o][c]),
        .report_i(fabric_en_i && credit_vc_i[3*o +: 3] == 3'(c)),
        .report_freed_i(credit_freed_i[8*o +: 8]),
        .available_o(credit[o][c]), .home_o(credit_home[o][c])
      );
      if (c % 2 == 0) begin : gen_room
        assign local_room_o[4*o + c/2] = !held_q[o][c] && !claimed_q[o][c] &&
                                         credit[o][c] >= 8'(Longest);
      end
    end
  end

  // ---------------------------------------------------------------- allocation
  logic [Xs-1:0][1:0] vn_first_q;
  logic [Outs-1:0][2:0] x_first_q;

  // Round robin: the first request at or behind `first`, as one bit.
  function automatic logic [3:0] next4(input logic [3:0] request, input logic [1:0] first);
    next4 = request & (4'hf << first);
    if (next4 == '0) next4 = request;
    next4 = next4 & (~next4 + 4'd1);
  endfunction
  function automatic logic [5:0] next6(input logic [5:0] request, input logic [2:0] first);
    next6 = request & (6'h3f << first);
    if (next6 == '0) next6 = request;
    next6 = next6 & (~next6 + 6'd1);
  endfunction
  function automatic logic [1:0] index4(input logic [3:0] one);
    index4 = one[0] ? 2'd0 : {one[3] | one[2], one[3] | one[1]};
  endfunction
  function automatic logic [2:0] index6(input logic [5:0] one);
    index6 = one[0] ? 3'd0 : {one[5] | one[4], one[3] | one[2], one[5] | one[3] | one[1]};
  endfunction

  logic work;
  logic [Xs-1:0][Vns-1:0] can;           // this head of line could leave now
  logic [Xs-1:0][1:0] offer_vn;
  logic [Outs-1:0][Xs-1:0] request, grant, wish;  // wish: heads that miss only credit
  logic [Outs-1:0] sa_valid, sa_head, sa_tail;
  logic [Outs-1:0][2:0] sa_x, sa_vc;
  logic [1:0] claim_valid;
  logic [1:0][2:0] claim_x, claim_vc;
  logic [Xs-1:0][1:0] wish_vn;
  logic [1:0] o, vn;
  logic [2:0] vc, winner;
  assign work = fabric_en_i && hol_valid != '0;

  always_comb begin
    can         = '0;
    offer_vn    = '0;
    request     = '0;
    grant       = '0;
    wish        = '0;
    wish_vn     = '0;
    sa_valid    = '0;
    sa_head     = '0;
    sa_tail     = '0;
    sa_x        = '0;
    sa_vc       = '0;
    pop         = '0;
    pop_vn      = '0;
    credit_take = '0;
    claim_valid = '0;
    claim_x     = '0;
    claim_vc    = '0;
    o           = '0;
    vn          = '0;
    vc          = '0;
    winner      = '0;
    if (work) begin
      // input stage
      for (int unsigned x = 0; x < Xs; x++) begin
        if (hol_valid[x] != '0) begin
          for (int unsigned v = 0; v < Vns; v++) begin
            o  = hol_out[x][v];
            vc = {2'(v), class_of[x]};
            if (hol_valid[x][v]) begin
              if (!hol_head[x][v]) begin
                can[x][v] = 1'b1;
              end else if (!held_q[o][vc]) begin
                if (o[1]) begin
                  can[x][v] = eject_room_i[{o[0], vc}];
                end else if (!claimed_q[o][vc] || claimer_q[{o[0], vc}] == 3'(x)) begin
                  can[x][v] = credit[o[0]][vc] >= {3'b0, hol_len[x][v]};
                  if (!can[x][v] && !claimed_q[o][vc]) begin
                    wish[o][x] = 1'b1;
                    wish_vn[x] = 2'(v);
                  end
                end
              end
            end
          end
          if (can[x] != '0) begin
            vn = index4(next4(can[x], vn_first_q[x]));
            offer_vn[x]  = vn;
            request[hol_out[x][vn]][x] = 1'b1;
          end
        end
      end
      // output stage
      for (int unsigned y = 0; y < Outs; y++) begin
        if (request[y] != '0) begin
          grant[y]    = next6(request[y], x_first_q[y]);
          winner      = index6(grant[y]);
          vn          = offer_vn[winner];
          sa_valid[y] = 1'b1;
          sa_x[y]     = winner;
          sa_vc[y]    = {vn, class_of[winner]};
          sa_head[y]  = hol_head[winner][vn];
          sa_tail[y]  = hol_tail[winner][vn];
          pop[winner]    = 1'b1;
          pop_vn[winner] = vn;
          if (y < 2) credit_take[y[0]][{vn, class_of[winner]}] = 1'b1;
        end
        if (y < 2 && wish[y] != '0) begin
          winner            = index6(next6(wish[y], x_first_q[y]));
          vc                = {wish_vn[winner], class_of[winner]};
          claim_valid[y[0]] = hol_out[winner][wish_vn[winner]] == 2'(y);
          claim_x[y[0]]     = winner;
          claim_vc[y[0]]    = vc;
        end
      end
    end
  end

  for (genvar p = 0; p < 2; p++) begin : gen_take
    assign eject_take_o[p]    = sa_valid[2 + p] && sa_head[2 + p];
    assign eject_take_vc_o[3*p +: 3] = sa_vc[2 + p];
  end

  // ---------------------------------------------------------------- crossbar
  logic [Outs-1:0] st_valid_q, st_head_q, st_tail_q;
  logic [Outs-1:0][2:0] st_x_q, st_vc_q;
  fabric_cross u_cross0 (
    .clk_i, .rst_ni,
    .valid_i(fabric_en_i && st_valid_q[0]), .from_i(st_x_q[0]),
    .payload0_i(gen_port[0].gen_class[0].payload), .payload1_i(gen_port[0].gen_class[1].payload),
    .payload2_i(gen_port[1].gen_class[0].payload), .payload3_i(gen_port[1].gen_class[1].payload),
    .payload4_i(local_payload0_i), .payload5_i(local_payload1_i),
    .payload_o(out_payload0_o)
  );
  fabric_cross u_cross1 (
    .clk_i, .rst_ni,
    .valid_i(fabric_en_i && st_valid_q[1]), .from_i(st_x_q[1]),
    .payload0_i(gen_port[0].gen_class[0].payload), .payload1_i(gen_port[0].gen_class[1].payload),
    .payload2_i(gen_port[1].gen_class[0].payload), .payload3_i(gen_port[1].gen_class[1].payload),
    .payload4_i(local_payload0_i), .payload5_i(local_payload1_i),
    .payload_o(out_payload1_o)
  );
  fabric_cross u_cross2 (
    .clk_i, .rst_ni,
    .valid_i(fabric_en_i && st_valid_q[2]), .from_i(st_x_q[2]),
    .payload0_i(gen_port[0].gen_class[0].payload), .payload1_i(gen_port[0].gen_class[1].payload),
    .payload2_i(gen_port[1].gen_class[0].payload), .payload3_i(gen_port[1].gen_class[1].payload),
    .payload4_i(local_payload0_i), .payload5_i(local_payload1_i),
    .payload_o(out_payload2_o)
  );
  fabric_cross u_cross3 (
    .clk_i, .rst_ni,
    .valid_i(fabric_en_i && st_valid_q[3]), .from_i(st_x_q[3]),
    .payload0_i(gen_port[0].gen_class[0].payload), .payload1_i(gen_port[0].gen_class[1].payload),
    .payload2_i(gen_port[1].gen_class[0].payload), .payload3_i(gen_port[1].gen_class[1].payload),
    .payload4_i(local_payload0_i), .payload5_i(local_payload1_i),
    .payload_o(out_payload3_o)
  );

  // ---------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      held_q      <= '0;
      claimed_q   <= '0;
      claimer_q   <= '0;
      vn_first_q  <= '0;
      x_first_q   <= '0;
      st_valid_q  <= '0;
      st_head_q   <= '0;
      st_tail_q   <= '0;
      st_x_q      <= '0;
      st_vc_q     <= '0;
      out_valid_o <= '0;
      out_head_o  <= '0;
      out_tail_o  <= '0;
      out_vc_o    <= '0;
    end else begin
      if (work) begin
        for (int unsigned p = 0; p < 2; p++) begin
          if (claim_valid[p]) begin
            claimed_q[p][claim_vc[p]] <= 1'b1;
            claimer_q[{p[0], claim_vc[p]}] <= claim_x[p];
          end
        end
        for (int unsigned y = 0; y < Outs; y++) begin
          if (sa_valid[y]) begin
            held_q[y][sa_vc[y]] <= !sa_tail[y];
            if (sa_head[y]) claimed_q[y][sa_vc[y]] <= 1'b0;
            x_first_q[y] <= (sa_x[y] == 3'd5) ? '0 : sa_x[y] + 3'd1;
          end
        end
        for (int unsigned x = 0; x < Xs; x++) begin
          if (pop[x]) vn_first_q[x] <= pop_vn[x] + 2'd1;
        end
      end
      if (fabric_en_i && (work || st_valid_q != '0 || out_valid_o != '0)) begin
        st_valid_q  <= sa_valid;
        st_head_q   <= sa_head;
        st_tail_q   <= sa_tail;
        st_x_q      <= sa_x;
        st_vc_q     <= sa_vc;
        out_valid_o <= st_valid_q;
        out_head_o  <= st_head_q;
        out_tail_o  <= st_tail_q;
        out_vc_o    <= st_vc_q;
      end
    end
  end

  assign idle_o = hol_valid == '0 && st_valid_q == '0 && out_valid_o == '0 && credit_home == '1;

  // ---------------------------------------------------------------- assertions
  // One winner per output, and every winner is offered to that output only.
  `ASSERT(GrantIsOneHot_A, $onehot0(grant[0]) && $onehot0(grant[1]) && $onehot0(grant[2]) &&
          $onehot0(grant[3]))
  `ASSERT(InputWinsOnce_A, ((grant[0] | grant[1]) & (grant[2] | grant[3])) == '0 &&
          (grant[0] & grant[1]) == '0 && (grant[2] & grant[3]) == '0)
  // Packets never mix inside an output VC: a head needs a free VC, a body a held one.
  `ASSERT(PacketContiguity0_A, sa_valid[0] |-> held_q[0][sa_vc[0]] != sa_head[0])
  `ASSERT(PacketContiguity1_A, sa_valid[1] |-> held_q[1][sa_vc[1]] != sa_head[1])
  `ASSERT(PacketContiguity2_A, sa_valid[2] |-> held_q[2][sa_vc[2]] != sa_head[2])
  `ASSERT(PacketContiguity3_A, sa_valid[3] |-> held_q[3][sa_vc[3]] != sa_head[3])

endmodule
