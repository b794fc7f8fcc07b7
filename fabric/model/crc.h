// SPDX-License-Identifier: Apache-2.0
// The CRC of a word on a link, written bit by bit: the twin of crc_pkg.sv.
#pragma once
#include <cstdint>

#include "rtl/defs/gen/defs.h"

namespace fabric {

/// CRC-32C, start 0, not inverted, of {payload 512, LCW 32, seq 10}, most significant bit first.
inline std::uint32_t crc(const defs::Flit::Words& word, unsigned seq) {
  std::uint32_t value = 0;
  const auto shift = [&value](bool bit) {
    const bool out = (value >> 31 & 1u) != bit;
    value = value << 1 ^ (out ? 0x1edc6f41u : 0u);
  };
  for (unsigned i = 512; i-- > 0;) shift(word[i / 32] >> i % 32 & 1u);
  for (unsigned i = 32; i-- > 0;) shift(word[16] >> i & 1u);
  for (unsigned i = 10; i-- > 0;) shift(seq >> i & 1u);
  return value;
}

}  // namespace fabric
