// SPDX-License-Identifier: Apache-2.0
// A coherent copy of the fabric's counters, read through the host port, and what it must say.
#pragma once
#include <array>
#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "fabric/model/board.h"
#include "rtl/defs/gen/defs.h"

namespace tb {

class Board;

/// Copies of all chips, made at the same fabric cycle. The host reads words() of every chip, in
/// that order, and add()s what it gets.
class FabricCounts {
 public:
  FabricCounts(const fabric::Board& cables, unsigned chips);

  /// Indices in FabricCounts that are worth reading: counters of ports with a cable, and the
  /// chip's.
  const std::vector<unsigned>& words() const { return words_; }
  void add(unsigned chip, unsigned word, std::uint64_t value);

  std::uint32_t port(fabric::End end, defs::PortCount which) const {
    return counter(end.chip, 32 * end.port + static_cast<unsigned>(which));
  }
  /// Training words in which this lane was wrong, mod 2^16.
  unsigned lane(fabric::End end, unsigned lane) const {
    return counter(end.chip,
                   32 * end.port + static_cast<unsigned>(defs::PortCount::Lanes0) + lane / 2) >>
               16 * (lane % 2) &
           0xffff;
  }
  std::uint32_t chip(unsigned chip, defs::ChipCount which, unsigned more = 0) const {
    return counter(chip, 32 * defs::kLinkPorts + static_cast<unsigned>(which) + more);
  }

  nlohmann::ordered_json json(const fabric::Board& cables) const;

 private:
  std::uint32_t counter(unsigned chip, unsigned number) const {
    return static_cast<std::uint32_t>(copies_[chip][number / 2] >> 32 * (number % 2));
  }
  std::vector<unsigned> words_;
  std::vector<std::array<std::uint64_t, defs::kCsrFabricCounts.count>> copies_;
};

/// What the board saw for itself: messages that were delivered, by the commits that the golden
/// model confirmed.
struct Delivered {
  std::array<std::uint64_t, defs::kCores> bytes{};          ///< by core
  std::array<std::uint64_t, defs::kVirtualNets> packets{};  ///< by VN
};

/// The counters of a board at rest against that and against the words on its links; one line for
/// each that is wrong, and the first chip of them. On a disturbed one packets may be damaged inside
/// chips.
struct WrongOfChip {
  std::string text;
  std::optional<unsigned> chip;
};
WrongOfChip wrong_fabric_counts(const Board& board, bool disturbed);

}  // namespace tb
