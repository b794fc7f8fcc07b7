// SPDX-License-Identifier: Apache-2.0
// One of a chip's two cores: four sequencers with their engines around SBUF and PSUM, and the DMA.
//
//   u_fetch --> gen_seq[0] --> u_tensor --> u_psum --> u_vector <-- gen_seq[1]
//                                 ^           |        |     ^
//                                 |           +-----> u_act  |  <-- gen_seq[2]
//                                 |                    v     v
//                                 +------------------ u_sbuf <--> line port (mem_xbar)
//               gen_seq[3] --> u_sync --> u_dma <--> mem_xbar, fabric_node
//
// Wiring only. Update port i < 4 belongs to sequencer i, 4 to the DMA.
`include "assert.svh"

module core #(
  localparam int unsigned E = size_pkg::DmaEngines,
  localparam int unsigned N = defs_pkg::Sequencers,
  localparam int unsigned LineBits = size_pkg::LineBytes * 8
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic       core_id_i,
  input  logic [9:0] chip_id_i,
  input  logic [4:0] ring_size_i,
  input  defs_pkg::peer_access_t peer_i,  // what the other core shares

  // registers: see reg_req
  input  logic               reg_select_i,
  input  logic               reg_apply_i,
  input  defs_pkg::reg_req_t reg_i,
  output defs_pkg::reg_rsp_t reg_o,

  // status, and events for the host
  output logic [N-1:0][1:0]  seq_state_o,
  output logic [N-1:0][31:0] seq_pc_o,
  output logic [N-1:0][7:0]  seq_cause_o,
  output logic [N-1:0]       seq_event_valid_o,
  input  logic [N-1:0]       seq_event_ready_i,
  output logic [E-1:0]       dma_error_o,
  output logic [E-1:0][7:0]  dma_cause_o,
  output logic [E-1:0][31:0] dma_pc_o,

  // semaphores: waited for, then to be updated
  output logic [2*N*9-1:0]            wait_sem_o,
  input  logic [2*N*16-1:0]           wait_value_i,
  output logic [N:0]                  upd_valid_o,
  output defs_pkg::sem_update_t [N:0] upd_o,
  output logic [N:0][31:0]            upd_pc_o,
  output logic [N:0][31:0]            upd_serial_o,
  output logic [N-1:0]                upd_take_o,
  output logic [3:0]                  upd_dma_engine_o,
  input  logic [N:0]                  upd_error_i,

  mem_if.requester fetch,
  mem_if.requester dma_read,
  mem_if.requester dma_write,
  mem_if.memory    sbuf_line,

  output logic                 msg_valid_o,
  input  logic                 msg_ready_i,
  output size_pkg::msg_chunk_t msg_o,

  output logic quiet_o,
  output logic asleep_o  // see core_clock
);

  // ---------------------------------------------------------------- registers
  logic [N-1:0]       seq_start;
  logic [N-1:0][47:0] seq_base;
  logic [N-1:0][24:0] seq_count;
  logic [E-1:0][47:0] ring_base;
  logic [E-1:0][15:0] ring_count;
  logic               tensor_rd;
  logic [2:0]         tensor_index;
  logic [47:0]        tensor_count;
  core_regs u_regs (
    .clk_i, .rst_ni, .select_i(reg_select_i), .apply_i(reg_apply_i), .reg_i, .reg_o,
    .seq_start_o(seq_start), .seq_base_o(seq_base), .seq_count_o(seq_count),
    .seq_state_i(seq_state_o), .seq_pc_i(seq_pc_o), .seq_cause_i(seq_cause_o),
    .ring_base_o(ring_base), .ring_count_o(ring_count),
    .dma_cause_i(dma_cause_o), .dma_pc_i(dma_pc_o),
    .tensor_rd_o(tensor_rd), .tensor_index_o(tensor_index), .tensor_count_i(tensor_count)
  );

  // ---------------------------------------------------------------- sequencers
  logic [N-1:0]       line_req_valid, line_req_ready, line_rsp_valid;
  logic [N-1:0][47:0] line_req_addr;
  logic [N-1:0][5:0]  line_req_slot;
  logic [5:0]          line_rsp_slot;
  logic [LineBits-1:0] line_rsp_data;
  logic fetch_quiet;
  fetch_mux u_fetch (
    .clk_i, .rst_ni,
    .req_valid_i(line_req_valid), .req_ready_o(line_req_ready),
    .req_addr_i(line_req_addr), .req_slot_i(line_req_slot),
    .rsp_valid_o(line_rsp_valid), .rsp_slot_o(line_rsp_slot), .rsp_data_o(line_rsp_data),
    .mem_req_valid_o(fetch.req_valid), .mem_req_ready_i(fetch.req_ready), .mem_req_o(fetch.req),
    .mem_rsp_valid_i(fetch.rsp_valid), .mem_rsp_ready_o(fetch.rsp_ready), .mem_rsp_i(fetch.rsp),
    .quiet_o(fetch_quiet)
  );

  logic [N-1:0] instr_valid, instr_ready, second_valid, error_valid, busy, seq_quiet, seq_asleep;
  logic [N-1:0][1:0] done;  // how many; only the tensor engine does two at a time
  assign {done[3][1], done[2][1], done[1][1]} = '0;
  defs_pkg::instr_t instr [N];
  defs_pkg::instr_t second [N];
  logic unused_second;
  assign unused_second = ^{second_valid[N-1:1], second[1], second[2], second[3]};
  logic [N-1:0][31:0] instr_pc, instr_serial, error_serial;
  defs_pkg::error_cause_e [N-1:0] error_cause, seq_cause;
  assign seq_cause_o = seq_cause;
  for (genvar i = 0; i < N; i++) begin : gen_seq
    sequencer u_sequencer (
      .clk_i, .rst_ni, .engine_i(defs_pkg::engine_e'(6'(i))), .core_id_i, .peer_i,
      .start_i(seq_start[i]), .base_i(seq_base[i]), .count_i(seq_count[i]),
      .state_o(seq_state_o[i]), .pc_o(seq_pc_o[i]), .cause_o(seq_cause[i]),
      .event_valid_o(seq_event_valid_o[i]), .event_ready_i(seq_event_ready_i[i]),
      .fetch_req_valid_o(line_req_valid[i]), .fetch_req_ready_i(line_req_ready[i]),
      .fetch_req_addr_o(line_req_addr[i]), .fetch_req_slot_o(line_req_slot[i]),
      .fetch_rsp_valid_i(line_rsp_valid[i]), .fetch_rsp_slot_i(line_rsp_slot),
      .fetch_rsp_data_i(line_rsp_data),
      .wait_sem_o(wait_sem_o[i*9 +: 9]), .wait_value_i(wait_value_i[i*16 +: 16]),
      .room_sem_o(wait_sem_o[(N+i)*9 +: 9]), .room_value_i(wait_value_i[(N+i)*16 +: 16]),
      .upd_valid_o(upd_valid_o[i]), .upd_o(upd_o[i]), .upd_pc_o(upd_pc_o[i]),
      .upd_serial_o(upd_serial_o[i]), .upd_take_o(upd_take_o[i]),
      .upd_error_i(upd_error_i[i]),
      .instr_valid_o(instr_valid[i]), .instr_ready_i(instr_ready[i]), .instr_o(instr[i]),
      .instr_pc_o(instr_pc[i]), .instr_serial_o(instr_serial[i]), .second_valid_o(second_valid[i]), .second_o(second[i]),
      .done_i(done[i]), .error_valid_i(error_valid[i]),
      .error_cause_i(error_cause[i]), .error_serial_i(error_serial[i]), .quiet_o(seq_quiet[i]), .asleep_o(seq_asleep[i])
    );
  end

  // ---------------------------------------------------------------- SBUF
  row_pkg::sbuf_read_t ts_rd, tm_rd, tl_rd, v_rd, a_rd;
  row_pkg::sbuf_row_t ts_rd_data, tm_rd_data, tl_rd_data, v_rd_data, a_rd_data;
  row_pkg::sbuf_write_t v_wr, a_wr;
  row_pkg::lane_row_t v_wr_data, a_wr_data, v_wr_skip, a_wr_skip;
  logic [31:0] v_wr_serial, a_wr_serial;
  sbuf u_sbuf (
    .clk_i, .rst_ni,
    .ts_rd_i(ts_rd), .ts_rd_data_o(ts_rd_data), .tm_rd_i(tm_rd), .tm_rd_data_o(tm_rd_data),
    .tl_rd_i(tl_rd), .tl_rd_data_o(tl_rd_data),
    .v_rd_i(v_rd), .v_rd_data_o(v_rd_data), .v_wr_i(v_wr), .v_wr_data_i(v_wr_data), .v_wr_skip_i(v_wr_skip),
    .a_rd_i(a_rd), .a_rd_data_o(a_rd_data), .a_wr_i(a_wr), .a_wr_data_i(a_wr_data), .a_wr_skip_i(a_wr_skip),
    .req_valid_i(sbuf_line.req_valid), .req_ready_o(sbuf_line.req_ready), .req_i(sbuf_line.req),
    .rsp_valid_o(sbuf_line.rsp_valid), .rsp_ready_i(sbuf_line.rsp_ready), .rsp_o(sbuf_line.rsp)
  );

  // ---------------------------------------------------------------- tensor engine and PSUM
  row_pkg::psum_write_t ps_wr, pl_wr;
  row_pkg::lane_row_t ps_wr_data, pl_wr_data;
  tensor_engine u_tensor (
    .clk_i, .rst_ni,
    .instr_valid_i(instr_valid[0]), .instr_ready_o(instr_ready[0]), .instr_i(instr[0]),
    .serial_i(instr_serial[0]), .second_valid_i(second_valid[0]), .second_i(second[0]),
    .done_o(done[0]), .error_valid_o(error_valid[0]),
    .error_cause_o(error_cause[0]), .error_serial_o(error_serial[0]), .busy_o(busy[0]),
    .count_rd_i(tensor_rd), .count_index_i(tensor_index), .count_o(tensor_count),
    .ts_rd_o(ts_rd), .ts_rd_data_i(ts_rd_data), .tm_rd_o(tm_rd), .tm_rd_data_i(tm_rd_data),
    .tl_rd_o(tl_rd), .tl_rd_data_i(tl_rd_data),
    .ps_wr_o(ps_wr), .ps_wr_data_o(ps_wr_data), .pl_wr_o(pl_wr), .pl_wr_data_o(pl_wr_data)
  );

  row_pkg::psum_read_t v_ps_rd, a_ps_rd;
  logic v_ps_ready, a_ps_ready;
  row_pkg::lane_row_t ps_rd_data;
  psum u_psum (
    .clk_i, .rst_ni,
    .wr_i(ps_wr), .wr_data_i(ps_wr_data), .lower_wr_i(pl_wr), .lower_wr_data_i(pl_wr_data),
    .v_wr_i(v_wr), .v_wr_data_i(v_wr_data), .v_wr_skip_i(v_wr_skip),
    .a_wr_i(a_wr), .a_wr_data_i(a_wr_data), .a_wr_skip_i(a_wr_skip),
    .v_rd_i(v_ps_rd), .v_rd_ready_o(v_ps_ready), .a_rd_i(a_ps_rd), .a_rd_ready_o(a_ps_ready),
    .rd_data_o(ps_rd_data)
  );

  // ---------------------------------------------------------------- vector and activation engine
  lane_engine #(.Engine(32'(defs_pkg::EngineVector))) u_vector (
    .clk_i, .rst_ni,
    .instr_valid_i(instr_valid[1]), .instr_ready_o(instr_ready[1]), .instr_i(instr[1]),
    .serial_i(instr_serial[1]), .done_o(done[1][0]), .error_valid_o(error_valid[1]),
    .error_cause_o(error_cause[1]), .error_serial_o(error_serial[1]), .busy_o(busy[1]),
    .rd_o(v_rd), .rd_data_i(v_rd_data),
    .ps_rd_o(v_ps_rd), .ps_rd_ready_i(v_ps_ready), .ps_rd_data_i(ps_rd_data),
    .wr_o(v_wr), .wr_data_o(v_wr_data), .wr_skip_o(v_wr_skip), .wr_serial_o(v_wr_serial)
  );
  lane_engine #(.Engine(32'(defs_pkg::EngineAct))) u_act (
    .clk_i, .rst_ni,
    .instr_valid_i(instr_valid[2]), .instr_ready_o(instr_ready[2]), .instr_i(instr[2]),
    .serial_i(instr_serial[2]), .done_o(done[2][0]), .error_valid_o(error_valid[2]),
    .error_cause_o(error_cause[2]), .error_serial_o(error_serial[2]), .busy_o(busy[2]),
    .rd_o(a_rd), .rd_data_i(a_rd_data),
    .ps_rd_o(a_ps_rd), .ps_rd_ready_i(a_ps_ready), .ps_rd_data_i(ps_rd_data),
    .wr_o(a_wr), .wr_data_o(a_wr_data), .wr_skip_o(a_wr_skip), .wr_serial_o(a_wr_serial)
  );

  // ---------------------------------------------------------------- sync engine and DMA
  logic trig_valid, trig_ready;
  dma_pkg::trigger_t trig;
  logic dma_busy;
  sync_engine u_sync (
    .clk_i, .rst_ni,
    .instr_valid_i(instr_valid[3]), .instr_ready_o(instr_ready[3]), .instr_i(instr[3]),
    .pc_i(instr_pc[3]), .serial_i(instr_serial[3]), .done_o(done[3][0]), .error_valid_o(error_valid[3]),
    .error_cause_o(error_cause[3]), .error_serial_o(error_serial[3]), .busy_o(busy[3]),
    .trig_valid_o(trig_valid), .trig_ready_i(trig_ready), .trig_engine_o(trig.engine), .trig_count_o(trig.count),
    .trig_start_o(trig.start), .trig_pc_o(trig.pc), .trig_desc_o(trig.desc)
  );
  dma u_dma (
    .clk_i, .rst_ni, .core_id_i, .chip_id_i, .ring_size_i, .peer_i,
    .trig_valid_i(trig_valid), .trig_ready_o(trig_ready), .trig_i(trig),
    .ring_base_i(ring_base), .ring_count_i(ring_count),
    .error_valid_o(dma_error_o), .error_cause_o(dma_cause_o), .error_pc_o(dma_pc_o),
    .busy_o(dma_busy),
    .rd_req_valid_o(dma_read.req_valid), .rd_req_ready_i(dma_read.req_ready),
    .rd_req_o(dma_read.req), .rd_rsp_valid_i(dma_read.rsp_valid),
    .rd_rsp_ready_o(dma_read.rsp_ready), .rd_rsp_i(dma_read.rsp),
    .rd_rsp_err_i(dma_read.rsp_err),
    .wr_req_valid_o(dma_write.req_valid), .wr_req_ready_i(dma_write.req_ready),
    .wr_req_o(dma_write.req), .wr_stuck_i(dma_write.stuck),
    .msg_valid_o, .msg_ready_i, .msg_o,
    .upd_valid_o(upd_valid_o[N]), .upd_o(upd_o[N]), .upd_engine_o(upd_dma_engine_o),
    .upd_pc_o(upd_pc_o[N]), .upd_serial_o(upd_serial_o[N]), .upd_error_i(upd_error_i[N])
  );

  logic nothing_moves;
  assign nothing_moves = fetch_quiet && busy == '0 && !dma_busy && upd_valid_o == '0 && !sbuf_line.rsp_valid;
  assign quiet_o       = (&seq_quiet) && nothing_moves;
  assign asleep_o      = (&seq_asleep) && nothing_moves;

  // The writers' serials are for the tracer (tb/dut/trace/core_tracer.sv) only; the DMA alone names a pc.
  logic unused_trace;
  assign unused_trace = ^{v_wr_serial, a_wr_serial, instr_pc[2:0]};

  // An engine that has nothing to do says so.
  `ASSERT_NOW(QuietMeansIdle_A, quiet_o -> instr_valid == '0 && done == '0)

endmodule
