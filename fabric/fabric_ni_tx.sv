// SPDX-License-Identifier: Apache-2.0
// Network interface, sending half, one per core: message pieces in, packets out.
//
//   msg --> chunk_q --64 B a cycle, shifted--> carry (per engine) --> store   2 packets per engine
//                                                                      |
//                            pick an engine --> lane (one packet) -----+--> hol_*, payload_o
//
// Filling runs on the core clock, sending on the fabric clock. A packet is sent only when it is
// here as a whole, so a slow engine never holds a channel of the network; while one is sent the
// engine fills the other half of its store. Packets of an engine leave in order.
//
// Refused, counted and reported, without any flit: a destination that is not on this board or not
// on the ring, and a packet of more than 4 flits on VN 0.
`include "assert.svh"

module fabric_ni_tx #(
  localparam int unsigned Engines = size_pkg::DmaEngines,
  localparam int unsigned EngineBits = $clog2(Engines),
  localparam int unsigned Slots = 2 * Engines,
  localparam int unsigned ChunkFlits = size_pkg::LineBytes / defs_pkg::FlitBytes,
  localparam int unsigned PieceBits = (ChunkFlits > 1) ? $clog2(ChunkFlits) : 1
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic fabric_en_i,

  input  logic core_i,
  input  logic [9:0] chip_id_i,
  input  logic [4:0] ring_size_i,

  input  logic msg_valid_i,
  output logic msg_ready_o,
  input  size_pkg::msg_chunk_t msg_i,

  // Next flit of the packet in the lane; its payload follows one fabric cycle after the pop.
  // room_i: {port, VN} whose output VC could take a whole packet now; a preference, not a promise.
  input  logic [7:0] room_i,
  output logic hol_valid_o,
  output logic [1:0] hol_vn_o,
  output logic hol_head_o,
  output logic hol_tail_o,
  output logic [1:0] hol_out_o,
  output logic [4:0] hol_len_o,
  input  logic pop_i,
  output logic [511:0] payload_o,

  output logic error_valid_o,
  output logic [7:0] error_cause_o,

  output logic idle_o
);

  // ---------------------------------------------------------------- filling: control
  logic chunk_valid_q, flush_q;
  logic [PieceBits-1:0] piece_q;
  size_pkg::msg_chunk_t chunk_q;
  logic [Engines-1:0][10:0] fill_q;  // bytes of the open packet, up to 1024
  logic [Engines-1:0] write_slot_q;  // which half is being filled
  logic [Slots-1:0] full_q;          // packets complete and not yet sent
  logic [57:0] open_q [Engines];     // {dst 10, addr 48} of the open packet

  logic [EngineBits-1:0] engine;
  logic [EngineBits:0] fill_slot;
  logic [10:0] fill, total;
  logic [8:0] left;
  logic [6:0] piece_bytes, ends;
  logic last_piece, spill, step, packet_done, chunk_done;

  assign engine      = chunk_q.engine[EngineBits-1:0];
  assign fill_slot   = {engine, write_slot_q[engine]};
  assign fill        = fill_q[engine];
  assign left        = chunk_q.bytes - (9'(piece_q) << 6);
  assign last_piece  = left <= 9'd64;
  assign piece_bytes = flush_q ? 7'd0 : last_piece ? left[6:0] : 7'd64;
  assign ends        = {1'b0, fill[5:0]} + piece_bytes;
  assign total       = fill + {4'b0, piece_bytes};
  // The last piece may end in the next word: that word takes a cycle of its own.
  assign spill       = !flush_q && last_piece && chunk_q.last && ends > 7'd64;
  assign step        = chunk_valid_q && !full_q[fill_slot];
  assign chunk_done  = step && (flush_q || (last_piece && !spill));
  assign packet_done = chunk_done && chunk_q.last;
  assign msg_ready_o = !chunk_valid_q || chunk_done;

  // ---------------------------------------------------------------- filling: data
  logic [511:0] store [Slots * defs_pkg::BodyFlits];
  logic [511:0] carry [Engines];

  // The bytes of `data` behind the low `at` bytes of `old`.
  function automatic logic [1023:0] append(input logic [511:0] old, input logic [511:0] data,
                                           input logic [6:0] bytes, input logic [5:0] at);
    append = {512'b0, data & ~({512{1'b1}} << {bytes, 3'b0})} << {at, 3'b0};
    if (at != '0) append[511:0] = append[511:0] | old;
  endfunction

  always_ff @(posedge clk_i) begin
    if (msg_valid_i && msg_ready_o) chunk_q <= msg_i;
    if (step) begin
      if (fill == '0) open_q[engine] <= {chunk_q.dst, chunk_q.addr};
      store[{fill_slot, fill[9:6]}] <=
        512'(append(carry[engine], 512'(chunk_q.data >> {piece_q, 9'b0}), piece_bytes, fill[5:0]));
      carry[engine] <=
        512'(append(carry[engine], 512'(chunk_q.data >> {piece_q, 9'b0}), piece_bytes, fill[5:0])
             >> {ends[6], 9'b0});
    end
  end

  // ---------------------------------------------------------------- the header
  logic [47:0] addr;
  logic [9:0] dst;
  logic [4:0] len, bodies;
  logic core1_window, hbm1_window, lport, bad_dst, bad_len;
  assign {dst, addr} = (fill == '0) ? {chunk_q.dst, chunk_q.addr} : open_q[engine];
  assign bodies = total[10:6] + {4'b0, total[5:0] != '0};
  assign len    = (total <= 11'(defs_pkg::InlineBytes)) ? 5'd1 : bodies + 5'd1;

  // The local port at the destination is the core that owns the address.
  assign core1_window = addr - defs_pkg::AddrCore1Base < defs_pkg::AddrCore1Size;
  assign hbm1_window  = addr - defs_pkg::AddrHbm1Base < defs_pkg::AddrHbm1Size;
  assign lport        = core1_window || hbm1_window;

  assign bad_dst = dst[9:4] != chip_id_i[9:4] || {1'b0, dst[3:0]} >= ring_size_i;
  assign bad_len = chunk_q.vn == '0 && len > 5'd4;

  defs_pkg::header_t header;
  always_comb begin
    header       = '0;
    header.op    = (chunk_q.notify) ? defs_pkg::PktOpWriteNotify : defs_pkg::PktOpWrite;
    header.dst   = dst;
    header.src   = chip_id_i;
    header.lport = {1'b0, lport};
    header.vn    = chunk_q.vn;
    header.len   = len;
    header.bytes = total;
    header.tag   = chunk_q.notify ? chunk_q.sem[7:0] : '0;
    header.addr  = addr;
    header.group = {2'b0, core_i, chunk_q.engine, chunk_q.notify && chunk_q.sem[8]};
  end

  logic [1:0] out;
  logic unused_class;
  fabric_route u_route (
    .chip_i(chip_id_i[3:0]), .ring_size_i(ring_size_i),
    .from_i(2'd2), .class_i(1'b0),
    .dst_i(dst[3:0]), .lport_i(lport),
    .out_o(out), .class_o(unused_class)
  );

  logic accept;
  assign accept = packet_done && !bad_dst && !bad_len;
  assign error_valid_o = packet_done && (bad_dst || bad_len);
  assign error_cause_o = bad_dst ? defs_pkg::ErrorCauseBadDestination
                                 : defs_pkg::ErrorCauseBadDescriptor;

  // What the lane needs to know of a complete packet: {out 2, vn 2, len 5}.
  logic [127:0] header_q [Slots];
  logic [8:0]   about_q [Slots];
  always_ff @(posedge clk_i) begin
    if (accept) begin
      header_q[fill_slot] <= header;
      about_q[fill_slot]  <= {out, chunk_q.vn, len};
    end
  end

  // ---------------------------------------------------------------- sending: pick
  // Strict round robin on every other pick, so nobody starves; in between only engines whose way
  // is free, so one full direction does not idle the other.
  logic [Slots-1:0] pending_q;       // complete and not yet in the lane
  logic [Engines-1:0] read_slot_q;
  logic [Engines-1:0] ready, free, ahead, chosen;
  logic [EngineBits-1:0] strict_q, relaxed_q, first, winner;
  logic strict_turn_q, lane_free, pick, picks_free;
  logic [3:0] about;  // {out 2, vn 2}

  always_comb begin
    ready      = '0;
    free       = '0;
    about      = '0;
    winner     = '0;
    ahead      = '0;
    chosen     = '0;
    first      = '0;
    picks_free = 1'b0;
    if (pick) begin
      for (int unsigned e = 0; e < Engines; e++) begin
        if (pending_q[{EngineBits'(e), read_slot_q[e]}]) begin
          about    = about_q[{EngineBits'(e), read_slot_q[e]}][8:5];
          ready[e] = 1'b1;
          free[e]  = room_i[about[2:0]] || about[3];
        end
      end
      picks_free = !strict_turn_q && free != '0;
      first  = picks_free ? relaxed_q : strict_q;
      chosen = picks_free ? free : ready;
      ahead  = chosen & ({Engines{1'b1}} << first);
      if (ahead != '0) chosen = ahead;
      chosen = chosen & (~chosen + Engines'(1));
      for (int unsigned e = 0; e < Engines; e++) begin
        if (chosen[e]) winner = winner | EngineBits'(e);
      end
    end
  end

  // ---------------------------------------------------------------- sending: lane
  logic lane_valid_q;
  logic [EngineBits:0] lane_slot_q;
  logic [8:0] lane_about_q;
  logic [4:0] lane_flit_q;  // 0: head
  logic lane_done;

  assign hol_valid_o = lane_valid_q;
  assign hol_out_o   = lane_about_q[8:7];
  assign hol_vn_o    = lane_about_q[6:5];
  assign hol_len_o   = lane_about_q[4:0];
  assign hol_head_o  = lane_flit_q == '0;
  assign hol_tail_o  = lane_flit_q + 5'd1 == lane_about_q[4:0];
  assign lane_done   = pop_i && hol_tail_o;
  assign lane_free   = !lane_valid_q || lane_done;
  assign pick        = fabric_en_i && lane_free && pending_q != '0;

  logic [511:0] payload_q;
  logic [3:0] body;
  assign body = 4'(lane_flit_q - 5'd1);
  always_ff @(posedge clk_i) begin
    if (pop_i) begin
      if (!hol_head_o) payload_q <= store[{lane_slot_q, body}];
      else if (hol_tail_o) payload_q <= {store[{lane_slot_q, 4'd0}][335:0], 48'd0,
                                         header_q[lane_slot_q]};
      else payload_q <= {384'd0, header_q[lane_slot_q]};
    end
  end
  assign payload_o = payload_q;

  // ---------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      chunk_valid_q <= 1'b0;
      flush_q       <= 1'b0;
      piece_q       <= '0;
      fill_q        <= '0;
      write_slot_q  <= '0;
      full_q        <= '0;
      pending_q     <= '0;
      read_slot_q   <= '0;
      strict_q      <= '0;
      relaxed_q     <= '0;
      strict_turn_q <= 1'b0;
      lane_valid_q  <= 1'b0;
      lane_slot_q   <= '0;
      lane_about_q  <= '0;
      lane_flit_q   <= '0;
    end else begin
      if (msg_ready_o) chunk_valid_q <= msg_valid_i;
      if (step) begin
        flush_q        <= spill;
        piece_q        <= (chunk_done || spill) ? '0 : piece_q + PieceBits'(1);
        fill_q[engine] <= packet_done ? '0 : total;
        if (accept) begin
          write_slot_q[engine] <= !write_slot_q[engine];
          full_q[fill_slot]    <= 1'b1;
          pending_q[fill_slot] <= 1'b1;
        end
      end
      if (pop_i) lane_flit_q <= hol_tail_o ? '0 : lane_flit_q + 5'd1;
      if (lane_done) begin
        full_q[lane_slot_q] <= 1'b0;
        lane_valid_q        <= 1'b0;
      end
      if (pick) begin
        pending_q[{winner, read_slot_q[winner]}] <= 1'b0;
        read_slot_q[winner] <= !read_slot_q[winner];
        strict_turn_q       <= !strict_turn_q;
        if (picks_free) relaxed_q <= winner + EngineBits'(1);
        else strict_q <= winner + EngineBits'(1);
        lane_valid_q <= 1'b1;
        lane_slot_q  <= {winner, read_slot_q[winner]};
        lane_about_q <= about_q[{winner, read_slot_q[winner]}];
      end
    end
  end

  assign idle_o = !chunk_valid_q && full_q == '0 && fill_q == '0;

  // ---------------------------------------------------------------- assertions
  // A packet is at most 1 KiB.
  `ASSERT(PacketFits_A, step |-> total <= 11'(defs_pkg::PacketBytes))
  // Pieces are whole words and not empty.
  `ASSERT(PieceIsWords_A,
    msg_valid_i |-> msg_i.bytes[1:0] == '0 && msg_i.bytes != '0 &&
                    msg_i.bytes <= 9'(size_pkg::LineBytes))
  // Engines that do not exist send nothing.
  `ASSERT(EngineExists_A, msg_valid_i |-> {1'b0, msg_i.engine} < 5'(Engines))
  // A packet is sent only from a full slot.
  `ASSERT(LaneIsFull_A, lane_valid_q |-> full_q[lane_slot_q])
  // One engine is chosen.
  `ASSERT(PickIsOneHot_A, pick |-> $onehot(chosen))

endmodule
