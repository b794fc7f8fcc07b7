// SPDX-License-Identifier: Apache-2.0
// Token channels: the only thing that crosses between chips, and between the host and a chip.
#pragma once
#include <xxhash.h>

#include <array>
#include <cassert>
#include <cstdint>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "rtl/defs/gen/defs.h"

namespace tb {

/// One token per fabric cycle in one direction, delivered `latency` fabric cycles later. Whatever
/// was sent before cycle 0 is a token of zeros (an empty flit, an empty request).
///
///   sender, cycle t --> slot (t + latency) mod 2 latency --> receiver, cycle t + latency
///
/// Sender and receiver may run in different threads inside one window: with a window of at most
/// `latency` cycles they never touch the same slot, so the barrier between windows is all the
/// synchronisation there is.
template <unsigned kWords>
class TokenChannel {
 public:
  using Token = std::array<std::uint32_t, kWords>;

  explicit TokenChannel(unsigned latency) : latency_(latency), slots_(2 * latency) {}

  /// The token that reaches the receiver in fabric cycle `cycle`.
  const Token& arriving(std::uint64_t cycle) const { return slots_[cycle % slots_.size()]; }
  /// Where the sender of fabric cycle `cycle` puts its token: once for every cycle.
  Token& sending(std::uint64_t cycle) { return slots_[(cycle + latency_) % slots_.size()]; }

  /// What was put there in one of the last `latency` cycles.
  const Token& sent_token(std::uint64_t cycle) const {
    return slots_[(cycle + latency_) % slots_.size()];
  }

  unsigned latency() const { return latency_; }

 private:
  unsigned latency_;
  std::vector<Token> slots_;
};

/// A link: flits, and the hash of every token that was sent, empty ones included. With a bit error
/// rate it flips bits on the way, the same ones for the same seed; from a given cycle on a lane may
/// be stuck, or all be silent. The hash is of what was sent.
class Link : public TokenChannel<defs::Flit::kWords> {
 public:
  explicit Link(unsigned latency, double bit_error_rate = 0, std::uint64_t seed = 0)
      : TokenChannel(latency),
        state_(XXH3_createState()),
        rng_(seed),
        gap_(bit_error_rate > 0 ? bit_error_rate : 0.5),
        errors_(bit_error_rate > 0) {
    XXH3_64bits_reset(state_.get());
    if (errors_) next_error_ = gap_(rng_);
  }

  /// Called by the sender after it filled sending(cycle). Returns whether the token is a flit.
  bool sent(std::uint64_t cycle) {
    Token& token = sending(cycle);
    XXH3_64bits_update(state_.get(), token.data(), sizeof(Token));
    const unsigned type = token[16] & 7u;
    const bool flit = type >= static_cast<unsigned>(defs::FlitType::Head) &&
                      type <= static_cast<unsigned>(defs::FlitType::HeadTail);
    if (flit) history_.add(cycle, token);
    events_.add(cycle, token);
    const bool speaks =
        type != static_cast<unsigned>(defs::FlitType::Skip) && (token[16] >> 19 & 3u) != 0;
    if (errors_ && damage(token) && speaks) events_.damaged.push_back(cycle);
    for (const auto& [lane, from] : stuck_)
      for (unsigned i = 0; cycle >= from && i < kLaneBits; ++i)
        token[(lane * kLaneBits + i) / 32] |= 1u << (lane * kLaneBits + i) % 32;
    if (cycle >= silent_from_) token.fill(0);
    return flit;
  }

  /// Words sent from fabric cycle `cycle` on do not arrive; or their lane `lane` (of 16) is all
  /// ones.
  void silence(std::uint64_t cycle) { silent_from_ = cycle; }
  void stick(unsigned lane, std::uint64_t cycle) { stuck_.emplace_back(lane, cycle); }

  /// Lanes in which a word may be damaged without being lost, bit by bit.
  unsigned lanes_at_risk() const {
    unsigned lanes = errors_ ? 0xffffu : 0u;
    for (const auto& [lane, from] : stuck_) lanes |= 1u << lane;
    return lanes;
  }

  std::uint64_t hash() const { return XXH3_64bits_digest(state_.get()); }

  /// The newest flits that were sent, before anything went wrong on the way: for reports.
  struct History {
    static constexpr std::size_t kFlits = 4096;
    struct Entry {
      std::uint64_t cycle;
      Token token;
    };
    std::vector<Entry> ring;
    std::uint64_t total = 0;
    std::array<std::uint32_t, defs::kVirtualChannels> by_vc{};  ///< repeats included

    void add(std::uint64_t cycle, const Token& token) {
      if (ring.empty()) ring.resize(kFlits);
      ring[total++ % kFlits] = {cycle, token};
      ++by_vc[token[16] >> 3 & 7u];
    }
    /// Calls look(entry), oldest first.
    template <class Look>
    void each(Look look) const {
      for (std::uint64_t i = total > kFlits ? total - kFlits : 0; i < total; ++i)
        look(ring[i % kFlits]);
    }
  };
  const History& history() const { return history_; }

  /// What the ends of a link on all its lanes count, seen from outside: fabric cycles of sending.
  struct Events {
    std::vector<std::uint64_t> trainings;  ///< the first training word of several
    std::vector<std::uint64_t> repeats;    ///< the sender goes back to a flit that it has sent
    std::vector<std::uint64_t> asks;       ///< the first word of several that asks for a repeat
    std::vector<std::uint64_t> damaged;    ///< neither a training word nor silence, and changed

    void add(std::uint64_t cycle, const Token& token) {
      const auto type = static_cast<defs::FlitType>(token[16] & 7u);
      const bool trains = type == defs::FlitType::Skip;
      if (trains && !trained_) trainings.push_back(cycle);
      trained_ = trains;
      if (trains) return;
      const bool asks_now = (token[16] >> 19 & 3u) == 2;
      if (asks_now && !asked_) asks.push_back(cycle);
      asked_ = asks_now;
      if (type == defs::FlitType::Ctrl) {
        next_ = token[0] % kNumbers;
        if (next_ != newest_) repeats.push_back(cycle);
      } else if (type >= defs::FlitType::Head && type <= defs::FlitType::HeadTail) {
        if (next_ == newest_) newest_ = (newest_ + 1) % kNumbers;
        next_ = (next_ + 1) % kNumbers;
      }
    }

   private:
    static constexpr unsigned kNumbers = 1024;
    bool trained_ = false, asked_ = false;
    unsigned next_ = 0, newest_ = 0;  // numbers of the next flit, and of the next that is new
  };
  const Events& events() const { return events_; }

 private:
  bool damage(Token& token) {
    constexpr std::uint64_t kBits = 32 * defs::Flit::kWords;
    const bool any = next_error_ < kBits;
    for (; next_error_ < kBits; next_error_ += 1 + gap_(rng_))
      token[next_error_ / 32] ^= 1u << next_error_ % 32;
    next_error_ -= kBits;
    return any;
  }

  struct Free {
    void operator()(XXH3_state_t* state) const { XXH3_freeState(state); }
  };
  std::unique_ptr<XXH3_state_t, Free> state_;
  static constexpr unsigned kLaneBits = 36;
  std::uint64_t silent_from_ = UINT64_MAX;
  std::vector<std::pair<unsigned, std::uint64_t>> stuck_;  // lane, first cycle
  History history_;
  Events events_;
  std::mt19937_64 rng_;
  std::geometric_distribution<std::uint64_t> gap_;
  bool errors_;
  std::uint64_t next_error_ = 0;  ///< bits from the start of the next token to the next flip
};

using HostRequests = TokenChannel<defs::HostReq::kWords>;
/// The last word is not a pin of the token: it carries single wires of the chip, which the board
/// brings to the host with the same latency.
using HostResponses = TokenChannel<defs::HostRsp::kWords + 1>;
struct ChipWord {
  bool quiet = false, drained = false;
  unsigned dead = 0;  ///< link ports whose cable is dead

  std::uint32_t word() const { return quiet | drained << 1 | dead << 2; }
  static ChipWord from(std::uint32_t word) { return {(word & 1) != 0, (word & 2) != 0, word >> 2}; }
};

}  // namespace tb
