// SPDX-License-Identifier: Apache-2.0
// What makes an instruction legal: the rules that every engine applies before it does anything.
//
// instr_faults() applies the instruction's row (rtl/defs/instructions.toml). An engine ORs what
// depends on its state, and reports instr_pkg::first_cause(): always the same one.
// Twins: access_pattern.h and instruction.h of cmodel/machine.
package operand_check_pkg;

  localparam logic [3:0] MustBeUnused = 4'b0001;  // a mask of spaces
  localparam logic [63:0] OneElement = {16'd1, 16'd1, 16'd1, 16'd1};

  localparam int unsigned PsumBankBytes = size_pkg::PsumCols * 4;
  localparam int unsigned PsumBytes = size_pkg::PsumBanks * PsumBankBytes;

  // Start-partition rule for n partitions: n > P/2 from 0; n > P/4 from 0 or P/2; else from any
  // multiple of P/4. It also keeps the range inside the P partitions. n = 0 and n > P are bad.
  function automatic logic partition_bad(logic [7:0] start, logic [7:0] n);
    logic [31:0] s, count;
    s = {24'b0, start};
    count = {24'b0, n};
    partition_bad = count == 0 || count > size_pkg::Partitions || s >= size_pkg::Partitions
        || (count > size_pkg::Partitions / 2 ? s != 0
            : count > size_pkg::Partitions / 4 ? s % (size_pkg::Partitions / 2) != 0
            : s % (size_pkg::Partitions / 4) != 0);
  endfunction

  // Does any element leave its buffer, or the whole pattern its PSUM bank? Least and greatest byte
  // of the pattern in signed 48-bit arithmetic: a term is below 2^16 * 2^15 * 2^2 = 2^33.
  function automatic logic outside(defs_pkg::operand_t op, logic [63:0] sizes);
    logic signed [47:0] low, high, span;
    logic [63:0] strides;
    logic [15:0] trips, stride;
    strides = {op.stride3, op.stride2, op.stride1, op.stride0};
    low  = $signed({24'b0, op.offset});
    high = low + $signed({44'b0, 4'd1 << format_pkg::element_shift(op.dtype)}) - 48'sd1;
    for (int i = 0; i < 4; i++) begin
      trips = sizes[16 * i +: 16] - 16'd1;
      stride = strides[16 * i +: 16];
      span = ($signed({32'b0, trips}) * $signed({{32{stride[15]}}, stride}))
             <<< format_pkg::element_shift(op.dtype);
      if (span < 0) low = low + span;
      else high = high + span;
    end
    if (op.space == defs_pkg::SpacePsum) begin
      outside = low < 0 || high >= $signed(48'(PsumBytes))
          || low / $signed(48'(PsumBankBytes)) != high / $signed(48'(PsumBankBytes));
    end else begin
      outside = low < 0 || high >= $signed(48'(size_pkg::SbufBytes));
    end
  endfunction

  // All faults of one operand. `spaces` and `dtypes` are masks by space_e and dtype_e; `sizes` are
  // those that this operand is walked with, innermost in the low bits. The stride of a dimension of
  // size 1 must be zero.
  function automatic instr_pkg::faults_t operand_faults(
    defs_pkg::operand_t op, logic [7:0] partitions, logic [63:0] sizes,
    logic [3:0] spaces, logic [15:0] dtypes);
    logic [3:0] low_bits;
    operand_faults = '0;
    low_bits = (4'd1 << format_pkg::element_shift(op.dtype)) - 4'd1;
    if (spaces == MustBeUnused) begin
      operand_faults.reserved_bits = op != '0;
    end else if (op.space == defs_pkg::SpaceNone) begin
      operand_faults.reserved_bits = op != '0;
      operand_faults.bad_operand   = !spaces[0];
    end else begin
      operand_faults.reserved_bits = op.reserved != 0
          || (sizes[63:48] == 1 && op.stride3 != 0) || (sizes[47:32] == 1 && op.stride2 != 0)
          || (sizes[31:16] == 1 && op.stride1 != 0) || (sizes[15:0] == 1 && op.stride0 != 0);
      operand_faults.bad_operand   = !spaces[op.space];
      operand_faults.bad_format    = !dtypes[op.dtype]
          || (op.space == defs_pkg::SpacePsum && op.dtype != defs_pkg::DtypeFp32
              && op.dtype != defs_pkg::DtypeInt32);
      operand_faults.bad_partition = partition_bad(op.partition, partitions);
      operand_faults.bad_shape     = sizes[63:48] == 0 || sizes[47:32] == 0 || sizes[31:16] == 0
          || sizes[15:0] == 0;
      operand_faults.misaligned    = ({1'b0, op.offset[2:0]} & low_bits) != 0;
      operand_faults.out_of_bounds = outside(op, sizes);
    end
  endfunction

  // Trip counts of an operand, innermost in the low bits.
  function automatic logic [63:0] sizes_of(defs_pkg::instr_t instr, instr_pkg::walk_e walk);
    sizes_of = {instr.size3, instr.size2, instr.size1, instr.size0};
    if (walk == instr_pkg::WalkOuter) begin  // imm: a reduction
      sizes_of[15:0] = 16'd1;
      if (instr.imm[1:0] >= 2'd1) sizes_of[31:16] = 16'd1;
      if (instr.imm[1:0] >= 2'd2) sizes_of[47:32] = 16'd1;
      if (instr.imm[1:0] == 2'd3) sizes_of[63:48] = 16'd1;
    end
    case (walk)
      instr_pkg::WalkOne:   sizes_of = OneElement;
      instr_pkg::WalkTwo:   sizes_of = {OneElement[63:16], 16'd2};
      instr_pkg::WalkSix:   sizes_of = {OneElement[63:16], 16'd6};
      instr_pkg::WalkEight: sizes_of = {OneElement[63:16], 16'd8};
      default: ;
    endcase
  endfunction

  function automatic instr_pkg::faults_t rule_faults(
    defs_pkg::operand_t op, instr_pkg::operand_rule_t rule, defs_pkg::instr_t instr,
    logic [7:0] columns);
    rule_faults = operand_faults(op, rule.columns ? columns : instr.partitions,
        sizes_of(instr, rule.walk), rule.spaces,
        op.space == defs_pkg::SpacePsum ? rule.psum : rule.sbuf);
  endfunction

  // Has the instruction a function of bits?
  function automatic logic has_bits(defs_pkg::instr_t instr);
    logic [63:0] functions;
    functions = instr_pkg::bits_of(instr.opcode);
    has_bits  = functions[instr.func[5:0]];
  endfunction

  // Is it, if it is there, an integer of so many bytes? What functions of bits take.
  function automatic logic is_of_bits(defs_pkg::operand_t op, logic [1:0] shift);
    is_of_bits = op.space == defs_pkg::SpaceNone
        || (defs_pkg::DtypeInteger[op.dtype] && format_pkg::element_shift(op.dtype) == shift);
  endfunction

  // The scalars of an instruction; those of imm as if they were in src1.
  function automatic defs_pkg::scalars_t scalars_of(defs_pkg::instr_t instr);
    scalars_of = '0;
    if (instr_pkg::scalars_of(instr.opcode) == instr_pkg::ScalarsSrc1) begin
      scalars_of = instr.src1;
    end else if (instr_pkg::scalars_of(instr.opcode) == instr_pkg::ScalarsImm) begin
      scalars_of.first.kind  = instr.imm[7:6];
      scalars_of.first.value = instr.imm[7:6] == defs_pkg::ScalarKindImmediate
          ? {instr.imm[23:8], 16'b0} : {instr.src0.partition, 6'b0, instr.imm[23:8], 2'b0};
    end
  endfunction

  function automatic instr_pkg::faults_t scalar_faults(defs_pkg::scalar_t scalar, logic [7:0] partitions);
    scalar_faults = '0;
    scalar_faults.reserved_bits = scalar.reserved != 0
        || (scalar.kind == defs_pkg::ScalarKindNone && scalar != '0);
    scalar_faults.bad_operand = scalar.kind == defs_pkg::ScalarKindRegister;
    if (scalar.kind == defs_pkg::ScalarKindSbuf) begin
      scalar_faults.bad_partition = partition_bad(scalar.value[31:24], partitions);
      scalar_faults.misaligned    = scalar.value[1:0] != 0;
      scalar_faults.out_of_bounds = {8'b0, scalar.value[23:0]} > size_pkg::SbufBytes - 4;
    end
  endfunction

  // What scalars and the second function add.
  function automatic instr_pkg::faults_t fused_faults(defs_pkg::instr_t instr, logic [63:0] functions);
    defs_pkg::scalars_t scalars;
    defs_pkg::instr_t unused;
    logic [63:0] bits;
    scalars      = scalars_of(instr);
    unused       = instr_pkg::unused_of(instr.opcode);
    bits         = instr_pkg::bits_of(instr.opcode);
    fused_faults = scalar_faults(scalars.first, instr.partitions) | scalar_faults(scalars.second, instr.partitions);
    fused_faults.bad_operand = fused_faults.bad_operand || scalars.first.kind == defs_pkg::ScalarKindNone;
    if (functions != 0 && !unused.imm[5] && (instr_pkg::scalars_of(instr.opcode) == instr_pkg::ScalarsImm
                           || scalars.second.kind != defs_pkg::ScalarKindNone)) begin
      fused_faults.unknown_opcode = !functions[instr.imm[5:0]];
      fused_faults.bad_format     = bits[instr.func[5:0]] != bits[instr.imm[5:0]];
    end else begin
      fused_faults.reserved_bits = fused_faults.reserved_bits || (!unused.imm[5] && instr.imm[5:0] != 0)
          || (functions == 0 && scalars.second != '0);
    end
  endfunction

  // Rows that work on quarters of the partitions take whole ones; a transposition is square.
  function automatic logic by_quarters(instr_pkg::form_e form);
    by_quarters = form == instr_pkg::FormTranspose || form == instr_pkg::FormShuffle;
  endfunction

  // May dst keep lanes of a row?
  function automatic logic is_masked(instr_pkg::form_e form);
    is_masked = form == instr_pkg::FormPredicated || form == instr_pkg::FormShuffle;
  endfunction

  // Do sizes and partitions suit the row as a whole?
  function automatic instr_pkg::faults_t shape_faults(defs_pkg::instr_t instr);
    instr_pkg::limits_t limits;
    instr_pkg::form_e form;
    logic [63:0] elements;
    limits   = instr_pkg::limits_of(instr.opcode);
    form     = instr_pkg::form_of(instr.opcode);
    elements = 64'(instr.size3) * 64'(instr.size2) * 64'(instr.size1) * 64'(instr.size0);
    shape_faults = '0;
    shape_faults.bad_shape = elements < {32'b0, limits.least} || (limits.most != '1 && elements > {32'b0, limits.most})
        || (limits.multiple != 1 && elements % {32'b0, limits.multiple} != 0)
        || (form == instr_pkg::FormTranspose && {16'b0, instr.size0} != size_pkg::Partitions / 4);
    shape_faults.bad_partition = by_quarters(form) && {24'b0, instr.partitions} % (size_pkg::Partitions / 4) != 0;
    shape_faults.bad_operand   = instr.src0.space == defs_pkg::SpacePsum && instr.src1.space == defs_pkg::SpacePsum
        && instr_pkg::one_in_psum(instr.opcode);
    shape_faults.bad_format    = instr_pkg::moves_bits(instr.opcode) && instr.src0.space != defs_pkg::SpaceNone
        && instr.dst.space != defs_pkg::SpaceNone && format_pkg::element_shift(instr.src0.dtype) != format_pkg::element_shift(instr.dst.dtype);
  endfunction

  // All that `engine` can tell from the instruction and its row. `columns`: of the stationary tile.
  function automatic instr_pkg::faults_t instr_faults(
    defs_pkg::instr_t instr, defs_pkg::engine_e engine, logic [7:0] columns);
    instr_pkg::rule_t rule;
    rule = instr_pkg::rule_of(instr.opcode);
    instr_faults = rule_faults(instr.src0, rule.src0, instr, columns)
        | rule_faults(instr.dst, rule.dst, instr, columns);
    if (instr_pkg::scalars_of(instr.opcode) != instr_pkg::ScalarsSrc1) begin
      instr_faults = instr_faults | rule_faults(instr.src1, rule.src1, instr, columns);
    end
    if (rule.dst.spaces != MustBeUnused || rule.src0.spaces != MustBeUnused) begin
      instr_faults = instr_faults | shape_faults(instr);
    end
    if (instr_pkg::scalars_of(instr.opcode) != instr_pkg::ScalarsNone) begin
      instr_faults = instr_faults | fused_faults(instr, rule.functions);
    end
    if (has_bits(instr)) begin
      instr_faults.bad_format = instr_faults.bad_format
          || !is_of_bits(instr.src0, format_pkg::element_shift(instr.dst.dtype))
          || (instr_pkg::scalars_of(instr.opcode) != instr_pkg::ScalarsSrc1
              && !is_of_bits(instr.src1, format_pkg::element_shift(instr.dst.dtype)))
          || !is_of_bits(instr.dst, format_pkg::element_shift(instr.dst.dtype));
      instr_faults.reserved_bits = instr_faults.reserved_bits || instr.dst.stochastic || instr.dst.saturate;
    end
    instr_faults.unknown_opcode = instr_faults.unknown_opcode || !rule.engines[engine[$clog2(defs_pkg::Sequencers)-1:0]]
        || (rule.functions != 0 && (instr.func[7:6] != 0 || !rule.functions[instr.func[5:0]]));
    instr_faults.reserved_bits = instr_faults.reserved_bits
        || (instr & instr_pkg::unused_of(instr.opcode)) != 0;
  endfunction

endpackage
