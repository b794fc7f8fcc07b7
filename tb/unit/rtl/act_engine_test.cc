// SPDX-License-Identifier: Apache-2.0
// The activation engine in RTL against its twin, bit by bit.
#include "Vact_engine_inf2.h"
#include "Vact_engine_mini.h"
#include "cmodel/machine/lane_engine.h"
#include "cmodel/machine/table_function.h"
#include "tb/unit/rtl/lane_cost_bench.h"

namespace {

template <class Model, const defs::Sizes& kSizes>
struct Config {
  using Dut = Model;
  static constexpr defs::Engine engine = defs::Engine::Act;
  static constexpr const defs::Sizes& sizes = kSizes;
};

template <class C>
class ActEngine : public tb::LaneCostBench<C> {
 protected:
  using Base = tb::LaneEngineBench<C>;

  /// Biased, n elements of PSUM bank 0 to bf16.
  static defs::Instr plain(unsigned n) {
    defs::Instr instr;
    instr.opcode = static_cast<std::uint8_t>(defs::Opcode::Activate);
    instr.func = static_cast<std::uint8_t>(defs::ActFunc::Relu);
    instr.partitions = Base::kP;
    instr.size3 = instr.size2 = instr.size1 = 1;
    instr.size0 = static_cast<std::uint16_t>(n);
    instr.src0 = {.space = 2, .stride0 = 1};
    instr.src1 = {.space = 1, .offset = 256};
    instr.dst = {.space = 1, .dtype = 2, .offset = 512, .stride0 = 1};
    return instr;
  }
};

/// ActSetSeed of a scalar of that kind.
defs::Instr seed(std::uint8_t kind, std::uint32_t value) {
  defs::Instr instr;
  instr.opcode = static_cast<std::uint8_t>(defs::Opcode::ActSetSeed);
  instr.src1 = defs::Operand::from(
      defs::Scalars{.second = {}, .first = {.kind = kind, .value = value}}.words());
  return instr;
}

using Configs =
    testing::Types<Config<Vact_engine_mini, defs::kMini>, Config<Vact_engine_inf2, defs::kInf2>>;
TYPED_TEST_SUITE(ActEngine, Configs);

TYPED_TEST(ActEngine, RandomProgramsGiveTheTwinsRows) {
  this->random_programs(TypeParam::sizes.partitions > 16 ? 25 : 150);
}

TYPED_TEST(ActEngine, RefusesEveryCauseAfterFinishingWhatIsOlder) {
  using defs::ErrorCause;
  using Slip = typename TestFixture::Slip;
  const std::vector<Slip> slips{
      {ErrorCause::UnknownOpcode, [](defs::Instr& i) { i.opcode = 0x20; }},
      {ErrorCause::UnknownOpcode, [](defs::Instr& i) { i.func = 5; }},
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i.reserved = 1; }},
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i.imm = 4; }},
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i.src0.saturate = 1; }},
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i.src1.stochastic = 1; }},
      {ErrorCause::ReservedBits,  // src0 of a row that reads accumulators
       [](defs::Instr& i) { i.opcode = 50, i.func = 0, i.src1 = {}; }},
      {ErrorCause::ReservedBits,
       [](defs::Instr& i) { i.opcode = 50, i.func = 0, i.src0 = i.src1 = {}, i.imm = 2; }},
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i = {}, i.opcode = 51, i.size0 = 1; }},
      {ErrorCause::BadOperand, [](defs::Instr& i) { i = {}, i.opcode = 51; }},
      {ErrorCause::BadPartition,  // a seed lies nowhere
       [](defs::Instr& i) { i = seed(2, 0); }},
      {ErrorCause::UnknownOpcode, [](defs::Instr& i) { i.opcode = 47; }},
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i.accumulate = 1; }},
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i.src0.reserved = 1; }},
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i.src1.stride0 = 1; }},
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i.src1.space = 0; }},
      {ErrorCause::BadOperand, [](defs::Instr& i) { i.src0 = {}; }},
      {ErrorCause::BadOperand, [](defs::Instr& i) { i.src1.space = 2; }},
      {ErrorCause::BadOperand, [](defs::Instr& i) { i.dst.space = 3; }},
      {ErrorCause::BadFormat, [](defs::Instr& i) { i.src1.dtype = 2; }},
      {ErrorCause::BadFormat, [](defs::Instr& i) { i.src0.dtype = 2; }},  // bf16 in PSUM
      {ErrorCause::BadFormat, [](defs::Instr& i) { i.src0.space = 1, i.src0.dtype = 14; }},
      {ErrorCause::BadPartition, [](defs::Instr& i) { i.partitions = 0; }},
      {ErrorCause::BadPartition, [](defs::Instr& i) { i.src1.partition = 200; }},
      {ErrorCause::BadShape, [](defs::Instr& i) { i.size2 = 0; }},
      {ErrorCause::Misaligned, [](defs::Instr& i) { i.src0.offset = 2; }},
      {ErrorCause::Misaligned, [](defs::Instr& i) { i.src1.offset = 258; }},
      {ErrorCause::OutOfBounds,
       [](defs::Instr& i) { i.src0.offset = TypeParam::sizes.psum_cols * 4 - 4; }},
      {ErrorCause::OutOfBounds,
       [](defs::Instr& i) { i.src1.offset = TypeParam::sizes.sbuf_bytes; }},
      {ErrorCause::OutOfBounds, [](defs::Instr& i) { i.dst.stride0 = -300; }},
  };
  this->expect_refused(this->plain(8), slips);
}

TYPED_TEST(ActEngine, CostsWhatTheTableSays) {
  this->expect_costs([](const tb::LaneCosts& costs) { return costs.act(); });
}

/// What the published engine does beyond pi, and the values that no table holds.
TEST(ActTwin, IsAsPublishedOutsideAndExactAtTheCorners) {
  const auto of = [](defs::ActFunc func, float x) {
    std::uint32_t word = std::bit_cast<std::uint32_t>(x);
    cmodel::apply_table(*cmodel::table_function_of(func), std::span(&word, 1));
    return std::bit_cast<float>(word);
  };
  using enum defs::ActFunc;
  const float inf = std::numeric_limits<float>::infinity();
  EXPECT_NEAR(of(Sin, 9.0f), 27.65f, 0.01f);
  EXPECT_EQ(of(Exp, 0.0f), 1.0f);
  EXPECT_EQ(of(Exp, -inf), 0.0f);
  EXPECT_EQ(of(Exp, inf), inf);
  EXPECT_EQ(of(Exp, 89.0f), inf);
  EXPECT_EQ(of(Log, 1.0f), 0.0f);
  EXPECT_EQ(of(Log, -0.0f), -inf);
  EXPECT_TRUE(std::isnan(of(Log, -1.0f)));
  EXPECT_EQ(of(Sqrt, 4.0f), 2.0f);
  EXPECT_TRUE(std::signbit(of(Sqrt, -0.0f)));
  EXPECT_EQ(of(Rsqrt, -0.0f), -inf);
  EXPECT_EQ(of(Reciprocal, -inf), -0.0f);
  EXPECT_EQ(of(Reciprocal, 0x1p-126f), 0x1p126f);
  EXPECT_EQ(of(Tanh, 0x1p-149f), 0x1p-149f);
  EXPECT_TRUE(std::signbit(of(Gelu, -0.0f)) && std::signbit(of(Gelu, -inf)));
  EXPECT_EQ(of(Gelu, 100.0f), 100.0f);
  EXPECT_EQ(of(Softplus, inf), inf);
}

TEST(ActTwin, ScalesThenAddsAndRoundsAfterEach) {
  cmodel::Sbuf sbuf(defs::kMini);
  cmodel::Psum psum(defs::kMini);
  tb::RowSink sink;
  cmodel::LaneEngine engine(defs::kMini, sbuf, psum, sink, tb::stream_of(defs::Engine::Act));
  psum.row(0)[0] = std::bit_cast<std::uint32_t>(1 + 0x1p-12f);
  defs::Instr instr;
  instr.opcode = static_cast<std::uint8_t>(defs::Opcode::ActivateScaled);
  instr.partitions = 1;
  instr.size0 = instr.size1 = instr.size2 = instr.size3 = 1;
  instr.src0 = {.space = 2};
  instr.dst = {.space = 1, .offset = 8};
  const auto word = [](float value) { return std::bit_cast<std::uint32_t>(value); };
  instr.src1 = defs::Operand::from(defs::Scalars{.second = {.kind = 1, .value = word(-1)},
                                                 .first = {.kind = 1, .value = word(1 + 0x1p-12f)}}
                                       .words());
  ASSERT_EQ(engine.execute(instr, 0), defs::ErrorCause::None);
  EXPECT_EQ(sink.rows.back().values[0], word(0x1p-11f));  // fused: 2^-11 + 2^-24
  instr.src1 = {};
  EXPECT_EQ(engine.execute(instr, 0), defs::ErrorCause::BadOperand);
}

TEST(ActTwin, SumsInOrderInFp32BesideTheCastAndOnlyInLanesInUse) {
  cmodel::Sbuf sbuf(defs::kMini);
  cmodel::Psum psum(defs::kMini);
  tb::RowSink sink;
  cmodel::LaneEngine engine(defs::kMini, sbuf, psum, sink, tb::stream_of(defs::Engine::Act));
  const auto word = [](float value) { return std::bit_cast<std::uint32_t>(value); };
  const float in[] = {0x1p24f, 1, 1, -0x1p24f};  // 1 is lost twice, one after the other
  for (unsigned i = 0; i < 4; ++i)
    for (unsigned p = 0; p < 4; ++p) psum.row(i)[p] = word(in[i]);
  defs::Instr act;
  act.opcode = static_cast<std::uint8_t>(defs::Opcode::Activate);
  act.partitions = 4;
  act.size0 = 4, act.size1 = act.size2 = act.size3 = 1;
  act.src0 = {.space = 2, .stride0 = 1};
  act.dst = {.space = 1, .dtype = 2, .offset = 8, .stride0 = 1};
  defs::Instr read;
  read.opcode = static_cast<std::uint8_t>(defs::Opcode::ActReadAccumulator);
  read.partitions = 4;
  read.size0 = read.size1 = read.size2 = read.size3 = 1;
  read.dst = {.space = 1};
  const auto run = [&](defs::ReduceCommand command, unsigned partitions) {
    act.imm = static_cast<std::uint32_t>(command), act.partitions = partitions;
    EXPECT_EQ(engine.execute(act, 0), defs::ErrorCause::None);
    EXPECT_EQ(engine.execute(read, 0), defs::ErrorCause::None);
    return sink.rows.back().values;
  };
  using Values = std::vector<std::uint32_t>;
  using enum defs::ReduceCommand;
  EXPECT_EQ(run(Idle, 4), Values(4, 0));  // as reset leaves them
  EXPECT_EQ(run(Reduce, 4), Values(4, 0));
  psum.row(3)[0] = word(3), psum.row(3)[1] = word(-0.0f);
  EXPECT_EQ(run(ResetReduce, 2), (Values{word(0x1p24f + 4), word(0x1p24f), 0, 0}));
  EXPECT_EQ(run(Reduce, 1), (Values{word(0x1p25f + 8), word(0x1p24f), 0, 0}));
  EXPECT_EQ(run(Reset, 1), (Values{0, word(0x1p24f), 0, 0}));
  read.dst.dtype = 3, read.dst.saturate = 1;  // fp16
  EXPECT_EQ(run(Idle, 4), (Values{0, 0x7BFF, 0, 0}));
}

TEST(ActTwin, KeepsMinusZeroWithoutABiasAndNanThroughRelu) {
  cmodel::Sbuf sbuf(defs::kMini);
  cmodel::Psum psum(defs::kMini);
  tb::RowSink sink;
  cmodel::LaneEngine engine(defs::kMini, sbuf, psum, sink, tb::stream_of(defs::Engine::Act));
  const std::uint32_t in[] = {0x80000000, 0xffc00001, 0xbf800000, 0x3f800000};
  std::copy(std::begin(in), std::end(in), psum.row(0).begin());
  defs::Instr instr;
  instr.opcode = static_cast<std::uint8_t>(defs::Opcode::Activate);
  instr.partitions = 4;
  instr.size0 = instr.size1 = instr.size2 = instr.size3 = 1;
  instr.src0 = {.space = 2};
  instr.dst = {.space = 1, .offset = 8};
  using Values = std::vector<std::uint32_t>;
  ASSERT_EQ(engine.execute(instr, 0), defs::ErrorCause::None);
  EXPECT_EQ(sink.rows.back().values, (Values{0x80000000, 0x7fc00000, 0xbf800000, 0x3f800000}));
  instr.src1 = {.space = 1};  // a bias of +0: the sum of -0 and +0 is +0
  ASSERT_EQ(engine.execute(instr, 0), defs::ErrorCause::None);
  EXPECT_EQ(sink.rows.back().values, (Values{0, 0x7fc00000, 0xbf800000, 0x3f800000}));
  instr.func = static_cast<std::uint8_t>(defs::ActFunc::Relu);
  ASSERT_EQ(engine.execute(instr, 0), defs::ErrorCause::None);
  EXPECT_EQ(sink.rows.back().values, (Values{0, 0x7fc00000, 0, 0x3f800000}));
}

}  // namespace
