// SPDX-License-Identifier: Apache-2.0
// Is this a legal instruction of the tensor engine, and what does it ask for? Combinational.

// To the rules of its row comes what depends on the stationary tile. Twin: TensorEngine::check.
module tensor_check (
  input  logic valid_i,             // low: nothing is worked out
  input  defs_pkg::instr_t instr_i,

  // The last LOAD_STATIONARY before it into the half of the rows where it starts.
  input  tensor_pkg::loaded_t loaded_i,
  input  logic loaded_both_i,       // ... and into the other half: the same one

  output defs_pkg::error_cause_e cause_o,
  output tensor_pkg::checked_t checked_o
);

  localparam int unsigned P = size_pkg::Partitions;

  instr_pkg::faults_t faults;
  logic [3:0][15:0] sizes;
  logic [63:0] elements;            // product of four 16-bit sizes: fits
  instr_pkg::stationary_e stationary;
  logic bits, one_run, aligned_runs, aligned_start, even_runs;
  logic [15:0] formats;             // that src0 may have
  logic [17:0] reach;               // bytes from one element of the innermost loop to the next

  always_comb begin
    cause_o      = defs_pkg::ErrorCauseNone;
    checked_o    = '0;
    reach        = '0;
    even_runs    = 1'b0;
    faults       = '0;
    sizes        = '0;
    elements     = '0;
    stationary   = instr_pkg::StationaryNone;
    bits         = 1'b0;
    one_run      = 1'b0;
    aligned_runs = 1'b0;
    aligned_start = 1'b0;
    formats      = '0;
    if (valid_i) begin
      stationary = instr_pkg::stationary_of(instr_i.opcode);
      bits       = instr_pkg::transposes(instr_i.opcode);
      sizes      = {instr_i.size3, instr_i.size2, instr_i.size1, instr_i.size0};
      elements   = 64'(sizes[0]) * 64'(sizes[1]) * 64'(sizes[2]) * 64'(sizes[3]);

      // Without a load, BadShape says it all.
      faults = operand_check_pkg::instr_faults(instr_i, defs_pkg::EngineTensor,
                                               loaded_i.valid ? loaded_i.columns : 8'd1);
      if (stationary == instr_pkg::StationaryRead) begin
        // Narrow floats go together in any mixture; tf32, fp32 and int8 only with their like.
        formats = instr_pkg::FormatsNarrow[loaded_i.dtype] ? instr_pkg::FormatsNarrow
                                                           : 16'd1 << loaded_i.dtype;
        // Bits go with what picks them.
        faults.bad_format = faults.bad_format || (loaded_i.valid && loaded_i.bits != bits)
            || (!bits && loaded_i.valid && !formats[instr_i.src0.dtype])
            || (!bits && instr_i.dst.dtype != (instr_i.src0.dtype == defs_pkg::DtypeInt8
                                               ? defs_pkg::DtypeInt32 : defs_pkg::DtypeFp32));
        faults.bad_partition = faults.bad_partition || instr_i.dst.partition != 0;
        faults.bad_shape = faults.bad_shape || elements > 64'(size_pkg::PsumCols) || !loaded_i.valid
            || instr_i.partitions != loaded_i.partitions
            || instr_i.src0.partition != loaded_i.first
            || (32'(instr_i.partitions) > P / 2 && !loaded_both_i);
      end else begin
        faults.bad_shape = faults.bad_shape || elements > 64'(P);
      end

      cause_o           = instr_pkg::first_cause(faults);
      checked_o.load    = stationary == instr_pkg::StationaryWrite;
      checked_o.bits    = bits;
      checked_o.halved  = !bits && instr_i.src0.dtype == defs_pkg::DtypeFp32;
      checked_o.columns = checked_o.load ? elements[7:0] : loaded_i.columns;
      checked_o.halves  = 32'(instr_i.partitions) > P / 2 ? 2'b11
                          : 32'(instr_i.src0.partition) >= P / 2 ? 2'b10 : 2'b01;
      // Groups of four must not span two runs, and must lie in one aligned 8-byte word.
      one_run      = sizes[1] == 1 && sizes[2] == 1 && sizes[3] == 1;
      aligned_runs = sizes[0][1:0] == 0 && instr_i.src0.stride1[1:0] == 0
                     && instr_i.src0.stride2[1:0] == 0 && instr_i.src0.stride3[1:0] == 0;
      case (format_pkg::element_shift(instr_i.src0.dtype))
        2'd0:    aligned_start = instr_i.src0.offset[1:0] == 0;
        2'd1:    aligned_start = instr_i.src0.offset[2:0] == 0;
        default: aligned_start = 1'b0;
      endcase
      checked_o.fast = instr_i.src0.stride0 == 16'sd1 && aligned_start && (one_run || aligned_runs);
      even_runs = !sizes[0][0] && (one_run || (!instr_i.src0.stride1[0] && !instr_i.src0.stride2[0]
                                               && !instr_i.src0.stride3[0]));
      checked_o.pair = format_pkg::element_shift(instr_i.src0.dtype) == 2'd2
               && instr_i.src0.stride0 == 16'sd1 && instr_i.src0.offset[2:0] == 0 && even_runs;
      reach  = {2'b00, instr_i.src0.stride0[15] ? -instr_i.src0.stride0 : instr_i.src0.stride0}
               << format_pkg::element_shift(instr_i.src0.dtype);
      checked_o.long_stride = reach >= 18'd16;
    end
  end

  // Semaphores are the sequencer's business.
  logic unused_instr;
  assign unused_instr = ^{instr_i.wait_op, instr_i.wait_sem, instr_i.wait_value, instr_i.update,
                          instr_i.update_sem, instr_i.update_delta};

endmodule
