// SPDX-License-Identifier: Apache-2.0
// Is this a legal instruction of the tensor engine, and what does it ask for? Combinational.

// Order of causes and rules of operands: operand_check_pkg. Twin: TensorEngine::check.
module tensor_check (
  input  logic valid_i,             // low: nothing is worked out
  input  defs_pkg::instr_t instr_i,

  // The last LOAD_STATIONARY before it into the half of the rows where it starts.
  input  logic loaded_i,
  input  logic [7:0] loaded_partitions_i,
  input  logic [7:0] loaded_first_i,
  input  logic [7:0] loaded_columns_i,
  input  logic [3:0] loaded_dtype_i,
  input  logic loaded_both_i,       // ... and into the other half: the same one

  output defs_pkg::error_cause_e cause_o,
  output logic [7:0] columns_o,     // of a legal LOAD_STATIONARY
  output logic fast_o,              // it can be read four columns at a time
  output logic pair_o,              // 4-byte formats: two columns at a time
  output logic long_o               // innermost stride of 16 bytes or more: half rate
);

  localparam int unsigned P = size_pkg::Partitions;

  operand_check_pkg::faults_t faults;
  logic [3:0][15:0] sizes;
  logic [63:0] elements;            // product of four 16-bit sizes: fits
  logic is_load, is_moving, one_run, aligned_runs, aligned_start, even_runs;
  logic [15:0] formats;             // that src0 may have
  logic [17:0] reach;               // bytes from one element of the innermost loop to the next

  always_comb begin
    cause_o      = defs_pkg::ErrorCauseNone;
    columns_o    = '0;
    fast_o       = 1'b0;
    pair_o       = 1'b0;
    long_o       = 1'b0;
    reach        = '0;
    even_runs    = 1'b0;
    faults       = '0;
    sizes        = '0;
    elements     = '0;
    is_load      = 1'b0;
    is_moving    = 1'b0;
    one_run      = 1'b0;
    aligned_runs = 1'b0;
    aligned_start = 1'b0;
    formats      = '0;
    if (valid_i) begin
      is_load   = instr_i.opcode == defs_pkg::OpcodeLoadStationary;
      is_moving = instr_i.opcode == defs_pkg::OpcodeMultiplyMoving;
      sizes     = {instr_i.size3, instr_i.size2, instr_i.size1, instr_i.size0};
      elements  = 64'(sizes[0]) * 64'(sizes[1]) * 64'(sizes[2]) * 64'(sizes[3]);

      // Narrow floats go together in any mixture; tf32, fp32 and int8 only with their like.
      formats = operand_check_pkg::TensorInputs;
      if (is_moving && loaded_i) begin
        formats = operand_check_pkg::NarrowFloats[loaded_dtype_i] ? operand_check_pkg::NarrowFloats
                                                                  : 16'd1 << loaded_dtype_i;
      end

      faults = operand_check_pkg::operand_faults(
                   instr_i.src0, instr_i.partitions, sizes,
                   operand_check_pkg::SbufOnly, formats)
               | operand_check_pkg::operand_faults(
                   instr_i.src1, instr_i.partitions, sizes,
                   operand_check_pkg::MustBeUnused, 16'h0);
      if (is_moving) begin
        // dst has the partitions of the stationary columns; without a load, BadShape says it all.
        faults = faults | operand_check_pkg::operand_faults(
            instr_i.dst, loaded_i ? loaded_columns_i : 8'd1, sizes,
            operand_check_pkg::PsumOnly,
            instr_i.src0.dtype == defs_pkg::DtypeInt8 ? operand_check_pkg::Int32Only
                                                      : operand_check_pkg::Fp32Only);
        faults.bad_partition = faults.bad_partition
            || (instr_i.dst.space != defs_pkg::SpaceNone && instr_i.dst.partition != 0);
        faults.bad_shape = faults.bad_shape || elements > 64'(size_pkg::PsumCols) || !loaded_i
            || instr_i.partitions != loaded_partitions_i
            || instr_i.src0.partition != loaded_first_i
            || (32'(instr_i.partitions) > P / 2 && !loaded_both_i);
      end else begin
        faults = faults | operand_check_pkg::operand_faults(
            instr_i.dst, instr_i.partitions, sizes, operand_check_pkg::MustBeUnused, 16'h0);
        faults.bad_shape = faults.bad_shape || elements > 64'(P);
      end
      faults.unknown_opcode = !is_load && !is_moving;
      faults.reserved_bits  = faults.reserved_bits || instr_i.reserved != 0 || instr_i.func != 0
          || instr_i.imm != 0 || (is_load && instr_i.accumulate);

      cause_o   = operand_check_pkg::first_cause(faults);
      columns_o = elements[7:0];
      // Groups of four must not span two runs, and must lie in one aligned 8-byte word.
      one_run      = sizes[1] == 1 && sizes[2] == 1 && sizes[3] == 1;
      aligned_runs = sizes[0][1:0] == 0 && instr_i.src0.stride1[1:0] == 0
                     && instr_i.src0.stride2[1:0] == 0 && instr_i.src0.stride3[1:0] == 0;
      case (operand_check_pkg::element_shift(instr_i.src0.dtype))
        2'd0:    aligned_start = instr_i.src0.offset[1:0] == 0;
        2'd1:    aligned_start = instr_i.src0.offset[2:0] == 0;
        default: aligned_start = 1'b0;
      endcase
      fast_o = instr_i.src0.stride0 == 16'sd1 && aligned_start && (one_run || aligned_runs);
      even_runs = !sizes[0][0] && (one_run || (!instr_i.src0.stride1[0] && !instr_i.src0.stride2[0]
                                               && !instr_i.src0.stride3[0]));
      pair_o = operand_check_pkg::element_shift(instr_i.src0.dtype) == 2'd2
               && instr_i.src0.stride0 == 16'sd1 && instr_i.src0.offset[2:0] == 0 && even_runs;
      reach  = {2'b00, instr_i.src0.stride0[15] ? -instr_i.src0.stride0 : instr_i.src0.stride0}
               << operand_check_pkg::element_shift(instr_i.src0.dtype);
      long_o = reach >= 18'd16;
    end
  end

  // Semaphores are the sequencer's business.
  logic unused_instr;
  assign unused_instr = ^{instr_i.wait_op, instr_i.wait_sem, instr_i.wait_value, instr_i.update,
                          instr_i.update_sem, instr_i.update_delta};

endmodule
