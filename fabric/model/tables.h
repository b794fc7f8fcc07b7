// SPDX-License-Identifier: Apache-2.0
// A table set: where every chip sends what, as data; its file form, its check, its registers.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "fabric/model/board.h"

namespace fabric {

/// A channel of a link: what leaves `chip` by `port` in `cls`. Waits are between channels.
struct Channel {
  unsigned chip = 0, port = 0, cls = 0;
  bool operator==(const Channel&) const = default;
};

/// What a chip's registers hold (rtl/defs/csr.toml RouteSource, RouteTable).
struct TableWords {
  std::uint32_t source = 0;                        ///< 2 bits per chip: {reachable, class}
  std::array<std::uint64_t, kMaxClasses> route{};  ///< 4 bits per chip: {port 3, class 1}
};
inline constexpr unsigned kPortLocal = 4, kPortNone = 7;

/// One bank of every chip. The packets of a pair take one route, so they stay in order.
class Tables {
 public:
  struct Entry {
    unsigned port = kPortNone, cls = 0;
  };

  explicit Tables(Board board);

  /// Reads what text() wrote and checks it; throws BadInput: FILE:LINE: KEY, or the cycle, or the
  /// pair. A set may only use the cables that `text` names.
  static Tables parse(const std::string& text, const std::string& where);
  std::string text() const;

  const Board& board() const { return board_; }
  /// Chips that talk to each other; all, unless said otherwise.
  std::vector<unsigned> members;
  /// Class of src's packets to dst; -1: unreachable.
  std::array<std::array<int, kMaxChips>, kMaxChips> source;
  /// [class][chip][dst]; none where no route leads.
  std::array<std::array<std::array<Entry, kMaxChips>, kMaxChips>, kMaxClasses> route;

  /// The channels from src to dst, in order; empty for src itself. Throws BadInput naming the pair
  /// if the route ends elsewhere, leaves the cables or goes round in a circle.
  std::vector<Channel> way(unsigned src, unsigned dst) const;
  unsigned hops(unsigned src, unsigned dst) const {
    return static_cast<unsigned>(way(src, dst).size());
  }
  /// Writes a route into `source` and `route`.
  void lay(unsigned src, unsigned dst, const std::vector<Channel>& way);

  /// Throws BadInput naming an unreachable pair of members, or a cycle of waiting channels. What it
  /// returns is the certificate: every channel in use, each before all that it may wait for.
  std::vector<Channel> certificate() const;

  struct Load {
    unsigned most = 0;                         ///< routes over the busiest link
    std::array<unsigned, kMaxClasses> hops{};  ///< links of all routes, by class
  };
  Load load() const;

  TableWords words(unsigned chip) const;

 private:
  Board board_;
};

}  // namespace fabric
