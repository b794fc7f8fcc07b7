// SPDX-License-Identifier: Apache-2.0
// The four sequencers of a core share one memory channel: round robin, answers sorted by tag.
//
//   tag[7:6] sequencer   tag[5:0] slot
//
// The chosen address is registered once, so a sequencer may withdraw its request. Answers are
// always taken: a request is only made for a free slot.
`include "assert.svh"

module fetch_mux #(
  localparam int unsigned N        = defs_pkg::Sequencers,
  localparam int unsigned LineBits = size_pkg::LineBytes * 8,
  localparam int unsigned SlotBits = 6
) (
  input  logic clk_i,
  input  logic rst_ni,

  // Requester i in slice i.
  input  logic [N-1:0]          req_valid_i,
  output logic [N-1:0]          req_ready_o,
  input  logic [N*48-1:0]       req_addr_i,
  input  logic [N*SlotBits-1:0] req_slot_i,

  output logic [N-1:0]        rsp_valid_o,
  output logic [SlotBits-1:0] rsp_slot_o,
  output logic [LineBits-1:0] rsp_data_o,

  output logic               mem_req_valid_o,
  input  logic               mem_req_ready_i,
  output size_pkg::mem_req_t mem_req_o,
  input  logic               mem_rsp_valid_i,
  output logic               mem_rsp_ready_o,
  input  size_pkg::mem_rsp_t mem_rsp_i,

  output logic quiet_o
);

  // ---------------------------------------------------------------- requests
  logic in_ready;
  logic [N-1:0] grant;
  logic [1:0] index;
  logic valid;
  prim_rr_arbiter #(.Requests(N)) u_arbiter (
    .clk_i, .rst_ni,
    .request_i(req_valid_i), .accept_i(in_ready),
    .grant_o(grant), .index_o(index), .valid_o(valid)
  );
  assign req_ready_o = in_ready ? grant : '0;

  logic [47:0] addr;
  logic [7:0] tag;
  prim_skid_buffer #(.Width(48 + 8)) u_request (
    .clk_i, .rst_ni,
    .in_valid_i(valid), .in_ready_o(in_ready),
    .in_i({req_addr_i[index*48 +: 48], index, req_slot_i[index*SlotBits +: SlotBits]}),
    .out_valid_o(mem_req_valid_o), .out_ready_i(mem_req_ready_i), .out_o({addr, tag})
  );

  // Fetches only read: the data field is a constant.
  assign mem_req_o = '{write: 1'b0, addr: addr, bytes: 9'(size_pkg::LineBytes), tag: {4'd0, tag},
                       data: '0};

  // ---------------------------------------------------------------- answers
  always_comb begin
    rsp_valid_o = '0;
    rsp_valid_o[mem_rsp_i.tag[7:6]] = mem_rsp_valid_i;
  end
  assign rsp_slot_o      = mem_rsp_i.tag[5:0];
  assign rsp_data_o      = mem_rsp_i.data;
  assign mem_rsp_ready_o = 1'b1;
  assign quiet_o         = !mem_req_valid_o;

  logic unused_tag;
  assign unused_tag = ^mem_rsp_i.tag[11:8];

  // Only one sequencer is served at a time.
  `ASSERT_NOW(ReadyIsOneHot_A, $onehot0(req_ready_o))

endmodule
