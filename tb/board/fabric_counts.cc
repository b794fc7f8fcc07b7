// SPDX-License-Identifier: Apache-2.0
#include "tb/board/fabric_counts.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <nlohmann/json.hpp>

#include "tb/board/board.h"

namespace tb {
namespace {

using defs::ChipCount;
using defs::PortCount;

constexpr unsigned kBins = 16;
constexpr unsigned kMaxLines = 8;
constexpr std::uint64_t kNoLimit = UINT64_MAX;
constexpr unsigned kLanes = 16, kTrainingWords = 64;
constexpr unsigned kSlack = 8;  ///< fabric cycles between a counter and the wire, and some

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
        if (which < PortCount::Lanes0) link[std::string(to_string(which))] = port({c, p}, which);
      for (unsigned lane = 0; lane < kLanes; ++lane)
        link["Lanes"].push_back(this->lane({c, p}, lane));
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

WrongOfChip wrong_fabric_counts(const Board& board, bool disturbed) {
  const FabricCounts& counts = board.host().fabric_counts();
  std::string text;
  std::optional<unsigned> first;
  unsigned lines = 0;
  const auto same = [&](std::uint64_t counted, std::uint64_t seen, const std::string& where,
                        const char* what) {
    if (counted != seen && lines++ < kMaxLines)
      text += fmt::format("{}: {} is {}; expected {}\n", where, what, counted, seen);
  };
  // The copy is of one cycle; what a channel saw around it may be in it or not.
  const auto seen = [&](const std::vector<std::uint64_t>& events, std::uint64_t later = 0) {
    const auto until = [&](std::uint64_t cycle) {
      return static_cast<std::uint64_t>(std::ranges::upper_bound(events, cycle) - events.begin());
    };
    const std::uint64_t copy = board.host().copy_cycle() - later;
    return std::pair{until(copy - kSlack), until(copy + kSlack)};
  };
  const auto within = [&](std::uint64_t counted, std::uint64_t least, std::uint64_t most,
                          const std::string& where, PortCount which) {
    if ((counted < least || counted > most) && lines++ < kMaxLines)
      text += fmt::format("{}: {} is {}; expected {}{}\n", where, to_string(which), counted, least,
                          least == most      ? ""
                          : most == kNoLimit ? " or more"
                                             : fmt::format(" .. {}", most));
  };
  for (unsigned c = 0; c < board.chips(); ++c) {
    const std::string chip = fmt::format("chip {}", c);
    same(counts.chip(c, ChipCount::Cycle), board.host().copy_cycle(), chip, "Cycle");
    if (!board.host().accesses_checked())  // a scenario of its own accesses may switch, too
      same(counts.chip(c, ChipCount::Switches),
           board.wiring().loaded.has_value() + board.host().reroute().switches(), chip, "Switches");
    same(counts.chip(c, ChipCount::Stalls), 0, chip, "Stalls");
    if (!disturbed) same(counts.chip(c, ChipCount::Damaged), 0, chip, "Damaged");
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
      const fabric::End far = board.wiring().cables.peer(end);
      const std::string there = fmt::format("chip {} port {}", far.chip, far.port);
      const defs::LinkStatus status = board.link_status(c, p);
      const unsigned risk = link->lanes_at_risk();
      for (unsigned lane = 0; lane < kLanes; ++lane) {
        const std::string name = fmt::format("{} lane {}", there, lane);
        if (!(risk >> lane & 1)) same(counts.lane(far, lane), 0, name, "errors in training");
        // A stuck one is wrong in every word of every training but the first.
        if (risk == 1u << lane)
          same(counts.lane(far, lane) >= kTrainingWords,
               board.link_status(far.chip, far.port).retrains > 0, name,
               "whether it is known to be bad");
      }
      // Both ends run on fewer lanes, or neither does.
      const unsigned risks = risk | board.link(far)->lanes_at_risk();
      if (!risks) same(counts.port(end, PortCount::Degraded), 0, where, "Degraded");
      if (risk && std::has_single_bit(risk) && risks == risk)
        same(counts.port(end, PortCount::Degraded) > 0, status.retrains > 0, where,
             "whether it counts Degraded");
      std::uint64_t sent = 0;
      for (unsigned vn = 0; vn < defs::kVirtualNets; ++vn)
        sent += counts.port(end, of(PortCount::Sent0, vn));
      // What a dead link took is gone, and words in parts are not counted by the channel.
      if (status.state != static_cast<unsigned>(defs::LinkState::Active) || status.degraded)
        continue;
      same(counts.port(far, PortCount::Received), sent, there, "Received");
      same(counts.port(end, PortCount::Wire), link->history().total, where, "Wire");
      const Link::Events& events = link->events();
      const auto [trained, trained_more] = seen(events.trainings);
      within(counts.port(end, PortCount::Retrains), trained - 1, trained_more - 1, where,
             PortCount::Retrains);
      if (status.retrains || board.link_status(far.chip, far.port).retrains) continue;
      const auto [repeated, repeated_more] = seen(events.repeats);
      within(counts.port(end, PortCount::Replays), repeated, repeated_more, where,
             PortCount::Replays);
      const auto [asked, asked_more] = seen(events.asks);
      within(counts.port(end, PortCount::Naks), asked, asked_more, where, PortCount::Naks);
      // A damaged word may make the receiver miscount those behind it; without one none fails.
      const auto [hurt, hurt_more] = seen(events.damaged, link->latency());
      within(counts.port(far, PortCount::Failures), hurt, hurt_more ? kNoLimit : 0, there,
             PortCount::Failures);
      if (status.replays || status.retrains) continue;
      for (unsigned vn = 0; vn < defs::kVirtualNets; ++vn)
        same(counts.port(end, of(PortCount::Sent0, vn)),
             link->history().by_vc[2 * vn] + link->history().by_vc[2 * vn + 1], where,
             to_string(of(PortCount::Sent0, vn)).data());
    }
    if (lines > 0 && !first) first = c;
  }
  if (lines > kMaxLines) text += fmt::format("and {} more\n", lines - kMaxLines);
  return {text, first};
}

}  // namespace tb
