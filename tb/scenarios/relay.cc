// SPDX-License-Identifier: Apache-2.0
// Batons go from hand to hand: every DMA engine of both cores of every chip starts one, the cores
// take turns to carry it on, and each step waits for the semaphore of the one before.
//
//   HBM --> any memory --> ... --> next chip --> ... --> HBM        `length` steps (10)
//
// All are under way at once, so both cores read and write all four memories of their chip side by
// side. A baton is a few rows of bf16 numbers. A step by DMA may walk its rows from the last one
// on, one by the vector or activation engine its elements, in up to four dimensions, at either end.
// What arrives is what was sent, forwards or backwards: whoever is told too early, or walks the
// wrong way, carries zeros or the wrong number. Every place is used once, and nobody waits in a
// cycle: step i waits for steps before i only.
#include <fmt/format.h>

#include <cstring>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "cmodel/program/assembler.h"
#include "tb/scenarios/numbers.h"
#include "tb/scenarios/scenario.h"

namespace tb {
namespace {

using cmodel::Assembler;
using cmodel::Block;
using cmodel::Semaphore;
using cmodel::Tile;
using defs::Dtype;

constexpr unsigned kDefaultSteps = 10, kMostRows = 6, kMostElements = 96;

struct Baton {
  unsigned core, engine;  ///< where it starts
  unsigned rows, elements;
  std::vector<std::uint16_t> numbers;
  std::string name;

  bool rows_backwards = false, elements_backwards = false;  ///< as it lies now
  Block at;
  std::optional<Tile> tile = {};  ///< the same place in SBUF
  Semaphore here = {};
  unsigned steps = 0;  ///< value of `here` once it lies there
};

/// The same elements from the last one on.
Tile backwards(Tile tile) {
  int last = 0;
  for (unsigned d = 0; d < 4; ++d) {
    last += tile.stride[d] * static_cast<int>(tile.size[d] - 1);
    tile.stride[d] = -tile.stride[d];
  }
  tile.offset += static_cast<unsigned>(last) * tile.element_bytes();
  return tile;
}
Block backwards(const Block& block) {
  return {block.chip, block.row_addr(block.rows - 1), block.row_bytes, block.rows, -block.stride};
}

class Relay {
 public:
  explicit Relay(const ScenarioArgs& args)
      : args_(args),
        steps_(args.length ? args.length : kDefaultSteps),
        random_(args.seed, "relay"),
        assembler_(args.sizes, args.chips) {}

  cmodel::Program build() {
    for (unsigned chip = 0; chip < args_.chips; ++chip)
      for (unsigned core = 0; core < defs::kCores; ++core)
        for (unsigned engine = 0; engine < args_.sizes.dma_engines; ++engine)
          start(chip, core, engine);
    for (unsigned step = 0; step < steps_; ++step)
      for (Baton& baton : batons_)
        if (step == steps_ / 2 && args_.chips > 1)
          to_next_chip(baton, step);
        else if (step + 1 < steps_ && baton.tile && random_.one_in(3))
          by_lanes(baton);
        else
          by_dma(baton, step);
    for (const Baton& baton : batons_) {
      assembler_.region(baton.name, baton.at);
      assembler_.core(baton.at.chip, baton.core).sync().wait_ge(baton.here, baton.steps);
    }
    return assembler_.assemble();
  }
  const std::vector<Baton>& batons() const { return batons_; }
  unsigned steps() const { return steps_; }

 private:
  void start(unsigned chip, unsigned core, unsigned engine) {
    Baton baton{.core = core,
                .engine = engine,
                .rows = random_.between(1, kMostRows),
                .elements = 2 * random_.between(1, kMostElements / 2),
                .numbers = {},
                .name = fmt::format("baton {}.{}.{}", chip, core, engine),
                .at = {}};
    for (unsigned i = 0; i < baton.rows * baton.elements; ++i)
      baton.numbers.push_back(random_.bf16());
    baton.at = assembler_.data(chip, random_.between(0, 1), baton.name, 2 * baton.elements,
                               baton.rows, bytes_of(baton.numbers));
    baton.here = semaphore(chip);
    batons_.push_back(std::move(baton));
  }

  Semaphore semaphore(unsigned chip) {
    return assembler_.core(chip, random_.between(0, 1)).semaphore();
  }

  /// A place that nothing else has.
  void find_place(Baton& baton, unsigned chip, bool last) {
    const unsigned core = random_.between(0, 1);
    baton.tile.reset();
    if (!last && random_.one_in(2)) {
      baton.tile = assembler_.core(chip, core).sbuf(baton.rows, baton.elements, Dtype::Bf16);
      baton.at = assembler_.block(*baton.tile);
    } else {
      baton.at = assembler_.hbm(chip, core, fmt::format("{} step {}", baton.name, places_++),
                                2 * baton.elements, baton.rows);
    }
  }

  /// By the cores in turn; the engine is always the same.
  cmodel::DmaEngine& carry(Baton& baton, unsigned step, unsigned chip) {
    auto& sync = assembler_.core(baton.at.chip, (baton.core + step) % defs::kCores).sync();
    if (baton.steps > 0) sync.wait_ge(baton.here, baton.steps);
    const Block from = baton.at;
    find_place(baton, chip, step + 1 == steps_);
    const bool from_behind = random_.one_in(2), to_behind = random_.one_in(2);
    if (from_behind != to_behind) baton.rows_backwards ^= true;
    return sync.copy(baton.engine, from_behind ? backwards(from) : from,
                     to_behind ? backwards(baton.at) : baton.at);
  }

  void by_dma(Baton& baton, unsigned step) {
    carry(baton, step, baton.at.chip).signal(baton.here);
    ++baton.steps;
  }

  void to_next_chip(Baton& baton, unsigned step) {
    const unsigned next = (baton.at.chip + 1) % args_.chips;
    auto& dma = carry(baton, step, next);
    baton.here = semaphore(next);
    baton.steps = 1;
    dma.vn(random_.between(1, defs::kVirtualNets - 1)).notify(baton.here);
  }

  /// By the vector or activation engine of the core in whose SBUF it lies.
  void by_lanes(Baton& baton) {
    auto& core = assembler_.core(baton.at.chip, baton.tile->core);
    Tile from = folded(*baton.tile);
    baton.tile = core.sbuf(baton.rows, baton.elements, Dtype::Bf16);
    baton.at = assembler_.block(*baton.tile);
    Tile to = from;
    to.offset = baton.tile->offset;
    const bool from_behind = random_.one_in(2), to_behind = random_.one_in(2);
    if (from_behind) from = backwards(from);
    if (to_behind) to = backwards(to);
    if (from_behind != to_behind) baton.elements_backwards ^= true;
    if (random_.one_in(2))
      core.vector().wait_ge(baton.here, baton.steps).copy(from, to).signal(baton.here);
    else
      core.act()
          .wait_ge(baton.here, baton.steps)
          .activate(defs::ActFunc::Copy, from, to)
          .signal(baton.here);
    ++baton.steps;
  }

  /// The same elements in up to four dimensions.
  Tile folded(Tile tile) {
    unsigned left = tile.size[3];
    int stride = 1;
    for (unsigned d = 3; d < 4; --d) {
      unsigned size = d ? random_.between(1, 6) : left;
      while (left % size) --size;
      tile.size[d] = size;
      tile.stride[d] = size > 1 ? stride : 0;
      stride *= static_cast<int>(size);
      left /= size;
    }
    return tile;
  }

  const ScenarioArgs& args_;
  unsigned steps_;
  Random random_;
  Assembler assembler_;
  std::vector<Baton> batons_;
  unsigned places_ = 0;
};

cmodel::Program build(const ScenarioArgs& args) { return Relay(args).build(); }

ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program,
                     RegionBytes regions) {
  Relay relay(args);
  relay.build();
  ScenarioResult result;
  for (const Baton& baton : relay.batons()) {
    const auto& bytes = region_bytes(program, regions, baton.name);
    for (unsigned row = 0; row < baton.rows && result.failure.empty(); ++row)
      for (unsigned i = 0; i < baton.elements && result.failure.empty(); ++i) {
        const unsigned from_row = baton.rows_backwards ? baton.rows - 1 - row : row;
        const unsigned from = baton.elements_backwards ? baton.elements - 1 - i : i;
        const std::uint16_t sent = baton.numbers[from_row * baton.elements + from];
        std::uint16_t came;
        std::memcpy(&came, &bytes[2 * (row * baton.elements + i)], 2);
        if (came != sent)
          result.failure = fmt::format("{} row {} element {} is 0x{:04x}; sent was 0x{:04x}",
                                       baton.name, row, i, came, sent);
      }
  }
  result.metrics["batons"] = relay.batons().size();
  result.metrics["steps"] = relay.batons().size() * relay.steps();
  result.passed = result.failure.empty();
  return result;
}

}  // namespace

extern const Scenario kRelay{.name = "relay",
                             .doc = "both cores hand data on through all memories (length: steps)",
                             .build = build,
                             .check = check,
                             .has_length = true};

}  // namespace tb
