// SPDX-License-Identifier: Apache-2.0
// Which port of which chip is wired to which: the cables of a board.
#pragma once
#include <array>
#include <stdexcept>
#include <string>
#include <vector>

namespace fabric {

inline constexpr unsigned kMaxChips = 12;
inline constexpr unsigned kMaxPorts = 4;
inline constexpr unsigned kMaxClasses = 2;

/// What a board file, a table set or a command line got wrong: one line.
class BadInput : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct End {
  unsigned chip = 0, port = 0;
  auto operator<=>(const End&) const = default;
};
struct Cable {
  End a, b;
  bool operator==(const Cable&) const = default;
};

/// Ports come in pairs, one pair per stride s: 2 i to chip + s, 2 i + 1 to chip - s.
class Board {
 public:
  /// Nothing wired.
  Board(unsigned chips, unsigned ports);

  /// Every chip + 1: port 0 meets port 1 of the next; one chip meets itself, two have two cables.
  static Board ring(unsigned chips);
  /// C12(1,5): ports 0, 1 to chip +- 1, ports 2, 3 to chip +- 5.
  static Board c12();
  /// Text: `chips N`, `ports N`, `cable CHIP.PORT CHIP.PORT` per line, # comments; every port wired
  /// exactly once. `where` names the file in what is thrown.
  static Board parse(const std::string& text, const std::string& where);

  unsigned chips() const { return chips_; }
  unsigned ports() const { return ports_; }
  bool wired(End end) const { return peer_[end.chip][end.port].chip < chips_; }
  /// Only of a wired end.
  End peer(End end) const { return peer_[end.chip][end.port]; }
  /// Every cable once, from its smaller end.
  std::vector<Cable> cables() const;

  /// Throws BadInput, without a place in front, if an end is not there or already wired.
  void wire(Cable cable);
  /// Without the cable at that end.
  Board without(End end) const;
  /// Only these ports, on both ends, or only cables between these chips.
  Board only_ports(unsigned first, unsigned last) const;
  Board only_chips(const std::vector<unsigned>& members) const;
  /// The one end at `a` of a cable between the two chips; throws BadInput if there is none.
  End between(unsigned a, unsigned b) const;

 private:
  template <class Keep>
  Board filtered(Keep&& keep) const;

  unsigned chips_, ports_;
  std::array<std::array<End, kMaxPorts>, kMaxChips> peer_;
};

}  // namespace fabric
