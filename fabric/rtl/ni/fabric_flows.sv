// SPDX-License-Identifier: Apache-2.0
// Queues of packets by flow {VN, destination}: which blocks of the store hold them, what of them was
// sent, what was acknowledged. Pointers only; the words are in fabric_ni_tx.
//
//   head (oldest not acknowledged) --> ... --> send (next to go) --> ... --> tail (newest)
//   number:  acked                             sent                          filled - 1
//
// Blocks of a packet are chained, and packets of a flow too, so a packet of any length takes just the
// blocks it needs and goes back to the free list in one step. To repeat a flow from its oldest packet
// is to move `send` back to `head`.
module fabric_flows #(
  localparam int unsigned Flows = 64,
  localparam int unsigned Blocks = defs_pkg::RetryFlits,
  localparam int unsigned BlockBits = $clog2(Blocks)
) (
  input  logic clk_i,
  input  logic rst_ni,

  // Filling: write_i takes block_o, behind block link_i if link_valid_i.
  output logic block_valid_o,
  output logic [BlockBits-1:0] block_o,
  input  logic write_i,
  input  logic link_valid_i,
  input  logic [BlockBits-1:0] link_i,

  // A packet is complete: blocks first .. block_o; or rejected, then its blocks go back.
  input  logic append_i,
  input  logic [5:0] append_flow_i,
  input  logic [BlockBits-1:0] append_first_i,
  input  logic [4:0] append_len_i,
  output logic [15:0] append_seq_o,
  input  logic drop_i,
  input  logic [BlockBits-1:0] drop_first_i,
  input  logic [BlockBits-1:0] drop_last_i,
  input  logic [4:0] drop_len_i,

  // Two lanes: a flow's next packet is picked; then its blocks, one after the other.
  input  logic [1:0] pick_i,
  input  logic [11:0] pick_flow_i,
  output logic [9:0] pick_len_o,
  input  logic [1:0] next_i,
  output logic [2*BlockBits-1:0] at_o,
  input  logic [1:0] lane_valid_i,

  // fabric_retry: free the oldest packet of a flow, or send again from there; never with an append,
  // a drop or a pick.
  input  logic ask_i,
  input  logic [5:0] flow_i,
  input  logic release_i,
  input  logic rewind_i,
  output logic [15:0] unacked_o,      // packets of flow_i, while ask_i
  output logic [15:0] acked_o,
  output logic held_o,                // its oldest packet is in a lane

  output logic [Flows-1:0] kept_o,    // flows with packets not acknowledged
  output logic [Flows-1:0] ready_o    // with packets to send
);

  // ---------------------------------------------------------------- state
  logic [BlockBits-1:0] next [Blocks];   // of the packet, of the flow, or of the free list
  logic [BlockBits+4:0] shape [Blocks];  // {last block, len} of the packet that starts here
  logic [BlockBits-1:0] head [Flows];
  logic [BlockBits-1:0] send [Flows];
  logic [BlockBits-1:0] tail [Flows];
  logic [15:0] acked [Flows];
  logic [15:0] sent [Flows];
  logic [15:0] filled [Flows];
  logic [Flows-1:0] used_q, kept_q, ready_q;  // used: the arrays above mean something
  assign kept_o  = kept_q;
  assign ready_o = ready_q;

  // ---------------------------------------------------------------- free blocks
  // Those never used in turn, then a list.
  logic [BlockBits:0] fresh_q, listed_q;
  logic [BlockBits-1:0] list_q;
  logic give, from_list;
  logic [BlockBits-1:0] give_first, give_last;
  logic [4:0] give_len;
  assign from_list     = fresh_q[BlockBits];
  assign block_valid_o = !from_list || listed_q != '0;
  assign block_o       = from_list ? list_q : fresh_q[BlockBits-1:0];
  assign give          = drop_i || release_i;
  always_comb begin
    give_first = drop_first_i;
    give_last  = drop_last_i;
    give_len   = drop_len_i;
    if (release_i) begin
      give_first = head[flow_i];
      give_last  = shape[give_first][BlockBits+4:5];
      give_len   = shape[give_first][4:0];
    end
  end

  // ---------------------------------------------------------------- picking
  logic [5:0] flow0, flow1;
  logic [BlockBits-1:0] at0_q, at1_q, first0_q, first1_q;
  logic more0, more1;
  assign flow0      = pick_flow_i[5:0];
  assign flow1      = pick_flow_i[11:6];
  always_comb begin
    more0      = 1'b0;
    more1      = 1'b0;
    pick_len_o = '0;
    if (pick_i[0]) begin
      more0           = sent[flow0] + 16'd1 != filled[flow0];
      pick_len_o[4:0] = shape[send[flow0]][4:0];
    end
    if (pick_i[1]) begin
      more1           = sent[flow1] + 16'd1 != filled[flow1];
      pick_len_o[9:5] = shape[send[flow1]][4:0];
    end
  end
  assign at_o       = {at1_q, at0_q};

  always_ff @(posedge clk_i) begin
    if (pick_i[0]) begin
      at0_q    <= send[flow0];
      first0_q <= send[flow0];
    end else if (next_i[0]) begin
      at0_q <= next[at0_q];
    end
    if (pick_i[1]) begin
      at1_q    <= send[flow1];
      first1_q <= send[flow1];
    end else if (next_i[1]) begin
      at1_q <= next[at1_q];
    end
  end

  // ---------------------------------------------------------------- for fabric_retry
  logic moves_send;  // what is freed was to be sent again
  always_comb begin
    unacked_o  = '0;
    acked_o    = '0;
    held_o     = 1'b0;
    moves_send = 1'b0;
    if (ask_i && kept_q[flow_i]) begin
      unacked_o  = filled[flow_i] - acked[flow_i];
      acked_o    = acked[flow_i];
      held_o     = (lane_valid_i[0] && first0_q == head[flow_i]) ||
                   (lane_valid_i[1] && first1_q == head[flow_i]);
      moves_send = ready_q[flow_i] && sent[flow_i] == acked[flow_i];
    end
  end

  // ---------------------------------------------------------------- arrays
  assign append_seq_o = used_q[append_flow_i] ? filled[append_flow_i] : '0;
  always_ff @(posedge clk_i) begin
    if (write_i && link_valid_i) next[link_i] <= block_o;
    if (append_i) begin
      shape[append_first_i] <= {block_o, append_len_i};
      filled[append_flow_i] <= append_seq_o + 16'd1;
      tail[append_flow_i]   <= block_o;
      if (kept_q[append_flow_i]) begin
        next[tail[append_flow_i]] <= append_first_i;
      end else begin
        head[append_flow_i]  <= append_first_i;
        acked[append_flow_i] <= append_seq_o;
      end
      if (!ready_q[append_flow_i]) begin
        send[append_flow_i] <= append_first_i;
        sent[append_flow_i] <= append_seq_o;
      end
    end
    // A packet that is appended in this very cycle is next if there was no other.
    if (pick_i[0]) begin
      sent[flow0] <= sent[flow0] + 16'd1;
      send[flow0] <= more0 ? next[shape[send[flow0]][BlockBits+4:5]] : append_first_i;
    end
    if (pick_i[1]) begin
      sent[flow1] <= sent[flow1] + 16'd1;
      send[flow1] <= more1 ? next[shape[send[flow1]][BlockBits+4:5]] : append_first_i;
    end
    if (release_i) begin
      head[flow_i]  <= next[give_last];
      acked[flow_i] <= acked[flow_i] + 16'd1;
      if (moves_send) begin
        send[flow_i] <= next[give_last];
        sent[flow_i] <= sent[flow_i] + 16'd1;
      end
    end
    if (rewind_i) begin
      send[flow_i] <= head[flow_i];
      sent[flow_i] <= acked[flow_i];
    end
    if (give) next[give_last] <= (write_i && from_list) ? next[list_q] : list_q;
  end

  // ---------------------------------------------------------------- registers
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      used_q   <= '0;
      kept_q   <= '0;
      ready_q  <= '0;
      fresh_q  <= '0;
      listed_q <= '0;
      list_q   <= '0;
    end else if (write_i || give || pick_i != '0 || rewind_i) begin
      if (pick_i[0] && !more0) ready_q[flow0] <= 1'b0;
      if (pick_i[1] && !more1) ready_q[flow1] <= 1'b0;
      if (append_i) begin
        used_q[append_flow_i]  <= 1'b1;
        kept_q[append_flow_i]  <= 1'b1;
        ready_q[append_flow_i] <= 1'b1;
      end
      if (rewind_i) ready_q[flow_i] <= 1'b1;
      if (release_i && unacked_o == 16'd1) begin
        kept_q[flow_i]  <= 1'b0;
        ready_q[flow_i] <= 1'b0;
      end
      if (write_i && !from_list) fresh_q <= fresh_q + (BlockBits+1)'(1);
      if (give) list_q <= give_first;
      else if (write_i && from_list) list_q <= next[list_q];
      // A packet of one flit has a block too, one of more has one less than flits.
      listed_q <= listed_q - (BlockBits+1)'(write_i && from_list) +
                  (give ? (BlockBits+1)'(give_len) - (BlockBits+1)'(give_len != 5'd1) : '0);
    end
  end

  // ---------------------------------------------------------------- assertions
  always_ff @(posedge clk_i) begin
    if (rst_ni && (write_i || give || pick_i != '0 || rewind_i)) begin
      // Blocks are conserved: no more are free than there are.
      BlocksConserved_A: assert (listed_q <= fresh_q && (!write_i || block_valid_o));
      // One thing at a time.
      Exclusive_A: assert (!(release_i || rewind_i) || !(append_i || drop_i || pick_i != '0));
      // Only what is there is sent, repeated or freed; what is in a lane stays.
      PickIsReady_A: assert ((!pick_i[0] || ready_q[flow0]) && (!pick_i[1] || ready_q[flow1]) &&
                             (pick_i != '1 || flow0 != flow1));
      ReleaseIsKept_A: assert (!(release_i || rewind_i) ||
                               (kept_q[flow_i] && !(release_i && held_o)));
      // Nothing is to be sent that is not kept.
      ReadyIsKept_A: assert ((ready_q & ~kept_q) == '0);
    end
  end

endmodule
