// SPDX-License-Identifier: Apache-2.0
// The host port with everything on its register bus: the registers of both cores and of the fabric.
module host_top #(
  localparam int unsigned N = defs_pkg::Sequencers,
  localparam int unsigned E = size_pkg::DmaEngines
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic fabric_en_i,
  input  logic [9:0] chip_id_i,
  input  logic [4:0] ring_size_i,

  input  defs_pkg::host_req_t host_req_i,
  output defs_pkg::host_rsp_t host_rsp_o,

  output logic               mem_req_valid_o,
  input  logic               mem_req_ready_i,
  output size_pkg::mem_req_t mem_req_o,
  input  logic               mem_settled_i,
  input  logic               mem_rsp_valid_i,
  input  size_pkg::mem_rsp_t mem_rsp_i,

  output logic [1:0][N-1:0]       seq_start_o,
  input  logic [1:0][N-1:0][1:0]  seq_state_i,
  input  logic [1:0][N-1:0][31:0] seq_pc_i,
  input  logic [1:0][N-1:0][7:0]  seq_cause_i,
  input  logic [1:0][N-1:0]       seq_event_valid_i,
  input  logic [1:0][E-1:0]       dma_error_i,
  input  logic [1:0][E-1:0][7:0]  dma_cause_i,
  input  logic [1:0][E-1:0][31:0] dma_pc_i,
  output logic [1:0]              tensor_rd_o,
  output logic [1:0][2:0]         tensor_index_o,
  input  logic [1:0][47:0]        tensor_count_i,

  input  logic        fabric_stalled_i,
  output logic [63:0] fabric_wdata_o,
  output logic        fabric_write_o,
  output logic [3:0]  fabric_index_o,
  input  logic [63:0] fabric_rdata_i,
  output logic        count_write_o,
  output logic [7:0]  count_index_o,
  input  logic [63:0] count_rdata_i,
  output logic        mgmt_send_o,
  output logic [3:0]  mgmt_dst_o,
  input  logic [2:0]  mgmt_status_i,

  output logic quiet_o
);

  logic apply, fabric_select;
  logic [1:0] core_select;
  defs_pkg::reg_req_t core_req, fabric_req;
  defs_pkg::reg_rsp_t [1:0] core_rsp;
  defs_pkg::reg_rsp_t fabric_rsp;
  host_if u_host (
    .clk_i, .rst_ni, .fabric_en_i, .chip_id_i, .ring_size_i, .host_req_i, .host_rsp_o,
    .mem_req_valid_o, .mem_req_ready_i, .mem_req_o, .mem_settled_i, .mem_rsp_valid_i, .mem_rsp_ready_o(), .mem_rsp_i,
    .reg_apply_o(apply), .core_select_o(core_select), .core_reg_o(core_req), .core_reg_i(core_rsp),
    .fabric_select_o(fabric_select), .fabric_reg_o(fabric_req), .fabric_reg_i(fabric_rsp),
    .seq_state_i, .seq_pc_i, .seq_cause_i, .seq_event_valid_i, .seq_event_ready_o(),
    .dma_error_i, .dma_cause_i, .dma_pc_i, .rx_upd_error_i('0),
    .fabric_error_i('0), .fabric_cause_i('0), .fabric_pc_i('0), .fabric_stalled_i, .quiet_o
  );
  for (genvar c = 0; c < 2; c++) begin : gen_core
    core_regs u_regs (
      .clk_i, .rst_ni, .select_i(core_select[c]), .apply_i(apply), .reg_i(core_req), .reg_o(core_rsp[c]),
      .seq_start_o(seq_start_o[c]), .seq_base_o(), .seq_count_o(),
      .seq_state_i(seq_state_i[c]), .seq_pc_i(seq_pc_i[c]), .seq_cause_i(seq_cause_i[c]),
      .ring_base_o(), .ring_count_o(), .dma_cause_i(dma_cause_i[c]), .dma_pc_i(dma_pc_i[c]),
      .tensor_rd_o(tensor_rd_o[c]), .tensor_index_o(tensor_index_o[c]), .tensor_count_i(tensor_count_i[c])
    );
  end
  fabric_registers u_fabric (
    .clk_i, .rst_ni, .select_i(fabric_select), .apply_i(apply), .reg_i(fabric_req), .reg_o(fabric_rsp), .write_o(),
    .settings_o(), .keys_o(), .control_write_o(fabric_write_o), .control_index_o(fabric_index_o),
    .control_rdata_i(fabric_rdata_i), .count_write_o, .count_index_o, .count_rdata_i,
    .mgmt_send_o, .mgmt_dst_o, .mgmt_status_i, .violations_i('0), .violation_i('0),
    .now_i(fabric_rdata_i[47:32])  // as FabricSwitch reads
  );
  assign fabric_wdata_o = fabric_req.data;

endmodule
