// SPDX-License-Identifier: Apache-2.0
// The sequencer's own instructions: random programs against a reference, takes, what is refused.
#include <gtest/gtest.h>

#include <functional>
#include <random>
#include <vector>

#include "tb/unit/rtl/sequencer_reference.h"

namespace {

using namespace sequencer;
using defs::Condition;
using defs::RegOp;

constexpr unsigned kTokens = 300;  ///< first of four semaphores that others fill and this one takes
constexpr unsigned kCounter = 40;  ///< first of the registers that count loops
constexpr unsigned kProbe = 63;

/// A random program that ends: blocks of work, arithmetic, loads, skips, and loops in loops.
struct Writer {
  std::mt19937& rng;
  std::vector<Instr> program{};

  unsigned below(unsigned n) { return static_cast<unsigned>(rng() % n); }
  unsigned any() { return below(32); }  // register 0 among them
  void put(Instr i) {
    if (below(8) == 0) i = with_update(i, below(16), 1 + static_cast<int>(below(9)));
    if (below(12) == 0)
      i = with_wait(i, defs::WaitOp::Take, kTokens + below(4), below(3));
    else if (below(12) == 0)
      i = with_wait(i, defs::WaitOp::Ge, below(512), 0);
    program.push_back(i);
  }
  defs::Operand operand() {
    defs::Operand o;
    o.space = static_cast<std::uint8_t>(below(3));
    o.offset = below(1u << 24) >> below(24);
    if (below(2)) o.index = static_cast<std::uint8_t>(below(64));
    return o;
  }
  void start() {
    defs::DmaStart::Words words;
    for (auto& word : words) word = static_cast<std::uint32_t>(rng());
    put(defs::encode_dma_start(defs::DmaStart::from(defs::DmaStart::from(words).words())));
  }
  void work() {
    if (below(6) == 0) return start();
    const Opcode rows[] = {Opcode::LoadStationary, Opcode::MultiplyMoving, Opcode::TensorTensor,
                           Opcode::Activate, Opcode::TensorScalar};
    const unsigned kind = below(10);
    Instr i = instr(rows[std::min(kind / 2, 4u)]);
    i.src0 = operand();
    i.src1 = operand();
    i.dst = operand();
    if (i.opcode == static_cast<unsigned>(Opcode::TensorScalar)) {
      const auto scalar = [&] {
        return defs::Scalar{.kind = static_cast<std::uint8_t>(below(2) ? 3 : below(4)),
                            .reverse = static_cast<std::uint8_t>(below(2)),
                            .value = below(2) ? below(64) : static_cast<std::uint32_t>(rng())};
      };
      i.src1 = defs::Operand::from(defs::Scalars{scalar(), scalar()}.words());
    }
    i.size0 = i.size1 = i.size2 = i.size3 = 7;
    if (below(2)) {
      i.size_reg = static_cast<std::uint8_t>(below(64));
      i.size_dim = static_cast<std::uint8_t>(below(4));
    }
    put(i);
    if (kind < 2 && below(2)) {  // with a multiply behind it
      i.opcode = static_cast<std::uint8_t>(Opcode::MultiplyMoving);
      i.src0.index = static_cast<std::uint8_t>(below(64));
      put(i);
    }
  }
  /// All 32 bits of a register, as offsets.
  void probe(unsigned r) {
    for (const Instr& half :
         {reg_alu(RegOp::And, kProbe, r, 0, 0xFFFFFF), reg_alu(RegOp::Srl, kProbe, r, 0, 8)}) {
      program.push_back(half);
      Instr i = kWork;
      i.src0.space = 1;
      i.src0.index = kProbe;
      program.push_back(i);
    }
  }
  void item(unsigned depth) {
    switch (below(depth < 3 ? 8 : 6)) {
      case 0:
        put(instr(Opcode::Nop));
        break;
      case 1:
      case 2:
        put(reg_alu(static_cast<RegOp>(below(11)), any(), any(), any(),
                    static_cast<std::uint32_t>(rng()) >> below(32)));
        break;
      case 3:
        if (below(6) == 0) {  // from a number near it, so that negative ones are added, too
          const unsigned r = 1 + below(31), middle = 4 * below(512);
          put(set(r, 4 * below(512) - middle));
          put(reg_load(any(), r, kDataBase + middle));
        } else if (below(8) == 0) {
          probe(any());
        }
        break;
      case 6:
      case 7:
        loop(depth);
        break;
      default:
        work();
    }
    if (below(6) == 0) {  // skip what follows, or not
      const std::size_t at = program.size();
      program.emplace_back();
      for (unsigned n = below(below(8) ? 4 : 100); n--;) work();
      program[at] = branch(static_cast<Condition>(below(6)), any(), any(), below(5),
                           static_cast<unsigned>(program.size()));
    }
  }
  void loop(unsigned depth) {
    const unsigned counter = kCounter + depth, times = 1 + below(4);
    program.push_back(set(counter, times));
    const auto top = static_cast<unsigned>(program.size());
    for (unsigned n = below(below(3) ? 8 : 70 >> depth); n--;) item(depth + 1);
    program.push_back(branch(Condition::Ne, counter, 0, 0xFFFFFFFF, top));
  }
  void write() {
    for (unsigned r = 1; r < 32; ++r) put(set(r, static_cast<std::uint32_t>(rng()) >> below(32)));
    for (unsigned n = 12; n--;) item(0);
    loop(0);
    for (unsigned r = 0; r < 32; ++r) probe(r);
    program.push_back(kEnd);
  }
};

/// Runs it while others add tokens, one or two at a time, now and then.
template <class B>
void run_with_tokens(B& bench, unsigned limit = 3000000) {
  while (!(bench.dut.quiet_o && bench.now > 2) && limit--) {
    if (bench.rng() % 8 == 0) {
      int& tokens = bench.semaphores[kTokens + bench.rng() % 4];
      if (tokens < 20) tokens += 1 + static_cast<int>(bench.rng() % 2);
    }
    bench.cycle();
  }
}

template <class B>
std::size_t matches_the_reference(unsigned seed, unsigned& pairs) {
  SCOPED_TRACE(testing::Message() << "seed " << seed);
  std::mt19937 rng(seed);
  Writer writer{rng};
  writer.write();
  Reference reference;
  B bench(writer.program, seed);
  for (auto& byte : bench.data) byte = static_cast<std::uint8_t>(rng() >> (rng() % 8));
  reference.run(writer.program, bench.data);
  bench.shuffle = seed % 2;
  bench.engine_depth = 1 + seed % 16;
  for (unsigned start = 0; start < 2; ++start) {  // the second finds the registers cleared
    bench.issued.clear();
    bench.issued_instr.clear();
    bench.serials.clear();
    bench.updates.clear();
    bench.start();
    run_with_tokens(bench);
    EXPECT_EQ(bench.dut.state_o, kDone)
        << "cause " << unsigned{bench.dut.cause_o} << " pc " << bench.dut.pc_o;
    EXPECT_EQ(bench.issued, reference.issued);
    for (unsigned& serial : bench.serials)  // those of the first run and its END
      serial -= start * (static_cast<unsigned>(reference.steps) + 1);
    EXPECT_EQ(bench.serials, reference.serials);
    EXPECT_TRUE(bench.issued_instr == reference.issued_instr);
    std::vector<Update> updates, takes;
    for (const Update& u : bench.updates) (u.sem < kTokens ? updates : takes).push_back(u);
    EXPECT_EQ(updates, reference.updates);
    EXPECT_EQ(takes, reference.takes);
  }
  pairs += bench.pairs;
  return reference.longest_jump;
}

TEST(SequencerPrograms, RandomOnesMatchTheReference) {
  std::size_t longest = 0;
  unsigned pairs = 0;
  for (unsigned seed = 1; seed <= 10; ++seed) {
    longest = std::max(longest, matches_the_reference<Mini>(seed, pairs));
    longest = std::max(longest, matches_the_reference<Inf2>(seed + 100, pairs));
  }
  EXPECT_GT(longest, 260u) << "no loop was longer than the slots";
  EXPECT_GT(pairs, 300u);
}

/// Every take of a semaphore sees the one before, and nothing is taken that is not there.
TEST(SequencerPrograms, ATakeWaitsForWhatItTakes) {
  std::vector<Instr> program;
  for (unsigned n = 0; n < 6; ++n)
    program.push_back(with_wait(kWork, defs::WaitOp::Take, kTokens, 2));
  program.push_back(with_wait(kWork, defs::WaitOp::Eq, kTokens, 1));
  program.push_back(kEnd);
  Inf2 bench(program);
  bench.engine_depth = 16;
  bench.semaphores[kTokens] = 9;
  bench.start();
  for (int i = 0; i < 1000; ++i) bench.cycle();
  EXPECT_EQ(bench.issued.size(), 4u);
  EXPECT_EQ(bench.semaphores[kTokens], 1);
  bench.semaphores[kTokens] = 5;
  bench.run();
  EXPECT_EQ(bench.dut.state_o, kDone);
  EXPECT_EQ(bench.semaphores[kTokens], 1);
  ASSERT_EQ(bench.updates.size(), 6u);
  for (unsigned pc = 0; pc < 6; ++pc) EXPECT_EQ(bench.updates[pc], (Update{kTokens, -2, pc}));
}

/// Of one instruction: first what it takes, then its update, then its error. An older update may
/// come between.
TEST(SequencerPrograms, ATakeComesBeforeWhatItsInstructionDoes) {
  Instr bad = with_wait(kWork, defs::WaitOp::Take, kTokens, 65535);
  bad.opcode = 0xEE;
  const Instr nop = instr(Opcode::Nop);
  Mini bench({with_wait(with_update(nop, 5, 1), defs::WaitOp::Take, kTokens + 1, 3),
              with_update(nop, 6, 1), bad, kWork, kEnd});
  bench.semaphores[kTokens] = 65535;
  bench.semaphores[kTokens + 1] = 3;
  bench.start();
  bench.run();
  EXPECT_EQ(bench.updates, (std::vector<Update>{
                               {kTokens + 1, -3, 0}, {5, 1, 0}, {kTokens, -65535, 2}, {6, 1, 1}}));
  EXPECT_EQ(bench.dut.state_o, kError);
  EXPECT_EQ(bench.dut.cause_o, static_cast<unsigned>(ErrorCause::BadShape));
  EXPECT_EQ(bench.dut.pc_o, 2u);
}

/// With nothing before it, the error is as early as it can be: TakeBeforeError_A.
TEST(SequencerPrograms, ATakeComesBeforeAnErrorAtOnce) {
  Instr bad = with_wait(kWork, defs::WaitOp::Take, kTokens, 65535);
  bad.opcode = 0xEE;
  Mini bench({bad, kEnd});
  bench.semaphores[kTokens] = 65535;
  bench.start();
  bench.run();
  EXPECT_EQ(bench.updates, (std::vector<Update>{{kTokens, -65535, 0}}));
  EXPECT_EQ(bench.dut.state_o, kError);
}

/// What a sequencer refuses behind its wait has taken, too; what it refuses without waiting has
/// not.
TEST(SequencerPrograms, ARefusedTake) {
  for (const bool forbidden : {false, true}) {
    Instr bad = with_wait(instr(Opcode::Nop), defs::WaitOp::Take, kTokens, 2);
    if (!forbidden) bad.imm = 1;
    Mini bench({bad, kEnd});
    if (forbidden) defs::PeerAccess{}.pack(&bench.dut.peer_i[0]);
    bench.semaphores[kTokens] = 7;
    bench.start();
    bench.run();
    EXPECT_EQ(bench.dut.state_o, kError);
    EXPECT_EQ(bench.dut.cause_o,
              static_cast<unsigned>(forbidden ? ErrorCause::Forbidden : ErrorCause::ReservedBits));
    EXPECT_EQ(bench.semaphores[kTokens], forbidden ? 7 : 5);
  }
}

/// Behind the last instruction of a stream without END nothing is taken: what stands there is old.
TEST(SequencerPrograms, TheEndOfAStreamTakesNothing) {
  Mini bench({with_wait(kWork, defs::WaitOp::Take, kTokens, 2)});
  bench.semaphores[kTokens] = 7;
  bench.start();
  bench.run();
  EXPECT_EQ(bench.dut.state_o, kError);
  EXPECT_EQ(bench.dut.cause_o, static_cast<unsigned>(ErrorCause::OutOfBounds));
  EXPECT_EQ(bench.semaphores[kTokens], 5);
}

/// Of an instruction that is not this engine's and may not wait either, the first is told.
TEST(SequencerPrograms, AForeignInstructionIsUnknownBeforeItIsForbidden) {
  for (unsigned engine = 0; engine < 4; ++engine)
    for (const auto& [opcode, owner] : {std::pair{Opcode::LoadStationary, 0u},
                                        {Opcode::TensorCopy, 1u},
                                        {Opcode::Activate, 2u},
                                        {Opcode::DmaTrigger, 3u}}) {
      Mini bench({with_wait(instr(opcode), defs::WaitOp::Take, kTokens, 2), kEnd});
      bench.dut.engine_i = static_cast<std::uint8_t>(engine);
      defs::PeerAccess{}.pack(&bench.dut.peer_i[0]);
      bench.start();
      bench.run();
      EXPECT_EQ(bench.dut.state_o, kError);
      EXPECT_EQ(bench.dut.cause_o,
                static_cast<unsigned>(engine == owner ? ErrorCause::Forbidden
                                                      : ErrorCause::UnknownOpcode))
          << engine << ' ' << owner;
    }
}

/// A second taker, which no program has, is told.
TEST(SequencerPrograms, ATakeOfWhatIsGoneStops) {
  Mini bench({with_wait(kWork, defs::WaitOp::Take, kTokens, 3), kEnd});
  bench.engine_latency = 1000;
  bench.semaphores[kTokens] = 3;
  bench.start();
  while (bench.issued.empty() && bench.now < 2000) bench.cycle();
  bench.semaphores[kTokens] = 2;
  bench.run();
  EXPECT_EQ(bench.dut.state_o, kError);
  EXPECT_EQ(bench.dut.cause_o, static_cast<unsigned>(ErrorCause::SemaphoreOverflow));
  EXPECT_EQ(bench.dut.pc_o, 0u);
}

/// The update of a load says that the memory was read.
TEST(SequencerPrograms, ALoadIsOverWhenItsWordIsHere) {
  Mini bench({with_update(reg_load(1, 0, kDataBase + 8), 5, 1), kWork, kEnd});
  bench.start();
  std::uint64_t asked = 0;
  while (bench.updates.empty() && bench.now < 2000) {
    if (!asked && bench.dut.fetch_req_valid_o && bench.dut.fetch_req_addr_o >= kDataBase)
      asked = bench.now;
    bench.cycle();
  }
  EXPECT_GT(asked, 0u);
  EXPECT_GE(bench.now, asked + kLatency);
  bench.run();
  EXPECT_EQ(bench.dut.state_o, kDone);
  ASSERT_EQ(bench.issued_at.size(), 1u);
  EXPECT_GE(bench.issued_at[0], asked + kLatency);
}

TEST(SequencerPrograms, RefusesWhatItsOwnInstructionsMayNotDo) {
  const auto changed = [](Instr i, const std::function<void(Instr&)>& change) {
    change(i);
    return i;
  };
  const auto func = [&](Instr i, unsigned value) {
    return changed(i, [=](Instr& i) { i.func = static_cast<std::uint8_t>(value); });
  };
  const auto imm = [&](Instr i) { return changed(i, [](Instr& i) { i.imm = 1; }); };
  const Instr add = set(1, 1), jump = branch(Condition::Eq, 0, 0, 0, 0),
              load = reg_load(1, 0, kDataBase);
  const struct {
    const char* what;
    Instr instr;
    ErrorCause cause;
  } cases[] = {
      {"operation 11", func(add, 11), ErrorCause::UnknownOpcode},
      {"operation 64", func(add, 64), ErrorCause::UnknownOpcode},
      {"condition 6", func(jump, 6), ErrorCause::UnknownOpcode},
      {"condition 128", func(jump, 128), ErrorCause::UnknownOpcode},
      {"function of a load", func(load, 1), ErrorCause::ReservedBits},
      {"function before bits", func(imm(add), 200), ErrorCause::UnknownOpcode},
      {"bits of an operation", imm(add), ErrorCause::ReservedBits},
      {"bits of a branch", imm(jump), ErrorCause::ReservedBits},
      {"bits of a load", imm(load), ErrorCause::ReservedBits},
      {"bits before the target", imm(branch(Condition::Ne, 0, 0, 0, 99)), ErrorCause::ReservedBits},
      {"size_reg", changed(add, [](Instr& i) { i.size_reg = 1; }), ErrorCause::ReservedBits},
      {"target at the end", branch(Condition::Eq, 0, 0, 0, 7), ErrorCause::OutOfBounds},
      {"target, not taken", branch(Condition::Ne, 0, 0, 0, 0xFFFFFF), ErrorCause::OutOfBounds},
      {"load of 2", reg_load(1, 0, kDataBase + 2), ErrorCause::Misaligned},
      {"load moved by 2", reg_load(1, 3, kDataBase), ErrorCause::Misaligned},
      {"load beyond HBM", reg_load(1, 0, defs::kAddrHbm0Base + defs::kAddrHbm0Size),
       ErrorCause::UnmappedAddress},
      {"load before HBM", reg_load(1, 4, 0), ErrorCause::UnmappedAddress},
      {"load of SBUF", reg_load(1, 0, defs::kAddrCore0Base), ErrorCause::UnmappedAddress},
      {"load of the other core's", reg_load(1, 0, defs::kAddrHbm1Base), ErrorCause::Forbidden},
      {"semaphore of the other core", with_wait(add, defs::WaitOp::Take, 256, 1),
       ErrorCause::Forbidden},
  };
  for (const auto& bad : cases) {
    SCOPED_TRACE(bad.what);
    for (unsigned seed = 1; seed < 4; ++seed) {
      Mini bench({kWork, set(3, 2), set(4, 0xFFFFFFFC), bad.instr, kWork, kWork, kEnd}, seed);
      const defs::PeerAccess alone{};
      alone.pack(&bench.dut.peer_i[0]);
      bench.shuffle = seed > 1;
      bench.start();
      bench.run();
      EXPECT_EQ(bench.dut.state_o, kError);
      EXPECT_EQ(bench.dut.cause_o, static_cast<unsigned>(bad.cause));
      EXPECT_EQ(bench.dut.pc_o, 3u);
      EXPECT_EQ(bench.issued, std::vector<unsigned>{0});
    }
  }
}

/// In the midst of a loop, shorter and longer than what fetch keeps: by END, and then again from
/// the start; by an error, whose pc is the instruction's.
template <class B>
void stops_in_a_loop(unsigned body, unsigned step) {
  SCOPED_TRACE(testing::Message() << body << " step " << step);
  std::vector<Instr> program{set(1, 5), set(4, 8)};
  program.insert(program.end(), body, kWork);
  program.push_back(reg_load(2, 3, kDataBase));
  program.push_back(branch(Condition::Eq, 3, 4, step, body + 6));
  program.push_back(branch(Condition::Ne, 1, 0, 0xFFFFFFFF, 2));
  program.push_back(kWork);
  program.push_back(kEnd);
  B bench(program);
  bench.start();
  bench.run();
  EXPECT_EQ(bench.issued.size(), 2 * body);
  if (step == 4) {
    EXPECT_EQ(bench.dut.state_o, kDone);
    EXPECT_EQ(bench.dut.pc_o, body + 6);
    bench.start();
    bench.run();
    EXPECT_EQ(bench.dut.state_o, kDone);
    EXPECT_EQ(bench.issued.size(), 4 * body);
  } else {
    EXPECT_EQ(bench.dut.state_o, kError);
    EXPECT_EQ(bench.dut.cause_o, static_cast<unsigned>(ErrorCause::Misaligned));
    EXPECT_EQ(bench.dut.pc_o, body + 2);
  }
}

TEST(SequencerPrograms, StopsInTheMidstOfALoop) {
  for (const unsigned body :
       {0u, 1u, 6u, 13u, 40u, 60u, 61u, 62u, 63u, 64u, 124u, 125u, 126u, 300u})
    for (const unsigned step : {4u, 2u}) {
      stops_in_a_loop<Mini>(body, step);
      stops_in_a_loop<Inf2>(body, step);
    }
}

/// The last instruction of a stream may be a branch that leads back; if it is not taken, the stream
/// is at its end.
TEST(SequencerPrograms, AStreamMayEndWithABranch) {
  Mini bench({set(1, 3), kWork, branch(Condition::Ne, 1, 0, 0xFFFFFFFF, 1)});
  bench.start();
  bench.run();
  EXPECT_EQ(bench.issued.size(), 3u);
  EXPECT_EQ(bench.dut.state_o, kError);
  EXPECT_EQ(bench.dut.cause_o, static_cast<unsigned>(ErrorCause::OutOfBounds));
  EXPECT_EQ(bench.dut.pc_o, 3u);
}

}  // namespace
