// SPDX-License-Identifier: Apache-2.0
// The DMA engines of a core, one per time slot: doorbells, descriptors, row walk, completion.
//
// Each cycle belongs to one engine (slot_q); state lives in arrays that only the slot's owner
// writes. In its slot an engine does the first of these that applies, and the completion besides:
//
//   finish   every beat is written (and its write completed): post the update, forget the descriptor
//   load     no descriptor: check the prefetched one and take it, or stop with an error
//   fetch    start the read of the next descriptor, if one is triggered (one ahead)
//   issue    start the line read of the next beat
//
// The slot waits while the read register is blocked, so that a memory that is ready only every
// other cycle cannot shut out the engines of the other cycles. Rows are cut into beats
//   local:  min(left in the row, to the end of the source line, to the end of the destination line)
//   remote: min(left in the row, to the end of the source line, to the end of the packet)
// A descriptor starts reading only when its predecessor is finished: it may read what that wrote.
`include "assert.svh"

module dma_engines (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic [9:0] chip_id_i,
  input  logic [4:0] ring_size_i,
  input  logic core_id_i,
  input  defs_pkg::peer_access_t peer_i,

  input  logic trig_valid_i,
  output logic trig_ready_o,
  input  logic [7:0] trig_engine_i,
  input  logic [15:0] trig_count_i,

  input  logic [size_pkg::DmaEngines-1:0][47:0] ring_base_i,
  input  logic [size_pkg::DmaEngines-1:0][15:0] ring_count_i,

  output logic [size_pkg::DmaEngines-1:0] error_valid_o,
  output logic [size_pkg::DmaEngines-1:0][7:0] error_cause_o,
  output logic [size_pkg::DmaEngines-1:0][31:0] error_pc_o,
  output logic busy_o,

  output logic rd_req_valid_o,
  input  logic rd_req_ready_i,
  output size_pkg::mem_req_t rd_req_o,

  // the line of a descriptor has come
  input  logic desc_valid_i,
  input  logic desc_err_i,
  input  size_pkg::mem_rsp_t desc_rsp_i,

  // a beat whose read starts now, for dma_write
  output logic beat_valid_o,
  output logic [3:0] beat_engine_o,
  output logic [3:0] beat_seq_o,
  output logic beat_remote_o,
  output dma_pkg::beat_t beat_o,

  // dma_write about the slot's engine
  output logic [3:0] slot_o,
  input  logic [3:0] inflight_i,
  input  logic unsettled_i,
  output logic blocked_o,                    // only unsettled writes keep the engine from finishing

  output logic upd_valid_o,
  output defs_pkg::sem_update_t upd_o,
  output logic [3:0] upd_engine_o,
  output logic [31:0] upd_pc_o,
  input  logic upd_error_i                   // the update offered in the last cycle was rejected
);

  localparam int unsigned Engines = size_pkg::DmaEngines;
  localparam int unsigned EngineBits = $clog2(Engines);
  localparam int unsigned LineBits = $clog2(size_pkg::LineBytes);
  localparam logic [3:0] DescSeq = 4'd15;    // tag of a descriptor read; data uses 0 .. 14

  // --- state --------------------------------------------------------------------------------
  logic [EngineBits-1:0] slot_q;
  logic [Engines-1:0] work_q;                // triggered descriptors left
  logic [Engines-1:0] running_q, issued_q;   // a descriptor is loaded; all its reads have started
  logic [Engines-1:0] fetching_q, next_q, next_bad_q;
  logic [15:0] pending_q [Engines];          // triggered, not finished
  logic [15:0] position_q [Engines];         // in the ring, of the next fetch
  logic [31:0] pc_q [Engines];
  defs_pkg::descriptor_t next_desc_q [Engines];
  defs_pkg::descriptor_t desc_q [Engines];
  logic [47:0] src_row_q [Engines], dst_row_q [Engines];
  logic [16:0] done_q [Engines];             // bytes of the row whose reads have started
  logic [15:0] rows_q [Engines];             // left, this one included
  logic [3:0] seq_q [Engines];

  assign slot_o = 4'(slot_q);

  // --- the slot -----------------------------------------------------------------------------
  logic step, finish, load, fail, fetch, issue, ring_bad;
  logic check;
  defs_pkg::error_cause_e check_cause, fail_cause, ring_cause;
  defs_pkg::descriptor_t desc, next_desc;
  logic [31:0] pc;
  logic remote, row_end, packet_end, all_end;
  logic [47:0] src, dst, ring_base, fetch_addr;
  logic [16:0] left, to_src, to_limit, bytes;

  assign step = work_q[slot_q] && (!rd_req_valid_o || rd_req_ready_i);

  always_comb begin
    check     = 1'b0;
    next_desc = '0;
    if (step && next_q[slot_q]) begin
      check     = !running_q[slot_q] || finish;
      next_desc = next_desc_q[slot_q];
    end
  end

  dma_check u_check (
    .clk_i, .rst_ni, .chip_id_i, .ring_size_i, .core_id_i, .peer_i,
    .check_i(check), .desc_i(next_desc), .cause_o(check_cause)
  );

  assign finish = step && running_q[slot_q] && issued_q[slot_q] && inflight_i == '0 &&
                  !unsettled_i;
  assign blocked_o = step && running_q[slot_q] && issued_q[slot_q] && inflight_i == '0 &&
                     unsettled_i;

  always_comb begin
    load       = 1'b0;
    fail       = 1'b0;
    fail_cause = defs_pkg::ErrorCauseNone;
    fetch      = 1'b0;
    issue      = 1'b0;
    ring_cause = defs_pkg::ErrorCauseNone;
    ring_bad   = 1'b0;
    ring_base  = '0;
    fetch_addr = '0;
    pc         = '0;
    if (step) begin
      pc         = pc_q[slot_q];
      ring_base  = ring_base_i[slot_q];
      fetch_addr = ring_base + (48'(position_q[slot_q]) << 6);
      if (ring_base[LineBits-1:0] != '0) ring_cause = defs_pkg::ErrorCauseMisaligned;
      else if (ring_count_i[slot_q] == '0) ring_cause = defs_pkg::ErrorCauseBadDescriptor;
      else if (!guard_pkg::reaches(peer_i.shared, peer_i.base, peer_i.limit, core_id_i, fetch_addr,
                                   48'(defs_pkg::InstrBytes))) begin
        ring_cause = defs_pkg::ErrorCauseForbidden;
      end
      ring_bad = ring_cause != defs_pkg::ErrorCauseNone;
      // What the last descriptor ends with goes first: whether its update is accepted shows before the next slot.
      if (!running_q[slot_q] || finish) begin
        if (next_q[slot_q]) begin
          fail_cause = next_bad_q[slot_q] ? defs_pkg::ErrorCauseUnmappedAddress : check_cause;
          load       = fail_cause == defs_pkg::ErrorCauseNone;
          fail       = !load && !finish;
        end else if (!fetching_q[slot_q] && ring_bad && (pending_q[slot_q] > 16'(finish))) begin
          fail       = !finish;
          fail_cause = ring_cause;
        end
      end
      fetch = !fail && !ring_bad && !fetching_q[slot_q] && !next_q[slot_q] &&
              pending_q[slot_q] > 16'(running_q[slot_q]);
      issue = !fetch && running_q[slot_q] && !issued_q[slot_q] && inflight_i != 4'd15;
    end
  end

  // --- next beat of the slot's engine ----------------------------------------------------------
  always_comb begin
    desc       = '0;
    remote     = 1'b0;
    src        = '0;
    dst        = '0;
    left       = '0;
    to_src     = '0;
    to_limit   = '0;
    bytes      = '0;
    row_end    = 1'b0;
    packet_end = 1'b0;
    all_end    = 1'b0;
    if (issue || finish) begin
      desc     = desc_q[slot_q];
      remote   = desc.dst_chip != chip_id_i;
      src      = src_row_q[slot_q] + 48'(done_q[slot_q]);
      dst      = dst_row_q[slot_q] + 48'(done_q[slot_q]);
      left     = desc.row_bytes[16:0] - done_q[slot_q];
      to_src   = 17'(size_pkg::LineBytes) - 17'(src[LineBits-1:0]);
      to_limit = remote ? 17'(defs_pkg::PacketBytes) - 17'(done_q[slot_q][9:0])
                        : 17'(size_pkg::LineBytes) - 17'(dst[LineBits-1:0]);
      bytes    = left;
      if (to_src < bytes) bytes = to_src;
      if (to_limit < bytes) bytes = to_limit;
      row_end    = bytes == left;
      packet_end = row_end || bytes == to_limit;
      all_end    = row_end && rows_q[slot_q] == 16'd1;
    end
  end

  assign beat_valid_o  = issue;
  assign beat_engine_o = 4'(slot_q);
  assign beat_seq_o    = seq_q[slot_q];
  assign beat_remote_o = remote;
  assign beat_o = '{from: src[LineBits-1:0], addr: dst, bytes: bytes[8:0], last: packet_end,
                    notify: all_end && desc.notify, dst: desc.dst_chip, vn: desc.vn,
                    sem: desc.notify_sem, pc: pc};

  logic unused_desc;
  assign unused_desc = ^{desc.rows, desc.src, desc.dst, desc.row_bytes[19:17], desc.reserved_hi,
                         desc.reserved_mid, desc.reserved, desc.reserved_lo};

  // --- registers --------------------------------------------------------------------------------
  logic trig;
  logic [EngineBits-1:0] trig_slot;
  logic [16:0] trig_sum;
  assign trig_slot = trig_engine_i[EngineBits-1:0];

  always_comb begin
    trig         = 1'b0;
    trig_sum     = '0;
    trig_ready_o = 1'b1;
    if (trig_valid_i && 32'(trig_engine_i) < Engines && !error_valid_o[trig_slot]) begin
      trig_sum     = 17'(pending_q[trig_slot]) + 17'(trig_count_i);
      trig_ready_o = !trig_sum[16];
      trig         = trig_ready_o;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      slot_q        <= '0;
      work_q        <= '0;
      running_q     <= '0;
      issued_q      <= '0;
      fetching_q    <= '0;
      next_q        <= '0;
      next_bad_q    <= '0;
      error_valid_o <= '0;
      error_cause_o <= '0;
      error_pc_o    <= '0;
      pending_q     <= '{default: '0};
      position_q    <= '{default: '0};
      pc_q          <= '{default: '0};
      seq_q         <= '{default: '0};
      rd_req_valid_o <= 1'b0;
      upd_valid_o   <= 1'b0;
    end else begin
      upd_valid_o <= finish && desc.update;
      if (!rd_req_valid_o || rd_req_ready_i) begin
        slot_q <= (32'(slot_q) == Engines - 1) ? '0 : slot_q + EngineBits'(1);
        rd_req_valid_o <= fetch || issue;
      end

      if (finish) begin
        pending_q[slot_q] <= pending_q[slot_q] - 16'd1;
        pc_q[slot_q]      <= pc + 32'd1;
        running_q[slot_q] <= 1'b0;
        if (pending_q[slot_q] == 16'd1) work_q[slot_q] <= 1'b0;
      end
      if (load) begin
        running_q[slot_q] <= 1'b1;
        issued_q[slot_q]  <= 1'b0;
        next_q[slot_q]    <= 1'b0;
      end
      if (fetch) begin
        fetching_q[slot_q] <= 1'b1;
        position_q[slot_q] <= (position_q[slot_q] + 16'd1 == ring_count_i[slot_q])
                              ? 16'd0 : position_q[slot_q] + 16'd1;
      end
      if (issue) begin
        seq_q[slot_q] <= (seq_q[slot_q] == 4'd14) ? 4'd0 : seq_q[slot_q] + 4'd1;
        if (all_end) issued_q[slot_q] <= 1'b1;
      end
      if (fail) begin
        work_q[slot_q]        <= 1'b0;
        error_valid_o[slot_q] <= 1'b1;
        error_cause_o[slot_q] <= fail_cause;
        error_pc_o[slot_q]    <= pc;
      end

      if (desc_valid_i) begin
        fetching_q[desc_engine] <= 1'b0;
        next_q[desc_engine]     <= 1'b1;
        next_bad_q[desc_engine] <= desc_err_i;
      end

      // Behind finish and fail: a doorbell in the same cycle as the last completion counts.
      if (trig && !(fail && trig_slot == slot_q)) begin
        work_q[trig_slot] <= 1'b1;
        if (finish && trig_slot == slot_q) pending_q[slot_q] <= trig_sum[15:0] - 16'd1;
        else pending_q[trig_slot] <= trig_sum[15:0];
      end

      if (upd_error_i) begin
        work_q[posted_engine_q]        <= 1'b0;
        running_q[posted_engine_q]     <= 1'b0;
        error_valid_o[posted_engine_q] <= 1'b1;
        error_cause_o[posted_engine_q] <= defs_pkg::ErrorCauseSemaphoreOverflow;
        error_pc_o[posted_engine_q]    <= posted_pc_q;
      end
    end
  end

  // Whose update could be rejected now. The engine's next slot is still to come: it has done nothing
  // since but load its next descriptor.
  logic [EngineBits-1:0] posted_engine_q;
  logic [31:0] posted_pc_q;

  logic [EngineBits-1:0] desc_engine;
  assign desc_engine = desc_rsp_i.tag[4+:EngineBits];

  // Which 64 bytes of the line hold the descriptor being fetched.
  logic [1:0] part_q [Engines];

  always_ff @(posedge clk_i) begin
    if (load) begin
      desc_q[slot_q]    <= next_desc;
      src_row_q[slot_q] <= next_desc.src;
      dst_row_q[slot_q] <= next_desc.dst;
      done_q[slot_q]    <= '0;
      rows_q[slot_q]    <= next_desc.rows;
    end
    if (issue) begin
      done_q[slot_q] <= row_end ? '0 : done_q[slot_q] + bytes;
      if (row_end) begin
        src_row_q[slot_q] <= src_row_q[slot_q] + desc.src_stride;
        dst_row_q[slot_q] <= dst_row_q[slot_q] + desc.dst_stride;
        rows_q[slot_q]    <= rows_q[slot_q] - 16'd1;
      end
    end
    if (fetch) begin
      rd_req_o <= '{write: 1'b0, addr: fetch_addr, bytes: 9'(defs_pkg::InstrBytes),
                    tag: {4'd0, 4'(slot_q), DescSeq}, data: '0};
      part_q[slot_q] <= 2'(fetch_addr[LineBits-1:0] >> 6);
    end
    if (issue) begin
      rd_req_o <= '{write: 1'b0, addr: src, bytes: bytes[8:0],
                    tag: {4'd0, 4'(slot_q), seq_q[slot_q]}, data: '0};
    end
    if (desc_valid_i) begin
      next_desc_q[desc_engine] <= desc_rsp_i.data[512*32'(part_q[desc_engine])+:512];
    end
    if (finish) begin
      upd_o        <= '{sem: desc.update_sem, delta: 17'(desc.update_delta)};
      upd_engine_o <= 4'(slot_q);
      upd_pc_o     <= pc;
    end
    if (upd_valid_o) begin
      posted_engine_q <= upd_engine_o[EngineBits-1:0];
      posted_pc_q     <= upd_pc_o;
    end
  end

  assign busy_o = work_q != '0 || fetching_q != '0 || rd_req_valid_o || upd_valid_o;

  // --- assertions -------------------------------------------------------------------------------

  // A slot starts at most one read.
  `ASSERT_NOW(OneRead_A, !(fetch && issue))
  // A beat is never empty and never longer than a line.
  `ASSERT_NOW(BeatFits_A, issue -> bytes != '0 && 32'(bytes) <= size_pkg::LineBytes)
  // A descriptor is loaded only into a drained engine.
  `ASSERT_NOW(LoadIntoDrained_A, load -> inflight_i == '0)
  // A descriptor's answer belongs to an engine that asked.
  // (Immediate: a property would sample the whole answer.)
  always_ff @(posedge clk_i) begin
    if (rst_ni && desc_valid_i) AnswerWasAsked_A: assert (fetching_q[desc_engine]);
  end
  // A rejected update stops its engine before it moves anything else.
  `ASSERT_NOW(RejectedBeforeNextSlot_A, upd_error_i -> !(step && slot_q == posted_engine_q))
  // A stalled read stays put.
  `ASSERT(ReadStays_A, rd_req_valid_o && !rd_req_ready_i |=> rd_req_valid_o)

endmodule
