// SPDX-License-Identifier: Apache-2.0
// A recommender that answers requests as they come: a table of embeddings on each chip, the
// network and the candidates on chip 0.
//
//   host: a request --> inbox of a slot, chip 0; doorbell of the slot's stream: given + 1
//   chip 0 core 1   lists of rows --> each chip, the user's own numbers --> core 0
//   core 1 of each  gather rows, sum them -------------> a row of the slot in core 0 of chip 0
//   chip 0 core 0   sum of the rows --W1--> relu --W2--> user --items--> scores: max8, find_index8
//                   answer --> outbox; answered + 1: the slot's stream ends, which tells the host
//
// A slot is a doorbell with all that belongs to one request in flight. The host rings it again only
// when it has answered, so nothing of a slot needs credits, and no engine works ahead of requests:
// what has arrived never waits for what has not. Requests take slots in turn, which fixes the order
// of all commits; when they arrive changes none.
#include <fmt/format.h>

#include <array>
#include <stdexcept>

#include "cmodel/kernels/linear.h"
#include "cmodel/kernels/spread.h"
#include "cmodel/kernels/stages.h"
#include "tb/scenarios/network.h"
#include "tb/scenarios/recommender_model.h"

namespace tb::recommender {
namespace {

using cmodel::Block;
using cmodel::Semaphore;
using cmodel::Tile;
using defs::ActFunc;
using defs::AluOp;
using defs::Dtype;

constexpr unsigned kSlots = 2, kFront = 1, kNetwork = 0;  // slots; cores
/// The streams of core 1 that have nothing else to do.
constexpr std::array kDoors{defs::Engine::Tensor, defs::Engine::Act};
static_assert(kDoors.size() == kSlots);

class Writer {
 public:
  Writer(cmodel::Assembler& assembler, const Model& model)
      : assembler_(assembler),
        model_(model),
        core_(assembler.core(0, kNetwork)),
        first_(assembler, core_, half("w1", model.w1, model.hidden), words("b1", model.b1, 1), 0, 1,
               kDepth),
        second_(assembler, core_, half("w2", model.w2, kDepth), words("b2", model.b2, 1), 1, 1) {}

  void write() {
    make_slots();
    load_constants();
    for (unsigned chip = 0; chip < assembler_.chips(); ++chip) write_gather(chip);
    if (model_.requests.size() < kSlots)
      throw std::runtime_error(
          fmt::format("--requests is {}; allowed {} .. {}: one and more for each doorbell",
                      model_.requests.size(), kSlots, kMostRequests));
    write_doors();
    write_tensor();
    write_vector();
    write_act();
    write_answers();
    for (std::size_t i = 0; i < model_.requests.size(); ++i) {
      const Request& request = model_.requests[i];
      assembler_.request({.arrival = request.arrival,
                          .chip = 0,
                          .core = kFront,
                          .engine = static_cast<unsigned>(kDoors[i % kSlots]),
                          .bytes = model_.bytes(request)},
                         slots_[i % kSlots].inbox);
    }
  }

 private:
  struct Slot {
    Block inbox;                    ///< [list of each chip, own numbers]
    std::vector<Block> lists;       ///< on each chip
    std::vector<Semaphore> listed;  ///< on each chip
    Tile rows, own, answer;         ///< [chips, depth]; [depth, 1]; [1, scores and numbers]
    Semaphore given, arrived, own_there, ranked, answered;
  };

  Block half(const char* name, const std::vector<float>& values, unsigned columns) {
    return assembler_.data(0, 0, name, 2 * columns, static_cast<unsigned>(values.size()) / columns,
                           network::bf16_bytes(values));
  }
  Block words(const char* name, const std::vector<float>& values, unsigned columns) {
    return assembler_.data(0, 0, name, 4 * columns, static_cast<unsigned>(values.size()) / columns,
                           bytes_of(values));
  }

  void make_slots() {
    const unsigned chips = assembler_.chips();
    cmodel::Core& front = assembler_.core(0, kFront);
    for (unsigned i = 0; i < kSlots; ++i) {
      Slot& slot = slots_[i];
      slot.inbox = assembler_.hbm(0, kFront, fmt::format("inbox {}", i), kRow, chips + kOwnRows);
      for (unsigned chip = 0; chip < chips; ++chip) {
        slot.lists.push_back(chip == 0
                                 ? slot.inbox.row_range(0, 1)
                                 : assembler_.hbm(chip, kFront, fmt::format("list {}", i), kRow));
        slot.listed.push_back(assembler_.core(chip, kFront).semaphore("listed"));
      }
      slot.rows = cmodel::line_tile(assembler_, core_, chips, kDepth, Dtype::Fp32);
      slot.own = cmodel::line_tile(assembler_, core_, kDepth, 1, Dtype::Fp32);
      slot.answer = cmodel::line_tile(assembler_, core_, 1, 2 * kBest, Dtype::Fp32);
      slot.given = front.semaphore("given");
      slot.answered = front.semaphore("answered");
      slot.arrived = core_.semaphore("arrived");
      slot.own_there = core_.semaphore("own");
      slot.ranked = core_.semaphore("ranked");
    }
  }

  void load_constants() {
    const Semaphore loaded = core_.semaphore("constants");
    const unsigned parts =
        cmodel::spread(assembler_, core_, half("items", model_.items, model_.candidates),
                       assembler_.block(items_), loaded) +
        cmodel::spread(assembler_, core_,
                       words("ones", std::vector<float>(assembler_.chips(), 1.0f), 1),
                       assembler_.block(ones_), loaded);
    core_.tensor().wait_ge(loaded, parts).nop();
    const auto requests = static_cast<std::uint32_t>(model_.requests.size());
    for (unsigned chip = 0; chip < assembler_.chips(); ++chip)
      counts_.push_back(
          assembler_.data(chip, kFront, "requests", 4, 1, network::word_bytes({requests})));
  }

  /// body(slot) for each request.
  template <class S, class Body>
  void serve(S& s, unsigned chip, Body&& body) {
    const cmodel::Register count = s.reg();
    s.load(count, counts_[chip]);
    cmodel::stages(s, count, kSlots, {{0, [&](unsigned slot) { body(slots_[slot], slot); }}});
  }

  void write_doors() {
    for (unsigned i = 0; i < kSlots; ++i) {
      const auto ring = [&](auto& s) {
        s.nop().signal(slots_[i].given);
        s.take(slots_[i].answered).nop();
      };
      if (kDoors[i] == defs::Engine::Tensor)
        ring(assembler_.core(0, kFront).tensor());
      else
        ring(assembler_.core(0, kFront).act());
    }
  }

  /// Chip 0 hands out before it gathers.
  void hand_out(cmodel::SyncStream& s, Slot& slot) {
    s.take(slot.given).nop();
    for (unsigned chip = 1; chip < assembler_.chips(); ++chip)
      s.start(engine(chip), slot.inbox.row_range(chip, 1), slot.lists[chip],
              {.notify = slot.listed[chip]});
    Block own = slot.inbox.row_range(assembler_.chips(), 1);
    own.row_bytes = 4, own.rows = kDepth, own.stride = 4;
    s.start(engine(0), own, assembler_.block(slot.own)).signal(slot.own_there);
  }

  void write_gather(unsigned chip) {
    cmodel::Core& core = assembler_.core(chip, kFront);
    const auto first = model_.tables.begin() + std::ptrdiff_t{chip} * kTable * kDepth;
    const std::vector<float> table(first, first + std::ptrdiff_t{kTable} * kDepth);
    const Block rows = assembler_.data(chip, kFront, "table", 4 * kDepth, kTable, bytes_of(table));
    // All on one partition: their sum is a row that one descriptor sends.
    const Tile gathered = cmodel::line_tile(assembler_, core, 1, kLookups * kDepth, Dtype::Fp32);
    std::array<Tile, kSlots> sums;  // the last one may still be on its way
    for (Tile& sum : sums) sum = cmodel::line_tile(assembler_, core, 1, kDepth, Dtype::Fp32);
    Block to = assembler_.block(gathered);
    to.row_bytes = 4 * kDepth, to.rows = kLookups, to.stride = 4 * kDepth;
    const Semaphore there = core.semaphore("gathered"), pooled = core.semaphore("pooled");
    auto& s = core.sync();
    serve(s, chip, [&](Slot& slot, unsigned number) {
      if (chip == 0)
        hand_out(s, slot);
      else
        s.take(slot.listed[chip]);
      s.start(engine(0), rows, to, {.how = {.gather = slot.lists[chip]}}).signal(there);
      s.take(pooled);
      const Block from = assembler_.block(sums[number]),
                  at = assembler_.block(slot.rows.rows(chip, 1));
      if (chip == 0)
        s.start(engine(1), from, at).signal(slot.arrived);
      else
        s.start(engine(1), from, at, {.notify = slot.arrived});
    });
    auto& v = core.vector();
    serve(v, chip, [&](Slot&, unsigned number) {
      const int depth = kDepth;
      v.take(there)
          .reduce(AluOp::Add, gathered.shaped({kDepth, kLookups}, {1, depth}), sums[number])
          .signal(pooled);
    });
  }

  Tile row_sum() const { return core_.psum(2, kDepth, 1); }
  Tile scores() const { return core_.psum(3, 1, model_.candidates); }

  void write_tensor() {
    auto& t = core_.tensor();
    serve(t, 0, [&](Slot& slot, unsigned) {
      t.take(slot.arrived, assembler_.chips())
          .load_stationary(slot.rows)
          .multiply_moving(ones_, row_sum())
          .signal(summed_);
      t.take(inputs_made_);
      first_.multiply(inputs_);
      t.take(hidden_made_);
      second_.multiply(hidden_);
      t.take(user_made_)
          .load_stationary(user_[0])
          .multiply_moving(items_, scores())
          .signal(scored_);
    });
  }

  void write_vector() {
    auto& v = core_.vector();
    serve(v, 0, [&](Slot& slot, unsigned) {
      v.take(slot.own_there).copy(slot.own, inputs_[1]);
      v.take(summed_).copy(row_sum(), inputs_[0]).signal(inputs_made_);
      const Tile best = slot.answer.columns(0, kBest),
                 numbers = slot.answer.columns(kBest, kBest).as(Dtype::Uint32, kBest);
      v.take(scored_).max8(scores(), best);
      v.find_index8(scores(), best, numbers).signal(slot.ranked);
    });
  }

  void write_act() {
    auto& a = core_.act();
    serve(a, 0, [&](Slot&, unsigned) {
      first_.activate(ActFunc::Relu, hidden_);
      a.signal(hidden_made_);
      second_.activate(ActFunc::Copy, user_);
      a.signal(user_made_);
    });
  }

  void write_answers() {
    auto& s = core_.sync();
    const Block answers = assembler_.hbm(0, kNetwork, "answers", kAnswerBytes, kMostRequests);
    assembler_.region("answers",
                      answers.row_range(0, static_cast<unsigned>(model_.requests.size())));
    const cmodel::Register at = s.reg();
    serve(s, 0, [&](Slot& slot, unsigned) {
      s.take(slot.ranked)
          .start(engine(0), assembler_.block(slot.answer), answers.row_range(0, 1), {.dst = at})
          .signal(slot.answered);
      s.add(at, kAnswerBytes);
    });
  }

  unsigned engine(unsigned i) const { return i % assembler_.sizes().dma_engines; }

  cmodel::Assembler& assembler_;
  const Model& model_;
  cmodel::Core& core_;
  cmodel::Linear first_, second_;
  std::array<Slot, kSlots> slots_;
  std::vector<Block> counts_;  ///< on each chip
  Tile items_ = cmodel::line_tile(assembler_, core_, kDepth, model_.candidates, Dtype::Bf16),
       ones_ = cmodel::line_tile(assembler_, core_, assembler_.chips(), 1, Dtype::Fp32);
  cmodel::Features inputs_ =
                       cmodel::features(assembler_, core_, 2 * kDepth, 1, Dtype::Bf16, kDepth),
                   hidden_ = cmodel::features(assembler_, core_, model_.hidden, 1, Dtype::Bf16),
                   user_ = cmodel::features(assembler_, core_, kDepth, 1, Dtype::Bf16);
  Semaphore summed_ = core_.semaphore("summed"), inputs_made_ = core_.semaphore("inputs"),
            hidden_made_ = core_.semaphore("hidden"), user_made_ = core_.semaphore("user"),
            scored_ = core_.semaphore("scored");
};

}  // namespace

void write_program(cmodel::Assembler& assembler, const Model& model) {
  Writer(assembler, model).write();
}

}  // namespace tb::recommender
