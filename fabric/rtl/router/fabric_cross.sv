// SPDX-License-Identifier: Apache-2.0
// The crossbar: every output takes the payload of the crossbar input that won it.
module fabric_cross (
  input  logic clk_i,

  input  logic [fabric_pkg::Outputs-1:0] valid_i,
  input  logic [4*fabric_pkg::Outputs-1:0] from_i,  // by output
  input  fabric_pkg::input_payloads_t payload_i,
  output fabric_pkg::output_payloads_t payload_o
);

  // Payloads move only under a grant: a multiplexer that nobody uses costs nothing to simulate.
  for (genvar y = 0; y < fabric_pkg::Outputs; y++) begin : gen_out
    always_ff @(posedge clk_i) begin
      if (valid_i[y]) payload_o[y] <= payload_i[from_i[4*y +: 4]];
    end
  end

endmodule
