// SPDX-License-Identifier: Apache-2.0
// Vector engine: elementwise operations, casts and copies, reductions; P lanes in fp32.
`include "assert.svh"

//   TENSOR_COPY     dst = cast(src0)
//   TENSOR_TENSOR   dst = cast(src0 + src1 | src0 - src1 | max(src0, src1))
//   TENSOR_REDUCE   dst = cast(x[0] f x[1] f x[2] ..) over the innermost dimension, in this order;
//                   dst is walked without it: sizes 3..1, stride0 zero
//
//   instr -> instr_front -> operand_reader -> lanes -> element_writer -> SBUF
//                            | SBUF, PSUM |
//
// Cost: one element (of every partition) per cycle with one source, two cycles with two: N or 2 N,
// plus 5 cycles from the last read to done, which is when the next instruction's reads may begin;
// an instruction that meets an idle engine waits 3 cycles for its check and start. PSUM reads may
// be kept waiting by the port. See lanes for casts; max is IEEE 754-2019 maximum.
//
// Refused (operand_check_pkg says in which order): func unknown to the opcode counts as an unknown
// opcode. src0, src1 in SBUF (fp32, bf16) or PSUM (fp32), dst in SBUF.
module vector_engine (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic instr_valid_i,
  output logic instr_ready_o,
  input  defs_pkg::instr_t instr_i,
  input  logic [31:0] pc_i,
  output logic done_o,
  output logic error_valid_o,
  output defs_pkg::error_cause_e error_cause_o,
  output logic [31:0] error_pc_o,
  output logic busy_o,

  output logic rd_valid_o,
  output logic [17:0] rd_addr_o,
  input  row_pkg::sbuf_row_t rd_data_i,

  output logic ps_rd_valid_o,
  input  logic ps_rd_ready_i,
  output logic [15:0] ps_rd_addr_o,
  input  row_pkg::lane_row_t ps_rd_data_i,

  output logic wr_valid_o,
  output logic [17:0] wr_addr_o,
  output logic [2:0] wr_bytes_o,
  output logic [7:0] wr_first_o,
  output logic [7:0] wr_count_o,
  output row_pkg::lane_row_t wr_data_o,
  output logic [31:0] wr_pc_o
);

  // --- instruction
  defs_pkg::instr_t pend;
  logic [31:0] pend_pc;
  logic check, start, finish, pend_reduce;
  defs_pkg::error_cause_e check_cause;
  logic [3:0][15:0] sizes, dst_sizes;

  assign pend_reduce = pend.opcode == defs_pkg::OpcodeTensorReduce;
  assign sizes       = {pend.size3, pend.size2, pend.size1, pend.size0};
  assign dst_sizes   = {pend.size3, pend.size2, pend.size1, pend_reduce ? 16'd1 : pend.size0};

  instr_front u_front (
    .clk_i        (clk_i),
    .rst_ni       (rst_ni),
    .instr_valid_i(instr_valid_i),
    .instr_ready_o(instr_ready_o),
    .instr_i      (instr_i),
    .pc_i         (pc_i),
    .check_o      (check),
    .check_i      (check_cause),
    .start_o      (start),
    .pend_o       (pend),
    .pend_pc_o    (pend_pc),
    .finish_i     (finish),
    .done_o       (done_o),
    .error_valid_o(error_valid_o),
    .error_cause_o(error_cause_o),
    .error_pc_o   (error_pc_o),
    .busy_o       (busy_o)
  );

  operand_check_pkg::faults_t faults;
  always_comb begin
    faults = '0;
    if (check) begin
      case (pend.opcode)
        defs_pkg::OpcodeTensorCopy: faults.reserved_bits = pend.func != 0;
        defs_pkg::OpcodeTensorTensor: faults.unknown_opcode = pend.func > defs_pkg::AluOpMax;
        defs_pkg::OpcodeTensorReduce: faults.unknown_opcode =
            pend.func != defs_pkg::AluOpAdd && pend.func != defs_pkg::AluOpMax;
        default: faults.unknown_opcode = 1'b1;
      endcase
      faults.reserved_bits = faults.reserved_bits || pend.accumulate || pend.imm != 0
          || pend.reserved != 0;
      faults = faults
          | operand_check_pkg::operand_faults(pend.src0, pend.partitions, sizes,
                operand_check_pkg::SbufOrPsum,
                pend.opcode == defs_pkg::OpcodeTensorCopy && pend.src0.space == defs_pkg::SpacePsum
                    ? operand_check_pkg::ReadOut : operand_check_pkg::Fp32OrBf16)
          | operand_check_pkg::operand_faults(pend.src1, pend.partitions, sizes,
                pend.opcode == defs_pkg::OpcodeTensorTensor
                    ? operand_check_pkg::SbufOrPsum : operand_check_pkg::MustBeUnused,
                operand_check_pkg::Fp32OrBf16)
          | operand_check_pkg::operand_faults(pend.dst, pend.partitions, dst_sizes,
                operand_check_pkg::SbufOnly, operand_check_pkg::Fp32OrBf16);
    end
    check_cause = operand_check_pkg::first_cause(faults);
  end

  // --- sources
  logic pair_valid, pair_inner_last, pair_last;
  logic land_valid, land_second, land_psum, land_narrow, land_integer;
  logic [1:0] land_byte;
  logic [7:0] land_partition;

  operand_reader u_reader (
    .clk_i            (clk_i),
    .rst_ni           (rst_ni),
    .start_i          (start),
    .instr_i          (pend),
    .second_i         ({1'b0, pend.opcode == defs_pkg::OpcodeTensorTensor}),
    .rd_valid_o       (rd_valid_o),
    .rd_addr_o        (rd_addr_o),
    .ps_rd_valid_o    (ps_rd_valid_o),
    .ps_rd_ready_i    (ps_rd_ready_i),
    .ps_rd_addr_o     (ps_rd_addr_o),
    .land_valid_o     (land_valid),
    .land_second_o    (land_second),
    .land_psum_o      (land_psum),
    .land_narrow_o    (land_narrow),
    .land_integer_o   (land_integer),
    .land_byte_o      (land_byte),
    .land_partition_o (land_partition),
    .pair_valid_o     (pair_valid),
    .pair_inner_last_o(pair_inner_last),
    .pair_last_o      (pair_last)
  );

  // --- lanes
  logic copy_q, reduce_q, max_q, negate_q;
  logic fresh_q;  // the next element begins a reduction
  logic value_valid_q, value_last_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) value_valid_q <= 1'b0;
    else value_valid_q <= pair_valid && (!reduce_q || pair_inner_last);
  end

  always_ff @(posedge clk_i) begin
    if (start) begin
      copy_q   <= pend.opcode == defs_pkg::OpcodeTensorCopy;
      reduce_q <= pend_reduce;
      max_q    <= pend.func == defs_pkg::AluOpMax;
      negate_q <= pend.func == defs_pkg::AluOpSub;
      fresh_q  <= 1'b1;
    end else if (pair_valid) begin
      fresh_q  <= pair_inner_last;
    end
    value_last_q <= pair_last;
  end

  lanes u_lanes (
    .clk_i           (clk_i),
    .rst_ni          (rst_ni),
    .land_valid_i    (land_valid),
    .land_second_i   (land_second),
    .land_psum_i     (land_psum),
    .land_narrow_i   (land_narrow),
    .land_integer_i  (land_integer),
    .land_byte_i     (land_byte),
    .land_partition_i(land_partition),
    .rd_data_i       (rd_data_i),
    .ps_rd_data_i    (ps_rd_data_i),
    .pair_valid_i    (pair_valid),
    .pair_pass_i     (copy_q || (reduce_q && fresh_q)),
    .pair_reduce_i   (reduce_q),
    .pair_max_i      (max_q),
    .pair_negate_i   (negate_q),
    .pair_relu_i     (1'b0),
    .value_valid_i   (value_valid_q),
    .value_narrow_i  (wr_bytes_o == 3'd2),
    .wr_data_o       (wr_data_o)
  );

  // --- destination
  element_writer u_writer (
    .clk_i        (clk_i),
    .rst_ni       (rst_ni),
    .start_i      (start),
    .dst_i        (pend.dst),
    .sizes_i      (dst_sizes),
    .partitions_i (pend.partitions),
    .pc_i         (pend_pc),
    .value_valid_i(value_valid_q),
    .value_last_i (value_last_q),
    .wr_valid_o   (wr_valid_o),
    .wr_addr_o    (wr_addr_o),
    .wr_bytes_o   (wr_bytes_o),
    .wr_first_o   (wr_first_o),
    .wr_count_o   (wr_count_o),
    .wr_pc_o      (wr_pc_o),
    .finish_o     (finish)
  );

  // Ports are used only while an instruction runs.
  `ASSERT_NOW(IdleIsQuiet_A, !busy_o && !error_valid_o -> !rd_valid_o && !ps_rd_valid_o && !wr_valid_o)

endmodule
