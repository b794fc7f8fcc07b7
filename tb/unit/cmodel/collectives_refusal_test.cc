// SPDX-License-Identifier: Apache-2.0
// What collectives refuse, each in one line: groups, buffers, formats; ranks that do not write the
// same.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <functional>
#include <optional>

#include "cmodel/collectives/communicator.h"
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
