// SPDX-License-Identifier: Apache-2.0
// LOAD_STATIONARY: reads the columns of the stationary tile and sends them to the array in fours.

// Four columns a cycle when they lie side by side in an aligned 8-byte word (`fast`: four bf16 or
// fp16, or half a word of 8-bit elements); two when they fill one (`pair`: tf32, fp32); else one.
//
//   cycle   start a   a + 1 + n         a + 2 + n          a + 3 + n
//           start_i   read n of SBUF    data, columns_q    load_valid_o (fast: group n;
//                                                          pair: columns 2n, 2n + 1 complete group n / 2;
//                                                          else: column n completes group n / 4)
//
// Row 0 of group g is written at the end of cycle a + 6 + 4g in all cases (tensor_array: `ahead`),
// so a load follows vectors given to the array up to a + 2 and precedes those from a + 6 on.
// A quick load (tensor_issue) is written at the end of cycle a + 3 and precedes those from a + 3 on.
// With a long stride (see tensor_check) a column is read every second cycle: row 0 of
// group g is written up to M + 3 cycles later, and the stream has to wait for so long. The cycle after
// its last read belongs to it too: the next load must not be late.
// A load occupies this unit for max(reads, min(P/2, columns)) cycles: the declared issue floor, or
// twice that for each half of an fp32 tile, which is loaded twice: low halves (less
// eight cycles, which the head needs from the start of the high halves to that of the tile), then high.
`include "assert.svh"

module tensor_load #(
  localparam int unsigned P = size_pkg::Partitions,
  localparam int unsigned GroupBits = P > 4 ? $clog2(P / 4) : 1
) (
  input  logic clk_i,
  input  logic rst_ni,

  // A new tile; only while free_o.
  input  logic start_i,
  output logic free_o,
  input  tensor_pkg::tile_t tile_i,
  input  logic quick_i,
  output logic finished_o,          // pulse: every column of the instruction has been read
  output logic busy_o,

  output row_pkg::sbuf_read_t rd_o,
  input  row_pkg::sbuf_row_t rd_data_i,

  output logic [1:0] load_valid_o,
  output logic [1:0] load_plane_o,
  output logic [GroupBits-1:0] load_group_o,
  output logic [7:0] load_ahead_o,
  output logic [7:0] load_first_o,
  output logic [7:0] load_count_o,
  output fma_pkg::format_t load_format_o,
  output logic [P*128-1:0] load_o
);

  localparam int unsigned LaneBits = $clog2(P);

  // ------------------------------------------------------------------------------------ control
  logic walk_valid, walk_last, read;
  logic [23:0] walk_addr;
  defs_pkg::operand_t src, walked;
  logic [63:0] sizes;
  logic [1:0] shift;
  assign src   = tile_i.src;
  assign shift = format_pkg::element_shift(src.dtype);
  // A pair is walked like an element of 8 bytes.
  always_comb begin
    walked = src;
    sizes  = tile_i.sizes;
    if (tile_i.pair) begin
      walked.stride3 = src.stride3 >>> 1;
      walked.stride2 = src.stride2 >>> 1;
      walked.stride1 = src.stride1 >>> 1;
      sizes[15:0]    = sizes[15:0] >> 1;
    end
  end
  access_pattern u_walk (
    .clk_i, .rst_ni, .start_i, .operand_i(walked), .sizes_i(sizes),
    .shift_i(tile_i.pair ? 2'd3 : shift), .step4_i(tile_i.fast), .next_i(read),
    .valid_o(walk_valid), .addr_o(walk_addr), .count_o(), .inner_last_o(), .outer_last_o(), .last_o(walk_last)
  );

  logic [7:0] hold_d, hold_q;         // cycles left of the issue floor
  logic fast_q, pair_q, long_q, rest_q, report_q, quick_q;
  logic [1:0] halves_q, planes_q, shift_q;
  logic [7:0] first_q, count_q;
  logic [7:0] column_d, column_q;     // of this read
  fma_pkg::format_t format_q;
  logic [7:0] floor;

  assign floor = (32'(tile_i.columns) < P / 2) ? tile_i.columns : 8'(P / 2);

  always_comb begin
    hold_d   = hold_q;
    column_d = column_q;
    if (hold_q != 0) hold_d = hold_q - 8'd1;
    if (read) column_d = column_q + (fast_q ? 8'd4 : pair_q ? 8'd2 : 8'd1);
    if (start_i) begin
      hold_d   = (tile_i.bits || src.dtype != defs_pkg::DtypeFp32 ? floor
                  : {floor[6:0], 1'b0} - (tile_i.low && floor >= 8'd8 ? 8'd8 : 8'd0)) - 8'd1;
      column_d = 8'd0;
    end
  end

  assign read       = walk_valid && !rest_q;
  assign rd_o       = '{valid: read, addr: walk_addr[17:0]};
  assign free_o     = hold_q == 0 && (!walk_valid || (read && walk_last && !long_q));
  assign finished_o = read && walk_last && report_q;
  assign busy_o     = walk_valid || data_valid_q || (|load_valid_o);

  // What belongs to the data that comes back in the next cycle.
  logic data_valid_q, data_fast_q, data_pair_q, data_last_q, data_quick_q;
  logic [1:0] data_halves_q, data_planes_q;
  logic [2:0] data_byte_q;
  logic [1:0] data_shift_q;
  fma_pkg::format_t data_format_q;
  logic [7:0] data_column_q, data_first_q, data_count_q;
  logic group_complete;
  // Bytes from the first column of a fast group to the others.
  logic [2:0] fast_byte1, fast_byte2, fast_byte3;
  assign fast_byte1     = 3'd1 << data_shift_q;
  assign fast_byte2     = 3'd2 << data_shift_q;
  assign fast_byte3     = fast_byte1 + fast_byte2;
  assign group_complete = data_fast_q || data_last_q || data_column_q[1:0] == 2'd3
                          || (data_pair_q && data_column_q[1]);

  // ----------------------------------------------------------------------------------- datapath
  always_ff @(posedge clk_i) begin
    if (data_valid_q) begin
      if (data_fast_q) begin
        for (int unsigned r = 0; r < P; r++) begin
          load_o[128*r +: 32]      <= row_pkg::element(rd_data_i[LaneBits'(r)], data_byte_q, data_shift_q);
          load_o[128*r + 32 +: 32] <= row_pkg::element(rd_data_i[LaneBits'(r)],
                                                        data_byte_q + fast_byte1, data_shift_q);
          load_o[128*r + 64 +: 32] <= row_pkg::element(rd_data_i[LaneBits'(r)],
                                                        data_byte_q + fast_byte2, data_shift_q);
          load_o[128*r + 96 +: 32] <= row_pkg::element(rd_data_i[LaneBits'(r)],
                                                        data_byte_q + fast_byte3, data_shift_q);
        end
      end else if (data_pair_q) begin
        for (int unsigned r = 0; r < P; r++) begin
          load_o[128*r + {25'b0, data_column_q[1], 6'b0} +: 64] <= rd_data_i[LaneBits'(r)];
        end
      end else begin
        for (int unsigned r = 0; r < P; r++) begin
          load_o[128*r + {25'b0, data_column_q[1:0], 5'b0} +: 32]
              <= row_pkg::element(rd_data_i[LaneBits'(r)], data_byte_q, data_shift_q);
        end
      end
    end
  end

  // ---------------------------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      hold_q       <= '0;
      data_valid_q <= 1'b0;
      load_valid_o <= '0;
      rest_q       <= 1'b0;
    end else begin
      hold_q       <= hold_d;
      rest_q       <= read && long_q;
      data_valid_q <= read;
      load_valid_o <= data_valid_q && group_complete ? data_halves_q : 2'b00;
    end
  end

  always_ff @(posedge clk_i) begin
    column_q <= column_d;
    if (start_i) begin
      fast_q   <= tile_i.fast;
      pair_q   <= tile_i.pair;
      long_q   <= tile_i.long_stride;
      halves_q <= tile_i.halves;
      planes_q <= tile_i.planes;
      first_q  <= src.partition;
      count_q  <= tile_i.partitions;
      shift_q  <= shift;
      report_q <= tile_i.last_pass;
      quick_q  <= quick_i;
      format_q <= tile_i.bits ? fma_pkg::bits_of(shift == 2'd1) : {1'b0, fma_pkg::format_of(src.dtype, tile_i.low)};
    end

    data_quick_q  <= quick_q;
    data_fast_q   <= fast_q;
    data_pair_q   <= pair_q;
    data_halves_q <= halves_q;
    data_planes_q <= planes_q;
    data_last_q   <= walk_last;
    data_byte_q   <= walk_addr[2:0];
    data_shift_q  <= shift_q;
    data_format_q <= format_q;
    data_column_q <= column_q;
    data_first_q  <= first_q;
    data_count_q  <= count_q;

    load_plane_o <= data_planes_q;
    load_format_o <= data_format_q;
    load_group_o <= GroupBits'(data_column_q >> 2);
    // Fast groups come four times as fast as the diagonal moves, pairs twice; the others wait for their
    // fourth column, or would have had to.
    load_ahead_o <= data_quick_q ? 8'd0
                  : data_fast_q ? 8'd3 + 8'd3 * (data_column_q >> 2)
                  : data_pair_q ? 8'd3 + {data_column_q[7:2], 2'b0} / 8'd2 - {7'b0, data_column_q[1]}
                                : 8'd3 - {6'b0, data_column_q[1:0]};
    load_first_o <= data_first_q;
    load_count_o <= data_count_q;
  end

  logic unused_tile;
  assign unused_tile = ^{tile_i, walk_addr[23:18]};

  // --------------------------------------------------------------------------------- assertions
  // Nobody starts a load that would overtake another.
  `ASSERT_NOW(StartWhenFree_A, start_i -> free_o)

endmodule
