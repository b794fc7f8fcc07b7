// SPDX-License-Identifier: Apache-2.0
// Figures that a test measures and limits: printed, and recorded in the test's results
// (`--gtest_output=json:FILE`), from which `scripts/dodeca bench` makes its rows.
#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <utility>

namespace tb {

struct Figure {
  std::string name, unit;
  double measured, limit;
  bool at_least = true;                 ///< of `limit`; else at most
  nlohmann::ordered_json details = {};  ///< more fields of the row
};

inline void expect(Figure f) {
  const bool met = f.at_least ? f.measured >= f.limit : f.measured <= f.limit;
  fmt::print("{:44} {:8.2f} {} (allowed {} {})", f.name, f.measured, f.unit,
             f.at_least ? ">=" : "<=", f.limit);
  nlohmann::ordered_json row = {{"name", f.name},
                                {"unit", f.unit},
                                {"measured", f.measured},
                                {"target", f.limit},
                                {"met", met}};
  for (const auto& [key, value] : f.details.items()) {
    fmt::print("  {} {}", key, value.dump());
    row[key] = value;
  }
  fmt::print("\n");
  ::testing::Test::RecordProperty("figure: " + f.name, row.dump());
  EXPECT_TRUE(met) << f.name;
}

}  // namespace tb
