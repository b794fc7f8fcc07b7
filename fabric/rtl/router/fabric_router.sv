// SPDX-License-Identifier: Apache-2.0
// The router of a chip: virtual cut-through, 12 crossbar inputs, 8 outputs, 8 VCs per link.
//
//   x 0, 1   link 0, class 0, 1  --+                   +--> o 0 .. 3  links
//   x 2, 3   link 1              --|  allocate   cross |--> o 4 .. 7  receivers 0, 1, 0, 1: what
//   x 4, 5   link 2              --|  (hol_* in  bar   |              came by link 0, 1, 2, 3
//   x 6, 7   link 3              --|  registers)       |
//   x 8, 9   core 0, lanes 0, 1  --|                   |
//   x 10, 11 core 1, lanes 0, 1  --+                   |
//
//   cycle   flit_*        buffer    allocate + read    cross     out_*
//           route          hol_*    sa_*, pop          st_*_q
//
// u_allocate decides; payloads follow a cycle later. A port that is not in use (ports_i) never moves.
`include "assert.svh"

module fabric_router #(
  localparam int unsigned Links = defs_pkg::LinkPorts,
  localparam int unsigned Xs = 12,
  localparam int unsigned Outs = 8,
  localparam int unsigned Holds = 6,
  localparam int unsigned Vns = defs_pkg::VirtualNets,
  localparam int unsigned Vcs = defs_pkg::VirtualChannels
) (
  input  logic clk_i,  // may stand still while asleep_o and no flit comes
  input  logic [Links-1:0] credit_clk_i,
  input  logic rst_ni,
  input  logic fabric_en_i,

  input  logic [3:0] chip_i,
  input  logic [4:0] ring_size_i,
  input  logic [5:0] now_i,       // fabric cycle, [13:8]; when packets began likewise, in stamps
  input  logic [2:0] slot_i,      // {slot mode, VN whose fabric cycle this is}
  input  logic [24:0] arbiter_i,  // FabricArbiter
  input  defs_pkg::route_bank_t bank_i,
  input  logic [Links-1:0] ports_i,
  output logic upset_o,

  // Ports of several links, VCs or outputs are flat vectors: number i in slice i.
  // flits from the links, one each per fabric cycle
  input  logic [Links-1:0] flit_valid_i,
  input  logic [3*Links-1:0] flit_vc_i,
  input  logic [Links-1:0] flit_head_i,
  input  logic [Links-1:0] flit_tail_i,
  input  logic [Links-1:0] flit_poison_i,
  input  logic [511:0] flit_payload0_i,
  input  logic [511:0] flit_payload1_i,
  input  logic [511:0] flit_payload2_i,
  input  logic [511:0] flit_payload3_i,

  // credit reports of the neighbours
  input  logic [3*Links-1:0] credit_vc_i,
  input  logic [8*Links-1:0] credit_freed_i,

  // what this chip reports to them: {port, VC}
  output logic [8*Links*Vcs-1:0] freed_o,

  // next flit of the four local lanes: {core, lane}
  input  logic [3:0] local_valid_i,
  input  logic [7:0] local_vn_i,
  input  logic [3:0] local_class_i,
  input  logic [3:0] local_head_i,
  input  logic [3:0] local_tail_i,
  input  logic [11:0] local_out_i,
  input  logic [19:0] local_len_i,
  input  logic [23:0] local_born_i,
  output logic [3:0] local_pop_o,
  input  logic [511:0] local_payload0_i,
  input  logic [511:0] local_payload1_i,
  input  logic [511:0] local_payload2_i,
  input  logic [511:0] local_payload3_i,
  output logic [Links*Vcs-1:0] local_room_o,

  // slots of the two local receivers
  // cut_i: a packet that finds no slot is dropped.
  input  logic [2*Vcs-1:0] eject_room_i,
  input  logic cut_i,
  output logic [3:0] eject_take_o,
  output logic [11:0] eject_take_vc_o,

  // A link that has too much to repeat takes nothing new; a dead one takes all, and loses it.
  input  logic [Links-1:0] link_ready_i,

  // flits to links 0 .. 3, receivers 0, 1, 0, 1
  output logic [Outs-1:0] out_valid_o,
  output logic [3*Outs-1:0] out_vc_o,
  output logic [Outs-1:0] out_head_o,
  output logic [Outs-1:0] out_tail_o,
  output logic [Outs-1:0] out_poison_o,
  output logic [511:0] out_payload0_o,
  output logic [511:0] out_payload1_o,
  output logic [511:0] out_payload2_o,
  output logic [511:0] out_payload3_o,
  output logic [511:0] out_payload4_o,
  output logic [511:0] out_payload5_o,
  output logic [511:0] out_payload6_o,
  output logic [511:0] out_payload7_o,

  // For the counters, see fabric_allocate; {port, class} of flits that leave their buffers.
  output logic [Links*Vcs-1:0] short_o,
  output logic [Links-1:0] lost_turn_o,
  output logic [2*Links-1:0] popped_o,

  // Watchdog: see fabric_watchdog.
  input  logic seldom_clk_i,
  input  logic step_i,
  input  logic [7:0] patience_i,
  input  logic patience_set_i,
  output logic [15:0] stalls_o,
  output logic [63:0] stall_o,

  output logic asleep_o,  // nothing in the buffers, nothing on its way to the outputs
  output logic idle_o     // and every credit home
);

  // ---------------------------------------------------------------- route and buffer
  // Head of line of crossbar input x and VN v: what the allocator and a watchdog look at.
  // Index {x, vn}.
  localparam int unsigned Queues = Xs * Vns;
  logic [Queues-1:0] hol_valid;
  logic [4*Queues-1:0] hol_birth;
  logic [11*Queues-1:0] hol_about;  // {head, tail, class, out 3, len 5}
  logic [Xs-1:0] pop;
  logic [2*Xs-1:0] pop_vn;

  logic [Links-1:0] upset;
  assign upset_o = upset != '0;

  defs_pkg::header_t header0, header1, header2, header3;  // of a head flit
  logic [13*Links-1:0] about_head;                        // {chip of dst 4, len 5, birth 4}
  logic unused_header;
  assign header0 = flit_payload0_i[127:0];
  assign header1 = flit_payload1_i[127:0];
  assign header2 = flit_payload2_i[127:0];
  assign header3 = flit_payload3_i[127:0];
  // Age has units of 256 fabric cycles, or 1,024 if it starts in the store.
  function automatic logic [3:0] birth_of(input logic [5:0] stamp);
    birth_of = (arbiter_i[1:0] == defs_pkg::ArbiterQueue) ? stamp[5:2] : stamp[3:0];
  endfunction
  assign about_head = {header3.dst[3:0], header3.len, birth_of(flit_payload3_i[509:504]),
                       header2.dst[3:0], header2.len, birth_of(flit_payload2_i[509:504]),
                       header1.dst[3:0], header1.len, birth_of(flit_payload1_i[509:504]),
                       header0.dst[3:0], header0.len, birth_of(flit_payload0_i[509:504])};
  assign unused_header = ^{header0, header1, header2, header3};

  for (genvar p = 0; p < Links; p++) begin : gen_port
    logic [511:0] flit_payload;
    if (p == 0) begin : gen_payload
      assign flit_payload = flit_payload0_i;
    end else if (p == 1) begin : gen_payload
      assign flit_payload = flit_payload1_i;
    end else if (p == 2) begin : gen_payload
      assign flit_payload = flit_payload2_i;
    end else begin : gen_payload
      assign flit_payload = flit_payload3_i;
    end
    logic [2:0] flit_vc, out;
    logic [4:0] len;
    logic [3:0] dst, birth;
    logic way_class, route_valid, unreachable, unused_unreachable;
    assign {dst, len, birth} = about_head[13*p +: 13];
    assign flit_vc     = flit_vc_i[3*p +: 3];
    assign route_valid = flit_valid_i[p] && flit_head_i[p];
    assign unused_unreachable = unreachable;
    fabric_route u_route (
      .valid_i(route_valid), .chip_i, .ring_size_i, .bank_i,
      .from_i(2'(p)), .class_i(flit_vc[0]), .dst_i(dst),
      .out_o(out), .class_o(way_class), .unreachable_o(unreachable), .upset_o(upset[p])
    );

    for (genvar k = 0; k < 2; k++) begin : gen_class
      logic [8*Vns-1:0] freed;
      logic [511:0] payload;
      logic [11*Vns-1:0] hol_abouts;
      fabric_input u_input (
        .clk_i, .rst_ni,
        .push_i(flit_valid_i[p] && flit_vc[0] == 1'(k)),
        .push_vn_i(flit_vc[2:1]),
        .push_head_i(flit_head_i[p]), .push_tail_i(flit_tail_i[p]),
        .push_poison_i(flit_poison_i[p]),
        .push_way_i({way_class, out}), .push_len_i(len), .push_birth_i(birth),
        .push_payload_i(flit_payload),
        .hol_valid_o(hol_valid[4*(2*p + k) +: 4]), .hol_about_o(hol_abouts),
        .hol_birth_o(hol_birth[16*(2*p + k) +: 16]),
        .pop_i(pop[2*p + k]), .pop_vn_i(pop_vn[2*(2*p + k) +: 2]),
        .payload_o(payload), .freed_o(freed)
      );
      for (genvar v = 0; v < Vns; v++) begin : gen_vn
        assign hol_about[11*(4*(2*p + k) + v) +: 11] = hol_abouts[11*v +: 11];
        assign freed_o[8*(Vcs*p + 2*v + k) +: 8] = freed[8*v +: 8];
      end
    end
  end

  for (genvar l = 0; l < 4; l++) begin : gen_lane
    assign hol_valid[4*(8 + l) +: 4] = {3'b0, local_valid_i[l]} << local_vn_i[2*l +: 2];
    for (genvar v = 0; v < Vns; v++) begin : gen_vn
      assign hol_about[11*(4*(8 + l) + v) +: 11] = {local_head_i[l], local_tail_i[l],
                                                    local_class_i[l], local_out_i[3*l +: 3],
                                                    local_len_i[5*l +: 5] & {5{local_head_i[l]}}};
    end
    assign hol_birth[4*4*(8 + l) +: 16] = {4{birth_of(local_born_i[6*l +: 6])}};
    assign local_pop_o[l] = pop[8 + l];
  end

  // ---------------------------------------------------------------- state of the output VCs
  // Index {output, VC}. A VC is held by a packet, or (link outputs) claimed by a crossbar input.
  logic [Holds*Vcs-1:0] held;
  logic [Links*Vcs-1:0] claimed;
  logic [8*Links*Vcs-1:0] credit;  // flits that VC of the neighbour can still take
  logic [Links*Vcs-1:0] credit_home, credit_take;
  for (genvar o = 0; o < Links; o++) begin : gen_out
    for (genvar c = 0; c < Vcs; c++) begin : gen_vc
      localparam int unsigned Depth = (c / 2 == 0) ? defs_pkg::VnDepth0
                                    : (c / 2 == 1) ? defs_pkg::VnDepth1
                                    : (c / 2 == 2) ? defs_pkg::VnDepth2 : defs_pkg::VnDepth3;
      // A packet of VN 0 has at most 4 flits, of the others 17.
      localparam int unsigned Longest = (c / 2 == 0) ? 4 : defs_pkg::BodyFlits + 1;
      prim_credit_counter #(.Depth(Depth)) u_credit (
        .clk_i(credit_clk_i[o]), .rst_ni,
        .take_i(credit_take[Vcs*o + c]),
        .report_i(ports_i[o] && credit_vc_i[3*o +: 3] == 3'(c)),
        .report_freed_i(credit_freed_i[8*o +: 8]),
        .available_o(credit[8*(Vcs*o + c) +: 8]), .home_o(credit_home[Vcs*o + c])
      );
      assign local_room_o[Vcs*o + c] = !held[Vcs*o + c] && !claimed[Vcs*o + c] &&
                                       credit[8*(Vcs*o + c) +: 8] >= 8'(Longest);
    end
  end

  // ---------------------------------------------------------------- allocation
  // In slot mode a fabric cycle belongs to one VN: the others do not even take part.
  logic [Queues-1:0] hol_open;
  always_comb begin
    hol_open = hol_valid;
    if (slot_i[2]) hol_open = hol_valid & {Xs{4'd1 << slot_i[1:0]}};
  end
  logic [Outs-1:0] sa_valid, sa_head, sa_tail, sa_poison;
  logic [2*Vcs-1:0] eject_room;
  assign eject_room = cut_i ? '1 : eject_room_i;
  logic [4*Outs-1:0] sa_x;
  logic [3*Outs-1:0] sa_vc;
  fabric_allocate u_allocate (
    .clk_i, .rst_ni, .fabric_en_i,
    .hol_valid_i(hol_open), .hol_about_i(hol_about), .hol_birth_i(hol_birth), .now_i(birth_of(now_i)),
    .slot_i, .arbiter_i,
    .link_ready_i, .credit_i(credit), .eject_room_i(eject_room), .credit_take_o(credit_take),
    .pop_o(pop), .pop_vn_o(pop_vn),
    .sa_valid_o(sa_valid), .sa_head_o(sa_head), .sa_tail_o(sa_tail), .sa_poison_o(sa_poison),
    .sa_x_o(sa_x), .sa_vc_o(sa_vc), .short_o, .lost_turn_o(lost_turn),
    .held_o(held), .claimed_o(claimed)
  );
  logic [Xs-1:0] lost_turn;
  logic unused_lost_turn;
  assign unused_lost_turn = ^lost_turn[Xs-1:2*Links];
  for (genvar p = 0; p < Links; p++) begin : gen_lost_turn
    assign lost_turn_o[p] = lost_turn[2*p +: 2] != '0;
  end
  assign popped_o = pop[2*Links-1:0];

  fabric_watchdog u_watchdog (
    .clk_i, .seldom_clk_i, .rst_ni, .step_i, .patience_i, .patience_set_i,
    .hol_valid_i(hol_valid), .hol_about_i(hol_about), .pop_i(pop), .pop_vn_i(pop_vn),
    .link_ready_i, .credit_i(credit), .eject_room_i, .held_i(held), .claimed_i(claimed),
    .stalls_o, .stall_o
  );

  // What leaves for a receiver without a slot for it is dropped from head to tail; void: by {receiver, VC}.
  logic [2*Vcs-1:0] void_q;
  logic [3:0] void_now;
  logic [Outs-1:0] given;  // not dropped
  for (genvar p = 0; p < 4; p++) begin : gen_void
    logic [3:0] at;
    assign at          = {1'(p), sa_vc[3*(Links + p) +: 3]};
    assign void_now[p] = sa_valid[Links + p] &&
                         (sa_head[Links + p] ? !eject_room_i[at] : void_q[at]);
  end
  assign given = sa_valid & ~{void_now, 4'd0};
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      void_q <= '0;
    end else if (void_now != '0) begin
      for (int unsigned p = 0; p < 4; p++) begin
        if (void_now[p]) void_q[{1'(p), sa_vc[3*(Links + p) +: 3]}] <= !sa_tail[Links + p];
      end
    end
  end

  for (genvar p = 0; p < 4; p++) begin : gen_take
    assign eject_take_o[p]    = given[Links + p] && sa_head[Links + p];
    assign eject_take_vc_o[3*p +: 3] = sa_vc[3*(Links + p) +: 3];
  end

  // ---------------------------------------------------------------- crossbar
  logic [Outs-1:0] st_valid_q, st_head_q, st_tail_q, st_poison_q;
  logic [4*Outs-1:0] st_x_q;
  logic [3*Outs-1:0] st_vc_q;
  for (genvar y = 0; y < Outs; y++) begin : gen_cross
    logic [511:0] payload;
    fabric_cross u_cross (
      .clk_i, .valid_i(st_valid_q[y]), .from_i(st_x_q[4*y +: 4]),
      .payload0_i(gen_port[0].gen_class[0].payload), .payload1_i(gen_port[0].gen_class[1].payload),
      .payload2_i(gen_port[1].gen_class[0].payload), .payload3_i(gen_port[1].gen_class[1].payload),
      .payload4_i(gen_port[2].gen_class[0].payload), .payload5_i(gen_port[2].gen_class[1].payload),
      .payload6_i(gen_port[3].gen_class[0].payload), .payload7_i(gen_port[3].gen_class[1].payload),
      .payload8_i(local_payload0_i), .payload9_i(local_payload1_i),
      .payload10_i(local_payload2_i), .payload11_i(local_payload3_i),
      .payload_o(payload)
    );
  end
  assign out_payload0_o = gen_cross[0].payload;
  assign out_payload1_o = gen_cross[1].payload;
  assign out_payload2_o = gen_cross[2].payload;
  assign out_payload3_o = gen_cross[3].payload;
  assign out_payload4_o = gen_cross[4].payload;
  assign out_payload5_o = gen_cross[5].payload;
  assign out_payload6_o = gen_cross[6].payload;
  assign out_payload7_o = gen_cross[7].payload;

  // ---------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      st_valid_q  <= '0;
      st_head_q   <= '0;
      st_tail_q   <= '0;
      st_poison_q <= '0;
      st_x_q      <= '0;
      st_vc_q     <= '0;
      out_valid_o <= '0;
      out_head_o  <= '0;
      out_tail_o  <= '0;
      out_poison_o <= '0;
      out_vc_o    <= '0;
    end else if ({sa_valid, st_valid_q, out_valid_o} != '0) begin
      st_valid_q  <= given;
      st_head_q   <= sa_head;
      st_tail_q   <= sa_tail;
      st_poison_q <= sa_poison;
      st_x_q      <= sa_x;
      st_vc_q     <= sa_vc;
      out_valid_o <= st_valid_q;
      out_head_o  <= st_head_q;
      out_tail_o  <= st_tail_q;
      out_poison_o <= st_poison_q;
      out_vc_o    <= st_vc_q;
    end
  end

  logic [Links*2*Vns-1:0] links_valid;  // what lanes hold back is still with its sender
  assign links_valid = hol_valid[Links*2*Vns-1:0];
  assign asleep_o = links_valid == '0 && st_valid_q == '0 && out_valid_o == '0;
  assign idle_o   = asleep_o && credit_home == '1;

  // ---------------------------------------------------------------- assertions
  // Nothing is taken from an input that has nothing.
  `ASSERT_NOW(PopIsValid_A, (pop == '0) || (hol_valid != '0 && fabric_en_i))

endmodule
