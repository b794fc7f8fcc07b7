// SPDX-License-Identifier: Apache-2.0
// Counters of a node, and a copy of all of them at one fabric cycle, the same in every chip.
//
//   events of port p --> gen_port[p] --+
//   delivered packets --> latencies,   +--at fabric cycle FabricSnapshot--> copies --> rdata_o
//                         bytes -------+
//
// All chips count fabric cycles from the same reset, so copies made at the same cycle belong together.
// Nothing here has a clock while nothing happens: ports count on the router's, deliveries on that of the
// network interfaces, and clk_i is needed for a write and for the copy only.
module fabric_counters #(
  localparam int unsigned Links = fabric_pkg::Links,
  localparam int unsigned Vns = defs_pkg::VirtualNets,
  localparam int unsigned Vcs = defs_pkg::VirtualChannels,
  localparam int unsigned Bins = 16 * Vns
) (
  input  logic clk_i,        // runs at least in cycles with write_i or copy_o
  input  logic router_clk_i,
  input  logic ni_clk_i,
  input  logic rst_ni,
  input  logic fabric_en_i,
  input  logic [31:0] now_i,  // fabric cycles since reset

  // Ports: see fabric_port_counts; number p in slice p.
  input  logic [Links-1:0] sent_i,
  input  defs_pkg::flit_meta_t [Links-1:0] sent_flit_i,
  input  logic [Links-1:0] received_i,
  input  logic [Links-1:0] admitted_i,
  input  logic [2*Links-1:0] popped_i,
  input  logic [Links*Vcs-1:0] credit_stall_i,
  input  logic [Links-1:0] lost_arbitration_i,
  input  fabric_pkg::link_statuses_t status_i,
  input  fabric_pkg::lane_errors_t lanes_i,

  // Receiver r has dropped a damaged packet; has delivered one.
  input  logic [1:0] damaged_i,
  input  logic [1:0] done_i,
  input  defs_pkg::delivery_t [1:0] delivery_i,
  input  logic switched_i,
  input  logic [15:0] stalls_i,   // fabric_watchdog
  input  logic [63:0] stall_i,
  output logic [7:0] patience_o,
  output logic patience_set_o,    // it has been written: not yet taken, see fabric_watchdog

  // Registers: 0 none, 1 FabricTime, 2 FabricSnapshot, 3 FabricPatience, 4 FabricStall, 16 .. FabricCounts.
  input  logic write_i,
  input  logic [7:0] index_i,
  input  logic [31:0] wdata_i,
  output logic [63:0] rdata_o,

  output logic copy_o
);

  // ---------------------------------------------------------------- registers
  logic armed_q, made_q, copy;
  logic [31:0] when_q;
  logic [7:0] patience_q;
  logic patience_set_q;
  assign copy = armed_q && fabric_en_i && now_i - when_q < 32'h8000_0000;
  assign copy_o = copy;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      armed_q        <= 1'b0;
      made_q         <= 1'b0;
      when_q         <= '0;
      patience_q     <= 8'(defs_pkg::StallPatience);
      patience_set_q <= 1'b0;
    end else begin
      if (copy) {armed_q, made_q} <= 2'b01;
      if (write_i && index_i == 8'd2) {armed_q, when_q} <= {1'b1, wdata_i};
      if (write_i && index_i == 8'd3) {patience_set_q, patience_q} <= {!patience_set_q, wdata_i[7:0]};
    end
  end
  assign patience_o     = patience_q;
  assign patience_set_o = patience_set_q;

  // ---------------------------------------------------------------- ports
  for (genvar p = 0; p < Links; p++) begin : gen_port
    logic [63:0] rdata;
    fabric_port_counts u_counts (
      .clk_i(router_clk_i), .copy_clk_i(clk_i), .rst_ni, .copy_i(copy),
      .sent_i(sent_i[p]), .sent_vn_i(sent_flit_i[p].vc[2:1]), .received_i(received_i[p]),
      .admitted_i(admitted_i[p]), .popped_i(popped_i[2*p +: 2]),
      .credit_stall_i(credit_stall_i[Vcs*p +: Vcs]), .lost_arbitration_i(lost_arbitration_i[p]),
      .status_i(status_i[p]), .lanes_i(lanes_i[p]),
      .select_i(index_i[7:4] == 4'(p + 1)), .index_i(index_i[3:0]), .rdata_o(rdata)
    );
  end

  // ---------------------------------------------------------------- deliveries
  // Each receiver has its own memory of latencies; an entry that was never written counts as 0.
  logic [31:0] copied [Bins + 6];
  for (genvar r = 0; r < 2; r++) begin : gen_receiver
    logic [31:0] seen [Bins];
    logic [Bins-1:0] any_q;
    logic [15:0] latency;
    logic [5:0] bin;
    always_comb begin
      latency = '0;
      bin     = '0;
      if (done_i[r]) begin
        latency = now_i[15:0] - delivery_i[r].stamp;
        bin     = {delivery_i[r].vn, 4'd0};
        for (int unsigned b = 1; b < 16; b++) begin
          if (latency[b]) bin[3:0] = 4'(b);
        end
      end
    end
    always_ff @(posedge ni_clk_i) begin
      if (done_i[r]) seen[bin] <= any_q[bin] ? seen[bin] + 32'd1 : 32'd1;
    end
    always_ff @(posedge ni_clk_i or negedge rst_ni) begin
      if (!rst_ni) any_q <= '0;
      else if (done_i[r]) any_q[bin] <= 1'b1;
    end
  end
  for (genvar v = 0; v < Vns; v++) begin : gen_vn
    for (genvar b = 0; b < 16; b++) begin : gen_bin
      localparam int unsigned I = 16*v + b;
      always_ff @(posedge clk_i) begin
        if (copy) copied[I] <= (gen_receiver[0].any_q[I] ? gen_receiver[0].seen[I] : 32'd0) +
                               (gen_receiver[1].any_q[I] ? gen_receiver[1].seen[I] : 32'd0);
      end
    end
  end

  logic [31:0] bytes_q [2];  // by core
  logic [15:0] switches_q;
  logic [15:0] damaged_q;
  for (genvar c = 0; c < 2; c++) begin : gen_bytes
    always_ff @(posedge ni_clk_i or negedge rst_ni) begin
      if (!rst_ni) bytes_q[c] <= '0;
      else if (done_i != '0) begin
        bytes_q[c] <= bytes_q[c] + (delivery_i[0].core == 1'(c) ? 32'(delivery_i[0].bytes) : '0) +
                                   (delivery_i[1].core == 1'(c) ? 32'(delivery_i[1].bytes) : '0);
      end
    end
  end
  always_ff @(posedge ni_clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      switches_q <= '0;
      damaged_q  <= '0;
    end else begin
      if (switched_i) switches_q <= switches_q + 16'd1;
      if (damaged_i != '0) damaged_q <= damaged_q + 16'(damaged_i[0]) + 16'(damaged_i[1]);
    end
  end
  always_ff @(posedge clk_i) begin
    if (copy) begin
      copied[Bins]     <= bytes_q[0];
      copied[Bins + 1] <= bytes_q[1];
      copied[Bins + 2] <= {16'd0, switches_q};
      copied[Bins + 3] <= {16'd0, stalls_i};
      copied[Bins + 4] <= now_i;
      copied[Bins + 5] <= {16'd0, damaged_q};
    end
  end

  // ---------------------------------------------------------------- read
  logic [7:0] word;  // of FabricCounts
  assign word = index_i - 8'd16;
  always_comb begin
    rdata_o = '0;
    if (index_i != '0) begin
      unique case (index_i)
        8'd1:    rdata_o = {32'd0, now_i};
        8'd2:    rdata_o = {32'd0, when_q};
        8'd3:    rdata_o = {56'd0, patience_q};
        8'd4:    rdata_o = stall_i;
        default: begin
          if (made_q && word < 8'd64) begin
            rdata_o = gen_port[0].rdata | gen_port[1].rdata | gen_port[2].rdata | gen_port[3].rdata;
          end else if (made_q && word < 8'd99) begin
            rdata_o = {copied[{word[5:0], 1'b1}], copied[{word[5:0], 1'b0}]};
          end
        end
      endcase
    end
  end

endmodule
