// SPDX-License-Identifier: Apache-2.0
#include "tb/scenarios/rows.h"

#include <fmt/format.h>

#include "cmodel/machine/address_map.h"

namespace tb::rows {
namespace {

/// Rows that a program has room for.
constexpr unsigned kMostRows = 4096;

unsigned rows_of(const ScenarioArgs& args) {
  return network::length_of(args, 4 * args.sizes.partitions - 3, kMostRows);
}

Matrix draw(const ScenarioArgs& args, std::string_view scenario, float range,
            const std::string& name) {
  Random random(args.seed, fmt::format("{} {}", scenario, name));
  Matrix matrix{name, rows_of(args), args.sizes.psum_cols, {}, {}, {}};
  matrix.x = network::draw(random, std::size_t{matrix.rows} * matrix.columns, range);
  matrix.gamma = network::draw(random, matrix.columns, 2);
  matrix.beta = network::draw(random, matrix.columns, 2);
  return matrix;
}

template <class Body>
void for_cores(const ScenarioArgs& args, std::string_view scenario, float range, Body&& body) {
  for (unsigned chip = 0; chip < args.chips; ++chip)
    for (unsigned core = 0; core < defs::kCores; ++core)
      body(draw(args, scenario, range, network::core_name(chip, core)), chip, core);
}

}  // namespace

cmodel::Program build(const ScenarioArgs& args, std::string_view scenario, float range,
                      const std::function<void(cmodel::Assembler&, cmodel::Core&, const Matrix&,
                                               const cmodel::RowJob&)>& write) {
  cmodel::Assembler assembler(args.sizes, args.chips);
  for_cores(args, scenario, range, [&](const Matrix& matrix, unsigned chip, unsigned core) {
    const unsigned p = args.sizes.partitions, tiles = (matrix.rows + p - 1) / p;
    const auto place = [&](const char* what) {
      return assembler.hbm(chip, core, fmt::format("{} {}", what, matrix.name), 4 * matrix.columns,
                           kMostRows);
    };
    cmodel::RowJob job{.in = place("x"), .out = place("y"), .tiles = {}};
    assembler.fill(job.in.row_range(0, matrix.rows), bytes_of(matrix.x));
    job.tiles =
        assembler.data(chip, core, "tiles " + matrix.name, 4, 1, network::word_bytes({tiles}));
    assembler.region("y " + matrix.name, job.out.row_range(0, matrix.rows), defs::Dtype::Fp32);
    write(assembler, assembler.core(chip, core), matrix, job);
  });
  return assembler.assemble();
}

ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program, RegionBytes regions,
                     std::string_view scenario, float range, const network::Roofline& passes,
                     const std::function<void(const Matrix&, std::span<const float>,
                                              std::vector<Expected>&)>& expect) {
  ScenarioResult result;
  network::Accuracy accuracy;
  for_cores(args, scenario, range, [&](const Matrix& matrix, unsigned, unsigned) {
    const auto& bytes = region_bytes(program, regions, "y " + matrix.name);
    std::vector<Expected> y(matrix.columns);
    for (unsigned row = 0; row < matrix.rows; ++row) {
      const std::size_t first = std::size_t{row} * matrix.columns;
      expect(matrix, std::span(matrix.x).subspan(first, matrix.columns), y);
      for (unsigned i = 0; i < matrix.columns; ++i)
        accuracy.add(float_at(bytes, 4 * (first + i)), y[i].want, y[i].allowed,
                     [&] { return fmt::format("{} row {} column {}", matrix.name, row, i); });
    }
  });
  const unsigned rows = rows_of(args), p = args.sizes.partitions, columns = args.sizes.psum_cols;
  const double tiles = (rows + p - 1) / p;
  result.metrics["rows"] = rows;
  result.metrics["columns"] = columns;
  network::Roofline roofline = passes;
  roofline.vector *= tiles * columns;
  roofline.act *= tiles * columns;
  roofline.hbm_bytes = 8.0 * tiles * p * columns;
  network::put_roofline(args.sizes, roofline, result.metrics);
  accuracy.report(result);
  return result;
}

}  // namespace tb::rows
