// SPDX-License-Identifier: Apache-2.0
#include "tb/dut/golden/golden_probe.h"

#include <fmt/format.h>

namespace tb {
namespace {

/// `count` elements of `bits` bits. Registers are for reading; only injection writes, and never
/// here.
template <class Element>
Register copy_at(const Element& first, unsigned bits, std::size_t count = 1) {
  return {const_cast<Element*>(&first), bits, sizeof(Element), count};
}

}  // namespace

GoldenProbe::GoldenProbe(const defs::Sizes& sizes, const GoldenChip& golden,
                         const Probe::Finder& rtl)
    : golden_(golden), rtl_(rtl), semaphores_(cmodel::Semaphores::kCount) {
  for (unsigned core = 0; core < defs::kCores; ++core) {
    pending_[core].resize(sizes.dma_engines);
    pc_[core].resize(sizes.dma_engines);
  }
}

Register GoldenProbe::sequencer(unsigned core, unsigned index, const std::string& name) const {
  const auto& from = golden_.chip().core(core).sequencers[index];
  SequencerCopy& copy = sequencers_[core][index];
  if (name == "state_q") {
    copy.state = static_cast<std::uint8_t>(from.status().state);
    return copy_at(copy.state, 2);
  }
  if (name == "pc_q") {
    copy.pc = from.pc();
    return copy_at(copy.pc, 32);
  }
  if (name == "issuing_q" || name == "u_fetch.instr_valid_q") {
    copy.at_hand = from.running() && !from.exhausted();
    return copy_at(copy.at_hand, 1);
  }
  if (name == "head_valid") return copy_at(none_, 1);  // what is issued is done
  if (name == "u_fetch.instr_q") {
    copy.instr = from.peek(golden_.chip().hbm(), from.pc()).words();
    return {copy.instr.data(), 8 * sizeof(copy.instr), sizeof(copy.instr), 1};
  }
  return {};
}

Register GoldenProbe::dma(unsigned core, const std::string& name) const {
  const auto& rings = golden_.chip().core(core).rings;
  work_[core] = 0;
  for (std::size_t e = 0; e < rings.size(); ++e) {
    pending_[core][e] = static_cast<std::uint16_t>(rings[e].pending);
    pc_[core][e] = rings[e].pc;
    work_[core] |= static_cast<std::uint16_t>((rings[e].pending != 0) << e);
  }
  if (name == "work_q") return copy_at(work_[core], static_cast<unsigned>(rings.size()));
  if (name == "running_q") return copy_at(none_, static_cast<unsigned>(rings.size()));
  if (name == "pending_q") return copy_at(pending_[core][0], 16, rings.size());
  if (name == "pc_q") return copy_at(pc_[core][0], 32, rings.size());
  return {};
}

Register GoldenProbe::semaphores() const {
  for (unsigned i = 0; i < semaphores_.size(); ++i)
    semaphores_[i] = static_cast<std::uint16_t>(golden_.chip().semaphores().value(i));
  return copy_at(semaphores_[0], 16, semaphores_.size());
}

Register GoldenProbe::in_core(unsigned core, const std::string& place) const {
  if (place == "busy") return copy_at(none_, defs::kSequencers);
  if (place == "dma_busy") {
    dma(core, "work_q");
    busy_ = work_[core] != 0 || golden_.sends(core);
    return copy_at(busy_, 1);
  }
  if (place.starts_with("u_dma.u_engines.")) return dma(core, place.substr(16));
  for (unsigned i = 0; i < defs::kSequencers; ++i) {
    const std::string sequencers = fmt::format("gen_seq[{}].u_sequencer.", i);
    if (place.starts_with(sequencers)) return sequencer(core, i, place.substr(sequencers.size()));
  }
  return {};
}

Register GoldenProbe::find(const std::string& scope, const std::string& name) const {
  const std::string place = scope + "." + name, chip = "TOP.chip.";
  if (place == chip + "u_semaphores.value_q") return semaphores();
  for (unsigned core = 0; core < defs::kCores; ++core) {
    const std::string inside = fmt::format("{}u_core{}.", chip, core);
    if (place.starts_with(inside)) return in_core(core, place.substr(inside.size()));
  }
  return rtl_.find(scope, name);
}

}  // namespace tb
