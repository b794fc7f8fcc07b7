// SPDX-License-Identifier: Apache-2.0
// The memories of a model chip: takes the place of rtl/mem/mem_xbar.sv between the host port, the
// fabric's receivers and the golden model, which has HBM and SBUF. Every request is served at once;
// the golden cores do not come this way.

module mem_xbar #(
  localparam int unsigned R = mem_xbar_pkg::Requesters,
  localparam int unsigned M = mem_xbar_pkg::Memories,
  localparam int unsigned Host = mem_xbar_pkg::Host
) (
  input logic clk_i,
  input logic rst_ni,
  mem_if.crossbar from [R],
  mem_if.client to [M],
  output logic idle_o
);

  assign idle_o = 1'b0;

  // ---------------------------------------------------------------- writes
  for (genvar r = 0; r < R; r++) begin : gen_requester
    if (r < mem_xbar_pkg::Rx) begin : gen_silent
      assign from[r].req_ready = 1'b0;
      assign from[r].req_err   = 1'b0;
    end else begin : gen_served
      assign from[r].req_ready = 1'b1;
      always_comb begin
        from[r].req_err = 1'b0;
        if (from[r].req_valid) begin
          from[r].req_err = !golden_dpi::dodeca_golden_mapped(64'(from[r].req.addr));
        end
      end
      always_ff @(posedge clk_i) begin
        if (rst_ni && from[r].req_valid && from[r].req.write && !from[r].req_err) begin
          golden_dpi::dodeca_golden_write(64'(from[r].req.addr), 32'(from[r].req.bytes),
                                          from[r].req.data);
        end
      end
    end
    assign from[r].stuck   = '0;
    assign from[r].rsp_err = 1'b0;
    if (r != Host) begin : gen_no_answer
      assign from[r].rsp_valid = 1'b0;
      assign from[r].rsp       = '0;
    end
  end

  // ---------------------------------------------------------------- the host
  // It asks for HBM only, and always takes the answer.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    bit [golden_dpi::LineBits-1:0] line;
    if (!rst_ni) begin
      from[Host].rsp_valid <= 1'b0;
    end else begin
      from[Host].rsp_valid <= from[Host].req_valid && !from[Host].req.write;
      if (from[Host].req_valid && !from[Host].req.write) begin
        golden_dpi::dodeca_golden_read(64'(from[Host].req.addr), line);
        from[Host].rsp.data <= line;
        from[Host].rsp.tag  <= from[Host].req.tag;
      end
    end
  end

  // ---------------------------------------------------------------- silent
  for (genvar m = 0; m < M; m++) begin : gen_memory
    assign to[m].req_valid = 1'b0;
    assign to[m].req       = '0;
    assign to[m].rsp_ready = 1'b0;
  end

endmodule
