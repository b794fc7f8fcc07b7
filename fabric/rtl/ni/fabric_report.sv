// SPDX-License-Identifier: Apache-2.0
// Forbidden packets: counts them, keeps the header of the first, and notifies the chip that sent it.
//
// One report at a time: while an Err packet waits to leave, further violations are counted only. The
// sender repeats what was not acknowledged, so a report that was lost or left out comes about again.
module fabric_report #(
  parameter int unsigned Ports = 4
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic [9:0] chip_id_i,

  input  logic [Ports-1:0] violation_i,
  input  logic [128*Ports-1:0] header_i,  // port i in slice i

  output logic [31:0] count_o,
  output logic [127:0] first_o,

  output logic valid_o,
  input  logic ready_i,
  output logic [511:0] word_o,
  output logic [3:0] dst_o
);

  // ---------------------------------------------------------------- the Err packet
  defs_pkg::header_t offending;
  defs_pkg::head_payload_t report;
  logic [31:0] number;
  logic valid_q, any_q;
  logic [3:0] dst_q;
  logic [31:0] count_q;
  logic [127:0] first_q;
  logic [511:0] word_q;
  always_comb begin
    report    = '0;
    offending = '0;
    number    = '0;
    if (violation_i != '0) begin
      for (int unsigned p = 0; p < Ports; p++) begin
        if (violation_i[p]) begin
          offending = header_i[128*p +: 128];
          number    = number + 32'd1;
        end
      end
      report.header.op    = defs_pkg::PktOpErr;
      report.header.dst   = offending.src;
      report.header.src   = chip_id_i;
      report.header.len   = 5'd1;
      report.header.bytes = 11'd16;
      report.inline_data  = {192'd0, offending};
      report.ecrc         = crc_pkg::of_payload(report);
    end
  end

  // ---------------------------------------------------------------- registers
  always_ff @(posedge clk_i) begin
    if (violation_i != '0 && !valid_q) begin
      word_q <= report;
      dst_q  <= offending.src[3:0];
    end
    if (violation_i != '0 && !any_q) first_q <= offending;
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      valid_q <= 1'b0;
      any_q   <= 1'b0;
      count_q <= '0;
    end else begin
      if (violation_i != '0) begin
        valid_q <= 1'b1;
        any_q   <= 1'b1;
        if (count_q < 32'hffff_fff0) count_q <= count_q + number;
      end
      if (ready_i) valid_q <= 1'b0;
    end
  end
  assign valid_o = valid_q;
  assign word_o  = word_q;
  assign dst_o   = dst_q;
  assign count_o = count_q;
  assign first_o = any_q ? first_q : '0;

endmodule
