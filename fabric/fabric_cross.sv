// SPDX-License-Identifier: Apache-2.0
// One output of the crossbar: takes the payload of the crossbar input that won it.
module fabric_cross (
  input  logic clk_i,

  input  logic valid_i,
  input  logic [2:0] from_i,
  input  logic [511:0] payload0_i,
  input  logic [511:0] payload1_i,
  input  logic [511:0] payload2_i,
  input  logic [511:0] payload3_i,
  input  logic [511:0] payload4_i,
  input  logic [511:0] payload5_i,
  input  logic [511:0] payload6_i,
  input  logic [511:0] payload7_i,

  output logic [511:0] payload_o
);

  // Payloads move only under a grant: a multiplexer that nobody uses costs nothing to simulate.
  always_ff @(posedge clk_i) begin
    if (valid_i) begin
      unique case (from_i)
        3'd0:    payload_o <= payload0_i;
        3'd1:    payload_o <= payload1_i;
        3'd2:    payload_o <= payload2_i;
        3'd3:    payload_o <= payload3_i;
        3'd4:    payload_o <= payload4_i;
        3'd5:    payload_o <= payload5_i;
        3'd6:    payload_o <= payload6_i;
        default: payload_o <= payload7_i;
      endcase
    end
  end

endmodule
