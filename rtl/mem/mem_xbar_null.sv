// SPDX-License-Identifier: Apache-2.0
// Request register of mem_xbar for addresses where no memory is: keeps only what a read's answer
// needs. A write there ends at once.
module mem_xbar_null (
  input  logic clk_i,

  input  logic take_i,
  input  logic [3:0] pick_i,
  input  size_pkg::mem_req_t fetch0_req_i,
  input  size_pkg::mem_req_t dma_rd0_req_i,
  input  size_pkg::mem_req_t dma_wr0_req_i,
  input  size_pkg::mem_req_t fetch1_req_i,
  input  size_pkg::mem_req_t dma_rd1_req_i,
  input  size_pkg::mem_req_t dma_wr1_req_i,
  input  size_pkg::mem_req_t rx0_req_i,
  input  size_pkg::mem_req_t rx1_req_i,
  input  size_pkg::mem_req_t host_req_i,

  output logic write_o,                       // what is taken at this edge is a write
  output logic [11:0] tag_o                   // of the read that waits for its answer
);
  /* verilator inline_module */  // as a pin, each line would be copied in every cycle

  logic [7:0] tag;

  always_comb begin
    tag     = '0;
    write_o = 1'b0;
    if (take_i) begin
      unique case (pick_i)
        4'd0: begin tag = fetch0_req_i.tag[7:0]; write_o = fetch0_req_i.write; end
        4'd1: begin tag = dma_rd0_req_i.tag[7:0]; write_o = dma_rd0_req_i.write; end
        4'd2: begin tag = dma_wr0_req_i.tag[7:0]; write_o = dma_wr0_req_i.write; end
        4'd3: begin tag = fetch1_req_i.tag[7:0]; write_o = fetch1_req_i.write; end
        4'd4: begin tag = dma_rd1_req_i.tag[7:0]; write_o = dma_rd1_req_i.write; end
        4'd5: begin tag = dma_wr1_req_i.tag[7:0]; write_o = dma_wr1_req_i.write; end
        4'd6: begin tag = rx0_req_i.tag[7:0]; write_o = rx0_req_i.write; end
        4'd7: begin tag = rx1_req_i.tag[7:0]; write_o = rx1_req_i.write; end
        default: begin tag = host_req_i.tag[7:0]; write_o = host_req_i.write; end
      endcase
    end
  end

  always_ff @(posedge clk_i) begin
    if (take_i) tag_o <= {pick_i, tag};
  end

endmodule
