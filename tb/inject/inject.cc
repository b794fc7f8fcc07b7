// SPDX-License-Identifier: Apache-2.0
// Picks the target, waits for the moment, and judges what became of the fault.
#include "tb/inject/inject.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "tb/base/exit_status.h"
#include "tb/inject/injector.h"

namespace tb {
namespace {

using namespace inject;

constexpr unsigned kDraws = 32;  // places tried in one cycle

/// The chip whose network interface dropped a damaged packet. Empty if there was none.
std::string made_good(const nlohmann::ordered_json& counters) {
  for (const auto& chip : counters.at("chips"))
    if (const auto damaged = chip.at("Damaged").get<unsigned>())
      return fmt::format(
          "the end-to-end check of chip {} dropped {}; its flow was sent again, or, "
          "an acknowledgement, followed by another",
          chip.at("chip").get<unsigned>(),
          damaged == 1 ? "a packet" : fmt::format("{} packets", damaged));
  return {};
}

}  // namespace

Injector::Impl::Impl(std::uint32_t seed, const cmodel::Program& prog, const Site& which,
                     const std::vector<bool>& models)
    : program(prog), site(which), random(seed, which.name) {
  cmodel::BoardOptions board_options;
  board_options.track_liveness = true;
  oracle = std::make_unique<cmodel::Board>(built_sizes(), program, census, board_options);
  oracle->load();
  oracle->run();

  // Chips and cores where the site is in use, and how much each chip does.
  std::vector<std::pair<unsigned, unsigned>> candidates;
  std::map<std::pair<unsigned, unsigned>, std::uint64_t> work;
  for (const auto& [key, stream] : census.streams) {
    const auto& [id, semaphore] = key;
    if (!entry_of(site.name).used(id, semaphore) || models[id.chip]) continue;
    const std::pair<unsigned, unsigned> place{id.chip, id.core};
    work[place] += stream.all;
    if (candidates.empty() || candidates.back() != place) candidates.push_back(place);
  }
  if (candidates.empty())
    throw Refused(kBadInput,
                  fmt::format("--inject is \"{}\"; this program does not use it on a chip in RTL: "
                              "allowed another site, program or --rtl",
                              site.name));
  std::tie(chip_id, core) = candidates[random.below(candidates.size())];
  arm_at = work[{chip_id, core}] * random.below(700) / 1000;
  if (entry_of(site.name).block == "tensor_array") trails.emplace(chip_id, core);
}

void Injector::Impl::hook(Chip& chip, std::uint64_t core_cycle) {
  const auto& commits = chip.commits();
  last_row.reset();
  for (; seen < commits.total(); ++seen) {
    const auto& entry = commits.entries()[commits.entries().size() - (commits.total() - seen)];
    const auto& id = entry.commit.stream;
    // Where the streams stand at the fault: what was to come then is looked at after the run.
    if (!done && entry.commit.kind != cmodel::CommitKind::Semaphore) ++positions[id];
    const bool semaphore = entry.commit.kind == cmodel::CommitKind::Semaphore;
    if (id.core == core && entry_of(site.name).used(id, semaphore)) ++done_commits;
    if (entry.commit.kind == cmodel::CommitKind::PsumRow && id.engine == kTensor && id.core == core)
      last_row = entry;
  }
  if (trails) trails->step(chip);
  if (done && done->hold && done->hold(chip)) chip.settle();
  if (done || done_commits < arm_at || done_commits == 0) return;
  // Several draws: few places of a big array are live at a time.
  for (unsigned draw = 0; draw < kDraws && !done; ++draw)
    done = (this->*entry_of(site.name).attempt)(chip);
  if (!done) return;
  const std::string_view block = entry_of(site.name).block;
  if (block != "fabric" && block != "semaphores") done->core = core;
  cycle = core_cycle;
  chip.settle();
}

/// Why a fault in a cell of this core need not show: the model's next access to it. Empty: it must.
std::string Injector::Impl::dead(cmodel::Cell::Memory memory, unsigned partition,
                                 std::uint64_t addr) const {
  const cmodel::Cell cell{memory, static_cast<std::uint8_t>(chip_id),
                          static_cast<std::uint8_t>(core), static_cast<std::uint16_t>(partition),
                          addr};
  const auto next = oracle->liveness().next_access(cell, positions);
  // Every commit was compared: what was made of it is right. ReLU hides much, rounding more.
  if (next.kind == cmodel::NextAccess::Kind::Read)
    return to_string(next) + ", which makes the same of it";
  if (oracle->live(cell, positions)) return {};
  return to_string(next);
}

Injector::Injector(std::string_view site, std::uint32_t seed, const cmodel::Program& program,
                   const std::vector<bool>& models)
    : impl_(std::make_unique<Impl>(seed, program, entry_of(site).site, models)) {}
Injector::~Injector() = default;

void Injector::arm(Board& board) {
  board.chip(impl_->chip_id).add_hook([this](Chip& chip, std::uint64_t cycle) {
    impl_->hook(chip, cycle);
  });
}

void Injector::judge(Outcome& outcome, nlohmann::ordered_json& metrics) {
  nlohmann::ordered_json report;
  report["site"] = impl_->site.name;
  report["chip"] = impl_->chip_id;
  report["block"] = entry_of(impl_->site.name).block;
  std::string verdict = "detected", why;
  if (!impl_->done) {
    verdict = "none";
    why = "no live moment came behind the seeded one: nothing was injected";
    if (outcome.status == Outcome::Status::Passed) {
      outcome.status = Outcome::Status::Failed;
      outcome.report += why + "\n";
    }
  } else {
    report["cycle"] = impl_->cycle;
    report["place"] = impl_->done->place;
    if (impl_->done->core) report["core"] = *impl_->done->core;
    if (outcome.status == Outcome::Status::Passed) {
      why = impl_->done->why();
      verdict = why.empty() ? "missed" : "masked";
      if (const std::string how = made_good(metrics.at("fabric")); !how.empty()) {
        why = how;
        verdict = "corrected";
      }
    }
  }
  if (verdict == "missed") {
    outcome.status = Outcome::Status::Failed;
    outcome.report +=
        fmt::format("injected fault was missed: chip {} {}\n", impl_->chip_id, impl_->done->place);
  }
  report["outcome"] = verdict;
  report["why"] = why;
  metrics["inject"] = report;
}

}  // namespace tb
