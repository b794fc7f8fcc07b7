// SPDX-License-Identifier: Apache-2.0
// mem_xbar with its channels as arrays of pins, for mem_xbar_test.
module mem_xbar_top #(
  localparam int unsigned R = mem_xbar_pkg::Requesters,
  localparam int unsigned M = mem_xbar_pkg::Memories
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic [R-1:0] req_valid_i,
  output logic [R-1:0] req_ready_o,
  input  size_pkg::mem_req_t req_i [R],
  output logic [R-1:0] req_err_o,
  output logic [R*M-1:0] stuck_o,
  output logic [R-1:0] rsp_valid_o,
  input  logic [R-1:0] rsp_ready_i,
  output size_pkg::mem_rsp_t rsp_o [R],
  output logic [R-1:0] rsp_err_o,

  output logic [M-1:0] mem_req_valid_o,
  input  logic [M-1:0] mem_req_ready_i,
  output size_pkg::mem_req_t mem_req_o [M],
  input  logic [M-1:0] mem_rsp_valid_i,
  output logic [M-1:0] mem_rsp_ready_o,
  input  size_pkg::mem_rsp_t mem_rsp_i [M]
);

  mem_if from [R] ();
  mem_if to [M] ();
  for (genvar r = 0; r < R; r++) begin : gen_from
    assign from[r].req_valid = req_valid_i[r];
    assign from[r].req       = req_i[r];
    assign from[r].rsp_ready = rsp_ready_i[r];
    assign req_ready_o[r]    = from[r].req_ready;
    assign req_err_o[r]      = from[r].req_err;
    assign stuck_o[r*M+:M]   = from[r].stuck;
    assign rsp_valid_o[r]    = from[r].rsp_valid;
    assign rsp_o[r]          = from[r].rsp;
    assign rsp_err_o[r]      = from[r].rsp_err;
  end
  for (genvar m = 0; m < M; m++) begin : gen_to
    assign mem_req_valid_o[m] = to[m].req_valid;
    assign mem_req_o[m]       = to[m].req;
    assign mem_rsp_ready_o[m] = to[m].rsp_ready;
    assign to[m].req_ready    = mem_req_ready_i[m];
    assign to[m].rsp_valid    = mem_rsp_valid_i[m];
    assign to[m].rsp          = mem_rsp_i[m];
  end
  logic unused_idle;
  mem_xbar u_xbar (.clk_i, .rst_ni, .from, .to, .idle_o(unused_idle));

endmodule
