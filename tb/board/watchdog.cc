// SPDX-License-Identifier: Apache-2.0
#include "tb/board/watchdog.h"

#include <fmt/format.h>

#include <algorithm>

#include "cmodel/program/disassemble.h"

namespace tb {
namespace {

constexpr unsigned kRunning = 1;  // sequencer.sv: state_e
constexpr std::string_view kSequencerName[] = {"Tensor", "Vector", "Act", "Sync"};

std::string sequencer_place(unsigned core, unsigned index, std::string_view name) {
  return fmt::format("u_core{}.gen_seq[{}].u_sequencer.{}", core, index, name);
}

/// The instruction that a running sequencer has at hand, as far as it has one.
struct AtHand {
  bool running = false, valid = false, in_flight = false;
  std::uint32_t pc = 0;
  defs::Instr instr;
  unsigned value = 0;  ///< of the semaphore it names

  bool waits() const {
    if (!valid || in_flight) return false;
    switch (static_cast<defs::WaitOp>(instr.wait_op)) {
      case defs::WaitOp::Ge:
        return value < instr.wait_value;
      case defs::WaitOp::Eq:
        return value != instr.wait_value;
      default:
        return false;
    }
  }
};

AtHand at_hand(const Chip& chip, unsigned core, unsigned index) {
  const Probe& probe = chip.probe();
  const auto reg = [&](std::string_view name) {
    return probe.at(sequencer_place(core, index, name));
  };
  AtHand at;
  at.running = reg("state_q").value() == kRunning;
  if (!at.running) return at;
  at.pc = static_cast<std::uint32_t>(reg("pc_q").value());
  at.in_flight = reg("head_valid").value();
  at.valid = reg("u_fetch.instr_valid_q").value();
  defs::Instr::Words words;
  const Register instr = reg("u_fetch.instr_q");
  for (unsigned i = 0; i < words.size(); ++i)
    words[i] = static_cast<std::uint32_t>(instr.get(0, 32 * i, 32));
  at.instr = defs::Instr::from(words);
  at.value = static_cast<unsigned>(probe.at("u_semaphores.value_q").get(at.instr.wait_sem, 0, 16));
  return at;
}

/// Running sequencers all wait, and everything else of the chip is at rest.
bool only_waits(const Chip& chip) {
  const Probe& probe = chip.probe();
  if (!probe.at("fabric_quiet").value() || !probe.at("host_quiet").value()) return false;
  for (unsigned core = 0; core < defs::kCores; ++core) {
    if (probe.at(fmt::format("u_core{}.busy", core)).value()) return false;
    if (probe.at(fmt::format("u_core{}.dma_busy", core)).value()) return false;
    for (unsigned i = 0; i < defs::kSequencers; ++i) {
      const AtHand at = at_hand(chip, core, i);
      if (at.running && !at.waits()) return false;
    }
  }
  return true;
}

std::string sequencers(const Chip& chip, const cmodel::Board& model) {
  std::string text;
  for (unsigned core = 0; core < defs::kCores; ++core)
    for (unsigned i = 0; i < defs::kSequencers; ++i) {
      const AtHand at = at_hand(chip, core, i);
      if (!at.running) continue;
      text +=
          fmt::format("  chip {} core {} {} pc {}: ", chip.id(), core, kSequencerName[i], at.pc);
      if (at.waits())
        text += fmt::format(
            "waits for semaphore {} {} {}, is {}; ", cmodel::semaphore_name(at.instr.wait_sem),
            at.instr.wait_op == static_cast<unsigned>(defs::WaitOp::Ge) ? ">=" : "==",
            at.instr.wait_value, at.value);
      else if (at.in_flight)
        text += "an engine has not finished; ";
      else if (!at.valid)
        text += "waits for instructions from HBM; ";
      text += fmt::format("next: {}\n", model.disassemble(chip.id(), core, i, at.pc));
    }
  return text;
}

std::string dma_engines(const Chip& chip, const cmodel::Board& model) {
  std::string text;
  for (unsigned core = 0; core < defs::kCores; ++core) {
    const auto reg = [&](std::string_view name) {
      return chip.probe().at(fmt::format("u_core{}.u_dma.u_engines.{}", core, name));
    };
    for (unsigned e = 0; e < built_sizes().dma_engines; ++e) {
      if (!reg("work_q").bit(0, e)) continue;
      cmodel::StreamId id;
      id.chip = static_cast<std::uint8_t>(chip.id());
      id.core = static_cast<std::uint8_t>(core);
      id.engine = static_cast<std::uint8_t>(static_cast<unsigned>(defs::Engine::Dma0) + e);
      const auto pc = static_cast<std::uint32_t>(reg("pc_q").get(e, 0, 32));
      text += fmt::format("  chip {} core {} DMA {}: {} descriptors left, {} {}: {}\n", chip.id(),
                          core, e, reg("pending_q").get(e, 0, 16),
                          reg("running_q").bit(0, e) ? "moves" : "waits for", pc,
                          model.disassemble(id, pc));
    }
  }
  return text;
}

constexpr unsigned kVnDepth[] = {defs::kVnDepth0, defs::kVnDepth1, defs::kVnDepth2,
                                 defs::kVnDepth3};

/// Credits that are not home, and flits that stand in receive buffers.
std::string fabric(const Chip& chip) {
  std::string text;
  const Probe& probe = chip.probe();
  for (unsigned port = 0; port < defs::kLinkPorts; ++port)
    for (unsigned vc = 0; vc < defs::kVirtualChannels; ++vc) {
      const auto left =
          probe
              .at(fmt::format("u_fabric.u_router.gen_out[{}].gen_vc[{}].u_credit.available_o", port,
                              vc))
              .value();
      if (left != kVnDepth[vc / 2])
        text += fmt::format("  chip {} link {} VN {} class {}: {} of {} credits\n", chip.id(), port,
                            vc / 2, vc % 2, left, kVnDepth[vc / 2]);
    }
  for (unsigned queue = 0; queue < defs::kLinkPorts * defs::kVcClasses; ++queue) {
    const Register counts = probe.at(fmt::format(
        "u_fabric.u_router.gen_port[{}].gen_class[{}].u_input.count_q", queue / 2, queue % 2));
    for (unsigned vn = 0; vn < defs::kVirtualNets; ++vn)
      if (const auto flits = counts.get(0, 7 * vn, 7))
        text += fmt::format("  chip {} link {} VN {} class {}: {} flits in the receive buffer\n",
                            chip.id(), queue / 2, vn, queue % 2, flits);
  }
  return text;
}

}  // namespace

std::string busy_parts(const Chip& chip) {
  const Probe& probe = chip.probe();
  std::string text;
  const auto say = [&](const std::string& what) {
    text += fmt::format("  chip {} {}\n", chip.id(), what);
  };
  if (!probe.at("host_quiet").value()) say("host port: requests or answers left");
  if (!probe.at("semaphores_quiet").value()) say("semaphores: an update left");
  if (!chip.hbm().idle()) say("HBM: answers not taken");
  for (unsigned core = 0; core < defs::kCores; ++core) {
    const std::uint64_t busy = probe.at(fmt::format("u_core{}.busy", core)).value();
    for (unsigned i = 0; i < defs::kSequencers; ++i)
      if (busy >> i & 1) say(fmt::format("core {} {} engine: busy", core, kSequencerName[i]));
    if (probe.at(fmt::format("u_core{}.dma_busy", core)).value())
      say(fmt::format("core {} DMA: descriptors or data left", core));
    for (unsigned i = 0; i < defs::kSequencers; ++i)
      if (probe.at(sequencer_place(core, i, "state_q")).value() == kRunning)
        say(fmt::format("core {} {} sequencer: running", core, kSequencerName[i]));
  }
  if (!probe.at("fabric_quiet").value()) {
    say("fabric: packets left or credits not home");
    text += fabric(chip);
  }
  return text;
}

std::uint64_t Watchdog::next_look(std::uint64_t now, std::uint64_t last_progress) const {
  std::uint64_t next = UINT64_MAX;
  for (std::uint64_t distance : {stall(), options_.hang_cycles})
    if (last_progress + distance > now) next = std::min(next, last_progress + distance);
  if (options_.timeout_cycles > now) next = std::min(next, options_.timeout_cycles);
  return next;
}

Watchdog::Verdict Watchdog::look(std::uint64_t now, std::uint64_t last_progress,
                                 const std::vector<std::unique_ptr<Chip>>& chips, const Host& host,
                                 const cmodel::Board& model) const {
  Verdict verdict;
  // Only at the exact cycles of next_look(), so that the verdict does not depend on the window.
  const bool timeout = options_.timeout_cycles && now >= options_.timeout_cycles;
  const bool hung = now >= last_progress + options_.hang_cycles;
  if (!timeout && !hung && now != last_progress + stall()) return verdict;
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
      timeout ? fmt::format("not finished after {} fabric cycles\n", now)
      : all_wait
          ? fmt::format("hang: every engine waits since fabric cycle {}\n", last_progress)
          : fmt::format("hang: nothing has moved for {} fabric cycles\n", now - last_progress);
  verdict.hang += fmt::format("  the host waits for {}\n", host.waiting_for());
  for (const auto& chip : chips) verdict.hang += sequencers(*chip, model);
  for (const auto& chip : chips) verdict.hang += dma_engines(*chip, model);
  for (const auto& chip : chips)
    if (!chip->quiet()) verdict.hang += busy_parts(*chip);
  return verdict;
}

}  // namespace tb
