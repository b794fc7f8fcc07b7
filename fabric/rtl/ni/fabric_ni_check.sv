// SPDX-License-Identifier: Apache-2.0
// What becomes of a packet that is here as a whole.
//
//   damaged: end-to-end CRC ---------------------------------> dropped, its source sends it again
//   another chip's -------------------------------------------> rejected and reported
//   ACK, ERR --> control_o
//   forbidden: partition key, address window, manager --------> violation_o
//   known already (good_i = 0) -------------------------------> dropped
//   malformed ------------------------------------------------> rejected and reported
//   MGMT --> control_o, to the fabric's registers
//   WRITE, WRITE_NOTIFY --> deliver_o, to memory
//
// The first that applies, from the top. Only the last five count as seen by fabric_accept.
module fabric_ni_check #(
  localparam int unsigned AccessBits = defs_pkg::CoreAccessBits
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic [9:0] chip_id_i,
  input  logic [2*AccessBits-1:0] access_i,
  input  logic [15:0] managers_i,

  // fabric_ni_store
  input  logic packet_valid_i,
  input  defs_pkg::header_t packet_i,
  input  logic [15:0] packet_stamp_i,
  input  logic [15:0] packet_seq_i,
  input  logic [31:0] packet_ecrc_i,
  input  logic [31:0] packet_crc_i,
  input  logic [4:0] packet_flits_i,
  input  logic [1:0] packet_vn_i,   // of the VC it came on
  output logic packet_leaves_o,
  output logic look_o,
  input  logic [319:0] first_i,

  // fabric_ni_write: takes a packet that leaves; what it is to do with it.
  input  logic ready_i,
  output logic deliver_o,
  output logic drop_o,
  output logic bad_o,
  output logic bad_dst_o,

  // See fabric_ni_rx.
  output logic want_o,
  output logic [6:0] flow_o,
  output logic [15:0] seq_o,
  output logic [4:0] len_o,
  input  logic go_i,
  input  logic good_i,
  output logic ack_valid_o,
  output logic report_valid_o,
  input  logic control_ready_i,
  output logic [127:0] control_o,
  output logic mgmt_valid_o,
  output logic [3:0] mgmt_index_o,
  input  logic mgmt_ready_i,
  input  logic mgmt_legal_i,
  output logic mgmt_take_o,
  output logic violation_o,
  output logic [127:0] header_o,
  output logic damaged_o,  // a whole packet is dropped because its end-to-end check failed
  output logic done_o,
  output defs_pkg::delivery_t delivery_o
);

  // ---------------------------------------------------------------- intact
  // The check over words, number and header, once per packet.
  logic checked_q, intact_q, intact, check, is_ack, is_err, is_notify, is_mgmt;
  assign is_ack    = packet_i.op == defs_pkg::PktOpAck;
  assign is_err    = packet_i.op == defs_pkg::PktOpErr;
  assign is_notify = packet_i.op == defs_pkg::PktOpWriteNotify;
  assign is_mgmt   = packet_i.op == defs_pkg::PktOpMgmt;
  assign check  = packet_valid_i && !checked_q;
  assign look_o = check || (packet_valid_i && (is_ack || is_err || is_mgmt));
  always_comb begin
    intact = intact_q;
    if (check) begin
      intact = packet_flits_i != '0 && packet_ecrc_i == crc_pkg::of_payload(
        {16'd0, (packet_flits_i == 5'd1) ? first_i : 320'd0, packet_seq_i,
         32'd0, packet_i[127:8], 8'd0} ^ {packet_crc_i, 480'd0});
    end
  end
  always_ff @(posedge clk_i) intact_q <= intact;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) checked_q <= 1'b0;
    else checked_q <= packet_valid_i && !packet_leaves_o;
  end

  // ---------------------------------------------------------------- well-formed
  logic [4:0] need_bodies, need_flits;
  logic bad_form, bad_op;
  assign need_bodies = packet_i.bytes[10:6] + {4'b0, packet_i.bytes[5:0] != '0};
  assign need_flits  = (packet_i.bytes <= 11'(defs_pkg::InlineBytes)) ? 5'd1 : need_bodies + 5'd1;
  always_comb begin
    bad_op = packet_i.op != defs_pkg::PktOpWrite && !is_notify;
    if (is_mgmt) begin
      bad_op = packet_i.vn != '0 || packet_i.bytes != 11'd8 || !mgmt_legal_i ||
               (packet_i.addr & ~48'h78) != 48'(defs_pkg::CsrRouteSource);
    end
  end
  assign bad_dst_o   = packet_i.dst != chip_id_i || packet_i.lport[1];
  assign bad_form    = bad_op || packet_i.ver != '0 || packet_i.bytes == '0 || packet_i.bytes[1:0] != '0 ||
                       packet_i.addr[1:0] != '0 || packet_i.bytes > 11'(defs_pkg::PacketBytes) ||
                       packet_i.len != need_flits || packet_flits_i != need_flits ||
                       packet_i.vn != packet_vn_i ||
                       (packet_i.vn == '0 && need_flits > 5'd4);

  // ---------------------------------------------------------------- allowed
  logic can_leave, forbidden;
  defs_pkg::core_access_t access, notified;  // of whom it writes to, and whom it notifies
  logic unused_notified;
  assign unused_notified = ^notified;
  assign can_leave = packet_valid_i && intact && !bad_dst_o && ready_i;
  always_comb begin
    access     = '0;
    notified   = '0;
    forbidden  = 1'b0;
    if (packet_valid_i && is_mgmt) begin
      forbidden  = !managers_i[packet_i.src[3:0]];
    end else if (packet_valid_i && !is_ack && !is_err) begin
      access     = access_i[AccessBits*packet_i.lport[0] +: AccessBits];
      notified   = access_i[AccessBits*packet_i.group[0] +: AccessBits];
      forbidden  = packet_i.pkey != access.key ||
                   !guard_pkg::in_window(access.base, access.limit, packet_i.addr, 48'(packet_i.bytes)) ||
                   (is_notify && packet_i.pkey != notified.key);
    end
  end

  // ---------------------------------------------------------------- where it goes
  assign want_o       = can_leave && !is_ack && !is_err && !forbidden && (!is_mgmt || mgmt_ready_i);
  assign flow_o       = {packet_i.src[3:0], packet_i.group[5], packet_i.vn};
  assign seq_o        = packet_seq_i;
  assign len_o        = packet_flits_i;
  assign mgmt_valid_o = can_leave && is_mgmt && !forbidden;
  assign mgmt_index_o = packet_i.addr[6:3];
  assign mgmt_take_o  = want_o && good_i && is_mgmt && !bad_form;
  assign violation_o  = can_leave && forbidden;
  assign deliver_o    = want_o && good_i && !bad_form && !is_mgmt;
  assign ack_valid_o    = can_leave && is_ack;
  assign report_valid_o = can_leave && is_err;
  assign damaged_o      = packet_leaves_o && !intact && packet_flits_i != '0;
  assign done_o         = packet_leaves_o && deliver_o;
  always_comb begin
    header_o     = '0;
    control_o    = '0;
    delivery_o   = '0;
    if (violation_o) header_o = packet_i;
    if (ack_valid_o || report_valid_o || mgmt_valid_o) control_o = first_i[127:0];
    if (done_o) begin
      delivery_o.core  = packet_i.lport[0];
      delivery_o.bytes = packet_i.bytes;
      delivery_o.vn    = packet_i.vn;
      delivery_o.stamp = packet_stamp_i;
    end
  end
  assign packet_leaves_o = packet_valid_i && ready_i && (!want_o || go_i) && (!mgmt_valid_o || mgmt_ready_i) &&
                           (!(ack_valid_o || report_valid_o) || control_ready_i);
  assign bad_o  = intact && (bad_dst_o || (want_o && good_i && bad_form));
  assign drop_o = !intact || (!bad_dst_o && !(want_o && good_i)) || mgmt_take_o;

endmodule
