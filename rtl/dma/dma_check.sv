// SPDX-License-Identifier: Apache-2.0
// Says what is wrong with a DMA descriptor, before it has any effect. Twin: cmodel::check.
//
// First cause that applies:
//   ReservedBits     a reserved field, or update_* without update, or notify_sem without notify, or anything of
//                    a second source without one (combine = Copy, Cast), a format that combine has not, anything of
//                    a list of indices without one
//   BadDescriptor    rows or row_bytes (of either side) out of range; vn not 1..3 for a remote or not 0 for a local
//                    destination; notify on a local one; several rows in SBUF that are neither in one
//                    partition nor at the same byte of several; no such combine, a remote cast; of a list no such
//                    mode, no bound, a stride of its side beyond 32 bits, skip of a remote one, a scatter with a
//                    second source
//   BadFormat        combined is something else than Fp32, Bf16 or Int32; no such format of a cast
//   Misaligned       row_bytes, those that a cast makes, an address or a stride is not a multiple of 4; of local rows
//                    of 1 or 2 bytes (elements) with one source: an address or a stride is not a multiple of row_bytes
//   BadDestination   no such chip
//   UnmappedAddress  the first or last row of a source or the destination is not whole inside one memory
//                    (SBUF: one partition), or the two rows are in different memories; likewise the list. The last
//                    row of what a list names is that of bound - 1
//   Forbidden        a source, local destination, list, or the semaphore is the other core's, and not shared (guard_pkg)
// Strides are linear, so between a first and a last row in one memory every row is in it: HBM and a partition
// have no holes, and an SBUF row keeps its byte offset when the stride moves whole partitions.
`include "assert.svh"

module dma_check (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic [9:0] chip_id_i,
  input  logic [4:0] ring_size_i,
  input  logic core_id_i,
  input  defs_pkg::peer_access_t peer_i,

  input  logic check_i,                      // look at desc_i now; otherwise cause_o is None
  input  defs_pkg::descriptor_t desc_i,
  output defs_pkg::error_cause_e cause_o,
  output logic [47:0] src_last_o,            // last rows of what is not rejected
  output logic [47:0] src1_last_o,
  output logic [47:0] dst_last_o,
  output logic [19:0] dst_bytes_o            // of a row
);

  // Memory of a whole row. `addr` is a 64-bit sum: |stride| * rows < 2^63 - 2^48, so it is exact,
  // and a row that left the 48-bit space shows in the upper bits.
  function automatic defs_pkg::memory_e memory_of(input logic [63:0] addr,
                                                  input logic [19:0] bytes);
    logic [63:0] last;
    last = addr + 64'(bytes) - 64'd1;
    memory_of = address_pkg::memory_of(addr[47:0]);
    if (addr[63:48] != '0 || last[63:48] != '0 ||
        address_pkg::memory_of(last[47:0]) != memory_of ||
        (address_pkg::in_core(addr[47:0]) && address_pkg::sbuf_partition(addr[47:0]) !=
                                             address_pkg::sbuf_partition(last[47:0]))) begin
      memory_of = defs_pkg::MemoryUnmapped;
    end
  endfunction

  // Rows of a core's window that are neither in one partition nor at the same byte of several.
  function automatic logic leaves_partition(input logic [47:0] first, input logic [45:0] last_partition,
                                            input logic [17:0] stride);
    leaves_partition = address_pkg::in_core(first) && stride != '0 && last_partition != {16'd0, first[47:18]};
  endfunction

  // From the first row to the last one, which are in one memory.
  function automatic logic reaches_rows(input logic [47:0] first, input logic [47:0] last, input logic [19:0] bytes);
    reaches_rows = guard_pkg::reaches(peer_i.shared, peer_i.base, peer_i.limit, core_id_i, first, 48'(bytes)) &&
                   guard_pkg::reaches(peer_i.shared, peer_i.base, peer_i.limit, core_id_i, last, 48'(bytes));
  endfunction

  // A stride of 32 bits, signed: its upper ones.
  function automatic logic is_short(input logic [16:0] upper);
    is_short = upper == '0 || upper == '1;
  endfunction

  logic remote, second, cast, element, bad_stride, gather, scatter, indexed, bad_list;
  logic [1:0] below;                         // bits of an address that must be zero
  logic signed [63:0] steps, src_steps, dst_steps;
  logic [19:0] dst_bytes, list_bytes;
  logic [63:0] src_last, src1_last, dst_last;
  defs_pkg::memory_e src_memory, src1_memory, dst_memory;

  always_comb begin
    cause_o    = defs_pkg::ErrorCauseNone;
    remote     = 1'b0;
    second     = 1'b0;
    element    = 1'b0;
    below      = 2'd0;
    bad_stride = 1'b0;
    steps      = '0;
    src_steps  = '0;
    dst_steps  = '0;
    dst_bytes  = '0;
    list_bytes = '0;
    cast       = 1'b0;
    gather     = 1'b0;
    scatter    = 1'b0;
    indexed    = 1'b0;
    bad_list   = 1'b0;
    src_last   = '0;
    src1_last  = '0;
    dst_last   = '0;
    src_memory = defs_pkg::MemoryUnmapped;
    src1_memory = defs_pkg::MemoryUnmapped;
    dst_memory = defs_pkg::MemoryUnmapped;
    if (check_i) begin
      remote     = desc_i.dst_chip != chip_id_i;
      second     = desc_i.combine == defs_pkg::CombineAdd || desc_i.combine == defs_pkg::CombineMax;
      cast       = desc_i.combine == defs_pkg::CombineCast;
      gather     = desc_i.index_mode == defs_pkg::IndexModeGather;
      scatter    = desc_i.index_mode == defs_pkg::IndexModeScatter;
      indexed    = desc_i.index_mode != defs_pkg::IndexModeNone;
      dst_bytes  = cast ? dma_cast_pkg::made(desc_i.row_bytes, desc_i.dtype, desc_i.dst_dtype) : desc_i.row_bytes;
      list_bytes = {2'd0, desc_i.rows, 2'd0};
      steps      = {48'd0, desc_i.rows} - 64'sd1;
      src_steps  = gather ? {32'd0, desc_i.bound} - 64'sd1 : steps;
      dst_steps  = scatter ? {32'd0, desc_i.bound} - 64'sd1 : steps;
      src_last   = {16'd0, desc_i.src} + (64'(desc_i.src_stride) * src_steps);
      src1_last  = {16'd0, desc_i.src1} + (64'(desc_i.src1_stride) * steps);
      dst_last   = {16'd0, desc_i.dst} + (64'(desc_i.dst_stride) * dst_steps);
      src_memory = memory_of({16'd0, desc_i.src}, desc_i.row_bytes);
      src1_memory = memory_of({16'd0, desc_i.src1}, desc_i.row_bytes);
      dst_memory = memory_of({16'd0, desc_i.dst}, dst_bytes);
      element    = !remote && !second && !cast && (desc_i.row_bytes == 20'd1 || desc_i.row_bytes == 20'd2);
      below      = element ? 2'(desc_i.row_bytes) - 2'd1 : 2'd3;
      bad_stride = (src_steps > 64'sd0 && leaves_partition(desc_i.src, src_last[63:18], desc_i.src_stride[17:0])) ||
                   (steps > 64'sd0 && leaves_partition(desc_i.src1, src1_last[63:18], desc_i.src1_stride[17:0])) ||
                   (dst_steps > 64'sd0 && leaves_partition(desc_i.dst, dst_last[63:18], desc_i.dst_stride[17:0]));
      bad_list   = desc_i.index_mode > defs_pkg::IndexModeScatter ||
                   (indexed && (desc_i.bound == '0 || !is_short(gather ? desc_i.src_stride[47:31] : desc_i.dst_stride[47:31]) ||
                                (desc_i.skip && remote) || (scatter && second)));

      // the last one that applies wins
      if (!reaches_rows(desc_i.src, src_last[47:0], desc_i.row_bytes) ||
          (second && !reaches_rows(desc_i.src1, src1_last[47:0], desc_i.row_bytes)) ||
          (!remote && !reaches_rows(desc_i.dst, dst_last[47:0], dst_bytes)) ||
          (indexed && !reaches_rows(desc_i.index, desc_i.index, list_bytes)) ||
          (desc_i.update && !guard_pkg::reaches_semaphore(peer_i.shared, core_id_i, desc_i.update_sem[8]))) begin
        cause_o = defs_pkg::ErrorCauseForbidden;
      end
      if (src_memory == defs_pkg::MemoryUnmapped ||
          memory_of(src_last, desc_i.row_bytes) != src_memory ||
          (second && (src1_memory == defs_pkg::MemoryUnmapped ||
                      memory_of(src1_last, desc_i.row_bytes) != src1_memory)) ||
          (indexed && memory_of({16'd0, desc_i.index}, list_bytes) == defs_pkg::MemoryUnmapped) ||
          dst_memory == defs_pkg::MemoryUnmapped ||
          memory_of(dst_last, dst_bytes) != dst_memory) begin
        cause_o = defs_pkg::ErrorCauseUnmappedAddress;
      end
      if (remote && desc_i.dst_chip >= 10'(ring_size_i)) begin
        cause_o = defs_pkg::ErrorCauseBadDestination;
      end
      if ((!element && (desc_i.row_bytes[1:0] | dst_bytes[1:0]) != '0) || desc_i.index[1:0] != '0 ||
          ((desc_i.src[1:0] | desc_i.dst[1:0] | desc_i.src_stride[1:0] | desc_i.dst_stride[1:0] |
            desc_i.src1[1:0] | desc_i.src1_stride[1:0]) & below) != '0) begin
        cause_o = defs_pkg::ErrorCauseMisaligned;
      end
      if ((second && desc_i.dtype != defs_pkg::DtypeFp32 && desc_i.dtype != defs_pkg::DtypeBf16 &&
           desc_i.dtype != defs_pkg::DtypeInt32) ||
          (cast && (!dma_cast_pkg::is_format(desc_i.dtype) || !dma_cast_pkg::is_format(desc_i.dst_dtype)))) begin
        cause_o = defs_pkg::ErrorCauseBadFormat;
      end
      if (desc_i.rows == '0 || (desc_i.row_bytes < 20'd4 && !element) || desc_i.row_bytes > 20'd65536 ||
          dst_bytes > 20'd65536 || remote != (desc_i.vn != '0) || (!remote && desc_i.notify) || bad_stride || bad_list ||
          desc_i.combine > defs_pkg::CombineCast || (cast && remote)) begin
        cause_o = defs_pkg::ErrorCauseBadDescriptor;
      end
      if (desc_i.reserved_hi != '0 || desc_i.reserved_mid != '0 || desc_i.reserved != '0 ||
          desc_i.reserved_lo != '0 ||
          (desc_i.combine == defs_pkg::CombineCopy && desc_i.dtype != '0) ||
          ((desc_i.combine == defs_pkg::CombineCopy || cast) && (desc_i.src1 != '0 || desc_i.src1_stride != '0)) ||
          (!cast && desc_i.dst_dtype != '0) ||
          (!indexed && (desc_i.skip || desc_i.index != '0 || desc_i.bound != '0)) ||
          (!desc_i.update && (desc_i.update_sem != '0 || desc_i.update_delta != '0)) ||
          (!desc_i.notify && desc_i.notify_sem != '0)) begin
        cause_o = defs_pkg::ErrorCauseReservedBits;
      end
    end
  end

  assign src_last_o  = src_last[47:0];
  assign src1_last_o = src1_last[47:0];
  assign dst_last_o  = dst_last[47:0];
  assign dst_bytes_o = dst_bytes;

  // Nothing is rejected unasked.
  `ASSERT_NOW(NoCauseUnasked_A, !check_i -> cause_o == defs_pkg::ErrorCauseNone)

endmodule
