// SPDX-License-Identifier: Apache-2.0
// How exact the functions from tables are: every 8- and 16-bit input and a part of fp32 against
// MPFR, and the page that says so.
#include <gtest/gtest.h>

#include <fstream>
#include <random>
#include <vector>

#include "tb/base/seed.h"
#include "tb/unit/rtl/table_judge.h"

namespace tb {
namespace {

using cmodel::fp::Fp32;

class TableAccuracy : public testing::TestWithParam<defs::TableFunction> {
 protected:
  void check(const std::vector<Fp32>& words) {
    std::vector<Fp32> results(words);
    cmodel::apply_table(GetParam(), results);
    TableErrors errors(GetParam());
    for (std::size_t i = 0; i < words.size(); ++i)
      if (inside(GetParam().func, words[i]))
        errors.add(words[i], results[i], exact_by_mpfr(GetParam().func, words[i]));
    for (const auto& worst : errors.regions())
      EXPECT_LE(worst.ulps, 1.0) << fmt::format("x {:08x}", worst.ulps_at);
  }
};

TEST_P(TableAccuracy, OneUlpForEveryBf16) {
  std::vector<Fp32> words;
  for (Fp32 x = 0; x < 0x10000u; ++x) words.push_back(x << 16);
  check(words);
}

/// fp8 of 4 and of 5 exponent bits is among them; e3m4 is among bf16.
TEST_P(TableAccuracy, OneUlpForEveryFp16) {
  std::vector<Fp32> words;
  for (Fp32 x = 0; x < 0x10000u; ++x) words.push_back(cmodel::fp::small_to_fp32(x, 5, 10));
  check(words);
}

TEST_P(TableAccuracy, OneUlpAtRandomAndAtTheEndsOfRows) {
  SCOPED_TRACE(repro(seed()));
  std::mt19937_64 rng(seed());
  std::vector<Fp32> words;
  for (Fp32 x = 0; x < 0x1000u; ++x)
    for (Fp32 by = 0; by < 3; ++by) words.push_back((x << 20) + by - 1);
  for (int i = 0; i < 20'000; ++i) {
    const auto word = static_cast<Fp32>(rng());
    words.push_back(i & 1 ? word
                          : (word & 0x80FFFFFFu) | static_cast<Fp32>(115 + rng() % 20) << 23);
  }
  check(words);
}

INSTANTIATE_TEST_SUITE_P(Each, TableAccuracy, testing::ValuesIn(defs::kTableFunctions),
                         [](const auto& info) { return std::string(to_string(info.param.func)); });

TEST(TableAccuracyPage, IsOfTheseTables) {
  std::string line;
  std::getline(std::ifstream(DODECA_ACCURACY_PAGE), line);
  EXPECT_NE(line.find(defs::kTableDigest), std::string::npos)
      << "rtl/defs/gen/accuracy.md is of other tables: ctest -L engines-nightly writes it to the "
         "build folder";
}

TEST(TableSize, IsWithinEightyKilobytes) {
  EXPECT_LE(sizeof(defs::kTableRows) + sizeof(defs::kTableDirectory), 80'000u);
}

}  // namespace
}  // namespace tb
