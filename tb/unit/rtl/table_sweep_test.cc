// SPDX-License-Identifier: Apache-2.0
// Every fp32 input of every function from tables: RTL = model, and how far the model is from
// SLEEF's doubles, at the worst inputs from MPFR. Writes the page rtl/defs/gen/accuracy.md
// (DODECA_ACCURACY_OUT); DODECA_SWEEP_STEP leaves inputs out.
#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <thread>
#include <vector>

#include "tb/unit/rtl/table_function_bench.h"
#include "tb/unit/rtl/table_judge.h"

namespace tb {
namespace {

using cmodel::fp::Fp32;

constexpr std::size_t kBlock = 1 << 16;

std::uint64_t step() {
  const char* text = std::getenv("DODECA_SWEEP_STEP");
  return text ? std::strtoull(text, nullptr, 0) : 1;
}

/// What one thread finds among its blocks; the first mismatch of RTL and model.
struct Found {
  TableErrors errors;
  std::string mismatch;
};

/// Adds what is farther off than the worst so far of its region: few are.
void judge(const defs::TableFunction& f, const std::vector<Fp32>& words,
           const std::vector<Fp32>& results, TableErrors& errors) {
  using Row = std::array<double, kDoubles>;
  for (std::size_t i = 0; i < words.size(); i += kDoubles) {
    Row x, y;
    for (std::size_t j = 0; j < kDoubles; ++j) {
      x[j] = cmodel::fp::to_float(words[i + j]);
      y[j] = cmodel::fp::to_float(results[i + j]);
    }
    const Row r = std::bit_cast<Row>(exact(f.func, Doubles(std::bit_cast<Vector>(x))).v);
    const double limit = errors.threshold(words[i], words[i + kDoubles - 1]);
    unsigned far = 0;  // NaN is
    for (std::size_t j = 0; j < kDoubles; ++j) {
      const auto power = std::bit_cast<std::uint64_t>(r[j]) & 0x7FF0'0000'0000'0000u;
      const double ulp = std::max(std::bit_cast<double>(power) * 0x1p-23, 0x1p-149);
      far += !(std::fabs(y[j] - r[j]) <= ulp * limit);
    }
    for (std::size_t j = 0; far && j < kDoubles; ++j)
      errors.add(words[i + j], results[i + j], r[j]);
  }
}

void sweep(const defs::TableFunction& f, unsigned thread, unsigned threads, Found& found) {
  TableFunctionBench bench;
  bench.start(f);
  std::vector<Fp32> words(kBlock), results;
  const std::uint64_t stride = step(), blocks = (std::uint64_t{1} << 32) / stride / kBlock;
  for (std::uint64_t block = thread; block < blocks && found.mismatch.empty(); block += threads) {
    for (std::size_t i = 0; i < kBlock; ++i)
      words[i] = static_cast<Fp32>((block * kBlock + i) * stride);
    results = words;
    cmodel::apply_table(f, results);
    const auto seen = bench.run(words);
    if (seen != results)
      for (std::size_t i = 0; i < kBlock; ++i)
        if (seen[i] != results[i]) {
          found.mismatch = fmt::format("{} of {:08x}: RTL {:08x}, model {:08x}", to_string(f.func),
                                       words[i], seen[i], results[i]);
          break;
        }
    judge(f, words, results, found.errors);
  }
}

std::string power(double value) {
  return value > 0 ? fmt::format("2^{:.1f}", std::log2(value)) : "";
}

/// The rows of one function; `errors` has MPFR's numbers at the inputs that SLEEF found.
std::string page_rows(const defs::TableFunction& f, const TableErrors& errors) {
  std::string out;
  for (unsigned i = 0; i < TableErrors::kRegions; ++i) {
    const auto& worst = errors.regions()[i];
    if (worst.ulps < 0 && worst.absolute < 0) continue;
    const auto at = [](double value, Fp32 x) {
      return value < 0 ? std::string()
                       : fmt::format("`{:08x}` ({:.7g})", x, cmodel::fp::to_float(x));
    };
    const double ulps = worst.ulps < 0 ? 0 : distance_at(f, worst.ulps_at).ulps;
    const double absolute = worst.absolute < 0 ? 0 : distance_at(f, worst.absolute_at).absolute;
    out += fmt::format("| {} | {} | {:.4f} | {} | {} | {} |\n", to_string(f.func),
                       TableErrors::kNames[i], ulps, at(worst.ulps, worst.ulps_at), power(absolute),
                       at(worst.absolute, worst.absolute_at));
  }
  return out;
}

TEST(TableSweep, EveryInputOfEveryFunction) {
  std::string page = fmt::format(
      "<!-- written by tb/unit/rtl/table_sweep_test.cc, tables {} -->\n# Errors of the functions "
      "from tables\n\n"
      "Worst over {}, in ulps of fp32 at the exact result, by where x is. Where a function\n"
      "vanishes, an error beyond 3/4 ulp counts as it is: the last columns, and the bound that it "
      "is "
      "held to.\n\n"
      "| function | bytes of tables | bound where it vanishes |\n|---|---|---|\n",
      defs::kTableDigest,
      step() == 1 ? "all 2^32 inputs" : fmt::format("one of {} inputs", step()));
  for (const auto& f : defs::kTableFunctions)
    page += fmt::format("| {} | {} | {} |\n", to_string(f.func), bytes_of(f), power(f.absolute));
  page += fmt::format(
      "| all | {} | |\n\n| function | x | worst, ulp | at | vanishing | at "
      "|\n|---|---|---|---|---|---|\n",
      sizeof(defs::kTableRows) + sizeof(defs::kTableDirectory));
  const unsigned threads = std::max(1u, std::thread::hardware_concurrency());
  for (const auto& f : defs::kTableFunctions) {
    std::vector<Found> found(threads, Found{TableErrors(f), {}});
    std::vector<std::thread> pool;
    for (unsigned i = 0; i < threads; ++i)
      pool.emplace_back([&, i] { sweep(f, i, threads, found[i]); });
    for (auto& thread : pool) thread.join();
    for (unsigned i = 1; i < threads; ++i) found[0].errors.add(found[i].errors);
    for (const auto& one : found) EXPECT_EQ(one.mismatch, "");
    EXPECT_LE(found[0].errors.worst_ulps(), 1.0) << to_string(f.func);
    const std::string rows = page_rows(f, found[0].errors);
    fmt::print("{}", rows);
    std::fflush(stdout);
    page += rows;
  }
  if (const char* path = std::getenv("DODECA_ACCURACY_OUT")) std::ofstream(path) << page;
}

}  // namespace
}  // namespace tb
