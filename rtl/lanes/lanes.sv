// SPDX-License-Identifier: Apache-2.0
// The P fp32 lanes of the vector and the activation engine: pick an element, operate, cast.
`include "assert.svh"

//             land_i               first_*              pair_*                  value_*
//   SBUF, PSUM --> x, y --> p = op(x, first) --> value = op(p, y or second) --> wr_data_o = cast(value)
//   word                    if it is fused; else p = x
//
// Lane i takes partition land_i.source.partition + i (modulo P; lanes beyond the instruction's partitions
// carry rubbish that is never written). Scalars, `first` and `second`, are set by set_i or land.
//
//   reverse        op(b, a)
//   first: fill    p = first
//          scan    p = op(x, value)
//   pair:  pass    value = p
//          reduce  value = op(value, x)
//          select  value = x is not 0 ? y : first
//          predicated  value = y; the lane is skipped where x = 0
//          shuffle value = x of lane y of its quarter; the lane is skipped where y = 255
//          twice   then value = op(value, y)
//          flip    then value = value ^ flip
//          relu    then value = value > 0 ? value : +0
//          table   value_o, and the scalar as first_o, goes to another module, and what it makes of it comes back as table_i, later
//   value: sums    sums_i is cast instead; saturate, stochastic: before the cast (rounding_pkg), random_i is used up
//
// All stages are one process, last stage first, so that each reads the register of the one before
// as it was. Formats that are frequent have loops of their own, and what is the same for all lanes
// is decided around a loop, so that it becomes vector code.
module lanes (
  input  logic clk_i,
  input  logic rst_ni,

  input  row_pkg::landing_t land_i,
  input  row_pkg::landing_t land_y_i,
  input  logic [1:0] hold_i,     // {y, x}: the word at the port is kept
  input  logic twice_i,          // x and y are both of x's word, and a reduction takes both
  input  logic quick_i,          // y is a cycle early for the second function
  input  row_pkg::sbuf_row_t rd_data_i,
  input  row_pkg::lane_row_t ps_rd_data_i,

  input  logic bits_i,           // integers stay as they are, at both ends
  input  logic set_i,
  input  logic [1:0][31:0] scalar_i,  // {second, first}

  input  logic first_valid_i,
  input  logic first_fill_i,
  input  logic first_scan_i,
  input  logic first_reverse_i,
  input  logic [7:0] first_op_i,  // alu_op_e

  input  logic pair_valid_i,
  input  logic pair_fused_i,
  input  logic pair_pass_i,
  input  logic pair_reduce_i,
  input  instr_pkg::form_e form_i,
  input  logic pair_scalar_i,    // second, not y
  input  logic pair_reverse_i,
  input  logic pair_flip_i,
  input  logic [31:0] flip_i,
  input  logic pair_relu_i,
  input  logic [7:0] pair_op_i,  // alu_op_e
  input  logic pair_table_i,     // value_o is needed
  output row_pkg::lane_row_t value_o,
  output row_pkg::lane_row_t first_o,

  input  logic value_valid_i,
  input  logic value_table_i,    // of table_i
  input  row_pkg::lane_row_t table_i,
  input  logic value_sums_i,     // of sums_i
  input  row_pkg::lane_row_t sums_i,
  input  logic value_saturate_i,
  input  logic value_stochastic_i,
  input  row_pkg::lane_row_t random_i,
  input  logic [3:0] value_dtype_i,
  output row_pkg::lane_row_t wr_data_o,
  output row_pkg::lane_row_t wr_skip_o  // not 0: of a masked write, the lane is not written
);

  localparam int unsigned P = size_pkg::Partitions;
  localparam int unsigned PartitionBits = $clog2(P);
  localparam int unsigned Quarter = P / 4;

  row_pkg::lane_row_t x_q, y_q, first_q, second_q, p_q, value_q, skip_q, late_q;
  row_pkg::sbuf_row_t x_word_q, y_word_q;
  row_pkg::lane_row_t ready, cast, word, a, b, result;
  logic [31:0] fold, swap, low, high, greatest;
  logic [22:0] format;
  logic [1:0] shift;
  logic [PartitionBits-1:0] from, start;
  row_pkg::landing_t land;

  // result = op(a, b)
  task automatic operate(input logic [7:0] op);
    unique case (op)
      defs_pkg::AluOpSub: for (int unsigned i = 0; i < P; i++) result[i] = fma_pkg::sub_fp32(a[i], b[i]);
      defs_pkg::AluOpMul: for (int unsigned i = 0; i < P; i++) result[i] = operator_pkg::mul_fp32(a[i], b[i]);
      defs_pkg::AluOpMax: for (int unsigned i = 0; i < P; i++) result[i] = convert_pkg::max_fp32(a[i], b[i]);
      defs_pkg::AluOpMin: for (int unsigned i = 0; i < P; i++) result[i] = convert_pkg::min_fp32(a[i], b[i]);
      defs_pkg::AluOpAbsMax: for (int unsigned i = 0; i < P; i++)
        result[i] = convert_pkg::max_fp32(operator_pkg::magnitude(a[i]), operator_pkg::magnitude(b[i]));
      defs_pkg::AluOpAbsMin: for (int unsigned i = 0; i < P; i++)
        result[i] = convert_pkg::min_fp32(operator_pkg::magnitude(a[i]), operator_pkg::magnitude(b[i]));
      defs_pkg::AluOpEq: for (int unsigned i = 0; i < P; i++) result[i] = operator_pkg::compare_fp32(a[i], b[i], operator_pkg::Eq);
      defs_pkg::AluOpNe: for (int unsigned i = 0; i < P; i++) result[i] = operator_pkg::compare_fp32(a[i], b[i], operator_pkg::Ne);
      defs_pkg::AluOpLt: for (int unsigned i = 0; i < P; i++) result[i] = operator_pkg::compare_fp32(a[i], b[i], operator_pkg::Lt);
      defs_pkg::AluOpLe: for (int unsigned i = 0; i < P; i++) result[i] = operator_pkg::compare_fp32(a[i], b[i], operator_pkg::Le);
      defs_pkg::AluOpGt: for (int unsigned i = 0; i < P; i++) result[i] = operator_pkg::compare_fp32(a[i], b[i], operator_pkg::Gt);
      defs_pkg::AluOpGe: for (int unsigned i = 0; i < P; i++) result[i] = operator_pkg::compare_fp32(a[i], b[i], operator_pkg::Ge);
      defs_pkg::AluOpAnd: for (int unsigned i = 0; i < P; i++) result[i] = operator_pkg::logic_fp32(a[i], b[i], operator_pkg::And);
      defs_pkg::AluOpOr: for (int unsigned i = 0; i < P; i++) result[i] = operator_pkg::logic_fp32(a[i], b[i], operator_pkg::Or);
      defs_pkg::AluOpXor: for (int unsigned i = 0; i < P; i++) result[i] = operator_pkg::logic_fp32(a[i], b[i], operator_pkg::Xor);
      defs_pkg::AluOpAbs: for (int unsigned i = 0; i < P; i++) result[i] = operator_pkg::magnitude(a[i]);
      defs_pkg::AluOpSquare: for (int unsigned i = 0; i < P; i++) result[i] = operator_pkg::mul_fp32(a[i], a[i]);
      defs_pkg::AluOpBitNot: for (int unsigned i = 0; i < P; i++) result[i] = ~a[i];
      defs_pkg::AluOpBitAnd: for (int unsigned i = 0; i < P; i++) result[i] = a[i] & b[i];
      defs_pkg::AluOpBitOr: for (int unsigned i = 0; i < P; i++) result[i] = a[i] | b[i];
      defs_pkg::AluOpBitXor: for (int unsigned i = 0; i < P; i++) result[i] = a[i] ^ b[i];
      defs_pkg::AluOpShiftLeft: for (int unsigned i = 0; i < P; i++) result[i] = operator_pkg::shift_left(a[i], b[i]);
      defs_pkg::AluOpShiftRight: for (int unsigned i = 0; i < P; i++) result[i] = operator_pkg::shift_right(a[i], b[i]);
      default: for (int unsigned i = 0; i < P; i++) result[i] = fma_pkg::add_fp32(a[i], b[i]);
    endcase
  endtask

  always_ff @(posedge clk_i) begin
    // Cast. Every NaN that is written is the canonical one, also in fp32.
    if (value_valid_i) begin
      if (value_table_i) ready = table_i;
      else if (value_sums_i) ready = sums_i;
      else ready = value_q;
      if (value_saturate_i) begin
        greatest = rounding_pkg::greatest_of(value_dtype_i);
        for (int unsigned i = 0; i < P; i++) ready[i] = rounding_pkg::saturated(ready[i], greatest);
      end
      if (value_stochastic_i) begin
        format = format_pkg::format_of(value_dtype_i);
        for (int unsigned i = 0; i < P; i++) ready[i] = rounding_pkg::at_random(ready[i], format, random_i[i]);
      end
      if (bits_i) begin
        for (int unsigned i = 0; i < P; i++) cast[i] = ready[i];
      end else if (value_dtype_i == defs_pkg::DtypeBf16) begin
        for (int unsigned i = 0; i < P; i++) begin
          cast[i] = {16'b0, convert_pkg::fp32_to_bf16(ready[i])};
        end
      end else if (value_dtype_i == defs_pkg::DtypeFp32) begin
        for (int unsigned i = 0; i < P; i++) cast[i] = convert_pkg::canonical(ready[i]);
      end else begin
        format = format_pkg::format_of(value_dtype_i);
        for (int unsigned i = 0; i < P; i++) cast[i] = format_pkg::from_fp32(ready[i], format);
      end
      wr_data_o <= cast;
      if (operand_check_pkg::is_masked(form_i)) wr_skip_o <= skip_q;
    end

    // Operate.
    if (pair_valid_i) begin
      if (form_i == instr_pkg::FormPredicated) begin
        for (int unsigned i = 0; i < P; i++) begin
          value_q[i] = y_q[i];
          skip_q[i]  = bits_pkg::mask(x_q[i] == 32'd0);
        end
      end else if (form_i == instr_pkg::FormShuffle) begin
        for (int unsigned i = 0; i < P; i++) begin
          from       = PartitionBits'(i / Quarter * Quarter + y_q[i] % Quarter);
          value_q[i] = x_q[from];
          skip_q[i]  = bits_pkg::mask(y_q[i] == 32'd255);
        end
      end else if (form_i == instr_pkg::FormSelect) begin
        for (int unsigned i = 0; i < P; i++) begin
          value_q[i] = bits_pkg::sel(bits_pkg::mask(operator_pkg::magnitude(x_q[i]) != 32'd0), y_q[i], first_q[i]);
        end
      end else if (pair_pass_i && pair_fused_i) begin
        for (int unsigned i = 0; i < P; i++) value_q[i] = p_q[i];
      end else if (pair_pass_i) begin
        for (int unsigned i = 0; i < P; i++) value_q[i] = x_q[i];
      end else begin
        if (pair_fused_i) begin
          swap = {32{pair_reverse_i}};
          fold = {32{pair_scalar_i}};
          for (int unsigned i = 0; i < P; i++) begin
            low  = p_q[i];
            high = bits_pkg::sel(fold, second_q[i], bits_pkg::sel(bits_pkg::mask(quick_i), late_q[i], y_q[i]));
            a[i] = bits_pkg::sel(swap, high, low);
            b[i] = bits_pkg::sel(swap, low, high);
          end
        end else begin
          fold = {32{pair_reduce_i}};
          for (int unsigned i = 0; i < P; i++) begin
            a[i] = bits_pkg::sel(fold, value_q[i], x_q[i]);
            b[i] = bits_pkg::sel(fold, x_q[i], y_q[i]);
          end
        end
        operate(pair_op_i);
        for (int unsigned i = 0; i < P; i++) value_q[i] = result[i];
      end
      if (twice_i) begin
        for (int unsigned i = 0; i < P; i++) begin
          a[i] = value_q[i];
          b[i] = y_q[i];
        end
        operate(pair_op_i);
        for (int unsigned i = 0; i < P; i++) value_q[i] = result[i];
      end
      if (pair_flip_i) begin
        for (int unsigned i = 0; i < P; i++) value_q[i] = value_q[i] ^ flip_i;
      end
      if (pair_relu_i) begin
        for (int unsigned i = 0; i < P; i++) value_q[i] = convert_pkg::relu_fp32(value_q[i]);
      end
      if (pair_table_i) value_o <= value_q;
      if (form_i == instr_pkg::FormReplace8 || form_i == instr_pkg::FormDropout) first_o <= first_q;
    end

    if (first_valid_i && quick_i) begin
      for (int unsigned i = 0; i < P; i++) late_q[i] = y_q[i];
    end

    // The first of two functions.
    if (first_valid_i) begin
      if (first_fill_i) begin
        for (int unsigned i = 0; i < P; i++) p_q[i] = first_q[i];
      end else begin
        swap = {32{first_reverse_i}};
        fold = {32{first_scan_i}};
        for (int unsigned i = 0; i < P; i++) begin
          low  = x_q[i];
          high = bits_pkg::sel(fold, value_q[i], first_q[i]);
          a[i] = bits_pkg::sel(swap, high, low);
          b[i] = bits_pkg::sel(swap, low, high);
        end
        operate(first_op_i);
        for (int unsigned i = 0; i < P; i++) p_q[i] = result[i];
      end
    end

    // Pick the partition, then the element of its word.
    if (hold_i[1]) begin
      for (int unsigned i = 0; i < P; i++) y_word_q[i] = rd_data_i[i];
    end
    for (int unsigned l = 0; l < 2; l++) begin
      land  = l == 0 ? land_i : land_y_i;
      start = land.source.partition[PartitionBits-1:0];
      shift = format_pkg::element_shift(land.source.dtype);
      if (land.valid) begin
        if (land.held) begin
          for (int unsigned i = 0; i < P; i++) begin
            from    = PartitionBits'(i) + start;
            word[i] = convert_pkg::bf16_to_fp32(16'((l == 0 || twice_i ? x_word_q[from] : y_word_q[from]) >> {land.at[2:1], 4'b0}));
          end
        end else if (land.source.psum) begin
          for (int unsigned i = 0; i < P; i++) begin
            from    = PartitionBits'(i) + start;
            word[i] = ps_rd_data_i[from];
          end
        end else if (land.source.dtype == defs_pkg::DtypeBf16 && !bits_i) begin
          for (int unsigned i = 0; i < P; i++) begin
            from    = PartitionBits'(i) + start;
            word[i] = convert_pkg::bf16_to_fp32(16'(rd_data_i[from] >> {land.at[2:1], 4'b0}));
          end
        end else if (shift == 2'd2) begin
          for (int unsigned i = 0; i < P; i++) begin
            from    = PartitionBits'(i) + start;
            word[i] = 32'(rd_data_i[from] >> {land.at[2], 5'b0});
          end
        end else begin
          for (int unsigned i = 0; i < P; i++) begin
            from    = PartitionBits'(i) + start;
            word[i] = row_pkg::element(rd_data_i[from], land.at, shift);
          end
        end
        if (bits_i) begin
          for (int unsigned i = 0; i < P; i++) word[i] = word[i] >> (6'd32 - (6'd8 << shift));
        end else if (land.source.dtype == defs_pkg::DtypeInt32) begin
          for (int unsigned i = 0; i < P; i++) word[i] = convert_pkg::int32_to_fp32(word[i]);
        end else if (land.source.dtype != defs_pkg::DtypeBf16 && land.source.dtype != defs_pkg::DtypeFp32) begin
          format = format_pkg::format_of(land.source.dtype);
          for (int unsigned i = 0; i < P; i++) word[i] = format_pkg::to_fp32(word[i], format);
        end
        unique case (land.what)
          row_pkg::LandX:     for (int unsigned i = 0; i < P; i++) x_q[i] = word[i];
          row_pkg::LandY:     for (int unsigned i = 0; i < P; i++) y_q[i] = word[i];
          row_pkg::LandFirst: for (int unsigned i = 0; i < P; i++) first_q[i] = word[i];
          default:            for (int unsigned i = 0; i < P; i++) second_q[i] = word[i];
        endcase
      end
    end
    if (hold_i[0]) begin
      for (int unsigned i = 0; i < P; i++) x_word_q[i] = rd_data_i[i];
    end
    if (set_i) begin
      for (int unsigned i = 0; i < P; i++) begin
        first_q[i]  = scalar_i[0];
        second_q[i] = scalar_i[1];
      end
    end
  end

  // The operand has been checked.
  `ASSERT_NOW(PartitionIsInside_A, (land_i.valid -> {24'b0, land_i.source.partition} < P)
          && (land_y_i.valid -> {24'b0, land_y_i.source.partition} < P))

endmodule
