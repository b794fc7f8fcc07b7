// SPDX-License-Identifier: Apache-2.0
// Counts changes of bits a word at a time; scripts/coverage/words.py puts calls into Verilated
// code.
#pragma once
#include <bit>
#include <cstdint>
#include <type_traits>

namespace tb {

/// For each of `bits` in which `now` differs from `before`: counts it in counters[first + bit] and
/// brings `before` up to date. `first` may be negative where the lowest bits have no counters.
template <class Word>
inline void count_toggles(std::uint32_t* counters, int first, std::uint64_t bits,
                          std::type_identity_t<Word> now, Word& before) {
  std::uint64_t changed = (std::uint64_t{now} ^ before) & bits;
  if (!changed) [[likely]]
    return;
  before ^= static_cast<Word>(changed);
  for (; changed; changed &= changed - 1) ++counters[first + std::countr_zero(changed)];
}

}  // namespace tb
