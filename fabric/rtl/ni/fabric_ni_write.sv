// SPDX-License-Identifier: Apache-2.0
// Payload of packets to memory: writes of 64 bytes from its start; one that crosses a line of the
// destination becomes two writes. A notify follows once the last write is completed.
//
//   packet --> write_* --64 bytes each--> req_* --accepted--> settled --> sem_*
//              message                     one line
//
// A write that hits no memory is reported, and its packet's notify withheld.
`include "assert.svh"

module fabric_ni_write #(
  localparam int unsigned LineBytes = size_pkg::LineBytes,
  localparam int unsigned OffsetBits = $clog2(LineBytes)
) (
  input  logic clk_i,
  input  logic rst_ni,

  // A packet, taken while ready_o: delivered, dropped, or rejected and reported.
  output logic ready_o,
  input  logic packet_leaves_i,
  input  defs_pkg::header_t packet_i,
  input  logic [4:0] packet_slot_i,
  input  logic deliver_i,
  input  logic drop_i,
  input  logic bad_i,
  input  logic bad_dst_i,

  // Its words, from fabric_ni_store: {slot, word}. free_o: the last has been read.
  output logic read_o,
  output logic [8:0] read_at_o,
  input  logic [511:0] word_i,
  output logic free_o,
  output logic [2:0] free_vc_o,

  // See fabric_ni_rx.
  output logic req_valid_o,
  input  logic req_ready_i,
  output size_pkg::mem_req_t req_o,
  input  logic req_err_i,
  input  logic settled_i,
  output logic sem_valid_o,
  output defs_pkg::sem_update_t sem_o,
  output logic error_valid_o,
  output logic [7:0] error_cause_o,
  output logic drained_o,
  output logic idle_o
);

  // ---------------------------------------------------------------- write: 64 bytes each
  logic write_valid_q, write_drop_q, write_bad_q, write_bad_dst_q, write_step, write_done, can_load, write_error;
  logic [4:0] write_slot_q;
  logic [10:0] write_at_q, write_bytes_q, write_left;
  logic [47:0] write_addr_q;
  logic write_notify_q;
  logic [8:0] write_sem_q;
  logic [9:0] write_src_q;
  logic [6:0] write_lane_q;  // {vn 2, sending core 1, sending DMA engine 4}

  logic [6:0] in_block, count;
  logic [9:0] in_line;
  logic write_last;
  assign write_left = write_bytes_q - write_at_q;
  assign in_block   = 7'd64 - {1'b0, write_at_q[5:0]};
  assign in_line    = 10'(LineBytes) - 10'(write_addr_q[OffsetBits-1:0]);
  always_comb begin
    count = in_block;
    if (in_line < {3'b0, count}) count = in_line[6:0];
    if (write_left < {4'b0, count}) count = write_left[6:0];
  end
  assign write_last = write_left == {4'b0, count};
  assign write_step = write_valid_q && !write_bad_q && !write_drop_q && can_load;
  assign write_done = (write_step && write_last) || (write_valid_q && write_bad_q && !write_error) ||
                      (write_valid_q && write_drop_q);

  assign ready_o   = !write_valid_q || write_done;
  assign read_o    = write_step;
  assign read_at_o = {write_slot_q, write_at_q[9:6]};
  assign free_o    = write_done;
  assign free_vc_o = write_slot_q[4:2];

  always_ff @(posedge clk_i) begin
    if (packet_leaves_i) begin
      write_slot_q <= packet_slot_i;
      write_bytes_q    <= packet_i.bytes;
      write_notify_q   <= packet_i.op == defs_pkg::PktOpWriteNotify;
      write_sem_q      <= {packet_i.group[0], packet_i.tag};
      write_src_q      <= packet_i.src;
      write_lane_q     <= {packet_i.vn, packet_i.group[5:1]};
      write_bad_dst_q  <= bad_dst_i;
      write_at_q       <= '0;
      write_addr_q     <= packet_i.addr;
    end else if (write_step) begin
      write_at_q       <= write_at_q + {4'b0, count};
      write_addr_q     <= write_addr_q + {41'b0, count};
    end
  end

  // ---------------------------------------------------------------- the request register
  logic req_valid_q, req_last_q, req_notify_q;
  size_pkg::mem_req_t req_q;
  logic [8:0] req_sem_q;
  logic [9:0] req_src_q;
  logic [6:0] req_lane_q;
  logic accepted, failed_q, notify_wait_q, notify_next;

  assign accepted    = req_valid_q && req_ready_i;
  assign write_error = accepted && req_err_i && !failed_q;
  assign notify_next = accepted && req_notify_q && !req_err_i && !failed_q;
  // Nothing follows a notify before its writes are completed, or new writes could keep it waiting.
  assign can_load    = (!req_valid_q || (req_ready_i && !req_notify_q)) &&
                       (!notify_wait_q || settled_i);

  always_ff @(posedge clk_i) begin
    if (write_step) begin
      // Whole struct at once {write, addr, bytes, tag, data}: a partly assigned wide register
      // costs a copy every cycle in simulation.
      req_q <= {1'b1, write_addr_q, {2'b0, count}, 12'd0,
                (LineBytes*8)'(512'(word_i >> {write_at_q[5:0], 3'b0}))
                << {write_addr_q[OffsetBits-1:0], 3'b0}};
      req_notify_q <= write_notify_q && write_last;
      req_last_q   <= write_last;
      req_sem_q    <= write_sem_q;
      req_src_q    <= write_src_q;
      req_lane_q   <= write_lane_q;
    end
  end
  assign req_valid_o = req_valid_q;
  assign req_o       = req_q;

  // The semaphore's name waits here while the next request may already be loaded.
  logic sem_valid_q;
  logic [8:0] sem_name_q;
  logic [9:0] sem_src_q;
  logic [6:0] sem_lane_q;
  always_ff @(posedge clk_i) begin
    if (notify_next) begin
      sem_name_q <= req_sem_q;
      sem_src_q  <= req_src_q;
      sem_lane_q <= req_lane_q;
    end
  end
  assign sem_valid_o = sem_valid_q;
  assign sem_o       = {sem_name_q, 17'sd1};

  // ---------------------------------------------------------------- errors
  assign error_valid_o = write_error || (write_valid_q && write_bad_q);
  assign error_cause_o = write_error ? defs_pkg::ErrorCauseUnmappedAddress
                       : write_bad_dst_q ? defs_pkg::ErrorCauseBadDestination
                                         : defs_pkg::ErrorCauseBadDescriptor;

  // ---------------------------------------------------------------- for the commit tracer
  // message: the cycle after a good packet entered `write`, its payload in fabric_ni_store;
  // burst: a write is accepted; semaphore: with sem_valid_o.
  logic trace_message_valid_q, trace_burst_valid, trace_sem_valid;
  logic [9:0] trace_message_src, trace_burst_src, trace_sem_src;
  logic [6:0] trace_message_lane, trace_burst_lane, trace_sem_lane;
  logic [127:0] trace_message_header_q;
  logic [10:0] trace_message_bytes;
  always_ff @(posedge clk_i) begin
    if (packet_leaves_i && deliver_i) trace_message_header_q <= packet_i;
  end
  assign trace_message_src   = write_src_q;
  assign trace_message_lane  = write_lane_q;
  assign trace_message_bytes = write_bytes_q;
  assign trace_burst_valid   = accepted && !req_err_i;
  assign trace_burst_src     = req_src_q;
  assign trace_burst_lane    = req_lane_q;
  assign trace_sem_valid     = sem_valid_q;
  assign trace_sem_src       = sem_src_q;
  assign trace_sem_lane      = sem_lane_q;

  // ---------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      write_valid_q  <= 1'b0;
      write_bad_q    <= 1'b0;
      write_drop_q   <= 1'b0;
      req_valid_q    <= 1'b0;
      failed_q       <= 1'b0;
      notify_wait_q  <= 1'b0;
      sem_valid_q    <= 1'b0;
      trace_message_valid_q <= 1'b0;
    end else begin
      write_valid_q  <= packet_leaves_i || (write_valid_q && !write_done);
      if (packet_leaves_i) begin
        write_bad_q  <= bad_i;
        write_drop_q <= drop_i;
      end
      trace_message_valid_q <= packet_leaves_i && deliver_i;

      req_valid_q <= write_step || (req_valid_q && !req_ready_i);
      if (accepted) failed_q <= !req_last_q && (failed_q || req_err_i);
      notify_wait_q <= notify_next || (notify_wait_q && !settled_i);
      sem_valid_q   <= notify_wait_q && settled_i;
    end
  end
  assign drained_o = !write_valid_q && idle_o && settled_i;
  assign idle_o    = !req_valid_q && !notify_wait_q && !sem_valid_q;

  // ---------------------------------------------------------------- assertions
  // A write stays inside its line.
  `ASSERT_NOW(WriteInsideLine_A,
    req_valid_q -> 10'(req_q.addr[OffsetBits-1:0]) + 10'(req_q.bytes) <= 10'(LineBytes))
  // A stalled request stays.
  logic stalled_q;
  logic [47:0] stalled_addr_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) stalled_q <= 1'b0;
    else stalled_q <= req_valid_q && !req_ready_i;
  end
  always_ff @(posedge clk_i) begin
    if (req_valid_q && !req_ready_i) stalled_addr_q <= req_q.addr;
  end
  `ASSERT_NOW(RequestIsStable_A, stalled_q -> req_valid_q && req_q.addr == stalled_addr_q)

endmodule
