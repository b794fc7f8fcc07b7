// SPDX-License-Identifier: Apache-2.0
// The rows of rtl/defs/instructions.toml as RTL applies them, against the model, for whole
// instructions with slips in them.
#include "cmodel/machine/instruction.h"

#include <gtest/gtest.h>

#include <random>

#include "Vinstr_check_inf2.h"
#include "Vinstr_check_mini.h"
#include "tb/base/seed.h"

namespace {

template <class Model, const defs::Sizes& kSizes>
struct Config {
  using Dut = Model;
  static constexpr const defs::Sizes& sizes = kSizes;
};

template <class C>
class Instructions : public testing::Test {
 protected:
  unsigned pick(unsigned n) { return static_cast<unsigned>(rng() % n); }
  template <class T, std::size_t N>
  T one_of(const T (&values)[N]) {
    return values[pick(N)];
  }

  defs::Operand operand(const defs::OperandRow& row, const defs::Instr& instr) {
    defs::Operand op;
    if (!row.used() ? pick(40) : row.may_lie_in(defs::Space::None) && pick(2)) return op;
    op.space = pick(20) ? (row.psum && (pick(2) || !row.sbuf) ? 2 : 1) : pick(4);
    const unsigned formats = row.formats(static_cast<defs::Space>(op.space));
    do op.dtype = static_cast<std::uint8_t>(pick(16));
    while (formats && !(formats >> op.dtype & 1) && pick(20));
    op.partition = static_cast<std::uint8_t>(pick(3) ? 0 : pick(20) ? pick(4) * kP / 4 : rng());
    op.offset = (pick(30) ? pick(1024) * 4 : pick(1 << 24)) + !pick(30);
    const auto trips = cmodel::trips_of(instr, pick(30) ? row.walk : defs::Walk::All);
    const auto stride = [&](unsigned d) {
      return static_cast<std::int16_t>(trips[d] == 1 && pick(60) ? 0 : one_of({1, 2, 0, 5}));
    };
    op.stride0 = stride(0), op.stride1 = stride(1), op.stride2 = stride(2), op.stride3 = stride(3);
    if (!pick(60)) op.reserved = static_cast<std::uint8_t>(1 + pick(3));
    if (!pick(row.rounds ? 4 : 60)) op.stochastic = 1;
    if (!pick(row.rounds ? 4 : 60)) op.saturate = 1;
    return op;
  }

  defs::Scalar scalar() {
    defs::Scalar scalar;
    scalar.kind = static_cast<std::uint8_t>(pick(20) ? pick(3) : 3);
    if (scalar.kind || !pick(20)) scalar.reverse = static_cast<std::uint8_t>(pick(2));
    if (scalar.kind || !pick(20)) scalar.value = pick(1024) * 4 + !pick(30);
    if (!pick(20)) scalar.value = static_cast<std::uint32_t>(rng());
    if (!pick(60)) scalar.reserved = 1u << pick(21);
    return scalar;
  }
  void put_scalars(const defs::InstrRow& row, defs::Instr& instr) {
    auto imm = defs::FusedScalar::from({instr.imm});
    if (row.scalars == defs::ScalarPlace::None) return;
    if (pick(10)) imm.func1 = static_cast<std::uint8_t>(row.functions ? pick(24) : 0);
    if (row.scalars == defs::ScalarPlace::Src1) {
      const defs::Scalars scalars{pick(3) ? scalar() : defs::Scalar{}, scalar()};
      instr.src1 = defs::Operand::from(scalars.words());
      if (!scalars.second.kind && pick(10)) imm.func1 = 0;
    } else if (pick(10)) {
      imm.kind = static_cast<std::uint8_t>(1 + pick(2));
      imm.value = static_cast<std::uint16_t>(pick(1024));
    }
    instr.imm = imm.words()[0];
  }

  defs::Instr random_instr() {
    const defs::InstrRow& row = defs::kInstructions[pick(defs::kInstructions.size())];
    defs::Instr instr;
    instr.opcode = static_cast<std::uint8_t>(pick(40) ? static_cast<unsigned>(row.opcode) : rng());
    do instr.func = static_cast<std::uint8_t>(pick(20) ? pick(24) : rng());
    while (pick(20) && !((row.functions ? row.functions : 1) >> (instr.func & 63) & 1));
    instr.accumulate = row.accumulate ? pick(2) : !pick(40);
    if (row.imm != defs::Imm::None || !pick(40))
      instr.imm = pick(1 << 24) & (pick(40) ? (1u << row.imm_bits) - 1 : ~0u);
    if (!pick(40)) instr.reserved = static_cast<std::uint8_t>(1 + pick(3));
    if (!pick(40)) instr.size_dim = static_cast<std::uint8_t>(pick(4));
    if (!pick(40)) instr.size_reg = static_cast<std::uint8_t>(pick(64));
    if (row.computes() || !pick(20)) {
      instr.partitions = static_cast<std::uint8_t>(pick(10) ? 1 + pick(kP) : rng());
      const auto size = [&] { return static_cast<std::uint16_t>(pick(2) ? 1 : pick(30)); };
      instr.size3 = size(), instr.size2 = size(), instr.size1 = size(), instr.size0 = size();
    }
    instr.src0 = operand(row.src0(), instr);
    instr.src1 = operand(row.src1(), instr);
    put_scalars(row, instr);
    instr.dst = operand(row.dst(), instr);
    instr.wait_op = static_cast<std::uint8_t>(pick(4));  // not the engine's
    instr.update_delta = static_cast<std::int16_t>(rng());
    return instr;
  }

  static constexpr unsigned kP = C::sizes.partitions;
  std::uint64_t seed = tb::seed();
  std::mt19937_64 rng{seed};
  VerilatedContext context;
  typename C::Dut dut{&context};
};

using Configs =
    testing::Types<Config<Vinstr_check_mini, defs::kMini>, Config<Vinstr_check_inf2, defs::kInf2>>;
TYPED_TEST_SUITE(Instructions, Configs);

TYPED_TEST(Instructions, EngineAndTwinSayTheSameAndEveryCauseIsMet) {
  SCOPED_TRACE(tb::repro(this->seed));
  std::array<unsigned, 32> met{};
  for (unsigned round = 0; round < 100000; ++round) {
    const defs::Instr instr = this->random_instr();
    const auto* row = defs::row_of(instr.opcode);
    // Without operands this is not asked: sequencer_test, sync_engine_test.
    if (row && row->overlay != defs::Overlay::None) continue;
    unsigned engine = this->pick(defs::kSequencers);
    while (this->pick(10) && row && row->engines && !(row->engines >> engine & 1))
      engine = this->pick(defs::kSequencers);
    const unsigned columns = 1 + this->pick(this->kP);
    const auto words = instr.words();
    for (unsigned i = 0; i < words.size(); ++i) this->dut.instr_i[i] = words[i];
    this->dut.engine_i = engine;
    this->dut.columns_i = columns;
    this->dut.eval();
    const auto which = static_cast<defs::Engine>(engine);
    const auto cause = cmodel::instr_faults(TypeParam::sizes, instr, which, columns).first_cause();
    ASSERT_EQ(to_string(static_cast<defs::ErrorCause>(this->dut.cause_o)), to_string(cause))
        << "round " << round << " opcode " << unsigned{instr.opcode};
    ASSERT_EQ(this->dut.engines_o >> engine & 1, cmodel::known(instr.opcode, which));
    ASSERT_EQ(this->dut.stationary_o, row ? static_cast<unsigned>(row->stationary) : 0u);
    ++met[static_cast<unsigned>(cause)];
  }
  for (const auto cause : {0, 1, 2, 3, 4, 5, 6, 7, 8})
    EXPECT_GT(met[cause], 50u) << to_string(static_cast<defs::ErrorCause>(cause));
}

}  // namespace
