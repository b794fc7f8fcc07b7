// SPDX-License-Identifier: Apache-2.0
// Random numbers of the lanes. Twin of rtl/fp/random_pkg.sv and rtl/lanes/lane_random.sv.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

namespace cmodel {

/// xorwow (Marsaglia, Xorshift RNGs, 2003): period 2^192 - 2^32.
struct Xorwow {
  std::uint32_t x, y, z, w, v, d;

  std::uint32_t next() {
    const std::uint32_t t = x ^ (x >> 2);
    x = y, y = z, z = w, w = v;
    v = (v ^ (v << 4)) ^ (t ^ (t << 1));
    d += 362437;
    return v + d;
  }
};

/// Word number `index` of all generators with one seed: lane * 6 + its place. The mixing is the
/// last of MurmurHash3, a bijection: the five words of a lane are not all zero.
constexpr std::uint32_t seed_word(std::uint32_t seed, std::uint32_t index) {
  std::uint32_t word = seed + (index + 1) * 0x9E3779B9u;
  word = (word ^ (word >> 16)) * 0x85EBCA6Bu;
  word = (word ^ (word >> 13)) * 0xC2B2AE35u;
  return word ^ (word >> 16);
}

/// A generator per lane of an engine. Reset leaves those of seed 0.
class LaneRandom {
 public:
  explicit LaneRandom(unsigned lanes) : state_(lanes), numbers_(lanes) { seed(0); }

  void seed(std::uint32_t value) {
    std::uint32_t i = 0;
    for (Xorwow& lane : state_)
      for (std::uint32_t* word : {&lane.x, &lane.y, &lane.z, &lane.w, &lane.v, &lane.d})
        *word = seed_word(value, i++);
  }
  /// The next number of every lane, whether it is used or not.
  std::span<const std::uint32_t> draw() {
    for (std::size_t i = 0; i < state_.size(); ++i) numbers_[i] = state_[i].next();
    return numbers_;
  }

 private:
  std::vector<Xorwow> state_;
  std::vector<std::uint32_t> numbers_;
};

}  // namespace cmodel
