// SPDX-License-Identifier: Apache-2.0
#include "fabric/model/table_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <tuple>

namespace fabric {
namespace {

/// Deadlock class on a ring of n (README, "Routing, and why it cannot deadlock"): class 1 over the
/// cable between n - 1 and 0, class 0 over the one in the middle, else the scarcer one.
unsigned ring_class(unsigned src, unsigned dst, unsigned n, bool minus) {
  const unsigned half = n / 2;
  if (minus ? dst > src : dst < src) return 1;
  if ((src >= half) != (dst >= half)) return 0;
  const unsigned sum = src >= half ? 2 * (n - 1) - src - dst : src + dst;
  return sum >= half;
}

/// Channels without their class: what a candidate way is made of.
struct Link {
  unsigned chip, port;
};
using Way = std::vector<Link>;

constexpr unsigned kLinks = kMaxChips * kMaxPorts;
constexpr unsigned link_index(Link link) { return link.chip * kMaxPorts + link.port; }

/// Ways that are laid, by class: tables with use counts, the waits, the load.
///
/// A class is a graph whose nodes are links and whose edges are "a packet may hold this link's
/// buffer and wait for that one's". An edge is only laid if no path leads back.
class Layout {
 public:
  bool fits(unsigned dst, const Way& way, unsigned cls) {
    for (const Link link : way) {
      const Cell& cell = cells_[cls][link.chip][dst];
      if (cell.users && cell.port != link.port) return false;
    }
    // Laid edge by edge, since the edges of one way may close a circle together.
    unsigned laid = 1;
    while (laid < way.size() && !reaches(cls, link_index(way[laid]), link_index(way[laid - 1])))
      count(cls, way, laid++, 1);
    const bool fits = laid >= way.size();
    while (laid > 1) count(cls, way, --laid, -1);
    return fits;
  }

  void lay(unsigned dst, const Way& way, unsigned cls, int by) {
    for (unsigned i = 0; i < way.size(); ++i) {
      Cell& cell = cells_[cls][way[i].chip][dst];
      cell.port = way[i].port;
      cell.users += by;
      load_[link_index(way[i])] += by;
      hops_[cls] += by;
      if (i > 0) count(cls, way, i, by);
    }
  }

  /// How much worse everything would be with one more way: busy links count by the square.
  int price(const Way& way, unsigned cls) const {
    int sum = 0;
    for (const Link link : way) sum += 16 * (2 * load_[link_index(link)] + 1);
    return sum + 2 * (hops_[cls] - hops_[1 - cls]);
  }
  int most() const { return *std::max_element(load_.begin(), load_.end()); }
  int load(Link link) const { return load_[link_index(link)]; }
  int imbalance() const { return std::abs(hops_[0] - hops_[1]); }
  long squares() const { return std::inner_product(load_.begin(), load_.end(), load_.begin(), 0L); }

 private:
  struct Cell {
    unsigned port = 0;
    int users = 0;
  };

  void count(unsigned cls, const Way& way, unsigned i, int by) {
    const unsigned from = link_index(way[i - 1]), to = link_index(way[i]);
    if ((waits_[cls][from][to] += by) > 0)
      next_[cls][from] |= std::uint64_t{1} << to;
    else
      next_[cls][from] &= ~(std::uint64_t{1} << to);
  }
  bool reaches(unsigned cls, unsigned from, unsigned to) const {
    std::uint64_t seen = std::uint64_t{1} << from, open = seen;
    while (open && !(seen >> to & 1)) {
      const auto at = static_cast<unsigned>(__builtin_ctzll(open));
      open &= open - 1;
      open |= next_[cls][at] & ~seen;
      seen |= next_[cls][at];
    }
    return seen >> to & 1;
  }

  std::array<std::array<std::array<Cell, kMaxChips>, kMaxChips>, kMaxClasses> cells_{};
  std::array<std::array<std::array<int, kLinks>, kLinks>, kMaxClasses> waits_{};
  std::array<std::array<std::uint64_t, kLinks>, kMaxClasses> next_{};
  std::array<int, kLinks> load_{};
  std::array<int, kMaxClasses> hops_{};
};
static_assert(kLinks <= 64);

/// A pair, its shortest ways, and the choice: way and class, or none yet.
struct Pair {
  unsigned src, dst;
  std::vector<Way> ways;
  int way = -1;
  unsigned cls = 0;
};

/// Links from every chip to dst; ~0u without a way.
std::array<unsigned, kMaxChips> distances(const Board& board, unsigned dst) {
  std::array<unsigned, kMaxChips> far;
  far.fill(~0u);
  far[dst] = 0;
  std::vector<unsigned> queue{dst};
  for (unsigned i = 0; i < queue.size(); ++i)
    for (unsigned port = 0; port < board.ports(); ++port)
      if (const End end{queue[i], port}; board.wired(end) && far[board.peer(end).chip] == ~0u) {
        far[board.peer(end).chip] = far[queue[i]] + 1;
        queue.push_back(board.peer(end).chip);
      }
  return far;
}

void shortest(const Board& board, const std::array<unsigned, kMaxChips>& far, unsigned at, Way& way,
              std::vector<Way>& ways) {
  if (far[at] == 0) ways.push_back(way);
  for (unsigned port = 0; port < board.ports() && far[at]; ++port) {
    if (!board.wired({at, port})) continue;
    const unsigned to = board.peer({at, port}).chip;
    if (far[to] + 1 != far[at]) continue;
    way.push_back({at, port});
    shortest(board, far, to, way, ways);
    way.pop_back();
  }
}

class Search {
 public:
  Search(const Board& board, const std::vector<unsigned>& members) {
    for (const unsigned dst : members) {
      const auto far = distances(board, dst);
      for (const unsigned src : members) {
        if (src == dst) continue;
        if (far[src] == ~0u)
          throw BadInput(
              fmt::format("chip {} cannot reach chip {}: no cables join them", src, dst));
        Way way;
        pairs_.push_back({src, dst, {}});
        shortest(board, far, src, way, pairs_.back().ways);
      }
    }
    std::size_t hops = 0;
    const std::size_t links = 2 * board.cables().size();
    for (const Pair& pair : pairs_) hops += pair.ways[0].size();
    bound_ = links ? static_cast<int>((hops + links - 1) / links) : 0;
    missing_ = pairs_.size();
  }

  /// Rips a pair up and lays it where it costs least, again and again; keeps the best.
  void run() {
    if (pairs_.empty()) return;
    std::vector<Pair> best;
    auto best_cost = cost();
    for (unsigned step = 0; step < 40000; ++step) {
      Pair& pair = pairs_[pick()];
      take(pair);
      if (!place(pair)) {  // make room: somebody else goes
        take(pairs_[rng_() % pairs_.size()]);
        place(pair);
      }
      if (missing_ == 0 && (best.empty() || cost() < best_cost)) {
        best = pairs_;
        best_cost = cost();
        if (layout_.most() <= bound_ && layout_.imbalance() <= 4) break;
      }
    }
    if (best.empty()) throw BadInput("no two classes without a cycle were found for this board");
    pairs_ = best;
  }

  const std::vector<Pair>& pairs() const { return pairs_; }

 private:
  std::tuple<int, long, int> cost() const {
    return {layout_.most(), layout_.squares(), layout_.imbalance()};
  }
  /// One that is missing, or one over a busiest link, or any.
  unsigned pick() {
    const unsigned from = static_cast<unsigned>(rng_() % pairs_.size());
    const bool any = rng_() % 4 == 0;
    const int most = layout_.most();
    for (unsigned i = 0; i < pairs_.size() && !any; ++i) {
      const unsigned at = static_cast<unsigned>((from + i) % pairs_.size());
      const Pair& pair = pairs_[at];
      if (missing_ ? pair.way < 0
                   : std::any_of(pair.ways[static_cast<unsigned>(pair.way)].begin(),
                                 pair.ways[static_cast<unsigned>(pair.way)].end(),
                                 [&](Link link) { return layout_.load(link) == most; }))
        return at;
    }
    return from;
  }
  void take(Pair& pair) {
    if (pair.way < 0) return;
    layout_.lay(pair.dst, pair.ways[static_cast<unsigned>(pair.way)], pair.cls, -1);
    pair.way = -1;
    ++missing_;
  }
  bool place(Pair& pair) {
    int least = INT32_MAX;
    for (unsigned i = 0; i < pair.ways.size(); ++i)
      for (unsigned cls = 0; cls < kMaxClasses; ++cls) {
        const int price = layout_.price(pair.ways[i], cls) + static_cast<int>(rng_() % 48);
        if (price >= least || !layout_.fits(pair.dst, pair.ways[i], cls)) continue;
        least = price;
        pair.way = static_cast<int>(i);
        pair.cls = cls;
      }
    if (pair.way < 0) return false;
    layout_.lay(pair.dst, pair.ways[static_cast<unsigned>(pair.way)], pair.cls, 1);
    --missing_;
    return true;
  }

  std::vector<Pair> pairs_;
  std::size_t missing_ = 0;
  Layout layout_;
  std::mt19937 rng_{1};
  int bound_ = 0;  ///< of the busiest link: all hops spread evenly
};

}  // namespace

Tables ring_tables(const Board& board, const std::vector<unsigned>& order, unsigned plus) {
  const auto n = static_cast<unsigned>(order.size());
  Tables tables(board);
  tables.members = order;
  std::sort(tables.members.begin(), tables.members.end());
  for (unsigned src = 0; src < n; ++src) {
    for (unsigned dst = 0; dst < n; ++dst) {
      const unsigned ahead = (dst + n - src) % n;
      if (ahead == 0) continue;
      const bool minus = 2 * ahead == n ? src % 2 : 2 * ahead > n;
      const unsigned cls = ring_class(src, dst, n, minus);
      std::vector<Channel> way;
      for (unsigned at = src; at != dst; at = (at + (minus ? n - 1 : 1)) % n)
        way.push_back({order[at], plus + minus, cls});
      tables.lay(order[src], order[dst], way);
    }
  }
  return tables;
}

Tables ring_tables(unsigned chips) {
  std::vector<unsigned> order(chips);
  std::iota(order.begin(), order.end(), 0u);
  return ring_tables(Board::ring(chips), order, 0);
}

Tables ring_a_tables() {
  std::vector<unsigned> order(12);
  std::iota(order.begin(), order.end(), 0u);
  return ring_tables(Board::c12().only_ports(0, 1), order, 0);
}

Tables ring_b_tables() {
  std::vector<unsigned> order;
  for (unsigned i = 0; i < 12; ++i) order.push_back(5 * i % 12);
  return ring_tables(Board::c12().only_ports(2, 3), order, 2);
}

Tables search_tables(const Board& board, const std::vector<unsigned>& members) {
  const Board inside = board.only_chips(members);
  Search search(inside, members);
  search.run();
  Tables tables(inside);
  tables.members = members;
  for (const Pair& pair : search.pairs()) {
    std::vector<Channel> way;
    for (const Link link : pair.ways[static_cast<unsigned>(pair.way)])
      way.push_back({link.chip, link.port, pair.cls});
    tables.lay(pair.src, pair.dst, way);
  }
  return tables;
}

Tables search_tables(const Board& board) { return search_tables(board, Tables(board).members); }

}  // namespace fabric
