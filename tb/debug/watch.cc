// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/watch.h"

#include <algorithm>
#include <tuple>

#include "cmodel/board/provenance.h"

namespace tb {
namespace {

// A commit may be reported so many core cycles behind its write, of PSUM at once: a sum that is
// read and written again may be the same. Before it there is no limit: a burst waits for its turn.
constexpr std::uint64_t kLate = 8;
std::uint64_t late(const cmodel::Cell& cell) {
  return cell.memory == cmodel::Cell::Memory::Psum ? 1 : kLate;
}
constexpr std::ptrdiff_t kOnTheWay = 2;  // writes of one byte that may be on their way at once

bool same_byte(const cmodel::Cell& a, const cmodel::Cell& b) {
  return std::tie(a.memory, a.chip, a.core, a.partition, a.addr) ==
         std::tie(b.memory, b.chip, b.core, b.partition, b.addr);
}

}  // namespace

Watch::Watch(Chip& chip, std::uint64_t since, std::vector<cmodel::Cell> cells, std::uint64_t until)
    : since_(since), until_(until), seen_(chip.commits().total()) {
  for (const cmodel::Cell& cell : cells) {
    Watched w;
    w.cell = cell;
    if (cell.memory != cmodel::Cell::Memory::Hbm) {
      const bool psum = cell.memory == cmodel::Cell::Memory::Psum;
      const unsigned word = psum ? 4 : defs::kSbufWordBytes;
      w.memory = psum ? chip.state().psum(cell.core) : chip.state().sbuf(cell.core);
      w.element = cell.addr / word * built_sizes().partitions + cell.partition;
      w.lsb = static_cast<unsigned>(cell.addr % word * 8);
    }
    w.values.push_back({since_, value(w, chip)});
    watched_.push_back(std::move(w));
  }
  chip.add_hook([this](Chip& c, std::uint64_t cycle) { look(c, cycle); });
}

std::uint8_t Watch::value(const Watched& w, const Chip& chip) {
  if (w.memory) return static_cast<std::uint8_t>(w.memory.get(w.element, w.lsb, 8));
  std::uint8_t byte = 0;
  chip.hbm().memory().read(w.cell.addr, {&byte, 1});
  return byte;
}

void Watch::look(Chip& chip, std::uint64_t cycle) {
  const CommitBuffer& commits = chip.commits();
  for (; seen_ < commits.total(); ++seen_) {
    const auto& entry = commits.entries()[commits.entries().size() - (commits.total() - seen_)];
    for (Watched& w : watched_)
      if (const auto at = cmodel::place_in(entry.commit, w.cell))
        w.writes.push_back({entry.cycle, commits.data(entry)[*at]});
  }
  if (cycle > until_) return;
  for (Watched& w : watched_)
    if (const std::uint8_t now = value(w, chip); now != w.values.back().second)
      w.values.push_back({cycle, now});
}

std::optional<WatchFinding> Watch::finding() const {
  std::optional<WatchFinding> first;
  const auto found = [&](WatchFinding finding) {
    if (!first || finding.cycle < first->cycle) first = finding;
  };
  for (const Watched& w : watched_) {
    for (std::size_t i = 1; i < w.values.size(); ++i) {
      const auto [cycle, value] = w.values[i];
      const auto end = std::find_if(w.writes.begin(), w.writes.end(), [&](const Timed& write) {
        return write.first > cycle + late(w.cell);
      });
      const auto begin = end - std::min(kOnTheWay, end - w.writes.begin());
      if (std::none_of(begin, end, [&](const Timed& write) { return write.second == value; }))
        found({WatchFinding::Kind::Upset, w.cell, cycle, w.values[i - 1].second, value});
    }
    for (std::size_t n = 0; n < w.writes.size(); ++n) {
      const auto [cycle, value] = w.writes[n];
      const std::uint64_t next = n + 1 < w.writes.size() ? w.writes[n + 1].first : until_;
      const std::uint64_t until = std::min(next, until_);  // behind it nobody looked
      if (cycle + kLate > until) continue;
      bool held = false;  // at any time from the write to the next one
      for (std::size_t i = 0; i < w.values.size(); ++i) {
        const std::uint64_t last = i + 1 < w.values.size() ? w.values[i + 1].first : until_;
        held |= w.values[i].second == value && w.values[i].first <= until && last + kLate >= cycle;
      }
      if (!held) found({WatchFinding::Kind::LostWrite, w.cell, cycle, value, at(w, until)});
    }
  }
  return first;
}

bool Watch::certain() const {
  if (since_ == 0) return true;
  const auto found = finding();
  return std::all_of(watched_.begin(), watched_.end(), [&](const Watched& w) {
    const bool here = found && same_byte(found->cell, w.cell);
    const std::uint64_t last = here ? found->cycle + kLate : until_;
    const auto known = std::count_if(w.writes.begin(), w.writes.end(), [&](const Timed& write) {
      return write.first > since_ + kLate && write.first <= last;
    });
    return known >= (here ? kOnTheWay : 1);
  });
}

std::uint8_t Watch::at(const Watched& w, std::uint64_t cycle) {
  std::uint8_t value = 0;
  for (const auto& [since, held] : w.values)
    if (since <= cycle) value = held;
  return value;
}

}  // namespace tb
