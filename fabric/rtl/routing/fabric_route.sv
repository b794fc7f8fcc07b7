// SPDX-License-Identifier: Apache-2.0
// Next hop of a packet: a lookup in the bank of tables in use; on the ring if it was never loaded.
//
// A packet starts in the class that the source table names (Source = 1) or goes on in the class in
// which it came; route[class][dst] says the port and the class of the next link. An entry that
// leads nowhere, or whose parity is wrong, ends the route here: the receiver rejects the packet by
// name, it never circles.
module fabric_route #(
  parameter bit Source = 1'b0
) (
  input  logic valid_i,  // there is something to look up
  input  logic [3:0] chip_i,
  input  logic [4:0] ring_size_i,
  input  defs_pkg::route_bank_t bank_i,

  // The link port, or the core of this chip, that the packet comes from.
  input  logic [1:0] from_i,
  input  logic       class_i,
  input  logic [3:0] dst_i,

  // 0 .. 3: link port; 4 .. 7: receiver 0 or 1 (low bit), its side 0 or 1
  output logic [2:0] out_o,
  output logic       class_o,
  output logic       unreachable_o,  // says the source table
  output logic       upset_o         // an entry has changed by itself
);

  logic here, minus, ring_class;
  fabric_ring u_ring (
    .chip_i, .ring_size_i, .dst_i, .here_o(here), .minus_o(minus), .class_o(ring_class)
  );

  logic [1:0] source;
  logic [3:0] entry;  // {port 3, class}
  logic       start;
  logic       source_upset;

  // What came by port p leaves by output 4 + p: all packets of a source meet in one receiver, so they
  // stay in order whatever they write.
  always_comb begin
    out_o         = {1'b1, from_i};
    class_o       = class_i;
    unreachable_o = 1'b0;
    upset_o       = 1'b0;
    source        = '0;
    source_upset  = 1'b0;
    start         = 1'b0;
    entry         = '0;
    if (valid_i && !bank_i.loaded) begin
      if (!here) out_o = {2'b00, minus};
      if (Source) class_o = ring_class;
    end else if (valid_i) begin
      source        = bank_i.source[{dst_i, 1'b0} +: 2];
      source_upset  = Source && ^{source, bank_i.source_parity[dst_i]};
      start         = Source ? source[0] : class_i;
      entry         = bank_i.route[{start, dst_i, 2'b00} +: 4];
      upset_o       = source_upset || ^{entry, bank_i.route_parity[{start, dst_i}]};
      unreachable_o = Source && (!source[1] || upset_o);
      class_o       = entry[0];
      if (!entry[3] && !upset_o) out_o = entry[3:1];
    end
  end

endmodule
