// SPDX-License-Identifier: Apache-2.0
// One sequencer between a slow memory and a capricious engine.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <deque>
#include <map>
#include <random>
#include <vector>

#include "Vsequencer_inf2.h"
#include "Vsequencer_mini.h"
#include "cmodel/machine/guard.h"
#include "rtl/defs/gen/defs.h"

namespace sequencer {

using defs::ErrorCause;
using defs::Instr;
using defs::Opcode;

constexpr unsigned kLatency = 160;
constexpr std::uint64_t kDataBase = 0x400000;  ///< of what RegLoad reads
enum State { kIdle, kRunning, kDone, kError };

inline Instr instr(Opcode opcode) {
  Instr i;
  i.opcode = static_cast<std::uint8_t>(opcode);
  return i;
}
inline Instr with_update(Instr i, unsigned sem, int delta) {
  i.update = 1;
  i.update_sem = static_cast<std::uint16_t>(sem);
  i.update_delta = static_cast<std::int16_t>(delta);
  return i;
}
inline Instr with_wait(Instr i, defs::WaitOp op, unsigned sem, unsigned value) {
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
/// takes and finishes instructions at random, semaphores as an array, whose updates show two edges
/// later.
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
    dut.engine_i = dut.core_id_i = 0;
    cmodel::kAllShared.pack(&dut.peer_i[0]);
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
      std::memcpy(
          &dut.fetch_rsp_data_i,
          it->addr < kDataBase ? &memory.at(it->addr - start_base) : &data.at(it->addr - kDataBase),
          LineBytes);
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
    dut.error_serial_i = engine_error_serial;
    dut.event_ready_i = rng() % 2;
    dut.eval();
    dut.wait_value_i = shown(dut.wait_sem_o);
    dut.room_value_i = shown(dut.room_sem_o);
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
      issued_instr.push_back(i);
      if (i.opcode == 0xEE) {
        engine_error = true;
        engine_error_serial = dut.instr_serial_o;
      } else {
        issued.push_back(dut.pc_o);
        serials.push_back(dut.instr_serial_o);
        issued_at.push_back(now);
        held.push_back(now + engine_latency);
      }
      if (dut.second_valid_o) {
        std::memcpy(words.data(), &dut.second_o, sizeof(words));
        EXPECT_EQ(i.opcode, static_cast<unsigned>(Opcode::LoadStationary));
        EXPECT_EQ(Instr::from(words).opcode, static_cast<unsigned>(Opcode::MultiplyMoving));
        issued_instr.push_back(Instr::from(words));
        issued.push_back(dut.pc_o + 1);
        serials.push_back(dut.instr_serial_o + 1);
        issued_at.push_back(now);
        held.push_back(now + engine_latency);
        ++pairs;
      }
    }
    bool refused = false;
    hidden = {};
    if (dut.upd_valid_o) {
      defs::SemUpdate::Words words{};
      std::memcpy(words.data(), &dut.upd_o, sizeof(words));
      const auto u = defs::SemUpdate::from(words);
      const int next = semaphores[u.sem] + u.delta;
      if (next < 0 || next > 65535)
        refused = true;
      else {
        semaphores[u.sem] = next;
        hidden = {u.sem, u.delta, 0};
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

  /// What the wait ports say: the update offered in the last cycle is not in it yet.
  int shown(unsigned sem) { return semaphores[sem] - (hidden.sem == sem ? hidden.delta : 0); }

  struct Answer {
    std::uint64_t at;
    unsigned slot;
    std::uint64_t addr;
  };
  VerilatedContext context;
  Dut dut{&context};
  std::mt19937 rng;
  std::vector<std::uint8_t> memory, data = std::vector<std::uint8_t>(4096);
  std::vector<Answer> answers;
  std::deque<std::uint64_t> held;
  std::map<unsigned, int> semaphores;
  std::vector<unsigned> issued, serials, events;
  std::vector<std::uint64_t> issued_at;
  std::vector<Update> updates;
  std::vector<Instr> issued_instr;  ///< as the engine sees them
  Update hidden{};
  std::uint64_t now = 0, start_base = 0;
  std::size_t max_answers = 0;
  unsigned pairs = 0;  ///< loads and multiplies that were issued together
  unsigned count = 0, engine_depth = 4, engine_latency = 3, engine_error_serial = 0;
  bool shuffle = false, engine_error = false;
};
using Mini = Bench<Vsequencer_mini, 64>;
using Inf2 = Bench<Vsequencer_inf2, 256>;

inline const Instr kWork = instr(Opcode::LoadStationary);
inline const Instr kEnd = instr(Opcode::End);

}  // namespace sequencer
