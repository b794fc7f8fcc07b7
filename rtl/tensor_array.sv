// SPDX-License-Identifier: Apache-2.0
// Rows x Cols PEs as loops over arrays, with the skew registers at the edges.

// PE (r, c) multiplies the moving operand that stands before it with its weight, adds the sum that
// came down from PE (r-1, c), and hands the operand east and the sum south:
//
//      load_i --> load_q --> weights          psum 0       psum 0
//                                               v            v
//   moving_i[0] ---------------> moving_q[0][0] PE --> [0][1] PE -->
//                                               v psum_q     v
//   moving_i[1] --> 1 cycle ---> moving_q[1][0] PE --> [1][1] PE -->
//                  (skew_q)                     v            v
//                          deskew_q: Cols - 1 cycles ...     0 cycles --> sum_o
//
// Timing. A vector given in cycle t stands before PE (r, c) in cycle t + 1 + r + c; its sums leave
// together in cycle t + Rows + Cols. Vectors may follow each other without a gap; nothing stalls.
//
// Weights. Every PE has two; the plane bit that travels with a moving operand says which one it
// meets, so a change of planes ripples through the array like the operands. A group of four columns
// (4g .. 4g+3) given in cycle t with `ahead` a is written into row r at the end of cycle t + a + r:
// as a diagonal that follows the last moving vector of the old weights four cycles behind it.
//   vectors that meet the old weights were given in cycle t + a - 4 - 4g or before,
//   vectors that meet the new weights are given in cycle t + a - 4g or after.
// The group waits in a delay line per row, which like skew and deskew is a circular buffer indexed by
// time: nothing is shifted, and only slots in use are touched. Rows outside first .. first+count-1
// get an empty weight.
//
// Simulation speed: one process, loops kept (see rtl/README.md), blocking assignments from the far
// corner towards the inputs so that every PE still reads its neighbour's old value. The process
// sleeps while nothing is in flight. Reads as Yosys knows them too (tb/unit/tensor_array_cxxrtl).
`include "assert.svh"

module tensor_array #(
  parameter int unsigned Rows = size_pkg::Partitions,
  parameter int unsigned Cols = size_pkg::Partitions,
  localparam int unsigned GroupBits = Cols > 4 ? $clog2(Cols / 4) : 1
) (
  input  logic clk_i,
  input  logic rst_ni,

  // One group of four stationary columns; column k of row r in the upper bits of word 4r + k.
  input  logic load_valid_i,
  input  logic load_plane_i,
  input  logic [GroupBits-1:0] load_group_i,
  input  logic [7:0] load_ahead_i,   // at most Rows
  input  logic [7:0] load_first_i,
  input  logic [7:0] load_count_i,
  input  fma_pkg::format_t load_format_i,
  input  logic [Rows*128-1:0] load_i,

  // One moving vector; row r in the upper bits of word r.
  input  logic moving_valid_i,
  input  logic moving_plane_i,
  input  fma_pkg::format_t moving_format_i,
  input  logic [Rows*32-1:0] moving_i,

  // Column sums, fp32 or int32; column c in bits 32c.
  output logic sum_valid_o,
  output logic [Cols*32-1:0] sum_o,

  output logic busy_o
);

  localparam int unsigned RowBits = $clog2(Rows);
  localparam int unsigned ColBits = $clog2(Cols);
  localparam int unsigned Latency = Rows + Cols;
  // A weight group is in flight for ahead + Rows cycles: 2 * Rows slots of time.
  localparam int unsigned SlotBits = RowBits + 1;
  localparam int unsigned Slots = 2 ** SlotBits;

  // ------------------------------------------------------------------------------------ control
  logic [31:0] now_q;                              // cycles, modulo anything
  logic [Latency-2:0] in_flight_d, in_flight_q;    // bit i: a vector was given i + 1 cycles ago
  logic [2*Slots-1:0] slot_valid_d, slot_valid_q;  // [plane, slot]
  logic [1:0] plane_live;                          // weights of this plane are on their way
  logic sum_valid_q;
  logic [SlotBits-1:0] load_slot, freed_slot;
  logic [SlotBits:0] load_at;       // {plane, slot}
  logic work;

  assign load_at    = {load_plane_i, load_slot};
  assign load_slot  = SlotBits'(now_q) + SlotBits'(load_ahead_i);
  // The slot whose weights reach the last row in this cycle.
  assign freed_slot = SlotBits'(now_q) - SlotBits'(Rows - 1);

  always_comb begin
    in_flight_d  = {in_flight_q[Latency-3:0], moving_valid_i};
    slot_valid_d = slot_valid_q;
    slot_valid_d[{1'b0, freed_slot}] = 1'b0;
    slot_valid_d[{1'b1, freed_slot}] = 1'b0;
    if (load_valid_i) slot_valid_d[load_at] = 1'b1;
    plane_live[0] = (|slot_valid_q[Slots-1:0]) || load_valid_i;
    plane_live[1] = (|slot_valid_q[2*Slots-1:Slots]) || load_valid_i;
    work          = (|in_flight_q) || moving_valid_i;
  end

  assign busy_o      = work || (|plane_live) || sum_valid_q;
  assign sum_valid_o = sum_valid_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      now_q        <= '0;
      in_flight_q  <= '0;
      slot_valid_q <= '0;
      sum_valid_q  <= 1'b0;
    end else begin
      now_q        <= now_q + 32'd1;
      in_flight_q  <= in_flight_d;
      slot_valid_q <= slot_valid_d;
      sum_valid_q  <= in_flight_q[Latency-2];
    end
  end

  // ----------------------------------------------------------------------------------- datapath
  logic [31:0] weight0_q [Rows][Cols];
  logic [31:0] weight1_q [Rows][Cols];
  logic [31:0] moving_q  [Rows][Cols];   // operand before PE (r, c)
  logic [31:0] psum_q    [Rows][Cols];   // sum below PE (r, c)
  logic [31:0] skew_q    [Rows][Rows];   // [cycle given][row]
  logic [31:0] deskew_q  [Cols][Cols];   // [cycle that column 0 left][column]
  logic [127:0] load_q   [2*Slots][Rows];  // [plane, cycle that row 0 is written][row]: four words
  logic [GroupBits-1:0] slot_group_q [2*Slots];
  logic [7:0] slot_first_q [2*Slots];
  logic [7:0] slot_count_q [2*Slots];
  logic [SlotBits:0] row_slot;      // what follows: temporaries of the process below
  logic [127:0] row_word;
  logic [31:0] raw0 [Rows];
  logic [31:0] raw1 [Rows];
  logic [31:0] raw2 [Rows];
  logic [31:0] raw3 [Rows];
  logic [31:0] moving_raw [Rows];
  logic [GroupBits-1:0] row_group;
  logic [7:0] row_first, row_count;

  always_ff @(posedge clk_i) begin
    if (work) begin
      // PEs. Row 0 starts every column from +0.
      for (int unsigned i = 0; i < Rows - 1; i++) begin
        for (int unsigned c = 0; c < Cols; c++) begin
          psum_q[RowBits'(Rows - 1 - i)][ColBits'(c)] = fma_pkg::pe_fma(
              fma_pkg::pick_weight(moving_q[RowBits'(Rows - 1 - i)][ColBits'(c)],
                                   weight0_q[RowBits'(Rows - 1 - i)][ColBits'(c)],
                                   weight1_q[RowBits'(Rows - 1 - i)][ColBits'(c)]),
              moving_q[RowBits'(Rows - 1 - i)][ColBits'(c)],
              psum_q[RowBits'(Rows - 2 - i)][ColBits'(c)]);
        end
      end
      for (int unsigned c = 0; c < Cols; c++) begin
        psum_q[0][ColBits'(c)] = fma_pkg::pe_fma(
            fma_pkg::pick_weight(moving_q[0][ColBits'(c)], weight0_q[0][ColBits'(c)],
                                 weight1_q[0][ColBits'(c)]),
            moving_q[0][ColBits'(c)], 32'd0);
      end

      // Deskew: what leaves column c now belongs to what left column 0 c cycles ago.
      for (int unsigned c = 0; c < Cols; c++) begin
        deskew_q[ColBits'(now_q - c)][ColBits'(c)] = psum_q[Rows-1][ColBits'(c)];
      end
      if (in_flight_q[Latency-2]) begin
        for (int unsigned c = 0; c < Cols; c++) begin
          sum_o[32*c +: 32] <= deskew_q[ColBits'(now_q - (Cols - 1))][ColBits'(c)];
        end
      end

      // Operands go one PE east; the skew line feeds the west edge, row r r cycles late.
      if (moving_valid_i) begin
        for (int unsigned r = 0; r < Rows; r++) moving_raw[RowBits'(r)] = moving_i[32*r +: 32];
        for (int unsigned r = 0; r < Rows; r++) begin
          skew_q[RowBits'(now_q)][RowBits'(r)]
              = fma_pkg::decode(moving_raw[RowBits'(r)], moving_format_i)
                | fma_pkg::plane_tag(moving_plane_i);
        end
      end
      for (int unsigned r = 0; r < Rows; r++) begin
        for (int unsigned c = 0; c < Cols - 1; c++) begin
          moving_q[RowBits'(r)][ColBits'(Cols - 1 - c)]
              = moving_q[RowBits'(r)][ColBits'(Cols - 2 - c)];
        end
        moving_q[RowBits'(r)][0] = skew_q[RowBits'(now_q - r)][RowBits'(r)];
      end
    end

    // A group enters its delay line.
    if (load_valid_i) begin
      for (int unsigned r = 0; r < Rows; r++) begin
        raw0[RowBits'(r)] = load_i[128*r +: 32];
        raw1[RowBits'(r)] = load_i[128*r + 32 +: 32];
        raw2[RowBits'(r)] = load_i[128*r + 64 +: 32];
        raw3[RowBits'(r)] = load_i[128*r + 96 +: 32];
      end
      for (int unsigned r = 0; r < Rows; r++) begin
        raw0[RowBits'(r)] = fma_pkg::decode(raw0[RowBits'(r)], load_format_i);
        raw1[RowBits'(r)] = fma_pkg::decode(raw1[RowBits'(r)], load_format_i);
        raw2[RowBits'(r)] = fma_pkg::decode(raw2[RowBits'(r)], load_format_i);
        raw3[RowBits'(r)] = fma_pkg::decode(raw3[RowBits'(r)], load_format_i);
      end
      for (int unsigned r = 0; r < Rows; r++) begin
        load_q[load_at][RowBits'(r)] = {raw3[RowBits'(r)], raw2[RowBits'(r)], raw1[RowBits'(r)],
                                        raw0[RowBits'(r)]};
      end
      slot_group_q[load_at] = load_group_i;
      slot_first_q[load_at] = load_first_i;
      slot_count_q[load_at] = load_count_i;
    end
    // Row r takes the group whose row 0 was written r cycles ago; after the PEs have read.
    for (int unsigned p = 0; p < 2; p++) begin
      if (plane_live[1'(p)]) begin
        for (int unsigned r = 0; r < Rows; r++) begin
          row_slot = {1'(p), SlotBits'(now_q - r)};
          if (slot_valid_q[row_slot]
              || (load_valid_i && row_slot == load_at)) begin
            row_word  = load_q[row_slot][RowBits'(r)];
            row_group = slot_group_q[row_slot];
            row_first = slot_first_q[row_slot];
            row_count = slot_count_q[row_slot];
            if (p == 0) begin
              weight0_q[RowBits'(r)][ColBits'({row_group, 2'd0})] = fma_pkg::row_weight(
                  row_word[0 +: 32], 8'(r), row_first, row_count);
              weight0_q[RowBits'(r)][ColBits'({row_group, 2'd1})] = fma_pkg::row_weight(
                  row_word[32 +: 32], 8'(r), row_first, row_count);
              weight0_q[RowBits'(r)][ColBits'({row_group, 2'd2})] = fma_pkg::row_weight(
                  row_word[64 +: 32], 8'(r), row_first, row_count);
              weight0_q[RowBits'(r)][ColBits'({row_group, 2'd3})] = fma_pkg::row_weight(
                  row_word[96 +: 32], 8'(r), row_first, row_count);
            end else begin
              weight1_q[RowBits'(r)][ColBits'({row_group, 2'd0})] = fma_pkg::row_weight(
                  row_word[0 +: 32], 8'(r), row_first, row_count);
              weight1_q[RowBits'(r)][ColBits'({row_group, 2'd1})] = fma_pkg::row_weight(
                  row_word[32 +: 32], 8'(r), row_first, row_count);
              weight1_q[RowBits'(r)][ColBits'({row_group, 2'd2})] = fma_pkg::row_weight(
                  row_word[64 +: 32], 8'(r), row_first, row_count);
              weight1_q[RowBits'(r)][ColBits'({row_group, 2'd3})] = fma_pkg::row_weight(
                  row_word[96 +: 32], 8'(r), row_first, row_count);
            end
          end
        end
      end
    end
  end

  // --------------------------------------------------------------------------------- assertions
  initial begin
    if (Rows != 2 ** RowBits || Cols != 2 ** ColBits || Cols < 4) $fatal(1, "powers of two, please");
  end
  // A group does not land on one of the same plane that is still on its way.
  `ASSERT(SlotIsFree_A, load_valid_i |-> !slot_valid_q[load_at])
  // The delay line is long enough.
  `ASSERT(AheadFits_A, load_valid_i |-> load_ahead_i <= 8'(Rows))

endmodule
