// SPDX-License-Identifier: Apache-2.0
// The CRC of a payload and nothing else: what one costs in simulation (fabric_bench speed).
module crc_echo (
  input  logic [511:0] payload_i,
  output logic [31:0] crc_o
);
  assign crc_o = crc_pkg::of_payload(payload_i);
endmodule
