// SPDX-License-Identifier: Apache-2.0
// Looped and unrolled programs commit alike: random programs with nested loops, offsets and sizes
// out of registers, loads, branches, tokens between all engines, and doorbells.
#include "cmodel/board/unroll.h"

#include <gtest/gtest.h>

#include "cmodel/machine/chip.h"
#include "cmodel/machine/instruction.h"
#include "cmodel/program/assembler.h"
#include "cmodel/program/program_view.h"
#include "tb/base/seed.h"
#include "tb/unit/cmodel/model_bench.h"

namespace tb::model {
namespace {

using cmodel::Assembler;
using cmodel::Register;
using cmodel::Semaphore;
using cmodel::Tile;
using defs::Condition;
using defs::Dtype;
using defs::RegOp;

constexpr unsigned kColumns = 8, kTiles = 4;

/// DMA -> vector -> activation engine -> DMA, a tile a turn, over two tokens each; the tensor
/// engine works for itself. Every engine has its own loops over the same number of turns.
class RandomLoops {
 public:
  RandomLoops(std::mt19937_64& rng, unsigned chips) : rng_(rng), assembler_(kSizes, chips) {
    for (unsigned chip = 0; chip < chips; ++chip)
      for (unsigned core = 0; core < 1 + pick(2); ++core) write(chip, core);
  }
  cmodel::Program assemble() { return assembler_.assemble(); }

 private:
  unsigned pick(unsigned n) { return static_cast<unsigned>(rng_() % n); }

  /// `turns` turns of a body: one loop or two nested ones, their turns constant or loaded.
  template <class S, class Body>
  void turns(S& s, const cmodel::Block& numbers, Body&& body) {
    const auto loop = [&](unsigned at, auto&& inner) {
      if (pick(2)) return s.loop(numbers_[at], inner);
      const Register n = s.reg();
      s.load(n, numbers, 4 * at);
      if (pick(2))
        s.loop(n, inner);
      else
        s.loop(n, 4 + pick(9), [&](Register) { inner(); });
    };
    const unsigned way = pick(3);
    if (way == 0) loop(2, body);
    if (way == 1) loop(0, [&] { loop(1, body); });
    if (way == 2) loop(1, [&] { loop(0, body); });
  }
  /// Something that only registers see; often a branch around a part of it.
  template <class S>
  void scribble(S& s, Register r) {
    s.alu(defs::kEveryRegOp[pick(defs::kEveryRegOp.size())], r, r, pick(2) ? r : s.zero(),
          static_cast<std::uint32_t>(rng_()));
    if (pick(2)) return;
    const auto out = s.ahead();
    s.branch(defs::kEveryCondition[pick(defs::kEveryCondition.size())], r, s.zero(), out,
             static_cast<int>(pick(100)) - 50);
    s.add(r, static_cast<int>(pick(1000)));
    if (pick(2)) s.nop().signal(scratch_);
    s.place(out);
  }
  /// An offset among kTiles tiles that goes round.
  template <class S>
  Register next_tile(S& s, Register r, unsigned bytes) {
    s.add(r, bytes);
    s.alu(RegOp::And, r, r, s.zero(), bytes * (kTiles - 1));
    return r;
  }

  void write(unsigned chip, unsigned c) {
    auto& core = assembler_.core(chip, c);
    scratch_ = core.semaphore();
    numbers_ = {1 + pick(4), 1 + pick(4), 0, 2 + pick(kColumns - 1)};
    numbers_[2] = numbers_[0] * numbers_[1];
    const std::vector<std::uint8_t> words = [&] {
      std::vector<std::uint8_t> out(16);
      for (unsigned i = 0; i < 4; ++i) out[4 * i] = static_cast<std::uint8_t>(numbers_[i]);
      return out;
    }();
    const std::string tag = std::to_string(c);
    const auto numbers = assembler_.data(chip, c, "numbers" + tag, 16, 1, words);
    const auto data = assembler_.data(chip, c, "x" + tag, kColumns * 4, kP,
                                      fp32_bytes(random_floats(kP * kColumns)));
    const auto out = assembler_.hbm(chip, c, "y" + tag, kColumns * 4, kP);
    const Tile in = core.sbuf(kP, kColumns, Dtype::Fp32);
    const Tile mid = core.sbuf(kP, kTiles * kColumns, Dtype::Fp32).columns(0, kColumns);
    const Tile sums = core.sbuf(kP, kTiles * kColumns, Dtype::Fp32).columns(0, kColumns);
    const Tile result = core.sbuf(kP, kColumns, Dtype::Fp32);
    const Semaphore full = core.semaphore(), free = core.semaphore(), made = core.semaphore(),
                    used = core.semaphore(), ready = core.semaphore(), sent = core.semaphore(),
                    weights = core.semaphore();

    auto& s = core.sync();
    s.copy(0, data, assembler_.block(in)).signal(weights);
    turns(s, numbers, [&] {
      s.take(free).copy(1, data, assembler_.block(in)).signal(full);
      s.take(ready).copy(1, assembler_.block(result), out).signal(sent);
    });
    s.wait_ge(scratch_, 0);

    auto& v = core.vector();
    const Register vr = v.reg(), vt = v.reg(), vn = v.reg();
    v.wait_ge(weights, 1).nop().signal(free);
    v.load(vn, numbers, 12);
    turns(v, numbers, [&] {
      scribble(v, vr);
      v.take(full);
      v.tensor_tensor(defs::AluOp::Add, in, in, sums.at(vt));
      if (pick(2)) v.size_from(vn).copy(in, sums.at(vt));
      v.take(used).copy(sums.at(vt), mid.at(vt)).signal(made);
      v.nop().signal(free);
      next_tile(v, vt, kColumns * 4);
    });

    auto& a = core.act();
    const Register ar = a.reg(), at = a.reg();
    a.nop().signal(used).nop().signal(sent);
    turns(a, numbers, [&] {
      scribble(a, ar);
      a.take(sent).nop();
      a.take(made).activate(defs::ActFunc::Relu, mid.at(at), result).signal(ready);
      a.nop().signal(used);
      next_tile(a, at, kColumns * 4);
    });

    auto& t = core.tensor();
    const Tile w = core.sbuf(kP, kP + 32, Dtype::Bf16);
    const Semaphore set = core.semaphore();
    v.copy(in.as(Dtype::Bf16, 2 * kColumns), w.columns(0, 2 * kColumns)).signal(set);
    v.copy(in.as(Dtype::Bf16, 2 * kColumns), w.columns(16, 2 * kColumns)).signal(set);
    v.copy(in.as(Dtype::Bf16, 2 * kColumns), w.columns(32, 2 * kColumns)).signal(set);
    const Register tr = t.reg();
    t.wait_ge(set, 3);
    t.loop(numbers_[0], 8, [&](Register i) {
      t.load_stationary(w.columns(0, kP).at(i));
      t.loop(numbers_[1], 4 * kColumns, [&](Register j) {
        scribble(t, tr);
        t.multiply_moving(w.columns(0, kColumns).at(i), core.psum(0, kP, kColumns).at(j), false);
        t.multiply_moving(w.columns(0, kColumns), core.psum(0, kP, kColumns).at(j), true);
      });
    });
  }
  std::vector<float> random_floats(std::size_t count) {
    std::mt19937 rng(static_cast<unsigned>(rng_()));
    return random_bf16(count, rng);
  }

  std::mt19937_64& rng_;
  Assembler assembler_;
  Semaphore scratch_;
  std::array<unsigned, 4> numbers_{};  ///< outer and inner turns, both together, a size
};

/// What a board committed, by stream, without what loops and their unrolling name differently.
auto commits_of(const cmodel::Program& program, std::uint64_t order_seed = 0) {
  Recorder recorder;
  Board board(kSizes, program, recorder, {.order_seed = order_seed});
  board.load();
  board.run();
  std::erase_if(recorder.writes, [](const auto& entry) {
    return entry.first.engine == static_cast<unsigned>(Engine::Host);
  });
  for (auto* lists : {&recorder.writes, &recorder.updates})
    for (auto& [id, entries] : *lists)
      for (auto& entry : entries)
        if (id.engine < defs::kSequencers) entry.commit.pc = 0;
  return std::pair{recorder.writes, recorder.updates};
}

bool is_straight(const cmodel::Program& program) {
  for (const auto& stream : program.streams)
    for (std::uint32_t pc = 0; pc < stream.count; ++pc) {
      const auto instr = cmodel::instr_at(program, stream, pc);
      const auto* row = defs::row_of(instr.opcode);
      if (row->overlay != defs::Overlay::None || instr.size_reg || instr.src0.index ||
          instr.src1.index || instr.dst.index)
        return false;
    }
  return true;
}

TEST(Unroll, LoopedAndUnrolledCommitAlike) {
  const std::uint64_t seed = tb::seed();
  unsigned longer = 0;
  for (unsigned round = 0; round < 60; ++round) {
    SCOPED_TRACE(testing::Message() << "seed " << seed << " round " << round);
    std::mt19937_64 rng(seed + round);
    const cmodel::Program looped = RandomLoops(rng, 1 + round % 2).assemble();
    cmodel::validate_program(looped, "looped");
    Recorder recorder;
    Board board(kSizes, looped, recorder, {.detect_races = true});
    board.load();
    ASSERT_TRUE(board.run()) << board.blocked();
    ASSERT_TRUE(board.errors().empty())
        << board.errors()[0].pc << to_string(board.errors()[0].cause);
    ASSERT_EQ(board.unwritten_text(), "");
    ASSERT_EQ(board.races(), "");

    const cmodel::Program line = cmodel::unroll(kSizes, looped);
    cmodel::validate_program(line, "unrolled");
    ASSERT_TRUE(is_straight(line));
    const auto expected = commits_of(looped);
    ASSERT_EQ(commits_of(line), expected);
    ASSERT_EQ(commits_of(looped, 1 + round), expected) << "in another order";
    ASSERT_EQ(commits_of(line, 1 + round), expected) << "in another order";
    for (std::size_t i = 0; i < line.streams.size(); ++i)
      longer += line.streams[i].count > looped.streams[i].count;
  }
  EXPECT_GT(longer, 60u);
}

/// Serials name the operations of a stream in its order, whatever its loops do.
TEST(Unroll, SerialsCountWhatAStreamIssued) {
  std::mt19937_64 rng(tb::seed());
  const cmodel::Program program = RandomLoops(rng, 1).assemble();
  Bench bench(program, {.keep_trace = true});
  ASSERT_TRUE(bench.board.run());
  bool repeated = false;
  for (const auto& [id, entries] : bench.recorder.writes) {
    if (id.engine >= defs::kSequencers) continue;
    std::uint32_t serial = 0;
    std::map<std::uint32_t, std::uint32_t> seen;  // serials by pc
    for (const auto& [commit, data] : entries) {
      EXPECT_GE(commit.serial, serial);
      serial = commit.serial;
      const auto [at, fresh] = seen.try_emplace(commit.pc, serial);
      repeated |= at->second != serial;
    }
  }
  EXPECT_TRUE(repeated);
}

/// One that stops by an error, or waits for ever, or has no END, does so unrolled.
TEST(Unroll, WhatStopsStopsAgain) {
  const auto branch = [](unsigned target, int add) {
    return defs::encode_branch(defs::Condition::Ne,
                               {1, 0, static_cast<std::uint32_t>(add), target});
  };
  const auto set = defs::encode_reg_alu(RegOp::Add, {1, 0, 0, 3});
  const auto count = TinyInstr(Opcode::Nop).then(5);
  auto bad = TinyInstr(Opcode::TensorCopy).shape(4, 4).from(sbuf32(0)).to(sbuf32(64));
  bad.src0.index = 2;
  const auto far = defs::encode_reg_alu(RegOp::Add, {2, 2, 0, 8192});
  const auto down = TinyInstr(branch(1, -1)).then(6, -1);
  const std::vector<std::vector<defs::Instr>> programs{
      {set, count, branch(1, -1), branch(99, 0)},
      {set, count, far, bad, branch(1, -1)},
      {set, count, branch(1, -1), TinyInstr(Opcode::Nop).wait(7, 1), count},
      {set, count, down},
      {set, count, branch(1, -1), defs::encode_reg_load({3, 0, 2})},
  };
  for (const bool end : {true, false})
    for (const auto& code : programs) {
      TinyProgram tiny(kSizes, 1);
      for (const auto& instr : code) tiny.add(0, 0, Engine::Vector, instr);
      const auto looped = tiny.build(end);
      const auto line = cmodel::unroll(kSizes, looped);
      EXPECT_EQ(commits_of(line), commits_of(looped));
    }
}

TEST(Unroll, ALoopWithoutAWayOutIsRefused) {
  TinyProgram tiny(kSizes, 1);
  tiny.add(0, 0, Engine::Vector, defs::encode_branch(defs::Condition::Eq, {0, 0, 0, 0}));
  try {
    cmodel::unroll(kSizes, tiny.build(), 100);
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(),
                 "no end within 100 operations: chip 0 core 0 Vector pc 0, visit 102: 101 "
                 "instructions and no END; next: BRANCH eq r0 += 0 r0 to 0");
  }
}

}  // namespace
}  // namespace tb::model
