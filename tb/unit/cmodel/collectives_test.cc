// SPDX-License-Identifier: Apache-2.0
// Collectives by the library, in the model, against plain loops: groups, formats, shapes, many in a
// row and in loops, ranks that come late; no races, nothing unwritten is read.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "cmodel/collectives/communicator.h"
#include "tb/scenarios/numbers.h"
#include "tb/unit/cmodel/model_bench.h"

namespace tb::model {
namespace {

using cmodel::Assembler;
using cmodel::Buffers;
using cmodel::Communicator;
using cmodel::Member;
using defs::Combine;
using defs::Dtype;
using Bytes = std::vector<std::uint8_t>;

std::uint32_t reduced(Combine op, Dtype dtype, std::uint32_t a, std::uint32_t b) {
  if (dtype == Dtype::Int32) {
    if (op == Combine::Add) return a + b;
    return static_cast<std::int32_t>(a) > static_cast<std::int32_t>(b) ? a : b;
  }
  const auto fp32 = [op](std::uint32_t x, std::uint32_t y) {
    return op == Combine::Add ? cmodel::fp::add(x, y) : cmodel::fp::max(x, y);
  };
  if (dtype == Dtype::Fp32) return fp32(a, b);
  const auto half = [&](unsigned shift) {
    const auto x = static_cast<std::uint16_t>(a >> shift),
               y = static_cast<std::uint16_t>(b >> shift);
    return std::uint32_t{cmodel::fp::fp32_to_bf16(
               fp32(cmodel::fp::bf16_to_fp32(x), cmodel::fp::bf16_to_fp32(y)))}
           << shift;
  };
  return half(0) | half(16);
}

/// Words of every rank, and what op makes of them in the order of ranks.
struct Numbers {
  Numbers(Random& random, unsigned ranks, unsigned words, Combine op, Dtype dtype) {
    for (unsigned rank = 0; rank < ranks; ++rank) {
      of.emplace_back(4 * words);
      for (unsigned i = 0; i < words; ++i) {
        const auto word = dtype == Dtype::Int32
                              ? static_cast<std::uint32_t>(random.word())
                              : random.bf16() | std::uint32_t{random.bf16()} << 16;
        std::memcpy(&of[rank][4 * i], &word, 4);
      }
    }
    all = of[0];
    for (unsigned rank = 1; rank < ranks; ++rank)
      for (unsigned i = 0; i < words; ++i) {
        std::uint32_t a, b;
        std::memcpy(&a, &all[4 * i], 4);
        std::memcpy(&b, &of[rank][4 * i], 4);
        a = reduced(op, dtype, a, b);
        std::memcpy(&all[4 * i], &a, 4);
      }
  }
  std::vector<Bytes> of;
  Bytes all;
};

/// Cores 0 of chips, or both of each.
std::vector<Member> members(unsigned chips, unsigned cores = 1) {
  std::vector<Member> out;
  for (unsigned chip = 0; chip < chips; ++chip)
    for (unsigned core = 0; core < cores; ++core) out.push_back({chip, core});
  return out;
}

void expect_clean(Bench& bench) {
  ASSERT_TRUE(bench.board.run()) << bench.board.blocked();
  EXPECT_EQ(bench.board.errors().size(), 0u);
  EXPECT_EQ(bench.board.races(), "");
  EXPECT_EQ(bench.board.unwritten_text(), "");
}

TEST(AllReduce, DirectAddsInTheOrderOfRanks) {
  Random random(1, "all-reduce");
  for (const auto& [chips, cores] : {std::pair{12u, 1u}, {1u, 1u}, {1u, 2u}, {2u, 1u}, {3u, 2u}})
    for (const Dtype dtype : {Dtype::Fp32, Dtype::Bf16, Dtype::Int32})
      for (const unsigned words : {1u, 48u, 500u}) {
        const Combine op = random.one_in(2) ? Combine::Add : Combine::Max;
        Assembler assembler(kSizes, chips);
        const auto group = members(chips, cores);
        const auto ranks = static_cast<unsigned>(group.size());
        const Numbers numbers(random, ranks, words, op, dtype);
        Buffers in, out;
        const bool in_place = random.one_in(2);
        for (unsigned rank = 0; rank < ranks; ++rank) {
          in.push_back(assembler.data(group[rank].chip, 0, fmt::format("in {}", rank), 4 * words, 1,
                                      numbers.of[rank]));
          out.push_back(in_place ? in[rank]
                                 : assembler.hbm(group[rank].chip, 1, fmt::format("out {}", rank),
                                                 4 * words));
        }
        Communicator all(assembler, group, {.slot_bytes = 64});
        all.all_reduce(in, out, op, dtype).write();
        Bench bench(assembler.assemble(), {.detect_races = true});
        expect_clean(bench);
        for (unsigned rank = 0; rank < ranks; ++rank)
          EXPECT_EQ(read_back(bench.board, group[rank].chip, out[rank].addr, 4 * words),
                    numbers.all)
              << chips << " x " << cores << " " << to_string(dtype) << " " << words;
      }
}

/// y = sum of x over all ranks, then x += y, turn by turn, in any order that the model may choose;
/// each rank comes later than the one before it by more than a call takes, another one by seed.
TEST(AllReduce, GoesRoundInLoops) {
  constexpr unsigned kWords = 20, kTurns = 5;
  Random random(2, "loops");
  for (unsigned seed = 0; seed < 6; ++seed) {
    Assembler assembler(kSizes, 4);
    const auto group = members(4);
    const auto n = static_cast<unsigned>(group.size());
    Buffers x, y;
    std::vector<std::vector<std::uint32_t>> expected(n, std::vector<std::uint32_t>(kWords));
    for (unsigned rank = 0; rank < n; ++rank) {
      Bytes bytes(4 * kWords);
      for (auto& word : expected[rank]) word = static_cast<std::uint32_t>(random.word());
      std::memcpy(bytes.data(), expected[rank].data(), bytes.size());
      x.push_back(assembler.data(rank, 0, "x", 4 * kWords, 1, bytes));
      y.push_back(assembler.block(assembler.core(rank, 0).sbuf(1, kWords, Dtype::Fp32)));
    }
    Communicator all(assembler, group, {.slot_bytes = 32, .engines = {3, 1}});
    const auto sum = all.all_reduce(x, y, Combine::Add, Dtype::Int32);
    for (unsigned rank = 0; rank < n; ++rank) {
      auto& sync = all.core(rank).sync();
      const auto added = all.core(rank).semaphore("added");
      sync.loop(kTurns, [&] {
        if (const unsigned late = (rank + seed) % n) sync.loop(200 * late, [&] { sync.nop(); });
        sum.write(rank);
        sync.start(2, y[rank], x[rank], {.combine = Combine::Add, .dtype = Dtype::Int32})
            .signal(added);
        sync.take(added).nop();
      });
    }
    for (unsigned turn = 0; turn < kTurns; ++turn)
      for (unsigned i = 0; i < kWords; ++i) {
        std::uint32_t total = 0;
        for (const auto& words : expected) total += words[i];
        for (auto& words : expected) words[i] += total;
      }
    BoardOptions options{.detect_races = true};
    if (seed) options.order_seed = seed;
    Bench bench(assembler.assemble(), options);
    expect_clean(bench);
    for (unsigned rank = 0; rank < n; ++rank) {
      const auto got = read_back(bench.board, rank, x[rank].addr, 4 * kWords);
      EXPECT_EQ(std::memcmp(got.data(), expected[rank].data(), got.size()), 0) << rank;
    }
  }
}

/// Sums of integers are the same in any order: rings of few and of many slots, rounds that are not
/// full, buffers of less than a piece for each rank.
TEST(AllReduce, RingIsTheSameSum) {
  Random random(3, "ring");
  for (const unsigned ranks : {2u, 3u, 12u})
    for (const unsigned words : {1u, 30u, 700u}) {
      Assembler assembler(kSizes, ranks);
      const auto group = members(ranks);
      const Numbers numbers(random, ranks, words, Combine::Add, Dtype::Int32);
      Buffers in;
      for (unsigned rank = 0; rank < ranks; ++rank)
        in.push_back(assembler.data(rank, 0, "in", 4 * words, 1, numbers.of[rank]));
      Communicator all(assembler, group, {.slot_bytes = 32, .ring_slots = random.between(4, 6)});
      const auto sum = all.all_reduce(in, in, Combine::Add, Dtype::Int32, cmodel::Algorithm::Ring);
      sum.write();
      Bench bench(assembler.assemble(), {.detect_races = true});
      expect_clean(bench);
      for (unsigned rank = 0; rank < ranks; ++rank)
        EXPECT_EQ(read_back(bench.board, rank, in[rank].addr, 4 * words), numbers.all)
            << ranks << " " << words;
    }
}

/// A chunk is added and sent in parts by several engines: two, three and four of each way, parts
/// that are not all there, again and again, with a rank that comes late.
TEST(AllReduce, RingOfSeveralEnginesEachWay) {
  Random random(4, "lanes");
  for (const unsigned engines : {8u, 12u, 16u})
    for (const auto& [ranks, words] :
         {std::pair{2u, 3000u}, {3u, 60u}, {5u, 1311u}, {12u, 1700u}}) {
      Assembler assembler(defs::kInf2, ranks);
      const Numbers numbers(random, ranks, words, Combine::Add, Dtype::Int32);
      Buffers in, out;
      for (unsigned rank = 0; rank < ranks; ++rank) {
        in.push_back(assembler.data(rank, 0, "in", 4 * words, 1, numbers.of[rank]));
        out.push_back(assembler.hbm(rank, 1, "out", 4 * words));
      }
      cmodel::Resources resources{.slot_bytes = 1024, .ring_slots = random.between(4, 7)};
      for (unsigned e = 0; e < engines; ++e) resources.engines.push_back((e * 5 + 3) % 16);
      Communicator all(assembler, members(ranks), resources);
      const auto sum = all.all_reduce(in, out, Combine::Add, Dtype::Int32, cmodel::Algorithm::Ring);
      const unsigned late = random.between(0, ranks - 1);
      for (unsigned rank = 0; rank < ranks; ++rank) {
        auto& sync = all.core(rank).sync();
        sync.loop(2, [&] {
          if (rank == late) sync.loop(300, [&] { sync.nop(); });
          sum.write(rank);
        });
      }
      Bench bench(assembler.assemble(), {.detect_races = true}, defs::kInf2);
      expect_clean(bench);
      for (unsigned rank = 0; rank < ranks; ++rank)
        EXPECT_EQ(read_back(bench.board, rank, out[rank].addr, 4 * words), numbers.all)
            << engines << " engines, " << ranks << " ranks, " << words << " words, rank " << rank;
    }
}

TEST(AllReduce, SizeDecides) {
  using cmodel::Algorithm;
  EXPECT_EQ(cmodel::algorithm_of(1 << 20, 12, 8), Algorithm::Ring);
  EXPECT_EQ(cmodel::algorithm_of(768, 12, 8), Algorithm::Direct);
  EXPECT_EQ(cmodel::algorithm_of(1 << 20, 12, 0), Algorithm::Direct);
  EXPECT_EQ(cmodel::algorithm_of(1 << 20, 2, 8), Algorithm::Direct);
}

}  // namespace
}  // namespace tb::model
