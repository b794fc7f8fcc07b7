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

inline bool met(const Figure& f) {
  return f.at_least ? f.measured >= f.limit : f.measured <= f.limit;
}

/// As `scripts/dodeca bench` prints it.
inline nlohmann::ordered_json row_of(const Figure& f) {
  nlohmann::ordered_json row = {{"name", f.name},
                                {"unit", f.unit},
                                {"measured", f.measured},
                                {"target", f.limit},
                                {"met", met(f)}};
  for (const auto& [key, value] : f.details.items()) row[key] = value;
  return row;
}

/// Printed and recorded. A figure that is known to miss is only recorded: the bench says so.
inline void record(const Figure& f) {
  fmt::print("{:44} {:8.2f} {} (allowed {} {})", f.name, f.measured, f.unit,
             f.at_least ? ">=" : "<=", f.limit);
  for (const auto& [key, value] : f.details.items()) fmt::print("  {} {}", key, value.dump());
  fmt::print("\n");
  ::testing::Test::RecordProperty("figure: " + f.name, row_of(f).dump());
}

inline void expect(const Figure& f) {
  record(f);
  EXPECT_TRUE(met(f)) << f.name;
}

}  // namespace tb
