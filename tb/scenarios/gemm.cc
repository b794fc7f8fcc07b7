// SPDX-License-Identifier: Apache-2.0
// Random matrix products C = A B over all cores.
//
//   A [M, K], stored transposed, and B [K, N], C in fp32; all in HBM. The seed chooses the
//   formats of A and B among those that may meet in the array (half of the seeds: bf16), unless
//   --format names one.
//
//   With --size, or --a and --b: a grid of parts of C, one for each core, by the library
//   (cmodel/kernels/product.h), gemm_product.h.
//
//   Without: small and odd, to reach what a good program does not. The seed splits C by rows or by
//   columns. A core takes its part tile by tile: K in tiles of P (summed up in PSUM), M in tiles of
//   P, N in tiles of a PSUM bank. The last K tile, when it is short, sits on a random start
//   partition. A third of the seeds cut K into tiles of P/2, even ones for the upper half of the
//   array's rows, odd ones for the lower: two sums at once, in two banks, that the vector engine
//   adds.
//
//   Sums of int8 products leave PSUM as fp32.
//
// gemm_plan.h has what is multiplied where, gemm_check.h the judgement.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "cmodel/program/assembler.h"
#include "tb/scenarios/gemm_check.h"
#include "tb/scenarios/gemm_plan.h"
#include "tb/scenarios/gemm_product.h"
#include "tb/scenarios/scenario.h"

namespace tb {
namespace gemm {
namespace {

using cmodel::Assembler;
using cmodel::Block;
using cmodel::Semaphore;
using cmodel::Tile;
using defs::Dtype;

void write_core(Assembler& assembler, const Plan& plan, unsigned chip, unsigned c) {
  const Part& part = plan.parts[chip * defs::kCores + c];
  const defs::Sizes& sizes = assembler.sizes();
  auto& core = assembler.core(chip, c);
  const Semaphore loaded = core.semaphore("loaded"), summed = core.semaphore("summed"),
                  copied = core.semaphore("copied"), stored = core.semaphore("stored");
  unsigned engine = 0;
  const auto next_engine = [&] { return engine++ % sizes.dma_engines; };

  // Operands: A^T in stack 0, B in stack 1; the cores of a chip share the common one.
  const auto load = [&](const char* name, unsigned stack, bool common, const Elements& values,
                        unsigned columns, Dtype dtype) {
    const unsigned width = padded_columns(columns, dtype),
                   row_bytes = width * cmodel::element_bytes(dtype);
    const std::string full = common ? name : fmt::format("{}.{}", name, c);
    const Block block = common && c > 0
                            ? assembler.find(chip, full)
                            : assembler.data(chip, stack, full, row_bytes, plan.k,
                                             padded(values, 0, plan.k, columns, dtype, row_bytes));
    std::vector<Tile> tiles;
    for (unsigned t = 0; t < plan.k_tiles(); ++t) {
      tiles.push_back(core.sbuf(plan.k_count(t), width, dtype, plan.k_start(t)));
      core.sync()
          .copy(next_engine(), block.row_range(t * plan.k_step(), plan.k_count(t)),
                assembler.block(tiles.back()))
          .signal(loaded);
    }
    return tiles;
  };
  const auto a = load("a", 0, !plan.by_rows, *part.a_t, part.m, plan.formats.a);
  const auto b = load("b", 1, plan.by_rows, *part.b, part.n, plan.formats.b);
  core.tensor().wait_ge(loaded, 2 * plan.k_tiles());

  // Result tiles go round the PSUM banks and two slots in SBUF.
  const Block result = assembler.hbm(chip, c, fmt::format("c.{}", c), part.n * 4, part.m);
  assembler.region(fmt::format("c{}.{}", chip, c), result, Dtype::Fp32);
  const unsigned widest = std::min(part.n, sizes.psum_cols);
  const Tile slots[2] = {core.sbuf(sizes.partitions, widest, Dtype::Fp32),
                         core.sbuf(sizes.partitions, widest, Dtype::Fp32)};
  unsigned step = 0;
  for (unsigned m = 0; m < part.m; m += sizes.partitions) {
    const unsigned rows = std::min(sizes.partitions, part.m - m);
    for (unsigned n = 0; n < part.n; n += sizes.psum_cols, ++step) {
      const unsigned columns = std::min(sizes.psum_cols, part.n - n);
      // One step's sums: a bank, or two neighbours.
      const unsigned slots_of_psum = sizes.psum_banks / plan.sums();
      std::vector<Tile> sums;
      for (unsigned i = 0; i < plan.sums(); ++i) {
        const Tile bank = core.psum(step % slots_of_psum * plan.sums() + i, rows, columns);
        sums.push_back(plan.formats.a == Dtype::Int8 ? bank.as(Dtype::Int32, columns) : bank);
      }
      if (step >= slots_of_psum) core.tensor().wait_ge(copied, step - slots_of_psum + 1);
      for (unsigned t = 0; t < plan.k_tiles(); ++t)
        core.tensor()
            .load_stationary(a[t].columns(m, rows))
            .multiply_moving(b[t].columns(n, columns), sums[t % plan.sums()], t >= plan.sums());
      core.tensor().signal(summed);

      const Tile slot = slots[step % 2].rows(0, rows).columns(0, columns);
      if (step >= 2) core.vector().wait_ge(stored, step - 1);
      core.vector().wait_ge(summed, step + 1);
      if (plan.halves)
        core.vector().tensor_tensor(defs::AluOp::Add, sums[0], sums[1], slot);
      else
        core.vector().copy(sums[0], slot);
      core.vector().signal(copied);
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
  if (plan.grid) multiply_parts(assembler, plan, args.once);
  for (unsigned chip = 0; chip < args.chips && !plan.grid; ++chip)
    for (unsigned c = 0; c < defs::kCores; ++c) write_core(assembler, plan, chip, c);
  return assembler.assemble();
}

}  // namespace
}  // namespace gemm

extern const Scenario kGemm{
    "gemm",      "random matrix products over all cores, K summed up in PSUM",
    gemm::build, gemm::check,
    false,       true};

}  // namespace tb
