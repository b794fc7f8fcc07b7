// SPDX-License-Identifier: Apache-2.0
// Collectives by the library, in the model, against plain loops: groups, formats, shapes, many in a
// row and in loops, ranks that come late; no races, nothing unwritten is read. Errors by name.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>

#include "cmodel/collectives/communicator.h"
#include "tb/scenarios/numbers.h"
#include "tb/unit/cmodel/model_bench.h"

namespace tb::model {
namespace {

using cmodel::Assembler;
using cmodel::AssemblerError;
using cmodel::Block;
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

/// The one line that `act` is refused with.
template <class Act>
std::string refusal(Act&& act) {
  try {
    act();
  } catch (const AssemblerError& error) {
    return error.what();
  }
  return "";
}

TEST(Collectives, RefuseByName) {
  const auto group = [](std::vector<Member> members, cmodel::Resources resources = {}) {
    return refusal([&] {
      Assembler assembler(kSizes, 2);
      Communicator(assembler, members, resources);
    });
  };
  EXPECT_EQ(group({}), "group of no rank, allowed 1 and more");
  EXPECT_EQ(group({{0, 0}, {2, 0}}), "group rank 1: chip 2, allowed 0..1");
  EXPECT_EQ(group({{0, 2}}), "group rank 0: core 2, allowed 0..1");
  EXPECT_EQ(group({{0, 0}, {1, 0}, {0, 0}}), "group rank 2: chip 0 core 0, allowed once, rank 0");
  EXPECT_EQ(group({{0, 0}}, {.slot_bytes = 6}),
            "slots of 6 bytes, allowed multiples of 4 up to 8192");
  EXPECT_EQ(group({{0, 0}, {1, 0}}, {.ring_slots = 3}),
            "3 slots of a ring of 2 ranks, allowed 0, or of 2 and more ranks 4 and more");
  EXPECT_EQ(group({{0, 0}}, {.engines = {4}}), "DMA engine 4, allowed 0..3");
  EXPECT_EQ(group({{0, 0}}, {.vn = 4}), "virtual network 4, allowed 1..3");
  EXPECT_EQ(refusal([] {
              Assembler assembler(kSizes, 1);
              assembler.core(0, 0).sync().loop(2, [&] { Communicator(assembler, {{0, 0}}); });
            }),
            "group rank 0: communicator made in a loop, allowed outside: it gives credits once");

  Assembler assembler(kSizes, 2);
  Communicator two(assembler, {{0, 0}, {1, 0}});
  const Block a = assembler.hbm(0, 0, "a", 16, 2), b = assembler.hbm(1, 0, "b", 16, 2),
              c = assembler.hbm(1, 0, "c", 16, 1);
  const auto sum = [&](Buffers in, Buffers out, Combine op = Combine::Add,
                       Dtype dtype = Dtype::Fp32) {
    return refusal([&] { two.all_reduce(in, out, op, dtype); });
  };
  EXPECT_EQ(sum({a, b}, {a, b}), "");
  EXPECT_EQ(sum({a}, {a, b}), "all-reduce: input of 1 ranks, allowed 2");
  EXPECT_EQ(sum({a, b}, {a, a}), "all-reduce: output of rank 1 on chip 0, allowed 1");
  EXPECT_EQ(sum({a, c}, {a, b}),
            "all-reduce: input of rank 1 of 1 x 16 bytes, allowed 2 x 16 as of rank 0");
  EXPECT_EQ(sum({a, b}, {a, b}, Combine::Add, Dtype::Fp16),
            "all-reduce: format Fp16, allowed Fp32, Bf16, Int32");
  EXPECT_EQ(sum({a, b}, {a, b}, Combine::Cast), "all-reduce: Cast, allowed Add, Max");
  EXPECT_EQ(refusal([&] {
              two.all_reduce({a, b}, {a, b}, Combine::Add, Dtype::Fp32, cmodel::Algorithm::Ring);
            }),
            "all-reduce: ring without slots, allowed with Resources::ring_slots");
  EXPECT_EQ(refusal([&] { two.all_gather({a, b}, {a, b}); }),
            "all-gather: output of 2 x 16 bytes, allowed 2 parts of 2 x 16");
  EXPECT_EQ(refusal([&] { two.all_to_all({a, b}, {a, b}); }),
            fmt::format("all-to-all: output of rank 0 at 0x{:x}, allowed where its input is not",
                        a.addr));
  EXPECT_EQ(refusal([&] { two.broadcast({a, b}, 2); }), "broadcast: root rank 2, allowed 0..1");
  EXPECT_EQ(refusal([&] { two.send(0, 1, a, c); }),
            "send: destination of 1 x 16 bytes, allowed 2 x 16 as the source");
}

/// Two ranks that are to write the same: what is refused, by write() or by assemble().
struct Two {
  Two() {
    const Buffers both{assembler.hbm(0, 0, "a", 16), assembler.hbm(1, 0, "b", 16)};
    add.emplace(group.all_reduce(both, both, Combine::Add, Dtype::Fp32));
    max.emplace(group.all_reduce(both, both, Combine::Max, Dtype::Fp32));
  }
  /// The call in a loop of a rank.
  void loop(unsigned rank, cmodel::Turns turns, const std::function<void()>& body) {
    group.core(rank).sync().loop(turns, body);
  }
  Assembler assembler{kSizes, 2};
  Communicator group{assembler, {{0, 0}, {1, 0}}};
  std::optional<cmodel::Collective> add, max;
};

TEST(Collectives, RefuseRanksThatWriteOthers) {
  Two two;
  two.add->write(0);
  two.max->write(0);
  two.add->write(1);
  EXPECT_EQ(refusal([&] { two.add->write(1); }),
            "collective: rank 1 writes number 0 in turn 1, allowed 1 as rank 0 did");
  EXPECT_EQ(refusal([&] { two.max->write(2); }), "collective: rank 2, allowed 0..1");
}

TEST(Collectives, RefuseRanksThatWriteFewer) {
  for (const unsigned lazy : {0u, 1u}) {
    Two two;
    two.add->write();
    two.max->write(1 - lazy);
    EXPECT_EQ(
        refusal([&] { two.assembler.assemble(); }),
        fmt::format("collective: rank {} writes 1, allowed 2 as rank {} did", lazy, 1 - lazy));
  }
  Two two;
  two.add->write();
  EXPECT_EQ(refusal([&] { two.assembler.assemble(); }), "");
}

TEST(Collectives, RefuseRanksInOtherLoops) {
  {
    Two two;
    two.loop(0, 4, [&] { two.add->write(0); });
    EXPECT_EQ(
        refusal([&] { two.loop(1, 5, [&] { two.add->write(1); }); }),
        "collective: rank 1 writes number 0 in 5 turns from 0, allowed 4 turns from 0 as rank 0 "
        "did");
  }
  {
    Two two;
    two.loop(0, 4, [&] { two.add->write(0); });
    EXPECT_EQ(
        refusal([&] { two.add->write(1); }),
        "collective: rank 1 writes number 0 in no loop, allowed 4 turns from 0 as rank 0 did");
  }
  {  // one loop of both, and a loop of each
    Two two;
    two.loop(0, 2, [&] {
      two.add->write(0);
      two.max->write(0);
    });
    two.loop(1, 2, [&] { two.add->write(1); });
    EXPECT_EQ(
        refusal([&] { two.loop(1, 2, [&] { two.max->write(1); }); }),
        "collective: rank 1 writes number 1 in 2 turns from 1, allowed 2 turns from 0 as rank 0 "
        "did");
  }
  {  // turns out of a register agree with any
    Two two;
    auto& sync = two.group.core(0).sync();
    const auto turns = sync.reg();
    sync.set(turns, 3);
    two.loop(0, turns, [&] { two.loop(0, 2, [&] { two.add->write(0); }); });
    two.loop(1, 3, [&] { two.loop(1, 2, [&] { two.add->write(1); }); });
    Bench bench(two.assembler.assemble());
    EXPECT_TRUE(bench.board.run()) << bench.board.blocked();
  }
}

}  // namespace
}  // namespace tb::model
