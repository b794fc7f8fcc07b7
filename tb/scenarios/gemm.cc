// SPDX-License-Identifier: Apache-2.0
// Random matrix products C = A B, split over all cores by rows or by columns of C.
//
//   A [M, K], stored transposed, and B [K, N] in bf16, C in fp32; all in HBM. A core takes its part
//   tile by tile: K in tiles of P (summed up in PSUM), M in tiles of P, N in tiles of a PSUM bank.
//   The last K tile, when it is short, sits on a random start partition.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cmodel/assembler.h"
#include "tb/scenarios/numbers.h"
#include "tb/scenarios/scenario.h"

namespace tb {
namespace {

using cmodel::Assembler;
using cmodel::Block;
using cmodel::Semaphore;
using cmodel::Tile;
using defs::Dtype;

/// What one core computes: its own A^T [k][m] and B [k][n].
struct Part {
  unsigned m = 0, n = 0;
  std::vector<std::uint16_t> a_t, b;
};

struct Plan {
  explicit Plan(const ScenarioArgs& args)
      : cores(args.chips * defs::kCores), partitions(args.sizes.partitions) {
    Random random(args.seed, "gemm");
    const unsigned p = args.sizes.partitions;
    by_rows = random.one_in(2);
    // The split side is drawn per board, so that parts differ by one; the other is common to all.
    // Bounds keep what the host moves small: most cycles shall be the board's.
    const unsigned area = std::max(p * p, 2048u), most_n = args.sizes.psum_cols + p;
    const unsigned split = random.between(cores, cores * (by_rows ? 5 * p / 4 : 3 * p / 2));
    const unsigned part = split / cores + 1;
    const unsigned common =
        random.between(1, std::min(by_rows ? most_n : 5 * p / 4, std::max(1u, area / part)));
    k = random.between(1, std::min(5 * p / 2, 4 * area / std::max(part, common)));
    last_start = random.between(0, 3);
    m = by_rows ? split : common;
    n = by_rows ? common : split;
    std::vector<std::uint16_t> shared(std::size_t{k} * common);
    for (auto& x : shared) x = random.bf16();
    for (unsigned core = 0; core < cores; ++core) {
      const unsigned mine = split * (core + 1) / cores - split * core / cores;
      std::vector<std::uint16_t> own(std::size_t{k} * mine);
      for (auto& x : own) x = random.bf16();
      parts.push_back(by_rows ? Part{mine, common, own, shared} : Part{common, mine, shared, own});
    }
  }
  unsigned k_tiles() const { return (k + partitions - 1) / partitions; }
  unsigned k_count(unsigned tile) const { return std::min(partitions, k - tile * partitions); }
  /// First partition of a K tile: any that the start-partition rule allows.
  unsigned k_start(unsigned tile) const {
    const unsigned count = k_count(tile);
    if (count > partitions / 2) return 0;
    return count > partitions / 4 ? last_start % 2 * partitions / 2 : last_start * partitions / 4;
  }

  unsigned cores, partitions, m, n, k, last_start;
  bool by_rows;
  std::vector<Part> parts;
};

/// [rows][columns], each row filled up with zeros to whole words.
std::vector<std::uint16_t> padded(const std::vector<std::uint16_t>& values, unsigned rows,
                                  unsigned columns) {
  const unsigned width = columns + columns % 2;
  std::vector<std::uint16_t> wide(std::size_t{rows} * width);
  for (unsigned row = 0; row < rows; ++row)
    std::copy_n(values.begin() + std::size_t{row} * columns, columns,
                wide.begin() + std::size_t{row} * width);
  return wide;
}

void write_core(Assembler& assembler, const Plan& plan, unsigned chip, unsigned c) {
  const Part& part = plan.parts[chip * defs::kCores + c];
  const defs::Sizes& sizes = assembler.sizes();
  auto& core = assembler.core(chip, c);
  const Semaphore loaded = core.semaphore(), summed = core.semaphore(), copied = core.semaphore(),
                  stored = core.semaphore();
  unsigned engine = 0;
  const auto next_engine = [&] { return engine++ % sizes.dma_engines; };

  // Operands: A^T in stack 0, B in stack 1; the cores of a chip share the common one.
  const auto load = [&](const char* name, unsigned stack, bool common,
                        const std::vector<std::uint16_t>& values, unsigned columns) {
    const unsigned width = columns + columns % 2;
    const std::string full = common ? name : fmt::format("{}.{}", name, c);
    const Block block = common && c > 0 ? assembler.find(chip, full)
                                        : assembler.data(chip, stack, full, width * 2, plan.k,
                                                         bytes_of(padded(values, plan.k, columns)));
    std::vector<Tile> tiles;
    for (unsigned t = 0; t < plan.k_tiles(); ++t) {
      tiles.push_back(core.sbuf(plan.k_count(t), width, Dtype::Bf16, plan.k_start(t)));
      core.sync()
          .copy(next_engine(), block.row_range(t * plan.partitions, plan.k_count(t)),
                assembler.block(tiles.back()))
          .signal(loaded);
    }
    return tiles;
  };
  const auto a = load("a", 0, !plan.by_rows, part.a_t, part.m);
  const auto b = load("b", 1, plan.by_rows, part.b, part.n);
  core.tensor().wait_ge(loaded, 2 * plan.k_tiles());

  // Result tiles go round the PSUM banks and two slots in SBUF.
  const Block result = assembler.hbm(chip, c, fmt::format("c.{}", c), part.n * 4, part.m);
  assembler.region(fmt::format("c{}.{}", chip, c), result);
  const unsigned widest = std::min(part.n, sizes.psum_cols);
  const Tile slots[2] = {core.sbuf(sizes.partitions, widest, Dtype::Fp32),
                         core.sbuf(sizes.partitions, widest, Dtype::Fp32)};
  unsigned step = 0;
  for (unsigned m = 0; m < part.m; m += sizes.partitions) {
    const unsigned rows = std::min(sizes.partitions, part.m - m);
    for (unsigned n = 0; n < part.n; n += sizes.psum_cols, ++step) {
      const unsigned columns = std::min(sizes.psum_cols, part.n - n);
      const Tile sums = core.psum(step % sizes.psum_banks, rows, columns);
      if (step >= sizes.psum_banks) core.tensor().wait_ge(copied, step - sizes.psum_banks + 1);
      for (unsigned t = 0; t < plan.k_tiles(); ++t)
        core.tensor()
            .load_stationary(a[t].columns(m, rows))
            .multiply_moving(b[t].columns(n, columns), sums, t > 0);
      core.tensor().signal(summed);

      const Tile slot = slots[step % 2].rows(0, rows).columns(0, columns);
      if (step >= 2) core.vector().wait_ge(stored, step - 1);
      core.vector().wait_ge(summed, step + 1).copy(sums, slot).signal(copied);
      core.sync().wait_ge(copied, step + 1);
      // One engine: `stored` then counts in the order of the steps.
      core.sync()
          .copy(0, assembler.block(slot), result.row_range(m, rows).byte_range(n * 4, columns * 4))
          .signal(stored);
    }
  }
  core.sync().wait_ge(stored, step);
}

cmodel::Program build(const ScenarioArgs& args) {
  const Plan plan(args);
  Assembler assembler(args.sizes, args.chips);
  for (unsigned chip = 0; chip < args.chips; ++chip)
    for (unsigned c = 0; c < defs::kCores; ++c) write_core(assembler, plan, chip, c);
  return assembler.assemble();
}

ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program,
                     RegionBytes regions) {
  const Plan plan(args);
  ScenarioResult result;
  std::uint64_t wrong = 0, macs = 0;
  double worst = 0;
  for (unsigned core = 0; core < plan.cores; ++core) {
    const Part& part = plan.parts[core];
    const auto& bytes = region_bytes(
        program, regions, fmt::format("c{}.{}", core / defs::kCores, core % defs::kCores));
    std::vector<float> exact(std::size_t{part.m} * part.n);
    for (unsigned t = 0; t < plan.k_tiles(); ++t)
      naive_matmul(part.a_t, part.b, exact, part.m, part.n, t * plan.partitions, plan.k_count(t),
                   t > 0);
    std::vector<double> ideal(exact.size()), size(exact.size());
    for (unsigned m = 0; m < part.m; ++m)
      for (unsigned k = 0; k < plan.k; ++k)
        for (unsigned n = 0; n < part.n; ++n) {
          const double term = double{float_of(part.a_t[std::size_t{k} * part.m + m])} *
                              double{float_of(part.b[std::size_t{k} * part.n + n])};
          ideal[std::size_t{m} * part.n + n] += term;
          size[std::size_t{m} * part.n + n] += std::abs(term);
        }
    for (std::size_t i = 0; i < exact.size(); ++i) {
      const float got = float_at(bytes, i * 4);
      if (std::memcmp(&got, &exact[i], 4) != 0 && wrong++ == 0)
        result.failure =
            fmt::format("core {} element [{}, {}] is {:.9g}; the naive loops give {:.9g}", core,
                        i / part.n, i % part.n, got, exact[i]);
      const double error = std::abs(got - ideal[i]) / std::max(size[i], 1e-30);
      worst = error <= worst ? worst : std::isfinite(error) ? error : 1e30;
    }
    macs += std::uint64_t{part.m} * part.n * plan.k;
  }
  result.metrics["m"] = plan.m;
  result.metrics["n"] = plan.n;
  result.metrics["k"] = plan.k;
  result.metrics["split"] = plan.by_rows ? "rows" : "columns";
  result.metrics["macs"] = macs;
  result.metrics["elements_wrong"] = wrong;
  result.metrics["max_error_vs_float64"] = worst;  // relative to the sum of the terms' magnitudes
  // fp32 with k additions cannot be further off than this.
  if (result.failure.empty() && !(worst <= plan.k * 0x1p-23))
    result.failure = fmt::format("an element is off by {:.3g} of its terms; allowed {:.3g}", worst,
                                 plan.k * 0x1p-23);
  result.passed = result.failure.empty();
  return result;
}

}  // namespace

extern const Scenario kGemm{"gemm", "random matrix products over all cores, K summed up in PSUM",
                            build, check};

}  // namespace tb
