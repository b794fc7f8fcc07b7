// SPDX-License-Identifier: Apache-2.0
// Takes instructions, checks them, and lays them into the load slot and the moving slot.

// One instruction: taken in the first cycle, checked in the second, sent on from the third. An fp32
// tile is loaded twice, low halves of the numbers into one plane and high halves into the other, and
// its moving tile goes through four times: low x low, low x high (stationary x moving), high x low,
// high x high. The head counts the passes; to all else they are tiles.
//
// A tile of at most P/2 rows lies in the upper or in the lower half of the array's rows; each half
// remembers the last load into it. A bad instruction waits until its elders are done, then the
// engine stops for good with cause and pc.
`include "assert.svh"

module tensor_head #(
  localparam int unsigned P = size_pkg::Partitions
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic instr_valid_i,
  output logic instr_ready_o,
  input  defs_pkg::instr_t instr_i,
  input  logic [31:0] pc_i,

  // tensor_check: in the second cycle, against the last load into the half where the tile starts.
  output logic check_valid_o,
  output defs_pkg::instr_t instr_o,
  output logic loaded_o,
  output logic [7:0] loaded_partitions_o,
  output logic [7:0] loaded_first_o,
  output logic [7:0] loaded_columns_o,
  output logic [3:0] loaded_dtype_o,
  output logic loaded_both_o,
  input  defs_pkg::error_cause_e cause_i,
  input  logic [7:0] columns_i,
  input  logic fast_i,
  input  logic pair_i,
  input  logic long_i,

  // Slots: filled here, emptied by the start of the load or of the stream.
  output logic load_valid_o,
  output tensor_pkg::tile_t load_o,
  input  logic load_start_i,
  output logic moving_valid_o,
  output tensor_pkg::tile_t moving_o,
  input  logic moving_start_i,

  // Order of completion.
  output logic push_o,              // an instruction has been sent whole ...
  output logic push_load_o,
  output logic push_lower_o,
  input  logic order_free_i,
  input  logic order_empty_i,       // no elder is left

  output logic error_valid_o,
  output defs_pkg::error_cause_e error_cause_o,
  output logic [31:0] error_pc_o,
  output logic multiply_waits_o,    // a MULTIPLY_MOVING is here or in its slot
  output logic busy_o
);

  localparam int unsigned BankShift = $clog2(size_pkg::PsumCols * 4);

  logic head_valid_d, head_valid_q, checked_d, checked_q;
  defs_pkg::instr_t head_q;
  logic [31:0] head_pc_q;
  defs_pkg::error_cause_e cause_q;
  logic [7:0] columns_q;
  logic fast_q, pair_q, long_q;
  logic take, send, send_load, send_moving, head_is_load, head_fp32, last_pass, start_half;
  logic [1:0] pass_d, pass_q;       // of an fp32 instruction: bit 1 stationary, bit 0 moving high
  logic [1:0] halves;

  // By half: the last load sent, what a MULTIPLY_MOVING has to fit.
  logic [1:0] loaded_d, loaded_q, plane_d, plane_q;
  logic [7:0] upper_partitions_q, upper_first_q, upper_columns_q;
  logic [7:0] lower_partitions_q, lower_first_q, lower_columns_q;
  logic [3:0] upper_dtype_q, lower_dtype_q;

  assign start_half     = 32'(head_q.src0.partition) >= P / 2;
  assign halves         = 32'(head_q.partitions) > P / 2 ? 2'b11 : start_half ? 2'b10 : 2'b01;
  assign head_fp32      = head_q.src0.dtype == defs_pkg::DtypeFp32;
  assign head_is_load   = head_q.opcode == defs_pkg::OpcodeLoadStationary;
  assign last_pass      = !head_fp32 || pass_q == (head_is_load ? 2'd1 : 2'd3);
  assign push_o         = send && last_pass;
  assign push_load_o    = head_is_load;
  assign push_lower_o   = !head_is_load && halves == 2'b10;
  assign pass_d         = push_o ? 2'd0 : pass_q + {1'b0, send};
  assign instr_ready_o  = (!head_valid_q || push_o) && !error_valid_o;
  assign take           = instr_valid_i && instr_ready_o;
  assign head_valid_d   = take || (head_valid_q && !push_o);
  assign checked_d      = head_valid_q && !push_o;

  assign check_valid_o       = head_valid_q && !checked_q;
  assign instr_o             = head_q;
  assign loaded_o            = loaded_q[start_half];
  assign loaded_partitions_o = start_half ? lower_partitions_q : upper_partitions_q;
  assign loaded_first_o      = start_half ? lower_first_q : upper_first_q;
  assign loaded_columns_o    = start_half ? lower_columns_q : upper_columns_q;
  assign loaded_dtype_o      = start_half ? lower_dtype_q : upper_dtype_q;
  assign loaded_both_o       = upper_partitions_q == lower_partitions_q
                               && upper_first_q == lower_first_q;

  // A multiply follows only after its load has started: the stream then waits for that load.
  logic good, load_valid_d, moving_valid_d, stop;
  assign good           = checked_q && cause_q == defs_pkg::ErrorCauseNone && order_free_i;
  assign send_load      = good && head_is_load && !load_valid_o;
  assign send_moving    = good && !head_is_load && !moving_valid_o && !load_valid_o;
  assign send           = send_load || send_moving;
  assign load_valid_d   = send_load || (load_valid_o && !load_start_i);
  assign moving_valid_d = send_moving || (moving_valid_o && !moving_start_i);
  assign loaded_d       = loaded_q | (send_load ? halves : 2'b00);
  assign plane_d        = plane_q ^ (send_load ? halves : 2'b00);

  assign stop = checked_q && cause_q != defs_pkg::ErrorCauseNone && order_empty_i;
  assign multiply_waits_o = moving_valid_o || (head_valid_q && !head_is_load && !error_valid_o);
  assign busy_o = (head_valid_q && !error_valid_o) || load_valid_o || moving_valid_o;

  // ---------------------------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      head_valid_q   <= 1'b0;
      checked_q      <= 1'b0;
      cause_q        <= defs_pkg::ErrorCauseNone;
      loaded_q       <= '0;
      plane_q        <= '0;
      pass_q         <= '0;
      load_valid_o   <= 1'b0;
      moving_valid_o <= 1'b0;
      error_valid_o  <= 1'b0;
      error_cause_o  <= defs_pkg::ErrorCauseNone;
      error_pc_o     <= '0;
    end else begin
      head_valid_q   <= head_valid_d;
      checked_q      <= checked_d;
      pass_q         <= pass_d;
      loaded_q       <= loaded_d;
      plane_q        <= plane_d;
      load_valid_o   <= load_valid_d;
      moving_valid_o <= moving_valid_d;
      if (head_valid_q && !checked_q) cause_q <= cause_i;
      if (stop && !error_valid_o) begin
        error_valid_o <= 1'b1;
        error_cause_o <= cause_q;
        error_pc_o    <= head_pc_q;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (take) begin
      head_q    <= instr_i;
      head_pc_q <= pc_i;
    end
    if (head_valid_q && !checked_q) begin
      columns_q <= columns_i;
      fast_q    <= fast_i;
      pair_q    <= pair_i;
      long_q    <= long_i;
    end
    if (send_load && halves[0]) begin
      upper_partitions_q <= head_q.partitions;
      upper_first_q      <= head_q.src0.partition;
      upper_columns_q    <= columns_q;
      upper_dtype_q      <= head_q.src0.dtype;
    end
    if (send_load && halves[1]) begin
      lower_partitions_q <= head_q.partitions;
      lower_first_q      <= head_q.src0.partition;
      lower_columns_q    <= columns_q;
      lower_dtype_q      <= head_q.src0.dtype;
    end
    if (send_load) begin
      load_o <= {head_q.src0, 112'b0, 3'b0, head_q.size3, head_q.size2, head_q.size1, head_q.size0,
                 head_q.partitions, columns_q, halves, ~plane_q, fast_q, pair_q, long_q,
                 !pass_q[0], 1'b0, last_pass, head_pc_q};
    end
    if (send_moving) begin
      // The last load went into plane_q; the low halves of fp32 into the one before.
      moving_o <= {head_q.src0, head_q.dst, head_q.dst.offset[BankShift +: 3],
                   head_q.size3, head_q.size2, head_q.size1, head_q.size0,
                   head_q.partitions, loaded_columns_o, halves,
                   plane_q ^ {2{head_fp32 && !pass_q[1]}}, 1'b0, 1'b0, long_q,
                   !pass_q[0], head_q.accumulate || pass_q != 0, last_pass, head_pc_q};
    end
  end

  // --------------------------------------------------------------------------------- assertions
  // A stopped engine stays stopped and says why.
  `ASSERT_NOW(ErrorHasCause_A, error_valid_o -> error_cause_o != defs_pkg::ErrorCauseNone)
  // After an error nothing is sent any more.
  `ASSERT_NOW(NothingAfterError_A, error_valid_o -> !send)

endmodule
