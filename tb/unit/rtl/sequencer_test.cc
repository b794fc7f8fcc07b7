// SPDX-License-Identifier: Apache-2.0
// One sequencer between a slow memory and a capricious engine: order, waits, updates, errors, rate.
#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <random>
#include <vector>

#include "Vsequencer_inf2.h"
#include "Vsequencer_mini.h"
#include "rtl/defs/gen/defs.h"

namespace {

using defs::ErrorCause;
using defs::Instr;
using defs::Opcode;

constexpr unsigned kLatency = 160;
enum State { kIdle, kRunning, kDone, kError };

Instr instr(Opcode opcode) {
  Instr i;
  i.opcode = static_cast<std::uint8_t>(opcode);
  return i;
}
Instr with_update(Instr i, unsigned sem, int delta) {
  i.update = 1;
  i.update_sem = static_cast<std::uint16_t>(sem);
  i.update_delta = static_cast<std::int16_t>(delta);
  return i;
}
Instr with_wait(Instr i, defs::WaitOp op, unsigned sem, unsigned value) {
  i.wait_op = static_cast<std::uint8_t>(op);
  i.wait_sem = static_cast<std::uint16_t>(sem);
  i.wait_value = static_cast<std::uint16_t>(value);
  return i;
}

struct Update {
  unsigned sem;
  int delta;
  unsigned pc;
  bool operator==(const Update&) const = default;
};

/// The sequencer with its surroundings: memory of fixed latency (or shuffled answers), engine that
/// takes and finishes instructions at random, semaphores as an array.
template <class Dut, unsigned LineBytes>
class Bench {
 public:
  explicit Bench(std::vector<Instr> program, unsigned seed = 1) : rng(seed) {
    for (const Instr& i : program) {
      const auto words = i.words();
      const auto* bytes = reinterpret_cast<const std::uint8_t*>(words.data());
      memory.insert(memory.end(), bytes, bytes + 64);
    }
    count = static_cast<unsigned>(program.size());
    memory.resize((memory.size() + LineBytes - 1) / LineBytes * LineBytes);
    dut.clk_i = dut.start_i = dut.fetch_rsp_valid_i = dut.upd_error_i = dut.done_i = 0;
    dut.error_valid_i = dut.event_ready_i = dut.fetch_req_ready_i = dut.instr_ready_i = 0;
    dut.engine_i = 0;
    dut.rst_ni = 0;
    edge();
    dut.rst_ni = 1;
    dut.eval();
  }
  void edge() {
    dut.clk_i = 1;
    dut.eval();
    dut.clk_i = 0;
    dut.eval();
  }
  void start(std::uint64_t base = 0x10000) {
    start_base = base;
    dut.base_i = base;
    dut.count_i = count;
    dut.start_i = 1;
    dut.eval();
    edge();
    dut.start_i = 0;
    dut.eval();
  }
  void cycle() {
    // Answers: one line a cycle, any ripe one.
    dut.fetch_rsp_valid_i = 0;
    for (auto it = answers.begin(); it != answers.end(); ++it) {
      if (it->at > now || (shuffle && rng() % 2)) continue;
      dut.fetch_rsp_valid_i = 1;
      dut.fetch_rsp_slot_i = it->slot;
      std::memcpy(&dut.fetch_rsp_data_i, &memory.at(it->addr - start_base), LineBytes);
      answers.erase(it);
      break;
    }
    dut.fetch_req_ready_i = !shuffle || rng() % 2;
    dut.instr_ready_i = !engine_error && held.size() < engine_depth && (!shuffle || rng() % 2);
    dut.done_i = 0;
    while (dut.done_i < 2 && dut.done_i < held.size() && now >= held[dut.done_i] &&
           (!shuffle || rng() % 4 == 0))
      ++dut.done_i;
    dut.error_valid_i = engine_error && held.empty();
    dut.error_cause_i = static_cast<unsigned>(ErrorCause::BadShape);
    dut.error_pc_i = engine_error_pc;
    dut.event_ready_i = rng() % 2;
    dut.eval();
    dut.wait_value_i = semaphores[dut.wait_sem_o];
    dut.room_value_i = semaphores[dut.room_sem_o];
    dut.eval();
    if (dut.fetch_req_valid_o && dut.fetch_req_ready_i) {
      answers.push_back(
          {now + kLatency, static_cast<unsigned>(dut.fetch_req_slot_o), dut.fetch_req_addr_o});
      max_answers = std::max(max_answers, answers.size());
    }
    for (unsigned i = 0; i < dut.done_i; ++i) held.pop_front();
    if (dut.instr_valid_o && dut.instr_ready_i) {
      Instr::Words words;
      std::memcpy(words.data(), &dut.instr_o, sizeof(words));
      const Instr i = Instr::from(words);
      if (i.opcode == 0xEE) {
        engine_error = true;
        engine_error_pc = dut.instr_pc_o;
      } else {
        issued.push_back(dut.instr_pc_o);
        issued_at.push_back(now);
        held.push_back(now + engine_latency);
      }
      if (dut.second_valid_o) {
        std::memcpy(words.data(), &dut.second_o, sizeof(words));
        EXPECT_EQ(i.opcode, static_cast<unsigned>(Opcode::LoadStationary));
        EXPECT_EQ(Instr::from(words).opcode, static_cast<unsigned>(Opcode::MultiplyMoving));
        issued.push_back(dut.instr_pc_o + 1);
        issued_at.push_back(now);
        held.push_back(now + engine_latency);
        ++pairs;
      }
    }
    bool refused = false;
    if (dut.upd_valid_o) {
      defs::SemUpdate::Words words{};
      std::memcpy(words.data(), &dut.upd_o, sizeof(words));
      const auto u = defs::SemUpdate::from(words);
      const int next = semaphores[u.sem] + u.delta;
      if (next < 0 || next > 65535)
        refused = true;
      else {
        semaphores[u.sem] = next;
        updates.push_back({u.sem, u.delta, dut.upd_pc_o});
      }
    }
    if (dut.event_valid_o && dut.event_ready_i) events.push_back(dut.state_o);
    edge();
    dut.upd_error_i = refused;
    dut.eval();
    ++now;
  }
  void run(unsigned limit = 100000) {
    while (!(dut.quiet_o && now > 2) && limit--) cycle();
  }

  struct Answer {
    std::uint64_t at;
    unsigned slot;
    std::uint64_t addr;
  };
  VerilatedContext context;
  Dut dut{&context};
  std::mt19937 rng;
  std::vector<std::uint8_t> memory;
  std::vector<Answer> answers;
  std::deque<std::uint64_t> held;
  std::map<unsigned, int> semaphores;
  std::vector<unsigned> issued, events;
  std::vector<std::uint64_t> issued_at;
  std::vector<Update> updates;
  std::uint64_t now = 0, start_base = 0;
  std::size_t max_answers = 0;
  unsigned pairs = 0;  ///< loads and multiplies that were issued together
  unsigned count = 0, engine_depth = 4, engine_latency = 3, engine_error_pc = 0;
  bool shuffle = false, engine_error = false;
};
using Mini = Bench<Vsequencer_mini, 64>;
using Inf2 = Bench<Vsequencer_inf2, 256>;

const Instr kWork = instr(Opcode::LoadStationary);
const Instr kEnd = instr(Opcode::End);

template <class B>
unsigned issues_in_order(unsigned seed) {
  std::mt19937 rng(seed);
  std::vector<Instr> program;
  std::vector<unsigned> expected_issue;
  std::vector<Update> expected_updates;
  for (unsigned pc = 0; pc < 203; ++pc) {
    const bool nop = rng() % 4 == 0;
    Instr i = instr(nop         ? Opcode::Nop
                    : rng() % 2 ? Opcode::LoadStationary
                                : Opcode::MultiplyMoving);
    if (rng() % 4 == 0) i = with_wait(i, defs::WaitOp::Ge, pc % 512, 0);
    if (rng() % 2) {
      i = with_update(i, pc % 512, 1 + static_cast<int>(rng() % 9));
      expected_updates.push_back({pc % 512, i.update_delta, pc});
    }
    if (!nop) expected_issue.push_back(pc);
    program.push_back(i);
  }
  program.push_back(with_update(kEnd, 511, 3));
  expected_updates.push_back({511, 3, 203});
  program.push_back(kWork);  // beyond END: read ahead, never issued
  B bench(program, seed);
  bench.shuffle = true;
  bench.start();
  bench.run();
  EXPECT_EQ(bench.dut.state_o, kDone);
  EXPECT_EQ(bench.dut.pc_o, 203u);
  EXPECT_EQ(bench.issued, expected_issue);
  EXPECT_EQ(bench.updates, expected_updates);
  EXPECT_EQ(bench.events, std::vector<unsigned>{kDone});
  EXPECT_LE(bench.max_answers, 8u);
  // Again, from done.
  bench.issued.clear();
  bench.start();
  bench.run();
  EXPECT_EQ(bench.issued, expected_issue);
  EXPECT_EQ(bench.events.size(), 2u);
  return bench.pairs;
}

TEST(Sequencer, IssuesAndUpdatesInOrderUnderRandomStalls) {
  unsigned mini_pairs = 0, inf2_pairs = 0;
  for (unsigned seed = 1; seed < 6; ++seed) {
    mini_pairs += issues_in_order<Mini>(seed);
    inf2_pairs += issues_in_order<Inf2>(seed);
  }
  EXPECT_GT(mini_pairs, 0u);
  EXPECT_GT(inf2_pairs, 20u);
}

TEST(Sequencer, WaitsForItsSemaphore) {
  Mini bench({with_wait(kWork, defs::WaitOp::Ge, 17, 3), with_wait(kWork, defs::WaitOp::Eq, 300, 2),
              kEnd});
  bench.start();
  for (int i = 0; i < 1000; ++i) bench.cycle();
  EXPECT_TRUE(bench.issued.empty());
  bench.semaphores[17] = 4;
  for (int i = 0; i < 100; ++i) bench.cycle();
  EXPECT_EQ(bench.issued, std::vector<unsigned>{0});
  bench.semaphores[300] = 3;
  for (int i = 0; i < 100; ++i) bench.cycle();
  EXPECT_EQ(bench.issued, std::vector<unsigned>{0});
  bench.semaphores[300] = 2;
  bench.run();
  EXPECT_EQ(bench.issued, (std::vector<unsigned>{0, 1}));
  EXPECT_EQ(bench.dut.state_o, kDone);
}

template <class B>
double cycles_per_instruction(const Instr& work = kWork, int value = 0) {
  std::vector<Instr> program(400, work);
  program.push_back(kEnd);
  B bench(program);
  bench.engine_depth = 16;
  bench.semaphores[9] = value;
  bench.start();
  bench.run();
  EXPECT_EQ(bench.issued.size(), 400u);
  return static_cast<double>(bench.issued_at[399] - bench.issued_at[39]) / 360;
}

TEST(Sequencer, FetchesAheadFastEnough) {
  const double inf2 = cycles_per_instruction<Inf2>(), mini = cycles_per_instruction<Mini>();
  RecordProperty("inf2_cycles_per_instruction", std::to_string(inf2));
  RecordProperty("mini_cycles_per_instruction", std::to_string(mini));
  EXPECT_LE(inf2, 5.5);
  EXPECT_LE(mini, 21.0);
}

/// What has been read ahead goes out two a cycle, a load with its multiply, whatever stands before.
template <class B>
void pairs_go_together(unsigned before) {
  SCOPED_TRACE(before);
  std::vector<Instr> program(before, instr(Opcode::Nop));
  program.push_back(with_wait(kWork, defs::WaitOp::Ge, 3, 1));
  program.push_back(instr(Opcode::MultiplyMoving));
  for (unsigned i = 1; i < 4; ++i) {
    program.push_back(kWork);
    program.push_back(instr(Opcode::MultiplyMoving));
  }
  program.push_back(kEnd);
  B bench(program);
  bench.engine_depth = 16;
  bench.start();
  for (int i = 0; i < 1000; ++i) bench.cycle();
  EXPECT_TRUE(bench.issued.empty());
  bench.semaphores[3] = 1;
  bench.run();
  ASSERT_EQ(bench.issued.size(), 8u);
  EXPECT_EQ(bench.pairs, 4u);
  EXPECT_EQ(bench.issued_at[7] - bench.issued_at[0], 3u);
  EXPECT_EQ(bench.dut.state_o, kDone);
}

TEST(Sequencer, ALoadAndItsMultiplyAreIssuedTogether) {
  for (unsigned before = 0; before < 4; ++before) {
    pairs_go_together<Inf2>(before);
    pairs_go_together<Mini>(before);
  }
}

/// In a long stream of the shortest tiles 16 pairs are under way, each for as long as the array of
/// inf2 takes: rtl/tensor/tensor_engine.md, Cycles.
TEST(Sequencer, PairsInFlightHideTheArray) {
  constexpr unsigned kPairs = 300, kArray = 2 * 128 + 15;
  std::vector<Instr> program;
  for (unsigned i = 0; i < kPairs; ++i) {
    program.push_back(kWork);
    program.push_back(instr(Opcode::MultiplyMoving));
  }
  program.push_back(kEnd);
  Inf2 bench(program);
  bench.engine_depth = 64;
  bench.engine_latency = kArray;
  bench.start();
  bench.run();
  ASSERT_EQ(bench.issued.size(), 2 * kPairs);
  const double cycles =
      static_cast<double>(bench.issued_at[2 * kPairs - 2] - bench.issued_at[200]) / (kPairs - 101);
  RecordProperty("cycles_per_pair", std::to_string(cycles));
  EXPECT_LE(cycles, 17.5);
}

/// Not if the multiply waits, or if the load has an update; a pair's update comes after both.
TEST(Sequencer, APairHasOneWaitAndOneUpdate) {
  const Instr multiply = instr(Opcode::MultiplyMoving);
  struct {
    std::vector<Instr> program;
    unsigned pairs;
    std::vector<Update> updates;
  } const cases[] = {
      {{kWork, with_update(multiply, 7, 2), kEnd}, 1, {{7, 2, 1}}},
      {{with_update(kWork, 6, 1), with_update(multiply, 7, 2), kEnd}, 0, {{6, 1, 0}, {7, 2, 1}}},
      {{kWork, with_wait(multiply, defs::WaitOp::Eq, 5, 0), kEnd}, 0, {}},
      {{multiply, kWork, kEnd}, 0, {}},
      {{kWork, kWork, multiply, multiply, kEnd}, 1, {}}};
  for (const auto& c : cases) {
    Inf2 bench(c.program);
    bench.start();
    bench.run();
    EXPECT_EQ(bench.dut.state_o, kDone);
    EXPECT_EQ(bench.issued.size(), c.program.size() - 1);
    EXPECT_EQ(bench.pairs, c.pairs);
    EXPECT_EQ(bench.updates, c.updates);
  }
  // The engine refuses the second: its update does not happen.
  Inf2 bench({kWork, with_update(multiply, 7, 2), kEnd});
  bench.engine_latency = 1000000;
  bench.start();
  for (int i = 0; i < 400; ++i) bench.cycle();
  ASSERT_EQ(bench.pairs, 1u);
  bench.held.pop_back();
  bench.held.front() = bench.now;
  bench.cycle();
  bench.engine_error = true;
  bench.engine_error_pc = 1;
  bench.run();
  EXPECT_EQ(bench.dut.state_o, kError);
  EXPECT_EQ(bench.dut.pc_o, 1u);
  EXPECT_TRUE(bench.updates.empty());
}

/// Only near 0 and 65535 does an update cost time.
TEST(Sequencer, UpdatesWithRoomCostNothing) {
  const double plain = cycles_per_instruction<Inf2>();
  EXPECT_EQ(cycles_per_instruction<Inf2>(with_update(kWork, 9, 1)), plain);
  EXPECT_EQ(cycles_per_instruction<Inf2>(with_update(kWork, 9, -1), 400), plain);
  EXPECT_EQ(cycles_per_instruction<Inf2>(with_update(kWork, 9, 100), 25535), plain);
}

TEST(Sequencer, IssuesNothingBehindAnUpdateWithoutRoom) {
  struct {
    const char* what;
    int value;
    std::vector<int> deltas;
    unsigned refused;
  } const cases[] = {{"at once", 0, {-1, 1, 1}, 0},
                     {"the least", 5, {-6, 1, 1}, 0},
                     {"by its own", 4, {-2, -2, -1, 1}, 2},
                     {"at the top", 65535, {1, -1}, 0},
                     {"to the top", 65000, {500, 35, 0, 1, 1}, 3},
                     {"the greatest", 40000, {-32768, 32767, 32767, -1}, 2}};
  for (const auto& c : cases)
    for (const bool nop : {false, true})
      for (unsigned seed = 1; seed < 20; ++seed) {
        SCOPED_TRACE(testing::Message() << c.what << (nop ? ", NOP" : "") << ", seed " << seed);
        std::vector<Instr> program;
        for (std::size_t i = 0; i < c.deltas.size(); ++i)
          program.push_back(
              with_update(nop && i == c.refused ? instr(Opcode::Nop) : kWork, 9, c.deltas[i]));
        program.push_back(kEnd);
        Mini bench(program, seed);
        bench.shuffle = seed > 1;
        bench.engine_depth = 16;
        bench.engine_latency = 40;
        bench.semaphores[9] = c.value;
        bench.start();
        bench.run();
        EXPECT_EQ(bench.dut.state_o, kError);
        EXPECT_EQ(bench.dut.cause_o, static_cast<unsigned>(ErrorCause::SemaphoreOverflow));
        EXPECT_EQ(bench.dut.pc_o, c.refused);
        EXPECT_EQ(bench.issued.size(), c.refused + !nop);
        EXPECT_EQ(bench.updates.size(), c.refused);
      }
}

struct BadStream {
  const char* name;
  std::vector<Instr> program;
  ErrorCause cause;
  unsigned pc, issued;
};

Instr changed(Instr i, const std::function<void(Instr&)>& change) {
  change(i);
  return i;
}

TEST(Sequencer, StopsAtABadInstructionAfterTheOlderOnes) {
  const Instr nop = instr(Opcode::Nop);
  const BadStream cases[] = {
      {"nop field",
       {kWork, changed(nop, [](Instr& i) { i.imm = 1; }), kWork},
       ErrorCause::ReservedBits,
       1,
       1},
      {"end field",
       {kWork, changed(kEnd, [](Instr& i) { i.dst.stride0 = -1; })},
       ErrorCause::ReservedBits,
       1,
       1},
      {"wait_op",
       {kWork, kWork, changed(kWork, [](Instr& i) { i.wait_op = 3; })},
       ErrorCause::ReservedBits,
       2,
       2},
      {"wait_op of an unknown opcode",
       {changed(instr(Opcode::Activate), [](Instr& i) { i.wait_op = 3; })},
       ErrorCause::UnknownOpcode,
       0,
       0},
      {"no END", {kWork, kWork, kWork}, ErrorCause::OutOfBounds, 3, 3},
      {"overflow",
       {with_update(kWork, 9, 5), with_update(kWork, 9, -6), kEnd},
       ErrorCause::SemaphoreOverflow,
       1,
       2},
      {"overflow by END", {kWork, with_update(kEnd, 9, -1)}, ErrorCause::SemaphoreOverflow, 1, 1},
      {"engine",
       {with_update(kWork, 1, 1), changed(kWork, [](Instr& i) { i.opcode = 0xEE; }), kWork, kEnd},
       ErrorCause::BadShape,
       1,
       1},
  };
  for (const auto& bad : cases) {
    for (unsigned seed = 1; seed < 5; ++seed) {
      Mini bench(bad.program, seed);
      bench.shuffle = seed > 1;
      bench.start();
      bench.run();
      EXPECT_EQ(bench.dut.state_o, kError) << bad.name;
      EXPECT_EQ(bench.dut.cause_o, static_cast<unsigned>(bad.cause)) << bad.name;
      EXPECT_EQ(bench.dut.pc_o, bad.pc) << bad.name;
      EXPECT_EQ(bench.issued.size(), bad.issued) << bad.name;
      EXPECT_TRUE(bench.held.empty()) << bad.name;
      EXPECT_EQ(bench.events, std::vector<unsigned>{kError}) << bad.name;
    }
  }
}

TEST(Sequencer, RefusesABadStart) {
  const std::pair<std::uint64_t, ErrorCause> cases[] = {
      {0x10020, ErrorCause::Misaligned},
      {defs::kAddrHbm0Base + defs::kAddrHbm0Size - 64, ErrorCause::UnmappedAddress},
      {defs::kAddrCore0Base, ErrorCause::UnmappedAddress}};
  for (const auto& [base, cause] : cases) {
    Mini bench({kWork, kEnd});
    bench.start(base);
    bench.run();
    EXPECT_EQ(bench.dut.state_o, kError);
    EXPECT_EQ(bench.dut.cause_o, static_cast<unsigned>(cause)) << std::hex << base;
    EXPECT_TRUE(bench.issued.empty());
  }
}

}  // namespace
