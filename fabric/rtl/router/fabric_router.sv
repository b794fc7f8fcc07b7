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
  localparam int unsigned Links = fabric_pkg::Links,
  localparam int unsigned Xs = fabric_pkg::Inputs,
  localparam int unsigned Outs = fabric_pkg::Outputs,
  localparam int unsigned Holds = 6,
  localparam int unsigned Vns = defs_pkg::VirtualNets,
  localparam int unsigned Vcs = defs_pkg::VirtualChannels
) (
  input  logic clk_i,  // may be gated while asleep_o and no flit comes
  input  logic [Links-1:0] credit_clk_i,
  input  logic rst_ni,
  input  logic fabric_en_i,

  input  logic [3:0] chip_i,
  input  logic [4:0] ring_size_i,
  input  logic [5:0] now_i,       // fabric cycle, [13:8]; injection timestamps likewise
  input  logic [2:0] slot_i,      // {slot mode, VN whose fabric cycle this is}
  input  logic [24:0] arbiter_i,  // FabricArbiter
  input  defs_pkg::route_bank_t bank_i,
  input  logic [Links-1:0] ports_i,
  output logic upset_o,

  // Ports of several links, VCs or outputs are flat vectors: number i in slice i.
  // flits from the links, one each per fabric cycle
  input  logic [Links-1:0] flit_valid_i,
  input  defs_pkg::flit_meta_t [Links-1:0] flit_i,
  input  fabric_pkg::link_payloads_t flit_payload_i,

  // credit reports of the neighbours
  input  logic [3*Links-1:0] credit_vc_i,
  input  logic [8*Links-1:0] credit_freed_i,

  // what this chip reports to them: {port, VC}
  output logic [8*Links*Vcs-1:0] freed_o,

  // next flit of the four local lanes: {core, lane}
  input  logic [3:0] local_valid_i,
  input  defs_pkg::lane_flit_t [3:0] local_i,
  output logic [3:0] local_pop_o,
  input  fabric_pkg::lane_payloads_t local_payload_i,
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
  output defs_pkg::flit_meta_t [Outs-1:0] out_o,
  output fabric_pkg::output_payloads_t out_payload_o,

  // For the counters, see fabric_allocate; {port, class} of flits that leave their buffers.
  output logic [Links*Vcs-1:0] credit_stall_o,
  output logic [Links-1:0] lost_arbitration_o,
  output logic [2*Links-1:0] popped_o,

  // Watchdog: see fabric_watchdog.
  input  logic slow_clk_i,
  input  logic step_i,
  input  logic [7:0] patience_i,
  input  logic patience_set_i,
  output logic [15:0] stalls_o,
  output logic [63:0] stall_o,

  output logic asleep_o,  // nothing in the buffers, nothing in flight to the outputs
  output logic idle_o     // and every credit home
);

  // ---------------------------------------------------------------- route and buffer
  // Head of line of crossbar input x and VN v: what the allocator and a watchdog look at.
  // Index {x, vn}.
  localparam int unsigned Queues = Xs * Vns;
  logic [Queues-1:0] hol_valid;
  defs_pkg::hol_flit_t [Queues-1:0] hol;
  logic [Xs-1:0] pop;
  logic [2*Xs-1:0] pop_vn;

  logic [Links-1:0] upset;
  assign upset_o = upset != '0;

  // Age has units of 256 fabric cycles, or 1,024 if it starts in the store.
  function automatic logic [3:0] in_units(input logic [5:0] stamp);
    in_units = (arbiter_i[1:0] == defs_pkg::ArbiterQueue) ? stamp[5:2] : stamp[3:0];
  endfunction

  fabric_pkg::input_payloads_t payload;
  for (genvar p = 0; p < Links; p++) begin : gen_port
    defs_pkg::head_payload_t head;
    defs_pkg::hol_flit_t flit;
    logic [2:0] out;
    logic vc_class, unreachable, unused;
    assign head   = flit_payload_i[p];
    assign unused = ^{head, unreachable};
    fabric_route u_route (
      .valid_i(flit_valid_i[p] && flit_i[p].head), .chip_i, .ring_size_i, .bank_i,
      .from_i(2'(p)), .class_i(flit_i[p].vc[0]), .dst_i(head.header.dst[3:0]),
      .out_o(out), .class_o(vc_class), .unreachable_o(unreachable), .upset_o(upset[p])
    );
    always_comb begin
      flit = '0;
      if (flit_valid_i[p]) begin
        flit.injected = in_units(head.stamp[13:8]);
        flit.head     = flit_i[p].head;
        flit.tail     = flit_i[p].tail;
        flit.vc_class = vc_class;
        flit.out      = out;
        flit.len      = flit_i[p].head ? head.header.len : {4'd0, flit_i[p].poison};
      end
    end

    for (genvar k = 0; k < 2; k++) begin : gen_class
      logic [8*Vns-1:0] freed;
      fabric_input u_input (
        .clk_i, .rst_ni,
        .push_i(flit_valid_i[p] && flit_i[p].vc[0] == 1'(k)), .push_vn_i(flit_i[p].vc[2:1]),
        .push_flit_i(flit), .push_payload_i(flit_payload_i[p]),
        .hol_valid_o(hol_valid[4*(2*p + k) +: 4]), .hol_o(hol[4*(2*p + k) +: 4]),
        .pop_i(pop[2*p + k]), .pop_vn_i(pop_vn[2*(2*p + k) +: 2]),
        .payload_o(payload[2*p + k]), .freed_o(freed)
      );
      for (genvar v = 0; v < Vns; v++) begin : gen_vn
        assign freed_o[8*(Vcs*p + 2*v + k) +: 8] = freed[8*v +: 8];
      end
    end
  end

  for (genvar l = 0; l < 4; l++) begin : gen_lane
    defs_pkg::hol_flit_t flit;
    always_comb begin
      flit.injected = in_units(local_i[l].injected);
      flit.head     = local_i[l].head;
      flit.tail     = local_i[l].tail;
      flit.vc_class = local_i[l].vc_class;
      flit.out      = local_i[l].out;
      flit.len      = local_i[l].len & {5{local_i[l].head}};
    end
    assign hol_valid[4*(8 + l) +: 4] = {3'b0, local_valid_i[l]} << local_i[l].vn;
    assign hol[4*(8 + l) +: 4]       = {4{flit}};
    assign payload[8 + l]            = local_payload_i[l];
    assign local_pop_o[l]            = pop[8 + l];
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
    .hol_valid_i(hol_open), .hol_i(hol), .now_i(in_units(now_i)),
    .slot_i, .arbiter_i,
    .link_ready_i, .credit_i(credit), .eject_room_i(eject_room), .credit_take_o(credit_take),
    .pop_o(pop), .pop_vn_o(pop_vn),
    .sa_valid_o(sa_valid), .sa_head_o(sa_head), .sa_tail_o(sa_tail), .sa_poison_o(sa_poison),
    .sa_x_o(sa_x), .sa_vc_o(sa_vc), .credit_stall_o, .lost_arbitration_o(lost_arbitration),
    .held_o(held), .claimed_o(claimed)
  );
  logic [Xs-1:0] lost_arbitration;
  logic unused_lost_arbitration;
  assign unused_lost_arbitration = ^lost_arbitration[Xs-1:2*Links];
  for (genvar p = 0; p < Links; p++) begin : gen_lost_arbitration
    assign lost_arbitration_o[p] = lost_arbitration[2*p +: 2] != '0;
  end
  assign popped_o = pop[2*Links-1:0];

  fabric_watchdog u_watchdog (
    .clk_i, .slow_clk_i, .rst_ni, .step_i, .patience_i, .patience_set_i,
    .hol_valid_i(hol_valid), .hol_i(hol), .pop_i(pop), .pop_vn_i(pop_vn),
    .link_ready_i, .credit_i(credit), .eject_room_i, .held_i(held), .claimed_i(claimed),
    .stalls_o, .stall_o
  );

  // What leaves for a receiver without a slot for it is dropped from head to tail; void: by {receiver, VC}.
  logic [2*Vcs-1:0] void_q;
  logic [3:0] void_now;
  logic [Outs-1:0] given;  // not dropped
  defs_pkg::flit_meta_t [Outs-1:0] sa;
  for (genvar y = 0; y < Outs; y++) begin : gen_winner
    assign sa[y].vc     = sa_vc[3*y +: 3];
    assign sa[y].head   = sa_head[y];
    assign sa[y].tail   = sa_tail[y];
    assign sa[y].poison = sa_poison[y];
  end
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
  logic [Outs-1:0] st_valid_q;
  defs_pkg::flit_meta_t [Outs-1:0] st_q;
  logic [4*Outs-1:0] st_x_q;
  fabric_cross u_cross (
    .clk_i, .valid_i(st_valid_q), .from_i(st_x_q), .payload_i(payload), .payload_o(out_payload_o)
  );

  // ---------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      st_valid_q  <= '0;
      st_q        <= '0;
      st_x_q      <= '0;
      out_valid_o <= '0;
      out_o       <= '0;
    end else if ({sa_valid, st_valid_q, out_valid_o} != '0) begin
      st_valid_q  <= given;
      st_q        <= sa;
      st_x_q      <= sa_x;
      out_valid_o <= st_valid_q;
      out_o       <= st_q;
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
