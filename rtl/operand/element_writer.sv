// SPDX-License-Identifier: Apache-2.0
// Destination side of a lane engine: where in SBUF or PSUM the lanes' values go, one row a cycle.
`include "assert.svh"

// The data goes from lanes.sv straight there. finish_o pulses when the next cycle's reads see the
// last row:
//
//   value_valid_i    wr_o.valid    finish_o
//   t                t+1           t+2
module element_writer (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic start_i,
  input  defs_pkg::operand_t dst_i,
  input  logic [3:0][15:0] sizes_i,
  input  logic [7:0] partitions_i,
  input  logic [31:0] serial_i,
  input  logic masked_i,
  input  logic pair_i,

  input  logic value_valid_i,
  input  logic value_last_i,

  output row_pkg::sbuf_write_t wr_o,
  output logic [31:0] wr_serial_o,
  output logic finish_o
);

  logic valid, last;
  logic [23:0] addr;

  access_pattern u_dst (
    .clk_i, .rst_ni, .start_i, .operand_i(dst_i), .sizes_i,
    .shift_i(format_pkg::element_shift(dst_i.dtype)), .step4_i(1'b0),
    .next_i(value_valid_i), .valid_o(valid), .addr_o(addr), .count_o(), .inner_last_o(), .outer_last_o(),
    .last_o(last)
  );

  // --- control
  logic wr_last_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      wr_o      <= '0;
      wr_serial_o   <= '0;
      wr_last_q <= 1'b0;
      finish_o  <= 1'b0;
    end else begin
      wr_o.valid <= value_valid_i;
      finish_o   <= wr_o.valid && wr_last_q;
      if (start_i) begin
        wr_o.psum   <= dst_i.space == defs_pkg::SpacePsum;
        wr_o.masked <= masked_i;
        wr_o.pair   <= pair_i;
        wr_o.bytes <= 3'd1 << format_pkg::element_shift(dst_i.dtype);
        wr_o.first <= dst_i.partition;
        wr_o.count <= partitions_i;
        wr_serial_o    <= serial_i;
      end
      if (value_valid_i) begin
        wr_o.addr <= addr[17:0];
        wr_last_q <= value_last_i;
      end
    end
  end

  // There is a place for every value, and the last value is for the last place.
  `ASSERT_NOW(PlaceForValue_A, value_valid_i -> valid && last == value_last_i && addr[23:18] == 0)
  // A start never meets a row in flight.
  `ASSERT_NOW(StartWhenDrained_A, start_i -> !value_valid_i && !wr_o.valid)

endmodule
