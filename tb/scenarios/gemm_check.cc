// SPDX-License-Identifier: Apache-2.0
#include "tb/scenarios/gemm_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <span>
#include <thread>

#include "cmodel/machine/fp.h"
#include "tb/base/workers.h"
#include "tb/scenarios/gemm_plan.h"

namespace tb::gemm {

using defs::Dtype;

namespace {

/// C of one core as the contract says it, in naive loops: fp32.
Elements naive(const Plan& plan, const Part& part) {
  const bool halves = plan.formats.a == Dtype::Fp32, integers = plan.formats.a == Dtype::Int8;
  std::vector<Elements> sums(plan.sums(), Elements(std::size_t{part.m} * part.n));
  for (unsigned t = 0; t < plan.k_tiles(); ++t)
    for (unsigned pass = 0; pass < (halves ? 4u : 1u); ++pass) {
      const bool low_a = halves && pass < 2, low_b = halves && pass % 2 == 0;
      const unsigned first = t * plan.k_step(), end = first + plan.k_count(t);
      const std::size_t skipped = std::size_t{first} * part.n;
      Elements wide_b(std::size_t{end} * part.n - skipped);
      for (std::size_t i = 0; i < wide_b.size(); ++i)
        wide_b[i] = cmodel::fp::operand_to_fp32(plan.formats.b, (*part.b)[skipped + i], low_b);
      for (unsigned m = 0; m < part.m; ++m) {
        Elements sum(part.n);
        for (unsigned k = first; k < end; ++k) {
          const auto w = cmodel::fp::operand_to_fp32(
              plan.formats.a, (*part.a_t)[std::size_t{k} * part.m + m], low_a);
          if (low_a && w << 1 == 0) continue;
          for (unsigned n = 0; n < part.n; ++n) {
            const auto x = wide_b[std::size_t{k - first} * part.n + n];
            if (!(low_b && x << 1 == 0)) sum[n] = cmodel::fp::fma(w, x, sum[n]);
          }
        }
        for (unsigned n = 0; n < part.n; ++n) {
          std::uint32_t& result = sums[t % plan.sums()][std::size_t{m} * part.n + n];
          if (integers)
            result += static_cast<std::uint32_t>(static_cast<int>(cmodel::fp::to_float(sum[n])));
          else
            result = t >= plan.sums() || pass ? cmodel::fp::add(result, sum[n]) : sum[n];
        }
      }
    }
  Elements& c = sums[0];
  if (integers)
    for (auto& x : c) x = cmodel::fp::int32_to_fp32(x);
  if (plan.halves)
    for (std::size_t i = 0; i < c.size(); ++i) c[i] = cmodel::fp::add(c[i], sums[1][i]);
  return c;
}

/// The numbers that elements stand for.
std::vector<double> values_of(Dtype dtype, const Elements& elements) {
  std::vector<double> values;
  values.reserve(elements.size());
  for (const std::uint32_t element : elements)
    values.push_back(double{cmodel::fp::to_float(
        dtype == Dtype::Fp32 ? element : cmodel::fp::operand_to_fp32(dtype, element, false))});
  return values;
}

/// Of every element of C [m][n]: the sum of its terms in float64, and of their magnitudes.
struct Ideal {
  std::vector<double> sum, size;
};

/// Tiles of kTile columns, so that a row of sums stays in registers; terms in the order of k, so
/// the bits do not depend on the tiles.
Ideal ideal_of(const Part& part, unsigned depth, const std::vector<double>& a_t,
               const std::vector<double>& b) {
  constexpr unsigned kTile = 32, kLanes = 8;
  using Lanes = double __attribute__((vector_size(kLanes * sizeof(double))));
  using Tile = std::array<Lanes, kTile / kLanes>;
  const std::size_t elements = std::size_t{part.m} * part.n;
  Ideal ideal{std::vector<double>(elements), std::vector<double>(elements)};
  std::vector<Tile> columns(depth);
  for (unsigned n = 0; n < part.n; n += kTile) {
    const std::size_t bytes = std::min(kTile, part.n - n) * sizeof(double);
    for (unsigned k = 0; k < depth; ++k) {
      columns[k] = {};
      std::memcpy(&columns[k], &b[std::size_t{k} * part.n + n], bytes);
    }
    for (unsigned m = 0; m < part.m; ++m) {
      Tile sum{}, size{};
      for (unsigned k = 0; k < depth; ++k) {
        const double weight = a_t[std::size_t{k} * part.m + m];
        for (unsigned i = 0; i < sum.size(); ++i) {
          const Lanes term = columns[k][i] * weight;
          sum[i] += term;
          size[i] += term < 0 ? -term : term;
        }
      }
      std::memcpy(&ideal.sum[std::size_t{m} * part.n + n], &sum, bytes);
      std::memcpy(&ideal.size[std::size_t{m} * part.n + n], &size, bytes);
    }
  }
  return ideal;
}

/// One core's part of C against both references.
struct Verdict {
  std::uint64_t wrong = 0;
  std::string failure;  ///< the first wrong element
  double worst = 0;     ///< error, relative to the terms' magnitudes
};

Verdict judge(const Plan& plan, unsigned core, std::span<const std::uint8_t> bytes,
              const std::vector<double>& a_t, const std::vector<double>& b) {
  const Part& part = plan.parts[core];
  const Elements exact = naive(plan, part);
  const Ideal ideal = ideal_of(part, plan.k, a_t, b);
  Verdict verdict;
  for (std::size_t i = 0; i < exact.size(); ++i) {
    std::uint32_t bits;
    std::memcpy(&bits, &bytes[i / part.n * plan.c_stride(part) + i % part.n * 4], 4);
    const double got = double{cmodel::fp::to_float(bits)};
    if (bits != exact[i] && verdict.wrong++ == 0)
      verdict.failure =
          fmt::format("core {} element [{}, {}] is {:08x}; the naive loops give {:08x}", core,
                      i / part.n, i % part.n, bits, exact[i]);
    // Not where infinities are, or may be on the way: bit by bit only.
    if (!(ideal.size[i] <= double{std::numeric_limits<float>::max()})) continue;
    const double error = std::abs(got - ideal.sum[i]) / std::max(ideal.size[i], 1e-30);
    verdict.worst = error <= verdict.worst ? verdict.worst : std::isfinite(error) ? error : 1e30;
  }
  return verdict;
}

/// Cores are judged side by side; what is found does not depend on how many.
std::vector<Verdict> judge_all(const Plan& plan, const cmodel::Program& program,
                               RegionBytes regions) {
  std::map<const Elements*, std::vector<double>> values;  // operands that cores share: once
  for (const Part& part : plan.parts) {
    if (part.m == 0) continue;
    if (auto& a_t = values[part.a_t.get()]; a_t.empty()) a_t = values_of(plan.formats.a, *part.a_t);
    if (auto& b = values[part.b.get()]; b.empty()) b = values_of(plan.formats.b, *part.b);
  }
  std::vector<Verdict> verdicts(plan.cores);
  Workers(std::max(1u, std::thread::hardware_concurrency())).run(plan.cores, [&](unsigned core) {
    const Part& part = plan.parts[core];
    if (part.m == 0) return;
    const std::string name = fmt::format("c{}.{}", core / defs::kCores, core % defs::kCores);
    verdicts[core] = judge(plan, core, region_bytes(program, regions, name),
                           values.at(part.a_t.get()), values.at(part.b.get()));
  });
  return verdicts;
}

}  // namespace

ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program,
                     RegionBytes regions) {
  const Plan plan(args);
  ScenarioResult result;
  std::uint64_t wrong = 0, macs = 0;
  double worst = 0;
  const std::vector<Verdict> verdicts = judge_all(plan, program, regions);
  for (unsigned core = 0; core < plan.cores; ++core) {
    const Part& part = plan.parts[core];
    if (result.failure.empty()) result.failure = verdicts[core].failure;
    wrong += verdicts[core].wrong;
    worst = std::max(worst, verdicts[core].worst);
    macs += std::uint64_t{part.m} * part.n * plan.k;
  }
  result.metrics["m"] = plan.m;
  result.metrics["n"] = plan.n;
  result.metrics["k"] = plan.k;
  result.metrics["formats"] =
      fmt::format("{} x {}", defs::to_string(plan.formats.a), defs::to_string(plan.formats.b));
  result.metrics["row_tiling"] = plan.halves;
  result.metrics["split"] = plan.grid ? fmt::format("{} x {}", plan.grid->rows, plan.grid->columns)
                            : plan.by_rows ? "rows"
                                           : "columns";
  result.metrics["macs"] = macs;
  result.metrics["elements_wrong"] = wrong;
  result.metrics["max_error_vs_float64"] = worst;  // relative to the sum of the terms' magnitudes
  // fp32 with k additions, and three more for the passes, cannot be further off than this.
  const double allowed = (plan.k + (plan.formats.a == Dtype::Fp32 ? 4 : 0)) * 0x1p-23;
  if (result.failure.empty() && !(worst <= allowed))
    result.failure =
        fmt::format("an element is off by {:.3g} of its terms; allowed {:.3g}", worst, allowed);
  result.passed = result.failure.empty();
  return result;
}

}  // namespace tb::gemm
