// SPDX-License-Identifier: Apache-2.0
// The semaphores of a model chip: takes the place of rtl/control/semaphores.sv for the fabric's receivers
// (ports 10 and 11). The values are the golden model's, and what its engines do to them it commits
// itself. upd_valid_q, upd_q, error_o: for the tracer, with the timing of the original.

module semaphores #(
  localparam int unsigned Ports     = 13,
  localparam int unsigned WaitPorts = 16,
  localparam int unsigned NameBits  = 9,
  localparam int unsigned Bits      = defs_pkg::SemaphoreBits
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic                  [Ports-1:0] upd_valid_i,
  input  defs_pkg::sem_update_t [Ports-1:0] upd_i,
  output logic                  [Ports-1:0] error_o,

  // One flat vector each: port i in slice i.
  input  logic [WaitPorts*NameBits-1:0] wait_sem_i,
  output logic [WaitPorts*Bits-1:0]     wait_value_o,

  output logic quiet_o
);

  logic [Ports-1:0] upd_valid_q;
  defs_pkg::sem_update_t [Ports-1:0] upd_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      upd_valid_q <= '0;
      error_o     <= '0;
    end else begin
      upd_valid_q <= upd_valid_i;
      error_o     <= '0;
      for (int unsigned p = 0; p < Ports; p++) begin
        if (upd_valid_i[p]) begin
          error_o[p] <= !golden_dpi::dodeca_golden_update(32'(upd_i[p].sem), 32'(upd_i[p].delta));
        end
      end
    end
  end
  always_ff @(posedge clk_i) begin
    if (upd_valid_i != '0) upd_q <= upd_i;
  end

  assign quiet_o      = upd_valid_q == '0;
  assign wait_value_o = '0;

  logic unused;
  assign unused = ^{wait_sem_i, upd_q};

endmodule
