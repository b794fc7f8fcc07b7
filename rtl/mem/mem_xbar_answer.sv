// SPDX-License-Identifier: Apache-2.0
// Answer register of one reader behind mem_xbar: takes the answer that mem_xbar_router picked.
module mem_xbar_answer (
  input  logic clk_i,

  input  logic take_i,                        // fill the register at this edge ...
  input  logic [2:0] pick_i,                  // ... with this memory's; 4: none is at the address
  input  size_pkg::mem_rsp_t hbm0_rsp_i,
  input  size_pkg::mem_rsp_t hbm1_rsp_i,
  input  size_pkg::mem_rsp_t sbuf0_rsp_i,
  input  size_pkg::mem_rsp_t sbuf1_rsp_i,
  input  logic [11:0] null_tag_i,

  output size_pkg::mem_rsp_t rsp_o,
  output logic err_o
);
  /* verilator inline_module */  // as a pin, each line would be copied in every cycle

  always_ff @(posedge clk_i) begin
    if (take_i) begin
      unique case (pick_i)
        3'd0: rsp_o <= hbm0_rsp_i;
        3'd1: rsp_o <= hbm1_rsp_i;
        3'd2: rsp_o <= sbuf0_rsp_i;
        3'd3: rsp_o <= sbuf1_rsp_i;
        default: rsp_o <= {null_tag_i, (size_pkg::LineBytes*8)'(0)};
      endcase
      err_o <= pick_i > 3'd3;
    end
  end

endmodule
