// SPDX-License-Identifier: Apache-2.0
// The seed of a random unit test, and the line that repeats a failure.
#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <cstdlib>
#include <string>

namespace tb {

/// DODECA_SEED from the environment, or `fallback`. Same seed, same run. Says once that it was
/// asked: regressions believe only then that another seed was another test (seed audit).
inline std::uint64_t seed(std::uint64_t fallback = 1) {
  const char* text = std::getenv("DODECA_SEED");
  const std::uint64_t value = text ? std::strtoull(text, nullptr, 0) : fallback;
  [[maybe_unused]] static const bool told = (fmt::print("stimulus {:x}\n", value), true);
  return value;
}

/// For SCOPED_TRACE: what to paste to see this test fail again.
inline std::string repro(std::uint64_t seed) {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  return fmt::format("seed {:#x}; repro: DODECA_SEED={:#x} ctest --test-dir build -V -R {}", seed,
                     seed, test ? test->test_suite_name() : "");
}

}  // namespace tb
