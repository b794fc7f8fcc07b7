// SPDX-License-Identifier: Apache-2.0
// Which received packets are delivered: each number of a flow {source, core, VN} once, in order.
// Shared by the receive ports, because after a change of routes a flow comes by another port.
//
// A packet with the expected number is delivered; an older one was delivered before, a newer one
// will come again: both are dropped. When a flow changes its port, its first packet there waits
// until the old port, which starts nothing new, has nothing left to write, so a flow's writes and notifies never
// overtake each other.
module fabric_accept #(
  parameter int unsigned Ports = 2,
  localparam int unsigned PortBits = (Ports > 1) ? $clog2(Ports) : 1,
  localparam int unsigned Flows = 128
) (
  input  logic clk_i,
  input  logic rst_ni,

  // A packet that could leave its port now, by port: {source 4, core 1, VN 2}, number, length.
  input  logic [Ports-1:0] want_i,
  input  logic [7*Ports-1:0] flow_i,
  input  logic [16*Ports-1:0] seq_i,
  // No write of the port is under way, all are completed.
  input  logic [Ports-1:0] drained_i,

  output logic [Ports-1:0] go_o,     // it may leave,
  output logic [Ports-1:0] good_o,   // to be delivered
  output logic [Ports-1:0] again_o,  // or because it came before

  // For the acknowledgement to chip row_i: numbers expected next, {core, VN} i in slice i.
  input  logic row_valid_i,
  input  logic [3:0] row_i,
  output logic [127:0] row_o
);

  // ---------------------------------------------------------------- state
  logic [15:0] expected [Flows];
  logic [PortBits-1:0] port [Flows];  // by which the last one came
  logic [Flows-1:0] known_q;          // the arrays mean something

  always_comb begin
    row_o = '0;
    if (row_valid_i) begin
      for (int unsigned i = 0; i < 8; i++) begin
        if (known_q[{row_i, 3'(i)}]) row_o[16*i +: 16] = expected[{row_i, 3'(i)}];
      end
    end
  end

  // ---------------------------------------------------------------- decision
  logic [6:0] flow;
  logic [16*Ports-1:0] number;  // expected
  logic [Ports-1:0] match, moved, taken, drain;
  always_comb begin
    go_o    = '0;
    good_o  = '0;
    again_o = '0;
    drain   = '0;
    match   = '0;
    moved   = '0;
    taken   = '0;
    flow    = '0;
    number  = '0;
    if (want_i != '0) begin
      for (int unsigned p = 0; p < Ports; p++) begin
        if (want_i[p]) begin
          flow      = flow_i[7*p +: 7];
          number[16*p +: 16] = known_q[flow] ? expected[flow] : '0;
          match[p]  = seq_i[16*p +: 16] == number[16*p +: 16];
          moved[p]  = match[p] && known_q[flow] && port[flow] != PortBits'(p);
          // Two of one flow at once: one after the other.
          for (int unsigned q = 0; q < p; q++) begin
            if (want_i[q] && flow_i[7*q +: 7] == flow) taken[p] = 1'b1;
          end
          if (moved[p] && !drained_i[port[flow]]) drain[port[flow]] = 1'b1;
        end
      end
      for (int unsigned p = 0; p < Ports; p++) begin
        flow = flow_i[7*p +: 7];
        if (want_i[p] && !taken[p]) begin
          go_o[p]    = !match[p] || (!drain[p] && (!moved[p] || drained_i[port[flow]]));
          good_o[p]  = match[p] && go_o[p];
          again_o[p] = 16'(seq_i[16*p +: 16] - number[16*p +: 16]) >= 16'h8000;
        end
      end
    end
  end

  // ---------------------------------------------------------------- registers
  logic [31:0] repeated_q;  // packets that came again
  for (genvar p = 0; p < Ports; p++) begin : gen_port
    always_ff @(posedge clk_i) begin
      if (good_o[p]) begin
        expected[flow_i[7*p +: 7]] <= number[16*p +: 16] + 16'd1;
        port[flow_i[7*p +: 7]]     <= PortBits'(p);
      end
    end
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      known_q    <= '0;
      repeated_q <= '0;
    end else if (want_i != '0) begin
      for (int unsigned p = 0; p < Ports; p++) begin
        if (good_o[p]) known_q[flow_i[7*p +: 7]] <= 1'b1;
      end
      if (again_o != '0) repeated_q <= repeated_q + 32'd1;
    end
  end
  logic unused_repeated;  // read by the board's statistics
  assign unused_repeated = ^repeated_q;

endmodule
