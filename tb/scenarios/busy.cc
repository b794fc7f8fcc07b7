// SPDX-License-Identifier: Apache-2.0
// Nothing but matmuls: every array of the board works back to back, for the board benchmark.
//
//   stationary  two tiles [P, P] in turn, each loaded while the other one computes
//   moving      one tile [P, P], read over and over to fill a PSUM bank: N = PsumCols
//
// `length` matmuls per core (default: about 8,000 busy cycles), results round the PSUM banks. The
// first columns of the last one are copied out and compared.
#include <fmt/format.h>

#include <algorithm>

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

constexpr unsigned kWeights = 2;
constexpr unsigned kDefaultCycles = 8192;
constexpr unsigned kOutColumns = 16;  ///< few: reading back shall not dwarf the matmuls

struct Plan {
  explicit Plan(const ScenarioArgs& args)
      : p(args.sizes.partitions),
        repeats(args.sizes.psum_cols / args.sizes.partitions),
        length(args.length ? args.length : kDefaultCycles / args.sizes.psum_cols) {
    for (unsigned chip = 0; chip < args.chips; ++chip) {
      Random random(args.seed, fmt::format("busy {}", chip));
      data.emplace_back(std::size_t{(kWeights + 1) * p} * p);
      for (auto& x : data.back()) x = random.bf16();
    }
  }
  /// Tile `index` of a chip: the weights, then the moving one. Both cores use the same.
  std::span<const std::uint16_t> tile(unsigned chip, unsigned index) const {
    return std::span(data[chip]).subspan(std::size_t{index} * p * p, std::size_t{p} * p);
  }
  unsigned p, repeats, length;
  std::vector<std::vector<std::uint16_t>> data;
};

cmodel::Program build(const ScenarioArgs& args) {
  const Plan plan(args);
  const int p = static_cast<int>(plan.p);
  Assembler assembler(args.sizes, args.chips);
  for (unsigned chip = 0; chip < args.chips; ++chip) {
    for (unsigned t = 0; t <= kWeights; ++t)
      assembler.data(chip, t % 2, fmt::format("tile{}", t), plan.p * 2, plan.p,
                     bytes_of(plan.tile(chip, t)));
    for (unsigned c = 0; c < defs::kCores; ++c) {
      auto& core = assembler.core(chip, c);
      const Semaphore loaded = core.semaphore("loaded"), summed = core.semaphore("summed"),
                      copied = core.semaphore("copied"), stored = core.semaphore("stored");
      // Rows shared out over the engines; they all have something to do.
      const unsigned rows = std::max(1u, plan.p / args.sizes.dma_engines);
      std::vector<Tile> tiles;
      unsigned engine = 0, loads = 0;
      for (unsigned t = 0; t <= kWeights; ++t) {
        tiles.push_back(core.sbuf(plan.p, plan.p, Dtype::Bf16));
        for (unsigned row = 0; row < plan.p; row += rows, ++loads)
          core.sync()
              .copy(engine++ % args.sizes.dma_engines,
                    assembler.find(chip, fmt::format("tile{}", t)).row_range(row, rows),
                    assembler.block(tiles.back().rows(row, rows)))
              .signal(loaded);
      }
      const Tile moving = tiles[kWeights].shaped({plan.repeats, plan.p}, {0, 1});
      Tile sums;
      core.tensor().wait_ge(loaded, loads);
      for (unsigned i = 0; i < plan.length; ++i) {
        sums = core.psum(i % args.sizes.psum_banks, plan.p, args.sizes.psum_cols);
        core.tensor()
            .load_stationary(tiles[i % kWeights])
            .multiply_moving(moving, sums.shaped({plan.repeats, plan.p}, {p, 1}));
      }
      core.tensor().signal(summed);
      const Tile out = core.sbuf(plan.p, kOutColumns, Dtype::Fp32);
      core.vector().wait_ge(summed, 1).copy(sums.columns(0, kOutColumns), out).signal(copied);
      const Block result =
          assembler.hbm(chip, c, fmt::format("sums.{}", c), kOutColumns * 4, plan.p);
      assembler.region(fmt::format("sums{}.{}", chip, c), result, Dtype::Fp32);
      core.sync().wait_ge(copied, 1).copy(0, assembler.block(out), result).signal(stored);
      core.sync().wait_ge(stored, 1);
    }
  }
  return assembler.assemble();
}

ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program,
                     RegionBytes regions) {
  const Plan plan(args);
  ScenarioResult result;
  std::uint64_t wrong = 0;
  for (unsigned chip = 0; chip < args.chips; ++chip) {
    std::vector<float> exact(std::size_t{plan.p} * plan.p);
    naive_matmul(plan.tile(chip, (plan.length - 1) % kWeights), plan.tile(chip, kWeights), exact,
                 plan.p, plan.p, 0, plan.p, false);
    for (unsigned c = 0; c < defs::kCores; ++c) {
      const auto& bytes = region_bytes(program, regions, fmt::format("sums{}.{}", chip, c));
      for (unsigned m = 0; m < plan.p; ++m)
        for (unsigned n = 0; n < kOutColumns; ++n) {
          const float got = float_at(bytes, (std::size_t{m} * kOutColumns + n) * 4);
          const float want = exact[m * plan.p + n];
          if (std::memcmp(&got, &want, 4) != 0 && wrong++ == 0)
            result.failure = fmt::format(
                "chip {} core {} element [{}, {}] is {:.9g}; the naive loops give {:.9g}", chip, c,
                m, n, got, want);
        }
    }
  }
  const std::uint64_t cycles = std::uint64_t{plan.length} * args.sizes.psum_cols;
  result.metrics["matmuls_per_core"] = plan.length;
  result.metrics["busy_cycles_per_core"] = cycles;  // at the published issue interval
  result.metrics["macs"] = cycles * plan.p * plan.p * args.chips * defs::kCores;
  result.metrics["elements_wrong"] = wrong;
  result.passed = result.failure.empty();
  return result;
}

}  // namespace

extern const Scenario kBusy{
    .name = "busy",
    .doc = "all arrays of the board back to back (length: matmuls per core)",
    .build = build,
    .check = check,
    .has_length = true};

}  // namespace tb
