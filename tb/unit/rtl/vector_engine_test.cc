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
    if (opcode == defs::Opcode::TensorTensor || opcode == defs::Opcode::Select ||
        opcode == defs::Opcode::ScalarTensorTensor || opcode == defs::Opcode::CopyPredicated ||
        opcode == defs::Opcode::TensorTensorScan)
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

/// What 64 elements take from the first read to done: the table of rtl/README.md.
TYPED_TEST(VectorEngine, CostsWhatTheTableSays) {
  constexpr std::uint32_t kSbuf = 2, kOne = 0x3f80;
  struct Case {
    defs::Instr instr;
    unsigned reads, cycles;
  };
  const auto of = [&](defs::Opcode opcode, std::uint32_t imm = 0,
                      const defs::Scalars& scalars = {}) {
    auto instr = this->plain(opcode, 64);
    instr.imm = imm;
    if (scalars != defs::Scalars{}) instr.src1 = defs::Operand::from(scalars.words());
    return instr;
  };
  const defs::Scalar immediate{.kind = 1, .value = 0x3f800000}, sbuf{.kind = 2, .value = 1024};
  auto fill = of(defs::Opcode::Memset, 0, {.first = immediate});
  fill.src0 = {};
  auto predicated = of(defs::Opcode::CopyPredicated);
  predicated.src0.dtype = static_cast<std::uint8_t>(defs::Dtype::Uint16);
  const auto from_psum = [](defs::Instr instr) {
    instr.src1 = {.space = 2, .stride0 = 1};
    return instr;
  };
  const Case cases[] = {
      {of(defs::Opcode::TensorCopy), 64, 64 + 5},
      {of(defs::Opcode::TensorReduce), 64, 64 + 5},
      {of(defs::Opcode::TensorTensor), 128, 128 + 5},
      {from_psum(of(defs::Opcode::TensorTensor)), 64, 64 + 5},
      {predicated, 128, 128 + 5},
      {from_psum(predicated), 64, 64 + 5},
      {of(defs::Opcode::TensorScalar, 0, {.first = immediate}), 64, 64 + 6},
      {of(defs::Opcode::TensorScalar, 4, {.second = sbuf, .first = sbuf}), 66, 66 + 6},
      {of(defs::Opcode::ScalarTensorTensor, kOne << 8 | 1 << 6), 128, 128 + 6},
      {of(defs::Opcode::TensorTensorScan, 256 << 8 | kSbuf << 6), 129, 129 + 6},
      {of(defs::Opcode::Select, kOne << 8 | 1 << 6), 128, 128 + 5},
      {fill, 0, 64 + 6},
  };
  for (const auto& [instr, reads, cycles] : cases) {
    SCOPED_TRACE(to_string(static_cast<defs::Opcode>(instr.opcode)));
    this->reset();
    this->read_cycles.clear();
    this->done_cycles.clear();
    this->run(std::vector<defs::Instr>(4, instr), 0);
    ASSERT_EQ(this->read_cycles.size(), 4 * reads);
    if (reads) EXPECT_EQ(this->read_cycles[0], 3u) << "accepted in cycle 0";
    EXPECT_EQ(this->done_cycles[0], 3 + cycles - 1);
    for (unsigned i = 1; i < 4; ++i) {
      EXPECT_EQ(this->done_cycles[i] - this->done_cycles[i - 1], cycles);
      if (reads) EXPECT_EQ(this->read_cycles[i * reads], this->done_cycles[i - 1] + 1);
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
