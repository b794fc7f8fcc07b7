// SPDX-License-Identifier: Apache-2.0
// Sending end of a link: a flit every fabric cycle, NULL when there is nothing to say.
//
//   flit_* --> [1] --> [2] = link_tx_o
//
// Every word, NULL or not, carries one VC's count of freed flits, the VCs in turn; so each VC is
// reported every 8 fabric cycles and a lost report is healed by the next. Two register stages:
// the place, and the time, of the replay buffer and the CRC (zero until then).
`include "assert.svh"

module link_tx (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic fabric_en_i,

  input  logic flit_valid_i,
  input  logic [2:0] flit_vc_i,
  input  logic flit_head_i,
  input  logic flit_tail_i,
  input  logic [511:0] flit_payload_i,

  // Flits freed so far in the input buffers of the same port, modulo 256 each: VC i in byte i.
  input  logic [63:0] freed_i,

  output defs_pkg::flit_t link_tx_o
);

  // ---------------------------------------------------------------- datapath
  logic [2:0] vc_q, type_q, type_d;
  logic [511:0] payload_q;
  logic valid_q, sent_q;

  always_comb begin
    type_d = defs_pkg::FlitTypeNull;
    if (flit_valid_i) begin
      unique case ({flit_head_i, flit_tail_i})
        2'b11:   type_d = defs_pkg::FlitTypeHeadTail;
        2'b10:   type_d = defs_pkg::FlitTypeHead;
        2'b01:   type_d = defs_pkg::FlitTypeTail;
        default: type_d = defs_pkg::FlitTypeBody;
      endcase
    end
  end

  // The header is the low end of a head flit, `hop` its last byte: one more link crossed.
  always_ff @(posedge clk_i) begin
    if (fabric_en_i && flit_valid_i) begin
      payload_q <= {flit_payload_i[511:8], flit_payload_i[7:0] + {7'b0, flit_head_i}};
    end
  end

  // ---------------------------------------------------------------- the word on the wire
  logic [2:0] credit_vc_q;
  defs_pkg::lcw_t lcw_d;
  always_comb begin
    lcw_d            = '0;
    lcw_d.flit_type  = type_q;
    lcw_d.vc         = vc_q;
    lcw_d.credit_vc  = credit_vc_q;
    lcw_d.credit_cum = freed_i[{credit_vc_q, 3'b0} +: 8];
  end

  // The word is a token that others hash, so a NULL flit carries zeros, not what was there before.
  defs_pkg::lcw_t lcw_q;
  logic [511:0] word_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) word_q <= '0;
    else if (fabric_en_i && (valid_q || sent_q)) word_q <= valid_q ? payload_q : '0;
  end
  assign link_tx_o = {32'd0, lcw_q, word_q};

  // ---------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      type_q      <= defs_pkg::FlitTypeNull;
      vc_q        <= '0;
      valid_q     <= 1'b0;
      sent_q      <= 1'b0;
      credit_vc_q <= '0;
      lcw_q       <= '0;
    end else if (fabric_en_i) begin
      type_q      <= type_d;
      vc_q        <= flit_valid_i ? flit_vc_i : '0;
      valid_q     <= flit_valid_i;
      sent_q      <= valid_q;
      credit_vc_q <= credit_vc_q + 3'd1;
      lcw_q       <= lcw_d;
    end
  end

  // ---------------------------------------------------------------- assertions
  // A word without a type has no payload.
  `ASSERT(NullIsEmpty_A, sent_q || word_q == '0)

endmodule
