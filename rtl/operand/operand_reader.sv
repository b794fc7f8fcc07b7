// SPDX-License-Identifier: Apache-2.0
// Source side of a lane engine: reads one or two operands and tells the lanes what has arrived.
`include "assert.svh"

// One read per cycle over the engine's one SBUF port or its PSUM port:
//
//   no src1               x0 x1 x2 ..     a pair per cycle; y is not used
//   src1, all of it       x0 y0 x1 y1 ..  a pair every second cycle
//   src1, one element     y x0 x1 x2 ..   a pair per cycle after one read (y = a bias)
//
//   cycle t      t+1                       t+2
//   read    ->   word at the port, land_*  pair_valid_o with the second half of a pair
//
// Nothing behind a read ever stalls; only the PSUM port may keep a read waiting.
module operand_reader (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic start_i,
  input  defs_pkg::instr_t instr_i,

  output logic rd_valid_o,
  output logic [17:0] rd_addr_o,

  output logic ps_rd_valid_o,
  input  logic ps_rd_ready_i,
  output logic [15:0] ps_rd_addr_o,

  output logic land_valid_o,  // see lanes.sv
  output logic land_second_o,
  output logic land_psum_o,
  output logic land_narrow_o,
  output logic land_integer_o,
  output logic [1:0] land_byte_o,
  output logic [7:0] land_partition_o,

  output logic pair_valid_o,
  output logic pair_inner_last_o,  // last of the innermost dimension
  output logic pair_last_o         // last of the instruction
);

  // What is needed of an operand after its address.
  typedef struct packed {
    logic psum;
    logic narrow;   // bf16
    logic integer_sum;  // int32
    logic [7:0] partition;
  } source_t;

  // --- control: whose turn it is
  instr_pkg::walk_e walk;  // of src1
  logic second, each_d, each_q;  // there is a src1; it is read for each element of src0
  logic turn_d, turn_q;  // 1: the next read is of src1
  source_t [1:0] source_d, source_q;
  logic [1:0] valid, next, inner_last, last;
  logic [1:0][23:0] addr;
  logic taken;

  assign walk   = instr_pkg::src1_walk(instr_i.opcode);
  assign second = instr_i.src1.space != defs_pkg::SpaceNone;

  access_pattern u_src0 (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .start_i     (start_i),
    .offset_i    (instr_i.src0.offset),
    .strides_i   ({instr_i.src0.stride3, instr_i.src0.stride2, instr_i.src0.stride1,
                   instr_i.src0.stride0}),
    .sizes_i     ({instr_i.size3, instr_i.size2, instr_i.size1, instr_i.size0}),
    .shift_i     (operand_check_pkg::element_shift(instr_i.src0.dtype)),
    .step4_i     (1'b0),
    .next_i      (next[0]),
    .valid_o     (valid[0]),
    .addr_o      (addr[0]),
    .count_o     (),
    .inner_last_o(inner_last[0]),
    .last_o      (last[0])
  );

  access_pattern u_src1 (
    .clk_i       (clk_i),
    .rst_ni      (rst_ni),
    .start_i     (start_i && second),
    .offset_i    (instr_i.src1.offset),
    .strides_i   ({instr_i.src1.stride3, instr_i.src1.stride2, instr_i.src1.stride1,
                   instr_i.src1.stride0}),
    .sizes_i     (operand_check_pkg::sizes_of(instr_i, walk)),
    .shift_i     (operand_check_pkg::element_shift(instr_i.src1.dtype)),
    .step4_i     (1'b0),
    .next_i      (next[1]),
    .valid_o     (valid[1]),
    .addr_o      (addr[1]),
    .count_o     (),
    .inner_last_o(inner_last[1]),
    .last_o      (last[1])
  );

  assign rd_valid_o    = valid[turn_q] && !source_q[turn_q].psum;
  assign rd_addr_o     = addr[turn_q][17:0];
  assign ps_rd_valid_o = valid[turn_q] && source_q[turn_q].psum;
  assign ps_rd_addr_o  = addr[turn_q][17:2];
  assign taken         = rd_valid_o || (ps_rd_valid_o && ps_rd_ready_i);
  assign next          = {taken && turn_q, taken && !turn_q};

  always_comb begin
    each_d   = each_q;
    turn_d   = turn_q;
    source_d = source_q;
    if (start_i) begin
      each_d      = second && walk != instr_pkg::WalkOne;
      turn_d      = second && walk == instr_pkg::WalkOne;
      source_d[0] = '{psum: instr_i.src0.space == defs_pkg::SpacePsum,
                      narrow: instr_i.src0.dtype == defs_pkg::DtypeBf16,
                      integer_sum: instr_i.src0.dtype == defs_pkg::DtypeInt32,
                      partition: instr_i.src0.partition};
      source_d[1] = '{psum: instr_i.src1.space == defs_pkg::SpacePsum,
                      narrow: instr_i.src1.dtype == defs_pkg::DtypeBf16,
                      integer_sum: instr_i.src1.dtype == defs_pkg::DtypeInt32,
                      partition: instr_i.src1.partition};
    end else if (taken) begin
      turn_d = each_q && !turn_q;
    end
  end

  // --- the read in flight
  logic land_completes_q, land_inner_last_q, land_last_q;

  assign land_psum_o      = source_q[land_second_o].psum;
  assign land_narrow_o    = source_q[land_second_o].narrow;
  assign land_integer_o   = source_q[land_second_o].integer_sum;
  assign land_partition_o = source_q[land_second_o].partition;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      land_valid_o <= 1'b0;
      pair_valid_o <= 1'b0;
    end else begin
      land_valid_o <= taken;
      pair_valid_o <= land_valid_o && land_completes_q;
    end
  end

  always_ff @(posedge clk_i) begin
    each_q            <= each_d;
    turn_q            <= turn_d;
    source_q          <= source_d;
    land_second_o       <= turn_q;
    land_completes_q  <= turn_q == each_q;
    land_inner_last_q <= inner_last[turn_q];
    land_last_q       <= last[turn_q];
    land_byte_o       <= addr[turn_q][2:1];
    pair_inner_last_o <= land_inner_last_q;
    pair_last_o       <= land_last_q;
  end

  // The next instruction starts only when this one's reads have landed.
  `ASSERT_NOW(StartAfterLanding_A, start_i -> !land_valid_o && !taken)

endmodule
