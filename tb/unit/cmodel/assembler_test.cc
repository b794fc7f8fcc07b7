// SPDX-License-Identifier: Apache-2.0
// The assembler writes the words it was asked for, places everything, and names every mistake.
#include "cmodel/program/assembler.h"

#include <gtest/gtest.h>

#include <cstring>

#include "cmodel/machine/dma.h"
#include "cmodel/program/disassemble.h"
#include "cmodel/program/instr_text.h"
#include "cmodel/program/text_scanner.h"

namespace {

using cmodel::Assembler;
using cmodel::AssemblerError;
using cmodel::Block;
using cmodel::Program;
using cmodel::Semaphore;
using cmodel::Tile;
using defs::Dtype;

template <class Packed>
Packed word_of(const Program& program, unsigned chip, std::uint64_t base, unsigned index) {
  for (const auto& segment : program.segments) {
    if (segment.chip != chip || base < segment.addr ||
        base - segment.addr + 64 * (index + 1) > segment.bytes.size())
      continue;
    typename Packed::Words words;
    std::memcpy(words.data(), segment.bytes.data() + (base - segment.addr) + 64 * index, 64);
    return Packed::from(words);
  }
  ADD_FAILURE() << "no segment holds it";
  return {};
}

template <class Function>
void expect_error(Function&& function, const std::string& part) {
  try {
    function();
    ADD_FAILURE() << "accepted; expected: " << part;
  } catch (const AssemblerError& error) {
    EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
  }
}

TEST(Assembler, WritesAMatmulAsTheInstructionSetSays) {
  Assembler assembler(defs::kMini, 2);
  auto& core = assembler.core(1, 1);
  const Semaphore loaded = core.semaphore(), summed = core.semaphore();
  const Tile weights = core.sbuf(16, 10, Dtype::Bf16), images = core.sbuf(16, 60, Dtype::Bf16);
  core.tensor()
      .wait_ge(loaded, 2)
      .load_stationary(weights)
      .multiply_moving(images.columns(4, 50), core.psum(3, 10, 50, 7), true)
      .signal(summed);
  const Program program = assembler.assemble();
  ASSERT_EQ(program.streams.size(), 1u);
  const auto& stream = program.streams[0];
  EXPECT_EQ(stream.chip, 1u);
  EXPECT_EQ(stream.core, 1u);
  EXPECT_EQ(stream.engine, 0u);
  EXPECT_EQ(stream.count, 3u);
  EXPECT_EQ(stream.base % defs::kMini.line_bytes, 0u);

  const auto load = word_of<defs::Instr>(program, 1, stream.base, 0);
  EXPECT_EQ(load.opcode, 16);
  EXPECT_EQ(load.wait_op, 1);
  EXPECT_EQ(load.wait_sem, 256);
  EXPECT_EQ(load.wait_value, 2);
  EXPECT_EQ(load.partitions, 16);
  EXPECT_EQ(load.size0, 10);
  EXPECT_EQ(load.size1, 1);
  EXPECT_EQ(load.src0.stride0, 1);
  EXPECT_EQ(load.src0.dtype, 2);
  EXPECT_EQ(load.src1, defs::Operand{});
  EXPECT_EQ(load.dst, defs::Operand{});
  const auto multiply = word_of<defs::Instr>(program, 1, stream.base, 1);
  EXPECT_EQ(multiply.opcode, 17);
  EXPECT_EQ(multiply.accumulate, 1);
  EXPECT_EQ(multiply.wait_op, 0);
  EXPECT_EQ(multiply.update, 1);
  EXPECT_EQ(multiply.update_sem, 257);
  EXPECT_EQ(multiply.update_delta, 1);
  EXPECT_EQ(multiply.src0.offset, 24u + 8u);  // behind the weights' 20 bytes, aligned; 4 columns in
  EXPECT_EQ(multiply.dst.offset, (3u * 64 + 7) * 4);
  EXPECT_EQ(word_of<defs::Instr>(program, 1, stream.base, 2).opcode, 1);
}

TEST(Assembler, BitsGoWithWhatPicksThem) {
  Assembler assembler(defs::kMini, 1);
  auto& core = assembler.core(0, 0);
  auto& t = core.tensor();
  const Tile x = core.sbuf(16, 8, Dtype::Bf16), w = core.sbuf(16, 8, Dtype::Int8);
  const Tile sums = core.psum(1, 8, 8), bits = sums.as(Dtype::Int32, 8);
  expect_error([&] { t.transpose_moving(x, bits); }, "before any load");
  expect_error([&] { t.load_bits(w); }, "stationary tile of Int8, allowed Fp32, Tf32, Bf16, Fp16");
  t.load_bits(x);
  expect_error([&] { t.multiply_moving(x, sums); },
               "MULTIPLY_MOVING with a stationary tile of bits, allowed one of numbers");
  expect_error([&] { t.transpose_moving(x, sums); }, "result of Fp32 in PSUM, allowed Int32");
  expect_error([&] { t.transpose_moving(x.as(Dtype::Int16, 8), bits); },
               "moving tile of Int16, allowed Fp32");
  expect_error([&] { t.transpose_moving(x, core.psum(1, 7, 8).as(Dtype::Int32, 8)); },
               "allowed 0+8");
  t.transpose_moving(w, bits).load_stationary(x);
  expect_error([&] { t.transpose_moving(x, bits); },
               "TRANSPOSE_MOVING with a stationary tile of numbers, allowed one of bits");
  t.multiply_moving(x, sums);

  const Program program = assembler.assemble();
  const auto code = [&](unsigned i) {
    return word_of<defs::Instr>(program, 0, program.streams.at(0).base, i);
  };
  EXPECT_EQ(code(0).opcode, 20);
  EXPECT_EQ(code(1).opcode, 21);
  EXPECT_EQ(code(1).accumulate, 0);
  EXPECT_EQ(cmodel::disassemble(code(0)),
            "LOAD_BITS partitions 16 size 1x1x1x8 src0 sbuf.bf16[p0 +0x0 s 0,0,0,1]");
  EXPECT_EQ(cmodel::disassemble(code(1)),
            "TRANSPOSE_MOVING partitions 16 size 1x1x1x8 src0 sbuf.int8[p0 +0x10 s 0,0,0,1] -> "
            "psum.int32[p0 +0x100 s 0,0,0,1]");
  for (unsigned i = 0; i < 2; ++i) {
    const std::string text = cmodel::disassemble(code(i));
    cmodel::TextScanner in("a", 1, text);
    const std::string mnemonic(in.word());
    EXPECT_EQ(cmodel::instr_from_text(mnemonic, in), code(i)) << text;
  }
}

TEST(Assembler, PutsASecondWaitOrSignalIntoANop) {
  Assembler assembler(defs::kInf2, 1);
  auto& core = assembler.core(0, 0);
  const Semaphore a = core.semaphore(), b = core.semaphore();
  const Tile x = core.sbuf(128, 8, Dtype::Fp32), y = core.sbuf(128, 8, Dtype::Bf16);
  core.vector().wait_ge(a, 1).wait_eq(b, 2).copy(x, y).signal(a, -1).signal(b, 5);
  const Program program = assembler.assemble();
  const auto base = program.streams.at(0).base;
  EXPECT_EQ(program.streams[0].count, 4u);
  EXPECT_EQ(word_of<defs::Instr>(program, 0, base, 0).opcode, 0);
  EXPECT_EQ(word_of<defs::Instr>(program, 0, base, 0).wait_sem, 0);
  EXPECT_EQ(word_of<defs::Instr>(program, 0, base, 1).opcode, 32);
  EXPECT_EQ(word_of<defs::Instr>(program, 0, base, 1).wait_op, 2);
  EXPECT_EQ(word_of<defs::Instr>(program, 0, base, 1).update_delta, -1);
  EXPECT_EQ(word_of<defs::Instr>(program, 0, base, 2).opcode, 0);
  EXPECT_EQ(word_of<defs::Instr>(program, 0, base, 2).update_delta, 5);
}

TEST(Assembler, DescribesCopiesToMemoryAndToOtherChips) {
  for (const defs::Sizes* sizes : defs::kConfigs) {
    Assembler assembler(*sizes, 12);
    auto& core = assembler.core(3, 1);
    const Semaphore done = core.semaphore(), there = assembler.core(9, 0).semaphore();
    const Tile tile = core.sbuf(16, 20, Dtype::Bf16);
    const Block out = assembler.hbm(9, 1, "out", 40, 16);
    std::vector<std::uint8_t> bytes(640);
    for (unsigned i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i);
    const Block in = assembler.data(3, 0, "in", 40, 16, bytes);
    core.sync().copy(2, in, assembler.block(tile)).signal(done);
    core.sync().wait_ge(done, 1).copy(2, assembler.block(tile), out).vn(3).notify(there);
    assembler.region("result", out);
    const Program program = assembler.assemble();

    ASSERT_EQ(program.rings.size(), 1u);
    EXPECT_EQ(program.rings[0].engine, 2u);
    EXPECT_EQ(program.rings[0].count, 2u);
    const auto local = word_of<defs::Descriptor>(program, 3, program.rings[0].base, 0);
    EXPECT_EQ(local.vn, 0);
    EXPECT_EQ(local.rows, 16);
    EXPECT_EQ(local.row_bytes, 40u);
    EXPECT_EQ(local.src, in.addr);
    EXPECT_EQ(local.src_stride, 40);
    EXPECT_EQ(local.dst, defs::kAddrCore1Base);
    EXPECT_EQ(local.dst_stride, defs::kSbufStride);
    EXPECT_EQ(local.update_sem, done.id);
    const auto remote = word_of<defs::Descriptor>(program, 3, program.rings[0].base, 1);
    EXPECT_EQ(remote.vn, 3);
    EXPECT_EQ(remote.dst_chip, 9);
    EXPECT_EQ(remote.dst, out.addr);
    EXPECT_EQ(remote.notify, 1);
    EXPECT_EQ(remote.notify_sem, there.id);
    const auto trigger = word_of<defs::Instr>(program, 3, program.streams.at(0).base, 1);
    EXPECT_EQ(trigger.opcode, 64);
    EXPECT_EQ(trigger.imm, 2u << 16 | 1u);
    EXPECT_EQ(trigger.partitions, 0);
    ASSERT_EQ(program.regions.size(), 1u);
    EXPECT_EQ(program.regions[0].bytes, 640u);
    EXPECT_EQ(program.segments.at(0).bytes, bytes);
  }
}

TEST(Assembler, TakesShapesAndPlacesThatTheRowOfAUnitTakes) {
  Assembler assembler(defs::kMini, 1);
  auto& core = assembler.core(0, 0);
  const Tile x = core.sbuf(16, 600, Dtype::Fp32), eight = core.sbuf(16, 8, Dtype::Fp32),
             mask = core.sbuf(16, 8, Dtype::Uint16), bytes = core.sbuf(16, 1, Dtype::Uint8),
             indices = core.sbuf(16, 8, Dtype::Uint32), sums = core.psum(0, 16, 8),
             square = core.sbuf(16, 4, Dtype::Fp32);
  const auto first = [&](unsigned n) { return x.columns(0, n); };
  core.vector()
      .copy_predicated(mask, sums, eight)
      .bn_stats(first(512), core.psum(1, 16, 6))
      .bn_aggr(first(6), first(2))
      .transpose(square, core.psum(1, 16, 4))
      .shuffle(square, bytes, square)
      .max8(x, sums)
      .find_index8(x, eight, indices)
      .match_replace8(first(8), -1.0f, eight, sums)
      .rng(indices)
      .dropout(eight, 0.5f, sums);
  const auto refused = [&](auto&& call, const char* what) {
    try {
      call();
      ADD_FAILURE() << "not refused: " << what;
    } catch (const cmodel::AssemblerError& error) {
      EXPECT_NE(std::string(error.what()).find(what), std::string::npos) << error.what();
      EXPECT_NE(std::string(error.what()).find("assembler_test.cc:"), std::string::npos);
    }
  };
  auto& v = core.vector();
  refused([&] { v.bn_stats(first(513), first(6)); },
          "BN_STATS of 513 elements, allowed at most 512");
  refused([&] { v.bn_stats(first(8), first(5)); }, "statistics of 16 x 5 Fp32, allowed 16 x 6");
  refused([&] { v.bn_aggr(first(8), first(2)); }, "BN_AGGR of 8 elements, allowed multiples of 3");
  refused([&] { v.max8(first(7), eight); }, "MAX8 of 7 elements, allowed at least 8 at most 16384");
  refused([&] { v.find_index8(x, square, indices); }, "values of 16 x 4 Fp32, allowed 16 x 8");
  refused([&] { v.find_index8(x, eight, eight); }, "indices of 16 x 8 Fp32, allowed 16 x 8 Uint16");
  refused([&] { v.transpose(eight, eight); }, "innermost dimension, allowed 4");
  refused([&] { v.transpose(square.rows(0, 3), square.rows(0, 3)); }, "allowed multiples of 4");
  refused([&] { v.transpose(square, mask.columns(0, 4)); }, "destination of Uint16, allowed");
  refused([&] { v.shuffle(square, mask.columns(0, 1), square); }, "mask of 16 x 1 Uint16");
  refused([&] { v.copy_predicated(eight, eight, eight); }, "predicate of Fp32, allowed Uint8");
  refused([&] { v.copy_predicated(sums.as(Dtype::Int32, 8), sums, eight); },
          "predicate and source in Psum, allowed one of them");

  const Program program = assembler.assemble();
  ASSERT_EQ(program.streams.at(0).count, 11u);
  for (unsigned pc = 0; pc < 10; ++pc) {
    const auto instr = word_of<defs::Instr>(program, 0, program.streams.at(0).base, pc);
    EXPECT_EQ(cmodel::instr_faults(defs::kMini, instr, defs::Engine::Vector).first_cause(),
              defs::ErrorCause::None)
        << pc;
    std::string text = cmodel::disassemble(instr);
    cmodel::TextScanner in("a", 1, text);
    const std::string mnemonic(in.word());
    EXPECT_EQ(cmodel::instr_from_text(mnemonic, in), instr) << text;
  }
}

TEST(Assembler, PutsScalarsWhereTheRowHasThem) {
  Assembler assembler(defs::kMini, 1);
  auto& core = assembler.core(0, 0);
  const Tile x = core.sbuf(16, 8, Dtype::Fp32), y = core.sbuf(16, 8, Dtype::Bf16),
             one = core.sbuf(16, 1, Dtype::Fp32);
  const auto r = core.vector().reg();
  core.vector()
      .tensor_scalar(defs::AluOp::Sub, x, cmodel::Scalar(2.0f).reversed(), defs::AluOp::Mul, one, y)
      .tensor_scalar(defs::AluOp::Max, x, r, y)
      .scalar_tensor_tensor(defs::AluOp::Mul, x, one, defs::AluOp::Add, y, x)
      .memset(-1.5f, x)
      .reduce(defs::AluOp::Add, x.shaped({2, 4}, {4, 1}), one, {.negate = 1, .more = 1});
  using cmodel::Scalar;
  const auto refused = [&](auto&& call, const char* what) {
    try {
      call();
      ADD_FAILURE() << "not refused: " << what;
    } catch (const cmodel::AssemblerError& error) {
      EXPECT_NE(std::string(error.what()).find(what), std::string::npos) << error.what();
    }
  };
  refused([&] { core.vector().tensor_scalar(defs::AluOp::Add, x, r, defs::AluOp::Mul, r, y); },
          "two scalars in registers, allowed one");
  refused(
      [&] { core.vector().tensor_scalar(defs::AluOp::Add, x, 1.0f, defs::AluOp::BitNot, 1.0f, y); },
      "allowed two of bits or two others");
  refused([&] { core.vector().select(x, 0.1f, x, y); }, "allowed those of bf16");
  refused([&] { core.vector().select(x, r, x, y); }, "in a register or reversed, allowed neither");
  refused([&] { core.vector().tensor_scalar(defs::AluOp::Add, x, y, y); }, "scalar of 16 x 8");

  const Program program = assembler.assemble();
  const auto instr = [&](unsigned pc) {
    return word_of<defs::Instr>(program, 0, program.streams.at(0).base, pc);
  };
  const auto scalars = defs::Scalars::from(instr(0).src1.words());
  EXPECT_EQ(scalars.first, (defs::Scalar{.kind = 1, .reverse = 1, .value = 0x40000000}));
  EXPECT_EQ(scalars.second, (defs::Scalar{.kind = 2, .value = one.offset}));
  EXPECT_EQ(instr(0).imm, static_cast<unsigned>(defs::AluOp::Mul));
  EXPECT_EQ(defs::Scalars::from(instr(1).src1.words()),
            (defs::Scalars{.first = {.kind = 3, .value = r.number}}));
  EXPECT_EQ(instr(2).imm,
            (defs::FusedScalar{static_cast<std::uint16_t>(one.offset / 4), 2, 0}.words()[0]));
  EXPECT_EQ(defs::Scalars::from(instr(3).src1.words()),
            (defs::Scalars{.first = {.kind = 1, .value = 0xbfc00000}}));
  EXPECT_EQ(instr(3).size0, 8);
  EXPECT_EQ(instr(4).imm, 5u);
}

TEST(Assembler, SumsSeedsAndRounds) {
  Assembler assembler(defs::kMini, 1);
  auto& core = assembler.core(0, 0);
  const Tile x = core.sbuf(16, 8, Dtype::Fp32), y = core.sbuf(16, 8, Dtype::Bf16),
             bits = core.sbuf(16, 8, Dtype::Int32), one = core.sbuf(16, 1, Dtype::Fp32);
  const auto r = core.act().reg();
  const defs::Accumulator sums{static_cast<std::uint8_t>(defs::ReduceCommand::ResetReduce)};
  core.act()
      .activate(defs::ActFunc::Exp, x, y.stochastically(), sums)
      .activate_scaled(defs::ActFunc::Exp, x, 2.0f, y.saturating(), sums)
      .read_accumulator(one)
      .set_seed(r)
      .set_seed(cmodel::Scalar::bits(7));
  expect_error([&] { core.act().set_seed(one); }, "allowed a number or a register");
  expect_error([&] { core.vector().copy(x.stochastically(), y); },
               "source with a rounding, allowed a destination that is cast");
  expect_error(
      [&] { core.vector().tensor_tensor(defs::AluOp::BitAnd, bits, bits, bits.saturating()); },
      "destination rounded behind BitAnd, allowed only what is cast");
  const Program program = assembler.assemble();
  const auto instr = [&](unsigned pc) {
    return word_of<defs::Instr>(program, 0, program.streams.at(0).base, pc);
  };
  for (unsigned pc : {0u, 1u}) EXPECT_EQ(instr(pc).imm, 3u);
  EXPECT_TRUE(instr(0).dst.stochastic && !instr(0).dst.saturate);
  EXPECT_TRUE(!instr(1).dst.stochastic && instr(1).dst.saturate);
  EXPECT_EQ(cmodel::disassemble(instr(4)), "ACT_SET_SEED a immediate 0x7");
  EXPECT_NE(cmodel::disassemble(instr(0)).find("ACTIVATE exp sums resetreduce partitions 16"),
            std::string::npos)
      << cmodel::disassemble(instr(0));
  EXPECT_TRUE(cmodel::disassemble(instr(1)).ends_with(" saturate]"))
      << cmodel::disassemble(instr(1));
  EXPECT_EQ(instr(2).partitions, 16);
  EXPECT_EQ(defs::Scalars::from(instr(3).src1.words()).first.value, r.number);
}

TEST(Assembler, ReducesIntoTheOuterDimensions) {
  Assembler assembler(defs::kMini, 1);
  auto& core = assembler.core(0, 0);
  const Tile parts = core.sbuf(8, 36, Dtype::Fp32), sum = core.sbuf(8, 3, Dtype::Fp32);
  core.vector().reduce(defs::AluOp::Add, parts.shaped({3, 12}, {1, 3}), sum);
  const Program program = assembler.assemble();
  const auto instr = word_of<defs::Instr>(program, 0, program.streams.at(0).base, 0);
  EXPECT_EQ(instr.size1, 3);
  EXPECT_EQ(instr.size0, 12);
  EXPECT_EQ(instr.src0.stride0, 3);
  EXPECT_EQ(instr.dst.stride1, 1);
  EXPECT_EQ(instr.dst.stride0, 0);
}

TEST(Assembler, PlacesNothingTwice) {
  Assembler assembler(defs::kInf2, 1);
  auto& core = assembler.core(0, 0);
  const Tile x = core.sbuf(128, 8, Dtype::Fp32);
  core.vector().copy(x, x);
  core.act().activate(defs::ActFunc::Relu, x, x);
  const std::vector<std::uint8_t> bytes(100, 1);
  core.sync().copy(0, assembler.data(0, 0, "in", 100, 1, bytes), assembler.hbm(0, 0, "out", 100));
  const Program program = assembler.assemble();
  for (std::size_t i = 0; i < program.segments.size(); ++i) {
    const auto& a = program.segments[i];
    EXPECT_EQ(a.addr % 64, 0u);
    EXPECT_EQ(a.bytes.size() % 64, 0u);
    for (std::size_t j = 0; j < i; ++j) {
      const auto& b = program.segments[j];
      EXPECT_TRUE(a.addr + a.bytes.size() <= b.addr || b.addr + b.bytes.size() <= a.addr);
    }
  }
}

TEST(Assembler, CopiesElementsOnOneChip) {
  Assembler assembler(defs::kMini, 1);
  auto& core = assembler.core(0, 0);
  const std::vector<std::uint8_t> bytes(5 * 64, 1);
  const Block in = assembler.data(0, 0, "in", 64, 5, bytes);
  Block out = assembler.block(core.sbuf(1, 5, Dtype::Bf16));
  out.rows = 5, out.row_bytes = 2, out.stride = 2;
  core.sync().copy(0, in.byte_range(6, 2), out);
  const Program program = assembler.assemble();
  const auto d = word_of<defs::Descriptor>(program, 0, program.rings.at(0).base, 0);
  EXPECT_EQ(d.row_bytes, 2u);
  EXPECT_EQ(d.src_stride, 64);
  EXPECT_EQ(cmodel::check(defs::kMini, {}, d), defs::ErrorCause::None);
}

TEST(Assembler, CombinesWithASecondSource) {
  Assembler assembler(defs::kMini, 2);
  auto& core = assembler.core(0, 0);
  const std::vector<std::uint8_t> bytes(2 * 64, 1);
  const Block in = assembler.data(0, 0, "in", 64, 2, bytes),
              sum = assembler.hbm(0, 1, "sum", 64, 2);
  auto& dma = core.dma(1);
  expect_error([&] { dma.combine(defs::Combine::Add, Dtype::Fp32, sum); }, "copy comes first");
  dma.copy(in, sum).combine(defs::Combine::Max, Dtype::Bf16, sum);
  expect_error([&] { dma.combine(defs::Combine::Copy, Dtype::Fp32, sum); }, "allowed Add, Max");
  expect_error([&] { dma.combine(defs::Combine::Add, Dtype::Fp16, sum); },
               "allowed Fp32, Bf16, Int32");
  expect_error([&] { dma.combine(defs::Combine::Add, Dtype::Fp32, sum.row_range(0, 1)); },
               "allowed 2 x 64");
  expect_error(
      [&] { dma.combine(defs::Combine::Add, Dtype::Fp32, assembler.hbm(1, 0, "far", 64, 2)); },
      "second source on chip 1, allowed 0");
  Block odd = sum;
  odd.addr += 2;
  expect_error([&] { dma.combine(defs::Combine::Add, Dtype::Fp32, odd); },
               "allowed multiples of 4");
  core.sync().trigger(1);
  const Program program = assembler.assemble();
  const auto d = word_of<defs::Descriptor>(program, 0, program.rings.at(0).base, 0);
  EXPECT_EQ(d.combine, static_cast<std::uint8_t>(defs::Combine::Max));
  EXPECT_EQ(d.dtype, static_cast<std::uint8_t>(Dtype::Bf16));
  EXPECT_EQ(d.src1, sum.addr);
  EXPECT_EQ(d.src1_stride, 64);
  EXPECT_EQ(cmodel::check(defs::kMini, {0, 0, 1, 2}, d), defs::ErrorCause::None);
}

TEST(Assembler, NamesEveryMistakeAndWhatIsAllowed) {
  expect_error([] { Assembler assembler(defs::kMini, 13); }, "13 chips, allowed 1..12");
  Assembler assembler(defs::kMini, 2);
  auto& core = assembler.core(0, 0);
  const Tile w = core.sbuf(16, 16, Dtype::Bf16), x = core.sbuf(16, 64, Dtype::Bf16);
  const Tile f = core.sbuf(16, 64, Dtype::Fp32);
  const Semaphore here = core.semaphore(), there = assembler.core(1, 0).semaphore();
  expect_error([&] { assembler.core(2, 0); }, "allowed chips 0..1");
  expect_error([&] { core.tensor().multiply_moving(x, core.psum(0, 16, 64)); }, "before any load");
  expect_error([&] { core.tensor().load_stationary(f.columns(0, 8).as(Dtype::Int32, 8)); },
               "of Int32, allowed Fp32, Tf32, Bf16, Fp16, Fp8E5M2, Fp8E4M3, Fp8E3M4, Int8");
  expect_error([&] { core.tensor().load_stationary(x); }, "64 columns, allowed 1..16");
  expect_error([&] { core.tensor().load_stationary(w.rows(3, 4)); }, "allowed from multiples of 4");
  core.tensor().load_stationary(w);
  expect_error([&] { core.tensor().multiply_moving(f.columns(0, 8), core.psum(0, 16, 8)); },
               "moving tile of Fp32, allowed Bf16, Fp16, Fp8E5M2, Fp8E4M3, Fp8E3M4");
  expect_error([&] { core.tensor().multiply_moving(x, core.psum(0, 16, 64).as(Dtype::Int32, 64)); },
               "result of Int32 in PSUM, allowed Fp32");
  expect_error([&] { core.tensor().multiply_moving(x.rows(0, 8), core.psum(0, 16, 64)); },
               "allowed those of the stationary tile, 0+16");
  expect_error([&] { core.tensor().multiply_moving(x, core.psum(0, 12, 64)); }, "allowed 0+16");
  expect_error([&] { core.tensor().multiply_moving(x, f); }, "result in Sbuf, allowed: Psum");
  expect_error([&] { core.psum(0, 16, 64, 1); }, "allowed banks 0..7, columns 0..63");
  expect_error([&] { core.vector().copy(f, x.columns(0, 63)); }, "destination of sizes");
  expect_error([&] { core.vector().copy(f.shaped({65}, {100}), f.shaped({65}, {1})); },
               "source bytes");
  expect_error([&] { core.vector().reduce(defs::AluOp::Lt, f, f.columns(0, 1)); },
               "allowed Add, Sub, Max, Min");
  expect_error([&] { core.vector().tensor_tensor(defs::AluOp::BitXor, f, f, f); },
               "first source of Fp32, allowed Int32, Uint32");
  expect_error([&] { core.act().activate(defs::ActFunc::Relu, f, f, f); }, "allowed 16 x 1 Fp32");
  expect_error([&] { core.vector().wait_ge(there, 1); }, "allowed: of chip 0");
  expect_error([&] { core.vector().wait_ge(here, 65536); }, "allowed 0..65535");
  expect_error([&] { core.sync().trigger(4); }, "DMA engine 4, allowed 0..3");
  expect_error([&] { core.dma(0).signal(here); }, "copy comes first");
  const Block a = assembler.hbm(0, 0, "a", 64), b = assembler.hbm(1, 0, "b", 64);
  expect_error([&] { core.dma(0).copy(b, a); }, "source on chip 1, allowed 0");
  expect_error([&] { core.dma(0).copy(a.byte_range(0, 6), b.byte_range(0, 6)); }, "multiples of 4");
  expect_error([&] { core.dma(0).copy(a, b.byte_range(0, 32)); }, "allowed 1 x 64");
  expect_error([&] { core.dma(0).copy(a.byte_range(0, 2), b.byte_range(0, 2)); }, "on one chip");
  expect_error([&] { core.dma(0).copy(a.byte_range(0, 2), a.byte_range(33, 2)); },
               "multiples of 2");
  Block beyond = assembler.block(f);
  beyond.addr += 8192 - 64;
  expect_error([&] { core.dma(0).copy(assembler.block(f), beyond); }, "allowed 0..8191");
  expect_error([&] { core.dma(0).copy(a, a).vn(1); }, "allowed for remote");
  expect_error([&] { core.dma(0).copy(a, b).vn(0); }, "allowed 1..3");
  expect_error([&] { core.dma(0).notify(here); }, "allowed: the destination, 1");
  expect_error([&] { assembler.hbm(0, 1, "a", 64); }, "names are unique");
  expect_error([&] { assembler.find(0, "c"); }, "no block named \"c\"");
  expect_error([&] { core.sbuf(16, 4000, Dtype::Fp32); }, "SBUF tile of 16000 bytes");
  expect_error([&] { assembler.region("r", assembler.block(f)); }, "allowed HBM");
  expect_error([&] { assembler.assemble(); }, "0 descriptors triggered, allowed: all 2");
}

}  // namespace
