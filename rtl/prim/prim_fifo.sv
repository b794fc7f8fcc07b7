// SPDX-License-Identifier: Apache-2.0
// A valid/ready queue of Depth entries; one cycle from empty input to output, full throughput.
//
//   in --+-----------------> head --> out      `head` is the oldest entry, `mem` the ring behind it.
//        +--> mem (ring) -----^
//
// The oldest entry sits in a register of its own, so the output needs no multiplexer and every
// wide copy happens on a handshake: an idle queue costs nothing to simulate. Neither ready nor
// valid depends on the other side in the same cycle.
`include "assert.svh"

module prim_fifo #(
  parameter int unsigned Width = 1,
  parameter int unsigned Depth = 2,
  localparam int unsigned RingDepth = (Depth > 1) ? Depth - 1 : 1,
  localparam int unsigned IndexBits = (RingDepth > 1) ? $clog2(RingDepth) : 1,
  localparam int unsigned CountBits = $clog2(Depth + 1)
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

  // ---------------------------------------------------------------- datapath
  logic [Width-1:0] head_q;
  logic [Width-1:0] mem [RingDepth];
  logic [IndexBits-1:0] write_d, write_q, read_d, read_q;
  logic [CountBits-1:0] count_d, count_q;

  logic push, pop, ring_empty, push_to_head, push_to_ring, ring_to_head;
  assign push         = in_valid_i && in_ready_o;
  assign pop          = out_valid_o && out_ready_i;
  assign ring_empty   = count_q <= CountBits'(1);
  assign push_to_head = push && ring_empty && (count_q == '0 || pop);
  assign push_to_ring = push && !push_to_head;
  assign ring_to_head = pop && !ring_empty;

  always_ff @(posedge clk_i) begin
    if (push_to_ring) mem[write_q] <= in_i;
    if (push_to_head) head_q <= in_i;
    else if (ring_to_head) head_q <= mem[read_q];
  end
  assign out_o = head_q;

  // ---------------------------------------------------------------- control
  assign in_ready_o  = count_q != CountBits'(Depth);
  assign out_valid_o = count_q != '0;

  always_comb begin
    write_d = write_q;
    read_d  = read_q;
    count_d = count_q;
    if (push && !pop) count_d = count_q + CountBits'(1);
    if (pop && !push) count_d = count_q - CountBits'(1);
    if (push_to_ring) begin
      write_d = (write_q == IndexBits'(RingDepth - 1)) ? '0 : write_q + IndexBits'(1);
    end
    if (ring_to_head) begin
      read_d = (read_q == IndexBits'(RingDepth - 1)) ? '0 : read_q + IndexBits'(1);
    end
  end

  // ---------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      write_q <= '0;
      read_q  <= '0;
      count_q <= '0;
    end else begin
      write_q <= write_d;
      read_q  <= read_d;
      count_q <= count_d;
    end
  end

  // ---------------------------------------------------------------- assertions
  // The count never leaves 0 .. Depth.
  `ASSERT_NOW(CountInRange_A, count_q <= CountBits'(Depth))
  // A stalled entry stays offered.
  `ASSERT(StalledStaysValid_A, out_valid_o && !out_ready_i |=> out_valid_o)

endmodule
