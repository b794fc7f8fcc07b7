// SPDX-License-Identifier: Apache-2.0
#include "cmodel/kernels/attention.h"

#include <fmt/format.h>

#include <array>

#include "cmodel/kernels/spread.h"
#include "cmodel/kernels/stages.h"
#include "cmodel/machine/address_map.h"

namespace cmodel {

namespace {

using defs::ActFunc;
using defs::AluOp;
using defs::Condition;
using defs::Dtype;
using defs::RegOp;

constexpr unsigned kSlots = 3, kTiles = 4;  ///< of a block
constexpr std::uint16_t kOne = 0x3f80, kMinusInfinity = 0xff80;
constexpr float kNoMax = 3e38f;  ///< minus the maximum of nothing

class Writer {
 public:
  Writer(Assembler& assembler, Core& core, const Attention& job)
      : assembler_(assembler),
        core_(core),
        job_(job),
        p_(assembler.sizes().partitions),
        block_(kTiles * p_),
        values_(static_cast<unsigned>(round_up(2 * (p_ + 1), assembler.sizes().line_bytes) / 2)) {
    for (Slot& slot : slots_) {
      slot.keys = lines(block_, Dtype::Bf16);
      slot.values = lines(kTiles * values_, Dtype::Bf16);
      slot.p = core.sbuf(p_, block_, Dtype::Bf16);
      slot.turned = core.sbuf(p_, block_, Dtype::Bf16);
      for (Tile* column : {&slot.minus_max, &slot.step, &slot.factor})
        *column = core.sbuf(p_, 1, Dtype::Fp32);
      slot.loaded = core.semaphore("keys, values");
      slot.free = core.semaphore("read");
      slot.scored = core.semaphore("scored");
      slot.max = core.semaphore("max");
      slot.exp = core.semaphore("exp");
      slot.crossed = core.semaphore("crossed");
      slot.ready = core.semaphore("turned");
      slot.summed = core.semaphore("summed");
    }
  }

  void write() {
    load_constants();
    extend_cache();
    write_sync();
    write_tensor();
    write_vector();
    write_act();
  }

 private:
  struct Slot {
    Tile keys, values, p, turned;      ///< turned: p^T, tile by tile
    Tile minus_max, step, factor;      ///< of this block; old max - new max, e^ of that
    Semaphore loaded, free;            ///< sync <-> tensor
    Semaphore scored, max, exp;        ///< tensor -> vector -> activation -> tensor
    Semaphore crossed, ready, summed;  ///< tensor -> activation -> tensor -> vector
  };

  Tile lines(unsigned columns, Dtype dtype) {
    return line_tile(assembler_, core_, p_, columns, dtype);
  }
  Tile scores(unsigned slot) const { return core_.psum(slot, p_, block_); }
  Tile crossed(unsigned slot) const { return core_.psum(kSlots + slot, p_, block_); }
  Tile summed(unsigned slot) const { return core_.psum(2 * kSlots, p_, p_ + 1, slot * (p_ + 1)); }
  /// Of a block's value tile, with the ones.
  Tile values(unsigned slot, unsigned tile) const {
    return slots_[slot].values.columns(tile * values_, p_ + 1);
  }
  std::string name(const char* what) const {
    return fmt::format("{} {}.{}", what, core_.chip(), core_.index());
  }
  Block constant(const char* what, const std::vector<std::uint16_t>& words) {
    const auto* first = reinterpret_cast<const std::uint8_t*>(words.data());
    return assembler_.data(core_.chip(), core_.index(), name(what),
                           static_cast<unsigned>(2 * words.size() / p_), p_,
                           {first, 2 * words.size()});
  }

  void load_constants() {
    std::vector<std::uint16_t> mask(std::size_t{p_} * 2 * block_), identity(std::size_t{p_} * p_);
    for (unsigned q = 0; q < p_; ++q) {
      identity[q * p_ + q] = kOne;
      for (unsigned c = q + block_ + 1; c < 2 * block_; ++c)
        mask[std::size_t{q} * 2 * block_ + c] = kMinusInfinity;
    }
    const auto load = [&](const char* what, const std::vector<std::uint16_t>& words, Tile& tile) {
      tile = core_.sbuf(p_, static_cast<unsigned>(words.size() / p_), Dtype::Bf16);
      constants_ +=
          spread(assembler_, core_, constant(what, words), assembler_.block(tile), there_);
    };
    load("mask", mask, mask_);
    load("identity", identity, identity_);
    for (const Slot& slot : slots_)  // the ones beside the values
      core_.vector().memset(
          1.0f, slot.values.columns(p_, 1).shaped({kTiles, 1}, {static_cast<int>(values_), 1}));
    core_.vector().signal(there_);
    constants_ += 1;
    core_.vector().wait_ge(there_, constants_).nop();
    core_.tensor().wait_ge(there_, constants_).nop();
  }

  /// Registers with the two words of the span.
  struct Span {
    Register tile, count;
  };
  template <class S>
  Span span(S& s) const {
    const Span span{s.reg(), s.reg()};
    s.load(span.tile, job_.span);
    s.load(span.count, job_.span, 4);
    return span;
  }
  /// Key blocks that a query tile attends to.
  template <class S>
  Register blocks(S& s, const Span& span) const {
    const Register blocks = s.reg();
    s.alu(RegOp::Srl, blocks, span.tile, s.zero(), 2);
    s.add(blocks, 1);
    return blocks;
  }

  void extend_cache() {
    auto& s = core_.sync();
    const Semaphore cached = core_.semaphore("cached");
    const Block k = job_.k.row_range(0, p_), v = job_.v.row_range(0, p_);
    const unsigned parts = spread_parts(assembler_, k) + spread_parts(assembler_, v);
    const Span all = span(s);
    const Register from = s.reg(), k_to = s.reg(), v_to = s.reg(), within = s.reg();
    s.loop(all.count, [&] {
      s.alu(RegOp::Mul, v_to, all.tile, s.zero(), p_ * p_ * 2);
      s.alu(RegOp::Srl, k_to, all.tile, s.zero(), 2);
      s.alu(RegOp::Mul, k_to, k_to, s.zero(), p_ * block_ * 2);
      s.alu(RegOp::And, within, all.tile, s.zero(), kTiles - 1);
      s.alu(RegOp::Mul, within, within, s.zero(), p_ * 2);
      s.alu(RegOp::Add, k_to, k_to, within);
      spread(assembler_, core_, k, job_.k_cache.row_range(0, p_).byte_range(0, 2 * p_), cached,
             {.src = from, .dst = k_to});
      spread(assembler_, core_, v, job_.v_cache.row_range(0, p_), cached,
             {.src = from, .dst = v_to});
      s.add(from, p_ * p_ * 2);
      s.add(all.tile, 1);
    });
    s.loop(all.count, [&] { s.take(cached, parts).nop(); });
  }

  void write_sync() {
    auto& s = core_.sync();
    const Block q = job_.q.row_range(0, p_), out = job_.out.row_range(0, p_);
    q_parts_ = spread_parts(assembler_, q);
    out_parts_ = spread_parts(assembler_, out);
    const Block keys = job_.k_cache.row_range(0, p_);
    kv_parts_ = spread_parts(assembler_, keys) +
                kTiles * spread_parts(assembler_, job_.v_cache.row_range(0, p_));
    const Span all = span(s);
    const Register q_at = s.reg(), q_to = s.reg(), out_at = s.reg(), at = s.reg();
    const auto store = [&] {
      s.take(made_);
      spread(assembler_, core_, assembler_.block(out_), out, stored_, {.dst = out_at});
      s.add(out_at, p_ * p_ * 4);
    };
    for (const Slot& slot : slots_) s.nop().signal(slot.free);
    s.nop().signal(stored_, static_cast<int>(out_parts_));
    s.loop(all.count, [&] {
      s.take(q_free_);
      spread(assembler_, core_, q, assembler_.block(q_[0]), q_loaded_, {.src = q_at, .dst = q_to});
      s.add(q_at, p_ * p_ * 2);
      s.alu(RegOp::Xor, q_to, q_to, s.zero(), q_[1].offset - q_[0].offset);
      s.set(at, 0);
      stages(s, blocks(s, all), kSlots,
             {{0, [&](unsigned i) {
                 const Slot& slot = slots_[i];
                 s.take(slot.free);
                 spread(assembler_, core_, keys, assembler_.block(slot.keys), slot.loaded,
                        {.src = at});
                 for (unsigned t = 0; t < kTiles; ++t)
                   spread(assembler_, core_, job_.v_cache.row_range(t * p_, p_),
                          assembler_.block(values(i, t).columns(0, p_)), slot.loaded, {.src = at});
                 s.add(at, p_ * block_ * 2);
               }}});
      s.add(all.tile, 1);
      // What the tile before made: its last blocks are through.
      const Label first = s.ahead();
      s.branch(Condition::Eq, q_at, s.zero(), first, -static_cast<int>(p_ * p_ * 2));
      store();
      s.place(first);
      s.add(q_at, p_ * p_ * 2);
    });
    const Label none = s.ahead();
    s.branch(Condition::Eq, all.count, s.zero(), none);
    store();
    s.place(none);
    s.wait_ge(stored_, out_parts_).nop();
  }

  void write_tensor() {
    auto& t = core_.tensor();
    const Span all = span(t);
    const Register q_at = t.reg();
    t.nop().signal(q_free_);
    t.loop(all.count, [&] {
      t.take(q_loaded_, q_parts_).nop().signal(q_free_);
      const auto score = [&](unsigned i) {
        t.take(slots_[i].loaded, kv_parts_)
            .load_stationary(q_[0].at(q_at))
            .multiply_moving(slots_[i].keys, scores(i))
            .signal(slots_[i].scored);
      };
      const auto turn = [&](unsigned i) {
        t.take(slots_[i].exp);
        for (unsigned k = 0; k < kTiles; ++k)
          t.load_stationary(slots_[i].p.columns(k * p_, p_))
              .multiply_moving(identity_, crossed(i).columns(k * p_, p_));
        t.signal(slots_[i].crossed);
      };
      const auto sum = [&](unsigned i) {
        t.take(slots_[i].ready);
        for (unsigned k = 0; k < kTiles; ++k)
          t.load_stationary(slots_[i].turned.columns(k * p_, p_))
              .multiply_moving(values(i, k), summed(i), k > 0);
        t.signal(slots_[i].summed).signal(slots_[i].free);
      };
      stages(t, blocks(t, all), kSlots, {{2, score}, {1, turn}, {0, sum}});
      t.add(all.tile, 1);
      t.alu(RegOp::Xor, q_at, q_at, t.zero(), q_[1].offset - q_[0].offset);
    });
  }

  void write_vector() {
    auto& v = core_.vector();
    const Span all = span(v);
    const Register window = v.reg();
    const Tile minus_max = core_.sbuf(p_, 1, Dtype::Fp32);
    v.loop(all.count, [&] {
      const Register left = blocks(v, all), turns = v.reg();
      v.alu(RegOp::Add, turns, left, v.zero());
      v.alu(RegOp::And, window, all.tile, v.zero(), kTiles - 1);
      v.alu(RegOp::Mul, window, window, v.zero(), -2 * p_);
      v.add(window, 2 * block_);
      v.take(o_free_).memset(0.0f, o_).memset(kNoMax, slots_[kSlots - 1].minus_max);
      const auto max = [&](unsigned i) {
        const Tile &before = slots_[(i + kSlots - 1) % kSlots].minus_max,
                   &now = slots_[i].minus_max;
        const Label whole = v.ahead(), reduced = v.ahead();
        v.take(slots_[i].scored).nop();
        v.branch(Condition::Ne, left, v.zero(), whole, -1);
        v.tensor_tensor(AluOp::Add, scores(i), mask_.columns(0, block_).at(window), masked_)
            .reduce(AluOp::Max, masked_, minus_max, {.negate = 1});
        v.branch(Condition::Eq, v.zero(), v.zero(), reduced);
        v.place(whole);
        v.reduce(AluOp::Max, scores(i), minus_max, {.negate = 1});
        v.place(reduced);
        v.tensor_tensor(AluOp::Min, before, minus_max, now)
            .tensor_tensor(AluOp::Sub, now, before, slots_[i].step)
            .signal(slots_[i].max);
      };
      const auto add = [&](unsigned i) {
        v.take(slots_[i].summed)
            .scalar_tensor_tensor(AluOp::Mul, o_, slots_[i].factor, AluOp::Add, summed(i), o_);
      };
      stages(v, turns, kSlots, {{2, max}, {0, add}});
      v.nop().signal(o_done_);
      v.add(all.tile, 1);
    });
  }

  void write_act() {
    auto& a = core_.act();
    const Span all = span(a);
    const Tile inverse = core_.sbuf(p_, 1, Dtype::Fp32);
    a.nop().signal(o_free_);
    a.loop(all.count, [&] {
      const Register left = blocks(a, all), turns = a.reg();
      a.alu(RegOp::Add, turns, left, a.zero());
      const auto exp = [&](unsigned i) {
        const Slot& slot = slots_[i];
        const Label whole = a.ahead(), done = a.ahead();
        a.take(slot.max).activate(ActFunc::Exp, slot.step, slot.factor);
        a.branch(Condition::Ne, left, a.zero(), whole, -1);
        a.activate(ActFunc::Exp, masked_, slot.minus_max, slot.p);
        a.branch(Condition::Eq, a.zero(), a.zero(), done);
        a.place(whole);
        a.activate(ActFunc::Exp, scores(i), slot.minus_max, slot.p);
        a.place(done);
        a.nop().signal(slot.exp);
      };
      const auto turn = [&](unsigned i) {
        a.take(slots_[i].crossed)
            .activate(ActFunc::Copy, crossed(i), slots_[i].turned)
            .signal(slots_[i].ready);
      };
      stages(a, turns, kSlots, {{1, exp}, {0, turn}});
      a.take(o_done_)
          .activate(ActFunc::Reciprocal, o_.columns(p_, 1), inverse)
          .take(stored_, out_parts_)
          .activate_scaled(ActFunc::Copy, o_.columns(0, p_), inverse, out_)
          .signal(made_)
          .signal(o_free_);
      a.add(all.tile, 1);
    });
  }

  Assembler& assembler_;
  Core& core_;
  const Attention& job_;
  unsigned p_, block_, values_;  ///< elements from value tile to value tile, each from a line on
  std::array<Slot, kSlots> slots_;
  Tile mask_, identity_;
  Tile q_[2] = {lines(p_, Dtype::Bf16), lines(p_, Dtype::Bf16)};
  Tile masked_ = core_.sbuf(p_, block_, Dtype::Fp32), o_ = core_.sbuf(p_, p_ + 1, Dtype::Fp32),
       out_ = lines(p_, Dtype::Fp32);
  Semaphore there_ = core_.semaphore("constants"), q_loaded_ = core_.semaphore("queries"),
            q_free_ = core_.semaphore("next queries"), o_done_ = core_.semaphore("o"),
            o_free_ = core_.semaphore("o read"), made_ = core_.semaphore("made"),
            stored_ = core_.semaphore("stored");
  unsigned constants_ = 0, q_parts_ = 0, out_parts_ = 0, kv_parts_ = 0;
};

}  // namespace

void attend(Assembler& assembler, Core& core, const Attention& job) {
  Writer(assembler, core, job).write();
}

}  // namespace cmodel
