// SPDX-License-Identifier: Apache-2.0
// What the fabric has several of, as it goes between its modules. Like rtl/row_pkg.sv: always use these
// names for such ports and the wires between them, or Verilator copies the array at every level.
package fabric_pkg;

  localparam int unsigned Links = defs_pkg::LinkPorts;
  localparam int unsigned Lanes = 4;            // {core, lane}
  localparam int unsigned Inputs = 2 * Links + Lanes;  // crossbar inputs: {link, class}, 8 + lane
  localparam int unsigned Outputs = 2 * Links;  // links, receivers 0, 1, 0, 1

  typedef logic [511:0] link_payloads_t [Links];
  typedef logic [511:0] lane_payloads_t [Lanes];
  typedef logic [511:0] input_payloads_t [Inputs];
  typedef logic [511:0] output_payloads_t [Outputs];

  typedef defs_pkg::flit_t link_words_t [Links];
  typedef defs_pkg::link_status_t link_statuses_t [Links];
  typedef logic [255:0] lane_errors_t [Links];  // link_lane_counts

  typedef size_pkg::msg_chunk_t core_chunks_t [defs_pkg::Cores];
  typedef size_pkg::mem_req_t core_requests_t [defs_pkg::Cores];

endpackage
