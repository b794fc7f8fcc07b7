// SPDX-License-Identifier: Apache-2.0
#include "fabric/model/board.h"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "fabric/model/line_reader.h"

namespace fabric {

Board::Board(unsigned chips, unsigned ports) : chips_(chips), ports_(ports) {
  for (auto& row : peer_) row.fill({~0u, 0});
}

void Board::wire(Cable cable) {
  for (const End end : {cable.a, cable.b}) {
    if (end.chip >= chips_ || end.port >= ports_)
      throw BadInput(fmt::format("no port {}.{}, the board has chips 0..{} with ports 0..{}",
                                 end.chip, end.port, chips_ - 1, ports_ - 1));
    if (wired(end)) throw BadInput(fmt::format("port {}.{} has two cables", end.chip, end.port));
  }
  if (cable.a == cable.b)
    throw BadInput(fmt::format("port {}.{} is wired to itself", cable.a.chip, cable.a.port));
  peer_[cable.a.chip][cable.a.port] = cable.b;
  peer_[cable.b.chip][cable.b.port] = cable.a;
}

namespace {
void wire_stride(Board& board, unsigned pair, unsigned stride) {
  for (unsigned chip = 0; chip < board.chips(); ++chip)
    board.wire({{chip, 2 * pair}, {(chip + stride) % board.chips(), 2 * pair + 1}});
}
}  // namespace

Board Board::ring(unsigned chips) {
  Board board(chips, 2);
  wire_stride(board, 0, 1);
  return board;
}

Board Board::c12() {
  Board board(12, 4);
  wire_stride(board, 0, 1);
  wire_stride(board, 1, 5);
  return board;
}

Board Board::parse(const std::string& text, const std::string& where) {
  LineReader lines(text, where);
  Board board = lines.board();
  lines.end();
  for (unsigned chip = 0; chip < board.chips(); ++chip)
    for (unsigned port = 0; port < board.ports(); ++port)
      if (!board.wired({chip, port}))
        throw BadInput(fmt::format("{}: cable: port {}.{} has none", where, chip, port));
  return board;
}

std::vector<Cable> Board::cables() const {
  std::vector<Cable> all;
  for (unsigned chip = 0; chip < chips_; ++chip)
    for (unsigned port = 0; port < ports_; ++port)
      if (const End end{chip, port}; wired(end) && end < peer(end)) all.push_back({end, peer(end)});
  return all;
}

template <class Keep>
Board Board::filtered(Keep&& keep) const {
  Board board(chips_, ports_);
  for (const Cable& cable : cables())
    if (keep(cable)) board.wire(cable);
  return board;
}

Board Board::without(End end) const {
  return filtered([&](const Cable& cable) { return cable.a != end && cable.b != end; });
}

Board Board::only_ports(unsigned first, unsigned last) const {
  const auto in = [&](End end) { return end.port >= first && end.port <= last; };
  return filtered([&](const Cable& cable) { return in(cable.a) && in(cable.b); });
}

Board Board::only_chips(const std::vector<unsigned>& members) const {
  const auto in = [&](End end) {
    return std::find(members.begin(), members.end(), end.chip) != members.end();
  };
  return filtered([&](const Cable& cable) { return in(cable.a) && in(cable.b); });
}

End Board::between(unsigned a, unsigned b) const {
  for (unsigned port = 0; port < ports_ && a < chips_; ++port)
    if (const End end{a, port}; wired(end) && peer(end).chip == b) return end;
  throw BadInput(fmt::format("no cable between chips {} and {}", a, b));
}

}  // namespace fabric
