// SPDX-License-Identifier: Apache-2.0
// Network interface, sending half, one per core: message beats in, packets out, kept until they
// are acknowledged.
//
//   msg --> u_fill --blocks--> store, heads --> payload*_o      64 KiB of words, 1,024 heads
//              |                  ^    ^
//              +--packets--> u_flows   +-- u_lane0, u_lane1: a packet per direction --> hol_*
//                               ^
//              acknowledgements, timer --> u_retry
//
// Filling runs on the core clock, sending on the fabric clock. A packet is sent only when it is
// here as a whole, so a slow engine never holds a channel of the network. Packets of a flow {VN,
// destination} leave in the order in which they were completed; those that go by even links and those
// that go by odd ones have a lane each, so a full direction does not idle the other.
module fabric_ni_tx #(
  localparam int unsigned Blocks = defs_pkg::RetryFlits,
  localparam int unsigned BlockBits = $clog2(Blocks),
  localparam int unsigned Chips = 16,
  localparam int unsigned Flows = Chips * defs_pkg::VirtualNets,
  localparam int unsigned LaneBits = defs_pkg::LaneFlitBits,
  localparam int unsigned RateBits = defs_pkg::FabricRateBits
) (
  input  logic clk_i,  // may be gated while asleep_o and nothing comes
  input  logic routes_clk_i,
  input  logic bucket_clk_i,  // fabric cycles; likewise while bucket_asleep_o
  input  logic rst_ni,
  input  logic fabric_en_i,

  input  logic core_i,
  input  logic [9:0] chip_id_i,
  input  logic [4:0] ring_size_i,
  input  logic [7:0] key_i,  // partition key of the core
  input  logic [15:0] now_i,  // fabric cycle; packets are stamped with it
  input  logic age_stored_i,  // the stamp is when a packet was complete, not when it is picked
  input  defs_pkg::route_bank_t bank_i,
  input  logic stop_i,       // no new packet leaves
  input  logic [2*RateBits-1:0] rate_i,  // of each lane: fabric_rate_t
  input  logic [2:0] tenant_i,  // {slot mode, VN}: then everything goes in this VN

  input  logic msg_valid_i,
  output logic msg_ready_o,
  input  size_pkg::msg_chunk_t msg_i,

  // A management packet, see fabric_fill; chips that owe this core an acknowledgement on VN 0, and
  // that were given up there.
  input  logic mgmt_valid_i,
  output logic mgmt_ready_o,
  input  defs_pkg::mgmt_packet_t mgmt_i,
  output logic mgmt_open_o,
  output logic [15:0] mgmt_kept_o,
  output logic [15:0] mgmt_lost_o,

  // Next flit of the packet in each lane; its payload follows one fabric cycle after the pop. Lane
  // 0 goes to links 0 and 2 and local port 0, lane 1 to the others; lane i in slice i.
  // room_i: {port, VN, class} whose output VC could take a whole packet now; a preference.
  // busy_i: links that the other core's lanes wait for or use; likewise.
  input  logic [31:0] room_i,
  input  logic [3:0] busy_i,
  output logic [1:0] hol_valid_o,
  output logic [2*LaneBits-1:0] hol_o,  // lane_flit_t
  input  logic [1:0] pop_i,
  output logic [511:0] payload0_o,
  output logic [511:0] payload1_o,

  // An acknowledgement or report to send, a whole flit; it stays until it leaves.
  input  logic ack_valid_i,
  output logic ack_ready_o,
  input  logic [511:0] ack_i,
  input  logic [3:0] ack_dst_i,

  // An acknowledgement that came: numbers that chip `acked_src_i` expects next, per VN.
  input  logic acked_valid_i,
  input  logic [3:0] acked_src_i,
  input  logic [63:0] acked_seq_i,
  // A report that came: packets of this flow {VN, chip} are forbidden there.
  input  logic ban_i,
  input  logic [5:0] ban_flow_i,
  input  logic tick_i,
  input  logic resend_i,

  output logic error_valid_o,
  output logic [7:0] error_cause_o,

  output logic sending_o,  // a packet is in a lane
  output logic upset_o,    // a table entry has changed by itself
  output logic walking_o,  // the routes are looked up at full pace
  output logic bucket_asleep_o,
  output logic asleep_o,   // nothing changes until something comes
  output logic calm_o,  // nothing to send at the moment
  output logic idle_o   // and nothing kept
);

  // ---------------------------------------------------------------- filling
  logic block_valid, write, link_valid, done, drop, rejected;
  logic [BlockBits-1:0] block, link, first, drop_first, drop_last;
  logic [511:0] word;
  logic [31:0] crc;
  logic [4:0] drop_len;
  logic [7:0] rejected_cause;
  logic [Flows-1:0] lost, banned;
  logic fill_idle;
  defs_pkg::header_t header;
  fabric_fill u_fill (
    .clk_i, .rst_ni, .core_i, .chip_id_i, .ring_size_i, .key_i, .tenant_i, .lost_i(lost),
    .banned_i(banned), .cut_off_i(cut_off),
    .msg_valid_i, .msg_ready_o, .msg_i,
    .mgmt_valid_i, .mgmt_ready_o, .mgmt_i, .mgmt_open_o,
    .block_valid_i(block_valid), .block_i(block), .write_o(write), .word_o(word),
    .link_valid_o(link_valid), .link_o(link),
    .done_o(done), .first_o(first), .crc_o(crc), .header_o(header),
    .drop_o(drop), .drop_first_o(drop_first), .drop_last_o(drop_last), .drop_len_o(drop_len),
    .error_valid_o(rejected), .error_cause_o(rejected_cause), .idle_o(fill_idle)
  );

  // ---------------------------------------------------------------- queues
  logic [15:0] seq, unacked, acked;
  logic [1:0] pick, next, lane_valid;
  logic [2*6-1:0] pick_flow;
  logic [9:0] pick_len;
  logic [2*BlockBits-1:0] at;
  logic [5:0] flow;
  logic ask, release_now, rewind, held, turn;
  logic [Flows-1:0] kept, ready;
  fabric_flows u_flows (
    .clk_i, .rst_ni,
    .block_valid_o(block_valid), .block_o(block),
    .write_i(write), .link_valid_i(link_valid), .link_i(link),
    .append_i(done), .append_flow_i({header.vn, header.dst[3:0]}), .append_first_i(first),
    .append_len_i(header.len), .append_seq_o(seq),
    .drop_i(drop), .drop_first_i(drop_first), .drop_last_i(drop_last), .drop_len_i(drop_len),
    .pick_i(pick), .pick_flow_i(pick_flow), .pick_len_o(pick_len), .next_i(next), .at_o(at),
    .lane_valid_i(lane_valid),
    .ask_i(ask), .flow_i(flow), .release_i(release_now), .rewind_i(rewind),
    .unacked_o(unacked), .acked_o(acked), .held_o(held),
    .kept_o(kept), .ready_o(ready)
  );

  // Lanes pick with the fabric clock; what is freed or repeated changes in between. Not in a cycle in
  // which a packet is rejected: there is one report per cycle.
  logic lost_valid, lost_banned, retry_busy, retry_idle;
  logic [31:0] resends;
  assign turn = !fabric_en_i && !done && !drop && !rejected;
  fabric_retry u_retry (
    .clk_i, .rst_ni,
    .ack_valid_i(acked_valid_i), .ack_src_i(acked_src_i), .ack_seq_i(acked_seq_i),
    .ban_i, .ban_flow_i,
    .tick_i, .resend_i, .turn_i(turn), .kept_i(kept),
    .ask_o(ask), .flow_o(flow), .release_o(release_now), .rewind_o(rewind),
    .unacked_i(unacked), .acked_i(acked), .held_i(held),
    .lost_o(lost), .banned_o(banned), .lost_valid_o(lost_valid), .lost_banned_o(lost_banned),
    .resends_o(resends), .busy_o(retry_busy), .idle_o(retry_idle)
  );
  logic unused_resends;  // read by the board's statistics
  assign unused_resends = ^resends;

  assign mgmt_kept_o   = kept[15:0];
  assign mgmt_lost_o   = lost[15:0];
  assign error_valid_o = rejected || lost_valid;
  assign error_cause_o = rejected     ? rejected_cause
                       : lost_banned ? defs_pkg::ErrorCauseForbidden
                                     : defs_pkg::ErrorCauseUnreachable;

  // ---------------------------------------------------------------- the route to every chip
  logic [Chips-1:0] odd, upper, local_chip, vc_class, cut_off;
  logic routes_valid;
  fabric_routes u_routes (
    .clk_i(routes_clk_i), .rst_ni, .fabric_en_i, .core_i, .chip_i(chip_id_i[3:0]), .ring_size_i,
    .bank_i, .resend_i, .valid_o(routes_valid), .odd_o(odd), .upper_o(upper), .local_o(local_chip),
    .class_o(vc_class), .cut_off_o(cut_off), .upset_o
  );
  assign walking_o = !routes_valid;

  // ---------------------------------------------------------------- lanes
  logic [1:0] pick_ack, ack_lane, lane_ack, lane_head;
  logic [1:0] hold, bucket_asleep;
  assign bucket_asleep_o = bucket_asleep == '1;
  logic [15:0] stored [Blocks];  // when the packet that starts here was complete
  logic ack_open;
  assign ack_open    = ack_valid_i && routes_valid && (lane_valid & lane_ack) == '0;
  assign ack_lane    = {ack_open && odd[ack_dst_i], ack_open && !odd[ack_dst_i]};
  assign ack_ready_o = (pop_i & lane_ack) != '0;

  defs_pkg::fabric_rate_t rate0, rate1;
  assign rate0 = rate_i[0 +: RateBits];
  assign rate1 = rate_i[RateBits +: RateBits];
  for (genvar l = 0; l < 2; l++) begin : gen_lane
    logic tail;
    logic [15:0] stamp, picked_q;
    logic [511:0] payload_q;
    // What the tenant sends is charged, at every repeat anew; acknowledgements and reports are the fabric's.
    fabric_bucket #(.PacketFlits(defs_pkg::BodyFlits + 1)) u_bucket (
      .clk_i(bucket_clk_i), .rst_ni, .rate_i(l == 0 ? rate0.flits : rate1.flits),
      .burst_i(l == 0 ? rate0.burst : rate1.burst),
      .busy_i(lane_valid[l]), .pop_i(pop_i[l] && !lane_ack[l]), .hold_o(hold[l]),
      .asleep_o(bucket_asleep[l])
    );
    fabric_lane #(.Odd(1'(l))) u_lane (
      .clk_i, .rst_ni, .fabric_en_i,
      .ready_i((!routes_valid || hold[l]) ? '0 : (l == 0) ? ready & ~{4{odd}} : ready & {4{odd}}),
      .class_i(vc_class), .upper_i(upper), .local_i(local_chip),
      .room_i({room_i[8*(2 + l) +: 8], room_i[8*l +: 8]}),
      .busy_i({busy_i[2 + l], busy_i[l]}), .stop_i,
      .ack_i(ack_lane[l]), .ack_dst_i, .ack_vn_i(tenant_i[1:0]),
      .pick_o(pick[l]), .flow_o(pick_flow[6*l +: 6]), .len_i(pick_len[5*l +: 5]),
      .pick_ack_o(pick_ack[l]),
      .valid_o(lane_valid[l]), .ack_o(lane_ack[l]), .injected_i(stamp[13:8]),
      .flit_o(hol_o[LaneBits*l +: LaneBits]), .head_o(lane_head[l]), .tail_o(tail), .pop_i(pop_i[l])
    );
    // The first word of a packet belongs to its second flit, or (inline) to its only one.
    assign next[l] = pop_i[l] && !lane_head[l];
    // Only that of heads is asked for.
    assign stamp = (age_stored_i && !lane_ack[l]) ? stored[at[BlockBits*l +: BlockBits]] : picked_q;
    always_ff @(posedge clk_i) begin
      if (pick[l] || pick_ack[l]) picked_q <= now_i;
      if (pop_i[l]) begin
        if (lane_ack[l]) payload_q <= ack_i | {stamp, 496'd0};
        else if (!lane_head[l]) payload_q <= store[at[BlockBits*l +: BlockBits]];
        else payload_q <= {stamp, tail ? store[at[BlockBits*l +: BlockBits]][319:0] : 320'd0,
                           heads[at[BlockBits*l +: BlockBits]]};
      end
    end
  end
  assign hol_valid_o = lane_valid;
  assign payload0_o  = gen_lane[0].payload_q;
  assign payload1_o  = gen_lane[1].payload_q;

  // ---------------------------------------------------------------- words and heads
  logic [511:0] store [Blocks];
  logic [175:0] heads [Blocks];  // {seq, ecrc, header} of the packet that starts here
  always_ff @(posedge clk_i) begin
    if (write) store[block] <= word;
    if (done) stored[first] <= now_i;
  end

  // The head is sealed a cycle after the last word: end-to-end CRC over words, number and header.
  logic seal_q;
  logic [BlockBits-1:0] seal_at_q;
  logic [15:0] seal_seq_q;
  logic [31:0] seal_crc_q, ecrc;
  defs_pkg::header_t seal_header_q;
  always_comb begin
    ecrc = '0;
    if (seal_q) begin
      ecrc = crc_pkg::of_payload({16'd0, (seal_header_q.len == 5'd1) ? store[seal_at_q][319:0] : 320'd0,
                                  seal_seq_q, 32'd0, seal_header_q} ^ {seal_crc_q, 480'd0});
    end
  end
  always_ff @(posedge clk_i) begin
    if (done) begin
      seal_at_q     <= first;
      seal_seq_q    <= seq;
      seal_crc_q    <= crc;
      seal_header_q <= header;
    end
    if (seal_q) heads[seal_at_q] <= {seal_seq_q, ecrc, seal_header_q};
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) seal_q <= 1'b0;
    else seal_q <= done;
  end

  assign sending_o = lane_valid != '0;
  assign asleep_o = fill_idle && !retry_busy && !seal_q && calm_o;
  assign calm_o = ready == '0 && lane_valid == '0;
  assign idle_o = fill_idle && retry_idle && lane_valid == '0;

endmodule
