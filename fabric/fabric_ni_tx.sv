// SPDX-License-Identifier: Apache-2.0
// Network interface, sending half, one per core: message pieces in, packets out.
//
//   msg --> chunk_q --64 B a cycle, shifted--> carry (per engine) --> store   2 packets per engine
//                                                                      |
//                     lane per direction: pick an engine, one packet --+--> hol_*, payload*_o
//
// Filling runs on the core clock, sending on the fabric clock. A packet is sent only when it is
// here as a whole, so a slow engine never holds a channel of the network; while one is sent the
// engine fills the other half of its store. Packets of an engine leave in order; those that go + and
// those that go - have a lane each, so a full direction does not idle the other.
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
  input  logic [3:0] now_i,  // unit of age: 256 fabric cycles
  input  defs_pkg::route_bank_t bank_i,
  input  logic reroute_i,    // the bank has changed: look up again what waits here
  input  logic stop_i,       // no new packet leaves

  input  logic msg_valid_i,
  output logic msg_ready_o,
  input  size_pkg::msg_chunk_t msg_i,

  // Next flit of the packet in each lane; its payload follows one fabric cycle after the pop. Lane
  // 0 goes to links 0 and 2 and local port 0, lane 1 to the others; lane i in slice i.
  // room_i: {port, VN, class} whose output VC could take a whole packet now; a preference.
  input  logic [31:0] room_i,
  output logic [1:0] hol_valid_o,
  output logic [3:0] hol_vn_o,
  output logic [1:0] hol_class_o,
  output logic [1:0] hol_head_o,
  output logic [1:0] hol_tail_o,
  output logic [5:0] hol_out_o,
  output logic [9:0] hol_len_o,
  output logic [7:0] hol_birth_o,
  input  logic [1:0] pop_i,
  output logic [511:0] payload0_o,
  output logic [511:0] payload1_o,

  output logic error_valid_o,
  output logic [7:0] error_cause_o,

  output logic sending_o,  // a packet is in a lane
  output logic upset_o,
  output logic idle_o
);

  // ---------------------------------------------------------------- filling: control
  logic chunk_valid_q, flush_q;
  logic [PieceBits-1:0] piece_q;
  size_pkg::msg_chunk_t chunk_q;
  logic [11*Engines-1:0] fill_q;       // bytes of the open packet, up to 1024
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
  assign fill        = fill_q[11*engine +: 11];
  assign left        = chunk_q.bytes - (9'(piece_q) << 6);
  assign last_piece  = left <= 9'd64;
  assign piece_bytes = flush_q ? 7'd0 : last_piece ? left[6:0] : 7'd64;
  assign ends        = {1'b0, fill[5:0]} + piece_bytes;
  assign total       = fill + {4'b0, piece_bytes};
  // The last piece may end in the next word: that word takes a cycle of its own.
  assign spill       = !flush_q && last_piece && chunk_q.last && ends > 7'd64;
  assign step        = chunk_valid_q && !full_q[fill_slot] && !again_q;
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

  assign bad_dst = dst[9:4] != chip_id_i[9:4] || {1'b0, dst[3:0]} >= ring_size_i || unreachable;
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
    header.hop   = {now_i, 4'd0};
    header.group = {2'b0, core_i, chunk_q.engine, chunk_q.notify && chunk_q.sem[8]};
  end

  // One lookup serves new packets and, behind a change of tables, the stored ones in turn.
  logic again_q, way_class, unreachable;
  logic [EngineBits:0] again_slot_q;
  logic [2:0] out;
  logic [3:0] again_dst;
  assign again_dst = header_q[again_slot_q][113:110];
  fabric_route #(.Source(1'b1)) u_route (
    .valid_i(packet_done || again_q), .chip_i(chip_id_i[3:0]), .ring_size_i, .bank_i,
    .from_i({1'b0, core_i}), .class_i(1'b0), .dst_i(again_q ? again_dst : dst[3:0]),
    .out_o(out), .class_o(way_class), .unreachable_o(unreachable), .upset_o(upset_o)
  );

  logic accept;
  assign accept = packet_done && !bad_dst && !bad_len;
  assign error_valid_o = packet_done && (bad_dst || bad_len);
  assign error_cause_o = bad_dst ? defs_pkg::ErrorCauseBadDestination
                                 : defs_pkg::ErrorCauseBadDescriptor;

  // What a lane needs to know of a complete packet: {class, out 3, vn 2, len 5}.
  logic [127:0] header_q [Slots];
  logic [11*Slots-1:0] about_q;
  always_ff @(posedge clk_i) begin
    if (accept) header_q[fill_slot] <= header;
  end

  // ---------------------------------------------------------------- sending
  // Next packet of every engine, and which lane it wants.
  logic [Slots-1:0] pending_q;       // complete and not yet in a lane
  logic [Engines-1:0] read_slot_q, odd, ready;
  logic [11*Engines-1:0] next_about;
  always_comb begin
    odd        = '0;
    ready      = '0;
    next_about = '0;
    if (pending_q != '0 && !again_q) begin
      for (int unsigned e = 0; e < Engines; e++) begin
        if (pending_q[{EngineBits'(e), read_slot_q[e]}]) begin
          ready[e] = 1'b1;
          next_about[11*e +: 11] = about_q[11*{EngineBits'(e), read_slot_q[e]} +: 11];
          odd[e] = next_about[11*e + 7];
        end
      end
    end
  end

  logic [1:0] pick;
  logic [2*EngineBits-1:0] winner;
  logic [21:0] lane_about;
  logic [9:0] lane_flit;
  for (genvar l = 0; l < 2; l++) begin : gen_lane
    fabric_lane u_lane (
      .clk_i, .rst_ni, .fabric_en_i,
      .ready_i((l == 0) ? ready & ~odd : ready & odd), .about_i(next_about), .room_i, .stop_i,
      .pick_o(pick[l]), .winner_o(winner[EngineBits*l +: EngineBits]),
      .valid_o(hol_valid_o[l]),
      .about_o(lane_about[11*l +: 11]), .flit_o(lane_flit[5*l +: 5]), .tail_o(hol_tail_o[l]),
      .pop_i(pop_i[l])
    );
    assign hol_class_o[l]      = lane_about[11*l + 10];
    assign hol_out_o[3*l +: 3] = lane_about[11*l + 7 +: 3];
    assign hol_vn_o[2*l +: 2]  = lane_about[11*l + 5 +: 2];
    assign hol_len_o[5*l +: 5] = lane_about[11*l +: 5];
    assign hol_head_o[l]       = lane_flit[5*l +: 5] == '0;
  end

  assign hol_birth_o = {header_q[slot1_q][7:4], header_q[slot0_q][7:4]};

  // Slot in the lane: an engine fills and sends its two alternately.
  logic [EngineBits:0] slot0_q, slot1_q;
  logic [511:0] payload0_q, payload1_q;
  logic [3:0] body0, body1;
  assign body0 = 4'(lane_flit[4:0] - 5'd1);
  assign body1 = 4'(lane_flit[9:5] - 5'd1);
  always_ff @(posedge clk_i) begin
    if (pop_i[0]) begin
      if (!hol_head_o[0]) payload0_q <= store[{slot0_q, body0}];
      else if (hol_tail_o[0]) payload0_q <= {store[{slot0_q, 4'd0}][335:0], 48'd0, header_q[slot0_q]};
      else payload0_q <= {384'd0, header_q[slot0_q]};
    end
    if (pop_i[1]) begin
      if (!hol_head_o[1]) payload1_q <= store[{slot1_q, body1}];
      else if (hol_tail_o[1]) payload1_q <= {store[{slot1_q, 4'd0}][335:0], 48'd0, header_q[slot1_q]};
      else payload1_q <= {384'd0, header_q[slot1_q]};
    end
  end
  assign payload0_o = payload0_q;
  assign payload1_o = payload1_q;

  logic [2*EngineBits+1:0] pick_slot;
  assign pick_slot = {winner[2*EngineBits-1:EngineBits], read_slot_q[winner[2*EngineBits-1:EngineBits]],
                      winner[EngineBits-1:0], read_slot_q[winner[EngineBits-1:0]]};
  logic [1:0] done;
  assign done = pop_i & hol_tail_o;

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
      about_q       <= '0;
      again_q       <= 1'b0;
      again_slot_q  <= '0;
      slot0_q       <= '0;
      slot1_q       <= '0;
    end else begin
      if (msg_ready_o) chunk_valid_q <= msg_valid_i;
      if (step) begin
        flush_q        <= spill;
        piece_q        <= (chunk_done || spill) ? '0 : piece_q + PieceBits'(1);
        fill_q[11*engine +: 11] <= packet_done ? '0 : total;
        if (accept) begin
          write_slot_q[engine] <= !write_slot_q[engine];
          full_q[fill_slot]    <= 1'b1;
          pending_q[fill_slot] <= 1'b1;
        end
      end
      if (accept) begin
        about_q[11*fill_slot +: 11] <= {way_class, out, chunk_q.vn, len};
      end
      if (again_q) begin
        about_q[11*again_slot_q + 7 +: 4] <= {way_class, out};
        again_slot_q <= again_slot_q + (EngineBits + 1)'(1);
      end
      again_q <= reroute_i || (again_q && again_slot_q != '1);
      if (done[0]) full_q[slot0_q] <= 1'b0;
      if (done[1]) full_q[slot1_q] <= 1'b0;
      // Never both for one engine: its next packet goes one way.
      if (pick[0]) begin
        slot0_q <= pick_slot[EngineBits:0];
        pending_q[pick_slot[EngineBits:0]] <= 1'b0;
        read_slot_q[pick_slot[EngineBits:1]] <= !pick_slot[0];
      end
      if (pick[1]) begin
        slot1_q <= pick_slot[2*EngineBits+1:EngineBits+1];
        pending_q[pick_slot[2*EngineBits+1:EngineBits+1]] <= 1'b0;
        read_slot_q[pick_slot[2*EngineBits+1:EngineBits+2]] <= !pick_slot[EngineBits+1];
      end
    end
  end

  assign sending_o = hol_valid_o != '0;
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
  `ASSERT(LaneIsFull_A, (!hol_valid_o[0] || full_q[slot0_q]) && (!hol_valid_o[1] || full_q[slot1_q]))

endmodule
