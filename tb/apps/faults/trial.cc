// SPDX-License-Identifier: Apache-2.0
#include "tb/apps/faults/trial.h"

namespace tb {
namespace {

constexpr unsigned kPatience = 40000;  // fabric cycles, beyond every time limit of the fabric

unsigned credit_vc(const std::uint32_t* word) { return word[16] >> 8 & 7u; }
std::uint8_t credit(const std::uint32_t* word) { return word[16] >> 11 & 0xffu; }
unsigned ack_type(const std::uint32_t* word) { return word[16] >> 19 & 3u; }
unsigned ack(const std::uint32_t* word) { return word[16] >> 21 & 0x3ffu; }

}  // namespace

std::uint32_t part_seed(std::uint32_t seed, std::string_view name, unsigned number) {
  std::uint64_t hash = 0xcbf29ce484222325u;
  const auto mix = [&hash](unsigned byte) { hash = (hash ^ byte) * 0x100000001b3u; };
  for (unsigned i = 0; i < 4; ++i) mix(seed >> 8 * i & 0xff);
  for (const char c : name) mix(static_cast<unsigned char>(c));
  for (unsigned i = 0; i < 4; ++i) mix(number >> 8 * i & 0xff);
  hash = (hash ^ hash >> 31) * 0x9e3779b97f4a7c15u;
  return static_cast<std::uint32_t>(hash >> 32);
}

bool Heard::credit_news(const std::uint32_t* word) const {
  return ack_type(word) % 3 != 0 && credit(word) != freed[credit_vc(word)];
}
bool Heard::ack_news(const std::uint32_t* word) const {
  return ack_type(word) % 3 != 0 && ack(word) != acked;
}
bool Heard::says_something(const std::uint32_t* word) const {
  return is_flit(word) || type_of(word) == static_cast<unsigned>(defs::FlitType::Ctrl) ||
         ack_type(word) == 2 || credit_news(word) || ack_news(word);
}
void Heard::hear(const std::uint32_t* word) {
  if (ack_type(word) % 3 == 0) return;
  freed[credit_vc(word)] = credit(word);
  acked = ack(word);
}

Trial::Trial(const FaultClass& fault, std::uint32_t seed, unsigned number)
    : fault_(fault), seed_(seed), board_(defs::kBoardChips, 2) {
  rng_.seed(part_seed(seed, std::string(fault.name) + " board", number));
  Options options;
  static constexpr unsigned kLatencies[] = {4, 4, 8, 32};
  options.latency = kLatencies[random(4)];
  options.seed = static_cast<unsigned>(rng_());
  options.send = 0.9;
  options.ready = 0.9;
  options.settled = 0.9;
  options.timeout = fault.timeout;
  options.tap = [this](unsigned chip, unsigned port, std::uint32_t* word) {
    tap(chip, port, word);
  };
  options.complain = [this](const std::string& what) {
    if (first_complaint_.empty()) first_complaint_ = what;
  };
  // Loaded tables on both boards: there is something to upset.
  options.tables = number % 2 ? fabric::search_tables(fabric::Board::c12())
                              : fabric::ring_tables(defs::kBoardChips);
  board_ = options.tables->board();
  nodes_ = std::make_unique<FabricRing>(options);
  nodes_->context().fatalOnError(false);
  nodes_->hash_links();
}

// ------------------------------------------------------------------ for the injectors

Trial::Target Trial::pick() {
  for (;;) {
    Target t{random(defs::kBoardChips), random(defs::kBoardChips), {}};
    if (t.src == t.dst || lost_pairs_.count({t.src, t.dst})) continue;
    const auto route = tables().way(t.src, t.dst);
    t.link = route[random(static_cast<unsigned>(route.size()))];
    if (sound(t.link)) return t;
  }
}

void Trial::offer(const fabric::Message& message) {
  nodes_->post(message);
  ++event_.messages;
}
void Trial::offer(unsigned src, unsigned dst, unsigned count) {
  for (unsigned i = 0; i < count; ++i) offer(nodes_->random_message(src, dst));
}
void Trial::background(unsigned count, int not_to) {
  for (unsigned i = 0; i < count; ++i) {
    const unsigned src = random(defs::kBoardChips), dst = random(defs::kBoardChips);
    if (static_cast<int>(dst) != not_to && !lost_pairs_.count({src, dst})) offer(src, dst);
  }
}

void Trial::strike(fabric::Channel link, When when, Change change) {
  strike_.emplace(Strike{.link = link,
                         .from = nodes_->cycle() + 8 + random(24),
                         .blind = random(16) == 0,
                         .when = when,
                         .change = std::move(change)});
}
void Trial::later(unsigned delay, Change change) {
  strike_->later_at = nodes_->cycle() + delay;
  strike_->later = std::move(change);
}
void Trial::spell(fabric::Channel link, std::uint64_t from, std::uint64_t to, Change change) {
  spells_.push_back({link, from, to, std::move(change)});
}

std::uint64_t Trial::violations() {
  std::uint64_t sum = 0;
  for (unsigned i = 0; i < defs::kBoardChips; ++i) sum += nodes_->dut(i).violations_o;
  return sum;
}

bool Trial::sound(fabric::Channel link) const {
  const fabric::End far = tables().board().peer({link.chip, link.port});
  return nodes_->state(link.chip, link.port) == defs::LinkState::Active &&
         nodes_->state(far.chip, far.port) == defs::LinkState::Active;
}

// ------------------------------------------------------------------ the words of a link

void Trial::tap(unsigned chip, unsigned port, std::uint32_t* word) {
  if (!nodes_) return;  // the links come up
  const std::uint64_t now = nodes_->cycle();
  const auto here = [&](const fabric::Channel& link) {
    return link.chip == chip && link.port == port;
  };
  for (Spell& spell : spells_)
    if (here(spell.link) && now >= spell.from && now < spell.to) {
      defs::Flit::Words before;
      std::memcpy(before.data(), word, sizeof(before));
      spell.change(word, {});
      if (is_flit(before.data()) && std::memcmp(before.data(), word, sizeof(before))) hit();
    }
  if (!strike_ || !here(strike_->link)) return;
  Strike& s = *strike_;
  if (s.later && now == s.later_at) {
    s.later(word, s.heard);
    s.later = {};
  }
  if (s.armed && now >= s.from && (s.blind || s.when(word, s.heard))) {
    s.armed = false;
    if (s.heard.says_something(word)) hit();
    const Heard before = s.heard;
    s.heard.hear(word);
    s.change(word, before);
    return;
  }
  s.heard.hear(word);
}

// ------------------------------------------------------------------ an event, from quiet to quiet

Event Trial::run(unsigned k) {
  rng_.seed(part_seed(seed_, fault_.name, k));
  event_ = {};
  strike_.reset();
  hang_ = false;
  forbidden_ = 0;
  suspect_ = -1;
  clean_ = {};
  refusals_before_.clear();
  for (unsigned i = 0; i < defs::kBoardChips; ++i) refusals_before_.push_back(nodes_->refusals(i));
  violations_before_ = violations();
  impaired_before_ = impaired();

  fault_.inject(*this);
  recover();
  judge();
  // A lane that spoils NULL words only has done something, too, when its link gave it up.
  if (event_.outcome != Outcome::Masked) event_.effective = true;
  // What did no harm in its event must not do it in the next.
  std::erase_if(spells_, [this](const Spell& s) { return !event_.effective || s.to != kForEver; });
  if (clean_) clean_();
  over_ = event_.outcome == Outcome::Hang || event_.outcome == Outcome::Silent;
  return event_;
}

bool Trial::failed() const { return !first_complaint_.empty() || nodes_->context().gotError(); }

bool Trial::finished() {
  if (nodes_->idle_sources() < defs::kBoardChips || !nodes_->quiet() ||
      !nodes_->scoreboard().written())
    return false;
  for (const Spell& spell : spells_)
    if (nodes_->cycle() < spell.to && spell.to != kForEver) return false;
  for (const fabric::Cable& cable : board_.cables())
    for (const fabric::End end : {cable.a, cable.b}) {
      const auto state = nodes_->state(end.chip, end.port);
      if (state != defs::LinkState::Active && state != defs::LinkState::Degraded &&
          state != defs::LinkState::Dead)
        return false;
    }
  return true;
}

void Trial::recover() {
  // Quiet, and still so when everything on the wires has arrived.
  unsigned calm = 0;
  for (unsigned i = 0; i < kPatience && !failed(); ++i) {
    nodes_->step();
    calm = finished() ? calm + 1 : 0;
    if (calm > nodes_->options().latency + 20) return;
  }
  hang_ = !failed();
}

unsigned Trial::impaired() const {
  unsigned ends = 0;
  for (unsigned chip = 0; chip < defs::kBoardChips; ++chip)
    for (unsigned port = 0; port < board_.ports(); ++port)
      if (board_.wired({chip, port})) {
        const auto state = nodes_->state(chip, port);
        ends += state == defs::LinkState::Degraded || state == defs::LinkState::Dead;
      }
  return ends;
}

void Trial::judge() {
  const auto bad = [this](Outcome outcome, const std::string& why) {
    event_.outcome = outcome;
    event_.why = why;
    event_.effective = true;
  };
  if (nodes_->context().gotError()) return bad(Outcome::Silent, "an assertion of the RTL failed");
  if (first_complaint_.starts_with("no ") || first_complaint_.starts_with("not ") ||
      first_complaint_.starts_with("a cut"))
    return bad(Outcome::Hang, first_complaint_);
  if (!first_complaint_.empty()) return bad(Outcome::Silent, first_complaint_);
  if (hang_) return bad(Outcome::Hang, fmt::format("not quiet after {} cycles", kPatience));

  // What is missing must have been reported to the hosts that sent it, and where it was lost.
  unsigned refused = 0, lost = 0;
  std::vector<unsigned> lost_by(defs::kBoardChips);
  for (const auto& [pair, count] : nodes_->scoreboard().give_up()) {
    lost_by[pair.first] += count;
    lost += count;
    lost_pairs_.insert(pair);
  }
  for (unsigned chip = 0; chip < defs::kBoardChips; ++chip) {
    const auto now = nodes_->refusals(chip), before = refusals_before_[chip];
    const unsigned notified = now.own - before.own;
    refused += notified + now.received - before.received;
    if (notified < lost_by[chip])
      return bad(Outcome::Silent, fmt::format("chip {} lost {} messages and was told of {}", chip,
                                              lost_by[chip], notified));
  }
  if (lost < forbidden_)
    return bad(Outcome::Silent, fmt::format("{} forbidden messages delivered", forbidden_ - lost));
  const unsigned ends = impaired() - impaired_before_;
  if (ends % 2) return bad(Outcome::Silent, "one end of a cable does not know");
  if (lost || refused) {
    // One end is the sender's host; the other, where it happened.
    const bool upset = suspect_ >= 0 && (nodes_->fabric_status(suspect_) >> 5 & 1);
    if (!ends && !upset && violations() == violations_before_)
      return bad(Outcome::Silent, "lost, and the place keeps no record");
    event_.outcome = Outcome::Reported;
  } else if (ends) {
    event_.outcome = Outcome::Contained;
  } else if (event_.effective) {
    event_.outcome = Outcome::Corrected;
  }
}

}  // namespace tb
