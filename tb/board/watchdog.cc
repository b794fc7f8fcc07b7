// SPDX-License-Identifier: Apache-2.0
#include "tb/board/watchdog.h"

#include <fmt/format.h>

#include <algorithm>

#include "cmodel/program/disassemble.h"

namespace tb {
namespace {

/// Running sequencers all wait, and everything else of the chip is at rest.
bool only_waits(const Chip& chip) {
  const ChipState& state = chip.state();
  if (!state.fabric_quiet() || !state.host_quiet()) return false;
  for (unsigned core = 0; core < defs::kCores; ++core) {
    if (state.busy_engines(core) || state.dma_busy(core)) return false;
    for (unsigned i = 0; i < defs::kSequencers; ++i) {
      const SequencerState at = state.sequencer(core, i);
      if (at.running() && !at.waits(state.semaphore(at.instr.wait_sem))) return false;
    }
  }
  return true;
}

std::string sequencers(const Chip& chip, const cmodel::Board& model) {
  std::string text;
  for (unsigned core = 0; core < defs::kCores; ++core)
    for (unsigned i = 0; i < defs::kSequencers; ++i) {
      const SequencerState at = chip.state().sequencer(core, i);
      if (!at.running()) continue;
      const unsigned value = chip.state().semaphore(at.instr.wait_sem);
      text += fmt::format("  chip {} core {} {} pc {}: ", chip.id(), core, cmodel::engine_name(i),
                          at.pc);
      if (at.waits(value))
        text += fmt::format("waits for semaphore {}, is {}; ", cmodel::wait_text(at.instr), value);
      else if (at.in_flight)
        text += "an engine has not finished; ";
      else if (!at.fetched)
        text += "waits for instructions from HBM; ";
      text += fmt::format("next: {}\n", model.disassemble(chip.id(), core, i, at.pc));
    }
  return text;
}

std::string dma_engines(const Chip& chip, const cmodel::Board& model) {
  std::string text;
  for (unsigned core = 0; core < defs::kCores; ++core)
    for (unsigned e = 0; e < built_sizes().dma_engines; ++e) {
      const DmaState dma = chip.state().dma(core, e);
      if (!dma.work) continue;
      cmodel::StreamId id;
      id.chip = static_cast<std::uint8_t>(chip.id());
      id.core = static_cast<std::uint8_t>(core);
      id.engine = static_cast<std::uint8_t>(static_cast<unsigned>(defs::Engine::Dma0) + e);
      text += fmt::format("  chip {} core {} DMA {}: {} descriptors left, {} {}: {}\n", chip.id(),
                          core, e, dma.pending, dma.moves ? "moves" : "waits for", dma.pc,
                          model.disassemble(id, dma.pc));
    }
  return text;
}

/// Credits that are not home, and flits that stand in receive buffers.
std::string fabric(const Chip& chip) {
  std::string text;
  const ChipState& state = chip.state();
  for (unsigned port = 0; port < defs::kLinkPorts; ++port)
    for (unsigned vc = 0; vc < defs::kVirtualChannels; ++vc)
      if (const auto left = state.credits(port, vc).value(); left != kVnDepth[vc / 2])
        text += fmt::format("  chip {} link {} VN {} class {}: {} of {} credits\n", chip.id(), port,
                            vc / 2, vc % 2, left, kVnDepth[vc / 2]);
  for (unsigned queue = 0; queue < defs::kLinkPorts * defs::kVcClasses; ++queue)
    for (unsigned vn = 0; vn < defs::kVirtualNets; ++vn)
      if (const auto flits = state.flits_waiting(queue / 2, 2 * vn + queue % 2))
        text += fmt::format("  chip {} link {} VN {} class {}: {} flits in the receive buffer\n",
                            chip.id(), queue / 2, vn, queue % 2, flits);
  return text;
}

}  // namespace

std::string busy_parts(const Chip& chip) {
  const ChipState& state = chip.state();
  std::string text;
  const auto say = [&](const std::string& what) {
    text += fmt::format("  chip {} {}\n", chip.id(), what);
  };
  if (!state.host_quiet()) say("host port: requests or answers left");
  if (!state.semaphores_quiet()) say("semaphores: an update left");
  if (!chip.hbm().idle()) say("HBM: answers not taken");
  for (unsigned core = 0; core < defs::kCores; ++core) {
    const unsigned busy = state.busy_engines(core);
    for (unsigned i = 0; i < defs::kSequencers; ++i)
      if (busy >> i & 1) say(fmt::format("core {} {} engine: busy", core, cmodel::engine_name(i)));
    if (state.dma_busy(core)) say(fmt::format("core {} DMA: descriptors or data left", core));
    for (unsigned i = 0; i < defs::kSequencers; ++i)
      if (state.sequencer(core, i).running())
        say(fmt::format("core {} {} sequencer: running", core, cmodel::engine_name(i)));
  }
  if (!state.fabric_quiet()) {
    say("fabric: packets left or credits not home");
    text += fabric(chip);
  }
  return text;
}

std::uint64_t Watchdog::next_look(std::uint64_t now, Last last) const {
  std::uint64_t next = UINT64_MAX;
  for (std::uint64_t at : {last.movement + stall(), last.progress + settings_.hang_cycles})
    if (at > now) next = std::min(next, at);
  if (settings_.timeout_cycles > now) next = std::min(next, settings_.timeout_cycles);
  return next;
}

Watchdog::Verdict Watchdog::look(std::uint64_t now, Last last,
                                 const std::vector<std::unique_ptr<Chip>>& chips, const Host& host,
                                 const cmodel::Board& model) const {
  Verdict verdict;
  // Only at the exact cycles of next_look(), so that the verdict does not depend on the window.
  const bool timeout = settings_.timeout_cycles && now >= settings_.timeout_cycles;
  const bool hung = now >= last.progress + settings_.hang_cycles;
  if (!timeout && !hung && now != last.movement + stall()) return verdict;
  if (!timeout && host.phase() == Host::Phase::Done) return verdict;  // ends by itself
  const bool all_wait =
      std::all_of(chips.begin(), chips.end(), [](const auto& chip) { return only_waits(*chip); });
  if (!timeout && (all_wait || hung) && !host.errors().empty() &&
      host.phase() < Host::Phase::Reading) {
    verdict.give_up = true;
    return verdict;
  }
  if (!timeout && !all_wait && !hung) return verdict;

  verdict.hang =
      timeout    ? fmt::format("not finished after {} fabric cycles\n", now)
      : all_wait ? fmt::format("hang: every engine waits since fabric cycle {}\n", last.movement)
      : now >= last.movement + settings_.hang_cycles
          ? fmt::format("hang: nothing has moved for {} fabric cycles\n", now - last.movement)
          : fmt::format("hang: nothing was committed for {} fabric cycles; flits moved up to {}\n",
                        now - last.progress, last.movement);
  verdict.hang += fmt::format("  the host waits for {}\n", host.waiting_for());
  for (const auto& chip : chips) verdict.hang += sequencers(*chip, model);
  for (const auto& chip : chips) verdict.hang += dma_engines(*chip, model);
  for (const auto& chip : chips)
    if (!chip->quiet()) verdict.hang += busy_parts(*chip);
  return verdict;
}

}  // namespace tb
