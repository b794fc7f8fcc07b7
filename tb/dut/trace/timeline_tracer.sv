// SPDX-License-Identifier: Apache-2.0
// Reports what the engines of one core are doing, for the timeline: instructions issued and retired,
// why a sequencer waits, weights loaded and tiles streamed, descriptors worked on. It is silent
// while nothing changes.
module timeline_tracer (
  input logic clk_i,
  input logic rst_ni,
  input logic core_id_i,

  // sequencers
  input logic [3:0]       running_i,
  input logic [3:0]       issuing_i,         // END was not issued yet
  input logic [3:0]       push_i,
  input logic             pair_i,            // the tensor engine's: with the instruction behind it
  input logic [3:0]       pop_i,
  input logic [3:0]       fetched_i,
  input logic [3:0]       met_i,             // the wait condition holds, or held
  input logic [3:0]       hold_i,
  input logic [3:0][31:0] pc_i,
  input logic [3:0][8:0]  sem_i,

  // tensor engine
  input logic [5:0]       serial_i,          // of pc_i[0]; low bits, as of all serials here
  input logic             load_start_i,
  input logic [5:0]       load_serial_i,
  input logic             load_busy_i,       // it reads
  input logic [1:0]       moving_start_i,
  input logic [5:0]       moving_serial_i,
  input logic [1:0]       moving_busy_i,     // they read

  // DMA: the oldest descriptor of an engine has ended; one is loaded
  input logic             dma_end_i,
  input logic [3:0]       dma_end_engine_i,
  input logic             dma_load_i,
  input logic [3:0]       dma_load_engine_i,
  input logic [31:0]      dma_load_pc_i
);
  import timeline_dpi::*;

  // enum Reason of tb/dut/trace/event.h
  localparam logic [2:0] Stopped = 3'd0, None = 3'd1, Semaphore = 3'd2, Fetch = 3'd3,
                         Engine = 3'd4, Update = 3'd5, Ending = 3'd6;

  logic [3:0][2:0] reason, reason_q;
  always_comb begin
    for (int unsigned s = 0; s < 4; s++) begin
      if (!running_i[s])       reason[s] = Stopped;
      else if (!issuing_i[s])  reason[s] = Ending;
      else if (push_i[s])      reason[s] = None;
      else if (!fetched_i[s])  reason[s] = Fetch;
      else if (!met_i[s])      reason[s] = Semaphore;
      else if (hold_i[s])      reason[s] = Update;
      else                     reason[s] = Engine;
    end
  end

  // The pc of each operation that the engine may still be at, as in core_tracer.
  logic [31:0] pc_q [64];
  always_ff @(posedge clk_i) begin
    if (push_i[0]) pc_q[serial_i] <= pc_i[0];
    if (push_i[0] && pair_i) pc_q[serial_i + 6'd1] <= pc_i[0] + 1;
  end

  logic load_q;
  logic [1:0] moving_q;
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      reason_q <= '0;
      load_q   <= 1'b0;
      moving_q <= '0;
    end else begin
      reason_q <= reason;
      load_q   <= load_busy_i;
      moving_q <= moving_busy_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_ni) begin
      if ((push_i | pop_i) != '0 || reason != reason_q) begin
        for (int unsigned s = 0; s < 4; s++) begin
          if (pop_i[s]) dodeca_timeline(Retire, 32'(core_id_i), s, 0, 0);
          if (push_i[s]) dodeca_timeline(Issue, 32'(core_id_i), s, pc_i[s], 0);
          if (push_i[s] && s == 0 && pair_i) begin
            dodeca_timeline(Issue, 32'(core_id_i), s, pc_i[s] + 1, 0);
          end
          if (reason[s] != reason_q[s]) begin
            dodeca_timeline(Stall, 32'(core_id_i), s, pc_i[s], {15'd0, sem_i[s], 5'd0, reason[s]});
          end
        end
      end
      // An end is seen one cycle after the last busy one; a start in that cycle ends the older first.
      if (load_q && !load_busy_i) dodeca_timeline(LoadEnd, 32'(core_id_i), 0, 0, 0);
      if (load_start_i) dodeca_timeline(LoadStart, 32'(core_id_i), 0, pc_q[load_serial_i], 0);
      for (int unsigned m = 0; m < 2; m++) begin
        if (moving_q[m] && !moving_busy_i[m]) dodeca_timeline(StreamEnd, 32'(core_id_i), m, 0, 0);
        if (moving_start_i[m]) dodeca_timeline(StreamStart, 32'(core_id_i), m, pc_q[moving_serial_i], 0);
      end
      if (dma_end_i) dodeca_timeline(DescriptorEnd, 32'(core_id_i), 32'(dma_end_engine_i), 0, 0);
      if (dma_load_i) begin
        dodeca_timeline(DescriptorStart, 32'(core_id_i), 32'(dma_load_engine_i), dma_load_pc_i, 0);
      end
    end
  end

endmodule

bind core timeline_tracer u_timeline (
  .clk_i, .rst_ni, .core_id_i,
  .running_i({seq_state_o[3] == 2'd1, seq_state_o[2] == 2'd1, seq_state_o[1] == 2'd1,
              seq_state_o[0] == 2'd1}),
  .issuing_i({gen_seq[3].u_sequencer.issuing_q, gen_seq[2].u_sequencer.issuing_q,
              gen_seq[1].u_sequencer.issuing_q, gen_seq[0].u_sequencer.issuing_q}),
  .push_i({gen_seq[3].u_sequencer.push, gen_seq[2].u_sequencer.push,
           gen_seq[1].u_sequencer.push, gen_seq[0].u_sequencer.push}),
  .pair_i(gen_seq[0].u_sequencer.pair),
  .pop_i({gen_seq[3].u_sequencer.pop, gen_seq[2].u_sequencer.pop,
          gen_seq[1].u_sequencer.pop, gen_seq[0].u_sequencer.pop}),
  .fetched_i({gen_seq[3].u_sequencer.fetched_valid, gen_seq[2].u_sequencer.fetched_valid,
              gen_seq[1].u_sequencer.fetched_valid, gen_seq[0].u_sequencer.fetched_valid}),
  .met_i({gen_seq[3].u_sequencer.condition || gen_seq[3].u_sequencer.waited_q,
          gen_seq[2].u_sequencer.condition || gen_seq[2].u_sequencer.waited_q,
          gen_seq[1].u_sequencer.condition || gen_seq[1].u_sequencer.waited_q,
          gen_seq[0].u_sequencer.condition || gen_seq[0].u_sequencer.waited_q}),
  .hold_i({gen_seq[3].u_sequencer.hold, gen_seq[2].u_sequencer.hold,
           gen_seq[1].u_sequencer.hold, gen_seq[0].u_sequencer.hold}),
  .pc_i({gen_seq[3].u_sequencer.pc_q, gen_seq[2].u_sequencer.pc_q,
         gen_seq[1].u_sequencer.pc_q, gen_seq[0].u_sequencer.pc_q}),
  .sem_i({gen_seq[3].u_sequencer.wait_sem_o, gen_seq[2].u_sequencer.wait_sem_o,
          gen_seq[1].u_sequencer.wait_sem_o, gen_seq[0].u_sequencer.wait_sem_o}),
  .serial_i(gen_seq[0].u_sequencer.serial_q[5:0]), .load_start_i(u_tensor.load_start), .load_serial_i(u_tensor.load_tile.serial[5:0]),
  .load_busy_i(u_tensor.u_load.walk_valid),
  .moving_start_i(u_tensor.moving_start), .moving_serial_i(u_tensor.moving_tile.serial[5:0]),
  .moving_busy_i({u_tensor.u_lower_stream.walk_valid, u_tensor.u_stream.walk_valid}),
  .dma_end_i(u_dma.done_valid), .dma_end_engine_i(4'(u_dma.done_engine)),
  .dma_load_i(u_dma.u_engines.load), .dma_load_engine_i(4'(u_dma.u_engines.loader)), .dma_load_pc_i(u_dma.u_engines.next_pc)
);
