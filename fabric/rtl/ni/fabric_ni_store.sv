// SPDX-License-Identifier: Apache-2.0
// Packets of a local port as they come in: four per VC; one that is whole is offered.
//
//   flit_* --> store, header, CRC of the words --whole--> pick, VCs in turn --> packet_*
//                 ^                                                                 |
//                 +--- read_i: words of any slot           slot is free again <-- free_i
//
// A slot is taken when the router starts a packet and free when its last word has been read.
`include "assert.svh"

module fabric_ni_store #(
  localparam int unsigned Vcs = defs_pkg::VirtualChannels,
  localparam int unsigned MetaBits = defs_pkg::FlitMetaBits
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic fabric_en_i,

  // Room and flits, see fabric_ni_rx.
  input  logic [1:0] take_i,
  input  logic [5:0] take_vc_i,
  output logic [Vcs-1:0] room_o,
  input  logic [1:0] flit_valid_i,
  input  logic [2*MetaBits-1:0] flit_i,
  input  logic [511:0] flit_payload0_i,
  input  logic [511:0] flit_payload1_i,

  // A whole packet, until packet_leaves_i.
  output logic packet_valid_o,
  output defs_pkg::header_t packet_o,
  output logic [15:0] packet_stamp_o,
  output logic [15:0] packet_seq_o,
  output logic [31:0] packet_ecrc_o,  // as sent
  output logic [31:0] packet_crc_o,   // of the words that came
  output logic [4:0] packet_flits_o,  // that came, 0: poisoned
  output logic [4:0] packet_slot_o,   // {VC, n}
  input  logic packet_leaves_i,
  // Its first word, 0 unless look_i; a head flit's own is no longer.
  input  logic look_i,
  output logic [319:0] first_o,

  // Any word, 0 unless read_i: {slot, word}.
  input  logic read_i,
  input  logic [8:0] read_at_i,
  output logic [511:0] word_o,
  input  logic free_i,
  input  logic [2:0] free_vc_i,

  // For the commit tracer: the packet that leaves is a message.
  input  logic message_i,

  output logic idle_o
);

  // ---------------------------------------------------------------- receiving
  // Slot {vc, n}: header, 16 words of payload, and how many flits really came.
  logic [511:0] store [Vcs * 4 * defs_pkg::BodyFlits];
  logic [191:0] header_q [Vcs * 4];    // {stamp, seq, ecrc, header}
  logic [36:0]  arrived_q [Vcs * 4];   // {CRC of the words, flits; 0: poisoned}
  logic [31:0]  crc [Vcs];             // of the words of the open packet
  logic [3*Vcs-1:0] used_q;           // slots taken
  logic [3*Vcs-1:0] whole_q;          // packets complete and not yet picked
  logic [2*Vcs-1:0] write_slot_q, read_slot_q;
  logic [5*Vcs-1:0] flits_q;          // flits of the open packet, saturating

  // A flit per core cycle: that of side 0 in the cycle with fabric_en_i, that of side 1 in the other,
  // which comes first. So a packet of side 1 counts as whole a cycle after its last flit.
  logic receive, head, tail;
  defs_pkg::flit_meta_t flit;
  logic [2:0] vc;
  logic [4:0] into_slot;
  logic [4:0] open_flits, flits;
  logic [3:0] body;
  assign receive   = fabric_en_i ? flit_valid_i[0] : flit_valid_i[1];
  assign flit      = fabric_en_i ? flit_i[0 +: MetaBits] : flit_i[MetaBits +: MetaBits];
  assign head      = flit.head;
  assign tail      = receive && flit.tail;
  assign vc        = flit.vc;
  assign into_slot = {vc, write_slot_q[2*vc +: 2]};
  assign open_flits = flits_q[5*vc +: 5];
  assign flits     = head ? 5'd1 : (open_flits == '1) ? '1 : open_flits + 5'd1;
  assign body      = open_flits[3:0] - 4'd1;
  defs_pkg::head_payload_t head0, head1;
  assign head0 = flit_payload0_i;
  assign head1 = flit_payload1_i;
  logic [31:0] crc_now;
  always_comb begin
    crc_now = '0;
    if (receive && !head) begin
      if (fabric_en_i) crc_now = crc_pkg::of_payload(flit_payload0_i ^ {crc[vc], 480'd0});
      else             crc_now = crc_pkg::of_payload(flit_payload1_i ^ {crc[vc], 480'd0});
    end
  end

  always_ff @(posedge clk_i) begin
    if (receive && fabric_en_i) begin
      if (head) begin
        header_q[into_slot] <= {head0.stamp, head0.seq, head0.ecrc, head0.header};
        store[{into_slot, 4'd0}] <= {192'd0, head0.inline_data};
      end else begin
        store[{into_slot, body}] <= flit_payload0_i;
      end
    end else if (receive) begin
      if (head) begin
        header_q[into_slot] <= {head1.stamp, head1.seq, head1.ecrc, head1.header};
        store[{into_slot, 4'd0}] <= {192'd0, head1.inline_data};
      end else begin
        store[{into_slot, body}] <= flit_payload1_i;
      end
    end
    if (receive) crc[vc] <= crc_now;
    if (tail) arrived_q[into_slot] <= {crc_now, flit.poison ? 5'd0 : flits};
  end

  for (genvar v = 0; v < Vcs; v++) begin : gen_room
    assign room_o[v] = used_q[3*v +: 3] != 3'd4;
  end

  // ---------------------------------------------------------------- pick: one whole packet
  logic packet_valid_q, pick;
  logic [4:0] packet_slot_q, packet_flits_q;
  logic [31:0] packet_ecrc_q, packet_crc_q;
  logic [15:0] packet_seq_q, packet_stamp_q;
  defs_pkg::header_t packet_q;
  logic [Vcs-1:0] whole, ahead, chosen;
  logic [2:0] first_q, pick_vc;
  logic [4:0] pick_slot;

  always_comb begin
    whole   = '0;
    ahead   = '0;
    chosen  = '0;
    pick_vc = '0;
    if (pick) begin
      for (int unsigned v = 0; v < Vcs; v++) whole[v] = whole_q[3*v +: 3] != '0;
      ahead  = whole & ({Vcs{1'b1}} << first_q);
      chosen = (ahead != '0) ? ahead : whole;
      chosen = chosen & (~chosen + Vcs'(1));
      for (int unsigned v = 0; v < Vcs; v++) begin
        if (chosen[v]) pick_vc = pick_vc | 3'(v);
      end
    end
  end
  assign pick      = whole_q != '0 && (!packet_valid_q || packet_leaves_i);
  assign pick_slot = {pick_vc, read_slot_q[2*pick_vc +: 2]};

  always_ff @(posedge clk_i) begin
    if (pick) begin
      {packet_stamp_q, packet_seq_q, packet_ecrc_q, packet_q} <= header_q[pick_slot];
      {packet_crc_q, packet_flits_q} <= arrived_q[pick_slot];
      packet_slot_q <= pick_slot;
    end
  end
  assign packet_valid_o = packet_valid_q;
  assign packet_o       = packet_q;
  assign packet_stamp_o = packet_stamp_q;
  assign packet_seq_o   = packet_seq_q;
  assign packet_ecrc_o  = packet_ecrc_q;
  assign packet_crc_o   = packet_crc_q;
  assign packet_flits_o = packet_flits_q;
  assign packet_slot_o  = packet_slot_q;

  // ---------------------------------------------------------------- read
  always_comb begin
    first_o = '0;
    word_o  = '0;
    if (look_i) first_o = store[{packet_slot_q, 4'd0}][319:0];
    if (read_i) word_o = store[read_at_i];
  end

  // The payload of a message, valid with trace_message_valid_q of fabric_ni_write.
  logic [8191:0] trace_message_payload_q;
  always_ff @(posedge clk_i) begin
    if (message_i) begin
      trace_message_payload_q <= {
        store[{packet_slot_q, 4'd15}], store[{packet_slot_q, 4'd14}],
        store[{packet_slot_q, 4'd13}], store[{packet_slot_q, 4'd12}],
        store[{packet_slot_q, 4'd11}], store[{packet_slot_q, 4'd10}],
        store[{packet_slot_q, 4'd9}], store[{packet_slot_q, 4'd8}],
        store[{packet_slot_q, 4'd7}], store[{packet_slot_q, 4'd6}],
        store[{packet_slot_q, 4'd5}], store[{packet_slot_q, 4'd4}],
        store[{packet_slot_q, 4'd3}], store[{packet_slot_q, 4'd2}],
        store[{packet_slot_q, 4'd1}], store[{packet_slot_q, 4'd0}]};
    end
  end

  // ---------------------------------------------------------------- registers
  // Per VC: slots taken, packets whole, in this core cycle.
  logic late_q;
  logic [2:0] late_vc_q;
  logic [Vcs-1:0] takes, wholes;
  always_comb begin
    takes  = '0;
    wholes = '0;
    if (take_i != '0 || tail || late_q) begin
      if (take_i[0]) takes[take_vc_i[2:0]] = 1'b1;
      if (take_i[1]) takes[take_vc_i[5:3]] = 1'b1;
      if (tail && fabric_en_i) wholes[vc] = 1'b1;
      if (late_q) wholes[late_vc_q] = 1'b1;
    end
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      used_q         <= '0;
      whole_q        <= '0;
      write_slot_q   <= '0;
      late_q         <= 1'b0;
      late_vc_q      <= '0;
      read_slot_q    <= '0;
      flits_q        <= '0;
      first_q        <= '0;
      packet_valid_q <= 1'b0;
    end else begin
      late_q    <= tail && !fabric_en_i;
      late_vc_q <= vc;
      if (takes != '0) begin
        for (int unsigned v = 0; v < Vcs; v++) begin
          if (takes[v] && !(free_i && free_vc_i == 3'(v))) used_q[3*v +: 3] <= used_q[3*v +: 3] + 3'd1;
        end
      end
      if (free_i && !takes[free_vc_i]) used_q[3*free_vc_i +: 3] <= used_q[3*free_vc_i +: 3] - 3'd1;
      if (wholes != '0) begin
        for (int unsigned v = 0; v < Vcs; v++) begin
          if (wholes[v] && !(pick && pick_vc == 3'(v))) whole_q[3*v +: 3] <= whole_q[3*v +: 3] + 3'd1;
        end
      end
      if (pick && !wholes[pick_vc]) whole_q[3*pick_vc +: 3] <= whole_q[3*pick_vc +: 3] - 3'd1;
      if (receive) flits_q[5*vc +: 5] <= flits;
      if (tail) write_slot_q[2*vc +: 2] <= write_slot_q[2*vc +: 2] + 2'd1;
      if (pick) begin
        read_slot_q[2*pick_vc +: 2] <= read_slot_q[2*pick_vc +: 2] + 2'd1;
        first_q              <= pick_vc + 3'd1;
      end
      packet_valid_q <= pick || (packet_valid_q && !packet_leaves_i);
    end
  end
  assign idle_o = used_q == '0;

  // ---------------------------------------------------------------- assertions
  // The router starts a packet only with a free slot.
  `ASSERT_NOW(TakeHasRoom_A, (!take_i[0] || room_o[take_vc_i[2:0]]) &&
          (!take_i[1] || room_o[take_vc_i[5:3]]) &&
          (take_i != 2'b11 || take_vc_i[2:0] != take_vc_i[5:3]))
  // Flits of a packet are contiguous in their VC, and a packet has a slot.
  logic [Vcs-1:0] open_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) open_q <= '0;
    else if (receive) open_q[vc] <= !tail;
  end
  `ASSERT_NOW(PacketContiguity_A, receive -> open_q[vc] != head)
  `ASSERT_NOW(PacketHasSlot_A, receive -> used_q[3*vc +: 3] != '0)

endmodule
