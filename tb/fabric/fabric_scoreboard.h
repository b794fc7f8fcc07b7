// SPDX-License-Identifier: Apache-2.0
// What every chip is to receive: each message once, intact, in order, then its writes, then its
// notify. Knows only fabric/model/tables.h and fabric/model/message.h.
#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "fabric/model/message.h"
#include "fabric/model/tables.h"
#include "tb/fabric/fabric_pins.h"

namespace tb {

using Payload = std::vector<std::uint8_t>;

class Scoreboard {
 public:
  /// What to do with a sentence that says what is wrong.
  using Complain = std::function<void(const std::string&)>;

  explicit Scoreboard(Complain complain) : complain_(std::move(complain)) {}

  void complain(const std::string& what) {
    ++complaints_;
    complain_(what);
  }
  unsigned complaints() const { return complaints_; }

  /// Hops, arrival port and channels of every pair.
  void learn_ways(const fabric::Tables& tables) {
    allowed_ = {};
    for (const unsigned src : tables.members)
      for (const unsigned dst : tables.members) {
        const auto route = tables.way(src, dst);
        Route& known = routes_[src][dst];
        known = {static_cast<unsigned>(route.size()), 0};
        for (const fabric::Channel& c : route) {
          allowed_[c.chip][c.port][c.cls] = true;
          known.by = tables.board().peer({c.chip, c.port}).port;
        }
      }
  }
  unsigned hops(unsigned src, unsigned dst) const { return routes_[src][dst].hops; }
  bool allowed(unsigned chip, unsigned port, unsigned cls) const {
    return allowed_[chip][port][cls];
  }

  /// Latencies count until a message has left its chip's only port, of one flit per cycle.
  void count_one_port(bool on) { one_port_ = on; }

  /// What reaches a chip is kept with times.
  void keep_trace(bool on) { traced_ = on; }
  /// {core cycle, hash}.
  using Trace = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
  const Trace& trace(unsigned chip) const { return chips_[chip].trace; }
  /// Called for every message that is delivered.
  void on_message(std::function<void(const defs::Header&)> call) { on_message_ = std::move(call); }

  void expect(const defs::Header& header, const Payload& payload, std::uint64_t cycle) {
    chips_[header.dst].flows[{header.src, fabric::lane(header)}].push_back(
        {header, payload, cycle});
    ++offered_;
  }
  /// Nobody is to get the message that was just expected.
  void expect_not(unsigned dst) {
    chips_[dst].flows.clear();
    --offered_;
  }
  /// Messages that are still missing, by source and destination; then nobody waits for them.
  std::map<std::pair<unsigned, unsigned>, unsigned> give_up() {
    std::map<std::pair<unsigned, unsigned>, unsigned> missing;
    for (unsigned dst = 0; dst < chips_.size(); ++dst) {
      for (const auto& [flow, messages] : chips_[dst].flows) {
        if (messages.empty()) continue;
        missing[{flow.first, dst}] += static_cast<unsigned>(messages.size());
        offered_ -= messages.size();
      }
      chips_[dst].flows.clear();
    }
    return missing;
  }

  /// What receiver `c` of the chip does in this core cycle; `now` in core cycles.
  void observe(unsigned chip, unsigned c, const Side& side, std::uint64_t now) {
    Chip& state = chips_[chip];
    if (!state.check_payload[c].empty()) {
      if (std::memcmp(side.payload, state.check_payload[c].data(), state.check_payload[c].size()))
        complain(fmt::format("chip {}: payload damaged", chip));
      state.check_payload[c].clear();
    }
    if (*side.message_valid) {
      note(state, now, 2 * c, side.header, 16);
      message(chip, c, side, now);
    }
    if (*side.sem_valid) {  // may meet the next packet's first write
      note(state, now, 6 + c, side.sem, 4);
      semaphore(chip, c, side);
    }
    if (*side.req_valid && *side.req_ready) {
      note(state, now, 4 + c, side.req, (kLineBits + 70) / 8);
      burst(chip, c, side);
    }
  }

  bool done() const { return delivered_ == offered_ && written(); }
  /// What was delivered is in memory.
  bool written() const {
    for (const Chip& chip : chips_)
      for (const auto& effects : chip.effects)
        if (!effects.empty()) return false;
    return true;
  }
  /// At the end: nobody waits for anything.
  void require_empty() {
    for (unsigned i = 0; i < chips_.size(); ++i) {
      for (const auto& effects : chips_[i].effects)
        if (!effects.empty()) complain(fmt::format("chip {}: a write or notify is missing", i));
      for (const auto& [key, flow] : chips_[i].flows)
        if (!flow.empty()) complain(fmt::format("chip {}: a message is missing", i));
    }
  }

  std::uint64_t offered() const { return offered_; }
  std::uint64_t delivered() const { return delivered_; }
  std::uint64_t delivered_flits() const { return delivered_flits_; }
  std::uint64_t delivered_flits_in(unsigned vn) const { return delivered_in_[vn]; }
  /// As take_latencies(), of messages to this chip, since the start.
  const std::vector<std::uint32_t>& latencies_at(unsigned chip) const {
    return chips_[chip].latencies;
  }
  std::uint64_t delivered_hops() const { return delivered_hops_; }
  /// Messages, writes and notifies so far.
  std::uint64_t progress() const { return progress_; }
  /// Flits of packets that reached their destination, by source.
  const std::vector<std::uint64_t>& accepted() const { return accepted_; }
  /// Fabric cycles from expect() to the message commit, for every message since the last call.
  std::vector<std::uint32_t> take_latencies() { return std::exchange(latencies_, {}); }
  /// Core cycle of the last message commit.
  std::uint64_t last_commit() const { return last_commit_; }

 private:
  struct Route {
    unsigned hops, by;  ///< by: the link port by which it arrives
  };
  struct Expected {
    defs::Header header;
    Payload payload;
    std::uint64_t posted;
  };
  struct Effect {  // a burst, or (bytes 0) a semaphore update
    fabric::Burst burst;
    Payload data;
    unsigned sem, src, lane;
  };
  struct Chip {
    std::map<std::pair<unsigned, unsigned>, std::deque<Expected>> flows;
    std::array<std::deque<Effect>, 2> effects;
    std::array<Payload, 2> check_payload;  // of the message seen in the last core cycle
    std::uint64_t port_free = 0;           // with count_one_port()
    std::vector<std::uint32_t> latencies;
    Trace trace;
  };

  /// Says so, and returns true, if `good` is not.
  bool wrong(bool good, unsigned chip, const char* what) {
    if (!good) complain(fmt::format("chip {}: {}", chip, what));
    return !good;
  }

  /// `kind` happened at this chip in core cycle `now`.
  void note(Chip& chip, std::uint64_t now, unsigned kind, const void* data, std::size_t bytes) {
    if (!traced_) return;
    std::uint64_t hash = 0xcbf29ce484222325u + kind;
    for (std::size_t i = 0; i < bytes; ++i)
      hash = (hash ^ static_cast<const std::uint8_t*>(data)[i]) * 0x100000001b3u;
    chip.trace.emplace_back(now, hash);
  }

  void message(unsigned chip, unsigned c, const Side& side, std::uint64_t now) {
    Chip& state = chips_[chip];
    const defs::Header header = defs::Header::unpack(side.header);
    auto& flow = state.flows[{*side.message_src, *side.message_lane}];
    if (wrong(!flow.empty(), chip, "message nobody sent, or twice")) return;
    Expected expected = std::move(flow.front());
    flow.pop_front();
    const Route& route = routes_[expected.header.src][expected.header.dst];
    expected.header.hop = static_cast<std::uint8_t>(route.hops);
    if (wrong(header == expected.header, chip, "message out of order or damaged")) return;
    // What came by link port p is received by local port p mod 2, what stayed here by its core's.
    wrong((header.src == header.dst ? header.group >> 5 & 1u : route.by % 2) == c, chip,
          "message by the wrong receiver");
    wrong(*side.message_bytes == expected.payload.size(), chip, "message of the wrong length");
    last_commit_ = now;
    for (const auto& b : fabric::deliver(header, kSizes.line_bytes)) {
      state.effects[c].push_back({b,
                                  Payload(expected.payload.begin() + b.offset,
                                          expected.payload.begin() + b.offset + b.bytes),
                                  0, header.src, fabric::lane(header)});
    }
    if (header.op == static_cast<std::uint8_t>(defs::PktOp::WriteNotify))
      state.effects[c].push_back(
          {{}, {}, (header.group & 1u) << 8 | header.tag, header.src, fabric::lane(header)});
    state.check_payload[c] = std::move(expected.payload);
    ++delivered_;
    delivered_flits_ += header.len;
    delivered_in_[header.vn] += header.len;
    accepted_[header.src] += header.len;
    delivered_hops_ += route.hops;
    state.port_free = std::max(now / 2, state.port_free + header.len);
    latencies_.push_back(
        static_cast<std::uint32_t>((one_port_ ? state.port_free : now / 2) - expected.posted));
    state.latencies.push_back(latencies_.back());
    if (on_message_) on_message_(header);
    ++progress_;
  }

  void burst(unsigned chip, unsigned c, const Side& side) {
    auto& effects = chips_[chip].effects[c];
    if (wrong(!effects.empty(), chip, "write nobody asked for")) return;
    const Effect effect = std::move(effects.front());
    effects.pop_front();
    if (wrong(effect.burst.bytes != 0, chip, "write before its notify")) return;
    const auto* line = reinterpret_cast<const std::uint8_t*>(side.req);
    wrong(defs::get_bits(side.req, ReqPins::kWrite, 1) == 1 &&
              defs::get_bits(side.req, ReqPins::kAddr, 48) == effect.burst.addr &&
              defs::get_bits(side.req, ReqPins::kBytes, 9) == effect.burst.bytes &&
              std::memcmp(line + effect.burst.addr % kSizes.line_bytes, effect.data.data(),
                          effect.data.size()) == 0,
          chip, "write of the wrong bytes or to the wrong address");
    wrong(*side.burst_valid && *side.burst_src == effect.src && *side.burst_lane == effect.lane,
          chip, "write traced for another sender");
    ++progress_;
  }

  void semaphore(unsigned chip, unsigned c, const Side& side) {
    auto& effects = chips_[chip].effects[c];
    if (wrong(!effects.empty(), chip, "notify nobody asked for")) return;
    const Effect effect = std::move(effects.front());
    effects.pop_front();
    if (wrong(effect.burst.bytes == 0, chip, "notify before its data")) return;
    const defs::SemUpdate update{.sem = static_cast<std::uint16_t>(effect.sem), .delta = 1};
    wrong(*side.sem == update.words()[0], chip, "another semaphore");
    wrong(*side.trace_sem_valid && *side.sem_src == effect.src && *side.sem_lane == effect.lane,
          chip, "notify traced for another sender");
    ++progress_;
  }

  Complain complain_;
  unsigned complaints_ = 0;
  std::array<std::array<Route, fabric::kMaxChips>, fabric::kMaxChips> routes_{};
  std::array<std::array<std::array<bool, 2>, defs::kLinkPorts>, fabric::kMaxChips> allowed_{};
  std::array<Chip, fabric::kMaxChips> chips_;
  bool one_port_ = false, traced_ = false;
  std::function<void(const defs::Header&)> on_message_;
  std::array<std::uint64_t, defs::kVirtualNets> delivered_in_{};
  std::uint64_t delivered_hops_ = 0;
  std::uint64_t offered_ = 0, delivered_ = 0, delivered_flits_ = 0, progress_ = 0, last_commit_ = 0;
  std::vector<std::uint64_t> accepted_ = std::vector<std::uint64_t>(defs::kBoardChips);
  std::vector<std::uint32_t> latencies_;
};

}  // namespace tb
