// SPDX-License-Identifier: Apache-2.0
#include "fabric/model/table_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
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

/// Channels without their class: what a candidate route is made of.
struct Link {
  unsigned chip, port;
};
using Route = std::vector<Link>;

constexpr unsigned kLinks = kMaxChips * kMaxPorts;
constexpr unsigned link_index(Link link) { return link.chip * kMaxPorts + link.port; }

/// Routes that are laid, by class: tables with use counts, the waits, the load.
///
/// A class is a graph whose nodes are links and whose edges are "a packet may hold this link's
/// buffer and wait for that one's". An edge is only laid if no path leads back.
class Layout {
 public:
  bool fits(unsigned dst, const Route& route, unsigned cls) {
    for (const Link link : route) {
      const Cell& cell = cells_[cls][link.chip][dst];
      if (cell.users && cell.port != link.port) return false;
    }
    // Laid edge by edge, since the edges of one route may close a circle together.
    unsigned laid = 1;
    while (laid < route.size() &&
           !reaches(cls, link_index(route[laid]), link_index(route[laid - 1])))
      count(cls, route, laid++, 1);
    const bool fits = laid >= route.size();
    while (laid > 1) count(cls, route, --laid, -1);
    return fits;
  }

  void lay(unsigned dst, const Route& route, unsigned cls, int by) {
    for (unsigned i = 0; i < route.size(); ++i) {
      Cell& cell = cells_[cls][route[i].chip][dst];
      cell.port = route[i].port;
      cell.users += by;
      load_[link_index(route[i])] += by;
      hops_[cls] += by;
      if (i > 0) count(cls, route, i, by);
    }
  }

  /// How much worse everything would be with one more route: busy links count by the square.
  int price(const Route& route, unsigned cls) const {
    int sum = 0;
    for (const Link link : route) sum += 16 * (2 * load_[link_index(link)] + 1);
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

  void count(unsigned cls, const Route& route, unsigned i, int by) {
    const unsigned from = link_index(route[i - 1]), to = link_index(route[i]);
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

/// A pair, its shortest routes, and the choice: route and class, or none yet.
struct Pair {
  unsigned src, dst;
  std::vector<Route> routes;
  int route = -1;
  unsigned cls = 0;
};

/// Links from every chip to dst; ~0u without a route.
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

void shortest(const Board& board, const std::array<unsigned, kMaxChips>& far, unsigned at,
              Route& route, std::vector<Route>& routes) {
  if (far[at] == 0) routes.push_back(route);
  for (unsigned port = 0; port < board.ports() && far[at]; ++port) {
    if (!board.wired({at, port})) continue;
    const unsigned to = board.peer({at, port}).chip;
    if (far[to] + 1 != far[at]) continue;
    route.push_back({at, port});
    shortest(board, far, to, route, routes);
    route.pop_back();
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
        Route route;
        pairs_.push_back({src, dst, {}});
        shortest(board, far, src, route, pairs_.back().routes);
      }
    }
    std::size_t hops = 0;
    const std::size_t links = 2 * board.cables().size();
    for (const Pair& pair : pairs_) hops += pair.routes[0].size();
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
      if (missing_ ? pair.route < 0
                   : std::any_of(
                         pair.routes[static_cast<unsigned>(pair.route)].begin(),
                         pair.routes[static_cast<unsigned>(pair.route)].end(),
                         [&](Link link) { return layout_.load(link) == most; }))
        return at;
    }
    return from;
  }
  void take(Pair& pair) {
    if (pair.route < 0) return;
    layout_.lay(pair.dst, pair.routes[static_cast<unsigned>(pair.route)], pair.cls, -1);
    pair.route = -1;
    ++missing_;
  }
  bool place(Pair& pair) {
    int least = INT32_MAX;
    for (unsigned i = 0; i < pair.routes.size(); ++i)
      for (unsigned cls = 0; cls < kMaxClasses; ++cls) {
        const int price = layout_.price(pair.routes[i], cls) + static_cast<int>(rng_() % 48);
        if (price >= least || !layout_.fits(pair.dst, pair.routes[i], cls)) continue;
        least = price;
        pair.route = static_cast<int>(i);
        pair.cls = cls;
      }
    if (pair.route < 0) return false;
    layout_.lay(pair.dst, pair.routes[static_cast<unsigned>(pair.route)], pair.cls, 1);
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
      std::vector<Channel> route;
      for (unsigned at = src; at != dst; at = (at + (minus ? n - 1 : 1)) % n)
        route.push_back({order[at], plus + minus, cls});
      tables.lay(order[src], order[dst], route);
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
    std::vector<Channel> route;
    for (const Link link : pair.routes[static_cast<unsigned>(pair.route)])
      route.push_back({link.chip, link.port, pair.cls});
    tables.lay(pair.src, pair.dst, route);
  }
  return tables;
}

Tables search_tables(const Board& board) { return search_tables(board, Tables(board).members); }

}  // namespace fabric
