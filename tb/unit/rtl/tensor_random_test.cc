// SPDX-License-Identifier: Apache-2.0
// Random programs on the tensor engine: every row written equals the twin's, bit for bit and in
// order.
#include "tb/unit/rtl/tensor_engine_bench.h"

namespace {

using defs::Dtype;
using defs::ErrorCause;

/// Makes up legal programs: tiles of any shape and format, in all rows or in either half.
template <class C>
class TensorRandom : public tensor::TensorEngine<C> {
 protected:
  using Bench = tensor::TensorEngine<C>;
  using Bench::bytes_of, Bench::clock, Bench::drain, Bench::expect_same, Bench::issue_or_hold;
  using Bench::kP, Bench::kSizes, Bench::kSpan, Bench::last_cause, Bench::load, Bench::lower_rows;
  using Bench::multiply, Bench::pick;

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
    return defs::kFormatsNarrow >> static_cast<unsigned>(*stationary) & 1 ? kAll[pick(5)]
                                                                          : *stationary;
  }
  static bool is_bits(const defs::Instr& load) {
    return load.opcode == static_cast<std::uint8_t>(defs::Opcode::LoadBits);
  }
  /// Instead of numbers bits, of any format that has 16 or 32 of them.
  void load_bits(defs::Instr& load) {
    static constexpr Dtype kMoved[] = {Dtype::Bf16,  Dtype::Fp16,   Dtype::Int16, Dtype::Uint16,
                                       Dtype::Int32, Dtype::Uint32, Dtype::Tf32,  Dtype::Fp32};
    load.opcode = static_cast<std::uint8_t>(defs::Opcode::LoadBits);
    load.src0.dtype = static_cast<std::uint8_t>(kMoved[pick(8)]);
  }
  /// A multiply of any format picks bits.
  void transpose(defs::Instr& multiply) {
    multiply.opcode = static_cast<std::uint8_t>(defs::Opcode::TransposeMoving);
    multiply.accumulate = 0;
    multiply.src0.dtype = static_cast<std::uint8_t>(random_format());
    multiply.dst.dtype = static_cast<std::uint8_t>(Dtype::Int32);
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
        if (pick(5) == 0) load_bits(instr);
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
        if (is_bits(*weights)) {
          transpose(moving);
        } else {
          moving.src0.dtype = static_cast<std::uint8_t>(random_format(&format));
          if (format == Dtype::Int8) moving.dst.dtype = static_cast<std::uint8_t>(Dtype::Int32);
        }
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
};
TYPED_TEST_SUITE(TensorRandom, tensor::Configs);

TYPED_TEST(TensorRandom, RandomProgramsOfMildNumbersEqualTheTwin) {
  SCOPED_TRACE(tb::repro(this->seed));
  this->clear_psum();
  this->fill([&] { return this->mild(); });
  this->random_program(TestFixture::kP == 16 ? 400 : 40);
}

TYPED_TEST(TensorRandom, RandomProgramsOfAnyBitsEqualTheTwin) {
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

/// Tiles of one and of a few columns in any mixture, in all rows or in halves of them: what the
/// quick load may not overtake.
TYPED_TEST(TensorRandom, RandomProgramsOfTinyTilesEqualTheTwin) {
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
    if (this->pick(6) == 0) this->load_bits(load);
    this->issue_or_hold(load);
    ++instructions;
    for (unsigned tiles = this->pick(8) ? 1 : this->pick(4); tiles; --tiles) {
      auto multiply =
          this->multiply(k, first, this->pick(3) ? 1 : 1 + this->pick(6), 8 * this->pick(64),
                         4 * TestFixture::kSizes.psum_cols * this->pick(8), this->pick(2));
      multiply.src0.dtype = load.src0.dtype;
      if (dtype == Dtype::Int8) multiply.dst.dtype = static_cast<std::uint8_t>(Dtype::Int32);
      if (TestFixture::is_bits(load)) this->transpose(multiply);
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

}  // namespace
