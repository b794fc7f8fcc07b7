// SPDX-License-Identifier: Apache-2.0
// One element of every partition: the type of every P-wide port. (One named type for both ends of a
// connection lets the simulator join them; two equal anonymous ones are copied in every cycle.)
package row_pkg;

  typedef logic [31:0] row32_t [size_pkg::Partitions];
  typedef logic [63:0] row64_t [size_pkg::Partitions];

endpackage
