// SPDX-License-Identifier: Apache-2.0
#include "tb/system/fabric_counts.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "tb/system/board.h"

namespace tb {
namespace {

using defs::ChipCount;
using defs::PortCount;

constexpr unsigned kBins = 16;
constexpr unsigned kMaxLines = 8;

PortCount of(PortCount first, unsigned more) {
  return static_cast<PortCount>(static_cast<unsigned>(first) + more);
}

}  // namespace

FabricCounts::FabricCounts(const fabric::Board& cables, unsigned chips) : copies_(chips) {
  constexpr unsigned kOfPort = defs::kEveryPortCount.size() / 2;
  for (unsigned port = 0; port < cables.ports(); ++port)
    for (unsigned i = 0; i < kOfPort; ++i) words_.push_back(16 * port + i);
  for (unsigned i = 16 * defs::kLinkPorts; i < defs::kCsrFabricCounts.count; ++i)
    words_.push_back(i);
}

void FabricCounts::add(unsigned chip, unsigned word, std::uint64_t value) {
  copies_[chip][words_[word]] = value;
}

nlohmann::ordered_json FabricCounts::json(const fabric::Board& cables) const {
  nlohmann::ordered_json all;
  all["cycle"] = chip(0, ChipCount::Cycle);
  for (unsigned c = 0; c < copies_.size(); ++c) {
    for (unsigned p = 0; p < cables.ports(); ++p) {
      if (!cables.wired({c, p})) continue;
      nlohmann::ordered_json link{{"chip", c}, {"port", p}};
      for (const PortCount which : defs::kEveryPortCount)
        link[std::string(to_string(which))] = port({c, p}, which);
      all["links"].push_back(link);
    }
    nlohmann::ordered_json one{{"chip", c}};
    for (unsigned vn = 0; vn < defs::kVirtualNets; ++vn) {
      nlohmann::ordered_json bins;
      for (unsigned b = 0; b < kBins; ++b)
        bins.push_back(chip(c, ChipCount::Latency, kBins * vn + b));
      one["Latency"].push_back(bins);
    }
    for (const ChipCount which : defs::kEveryChipCount)
      if (which != ChipCount::Latency && which != ChipCount::Cycle)
        one[std::string(to_string(which))] = chip(c, which);
    all["chips"].push_back(one);
  }
  return all;
}

std::string wrong_fabric_counts(const Board& board) {
  const FabricCounts& counts = board.host().fabric_counts();
  std::string text;
  unsigned lines = 0;
  const auto same = [&](std::uint64_t counted, std::uint64_t seen, const std::string& where,
                        const char* what) {
    if (counted != seen && lines++ < kMaxLines)
      text += fmt::format("{}: {} is {}; expected {}\n", where, what, counted, seen);
  };
  for (unsigned c = 0; c < board.chips(); ++c) {
    const std::string chip = fmt::format("chip {}", c);
    same(counts.chip(c, ChipCount::Cycle), board.host().copy_cycle(), chip, "Cycle");
    same(counts.chip(c, ChipCount::Stalls), 0, chip, "Stalls");
    for (unsigned core = 0; core < defs::kCores; ++core)
      same(counts.chip(c, ChipCount::Bytes0, core), board.delivered(c).bytes[core], chip,
           core ? "Bytes1" : "Bytes0");
    for (unsigned vn = 0; vn < defs::kVirtualNets; ++vn) {
      std::uint64_t packets = 0;
      for (unsigned b = 0; b < kBins; ++b)
        packets += counts.chip(c, ChipCount::Latency, kBins * vn + b);
      same(packets, board.delivered(c).packets[vn], fmt::format("chip {} VN {}", c, vn),
           "the sum of Latency");
    }
    for (unsigned p = 0; p < board.wiring().cables.ports(); ++p) {
      const fabric::End end{c, p};
      const Link* link = board.link(end);
      if (!link) continue;
      const std::string where = fmt::format("chip {} port {}", c, p);
      std::uint64_t sent = 0;
      for (unsigned vn = 0; vn < defs::kVirtualNets; ++vn)
        sent += counts.port(end, of(PortCount::Sent0, vn));
      // What a dead link took is gone, and words in parts are not counted by the channel.
      const defs::LinkStatus status = board.link_status(c, p);
      if (status.state != static_cast<unsigned>(defs::LinkState::Active) || status.degraded)
        continue;
      const fabric::End far = board.wiring().cables.peer(end);
      same(counts.port(far, PortCount::Received), sent,
           fmt::format("chip {} port {}", far.chip, far.port), "Received");
      same(counts.port(end, PortCount::Wire), link->history().total, where, "Wire");
      if (status.replays || status.retrains) continue;
      for (unsigned vn = 0; vn < defs::kVirtualNets; ++vn)
        same(counts.port(end, of(PortCount::Sent0, vn)),
             link->history().by_vc[2 * vn] + link->history().by_vc[2 * vn + 1], where,
             to_string(of(PortCount::Sent0, vn)).data());
    }
  }
  if (lines > kMaxLines) text += fmt::format("and {} more\n", lines - kMaxLines);
  return text;
}

}  // namespace tb
