// SPDX-License-Identifier: Apache-2.0
#include "tb/apps/shrink/shrinker.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "cmodel/board/unroll.h"
#include "tb/apps/shrink/shrink_history.h"
#include "tb/apps/shrink/shrink_tiles.h"
#include "tb/base/exit_status.h"

namespace tb {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Kind = Part::Kind;
constexpr unsigned kRounds = 4;

}  // namespace

Shrinker::Shrinker(Source source, fs::path board, double budget_s)
    : source_(std::move(source)), board_(source_, std::move(board)), budget_s_(budget_s) {}

void Shrinker::start(const cmodel::Program& program) {
  first_ = best_ = board_.run(program, options_, true);
  if (first_.signature.empty())
    throw Refused(kBadInput,
                  fmt::format("{}: its repro line does not fail by a check", source_.name));
  image_ = image_of(sizes_, without_loops(program));
  Image same = image_;
  sound_ = make_sound(sizes_, same);
  // A program that reads what it never wrote: nothing is left out for that.
  sound_.defined =
      same.instructions() == image_.instructions() && same.descriptors() == image_.descriptors();
  races_ = has_races(sizes_, program);
  say("as it was");
}

cmodel::Program Shrinker::without_loops(const cmodel::Program& program) {
  cmodel::Program straight;
  try {
    straight = cmodel::unroll(sizes_, program);
  } catch (const std::runtime_error& why) {
    throw Refused(kBadInput, fmt::format("{}: {}", source_.name, why.what()));
  }
  // Code that moved was unrolled.
  if (std::ranges::equal(straight.streams, program.streams, {}, &cmodel::InstrStream::base,
                         &cmodel::InstrStream::base))
    return program;
  best_ = board_.run(straight, options_, true);
  if (best_.signature != first_.signature)
    throw Refused(kBadInput,
                  fmt::format("{}: fails with its loops only; allowed what fails unrolled as well",
                              source_.name));
  return straight;
}

void Shrinker::shrink() {
  const auto all = [](const Part&) { return true; };
  less_patience();
  cut_history();
  settle_options();
  drop("chips", [&](const Part& p) { return std::pair{chip(p), 0u}; });
  settle_options();
  drop("cores and DMA engines", [&](const Part& p) { return std::pair{chip(p), list(p)}; });
  std::uint64_t cycles = 0;
  for (unsigned round = 0; round < kRounds && left() && cycles != best_.cycles; ++round) {
    cycles = best_.cycles;
    if (round) cut_history();
    leave_out("regions", [](const Part& p) { return p.kind == Kind::Region; });
    leave_out("work", [](const Part& p) {
      return p.kind == Kind::Instruction || p.kind == Kind::Descriptor;
    });
    reload();
    smaller_tiles();
    leave_out("data", [](const Part& p) { return p.kind == Kind::Piece; });
  }
  leave_out("one by one", all);
  settle_options();
}

bool Shrinker::passes_undisturbed() {
  return board_.run(*program_of(sizes_, image_), options_, false).status == 0;
}

bool Shrinker::left() const {
  return std::chrono::duration<double>(Clock::now() - begin_).count() < budget_s_;
}
void Shrinker::say(const std::string& what) const {
  fmt::print(stderr, "{:<24} {:>7} cycles, {} chips, {} instructions, {} descriptors, {} B\n", what,
             best_.cycles, image_.program.chips, image_.instructions(), image_.descriptors(),
             64 * image_.pieces.size());
}

/// Takes the candidate, or what is left of it when it has become sound, if it is as sound as the
/// original, fails alike, and no later.
bool Shrinker::accept(Image candidate, const std::vector<std::string>& options) {
  ++model_runs_;
  if (sound_.defined) {
    const Soundness sound = make_sound(sizes_, candidate);
    if (!sound.defined || (sound_.finished && !sound.finished) || (!sound_.errors && sound.errors))
      return false;
  }
  const auto program = program_of(sizes_, candidate);
  if (!program || program->streams.empty()) return false;
  try {
    cmodel::validate_program(*program, "candidate");
  } catch (const std::exception&) {
    return false;
  }
  const Ran ran = board_.run(*program, options, true);
  if (ran.signature != first_.signature || ran.cycles > best_.cycles) return false;
  if (!races_ && has_races(sizes_, *program)) return false;
  best_ = ran;
  image_ = std::move(candidate);
  return true;
}

unsigned Shrinker::chip(const Part& p) const {
  switch (p.kind) {
    case Kind::Instruction:
      return image_.program.streams[p.list].chip;
    case Kind::Descriptor:
      return image_.program.rings[p.list].chip;
    case Kind::Piece:
      return image_.pieces[p.index].chip;
    case Kind::Region:
      return image_.program.regions[p.index].chip;
  }
  return 0;
}
/// Engine by engine; data and regions together.
unsigned Shrinker::list(const Part& p) const {
  return p.kind == Kind::Instruction  ? 1 + 2 * p.list
         : p.kind == Kind::Descriptor ? 2 + 2 * p.list
                                      : 0;
}

/// Leaves out groups of parts, named by their ids, in chunks of half, a quarter .. one.
void Shrinker::reduce(const std::string& what,
                      const std::vector<std::vector<std::uint32_t>>& groups) {
  for (std::size_t size = groups.size(); size; size = size == 1 ? 0 : (size + 1) / 2)
    for (std::size_t at = 0; at < groups.size() && left(); at += size) {
      std::set<std::uint32_t> ids;
      for (std::size_t i = at; i < std::min(at + size, groups.size()); ++i)
        ids.insert(groups[i].begin(), groups[i].end());
      std::set<Part> parts;
      for (const Part& p : parts_of(image_))
        if (ids.contains(id_of(image_, p))) parts.insert(p);
      if (parts.empty()) continue;
      accept(without(image_, updates_of(sizes_, image_), parts), options_);
    }
  say(what);
}
void Shrinker::drop(const std::string& what,
                    const std::function<std::pair<unsigned, unsigned>(const Part&)>& key) {
  std::map<std::pair<unsigned, unsigned>, std::vector<std::uint32_t>> groups;
  for (const Part& p : parts_of(image_)) groups[key(p)].push_back(id_of(image_, p));
  std::vector<std::vector<std::uint32_t>> list;
  for (auto& [ignored, parts] : groups) list.push_back(std::move(parts));
  reduce(what, list);
}
void Shrinker::leave_out(const std::string& what, const std::function<bool(const Part&)>& which) {
  std::vector<std::vector<std::uint32_t>> list;
  for (const Part& p : parts_of(image_))
    if (which(p)) list.push_back({id_of(image_, p)});
  if (!list.empty()) reduce(what, list);
}

/// The operation that differed first, or is missing, or is nearest to the cause, with who made its
/// data, and who made theirs; else with 1, 2, 3, 4, 6 .. operations before it.
void Shrinker::cut_history() {
  if (!sound_.defined || !best_.found.is_object()) return;
  const Updates updates = updates_of(sizes_, image_);
  const History history(sizes_, image_, updates);
  std::vector<Part> anchors;
  const auto add = [&](const std::optional<Part>& part) {
    if (part && std::ranges::find(anchors, *part) == anchors.end()) anchors.push_back(*part);
  };
  add(history.part_of(best_.found["first"]));
  for (const auto& step : best_.found["path"]) add(history.part_of(step));
  if (const auto& cause = best_.found["cause"]; cause.is_object())
    add(history.last_of(cause["chip"], cause["core"].is_null() ? std::optional<unsigned>()
                                                               : cause["core"].get<unsigned>()));
  const std::size_t all = image_.instructions() + image_.descriptors();
  std::set<std::set<Part>> tried;
  const auto cut = [&](unsigned depth, std::size_t before) {
    return std::ranges::any_of(anchors, [&](const Part& anchor) {
      const auto keep = history.needed(anchor, depth, before);
      return keep.size() < all && left() && tried.insert(keep).second &&
             accept(history.only(keep), options_);
    });
  };
  for (const unsigned depth : {0, 1, 2, 3})
    if (cut(depth, 0)) return say("history cut");
  for (std::size_t before = 1; before <= history.steps() && !anchors.empty();
       before += std::max<std::size_t>(1, before / 2))
    if (cut(0, before)) return say("history cut");
  say("history needed");
}

void Shrinker::try_option(const std::string& name, const std::string& value) {
  if (std::ranges::count(source_.rest, name)) return;
  auto options = options_;
  if (const auto at = std::ranges::find(options, name); at != options.end()) {
    if (at[1] == value) return;
    at[1] = value;
  } else {
    options.insert(options.end(), {name, value});
  }
  const Ran before = best_;
  if (!accept(image_, options)) return;
  std::swap(options_, options);
  // What is not a hang must not become one.
  if (source_.inject.empty() || passes_undisturbed()) return;
  options_ = options;
  best_ = before;
}

/// A hang is one after less time as well, if the same without the fault still passes.
void Shrinker::less_patience() {
  if (source_.inject.empty() || !first_.signature.starts_with("hang")) return;
  for (const char* fabric_cycles : {"1024", "128"}) try_option("--hang-cycles", fabric_cycles);
}

/// Shorter cables, faster memory, and only chips that do something.
void Shrinker::settle_options() {
  if (source_.rest.empty()) {  // else cables that the failure may need
    const Image few = renumbered(image_);
    if (few.program.chips < image_.program.chips) accept(few, options_);
    try_option("--link-latency", "4");
  }
  try_option("--hbm-latency", "1");
  less_patience();
  say("near, few chips");
}

/// What the host can load is loaded, and nothing else.
Image Shrinker::reloaded(const Image& image) const {
  const Updates updates = updates_of(sizes_, image);
  const History history(sizes_, image, updates);
  std::set<Part> keep;
  for (const Part& p : parts_of(image))
    if (p.kind != Kind::Descriptor || !loads_sbuf(image, p)) keep.insert(p);
  return history.only(keep);
}

void Shrinker::reload() {
  if (sound_.defined) accept(reloaded(image_), options_);
  say("loads");
}

/// Every size to the least that still fails: for all who are that large at once, then one by one.
void Shrinker::smaller_tiles() {
  const auto smaller = [&](const Size& size, std::uint64_t to) {
    Image candidate = image_;
    size.set(candidate, to);
    return (sound_.defined && accept(reloaded(candidate), options_)) || accept(candidate, options_);
  };
  const auto shrink = [&](const Size& size) {
    for (std::uint64_t now = size.now(image_); now > size.least && left();) {
      bool done = false;
      for (const std::uint64_t eighths : {0, 2, 4, 6, 7}) {
        const auto to = std::max(size.least, now * eighths / 8 / size.least * size.least);
        if (to >= now || (done = smaller(size, to))) break;
      }
      // What is loaded anew may bring the size back.
      const std::uint64_t before = std::exchange(now, size.now(image_));
      if (!done || now >= before) break;
    }
  };
  for (const Size& size : sizes_of(image_)) shrink(size);
  say("smaller tiles");
}

}  // namespace tb
