// SPDX-License-Identifier: Apache-2.0
// When may the load in the load slot start, and the stream in the moving slot?

// a, b: cycle of the start of a load and of a stream; see the tables in tensor_load, tensor_stream.
//
//   load into plane p     after the last read of every tile that uses p: a >= b + N
//   stream from plane p   three cycles after the load of p started: b >= a + 3
//                         (long stride: M + 3 more, the columns come at half the rate)
//                         quick load: b >= a, in the very cycle if both wait in their slots
//   two tiles at once     one in the upper half of the rows, one in the lower, in different banks of
//                         PSUM: a bank takes one row a cycle. With the same bank the younger waits.
//
// which is exactly what the diagonal of weights in tensor_array needs. Planes are a matter of each
// half of the rows: a tile through all rows needs both. Stream 0 serves upper tiles and those
// through all rows, stream 1 lower ones.
//
// A load of one column is quick if the planes it fills held one column before: no vector in flight
// then cares for columns 1 to 3, which are written together with column 0, and the weights need not
// keep three cycles behind the old vectors.
module tensor_issue (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic load_valid_i,
  input  tensor_pkg::tile_t load_i,
  input  logic load_free_i,
  output logic load_start_o,
  output logic load_quick_o,

  input  logic moving_valid_i,
  input  tensor_pkg::tile_t moving_i,
  input  logic moving_behind_i,          // the load in the load slot comes first
  input  logic [1:0] stream_free_i,
  input  logic [1:0] stream0_halves_i,   // while !free: what the streams use
  input  logic [1:0] stream0_planes_i,
  input  logic stream1_plane_i,
  input  logic [1:0] drain_free_i,
  output logic [1:0] moving_start_o,     // by stream
  output logic bank_wait_o               // it is only the bank that keeps a tile waiting
);

  // By {half, plane}: cycles until a stream may start, and until a further load cannot meet groups of
  // the last one in the array.
  logic [31:0] lead_d, lead_q;
  logic [35:0] guard_d, guard_q;
  logic [3:0] single_d, single_q;             // the last load had one column
  logic [3:0] ready, clear, in_use, wanted;   // by {half, plane}
  logic [3:0] load_mask, moving_mask;
  logic [2:0] bank, bank0_q, bank1_q;         // of the tile in the slot, and of the streams
  logic lower, idle0, idle1, weights_here, moving_go, same_bank;

  // The {half, plane} pairs of a tile.
  assign load_mask   = {load_i.halves[1] && load_i.planes[1], load_i.halves[1] && !load_i.planes[1],
                        load_i.halves[0] && load_i.planes[0], load_i.halves[0] && !load_i.planes[0]};
  assign moving_mask = {moving_i.halves[1] && moving_i.planes[1],
                        moving_i.halves[1] && !moving_i.planes[1],
                        moving_i.halves[0] && moving_i.planes[0],
                        moving_i.halves[0] && !moving_i.planes[0]};

  assign idle0  = stream_free_i[0];
  assign idle1  = stream_free_i[1];
  assign in_use = {(!idle0 && stream0_halves_i[1] && stream0_planes_i[1]) || (!idle1 && stream1_plane_i),
                   (!idle0 && stream0_halves_i[1] && !stream0_planes_i[1])
                   || (!idle1 && !stream1_plane_i),
                   !idle0 && stream0_halves_i[0] && stream0_planes_i[0],
                   !idle0 && stream0_halves_i[0] && !stream0_planes_i[0]};
  assign wanted = moving_valid_i && !moving_behind_i ? moving_mask : 4'b0;
  assign ready  = {lead_q[31:24] == 0, lead_q[23:16] == 0, lead_q[15:8] == 0, lead_q[7:0] == 0};
  assign clear  = {guard_q[35:27] == 0, guard_q[26:18] == 0, guard_q[17:9] == 0, guard_q[8:0] == 0};

  assign load_start_o = load_valid_i && load_free_i
                        && (load_mask & (~clear | in_use | wanted)) == 4'b0;
  assign load_quick_o = load_i.columns == 8'd1 && (load_mask & ~single_q) == 4'b0;

  assign lower        = moving_i.halves == 2'b10;
  assign bank         = moving_i.bank;
  assign weights_here = moving_valid_i && drain_free_i[lower]
                        && (moving_behind_i ? load_start_o && load_quick_o
                                              && (moving_mask & ~load_mask) == 4'b0
                                            : (moving_mask & ~ready) == 4'b0);
  always_comb begin
    same_bank = 1'b0;
    if (moving_i.halves == 2'b11) begin
      moving_go = idle0 && idle1;
    end else if (lower) begin
      moving_go = idle1 && (idle0 || !stream0_halves_i[1]);
      same_bank = !idle0 && bank == bank0_q;
    end else begin
      moving_go = idle0;
      same_bank = !idle1 && bank == bank1_q;
    end
  end
  assign bank_wait_o    = weights_here && moving_go && same_bank;
  assign moving_start_o = !(weights_here && moving_go && !same_bank) ? 2'b00 : lower ? 2'b10 : 2'b01;

  always_comb begin
    for (int unsigned i = 0; i < 4; i++) begin
      lead_d[8*i +: 8]  = lead_q[8*i +: 8] == 0 ? 8'd0 : lead_q[8*i +: 8] - 8'd1;
      guard_d[9*i +: 9] = guard_q[9*i +: 9] == 0 ? 9'd0 : guard_q[9*i +: 9] - 9'd1;
      if (load_start_o && load_mask[i]) begin
        lead_d[8*i +: 8]  = load_quick_o ? 8'd0 : load_i.long_stride ? load_i.columns + 8'd5 : 8'd2;
        guard_d[9*i +: 9] = load_quick_o ? 9'd0
                          : load_i.long_stride ? {load_i.columns, 1'b1}
                                               : {1'b0, (load_i.columns - 8'd1) | 8'd3};
      end
    end
    single_d = single_q;
    if (load_start_o) begin
      single_d = load_i.columns == 8'd1 ? single_q | load_mask : single_q & ~load_mask;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      lead_q   <= '0;
      guard_q  <= '0;
      single_q <= '0;
    end else begin
      lead_q   <= lead_d;
      guard_q  <= guard_d;
      single_q <= single_d;
    end
  end
  always_ff @(posedge clk_i) begin
    if (moving_start_o[0]) bank0_q <= bank;
    if (moving_start_o[1]) bank1_q <= bank;
  end

  logic unused_tiles;
  assign unused_tiles = ^{load_i, moving_i};

endmodule
