// SPDX-License-Identifier: Apache-2.0
// Notifies every chip of what has arrived from it: one flit with the numbers that all eight flows from
// there expect next, so it says everything and may be lost.
//
// An acknowledgement waits while the chip has packets of its own to send, until AckFlits flits came
// from one chip or AckAge cycles passed; a chip with nothing to send answers at once, though not
// oftener than every 16 fabric cycles.
`include "assert.svh"

module fabric_ack #(
  parameter int unsigned Ports = 2,
  localparam int unsigned Chips = 16
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic fabric_en_i,
  input  logic [9:0] chip_id_i,

  // A packet was delivered, or came again, by port: from whom, and its flits.
  input  logic [Ports-1:0] taken_i,
  input  logic [4*Ports-1:0] taken_src_i,
  input  logic [5*Ports-1:0] taken_len_i,

  input  logic calm_i,
  input  logic age_i,  // pulse every AckAge fabric cycles

  output logic row_valid_o,
  output logic [3:0] row_o,
  input  logic [127:0] row_i,

  output logic valid_o,
  input  logic ready_i,
  output logic [511:0] word_o,
  output logic [3:0] dst_o,
  output logic asleep_o,  // nothing changes until something comes
  output logic idle_o
);

  // ---------------------------------------------------------------- what is owed
  logic [Chips-1:0] owed_q, aged_q, urgent_q, due, ahead, chosen;
  logic [8*Chips-1:0] flits_d, flits_q;
  logic [Chips-1:0] owed_now, urgent_now;
  logic [3:0] src;
  logic take;
  always_comb begin
    flits_d    = '0;
    owed_now   = '0;
    urgent_now = '0;
    src        = '0;
    if (taken_i != '0 || take) flits_d = flits_q;
    if (take) flits_d[8*row_o +: 8] = '0;
    if (taken_i != '0) begin
      for (int unsigned p = 0; p < Ports; p++) begin
        if (taken_i[p]) begin
          src = taken_src_i[4*p +: 4];
          flits_d[8*src +: 8] = flits_d[8*src +: 8] + {3'b0, taken_len_i[5*p +: 5]};
          owed_now[src]       = 1'b1;
          // Saturates: at most two more packets are added before it is notified.
          if (flits_d[8*src +: 8] >= 8'(defs_pkg::AckFlits)) begin
            urgent_now[src]     = 1'b1;
            flits_d[8*src +: 8] = 8'(defs_pkg::AckFlits);
          end
        end
      end
    end
  end

  // ---------------------------------------------------------------- choice
  logic valid_q;
  logic [3:0] last_q;
  logic [3:0] pause_q;
  assign due  = urgent_q | ((calm_i && pause_q == '0) ? owed_q : '0);
  assign take = !valid_q && due != '0;
  always_comb begin
    ahead  = '0;
    chosen = '0;
    row_o  = '0;
    if (take) begin
      ahead  = due & ({Chips{1'b1}} << (last_q + 4'd1));
      chosen = (ahead != '0) ? ahead : due;
      chosen = chosen & (~chosen + Chips'(1));
      for (int unsigned i = 0; i < Chips; i++) begin
        if (chosen[i]) row_o = row_o | 4'(i);
      end
    end
  end

  // ---------------------------------------------------------------- the flit
  defs_pkg::head_payload_t word;
  logic [511:0] word_q;
  always_comb begin
    word = '0;
    if (take) begin
      word.header.op    = defs_pkg::PktOpAck;
      word.header.dst   = {chip_id_i[9:4], row_o};
      word.header.src   = chip_id_i;
      word.header.len   = 5'd1;
      word.header.bytes = 11'd16;
      word.inline_data  = {192'd0, row_i};
      word.ecrc         = crc_pkg::of_payload(word);
    end
  end
  always_ff @(posedge clk_i) begin
    if (take) word_q <= word;
  end
  assign row_valid_o = take;
  assign valid_o = valid_q;
  assign dst_o   = last_q;
  assign word_o  = word_q;

  // ---------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      owed_q   <= '0;
      aged_q   <= '0;
      urgent_q <= '0;
      flits_q  <= '0;
      valid_q  <= 1'b0;
      last_q   <= '0;
      pause_q  <= '0;
    end else begin
      if (fabric_en_i && pause_q != '0) pause_q <= pause_q - 4'd1;
      if (ready_i) valid_q <= 1'b0;
      if (taken_i != '0 || take || age_i) begin
        if (taken_i != '0 || take) flits_q <= flits_d;
        owed_q   <= (owed_q & ~chosen) | owed_now;
        aged_q   <= age_i ? owed_q : aged_q & ~chosen;
        urgent_q <= (urgent_q & ~chosen) | urgent_now | (age_i ? owed_q & aged_q & ~chosen : '0);
        if (take) begin
          valid_q <= 1'b1;
          last_q  <= row_o;
          pause_q <= '1;
        end
      end
    end
  end
  assign asleep_o = idle_o && urgent_q == '0 && pause_q == '0;
  assign idle_o = owed_q == '0 && !valid_q;

  // ---------------------------------------------------------------- assertions
  // The offered flit stays until it is taken.
  `ASSERT_NOW(ReadyIsValid_A, ready_i -> valid_q)

endmodule
