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
// Row tiling. The upper (0) and the lower (1) half of the rows may work for two tiles: an upper
// vector's sums leave below row Rows/2 - 1 and wait in upper_q, so that they appear when those of
// a vector through all rows would; a lower vector is `fresh`, its sums start from +0 in row Rows/2.
//   moving_valid_i 01, full 0: upper tile   10, 0: lower tile   11, 0: both   11, full 1: all rows
// Sums of upper and full vectors are sum_o, those of lower ones lower_sum_o.
//
// Weights. Every PE has two; the plane bit that travels with a moving operand says which one it
// meets, so a change of planes ripples through the array like the operands. A group of four columns
// (4g .. 4g+3) given in cycle t with `ahead` a is written into row r of the halves that
// load_valid_i names at the end of cycle t + a + r:
// as a diagonal that follows the last moving vector of the old weights four cycles behind it.
//   vectors that meet the old weights were given in cycle t + a - 4 - 4g or before,
//   vectors that meet the new weights are given in cycle t + a - 4g or after.
// The group waits in a delay line per row, which like skew and deskew is a circular buffer indexed by
// time: nothing is shifted, and only slots in use are touched. Rows outside first .. first+count-1
// get an empty weight, or zero beside weights that are bits.
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
  input  logic [1:0] load_valid_i,   // by half
  input  logic [1:0] load_plane_i,   // by half
  input  logic [GroupBits-1:0] load_group_i,
  input  logic [7:0] load_ahead_i,   // at most Rows
  input  logic [7:0] load_first_i,
  input  logic [7:0] load_count_i,
  input  fma_pkg::format_t load_format_i,
  input  logic [Rows*128-1:0] load_i,

  // Moving vectors; row r in the upper bits of word r.
  input  logic [1:0] moving_valid_i,
  input  logic [1:0] moving_plane_i,
  input  logic moving_full_i,
  input  fma_pkg::format_t moving_format_i,
  input  logic [Rows*32-1:0] moving_i,
  input  fma_pkg::format_t lower_format_i,   // of a lower vector, its first row in word 0
  input  logic [Rows*16-1:0] lower_i,

  // Column sums, fp32 or int32; column c in bits 32c.
  output logic sum_valid_o,
  output logic [Cols*32-1:0] sum_o,
  output logic lower_sum_valid_o,
  output logic [Cols*32-1:0] lower_sum_o,

  output logic busy_o
);

  localparam int unsigned Half = Rows / 2;
  localparam int unsigned RowBits = $clog2(Rows);
  localparam int unsigned ColBits = $clog2(Cols);
  localparam int unsigned HalfBits = RowBits - 1;
  localparam int unsigned UpperBits = ColBits + 1;
  localparam int unsigned Latency = Rows + Cols;
  // A weight group is in flight for ahead + Rows cycles: 2 * Rows slots of time.
  localparam int unsigned SlotBits = RowBits + 1;
  localparam int unsigned Slots = 2 ** SlotBits;

  // ------------------------------------------------------------------------------------ control
  // Bit i of a flight register: a vector was given i + 1 cycles ago.
  logic [31:0] now_q;                                    // cycles, modulo anything
  logic [Latency-2:0] in_flight_d, in_flight_q;          // upper and full
  logic [Latency-2:0] full_flight_d, full_flight_q;      // full
  logic [Latency-2:0] lower_flight_d, lower_flight_q;    // lower
  logic [4*Slots-1:0] slot_valid_d, slot_valid_q;        // [half, plane, slot]
  logic [3:0] live;                                      // [half, plane]: weights in flight
  logic sum_valid_q, lower_sum_valid_q;
  logic [SlotBits-1:0] load_slot, freed_slot;
  logic [SlotBits+1:0] upper_at, lower_at;               // {half, plane, slot} of a group
  logic work, upper_work, bottom_work;

  assign load_slot  = SlotBits'(now_q) + SlotBits'(load_ahead_i);
  assign upper_at   = {1'b0, load_plane_i[0], load_slot};
  assign lower_at   = {1'b1, load_plane_i[1], load_slot};
  // The slot whose weights reach the last row in this cycle.
  assign freed_slot = SlotBits'(now_q) - SlotBits'(Rows - 1);

  always_comb begin
    in_flight_d    = {in_flight_q[Latency-3:0], moving_valid_i[0]};
    full_flight_d  = {full_flight_q[Latency-3:0], moving_full_i};
    lower_flight_d = {lower_flight_q[Latency-3:0], moving_valid_i[1] && !moving_full_i};
    upper_work     = |(in_flight_q & ~full_flight_q);
    bottom_work    = (|full_flight_q) || (|lower_flight_q);
    work           = upper_work || bottom_work || (|moving_valid_i);
    slot_valid_d = slot_valid_q;
    slot_valid_d[{2'd0, freed_slot}] = 1'b0;
    slot_valid_d[{2'd1, freed_slot}] = 1'b0;
    slot_valid_d[{2'd2, freed_slot}] = 1'b0;
    slot_valid_d[{2'd3, freed_slot}] = 1'b0;
    if (load_valid_i[0]) slot_valid_d[upper_at] = 1'b1;
    if (load_valid_i[1]) slot_valid_d[lower_at] = 1'b1;
    live = {|slot_valid_q[4*Slots-1:3*Slots], |slot_valid_q[3*Slots-1:2*Slots],
            |slot_valid_q[2*Slots-1:Slots], |slot_valid_q[Slots-1:0]};
    if (load_valid_i[0]) live[{1'b0, load_plane_i[0]}] = 1'b1;
    if (load_valid_i[1]) live[{1'b1, load_plane_i[1]}] = 1'b1;
  end

  assign busy_o            = work || (|live) || sum_valid_q || lower_sum_valid_q;
  assign sum_valid_o       = sum_valid_q;
  assign lower_sum_valid_o = lower_sum_valid_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      now_q             <= '0;
      in_flight_q       <= '0;
      full_flight_q     <= '0;
      lower_flight_q    <= '0;
      slot_valid_q      <= '0;
      sum_valid_q       <= 1'b0;
      lower_sum_valid_q <= 1'b0;
    end else begin
      now_q             <= now_q + 32'd1;
      in_flight_q       <= in_flight_d;
      full_flight_q     <= full_flight_d;
      lower_flight_q    <= lower_flight_d;
      slot_valid_q      <= slot_valid_d;
      sum_valid_q       <= in_flight_q[Latency-2];
      lower_sum_valid_q <= lower_flight_q[Latency-2];
    end
  end

  // ----------------------------------------------------------------------------------- datapath
  logic [31:0] weight0_q [Rows][Cols];
  logic [31:0] weight1_q [Rows][Cols];
  logic [31:0] moving_q  [Rows][Cols];   // operand before PE (r, c)
  logic [31:0] psum_q    [Rows][Cols];   // sum below PE (r, c)
  logic [31:0] skew_q    [Rows][Rows];   // [cycle given][row]
  logic [31:0] deskew_q  [Cols][Cols];   // [cycle that column 0 left][column]
  logic [31:0] upper_q   [2*Cols][Cols];  // the same below row Half - 1
  logic [127:0] load_q   [4*Slots][Half]; // [half, plane, cycle that row 0 is written][row]: four words
  logic [GroupBits-1:0] slot_group_q [4*Slots];
  logic [7:0] slot_first_q [4*Slots];
  logic [7:0] slot_count_q [4*Slots];
  logic slot_bits_q [4*Slots];
  logic [SlotBits+1:0] row_slot;    // what follows: temporaries of the process below
  logic [127:0] row_word;
  logic [31:0] raw0 [Rows];
  logic [31:0] raw1 [Rows];
  logic [31:0] raw2 [Rows];
  logic [31:0] raw3 [Rows];
  logic [31:0] moving_raw [Rows];
  logic [GroupBits-1:0] row_group;
  logic [7:0] row_first, row_count;
  logic row_bits;

  always_ff @(posedge clk_i) begin
    if (work) begin
      // PEs. Row 0 starts every column from +0, row Half too if it has to.
      for (int unsigned i = 0; i < Half - 1; i++) begin
        for (int unsigned c = 0; c < Cols; c++) begin
          psum_q[RowBits'(Rows - 1 - i)][ColBits'(c)] = fma_pkg::pe_sum(
              moving_q[RowBits'(Rows - 1 - i)][ColBits'(c)],
              weight0_q[RowBits'(Rows - 1 - i)][ColBits'(c)],
              weight1_q[RowBits'(Rows - 1 - i)][ColBits'(c)],
              psum_q[RowBits'(Rows - 2 - i)][ColBits'(c)]);
        end
      end
      for (int unsigned c = 0; c < Cols; c++) begin
        psum_q[Half][ColBits'(c)] = fma_pkg::pe_sum(
            moving_q[Half][ColBits'(c)], weight0_q[Half][ColBits'(c)],
            weight1_q[Half][ColBits'(c)],
            fma_pkg::sum_above(moving_q[Half][ColBits'(c)], psum_q[Half-1][ColBits'(c)]));
      end
      for (int unsigned i = 0; i < Half - 1; i++) begin
        for (int unsigned c = 0; c < Cols; c++) begin
          psum_q[RowBits'(Half - 1 - i)][ColBits'(c)] = fma_pkg::pe_sum(
              moving_q[RowBits'(Half - 1 - i)][ColBits'(c)],
              weight0_q[RowBits'(Half - 1 - i)][ColBits'(c)],
              weight1_q[RowBits'(Half - 1 - i)][ColBits'(c)],
              psum_q[RowBits'(Half - 2 - i)][ColBits'(c)]);
        end
      end
      for (int unsigned c = 0; c < Cols; c++) begin
        psum_q[0][ColBits'(c)] = fma_pkg::pe_sum(
            moving_q[0][ColBits'(c)], weight0_q[0][ColBits'(c)],
            weight1_q[0][ColBits'(c)], 32'd0);
      end

      // Deskew: what leaves column c now belongs to what left column 0 c cycles ago.
      if (bottom_work) begin
        for (int unsigned c = 0; c < Cols; c++) begin
          deskew_q[ColBits'(now_q - c)][ColBits'(c)] = psum_q[Rows-1][ColBits'(c)];
        end
      end
      if (upper_work) begin
        for (int unsigned c = 0; c < Cols; c++) begin
          upper_q[UpperBits'(now_q - c)][ColBits'(c)] = psum_q[Half-1][ColBits'(c)];
        end
      end
      if (full_flight_q[Latency-2]) begin
        for (int unsigned c = 0; c < Cols; c++) begin
          sum_o[32*c +: 32] <= deskew_q[ColBits'(now_q - (Cols - 1))][ColBits'(c)];
        end
      end else if (in_flight_q[Latency-2]) begin
        for (int unsigned c = 0; c < Cols; c++) begin
          sum_o[32*c +: 32] <= upper_q[UpperBits'(now_q - (Cols - 1) - Half)][ColBits'(c)];
        end
      end
      if (lower_flight_q[Latency-2]) begin
        for (int unsigned c = 0; c < Cols; c++) begin
          lower_sum_o[32*c +: 32] <= deskew_q[ColBits'(now_q - (Cols - 1))][ColBits'(c)];
        end
      end

      // Operands go one PE east; the skew line feeds the west edge, row r r cycles late.
      if (moving_valid_i[0]) begin
        for (int unsigned r = 0; r < Rows; r++) moving_raw[RowBits'(r)] = moving_i[32*r +: 32];
        for (int unsigned r = 0; r < Half; r++) begin
          skew_q[RowBits'(now_q)][RowBits'(r)]
              = fma_pkg::moving_word(moving_raw[RowBits'(r)], moving_format_i)
                | fma_pkg::moving_tag(moving_plane_i[0], 1'b0);
        end
      end
      if (moving_valid_i[1]) begin
        if (!moving_full_i) begin
          for (int unsigned r = 0; r < Half; r++) begin
            moving_raw[RowBits'(Half + r)] = lower_i[32*r +: 32];
          end
        end
        for (int unsigned r = Half; r < Rows; r++) begin
          skew_q[RowBits'(now_q)][RowBits'(r)]
              = fma_pkg::moving_word(moving_raw[RowBits'(r)],
                                     moving_full_i ? moving_format_i : lower_format_i)
                | fma_pkg::moving_tag(moving_plane_i[1], !moving_full_i);
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

    // A group enters its delay lines.
    if (|load_valid_i) begin
      for (int unsigned r = 0; r < Rows; r++) begin
        raw0[RowBits'(r)] = load_i[128*r +: 32];
        raw1[RowBits'(r)] = load_i[128*r + 32 +: 32];
        raw2[RowBits'(r)] = load_i[128*r + 64 +: 32];
        raw3[RowBits'(r)] = load_i[128*r + 96 +: 32];
      end
      for (int unsigned r = 0; r < Rows; r++) begin
        raw0[RowBits'(r)] = fma_pkg::weight_word(raw0[RowBits'(r)], load_format_i);
        raw1[RowBits'(r)] = fma_pkg::weight_word(raw1[RowBits'(r)], load_format_i);
        raw2[RowBits'(r)] = fma_pkg::weight_word(raw2[RowBits'(r)], load_format_i);
        raw3[RowBits'(r)] = fma_pkg::weight_word(raw3[RowBits'(r)], load_format_i);
      end
      for (int unsigned h = 0; h < 2; h++) begin
        if (load_valid_i[1'(h)]) begin
          row_slot = h == 0 ? upper_at : lower_at;
          for (int unsigned r = 0; r < Half; r++) begin
            load_q[row_slot][HalfBits'(r)] = {
                raw3[RowBits'(Half * h + r)], raw2[RowBits'(Half * h + r)],
                raw1[RowBits'(Half * h + r)], raw0[RowBits'(Half * h + r)]};
          end
          slot_group_q[row_slot] = load_group_i;
          slot_first_q[row_slot] = load_first_i;
          slot_count_q[row_slot] = load_count_i;
          slot_bits_q[row_slot]  = load_format_i[fma_pkg::BitsBit];
        end
      end
    end
    // Row r takes the group whose row 0 was written r cycles ago; after the PEs have read.
    for (int unsigned p = 0; p < 4; p++) begin
      if (live[2'(p)]) begin
        for (int unsigned r = 0; r < Half; r++) begin
          row_slot = {2'(p), SlotBits'(now_q - (Half * (p / 2) + r))};
          if (slot_valid_q[row_slot] || (load_valid_i[0] && row_slot == upper_at)
              || (load_valid_i[1] && row_slot == lower_at)) begin
            row_word  = load_q[row_slot][HalfBits'(r)];
            row_group = slot_group_q[row_slot];
            row_first = slot_first_q[row_slot];
            row_count = slot_count_q[row_slot];
            row_bits  = slot_bits_q[row_slot];
            if (p % 2 == 0) begin  // Yosys 0.23 takes !1'(p) for false
              weight0_q[RowBits'(Half * (p / 2) + r)][ColBits'({row_group, 2'd0})]
                  = fma_pkg::row_weight(row_word[0 +: 32], 8'(Half * (p / 2) + r), row_first,
                                         row_count, row_bits);
              weight0_q[RowBits'(Half * (p / 2) + r)][ColBits'({row_group, 2'd1})]
                  = fma_pkg::row_weight(row_word[32 +: 32], 8'(Half * (p / 2) + r), row_first,
                                         row_count, row_bits);
              weight0_q[RowBits'(Half * (p / 2) + r)][ColBits'({row_group, 2'd2})]
                  = fma_pkg::row_weight(row_word[64 +: 32], 8'(Half * (p / 2) + r), row_first,
                                         row_count, row_bits);
              weight0_q[RowBits'(Half * (p / 2) + r)][ColBits'({row_group, 2'd3})]
                  = fma_pkg::row_weight(row_word[96 +: 32], 8'(Half * (p / 2) + r), row_first,
                                         row_count, row_bits);
            end else begin
              weight1_q[RowBits'(Half * (p / 2) + r)][ColBits'({row_group, 2'd0})]
                  = fma_pkg::row_weight(row_word[0 +: 32], 8'(Half * (p / 2) + r), row_first,
                                         row_count, row_bits);
              weight1_q[RowBits'(Half * (p / 2) + r)][ColBits'({row_group, 2'd1})]
                  = fma_pkg::row_weight(row_word[32 +: 32], 8'(Half * (p / 2) + r), row_first,
                                         row_count, row_bits);
              weight1_q[RowBits'(Half * (p / 2) + r)][ColBits'({row_group, 2'd2})]
                  = fma_pkg::row_weight(row_word[64 +: 32], 8'(Half * (p / 2) + r), row_first,
                                         row_count, row_bits);
              weight1_q[RowBits'(Half * (p / 2) + r)][ColBits'({row_group, 2'd3})]
                  = fma_pkg::row_weight(row_word[96 +: 32], 8'(Half * (p / 2) + r), row_first,
                                         row_count, row_bits);
            end
          end
        end
      end
    end
  end

  // --------------------------------------------------------------------------------- assertions
  initial begin
    if (Rows != 2 ** RowBits || Cols != 2 ** ColBits || Cols < 4 || Rows < 4 || Rows > 2 * Cols)
      $fatal(1, "powers of two, please");
  end
  // A group does not land on one of the same plane that is still in flight.
  `ASSERT_NOW(SlotIsFree_A, (!load_valid_i[0] || !slot_valid_q[upper_at])
          && (!load_valid_i[1] || !slot_valid_q[lower_at]))
  // The delay line is long enough.
  `ASSERT_NOW(AheadFits_A, |load_valid_i -> load_ahead_i <= 8'(Rows))
  // A vector through all rows has all rows.
  `ASSERT_NOW(FullIsBoth_A, moving_full_i -> &moving_valid_i)

endmodule
