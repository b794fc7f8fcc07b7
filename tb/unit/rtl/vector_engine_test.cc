// SPDX-License-Identifier: Apache-2.0
// The vector engine in RTL against its twin, bit by bit; the twin against plain float loops.
#include "Vvector_engine_inf2.h"
#include "Vvector_engine_mini.h"
#include "cmodel/machine/fp.h"
#include "cmodel/machine/lane_engine.h"
#include "tb/unit/rtl/lane_cost_bench.h"

namespace {

template <class Model, const defs::Sizes& kSizes>
struct Config {
  using Dut = Model;
  static constexpr defs::Engine engine = defs::Engine::Vector;
  static constexpr const defs::Sizes& sizes = kSizes;
};

template <class C>
class VectorEngine : public tb::LaneCostBench<C> {
 protected:
  using Base = tb::LaneEngineBench<C>;

  /// dst[64] = src0[64] in one run, all of it bf16 at the start of SBUF.
  static defs::Instr plain(defs::Opcode opcode, unsigned n) {
    defs::Instr instr;
    instr.opcode = static_cast<std::uint8_t>(opcode);
    instr.partitions = Base::kP;
    instr.size3 = instr.size2 = instr.size1 = 1;
    instr.size0 = static_cast<std::uint16_t>(n);
    instr.src0 = {.space = 1, .dtype = 2, .offset = 0, .stride0 = 1};
    instr.dst = {.space = 1, .dtype = 2, .offset = 512, .stride0 = 1};
    if (defs::row_of(instr.opcode)->src1().used())
      instr.src1 = {.space = 1, .dtype = 2, .offset = 256, .stride0 = 1};
    if (opcode == defs::Opcode::TensorReduce) instr.dst.stride0 = 0;
    return instr;
  }
};

using Configs = testing::Types<Config<Vvector_engine_mini, defs::kMini>,
                               Config<Vvector_engine_inf2, defs::kInf2>>;
TYPED_TEST_SUITE(VectorEngine, Configs);

TYPED_TEST(VectorEngine, RandomProgramsGiveTheTwinsRows) {
  this->random_programs(TypeParam::sizes.partitions > 16 ? 100 : 300);
}

TYPED_TEST(VectorEngine, RefusesEveryCauseAfterFinishingWhatIsOlder) {
  using defs::ErrorCause;
  using Slip = typename TestFixture::Slip;
  const std::vector<Slip> slips{
      {ErrorCause::UnknownOpcode, [](defs::Instr& i) { i.opcode = 0x30; }},
      {ErrorCause::UnknownOpcode, [](defs::Instr& i) { i.func = 24; }},
      {ErrorCause::UnknownOpcode, [](defs::Instr& i) { i.opcode = 0x22, i.func = 7; }},
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i.reserved = 1; }},
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i.imm = 1; }},
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i.accumulate = 1; }},
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i.dst.reserved = 2; }},
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i.src0.stochastic = 1; }},
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i.src1.saturate = 1; }},
      {ErrorCause::ReservedBits,  // bits are not cast
       [](defs::Instr& i) {
         i.func = 19, i.src0.dtype = i.src1.dtype = i.dst.dtype = 10, i.dst.stochastic = 1;
       }},
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i.src1.stride1 = 1; }},
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i.opcode = 0x20; }},  // src1 left over
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i.opcode = 0x20, i.func = 1, i.src1 = {}; }},
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i.src1.space = 0; }},
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i.opcode = 0x22, i.src1 = {}; }},  // stride0
      {ErrorCause::BadOperand, [](defs::Instr& i) { i.src1 = {}; }},
      {ErrorCause::BadOperand,  // both sources in PSUM
       [](defs::Instr& i) {
         i.opcode = static_cast<std::uint8_t>(defs::Opcode::CopyPredicated);
         i.src0 = i.src1 = {.space = 2, .dtype = 8, .stride0 = 1};
       }},
      {ErrorCause::BadOperand, [](defs::Instr& i) { i.src0.space = 3; }},
      {ErrorCause::BadFormat, [](defs::Instr& i) { i.dst.dtype = 13; }},
      {ErrorCause::BadFormat, [](defs::Instr& i) { i.func = 19; }},  // bits of bf16
      {ErrorCause::BadFormat,                                        // of two sizes
       [](defs::Instr& i) { i.func = 19, i.src0.dtype = i.src1.dtype = 10, i.dst.dtype = 7; }},
      {ErrorCause::BadFormat, [](defs::Instr& i) { i.src0.dtype = 15; }},
      {ErrorCause::BadFormat, [](defs::Instr& i) { i.src0.space = 2; }},  // bf16 in PSUM
      {ErrorCause::BadPartition, [](defs::Instr& i) { i.partitions = 0; }},
      {ErrorCause::BadPartition, [](defs::Instr& i) { i.partitions = 255; }},
      {ErrorCause::BadPartition, [](defs::Instr& i) { i.src1.partition = 4; }},
      {ErrorCause::BadPartition, [](defs::Instr& i) { i.partitions = 1, i.dst.partition = 1; }},
      {ErrorCause::BadShape, [](defs::Instr& i) { i.size0 = 0; }},
      {ErrorCause::BadShape, [](defs::Instr& i) { i.size3 = 0; }},
      {ErrorCause::Misaligned, [](defs::Instr& i) { i.src0.offset = 1; }},
      {ErrorCause::Misaligned, [](defs::Instr& i) { i.dst.dtype = 0, i.dst.offset = 514; }},
      {ErrorCause::OutOfBounds, [](defs::Instr& i) { i.src0.stride0 = -1; }},
      {ErrorCause::OutOfBounds, [](defs::Instr& i) { i.dst.offset = 0xfffffe; }},
      {ErrorCause::OutOfBounds, [](defs::Instr& i) { i.src1.stride0 = 32767; }},
      {ErrorCause::OutOfBounds,  // across two PSUM banks
       [](defs::Instr& i) {
         i.src0 = {.space = 2, .offset = TypeParam::sizes.psum_cols * 4 - 8, .stride0 = 1};
       }},
  };
  this->expect_refused(this->plain(defs::Opcode::TensorTensor, 8), slips);
}

TYPED_TEST(VectorEngine, RefusesScalarsAndSecondFunctionsThatAreWrong) {
  using defs::ErrorCause;
  using Slip = typename TestFixture::Slip;
  static const auto with = [](defs::Instr& i, auto change) {
    auto scalars = defs::Scalars::from(i.src1.words());
    change(scalars);
    i.src1 = defs::Operand::from(scalars.words());
  };
  const std::vector<Slip> slips{
      {ErrorCause::UnknownOpcode, [](defs::Instr& i) { i.imm = 24; }},
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i.imm |= 64; }},
      {ErrorCause::ReservedBits, [](defs::Instr& i) { with(i, [](auto& s) { s.second = {}; }); }},
      {ErrorCause::ReservedBits,
       [](defs::Instr& i) { with(i, [](auto& s) { s.first.reserved = 1; }); }},
      {ErrorCause::ReservedBits,
       [](defs::Instr& i) { with(i, [](auto& s) { s.second.kind = 0; }); }},
      {ErrorCause::BadOperand, [](defs::Instr& i) { with(i, [](auto& s) { s.first = {}; }); }},
      {ErrorCause::BadOperand, [](defs::Instr& i) { with(i, [](auto& s) { s.second.kind = 3; }); }},
      {ErrorCause::BadFormat, [](defs::Instr& i) { i.imm = 19; }},  // bits behind arithmetic
      {ErrorCause::BadPartition,
       [](defs::Instr& i) { with(i, [](auto& s) { s.second.value = 1u << 24; }); }},
      {ErrorCause::Misaligned,
       [](defs::Instr& i) { with(i, [](auto& s) { s.second.value = 6; }); }},
      {ErrorCause::OutOfBounds,
       [](defs::Instr& i) {
         with(i, [](auto& s) { s.second.value = TypeParam::sizes.sbuf_bytes; });
       }},
  };
  auto legal = this->plain(defs::Opcode::TensorScalar, 8);
  legal.imm = 4;
  const defs::Scalars scalars{.second = {.kind = 2, .value = 1024},
                              .first = {.kind = 1, .value = 0x40000000}};
  legal.src1 = defs::Operand::from(scalars.words());
  this->expect_refused(legal, slips);
}

TYPED_TEST(VectorEngine, CostsWhatTheTableSays) {
  this->expect_costs([](const tb::LaneCosts& costs) { return costs.vector(); });
}

TEST(VectorTwin, ReducesInOrderAndRoundsOnce) {
  cmodel::Sbuf sbuf(defs::kMini);
  cmodel::Psum psum(defs::kMini);
  tb::RowSink sink;
  cmodel::LaneEngine engine(defs::kMini, sbuf, psum, sink, tb::stream_of(defs::Engine::Vector));
  // 2^24 + 1 + 1 in this order stays 2^24; in another order it would not.
  const float values[] = {16777216.0f, 1.0f, 1.0f};
  for (unsigned i = 0; i < 3; ++i) psum.row(i)[0] = std::bit_cast<std::uint32_t>(values[i]);
  defs::Instr instr;
  instr.opcode = static_cast<std::uint8_t>(defs::Opcode::TensorReduce);
  instr.partitions = 1;
  instr.size0 = 3, instr.size1 = instr.size2 = instr.size3 = 1;
  instr.src0 = {.space = 2, .stride0 = 1};
  instr.dst = {.space = 1};
  ASSERT_EQ(engine.execute(instr, 0), defs::ErrorCause::None);
  EXPECT_EQ(sink.rows.back().values[0], std::bit_cast<std::uint32_t>(16777216.0f));
  instr.src0 = {.space = 2, .offset = 8, .stride0 = -1};
  ASSERT_EQ(engine.execute(instr, 1), defs::ErrorCause::None);
  EXPECT_EQ(sink.rows.back().values[0], std::bit_cast<std::uint32_t>(16777218.0f));
}

TEST(VectorTwin, ScansSelectsAndReducesOverDimensionsAsItsRowsSay) {
  cmodel::Sbuf sbuf(defs::kMini);
  cmodel::Psum psum(defs::kMini);
  tb::RowSink sink;
  cmodel::LaneEngine engine(defs::kMini, sbuf, psum, sink, tb::stream_of(defs::Engine::Vector));
  const auto word = [](float value) { return std::bit_cast<std::uint32_t>(value); };
  for (unsigned i = 0; i < 12; ++i) {
    psum.row(i)[0] = word(static_cast<float>(i));
    sbuf.write_column(1024 + 4 * i, 4, 0, std::array{psum.row(i)[0]});
  }
  defs::Instr instr;
  instr.partitions = 1;
  instr.size0 = 3, instr.size1 = 2, instr.size2 = 2, instr.size3 = 1;
  instr.src0 = {.space = 2, .stride2 = 6, .stride1 = 3, .stride0 = 1};
  const auto values = [&](defs::Opcode opcode, std::uint8_t func, std::uint32_t imm) {
    instr.opcode = static_cast<std::uint8_t>(opcode), instr.func = func, instr.imm = imm;
    sink.rows.clear();
    EXPECT_EQ(to_string(engine.execute(instr, 0)), to_string(defs::ErrorCause::None));
    std::vector<float> all;
    for (const auto& row : sink.rows) all.push_back(std::bit_cast<float>(row.values[0]));
    return all;
  };
  using Floats = std::vector<float>;
  const auto reduction = [](bool negate, std::uint8_t more) {
    return defs::Reduction{negate, more}.words()[0];
  };
  instr.dst = {.space = 1, .stride2 = 2, .stride1 = 1};
  EXPECT_EQ(values(defs::Opcode::TensorReduce, 0, reduction(false, 0)), (Floats{3, 12, 21, 30}));
  instr.dst = {.space = 1, .stride2 = 1};
  EXPECT_EQ(values(defs::Opcode::TensorReduce, 0, reduction(true, 1)), (Floats{-15, -51}));
  instr.dst = {.space = 1};
  EXPECT_EQ(values(defs::Opcode::TensorReduce, 2, reduction(false, 2)), (Floats{11}));
  // r = 2 r + x from 1, in each of two rows: func Mul, func1 Add, src0 twos.
  instr.size2 = 1;
  sbuf.write_column(512, 4, 0, std::array{word(2.0f)});
  instr.src0 = {.space = 1, .offset = 512};
  instr.src1 = {.space = 1, .offset = 1024, .stride1 = 3, .stride0 = 1};
  instr.dst = {.space = 1, .stride1 = 3, .stride0 = 1};
  const auto one = defs::FusedScalar{0x3f80, 1, 0}.words()[0];
  EXPECT_EQ(values(defs::Opcode::TensorTensorScan, 4, one), (Floats{2, 5, 12, 5, 14, 33}));
  // 0 is false: the scalar.
  instr.src0 = {.space = 2, .stride1 = 3, .stride0 = 1};
  EXPECT_EQ(values(defs::Opcode::Select, 0, one), (Floats{1, 1, 2, 3, 4, 5}));
  // (x - 1) * x, and 1 - x by a reversed scalar.
  EXPECT_EQ(values(defs::Opcode::ScalarTensorTensor, 1, one | 4), (Floats{-0.0f, 0, 2, 6, 12, 20}));
  const defs::Scalars reversed{.first = {.kind = 1, .reverse = 1, .value = word(1.0f)}};
  instr.src1 = defs::Operand::from(reversed.words());
  EXPECT_EQ(values(defs::Opcode::TensorScalar, 1, 0), (Floats{1, 0, -1, -2, -3, -4}));
}

/// A twin with fp32 data in SBUF of one core, and what an instruction writes.
struct Twin {
  static std::uint32_t word(float value) { return std::bit_cast<std::uint32_t>(value); }

  /// fp32 elements of all partitions from byte `at` on, as value(partition, element) says.
  void fill(unsigned at, unsigned n, auto value) {
    std::vector<std::uint32_t> column(defs::kMini.partitions);
    for (unsigned i = 0; i < n; ++i) {
      for (unsigned p = 0; p < column.size(); ++p) column[p] = word(value(p, i));
      sbuf.write_column(at + 4 * i, 4, 0, column);
    }
  }
  /// n elements at byte 0, values or a mask at 4096, to 5120: rows of words.
  std::vector<std::vector<std::uint32_t>> run(defs::Opcode opcode, unsigned n,
                                              std::uint32_t imm = 0, defs::Operand src1 = {},
                                              std::uint8_t to = 0) {
    const auto& row = *defs::row_of(static_cast<std::uint8_t>(opcode));
    defs::Instr instr;
    instr.opcode = static_cast<std::uint8_t>(opcode);
    instr.imm = imm;
    instr.partitions = static_cast<std::uint8_t>(defs::kMini.partitions);
    instr.size0 = static_cast<std::uint16_t>(n);
    instr.size1 = instr.size2 = instr.size3 = 1;
    const auto stride = static_cast<std::int16_t>(n > 1);
    if (row.src0().used()) instr.src0 = {.space = 1, .stride0 = stride};
    instr.src1 = src1;
    if (row.dst().used())
      instr.dst = {.space = 1,
                   .dtype = to,
                   .offset = 5120,
                   .stride0 = row.dst().walk == defs::Walk::All ? stride : std::int16_t{1}};
    sink.rows.clear();
    EXPECT_EQ(to_string(engine.execute(instr, 0)), to_string(defs::ErrorCause::None));
    std::vector<std::vector<std::uint32_t>> rows;
    for (const auto& written : sink.rows) rows.push_back(written.values);
    return rows;
  }

  cmodel::Sbuf sbuf{defs::kMini};
  cmodel::Psum psum{defs::kMini};
  tb::RowSink sink;
  cmodel::LaneEngine engine{defs::kMini, sbuf, psum, sink, tb::stream_of(defs::Engine::Vector)};
};

/// The bounds of rtl/README.md, for data with a mean far from 0, near it, and with outliers.
TEST(VectorTwin, StatisticsAreNearTheExactOnes) {
  std::mt19937_64 rng(tb::seed());
  for (const unsigned n : {1u, 2u, 7u, 64u, 255u, 512u}) {
    Twin twin;
    std::vector<std::array<double, 512>> x(defs::kMini.partitions);
    for (unsigned p = 0; p < x.size(); ++p)
      for (unsigned i = 0; i < n; ++i) {
        const double noise = std::normal_distribution<double>()(rng);
        const double value = p % 4 == 0   ? noise
                             : p % 4 == 1 ? 1000 + noise
                             : p % 4 == 2 ? (i == p ? 1e4 : noise)
                                          : 3 + 1e-3 * noise;
        x[p][i] = static_cast<float>(value);
      }
    twin.fill(0, n, [&](unsigned p, unsigned i) { return static_cast<float>(x[p][i]); });
    const auto stats = twin.run(defs::Opcode::BnStats, n);
    ASSERT_EQ(stats.size(), 6u);
    const auto out = [](const auto& rows, unsigned at, unsigned p) {
      return static_cast<double>(std::bit_cast<float>(rows[at][p]));
    };
    // The whole from its two parts, which the second instruction finds where data was.
    for (unsigned i = 0; i < 6; ++i) twin.sbuf.write_column(4 * i, 4, 0, stats[i]);
    const auto whole = twin.run(defs::Opcode::BnAggr, 6);
    ASSERT_EQ(whole.size(), 2u);
    constexpr double kEpsilon = 0x1p-24;
    for (unsigned p = 0; p < x.size(); ++p) {
      const auto exact = [&](unsigned first, unsigned step) {
        double count = 0, sum = 0, squares = 0, most = 0;
        for (unsigned i = first; i < n; i += step) ++count, sum += x[p][i];
        const double mean = count ? sum / count : 0;
        for (unsigned i = first; i < n; i += step) {
          squares += (x[p][i] - mean) * (x[p][i] - mean);
          most = std::max(most, std::abs(x[p][i]));
        }
        return std::array{count, mean, squares, most};
      };
      for (unsigned odd = 0; odd < 2; ++odd) {
        const auto [count, mean, squares, most] = exact(odd, 2);
        EXPECT_EQ(out(stats, 3 * odd, p), count);
        const double error = (count / 2 + 2) * kEpsilon * most;
        EXPECT_NEAR(out(stats, 3 * odd + 1, p), mean, error) << n << " partition " << p;
        EXPECT_NEAR(out(stats, 3 * odd + 2, p), squares,
                    4 * error * std::sqrt(count * squares) + count * error * error +
                        4 * count * kEpsilon * squares)
            << n << " partition " << p;
      }
      const auto [count, mean, squares, most] = exact(0, 1);
      const double error = (count / 4 + 8) * kEpsilon * most, variance = squares / count;
      EXPECT_NEAR(out(whole, 0, p), mean, error) << n << " partition " << p;
      EXPECT_NEAR(out(whole, 1, p), variance,
                  4 * error * std::sqrt(variance) + error * error + 2 * count * kEpsilon * variance)
          << n << " partition " << p;
    }
  }
}

TEST(VectorTwin, TransposesShufflesAndLeavesLanesThatAreMasked) {
  Twin twin;
  const unsigned quarter = defs::kMini.partitions / 4;
  twin.fill(0, quarter, [](unsigned p, unsigned i) { return static_cast<float>(100 * p + i); });
  const auto square = twin.run(defs::Opcode::Transpose, quarter);
  for (unsigned i = 0; i < quarter; ++i)
    for (unsigned p = 0; p < defs::kMini.partitions; ++p)
      EXPECT_EQ(square[i][p],
                Twin::word(static_cast<float>(100 * (p / quarter * quarter + i) + p % quarter)));
  // Each takes its neighbour; the last of each quarter stays.
  std::vector<std::uint32_t> mask(defs::kMini.partitions), before(mask.size(), 7);
  for (unsigned p = 0; p < mask.size(); ++p)
    mask[p] = p % quarter == quarter - 1 ? 255 : p % quarter + 1;
  twin.sbuf.write_column(4096, 1, 0, mask);
  twin.sbuf.write_column(5120, 4, 0, before);
  twin.run(defs::Opcode::StreamShuffle, 1, 0, {.space = 1, .dtype = 9, .offset = 4096});
  std::vector<std::uint32_t> after(mask.size());
  twin.sbuf.read_column(5120, 4, 0, after);
  for (unsigned p = 0; p < mask.size(); ++p)
    EXPECT_EQ(after[p], mask[p] == 255 ? 7 : Twin::word(static_cast<float>(100 * (p + 1)))) << p;
}

TEST(VectorTwin, FindsTheEightGreatestAndEachOfTwoThatAreEqual) {
  Twin twin;
  const float data[] = {3, -1, 9, 9, 0.5f, -7, 4, 2, 9, 8, 1, 6};
  twin.fill(0, 12, [&](unsigned, unsigned i) { return data[i]; });
  const auto greatest = twin.run(defs::Opcode::Max8, 12);
  const float sorted[] = {9, 9, 9, 8, 6, 4, 3, 2};
  ASSERT_EQ(greatest.size(), 8u);
  for (unsigned i = 0; i < 8; ++i) EXPECT_EQ(greatest[i][5], Twin::word(sorted[i]));
  const float wanted[] = {9, 9, 4, 77, 9, -1, 9, 6};
  twin.fill(4096, 8, [&](unsigned, unsigned i) { return wanted[i]; });
  const defs::Operand values{.space = 1, .offset = 4096, .stride0 = 1};
  const auto places = twin.run(defs::Opcode::FindIndex8, 12, 0, values, 12);
  const std::uint32_t indices[] = {2, 3, 6, ~0u, 8, 1, ~0u, 11};
  for (unsigned i = 0; i < 8; ++i) EXPECT_EQ(places[i][3], indices[i]) << i;
  const auto replaced =
      twin.run(defs::Opcode::MatchReplace8, 12, defs::FusedScalar{0xff80, 1, 0}.words()[0], values);
  for (unsigned i = 0; i < 12; ++i)
    EXPECT_EQ(replaced[i][3], std::ranges::count(indices, i) ? 0xff800000u : Twin::word(data[i]));
}

TEST(VectorTwin, RandomBitsComeAgainWithTheirSeedAndDropWhatTheyShould) {
  const auto bits = [](std::uint32_t seed) {
    Twin twin;
    defs::Instr set;
    set.opcode = static_cast<std::uint8_t>(defs::Opcode::SetSeed);
    set.src1 = defs::Operand::from(defs::Scalars{.first = {.kind = 1, .value = seed}}.words());
    EXPECT_EQ(twin.engine.execute(set, 0), defs::ErrorCause::None);
    return twin.run(defs::Opcode::Rng, 500, 0, {}, 12);
  };
  const auto once = bits(1), again = bits(1), other = bits(2);
  EXPECT_EQ(once, again);
  unsigned ones = 0, same = 0;
  for (unsigned i = 0; i < 500; ++i)
    for (unsigned p = 0; p < defs::kMini.partitions; ++p) {
      ones += static_cast<unsigned>(std::popcount(once[i][p]));
      same += once[i][p] == other[i][p] || (p && once[i][p] == once[i][p - 1]);
    }
  const double n = 500.0 * defs::kMini.partitions;
  EXPECT_NEAR(ones / n, 16, 5 * std::sqrt(8 / n));
  EXPECT_EQ(same, 0u);
  Twin twin;
  twin.fill(0, 512, [](unsigned, unsigned) { return 1.0f; });
  for (const float p : {0.0f, 0.25f, 1.0f}) {
    unsigned zeros = 0;
    for (const auto& row : twin.run(
             defs::Opcode::Dropout, 512,
             defs::FusedScalar{static_cast<std::uint16_t>(Twin::word(p) >> 16), 1, 0}.words()[0]))
      zeros += static_cast<unsigned>(std::ranges::count(row, 0u));
    const double all = 512.0 * defs::kMini.partitions;
    EXPECT_NEAR(zeros / all, p, 5 * std::sqrt(p * (1 - p) / all));
  }
}

TEST(VectorTwin, CastsTiesToEvenAndWritesTheOneNan) {
  cmodel::Sbuf sbuf(defs::kMini);
  cmodel::Psum psum(defs::kMini);
  tb::RowSink sink;
  cmodel::LaneEngine engine(defs::kMini, sbuf, psum, sink, tb::stream_of(defs::Engine::Vector));
  const std::uint32_t in[] = {0x3f808000, 0x3f818000, 0x7f7fffff,
                              0xff800001, 0x80000000, 0x00008001};
  const std::uint32_t out[] = {0x3f80, 0x3f82, 0x7f80, 0x7fc0, 0x8000, 0x0001};
  std::copy(std::begin(in), std::end(in), psum.row(0).begin());
  defs::Instr instr;
  instr.opcode = static_cast<std::uint8_t>(defs::Opcode::TensorCopy);
  instr.partitions = 6;
  instr.size0 = instr.size1 = instr.size2 = instr.size3 = 1;
  instr.src0 = {.space = 2};
  instr.dst = {.space = 1, .dtype = 2};
  ASSERT_EQ(engine.execute(instr, 0), defs::ErrorCause::None);
  EXPECT_TRUE(std::equal(std::begin(out), std::end(out), sink.rows.back().values.begin()));
  instr.dst.dtype = 0;
  ASSERT_EQ(engine.execute(instr, 0), defs::ErrorCause::None);
  EXPECT_EQ(sink.rows.back().values[3], 0x7fc00000u);
}

}  // namespace
