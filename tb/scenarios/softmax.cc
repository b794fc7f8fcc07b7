// SPDX-License-Identifier: Apache-2.0
// Softmax of the rows of a matrix in HBM, on every core one of its own: row_kernels.h. How many
// tiles of P rows there are, the program reads in HBM.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cmodel/kernels/row_kernels.h"
#include "tb/scenarios/network.h"
#include "tb/scenarios/rows.h"

namespace tb {
namespace {

constexpr float kRange = 8;

cmodel::Program build(const ScenarioArgs& args) {
  return rows::build(args, "softmax", kRange,
                     [](cmodel::Assembler& assembler, cmodel::Core& core, const rows::Matrix&,
                        cmodel::RowJob job) {
                       job.in_place = true;
                       cmodel::stream_rows(assembler, core, job, [&](const cmodel::RowSlot& slot) {
                         return cmodel::softmax_rows(core, slot);
                       });
                     });
}

ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program,
                     RegionBytes regions) {
  return rows::check(
      args, program, regions, "softmax", kRange, {.vector = 2, .act = 2},
      [](const rows::Matrix&, std::span<const float> x, std::vector<rows::Expected>& y) {
        const double most = *std::ranges::max_element(x);
        double sum = 0;
        for (const float e : x) sum += std::exp(e - most);
        for (std::size_t i = 0; i < x.size(); ++i) {
          const double want = std::exp(x[i] - most) / sum;
          y[i] = {want, want * (static_cast<double>(x.size()) + (most - x[i]) + 4) * 0x1p-24};
        }
      });
}

}  // namespace

extern const Scenario kSoftmax{.name = "softmax",
                               .doc = "softmax of rows (length: rows per core)",
                               .build = build,
                               .check = check,
                               .has_length = true};

}  // namespace tb
