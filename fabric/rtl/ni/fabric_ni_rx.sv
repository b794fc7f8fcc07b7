// SPDX-License-Identifier: Apache-2.0
// Network interface, receiving half, one per local port: packets in, memory writes out.
//
//   flit_* --> fabric_ni_store --whole packet--> fabric_ni_check --message--> fabric_ni_write --> req_*
//                                                      |                                    --> sem_*
//                                                      +--> ACK, ERR, MGMT, violations
//
// Receiving runs on the fabric clock, writing on the core clock. A packet is looked at only when
// it is here as a whole: then the message is committed, its payload is written, and a
// notify adds 1 to its semaphore once the last write is completed in memory.
//
// A packet whose end-to-end CRC is wrong is dropped: damaged, or cut short on a link that died; its
// source sends it again. fabric_accept says which of the others are new; acknowledgements
// go to the senders.
//
// A management packet (MGMT) goes to the fabric's registers instead of memory (fabric_manage).
//
// Rejected, counted and reported, without any effect: an operation other than WRITE, WRITE_NOTIFY
// and MGMT, another chip's packet, lengths that contradict each other. A write
// that hits no memory is reported too, and its packet's notify is withheld. A poisoned packet, cut off by a
// dead link, is dropped without a report: its source sends it again.
module fabric_ni_rx #(
  localparam int unsigned Vcs = defs_pkg::VirtualChannels
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic fabric_en_i,

  input  logic [9:0] chip_id_i,

  // What may be written to core 0 and 1, and signalled: core_access_t.
  input  logic [2*defs_pkg::CoreAccessBits-1:0] access_i,

  // A slot is taken when the router starts a packet; room_o: VCs with a free one. The router has two
  // outputs to a receiver, one per link: side i in slice i, never both in one VC.
  input  logic [1:0] take_i,
  input  logic [5:0] take_vc_i,
  output logic [Vcs-1:0] room_o,

  input  logic [1:0] flit_valid_i,
  input  logic [2*defs_pkg::FlitMetaBits-1:0] flit_i,  // flit_meta_t
  input  logic [511:0] flit_payload0_i,
  input  logic [511:0] flit_payload1_i,

  output logic req_valid_o,
  input  logic req_ready_i,
  output size_pkg::mem_req_t req_o,
  input  logic req_err_i,
  input  logic settled_i,

  output logic sem_valid_o,
  output defs_pkg::sem_update_t sem_o,

  // A packet with a number that could leave now: flow {source 4, core 1, VN 2}.
  output logic want_o,
  output logic [6:0] flow_o,
  output logic [15:0] seq_o,
  output logic [4:0] len_o,
  output logic drained_o,  // nothing to write, and every write completed
  input  logic go_i,
  input  logic good_i,

  // An acknowledgement, eight numbers {core, VN} from chip flow_o[6:3]; or a report, the header of a
  // packet that was forbidden.
  output logic ack_valid_o,
  output logic report_valid_o,
  input  logic control_ready_i,
  output logic [127:0] control_o,

  // A management packet that could leave now, with its data in control_o: to register mgmt_index_o. Chips
  // that may send one.
  input  logic [15:0] managers_i,
  output logic mgmt_valid_o,
  output logic [3:0] mgmt_index_o,
  input  logic mgmt_ready_i,
  input  logic mgmt_legal_i,
  output logic mgmt_take_o,

  // A packet that is forbidden here.
  output logic violation_o,
  output logic [127:0] header_o,

  // For the counters: a packet failed its end-to-end check; one is delivered.
  output logic damaged_o,
  output logic done_o,
  output defs_pkg::delivery_t delivery_o,

  output logic error_valid_o,
  output logic [7:0] error_cause_o,

  output logic idle_o
);

  logic packet_valid, packet_leaves, look, ready, deliver, drop, bad, bad_dst;
  defs_pkg::header_t packet;
  logic [15:0] packet_stamp, packet_seq;
  logic [31:0] packet_ecrc, packet_crc;
  logic [4:0] packet_flits, packet_slot;
  logic [319:0] first;
  logic read, free, store_idle, write_idle;
  logic [8:0] read_at;
  logic [511:0] word;
  logic [2:0] free_vc;

  fabric_ni_store u_store (
    .clk_i, .rst_ni, .fabric_en_i,
    .take_i, .take_vc_i, .room_o,
    .flit_valid_i, .flit_i, .flit_payload0_i, .flit_payload1_i,
    .packet_valid_o(packet_valid), .packet_o(packet), .packet_stamp_o(packet_stamp),
    .packet_seq_o(packet_seq), .packet_ecrc_o(packet_ecrc), .packet_crc_o(packet_crc),
    .packet_flits_o(packet_flits), .packet_slot_o(packet_slot), .packet_leaves_i(packet_leaves),
    .look_i(look), .first_o(first),
    .read_i(read), .read_at_i(read_at), .word_o(word), .free_i(free), .free_vc_i(free_vc),
    .message_i(packet_leaves && deliver), .idle_o(store_idle)
  );

  fabric_ni_check u_check (
    .clk_i, .rst_ni, .chip_id_i, .access_i, .managers_i,
    .packet_valid_i(packet_valid), .packet_i(packet), .packet_stamp_i(packet_stamp),
    .packet_seq_i(packet_seq), .packet_ecrc_i(packet_ecrc), .packet_crc_i(packet_crc),
    .packet_flits_i(packet_flits), .packet_vn_i(packet_slot[4:3]), .packet_leaves_o(packet_leaves),
    .look_o(look), .first_i(first),
    .ready_i(ready), .deliver_o(deliver), .drop_o(drop), .bad_o(bad), .bad_dst_o(bad_dst),
    .want_o, .flow_o, .seq_o, .len_o, .go_i, .good_i,
    .ack_valid_o, .report_valid_o, .control_ready_i, .control_o,
    .mgmt_valid_o, .mgmt_index_o, .mgmt_ready_i, .mgmt_legal_i, .mgmt_take_o,
    .violation_o, .header_o, .damaged_o, .done_o, .delivery_o
  );

  fabric_ni_write u_write (
    .clk_i, .rst_ni,
    .ready_o(ready), .packet_leaves_i(packet_leaves), .packet_i(packet), .packet_slot_i(packet_slot),
    .deliver_i(deliver), .drop_i(drop), .bad_i(bad), .bad_dst_i(bad_dst),
    .read_o(read), .read_at_o(read_at), .word_i(word), .free_o(free), .free_vc_o(free_vc),
    .req_valid_o, .req_ready_i, .req_o, .req_err_i, .settled_i, .sem_valid_o, .sem_o,
    .error_valid_o, .error_cause_o, .drained_o, .idle_o(write_idle)
  );
  assign idle_o = store_idle && write_idle;

endmodule
