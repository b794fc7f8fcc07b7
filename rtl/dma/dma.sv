// SPDX-License-Identifier: Apache-2.0
// DMA of one core: DmaEngines descriptor-driven copy engines in one pipeline, in time slots.
//
//   doorbell --> dma_engines --- rd_req ---> mem_xbar (HBM 0/1, SBUF 0/1)
//                  | |   ^                      |
//      upd <-------+ |   +-- descriptors -------+ rd_rsp
//                    | beat                     |
//                    v                          v data
//                  dma_write  <-----------------+
//                    |  |
//                    |  +-- msg --> fabric interface (right-aligned; junk beyond `bytes`)
//                    +----- wr  --> mem_xbar
//
// What one descriptor does is cmodel/machine/dma.h, to the byte and to the beat. Rings wrap; a descriptor
// is read only after its doorbell, one ahead; dma_check rejects bad ones before any effect. Source
// and destination of one descriptor must not overlap (up to 15 lines are read ahead). An engine
// that stops keeps its cause and the index of its descriptor; the others go on.
// Causes beyond dma_check's: Misaligned, a ring base that is not on a line; BadDescriptor, a ring
// of no descriptors; Forbidden, a ring of the other core; UnmappedAddress, a ring without memory;
// SemaphoreOverflow, the update was rejected.
//
// Numbers, printed by tb/unit/dma_test, for an HBM that answers 150 cycles after its request:
//                                                    inf2 (16 engines)   mini (4 engines)
//   doorbell to the first write (idle engine)         340 cycles          312 cycles
//   one engine, aligned rows, B/cycle                 16.0                6.2 (15 lines in flight)
//   one engine, source and destination misaligned     8.0 (two beats a line)
//   all engines, B/cycle                              256.0               24.7
//   one-line descriptors back to back, from HBM       190 cycles each; 174 from SBUF (the fetch)
`include "assert.svh"

module dma (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic core_id_i,
  input  logic [9:0] chip_id_i,
  input  logic [4:0] ring_size_i,
  input  defs_pkg::peer_access_t peer_i,

  // doorbell from the sync engine; waits until no more than 65535 are open, or the engine has
  // stopped and ignores it. trig_engine_i < DmaEngines, count != 0.
  input  logic trig_valid_i,
  output logic trig_ready_o,
  input  logic [7:0] trig_engine_i,
  input  logic [15:0] trig_count_i,

  // CSRs, one per engine (levels)
  input  logic [size_pkg::DmaEngines-1:0][47:0] ring_base_i,
  input  logic [size_pkg::DmaEngines-1:0][15:0] ring_count_i,

  // engine stopped: level until reset, with cause and descriptor index
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
  input  logic rd_rsp_err_i,       // with the answer: no memory there (only a bad ring base can)

  // local writes
  output logic wr_req_valid_o,
  input  logic wr_req_ready_i,
  output size_pkg::mem_req_t wr_req_o,
  input  logic wr_settled_i,       // mem_xbar: dma_wr settled

  // remote writes, to the fabric interface
  output logic msg_valid_o,
  input  logic msg_ready_i,
  output size_pkg::msg_chunk_t msg_o,

  // semaphore update, always taken; engine and descriptor index for the commit
  output logic upd_valid_o,
  output defs_pkg::sem_update_t upd_o,
  output logic [3:0] upd_engine_o,
  output logic [31:0] upd_pc_o,
  input  logic upd_error_i         // semaphores rejected the update offered in the last cycle
);

  // Beats from the engines to the back end.
  logic beat_valid, beat_remote;
  logic [3:0] beat_engine, beat_seq;
  dma_pkg::beat_t beat;
  logic [3:0] slot, inflight;
  logic unsettled, blocked, engines_busy, write_busy;

  // Answers: tag[3:0] = 15 is a descriptor, else data.
  logic is_desc;
  assign is_desc        = rd_rsp_i.tag[3:0] == 4'd15;
  assign rd_rsp_ready_o = 1'b1;
  assign busy_o         = engines_busy || write_busy;

  dma_engines u_engines (
    .clk_i, .rst_ni, .chip_id_i, .ring_size_i, .core_id_i, .peer_i,
    .trig_valid_i, .trig_ready_o, .trig_engine_i, .trig_count_i,
    .ring_base_i, .ring_count_i,
    .error_valid_o, .error_cause_o, .error_pc_o,
    .busy_o(engines_busy),
    .rd_req_valid_o, .rd_req_ready_i, .rd_req_o,
    .desc_valid_i(rd_rsp_valid_i && is_desc), .desc_err_i(rd_rsp_err_i), .desc_rsp_i(rd_rsp_i),
    .beat_valid_o(beat_valid), .beat_engine_o(beat_engine), .beat_seq_o(beat_seq),
    .beat_remote_o(beat_remote), .beat_o(beat),
    .slot_o(slot), .inflight_i(inflight), .unsettled_i(unsettled), .blocked_o(blocked),
    .upd_valid_o, .upd_o, .upd_engine_o, .upd_pc_o, .upd_error_i
  );

  logic [31:0] commit_pc;
  dma_write u_write (
    .clk_i, .rst_ni,
    .beat_valid_i(beat_valid), .beat_engine_i(beat_engine), .beat_seq_i(beat_seq),
    .beat_remote_i(beat_remote), .beat_i(beat),
    .rsp_valid_i(rd_rsp_valid_i && !is_desc), .rsp_i(rd_rsp_i),
    .slot_i(slot), .inflight_o(inflight), .unsettled_o(unsettled), .blocked_i(blocked),
    .wr_req_valid_o, .wr_req_ready_i, .wr_req_o, .wr_settled_i, .wr_pc_o(commit_pc),
    .msg_valid_o, .msg_ready_i, .msg_o,
    .busy_o(write_busy)
  );

  // --- what the commit tracer reads -----------------------------------------------------
  // MemBurst when commit_valid: engine commit_engine, commit_pc, and addr, bytes, data of wr_req_o.
  // Error: the rise of error_valid_o[engine]. Semaphore: upd_*.
  logic commit_valid;
  logic [3:0] commit_engine;
  assign commit_valid  = wr_req_valid_o && wr_req_ready_i;
  assign commit_engine = wr_req_o.tag[3:0];
  logic unused_trace;
  assign unused_trace = ^{commit_valid, commit_engine, commit_pc};

  // --- assertions -----------------------------------------------------------------------

  // Data is read only where the checks found memory.
  // (Immediate: a property would sample the whole answer.)
  always_ff @(posedge clk_i) begin
    if (rst_ni && rd_rsp_valid_i) DataIsMapped_A: assert (is_desc || !rd_rsp_err_i);
  end
  // The sync engine checked its operands.
  `ASSERT_NOW(DoorbellIsSane_A, trig_valid_i ->
    32'(trig_engine_i) < size_pkg::DmaEngines && trig_count_i != '0)

endmodule
