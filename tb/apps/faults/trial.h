// SPDX-License-Identifier: Apache-2.0
// One simulation of twelve fabric nodes, and the events of one class in it, one after the other:
// each begins and ends in a quiet fabric, so what happens in between is its doing.
#pragma once
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tb/apps/faults/classes.h"
#include "tb/fabric/fabric_ring.h"

namespace tb {

struct Event {
  bool effective = false;  ///< what was changed carried something
  Outcome outcome = Outcome::Masked;
  std::string why;        ///< of a hang or a silent one: the first thing that was wrong
  unsigned messages = 0;  ///< offered in it
};

/// What a link has said so far, to tell news from repetition.
struct Heard {
  std::array<std::uint8_t, defs::kVirtualChannels> freed{};
  unsigned acked = 0;
  bool credit_news(const std::uint32_t* word) const;
  bool ack_news(const std::uint32_t* word) const;
  /// A flit, a restart, a request, or news.
  bool says_something(const std::uint32_t* word) const;
  void hear(const std::uint32_t* word);
};
inline constexpr std::uint64_t kForEver = ~std::uint64_t{0};

class Trial {
 public:
  Trial(const FaultClass& fault, std::uint32_t seed, unsigned number);

  /// Event `k` of the class; the fabric was quiet before, and is so behind it unless it hangs.
  Event run(unsigned k);
  /// After a hang, or worse, there is nothing more to see.
  bool over() const { return over_; }
  std::uint64_t cycles() const { return nodes_->cycle(); }
  std::uint64_t link_hash() const { return nodes_->link_hash(); }
  std::uint64_t delivered() const { return nodes_->delivered(); }

  // For the injectors.
  FabricRing& nodes() { return *nodes_; }
  const fabric::Tables& tables() const { return nodes_->tables(); }
  unsigned random(unsigned below) { return static_cast<unsigned>(rng_() % below); }
  std::mt19937& rng() { return rng_; }

  /// A pair of chips that still talk, and a link of the route between them.
  struct Target {
    unsigned src, dst;
    fabric::Channel link;  ///< its sending end
  };
  Target pick();
  /// A message between chips that still talk; `count` of them.
  void offer(unsigned src, unsigned dst, unsigned count = 1);
  void offer(const fabric::Message& message);
  /// `count` messages between any chips but `not_to`.
  void background(unsigned count, int not_to = -1);

  /// The next word of the link that `when` likes, from a random cycle on, gets `change`. Now and
  /// then any word does, whatever it says.
  using When = bool (*)(const std::uint32_t*, const Heard&);
  using Change = std::function<void(std::uint32_t*, const Heard&)>;
  void strike(fabric::Channel link, When when, Change change);
  /// The word on the struck link `delay` cycles after the strike gets `change`.
  void later(unsigned delay, Change change);
  /// From `from` up to `to` (cycles) all words of the direction get `change`.
  void spell(fabric::Channel link, std::uint64_t from, std::uint64_t to, Change change);

  void hit() { event_.effective = true; }
  /// Messages that must never arrive.
  void forbid(unsigned count) { forbidden_ = count; }
  /// What to put right when the event is over.
  void after(std::function<void()> clean) { clean_ = std::move(clean); }
  /// The chip whose table was struck.
  void suspect(unsigned chip) { suspect_ = static_cast<int>(chip); }
  std::uint64_t violations();
  /// Both ends of the cable are up with all lanes.
  bool sound(fabric::Channel link) const;

 private:
  struct Spell {
    fabric::Channel link;
    std::uint64_t from, to;
    Change change;
  };
  void tap(unsigned chip, unsigned port, std::uint32_t* word);
  bool failed() const;
  bool finished();
  /// Ends of cables that run on fewer lanes, or are dead.
  unsigned impaired() const;
  void recover();
  void judge();

  const FaultClass& fault_;
  std::uint32_t seed_;
  fabric::Board board_;  ///< as it was wired, also when a cable is dead
  std::mt19937 rng_;
  Event event_;
  bool over_ = false, hang_ = false;
  std::string first_complaint_;
  unsigned forbidden_ = 0;
  int suspect_ = -1;
  std::function<void()> clean_;
  std::set<std::pair<unsigned, unsigned>> lost_pairs_;
  std::vector<FabricRing::Refusals> refusals_before_;
  std::uint64_t violations_before_ = 0;
  unsigned impaired_before_ = 0;
  std::vector<Spell> spells_;
  struct Strike {
    fabric::Channel link;
    std::uint64_t from;
    bool blind;
    When when;
    Change change;
    std::uint64_t later_at = 0;
    Change later{};
    bool armed = true;
    Heard heard{};
  };
  std::optional<Strike> strike_;
  std::unique_ptr<FabricRing> nodes_;
};

/// A seed for a part of the campaign that is named so.
std::uint32_t part_seed(std::uint32_t seed, std::string_view name, unsigned number);

}  // namespace tb
