// SPDX-License-Identifier: Apache-2.0
// Bench for the lane engines: a Verilated engine with modelled SBUF and PSUM ports beside its twin.
#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "cmodel/machine/access_pattern.h"
#include "cmodel/machine/commit.h"
#include "cmodel/machine/instruction.h"
#include "cmodel/machine/lane_engine.h"
#include "cmodel/machine/psum.h"
#include "cmodel/machine/sbuf.h"
#include "tb/base/seed.h"
#include "tb/unit/rtl/lane_instructions.h"

namespace tb {

inline cmodel::StreamId stream_of(defs::Engine engine) {
  return {.engine = static_cast<std::uint8_t>(engine)};
}

/// A row as it was written, with everything a commit says.
struct Row {
  std::uint32_t pc, addr;
  unsigned first, count, bytes;
  std::vector<std::uint32_t> values;
  bool psum = false;
  std::vector<bool> skipped = {};  ///< lanes that stay; empty: none. Their values are 0
  bool operator==(const Row&) const = default;
};

inline std::string to_string(const Row& row) {
  std::string text =
      fmt::format("pc {} {} {} partitions {}+{} bytes {}:", row.pc, row.psum ? "psum" : "sbuf",
                  row.addr, row.first, row.count, row.bytes);
  for (auto value : row.values) text += fmt::format(" {:x}", value);
  return text;
}

/// Commits of the twin as rows.
class RowSink : public cmodel::CommitSink {
 public:
  void commit(const cmodel::Commit& commit, std::span<const std::uint8_t> data) override {
    const bool psum = commit.kind == cmodel::CommitKind::PsumRow;
    ASSERT_TRUE(psum || commit.kind == cmodel::CommitKind::SbufRow);
    Row row{commit.pc,
            static_cast<std::uint32_t>(commit.addr),
            commit.first,
            commit.count,
            commit.element_bytes,
            std::vector<std::uint32_t>(commit.count),
            psum};
    ASSERT_EQ(data.size(), std::size_t{commit.count} * commit.element_bytes);
    for (unsigned i = 0; i < commit.count; ++i)
      std::memcpy(&row.values[i], &data[i * commit.element_bytes], commit.element_bytes);
    rows.push_back(std::move(row));
  }
  std::vector<Row> rows;
};

/// Config::Dut, Config::engine, Config::sizes.
template <class Config>
class LaneEngineBench : public testing::Test {
 protected:
  static constexpr const defs::Sizes& kSizes = Config::sizes;
  static constexpr unsigned kP = kSizes.partitions;

  LaneEngineBench() {
    context.randReset(2);
    context.randSeed(static_cast<int>(seed & 0x7fffffff));
    fill();
    reset();
  }

  unsigned pick(unsigned limit) { return static_cast<unsigned>(rng() % limit); }

  /// New contents, the same for RTL and twin.
  void fill() {
    std::vector<std::uint32_t> column(kP);
    for (unsigned at = 0; at < kSizes.sbuf_bytes; at += 4) {
      if (at == LaneInstructions::kWindow) at += kSizes.sbuf_bytes - 2 * LaneInstructions::kWindow;
      for (auto& word : column) word = random_word(rng);
      sbuf.write_column(at, 4, 0, column);
      twin_sbuf.write_column(at, 4, 0, column);
    }
    for (unsigned word = 0; word < kSizes.psum_banks * kSizes.psum_cols; ++word)
      for (auto& value : psum.row(word)) value = random_word(rng);
    twin_psum = psum;
  }

  void reset() {
    dut = std::make_unique<typename Config::Dut>(&context);
    dut->clk_i = 0;
    dut->rst_ni = 0;
    dut->instr_valid_i = 0;
    dut->ps_rd_ready_i = 0;
    dut->eval();
    dut->clk_i = 1;
    dut->eval();
    dut->clk_i = 0;
    dut->rst_ni = 1;
    dut->eval();
    on_its_way.clear();
    landing.clear();
    seen.clear();
    done = 0;
    cycle = 0;
    stall_percent = 0;
    twin = std::make_unique<cmodel::LaneEngine>(kSizes, twin_sbuf, twin_psum, sink,
                                                stream_of(Config::engine));
  }

  /// One clock cycle of engine and memories. Inputs are set before; outputs are looked at in it.
  void clock() {
    dut->ps_rd_ready_i = pick(100) >= stall_percent;
    dut->eval();
    accepted = dut->instr_valid_i && dut->instr_ready_o;
    done_now = dut->done_o;
    done += done_now;
    if (done_now) done_cycles.push_back(cycle);
    // sbuf_read_t: {valid, addr 18}; psum_read_t: {valid, addr 16}
    const bool read = dut->rd_o >> 18, psum_asked = dut->ps_rd_o >> 16;
    const bool psum_read = psum_asked && dut->ps_rd_ready_i;
    const unsigned at = dut->rd_o & 0x3ffff, word = dut->ps_rd_o & 0xffff;
    if (read || psum_read) read_cycles.push_back(cycle);
    EXPECT_FALSE(read && psum_asked && !psum_read) << "half a pair";
    // Like sbuf: read first, then what was presented in the cycle before.
    std::vector<std::uint64_t> row(kP);
    if (read) {
      for (unsigned p = 0; p < kP; ++p)
        sbuf.read(p, at & ~7u, {reinterpret_cast<std::uint8_t*>(&row[p]), 8});
    }
    for (const Row& old : on_its_way) write(old);
    on_its_way.clear();
    // sbuf_write_t: {pair, psum, masked, valid, addr 18, bytes 3, first 8, count 8}
    const std::uint64_t wr = dut->wr_o;
    const auto low = static_cast<unsigned>(wr & 0x7ffff);
    if (wr >> 37 & 1) {
      Row out{dut->wr_serial_o,   static_cast<unsigned>(wr >> 19 & 0x3ffff),
              low >> 8 & 0xff,    low & 0xff,
              low >> 16,          {},
              (wr >> 39 & 1) != 0};
      const bool masked = wr >> 38 & 1;
      for (unsigned i = 0; i < out.count; ++i) {
        const bool skipped = masked && dut->wr_skip_o[i];
        out.values.push_back(skipped ? 0 : dut->wr_data_o[i] & ~0u >> (32 - 8 * out.bytes));
        if (masked) out.skipped.push_back(skipped);
      }
      on_its_way.push_back(out);
      if (wr >> 40) {  // two elements of two bytes
        for (auto& value : out.values) EXPECT_EQ(value, 0u);
        out.bytes = 2;
        seen.push_back(out);
        out.addr += 2;
      }
      seen.push_back(out);
    }
    dut->clk_i = 1;
    dut->eval();
    if (read) {
      for (unsigned p = 0; p < kP; ++p) dut->rd_data_i[p] = row[p];
    }
    for (unsigned p = 0; p < kP; ++p)
      dut->ps_rd_data_i[p] = psum_read ? psum.row(word)[p] : static_cast<std::uint32_t>(rng());
    dut->clk_i = 0;
    dut->eval();
    ++cycle;
  }

  void write(const Row& row) {
    for (unsigned i = 0; i < row.count; ++i) {
      if (!row.skipped.empty() && row.skipped[i]) continue;
      if (row.psum)
        psum.row(row.addr / 4)[row.first + i] = row.values[i];
      else
        sbuf.write_column(row.addr, row.bytes, row.first + i, std::span(&row.values[i], 1));
    }
  }

  void drive(const defs::Instr& instr, std::uint32_t pc) {
    const auto words = instr.words();
    for (unsigned i = 0; i < words.size(); ++i) dut->instr_i[i] = words[i];
    dut->serial_i = pc;
    dut->instr_valid_i = 1;
  }

  /// Runs `program` on both; the first rejected instruction must stop the engine for good.
  void run(const std::vector<defs::Instr>& program, unsigned gap_percent) {
    sink.rows.clear();
    auto cause = defs::ErrorCause::None;
    unsigned good = 0;
    std::vector<std::size_t> rows_after;  // rows that must be out when instruction i is done
    for (; good < program.size(); ++good) {
      cause = twin->execute(program[good], 100 + good);
      if (cause != defs::ErrorCause::None) break;
      rows_after.push_back(sink.rows.size());
    }
    unsigned next = 0, quiet = 0;
    while (quiet < 20) {
      dut->instr_valid_i = 0;
      if (next < program.size() && pick(100) >= gap_percent) drive(program[next], 100 + next);
      const unsigned before = done;
      clock();
      next += accepted;
      ASSERT_LE(done - before, 1u);
      if (done != before) {
        ASSERT_LE(done, good);
        ASSERT_EQ(seen.size(), rows_after[done - 1]) << "done before its writes, or late";
        ASSERT_TRUE(on_its_way.empty()) << "done before its last write is visible";
      }
      ASSERT_LE(seen.size(), sink.rows.size());
      while (seen.size() > compared) {
        const auto* row = defs::row_of(program[sink.rows[compared].pc - 100].opcode);
        ASSERT_EQ(to_string(seen[compared]), to_string(sink.rows[compared])) << row->name;
        ++compared;
      }
      const bool over = done == good && (next >= program.size() || dut->error_valid_o);
      quiet = over ? quiet + 1 : 0;
      ASSERT_LT(cycle, 1000000u) << "the engine hangs: " << done << " of " << good << " done";
    }
    dut->instr_valid_i = 0;
    ASSERT_EQ(seen.size(), sink.rows.size());
    ASSERT_EQ(dut->error_valid_o, cause != defs::ErrorCause::None);
    ASSERT_EQ(to_string(static_cast<defs::ErrorCause>(dut->error_cause_o)), to_string(cause));
    if (dut->error_valid_o) {
      ASSERT_EQ(dut->error_serial_o, 100 + good);
      ASSERT_EQ(next, good + 1) << "nothing is accepted after an error";
      ASSERT_FALSE(dut->instr_ready_o);
    }
    ASSERT_FALSE(dut->busy_o);
    rows_checked += seen.size();
    seen.clear();
    compared = 0;
    done = 0;
  }

  void random_programs(unsigned programs) {
    SCOPED_TRACE(tb::repro(seed));
    for (unsigned round = 0; round < programs; ++round) {
      SCOPED_TRACE(fmt::format("program {}", round));
      stall_percent = pick(3) * 30;
      std::vector<defs::Instr> program(12);
      for (auto& instr : program) instr = instructions.next();
      run(program, pick(3) * 40);
      if (HasFatalFailure()) return;
      if (round % 10 == 0) fill();
    }
    EXPECT_GT(rows_checked, 1000u);
    instructions.expect_all_drawn(programs >= 300);
  }

  /// Slips that must be rejected, one cause each; `instr` is legal with all operands in SBUF.
  struct Slip {
    defs::ErrorCause cause;
    void (*make)(defs::Instr&);
  };
  void expect_refused(const defs::Instr& legal, const std::vector<Slip>& slips) {
    for (std::size_t i = 0; i < slips.size(); ++i) {
      SCOPED_TRACE(fmt::format("slip {}", i));
      defs::Instr bad = legal;
      slips[i].make(bad);
      reset();
      sink.rows.clear();
      ASSERT_EQ(to_string(twin->execute(bad, 0)), to_string(slips[i].cause));
      ASSERT_TRUE(sink.rows.empty());
      run({legal, bad, legal}, 0);
    }
  }

  std::uint64_t seed = tb::seed();
  std::mt19937_64 rng{seed};
  LaneInstructions instructions{kSizes, Config::engine, rng};
  VerilatedContext context;
  std::unique_ptr<typename Config::Dut> dut;
  cmodel::Sbuf sbuf{kSizes}, twin_sbuf{kSizes};
  cmodel::Psum psum{kSizes}, twin_psum{kSizes};
  RowSink sink;
  std::unique_ptr<cmodel::LaneEngine> twin;  ///< what it keeps, it keeps until reset()
  std::deque<Row> on_its_way, landing;
  std::vector<Row> seen;
  std::vector<std::uint64_t> done_cycles, read_cycles;
  unsigned done = 0, stall_percent = 0;
  std::size_t compared = 0, rows_checked = 0;
  std::uint64_t cycle = 0;
  bool accepted = false, done_now = false;
};

}  // namespace tb
