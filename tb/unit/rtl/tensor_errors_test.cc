// SPDX-License-Identifier: Apache-2.0
// Illegal instructions: each stops the tensor engine, behind older instructions, with cause and
// serial.
#include "tb/unit/rtl/tensor_engine_bench.h"

namespace {

using defs::ErrorCause;

template <class C>
class TensorErrors : public tensor::TensorEngine<C> {};
TYPED_TEST_SUITE(TensorErrors, tensor::Configs);

/// Of two instructions that come together the first or the second may be bad, and the second may
/// belong to an older load.
TYPED_TEST(TensorErrors, ABadInstructionOfTwoStopsTheEngineByName) {
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
    EXPECT_EQ(this->dut->error_serial_o, 1 + bad);
    EXPECT_EQ(this->done, 1 + bad);
  }
}

/// Whichever half is loaded first: a tile has the weights of a load of its own half, or none.
TYPED_TEST(TensorErrors, EachHalfNeedsALoadOfItsOwn) {
  constexpr unsigned kP = TestFixture::kP;
  this->fill([&] { return this->mild(); });
  for (const unsigned half : {0u, 1u}) {
    const unsigned own = kP / 2 * half, other = kP / 2 - own;
    for (const bool other_loaded : {false, true}) {
      this->reset();
      if (other_loaded) this->issue(this->load(kP / 2, other, 3, 0));
      this->issue(this->multiply(kP / 2, own, 5, 64, 0));
      this->drain();
      EXPECT_EQ(this->last_cause, ErrorCause::BadShape);
      EXPECT_TRUE(this->dut->error_valid_o) << half << other_loaded;
      EXPECT_EQ(this->dut->error_cause_o, static_cast<unsigned>(ErrorCause::BadShape));
      EXPECT_EQ(this->dut->error_serial_o, unsigned{other_loaded});
    }
    this->reset();
    this->issue(this->load(kP / 2, own, 3, 0));
    this->issue(this->multiply(kP / 2, own, 5, 64, 0));
    this->drain();
    EXPECT_FALSE(this->dut->error_valid_o) << half;
    this->expect_same(2);
  }
}

/// A tile through all rows needs both halves' weights from one load; a tile of P/2 rows only its
/// own.
TYPED_TEST(TensorErrors, AHalfLoadedAnewNoLongerFitsTheWholeTile) {
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
    EXPECT_EQ(this->dut->error_serial_o, 3u);
    this->expect_same(3);
  }
}

/// Each cause by an instruction that is legal but for one thing; older instructions finish, then
/// the engine stops.
TYPED_TEST(TensorErrors, BadInstructionsStopTheEngineByName) {
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
      {"reserved", true, [](defs::Instr& i) { i.reserved = 2; }, ErrorCause::ReservedBits},
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
    EXPECT_EQ(this->dut->error_serial_o, 2u) << c.what;
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
