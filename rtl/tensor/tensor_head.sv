// SPDX-License-Identifier: Apache-2.0
// Takes instructions, checks them, and lays them into the load slot and the moving slot.

//   instr --> taken --check--> checked --send--> load slot, moving slot
//    c         c+1              c+2               c+3
//
// One instruction a cycle, or two if the port brings a LOAD_STATIONARY together with the
// MULTIPLY_MOVING after it: they are taken, checked and, if both slots are free, sent together. An fp32
// tile is loaded twice, low halves of the numbers into one plane and high halves into the other, and
// its moving tile goes through four times: low x low, low x high (stationary x moving), high x low,
// high x high. The head counts the passes; to all else they are tiles.
//
// A tile of at most P/2 rows lies in the upper or in the lower half of the array's rows; each half
// remembers the last load into it. A bad instruction waits until older instructions are done, then the
// engine stops for good with cause and serial.
`include "assert.svh"

module tensor_head #(
  localparam int unsigned P = size_pkg::Partitions
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic instr_valid_i,
  output logic instr_ready_o,
  input  defs_pkg::instr_t instr_i,
  input  logic [31:0] serial_i,
  input  logic second_valid_i,      // with it comes the multiply at serial + 1; all or nothing is taken
  input  defs_pkg::instr_t second_i,

  // Two tensor_check, for the first and, in the same cycle, for the second: each against the last load
  // into the half where its tile starts.
  output logic check_valid_o,
  output defs_pkg::instr_t instr_o,
  output tensor_pkg::loaded_t loaded_o,
  output logic loaded_both_o,
  input  defs_pkg::error_cause_e cause_i,
  input  tensor_pkg::checked_t checked_i,
  output logic second_check_valid_o,
  output defs_pkg::instr_t second_o,
  output tensor_pkg::loaded_t second_loaded_o,
  output logic second_loaded_both_o,
  input  defs_pkg::error_cause_e second_cause_i,
  input  tensor_pkg::checked_t second_checked_i,

  // Slots: filled here, emptied by the start of the load or of the stream.
  output logic load_valid_o,
  output tensor_pkg::tile_t load_o,
  input  logic load_start_i,
  output logic moving_valid_o,
  output tensor_pkg::tile_t moving_o,
  output logic moving_behind_o,     // the load in the load slot comes first
  input  logic moving_start_i,

  // Order of completion: instructions sent whole.
  output logic push_load_o,
  output logic push_multiply_o,
  output logic push_lower_o,
  input  logic order_free_i,
  input  logic order_empty_i,       // no older instruction is left

  output logic error_valid_o,
  output defs_pkg::error_cause_e error_cause_o,
  output logic [31:0] error_serial_o,
  output logic multiply_waits_o,    // a MULTIPLY_MOVING is here or in its slot
  output logic busy_o
);

  localparam int unsigned BankShift = $clog2(size_pkg::PsumCols * 4);

  // -------------------------------------------------------------------------------------- taken
  logic first_valid_d, first_valid_q, second_valid_d, second_valid_q, take, move;
  defs_pkg::instr_t first_q, second_q;
  logic [31:0] first_serial_q;

  assign instr_ready_o  = (!first_valid_q || move) && !error_valid_o;
  assign take           = instr_valid_i && instr_ready_o;
  assign first_valid_d  = take || (first_valid_q && !move);
  assign second_valid_d = take ? second_valid_i : second_valid_q && !move;

  always_ff @(posedge clk_i) begin
    if (take) begin
      first_q    <= instr_i;
      first_serial_q <= serial_i;
      if (second_valid_i) second_q <= second_i;
    end
  end

  // -------------------------------------------------------------------------------------- check
  // In the cycle in which they move on: once.
  tensor_pkg::loaded_t upper_d, upper_q, lower_d, lower_q, first_loads;
  logic first_is_load, load_moves;

  assign first_is_load = instr_pkg::stationary_of(first_q.opcode) == instr_pkg::StationaryWrite;
  assign load_moves    = move && first_is_load;
  always_comb begin
    first_loads.valid      = 1'b1;
    first_loads.partitions = first_q.partitions;
    first_loads.first      = first_q.src0.partition;
    first_loads.columns    = checked_i.columns;
    first_loads.dtype      = first_q.src0.dtype;
    first_loads.bits       = checked_i.bits;
  end
  assign upper_d       = load_moves && checked_i.halves[0] ? first_loads : upper_q;
  assign lower_d       = load_moves && checked_i.halves[1] ? first_loads : lower_q;

  assign check_valid_o = move;
  assign instr_o       = first_q;
  assign loaded_o      = 32'(first_q.src0.partition) >= P / 2 ? lower_q : upper_q;
  assign loaded_both_o = upper_q.partitions == lower_q.partitions && upper_q.first == lower_q.first;

  assign second_check_valid_o = move && second_valid_q;
  assign second_o             = second_q;
  assign second_loaded_o      = 32'(second_q.src0.partition) >= P / 2 ? lower_d : upper_d;
  assign second_loaded_both_o = upper_d.partitions == lower_d.partitions && upper_d.first == lower_d.first;

  // ------------------------------------------------------------------------------------ checked
  // `front` is sent next; `back` is a multiply behind a load, and becomes the front after it.
  logic front_valid_d, front_valid_q, back_valid_d, back_valid_q;
  defs_pkg::instr_t front_q, back_q;
  tensor_pkg::checked_t front_is_q, back_is_q;
  defs_pkg::error_cause_e front_cause_q, back_cause_q;
  logic [31:0] front_serial_q;
  logic front_sent, back_sent, left;   // left: nothing remains of them

  assign left          = front_sent && (back_sent || !back_valid_q);
  assign move          = first_valid_q && (!front_valid_q || left);
  assign front_valid_d = move || (front_valid_q && !left);
  assign back_valid_d  = move ? second_valid_q : back_valid_q && !front_sent;

  always_ff @(posedge clk_i) begin
    if (move) begin
      front_q    <= first_q;
      front_is_q <= checked_i;
      front_cause_q <= cause_i;
      front_serial_q <= first_serial_q;
      if (second_valid_q) begin
        back_q    <= second_q;
        back_is_q <= second_checked_i;
        back_cause_q <= second_cause_i;
      end
    end else if (front_sent && back_valid_q) begin
      front_q    <= back_q;
      front_is_q <= back_is_q;
      front_cause_q <= back_cause_q;
      front_serial_q <= front_serial_q + 32'd1;
    end
  end

  // --------------------------------------------------------------------------------------- send
  logic [1:0] pass_d, pass_q;       // of an fp32 instruction: bit 1 stationary, bit 0 moving high
  logic [1:0] plane_d, plane_q;     // of the last load, by half
  logic good, send_load, send_front, last_pass, send_back, send_moving, load_free, moving_free;
  logic load_valid_d, moving_valid_d, moving_behind_d, stop;
  defs_pkg::instr_t moving;         // the multiply that is sent
  tensor_pkg::checked_t moving_is;
  logic [31:0] moving_serial;

  assign good       = front_valid_q && front_cause_q == defs_pkg::ErrorCauseNone && order_free_i;
  assign load_free   = !load_valid_o || load_start_i;
  assign moving_free = !moving_valid_o || moving_start_i;
  assign send_load   = good && front_is_q.load && load_free;
  assign send_front  = good && !front_is_q.load && moving_free;
  assign send_back   = send_load && back_valid_q && moving_free && !front_is_q.halved
                       && !back_is_q.halved && back_cause_q == defs_pkg::ErrorCauseNone;
  assign send_moving = send_front || send_back;
  assign last_pass   = !front_is_q.halved || pass_q == (front_is_q.load ? 2'd1 : 2'd3);
  assign front_sent  = (send_load || send_front) && last_pass;
  assign back_sent   = send_back;
  assign pass_d      = front_sent ? 2'd0 : pass_q + {1'b0, send_load || send_front};
  assign plane_d     = plane_q ^ (send_load ? front_is_q.halves : 2'b00);

  assign moving    = send_back ? back_q : front_q;
  assign moving_is = send_back ? back_is_q : front_is_q;
  assign moving_serial = front_serial_q + 32'(send_back);

  assign push_load_o     = send_load && last_pass;
  assign push_multiply_o = (send_front && last_pass) || send_back;
  assign push_lower_o    = moving_is.halves == 2'b10;

  assign load_valid_d    = send_load || (load_valid_o && !load_start_i);
  assign moving_valid_d  = send_moving || (moving_valid_o && !moving_start_i);
  assign moving_behind_d = send_moving ? load_valid_d : moving_behind_o && !load_start_i;

  assign stop = front_valid_q && front_cause_q != defs_pkg::ErrorCauseNone && order_empty_i;
  assign multiply_waits_o = moving_valid_o
      || (!error_valid_o && ((front_valid_q && !front_is_q.load) || back_valid_q
                             || (first_valid_q && !first_is_load) || second_valid_q));
  assign busy_o = ((first_valid_q || front_valid_q) && !error_valid_o) || load_valid_o
                  || moving_valid_o;

  always_ff @(posedge clk_i) begin
    if (send_load) begin
      load_o.src         <= front_q.src0;
      load_o.dst         <= '0;
      load_o.bank        <= '0;
      load_o.sizes       <= {front_q.size3, front_q.size2, front_q.size1, front_q.size0};
      load_o.partitions  <= front_q.partitions;
      load_o.columns     <= front_is_q.columns;
      load_o.halves      <= front_is_q.halves;
      load_o.planes      <= ~plane_q;
      load_o.fast        <= front_is_q.fast;
      load_o.pair        <= front_is_q.pair;
      load_o.long_stride <= front_is_q.long_stride;
      load_o.bits        <= front_is_q.bits;
      load_o.low         <= front_is_q.halved && !pass_q[0];
      load_o.accumulate  <= 1'b0;
      load_o.last_pass   <= last_pass;
      load_o.serial          <= front_serial_q;
    end
    if (send_moving) begin
      moving_o.src         <= moving.src0;
      moving_o.dst         <= moving.dst;
      moving_o.bank        <= moving.dst.offset[BankShift +: 3];
      moving_o.sizes       <= {moving.size3, moving.size2, moving.size1, moving.size0};
      moving_o.partitions  <= moving.partitions;
      moving_o.columns     <= moving_is.columns;
      moving_o.halves      <= moving_is.halves;
      // The last load went into plane_d; the low halves of fp32 into the one before.
      moving_o.planes      <= plane_d ^ {2{moving_is.halved && !pass_q[1]}};
      moving_o.fast        <= 1'b0;
      moving_o.pair        <= 1'b0;
      moving_o.long_stride <= moving_is.long_stride;
      moving_o.bits        <= moving_is.bits;
      moving_o.low         <= moving_is.halved && !pass_q[0];
      moving_o.accumulate  <= moving.accumulate || pass_q != 0;
      moving_o.last_pass   <= send_back || last_pass;
      moving_o.serial          <= moving_serial;
    end
  end

  // ---------------------------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      first_valid_q   <= 1'b0;
      second_valid_q  <= 1'b0;
      front_valid_q   <= 1'b0;
      back_valid_q    <= 1'b0;
      upper_q         <= '0;
      lower_q         <= '0;
      plane_q         <= '0;
      pass_q          <= '0;
      load_valid_o    <= 1'b0;
      moving_valid_o  <= 1'b0;
      moving_behind_o <= 1'b0;
      error_valid_o   <= 1'b0;
      error_cause_o   <= defs_pkg::ErrorCauseNone;
      error_serial_o      <= '0;
    end else begin
      first_valid_q   <= first_valid_d;
      second_valid_q  <= second_valid_d;
      front_valid_q   <= front_valid_d;
      back_valid_q    <= back_valid_d;
      plane_q         <= plane_d;
      pass_q          <= pass_d;
      load_valid_o    <= load_valid_d;
      moving_valid_o  <= moving_valid_d;
      moving_behind_o <= moving_behind_d;
      upper_q         <= upper_d;
      lower_q         <= lower_d;
      if (stop && !error_valid_o) begin
        error_valid_o <= 1'b1;
        error_cause_o <= front_cause_q;
        error_serial_o    <= front_serial_q;
      end
    end
  end

  logic unused_fields;
  assign unused_fields = ^{moving, moving_is};

  // --------------------------------------------------------------------------------- assertions
  // A stopped engine stays stopped and says why.
  `ASSERT_NOW(ErrorHasCause_A, error_valid_o -> error_cause_o != defs_pkg::ErrorCauseNone)
  // After an error nothing is sent any more.
  `ASSERT_NOW(NothingAfterError_A, error_valid_o -> !send_load && !send_moving)
  // The second instruction is the multiply after a load.
  `ASSERT_NOW(SecondIsMultiply_A, instr_valid_i && second_valid_i
          -> instr_pkg::stationary_of(instr_i.opcode) == instr_pkg::StationaryWrite
              && instr_pkg::stationary_of(second_i.opcode) == instr_pkg::StationaryRead)

endmodule
