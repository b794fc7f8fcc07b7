// SPDX-License-Identifier: Apache-2.0
// One crossbar input of a link port: the buffers of one deadlock class, a queue per VN.
//
//   push --> mem (VN0 | VN1 | VN2 | VN3) --pop--> payload_o, one fabric cycle later
//        --> ctl, the same places        -------> hol_*: head of line of every VN, in registers
//
// Payloads move only on push and pop. The head-of-line registers are what the allocator and a
// watchdog look at, so nothing is read from the memories while nothing moves.
`include "assert.svh"

module fabric_input #(
  localparam int unsigned Vns = defs_pkg::VirtualNets,
  localparam int unsigned Words =
    defs_pkg::VnDepth0 + defs_pkg::VnDepth1 + defs_pkg::VnDepth2 + defs_pkg::VnDepth3
) (
  input  logic clk_i,
  input  logic rst_ni,

  // Only with room: the sender holds a credit for every flit.
  input  logic push_i,
  input  logic [1:0] push_vn_i,
  input  logic push_head_i,
  input  logic push_tail_i,
  input  logic [1:0] push_out_i,
  input  logic [4:0] push_len_i,
  input  logic [511:0] push_payload_i,

  output logic [Vns-1:0] hol_valid_o,
  output logic [Vns-1:0] hol_head_o,
  output logic [Vns-1:0] hol_tail_o,
  output logic [2*Vns-1:0] hol_out_o,
  output logic [5*Vns-1:0] hol_len_o,

  input  logic pop_i,
  input  logic [1:0] pop_vn_i,
  output logic [511:0] payload_o,

  // Flits that left each queue, modulo 256: what the link reports as credit.
  output logic [8*Vns-1:0] freed_o
);

  // Depth and place of each VN's queue.
  localparam logic [Vns-1:0][6:0] Depth = {7'(defs_pkg::VnDepth3), 7'(defs_pkg::VnDepth2),
                                           7'(defs_pkg::VnDepth1), 7'(defs_pkg::VnDepth0)};
  localparam logic [Vns-1:0][8:0] Base = {
    9'(defs_pkg::VnDepth0 + defs_pkg::VnDepth1 + defs_pkg::VnDepth2),
    9'(defs_pkg::VnDepth0 + defs_pkg::VnDepth1), 9'(defs_pkg::VnDepth0), 9'd0};

  // ---------------------------------------------------------------- datapath
  logic [511:0] mem [Words];
  logic [8:0]   ctl [Words];  // {head, tail, out 2, len 5}
  logic [511:0] payload_q;
  logic [Vns-1:0][6:0] write_q, read_q, count_q;
  logic [8:0] write_at, read_at, push_ctl;

  // Body flits follow their head: same way out, whatever is on push_out_i.
  logic [Vns-1:0][1:0] open_out_q;
  logic [1:0] push_out;
  assign push_out = push_head_i ? push_out_i : open_out_q[push_vn_i];
  assign push_ctl = {push_head_i, push_tail_i, push_out, push_len_i};
  assign write_at = Base[push_vn_i] + {2'b0, write_q[push_vn_i]};
  assign read_at  = Base[pop_vn_i] + {2'b0, read_q[pop_vn_i]};

  always_ff @(posedge clk_i) begin
    if (push_i) begin
      mem[write_at] <= push_payload_i;
      ctl[write_at] <= push_ctl;
    end
    if (pop_i) payload_q <= mem[read_at];
  end
  assign payload_o = payload_q;

  // ---------------------------------------------------------------- control
  logic [6:0] write_next, read_next;
  logic [8:0] ctl_next, hol_next;
  logic same;
  assign same = push_i && pop_i && push_vn_i == pop_vn_i;
  assign write_next = (write_q[push_vn_i] + 7'd1 == Depth[push_vn_i])
                    ? '0 : write_q[push_vn_i] + 7'd1;
  assign read_next  = (read_q[pop_vn_i] + 7'd1 == Depth[pop_vn_i]) ? '0 : read_q[pop_vn_i] + 7'd1;

  // The flit behind a popped one, if it is already here; else the one being pushed.
  always_comb begin
    ctl_next = '0;
    if (pop_i) ctl_next = ctl[Base[pop_vn_i] + {2'b0, read_next}];
  end
  assign hol_next = (count_q[pop_vn_i] > 7'd1) ? ctl_next : push_ctl;

  logic [Vns-1:0] hol_valid_q, hol_head_q, hol_tail_q;
  logic [Vns-1:0][1:0] hol_out_q;
  logic [Vns-1:0][4:0] hol_len_q;
  logic [Vns-1:0][7:0] freed_q;
  assign hol_valid_o = hol_valid_q;
  assign hol_head_o  = hol_head_q;
  assign hol_tail_o  = hol_tail_q;
  assign hol_out_o   = hol_out_q;
  assign hol_len_o   = hol_len_q;
  assign freed_o     = freed_q;

  // ---------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      write_q     <= '0;
      read_q      <= '0;
      count_q     <= '0;
      open_out_q  <= '0;
      hol_valid_q <= '0;
      hol_head_q  <= '0;
      hol_tail_q  <= '0;
      hol_out_q   <= '0;
      hol_len_q   <= '0;
      freed_q     <= '0;
    end else begin
      if (push_i) begin
        write_q[push_vn_i]    <= write_next;
        open_out_q[push_vn_i] <= push_out;
        if (!same) count_q[push_vn_i] <= count_q[push_vn_i] + 7'd1;
        if (!hol_valid_q[push_vn_i]) begin
          hol_valid_q[push_vn_i] <= 1'b1;
          {hol_head_q[push_vn_i], hol_tail_q[push_vn_i], hol_out_q[push_vn_i],
           hol_len_q[push_vn_i]} <= push_ctl;
        end
      end
      if (pop_i) begin
        read_q[pop_vn_i]  <= read_next;
        freed_q[pop_vn_i] <= freed_q[pop_vn_i] + 8'd1;
        if (!same) count_q[pop_vn_i] <= count_q[pop_vn_i] - 7'd1;
        hol_valid_q[pop_vn_i] <= same || count_q[pop_vn_i] > 7'd1;
        {hol_head_q[pop_vn_i], hol_tail_q[pop_vn_i], hol_out_q[pop_vn_i],
         hol_len_q[pop_vn_i]} <= hol_next;
      end
    end
  end

  // ---------------------------------------------------------------- assertions
  // A buffer never overflows: credits stop the sender first.
  `ASSERT(NoOverflow_A, push_i |-> count_q[push_vn_i] < Depth[push_vn_i])
  // Only what is there leaves.
  `ASSERT(NoUnderflow_A, pop_i |-> count_q[pop_vn_i] != '0)
  // The head of line is valid exactly when the queue is not empty.
  `ASSERT(HolMatchesCount_A, !(push_i || pop_i) |-> hol_valid_q[pop_vn_i] == (count_q[pop_vn_i] != '0))

endmodule
