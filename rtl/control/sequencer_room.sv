// SPDX-License-Identifier: Apache-2.0
// Is there room in a semaphore for an update, with what this sequencer has in flight?
//
//   claim_i (issued) --> rise, fall --> posted_i (offered; in the semaphore's value one cycle later)
//
// rise and fall are what the updates in flight may add to a semaphore, or take from it, at most, whichever
// semaphores they are for. A sum over all is more careful than one per semaphore, and never less.
`include "assert.svh"

module sequencer_room (
  input  logic clk_i,
  input  logic rst_ni,

  // The next update, and the value of its semaphore: no_room_o in the same cycle.
  input  logic [15:0] value_i,
  input  logic [15:0] delta_i,  // two's complement
  output logic no_room_o,

  input  logic claim_i,         // it is issued
  input  logic posted_i,        // an older one is offered to the semaphores
  input  logic [15:0] posted_delta_i,
  input  logic none_in_flight_i
);

  // Up to 16 in flight and one that is offered but not yet in the value: 17 * 2^15 < 2^20.
  typedef logic [19:0] sum_t;
  sum_t rise_d, rise_q, fall_d, fall_q;
  logic posted_q;
  logic [15:0] posted_delta_q;

  function automatic sum_t magnitude(input logic [15:0] delta);
    magnitude = delta[15] ? 20'd65536 - 20'(delta) : 20'(delta);
  endfunction

  assign no_room_o = delta_i[15] ? 20'(value_i) < fall_q + magnitude(delta_i)
                                 : 20'(value_i) + rise_q + magnitude(delta_i) > 20'd65535;
  always_comb begin
    rise_d = rise_q;
    fall_d = fall_q;
    if (claim_i) begin
      if (delta_i[15]) fall_d = fall_d + magnitude(delta_i);
      else rise_d = rise_d + magnitude(delta_i);
    end
    if (posted_q) begin
      if (posted_delta_q[15]) fall_d = fall_d - magnitude(posted_delta_q);
      else rise_d = rise_d - magnitude(posted_delta_q);
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      rise_q   <= '0;
      fall_q   <= '0;
      posted_q <= 1'b0;
    end else begin
      rise_q   <= rise_d;
      fall_q   <= fall_d;
      posted_q <= posted_i;
    end
  end
  always_ff @(posedge clk_i) begin
    if (posted_i) posted_delta_q <= posted_delta_i;
  end

  // Nothing in flight, nothing claimed.
  `ASSERT_NOW(ClaimsEnd_A, none_in_flight_i && !posted_q -> rise_q == '0 && fall_q == '0)

endmodule
