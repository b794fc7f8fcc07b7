// SPDX-License-Identifier: Apache-2.0
// One crossbar input of a link port: the buffers of one deadlock class, a queue per VN.
//
//   push --> mem (VN0 | VN1 | VN2 | VN3) --pop--> payload_o, one fabric cycle later
//        --> metadata, the same places     -------> hol_*: head of line of every VN, in registers
//
// Payloads move only on push and pop. The head-of-line registers are what the allocator and a
// watchdog look at, so nothing is read from the memories while nothing moves.
`include "assert.svh"

module fabric_input #(
  localparam int unsigned Vns = defs_pkg::VirtualNets,
  localparam int unsigned HolBits = defs_pkg::HolFlitBits,
  localparam int unsigned Words =
    defs_pkg::VnDepth0 + defs_pkg::VnDepth1 + defs_pkg::VnDepth2 + defs_pkg::VnDepth3
) (
  input  logic clk_i,
  input  logic rst_ni,

  // Only with room: the sender holds a credit for every flit.
  input  logic push_i,
  input  logic [1:0] push_vn_i,
  input  defs_pkg::hol_flit_t push_flit_i,  // out and vc_class: of a head
  input  logic [511:0] push_payload_i,

  // Head of line of every VN: hol_flit_t, VN i in slice i.
  output logic [Vns-1:0] hol_valid_o,
  output logic [HolBits*Vns-1:0] hol_o,

  input  logic pop_i,
  input  logic [1:0] pop_vn_i,
  output logic [511:0] payload_o,

  // Flits that left each queue, modulo 256: what the link reports as credit.
  output logic [8*Vns-1:0] freed_o
);

  // Depth and place of each VN's queue.
  function automatic logic [6:0] depth(input logic [1:0] vn);
    unique case (vn)
      2'd0:    depth = 7'(defs_pkg::VnDepth0);
      2'd1:    depth = 7'(defs_pkg::VnDepth1);
      2'd2:    depth = 7'(defs_pkg::VnDepth2);
      default: depth = 7'(defs_pkg::VnDepth3);
    endcase
  endfunction
  function automatic logic [8:0] place(input logic [1:0] vn, input logic [6:0] at);
    unique case (vn)
      2'd0:    place = {2'b0, at};
      2'd1:    place = {2'b0, at} + 9'(defs_pkg::VnDepth0);
      2'd2:    place = {2'b0, at} + 9'(defs_pkg::VnDepth0 + defs_pkg::VnDepth1);
      default: place = {2'b0, at} + 9'(Words - defs_pkg::VnDepth3);
    endcase
  endfunction

  // ---------------------------------------------------------------- datapath
  logic [511:0] mem [Words];
  logic [HolBits-1:0] metadata [Words];
  logic [511:0] payload_q;
  logic [7*Vns-1:0] write_q, read_q, count_q;
  logic [8:0] write_at, read_at;
  logic [6:0] write_next;
  defs_pkg::hol_flit_t pushed;

  // Body flits follow their head.
  logic [4*Vns-1:0] open_route_q;  // {class, out 3}
  // Computed only when something moves: most buffers are idle most of the time.
  always_comb begin
    pushed     = '0;
    write_at   = '0;
    write_next = '0;
    if (push_i) begin
      pushed = push_flit_i;
      if (!push_flit_i.head) {pushed.vc_class, pushed.out} = open_route_q[4*push_vn_i +: 4];
      write_at   = place(push_vn_i, write_q[7*push_vn_i +: 7]);
      write_next = (write_q[7*push_vn_i +: 7] + 7'd1 == depth(push_vn_i))
                 ? '0 : write_q[7*push_vn_i +: 7] + 7'd1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (push_i) begin
      mem[write_at] <= push_payload_i;
      metadata[write_at] <= pushed;
    end
    if (pop_i) payload_q <= mem[read_at];
  end
  assign payload_o = payload_q;

  // ---------------------------------------------------------------- control
  // The flit behind a popped one, if it is already here; else the one being pushed.
  logic [6:0] read_next;
  logic [HolBits-1:0] hol_next;
  logic same;
  assign same = push_i && pop_i && push_vn_i == pop_vn_i;
  always_comb begin
    read_at   = '0;
    read_next = '0;
    hol_next  = '0;
    if (pop_i) begin
      read_at   = place(pop_vn_i, read_q[7*pop_vn_i +: 7]);
      read_next = (read_q[7*pop_vn_i +: 7] + 7'd1 == depth(pop_vn_i))
                ? '0 : read_q[7*pop_vn_i +: 7] + 7'd1;
      hol_next  = (count_q[7*pop_vn_i +: 7] > 7'd1) ? metadata[place(pop_vn_i, read_next)]
                                                    : pushed;
    end
  end

  logic [Vns-1:0] hol_valid_q;
  logic [HolBits*Vns-1:0] hol_q;
  logic [8*Vns-1:0] freed_q;
  assign hol_valid_o = hol_valid_q;
  assign hol_o       = hol_q;
  assign freed_o     = freed_q;

  // ---------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      write_q     <= '0;
      read_q      <= '0;
      count_q     <= '0;
      open_route_q <= '0;
      hol_valid_q <= '0;
      hol_q       <= '0;
      freed_q     <= '0;
    end else begin
      if (push_i) begin
        write_q[7*push_vn_i +: 7]    <= write_next;
        open_route_q[4*push_vn_i +: 4] <= {pushed.vc_class, pushed.out};
        if (!same) count_q[7*push_vn_i +: 7] <= count_q[7*push_vn_i +: 7] + 7'd1;
        if (!hol_valid_q[push_vn_i]) begin
          hol_valid_q[push_vn_i] <= 1'b1;
          hol_q[HolBits*push_vn_i +: HolBits] <= pushed;
        end
      end
      if (pop_i) begin
        read_q[7*pop_vn_i +: 7]  <= read_next;
        freed_q[8*pop_vn_i +: 8] <= freed_q[8*pop_vn_i +: 8] + 8'd1;
        if (!same) count_q[7*pop_vn_i +: 7] <= count_q[7*pop_vn_i +: 7] - 7'd1;
        hol_valid_q[pop_vn_i] <= same || count_q[7*pop_vn_i +: 7] > 7'd1;
        hol_q[HolBits*pop_vn_i +: HolBits] <= hol_next;
      end
    end
  end

  // ---------------------------------------------------------------- assertions
  // A buffer never overflows, credits stop the sender first; and only what is there leaves.
  `ASSERT_NOW(QueueInBounds_A,
    (!push_i || count_q[7*push_vn_i +: 7] < depth(push_vn_i)) &&
    (!pop_i || (hol_valid_q[pop_vn_i] && count_q[7*pop_vn_i +: 7] != '0)))

endmodule
