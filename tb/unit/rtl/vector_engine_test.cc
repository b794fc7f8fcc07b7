// SPDX-License-Identifier: Apache-2.0
// The vector engine in RTL against its twin, bit by bit; the twin against plain float loops.
#include "Vvector_engine_inf2.h"
#include "Vvector_engine_mini.h"
#include "cmodel/machine/fp.h"
#include "cmodel/machine/lane_engine.h"
#include "tb/unit/rtl/lane_engine_bench.h"

namespace {

template <class Model, const defs::Sizes& kSizes>
struct Config {
  using Dut = Model;
  static constexpr defs::Engine engine = defs::Engine::Vector;
  static constexpr const defs::Sizes& sizes = kSizes;
};

template <class C>
class VectorEngine : public tb::LaneEngineBench<C> {
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
    if (opcode == defs::Opcode::TensorTensor)
      instr.src1 = {.space = 1, .dtype = 2, .offset = 256, .stride0 = 1};
    if (opcode == defs::Opcode::TensorReduce) instr.dst.stride0 = 0;
    return instr;
  }
};

using Configs = testing::Types<Config<Vvector_engine_mini, defs::kMini>,
                               Config<Vvector_engine_inf2, defs::kInf2>>;
TYPED_TEST_SUITE(VectorEngine, Configs);

TYPED_TEST(VectorEngine, RandomProgramsGiveTheTwinsRows) {
  this->random_programs(TypeParam::sizes.partitions > 16 ? 50 : 300);
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
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i.dst.reserved = 8; }},
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i.src1.stride1 = 1; }},
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i.opcode = 0x20; }},  // src1 left over
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i.opcode = 0x20, i.func = 1, i.src1 = {}; }},
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i.src1.space = 0; }},
      {ErrorCause::ReservedBits, [](defs::Instr& i) { i.opcode = 0x22, i.src1 = {}; }},  // stride0
      {ErrorCause::BadOperand, [](defs::Instr& i) { i.src1 = {}; }},
      {ErrorCause::BadOperand, [](defs::Instr& i) { i.dst.space = 2, i.dst.dtype = 0; }},
      {ErrorCause::BadOperand, [](defs::Instr& i) { i.src0.space = 3; }},
      {ErrorCause::BadFormat, [](defs::Instr& i) { i.dst.dtype = 13; }},
      {ErrorCause::BadFormat, [](defs::Instr& i) { i.func = 19; }},  // bits of bf16
      {ErrorCause::BadFormat,                                        // of two sizes
       [](defs::Instr& i) {
         i.func = 19, i.src0.dtype = i.src1.dtype = 10, i.dst.dtype = 7;
       }},
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

TYPED_TEST(VectorEngine, CostsTwoCyclesPerPairAndFiveToDrain) {
  for (const auto [opcode, reads] :
       {std::pair(defs::Opcode::TensorCopy, 64u), std::pair(defs::Opcode::TensorReduce, 64u),
        std::pair(defs::Opcode::TensorTensor, 128u)}) {
    this->reset();
    this->read_cycles.clear();
    this->done_cycles.clear();
    this->run(std::vector<defs::Instr>(4, this->plain(opcode, 64)), 0);
    ASSERT_EQ(this->read_cycles.size(), 4 * reads);
    EXPECT_EQ(this->read_cycles[0], 3u) << "accepted in cycle 0";
    EXPECT_EQ(this->done_cycles[0], this->read_cycles[reads - 1] + 5);
    for (unsigned i = 1; i < 4; ++i) {
      EXPECT_EQ(this->done_cycles[i] - this->done_cycles[i - 1], reads + 5);
      EXPECT_EQ(this->read_cycles[i * reads], this->done_cycles[i - 1] + 1);
    }
  }
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
