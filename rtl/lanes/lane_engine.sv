// SPDX-License-Identifier: Apache-2.0
// Vector or activation engine: elementwise operations, casts, reductions; P lanes in fp32.
`include "assert.svh"

//   instr -> instr_front -> operand_reader -> lanes -> element_writer -> SBUF, PSUM
//                            | SBUF, PSUM |    |  ^
//                                        table_function, accumulators (activation engine), vector_unit (vector engine)
//
//   no src1          dst = cast(f(x))              x = src0
//   src1             dst = cast(f(x, y))           y = src1, element by element or one for all (a bias)
//   two scalars      dst = cast(g(f(x, a), b))     without b cast(f(x, a)), without x cast(a)
//   a scalar         dst = cast(g(f(x, a), y))     scan: g(f(x, value), y), first value a; select: x ? y : a
//   dst walk outer   dst = cast(x[0] f x[1] f x[2] ..) over the innermost dimensions, in this order
//   sums             dst = cast(accumulator)
//   seed             no elements: the lanes' random generators begin again
//
// Without a bias x is src0 itself: adding +0 would turn -0 into +0. Which of these an opcode is, what it
// allows and rejects: rtl/defs/instructions.toml; what f is: *Function* below.
//
// Cost: one element (of every partition) per cycle with one source, two cycles with two, 1 cycle more for
// a bias and for each scalar in SBUF (their reads come first), plus 5 cycles (6 with two functions or
// scalars, 13 with a function of table_function) from the last read to done, which is when the next
// instruction's reads may begin; an instruction that meets an idle engine waits 3 cycles for its check
// and start. PSUM reads may be kept waiting by the port.
module lane_engine #(
  parameter int unsigned Engine = 32'(defs_pkg::EngineVector)  // or EngineAct
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic instr_valid_i,
  output logic instr_ready_o,
  input  defs_pkg::instr_t instr_i,
  input  logic [31:0] serial_i,
  output logic done_o,
  output logic error_valid_o,
  output defs_pkg::error_cause_e error_cause_o,
  output logic [31:0] error_serial_o,
  output logic busy_o,

  output row_pkg::sbuf_read_t rd_o,
  input  row_pkg::sbuf_row_t rd_data_i,
  output row_pkg::psum_read_t ps_rd_o,
  input  logic ps_rd_ready_i,
  input  row_pkg::lane_row_t ps_rd_data_i,
  output row_pkg::sbuf_write_t wr_o,
  output row_pkg::lane_row_t wr_data_o,
  output row_pkg::lane_row_t wr_skip_o,
  output logic [31:0] wr_serial_o
);

  // ---------------------------------------------------------------- instruction
  defs_pkg::instr_t pend;
  logic [31:0] pend_serial;
  logic check, start, finish, written;
  logic seeds, seed_valid_q;      // it only seeds the random generators
  logic [31:0] seed_q;
  defs_pkg::error_cause_e check_cause;
  instr_pkg::walk_e dst_walk;
  assign dst_walk = instr_pkg::dst_walk(pend.opcode);
  assign seeds    = instr_pkg::form_of(pend.opcode) == instr_pkg::FormSeed;
  assign finish   = written || seed_valid_q;

  instr_front u_front (
    .clk_i, .rst_ni, .instr_valid_i, .instr_ready_o, .instr_i, .serial_i,
    .check_o(check), .check_i(check_cause), .start_o(start), .pend_o(pend), .pend_serial_o(pend_serial),
    .finish_i(finish), .done_o, .error_valid_o, .error_cause_o, .error_serial_o, .busy_o
  );

  always_comb begin
    check_cause = defs_pkg::ErrorCauseNone;
    if (check) begin
      check_cause = instr_pkg::first_cause(
          operand_check_pkg::instr_faults(pend, defs_pkg::engine_e'(Engine), 8'd0));
    end
  end

  // ---------------------------------------------------------------- function
  localparam bit IsAct = Engine == 32'(defs_pkg::EngineAct);
  instr_pkg::rule_t rule;
  logic copies;                    // there is no function
  logic reduce_q;                  // dst is walked without the innermost dimension
  logic pass_q, relu_q;
  logic [7:0] op_q;                // alu_op_e
  logic [3:0] dtype_q;             // of what is written
  logic bits, bits_q;              // no casts
  defs_pkg::scalars_t scalars;
  instr_pkg::scalars_e place;      // of scalars
  instr_pkg::form_e form, form_q;
  assign form = instr_pkg::form_of(pend.opcode);
  logic [1:0] reverse_q;           // {second, first} of two functions
  logic fused_q, scalar_q;         // there are two; the second one takes the second scalar
  logic [7:0] first_op_q;          // alu_op_e
  logic negate_q;                  // the result of a reduction
  logic [31:0] flip_q;
  logic set_q;                     // scalars that are immediates
  logic unit;                      // the form is of a vector_unit
  logic table_q;                   // then a function of table_function or a unit
  logic sums_q;                    // accumulators take its results
  logic stochastic_q, saturate_q;  // before the cast
  assign unit = form >= instr_pkg::FormTranspose;
  always_ff @(posedge clk_i) begin
    set_q <= start;
    if (start) begin
      rule    = instr_pkg::rule_of(pend.opcode);
      copies  = rule.functions == '0;
      scalars = operand_check_pkg::scalars_of(pend);
      place   = instr_pkg::scalars_of(pend.opcode);
      // A copy between integers of one format keeps their bits, too.
      bits    = operand_check_pkg::has_bits(pend) || instr_pkg::moves_bits(pend.opcode)
          || (copies && place == instr_pkg::ScalarsNone && defs_pkg::DtypeInteger[pend.dst.dtype]
              && pend.dst.dtype == (form == instr_pkg::FormPredicated ? pend.src1.dtype : pend.src0.dtype)
              && (form == instr_pkg::FormPredicated || form == instr_pkg::FormElementwise));
      reduce_q   <= dst_walk == instr_pkg::WalkOuter;
      form_q     <= form;
      fused_q    <= place != instr_pkg::ScalarsNone && form != instr_pkg::FormSelect && !unit;
      scalar_q   <= place == instr_pkg::ScalarsSrc1;
      seed_q     <= scalars.first.value;
      sums_q     <= IsAct && pend.imm[1];  // Reduce or ResetReduce; without imm it is zero
      stochastic_q <= pend.dst.stochastic;
      saturate_q   <= pend.dst.saturate;
      reverse_q  <= {scalars.second.reverse, scalars.first.reverse};
      first_op_q <= IsAct ? 8'(defs_pkg::AluOpMul) : pend.func;
      pass_q     <= copies || (IsAct && pend.src1.space == defs_pkg::SpaceNone)
          || (place == instr_pkg::ScalarsSrc1 && scalars.second.kind == defs_pkg::ScalarKindNone);
      op_q       <= IsAct ? defs_pkg::AluOpAdd : place != instr_pkg::ScalarsNone ? {2'b0, pend.imm[5:0]} : pend.func;
      negate_q   <= dst_walk == instr_pkg::WalkOuter && pend.imm[2];
      flip_q     <= bits ? '1 : 32'h8000_0000;
      dtype_q    <= pend.dst.dtype;
      bits_q     <= bits;
      relu_q     <= IsAct && pend.func == defs_pkg::ActFuncRelu;
      table_q    <= unit || IsAct && pend.func != defs_pkg::ActFuncCopy && pend.func != defs_pkg::ActFuncRelu;
    end
  end

  // Zeros of two bytes next to each other are written two at once, as if they were of four.
  defs_pkg::instr_t walked;
  defs_pkg::scalars_t filled;
  logic pairs;
  always_comb begin
    filled = operand_check_pkg::scalars_of(pend);
    pairs  = form == instr_pkg::FormFill && filled.first.kind == defs_pkg::ScalarKindImmediate && filled.first.value == 32'd0
        && pend.dst.space == defs_pkg::SpaceSbuf && !pend.dst.stochastic
        && (pend.dst.dtype == defs_pkg::DtypeBf16 || pend.dst.dtype == defs_pkg::DtypeFp16)
        && pend.dst.stride0 == 16'd1 && !pend.size0[0] && pend.dst.offset[1:0] == '0
        && !pend.dst.stride1[0] && !pend.dst.stride2[0] && !pend.dst.stride3[0];
    walked = pend;
    if (pairs) begin
      walked.size0       = pend.size0 >> 1;
      walked.dst.dtype   = defs_pkg::DtypeFp32;
      walked.dst.stride1 = {pend.dst.stride1[15], pend.dst.stride1[15:1]};
      walked.dst.stride2 = {pend.dst.stride2[15], pend.dst.stride2[15:1]};
      walked.dst.stride3 = {pend.dst.stride3[15], pend.dst.stride3[15:1]};
    end
  end

  // ---------------------------------------------------------------- sources
  logic pair_valid, pair_inner_last, pair_last;
  row_pkg::landing_t land, land_y;
  logic [1:0] hold;
  logic quick, twice;
  logic [1:0][31:0] scalar;

  operand_reader u_reader (
    .clk_i, .rst_ni, .start_i(start && !seeds), .instr_i(walked),
    .rd_o, .ps_rd_o, .ps_rd_ready_i, .land_o(land), .land_y_o(land_y), .hold_o(hold), .quick_o(quick), .twice_o(twice), .scalar_o(scalar),
    .pair_valid_o(pair_valid), .pair_inner_last_o(pair_inner_last), .pair_last_o(pair_last)
  );

  // ---------------------------------------------------------------- lanes
  logic fresh_q;  // the next element begins a reduction or scan
  logic op_valid, op_inner_last, op_last;  // of the last function
  logic first_valid_q, first_inner_last_q, first_last_q;  // behind the first of two
  logic value_valid_q, value_last_q;
  logic result_valid, result_last;  // of what is cast and written
  row_pkg::lane_row_t value, first, table_value, sums, random;
  logic draws;  // the unit uses a number
  logic table_valid, table_last;

  assign op_valid      = fused_q ? first_valid_q : pair_valid;
  assign op_inner_last = fused_q ? first_inner_last_q : pair_inner_last;
  assign op_last       = fused_q ? first_last_q : pair_last;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      first_valid_q <= 1'b0;
      value_valid_q <= 1'b0;
      seed_valid_q  <= 1'b0;
    end else begin
      seed_valid_q  <= start && seeds;
      first_valid_q <= pair_valid && fused_q;
      value_valid_q <= op_valid && (!reduce_q || op_inner_last);
    end
  end
  always_ff @(posedge clk_i) begin
    if (start) fresh_q <= 1'b1;
    else if (pair_valid) fresh_q <= pair_inner_last;
    first_inner_last_q <= pair_inner_last;
    first_last_q       <= pair_last;
    value_last_q       <= op_last;
  end

  lanes u_lanes (
    .clk_i, .rst_ni, .land_i(land), .land_y_i(land_y), .hold_i(hold), .quick_i(quick), .twice_i(twice), .rd_data_i, .ps_rd_data_i,
    .bits_i(bits_q), .set_i(set_q), .scalar_i(scalar),
    .first_valid_i(pair_valid && fused_q), .first_fill_i(form_q == instr_pkg::FormFill),
    .first_scan_i(form_q == instr_pkg::FormScan && !fresh_q), .first_reverse_i(reverse_q[0]), .first_op_i(first_op_q),
    .pair_valid_i(op_valid), .pair_fused_i(fused_q), .pair_pass_i(pass_q || (reduce_q && fresh_q)),
    .pair_reduce_i(reduce_q), .form_i(form_q), .pair_scalar_i(scalar_q),
    .pair_reverse_i(reverse_q[1]), .pair_flip_i(negate_q && op_inner_last), .flip_i(flip_q), .pair_relu_i(relu_q), .pair_op_i(op_q),
    .pair_table_i(table_q || sums_q), .value_o(value), .first_o(first),
    .value_valid_i(result_valid), .value_table_i(table_q), .table_i(table_value),
    .value_sums_i(form_q == instr_pkg::FormSums), .sums_i(sums),
    .value_saturate_i(saturate_q && !bits_q), .value_stochastic_i(stochastic_q && !bits_q), .random_i(random),
    .value_dtype_i(dtype_q), .wr_data_o, .wr_skip_o
  );

  if (IsAct) begin : gen_table
    table_function u_table (
      .clk_i, .rst_ni, .start_i(start), .func_i(pend.func),
      .valid_i(value_valid_q && table_q), .last_i(value_last_q), .x_i(value),
      .valid_o(table_valid), .last_o(table_last), .y_o(table_value)
    );
    accumulators u_sums (
      .clk_i, .rst_ni, .start_i(start), .command_i(pend.imm[1:0]), .count_i(pend.partitions),
      .valid_i(result_valid), .table_valid_i(table_q), .value_i(value), .table_i(table_value), .sum_o(sums)
    );
    assign draws = 1'b0;
    logic unused_first;
    assign unused_first = ^first[0];
  end else begin : gen_unit
    assign sums = '{default: '0};
    vector_unit u_unit (
      .clk_i, .rst_ni, .start_i(start), .form_i(form),
      .valid_i(value_valid_q && table_q), .last_i(value_last_q), .x_i(value), .first_i(first),
      .draw_o(draws), .random_i(random),
      .valid_o(table_valid), .last_o(table_last), .y_o(table_value)
    );
  end

  assign result_valid = table_q ? table_valid : value_valid_q;
  assign result_last  = table_q ? table_last : value_last_q;

  lane_random u_random (
    .clk_i, .rst_ni, .seed_valid_i(seed_valid_q), .seed_i(seed_q), .draw_i((result_valid && stochastic_q) || draws), .number_o(random)
  );

  // ---------------------------------------------------------------- destination
  element_writer u_writer (
    .clk_i, .rst_ni, .start_i(start && !seeds), .dst_i(walked.dst),
    .sizes_i(operand_check_pkg::sizes_of(walked, dst_walk)), .partitions_i(pend.partitions), .serial_i(pend_serial),
    .masked_i(operand_check_pkg::is_masked(form)), .pair_i(pairs), .value_valid_i(result_valid), .value_last_i(result_last),
    .wr_o, .wr_serial_o, .finish_o(written)
  );

  // Ports are used only while an instruction runs.
  `ASSERT_NOW(IdleIsQuiet_A, !busy_o && !error_valid_o -> !rd_o.valid && !ps_rd_o.valid && !wr_o.valid)

endmodule
