// SPDX-License-Identifier: Apache-2.0
// The route to every chip, as the senders of fabric_ni_tx need it: looked up one chip after the other.
//
//   walk_q: 0 .. 15 --> fabric_route --> odd, upper, local, class, cut_off of that chip
//
// At full pace after reset and after a change (resend_i), then one in every fabric cycle, so that an
// entry that changes by itself is found. Its clock runs in those cycles only.
module fabric_routes #(
  localparam int unsigned Chips = 16
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic fabric_en_i,

  input  logic core_i,
  input  logic [3:0] chip_i,
  input  logic [4:0] ring_size_i,
  input  defs_pkg::route_bank_t bank_i,
  input  logic resend_i,

  output logic valid_o,               // all chips have been looked up
  output logic [Chips-1:0] odd_o,     // by link 1 or 3, or local port 1
  output logic [Chips-1:0] upper_o,   // by link 2 or 3
  output logic [Chips-1:0] local_o,   // it is this chip
  output logic [Chips-1:0] class_o,
  output logic [Chips-1:0] cut_off_o, // no route leads there
  output logic upset_o                // a table entry has changed by itself
);

  logic [Chips-1:0] odd_q, upper_q, local_q, class_q, cut_off_q;
  logic [4:0] walk_q;  // 16: done
  logic [2:0] out;
  logic route_class, unreachable, look;
  assign look = !walk_q[4] || fabric_en_i;
  fabric_route #(.Source(1'b1)) u_route (
    .valid_i(look), .chip_i, .ring_size_i, .bank_i,
    .from_i({1'b0, core_i}), .class_i(1'b0), .dst_i(walk_q[3:0]),
    .out_o(out), .class_o(route_class), .unreachable_o(unreachable), .upset_o
  );
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      walk_q    <= '0;
      odd_q     <= '0;
      upper_q   <= '0;
      local_q   <= '0;
      class_q   <= '0;
      cut_off_q <= '0;
    end else if (resend_i) begin
      walk_q <= '0;
    end else if (look) begin
      walk_q                 <= {walk_q[4] || walk_q[3:0] == '1, walk_q[3:0] + 4'd1};
      odd_q[walk_q[3:0]]     <= out[0];
      upper_q[walk_q[3:0]]   <= out[1];
      local_q[walk_q[3:0]]   <= out[2];
      class_q[walk_q[3:0]]   <= route_class;
      cut_off_q[walk_q[3:0]] <= unreachable;
    end
  end
  assign valid_o   = walk_q[4];
  assign odd_o     = odd_q;
  assign upper_o   = upper_q;
  assign local_o   = local_q;
  assign class_o   = class_q;
  assign cut_off_o = cut_off_q;

endmodule
