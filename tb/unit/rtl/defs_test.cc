// SPDX-License-Identifier: Apache-2.0
// The SystemVerilog and the C++ made from one description agree on every field: random bits go
// through a Verilated echo module that takes each struct apart and puts it together again.
#include "rtl/defs/gen/defs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <random>

#include "Vdefs_echo.h"

namespace {

/// A port or struct member of any type as words: integers, VlWide and std::array alike.
template <class T>
std::array<std::uint32_t, 18> as_words(const T& value) {
  std::array<std::uint32_t, 18> words{};
  static_assert(sizeof(value) <= sizeof(words));
  std::memcpy(words.data(), &value, sizeof(value));
  return words;
}

/// Members are sign-extended, pins hold the raw bits: compare below `bits`.
template <class Member, class Pin>
void expect_equal(const Member& member, const Pin& pin, unsigned bits, const char* name) {
  auto left = as_words(member), right = as_words(pin);
  for (auto* words : {&left, &right}) {
    for (unsigned i = 0; i < words->size(); ++i) {
      if (32 * i >= bits)
        (*words)[i] = 0;
      else if (bits - 32 * i < 32)
        (*words)[i] &= (1u << (bits - 32 * i)) - 1u;
    }
  }
  EXPECT_EQ(left, right) << name;
}

TEST(Defs, EveryFieldMeansTheSameInBothLanguages) {
  VerilatedContext context;
  Vdefs_echo dut(&context);
  std::mt19937 rng(1);
  for (int round = 0; round < 200; ++round) {
#define DEFS_ECHO_STRUCT(Type, port)                                                        \
  defs::Type::Words port##_words{};                                                         \
  for (auto& word : port##_words) word = static_cast<std::uint32_t>(rng());                 \
  if (defs::Type::kBits % 32) port##_words.back() &= (1u << (defs::Type::kBits % 32)) - 1u; \
  std::memcpy(&dut.port##_i, port##_words.data(),                                           \
              std::min(sizeof(dut.port##_i), sizeof(port##_words)));                        \
  const defs::Type port##_value = defs::Type::from(port##_words);                           \
  EXPECT_EQ(port##_value.words(), port##_words) << #Type;
#define DEFS_ECHO_LEAF(Type, port, field, pin, bits)
#include "rtl/defs/gen/defs_echo.h"
#undef DEFS_ECHO_STRUCT
#undef DEFS_ECHO_LEAF
    dut.eval();
#define DEFS_ECHO_STRUCT(Type, port)                                           \
  EXPECT_EQ(std::memcmp(&dut.port##_o, port##_words.data(),                    \
                        std::min(sizeof(dut.port##_o), sizeof(port##_words))), \
            0)                                                                 \
      << #Type;
#define DEFS_ECHO_LEAF(Type, port, field, pin, bits) \
  expect_equal(port##_value.field, dut.pin, bits, #Type "." #field);
#include "rtl/defs/gen/defs_echo.h"
#undef DEFS_ECHO_STRUCT
#undef DEFS_ECHO_LEAF
  }
}

}  // namespace
