// SPDX-License-Identifier: Apache-2.0
// Changes the banks of routing tables at a fabric cycle set beforehand, the same in all chips, so that
// nobody need be reached while some have changed and others have not:
//
//   armed, at = T --T--> stop_o: no packet leaves its sender, what is in flight arrives
//                --T + D--> cut_o: receivers drop what they have no room for
//                --T + 2D--> flip_o: banks change, senders go on and repeat what was not acknowledged
//
// Once it has begun it cannot be called off: a write then changes nothing.
module fabric_switch (
  input  logic clk_i,   // may be gated while not busy_o and nothing is written
  input  logic rst_ni,
  input  logic fabric_en_i,
  input  logic [15:0] now_i,  // fabric cycle

  input  logic write_i,
  input  logic [31:0] wdata_i,    // {armed, D 15, T 16}
  output logic [31:0] setting_o,  // T: of the next step

  output logic stop_o,
  output logic cut_o,
  output logic flip_o,
  output logic busy_o
);

  logic armed_q, stop_q, cut_q, step;
  logic [14:0] limit_q;
  logic [15:0] at_q;
  assign step   = armed_q && fabric_en_i && now_i == at_q;
  assign flip_o = step && cut_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      armed_q <= 1'b0;
      stop_q  <= 1'b0;
      cut_q   <= 1'b0;
      limit_q <= '0;
      at_q    <= '0;
    end else if (step) begin
      armed_q <= !cut_q;
      stop_q  <= !cut_q;
      cut_q   <= stop_q && !cut_q;
      at_q    <= at_q + {1'b0, limit_q};
    end else if (write_i && !stop_q) begin
      armed_q <= wdata_i[31];
      limit_q <= wdata_i[30:16];
      at_q    <= wdata_i[15:0];
    end
  end
  assign setting_o = {armed_q, limit_q, at_q};
  assign stop_o    = stop_q;
  assign cut_o     = cut_q;
  assign busy_o    = armed_q;

endmodule
