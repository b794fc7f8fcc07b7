// SPDX-License-Identifier: Apache-2.0
#include "tb/scenarios/gemm_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "cmodel/fp.h"
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

}  // namespace

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
    const Elements exact = naive(plan, part);
    std::vector<double> ideal(exact.size()), size(exact.size());
    const auto a_t = values_of(plan.formats.a, *part.a_t), b = values_of(plan.formats.b, *part.b);
    for (unsigned m = 0; m < part.m; ++m)
      for (unsigned k = 0; k < plan.k; ++k)
        for (unsigned n = 0; n < part.n; ++n) {
          const double term = a_t[std::size_t{k} * part.m + m] * b[std::size_t{k} * part.n + n];
          ideal[std::size_t{m} * part.n + n] += term;
          size[std::size_t{m} * part.n + n] += std::abs(term);
        }
    for (std::size_t i = 0; i < exact.size(); ++i) {
      std::uint32_t bits;
      std::memcpy(&bits, &bytes[i * 4], 4);
      const double got = double{cmodel::fp::to_float(bits)};
      if (bits != exact[i] && wrong++ == 0)
        result.failure =
            fmt::format("core {} element [{}, {}] is {:08x}; the naive loops give {:08x}", core,
                        i / part.n, i % part.n, bits, exact[i]);
      const double error = std::abs(got - ideal[i]) / std::max(size[i], 1e-30);
      worst = error <= worst ? worst : std::isfinite(error) ? error : 1e30;
    }
    macs += std::uint64_t{part.m} * part.n * plan.k;
  }
  result.metrics["m"] = plan.m;
  result.metrics["n"] = plan.n;
  result.metrics["k"] = plan.k;
  result.metrics["formats"] =
      fmt::format("{} x {}", defs::to_string(plan.formats.a), defs::to_string(plan.formats.b));
  result.metrics["row_tiling"] = plan.halves;
  result.metrics["split"] = plan.by_rows ? "rows" : "columns";
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
