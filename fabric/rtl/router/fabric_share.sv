// SPDX-License-Identifier: Apache-2.0
// Shares of the VNs at each output in mode Weighted: weighted deficit round robin, counted in flits.
//
//   a packet starts: left[output][VN] -= flits
//   it was not funded, so nobody who is waits: left[output][all VNs] += 17 * (weight + 1) first
//
// A VN is funded while it has anything left. What is not used is kept up to one round, so a VN that was
// silent gets no more than that ahead of the others.
`include "assert.svh"

module fabric_share #(
  localparam int unsigned Outs = 8,
  localparam int unsigned Vns = defs_pkg::VirtualNets,
  localparam int unsigned Bits = 10  // signed, -16 .. 272
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic en_i,
  input  logic [4*Vns-1:0] weight_i,

  // Packets that start, by output: VC, flits.
  input  logic [Outs-1:0] start_i,
  input  logic [3*Outs-1:0] vc_i,
  input  logic [5*Outs-1:0] len_i,

  output logic [Outs*Vns-1:0] funded_o  // {output, VN}
);

  logic [Bits*Outs*Vns-1:0] left_q, left_d;  // signed
  logic signed [Bits-1:0] left, quantum;
  logic [4:0] at;
  always_comb begin
    left_d  = '0;
    left    = '0;
    quantum = '0;
    at      = '0;
    if (en_i && start_i != '0) begin
      left_d = left_q;
      for (int unsigned y = 0; y < Outs; y++) begin
        if (start_i[y]) begin
          if (!funded_o[{3'(y), vc_i[3*y + 1 +: 2]}]) begin
            for (int unsigned v = 0; v < Vns; v++) begin
              at      = {3'(y), 2'(v)};
              quantum = $signed(10'd17 * (10'(weight_i[4*v +: 4]) + 10'd1));
              left    = $signed(left_d[Bits*at +: Bits]) + quantum;
              left_d[Bits*at +: Bits] = (left > quantum) ? quantum : left;
            end
          end
          at = {3'(y), vc_i[3*y + 1 +: 2]};
          left_d[Bits*at +: Bits] = left_d[Bits*at +: Bits] - {5'b0, len_i[5*y +: 5]};
        end
      end
    end
  end
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) left_q <= '0;
    else if (en_i && start_i != '0) left_q <= left_d;
  end
  for (genvar i = 0; i < Outs * Vns; i++) begin : gen_funded
    assign funded_o[i] = !left_q[Bits*i + Bits - 1] && left_q[Bits*i +: Bits] != '0;
  end

  // ---------------------------------------------------------------- assertions
  // A round pays the longest packet, so debts do not grow.
  for (genvar i = 0; i < Outs * Vns; i++) begin : gen_assert
    `ASSERT(DebtIsBounded_A, $signed(left_q[Bits*i +: Bits]) >= -10'sd16)
  end

endmodule
