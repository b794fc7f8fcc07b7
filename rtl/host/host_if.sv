// SPDX-License-Identifier: Apache-2.0
// The host's front end: request tokens in, answer tokens out, memory and registers behind it.
//
//   host_req --> u_queue (N) ---> decode --+--> mem_req_q --> mem_xbar --> read_q --> u_read (N)
//                                          +--> u_csr  -----------------> read_q        |
//                                          +--> rejected --> u_events --> host_rsp <----+
//
// Tokens move on fabric_en. The host may have N = HostRequests requests in flight; it gets a credit
// for each one that leaves the queue. N covers the round trip of a token at the usual link latency,
// and that of a read to HBM: a token moves in every fabric cycle, both ways. Requests are executed
// in order:
//   * HBM writes at one per cycle. Up to N reads of one stack are in flight; a read of the other
//     stack waits for them, so data comes back in request order.
//   * A register access waits until all earlier writes are in memory and all reads have answered.
//   * A request that no memory or register can serve is answered by an Error token (engine Host),
//     in order with the data of the reads around it: Misaligned (not inside one 64-byte block; a
//     register access not of 8 aligned bytes), UnmappedAddress, and what csr_regs rejects. The
//     token's data field holds the address.
// Completions and errors go before read data.
`include "assert.svh"

module host_if #(
  localparam int unsigned S = defs_pkg::Cores * defs_pkg::Sequencers,
  localparam int unsigned D = defs_pkg::Cores * size_pkg::DmaEngines,
  localparam int unsigned LineBits   = size_pkg::LineBytes * 8,
  localparam int unsigned OffsetBits = $clog2(size_pkg::LineBytes),
  localparam int unsigned N = defs_pkg::HostRequests,
  localparam int unsigned CountBits = $clog2(N + 1)
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic fabric_en_i,
  input  logic [9:0] chip_id_i,
  input  logic [4:0] ring_size_i,

  input  defs_pkg::host_req_t host_req_i,
  output defs_pkg::host_rsp_t host_rsp_o,

  output logic               mem_req_valid_o,
  input  logic               mem_req_ready_i,
  output size_pkg::mem_req_t mem_req_o,
  input  logic               mem_settled_i,
  input  logic               mem_rsp_valid_i,
  output logic               mem_rsp_ready_o,
  input  size_pkg::mem_rsp_t mem_rsp_i,

  // registers of cores and fabric: see reg_req
  output logic                     reg_apply_o,
  output logic [1:0]               core_select_o,
  output defs_pkg::reg_req_t       core_reg_o,
  input  defs_pkg::reg_rsp_t [1:0] core_reg_i,
  output logic                     fabric_select_o,
  output defs_pkg::reg_req_t       fabric_reg_o,
  input  defs_pkg::reg_rsp_t       fabric_reg_i,

  input  logic [S-1:0][1:0]  seq_state_i,
  input  logic [S-1:0][31:0] seq_pc_i,
  input  logic [S-1:0][7:0]  seq_cause_i,
  input  logic [S-1:0]       seq_event_valid_i,
  output logic [S-1:0]       seq_event_ready_o,

  input  logic [D-1:0]       dma_error_i,
  input  logic [D-1:0][7:0]  dma_cause_i,
  input  logic [D-1:0][31:0] dma_pc_i,

  input  logic [1:0]       rx_upd_error_i,
  input  logic [3:0]       fabric_error_i,
  input  logic [3:0][7:0]  fabric_cause_i,
  input  logic [3:0][31:0] fabric_pc_i,
  input  logic             fabric_stalled_i,
  output logic quiet_o
);

  // ---------------------------------------------------------------- request queue
  logic queue_in_valid, queue_in_ready, head_valid, pop;
  defs_pkg::host_req_t head;
  assign queue_in_valid = host_req_i.valid && fabric_en_i;
  prim_fifo #(.Width(defs_pkg::HostReqBits), .Depth(N)) u_queue (
    .clk_i, .rst_ni,
    .in_valid_i(queue_in_valid), .in_ready_o(queue_in_ready), .in_i(host_req_i),
    .out_valid_o(head_valid), .out_ready_i(pop), .out_o(head)
  );

  // ---------------------------------------------------------------- decode
  typedef enum logic [1:0] {KindWrite, KindRead, KindCsr, KindRejected} kind_e;
  kind_e kind;
  defs_pkg::error_cause_e rejection;
  logic in_hbm, in_hbm1, in_csr, one_block;
  logic [21:0] csr_offset;
  assign in_hbm1    = address_pkg::in_hbm1(head.addr);
  assign in_hbm     = address_pkg::in_hbm(head.addr);
  assign in_csr     = address_pkg::in_csr(head.addr);
  assign one_block  = head.bytes != '0 && {1'b0, head.addr[5:0]} + head.bytes <= 7'd64;
  assign csr_offset = head.addr[21:0];
  always_comb begin
    rejection = defs_pkg::ErrorCauseMisaligned;
    kind      = KindRejected;
    if (!in_hbm && !in_csr) rejection = defs_pkg::ErrorCauseUnmappedAddress;
    else if (in_hbm && one_block) kind = head.write ? KindWrite : KindRead;
    else if (in_csr && head.bytes == 7'd8 && head.addr[2:0] == '0) kind = KindCsr;
  end

  // ---------------------------------------------------------------- control
  // `reads_q`: reads whose data has not yet left in a token; so u_read always has room.
  logic mem_valid_d, mem_valid_q, mem_free, reads_in_hbm1_q, reads_in_hbm1_d;
  logic [CountBits-1:0] reads_d, reads_q, answers_d, answers_q;  // answers: not yet in read_q
  logic issue_mem, do_csr, do_error, rejected_d, rejected_q, read_left;
  logic [7:0] host_cause_d, host_cause_q;
  logic [47:0] rejected_addr_d, rejected_addr_q;
  defs_pkg::error_cause_e csr_cause;
  logic [63:0] csr_rdata;
  logic host_notified, quiesced;

  assign mem_free = !mem_valid_q || mem_req_ready_i;
  assign quiesced = !mem_valid_q && mem_settled_i && answers_q == '0;

  always_comb begin
    issue_mem = 1'b0;
    do_csr    = 1'b0;
    do_error  = 1'b0;
    if (head_valid && !rejected_q) begin
      unique case (kind)
        KindWrite: issue_mem = mem_free;
        KindRead: issue_mem = mem_free && reads_q != CountBits'(N) &&
                              (answers_q == '0 || reads_in_hbm1_q == in_hbm1);
        KindCsr: begin
          // A rejected access must not overtake data: it waits until the last read has left.
          do_csr   = quiesced && reads_q != CountBits'(N) && csr_cause == defs_pkg::ErrorCauseNone;
          do_error = quiesced && reads_q == '0 && csr_cause != defs_pkg::ErrorCauseNone;
        end
        default: do_error = quiesced && reads_q == '0;
      endcase
    end
  end
  assign pop = issue_mem || do_csr || do_error;

  logic read_in, csr_read;
  assign csr_read = do_csr && !head.write;
  assign read_in  = mem_rsp_valid_i || csr_read;  // a CSR is only read while no answer is due

  always_comb begin
    mem_valid_d     = issue_mem || (mem_valid_q && !mem_req_ready_i);
    reads_in_hbm1_d = (issue_mem && !head.write) ? in_hbm1 : reads_in_hbm1_q;
    answers_d       = answers_q + CountBits'(issue_mem && !head.write) -
                      CountBits'(mem_rsp_valid_i);
    reads_d         = reads_q + CountBits'((issue_mem && !head.write) || csr_read) -
                      CountBits'(read_left);
    rejected_d      = do_error || (rejected_q && !host_notified);
    host_cause_d    = host_cause_q;
    rejected_addr_d = rejected_addr_q;
    if (do_error) begin
      host_cause_d    = (kind == KindCsr) ? csr_cause : rejection;
      rejected_addr_d = head.addr;
    end
  end

  // ---------------------------------------------------------------- memory
  size_pkg::mem_req_t mem_req_q;
  always_ff @(posedge clk_i) begin
    if (issue_mem) begin
      mem_req_q.write <= head.write;
      mem_req_q.addr  <= head.addr;
      mem_req_q.bytes <= {2'b00, head.bytes};
      mem_req_q.tag   <= '0;
      if (head.write) begin
        mem_req_q.data <= LineBits'(head.data) << {head.addr[OffsetBits-1:0], 3'b000};
      end
    end
  end
  assign mem_req_valid_o = mem_valid_q;
  assign mem_req_o       = mem_req_q;
  assign mem_rsp_ready_o = 1'b1;

  // Place and length of each read in flight; answers come in order.
  logic place_valid, place_ready;
  logic [OffsetBits-1:0] place;
  logic [6:0] place_bytes;
  prim_fifo #(.Width(OffsetBits + 7), .Depth(N)) u_place (
    .clk_i, .rst_ni,
    .in_valid_i(issue_mem && !head.write), .in_ready_o(place_ready),
    .in_i({head.addr[OffsetBits-1:0], head.bytes}),
    .out_valid_o(place_valid), .out_ready_i(mem_rsp_valid_i), .out_o({place, place_bytes})
  );

  // ---------------------------------------------------------------- registers of the chip
  csr_regs u_csr (
    .clk_i, .rst_ni, .chip_id_i, .ring_size_i,
    .select_i(head_valid && kind == KindCsr), .apply_i(do_csr),
    .write_i(head.write), .offset_i(csr_offset), .wdata_i(head.data[63:0]),
    .rdata_o(csr_rdata), .cause_o(csr_cause),
    .reg_apply_o, .core_select_o, .core_reg_o, .core_reg_i, .fabric_select_o, .fabric_reg_o, .fabric_reg_i
  );

  // ---------------------------------------------------------------- read data
  logic read_valid_q, read_out_valid, read_in_ready;
  logic [511:0] read_q, read_out;
  always_ff @(posedge clk_i) begin
    if (mem_rsp_valid_i) begin
      read_q <= 512'(mem_rsp_i.data >> {place, 3'b000}) &
                ~({512{1'b1}} << {place_bytes, 3'b000});
    end else if (csr_read) begin
      read_q <= 512'(csr_rdata);
    end
  end
  prim_fifo #(.Width(512), .Depth(N)) u_read (
    .clk_i, .rst_ni,
    .in_valid_i(read_valid_q), .in_ready_o(read_in_ready), .in_i(read_q),
    .out_valid_o(read_out_valid), .out_ready_i(read_left), .out_o(read_out)
  );

  // ---------------------------------------------------------------- events and answer tokens
  logic event_valid, event_ready, event_core;
  logic [1:0] event_kind;
  logic [5:0] event_engine;
  logic [7:0] event_cause;
  logic [31:0] event_pc;
  host_events u_events (
    .clk_i, .rst_ni,
    .seq_valid_i(seq_event_valid_i), .seq_ready_o(seq_event_ready_o), .seq_state_i, .seq_pc_i,
    .seq_cause_i, .dma_error_i, .dma_cause_i, .dma_pc_i,
    .rx_upd_error_i, .fabric_error_i, .fabric_cause_i, .fabric_pc_i, .fabric_stalled_i,
    .host_valid_i(rejected_q), .host_ready_o(host_notified), .host_cause_i(host_cause_q),
    .event_valid_o(event_valid), .event_ready_i(event_ready), .event_kind_o(event_kind),
    .event_core_o(event_core), .event_engine_o(event_engine), .event_cause_o(event_cause),
    .event_pc_o(event_pc)
  );
  assign event_ready = fabric_en_i;
  assign read_left   = fabric_en_i && !event_valid && read_out_valid;

  logic [CountBits-1:0] credits_d, credits_q;
  logic credit_left;
  assign credit_left = fabric_en_i && credits_q != '0;
  assign credits_d   = credits_q + CountBits'(pop) - CountBits'(credit_left);

  // The token register changes only when there is something to say, or something to take back.
  defs_pkg::host_rsp_t rsp_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      rsp_q <= '0;
    end else if (fabric_en_i && (event_valid || read_out_valid || rsp_q.kind != '0)) begin
      rsp_q.credit <= credits_q != '0;
      rsp_q.kind   <= event_valid ? event_kind :
                      read_out_valid ? 2'(defs_pkg::HostKindReadData) : '0;
      rsp_q.core   <= event_valid && event_core;
      rsp_q.engine <= event_valid ? event_engine : '0;
      rsp_q.cause  <= event_valid ? event_cause : '0;
      rsp_q.pc     <= event_valid ? event_pc : '0;
      rsp_q.data   <= !event_valid ? (read_out_valid ? read_out : '0) :
                      (event_engine == 6'(defs_pkg::EngineHost)) ? 512'(rejected_addr_q) : '0;
    end else if (fabric_en_i) begin
      rsp_q.credit <= credits_q != '0;
    end
  end
  assign host_rsp_o = rsp_q;

  assign quiet_o = !head_valid && !mem_valid_q && mem_settled_i && reads_q == '0 && !rejected_q &&
                   !event_valid && credits_q == '0 && rsp_q.kind == '0 && !rsp_q.credit;

  // ---------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      mem_valid_q     <= 1'b0;
      reads_in_hbm1_q <= 1'b0;
      reads_q         <= '0;
      answers_q       <= '0;
      rejected_q      <= 1'b0;
      host_cause_q    <= '0;
      rejected_addr_q <= '0;
      read_valid_q    <= 1'b0;
      credits_q       <= '0;
    end else begin
      mem_valid_q     <= mem_valid_d;
      reads_in_hbm1_q <= reads_in_hbm1_d;
      reads_q         <= reads_d;
      answers_q       <= answers_d;
      rejected_q      <= rejected_d;
      host_cause_q    <= host_cause_d;
      rejected_addr_q <= rejected_addr_d;
      read_valid_q    <= read_in;
      credits_q       <= credits_d;
    end
  end

  logic unused_tag, unused_valid;
  assign unused_tag   = ^mem_rsp_i.tag;
  assign unused_valid = head.valid;

  // ---------------------------------------------------------------- assertions
  // The host keeps to its credits.
  `ASSERT_NOW(HostKeepsCredits_A, queue_in_valid -> queue_in_ready)
  // Read data always has a place.
  `ASSERT_NOW(ReadDataHasRoom_A, read_valid_q -> read_in_ready)
  // Every answer belongs to a read, and every read could leave its place.
  `ASSERT_NOW(AnswerHasPlace_A, (mem_rsp_valid_i -> place_valid) )
  `ASSERT_NOW(PlaceHasRoom_A, (issue_mem && !head.write) -> place_ready)
  // A stalled request stays. (A property that looks into a wide register copies it in every cycle.)
  `ASSERT(StalledRequestStays_A, mem_req_valid_o && !mem_req_ready_i |=> mem_req_valid_o)

endmodule
