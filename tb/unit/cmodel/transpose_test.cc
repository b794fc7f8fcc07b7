// SPDX-License-Identifier: Apache-2.0
// From HBM through the array and back: a program that transposes changes no bit.
#include <gtest/gtest.h>

#include <cstring>
#include <random>
#include <vector>

#include "cmodel/board/board.h"
#include "cmodel/program/assembler.h"

namespace {

using cmodel::Tile;
using defs::Dtype;

struct NoSink : cmodel::CommitSink {
  void commit(const cmodel::Commit&, std::span<const std::uint8_t>) override {}
};

constexpr unsigned kRows = 12, kColumns = 16;  // of what is transposed

/// Any bits, NaN with payloads, infinities, subnormals and -0 among them.
template <class Word>
std::vector<Word> words() {
  std::mt19937 rng(7);
  std::vector<Word> out(kRows * kColumns);
  for (auto& w : out) w = static_cast<Word>(rng());
  constexpr std::uint32_t kSpecial[] = {0x7F800001, 0xFFC12345, 0x7FFFFFFF, 0xFF800000,
                                        0x80000000, 0x00000001, 0x807FFFFF, 0x7C017C01};
  constexpr unsigned kDown = 32 - 8 * sizeof(Word);
  for (unsigned i = 0; i < 8; ++i) out[11 * i] = static_cast<Word>(kSpecial[i] >> kDown);
  return out;
}
template <class Word>
std::span<const std::uint8_t> bytes_of(const std::vector<Word>& words) {
  return {reinterpret_cast<const std::uint8_t*>(words.data()), words.size() * sizeof(Word)};
}

/// Stored as `numbers`, read out of PSUM as `integers` of the same size.
template <class Word>
void transpose(Dtype numbers, Dtype integers) {
  const auto in = words<Word>();
  std::vector<std::uint8_t> identity(kRows * kRows);
  for (unsigned i = 0; i < kRows; ++i) identity[i * kRows + i] = 1;

  cmodel::Assembler assembler(defs::kMini, 1);
  auto& core = assembler.core(0, 0);
  const auto loaded = core.semaphore(), moved = core.semaphore(), copied = core.semaphore(),
             there = core.semaphore();
  const Tile x = core.sbuf(kRows, kColumns, numbers), ones = core.sbuf(kRows, kRows, Dtype::Int8),
             y = core.sbuf(kColumns, kRows, integers),
             bits = core.psum(2, kColumns, kRows).as(Dtype::Int32, kRows);
  const auto from = assembler.data(0, 0, "x", kColumns * sizeof(Word), kRows, bytes_of(in)),
             eye = assembler.data(0, 0, "identity", kRows, kRows, identity),
             to = assembler.hbm(0, 0, "y", kRows * sizeof(Word), kColumns);
  core.sync().copy(0, from, assembler.block(x)).signal(loaded);
  core.sync().copy(0, eye, assembler.block(ones)).signal(loaded);
  core.tensor().wait_ge(loaded, 2).load_bits(x).transpose_moving(ones, bits).signal(moved);
  core.vector().wait_ge(moved, 1).copy(bits, y).signal(copied);
  core.sync().wait_ge(copied, 1).copy(0, assembler.block(y), to).signal(there);
  core.sync().wait_ge(there, 1).nop();
  assembler.region("y", to);

  const auto program = assembler.assemble();
  NoSink sink;
  cmodel::Board board(defs::kMini, program, sink, {.detect_races = true});
  board.load();
  ASSERT_TRUE(board.run()) << board.blocked();
  EXPECT_TRUE(board.errors().empty());
  EXPECT_EQ(board.races(), "");
  EXPECT_EQ(board.counters().macs, 0u) << "no product was made";
  EXPECT_EQ(board.pe_work(0, 0), std::uint64_t{kRows} * kColumns * kRows);
  std::vector<Word> out(in.size());
  std::vector<std::uint8_t> read(out.size() * sizeof(Word));
  board.read(0, program.regions.at(0).addr, read);
  std::memcpy(out.data(), read.data(), read.size());
  for (unsigned r = 0; r < kRows; ++r)
    for (unsigned c = 0; c < kColumns; ++c)
      ASSERT_EQ(out[c * kRows + r], in[r * kColumns + c]) << r << ", " << c;
}

TEST(TransposeMoving, ChangesNoBitOf16) {
  transpose<std::uint16_t>(Dtype::Bf16, Dtype::Uint16);
  transpose<std::uint16_t>(Dtype::Fp16, Dtype::Uint16);
}
TEST(TransposeMoving, ChangesNoBitOf32) {
  transpose<std::uint32_t>(Dtype::Fp32, Dtype::Int32);
  transpose<std::uint32_t>(Dtype::Tf32, Dtype::Int32);
}

}  // namespace
