// SPDX-License-Identifier: Apache-2.0
// Request register of one memory behind mem_xbar: takes the request that mem_xbar_arbiter picked.
//
// req_o is valid as long as the arbiter says so; its tag[11:8] is the requester's number.
module mem_xbar_request #(
  parameter bit Sbuf = 1'b0                   // addresses become offsets inside the core's window
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic take_i,                        // fill the register at this edge ...
  input  logic [3:0] pick_i,                  // ... with this requester's
  input  size_pkg::mem_req_t fetch0_req_i,
  input  size_pkg::mem_req_t dma_rd0_req_i,
  input  size_pkg::mem_req_t dma_wr0_req_i,
  input  size_pkg::mem_req_t fetch1_req_i,
  input  size_pkg::mem_req_t dma_rd1_req_i,
  input  size_pkg::mem_req_t dma_wr1_req_i,
  input  size_pkg::mem_req_t rx0_req_i,
  input  size_pkg::mem_req_t rx1_req_i,
  input  size_pkg::mem_req_t host_req_i,

  input  logic valid_i,
  output size_pkg::mem_req_t req_o
);
  /* verilator inline_module */  // as a pin, each line would be copied in every cycle

  always_ff @(posedge clk_i) begin
    if (take_i) begin
      unique case (pick_i)
        4'd0: req_o <= fetch0_req_i;
        4'd1: req_o <= dma_rd0_req_i;
        4'd2: req_o <= dma_wr0_req_i;
        4'd3: req_o <= fetch1_req_i;
        4'd4: req_o <= dma_rd1_req_i;
        4'd5: req_o <= dma_wr1_req_i;
        4'd6: req_o <= rx0_req_i;
        4'd7: req_o <= rx1_req_i;
        default: req_o <= host_req_i;
      endcase
      req_o.tag[11:8] <= pick_i;
      if (Sbuf) req_o.addr[47:25] <= '0;
    end
  end

  // Looking into a wide struct is an immediate assertion: a property would sample all of it.
  localparam int unsigned LineBits = $clog2(size_pkg::LineBytes);
  always_ff @(posedge clk_i) begin
    if (rst_ni && valid_i) begin
      InLine_A: assert (32'(req_o.addr[LineBits-1:0]) + 32'(req_o.bytes) <= size_pkg::LineBytes);
    end
  end

endmodule
