// SPDX-License-Identifier: Apache-2.0
// The feed-forward part of a transformer, on every core one of its own, tokens from HBM to HBM:
//
//   x [P, tokens] --W1, b1--> gelu --> hidden [4 P, tokens] --W2, b2--> y [P, tokens]
//
// Tokens come in tiles of a PSUM bank's columns; how many there are, the program reads in HBM. The
// second layer works on a tile while the activation engine makes the next one's hidden units.
#include <fmt/format.h>

#include <cmath>

#include "cmodel/kernels/linear.h"
#include "cmodel/kernels/spread.h"
#include "cmodel/kernels/stages.h"
#include "tb/scenarios/network.h"

namespace tb {
namespace {

using cmodel::Block;
using cmodel::Features;
using cmodel::Register;
using cmodel::Semaphore;
using defs::ActFunc;
using defs::Dtype;

constexpr unsigned kMostTokens = 4096, kSlots = 3;

struct Mlp {
  Mlp(const ScenarioArgs& args, unsigned chip, unsigned core)
      : name(network::core_name(chip, core)),
        width(args.sizes.partitions),
        hidden(4 * width),
        tokens(network::length_of(args, 3 * args.sizes.psum_cols / 2, kMostTokens)) {
    Random random(args.seed, "mlp-gelu " + name);
    const auto range = [](unsigned inputs) { return 3 / std::sqrt(static_cast<float>(inputs)); };
    x = network::draw_bf16(random, std::size_t{width} * tokens, 1);
    w1 = network::draw_bf16(random, std::size_t{width} * hidden, range(width));
    w2 = network::draw_bf16(random, std::size_t{hidden} * width, range(hidden));
    b1 = network::draw(random, hidden, 1);
    b2 = network::draw(random, width, 1);
  }
  /// Of element i of [feature][token] in HBM.
  std::size_t place(unsigned i, unsigned n) const {
    const unsigned feature = i / tokens, token = i % tokens;
    return (std::size_t{token / n} * width + feature) * n + token % n;
  }
  std::string name;
  unsigned width, hidden, tokens;
  std::vector<float> x, w1, b1, w2, b2;  ///< x [feature][token], w [input][output]
};

void write(cmodel::Assembler& assembler, cmodel::Core& core, const Mlp& mlp) {
  const unsigned chip = core.chip(), c = core.index(), n = assembler.sizes().psum_cols;
  const auto data = [&](const char* what, unsigned row_bytes, unsigned rows, const auto& bytes) {
    return assembler.data(chip, c, fmt::format("{} {}", what, mlp.name), row_bytes, rows, bytes);
  };
  // Tile by tile, in each the features' rows of n tokens.
  const unsigned count = (mlp.tokens + n - 1) / n, rows = count * mlp.width;
  const auto place = [&](const char* what, unsigned bytes) {
    return assembler.hbm(chip, c, fmt::format("{} {}", what, mlp.name), bytes * n,
                         kMostTokens / n * mlp.width);
  };
  const Block x = place("x", 2), y = place("y", 4);
  std::vector<float> tiled(std::size_t{rows} * n);
  for (unsigned i = 0; i < mlp.x.size(); ++i) tiled[mlp.place(i, n)] = mlp.x[i];
  assembler.fill(x.row_range(0, rows), network::bf16_bytes(tiled));
  assembler.region("y " + mlp.name, y.row_range(0, rows), Dtype::Fp32);
  const Block tiles = data("tiles", 4, 1, network::word_bytes({count}));
  cmodel::Linear first(assembler, core,
                       data("w1", 2 * mlp.hidden, mlp.width, network::bf16_bytes(mlp.w1)),
                       data("b1", 4, mlp.hidden, bytes_of(mlp.b1)), 0, 4);
  cmodel::Linear second(assembler, core,
                        data("w2", 2 * mlp.width, mlp.hidden, network::bf16_bytes(mlp.w2)),
                        data("b2", 4, mlp.width, bytes_of(mlp.b2)), 4, 4);

  struct Slot {
    Features x, hidden, y;
    Semaphore loaded, read, made, done, stored;
  };
  std::vector<Slot> slots(kSlots);
  auto& s = core.sync();
  auto& t = core.tensor();
  auto& a = core.act();
  const Block in = x.row_range(0, mlp.width), out = y.row_range(0, mlp.width);
  const unsigned parts = cmodel::spread_parts(assembler, in, cmodel::By::Loads);
  for (Slot& slot : slots) {
    slot = {features(assembler, core, mlp.width, n, Dtype::Bf16),
            features(assembler, core, mlp.hidden, n, Dtype::Bf16),
            features(assembler, core, mlp.width, n, Dtype::Fp32),
            core.semaphore("loaded"),
            core.semaphore("read"),
            core.semaphore("made"),
            core.semaphore("done"),
            core.semaphore("stored")};
    t.nop().signal(slot.read);
    s.nop().signal(slot.stored, static_cast<int>(parts));
  }
  const auto turns = [&](auto& stream) {
    const Register count = stream.reg();
    stream.load(count, tiles);
    return count;
  };
  const Register s_turns = turns(s), in_at = s.reg(), out_at = s.reg();
  const auto load = [&](unsigned i) {
    s.take(slots[i].read);
    spread(assembler, core, in, assembler.block(slots[i].x[0]), slots[i].loaded, {.src = in_at},
           cmodel::By::Loads);
    s.add(in_at, in.stride * mlp.width);
  };
  const auto store = [&](unsigned i) {
    s.take(slots[i].done);
    spread(assembler, core, assembler.block(slots[i].y[0]), out, slots[i].stored, {.dst = out_at},
           cmodel::By::Stores);
    s.add(out_at, out.stride * mlp.width);
  };
  stages(s, s_turns, kSlots, {{2, load}, {0, store}});
  for (const Slot& slot : slots) s.wait_ge(slot.stored, parts).nop();

  const auto multiply_first = [&](unsigned i) {
    t.take(slots[i].loaded, parts);
    first.multiply(slots[i].x);
    t.signal(slots[i].read);
  };
  const auto multiply_second = [&](unsigned i) {
    t.take(slots[i].made);
    second.multiply(slots[i].hidden);
  };
  stages(t, turns(t), kSlots, {{1, multiply_first}, {0, multiply_second}});

  const auto activate_first = [&](unsigned i) {
    first.activate(ActFunc::Gelu, slots[i].hidden);
    a.signal(slots[i].made);
  };
  const auto activate_second = [&](unsigned i) {
    a.take(slots[i].stored, parts);
    second.activate(ActFunc::Copy, slots[i].y);
    a.signal(slots[i].done);
  };
  stages(a, turns(a), kSlots, {{1, activate_first}, {0, activate_second}});
}

cmodel::Program build(const ScenarioArgs& args) { return network::build<Mlp>(args, write); }

void judge(const Mlp& mlp, unsigned columns, const std::vector<std::uint8_t>& bytes,
           network::Accuracy& accuracy) {
  const unsigned n = mlp.tokens;
  const auto x = network::doubles(mlp.x), w1 = network::doubles(mlp.w1),
             w2 = network::doubles(mlp.w2);
  auto hidden = network::product(w1, x, mlp.hidden, n);
  auto off = network::product(network::magnitudes(w1), network::magnitudes(x), mlp.hidden, n);
  for (unsigned i = 0; i < hidden.size(); ++i) {
    const double sum = hidden[i] + mlp.b1[i / n];
    hidden[i] = sum * std::erfc(-sum / std::sqrt(2.0)) / 2;
    // A rounding to bf16, and those of the sum; gelu is at most a little steeper than x.
    off[i] = std::abs(hidden[i]) * 0x1p-8 + (off[i] + 1) * (mlp.width + 4) * 0x1p-23;
  }
  const auto y = network::product(w2, hidden, mlp.width, n);
  const auto allowed = network::product(network::magnitudes(w2), off, mlp.width, n);
  for (unsigned i = 0; i < y.size(); ++i)
    accuracy.add(float_at(bytes, 4 * mlp.place(i, columns)), y[i] + mlp.b2[i / n], allowed[i],
                 [&] { return fmt::format("{} feature {} token {}", mlp.name, i / n, i % n); });
}

ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program,
                     RegionBytes regions) {
  ScenarioResult result;
  network::Accuracy accuracy;
  network::Roofline roofline;
  network::for_cores<Mlp>(args, [&](const Mlp& mlp, unsigned, unsigned) {
    judge(mlp, args.sizes.psum_cols, region_bytes(program, regions, "y " + mlp.name), accuracy);
    result.metrics["tokens"] = mlp.tokens;
    roofline.macs = 2.0 * mlp.width * mlp.hidden * mlp.tokens;
    roofline.act = 5.0 * mlp.tokens;
    roofline.hbm_bytes = 6.0 * mlp.width * mlp.tokens + 4.0 * mlp.width * mlp.hidden;
  });
  network::put_roofline(args.sizes, roofline, result.metrics);
  accuracy.report(result);
  return result;
}

}  // namespace

extern const Scenario kMlpGelu{.name = "mlp-gelu",
                               .doc = "two layers with gelu between (length: tokens per core)",
                               .build = build,
                               .check = check,
                               .has_length = true};

}  // namespace tb
