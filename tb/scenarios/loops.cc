// SPDX-License-Identifier: Apache-2.0
// Every engine of some cores runs loops, one or two deep, whose turns, offsets and sizes are
// constant or come out of registers and memory; they meet by tokens that each takes from the other:
//
//   HBM --DMA 1--> in --vector--> one of four tiles --activation--> result --DMA 1--> HBM
//         <-- free --  -- full -->         <-- used --  -- made -->       -- ready -->  <-- sent --
//
// A turn doubles the tile (and puts back its first columns), clips it at zero, and writes it where
// the turn before did. Between, registers are scribbled on and branched by. The tensor engine
// multiplies for itself, in loops of its own. In the model, the unrolled program commits the same.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "cmodel/program/assembler.h"
#include "tb/scenarios/numbers.h"
#include "tb/scenarios/scenario.h"

namespace tb {
namespace {

using cmodel::Assembler;
using cmodel::Block;
using cmodel::Register;
using cmodel::Semaphore;
using cmodel::Tile;
using defs::Dtype;

constexpr unsigned kColumns = 8, kTiles = 4, kTileBytes = kColumns * 4;

struct Worker {
  std::string name;            ///< of its region
  std::vector<float> numbers;  ///< [partition][column]
  unsigned put_back = 0;       ///< so many columns are not doubled
};

class Loops {
 public:
  explicit Loops(const ScenarioArgs& args)
      : p_(args.sizes.partitions), random_(args.seed, "loops"), assembler_(args.sizes, args.chips) {
    for (unsigned chip = 0; chip < args.chips; ++chip)
      for (unsigned core = 0; core < random_.between(1, defs::kCores); ++core) write(chip, core);
  }
  cmodel::Program assemble() { return assembler_.assemble(); }
  const std::vector<Worker>& workers() const { return workers_; }

 private:
  unsigned pick(unsigned n) { return random_.between(0, n - 1); }

  /// The body so often as turns_[2] says: in one loop or in two nested ones, turns constant or
  /// loaded.
  template <class S, class Body>
  void turns(S& s, Body&& body) {
    const auto loop = [&](unsigned at, auto&& inner) {
      if (pick(2)) return s.loop(turns_[at], inner);
      const Register n = s.reg();
      s.load(n, words_, 4 * at);
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
    const auto op = defs::kEveryRegOp[pick(defs::kEveryRegOp.size())];
    const auto b = pick(2) ? r : s.zero();
    s.alu(op, r, r, b, static_cast<std::uint32_t>(random_.word()));
    if (pick(2)) return;
    const auto out = s.ahead();
    const auto condition = defs::kEveryCondition[pick(defs::kEveryCondition.size())];
    s.branch(condition, r, s.zero(), out, static_cast<int>(pick(100)) - 50);
    s.add(r, static_cast<int>(pick(1000)));
    if (pick(2)) s.nop().signal(scratch_);
    s.place(out);
  }

  /// An offset that goes round among kTiles tiles.
  template <class S>
  void next_tile(S& s, Register r) {
    s.add(r, kTileBytes);
    s.alu(defs::RegOp::And, r, r, s.zero(), kTileBytes * (kTiles - 1));
  }

  void write(unsigned chip, unsigned c) {
    auto& core = assembler_.core(chip, c);
    scratch_ = core.semaphore("scratch");
    turns_ = {1 + pick(4), 1 + pick(4), 0, 2 + pick(kColumns - 1)};
    turns_[2] = turns_[0] * turns_[1];
    Worker worker{fmt::format("y {}.{}", chip, c), {}, 0};
    for (unsigned i = 0; i < p_ * kColumns; ++i) worker.numbers.push_back(float_of(random_.bf16()));

    words_ = assembler_.data(chip, c, fmt::format("turns {}.{}", chip, c), 16, 1,
                             {reinterpret_cast<const std::uint8_t*>(turns_.data()), 16});
    const Block data = assembler_.data(chip, c, fmt::format("x {}.{}", chip, c), kTileBytes, p_,
                                       bytes_of(worker.numbers));
    const Block out = assembler_.hbm(chip, c, worker.name, kTileBytes, p_);
    assembler_.region(worker.name, out);
    const Tile in = core.sbuf(p_, kColumns, Dtype::Fp32);
    const Tile mid = core.sbuf(p_, kTiles * kColumns, Dtype::Fp32).columns(0, kColumns);
    const Tile sums = core.sbuf(p_, kTiles * kColumns, Dtype::Fp32).columns(0, kColumns);
    const Tile result = core.sbuf(p_, kColumns, Dtype::Fp32);
    const Semaphore full = core.semaphore("full"), free = core.semaphore("free"),
                    made = core.semaphore("made"), used = core.semaphore("used"),
                    ready = core.semaphore("ready"), sent = core.semaphore("sent"),
                    first = core.semaphore("first"), set = core.semaphore("set");

    auto& s = core.sync();
    s.copy(0, data, assembler_.block(in)).signal(first);
    turns(s, [&] {
      s.take(free).copy(1, data, assembler_.block(in)).signal(full);
      s.take(ready).copy(1, assembler_.block(result), out).signal(sent);
    });

    auto& v = core.vector();
    const Register scratch = v.reg(), tile = v.reg(), size = v.reg();
    v.wait_ge(first, 1).nop().signal(free);
    v.load(size, words_, 12);
    turns(v, [&] {
      scribble(v, scratch);
      v.take(full).tensor_tensor(defs::AluOp::Add, in, in, sums.at(tile));
      if (pick(2)) {
        worker.put_back = turns_[3];
        v.size_from(size).copy(in, sums.at(tile));
      }
      v.take(used).copy(sums.at(tile), mid.at(tile)).signal(made);
      v.nop().signal(free);
      next_tile(v, tile);
    });

    auto& a = core.act();
    const Register a_scratch = a.reg(), a_tile = a.reg();
    a.nop().signal(used).nop().signal(sent);
    turns(a, [&] {
      scribble(a, a_scratch);
      a.take(sent).nop();
      a.take(made).activate(defs::ActFunc::Relu, mid.at(a_tile), result).signal(ready);
      a.nop().signal(used);
      next_tile(a, a_tile);
    });
    a.take(sent).nop();  // the host reads what was sent last
    multiply(core, in, set);
    workers_.push_back(std::move(worker));
  }

  /// Products of parts of a wide tile that the vector engine fills with what it has at the end.
  template <class Core>
  void multiply(Core& core, const Tile& in, Semaphore set) {
    const Tile wide = core.sbuf(p_, p_ + 4 * kColumns, Dtype::Bf16);
    unsigned parts = 0;
    for (unsigned c = 0; c < p_ + 4 * kColumns; c += 2 * kColumns, ++parts)
      core.vector()
          .copy(in.as(Dtype::Bf16, 2 * kColumns), wide.columns(c, 2 * kColumns))
          .signal(set);
    auto& t = core.tensor();
    const Register scratch = t.reg();
    t.wait_ge(set, parts);
    t.loop(turns_[0], 2 * kTiles, [&](Register i) {
      t.load_stationary(wide.columns(0, p_).at(i));
      t.loop(turns_[1], kTileBytes, [&](Register j) {
        scribble(t, scratch);
        t.multiply_moving(wide.columns(0, kColumns).at(i), core.psum(0, p_, kColumns).at(j), false);
        t.multiply_moving(wide.columns(0, kColumns), core.psum(0, p_, kColumns).at(j), true);
      });
    });
  }

  unsigned p_;
  Random random_;
  Assembler assembler_;
  std::vector<Worker> workers_;
  Semaphore scratch_;
  Block words_;                           ///< turns_ in HBM
  std::array<std::uint32_t, 4> turns_{};  ///< outer, inner, both together; a size
};

cmodel::Program build(const ScenarioArgs& args) { return Loops(args).assemble(); }

ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program,
                     RegionBytes regions) {
  const Loops loops(args);
  ScenarioResult result;
  for (const Worker& worker : loops.workers()) {
    const auto& bytes = region_bytes(program, regions, worker.name);
    for (unsigned i = 0; i < worker.numbers.size() && result.failure.empty(); ++i) {
      const float x = worker.numbers[i];
      const float expected = std::max(i % kColumns < worker.put_back ? x : x + x, 0.0F);
      if (const float came = float_at(bytes, std::size_t{4} * i); came != expected)
        result.failure = fmt::format("{} partition {} column {} is {}, expected {}", worker.name,
                                     i / kColumns, i % kColumns, came, expected);
    }
  }
  result.metrics["cores"] = loops.workers().size();
  result.passed = result.failure.empty();
  return result;
}

}  // namespace

extern const Scenario kLoops{.name = "loops",
                             .doc = "all engines in loops that meet by tokens",
                             .build = build,
                             .check = check};

}  // namespace tb
