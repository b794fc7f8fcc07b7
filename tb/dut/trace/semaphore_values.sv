// SPDX-License-Identifier: Apache-2.0
// The value of every semaphore as a signal of its own, in programs that write waves: the array of 512
// itself is deeper than what they trace. In sixteens, because --unroll-count 1 allows a loop no more.
module semaphore_values #(
  localparam int unsigned Count = defs_pkg::Cores * defs_pkg::Semaphores
) (
  input logic [defs_pkg::SemaphoreBits-1:0] value_i [Count]
);
  for (genvar core = 0; core < defs_pkg::Cores; core++) begin : gen_core
    for (genvar upper = 0; upper < defs_pkg::Semaphores / 16; upper++) begin : gen_upper
      for (genvar lower = 0; lower < 16; lower++) begin : gen_lower
        logic [defs_pkg::SemaphoreBits-1:0] value;
        assign value = value_i[core*defs_pkg::Semaphores + upper*16 + lower];
      end
    end
  end
endmodule

bind semaphores semaphore_values u_values (
  .value_i(value_q)
);
