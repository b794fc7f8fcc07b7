// SPDX-License-Identifier: Apache-2.0
// Layer norm of the rows of a matrix in HBM, on every core one of its own: row_kernels.h. How many
// tiles of P rows there are, the program reads in HBM.
#include <fmt/format.h>

#include <cmath>
#include <numeric>

#include "cmodel/kernels/row_kernels.h"
#include "cmodel/kernels/spread.h"
#include "tb/scenarios/network.h"
#include "tb/scenarios/rows.h"

namespace tb {
namespace {

constexpr float kRange = 4, kEpsilon = 1e-5f;

/// The same row for all partitions.
cmodel::Tile load_row(cmodel::Assembler& assembler, cmodel::Core& core, const std::string& name,
                      const std::vector<float>& row, cmodel::LayerNorm& norm) {
  cmodel::Block from = assembler.data(core.chip(), core.index(), name,
                                      static_cast<unsigned>(4 * row.size()), 1, bytes_of(row));
  const auto tile =
      core.sbuf(assembler.sizes().partitions, static_cast<unsigned>(row.size()), defs::Dtype::Fp32);
  from.rows = tile.partitions;
  from.stride = 0;
  norm.parts += cmodel::spread(assembler, core, from, assembler.block(tile), norm.loaded);
  return tile;
}

cmodel::Program build(const ScenarioArgs& args) {
  return rows::build(
      args, "layernorm", kRange,
      [](cmodel::Assembler& assembler, cmodel::Core& core, const rows::Matrix& matrix,
         const cmodel::RowJob& job) {
        cmodel::LayerNorm norm;
        norm.loaded = core.semaphore("gamma, beta");
        norm.epsilon = kEpsilon;
        norm.gamma = load_row(assembler, core, "gamma " + matrix.name, matrix.gamma, norm);
        norm.beta = load_row(assembler, core, "beta " + matrix.name, matrix.beta, norm);
        cmodel::stream_rows(assembler, core, job, [&](const cmodel::RowSlot& slot) {
          return cmodel::layer_norm_rows(core, slot, norm);
        });
      });
}

ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program,
                     RegionBytes regions) {
  return rows::check(
      args, program, regions, "layernorm", kRange, {.vector = 6, .act = 2},
      [](const rows::Matrix& matrix, std::span<const float> x, std::vector<rows::Expected>& y) {
        const auto n = static_cast<double>(x.size());
        double sum = 0, magnitudes = 0, squares = 0;
        for (const float e : x) sum += e, magnitudes += std::abs(e);
        for (const float e : x) squares += (e - sum / n) * (e - sum / n);
        const double inverse = 1 / std::sqrt(squares / n + kEpsilon);
        // The mean is off by n roundings of sums that are at most the magnitudes', at most.
        const double mean_off = (n + 1) * magnitudes / n * 0x1p-24;
        for (std::size_t i = 0; i < x.size(); ++i) {
          const double scaled = (x[i] - sum / n) * inverse;
          y[i].want = scaled * matrix.gamma[i] + matrix.beta[i];
          y[i].allowed = (mean_off * inverse + std::abs(scaled) * (n + 8) * 0x1p-24) *
                             std::abs(matrix.gamma[i]) +
                         std::abs(y[i].want) * 0x1p-23;
        }
      });
}

}  // namespace

extern const Scenario kLayernorm{.name = "layernorm",
                                 .doc = "layer norm of rows (length: rows per core)",
                                 .build = build,
                                 .check = check,
                                 .has_length = true};

}  // namespace tb
