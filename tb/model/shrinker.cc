// SPDX-License-Identifier: Apache-2.0
#include "tb/model/shrinker.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <sstream>

#include "tb/model/shrink_history.h"
#include "tb/system/options.h"

namespace tb {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Kind = Part::Kind;

/// In what way a run failed: who, in which instruction, which kind of commit, fields or data; no
/// numbers. Empty if it passed, or failed without a difference (nothing injected, fault missed).
std::string signature(const std::string& report) {
  std::istringstream lines(report);
  std::string line, text, kind;
  std::getline(lines, text);
  if (text.empty() || text.starts_with("repro:") || text.starts_with("injected fault was missed") ||
      text.starts_with("no live moment"))
    return {};
  static const std::regex step("^ *pc [0-9]+: (\\w+)"),
      commit(
          "^ +(?:expected +|actual +)?"
          "(PsumRow|SbufRow|MemBurst|Message|Semaphore|Error)\\b");
  std::smatch match;
  bool opcode = false;
  while (std::getline(lines, line) && !line.starts_with("repro:")) {
    if (!opcode && std::regex_search(line, match, step)) {
      text += " / " + match[1].str();
      opcode = true;
    } else if (kind.empty() && std::regex_search(line, match, commit)) {
      kind = match[1];
      text += " / " + kind + (line.find("expected") == std::string::npos ? " data" : " fields");
    }
  }
  static const std::regex number("0x[0-9a-f]+|[0-9]+");
  return std::regex_replace(text, number, "#");
}

/// The block that the way back ends in.
std::string cause_block(const nlohmann::json& found) {
  const auto cause = found.is_object() ? found.value("cause", nlohmann::json()) : nlohmann::json();
  return cause.is_object() ? cause.value("block", "?") : "unknown";
}

}  // namespace

Shrinker::Shrinker(Source source, fs::path board, double budget_s)
    : source_(std::move(source)), board_(std::move(board)), budget_s_(budget_s) {
  dir_ = fs::temp_directory_path() / fmt::format("shrink.{}", getpid());
  fs::create_directories(dir_);
}
Shrinker::~Shrinker() {
  std::error_code ignored;
  fs::remove_all(dir_, ignored);
}

void Shrinker::start(const cmodel::Program& program) {
  first_ = best_ = run(program, options_);
  if (first_.signature.empty())
    throw Refused(kBadInput,
                  fmt::format("{}: its repro line does not fail by a check", source_.name));
  image_ = image_of(sizes_, program);
  Image same = image_;
  sound_ = make_sound(sizes_, same);
  // A program that reads what it never wrote: nothing is left out for that.
  sound_.defined =
      same.instructions() == image_.instructions() && same.descriptors() == image_.descriptors();
  races_ = has_races(sizes_, program);
  say("as it was");
}

void Shrinker::shrink() {
  const auto all = [](const Part&) { return true; };
  cut_history();
  settle_options();
  drop("chips", [&](const Part& p) { return std::pair{chip(p), 0u}; });
  settle_options();
  drop("cores and DMA engines", [&](const Part& p) { return std::pair{chip(p), list(p)}; });
  for (unsigned round = 0; round < 2 && left(); ++round) {
    leave_out("regions", [](const Part& p) { return p.kind == Kind::Region; });
    leave_out("work", [](const Part& p) {
      return p.kind == Kind::Instruction || p.kind == Kind::Descriptor;
    });
    leave_out("data", [](const Part& p) { return p.kind == Kind::Piece; });
    if (round == 0) smaller_tiles();
  }
  leave_out("one by one", all);
  settle_options();
}

bool Shrinker::passes_undisturbed() {
  const std::string inject = std::exchange(source_.inject, "");
  const Ran ran = run(*program_of(sizes_, image_), options_);
  source_.inject = inject;
  return ran.signature.empty() && last_status_ == 0;
}

Ran Shrinker::run(const cmodel::Program& program, const std::vector<std::string>& options) {
  const fs::path file = dir_ / "p.prog", json = dir_ / "json", err = dir_ / "err";
  cmodel::save_program(program, file);
  std::string command =
      fmt::format("'{}' --program '{}' --json --seed {} --threads 1 --out '{}' --no-failure-waves",
                  board_.string(), file.string(), source_.seed, (dir_ / "out").string());
  for (const auto& word : source_.rest) command += " '" + word + "'";
  for (const auto& word : options) command += " '" + word + "'";
  if (!source_.inject.empty()) command += " --inject " + source_.inject;
  command += fmt::format(" > '{}' 2> '{}'", json.string(), err.string());
  const int status = std::system(command.c_str());
  last_status_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  ++rtl_runs_;
  Ran ran;
  ran.found =
      nlohmann::json::parse(std::ifstream(dir_ / "out/latest/divergence.json"), nullptr, false);
  std::error_code ignored;
  fs::remove_all(dir_ / "out", ignored);
  if (last_status_ != 1) return ran;  // passed, or refused by the board
  const auto result = nlohmann::json::parse(std::ifstream(json), nullptr, false);
  if (result.is_discarded()) return ran;
  std::ostringstream text;
  text << std::ifstream(err).rdbuf();
  ran.signature = signature(text.str());
  if (!ran.signature.empty()) ran.signature += " / cause " + cause_block(ran.found);
  ran.cycles = result.value("cycles", std::uint64_t{0});
  return ran;
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
  const Ran ran = run(*program, options);
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

/// The unit that differed first, or is missing, or is nearest to the cause, with 0, 4, 16 .. units
/// before it.
void Shrinker::cut_history() {
  if (!sound_.defined || !first_.found.is_object()) return;
  const Updates updates = updates_of(sizes_, image_);
  const History history(sizes_, image_, updates);
  std::vector<Part> anchors;
  const auto add = [&](const std::optional<Part>& part) {
    if (part && std::ranges::find(anchors, *part) == anchors.end()) anchors.push_back(*part);
  };
  add(history.part_of(first_.found["first"]));
  for (const auto& step : first_.found["path"]) add(history.part_of(step));
  if (const auto& cause = first_.found["cause"]; cause.is_object())
    add(history.last_of(cause["chip"], cause["core"].is_null() ? std::optional<unsigned>()
                                                               : cause["core"].get<unsigned>()));
  std::size_t size = 0;
  for (std::size_t before = 0; size < image_.instructions() + image_.descriptors();
       before = before ? 4 * before : 4) {
    for (const Part& anchor : anchors) {
      const auto keep = history.needed(anchor, before);
      size = std::max(size, keep.size());
      if (left() && accept(history.only(keep), options_)) return say("history cut");
    }
    if (anchors.empty() || before > history.steps()) break;
  }
  say("history needed");
}

void Shrinker::try_option(const std::string& name, const std::string& value) {
  const auto has = [&](const auto& words) { return std::ranges::count(words, name) > 0; };
  if (has(options_) || has(source_.rest)) return;
  auto options = options_;
  options.insert(options.end(), {name, value});
  const Ran before = best_;
  if (!accept(image_, options)) return;
  std::swap(options_, options);
  // What is not a hang must not become one.
  if (source_.inject.empty() || passes_undisturbed()) return;
  options_ = options;
  best_ = before;
}

/// Shorter cables, faster memory, less patience, and only chips that do something.
void Shrinker::settle_options() {
  if (source_.rest.empty()) {  // else cables that the failure may need
    const Image few = renumbered(image_);
    if (few.program.chips < image_.program.chips) accept(few, options_);
    try_option("--link-latency", "4");
  }
  try_option("--hbm-latency", "1");
  if (!source_.inject.empty() && first_.signature.starts_with("hang"))
    try_option("--hang-cycles", "256");
  say("near, few chips");
}

void Shrinker::smaller_tiles() {
  using Change = std::function<bool(Image&)>;  // false: nothing to change
  const auto halve = [](auto& value, unsigned least) {
    if (value <= least) return false;
    value = static_cast<std::remove_reference_t<decltype(value)>>(
        std::max<std::uint64_t>(least, value / 2 / least * least));
    return true;
  };
  const auto each_instr = [&](std::uint16_t defs::Instr::*size, std::int16_t defs::Operand::*by) {
    return [=](Image& image) {
      bool any = false;
      for (auto& code : image.code)
        for (auto& instr : code) {
          if (instr.partitions == 0 || !halve(instr.*size, 1)) continue;
          any = true;
          if (instr.*size == 1)
            for (auto* operand : {&instr.src0, &instr.src1, &instr.dst}) operand->*by = 0;
        }
      return any;
    };
  };
  const std::vector<Change> changes{each_instr(&defs::Instr::size0, &defs::Operand::stride0),
                                    each_instr(&defs::Instr::size1, &defs::Operand::stride1),
                                    each_instr(&defs::Instr::size2, &defs::Operand::stride2),
                                    each_instr(&defs::Instr::size3, &defs::Operand::stride3),
                                    [&](Image& image) {
                                      bool any = false;
                                      for (auto& code : image.code)
                                        for (auto& instr : code)
                                          any |= instr.partitions && halve(instr.partitions, 1);
                                      return any;
                                    },
                                    [&](Image& image) {
                                      bool any = false;
                                      for (auto& ring : image.moves)
                                        for (auto& d : ring) any |= halve(d.rows, 1);
                                      return any;
                                    },
                                    [&](Image& image) {
                                      bool any = false;
                                      for (auto& ring : image.moves)
                                        for (auto& d : ring) any |= halve(d.row_bytes, 4);
                                      return any;
                                    }};
  for (const Change& change : changes)
    for (Image candidate = image_; left() && change(candidate); candidate = image_)
      if (!accept(candidate, options_)) break;
  say("smaller tiles");
}

}  // namespace tb
