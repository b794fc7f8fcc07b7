// SPDX-License-Identifier: Apache-2.0
// Message beats in, packets in blocks of 64 bytes out: the filling half of fabric_ni_tx.
//
//   msg --> beat_q --64 B a cycle, shifted--> carry (per engine) --word_o--> a free block
//
// The blocks of a packet are chained as they are written. Header, first block and the CRC of its
// words are given with the last one. Engines interleave; each has one packet open.
//
// Rejected, counted and reported, without any flit: a destination that is not on this board or not
// on the ring, or that no route leads to, or that was given up; a packet of more than 4 flits on
// VN 0, or in slot mode on a VN of others, or of management. The blocks of a rejected packet go back a cycle later.
module fabric_fill #(
  localparam int unsigned Engines = size_pkg::DmaEngines,
  localparam int unsigned EngineBits = $clog2(Engines),
  localparam int unsigned BeatParts = size_pkg::LineBytes / defs_pkg::FlitBytes,
  localparam int unsigned PartBits = (BeatParts > 1) ? $clog2(BeatParts) : 1,
  localparam int unsigned BlockBits = $clog2(defs_pkg::RetryFlits)
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic core_i,
  input  logic [9:0] chip_id_i,
  input  logic [4:0] ring_size_i,
  input  logic [7:0] key_i,
  input  logic [2:0] tenant_i,   // {slot mode, VN}: no other VN then
  input  logic [63:0] lost_i,    // flows {vn, chip} that were given up,
  input  logic [63:0] banned_i,  // because the packets are forbidden there
  input  logic [15:0] cut_off_i,  // chips that no route leads to

  input  logic msg_valid_i,
  output logic msg_ready_o,
  input  size_pkg::msg_chunk_t msg_i,

  // A management packet; it waits until engine 0 has no packet open.
  // open: taken, not yet done.
  input  logic mgmt_valid_i,
  output logic mgmt_ready_o,
  input  defs_pkg::mgmt_packet_t mgmt_i,
  output logic mgmt_open_o,

  // word_o goes into block_i, behind block link_o of the same packet if link_valid_o.
  input  logic block_valid_i,
  input  logic [BlockBits-1:0] block_i,
  output logic write_o,
  output logic [511:0] word_o,
  output logic link_valid_o,
  output logic [BlockBits-1:0] link_o,

  // With the last word: the packet is complete.
  output logic done_o,
  output logic [BlockBits-1:0] first_o,
  output logic [31:0] crc_o,
  output defs_pkg::header_t header_o,

  // A rejected packet's blocks go back.
  output logic drop_o,
  output logic [BlockBits-1:0] drop_first_o,
  output logic [BlockBits-1:0] drop_last_o,
  output logic [4:0] drop_len_o,

  output logic error_valid_o,
  output logic [7:0] error_cause_o,

  output logic idle_o
);

  // ---------------------------------------------------------------- control
  logic beat_valid_q, flush_q, drop_q, mgmt_q, free;
  logic [PartBits-1:0] part_q;
  size_pkg::msg_chunk_t beat_q;
  logic [11*Engines-1:0] fill_q;   // bytes of the open packet, up to 1024
  logic [57:0] open_q [Engines];   // {dst 10, addr 48} of the open packet

  logic [EngineBits-1:0] engine;
  logic [10:0] fill, total;
  logic [8:0] left;
  logic [6:0] part_bytes, ends;
  logic last_part, spill, step, packet_done, beat_done;

  assign engine      = beat_q.engine[EngineBits-1:0];
  assign step        = beat_valid_q && block_valid_i && !drop_q;
  assign free         = !beat_valid_q || beat_done;
  assign mgmt_ready_o = mgmt_valid_i && free && fill_q[10:0] == '0 &&
                        !(beat_valid_q && engine == '0 && !beat_q.last);
  assign mgmt_open_o  = beat_valid_q && mgmt_q;
  assign msg_ready_o  = free && !mgmt_ready_o;
  always_comb begin
    fill        = '0;
    left        = '0;
    last_part   = 1'b0;
    part_bytes  = '0;
    ends        = '0;
    total       = '0;
    spill       = 1'b0;
    beat_done   = 1'b0;
    packet_done = 1'b0;
    if (step) begin
      fill       = fill_q[11*engine +: 11];
      left       = beat_q.bytes - (9'(part_q) << 6);
      last_part  = left <= 9'd64;
      part_bytes = flush_q ? 7'd0 : last_part ? left[6:0] : 7'd64;
      ends       = {1'b0, fill[5:0]} + part_bytes;
      total      = fill + {4'b0, part_bytes};
      // The last part may end in the next word: that word takes a cycle of its own.
      spill       = !flush_q && last_part && beat_q.last && ends > 7'd64;
      beat_done   = flush_q || (last_part && !spill);
      packet_done = beat_done && beat_q.last;
    end
  end

  // ---------------------------------------------------------------- data
  // The bytes of `data` behind the low `from` bytes of `old`.
  function automatic logic [1023:0] append(input logic [511:0] old, input logic [511:0] data,
                                           input logic [6:0] bytes, input logic [5:0] from);
    append = {512'b0, data & ~({512{1'b1}} << {bytes, 3'b0})} << {from, 3'b0};
    if (from != '0) append[511:0] = append[511:0] | old;
  endfunction

  logic [511:0] carry [Engines];
  logic [31:0] crc [Engines];
  logic [BlockBits-1:0] first [Engines];
  logic [BlockBits-1:0] latest [Engines];
  logic [1023:0] words;
  logic [31:0] crc_now;
  logic starts;
  assign starts  = fill[10:6] == '0;  // no word of this packet written yet
  assign write_o = step && (ends[6] || packet_done);
  always_comb begin
    words   = '0;
    crc_now = '0;
    if (step) words = append(carry[engine], 512'(beat_q.data >> {part_q, 9'b0}), part_bytes, fill[5:0]);
    if (write_o) crc_now = crc_pkg::of_payload(words[511:0] ^ {starts ? 32'd0 : crc[engine], 480'd0});
  end
  assign word_o       = words[511:0];
  assign link_valid_o = write_o && !starts;
  assign link_o       = latest[engine];
  assign first_o      = starts ? block_i : first[engine];
  assign crc_o        = (total <= 11'(defs_pkg::InlineBytes)) ? '0 : crc_now;

  // The only beat of a management packet.
  size_pkg::msg_chunk_t mgmt_beat;
  always_comb begin
    mgmt_beat       = '0;
    mgmt_beat.dst   = {chip_id_i[9:4], mgmt_i.chip};
    mgmt_beat.addr  = 48'(defs_pkg::CsrRouteSource) | {41'd0, mgmt_i.write.index, 3'd0};
    mgmt_beat.bytes = 9'd8;
    mgmt_beat.last  = 1'b1;
    mgmt_beat.data  = (size_pkg::LineBytes * 8)'(mgmt_i.write.data);
  end
  always_ff @(posedge clk_i) begin
    if (mgmt_ready_o) begin
      beat_q <= mgmt_beat;
    end else if (msg_valid_i && msg_ready_o) begin
      beat_q <= msg_i;
    end
    if (step) begin
      if (fill == '0) open_q[engine] <= {beat_q.dst, beat_q.addr};
      carry[engine] <= 512'(words >> {ends[6], 9'b0});
    end
    if (write_o) begin
      crc[engine]    <= crc_now;
      latest[engine] <= block_i;
      if (starts) first[engine] <= block_i;
    end
  end

  // ---------------------------------------------------------------- the header
  logic [47:0] addr;
  logic [9:0] dst;
  logic [4:0] len, bodies;
  logic bad_dst, bad_len, bad_flow;
  always_comb begin
    {dst, addr}  = '0;
    bodies       = '0;
    len          = '0;
    bad_dst      = 1'b0;
    bad_len      = 1'b0;
    bad_flow     = 1'b0;
    header_o     = '0;
    if (packet_done) begin
      {dst, addr} = (fill == '0) ? {beat_q.dst, beat_q.addr} : open_q[engine];
      bodies = total[10:6] + {4'b0, total[5:0] != '0};
      len    = (total <= 11'(defs_pkg::InlineBytes)) ? 5'd1 : bodies + 5'd1;
      bad_dst = dst[9:4] != chip_id_i[9:4] || {1'b0, dst[3:0]} >= ring_size_i ||
                cut_off_i[dst[3:0]];
      bad_len  = (beat_q.vn == '0 && len > 5'd4) || (tenant_i[2] && (mgmt_q || beat_q.vn != tenant_i[1:0]));
      bad_flow = lost_i[{beat_q.vn, dst[3:0]}];

      header_o.op    = mgmt_q ? defs_pkg::PktOpMgmt
                     : beat_q.notify ? defs_pkg::PktOpWriteNotify : defs_pkg::PktOpWrite;
      header_o.dst   = dst;
      header_o.src   = chip_id_i;
      header_o.lport = {1'b0, address_pkg::core_of(addr)};
      header_o.vn    = beat_q.vn;
      header_o.pkey  = mgmt_q ? '0 : key_i;
      header_o.len   = len;
      header_o.bytes = total;
      header_o.tag   = beat_q.notify ? beat_q.sem[7:0] : '0;
      header_o.addr  = addr;
      header_o.group = {2'b0, core_i, beat_q.engine, beat_q.notify && beat_q.sem[8]};
    end
  end

  logic rejected;
  assign rejected = bad_dst || bad_len || bad_flow;
  assign done_o  = packet_done && !rejected;
  assign error_valid_o = rejected;
  assign error_cause_o = bad_dst ? defs_pkg::ErrorCauseBadDestination
                       : bad_len ? defs_pkg::ErrorCauseBadDescriptor
                       : banned_i[{beat_q.vn, dst[3:0]}] ? defs_pkg::ErrorCauseForbidden
                                 : defs_pkg::ErrorCauseUnreachable;

  // ---------------------------------------------------------------- registers
  logic [BlockBits-1:0] drop_first_q, drop_last_q;
  logic [4:0] drop_len_q;
  always_ff @(posedge clk_i) begin
    if (rejected) begin
      drop_first_q <= first_o;
      drop_last_q  <= block_i;
      drop_len_q   <= len;
    end
  end
  assign drop_o       = drop_q;
  assign drop_first_o = drop_first_q;
  assign drop_last_o  = drop_last_q;
  assign drop_len_o   = drop_len_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      beat_valid_q <= 1'b0;
      flush_q      <= 1'b0;
      drop_q       <= 1'b0;
      mgmt_q       <= 1'b0;
      part_q       <= '0;
      fill_q       <= '0;
    end else begin
      drop_q <= rejected;
      if (free) begin
        beat_valid_q <= msg_valid_i || mgmt_ready_o;
        mgmt_q       <= mgmt_ready_o;
      end
      if (step) begin
        flush_q <= spill;
        part_q  <= (beat_done || spill) ? '0 : part_q + PartBits'(1);
        fill_q[11*engine +: 11] <= packet_done ? '0 : total;
      end
    end
  end

  assign idle_o = !beat_valid_q && !drop_q && fill_q == '0;

  // ---------------------------------------------------------------- assertions
  // A packet is at most 1 KiB; beats are whole words and not empty; engines that do not exist
  // send nothing.
  always_ff @(posedge clk_i) begin
    if (rst_ni && step) begin
      PacketFits_A: assert (total <= 11'(defs_pkg::PacketBytes));
    end
    if (rst_ni && msg_valid_i) begin
      PieceIsWords_A: assert (msg_i.bytes[1:0] == '0 && msg_i.bytes != '0 &&
                              msg_i.bytes <= 9'(size_pkg::LineBytes));
      EngineExists_A: assert ({1'b0, msg_i.engine} < 5'(Engines));
    end
  end

endmodule
