// SPDX-License-Identifier: Apache-2.0
// DMA of one core: DmaEngines descriptor-driven copy engines on one line-wide data path.
//
//   doorbell --> dma_fetch --next--> dma_engines --- rd_req ---> mem_xbar (HBM 0/1, SBUF 0/1)
//                    ^    dma_check, dma_order | beat               |
//                    |    dma_index            v                    v rd_rsp
//                    +---- descriptors ---- dma_write <-- data -----+
//                          and indices
//                                              |  |
//   upd <----------- dma_finish <--------------+  +-- msg --> fabric interface (right-aligned; junk beyond `bytes`)
//                                              +----- wr  --> mem_xbar
//
// What one descriptor does is cmodel/machine/dma.h, to the byte and to the beat. Rings wrap; a descriptor
// is read only after its doorbell, up to 16 ahead, and dma_check rejects bad ones before any effect.
// What one descriptor reads, its list of indices included, must not overlap with what it writes (up to 15 lines are read ahead); a younger one
// reads what an older one has written. An engine that stops keeps its cause and the pc of its descriptor;
// the others go on. A DmaStart brings a descriptor with its doorbell: no ring is read for it, or moves on, and its pc
// is that of the DmaStart with StartedBit.
// Causes beyond dma_check's: Misaligned, a ring base that is not on a line; BadDescriptor, a ring
// of no descriptors; Forbidden, a ring of the other core; UnmappedAddress, a ring without memory;
// SemaphoreOverflow, the update was rejected; OutOfBounds, an index of bound or more that is not to be skipped: the rows
// before it are written.
`include "assert.svh"

module dma (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic core_id_i,
  input  logic [9:0] chip_id_i,
  input  logic [4:0] ring_size_i,
  input  defs_pkg::peer_access_t peer_i,

  // doorbell from the sync engine; waits until no more than 65535 are open, or the engine has
  // stopped and ignores it. engine < DmaEngines, count != 0.
  input  logic trig_valid_i,
  output logic trig_ready_o,
  input  dma_pkg::trigger_t trig_i,

  // CSRs, one per engine (levels)
  input  logic [size_pkg::DmaEngines-1:0][47:0] ring_base_i,
  input  logic [size_pkg::DmaEngines-1:0][15:0] ring_count_i,

  // engine stopped: level until reset, with cause and pc of the descriptor
  output logic [size_pkg::DmaEngines-1:0] error_valid_o,
  output logic [size_pkg::DmaEngines-1:0][7:0] error_cause_o,
  output logic [size_pkg::DmaEngines-1:0][31:0] error_pc_o,
  output logic busy_o,             // something triggered or in flight

  // line reads (data and descriptors); answers are always taken
  output logic rd_req_valid_o,
  input  logic rd_req_ready_i,
  output size_pkg::mem_req_t rd_req_o,
  input  logic rd_rsp_valid_i,
  output logic rd_rsp_ready_o,
  input  size_pkg::mem_rsp_t rd_rsp_i,
  input  logic rd_rsp_err_i,       // with the answer: no memory there

  // local writes
  output logic wr_req_valid_o,
  input  logic wr_req_ready_i,
  output size_pkg::mem_req_t wr_req_o,
  input  logic [3:0] wr_stuck_i,   // mem_xbar: dma_wr stuck

  // remote writes, to the fabric interface
  output logic msg_valid_o,
  input  logic msg_ready_i,
  output size_pkg::msg_chunk_t msg_o,

  // semaphore update, always taken; engine, pc and serial of its descriptor for the commit
  output logic upd_valid_o,
  output defs_pkg::sem_update_t upd_o,
  output logic [3:0] upd_engine_o,
  output logic [31:0] upd_pc_o,
  output logic [31:0] upd_serial_o,
  input  logic upd_error_i         // semaphores rejected the update offered in the last cycle
);

  localparam int unsigned Engines = size_pkg::DmaEngines;
  localparam int unsigned EngineBits = $clog2(Engines);

  // Answers: tag[3:0] = 15 is a line of descriptors, or of indices if its engine waits for one; else data.
  logic is_data, is_index, is_desc;
  logic [Engines-1:0] index_waiting;
  assign is_data        = rd_rsp_i.tag[3:0] != 4'd15;
  assign is_index       = !is_data && index_waiting[rd_rsp_i.tag[4+:EngineBits]];
  assign is_desc        = !is_data && !is_index;
  assign rd_rsp_ready_o = 1'b1;

  logic [Engines-1:0] work, next_valid, full, closed;
  logic [Engines-1:0] fetch_quiet, halted, index_valid;
  logic desc_valid, list_valid, list_load, index_take;
  logic [EngineBits-1:0] desc_engine, list_engine, list_load_engine, index_engine;
  logic [47:0] desc_addr, list_addr, list_load_addr;
  logic [8:0] desc_bytes, list_bytes;
  logic [15:0] list_load_count;
  logic [31:0] index;
  logic stop_fault, drop;
  logic next_look, next_take, fetch_valid, fetch_ready, done_valid, stop_valid;
  logic [EngineBits-1:0] next_engine, fetch_engine, done_engine;
  defs_pkg::descriptor_t next;
  logic next_start;
  logic [23:0] next_start_pc;
  defs_pkg::error_cause_e next_cause;
  logic [47:0] fetch_addr;
  logic [8:0] fetch_bytes;
  logic [31:0] done_pc;
  dma_fetch u_fetch (
    .clk_i, .rst_ni, .core_id_i, .peer_i,
    .trig_valid_i, .trig_ready_o, .trig_i, .ring_base_i, .ring_count_i,
    .stopped_i(error_valid_o), .done_valid_i(done_valid), .done_engine_i(done_engine), .work_o(work),
    .waiting_i(index_waiting), .quiet_o(fetch_quiet),
    .req_valid_o(desc_valid), .req_ready_i(fetch_ready), .req_engine_o(desc_engine),
    .req_addr_o(desc_addr), .req_bytes_o(desc_bytes),
    .rsp_valid_i(rd_rsp_valid_i && is_desc), .rsp_i(rd_rsp_i),
    .next_valid_o(next_valid), .next_look_i(next_look), .next_engine_i(next_engine), .next_o(next),
    .next_start_o(next_start), .next_start_pc_o(next_start_pc), .next_cause_o(next_cause), .next_take_i(next_take)
  );

  dma_index u_index (
    .clk_i, .rst_ni, .load_i(list_load), .load_engine_i(list_load_engine), .load_addr_i(list_load_addr),
    .load_count_i(list_load_count), .halted_i(halted), .quiet_i(fetch_quiet), .waiting_o(index_waiting),
    .req_valid_o(list_valid), .req_ready_i(fetch_ready && !desc_valid), .req_engine_o(list_engine),
    .req_addr_o(list_addr), .req_bytes_o(list_bytes), .rsp_valid_i(rd_rsp_valid_i && is_index),
    .rsp_engine_i(rd_rsp_i.tag[4+:EngineBits]), .rsp_data_i(rd_rsp_i.data),
    .valid_o(index_valid), .engine_i(index_engine), .index_o(index), .take_i(index_take)
  );

  // Descriptors before indices.
  assign fetch_valid  = desc_valid || list_valid;
  assign fetch_engine = desc_valid ? desc_engine : list_engine;
  assign fetch_addr   = desc_valid ? desc_addr : list_addr;
  assign fetch_bytes  = desc_valid ? desc_bytes : list_bytes;

  logic beat_valid;
  logic [EngineBits-1:0] beat_engine;
  logic [3:0] beat_seq;
  dma_pkg::beat_t beat;
  dma_engines u_engines (
    .clk_i, .rst_ni, .chip_id_i, .ring_size_i, .core_id_i, .peer_i,
    .work_i(work), .next_valid_i(next_valid), .next_look_o(next_look), .next_engine_o(next_engine),
    .next_i(next), .next_start_i(next_start), .next_start_pc_i(next_start_pc), .next_cause_i(next_cause), .next_take_o(next_take),
    .fetch_valid_i(fetch_valid), .fetch_ready_o(fetch_ready), .fetch_engine_i(fetch_engine),
    .fetch_addr_i(fetch_addr), .fetch_bytes_i(fetch_bytes),
    .rd_req_valid_o, .rd_req_ready_i, .rd_req_o,
    .beat_valid_o(beat_valid), .beat_engine_o(beat_engine), .beat_seq_o(beat_seq), .beat_o(beat),
    .list_load_o(list_load), .list_engine_o(list_load_engine), .list_addr_o(list_load_addr),
    .list_count_o(list_load_count), .halted_o(halted), .index_valid_i(index_valid), .index_engine_o(index_engine),
    .index_i(index), .index_take_o(index_take),
    .full_i(full), .done_valid_i(done_valid), .stop_valid_i(stop_valid), .stop_fault_i(stop_fault), .done_engine_i(done_engine),
    .done_pc_i(done_pc), .error_valid_o, .error_cause_o, .error_pc_o
  );

  logic close, wr_ends, msg_ends;
  logic [EngineBits-1:0] close_engine;
  dma_pkg::beat_t close_beat;
  logic [1:0] wr_memory;
  logic [31:0] commit_pc;
  dma_write u_write (
    .clk_i, .rst_ni,
    .beat_valid_i(beat_valid), .beat_engine_i(beat_engine), .beat_seq_i(beat_seq), .beat_i(beat),
    .rsp_valid_i(rd_rsp_valid_i && is_data), .rsp_i(rd_rsp_i), .full_o(full), .closed_i(closed),
    .close_o(close), .close_engine_o(close_engine), .close_beat_o(close_beat),
    .wr_req_valid_o, .wr_req_ready_i, .wr_req_o, .wr_pc_o(commit_pc), .wr_ends_o(wr_ends),
    .wr_memory_o(wr_memory), .msg_valid_o, .msg_ready_i, .msg_o, .msg_ends_o(msg_ends), .drop_o(drop)
  );

  dma_finish u_finish (
    .clk_i, .rst_ni,
    .close_i(close), .close_engine_i(close_engine), .close_beat_i(close_beat), .closed_o(closed),
    .wr_done_i(wr_req_valid_o && wr_req_ready_i), .wr_ends_i(wr_ends),
    .wr_engine_i(wr_req_o.tag[0+:EngineBits]), .wr_memory_i(wr_memory), .wr_stuck_i,
    .drop_i(drop),
    .msg_ends_i(msg_valid_o && msg_ready_i && msg_ends), .msg_engine_i(msg_o.engine[0+:EngineBits]),
    .upd_valid_o, .upd_o, .upd_engine_o, .upd_pc_o, .upd_error_i,
    .done_valid_o(done_valid), .stop_valid_o(stop_valid), .stop_fault_o(stop_fault), .done_engine_o(done_engine), .done_pc_o(done_pc)
  );

  // An engine that has stopped may still have reads under way.
  logic [9:0] reads_q;
  logic ask, answer;
  assign ask    = rd_req_valid_o && rd_req_ready_i;
  assign answer = rd_rsp_valid_i;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) reads_q <= '0;
    else if (ask != answer) reads_q <= ask ? reads_q + 10'd1 : reads_q - 10'd1;
  end
  assign busy_o = (work & ~error_valid_o) != '0 || rd_req_valid_o || reads_q != '0;

  // Descriptors that have ended: the serial of the one that writes or posts, since an engine has one of these at a time.
  logic [Engines-1:0][31:0] serial_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) serial_q <= '0;
    else if (done_valid) serial_q[done_engine] <= serial_q[done_engine] + 32'd1;
  end
  assign upd_serial_o = serial_q[upd_engine_o[EngineBits-1:0]];

  // --- what the commit tracer reads -----------------------------------------------------
  // MemBurst when commit_valid: engine commit_engine, commit_pc, and addr, bytes, data of wr_req_o.
  // Error: the rise of error_valid_o[engine]. Semaphore: upd_*. The serial of all: serial_q[engine].
  logic commit_valid;
  logic [3:0] commit_engine;
  assign commit_valid  = wr_req_valid_o && wr_req_ready_i;
  assign commit_engine = wr_req_o.tag[3:0];
  logic unused_trace;
  assign unused_trace = ^{commit_valid, commit_engine, commit_pc};

  // --- assertions -----------------------------------------------------------------------

  // Only what the checks found to be memory is read.
  `ASSERT_NOW(ReadsAreMapped_A, rd_rsp_valid_i -> !rd_rsp_err_i)
  // The sync engine checked its operands.
  `ASSERT_NOW(DoorbellIsSane_A, trig_valid_i ->
    32'(trig_i.engine) < size_pkg::DmaEngines && trig_i.count != '0 && (!trig_i.start || trig_i.count == 16'd1))

endmodule
