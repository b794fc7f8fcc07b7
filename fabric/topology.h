// SPDX-License-Identifier: Apache-2.0
// The ring: who is wired to whom, and the way a packet takes. Twin of fabric_route.sv.
#pragma once
#include <vector>

#include "rtl/defs/gen/defs.h"

namespace fabric {

/// Link ports of a chip.
enum class Port : unsigned { Plus = 0, Minus = 1 };

/// `size` chips (1 .. kBoardChips) in a ring; 1 has no links, 2 is wired twice.
class Ring {
 public:
  explicit Ring(unsigned size) : size_(size) {}

  unsigned size() const { return size_; }

  /// The chip at the other end of `port`; its flits arrive there on the other port.
  unsigned neighbour(unsigned chip, Port port) const {
    return (chip + (port == Port::Plus ? 1 : size_ - 1)) % size_;
  }

  /// Links on the shortest way from `src` to `dst`.
  unsigned hops(unsigned src, unsigned dst) const {
    const unsigned ahead = (dst + size_ - src) % size_;
    return ahead <= size_ - ahead ? ahead : size_ - ahead;
  }

  /// Port by which `src`'s packets to another chip leave; a tie goes + from even chips, - from odd.
  Port port(unsigned src, unsigned dst) const {
    const unsigned ahead = (dst + size_ - src) % size_;
    if (2 * ahead != size_) return 2 * ahead < size_ ? Port::Plus : Port::Minus;
    return src % 2 == 0 ? Port::Plus : Port::Minus;
  }

  /// Chips visited from `src` to `dst`, both included.
  std::vector<unsigned> route(unsigned src, unsigned dst) const {
    std::vector<unsigned> chips{src};
    if (src == dst) return chips;
    const Port way = port(src, dst);
    while (chips.back() != dst) chips.push_back(neighbour(chips.back(), way));
    return chips;
  }

 private:
  unsigned size_;
};

}  // namespace fabric
