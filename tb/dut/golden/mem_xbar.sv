// SPDX-License-Identifier: Apache-2.0
// The memories of a model chip: takes the place of rtl/mem/mem_xbar.sv between the host port, the
// fabric's receivers and the golden model, which has HBM and SBUF. Every request is served at once;
// the golden cores do not come this way.

module mem_xbar (
  input  logic clk_i,
  input  logic rst_ni,

  // requester 0: core 0 instruction fetch (reads only)
  input  logic fetch0_req_valid_i,
  output logic fetch0_req_ready_o,
  input  size_pkg::mem_req_t fetch0_req_i,
  output logic fetch0_req_err_o,
  output logic fetch0_rsp_valid_o,
  input  logic fetch0_rsp_ready_i,
  output size_pkg::mem_rsp_t fetch0_rsp_o,
  output logic fetch0_rsp_err_o,

  // requester 1: core 0 DMA reads (reads only)
  input  logic dma_rd0_req_valid_i,
  output logic dma_rd0_req_ready_o,
  input  size_pkg::mem_req_t dma_rd0_req_i,
  output logic dma_rd0_req_err_o,
  output logic dma_rd0_rsp_valid_o,
  input  logic dma_rd0_rsp_ready_i,
  output size_pkg::mem_rsp_t dma_rd0_rsp_o,
  output logic dma_rd0_rsp_err_o,

  // requester 2: core 0 DMA writes (writes only)
  input  logic dma_wr0_req_valid_i,
  output logic dma_wr0_req_ready_o,
  input  size_pkg::mem_req_t dma_wr0_req_i,
  output logic dma_wr0_req_err_o,
  output logic dma_wr0_settled_o,

  // requester 3: core 1 instruction fetch (reads only)
  input  logic fetch1_req_valid_i,
  output logic fetch1_req_ready_o,
  input  size_pkg::mem_req_t fetch1_req_i,
  output logic fetch1_req_err_o,
  output logic fetch1_rsp_valid_o,
  input  logic fetch1_rsp_ready_i,
  output size_pkg::mem_rsp_t fetch1_rsp_o,
  output logic fetch1_rsp_err_o,

  // requester 4: core 1 DMA reads (reads only)
  input  logic dma_rd1_req_valid_i,
  output logic dma_rd1_req_ready_o,
  input  size_pkg::mem_req_t dma_rd1_req_i,
  output logic dma_rd1_req_err_o,
  output logic dma_rd1_rsp_valid_o,
  input  logic dma_rd1_rsp_ready_i,
  output size_pkg::mem_rsp_t dma_rd1_rsp_o,
  output logic dma_rd1_rsp_err_o,

  // requester 5: core 1 DMA writes (writes only)
  input  logic dma_wr1_req_valid_i,
  output logic dma_wr1_req_ready_o,
  input  size_pkg::mem_req_t dma_wr1_req_i,
  output logic dma_wr1_req_err_o,
  output logic dma_wr1_settled_o,

  // requester 6: fabric receiver, local port 0 (writes only)
  input  logic rx0_req_valid_i,
  output logic rx0_req_ready_o,
  input  size_pkg::mem_req_t rx0_req_i,
  output logic rx0_req_err_o,
  output logic rx0_settled_o,

  // requester 7: fabric receiver, local port 1 (writes only)
  input  logic rx1_req_valid_i,
  output logic rx1_req_ready_o,
  input  size_pkg::mem_req_t rx1_req_i,
  output logic rx1_req_err_o,
  output logic rx1_settled_o,

  // requester 8: host port
  input  logic host_req_valid_i,
  output logic host_req_ready_o,
  input  size_pkg::mem_req_t host_req_i,
  output logic host_req_err_o,
  output logic host_settled_o,
  output logic host_rsp_valid_o,
  input  logic host_rsp_ready_i,
  output size_pkg::mem_rsp_t host_rsp_o,
  output logic host_rsp_err_o,

  output logic hbm0_req_valid_o,
  input  logic hbm0_req_ready_i,
  output size_pkg::mem_req_t hbm0_req_o,
  input  logic hbm0_rsp_valid_i,
  output logic hbm0_rsp_ready_o,
  input  size_pkg::mem_rsp_t hbm0_rsp_i,

  output logic hbm1_req_valid_o,
  input  logic hbm1_req_ready_i,
  output size_pkg::mem_req_t hbm1_req_o,
  input  logic hbm1_rsp_valid_i,
  output logic hbm1_rsp_ready_o,
  input  size_pkg::mem_rsp_t hbm1_rsp_i,

  output logic sbuf0_req_valid_o,
  input  logic sbuf0_req_ready_i,
  output size_pkg::mem_req_t sbuf0_req_o,
  input  logic sbuf0_rsp_valid_i,
  output logic sbuf0_rsp_ready_o,
  input  size_pkg::mem_rsp_t sbuf0_rsp_i,

  output logic sbuf1_req_valid_o,
  input  logic sbuf1_req_ready_i,
  output size_pkg::mem_req_t sbuf1_req_o,
  input  logic sbuf1_rsp_valid_i,
  output logic sbuf1_rsp_ready_o,
  input  size_pkg::mem_rsp_t sbuf1_rsp_i
);

  // ---------------------------------------------------------------- the fabric's writes
  function automatic logic unmapped(input logic [47:0] addr);
    unmapped = !golden_dpi::dodeca_golden_mapped(64'(addr));
  endfunction

  always_comb begin
    rx0_req_err_o = 1'b0;
    rx1_req_err_o = 1'b0;
    if (rx0_req_valid_i) rx0_req_err_o = unmapped(rx0_req_i.addr);
    if (rx1_req_valid_i) rx1_req_err_o = unmapped(rx1_req_i.addr);
  end
  always_ff @(posedge clk_i) begin
    if (rst_ni && rx0_req_valid_i && rx0_req_i.write && !rx0_req_err_o) begin
      golden_dpi::dodeca_golden_write(64'(rx0_req_i.addr), 32'(rx0_req_i.bytes), rx0_req_i.data);
    end
    if (rst_ni && rx1_req_valid_i && rx1_req_i.write && !rx1_req_err_o) begin
      golden_dpi::dodeca_golden_write(64'(rx1_req_i.addr), 32'(rx1_req_i.bytes), rx1_req_i.data);
    end
    if (rst_ni && host_req_valid_i && host_req_i.write) begin
      golden_dpi::dodeca_golden_write(64'(host_req_i.addr), 32'(host_req_i.bytes), host_req_i.data);
    end
  end
  assign rx0_req_ready_o  = 1'b1;
  assign rx1_req_ready_o  = 1'b1;
  assign rx0_settled_o    = 1'b1;
  assign rx1_settled_o    = 1'b1;

  // ---------------------------------------------------------------- the host
  // It asks for HBM only, and always takes the answer.
  always_ff @(posedge clk_i or negedge rst_ni) begin
    bit [golden_dpi::LineBits-1:0] line;
    if (!rst_ni) begin
      host_rsp_valid_o <= 1'b0;
    end else begin
      host_rsp_valid_o <= host_req_valid_i && !host_req_i.write;
      if (host_req_valid_i && !host_req_i.write) begin
        golden_dpi::dodeca_golden_read(64'(host_req_i.addr), line);
        host_rsp_o.data <= line;
        host_rsp_o.tag  <= host_req_i.tag;
      end
    end
  end
  assign host_req_ready_o = 1'b1;
  assign host_req_err_o   = 1'b0;
  assign host_settled_o   = 1'b1;
  assign host_rsp_err_o   = 1'b0;

  // ---------------------------------------------------------------- silent
  assign fetch0_req_ready_o  = '0;
  assign fetch0_req_err_o    = '0;
  assign fetch0_rsp_valid_o  = '0;
  assign fetch0_rsp_o        = '0;
  assign fetch0_rsp_err_o    = '0;
  assign dma_rd0_req_ready_o = '0;
  assign dma_rd0_req_err_o   = '0;
  assign dma_rd0_rsp_valid_o = '0;
  assign dma_rd0_rsp_o       = '0;
  assign dma_rd0_rsp_err_o   = '0;
  assign dma_wr0_req_ready_o = '0;
  assign dma_wr0_req_err_o   = '0;
  assign dma_wr0_settled_o   = '1;
  assign fetch1_req_ready_o  = '0;
  assign fetch1_req_err_o    = '0;
  assign fetch1_rsp_valid_o  = '0;
  assign fetch1_rsp_o        = '0;
  assign fetch1_rsp_err_o    = '0;
  assign dma_rd1_req_ready_o = '0;
  assign dma_rd1_req_err_o   = '0;
  assign dma_rd1_rsp_valid_o = '0;
  assign dma_rd1_rsp_o       = '0;
  assign dma_rd1_rsp_err_o   = '0;
  assign dma_wr1_req_ready_o = '0;
  assign dma_wr1_req_err_o   = '0;
  assign dma_wr1_settled_o   = '1;
  assign hbm0_req_valid_o    = '0;
  assign hbm0_req_o          = '0;
  assign hbm0_rsp_ready_o    = '0;
  assign hbm1_req_valid_o    = '0;
  assign hbm1_req_o          = '0;
  assign hbm1_rsp_ready_o    = '0;
  assign sbuf0_req_valid_o   = '0;
  assign sbuf0_req_o         = '0;
  assign sbuf0_rsp_ready_o   = '0;
  assign sbuf1_req_valid_o   = '0;
  assign sbuf1_req_o         = '0;
  assign sbuf1_rsp_ready_o   = '0;

  logic unused;
  assign unused = ^{host_rsp_ready_i, rx0_req_i.tag, rx1_req_i.tag,
                    fetch0_req_valid_i, fetch0_req_i, fetch0_rsp_ready_i, dma_rd0_req_valid_i,
                    dma_rd0_req_i, dma_rd0_rsp_ready_i, dma_wr0_req_valid_i, dma_wr0_req_i,
                    fetch1_req_valid_i, fetch1_req_i, fetch1_rsp_ready_i, dma_rd1_req_valid_i,
                    dma_rd1_req_i, dma_rd1_rsp_ready_i, dma_wr1_req_valid_i, dma_wr1_req_i,
                    hbm0_req_ready_i, hbm0_rsp_valid_i, hbm0_rsp_i, hbm1_req_ready_i,
                    hbm1_rsp_valid_i, hbm1_rsp_i, sbuf0_req_ready_i, sbuf0_rsp_valid_i,
                    sbuf0_rsp_i, sbuf1_req_ready_i, sbuf1_rsp_valid_i, sbuf1_rsp_i};

endmodule
