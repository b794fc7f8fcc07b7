// SPDX-License-Identifier: Apache-2.0
// The split of scenario `digits`: which core has which hidden units, images and chunks.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "rtl/defs/gen/defs.h"
#include "tb/scenarios/digits_data.h"
#include "tb/scenarios/scenario.h"

namespace tb::digits {

struct Range {
  unsigned first, count;
};

/// Part `index` of `parts` nearly equal parts of `total`.
inline Range share(unsigned total, unsigned parts, unsigned index) {
  const unsigned first = total * index / parts;
  return {first, total * (index + 1) / parts - first};
}

/// Everything that follows from the arguments, for build and check alike.
struct Plan {
  /// Reads the images and the network; throws std::runtime_error with one line if the board cannot
  /// share them.
  explicit Plan(const ScenarioArgs& args);

  unsigned count() const { return static_cast<unsigned>(images.size()); }
  Range batch(unsigned index) const { return share(count(), batches, index); }
  /// Hidden units of a core of the board, and their tiles of at most P.
  Range units(unsigned core) const { return share(network.hidden, cores, core); }
  unsigned tiles(unsigned core) const { return (units(core).count + partitions - 1) / partitions; }
  Range tile(unsigned core, unsigned index) const {
    return share(units(core).count, tiles(core), index);
  }
  /// Images that core c of every chip adds up, and within them the chunk of a chip.
  Range half(unsigned c) const { return share(count(), defs::kCores, c); }
  Range chunk(unsigned c, unsigned chip) const { return share(half(c).count, chips, chip); }
  unsigned input_tiles() const { return std::max(1u, kDigitsPixels / partitions); }
  unsigned input_rows() const { return kDigitsPixels / input_tiles(); }

  double weight1(unsigned unit, unsigned pixel) const {
    return network.w1[unit * kDigitsPixels + pixel];
  }
  double weight2(unsigned label, unsigned unit) const {
    return network.w2[label * network.hidden + unit];
  }
  float bias2(unsigned core, unsigned label) const {
    return core == 0 ? static_cast<float>(network.b2[label]) : 0.0f;
  }

  /// [64][images], bf16: exact, pixels have five bits.
  std::vector<std::uint16_t> pixels() const;
  /// bf16 [64][units of the core, filled up with zeros to `width`].
  std::vector<std::uint16_t> stationary1(unsigned core, unsigned width) const;
  /// bf16 [units of the core][10].
  std::vector<std::uint16_t> stationary2(unsigned core) const;
  /// [units of the core].
  std::vector<float> biases1(unsigned core) const;

  unsigned chips, cores, partitions, batches = 0;
  std::vector<DigitsImage> images;
  std::vector<std::size_t> indices;
  DigitsNetwork network;
};

}  // namespace tb::digits
