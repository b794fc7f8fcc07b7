// SPDX-License-Identifier: Apache-2.0
// The registers of a sequencer: 64 of 32 bits, zero after a start; register 0 is never written.
//
// A register that was not written since the start reads zero, so a start clears 64 flags and not 2,048 bits. A read
// port is a multiplexer of 64 x 32 bits, about 2,000 gates. A sequencer has four, for three operands and a size (or ra
// and rb); that of the tensor engine three more, for the instruction that pairs with the first.
`include "assert.svh"

module seq_registers #(
  parameter int unsigned Reads      = 4,
  localparam int unsigned IndexBits = $clog2(defs_pkg::Registers)
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic clear_i,

  // Port i in slice i.
  input  logic [Reads*IndexBits-1:0] read_i,
  output logic [Reads*32-1:0]        value_o,

  input  logic                 write_i,  // seen by reads from the next cycle on
  input  logic [IndexBits-1:0] write_index_i,
  input  logic [31:0]          write_value_i
);

  logic [31:0] value_q [defs_pkg::Registers];
  logic [defs_pkg::Registers-1:0] written_d, written_q;
  logic write;
  assign write = write_i && write_index_i != '0;

  for (genvar r = 0; r < Reads; r++) begin : gen_read
    logic [IndexBits-1:0] index;
    assign index = read_i[r*IndexBits +: IndexBits];
    assign value_o[r*32 +: 32] = written_q[index] ? value_q[index] : '0;
  end

  always_comb begin
    written_d = written_q;
    if (write) written_d[write_index_i] = 1'b1;
    if (clear_i) written_d = '0;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) written_q <= '0;
    else written_q <= written_d;
  end
  always_ff @(posedge clk_i) begin
    if (write) value_q[write_index_i] <= write_value_i;
  end

  // Register 0 stays zero.
  `ASSERT_NOW(RegisterZeroIsZero_A, !written_q[0])

endmodule
