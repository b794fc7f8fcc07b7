// SPDX-License-Identifier: Apache-2.0
// What the vector engine has beside its lanes: units that take a stream of elements and make another one.

//   lanes --x--> stats | aggregate | transpose | eight | random --y--> lanes, cast
//
// Which of them an instruction is for: its row's form.
module vector_unit (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic start_i,             // of an instruction: form_i is that of the next one ..
  input  instr_pkg::form_e form_i,
  input  logic valid_i,
  input  logic last_i,
  input  row_pkg::lane_row_t x_i,
  input  row_pkg::lane_row_t first_i,  // its scalar
  output logic draw_o,                 // random_i is used up
  input  row_pkg::lane_row_t random_i,
  output logic valid_o,
  output logic last_o,
  output row_pkg::lane_row_t y_o
);

  instr_pkg::form_e form_q;  // .. and this of the one that runs
  always_ff @(posedge clk_i) if (start_i) form_q <= form_i;

  function automatic logic of_eight(input instr_pkg::form_e form);
    of_eight = form == instr_pkg::FormMax8 || form == instr_pkg::FormFind8 || form == instr_pkg::FormReplace8;
  endfunction

  logic stats, aggregate, transpose, eight;
  assign stats     = form_q == instr_pkg::FormStats;
  assign aggregate = form_q == instr_pkg::FormAggregate;
  assign transpose = form_q == instr_pkg::FormTranspose;
  assign eight     = of_eight(form_q);

  logic stats_valid, aggregate_valid, transpose_valid, eight_valid, random_valid;
  logic stats_last, aggregate_last, transpose_last, eight_last, random_last;
  row_pkg::lane_row_t stats_y, aggregate_y, transpose_y, eight_y, random_y;

  vector_stats u_stats (
    .clk_i, .rst_ni, .start_i(start_i && form_i == instr_pkg::FormStats), .valid_i(valid_i && stats), .last_i, .x_i,
    .valid_o(stats_valid), .last_o(stats_last), .y_o(stats_y)
  );
  vector_aggregate u_aggregate (
    .clk_i, .rst_ni, .start_i(start_i && form_i == instr_pkg::FormAggregate), .valid_i(valid_i && aggregate), .last_i, .x_i,
    .valid_o(aggregate_valid), .last_o(aggregate_last), .y_o(aggregate_y)
  );
  vector_transpose u_transpose (
    .clk_i, .rst_ni, .start_i(start_i && form_i == instr_pkg::FormTranspose), .valid_i(valid_i && transpose), .last_i, .x_i,
    .valid_o(transpose_valid), .last_o(transpose_last), .y_o(transpose_y)
  );
  vector_eight u_eight (
    .clk_i, .rst_ni, .start_i(start_i && of_eight(form_i)), .form_i(start_i ? form_i : form_q), .valid_i(valid_i && eight), .last_i, .x_i, .first_i,
    .valid_o(eight_valid), .last_o(eight_last), .y_o(eight_y)
  );
  vector_random u_random (
    .clk_i, .rst_ni, .form_i(form_q), .valid_i(draw_o), .last_i, .x_i, .first_i, .random_i,
    .valid_o(random_valid), .last_o(random_last), .y_o(random_y)
  );

  assign draw_o  = valid_i && (form_q == instr_pkg::FormRandom || form_q == instr_pkg::FormDropout);
  assign valid_o = stats_valid || aggregate_valid || transpose_valid || eight_valid || random_valid;
  assign last_o  = stats ? stats_last : aggregate ? aggregate_last : transpose ? transpose_last
                 : eight ? eight_last : random_last;
  always_comb begin
    y_o = random_y;
    if (stats) y_o = stats_y;
    if (aggregate) y_o = aggregate_y;
    if (transpose) y_o = transpose_y;
    if (eight) y_o = eight_y;
  end

endmodule
