// SPDX-License-Identifier: Apache-2.0
// What happens to a word on the way: defects, noise, changes that its CRC does not show.
#pragma once
#include <cstring>
#include <random>

#include "fabric/model/crc.h"
#include "rtl/defs/gen/defs.h"

namespace tb {

inline constexpr unsigned kWordBits = 8 * sizeof(defs::Flit::Words), kLaneBits = 36;

/// What is wrong with one direction of a cable, from fabric cycle `from` up to `to`: silence, or a
/// lane that is stuck.
struct Defect {
  unsigned chip, port;  ///< that sends
  int lane = -1;        ///< -1: all, silent
  bool value = true;    ///< at which the lane is stuck
  std::uint64_t from = 0, to = ~std::uint64_t{0};
};

inline unsigned type_of(const std::uint32_t* word) { return word[16] & 7u; }
inline bool is_flit(const std::uint32_t* word) {
  return type_of(word) >= static_cast<unsigned>(defs::FlitType::Head) &&
         type_of(word) <= static_cast<unsigned>(defs::FlitType::HeadTail);
}
inline void flip(std::uint32_t* word, unsigned bit) { word[bit / 32] ^= 1u << bit % 32; }

inline void disturb(std::uint32_t* word, const Defect& defect, std::uint64_t cycle) {
  if (cycle < defect.from || cycle >= defect.to) return;
  for (unsigned i = 0; i < (defect.lane < 0 ? kWordBits : kLaneBits); ++i) {
    const unsigned at = defect.lane < 0 ? i : static_cast<unsigned>(defect.lane) * kLaneBits + i;
    const std::uint32_t bit = 1u << at % 32;
    word[at / 32] = defect.lane >= 0 && defect.value ? word[at / 32] | bit : word[at / 32] & ~bit;
  }
}

/// Flips the first of `length` bits from `at` on, and each of the others or not.
inline void burst_error(std::uint32_t* word, unsigned at, unsigned length, std::mt19937& rng) {
  for (unsigned i = 0; i < length && at + i < kWordBits; ++i)
    if (i == 0 || rng() % 2) flip(word, at + i);
}

/// Writes bits of the control word and keeps the CRC right.
inline void set_control(std::uint32_t* word, unsigned at, unsigned bits, std::uint32_t value) {
  const std::uint32_t mask = ((1u << bits) - 1) << at;
  defs::Flit::Words change{};
  change[16] = (word[16] & mask) ^ (value << at & mask);
  word[16] ^= change[16];
  word[17] ^= fabric::crc(change, 0);
}

/// Changes a flit and its CRC, so that only the end-to-end check sees it. What routers use stays.
inline void spoil(std::uint32_t* word, std::mt19937& rng) {
  const bool head = type_of(word) == static_cast<unsigned>(defs::FlitType::Head) ||
                    type_of(word) == static_cast<unsigned>(defs::FlitType::HeadTail);
  // The address, CRC, number and inline data of a single flit (not its stamp, which nothing but a
  // statistic depends on), or any bit of a body.
  const unsigned first = head ? 16 : 0, last = !head ? 512 : type_of(word) == 2 ? 176 : 496;
  unsigned bit = first + static_cast<unsigned>(rng() % (last - first));
  if (head && bit >= 64 && bit < 128) bit += 64;
  defs::Flit::Words change{};
  change[bit / 32] = 1u << bit % 32;
  change[17] = fabric::crc(change, 0);
  for (unsigned i = 0; i < change.size(); ++i) word[i] ^= change[i];
}

}  // namespace tb
