// SPDX-License-Identifier: Apache-2.0
// Sender's half of cumulative credits: how many flits the receiver's buffer can still take.
//
// Both sides count, modulo 2^CountBits: the sender what it sent, the receiver what it freed. The
// receiver repeats its count for ever, so a report that is lost or repeated changes nothing: one that
// is older than the last, as a word that the wires say twice, would free more than was sent and is
// ignored. Depth below 2^(CountBits-1) keeps the difference of the two counts unambiguous.
`include "assert.svh"

module prim_credit_counter #(
  parameter int unsigned Depth = 1,
  parameter int unsigned CountBits = 8
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic take_i,

  input  logic report_i,
  input  logic [CountBits-1:0] report_freed_i,

  output logic [CountBits-1:0] available_o,
  output logic home_o
);

  logic [CountBits-1:0] sent_q, freed_q, in_flight;
  logic newer;
  assign newer       = CountBits'(report_freed_i - freed_q) <= in_flight;
  assign in_flight   = sent_q - freed_q;
  assign available_o = CountBits'(Depth) - in_flight;
  assign home_o      = in_flight == '0;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      sent_q  <= '0;
      freed_q <= '0;
    end else begin
      if (take_i) sent_q <= sent_q + CountBits'(1);
      if (report_i && newer) freed_q <= report_freed_i;
    end
  end

  // Credits are conserved: nothing is sent beyond the receiver's buffer, which has no more places than
  // Depth. (One assertion: there are many of these counters in a chip.)
  `ASSERT_NOW(Conserved_A, available_o <= CountBits'(Depth) && (!take_i || available_o != '0))

endmodule
