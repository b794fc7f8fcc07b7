// SPDX-License-Identifier: Apache-2.0
// SBUF in RTL against its twin: all ports busy at once, random rows, lines and stalls.
#include "cmodel/machine/sbuf.h"

#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <vector>

#include "Vpsum_mini.h"
#include "Vsbuf_inf2.h"
#include "Vsbuf_mini.h"
#include "tb/base/seed.h"

namespace {

template <class Model, const defs::Sizes& kSizes>
struct Config {
  using Dut = Model;
  static constexpr const defs::Sizes& sizes = kSizes;
};

template <class C>
class Sbuf : public testing::Test {
 protected:
  static constexpr unsigned kP = C::sizes.partitions, kBytes = C::sizes.sbuf_bytes;
  static constexpr unsigned kLine = C::sizes.line_bytes;
  /// Few offsets, so that ports meet; the last row is among them.
  static constexpr unsigned kSpan = 512;

  Sbuf() {
    context.randReset(2);
    context.randSeed(static_cast<int>(seed & 0x7fffffff));
    dut = std::make_unique<typename C::Dut>(&context);
    dut->rst_ni = 0;
    dut->clk_i = 0;
    idle();
    dut->eval();
    clock();
    dut->rst_ni = 1;
  }
  void idle() {
    dut->ts_rd_i = dut->tm_rd_i = dut->tl_rd_i = dut->v_rd_i = dut->a_rd_i = 0;
    dut->v_wr_i = dut->a_wr_i = 0;
    dut->req_valid_i = 0;
    dut->rsp_ready_i = 1;
  }
  void clock() {
    dut->clk_i = 1;
    dut->eval();
    dut->clk_i = 0;
    dut->eval();
  }
  unsigned pick(unsigned limit) { return static_cast<unsigned>(rng() % limit); }
  unsigned offset() { return (pick(2) ? 0 : kBytes - kSpan) + pick(kSpan); }

  /// mem_req of this configuration: {write, addr 48, bytes 9, tag 12, data}.
  void drive_request(bool write, std::uint64_t addr, unsigned bytes, unsigned tag,
                     std::span<const std::uint8_t> data) {
    std::uint32_t* words = &dut->req_i[0];
    for (unsigned i = 0; i < kLine / 4; ++i) std::memcpy(words + i, &data[4 * i], 4);
    defs::put_bits(words, 8 * kLine, 12, tag);
    defs::put_bits(words, 8 * kLine + 12, 9, bytes);
    defs::put_bits(words, 8 * kLine + 21, 48, addr);
    defs::put_bits(words, 8 * kLine + 69, 1, write);
  }

  std::uint64_t seed = tb::seed();
  std::mt19937_64 rng{seed};
  VerilatedContext context;
  std::unique_ptr<typename C::Dut> dut;
  cmodel::Sbuf twin{C::sizes};
};

using Configs = testing::Types<Config<Vsbuf_mini, defs::kMini>, Config<Vsbuf_inf2, defs::kInf2>>;
TYPED_TEST_SUITE(Sbuf, Configs);

struct RowWrite {
  unsigned offset, bytes, first;
  std::vector<std::uint32_t> values;
  std::vector<bool> skipped = {};  ///< of a masked one, by lane

  void apply(auto&& write) const {
    for (unsigned i = 0; i < values.size(); ++i)
      if (skipped.empty() || !skipped[i]) write(first + i, values[i]);
  }
};

TYPED_TEST(Sbuf, EveryPortSeesTheTwinsBytes) {
  SCOPED_TRACE(tb::repro(this->seed));
  auto& dut = *this->dut;
  auto& twin = this->twin;
  constexpr unsigned kP = TestFixture::kP, kLine = TestFixture::kLine, kSpan = TestFixture::kSpan;

  // Fill the offsets in use through the line port.
  std::vector<std::uint8_t> line(kLine);
  for (unsigned p = 0; p < kP; ++p)
    for (unsigned base : {0u, TestFixture::kBytes - kSpan})
      for (unsigned at = base; at < base + kSpan; at += kLine) {
        for (auto& byte : line) byte = static_cast<std::uint8_t>(this->rng());
        twin.write(p, at, line);
        dut.req_valid_i = 1;
        this->drive_request(true, p * defs::kSbufStride + at, kLine, 0, line);
        this->clock();
      }
  this->idle();

  struct Read {
    bool valid = false;
    std::vector<std::uint8_t> row;  // 8 bytes of every partition
  };
  constexpr unsigned kReaders = 5;
  const std::array rd{&dut.ts_rd_i, &dut.tm_rd_i, &dut.tl_rd_i, &dut.v_rd_i, &dut.a_rd_i};
  const std::array rd_data{&dut.ts_rd_data_o, &dut.tm_rd_data_o, &dut.tl_rd_data_o,
                           &dut.v_rd_data_o, &dut.a_rd_data_o};
  Read expected[kReaders];
  std::deque<std::pair<unsigned, std::vector<std::uint8_t>>> answers;
  std::deque<RowWrite> moving;  // engine writes on their way: presented in the last cycle
  unsigned reads = 0, lines = 0;
  for (unsigned cycle = 0; cycle < 20000; ++cycle) {
    const bool busy = cycle / 64 % 4 != 3;  // idle stretches: what was read must stay
    // Reads of this cycle see what the twin holds now.
    for (unsigned port = 0; port < kReaders; ++port) {
      const bool valid = busy && this->pick(3);
      const unsigned at = this->offset();
      *rd[port] = unsigned{valid} << 18 | at;  // sbuf_read_t: {valid, addr 18}
      if (!valid) continue;
      expected[port].valid = true;
      expected[port].row.resize(8 * kP);
      for (unsigned p = 0; p < kP; ++p)
        twin.read(p, at & ~7u, std::span(expected[port].row).subspan(8 * p, 8));
    }
    // Line port.
    const bool request = busy && this->pick(2), write = this->pick(2);
    const unsigned partition = this->pick(kP), at = this->offset();
    const unsigned bytes = 1 + this->pick(kLine - at % kLine);
    for (auto& byte : line) byte = static_cast<std::uint8_t>(this->rng());
    dut.req_valid_i = request;
    dut.rsp_ready_i = this->pick(4) != 0;
    this->drive_request(write, std::uint64_t{partition} * defs::kSbufStride + at, bytes,
                        cycle & 0xfff, line);
    // Engine writes: values of this cycle, visible to reads of the cycle after the next.
    std::deque<RowWrite> fresh;
    for (unsigned engine = 0; engine < 2; ++engine) {
      const bool valid = busy && this->pick(2);
      RowWrite row;
      row.bytes = this->pick(2) ? 4 : 2;
      row.offset = this->offset() & ~(row.bytes - 1);
      row.first = this->pick(4) * kP / 4;
      row.values.resize(1 + this->pick(kP - row.first));
      const bool masked = this->pick(3) == 0, psum = this->pick(6) == 0;
      auto& data = engine ? dut.a_wr_data_i : dut.v_wr_data_i;
      auto& skip = engine ? dut.a_wr_skip_i : dut.v_wr_skip_i;
      for (unsigned i = 0; i < kP; ++i) {
        data[i] = static_cast<std::uint32_t>(this->rng());
        skip[i] = this->pick(2) ? ~0u : 0;  // no meaning without `masked`
        if (i < row.values.size()) row.values[i] = data[i];
        if (masked && i < row.values.size()) row.skipped.push_back(skip[i]);
      }
      // sbuf_write_t: {pair, psum, masked, valid, addr 18, bytes 3, first 8, count 8}
      (engine ? dut.a_wr_i : dut.v_wr_i) =
          std::uint64_t{psum} << 39 | std::uint64_t{masked} << 38 | std::uint64_t{valid} << 37 |
          std::uint64_t{row.offset} << 19 | row.bytes << 16 | row.first << 8 | row.values.size();
      if (valid && !psum) fresh.push_back(row);
    }
    dut.eval();
    const bool taken = request && dut.req_ready_o;
    if (dut.rsp_valid_o && dut.rsp_ready_i) {
      ASSERT_FALSE(answers.empty());
      const std::uint32_t* words = &dut.rsp_o[0];
      ASSERT_EQ(defs::get_bits(words, 8 * kLine, 12), answers.front().first);
      ASSERT_EQ(std::memcmp(words, answers.front().second.data(), kLine), 0) << "cycle " << cycle;
      answers.pop_front();
      ++lines;
    }
    if (taken && !write) {
      std::vector<std::uint8_t> whole(kLine);
      twin.read(partition, at & ~(kLine - 1), whole);
      answers.emplace_back(cycle & 0xfff, whole);
    }
    if (request && write) ASSERT_TRUE(dut.req_ready_o) << "writes are always accepted";
    for (const RowWrite& row : moving)
      row.apply([&](unsigned partition, std::uint32_t value) {
        twin.write_column(row.offset, row.bytes, partition, std::span(&value, 1));
      });
    moving = std::move(fresh);
    if (taken && write) twin.write(partition, at, std::span(line).subspan(at % kLine, bytes));
    this->clock();
    for (unsigned port = 0; port < kReaders; ++port) {
      if (!expected[port].valid) continue;
      ASSERT_EQ(std::memcmp(*rd_data[port], expected[port].row.data(), 8 * kP), 0)
          << "port " << port << " cycle " << cycle;
      ++reads;
    }
  }
  EXPECT_GT(reads, 10000u);
  EXPECT_GT(lines, 1000u);
  EXPECT_LE(answers.size(), 1u);
}

/// Rows of the lane engines in PSUM: the next cycle's read sees them, and those to SBUF do nothing.
TEST(PsumLanes, WriteTheirPartitionsOfARowAndNoMore) {
  constexpr unsigned kP = defs::kMini.partitions, kWords = 16;
  std::mt19937_64 rng(tb::seed());
  VerilatedContext context;
  context.randReset(2);
  Vpsum_mini dut{&context};
  const auto pick = [&](unsigned n) { return static_cast<unsigned>(rng() % n); };
  std::vector<std::array<std::uint32_t, kP>> twin(kWords);
  std::vector<bool> known(kWords);
  const auto clock = [&] {
    dut.clk_i = 1, dut.eval();
    dut.clk_i = 0, dut.eval();
  };
  dut.wr_i = dut.lower_wr_i = 0, dut.v_wr_i = dut.a_wr_i = 0, dut.v_rd_i = dut.a_rd_i = 0;
  dut.rst_ni = 0, dut.eval(), clock();
  dut.rst_ni = 1;
  unsigned compared = 0;
  for (unsigned cycle = 0; cycle < 20000; ++cycle) {
    const unsigned at = pick(kWords);
    dut.v_rd_i = 1u << 16 | at;  // psum_read_t: {valid, addr 16}
    const bool sees = known[at];
    const auto expected = twin[at];
    for (unsigned engine = 0; engine < 2; ++engine) {
      auto& data = engine ? dut.a_wr_data_i : dut.v_wr_data_i;
      auto& skip = engine ? dut.a_wr_skip_i : dut.v_wr_skip_i;
      const unsigned word = pick(kWords);
      const bool whole = !known[word];
      const bool valid = pick(2), psum = pick(6), masked = !whole && pick(3) == 0;
      RowWrite row{4 * word, 4, whole ? 0 : pick(4) * kP / 4, {}};
      row.values.resize(whole ? kP : 1 + pick(kP - row.first));
      for (unsigned i = 0; i < kP; ++i) {
        data[i] = static_cast<std::uint32_t>(rng());
        skip[i] = pick(2) ? ~0u : 0;
        if (i < row.values.size()) row.values[i] = data[i];
        if (masked && i < row.values.size()) row.skipped.push_back(skip[i]);
      }
      (engine ? dut.a_wr_i : dut.v_wr_i) =
          std::uint64_t{psum} << 39 | std::uint64_t{masked} << 38 | std::uint64_t{valid} << 37 |
          std::uint64_t{row.offset} << 19 | row.bytes << 16 | row.first << 8 | row.values.size();
      if (!valid || !psum) continue;
      row.apply([&](unsigned partition, std::uint32_t value) { twin[word][partition] = value; });
      known[word] = true;
    }
    clock();
    for (unsigned p = 0; sees && p < kP; ++p)
      ASSERT_EQ(dut.rd_data_o[p], expected[p]) << "cycle " << cycle << " partition " << p;
    compared += sees;
  }
  EXPECT_GT(compared, 10000u);
}

TEST(SbufTwin, ColumnsAndLinesAreTheSameBytes) {
  cmodel::Sbuf sbuf(defs::kMini);
  const std::array<std::uint32_t, 4> column{0x11111111, 0x22222222, 0x33333333, 0x44445555};
  sbuf.write_column(12, 4, 8, column);
  sbuf.write_column(16, 2, 8, column);
  std::array<std::uint8_t, 8> bytes{};
  sbuf.read(11, 12, bytes);
  EXPECT_EQ(bytes, (std::array<std::uint8_t, 8>{0x55, 0x55, 0x44, 0x44, 0x55, 0x55, 0, 0}));
  std::array<std::uint32_t, 2> back{};
  sbuf.read_column(14, 2, 10, back);
  EXPECT_EQ(back, (std::array<std::uint32_t, 2>{0x3333, 0x4444}));
}

}  // namespace
