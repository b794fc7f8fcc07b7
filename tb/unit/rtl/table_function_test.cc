// SPDX-License-Identifier: Apache-2.0
// The functions from tables in RTL against their twin, bit by bit.
#include <gtest/gtest.h>

#include <deque>
#include <random>
#include <vector>

#include "tb/base/seed.h"
#include "tb/unit/rtl/table_function_bench.h"

namespace tb {
namespace {

using Fp32 = std::uint32_t;

class TableFunctionTest : public testing::TestWithParam<defs::TableFunction> {
 protected:
  /// Both compute `words`.
  void check(const std::vector<Fp32>& words) {
    bench.start(GetParam());
    std::vector<Fp32> expected(words);
    cmodel::apply_table(GetParam(), expected);
    const auto seen = bench.run(words);
    ASSERT_EQ(seen.size(), words.size());
    for (std::size_t i = 0; i < words.size(); ++i)
      ASSERT_EQ(seen[i], expected[i]) << fmt::format("x {:08x}", words[i]);
  }

  TableFunctionBench bench;
};

/// What lies around the ends of rows, limits and special numbers: both signs, some ulps about each.
std::vector<Fp32> around(const defs::TableFunction& f) {
  std::vector<Fp32> at{0, 0x00800000u, 0x3F800000u, 0x7F800000u, 0x7FFFFFFFu, 0x3F3504F3u};
  for (const auto& limits : f.limits) at.insert(at.end(), {limits.low, limits.high});
  for (Fp32 exponent = 0; exponent < 256; ++exponent)
    for (Fp32 sixteenth = 0; sixteenth < 16; ++sixteenth)
      at.push_back(exponent << 23 | sixteenth << 19);
  std::vector<Fp32> words;
  for (const Fp32 x : at)
    for (Fp32 by = 0; by < 5; ++by)
      words.insert(words.end(), {x + by - 2, (x + by - 2) ^ 0x80000000u});
  return words;
}

TEST_P(TableFunctionTest, CornersGiveTheTwinsBits) { check(around(GetParam())); }

TEST_P(TableFunctionTest, EveryBf16GivesTheTwinsBits) {
  std::vector<Fp32> words;
  for (Fp32 x = 0; x < 0x10000u; ++x) words.push_back(x << 16);
  check(words);
}

TEST_P(TableFunctionTest, RandomWordsGiveTheTwinsBits) {
  SCOPED_TRACE(repro(seed()));
  std::mt19937_64 rng(seed());
  std::vector<Fp32> words(200'000);
  for (auto& word : words) {
    word = static_cast<Fp32>(rng());
    if (rng() & 1) word = (word & 0x80FFFFFFu) | static_cast<Fp32>(115 + rng() % 20) << 23;
  }
  check(words);
}

/// Latency as its head says, and nothing but what went in.
TEST_P(TableFunctionTest, AnElementLeavesEightCyclesAfterItCame) {
  bench.start(GetParam());
  EXPECT_EQ(bench.latency(), 8u);
}

INSTANTIATE_TEST_SUITE_P(Each, TableFunctionTest, testing::ValuesIn(defs::kTableFunctions),
                         [](const auto& info) { return std::string(to_string(info.param.func)); });

}  // namespace
}  // namespace tb
