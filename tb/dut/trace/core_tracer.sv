// SPDX-License-Identifier: Apache-2.0
// Reports every architecturally visible write of one core: PSUM rows, SBUF rows, DMA bursts, errors.
//
// Semaphore updates and bursts of receiver and host are chip_tracer's. Everything is sampled at the
// clock edge at which (or one after which) the write happens; only the order within one engine's
// stream matters to the scoreboard.
module core_tracer (
  input logic clk_i,
  input logic rst_ni,
  input logic core_id_i,

  input row_pkg::psum_write_t psum_i,
  input row_pkg::lane_row_t psum_data_i,
  // Tiles of the lower half of the array's rows.
  input row_pkg::psum_write_t lower_i,
  input row_pkg::lane_row_t lower_data_i,
  input row_pkg::sbuf_write_t v_i,
  input row_pkg::lane_row_t v_data_i,
  input row_pkg::lane_row_t v_skip_i,
  input logic [31:0] v_serial_i,
  input row_pkg::sbuf_write_t a_i,
  input row_pkg::lane_row_t a_data_i,
  input row_pkg::lane_row_t a_skip_i,
  input logic [31:0] a_serial_i,

  input logic               dma_valid_i,
  input logic [3:0]         dma_engine_i,
  input logic [31:0]        dma_commit_pc_i,
  input logic [size_pkg::DmaEngines-1:0][31:0] dma_serial_i,
  input size_pkg::mem_req_t dma_req_i,
  input logic [size_pkg::DmaEngines-1:0]       dma_error_i,
  input logic [size_pkg::DmaEngines-1:0][7:0]  dma_cause_i,
  input logic [size_pkg::DmaEngines-1:0][31:0] dma_pc_i,

  // The instruction that each sequencer has at hand, and that it lets it go.
  input logic [3:0] issue_i,
  input logic issue_pair_i,              // the tensor engine's, with the one behind it
  input defs_pkg::instr_t second0_i,
  input defs_pkg::instr_t instr0_i,
  input defs_pkg::instr_t instr1_i,
  input defs_pkg::instr_t instr2_i,
  input defs_pkg::instr_t instr3_i,

  input logic [3:0][1:0]  seq_state_i,
  input logic [3:0][31:0] seq_pc_i,
  input logic [3:0][31:0] seq_serial_i,
  input logic [3:0][7:0]  seq_cause_i
);

  localparam int unsigned DmaBits = $clog2(size_pkg::DmaEngines);
  localparam int PsumRow = 0, SbufRow = 1;
  localparam int unsigned P = size_pkg::Partitions;
  localparam int unsigned LaneBits = $clog2(P);
  // The pc of each operation that an engine may still be at, by its serial: at most 32 are in flight.
  logic [31:0] pc0_q [64];
  logic [31:0] pc1_q [64];
  logic [31:0] pc2_q [64];
  always_ff @(posedge clk_i) begin
    if (issue_i[0]) pc0_q[seq_serial_i[0][5:0]] <= seq_pc_i[0];
    if (issue_i[0] && issue_pair_i) pc0_q[seq_serial_i[0][5:0] + 6'd1] <= seq_pc_i[0] + 1;
    if (issue_i[1]) pc1_q[seq_serial_i[1][5:0]] <= seq_pc_i[1];
    if (issue_i[2]) pc2_q[seq_serial_i[2][5:0]] <= seq_pc_i[2];
  end

  logic [size_pkg::DmaEngines-1:0] dma_error_q;
  logic [3:0] stopped, stopped_q;
  assign stopped = {seq_state_i[3] == 2'd3, seq_state_i[2] == 2'd3,
                    seq_state_i[1] == 2'd3, seq_state_i[0] == 2'd3};

  // The DPI bridge takes two-state words: rows are copied into them, when there is one.
  bit [31:0] row [P];

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      if (psum_i.valid) begin
        for (int unsigned i = 0; i < P; i++) row[LaneBits'(i)] = psum_data_i[LaneBits'(i)];
        commit_dpi::dodeca_commit_row(PsumRow, 32'(core_id_i), 32'(defs_pkg::EngineTensor),
          0, psum_i.serial, pc0_q[psum_i.serial[5:0]], 64'({psum_i.addr, 2'b0}), 0, 32'(psum_i.count), 4, row);
      end
      if (lower_i.valid) begin
        for (int unsigned i = 0; i < P; i++) row[LaneBits'(i)] = lower_data_i[LaneBits'(i)];
        commit_dpi::dodeca_commit_row(PsumRow, 32'(core_id_i), 32'(defs_pkg::EngineTensor),
          1, lower_i.serial, pc0_q[lower_i.serial[5:0]], 64'({lower_i.addr, 2'b0}), 0, 32'(lower_i.count), 4, row);
      end
      // Of a pair both are zero.
      if (v_i.valid) begin
        for (int unsigned i = 0; i < P; i++) row[LaneBits'(i)] = v_data_i[LaneBits'(i)] & ~({32{v_i.masked}} & v_skip_i[LaneBits'(i)]);
        for (int unsigned e = 0; e <= 32'(v_i.pair); e++) begin
          commit_dpi::dodeca_commit_row(v_i.psum ? PsumRow : SbufRow, 32'(core_id_i), 32'(defs_pkg::EngineVector), 0,
            v_serial_i, pc1_q[v_serial_i[5:0]], 64'(v_i.addr) + 64'(2 * e), 32'(v_i.first), 32'(v_i.count),
            v_i.pair ? 2 : 32'(v_i.bytes), row);
        end
      end
      if (a_i.valid) begin
        for (int unsigned i = 0; i < P; i++) row[LaneBits'(i)] = a_data_i[LaneBits'(i)] & ~({32{a_i.masked}} & a_skip_i[LaneBits'(i)]);
        commit_dpi::dodeca_commit_row(a_i.psum ? PsumRow : SbufRow, 32'(core_id_i), 32'(defs_pkg::EngineAct), 0,
          a_serial_i, pc2_q[a_serial_i[5:0]], 64'(a_i.addr), 32'(a_i.first), 32'(a_i.count), 32'(a_i.bytes), row);
      end
      if (dma_valid_i) begin
        commit_dpi::dodeca_commit_burst(32'(core_id_i),
          32'(defs_pkg::EngineDma0) + 32'(dma_engine_i), 0, 0,
          dma_serial_i[DmaBits'(dma_engine_i)], dma_commit_pc_i,
          64'(dma_req_i.addr), 32'(dma_req_i.bytes), dma_req_i.data);
      end
      if (dma_error_i != dma_error_q) begin
        for (int unsigned e = 0; e < size_pkg::DmaEngines; e++) begin
          if (dma_error_i[e] && !dma_error_q[e]) begin
            commit_dpi::dodeca_commit_error(32'(core_id_i), 32'(defs_pkg::EngineDma0) + e,
              dma_serial_i[e], dma_pc_i[e], 32'(dma_cause_i[e]));
          end
        end
      end
      if (issue_i != '0) begin
        if (issue_i[0]) commit_dpi::dodeca_issue(32'(core_id_i), 0, seq_pc_i[0], instr0_i);
        if (issue_i[0] && issue_pair_i) begin
          commit_dpi::dodeca_issue(32'(core_id_i), 0, seq_pc_i[0] + 1, second0_i);
        end
        if (issue_i[1]) commit_dpi::dodeca_issue(32'(core_id_i), 1, seq_pc_i[1], instr1_i);
        if (issue_i[2]) commit_dpi::dodeca_issue(32'(core_id_i), 2, seq_pc_i[2], instr2_i);
        if (issue_i[3]) commit_dpi::dodeca_issue(32'(core_id_i), 3, seq_pc_i[3], instr3_i);
      end
      if (stopped != stopped_q) begin
        for (int unsigned s = 0; s < 4; s++) begin
          if (stopped[s] && !stopped_q[s]) begin
            commit_dpi::dodeca_commit_error(32'(core_id_i), s, seq_serial_i[s], seq_pc_i[s],
              32'(seq_cause_i[s]));
          end
        end
      end
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      dma_error_q <= '0;
      stopped_q   <= '0;
    end else begin
      dma_error_q <= dma_error_i;
      stopped_q   <= stopped;
    end
  end

endmodule

bind core core_tracer u_tracer (
  .clk_i, .rst_ni, .core_id_i,
  .psum_i(u_psum.commit_q), .psum_data_i(u_psum.commit_data),
  .lower_i(u_psum.lower_commit_q), .lower_data_i(u_psum.lower_commit_data),
  .v_i(v_wr), .v_data_i(v_wr_data), .v_skip_i(v_wr_skip), .v_serial_i(v_wr_serial),
  .a_i(a_wr), .a_data_i(a_wr_data), .a_skip_i(a_wr_skip), .a_serial_i(a_wr_serial),
  .dma_valid_i(u_dma.commit_valid), .dma_engine_i(u_dma.commit_engine),
  .dma_commit_pc_i(u_dma.commit_pc), .dma_req_i(dma_write.req),
  .dma_serial_i(u_dma.serial_q),
  .dma_error_i(dma_error_o), .dma_cause_i(dma_cause_o), .dma_pc_i(dma_pc_o),
  .issue_i({gen_seq[3].u_sequencer.push, gen_seq[2].u_sequencer.push,
            gen_seq[1].u_sequencer.push, gen_seq[0].u_sequencer.push}),
  .issue_pair_i(gen_seq[0].u_sequencer.pair), .second0_i(gen_seq[0].u_sequencer.second),
  .instr0_i(gen_seq[0].u_sequencer.fetched), .instr1_i(gen_seq[1].u_sequencer.fetched),
  .instr2_i(gen_seq[2].u_sequencer.fetched), .instr3_i(gen_seq[3].u_sequencer.fetched),
  .seq_state_i(seq_state_o), .seq_pc_i(seq_pc_o),
  .seq_serial_i({gen_seq[3].u_sequencer.serial_q, gen_seq[2].u_sequencer.serial_q,
                 gen_seq[1].u_sequencer.serial_q, gen_seq[0].u_sequencer.serial_q}),
  .seq_cause_i(seq_cause_o)
);
