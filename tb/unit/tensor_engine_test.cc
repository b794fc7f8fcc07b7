// SPDX-License-Identifier: Apache-2.0
// Tensor engine, array and PSUM against their twin: every row written, bit for bit and in order.
#include "cmodel/tensor_engine.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "Vtensor_engine_inf2.h"
#include "Vtensor_engine_mini.h"
#include "cmodel/fp.h"
#include "tb/harness/seed.h"

namespace {

using defs::Dtype;
using defs::ErrorCause;

template <class Model, const defs::Sizes& kSizes>
struct Config {
  using Dut = Model;
  static constexpr const defs::Sizes& sizes = kSizes;
};

struct Row {
  std::uint32_t pc, addr;
  std::vector<std::uint32_t> data;
  bool operator==(const Row&) const = default;
};

/// Collects the twin's commits.
struct Rows : cmodel::CommitSink {
  std::vector<Row> rows, lower_rows;
  void commit(const cmodel::Commit& commit, std::span<const std::uint8_t> data) override {
    Row row{commit.pc, static_cast<std::uint32_t>(commit.addr), {}};
    row.data.resize(commit.count);
    std::memcpy(row.data.data(), data.data(), data.size());
    (commit.stream.lane ? lower_rows : rows).push_back(std::move(row));
  }
};

template <class C>
class TensorEngine : public testing::Test {
 protected:
  static constexpr const defs::Sizes& kSizes = C::sizes;
  static constexpr unsigned kP = kSizes.partitions, kLine = kSizes.line_bytes;
  static constexpr unsigned kSpan = kP == 128 ? 4096 : 2048;  // bytes of SBUF in use

  TensorEngine() {
    context.randReset(2);
    context.randSeed(static_cast<int>(seed & 0x7fffffff));
    dut = std::make_unique<typename C::Dut>(&context);
    reset();
  }
  void reset() {
    dut->clk_i = 0;
    dut->rst_ni = 0;
    dut->instr_valid_i = dut->req_valid_i = dut->v_rd_valid_i = dut->a_rd_valid_i = 0;
    dut->count_rd_i = dut->second_valid_i = 0;
    dut->eval();
    clock();
    dut->rst_ni = 1;
    dut->eval();
    forget_rows();
    next_pc = 0;
    twin = cmodel::TensorEngine(kSizes, sbuf, psum, twin_rows, {});
  }
  void forget_rows() {
    for (auto* rows : {&rtl_rows, &lower_rows, &twin_rows.rows, &twin_rows.lower_rows})
      rows->clear();
    done = 0;
  }
  void clock() {
    dut->clk_i = 1;
    dut->eval();
    dut->clk_i = 0;
    dut->eval();
    ++cycle;
    if (!dut->rst_ni) return;
    done += dut->done_o;
    for (unsigned i = 0; i < dut->done_o; ++i)
      done_rows.push_back(rtl_rows.size() + dut->commit_valid_o);
    if (dut->moving_read_o) moving_reads.push_back(cycle);
    if (dut->lower_read_o) lower_reads.push_back(cycle);
    if (dut->lower_valid_o) {
      Row row{dut->lower_pc_o, dut->lower_addr_o, {}};
      for (unsigned i = 0; i < dut->lower_count_o; ++i) row.data.push_back(dut->lower_data_o[i]);
      lower_rows.push_back(std::move(row));
    }
    if (dut->commit_valid_o) {
      Row row{dut->commit_pc_o, dut->commit_addr_o, {}};
      for (unsigned i = 0; i < dut->commit_count_o; ++i) row.data.push_back(dut->commit_data_o[i]);
      rtl_rows.push_back(std::move(row));
    }
  }
  static unsigned bytes_of(const defs::Operand& op) { return cmodel::element_bytes(op.dtype); }
  unsigned pick(unsigned limit) { return static_cast<unsigned>(rng() % limit); }

  /// Both SBUFs: every element from `make()`.
  template <class Make>
  void fill(Make make) {
    std::vector<std::uint8_t> line(kLine);
    defs::MemReq req;
    req.write = 1;
    req.bytes = kLine;
    for (unsigned p = 0; p < kP; ++p)
      for (unsigned at = 0; at < kSpan; at += kLine) {
        for (unsigned i = 0; i < kLine; i += 2) {
          const std::uint16_t value = make();
          std::memcpy(&line[i], &value, 2);
        }
        sbuf.write(p, at, line);
        req.addr = p * defs::kSbufStride + at;
        std::memcpy(req.data.data(), line.data(), kLine);
        dut->req_valid_i = 1;
        req.pack(&dut->req_i[0], kSizes);
        clock();
      }
    dut->req_valid_i = 0;
  }
  std::uint16_t mild() {  // magnitudes 2^-8 .. 2^7
    return static_cast<std::uint16_t>((rng() & 0x807F) | (119 + rng() % 16) << 7);
  }

  defs::Instr load(unsigned k, unsigned first, unsigned m, unsigned offset) {
    defs::Instr instr;
    instr.opcode = static_cast<std::uint8_t>(defs::Opcode::LoadStationary);
    instr.partitions = k;
    instr.size0 = m, instr.size1 = instr.size2 = instr.size3 = 1;
    instr.src0.space = static_cast<std::uint8_t>(defs::Space::Sbuf);
    instr.src0.dtype = static_cast<std::uint8_t>(defs::Dtype::Bf16);
    instr.src0.partition = first;
    instr.src0.offset = offset;
    instr.src0.stride0 = m == 1 ? 0 : 1;
    return instr;
  }
  defs::Instr multiply(unsigned k, unsigned first, unsigned n, unsigned offset, unsigned dst,
                       bool accumulate = false) {
    defs::Instr instr = load(k, first, n, offset);
    instr.opcode = static_cast<std::uint8_t>(defs::Opcode::MultiplyMoving);
    instr.accumulate = accumulate;
    instr.dst.space = static_cast<std::uint8_t>(defs::Space::Psum);
    instr.dst.dtype = static_cast<std::uint8_t>(defs::Dtype::Fp32);
    instr.dst.offset = dst;
    instr.dst.stride0 = instr.src0.stride0;
    return instr;
  }

  /// Offers one instruction until it is taken; the twin executes it too.
  void issue(const defs::Instr& instr, const defs::Instr* second = nullptr) {
    const auto words = instr.words();
    std::memcpy(&dut->instr_i[0], words.data(), sizeof(words));
    dut->pc_i = next_pc;
    dut->instr_valid_i = 1;
    if (second) {
      const auto second_words = second->words();
      std::memcpy(&dut->second_i[0], second_words.data(), sizeof(second_words));
      dut->second_valid_i = 1;
    }
    dut->eval();
    for (unsigned wait = 0; !dut->instr_ready_o; ++wait) {
      ASSERT_LT(wait, 5000u) << "never taken";
      clock();
    }
    clock();
    dut->instr_valid_i = dut->second_valid_i = 0;
    dut->eval();
    last_cause = twin.execute(instr, next_pc);
    ++next_pc;
    if (second && last_cause == ErrorCause::None) last_cause = twin.execute(*second, next_pc++);
  }
  /// The same, but a load may wait for the multiply after it and go together with it.
  void issue_or_hold(const defs::Instr& instr) {
    const bool multiply = instr.opcode == static_cast<std::uint8_t>(defs::Opcode::MultiplyMoving);
    if (held && multiply) {
      const defs::Instr load = *held;
      held.reset();
      return issue(load, &instr);
    }
    flush();
    if (!multiply && pick(2))
      held = instr;
    else
      issue(instr);
  }
  void flush() {
    if (held) issue(*held);
    held.reset();
  }
  void drain() {
    flush();
    for (unsigned wait = 0; dut->busy_o; ++wait) {
      ASSERT_LT(wait, 20000u) << "never idle";
      clock();
    }
    for (int i = 0; i < 4; ++i) clock();
  }
  void expect_same(unsigned instructions) {
    EXPECT_EQ(done, instructions);
    expect_counts();
    expect_same_rows(rtl_rows, twin_rows.rows);
    expect_same_rows(lower_rows, twin_rows.lower_rows);
  }
  static void expect_same_rows(const std::vector<Row>& rtl, const std::vector<Row>& twin) {
    ASSERT_EQ(rtl.size(), twin.size());
    for (std::size_t i = 0; i < rtl.size(); ++i) {
      const Row &a = rtl[i], &b = twin[i];
      ASSERT_EQ(a.pc, b.pc) << "row " << i;
      ASSERT_EQ(a.addr, b.addr) << "row " << i << " pc " << a.pc;
      ASSERT_EQ(a.data.size(), b.data.size()) << "row " << i << " pc " << a.pc;
      for (std::size_t m = 0; m < a.data.size(); ++m)
        ASSERT_EQ(a.data[m], b.data[m])
            << fmt::format("pc {} addr {:#x} partition {}: rtl {:08x} twin {:08x}", a.pc, a.addr, m,
                           a.data[m], b.data[m]);
    }
  }

  std::uint64_t count(defs::TensorCount which) {
    dut->count_rd_i = 1;
    dut->count_index_i = static_cast<unsigned>(which);
    dut->eval();
    dut->count_rd_i = 0;
    return dut->count_o;
  }
  /// The hardware's counters at rest, against the twin and among themselves.
  void expect_counts() {
    using Count = defs::TensorCount;
    EXPECT_EQ(count(Count::PeBusy), twin.engine->pe_work());
    EXPECT_EQ(count(Count::Active), count(Count::Moving) + count(Count::WaitPort) +
                                        count(Count::WaitWeights) + count(Count::WaitTile));
    EXPECT_LE(count(Count::Load), count(Count::Active));
  }

  /// A legal random access pattern of `elements` at most in `span` bytes of `element_bytes`.
  void pattern(defs::Instr& instr, unsigned most) {
    unsigned n[4] = {1, 1, 1, 1};
    for (unsigned left = 1 + pick(most), i = pick(2) ? 0 : pick(4); i < 4 && left; ++i) {
      n[i] = pick(3) ? left : 1 + pick(left);
      left /= n[i];
      if (left < 2) break;
    }
    instr.size0 = n[0], instr.size1 = n[1], instr.size2 = n[2], instr.size3 = n[3];
  }
  void place(defs::Operand& op, const defs::Instr& instr, unsigned base, unsigned span,
             unsigned bytes, bool dense) {
    const unsigned n[4] = {instr.size0, instr.size1, instr.size2, instr.size3};
    std::int16_t stride[4] = {};
    std::int64_t reach = 1, low = 0, high = 0;
    for (unsigned i = 0; i < 4; ++i) {
      if (n[i] == 1) continue;
      std::int64_t s = reach;
      if (!dense && pick(3) == 0) s = pick(4) == 0 ? 0 : s + pick(3);
      if (!dense && i == 0 && pick(4) == 0) s = 3 + pick(30);  // some of 16 bytes and more
      if (!dense && pick(5) == 0) s = -s;
      if ((low + high + std::abs(s) * (n[i] - 1) + 1) * bytes > span) s = 0;
      stride[i] = static_cast<std::int16_t>(s);
      (s < 0 ? low : high) += std::abs(s) * (n[i] - 1);
      reach = std::abs(s) * n[i] > reach ? std::abs(s) * n[i] : reach;
    }
    op.stride0 = stride[0], op.stride1 = stride[1], op.stride2 = stride[2], op.stride3 = stride[3];
    const unsigned room = span / bytes - static_cast<unsigned>(low + high);
    op.offset = base + bytes * (static_cast<unsigned>(low) + pick(room));
    if (dense && pick(2)) op.offset = base;
  }
  void random_partitions(defs::Instr& instr) {
    switch (pick(4)) {
      case 0:
        instr.partitions = kP, instr.src0.partition = 0;
        break;
      case 1:
        instr.partitions = 1 + pick(kP / 4), instr.src0.partition = kP / 4 * pick(4);
        break;
      case 2:
        instr.partitions = 1 + pick(kP / 2), instr.src0.partition = 0;
        break;
      default:
        instr.partitions = kP / 4 + 1 + pick(kP / 4), instr.src0.partition = kP / 2 * pick(2);
    }
  }
  /// A format that may meet `stationary` (any if it is not given).
  Dtype random_format(const Dtype* stationary = nullptr) {
    static constexpr Dtype kAll[] = {Dtype::Bf16,    Dtype::Fp16, Dtype::Fp8E5M2, Dtype::Fp8E4M3,
                                     Dtype::Fp8E3M4, Dtype::Tf32, Dtype::Fp32,    Dtype::Int8};
    if (!stationary) return kAll[pick(8)];
    return cmodel::kNarrowFloats >> static_cast<unsigned>(*stationary) & 1 ? kAll[pick(5)]
                                                                           : *stationary;
  }
  unsigned half_of(const defs::Instr& instr) const { return instr.src0.partition >= kP / 2; }
  /// Tiles of any shape and format, in all rows or in either half; a multiply meets any tile that
  /// is still loaded.
  void random_program(unsigned pairs) {
    std::optional<defs::Instr> stationary[2];  // by half; through all rows: in both
    unsigned count = 0;
    for (unsigned i = 0; i < pairs; ++i) {
      for (unsigned loads = pick(8) ? 1 : pick(4); loads || !i; --loads) {  // none: weights kept
        auto instr = load(1, 0, 1, 0);
        random_partitions(instr);
        pattern(instr, pick(2) ? kP : 1 + pick(kP));
        instr.src0.dtype = static_cast<std::uint8_t>(random_format());
        place(instr.src0, instr, 0, kSpan, bytes_of(instr.src0), pick(2));
        issue_or_hold(instr);
        ASSERT_EQ(last_cause, ErrorCause::None);
        ++count;
        const bool all = instr.partitions > kP / 2;
        for (unsigned half = 0; half < 2; ++half) {
          if (all || half == half_of(instr))
            stationary[half] = instr;
          else if (stationary[half] && stationary[half]->partitions > kP / 2)
            stationary[half].reset();
        }
        if (loads <= 1) break;
      }
      for (unsigned tiles = pick(6) ? 1 + pick(2) : pick(4); tiles; --tiles) {
        const auto& weights = stationary[pick(2)];
        if (!weights) continue;
        const auto format = static_cast<Dtype>(weights->src0.dtype);
        defs::Instr moving =
            multiply(weights->partitions, weights->src0.partition, 1, 0, 0, pick(2));
        pattern(moving, pick(3) ? 1 + pick(kP) : kSizes.psum_cols);
        moving.src0.dtype = static_cast<std::uint8_t>(random_format(&format));
        if (format == Dtype::Int8) moving.dst.dtype = static_cast<std::uint8_t>(Dtype::Int32);
        place(moving.src0, moving, 0, kSpan, bytes_of(moving.src0), pick(2));
        place(moving.dst, moving, kSizes.psum_cols * 4 * pick(pick(2) ? kSizes.psum_banks : 2),
              kSizes.psum_cols * 4, 4, pick(2));
        issue_or_hold(moving);
        ASSERT_EQ(last_cause, ErrorCause::None);
        ++count;
      }
      if (pick(10) == 0)
        for (unsigned wait = pick(3 * kP); wait; --wait) clock();
    }
    drain();
    expect_same(count);
    if (kP == 16) EXPECT_GT(lower_rows.size(), 100u);
  }
  /// Accumulation starts from known PSUM in both.
  void clear_psum() {
    fill([] { return std::uint16_t{0}; });
    issue(load(kP, 0, kP, 0));
    for (unsigned bank = 0; bank < kSizes.psum_banks; ++bank)
      issue(multiply(kP, 0, kSizes.psum_cols, 0, bank * kSizes.psum_cols * 4));
    drain();
    expect_same(1 + kSizes.psum_banks);
    forget_rows();
  }

  std::uint64_t seed = tb::seed();
  std::mt19937_64 rng{seed};
  VerilatedContext context;
  std::unique_ptr<typename C::Dut> dut;
  std::optional<defs::Instr> held;  ///< a load
  cmodel::Sbuf sbuf{kSizes};
  cmodel::Psum psum{kSizes};
  Rows twin_rows;
  struct Twin {  // assignable
    std::unique_ptr<cmodel::TensorEngine> engine;
    Twin& operator=(cmodel::TensorEngine&& e) {
      engine = std::make_unique<cmodel::TensorEngine>(e);
      return *this;
    }
    ErrorCause execute(const defs::Instr& instr, std::uint32_t pc) {
      return engine->execute(instr, pc);
    }
  } twin;
  std::vector<Row> rtl_rows, lower_rows;
  std::vector<std::uint64_t> moving_reads, lower_reads;
  std::vector<std::size_t> done_rows;
  std::uint64_t cycle = 0;
  unsigned done = 0;
  std::uint32_t next_pc = 0;
  ErrorCause last_cause = ErrorCause::None;
};

using Configs = testing::Types<Config<Vtensor_engine_mini, defs::kMini>,
                               Config<Vtensor_engine_inf2, defs::kInf2>>;
TYPED_TEST_SUITE(TensorEngine, Configs);

TYPED_TEST(TensorEngine, RandomProgramsOfMildNumbersEqualTheTwin) {
  SCOPED_TRACE(tb::repro(this->seed));
  this->clear_psum();
  this->fill([&] { return this->mild(); });
  this->random_program(TestFixture::kP == 16 ? 400 : 40);
}

TYPED_TEST(TensorEngine, RandomProgramsOfAnyBitsEqualTheTwin) {
  SCOPED_TRACE(tb::repro(this->seed));
  this->clear_psum();
  // Some zeros, subnormals and specials, but few enough that not every sum is NaN.
  this->fill([&]() -> std::uint16_t {
    switch (this->pick(64)) {
      case 0:
        return static_cast<std::uint16_t>(this->rng() & 0x8000);
      case 1:
        return static_cast<std::uint16_t>(this->rng() & 0x807F);
      case 2:
        return this->pick(40) ? this->mild() : static_cast<std::uint16_t>(this->rng());
      case 3:
        return static_cast<std::uint16_t>((this->rng() & 0x807F) | this->pick(255) << 7);
      default:
        return this->mild();
    }
  });
  this->random_program(TestFixture::kP == 16 ? 400 : 40);
}

TYPED_TEST(TensorEngine, SumEqualsADoublePrecisionLoop) {
  SCOPED_TRACE(tb::repro(this->seed));
  constexpr unsigned kP = TestFixture::kP;
  this->fill([&] { return this->mild(); });
  this->issue(this->load(kP, 0, kP, 0));
  this->issue(this->multiply(kP, 0, 8, 2 * kP, 0));
  this->drain();
  this->expect_same(2);
  const auto element = [&](unsigned k, unsigned column) {
    std::uint16_t bits;
    this->sbuf.read(k, 2 * column, {reinterpret_cast<std::uint8_t*>(&bits), 2});
    return static_cast<double>(cmodel::fp::to_float(std::uint32_t{bits} << 16));
  };
  ASSERT_EQ(this->rtl_rows.size(), 8u);
  for (unsigned n = 0; n < 8; ++n)
    for (unsigned m = 0; m < kP; ++m) {
      double sum = 0, size = 0;
      for (unsigned k = 0; k < kP; ++k) {
        sum += element(k, m) * element(k, kP + n);
        size += std::abs(element(k, m) * element(k, kP + n));
      }
      EXPECT_NEAR(cmodel::fp::to_float(this->rtl_rows[n].data[m]), sum, size * kP * 0x1p-24);
    }
}

TYPED_TEST(TensorEngine, StaleWeightsBeyondKNeverMatter) {
  SCOPED_TRACE(tb::repro(this->seed));
  constexpr unsigned kP = TestFixture::kP;
  // NaN in every PE of both planes, and NaN in the rows that the small tile does not use.
  this->fill([] { return std::uint16_t{0x7FFF}; });
  for (int i = 0; i < 2; ++i) {
    this->issue(this->load(kP, 0, kP, 0));
    this->issue(this->multiply(kP, 0, 4, 0, 0));
  }
  this->drain();
  for (unsigned p = kP / 4; p < kP / 2; ++p) {  // only the tile's own rows are numbers
    std::vector<std::uint8_t> line(TestFixture::kLine);
    for (unsigned at = 0; at < TestFixture::kSpan; at += TestFixture::kLine) {
      for (unsigned i = 0; i < line.size(); i += 2) {
        const std::uint16_t value = this->mild();
        std::memcpy(&line[i], &value, 2);
      }
      this->sbuf.write(p, at, line);
      defs::MemReq req;
      req.write = 1, req.bytes = TestFixture::kLine, req.addr = p * defs::kSbufStride + at;
      std::memcpy(req.data.data(), line.data(), line.size());
      req.pack(&this->dut->req_i[0], TestFixture::kSizes);
      this->dut->req_valid_i = 1;
      this->clock();
    }
  }
  this->dut->req_valid_i = 0;
  for (unsigned round = 0; round < 4; ++round) {
    this->issue(this->load(kP / 4, kP / 4, kP, 0));
    this->issue(this->multiply(kP / 4, kP / 4, 8, 256, 0));
  }
  this->drain();
  this->expect_same(12);
  for (const Row& row : this->rtl_rows) {
    if (row.pc < 4) continue;
    for (std::uint32_t word : row.data) ASSERT_FALSE(cmodel::fp::is_nan(word)) << "pc " << row.pc;
  }
}

/// Issue interval of back-to-back LOAD_STATIONARY + MULTIPLY_MOVING pairs.
TYPED_TEST(TensorEngine, NewWeightsCostTheDeclaredIntervalAndNoMore) {
  SCOPED_TRACE(tb::repro(this->seed));
  constexpr unsigned kP = TestFixture::kP, kCols = TestFixture::kSizes.psum_cols;
  this->fill([&] { return this->mild(); });
  struct Case {
    unsigned m, n, offset;
  };
  std::vector<Case> cases = {{kP, kP, 0},         {kP, kCols, 0},  {kP, kP / 2, 0}, {kP, 8, 0},
                             {kP / 2, 8, 0},      {kP / 2, kP, 0}, {10, 12, 0},     {10, 8, 0},
                             {9, 3, 8},           {kP - 3, 5, 0},  {kP, kP, 2},     {kP, 8, 2},
                             {kP, kP / 2 + 1, 6}, {10, 8, 4}};
  for (const Case& c : cases) {
    this->reset();
    this->moving_reads.clear();
    constexpr unsigned kPairs = 12;
    for (unsigned i = 0; i < kPairs; ++i) {
      this->issue(this->load(kP, 0, c.m, c.offset));
      this->issue(this->multiply(kP, 0, c.n, 1024, 4 * kCols * (i % 8)));
    }
    this->drain();
    this->expect_same(2 * kPairs);
    ASSERT_EQ(this->moving_reads.size(), kPairs * c.n);
    const unsigned stationary = c.offset % 8 == 0 ? std::min(kP / 2, c.m) : c.m;
    const unsigned expected = std::max(stationary, c.n);
    // Steady from the second pair on: the first load had nothing to hide behind.
    for (unsigned i = 2; i < kPairs; ++i)
      EXPECT_EQ(this->moving_reads[i * c.n] - this->moving_reads[(i - 1) * c.n], expected)
          << fmt::format("M {} N {} offset {} pair {}", c.m, c.n, c.offset, i);
  }
}

/// Tiles of one column take the published one cycle if the port brings a load and its multiply at
/// once, and two if it brings one instruction a cycle: in streams so long that no queue hides it.
TYPED_TEST(TensorEngine, TilesOfOneColumnIssueEveryCycle) {
  SCOPED_TRACE(tb::repro(this->seed));
  constexpr unsigned kP = TestFixture::kP, kPairs = 8 * kP, kCols = TestFixture::kSizes.psum_cols;
  this->clear_psum();
  this->fill([&] { return this->mild(); });
  for (const unsigned at_once : {2u, 1u}) {
    this->reset();
    this->moving_reads.clear();
    for (unsigned i = 0; i < kPairs; ++i) {
      const auto load = this->load(kP, 0, 1, 2 * (i % kP));
      const auto multiply = this->multiply(kP, 0, 1, 1024 + 2 * (i % 61), 4 * (i % kCols), i % 2);
      this->issue(load, at_once == 2 ? &multiply : nullptr);
      if (at_once == 1) this->issue(multiply);
    }
    this->drain();
    this->expect_same(2 * kPairs);
    ASSERT_EQ(this->moving_reads.size(), kPairs);
    for (unsigned i = 4; i < kPairs; ++i)
      ASSERT_EQ(this->moving_reads[i] - this->moving_reads[i - 1], 3 - at_once) << "pair " << i;
  }
}

/// Tiles of one and of a few columns in any mixture, in all rows or in halves of them: what the
/// quick load may not overtake.
TYPED_TEST(TensorEngine, RandomProgramsOfTinyTilesEqualTheTwin) {
  SCOPED_TRACE(tb::repro(this->seed));
  constexpr unsigned kP = TestFixture::kP;
  static constexpr Dtype kDtypes[] = {Dtype::Bf16, Dtype::Int8, Dtype::Fp32};
  this->clear_psum();
  this->fill([&] { return this->mild(); });
  unsigned instructions = 0;
  for (unsigned i = 0; i < 600; ++i) {
    const unsigned half = this->pick(4);  // 0, 1: the half; else all rows
    const unsigned k = half < 2 ? kP / 2 : kP, first = half == 1 ? kP / 2 : 0;
    const Dtype dtype = kDtypes[i / 40 % 3];
    const unsigned columns[] = {1, 1, 1, 1, 1, 2, 1 + this->pick(8), 1 + this->pick(kP)};
    auto load = this->load(k, first, columns[this->pick(8)], 16 * this->pick(8));
    if (load.size0 > 1 && load.size0 < 32 && this->pick(4) == 0) load.src0.stride0 = 16;
    load.src0.dtype = static_cast<std::uint8_t>(dtype);
    this->issue_or_hold(load);
    ++instructions;
    for (unsigned tiles = this->pick(8) ? 1 : this->pick(4); tiles; --tiles) {
      auto multiply =
          this->multiply(k, first, this->pick(3) ? 1 : 1 + this->pick(6), 8 * this->pick(64),
                         4 * TestFixture::kSizes.psum_cols * this->pick(8), this->pick(2));
      multiply.src0.dtype = load.src0.dtype;
      if (dtype == Dtype::Int8) multiply.dst.dtype = static_cast<std::uint8_t>(Dtype::Int32);
      this->issue_or_hold(multiply);
      ASSERT_EQ(this->last_cause, ErrorCause::None);
      ++instructions;
    }
    if (this->pick(30) == 0)
      for (unsigned wait = this->pick(3 * kP); wait; --wait) this->clock();
  }
  this->drain();
  this->expect_same(instructions);
}

/// Of two instructions that come together the first or the second may be bad, and the second may
/// belong to an older load.
TYPED_TEST(TensorEngine, ABadInstructionOfTwoStopsTheEngineByName) {
  constexpr unsigned kP = TestFixture::kP;
  this->fill([&] { return this->mild(); });
  for (const unsigned bad : {0u, 1u, 2u}) {
    this->reset();
    this->issue(this->load(kP / 2, kP / 2, 3, 0));
    auto load = this->load(kP / 2, 0, 1, 0);
    auto multiply = this->multiply(kP / 2, bad == 2 ? kP / 2 : 0, 1, 0, 0);
    if (bad == 0) load.src0.offset = 1;      // Misaligned
    if (bad == 1) multiply.partitions = kP;  // BadShape
    this->issue(load, &multiply);
    if (bad == 2) {
      this->drain();
      this->expect_same(3);
      ASSERT_EQ(this->lower_rows.size(), 1u);
      EXPECT_EQ(this->lower_rows[0].data.size(), 3u);
      continue;
    }
    this->drain();
    EXPECT_EQ(this->last_cause, bad ? ErrorCause::BadShape : ErrorCause::Misaligned);
    EXPECT_TRUE(this->dut->error_valid_o);
    EXPECT_EQ(this->dut->error_cause_o, static_cast<unsigned>(this->last_cause));
    EXPECT_EQ(this->dut->error_pc_o, 1 + bad);
    EXPECT_EQ(this->done, 1 + bad);
  }
}

/// The same for the other formats; fp32 within two cycles of its four passes (eight where they are
/// short).
TYPED_TEST(TensorEngine, EveryFormatHasTheDeclaredInterval) {
  SCOPED_TRACE(tb::repro(this->seed));
  constexpr unsigned kP = TestFixture::kP, kPairs = 8;
  this->fill([&] { return this->mild(); });
  for (const Dtype dtype : {Dtype::Fp16, Dtype::Fp8E5M2, Dtype::Fp8E4M3, Dtype::Fp8E3M4,
                            Dtype::Int8, Dtype::Tf32, Dtype::Fp32})
    for (const unsigned n : {kP / 2, kP}) {
      this->reset();
      this->moving_reads.clear();
      for (unsigned i = 0; i < kPairs; ++i) {
        auto load = this->load(kP, 0, kP, 0);
        auto multiply = this->multiply(kP, 0, n, 1024, 4 * TestFixture::kSizes.psum_cols * (i % 8));
        load.src0.dtype = multiply.src0.dtype = static_cast<std::uint8_t>(dtype);
        if (dtype == Dtype::Int8) multiply.dst.dtype = static_cast<std::uint8_t>(Dtype::Int32);
        this->issue(load);
        this->issue(multiply);
      }
      this->drain();
      this->expect_same(2 * kPairs);
      const unsigned passes = dtype == Dtype::Fp32 ? 4 : 1, reads = passes * n;
      ASSERT_EQ(this->moving_reads.size(), kPairs * reads);
      for (unsigned i = 2; i < kPairs; ++i) {
        const auto interval = this->moving_reads[i * reads] - this->moving_reads[(i - 1) * reads];
        EXPECT_GE(interval, reads) << defs::to_string(dtype) << " N " << n;
        EXPECT_LE(interval, reads + (passes == 1 ? 0
                                     : kP == 16  ? 8
                                                 : 2))
            << defs::to_string(dtype) << " N " << n;
      }
    }
}

/// PE (r, c) meets its first operand, and sums, exactly r + c cycles after PE (0, 0).
TYPED_TEST(TensorEngine, WorkReachesPeRCAfterRPlusCCycles) {
  SCOPED_TRACE(tb::repro(this->seed));
  constexpr unsigned kP = TestFixture::kP;
  auto& dut = *this->dut;
  this->fill([&] { return std::uint16_t{0}; });
  this->issue(this->load(kP, 0, kP, 0));
  for (unsigned i = 0; i < 2 * kP / 16; ++i) this->issue(this->multiply(kP, 0, 64, 0, 0));
  this->drain();  // nothing but zeros in the array
  this->fill([&] { return std::uint16_t{0x3F80}; });
  this->issue(this->load(kP, 0, kP, 0));
  this->drain();
  this->issue(this->multiply(kP, 0, 1, 0, 0));
  constexpr std::uint64_t kNever = ~0ull;
  std::vector<std::uint64_t> seen(kP * kP, kNever), summed(kP * kP, kNever);
  for (unsigned t = 0; t < 3 * kP + 16; ++t) {
    for (unsigned r = 0; r < kP; r += (kP == 16 ? 1 : 9))
      for (unsigned c = 0; c < kP; c += (kP == 16 ? 1 : 7)) {
        dut.probe_row_i = r, dut.probe_col_i = c;
        dut.eval();
        if (seen[r * kP + c] == kNever && (dut.probe_moving_o & 0xFFF) != 0)
          seen[r * kP + c] = this->cycle;
        if (summed[r * kP + c] == kNever &&
            dut.probe_psum_o == cmodel::fp::from_float(static_cast<float>(r + 1)))
          summed[r * kP + c] = this->cycle;
      }
    this->clock();
  }
  ASSERT_NE(seen[0], kNever);
  EXPECT_EQ(summed[0], seen[0] + 1);
  for (unsigned r = 0; r < kP; r += (kP == 16 ? 1 : 9))
    for (unsigned c = 0; c < kP; c += (kP == 16 ? 1 : 7)) {
      ASSERT_EQ(seen[r * kP + c], seen[0] + r + c) << "operand at PE " << r << ", " << c;
      ASSERT_EQ(summed[r * kP + c], summed[0] + r + c) << "sum of PE " << r << ", " << c;
    }
  this->expect_same(this->next_pc);
}

/// Nothing in flight: the array's registers keep their values whatever the clock does.
TYPED_TEST(TensorEngine, IdleArrayDoesNotMove) {
  constexpr unsigned kP = TestFixture::kP;
  auto& dut = *this->dut;
  this->fill([&] { return this->mild(); });
  this->issue(this->load(kP, 0, kP, 0));
  this->issue(this->multiply(kP, 0, 32, 0, 0));
  this->drain();
  const auto image = [&] {
    std::vector<std::uint32_t> words;
    for (unsigned r = 0; r < kP; ++r)
      for (unsigned c = 0; c < kP; c += 5) {
        dut.probe_row_i = r, dut.probe_col_i = c;
        dut.eval();
        words.push_back(dut.probe_moving_o);
        words.push_back(dut.probe_psum_o);
      }
    return words;
  };
  const auto before = image();
  for (int i = 0; i < 100; ++i) this->clock();
  EXPECT_EQ(before, image());
}

/// Done of a MULTIPLY_MOVING means that all its rows, and those of its elders, are written.
TYPED_TEST(TensorEngine, DoneFollowsTheLastRow) {
  constexpr unsigned kP = TestFixture::kP;
  this->fill([&] { return this->mild(); });
  for (unsigned i = 0; i < 3; ++i) {
    this->issue(this->load(kP, 0, kP, 0));
    this->issue(this->multiply(kP, 0, 10 + i, 0, 0));
  }
  this->drain();
  // A load is done when it has been read, but never before its elders; rows of the next tile may
  // follow so closely that one or two are written before the pulse.
  const std::vector<std::size_t> least{0, 10, 10, 21, 21, 33};
  ASSERT_EQ(this->done_rows.size(), least.size());
  for (unsigned i = 0; i < least.size(); ++i) {
    EXPECT_GE(this->done_rows[i], least[i]) << "instruction " << i;
    EXPECT_LE(this->done_rows[i], least[i] + 2) << "instruction " << i;
  }
}

/// Two tiles of P/2 rows at once, one in each half of the rows, new weights each: the pair takes as
/// long as one of them. In one bank of PSUM they take turns.
TYPED_TEST(TensorEngine, HalvesOfTheRowsWorkForTwoTilesAtOnce) {
  SCOPED_TRACE(tb::repro(this->seed));
  constexpr unsigned kP = TestFixture::kP, kCols = TestFixture::kSizes.psum_cols, kPairs = 12;
  for (const bool one_bank : {false, true}) {
    this->reset();
    this->fill([&] { return this->mild(); });
    this->moving_reads.clear();
    this->lower_reads.clear();
    for (unsigned i = 0; i < kPairs; ++i)
      for (const unsigned half : {0u, 1u}) {
        const unsigned bank = one_bank ? 0 : 2 * (i % 4) + half;
        this->issue(this->load(kP / 2, kP / 2 * half, kP, 0));
        this->issue(
            this->multiply(kP / 2, kP / 2 * half, kCols, 0, bank * kCols * 4, one_bank && i));
      }
    this->drain();
    this->expect_same(4 * kPairs);
    ASSERT_EQ(this->moving_reads.size(), kPairs * kCols);
    ASSERT_EQ(this->lower_reads.size(), kPairs * kCols);
    const auto span = this->lower_reads.back() - this->moving_reads.front() + 1;
    if (one_bank) {
      EXPECT_GE(span, 2 * kPairs * kCols);
    } else {
      EXPECT_LE(span, kPairs * kCols + kP);  // the second tile waits for its weights once
    }
  }
}

/// A tile through all rows needs both halves' weights from one load; a tile of P/2 rows only its
/// own.
TYPED_TEST(TensorEngine, AHalfLoadedAnewNoLongerFitsTheWholeTile) {
  constexpr unsigned kP = TestFixture::kP;
  this->fill([&] { return this->mild(); });
  for (const unsigned half : {0u, 1u}) {
    this->reset();
    this->issue(this->load(kP, 0, 8, 0));
    this->issue(this->load(kP / 2, kP / 2 * half, 8, 0));
    this->issue(this->multiply(kP / 2, kP / 2 * half, 8, 64, 0));
    EXPECT_EQ(this->last_cause, ErrorCause::None);
    this->issue(this->multiply(kP, 0, 8, 64, 0));
    EXPECT_EQ(this->last_cause, ErrorCause::BadShape);
    for (unsigned i = 0; i < 4 * kP + 60; ++i) this->clock();
    EXPECT_TRUE(this->dut->error_valid_o);
    EXPECT_EQ(this->dut->error_cause_o, static_cast<unsigned>(ErrorCause::BadShape));
    EXPECT_EQ(this->dut->error_pc_o, 3u);
    this->expect_same(3);
  }
}

/// An innermost stride of 16 bytes or more halves the rate of the port, moving or stationary.
TYPED_TEST(TensorEngine, LongStridesRunAtHalfTheRate) {
  SCOPED_TRACE(tb::repro(this->seed));
  constexpr unsigned kP = TestFixture::kP, kPairs = 8;
  struct Case {
    Dtype dtype;
    int stride;
    unsigned cycles;
  };
  for (const Case& c : {Case{Dtype::Bf16, 7, 1}, Case{Dtype::Bf16, 8, 2}, Case{Dtype::Bf16, -8, 2},
                        Case{Dtype::Fp8E4M3, 15, 1}, Case{Dtype::Fp8E4M3, 16, 2},
                        Case{Dtype::Tf32, 3, 1}, Case{Dtype::Tf32, 4, 2}})
    for (const bool stationary : {false, true}) {
      this->reset();
      this->fill([&] { return this->mild(); });
      this->moving_reads.clear();
      for (unsigned i = 0; i < kPairs; ++i) {
        auto load = this->load(kP, 0, kP / 2, 0);
        auto multiply =
            this->multiply(kP, 0, kP / 2, 0, 4 * TestFixture::kSizes.psum_cols * (i % 8));
        load.src0.dtype = multiply.src0.dtype = static_cast<std::uint8_t>(c.dtype);
        auto& with = stationary ? load.src0 : multiply.src0;
        with.stride0 = static_cast<std::int16_t>(c.stride);
        if (c.stride < 0) with.offset = 1024;
        this->issue(load);
        this->issue(multiply);
      }
      this->drain();
      this->expect_same(2 * kPairs);
      ASSERT_EQ(this->moving_reads.size(), kPairs * kP / 2);
      EXPECT_EQ(this->count(defs::TensorCount::WaitPort) > 0, !stationary && c.cycles == 2);
      for (unsigned i = 2; i < kPairs; ++i)
        EXPECT_EQ(this->moving_reads[i * kP / 2] - this->moving_reads[(i - 1) * kP / 2],
                  c.cycles * kP / 2)
            << defs::to_string(c.dtype) << " stride " << c.stride << (stationary ? " load" : "");
    }
}

TYPED_TEST(TensorEngine, PsumServesBothReaders) {
  constexpr unsigned kP = TestFixture::kP;
  auto& dut = *this->dut;
  this->fill([&] { return this->mild(); });
  this->issue(this->load(kP, 0, kP, 0));
  this->issue(this->multiply(kP, 0, 16, 0, 0));
  this->drain();
  unsigned v_next = 0, a_next = 0;
  for (unsigned t = 0; t < 32; ++t) {
    dut.v_rd_valid_i = v_next < 16, dut.v_rd_addr_i = v_next;
    dut.a_rd_valid_i = a_next < 16, dut.a_rd_addr_i = a_next;
    dut.eval();
    ASSERT_NE(dut.v_rd_ready_o, dut.a_rd_ready_o);
    if (t < 30) {  // taking turns while both ask
      EXPECT_EQ(dut.v_rd_ready_o, t % 2 == 0);
    }
    const unsigned addr = dut.v_rd_ready_o ? v_next++ : a_next++;
    this->clock();
    for (unsigned p = 0; p < kP; ++p) ASSERT_EQ(dut.rd_data_o[p], this->psum.row(addr)[p]);
  }
  dut.v_rd_valid_i = dut.a_rd_valid_i = 0;
}

/// Each cause by an instruction that is legal but for one thing; elders finish, then the engine
/// stops.
TYPED_TEST(TensorEngine, BadInstructionsStopTheEngineByName) {
  SCOPED_TRACE(tb::repro(this->seed));
  constexpr unsigned kP = TestFixture::kP, kCols = TestFixture::kSizes.psum_cols;
  this->fill([&] { return this->mild(); });
  const auto good_load = this->load(kP / 4, kP / 4, 8, 0);
  const auto good_multiply = this->multiply(kP / 4, kP / 4, 8, 64, 0);
  struct Case {
    const char* what;
    bool multiply;
    void (*spoil)(defs::Instr&);
    ErrorCause cause;
  };
  static constexpr unsigned kSbufBytes = TestFixture::kSizes.sbuf_bytes;
  const std::vector<Case> cases = {
      {"opcode", false, [](defs::Instr& i) { i.opcode = 32; }, ErrorCause::UnknownOpcode},
      {"opcode 255", true, [](defs::Instr& i) { i.opcode = 255, i.func = 1; },
       ErrorCause::UnknownOpcode},
      {"func", false, [](defs::Instr& i) { i.func = 1; }, ErrorCause::ReservedBits},
      {"imm", true, [](defs::Instr& i) { i.imm = 1; }, ErrorCause::ReservedBits},
      {"reserved", true, [](defs::Instr& i) { i.reserved = 512; }, ErrorCause::ReservedBits},
      {"accumulate", false, [](defs::Instr& i) { i.accumulate = 1; }, ErrorCause::ReservedBits},
      {"src1", true, [](defs::Instr& i) { i.src1.stride3 = 1; }, ErrorCause::ReservedBits},
      {"dst of a load", false, [](defs::Instr& i) { i.dst.space = 2; }, ErrorCause::ReservedBits},
      {"stride of size 1", false, [](defs::Instr& i) { i.src0.stride2 = 1; },
       ErrorCause::ReservedBits},
      {"operand reserved", true, [](defs::Instr& i) { i.dst.reserved = 1; },
       ErrorCause::ReservedBits},
      {"src in PSUM", false, [](defs::Instr& i) { i.src0.space = 2; }, ErrorCause::BadOperand},
      {"space 3", false, [](defs::Instr& i) { i.src0.space = 3; }, ErrorCause::BadOperand},
      {"no dst", true, [](defs::Instr& i) { i.dst = {}; }, ErrorCause::BadOperand},
      {"dst in SBUF", true, [](defs::Instr& i) { i.dst.space = 1; }, ErrorCause::BadOperand},
      {"int32 source", false, [](defs::Instr& i) { i.src0.dtype = 8; }, ErrorCause::BadFormat},
      {"int32 moving", true, [](defs::Instr& i) { i.src0.dtype = 8; }, ErrorCause::BadFormat},
      {"fp32 moving to bf16", true, [](defs::Instr& i) { i.src0.dtype = 0; },
       ErrorCause::BadFormat},
      {"tf32 moving to bf16", true, [](defs::Instr& i) { i.src0.dtype = 1; },
       ErrorCause::BadFormat},
      {"int8 moving to bf16", true, [](defs::Instr& i) { i.src0.dtype = 7, i.dst.dtype = 8; },
       ErrorCause::BadFormat},
      {"floats to int32", true, [](defs::Instr& i) { i.dst.dtype = 8; }, ErrorCause::BadFormat},
      {"format 15", true, [](defs::Instr& i) { i.src0.dtype = 15; }, ErrorCause::BadFormat},
      {"bf16 to PSUM", true, [](defs::Instr& i) { i.dst.dtype = 2; }, ErrorCause::BadFormat},
      {"fp32 at 2", false, [](defs::Instr& i) { i.src0.dtype = 0, i.src0.offset = 2; },
       ErrorCause::Misaligned},
      {"K 0", false, [](defs::Instr& i) { i.partitions = 0; }, ErrorCause::BadPartition},
      {"K > P", false, [](defs::Instr& i) { i.partitions = kP + 1; }, ErrorCause::BadPartition},
      {"start", false, [](defs::Instr& i) { i.src0.partition = 1; }, ErrorCause::BadPartition},
      {"beyond P", false, [](defs::Instr& i) { i.src0.partition = kP; }, ErrorCause::BadPartition},
      {"dst partition", true, [](defs::Instr& i) { i.dst.partition = kP / 4; },
       ErrorCause::BadPartition},
      {"size 0", false, [](defs::Instr& i) { i.size0 = 0; }, ErrorCause::BadShape},
      {"M > P", false, [](defs::Instr& i) { i.size0 = kP + 1; }, ErrorCause::BadShape},
      {"huge", false, [](defs::Instr& i) { i.size0 = i.size1 = i.size2 = i.size3 = 65535; },
       ErrorCause::BadShape},
      {"N > columns", true, [](defs::Instr& i) { i.size0 = kCols + 1; }, ErrorCause::BadShape},
      {"another K", true, [](defs::Instr& i) { i.partitions = kP / 4 - 1; }, ErrorCause::BadShape},
      {"another start", true, [](defs::Instr& i) { i.src0.partition = kP / 2; },
       ErrorCause::BadShape},
      {"odd offset", true, [](defs::Instr& i) { i.src0.offset = 1; }, ErrorCause::Misaligned},
      {"PSUM offset", true, [](defs::Instr& i) { i.dst.offset = 2; }, ErrorCause::Misaligned},
      {"end of SBUF", true, [](defs::Instr& i) { i.src0.offset = kSbufBytes - 14; },
       ErrorCause::OutOfBounds},
      {"before SBUF", true, [](defs::Instr& i) { i.src0.stride0 = -10; }, ErrorCause::OutOfBounds},
      {"two banks", true, [](defs::Instr& i) { i.dst.offset = 4 * kCols - 28; },
       ErrorCause::OutOfBounds},
      {"end of PSUM", true, [](defs::Instr& i) { i.dst.offset = 4 * kCols * 8; },
       ErrorCause::OutOfBounds},
      {"two faults", true, [](defs::Instr& i) { i.src0.offset = 1, i.src0.dtype = 0; },
       ErrorCause::BadFormat},
  };
  for (const Case& c : cases) {
    this->reset();
    this->issue(good_load);
    this->issue(good_multiply);
    auto bad = c.multiply ? good_multiply : good_load;
    c.spoil(bad);
    this->issue(bad);
    EXPECT_EQ(this->last_cause, c.cause) << c.what << " (twin)";
    // A younger instruction is never taken.
    const auto words = good_multiply.words();
    std::memcpy(&this->dut->instr_i[0], words.data(), sizeof(words));
    this->dut->instr_valid_i = 1;
    for (unsigned i = 0; i < 4 * kP + 60; ++i) {
      this->clock();
      ASSERT_FALSE(this->dut->instr_ready_o) << c.what;
      if (this->dut->error_valid_o) {
        ASSERT_EQ(this->done, 2u) << c.what;
      }
    }
    this->dut->instr_valid_i = 0;
    ASSERT_TRUE(this->dut->error_valid_o) << c.what;
    EXPECT_EQ(this->dut->error_cause_o, static_cast<unsigned>(c.cause)) << c.what;
    EXPECT_EQ(this->dut->error_pc_o, 2u) << c.what;
    EXPECT_FALSE(this->dut->busy_o) << c.what;
    this->expect_same(2);
  }
  // A tile without any weights.
  this->reset();
  this->issue(good_multiply);
  for (unsigned i = 0; i < 10; ++i) this->clock();
  EXPECT_EQ(this->last_cause, ErrorCause::BadShape);
  EXPECT_TRUE(this->dut->error_valid_o);
  EXPECT_EQ(this->dut->error_cause_o, static_cast<unsigned>(ErrorCause::BadShape));
}

}  // namespace
