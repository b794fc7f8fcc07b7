// SPDX-License-Identifier: Apache-2.0
// One output of the crossbar: takes the payload of the crossbar input that won it.
module fabric_cross (
  input  logic clk_i,

  input  logic valid_i,
  input  logic [3:0] from_i,
  input  logic [511:0] payload0_i,
  input  logic [511:0] payload1_i,
  input  logic [511:0] payload2_i,
  input  logic [511:0] payload3_i,
  input  logic [511:0] payload4_i,
  input  logic [511:0] payload5_i,
  input  logic [511:0] payload6_i,
  input  logic [511:0] payload7_i,
  input  logic [511:0] payload8_i,
  input  logic [511:0] payload9_i,
  input  logic [511:0] payload10_i,
  input  logic [511:0] payload11_i,

  output logic [511:0] payload_o
);

  // Payloads move only under a grant: a multiplexer that nobody uses costs nothing to simulate.
  always_ff @(posedge clk_i) begin
    if (valid_i) begin
      unique case (from_i)
        4'd0:    payload_o <= payload0_i;
        4'd1:    payload_o <= payload1_i;
        4'd2:    payload_o <= payload2_i;
        4'd3:    payload_o <= payload3_i;
        4'd4:    payload_o <= payload4_i;
        4'd5:    payload_o <= payload5_i;
        4'd6:    payload_o <= payload6_i;
        4'd7:    payload_o <= payload7_i;
        4'd8:    payload_o <= payload8_i;
        4'd9:    payload_o <= payload9_i;
        4'd10:   payload_o <= payload10_i;
        default: payload_o <= payload11_i;
      endcase
    end
  end

endmodule
