// SPDX-License-Identifier: Apache-2.0
// When the tensor engine does it: intervals between tiles, skew, order of completion, halves,
// strides.
#include "tb/unit/rtl/tensor_engine_bench.h"

namespace {

using defs::Dtype;

template <class C>
class TensorSchedule : public tensor::TensorEngine<C> {};
TYPED_TEST_SUITE(TensorSchedule, tensor::Configs);

/// Issue interval of back-to-back LOAD_STATIONARY + MULTIPLY_MOVING pairs.
TYPED_TEST(TensorSchedule, NewWeightsCostTheDeclaredIntervalAndNoMore) {
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
TYPED_TEST(TensorSchedule, TilesOfOneColumnIssueEveryCycle) {
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

/// The same for the other formats; fp32 within two cycles of its four passes (eight where they are
/// short).
TYPED_TEST(TensorSchedule, EveryFormatHasTheDeclaredInterval) {
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
TYPED_TEST(TensorSchedule, WorkReachesPeRCAfterRPlusCCycles) {
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

/// Done of a MULTIPLY_MOVING means that all its rows, and those of older instructions, are written.
TYPED_TEST(TensorSchedule, DoneFollowsTheLastRow) {
  constexpr unsigned kP = TestFixture::kP;
  this->fill([&] { return this->mild(); });
  for (unsigned i = 0; i < 3; ++i) {
    this->issue(this->load(kP, 0, kP, 0));
    this->issue(this->multiply(kP, 0, 10 + i, 0, 0));
  }
  this->drain();
  // A load is done when it has been read, but never before older instructions; rows of the next
  // tile may follow so closely that one or two are written before the pulse.
  const std::vector<std::size_t> least{0, 10, 10, 21, 21, 33};
  ASSERT_EQ(this->done_rows.size(), least.size());
  for (unsigned i = 0; i < least.size(); ++i) {
    EXPECT_GE(this->done_rows[i], least[i]) << "instruction " << i;
    EXPECT_LE(this->done_rows[i], least[i] + 2) << "instruction " << i;
  }
}

/// Two tiles of P/2 rows at once, one in each half of the rows, new weights each: the pair takes as
/// long as one of them. In one bank of PSUM they take turns.
TYPED_TEST(TensorSchedule, HalvesOfTheRowsWorkForTwoTilesAtOnce) {
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

/// An innermost stride of 16 bytes or more halves the rate of the port, moving or stationary.
TYPED_TEST(TensorSchedule, LongStridesRunAtHalfTheRate) {
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

}  // namespace
