// SPDX-License-Identifier: Apache-2.0
// Admits to the chip, by one link port, only packets whose partition key is in the port's table.
//
//   link_rx --flits--> [key of the head] --> router          header of a forbidden packet --> report
//              dropped flits count as freed --> credits
//
// Exact match of all 8 bits. A forbidden packet is dropped whole, its credits go back. Err, Ack and Mgmt
// carry no key: no software can send them.
module fabric_guard #(
  localparam int unsigned Vcs = defs_pkg::VirtualChannels,
  localparam int unsigned Entries = defs_pkg::KeyEntries
) (
  input  logic clk_i,
  input  logic rst_ni,

  input  logic [9*Entries-1:0] keys_i,  // {valid, key}, entry i in slice i

  // In slot mode (only_own_i) what is for this chip must carry the key of one of its cores already here,
  // so that a foreign packet takes no time of the receiver.
  input  logic only_own_i,
  input  logic [9:0] chip_id_i,
  input  logic [15:0] key_i,

  input  logic flit_valid_i,
  input  defs_pkg::flit_meta_t flit_i,
  input  logic [127:0] header_i,  // of a head flit
  output logic flit_valid_o,

  // Flits freed so far by the router, VC i in byte i; with those dropped here.
  input  logic [8*Vcs-1:0] freed_i,
  output logic [8*Vcs-1:0] freed_o,

  // Header of a forbidden packet.
  output logic violation_o,
  output logic [127:0] header_o
);

  defs_pkg::header_t header;
  logic unused_header;
  assign header = header_i;
  assign unused_header = ^header;

  // ---------------------------------------------------------------- decision
  logic [Vcs-1:0] dropping_q;  // the open packet of a VC is forbidden
  logic allowed, forbidden;
  always_comb begin
    allowed   = 1'b0;
    forbidden = 1'b0;
    if (flit_valid_i) begin
      if (flit_i.head) begin
        allowed = header.op == defs_pkg::PktOpErr || header.op == defs_pkg::PktOpAck ||
                  header.op == defs_pkg::PktOpMgmt;
        for (int unsigned i = 0; i < Entries; i++) begin
          if (keys_i[9*i +: 9] == {1'b1, header.pkey}) allowed = 1'b1;
        end
        if (only_own_i && header.dst == chip_id_i && header.op != defs_pkg::PktOpErr &&
            header.op != defs_pkg::PktOpAck && header.pkey != key_i[7:0] &&
            header.pkey != key_i[15:8]) allowed = 1'b0;
        forbidden = !allowed;
      end else begin
        forbidden = dropping_q[flit_i.vc];
      end
    end
  end
  assign flit_valid_o = flit_valid_i && !forbidden;
  assign violation_o  = forbidden && flit_i.head;
  always_comb begin
    header_o = '0;
    if (violation_o) header_o = header_i;
  end

  // ---------------------------------------------------------------- credits
  logic dropped_q;  // anything ever
  logic [8*Vcs-1:0] count_q;
  always_comb begin
    freed_o = freed_i;
    if (dropped_q) begin
      for (int unsigned v = 0; v < Vcs; v++) freed_o[8*v +: 8] = freed_i[8*v +: 8] + count_q[8*v +: 8];
    end
  end

  // ---------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      dropping_q <= '0;
      dropped_q  <= 1'b0;
      count_q    <= '0;
    end else if (forbidden) begin
      dropping_q[flit_i.vc] <= !flit_i.tail;
      dropped_q             <= 1'b1;
      count_q[8*flit_i.vc +: 8] <= count_q[8*flit_i.vc +: 8] + 8'd1;
    end
  end

endmodule
