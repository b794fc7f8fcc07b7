// SPDX-License-Identifier: Apache-2.0
#include "fabric/model/tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "fabric/model/line_reader.h"

namespace fabric {
namespace {

constexpr unsigned kChannels = kMaxChips * kMaxPorts * kMaxClasses;
unsigned index(const Channel& c) { return (c.chip * kMaxPorts + c.port) * kMaxClasses + c.cls; }
Channel channel(unsigned index) {
  return {index / (kMaxPorts * kMaxClasses), index / kMaxClasses % kMaxPorts, index % kMaxClasses};
}
std::string name(const Channel& c) { return fmt::format("{}.{}/{}", c.chip, c.port, c.cls); }

/// Depth first over the waits; finished channels in `order`, last first.
struct Waits {
  std::array<std::array<bool, kChannels>, kChannels> next{};
  std::array<bool, kChannels> used{};
  enum class Mark : std::uint8_t { New, Open, Done };
  std::array<Mark, kChannels> mark{};
  std::vector<unsigned> path, order;

  void visit(unsigned at) {
    mark[at] = Mark::Open;
    path.push_back(at);
    for (unsigned to = 0; to < kChannels; ++to) {
      if (!next[at][to]) continue;
      if (mark[to] == Mark::Open) refuse(to);
      if (mark[to] == Mark::New) visit(to);
    }
    path.pop_back();
    mark[at] = Mark::Done;
    order.push_back(at);
  }

  [[noreturn]] void refuse(unsigned to) const {
    std::string text = "cycle of channels CHIP.PORT/CLASS that can wait for each other: ";
    for (auto it = std::find(path.begin(), path.end(), to); it != path.end(); ++it)
      text += name(channel(*it)) + " -> ";
    throw BadInput(text + name(channel(to)));
  }
};

}  // namespace

Tables::Tables(Board board) : board_(std::move(board)) {
  for (auto& row : source) row.fill(-1);
  for (unsigned chip = 0; chip < board_.chips(); ++chip) members.push_back(chip);
}

std::vector<Channel> Tables::way(unsigned src, unsigned dst) const {
  std::vector<Channel> channels;
  if (src == dst) return channels;
  const auto refuse = [&](const std::string& what) {
    throw BadInput(fmt::format("chip {} cannot reach chip {}: {}", src, dst, what));
  };
  if (source[src][dst] < 0) refuse("its source table has no class");
  unsigned at = src, cls = static_cast<unsigned>(source[src][dst]);
  while (at != dst) {
    const Entry entry = route[cls][at][dst];
    if (entry.port >= board_.ports() || !board_.wired({at, entry.port}))
      refuse(fmt::format("the table of chip {}, class {}, names no wired port", at, cls));
    cls = entry.cls;
    channels.push_back({at, entry.port, cls});
    if (channels.size() > kChannels) refuse("the route is a circle");
    at = board_.peer({at, entry.port}).chip;
  }
  return channels;
}

void Tables::lay(unsigned src, unsigned dst, const std::vector<Channel>& way) {
  unsigned cls = way.front().cls;
  source[src][dst] = static_cast<int>(cls);
  for (const Channel& c : way) {
    route[cls][c.chip][dst] = {c.port, c.cls};
    cls = c.cls;
  }
}

std::vector<Channel> Tables::certificate() const {
  Waits waits;
  for (const unsigned src : members) {
    for (const unsigned dst : members) {
      const auto channels = way(src, dst);
      for (unsigned i = 0; i < channels.size(); ++i) {
        waits.used[index(channels[i])] = true;
        if (i > 0) waits.next[index(channels[i - 1])][index(channels[i])] = true;
      }
    }
  }
  for (unsigned c = 0; c < kChannels; ++c)
    if (waits.used[c] && waits.mark[c] == Waits::Mark::New) waits.visit(c);
  std::vector<Channel> order;
  for (auto it = waits.order.rbegin(); it != waits.order.rend(); ++it)
    order.push_back(channel(*it));
  return order;
}

Tables::Load Tables::load() const {
  Load load;
  std::array<std::array<unsigned, kMaxPorts>, kMaxChips> ways{};
  for (const unsigned src : members)
    for (const unsigned dst : members)
      for (const Channel& c : way(src, dst)) {
        ++load.hops[c.cls];
        load.most = std::max(load.most, ++ways[c.chip][c.port]);
      }
  return load;
}

TableWords Tables::words(unsigned chip) const {
  TableWords words;
  for (unsigned dst = 0; dst < 16; ++dst) {
    const bool there = dst < board_.chips();
    if (there && dst != chip && source[chip][dst] >= 0)
      words.source |= (2u | static_cast<unsigned>(source[chip][dst])) << 2 * dst;
    if (dst == chip) words.source |= 2u << 2 * dst;
    for (unsigned cls = 0; cls < kMaxClasses; ++cls) {
      Entry entry;
      if (there) entry = route[cls][chip][dst];
      if (dst == chip) entry = {kPortLocal, cls};
      words.route[cls] |= std::uint64_t{entry.port << 1 | entry.cls} << 4 * dst;
    }
  }
  return words;
}

std::string Tables::text() const {
  std::string text = fmt::format("chips {}\nports {}\n", board_.chips(), board_.ports());
  for (const Cable& cable : board_.cables())
    text +=
        fmt::format("cable {}.{} {}.{}\n", cable.a.chip, cable.a.port, cable.b.chip, cable.b.port);
  text += fmt::format("members {}\n", fmt::join(members, " "));
  for (const unsigned chip : members) {
    text += fmt::format("source {}", chip);
    for (unsigned dst = 0; dst < board_.chips(); ++dst)
      text += source[chip][dst] < 0 ? " -" : fmt::format(" {}", source[chip][dst]);
    text += "\n";
    for (unsigned cls = 0; cls < kMaxClasses; ++cls) {
      text += fmt::format("route {} {}", chip, cls);
      for (unsigned dst = 0; dst < board_.chips(); ++dst) {
        const Entry entry = route[cls][chip][dst];
        text += entry.port == kPortNone ? " -" : fmt::format(" {}/{}", entry.port, entry.cls);
      }
      text += "\n";
    }
  }
  const Load load = this->load();
  text += fmt::format("load {} {} {}\n", load.most, load.hops[0], load.hops[1]);
  unsigned rank = 0;
  for (const Channel& c : certificate())
    text += fmt::format("rank {}.{} {} {}\n", c.chip, c.port, c.cls, rank++);
  return text;
}

Tables Tables::parse(const std::string& text, const std::string& where) {
  LineReader lines(text, where);
  Tables tables(lines.board());
  const unsigned chips = tables.board().chips(), ports = tables.board().ports();
  if (!lines.next() || lines.key() != "members") lines.refuse("expected 'members CHIP ...'");
  tables.members.clear();
  for (unsigned i = 0; i < lines.count(); ++i) {
    const unsigned chip = lines.number(i, chips);
    if (std::ranges::count(tables.members, chip))
      lines.refuse(fmt::format("chip {} is there twice", chip));
    tables.members.push_back(chip);
  }
  if (tables.members.empty()) lines.refuse("no chip is there, one is needed");
  std::array<unsigned, kMaxChips> seen{};  // bit 0 source, bits 1.. route of a class
  while (lines.next()) {
    if (lines.key() == "load" || lines.key() == "rank") continue;  // for the other checker
    const bool is_source = lines.key() == "source";
    if (!is_source && lines.key() != "route")
      lines.refuse("unknown keyword; source, route, load, rank may follow");
    const unsigned first = is_source ? 1 : 2;
    lines.expect(chips + first, is_source ? "CHIP CLASS|- ..., one per chip"
                                          : "CHIP CLASS PORT/CLASS|- ..., one per chip");
    const unsigned chip = lines.number(0, chips);
    const unsigned cls = is_source ? 0 : lines.number(1, kMaxClasses);
    const unsigned bit = is_source ? 1u : 2u << cls;
    if (seen[chip] & bit) lines.refuse("the line of this chip is there twice");
    seen[chip] |= bit;
    for (unsigned dst = 0; dst < chips; ++dst) {
      const std::string& word = lines.word(first + dst);
      if (word == "-") continue;
      if (is_source) {
        tables.source[chip][dst] = static_cast<int>(lines.number(word, kMaxClasses));
        continue;
      }
      const auto slash = word.find('/');
      if (slash == std::string::npos) lines.refuse(fmt::format("'{}' is not PORT/CLASS", word));
      tables.route[cls][chip][dst] = {lines.number(word.substr(0, slash), ports),
                                      lines.number(word.substr(slash + 1), kMaxClasses)};
    }
  }
  for (const unsigned chip : tables.members)
    if (seen[chip] != 7)
      throw BadInput(fmt::format("{}: source, route: chip {} needs one source and {} route lines",
                                 where, chip, kMaxClasses));
  try {
    tables.certificate();
  } catch (const BadInput& bad) {
    throw BadInput(fmt::format("{}: {}", where, bad.what()));
  }
  return tables;
}

}  // namespace fabric
