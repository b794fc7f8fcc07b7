// SPDX-License-Identifier: Apache-2.0
// A two-entry valid/ready register that cuts every combinational path between its sides.
`include "assert.svh"

module prim_skid_buffer #(
  parameter int unsigned Width = 1
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic             in_valid_i,
  output logic             in_ready_o,
  input  logic [Width-1:0] in_i,

  output logic             out_valid_o,
  input  logic             out_ready_i,
  output logic [Width-1:0] out_o
);

  // `head` feeds the output; `spare` catches the one beat already in flight when the
  // output stalls. `spare` is full only while `head` is full.
  //
  //   in --+-------------> head --> out
  //        +--> spare -----^
  logic head_valid_d, head_valid_q;
  logic spare_valid_d, spare_valid_q;
  logic [Width-1:0] head_q, spare_q;

  logic push, pop, head_moves;
  assign push       = in_valid_i && in_ready_o;
  assign pop        = out_valid_o && out_ready_i;
  assign head_moves = !head_valid_q || pop;

  assign in_ready_o  = !spare_valid_q;
  assign out_valid_o = head_valid_q;
  assign out_o       = head_q;

  always_comb begin
    head_valid_d  = head_valid_q;
    spare_valid_d = spare_valid_q;
    if (head_moves) begin
      head_valid_d  = spare_valid_q || push;
      spare_valid_d = 1'b0;
    end else if (push) begin
      spare_valid_d = 1'b1;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      head_valid_q  <= 1'b0;
      spare_valid_q <= 1'b0;
    end else begin
      head_valid_q  <= head_valid_d;
      spare_valid_q <= spare_valid_d;
    end
  end

  // Payloads are copied on a handshake only: idle costs nothing to simulate.
  always_ff @(posedge clk_i) begin
    if (head_moves && spare_valid_q) head_q <= spare_q;
    else if (head_moves && push) head_q <= in_i;
    if (!head_moves && push) spare_q <= in_i;
  end

  // A stalled beat stays offered.
  `ASSERT(StalledStaysValid_A, out_valid_o && !out_ready_i |=> out_valid_o)
  // The spare slot is only ever used behind a full head.
  `ASSERT_NOW(SpareImpliesHead_A, spare_valid_q -> head_valid_q)

endmodule
