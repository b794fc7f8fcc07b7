// SPDX-License-Identifier: Apache-2.0
// Transposes squares: element j of lane i of a quarter of the lanes becomes element i of its lane j.

// A square comes in, an element of every lane a cycle or less often, while the one before leaves, one
// a cycle from the cycle after its last element came. All quarters do so at once.
module vector_transpose (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic start_i,
  input  logic valid_i,
  input  logic last_i,
  input  row_pkg::lane_row_t x_i,
  output logic valid_o,
  output logic last_o,
  output row_pkg::lane_row_t y_o
);

  localparam int unsigned P = size_pkg::Partitions;
  localparam int unsigned Quarter = P / 4;
  localparam int unsigned Bits = $clog2(Quarter);
  localparam int unsigned LaneBits = $clog2(P);
  localparam logic [Bits-1:0] Top = '1;

  // --- control
  logic [Bits-1:0] in_q, out_q;
  logic side_q, leaves_q, ends_q;  // which square comes in; the other one leaves; it is the last
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      leaves_q <= 1'b0;
      valid_o  <= 1'b0;
    end else begin
      leaves_q <= (valid_i && in_q == Top) || (leaves_q && out_q != Top);
      valid_o  <= leaves_q;
    end
  end

  // --- lanes
  logic [31:0] square_q [2][Quarter][P];
  row_pkg::lane_row_t y;
  always_ff @(posedge clk_i) begin
    last_o <= ends_q && out_q == Top;
    if (leaves_q) begin
      out_q <= out_q + 1;
      for (int unsigned i = 0; i < P; i++) begin
        y[i]  = square_q[!side_q][Bits'(i)][LaneBits'(i / Quarter * Quarter) + LaneBits'(out_q)];
      end
      y_o <= y;
    end
    if (valid_i) begin
      in_q <= in_q + 1;
      if (in_q == Top) side_q <= !side_q;
      if (in_q == Top) ends_q <= last_i;
      for (int unsigned i = 0; i < P; i++) square_q[side_q][in_q][i] = x_i[i];
    end
    if (start_i) begin
      in_q   <= '0;
      out_q  <= '0;
      side_q <= 1'b0;
      ends_q <= 1'b0;
    end
  end

endmodule
