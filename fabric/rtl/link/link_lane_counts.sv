// SPDX-License-Identifier: Apache-2.0
// Training words in which a lane was wrong, by lane, mod 2^16; 64 words are measured in a training.
//
// Only training names a lane. The CRC covers a whole word: a damaged one says that some lane is bad, not
// which. Nor does its repeat: whether it was that flit at all is part of what the damage may have changed.
module link_lane_counts (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic [15:0] wrong_i,    // by lane; 0: no word is measured
  output logic [255:0] counts_o   // lane i in slice i
);

  logic [255:0] counts_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) counts_q <= '0;
    else if (wrong_i != '0) begin
      for (int unsigned l = 0; l < 16; l++) begin
        if (wrong_i[l]) counts_q[16*l +: 16] <= counts_q[16*l +: 16] + 16'd1;
      end
    end
  end
  assign counts_o = counts_q;

endmodule
