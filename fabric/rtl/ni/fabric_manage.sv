// SPDX-License-Identifier: Apache-2.0
// Management packets: a host writes the fabric's registers of another chip.
//
//   host --send_i--> slot --tx_*--> fabric_fill of core 0: VN 0, 8 bytes, an ordinary flow
//   fabric_ni_rx 0, 1 --rx_*--> slot --write_o--> fabric_control, as if its host had written
//
// In flight it is a packet like others: numbered, checked end to end, acknowledged, repeated, given
// up. Only this module makes them, so no software can; a chip obeys those of the chips that its own host has named.
module fabric_manage (
  input  logic clk_i,   // may be gated while not busy_o and nothing comes
  input  logic rst_ni,

  // From the host. status_o: of chip packet_i.chip, {given up, something not acknowledged, slot full};
  // nothing is sent while it is full.
  input  logic send_i,
  input  defs_pkg::mgmt_packet_t packet_i,
  output logic [2:0] status_o,

  output logic tx_valid_o,
  input  logic tx_ready_i,
  output defs_pkg::mgmt_packet_t tx_o,
  input  logic tx_open_i,         // taken, not yet in its flow
  input  logic [15:0] tx_kept_i,  // chips from which an acknowledgement is due,
  input  logic [15:0] tx_lost_i,  // that were given up

  // Received by port 0, 1; a packet that is not legal is rejected there.
  input  logic [1:0] rx_valid_i,
  input  defs_pkg::fabric_write_t rx0_i,
  input  defs_pkg::fabric_write_t rx1_i,
  output logic [1:0] rx_ready_o,
  output logic rx_legal_o,
  input  logic rx_take_i,
  input  logic [15:0] now_i,      // fabric cycle

  // To fabric_control; the host goes first.
  input  logic host_write_i,
  output logic write_o,
  output defs_pkg::fabric_write_t write_what_o,
  output logic busy_o
);

  // ---------------------------------------------------------------- sending
  logic tx_valid_q, rx_valid_q;
  defs_pkg::mgmt_packet_t tx_q;
  defs_pkg::fabric_write_t rx_q, offered;
  always_ff @(posedge clk_i) begin
    if (send_i) tx_q <= packet_i;
    if (rx_take_i) rx_q <= offered;
  end
  assign tx_valid_o = tx_valid_q;
  assign tx_o       = tx_q;
  assign status_o   = {tx_lost_i[packet_i.chip], tx_valid_q || tx_open_i || tx_kept_i[packet_i.chip], tx_valid_q};

  // ---------------------------------------------------------------- receiving
  logic writable, spare;
  assign rx_ready_o = {!rx_valid_q && !rx_valid_i[0], !rx_valid_q};
  always_comb begin
    offered = '0;
    if (rx_valid_i != '0) offered = rx_valid_i[0] ? rx0_i : rx1_i;
  end
  fabric_legal u_legal (
    .index_i(offered.index), .wdata_i(offered.data), .now_i, .writable_o(writable),
    .spare_o(spare)
  );
  assign rx_legal_o    = writable && !spare;
  assign write_o       = rx_valid_q && !host_write_i;
  assign write_what_o  = rx_q;

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      tx_valid_q <= 1'b0;
      rx_valid_q <= 1'b0;
    end else begin
      tx_valid_q <= send_i || (tx_valid_q && !tx_ready_i);
      rx_valid_q <= rx_take_i || (rx_valid_q && !write_o);
    end
  end
  assign busy_o = tx_valid_q || rx_valid_q;

  // ---------------------------------------------------------------- assertions
  // Nothing is sent over what has not left.
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      SlotIsFree_A: assert (!(send_i && tx_valid_q) && !(rx_take_i && rx_valid_q));
    end
  end

endmodule
