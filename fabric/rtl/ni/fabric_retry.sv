// SPDX-License-Identifier: Apache-2.0
// When a core's sender may forget a packet, and when it must send it again.
//
//   acknowledgement: numbers of 4 VNs --> target, one row per chip --> release, packet by packet
//   timer, resend_i ------------------> due flows ------------------> rewind, or give up
//
// A flow that made no progress from one tick to the next is sent again from its oldest packet; the
// receiver drops what it has already. After RetryTries such repeats in a row without progress the
// destination is given up: its packets are reported as lost and new ones rejected.
module fabric_retry #(
  localparam int unsigned Flows = 64,
  localparam int unsigned Chips = 16
) (
  input  logic clk_i,
  input  logic rst_ni,

  // An acknowledgement from a chip: what it expects next, VN i in slice i.
  input  logic ack_valid_i,
  input  logic [3:0] ack_src_i,
  input  logic [63:0] ack_seq_i,

  // A flow's packets are forbidden where they go: it is given up.
  input  logic ban_i,
  input  logic [5:0] ban_flow_i,

  input  logic tick_i,
  input  logic resend_i,

  // Towards fabric_flows; turn_i: a command may be given now.
  input  logic turn_i,
  input  logic [Flows-1:0] kept_i,
  output logic ask_o,
  output logic [5:0] flow_o,
  output logic release_o,
  output logic rewind_o,
  input  logic [15:0] unacked_i,
  input  logic [15:0] acked_i,
  input  logic held_i,

  output logic [Flows-1:0] lost_o,   // flows that were given up
  output logic [Flows-1:0] banned_o,
  output logic lost_valid_o,         // a packet of one is dropped,
  output logic lost_banned_o,        // a forbidden one
  output logic [31:0] resends_o,     // flows sent again so far

  output logic busy_o,  // something to do, not only to wait for
  output logic idle_o
);

  // ---------------------------------------------------------------- choice
  // Flow {vn, chip}. In this order: a flow that is being given up, a due flow, a row of numbers.
  logic [Flows-1:0] due_q, late_q, stale_q, tried_q, lost_q, banned_q, first_due;  // late: due by the timer
  logic [3:0] tries [Flows];
  logic [63:0] target [Chips];
  logic [Chips-1:0] todo_q, ahead, first_row;
  logic drop_q;                      // giving up flow drop_flow_q
  logic [5:0] drop_flow_q, due_flow;
  logic row_valid_q, left_q;         // left: a packet of this row is in a lane
  logic [3:0] row_q, next_row;
  logic [1:0] vn_q;
  logic [3:0] tries_now;
  logic look_due, look_row, give_up, step_vn;
  logic [15:0] remain;
  assign look_due = !drop_q && due_q != '0;
  assign look_row = !drop_q && due_q == '0 && row_valid_q;

  always_comb begin
    first_due = '0;
    due_flow  = '0;
    ahead     = '0;
    first_row = '0;
    next_row  = '0;
    if (look_due) begin
      first_due = due_q & (~due_q + Flows'(1));
      for (int unsigned i = 0; i < Flows; i++) begin
        if (first_due[i]) due_flow = due_flow | 6'(i);
      end
    end
    if (todo_q != '0 && !row_valid_q) begin
      ahead     = todo_q & ({Chips{1'b1}} << (row_q + 4'd1));
      first_row = (ahead != '0) ? ahead : todo_q;
      first_row = first_row & (~first_row + Chips'(1));
      for (int unsigned i = 0; i < Chips; i++) begin
        if (first_row[i]) next_row = next_row | 4'(i);
      end
    end
  end

  // ---------------------------------------------------------------- action
  logic acknowledged;
  assign ask_o  = drop_q || due_q != '0 || row_valid_q;
  assign flow_o = drop_q ? drop_flow_q : look_due ? due_flow : {vn_q, row_q};
  always_comb begin
    remain       = '0;
    acknowledged = 1'b0;
    tries_now    = '0;
    give_up      = 1'b0;
    rewind_o     = 1'b0;
    release_o    = 1'b0;
    step_vn      = 1'b0;
    if (ask_o) begin
      if (look_due) begin
        tries_now = tried_q[flow_o] ? tries[flow_o] : '0;
        give_up   = turn_i && kept_i[flow_o] &&
                    (banned_q[flow_o] || (late_q[flow_o] && tries_now == 4'(defs_pkg::RetryTries)));
        rewind_o  = turn_i && kept_i[flow_o] && !give_up;
      end
      if (look_row) begin
        remain       = target[row_q][16*vn_q +: 16] - acked_i;
        acknowledged = kept_i[flow_o] && remain != '0 && remain <= unacked_i;
        step_vn      = turn_i && (!acknowledged || held_i);
      end
      release_o = turn_i && !held_i && (drop_q ? kept_i[flow_o] : acknowledged);
    end
  end

  // ---------------------------------------------------------------- registers
  logic [31:0] resends_q;
  always_ff @(posedge clk_i) begin
    if (ack_valid_i) target[ack_src_i] <= ack_seq_i;
    if (rewind_o && late_q[flow_o]) tries[flow_o] <= tries_now + 4'd1;
  end

  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      due_q       <= '0;
      late_q      <= '0;
      stale_q     <= '0;
      tried_q     <= '0;
      lost_q      <= '0;
      banned_q    <= '0;
      todo_q      <= '0;
      drop_q      <= 1'b0;
      drop_flow_q <= '0;
      row_valid_q <= 1'b0;
      left_q      <= 1'b0;
      row_q       <= '0;
      vn_q        <= '0;
      resends_q   <= '0;
    end else if (ack_valid_i || ban_i || tick_i || resend_i || todo_q != '0 || ask_o) begin
      // rows
      if (!row_valid_q && todo_q != '0) begin
        row_valid_q      <= 1'b1;
        row_q            <= next_row;
        todo_q[next_row] <= 1'b0;
        vn_q             <= '0;
        left_q           <= 1'b0;
      end
      if (step_vn) begin
        vn_q   <= vn_q + 2'd1;
        left_q <= left_q || acknowledged;
        if (vn_q == 2'd3) begin
          row_valid_q <= 1'b0;
          if (left_q || acknowledged) todo_q[row_q] <= 1'b1;
        end
      end
      if (ack_valid_i) todo_q[ack_src_i] <= 1'b1;
      // progress
      if (release_o && !drop_q) begin
        stale_q[flow_o] <= 1'b0;
        tried_q[flow_o] <= 1'b0;
      end
      // repeats
      if (rewind_o) begin
        if (late_q[flow_o]) tried_q[flow_o] <= 1'b1;
        resends_q       <= resends_q + 32'd1;
      end
      if (give_up) begin
        drop_q         <= 1'b1;
        drop_flow_q    <= flow_o;
        lost_q[flow_o] <= 1'b1;
      end else if (drop_q && !kept_i[flow_o]) begin
        drop_q <= 1'b0;
      end
      due_q <= (due_q & ~(turn_i ? first_due : '0)) | (tick_i ? kept_i & stale_q : '0) |
               (resend_i ? kept_i : '0) | (ban_i ? Flows'(1) << ban_flow_i : '0);
      if (ban_i) begin
        banned_q[ban_flow_i] <= 1'b1;
        lost_q[ban_flow_i]   <= 1'b1;
      end
      late_q <= (late_q & ~(turn_i ? first_due : '0)) | (tick_i ? kept_i & stale_q : '0);
      if (tick_i) stale_q <= kept_i;
    end
  end
  assign lost_o       = lost_q;
  assign banned_o     = banned_q;
  assign lost_valid_o = release_o && drop_q;
  assign lost_banned_o = banned_q[drop_flow_q];
  assign resends_o    = resends_q;
  assign busy_o       = ask_o || todo_q != '0;
  assign idle_o       = !drop_q && kept_i == '0;

endmodule
