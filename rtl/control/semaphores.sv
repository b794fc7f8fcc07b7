// SPDX-License-Identifier: Apache-2.0
// The 2 x 256 semaphores of a chip: the only place where engines meet.
//
//   13 update ports --> upd_*_q --> checked adders --> value_q --> 16 wait ports
//
//   port     who                                port     who
//   0 .. 3   core 0 sequencers                  10, 11   fabric receivers
//   4        core 0 DMA                         12       host
//   5 .. 9   core 1, likewise
//
// Wait ports, per core: what its four sequencers wait for, then what their next update is to.
//
// An update is always taken and is visible on the wait ports two edges later. Updates of one
// cycle are applied in port order, so several to one semaphore add up. One that would take the
// value out of 0 .. 65535 changes nothing; error_o of its port is high in the cycle after the
// update was offered, and its source stops. Which of two racing updates is rejected is the port
// order's choice: a program in which that matters has no semaphore path between the two.
//
// Nothing runs in a cycle without an update.
`include "assert.svh"

module semaphores #(
  localparam int unsigned Ports     = 13,
  localparam int unsigned WaitPorts = 16,
  localparam int unsigned Count     = defs_pkg::Cores * defs_pkg::Semaphores,
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

  // ---------------------------------------------------------------- datapath
  logic [Ports-1:0] upd_valid_q;
  defs_pkg::sem_update_t [Ports-1:0] upd_q;
  logic [Bits-1:0] value_q [Count];

  // next[p]: value of port p's semaphore after ports 0 .. p. The last accepted port of a semaphore
  // is written last and so wins with the sum of all of them. Bits + 2 hold any sum with its sign.
  logic [Ports-1:0] write;
  logic [Ports-1:0][Bits-1:0] next;
  always_comb begin
    write   = '0;
    error_o = '0;
    next    = '0;
    if (upd_valid_q != '0) begin
      for (int unsigned p = 0; p < Ports; p++) begin
        if (upd_valid_q[p]) begin
          next[p] = value_q[upd_q[p].sem];
          for (int unsigned older = 0; older < p; older++) begin
            if (write[older] && upd_q[older].sem == upd_q[p].sem) next[p] = next[older];
          end
          {write[p], next[p]} = checked_add(next[p], upd_q[p].delta);
          error_o[p] = !write[p];
        end
      end
    end
  end

  // {in range, sum}
  function automatic logic [Bits:0] checked_add(input logic [Bits-1:0] value,
                                                input logic signed [Bits:0] delta);
    logic [Bits+1:0] sum;
    sum = {2'b00, value} + {delta[Bits], delta};
    checked_add = {sum[Bits+1:Bits] == 2'b00, sum[Bits-1:0]};
  endfunction

  // ---------------------------------------------------------------- wait ports
  for (genvar w = 0; w < WaitPorts; w++) begin : gen_wait
    assign wait_value_o[w*Bits +: Bits] = value_q[wait_sem_i[w*NameBits +: NameBits]];
  end
  assign quiet_o = upd_valid_q == '0;

  // ---------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) upd_valid_q <= '0;
    else upd_valid_q <= upd_valid_i;
  end

  always_ff @(posedge clk_i) begin
    if (upd_valid_i != '0) upd_q <= upd_i;
  end

  // Written out, because a `<=` to an array element may not stand in a loop (lint.vlt).
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      value_q <= '{default: '0};
    end else if (upd_valid_q != '0) begin
      if (write[0])  value_q[upd_q[0].sem]  <= next[0];
      if (write[1])  value_q[upd_q[1].sem]  <= next[1];
      if (write[2])  value_q[upd_q[2].sem]  <= next[2];
      if (write[3])  value_q[upd_q[3].sem]  <= next[3];
      if (write[4])  value_q[upd_q[4].sem]  <= next[4];
      if (write[5])  value_q[upd_q[5].sem]  <= next[5];
      if (write[6])  value_q[upd_q[6].sem]  <= next[6];
      if (write[7])  value_q[upd_q[7].sem]  <= next[7];
      if (write[8])  value_q[upd_q[8].sem]  <= next[8];
      if (write[9])  value_q[upd_q[9].sem]  <= next[9];
      if (write[10]) value_q[upd_q[10].sem] <= next[10];
      if (write[11]) value_q[upd_q[11].sem] <= next[11];
      if (write[12]) value_q[upd_q[12].sem] <= next[12];
    end
  end

  // ---------------------------------------------------------------- assertions
  // An update is either applied or rejected, never both, never neither.
  `ASSERT_NOW(AppliedOrRejected_A, (write | error_o) == upd_valid_q && (write & error_o) == '0)

endmodule
