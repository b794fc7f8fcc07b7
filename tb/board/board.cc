// SPDX-License-Identifier: Apache-2.0
#include "tb/board/board.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <chrono>
#include <cstring>

#include "cmodel/board/provenance.h"
#include "cmodel/program/disassemble.h"
#include "rtl/defs/gen/rates.h"
#include "tb/base/interrupt.h"
#include "tb/board/watchdog.h"
#include "tb/check/final_memories.h"
#include "tb/dut/wave_error.h"

namespace tb {
namespace {

const sc_core::sc_time kFabricPeriod(1000.0 / defs::kFabricMhz, sc_core::SC_NS);

// Windows behind the one in which something went wrong: how far does it spread?
constexpr unsigned kRunOn = 4;

std::uint32_t power_on_seed(std::uint32_t seed, unsigned chip) {
  const std::uint32_t key[2] = {seed, chip};
  return static_cast<std::uint32_t>(XXH3_64bits(key, sizeof(key)));
}

}  // namespace

Board::Board(sc_core::sc_module_name name, const Settings& settings, const Wiring& wiring,
             const cmodel::Program& program, const std::filesystem::path& wave_dir,
             const PortAccesses& accesses, cmodel::Executed executed, cmodel::Copied copied)
    : sc_module(name),
      settings_(settings),
      program_(program),
      wiring_(wiring),
      issues_(program.chips),
      scoreboard_(built_sizes(), program,
                  {.executed = std::move(executed),
                   .copied = std::move(copied),
                   .detect_races = settings.races}),
      workers_(std::min(settings.threads, program.chips)),
      delivered_(program.chips) {
  const unsigned n = program.chips;
  // By receiver: what a chip hears on its ports.
  std::vector<ChipWires> wires(n);
  for (unsigned i = 0; i < n; ++i)
    for (unsigned port = 0; port < wiring_.cables.ports(); ++port) {
      if (!wiring_.cables.wired({i, port})) continue;
      links_.push_back(std::make_unique<Link>(settings.link_latency, settings.link_ber,
                                              std::uint64_t{settings.seed} << 32 | links_.size()));
      const fabric::End far = wiring_.cables.peer({i, port});
      wires[i].tx[port] = links_.back().get();
      by_sender_[{i, port}] = links_.back().get();
      wires[far.chip].rx[far.port] = links_.back().get();
    }
  std::vector<HostRequests*> requests;
  std::vector<const HostResponses*> responses;
  for (unsigned i = 0; i < n; ++i) {
    host_requests_.push_back(std::make_unique<HostRequests>(settings.link_latency));
    host_responses_.push_back(std::make_unique<HostResponses>(settings.link_latency));
    requests.push_back(host_requests_.back().get());
    responses.push_back(host_responses_.back().get());
  }
  // Rejections are commits; the model knows nothing of registers.
  for (const auto* list : {&accesses.before, &accesses.after})
    for (const PortAccess& access : *list)
      if (access.refusal != defs::ErrorCause::None)
        scoreboard_.model().host_rejected(access.chip, access.refusal);
  for (unsigned i = 0; i < n; ++i) {
    wires[i].host_req = host_requests_[i].get();
    wires[i].host_rsp = host_responses_[i].get();
    chips_.push_back(
        std::make_unique<Chip>(i, n, power_on_seed(settings.seed, i), wires[i],
                               wiring.models[i] ? Chip::Inside::Model : Chip::Inside::Rtl));
    Chip& chip = *chips_.back();
    chip.set_hbm_latency(settings.hbm_latency);
    IssueCheck& issues = issues_[i];
    issues.load(program, i);
    issues.set_registers([&chip](unsigned semaphore) { return chip.state().semaphore(semaphore); });
    chip.set_issue_sink(issues);
    chip.add_hook([&issues](const Chip& chip, std::uint64_t cycle) {
      issues.end_cycle(cycle, chip.commits());
    });
    if (settings.traces(i) && !wiring.models[i])
      record_waves(i, wave_dir, settings.wave_first, settings.wave_last);
  }
  std::vector<Chip*> back_door;
  if (door_of(settings, program) == Door::Back)
    for (const auto& chip : chips_) back_door.push_back(chip.get());
  host_ = std::make_unique<Host>(program, requests, responses, wiring_, accesses, back_door);
  if (wiring_.leave) host_->leave_cable(wiring_.leave->first, wiring_.leave->second);
  for (const CableFault& fault : settings.cable_faults) {
    const std::uint64_t cycle = (fault.cycle + 1) / defs::kFabricDivide;
    const fabric::End end = wiring_.cables.between(fault.from, fault.to);
    if (fault.lane >= 0) {
      by_sender_[end]->stick(static_cast<unsigned>(fault.lane), cycle);
      continue;
    }
    by_sender_[end]->silence(cycle);
    by_sender_[wiring_.cables.peer(end)]->silence(cycle);
  }
  SC_HAS_PROCESS(Board);
  SC_THREAD(run);
  // Model, comparison and one of the workers live on this stack; SystemC's default is too small.
  set_stack_size(16 << 20);
}

void Board::record_waves(unsigned chip, const std::filesystem::path& dir, std::uint64_t first,
                         std::uint64_t last) {
  chips_[chip]->record_waves(dir / fmt::format("chip{:02}.fst", chip), first, last);
}

std::uint64_t Board::last_progress() const {
  std::uint64_t last = host_->last_progress();
  for (const auto& chip : chips_) last = std::max(last, chip->last_progress());
  return last;
}

std::uint64_t Board::last_movement() const {
  std::uint64_t last = host_->last_movement();
  for (const auto& chip : chips_) last = std::max(last, chip->last_movement());
  return last;
}

void Board::window(std::uint64_t limit) {
  const auto cycles =
      static_cast<unsigned>(std::min<std::uint64_t>(settings_.window, limit - now_));
  for (auto& chip : chips_) chip->prepare_window(now_, cycles);
  workers_.run(chips(), [&](unsigned i) { chips_[i]->run_window(now_, cycles); });
  host_->run(now_, cycles);
  now_ += cycles;
  wait(cycles * kFabricPeriod);
  for (auto& chip : chips_) {
    scoreboard_.check(chip->commits());
    if (observer_) observer_(*chip);
    count_messages(*chip);
    chip->commits().clear();
    chip->events().clear();
  }
}

void Board::count_messages(const Chip& chip) {
  const bool rerouted = host_->reroute().switches() != 0;
  for (const auto& entry : chip.commits().entries()) {
    if (entry.commit.kind != cmodel::CommitKind::Message) continue;
    defs::Header::Words words;
    std::memcpy(words.data(), chip.commits().data(entry).data(), sizeof(words));
    const auto header = defs::Header::unpack(words.data());
    delivered_[chip.id()].bytes[header.lport] += header.bytes;
    ++delivered_[chip.id()].packets[header.vn];
    if (rerouted)
      packets_rerouted_ += host_->reroute().rerouted(entry.commit.stream.src, chip.id(),
                                                     entry.cycle / defs::kFabricDivide);
  }
}

void Board::stop(Outcome::Status status, std::string report) {
  outcome_.status = status;
  outcome_.report = std::move(report);
}

// The earliest of what can go wrong inside a window.
bool Board::broken() {
  const Chip* faulty = nullptr;
  for (const auto& chip : chips_)
    if (!chip->fault().empty() && (!faulty || chip->fault_cycle() < faulty->fault_cycle()))
      faulty = chip.get();
  const auto& divergence = scoreboard_.divergence();
  outcome_.mismatches = scoreboard_.mismatch_count();
  if (divergence && (!faulty || divergence->cycle <= faulty->fault_cycle()))
    stop(Outcome::Status::Failed, to_text(*divergence, built_sizes()));
  else if (faulty) {
    outcome_.faulty_chip = faulty->id();
    stop(Outcome::Status::Failed, faulty->fault() + "\n");
  } else if (!host_->fault().empty()) {
    outcome_.wrong_answer = host_->wrong_answer();
    stop(Outcome::Status::Failed, host_->fault() + "\n");
  } else {
    return false;
  }
  return true;
}

void Board::run() {
  const auto start = std::chrono::steady_clock::now();
  Watchdog watchdog(settings_);
  for (;;) {
    const auto done = host_->done_cycle();
    const std::uint64_t end = done ? *done + settings_.link_latency : UINT64_MAX;
    if (now_ == end) {
      at_the_end();
      break;
    }
    if (between_ && between_()) {
      workers_.rebuild();
      observer_ = nullptr;
      between_ = nullptr;
    }
    window(std::min(end, watchdog.next_look(now_, {last_progress(), last_movement()})));
    if (interrupted()) {
      stop(Outcome::Status::Interrupted,
           fmt::format("interrupted: {}\n", strsignal(interrupted())));
      break;
    }
    if (wave_error()) {
      stop(Outcome::Status::Failed, "the waves cannot be written\n");
      break;
    }
    if (defs::kFabricDivide * now_ > settings_.wave_last) {
      stop(Outcome::Status::Failed, "ended behind the wave window\n");
      break;
    }
    if (broken()) {
      for (unsigned i = 0; i < kRunOn && now_ < end && !outcome_.faulty_chip; ++i) window(end);
      broken();
      break;
    }
    const auto verdict = watchdog.look(now_, {last_progress(), last_movement()}, chips_, *host_,
                                       scoreboard_.model());
    if (verdict.give_up) host_->give_up_waiting();
    if (!verdict.hang.empty()) {
      stop(Outcome::Status::Hang, verdict.hang);
      break;
    }
  }
  outcome_.cycles = now_;
  outcome_.start_cycle = host_->start_cycle();
  outcome_.end_cycle = host_->end_cycle();
  outcome_.wall_s = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void Board::at_the_end() {
  std::string report;
  const std::string left = scoreboard_.finish();
  if (!left.empty()) report += "commits are missing at the end:\n" + left;
  // Behind an error, chips may rightly wait for ever; without one they must all be at rest.
  if (host_->errors().empty())
    for (const auto& chip : chips_)
      if (!chip->quiet())
        report +=
            fmt::format("chip {} is not quiet at the end:\n{}", chip->id(), busy_parts(*chip));
  report += early_issues();
  const auto [lines, first] = wrong_reports(host_->errors(), scoreboard_.model());
  outcome_.wrong_report = first;
  report += lines;
  report += wrong_violations();
  std::string counts;
  for (unsigned chip = 0; chip < chips(); ++chip)
    for (unsigned core = 0; core < defs::kCores; ++core) {
      const auto wrong = scoreboard_.check_counts(chip, core, host_->counts()[chip][core]);
      if (!wrong.empty() && !outcome_.wrong_counter) outcome_.wrong_counter = {chip, core};
      counts += wrong;
    }
  if (host_->errors().empty()) {
    const auto [wrong, chip] = wrong_fabric_counts(*this, !settings_.inject.empty());
    outcome_.wrong_fabric_count = chip;
    if (!wrong.empty()) report += "counters of the fabric are wrong:\n" + wrong;
  }
  if (!counts.empty()) report += "counters of the tensor engines are wrong:\n" + counts;
  if (scoreboard_.commits_checked() == 0) report += "nothing was checked\n";
  std::size_t index = 0;
  for (const auto& region : program_.regions) {
    std::vector<std::uint8_t> expected(region.bytes);
    scoreboard_.model().read(region.chip, region.addr, expected);
    const auto& actual = host_->regions()[index++];
    const auto [at, other] = std::mismatch(actual.begin(), actual.end(), expected.begin());
    if (at == actual.end()) continue;
    ++outcome_.mismatches;
    if (!outcome_.wrong_region)
      outcome_.wrong_region = {region.chip,
                               region.addr + static_cast<std::uint64_t>(at - actual.begin())};
    report += fmt::format("region {} of chip {}, byte {}: expected {:#04x}, read back {:#04x}\n",
                          region.name, region.chip, at - actual.begin(), *other, *at);
  }
  // What was read back wrongly may lie right in memory: whose fault it is depends on that.
  if (report.empty() || outcome_.wrong_region) report += wrong_memories();
  if (report.empty())
    for (auto& chip : chips_) {
      chip->finish();
      if (!chip->fault().empty()) report += chip->fault() + "\n";
    }
  stop(report.empty() ? Outcome::Status::Passed : Outcome::Status::Failed, report);
}

std::string Board::wrong_memories() {
  std::string text;
  for (const auto& chip : chips_) {
    if (const auto wrong = issues_[chip->id()].wrong_value_at_rest(); wrong && !chip->is_model())
      text += fmt::format("at the end chip {} {}\n", chip->id(), to_string(*wrong));
    const auto wrong = wrong_byte(*chip, scoreboard_.model().machine(chip->id()));
    if (!wrong) continue;
    ++outcome_.mismatches;
    if (!outcome_.wrong_byte) outcome_.wrong_byte = wrong->cell;
    text +=
        fmt::format("at the end {} is {:#04x}, expected {:#04x}\n",
                    cmodel::to_string(built_sizes(), wrong->cell), wrong->actual, wrong->expected);
  }
  return text;
}

std::string Board::early_issues() const {
  std::string text;
  for (unsigned chip = 0; chip < chips(); ++chip)
    for (const EarlyIssue& early : issues_[chip].early())
      text += fmt::format("chip {} core {} {} pc {} went in core cycle {}: it {}\n", chip,
                          early.core, cmodel::engine_name(early.sequencer), early.pc, early.cycle,
                          to_string(early));
  return text;
}

std::string Board::wrong_violations() {
  const auto& forbidden = scoreboard_.model().forbidden();
  std::string text;
  std::uint64_t sum = 0;
  for (unsigned chip = 0; chip < host_->violations().size(); ++chip) {
    const auto& notified = host_->violations()[chip];
    sum += notified.count;
    if (notified.count == 0) continue;
    const auto first = notified.first();
    // A key that nobody admits comes no further than to the next chip. Behind the packet that
    // ended a flow others were under way: of those, any may be a chip's first.
    const bool stranger = std::ranges::count(program_.keys, first.pkey) == 0;
    if (!std::ranges::any_of(forbidden, [&](const defs::Header& header) {
          return header.src == first.src && header.dst == first.dst && header.vn == first.vn &&
                 header.pkey == first.pkey && (stranger ? chip != header.src : chip == header.dst);
        }))
      text += fmt::format("chip {} counts {} forbidden packets, the first from chip {} to {}: {}\n",
                          chip, notified.count, first.src, first.dst, "none of the program's");
  }
  if (sum < forbidden.size())
    text += fmt::format("{} forbidden packets were counted, there were at least {}\n", sum,
                        forbidden.size());
  return text;
}

std::uint64_t Board::link_hash() const {
  std::vector<std::uint64_t> hashes;
  for (const auto& link : links_) hashes.push_back(link->hash());
  return XXH3_64bits(hashes.data(), hashes.size() * sizeof(std::uint64_t));
}

defs::LinkStatus Board::link_status(unsigned chip, unsigned port) const {
  return chips_[chip]->state().link_status(port);
}

LinkTotals Board::link_totals() const {
  LinkTotals sum;
  for (unsigned chip = 0; chip < chips_.size(); ++chip)
    for (unsigned port = 0; port < defs::kLinkPorts; ++port) {
      const defs::LinkStatus status = link_status(chip, port);
      sum.flits += status.flits;
      sum.replays += status.replays;
      sum.failures += status.failures;
      sum.retrains += status.retrains;
      sum.degraded_cycles += status.degraded;
      sum.dead += status.state == static_cast<unsigned>(defs::LinkState::Dead);
      sum.dropped += status.dropped;
    }
  return sum;
}

}  // namespace tb
