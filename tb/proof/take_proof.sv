// SPDX-License-Identifier: Apache-2.0
// seq_wait on a semaphore that others fill at will, with the timing of `semaphores`: no token is taken twice or from
// nothing, none is lost, and whoever waits goes when there is enough.
module take_proof (
  input logic clk_i,
  input logic [1:0] op_i,     // of the next instruction
  input logic sem_i,
  input logic [2:0] least_i,
  input logic want_i,         // the sequencer could issue the one at hand
  input logic [1:0] give_i,   // others, to semaphore 0: 0 .. 3, if there is room
  input logic [2:0] other_i   // the value of semaphore 1
);

  logic rst_ni = 1'b0;
  always_ff @(posedge clk_i) rst_ni <= 1'b1;

  // ---------------------------------------------------------------- semaphore 0
  // An update is registered, then applied: on the wait port two edges after it was offered. All of one cycle add up.
  logic [2:0] value_q = '0, take_value, upd_take_q = '0;
  logic [1:0] give, upd_give_q = '0;
  logic take, take_sem, met;
  logic [5:0] room;  // for what others may give now, what is on its way included
  assign room = 6'd7 - 6'(value_q) - 6'(upd_give_q);
  assign give = (6'(give_i) <= room) ? give_i : 2'd0;
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      upd_give_q <= give;
      upd_take_q <= (take && !take_sem) ? take_value : 3'd0;
      value_q    <= value_q + 3'(upd_give_q) - upd_take_q;
    end
  end

  // ---------------------------------------------------------------- the taker
  // An instruction stays until it issues.
  logic issue, sem = 1'b0;
  logic [1:0] op = 2'd0;
  logic [2:0] least = 3'd0;
  assign issue = want_i && met && rst_ni;
  always_ff @(posedge clk_i) begin
    if (issue) {op, sem, least} <= {op_i, sem_i, least_i};
  end
  seq_wait #(.NameBits(1), .Bits(3)) u_wait (
    .clk_i, .rst_ni, .op_i(op), .sem_i(sem), .least_i(least), .value_i(sem ? other_i : value_q), .met_o(met),
    .issue_i(issue), .take_o(take), .take_sem_o(take_sem), .take_value_o(take_value)
  );

  // Registers of the block, by name.
  (* hierconn *) logic \u_wait.take_q , \u_wait.applied_q , \u_wait.sem_q , \u_wait.applied_sem_q ;
  (* hierconn *) logic [2:0] \u_wait.value_q ;

  // ---------------------------------------------------------------- what must be
  // Tokens there would be if everything were done at once, and those the taker was promised.
  logic [5:0] given = '0, promised = '0;
  logic [5:0] free, under_way;
  logic taken_now;
  assign taken_now = issue && op == defs_pkg::WaitOpTake && !sem;
  assign free      = given - promised;
  assign under_way = (take && !take_sem) ? 6'(take_value) : 6'd0;
  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      given <= given + 6'(give);
      if (taken_now) promised <= promised + 6'(least);
    end
  end

  logic [1:0] starved = '0;  // cycles that a take waits although there is enough
  always_ff @(posedge clk_i) begin
    if (!rst_ni || met || sem || op != defs_pkg::WaitOpTake || free < 6'(least)) starved <= '0;
    else starved <= starved + 2'd1;
  end

  always_comb begin
    if (rst_ni) begin
      // Nothing lost, nothing doubled: the value is what was given less what was promised, give or take what is under way.
      assert (6'(value_q) + 6'(upd_give_q) - 6'(upd_take_q) - under_way == free);
      // Never below zero, and no more than fits.
      assert (upd_take_q <= value_q && under_way <= 6'(value_q) && free <= 6'd7);
      // What the taker has not been told yet it does not act on.
      if (under_way != '0) assert (upd_take_q == '0);
      if (taken_now) assert (6'(least) <= free);
      // It waits no longer than a token and a take need to show.
      assert (starved <= 2'd2);
      // How the block's registers go with the semaphore's.
      assert (take == \u_wait.take_q && take_sem == \u_wait.sem_q && take_value == \u_wait.value_q );
      if (upd_take_q != '0) assert (\u_wait.applied_q && !\u_wait.applied_sem_q );
    end
  end

endmodule
