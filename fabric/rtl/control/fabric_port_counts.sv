// SPDX-License-Identifier: Apache-2.0
// Counters of one link port, and their copy: enum port_count.
//
//   events --> count_q (each only when it happens) --copy_i--> copied --index_i--> rdata_o, two at a time
//   status_i ---------------------------------------------------^
//
// The counters live on the router's clock: while it is gated nothing happens that they count. The
// state of the link is counted by the link itself and only copied here, in the same cycle.
module fabric_port_counts #(
  localparam int unsigned Vns = defs_pkg::VirtualNets,
  localparam int unsigned Vcs = defs_pkg::VirtualChannels,
  localparam int unsigned Events = Vns + Vcs + 2,
  localparam int unsigned Lanes = 8,  // words of two lanes
  localparam int unsigned Count = Events + 8 + Lanes,
  localparam int unsigned Places = 32
) (
  input  logic clk_i,       // the router's
  input  logic copy_clk_i,
  input  logic rst_ni,
  input  logic copy_i,

  // In this fabric cycle: a flit goes to the link; one came, and was admitted; {class} flits left their
  // buffers; VCs whose head lacks credit; a flit lost arbitration.
  input  logic sent_i,
  input  logic [1:0] sent_vn_i,
  input  logic received_i,
  input  logic admitted_i,
  input  logic [1:0] popped_i,
  input  logic [Vcs-1:0] credit_stall_i,
  input  logic lost_arbitration_i,
  input  defs_pkg::link_status_t status_i,
  input  logic [255:0] lanes_i,  // link_lane_counts

  input  logic select_i,    // rdata_o: 0 if not
  input  logic [3:0] index_i,
  output logic [63:0] rdata_o
);

  logic [31:0] copied [Places];
  logic [Events-1:0] event_now;
  assign event_now = {received_i, lost_arbitration_i, credit_stall_i, {3'd0, sent_i} << sent_vn_i};
  for (genvar i = 0; i < Events; i++) begin : gen_count
    logic [31:0] count_q;
    always_ff @(posedge clk_i or negedge rst_ni) begin
      if (!rst_ni) count_q <= '0;
      else if (event_now[i]) count_q <= count_q + 32'd1;
    end
    always_ff @(posedge copy_clk_i) begin
      if (copy_i) copied[i] <= count_q;
    end
  end

  // Flits in the buffers of both classes, and most ever.
  logic [9:0] held, held_q, most_q;
  logic moves;
  assign moves = admitted_i || popped_i != '0;
  assign held  = held_q + 10'(admitted_i) - 10'(popped_i[0]) - 10'(popped_i[1]);
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      held_q <= '0;
      most_q <= '0;
    end else if (moves) begin
      held_q <= held;
      if (held > most_q) most_q <= held;
    end
  end

  logic unused_status;
  assign unused_status = ^status_i;
  always_ff @(posedge copy_clk_i) begin
    if (copy_i) begin
      copied[Events]     <= {22'd0, most_q};
      copied[Events + 1] <= status_i.flits;
      copied[Events + 2] <= status_i.replays;
      copied[Events + 3] <= status_i.naks;
      copied[Events + 4] <= status_i.failures;
      copied[Events + 5] <= status_i.retrains;
      copied[Events + 6] <= status_i.degraded;
      copied[Events + 7] <= status_i.dropped;
    end
  end

  for (genvar i = 0; i < Lanes; i++) begin : gen_lanes
    always_ff @(posedge copy_clk_i) begin
      if (copy_i) copied[Events + 8 + i] <= lanes_i[32*i +: 32];
    end
  end

  for (genvar i = Count; i < Places; i++) begin : gen_none
    always_ff @(posedge copy_clk_i) begin
      if (copy_i) copied[i] <= '0;
    end
  end

  always_comb begin
    rdata_o = '0;
    if (select_i) rdata_o = {copied[{index_i, 1'b1}], copied[{index_i, 1'b0}]};
  end

endmodule
