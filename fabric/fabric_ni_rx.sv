// SPDX-License-Identifier: Apache-2.0
// Network interface, receiving half, one per local port: packets in, memory writes out.
//
//   flit_* --> store: 4 packets per VC --whole--> pick --> packet_* --> write_* --> req_*
//                                                 header  message      pieces      line
//
// Receiving runs on the fabric clock, writing on the core clock. A packet is looked at only when
// it is here as a whole: then the message is committed, its payload is written in 64-byte pieces
// (from its start; a piece that crosses a line of the destination becomes two writes), and a
// notify adds 1 to its semaphore once the last write is settled in memory.
//
// A packet whose end-to-end CRC is wrong is dropped: damaged, or cut short on a link that died; its
// source sends it again. fabric_accept says which of the others are new; acknowledgements
// go to the senders.
//
// A management packet (MGMT) goes to the fabric's registers instead of memory (fabric_manage).
//
// Refused, counted and reported, without any effect: an operation other than WRITE, WRITE_NOTIFY
// and MGMT, another chip's packet, lengths that contradict each other. A write
// that hits no memory is reported too, and its packet's notify is withheld. A poisoned packet, cut off by a
// dead link, is dropped without a report: its source sends it again.
`include "assert.svh"

module fabric_ni_rx #(
  localparam int unsigned Vcs = defs_pkg::VirtualChannels,
  localparam int unsigned LineBytes = size_pkg::LineBytes,
  localparam int unsigned OffsetBits = $clog2(LineBytes)
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic fabric_en_i,

  input  logic [9:0] chip_id_i,

  // What may be written to core 0 and 1, and signalled: partition key; first address, address behind the last.
  input  logic [15:0] key_i,
  input  logic [95:0] base_i,
  input  logic [95:0] end_i,

  // A slot is taken when the router starts a packet; room_o: VCs with a free one. The router has two
  // outputs to a receiver, one per link: side i in slice i, never both in one VC.
  input  logic [1:0] take_i,
  input  logic [5:0] take_vc_i,
  output logic [Vcs-1:0] room_o,

  input  logic [1:0] flit_valid_i,
  input  logic [5:0] flit_vc_i,
  input  logic [1:0] flit_head_i,
  input  logic [1:0] flit_tail_i,
  input  logic [1:0] flit_poison_i,
  input  logic [511:0] flit_payload0_i,
  input  logic [511:0] flit_payload1_i,

  output logic req_valid_o,
  input  logic req_ready_i,
  output size_pkg::mem_req_t req_o,
  input  logic req_err_i,
  input  logic settled_i,

  output logic sem_valid_o,
  output defs_pkg::sem_update_t sem_o,

  // A packet with a number that could leave now: flow {source 4, core 1, VN 2}.
  output logic want_o,
  output logic [6:0] flow_o,
  output logic [15:0] seq_o,
  output logic [4:0] len_o,
  output logic drained_o,  // nothing to write, and everything settled
  input  logic go_i,
  input  logic good_i,

  // An acknowledgement, eight numbers {core, VN} from chip flow_o[6:3]; or a report, the header of a
  // packet that was forbidden.
  output logic ack_valid_o,
  output logic report_valid_o,
  input  logic control_ready_i,
  output logic [127:0] control_o,

  // A management packet that could leave now, with its data in control_o: to register mgmt_index_o. Chips
  // that may send one.
  input  logic [15:0] managers_i,
  output logic mgmt_valid_o,
  output logic [3:0] mgmt_index_o,
  input  logic mgmt_ready_i,
  input  logic mgmt_legal_i,
  output logic mgmt_take_o,

  // A packet that is forbidden here.
  output logic violation_o,
  output logic [127:0] header_o,

  // For the counters: a packet is delivered, {core, bytes 11, VN 2, stamp 16}.
  output logic done_o,
  output logic [29:0] done_about_o,

  output logic error_valid_o,
  output logic [7:0] error_cause_o,

  output logic idle_o
);

  // ---------------------------------------------------------------- receiving
  // Slot {vc, n}: header, 16 words of payload, and how many flits really came.
  logic [511:0] store [Vcs * 4 * defs_pkg::BodyFlits];
  logic [191:0] header_q [Vcs * 4];    // {stamp, seq, ecrc, header}
  logic [36:0]  arrived_q [Vcs * 4];   // {CRC of the words, flits; 0: poisoned}
  logic [31:0]  crc [Vcs];             // of the words of the open packet
  logic [3*Vcs-1:0] used_q;           // slots taken
  logic [3*Vcs-1:0] whole_q;          // packets complete and not yet picked
  logic [2*Vcs-1:0] write_slot_q, read_slot_q;
  logic [5*Vcs-1:0] flits_q;          // flits of the open packet, saturating

  // A flit per core cycle: that of side 0 in the cycle with fabric_en_i, that of side 1 in the other,
  // which comes first. So a packet of side 1 counts as whole a cycle after its last flit.
  logic receive, head, tail, poison;
  logic [2:0] vc;
  logic [4:0] into_slot;
  logic [4:0] open_flits, flits;
  logic [3:0] body;
  assign receive   = fabric_en_i ? flit_valid_i[0] : flit_valid_i[1];
  assign head      = fabric_en_i ? flit_head_i[0] : flit_head_i[1];
  assign tail      = receive && (fabric_en_i ? flit_tail_i[0] : flit_tail_i[1]);
  assign poison    = fabric_en_i ? flit_poison_i[0] : flit_poison_i[1];
  assign vc        = fabric_en_i ? flit_vc_i[2:0] : flit_vc_i[5:3];
  assign into_slot = {vc, write_slot_q[2*vc +: 2]};
  assign open_flits = flits_q[5*vc +: 5];
  assign flits     = head ? 5'd1 : (open_flits == '1) ? '1 : open_flits + 5'd1;
  assign body      = open_flits[3:0] - 4'd1;
  defs_pkg::head_payload_t head0, head1;
  assign head0 = flit_payload0_i;
  assign head1 = flit_payload1_i;
  logic [31:0] crc_now;
  always_comb begin
    crc_now = '0;
    if (receive && !head) begin
      if (fabric_en_i) crc_now = crc_pkg::of_payload(flit_payload0_i ^ {crc[vc], 480'd0});
      else             crc_now = crc_pkg::of_payload(flit_payload1_i ^ {crc[vc], 480'd0});
    end
  end

  always_ff @(posedge clk_i) begin
    if (receive && fabric_en_i) begin
      if (head) begin
        header_q[into_slot] <= {head0.stamp, head0.seq, head0.ecrc, head0.header};
        store[{into_slot, 4'd0}] <= {192'd0, head0.inline_data};
      end else begin
        store[{into_slot, body}] <= flit_payload0_i;
      end
    end else if (receive) begin
      if (head) begin
        header_q[into_slot] <= {head1.stamp, head1.seq, head1.ecrc, head1.header};
        store[{into_slot, 4'd0}] <= {192'd0, head1.inline_data};
      end else begin
        store[{into_slot, body}] <= flit_payload1_i;
      end
    end
    if (receive) crc[vc] <= crc_now;
    if (tail) arrived_q[into_slot] <= {crc_now, poison ? 5'd0 : flits};
  end

  for (genvar v = 0; v < Vcs; v++) begin : gen_room
    assign room_o[v] = used_q[3*v +: 3] != 3'd4;
  end

  // ---------------------------------------------------------------- pick: one whole packet
  logic packet_valid_q, packet_leaves, pick;
  logic [4:0] packet_slot_q, packet_flits_q;
  logic [31:0] packet_ecrc_q, packet_crc_q;
  logic [15:0] packet_seq_q, packet_stamp_q;
  defs_pkg::header_t packet_q;
  logic [Vcs-1:0] whole, ahead, chosen;
  logic [2:0] first_q, pick_vc;
  logic [4:0] pick_slot;

  always_comb begin
    whole   = '0;
    ahead   = '0;
    chosen  = '0;
    pick_vc = '0;
    if (pick) begin
      for (int unsigned v = 0; v < Vcs; v++) whole[v] = whole_q[3*v +: 3] != '0;
      ahead  = whole & ({Vcs{1'b1}} << first_q);
      chosen = (ahead != '0) ? ahead : whole;
      chosen = chosen & (~chosen + Vcs'(1));
      for (int unsigned v = 0; v < Vcs; v++) begin
        if (chosen[v]) pick_vc = pick_vc | 3'(v);
      end
    end
  end
  assign pick      = whole_q != '0 && (!packet_valid_q || packet_leaves);
  assign pick_slot = {pick_vc, read_slot_q[2*pick_vc +: 2]};

  always_ff @(posedge clk_i) begin
    if (pick) begin
      {packet_stamp_q, packet_seq_q, packet_ecrc_q, packet_q} <= header_q[pick_slot];
      {packet_crc_q, packet_flits_q} <= arrived_q[pick_slot];
      packet_slot_q <= pick_slot;
    end
  end

  // ---------------------------------------------------------------- check
  logic [4:0] need_bodies, need_flits;
  logic bad_dst, bad_form, is_notify, is_mgmt, bad_op;
  assign need_bodies = packet_q.bytes[10:6] + {4'b0, packet_q.bytes[5:0] != '0};
  assign need_flits  = (packet_q.bytes <= 11'(defs_pkg::InlineBytes)) ? 5'd1 : need_bodies + 5'd1;
  assign is_notify   = packet_q.op == defs_pkg::PktOpWriteNotify;
  assign is_mgmt     = packet_q.op == defs_pkg::PktOpMgmt;
  always_comb begin
    bad_op = packet_q.op != defs_pkg::PktOpWrite && !is_notify;
    if (is_mgmt) begin
      bad_op = packet_q.vn != '0 || packet_q.bytes != 11'd8 || !mgmt_legal_i ||
               (packet_q.addr & ~48'h78) != 48'(defs_pkg::CsrRouteSource);
    end
  end
  assign bad_dst     = packet_q.dst != chip_id_i || packet_q.lport[1];
  assign bad_form    = bad_op || packet_q.ver != '0 || packet_q.bytes == '0 || packet_q.bytes[1:0] != '0 ||
                       packet_q.addr[1:0] != '0 || packet_q.bytes > 11'(defs_pkg::PacketBytes) ||
                       packet_q.len != need_flits || packet_flits_q != need_flits ||
                       packet_q.vn != packet_slot_q[4:3] ||
                       (packet_q.vn == '0 && need_flits > 5'd4);

  // The check over words, number and header, once per packet.
  logic checked_q, intact_q, intact, can_leave, is_ack, is_err, deliver;
  logic forbidden;
  logic [47:0] first_addr, end_addr;
  always_comb begin
    intact = intact_q;
    if (packet_valid_q && !checked_q) begin
      intact = packet_flits_q != '0 && packet_ecrc_q == crc_pkg::of_payload(
        {16'd0, (packet_flits_q == 5'd1) ? store[{packet_slot_q, 4'd0}][319:0] : 320'd0, packet_seq_q,
         32'd0, packet_q[127:8], 8'd0} ^ {packet_crc_q, 480'd0});
    end
  end
  always_ff @(posedge clk_i) intact_q <= intact;

  assign can_leave   = packet_valid_q && intact && !bad_dst && (!write_valid_q || write_done);
  assign is_ack      = packet_q.op == defs_pkg::PktOpAck;
  assign is_err      = packet_q.op == defs_pkg::PktOpErr;
  always_comb begin
    first_addr = '0;
    end_addr   = '0;
    forbidden  = 1'b0;
    if (packet_valid_q && is_mgmt) begin
      forbidden  = !managers_i[packet_q.src[3:0]];
    end else if (packet_valid_q && !is_ack && !is_err) begin
      first_addr = packet_q.lport[0] ? base_i[95:48] : base_i[47:0];
      end_addr   = packet_q.lport[0] ? end_i[95:48] : end_i[47:0];
      forbidden  = packet_q.pkey != (packet_q.lport[0] ? key_i[15:8] : key_i[7:0]) ||
                   packet_q.addr < first_addr || packet_q.addr > end_addr ||
                   48'(packet_q.bytes) > end_addr - packet_q.addr ||
                   (is_notify && packet_q.pkey != (packet_q.group[0] ? key_i[15:8] : key_i[7:0]));
    end
  end
  assign want_o      = can_leave && !is_ack && !is_err && !forbidden && (!is_mgmt || mgmt_ready_i);
  assign mgmt_valid_o = can_leave && is_mgmt && !forbidden;
  assign mgmt_index_o = packet_q.addr[6:3];
  assign mgmt_take_o  = want_o && good_i && is_mgmt && !bad_form;
  assign violation_o = can_leave && forbidden;
  always_comb begin
    header_o = '0;
    if (violation_o) header_o = packet_q;
  end
  assign flow_o      = {packet_q.src[3:0], packet_q.group[5], packet_q.vn};
  assign seq_o       = packet_seq_q;
  assign len_o       = packet_flits_q;
  assign deliver     = want_o && good_i && !bad_form && !is_mgmt;
  assign ack_valid_o    = can_leave && is_ack;
  assign report_valid_o = can_leave && is_err;
  always_comb begin
    control_o = '0;
    if (ack_valid_o || report_valid_o || mgmt_valid_o) control_o = store[{packet_slot_q, 4'd0}][127:0];
  end
  assign done_o         = packet_leaves && deliver;
  always_comb begin
    done_about_o = '0;
    if (done_o) done_about_o = {packet_q.lport[0], packet_q.bytes, packet_q.vn, packet_stamp_q};
  end
  assign packet_leaves = packet_valid_q && (!write_valid_q || write_done) &&
                         (!want_o || go_i) && (!mgmt_valid_o || mgmt_ready_i) &&
                         (!(ack_valid_o || report_valid_o) || control_ready_i);

  // ---------------------------------------------------------------- write: piece by piece
  logic write_valid_q, write_drop_q, write_bad_q, write_bad_dst_q, write_step, write_done, can_load, write_error;
  logic [4:0] write_slot_now_q;
  logic [10:0] write_at_q, write_bytes_q, write_left;
  logic [47:0] write_addr_q;
  logic write_notify_q;
  logic [8:0] write_sem_q;
  logic [9:0] write_src_q;
  logic [6:0] write_lane_q;  // {vn 2, sending core 1, sending DMA engine 4}

  logic [6:0] in_piece, count;
  logic [9:0] in_line;
  logic write_last;
  assign write_left = write_bytes_q - write_at_q;
  assign in_piece   = 7'd64 - {1'b0, write_at_q[5:0]};
  assign in_line    = 10'(LineBytes) - 10'(write_addr_q[OffsetBits-1:0]);
  always_comb begin
    count = in_piece;
    if (in_line < {3'b0, count}) count = in_line[6:0];
    if (write_left < {4'b0, count}) count = write_left[6:0];
  end
  assign write_last = write_left == {4'b0, count};
  assign write_step = write_valid_q && !write_bad_q && !write_drop_q && can_load;
  assign write_done = (write_step && write_last) || (write_valid_q && write_bad_q && !write_error) ||
                      (write_valid_q && write_drop_q);

  always_ff @(posedge clk_i) begin
    if (packet_leaves) begin
      write_slot_now_q <= packet_slot_q;
      write_bytes_q    <= packet_q.bytes;
      write_notify_q   <= is_notify;
      write_sem_q      <= {packet_q.group[0], packet_q.tag};
      write_src_q      <= packet_q.src;
      write_lane_q     <= {packet_q.vn, packet_q.group[5:1]};
      write_bad_dst_q  <= bad_dst;
      write_at_q       <= '0;
      write_addr_q     <= packet_q.addr;
    end else if (write_step) begin
      write_at_q       <= write_at_q + {4'b0, count};
      write_addr_q     <= write_addr_q + {41'b0, count};
    end
  end

  // ---------------------------------------------------------------- the request register
  logic req_valid_q, req_last_q, req_notify_q;
  size_pkg::mem_req_t req_q;
  logic [8:0] req_sem_q;
  logic [9:0] req_src_q;
  logic [6:0] req_lane_q;
  logic accepted, failed_q, notify_wait_q, notify_next;

  assign accepted    = req_valid_q && req_ready_i;
  assign write_error = accepted && req_err_i && !failed_q;
  assign notify_next = accepted && req_notify_q && !req_err_i && !failed_q;
  // Nothing follows a notify before it is settled, or new writes could keep it waiting.
  assign can_load    = (!req_valid_q || (req_ready_i && !req_notify_q)) &&
                       (!notify_wait_q || settled_i);

  always_ff @(posedge clk_i) begin
    if (write_step) begin
      // Whole struct at once {write, addr, bytes, tag, data}: a partly assigned wide register
      // costs a copy every cycle in simulation.
      req_q <= {1'b1, write_addr_q, {2'b0, count}, 12'd0,
                (LineBytes*8)'(512'(store[{write_slot_now_q, write_at_q[9:6]}]
                                    >> {write_at_q[5:0], 3'b0}))
                << {write_addr_q[OffsetBits-1:0], 3'b0}};
      req_notify_q <= write_notify_q && write_last;
      req_last_q   <= write_last;
      req_sem_q    <= write_sem_q;
      req_src_q    <= write_src_q;
      req_lane_q   <= write_lane_q;
    end
  end
  assign req_valid_o = req_valid_q;
  assign req_o       = req_q;

  // The semaphore's name waits here while the next request may already be loaded.
  logic sem_valid_q;
  logic [8:0] sem_name_q;
  logic [9:0] sem_src_q;
  logic [6:0] sem_lane_q;
  always_ff @(posedge clk_i) begin
    if (notify_next) begin
      sem_name_q <= req_sem_q;
      sem_src_q  <= req_src_q;
      sem_lane_q <= req_lane_q;
    end
  end
  assign sem_valid_o = sem_valid_q;
  assign sem_o       = {sem_name_q, 16'sd1};

  // ---------------------------------------------------------------- errors
  assign error_valid_o = write_error || (write_valid_q && write_bad_q);
  assign error_cause_o = write_error ? defs_pkg::ErrorCauseUnmappedAddress
                       : write_bad_dst_q ? defs_pkg::ErrorCauseBadDestination
                                         : defs_pkg::ErrorCauseBadDescriptor;

  // ---------------------------------------------------------------- for the commit tracer
  // message: the cycle after a good packet entered `write`; burst: a write is accepted;
  // semaphore: with sem_valid_o.
  logic trace_message_valid_q, trace_burst_valid, trace_sem_valid;
  logic [9:0] trace_message_src, trace_burst_src, trace_sem_src;
  logic [6:0] trace_message_lane, trace_burst_lane, trace_sem_lane;
  logic [127:0] trace_message_header_q;
  logic [10:0] trace_message_bytes;
  logic [8191:0] trace_message_payload_q;
  always_ff @(posedge clk_i) begin
    if (packet_leaves && deliver) begin
      trace_message_header_q <= packet_q;
      trace_message_payload_q <= {
        store[{packet_slot_q, 4'd15}], store[{packet_slot_q, 4'd14}],
        store[{packet_slot_q, 4'd13}], store[{packet_slot_q, 4'd12}],
        store[{packet_slot_q, 4'd11}], store[{packet_slot_q, 4'd10}],
        store[{packet_slot_q, 4'd9}], store[{packet_slot_q, 4'd8}],
        store[{packet_slot_q, 4'd7}], store[{packet_slot_q, 4'd6}],
        store[{packet_slot_q, 4'd5}], store[{packet_slot_q, 4'd4}],
        store[{packet_slot_q, 4'd3}], store[{packet_slot_q, 4'd2}],
        store[{packet_slot_q, 4'd1}], store[{packet_slot_q, 4'd0}]};
    end
  end
  assign trace_message_src   = write_src_q;
  assign trace_message_lane  = write_lane_q;
  assign trace_message_bytes = write_bytes_q;
  assign trace_burst_valid   = accepted && !req_err_i;
  assign trace_burst_src     = req_src_q;
  assign trace_burst_lane    = req_lane_q;
  assign trace_sem_valid     = sem_valid_q;
  assign trace_sem_src       = sem_src_q;
  assign trace_sem_lane      = sem_lane_q;

  // ---------------------------------------------------------------- registers
  // Per VC: slots taken, packets whole, in this core cycle.
  logic freed, late_q;
  logic [2:0] freed_vc, late_vc_q;
  logic [Vcs-1:0] takes, wholes;
  always_comb begin
    takes  = '0;
    wholes = '0;
    if (take_i != '0 || tail || late_q) begin
      if (take_i[0]) takes[take_vc_i[2:0]] = 1'b1;
      if (take_i[1]) takes[take_vc_i[5:3]] = 1'b1;
      if (tail && fabric_en_i) wholes[vc] = 1'b1;
      if (late_q) wholes[late_vc_q] = 1'b1;
    end
  end
  assign freed    = write_done;
  assign freed_vc = write_slot_now_q[4:2];

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      used_q         <= '0;
      whole_q        <= '0;
      write_slot_q   <= '0;
      late_q         <= 1'b0;
      late_vc_q      <= '0;
      read_slot_q    <= '0;
      flits_q        <= '0;
      first_q        <= '0;
      packet_valid_q <= 1'b0;
      write_valid_q  <= 1'b0;
      write_bad_q    <= 1'b0;
      write_drop_q   <= 1'b0;
      checked_q      <= 1'b0;
      req_valid_q    <= 1'b0;
      failed_q       <= 1'b0;
      notify_wait_q  <= 1'b0;
      sem_valid_q    <= 1'b0;
      trace_message_valid_q <= 1'b0;
    end else begin
      late_q    <= tail && !fabric_en_i;
      late_vc_q <= vc;
      if (takes != '0) begin
        for (int unsigned v = 0; v < Vcs; v++) begin
          if (takes[v] && !(freed && freed_vc == 3'(v))) used_q[3*v +: 3] <= used_q[3*v +: 3] + 3'd1;
        end
      end
      if (freed && !takes[freed_vc]) used_q[3*freed_vc +: 3] <= used_q[3*freed_vc +: 3] - 3'd1;
      if (wholes != '0) begin
        for (int unsigned v = 0; v < Vcs; v++) begin
          if (wholes[v] && !(pick && pick_vc == 3'(v))) whole_q[3*v +: 3] <= whole_q[3*v +: 3] + 3'd1;
        end
      end
      if (pick && !wholes[pick_vc]) whole_q[3*pick_vc +: 3] <= whole_q[3*pick_vc +: 3] - 3'd1;
      if (receive) flits_q[5*vc +: 5] <= flits;
      if (tail) write_slot_q[2*vc +: 2] <= write_slot_q[2*vc +: 2] + 2'd1;
      if (pick) begin
        read_slot_q[2*pick_vc +: 2] <= read_slot_q[2*pick_vc +: 2] + 2'd1;
        first_q              <= pick_vc + 3'd1;
      end
      packet_valid_q <= pick || (packet_valid_q && !packet_leaves);
      write_valid_q  <= packet_leaves || (write_valid_q && !write_done);
      if (packet_leaves) begin
        write_bad_q  <= intact && (bad_dst || (want_o && good_i && bad_form));
        write_drop_q <= !intact || (!bad_dst && !(want_o && good_i)) || mgmt_take_o;
      end
      checked_q <= packet_valid_q && !packet_leaves;
      trace_message_valid_q <= packet_leaves && deliver;

      req_valid_q <= write_step || (req_valid_q && !req_ready_i);
      if (accepted) failed_q <= !req_last_q && (failed_q || req_err_i);
      notify_wait_q <= notify_next || (notify_wait_q && !settled_i);
      sem_valid_q   <= notify_wait_q && settled_i;
    end
  end

  assign drained_o = !write_valid_q && !req_valid_q && !notify_wait_q && !sem_valid_q && settled_i;
  assign idle_o = used_q == '0 && !req_valid_q && !notify_wait_q && !sem_valid_q;

  // ---------------------------------------------------------------- assertions
  // The router starts a packet only with a free slot.
  `ASSERT_NOW(TakeHasRoom_A, (!take_i[0] || room_o[take_vc_i[2:0]]) &&
          (!take_i[1] || room_o[take_vc_i[5:3]]) &&
          (take_i != 2'b11 || take_vc_i[2:0] != take_vc_i[5:3]))
  // Flits of a packet are contiguous in their VC, and a packet has a slot.
  logic [Vcs-1:0] open_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) open_q <= '0;
    else if (receive) open_q[vc] <= !tail;
  end
  `ASSERT_NOW(PacketContiguity_A, receive -> open_q[vc] != head)
  `ASSERT_NOW(PacketHasSlot_A, receive -> used_q[3*vc +: 3] != '0)
  // A write stays inside its line.
  `ASSERT_NOW(WriteInsideLine_A,
    req_valid_q -> 10'(req_q.addr[OffsetBits-1:0]) + 10'(req_q.bytes) <= 10'(LineBytes))
  // A stalled request stays.
  logic stalled_q;
  logic [47:0] stalled_addr_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) stalled_q <= 1'b0;
    else stalled_q <= req_valid_q && !req_ready_i;
  end
  always_ff @(posedge clk_i) begin
    if (req_valid_q && !req_ready_i) stalled_addr_q <= req_q.addr;
  end
  `ASSERT_NOW(RequestIsStable_A, stalled_q -> req_valid_q && req_q.addr == stalled_addr_q)

endmodule
