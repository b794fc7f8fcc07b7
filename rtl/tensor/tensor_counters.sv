// SPDX-License-Identifier: Apache-2.0
// What the array did since reset: registers TensorCount of the chip, indices tensor_count_e.

// A moving column that is read counts the PEs that it will meet, rows x columns of its tile, at
// once: the count is final when the engine is at rest, and then equal to the golden model's. Every
// active cycle is a moving cycle or waits for exactly one reason:
//
//   Active = Moving + WaitPort + WaitWeights + WaitTile
`include "assert.svh"

module tensor_counters (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic active_i,            // the engine has work of any kind
  input  logic [1:0] moving_i,      // a moving column is read, by stream ...
  input  logic [15:0] work0_i,      // ... of a tile of so many PEs
  input  logic [15:0] work1_i,
  input  logic load_i,              // stationary columns are read
  input  logic port_wait_i,         // a read waits for its turn: long stride, PSUM bank in use
  input  logic tile_here_i,         // a MULTIPLY_MOVING has been taken and waits

  input  logic rd_i,
  input  logic [2:0] rd_index_i,
  output logic [47:0] rd_value_o    // in the same cycle; 0 without rd_i
);

  logic [47:0] pe_busy_q, active_q, moving_q, load_q, wait_port_q, wait_weights_q, wait_tile_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      pe_busy_q      <= '0;
      active_q       <= '0;
      moving_q       <= '0;
      load_q         <= '0;
      wait_port_q    <= '0;
      wait_weights_q <= '0;
      wait_tile_q    <= '0;
    end else if (active_i) begin
      active_q <= active_q + 48'd1;
      if (load_i) load_q <= load_q + 48'd1;
      if (|moving_i) begin
        moving_q  <= moving_q + 48'd1;
        pe_busy_q <= pe_busy_q + (moving_i[0] ? 48'(work0_i) : 48'd0)
                     + (moving_i[1] ? 48'(work1_i) : 48'd0);
      end else if (port_wait_i) begin
        wait_port_q <= wait_port_q + 48'd1;
      end else if (tile_here_i) begin
        wait_weights_q <= wait_weights_q + 48'd1;
      end else begin
        wait_tile_q <= wait_tile_q + 48'd1;
      end
    end
  end

  always_comb begin
    rd_value_o = '0;
    if (rd_i) begin
      case (rd_index_i)
        defs_pkg::TensorCountPeBusy:      rd_value_o = pe_busy_q;
        defs_pkg::TensorCountActive:      rd_value_o = active_q;
        defs_pkg::TensorCountMoving:      rd_value_o = moving_q;
        defs_pkg::TensorCountLoad:        rd_value_o = load_q;
        defs_pkg::TensorCountWaitWeights: rd_value_o = wait_weights_q;
        defs_pkg::TensorCountWaitTile:    rd_value_o = wait_tile_q;
        defs_pkg::TensorCountWaitPort:    rd_value_o = wait_port_q;
        default: ;
      endcase
    end
  end

  // Reading is work.
  `ASSERT_NOW(WorkIsActive_A, (|moving_i) || load_i -> active_i)

endmodule
