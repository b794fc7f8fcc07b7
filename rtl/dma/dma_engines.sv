// SPDX-License-Identifier: Apache-2.0
// The DMA engines of a core: descriptors are checked and loaded, and their rows walked.
//
//   load   one engine per cycle, whose descriptor has no read left: check the next one that was fetched, and take it
//   name   one engine per cycle: the place of its next row, out of its list of indices (dma_index)
//   issue  one engine per cycle: start the line read of its next beat
//
// A descriptor is loaded, and reads, while its predecessors still write, unless it reads what they
// write (dma_order); it writes when they have ended (dma_finish). One that clashes waits until the engine has
// nothing open, and so does a fault, which stops the engine: older ones go first.
//
// An engine earns one line per turn of Engines cycles, and keeps up to two: so each gets its share of a line per
// cycle, and one that was idle starts at once. Of those that may, one goes first that reads another memory than the
// last one did: two cores that ask the same stack soon take turns at both. Rows are cut into beats
//   local:  min(left in the row, to the end of the source line, to the end of the destination line)
//   remote: min(left in the row, to the end of the source line, to the end of the packet)
// and if there is a second source, also to the end of its line: that is read first, and kept for the beat. Of a cast
// the source's bytes are counted, up to as many elements as dma_pkg makes at once, and to the end of either line.
//
// A row that is left out takes the cycle in which it is named. If it is the last one, or stops the engine, a byte is
// read for a beat that is dropped: what ends behind older writes, ends in their order.
`include "assert.svh"

module dma_engines #(
  localparam int unsigned Engines = size_pkg::DmaEngines,
  localparam int unsigned EngineBits = $clog2(Engines)
) (
  input  logic clk_i,
  input  logic rst_ni,
  input  logic [9:0] chip_id_i,
  input  logic [4:0] ring_size_i,
  input  logic core_id_i,
  input  defs_pkg::peer_access_t peer_i,

  // dma_fetch: engines with work; the oldest descriptor fetched of the engine that is looked at
  input  logic [Engines-1:0] work_i,
  input  logic [Engines-1:0] next_valid_i,
  output logic next_look_o,
  output logic [EngineBits-1:0] next_engine_o,
  input  defs_pkg::descriptor_t next_i,
  input  logic next_start_i,
  input  logic [23:0] next_start_pc_i,
  input  defs_pkg::error_cause_e next_cause_i,
  output logic next_take_o,

  // dma_fetch: read a line of descriptors; before data
  input  logic fetch_valid_i,
  output logic fetch_ready_o,
  input  logic [EngineBits-1:0] fetch_engine_i,
  input  logic [47:0] fetch_addr_i,
  input  logic [8:0] fetch_bytes_i,

  output logic rd_req_valid_o,
  input  logic rd_req_ready_i,
  output size_pkg::mem_req_t rd_req_o,

  // dma_index: lists of indices, and the next index of the engine that is looked at
  output logic list_load_o,
  output logic [EngineBits-1:0] list_engine_o,
  output logic [47:0] list_addr_o,
  output logic [15:0] list_count_o,
  output logic [Engines-1:0] halted_o,
  input  logic [Engines-1:0] index_valid_i,
  output logic [EngineBits-1:0] index_engine_o,
  input  logic [31:0] index_i,
  output logic index_take_o,

  // dma_write: a beat whose read starts now
  output logic beat_valid_o,
  output logic [EngineBits-1:0] beat_engine_o,
  output logic [3:0] beat_seq_o,
  output dma_pkg::beat_t beat_o,
  input  logic [Engines-1:0] full_i,

  // dma_finish: a descriptor has ended; its update was rejected
  input  logic done_valid_i,
  input  logic stop_valid_i,
  input  logic stop_fault_i,                 // ... no, it had an index out of bounds
  input  logic [EngineBits-1:0] done_engine_i,
  input  logic [31:0] done_pc_i,

  output logic [Engines-1:0] error_valid_o,
  output logic [Engines-1:0][7:0] error_cause_o,
  output logic [Engines-1:0][31:0] error_pc_o
);

  localparam int unsigned LineBits = $clog2(size_pkg::LineBytes);
  localparam logic [3:0] DescSeq = 4'd15;    // tag of a descriptor read; data uses 0 .. 14

  // --- state --------------------------------------------------------------------------------
  logic [Engines-1:0] running_q;             // a descriptor is loaded that has reads left
  logic [Engines-1:0] open_q;                // open_count_q is not 0
  logic [Engines-1:0] wait_q;                // the next one waits until nothing is open
  logic [4:0] open_count_q [Engines];        // loaded, not ended
  logic [31:0] pc_q [Engines];               // of the next one of the ring to load
  logic [31:0] desc_pc_q [Engines];          // of the running one
  defs_pkg::descriptor_t desc_q [Engines];
  logic [47:0] src_row_q [Engines], src1_row_q [Engines], dst_row_q [Engines];
  logic [16:0] done_q [Engines];             // bytes of the row whose reads have started
  logic [15:0] rows_q [Engines];             // left, this one included
  logic [3:0] seq_q [Engines];
  logic [Engines-1:0] line_q, spare_q;       // lines that it may read: one, and one more
  logic [Engines-1:0] kept_q;                // the next beat's line of the second source has been asked for
  logic [Engines-1:0] indexed_q;             // the running one has a list
  logic [Engines-1:0] known_q;               // where its row is
  logic [Engines-1:0] drop_q, fault_q;       // the row is not there, and the last beat; the engine stops at it
  logic [Engines-1:0][1:0] memory_q;         // that the running one reads next
  logic [1:0] src_memory_q [Engines], src1_memory_q [Engines], dst_memory_q [Engines];
  logic [EngineBits-1:0] clock_q, load_turn_q, issue_turn_q;
  logic [1:0] last_q;                        // memory read last

  logic rd_free;
  assign rd_free       = !rd_req_valid_o || rd_req_ready_i;
  assign fetch_ready_o = rd_free;

  // --- load ---------------------------------------------------------------------------------
  logic [Engines-1:0] loadable;
  logic look, sound, clash, load, fail;
  logic [EngineBits-1:0] loader;
  logic remote_next, open;
  defs_pkg::error_cause_e check_cause, cause;
  logic [47:0] src_last, src1_last, dst_last;
  logic [19:0] dst_bytes;

  always_comb begin
    loadable = next_valid_i & work_i & ~running_q & ~error_valid_o & ~(wait_q & open_q);
    look     = loadable != '0;
    loader   = '0;
    open     = 1'b0;
    if (look) begin
      loader = EngineBits'(dma_pkg::pick_of(16'(loadable), 4'(load_turn_q)));
      open   = open_q[loader];
    end
  end
  assign next_look_o   = look;
  assign next_engine_o = loader;

  assign sound = look && next_cause_i == defs_pkg::ErrorCauseNone;
  dma_check u_check (
    .clk_i, .rst_ni, .chip_id_i, .ring_size_i, .core_id_i, .peer_i,
    .check_i(sound), .desc_i(next_i), .cause_o(check_cause), .src_last_o(src_last), .src1_last_o(src1_last),
    .dst_last_o(dst_last), .dst_bytes_o(dst_bytes)
  );
  assign cause       = sound ? check_cause : next_cause_i;
  assign remote_next = next_i.dst_chip != chip_id_i;
  dma_order u_order (
    .clk_i, .rst_ni, .look_i(look && cause == defs_pkg::ErrorCauseNone), .engine_i(loader), .open_i(open),
    .remote_i(remote_next), .desc_i(next_i), .src_last_i(src_last), .src1_last_i(src1_last),
    .dst_last_i(dst_last), .dst_bytes_i(dst_bytes),
    .clash_o(clash), .load_i(load)
  );
  assign load        = look && cause == defs_pkg::ErrorCauseNone && !clash;
  assign fail        = look && cause != defs_pkg::ErrorCauseNone && !open;
  assign next_take_o = load;

  logic [31:0] next_pc;
  always_comb begin
    next_pc = '0;
    if (look) next_pc = next_start_i ? 32'(next_start_pc_i) | (32'd1 << defs_pkg::StartedBit) : pc_q[loader];
  end

  // One ends and another is loaded, of one engine; behind the one that ends there is another one.
  logic swap, more;
  assign swap = load && done_valid_i && done_engine_i == loader;
  assign more = done_valid_i && (swap || open_count_q[done_engine_i] != 5'd1);

  assign list_load_o   = load && next_i.index_mode != defs_pkg::IndexModeNone;
  assign list_engine_o = loader;
  assign list_addr_o   = next_i.index;
  assign list_count_o  = next_i.rows;

  // --- name ---------------------------------------------------------------------------------
  logic [Engines-1:0] nameable;
  logic name, named_last, good;
  logic [EngineBits-1:0] named, name_turn_q;
  defs_pkg::descriptor_t named_desc;
  logic [47:0] stride, moved;
  logic gathers;
  always_comb begin
    nameable = indexed_q & running_q & ~known_q & index_valid_i & ~fault_q & ~error_valid_o;
    name     = nameable != '0;
    named    = '0;
    if (name) named = EngineBits'(dma_pkg::pick_of(16'(nameable), 4'(name_turn_q)));
  end
  always_comb begin
    named_desc = '0;
    named_last = 1'b0;
    gathers    = 1'b0;
    good       = 1'b0;
    stride     = '0;
    moved      = '0;
    if (name) begin
      named_desc = desc_q[named];
      named_last = rows_q[named] == 16'd1;
      gathers    = named_desc.index_mode == defs_pkg::IndexModeGather;
      good       = index_i < named_desc.bound;
      stride     = gathers ? named_desc.src_stride : named_desc.dst_stride;
      moved      = (gathers ? named_desc.src : named_desc.dst) + 48'($signed(stride[31:0]) * $signed({1'b0, index_i}));
    end
  end
  assign index_engine_o = named;
  assign index_take_o   = name;
  assign halted_o       = fault_q | error_valid_o;

  // --- issue --------------------------------------------------------------------------------
  logic [Engines-1:0] able, other;
  logic issue, remote, second, keep, row_end, packet_end, all_end;
  logic [EngineBits-1:0] engine;
  defs_pkg::descriptor_t desc;
  logic [47:0] src, src1, dst, from;
  logic [16:0] left, to_src, to_src1, to_limit, bytes, dst_done, dst_made;
  logic cast, drop;

  always_comb begin
    able       = '0;
    other      = '0;
    issue      = 1'b0;
    engine     = '0;
    desc       = '0;
    remote     = 1'b0;
    second     = 1'b0;
    cast       = 1'b0;
    drop       = 1'b0;
    dst_done   = '0;
    dst_made   = '0;
    keep       = 1'b0;
    src        = '0;
    src1       = '0;
    dst        = '0;
    from       = '0;
    left       = '0;
    to_src     = '0;
    to_src1    = '0;
    to_limit   = '0;
    bytes      = '0;
    row_end    = 1'b0;
    packet_end = 1'b0;
    all_end    = 1'b0;
    beat_o     = '0;
    if (running_q != '0 && rd_free && !fetch_valid_i) begin
      able = running_q & known_q & work_i & line_q & ~full_i & ~error_valid_o;
      for (int unsigned e = 0; e < Engines; e++) other[e] = able[e] && memory_q[e] != last_q;
      issue  = able != '0;
      if (other == '0) other = able;
      engine = EngineBits'(dma_pkg::pick_of(16'(other), 4'(issue_turn_q)));
    end
    if (issue) begin
      desc     = desc_q[engine];
      remote   = desc.dst_chip != chip_id_i;
      src      = src_row_q[engine] + 48'(done_q[engine]);
      src1     = src1_row_q[engine] + 48'(done_q[engine]);
      second   = desc.combine == defs_pkg::CombineAdd || desc.combine == defs_pkg::CombineMax;
      cast     = desc.combine == defs_pkg::CombineCast;
      drop     = drop_q[engine];
      dst_done = cast ? 17'(dma_cast_pkg::made(20'(done_q[engine]), desc.dtype, desc.dst_dtype)) : done_q[engine];
      dst      = dst_row_q[engine] + 48'(dst_done);
      keep     = second && !kept_q[engine] && !drop;
      from     = drop ? desc.src : keep ? src1 : src;
      left     = desc.row_bytes[16:0] - done_q[engine];
      to_src   = 17'(size_pkg::LineBytes) - 17'(src[LineBits-1:0]);
      to_src1  = 17'(size_pkg::LineBytes) - 17'(src1[LineBits-1:0]);
      to_limit = remote ? 17'(defs_pkg::PacketBytes) - 17'(done_q[engine][9:0])
                        : 17'(size_pkg::LineBytes) - 17'(dst[LineBits-1:0]);
      if (cast) begin
        to_limit = 17'(dma_cast_pkg::made(20'(to_limit), desc.dst_dtype, desc.dtype));
        dst_made = 17'(dma_pkg::Words) << format_pkg::element_shift(desc.dtype);
        if (dst_made < to_limit) to_limit = dst_made;
      end
      bytes    = left;
      if (to_src < bytes) bytes = to_src;
      if (second && to_src1 < bytes) bytes = to_src1;
      if (to_limit < bytes) bytes = to_limit;
      if (drop) bytes = 17'd1;
      dst_made   = cast ? 17'(dma_cast_pkg::made(20'(bytes), desc.dtype, desc.dst_dtype)) : bytes;
      row_end    = (bytes == left && !keep) || drop;
      packet_end = row_end || bytes == to_limit;
      all_end    = (row_end && rows_q[engine] == 16'd1) || drop;
      beat_o = '{from: from[LineBits-1:0], addr: dst, bytes: dst_made[8:0], remote: remote && !drop,
                  memory: dst_memory_q[engine], keep: keep, combine: desc.combine, dtype: desc.dtype,
                  dst_dtype: desc.dst_dtype, drop: drop, fault: fault_q[engine],
                  last: packet_end,
                  notify: all_end && desc.notify, dst: desc.dst_chip, vn: desc.vn,
                  sem: desc.notify_sem, pc: desc_pc_q[engine], ends: all_end,
                  update: desc.update && !fault_q[engine], update_sem: desc.update_sem, update_delta: desc.update_delta};
    end
  end

  assign beat_valid_o  = issue;
  assign beat_engine_o = engine;
  assign beat_seq_o    = seq_q[engine];

  logic unused_desc;
  assign unused_desc = ^{named_desc, stride, desc.rows, desc.bound, desc.index, desc.index_mode, desc.skip, desc.src1, desc.dst, desc.row_bytes[19:17], desc.reserved_hi,
                         desc.reserved_mid, desc.reserved, desc.reserved_lo};

  // --- registers --------------------------------------------------------------------------------
  always_ff @(posedge clk_i or negedge rst_ni) begin
    if (!rst_ni) begin
      running_q      <= '0;
      open_q         <= '0;
      wait_q         <= '0;
      open_count_q   <= '{default: '0};
      error_valid_o  <= '0;
      error_cause_o  <= '0;
      error_pc_o     <= '0;
      pc_q           <= '{default: '0};
      seq_q          <= '{default: '0};
      kept_q         <= '0;
      indexed_q      <= '0;
      known_q        <= '0;
      drop_q         <= '0;
      fault_q        <= '0;
      name_turn_q    <= '0;
      line_q         <= '1;
      spare_q        <= '0;
      clock_q        <= '0;
      load_turn_q    <= '0;
      issue_turn_q   <= '0;
      last_q         <= '0;
      rd_req_valid_o <= 1'b0;
    end else begin
      if (rd_free) rd_req_valid_o <= fetch_valid_i || issue;

      if (look) begin
        load_turn_q    <= (32'(loader) == Engines - 1) ? '0 : loader + EngineBits'(1);
        wait_q[loader] <= !load && open;
      end
      if (load) begin
        running_q[loader] <= 1'b1;
        open_q[loader]    <= 1'b1;
        if (!next_start_i) pc_q[loader] <= pc_q[loader] + 32'd1;
        indexed_q[loader] <= list_load_o;
        known_q[loader]   <= !list_load_o;
        drop_q[loader]    <= 1'b0;
        if (!swap) open_count_q[loader] <= open_count_q[loader] + 5'd1;
      end
      if (done_valid_i && !swap) open_count_q[done_engine_i] <= open_count_q[done_engine_i] - 5'd1;
      if (done_valid_i && !more) open_q[done_engine_i] <= 1'b0;

      if (name) begin
        name_turn_q <= (32'(named) == Engines - 1) ? '0 : named + EngineBits'(1);
        if (good || !named_desc.skip || named_last) known_q[named] <= 1'b1;
        if (!good && (!named_desc.skip || named_last)) drop_q[named] <= 1'b1;
        if (!good && !named_desc.skip) fault_q[named] <= 1'b1;
      end

      // Lines are earned while anybody reads, and then until all have one.
      if (running_q != '0 || line_q != '1) begin
        clock_q          <= (32'(clock_q) == Engines - 1) ? '0 : clock_q + EngineBits'(1);
        line_q[clock_q]  <= 1'b1;
        spare_q[clock_q] <= line_q[clock_q];
      end
      if (issue) begin
        issue_turn_q  <= (32'(engine) == Engines - 1) ? '0 : engine + EngineBits'(1);
        last_q        <= memory_q[engine];
        seq_q[engine] <= (seq_q[engine] == 4'd14) ? 4'd0 : seq_q[engine] + 4'd1;
        kept_q[engine] <= keep;
        if (all_end && !fault_q[engine]) running_q[engine] <= 1'b0;
        if (row_end && (indexed_q[engine] || all_end)) known_q[engine] <= 1'b0;
        if (engine != clock_q) begin
          line_q[engine]  <= spare_q[engine];
          spare_q[engine] <= 1'b0;
        end else begin
          spare_q[engine] <= spare_q[engine];
        end
      end

      if (fail) begin
        error_valid_o[loader] <= 1'b1;
        error_cause_o[loader] <= cause;
        error_pc_o[loader]    <= next_pc;
      end
      if (stop_valid_i) begin
        error_valid_o[done_engine_i] <= 1'b1;
        error_cause_o[done_engine_i] <= stop_fault_i ? defs_pkg::ErrorCauseOutOfBounds
                                                     : defs_pkg::ErrorCauseSemaphoreOverflow;
        error_pc_o[done_engine_i]    <= done_pc_i;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (load) begin
      desc_q[loader]    <= next_i;
      desc_pc_q[loader] <= next_pc;
      src_row_q[loader] <= next_i.src;
      src1_row_q[loader] <= next_i.src1;
      dst_row_q[loader] <= next_i.dst;
      done_q[loader]    <= '0;
      rows_q[loader]    <= next_i.rows;
      memory_q[loader]  <= next_i.combine != defs_pkg::CombineCopy ? 2'(address_pkg::memory_of(next_i.src1))
                                                                   : 2'(address_pkg::memory_of(next_i.src));
      src_memory_q[loader]  <= 2'(address_pkg::memory_of(next_i.src));
      src1_memory_q[loader] <= 2'(address_pkg::memory_of(next_i.src1));
      dst_memory_q[loader]  <= 2'(address_pkg::memory_of(next_i.dst));
    end
    if (name) begin
      if (gathers) src_row_q[named] <= moved;
      else dst_row_q[named] <= moved;
      if (!good) begin
        rows_q[named] <= rows_q[named] - 16'd1;
        src1_row_q[named] <= src1_row_q[named] + named_desc.src1_stride;
        if (gathers) dst_row_q[named] <= dst_row_q[named] + named_desc.dst_stride;
        else src_row_q[named] <= src_row_q[named] + named_desc.src_stride;
      end
    end
    if (issue) begin
      if (!keep) done_q[engine] <= row_end ? '0 : done_q[engine] + bytes;
      if (second) memory_q[engine] <= keep ? src_memory_q[engine] : src1_memory_q[engine];
      if (row_end) begin
        src_row_q[engine] <= src_row_q[engine] + desc.src_stride;
        src1_row_q[engine] <= src1_row_q[engine] + desc.src1_stride;
        dst_row_q[engine] <= dst_row_q[engine] + desc.dst_stride;
        rows_q[engine]    <= rows_q[engine] - 16'd1;
      end
      rd_req_o <= '{write: 1'b0, addr: from, bytes: bytes[8:0],
                    tag: {4'd0, 4'(engine), seq_q[engine]}, data: '0};
    end
    if (fetch_valid_i && rd_free) begin
      rd_req_o <= '{write: 1'b0, addr: fetch_addr_i, bytes: fetch_bytes_i,
                    tag: {4'd0, 4'(fetch_engine_i), DescSeq}, data: '0};
    end
  end

  // --- assertions -------------------------------------------------------------------------------

  // A beat is never empty and never longer than a line.
  `ASSERT_NOW(BeatFits_A, issue -> bytes != '0 && 32'(bytes) <= size_pkg::LineBytes)
  // An engine that fails has ended everything older.
  `ASSERT_NOW(FailsDrained_A, fail -> !open_q[loader] && !running_q[loader])
  // What has ended was open.
  `ASSERT_NOW(EndedWasOpen_A, (done_valid_i || stop_valid_i) -> open_q[done_engine_i])
  // A stalled read stays put.
  `ASSERT(ReadStays_A, rd_req_valid_o && !rd_req_ready_i |=> rd_req_valid_o)

endmodule
