// SPDX-License-Identifier: Apache-2.0
// Source side of a lane engine: reads one or two operands and hands fp32 lanes to the arithmetic.
`include "assert.svh"

// Lane i takes partition src.partition + i of each source. One read per cycle over the engine's one
// SBUF port or its PSUM port:
//
//   SecondNone    x0 x1 x2 ..          a pair per cycle; y is not used
//   SecondEach    x0 y0 x1 y1 ..       a pair every second cycle
//   SecondOnce    y x0 x1 x2 ..        a pair per cycle after one read (y = bias, one element)
//
//   cycle t      t+1                    t+2
//   read    ->   word at the port  ->   x_o / y_o, pair_valid_o with the pair's second half
//
// Nothing behind a read ever stalls; only the PSUM port may keep a read waiting.
module operand_reader (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic start_i,
  input  defs_pkg::instr_t instr_i,
  input  logic [1:0] second_i,  // one of the values below

  output logic rd_valid_o,
  output logic [17:0] rd_addr_o,
  input  logic [63:0] rd_data_i [size_pkg::Partitions],

  output logic ps_rd_valid_o,
  input  logic ps_rd_ready_i,
  output logic [15:0] ps_rd_addr_o,
  input  logic [31:0] ps_rd_data_i [size_pkg::Partitions],

  output logic pair_valid_o,
  output logic pair_inner_last_o,  // last of the innermost dimension
  output logic pair_last_o,        // last of the instruction
  output logic [31:0] x_o [size_pkg::Partitions],
  output logic [31:0] y_o [size_pkg::Partitions]
);

  localparam logic [1:0] SecondEach = 2'd1;
  localparam logic [1:0] SecondOnce = 2'd2;
  localparam int unsigned P = size_pkg::Partitions;
  localparam int unsigned PartitionBits = $clog2(P);

  // What is needed of an operand after its address.
  typedef struct packed {
    logic psum;
    logic narrow;  // bf16
    logic [PartitionBits-1:0] partition;
  } source_t;

  // --- control: whose turn it is
  logic [1:0] second_d, second_q;
  logic turn_d, turn_q;  // 1: the next read is of src1
  source_t [1:0] source_d, source_q;
  logic [1:0] valid, next, inner_last, last;
  logic [1:0][23:0] addr;
  logic taken;

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
    .start_i     (start_i && (second_i == SecondEach || second_i == SecondOnce)),
    .offset_i    (instr_i.src1.offset),
    .strides_i   ({instr_i.src1.stride3, instr_i.src1.stride2, instr_i.src1.stride1,
                   instr_i.src1.stride0}),
    .sizes_i     (second_i == SecondOnce
                  ? operand_check_pkg::OneElement
                  : {instr_i.size3, instr_i.size2, instr_i.size1, instr_i.size0}),
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
    second_d = second_q;
    turn_d   = turn_q;
    source_d = source_q;
    if (start_i) begin
      second_d    = second_i;
      turn_d      = second_i == SecondOnce;
      source_d[0] = {instr_i.src0.space == defs_pkg::SpacePsum,
                     instr_i.src0.dtype == defs_pkg::DtypeBf16,
                     instr_i.src0.partition[PartitionBits-1:0]};
      source_d[1] = {instr_i.src1.space == defs_pkg::SpacePsum,
                     instr_i.src1.dtype == defs_pkg::DtypeBf16,
                     instr_i.src1.partition[PartitionBits-1:0]};
    end else if (taken) begin
      turn_d = second_q == SecondEach && !turn_q;
    end
  end

  // --- the read on its way
  logic land_valid_q, land_turn_q, land_completes_q, land_inner_last_q, land_last_q;
  logic [1:0] land_byte_q;  // byte address / 2 in the word
  source_t land_source;
  logic pair_valid_d;

  assign land_source  = source_q[land_turn_q];
  assign pair_valid_d = land_valid_q && land_completes_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      land_valid_q <= 1'b0;
      pair_valid_o <= 1'b0;
    end else begin
      land_valid_q <= taken;
      pair_valid_o <= pair_valid_d;
    end
  end

  always_ff @(posedge clk_i) begin
    second_q          <= second_d;
    turn_q            <= turn_d;
    source_q          <= source_d;
    land_turn_q       <= turn_q;
    land_completes_q  <= turn_q == (second_q == SecondEach);
    land_inner_last_q <= inner_last[turn_q];
    land_last_q       <= last[turn_q];
    land_byte_q       <= addr[turn_q][2:1];
    pair_inner_last_o <= land_inner_last_q;
    pair_last_o       <= land_last_q;
  end

  // --- lanes: pick the partition, then the element of its word
  logic [31:0] landed [P];
  logic [PartitionBits-1:0] from;

  always_ff @(posedge clk_i) begin
    if (land_valid_q) begin
      if (land_source.psum) begin
        for (int unsigned i = 0; i < P; i++) begin
          from      = PartitionBits'(i) + land_source.partition;
          landed[i] = ps_rd_data_i[from];
        end
      end else if (land_source.narrow) begin
        for (int unsigned i = 0; i < P; i++) begin
          from      = PartitionBits'(i) + land_source.partition;
          landed[i] = convert_pkg::bf16_to_fp32(16'(rd_data_i[from] >> {land_byte_q, 4'b0}));
        end
      end else begin
        for (int unsigned i = 0; i < P; i++) begin
          from      = PartitionBits'(i) + land_source.partition;
          landed[i] = 32'(rd_data_i[from] >> {land_byte_q[1], 5'b0});
        end
      end
      if (land_turn_q) y_o <= landed;
      else x_o <= landed;
    end
  end

  // The next instruction starts only when this one's reads have landed.
  `ASSERT(StartAfterLanding_A, start_i |-> !land_valid_q && !taken)

endmodule
