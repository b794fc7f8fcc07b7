// SPDX-License-Identifier: Apache-2.0
// Runs one engine's instruction stream: fetch, wait for a semaphore, issue, post the update.
//
//   doorbell --> u_fetch --> u_wait --> u_resolve --> issue --> engine
//                   ^                       |           |         | done (in order)
//          redirect |     u_registers <--> u_control    v         v
//                   +------------------------+        u_retire --> semaphore update
//
// NOP, END, RegAlu, Branch and RegLoad are the sequencer's own: one a cycle, done when they issue. A RegLoad issues when
// its word is here: nothing younger is under way by then, and its update says that the memory was read.
// What goes to an engine has no register left in it (seq_resolve).
//
// A LOAD_STATIONARY without update and the MULTIPLY_MOVING after it, if that waits for nothing, are
// issued together (`pair`): the tensor engine takes both in one cycle, and they share one place in
// flight. What the program means is what it means one by one.
//
// Up to 16 instructions or pairs are in flight. The sequencer's own and what it rejects take a place
// in the same queue and act when they reach its head, so everything happens in program order: a
// NOP's update comes after those of all older instructions, END finishes when everything before it
// is done, and an error is reported after the work of older instructions.
//
// A Take (seq_wait) is subtracted in the cycle after issue, before any update: its commit
// comes before all that its instruction does, the instruction's error included. Updates of older instructions may come
// later, so takes are a list of commits of their own.
//
// The sequencer checks its own instructions, whether the semaphores are this core's or
// shared (guard_pkg), and the end of the stream; everything else is the engine's to reject. A condition need hold
// for one cycle only. What goes to an engine and comes back as commits is named by its serial, so many operations of
// this stream before it since reset; a pc comes again in loops. After an error it stays stopped until reset; nothing else stops with it.
`include "assert.svh"

module sequencer #(
  localparam int unsigned LineBits = size_pkg::LineBytes * 8
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  defs_pkg::engine_e engine_i,  // strap: Tensor, Vector, Act or Sync
  input  logic core_id_i,
  input  defs_pkg::peer_access_t peer_i,

  // CSRs. state: 0 idle, 1 running, 2 done, 3 error.
  input  logic                    start_i,
  input  logic [47:0]             base_i,
  input  logic [24:0]             count_i,
  output logic [1:0]              state_o,
  output logic [31:0]             pc_o,
  output defs_pkg::error_cause_e  cause_o,

  // state_o, pc_o and cause_o, once after done and once after an error.
  output logic event_valid_o,
  input  logic event_ready_i,

  output logic        fetch_req_valid_o,
  input  logic        fetch_req_ready_i,
  output logic [47:0] fetch_req_addr_o,
  output logic [5:0]  fetch_req_slot_o,
  input  logic                fetch_rsp_valid_i,
  input  logic [5:0]          fetch_rsp_slot_i,
  input  logic [LineBits-1:0] fetch_rsp_data_i,

  output logic [8:0]  wait_sem_o,
  input  logic [15:0] wait_value_i,
  output logic [8:0]  room_sem_o,  // the next instruction would update it
  input  logic [15:0] room_value_i,

  // Valid only. upd_error_i: the update offered in the last cycle was rejected.
  output logic                  upd_valid_o,
  output defs_pkg::sem_update_t upd_o,
  output logic [31:0]           upd_pc_o,
  output logic [31:0]           upd_serial_o,
  output logic                  upd_take_o,  // it is a Take: for the tracer
  input  logic                  upd_error_i,

  output logic                   instr_valid_o,
  input  logic                   instr_ready_i,
  output defs_pkg::instr_t       instr_o,
  output logic [31:0]            instr_pc_o,
  output logic [31:0]            instr_serial_o,
  output logic                   second_valid_o,  // ... with the instruction after it
  output defs_pkg::instr_t       second_o,
  input  logic [1:0]             done_i,          // how many
  input  logic                   error_valid_i,
  input  defs_pkg::error_cause_e error_cause_i,
  input  logic [31:0]            error_serial_i,

  output logic quiet_o,
  output logic asleep_o  // nothing changes here before a semaphore, a register or an engine does
);

  defs_pkg::seq_state_e state_d, state_q;

  // ---------------------------------------------------------------- fetch
  logic fetch_start, fetch_stop, fetch_idle, fetch_settled, exhausted, fetched_valid, fetched_ready;
  logic second_valid, predicted, redirect, pair, push;
  logic load, load_done;
  logic [24:0] count, next_pc;  // next_pc: behind what issues now
  logic [31:0] load_data;
  logic [47:0] load_addr;
  defs_pkg::instr_t fetched, second;
  instr_fetch u_fetch (
    .clk_i, .rst_ni,
    .start_i(fetch_start), .base_i, .count_i, .stop_i(fetch_stop), .idle_o(fetch_idle), .settled_o(fetch_settled),
    .count_o(count), .exhausted_o(exhausted),
    .req_valid_o(fetch_req_valid_o), .req_ready_i(fetch_req_ready_i),
    .req_addr_o(fetch_req_addr_o), .req_slot_o(fetch_req_slot_o),
    .rsp_valid_i(fetch_rsp_valid_i), .rsp_slot_i(fetch_rsp_slot_i),
    .rsp_data_i(fetch_rsp_data_i),
    .instr_valid_o(fetched_valid), .instr_ready_i(fetched_ready), .instr_o(fetched),
    .predicted_o(predicted),
    .second_valid_o(second_valid), .second_ready_i(push && pair), .second_o(second),
    .redirect_i(redirect), .redirect_pc_i(next_pc),
    .load_valid_i(load), .load_addr_i(load_addr), .load_done_o(load_done), .load_data_o(load_data)
  );

  // Rejected at once: a stream that is empty, too long, misaligned, outside HBM, or the other core's.
  defs_pkg::error_cause_e start_cause;
  logic [47:0] last_byte;
  assign last_byte = base_i + {17'd0, count_i, 6'd0} - 48'd1;
  always_comb begin
    start_cause = defs_pkg::ErrorCauseNone;
    if (count_i == '0 || count_i > 25'h100_0000) begin
      start_cause = defs_pkg::ErrorCauseBadShape;
    end else if (base_i % 48'(size_pkg::LineBytes) != '0) begin
      start_cause = defs_pkg::ErrorCauseMisaligned;
    end else if (!address_pkg::in_hbm(base_i) ||
                 address_pkg::memory_of(base_i) != address_pkg::memory_of(last_byte)) begin
      start_cause = defs_pkg::ErrorCauseUnmappedAddress;
    end else if (!guard_pkg::reaches(peer_i.shared, peer_i.base, peer_i.limit, core_id_i, base_i,
                                     {17'd0, count_i, 6'd0})) begin
      start_cause = defs_pkg::ErrorCauseForbidden;
    end
  end

  // ---------------------------------------------------------------- registers, own instructions
  logic [4*6-1:0] operand_read;
  logic [2*6-1:0] control_read;
  logic [4*6-1:0] second_read;
  logic [7*32-1:0] value;
  logic is_control, is_end, is_load, is_branch, taken, control_write, register_write;
  logic [5:0] write_index;
  logic [31:0] result;
  logic [23:0] target;
  defs_pkg::error_cause_e control_cause;
  defs_pkg::instr_t resolved, second_resolved;
  // A second has no src1: the tensor engine's instructions have one source.
  seq_registers #(.Reads(7)) u_registers (
    .clk_i, .rst_ni, .clear_i(fetch_start),
    .read_i({second_read[23:12], second_read[5:0], operand_read[23:12], is_control ? control_read : operand_read[11:0]}),
    .value_o(value),
    .write_i(register_write), .write_index_i(write_index), .write_value_i(is_load ? load_data : result)
  );
  seq_control u_control (
    .instr_i(fetched), .core_id_i, .peer_i, .count_i(count), .read_o(control_read), .value_i(value[63:0]),
    .valid_o(is_control), .cause_o(control_cause), .end_o(is_end),
    .write_o(control_write), .write_index_o(write_index), .result_o(result),
    .load_o(is_load), .load_addr_o(load_addr),
    .branch_o(is_branch), .taken_o(taken), .target_o(target)
  );
  seq_resolve u_resolve (.instr_i(fetched), .read_o(operand_read), .value_i(value[127:0]), .instr_o(resolved));
  seq_resolve u_resolve_second (
    .instr_i(second), .read_o(second_read), .value_i({value[223:160], 32'd0, value[159:128]}),
    .instr_o(second_resolved)
  );
  logic unused_read;
  assign unused_read = ^second_read[11:6];

  // ---------------------------------------------------------------- decode and wait
  logic [defs_pkg::Sequencers-1:0] engines;  // that have this opcode
  logic known, met, condition, waited_d, waited_q, forbidden;  // forbidden: rejected without waiting
  assign engines   = instr_pkg::engines_of(fetched.opcode);
  assign known     = engines[engine_i[$clog2(defs_pkg::Sequencers)-1:0]];
  assign forbidden = (fetched.wait_op != defs_pkg::WaitOpNone &&
                      !guard_pkg::reaches_semaphore(peer_i.shared, core_id_i, fetched.wait_sem[8])) ||
                     (fetched.update && !guard_pkg::reaches_semaphore(peer_i.shared, core_id_i, fetched.update_sem[8]));
  assign condition  = met || forbidden;
  assign wait_sem_o = fetched.wait_sem;

  logic take, issued, waiting_over;  // waiting_over: it goes, refused for its fields or not
  logic [8:0] take_sem;
  logic [15:0] take_value;
  seq_wait u_wait (
    .clk_i, .rst_ni, .op_i(fetched.wait_op), .sem_i(fetched.wait_sem), .least_i(fetched.wait_value),
    .value_i(wait_value_i), .met_o(met), .issue_i(waiting_over),
    .take_o(take), .take_sem_o(take_sem), .take_value_o(take_value)
  );

  // A pair has one wait, the first's, and at most one update, the second's.
  assign pair = second_valid && engine_i == defs_pkg::EngineTensor
                && instr_pkg::stationary_of(fetched.opcode) == instr_pkg::StationaryWrite
                && !fetched.update && !forbidden
                && instr_pkg::stationary_of(second.opcode) == instr_pkg::StationaryRead
                && second.wait_op == defs_pkg::WaitOpNone
                && (!second.update || guard_pkg::reaches_semaphore(peer_i.shared, core_id_i, second.update_sem[8]));

  // ---------------------------------------------------------------- issue
  seq_pkg::kind_e kind;
  logic [7:0] rejection;  // error_cause of seq_pkg::KindRejected
  logic [31:0] pc_d, pc_q, serial_d, serial_q;
  logic issuing_d, issuing_q;  // cleared by END and by a rejection
  logic ready_to_issue, queue_ready;
  logic hold;            // an update without room is in flight

  always_comb begin
    kind      = seq_pkg::KindEngine;
    rejection = 8'(defs_pkg::ErrorCauseNone);
    if (exhausted) begin
      kind      = seq_pkg::KindRejected;
      rejection = 8'(defs_pkg::ErrorCauseOutOfBounds);
    end else if (forbidden) begin
      kind      = seq_pkg::KindRejected;
      rejection = 8'(known ? defs_pkg::ErrorCauseForbidden : defs_pkg::ErrorCauseUnknownOpcode);
    end else if (is_control) begin
      kind      = is_end ? seq_pkg::KindEnd : seq_pkg::KindOwn;
      rejection = 8'(control_cause);
      if (control_cause != defs_pkg::ErrorCauseNone) kind = seq_pkg::KindRejected;
    end
  end

  assign ready_to_issue = issuing_q && queue_ready && !hold &&
                          (exhausted || (fetched_valid && (condition || waited_q)));
  assign instr_valid_o  = ready_to_issue && kind == seq_pkg::KindEngine;
  assign load           = ready_to_issue && kind == seq_pkg::KindOwn && is_load;
  assign push           = ready_to_issue && (kind != seq_pkg::KindEngine || instr_ready_i) && (!load || load_done);
  assign issued         = push && kind != seq_pkg::KindRejected;
  assign waiting_over   = push && !exhausted && !forbidden;
  assign fetched_ready  = push;
  assign waited_d       = fetched_valid && issuing_q && (condition || waited_q) && !push;
  assign instr_o        = resolved;
  assign instr_pc_o     = pc_q;
  assign instr_serial_o = serial_q;
  assign second_valid_o = instr_valid_o && pair;
  assign second_o       = second_resolved;
  assign register_write = issued && kind == seq_pkg::KindOwn && control_write;
  assign next_pc        = taken ? {1'b0, target} : pc_q[24:0] + (pair ? 25'd2 : 25'd1);
  assign redirect       = issued && kind == seq_pkg::KindOwn && is_branch && taken != predicted;

  // ---------------------------------------------------------------- in flight
  seq_pkg::entry_t pushed;
  seq_pkg::kind_e head_kind;
  logic head_valid, head_is_engine, pop;
  logic [7:0] head_cause;
  logic [31:0] head_pc, head_serial, upd_error_pc, upd_error_serial;
  logic update;
  logic [8:0] update_sem;
  logic [15:0] update_delta;
  // A DmaStart leaves its update to the DMA engine.
  assign update       = pair ? second.update : fetched.update && !instr_pkg::has_dma_start(fetched.opcode);
  assign update_sem   = pair ? second.update_sem : fetched.update_sem;
  assign update_delta = pair ? second.update_delta : fetched.update_delta;
  assign room_sem_o   = update_sem;
  assign pushed = '{kind: kind, pair: pair, pc: pc_q + 32'(pair), serial: serial_q + 32'(pair),
                    update: update && kind != seq_pkg::KindRejected, sem: update_sem,
                    delta: (kind == seq_pkg::KindRejected) ? {8'd0, rejection} : update_delta};
  assign upd_take_o = take;
  seq_retire u_retire (
    .clk_i, .rst_ni, .running_i(state_q == defs_pkg::SeqStateRunning),
    .push_i(push), .ready_o(queue_ready), .pushed_i(pushed), .room_value_i, .hold_o(hold), .done_i,
    .head_valid_o(head_valid), .head_kind_o(head_kind), .head_cause_o(head_cause), .head_pc_o(head_pc),
    .head_serial_o(head_serial), .pop_o(pop),
    .take_i(take), .take_sem_i(take_sem), .take_value_i(take_value),
    .upd_valid_o, .upd_o, .upd_pc_o, .upd_serial_o, .upd_error_i,
    .error_pc_o(upd_error_pc), .error_serial_o(upd_error_serial)
  );
  assign head_is_engine = head_kind == seq_pkg::KindEngine;

  // ---------------------------------------------------------------- state
  defs_pkg::error_cause_e cause_d, cause_q;
  logic ending_d, ending_q;  // END reached the head
  logic event_d, event_q;

  always_comb begin
    state_d     = state_q;
    pc_d        = pc_q;
    serial_d    = serial_q + (push ? (pair ? 32'd2 : 32'd1) : 32'd0);
    cause_d     = cause_q;
    issuing_d   = issuing_q;
    ending_d    = ending_q;
    event_d     = event_q && !event_ready_i;
    fetch_start = 1'b0;
    fetch_stop  = 1'b0;

    if (push) begin
      issuing_d  = kind == seq_pkg::KindEngine || kind == seq_pkg::KindOwn;
      fetch_stop = !issuing_d;
      if (issuing_d) pc_d = 32'(next_pc);
    end

    unique case (state_q)
      defs_pkg::SeqStateIdle, defs_pkg::SeqStateDone: begin
        if (start_i) begin
          state_d   = defs_pkg::SeqStateRunning;
          pc_d      = '0;
          ending_d  = 1'b0;
          issuing_d = 1'b1;
          if (start_cause != defs_pkg::ErrorCauseNone) begin
            state_d   = defs_pkg::SeqStateError;
            cause_d   = start_cause;
            issuing_d = 1'b0;
          end else begin
            fetch_start = 1'b1;
          end
        end
      end
      defs_pkg::SeqStateRunning: begin
        if (pop && head_kind == seq_pkg::KindEnd) ending_d = 1'b1;
        if (ending_q && fetch_idle) begin
          state_d = defs_pkg::SeqStateDone;
        end
        if (upd_error_i) begin
          state_d = defs_pkg::SeqStateError;
          cause_d = defs_pkg::ErrorCauseSemaphoreOverflow;
          pc_d     = upd_error_pc;
          serial_d = upd_error_serial;
        end else if (head_valid && !take && (head_kind == seq_pkg::KindRejected || (error_valid_i && head_is_engine && !pop))) begin
          state_d = defs_pkg::SeqStateError;
          cause_d = head_is_engine ? error_cause_i : defs_pkg::error_cause_e'(head_cause);
          pc_d     = head_pc;
          serial_d = head_serial;
        end
      end
      default: ;  // stopped by an error: until reset
    endcase

    if (state_d != state_q && (state_d == defs_pkg::SeqStateDone ||
                               state_d == defs_pkg::SeqStateError)) event_d = 1'b1;
    if (state_d == defs_pkg::SeqStateError && state_q == defs_pkg::SeqStateRunning) begin
      issuing_d  = 1'b0;
      fetch_stop = 1'b1;
    end
  end

  assign state_o       = state_q;
  assign pc_o          = pc_q;
  assign cause_o       = cause_q;
  assign event_valid_o = event_q;
  assign quiet_o       = state_q != defs_pkg::SeqStateRunning && fetch_idle && !event_q;
  assign asleep_o      = quiet_o || (state_q == defs_pkg::SeqStateRunning && fetch_settled && fetched_valid &&
                                     !condition && !waited_q && !head_valid);

  // ---------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      state_q   <= defs_pkg::SeqStateIdle;
      pc_q      <= '0;
      cause_q   <= defs_pkg::ErrorCauseNone;
      issuing_q <= 1'b0;
      waited_q  <= 1'b0;
      ending_q  <= 1'b0;
      event_q   <= 1'b0;
      serial_q  <= '0;
    end else begin
      state_q   <= state_d;
      pc_q      <= pc_d;
      cause_q   <= cause_d;
      issuing_q <= issuing_d;
      waited_q  <= waited_d;
      ending_q  <= ending_d;
      event_q   <= event_d;
      serial_q  <= serial_d;
    end
  end

  // ---------------------------------------------------------------- assertions
  // The host rings only a sequencer that is idle or done.
  `ASSERT_NOW(StartWhenStopped_A,
    start_i -> state_q == defs_pkg::SeqStateIdle || state_q == defs_pkg::SeqStateDone)
  // A load that was begun goes on until its word is here, unless an error stops the stream.
  `ASSERT(LoadStays_A, load && !push |=> load || state_q == defs_pkg::SeqStateError)
  // An engine stops at what it has not done.
  `ASSERT_NOW(ErrorIsOfTheOldest_A, error_valid_i && head_valid && head_is_engine && !pop && !take && !upd_error_i &&
    state_q == defs_pkg::SeqStateRunning -> error_serial_i == head_serial)
  // Of an instruction that takes and fails, the take is seen first.
  `ASSERT(TakeBeforeError_A, take && !upd_error_i && state_q == defs_pkg::SeqStateRunning |=>
    state_q != defs_pkg::SeqStateError)
  // What an engine sees names no register, where its row has something.
  `ASSERT_NOW(NoRegisterLeaves_A, second_valid_o -> second_o.size_reg == '0 && instr_o.size_reg == '0 &&
    (second_o.src0.index == '0 || second_o.src0.space == defs_pkg::SpaceNone))
  // What is predicted is a branch.
  `ASSERT_NOW(OnlyBranchesArePredicted_A, fetched_valid && predicted -> is_branch)
  // An offered instruction stays, unless an error stops the stream.
  `ASSERT(StalledStaysValid_A,
    instr_valid_o && !instr_ready_i |=> instr_valid_o || state_q == defs_pkg::SeqStateError)

endmodule
