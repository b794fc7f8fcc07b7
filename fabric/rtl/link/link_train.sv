// SPDX-License-Identifier: Apache-2.0
// State of one end of a link: finds the neighbour, measures the lanes, agrees on a width, watches.
//
//   OFF -> DETECT -> TRAIN -> ACTIVE or DEGRADED <-> RECOVER        any training, twice in vain: DEAD
//
// Both ends send training words that say how far they are (`step`):
//   0 nothing heard yet   1 measuring: 64 words, errors by lane   2 `choice`: the lanes I want to receive on
//   3 `using`: the lanes I send on, the choice I heard; data begin `count` words later
// Each direction starts on its own. A training that takes 2^TimeBits cycles begins again, once.
//
// An end that is up trains anew when it replayed one flit four times, when more than error_limit_i words of
// 2^16 cycles failed, when nothing clean has come for 255 cycles, and when it hears training words. Only
// words on which nothing was clean are looked at for that: data cannot pretend to be training.
`include "assert.svh"

module link_train #(
  parameter int unsigned TimeBits = 11
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic [575:0] word_i,
  input  logic clean_i,   // the receiving end took a word
  input  logic failed_i,  // it dropped one
  input  logic stuck_i,   // the sending end makes no progress
  input  logic [15:0] error_limit_i,

  output logic [2:0] state_o,
  output logic training_o,  // send training words with
  output logic [10:0] info_o,
  output logic tx_up_o,
  output logic [2:0] tx_slice_o,
  output logic rx_up_o,
  output logic [2:0] rx_slice_o,
  output logic [15:0] bad_lanes_o,  // of the last training
  output logic [15:0] wrong_o,      // lanes of the word that is measured
  output logic retrain_o            // pulse
);

  // ---------------------------------------------------------------- hearing
  // The first lane of each quarter is enough: a width without a good quarter does not exist.
  logic [2:0] state_q;
  logic up, training, listen, heard;
  logic [7:0] quiet_q;
  logic [10:0] said;
  logic [35:0] at;
  logic [1:0] their_step;
  logic [2:0] their_choice, their_using, their_count;
  assign up       = state_q == defs_pkg::LinkStateActive || state_q == defs_pkg::LinkStateDegraded;
  assign training = state_q == defs_pkg::LinkStateTrain || state_q == defs_pkg::LinkStateRecover;
  assign listen   = !up || quiet_q != '0;
  always_comb begin
    heard = 1'b0;
    said  = '0;
    at    = '0;
    if (listen) begin
      for (int unsigned i = 0; i < 4; i++) begin
        at = word_i[144*i +: 36];
        if (at == link_lanes_pkg::lane_word(at[35:25], 4'(4*i))) begin
          heard = 1'b1;
          said  = at[35:25];
        end
      end
    end
  end
  assign {their_step, their_choice, their_using, their_count} = said;

  // ---------------------------------------------------------------- lanes
  logic [5:0] measured_q;
  logic [16*5-1:0] wrong_q;  // per lane, saturating
  logic [15:0] wrong, bad;
  always_comb begin
    wrong = '0;
    bad   = '0;
    if (training && heard) begin
      wrong = link_lanes_pkg::wrong_lanes(word_i, said);
      for (int unsigned l = 0; l < 16; l++) bad[l] = wrong_q[5*l + 4];  // a quarter of the words
    end
  end

  // ---------------------------------------------------------------- registers
  logic [1:0] step_q;
  logic [2:0] choice_q, using_q, count_q, rx_slice_q;
  logic tx_up_q, rx_up_q, starting_q, again_q;
  logic [3:0] left_q, left;  // words until data come
  logic [3:0] run_q;         // training words heard in a row
  logic [TimeBits-1:0] time_q;
  logic [15:0] errors_q, window_q;
  logic [15:0] bad_q;

  logic start, broken, begin_round, expired;
  assign start   = training && step_q[1] && heard && their_step == 2'd3;
  assign left    = start ? {1'b0, their_count} + 4'(their_using != link_lanes_pkg::SliceAll)
                         : left_q - 4'd1;
  assign broken  = up && (stuck_i || errors_q > error_limit_i || quiet_q == '1 || run_q == '1);
  assign expired = time_q == '1;
  // The other end has begun anew: so must this one.
  assign begin_round = broken || (training && ((expired && !again_q) ||
                       (step_q == 2'd3 && heard && !their_step[1])));
  assign retrain_o   = broken;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q    <= defs_pkg::LinkStateOff;
      step_q     <= '0;
      choice_q   <= '0;
      using_q    <= '0;
      count_q    <= '0;
      rx_slice_q <= '0;
      tx_up_q    <= 1'b0;
      rx_up_q    <= 1'b0;
      starting_q <= 1'b0;
      again_q    <= 1'b0;
      left_q     <= '0;
      run_q      <= '0;
      quiet_q    <= '0;
      time_q     <= '0;
      measured_q <= '0;
      wrong_q    <= '0;
      bad_q      <= '0;
      errors_q   <= '0;
      window_q   <= '0;
    end else begin
      if (up) begin
        quiet_q  <= clean_i ? '0 : (quiet_q == '1) ? '1 : quiet_q + 8'd1;
        run_q    <= (heard && !clean_i) ? run_q + 4'd1 : '0;
        window_q <= window_q + 16'd1;
        errors_q <= (window_q == '1) ? '0 : errors_q + 16'(failed_i);
      end
      unique case (state_q)
        defs_pkg::LinkStateOff: state_q <= defs_pkg::LinkStateDetect;
        defs_pkg::LinkStateDetect: begin
          time_q <= time_q + TimeBits'(1);
          if (expired) state_q <= defs_pkg::LinkStateDead;
          if (heard) begin
            state_q <= defs_pkg::LinkStateTrain;
            step_q  <= 2'd1;
            time_q  <= '0;
          end
        end
        defs_pkg::LinkStateTrain, defs_pkg::LinkStateRecover: begin
          time_q <= time_q + TimeBits'(1);
          if (step_q == 2'd1 && heard) begin
            measured_q <= measured_q + 6'd1;
            for (int unsigned l = 0; l < 16; l++) begin
              if (wrong[l] && !bad[l]) wrong_q[5*l +: 5] <= wrong_q[5*l +: 5] + 5'd1;
            end
            if (measured_q == '1) begin
              step_q   <= 2'd2;
              bad_q    <= bad;
              choice_q <= link_lanes_pkg::widest(bad);
            end
          end
          if (step_q == 2'd2 && heard && their_step[1] &&
              their_choice != link_lanes_pkg::SliceNone) begin
            step_q  <= 2'd3;
            using_q <= their_choice;
            count_q <= '1;
          end
          if (step_q == 2'd3) begin
            if (count_q == '0) tx_up_q <= 1'b1;
            else count_q <= count_q - 3'd1;
          end
          if (start) rx_slice_q <= their_using;
          if (start || starting_q) begin
            starting_q <= left != '0;
            left_q     <= left;
            if (left == '0) rx_up_q <= 1'b1;
          end
          if (tx_up_q && rx_up_q) begin
            state_q  <= (using_q == link_lanes_pkg::SliceAll &&
                         rx_slice_q == link_lanes_pkg::SliceAll) ? defs_pkg::LinkStateActive
                                                                 : defs_pkg::LinkStateDegraded;
            quiet_q  <= '0;
            run_q    <= '0;
            errors_q <= '0;
            window_q <= '0;
          end
          if ((expired && again_q) || (step_q == 2'd2 && choice_q == link_lanes_pkg::SliceNone)) begin
            state_q <= defs_pkg::LinkStateDead;
          end
        end
        default: ;
      endcase
      if (begin_round) begin
        if (broken) state_q <= defs_pkg::LinkStateRecover;
        step_q     <= 2'd1;
        measured_q <= '0;
        wrong_q    <= '0;
        tx_up_q    <= 1'b0;
        rx_up_q    <= 1'b0;
        starting_q <= 1'b0;
        time_q     <= '0;
        again_q    <= !broken;
      end
    end
  end

  assign state_o     = state_q;
  assign training_o  = (training || state_q == defs_pkg::LinkStateDetect) && !tx_up_q;
  assign info_o      = {step_q, choice_q, using_q, count_q};
  assign tx_up_o     = tx_up_q && state_q != defs_pkg::LinkStateDead;
  assign tx_slice_o  = using_q;
  assign rx_up_o     = rx_up_q && state_q != defs_pkg::LinkStateDead;
  assign rx_slice_o  = rx_slice_q;
  assign bad_lanes_o = bad_q;
  assign wrong_o     = (step_q == 2'd1) ? wrong : '0;

  // ---------------------------------------------------------------- assertions
  // Words are carried by lanes that exist.
  `ASSERT_NOW(SliceIsSome_A, (!tx_up_o || using_q != link_lanes_pkg::SliceNone) &&
          (!rx_up_o || rx_slice_q != link_lanes_pkg::SliceNone))
  // An end that is up sends and receives.
  `ASSERT_NOW(UpIsBoth_A, !up || (tx_up_q && rx_up_q))

endmodule
