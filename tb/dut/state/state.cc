// SPDX-License-Identifier: Apache-2.0
#include "tb/dut/state/state.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

namespace tb {
namespace {

/// A packed struct of the RTL: element `index` of an array, from bit `lsb` on.
template <class Packed>
Packed unpack(const Register& reg, unsigned index = 0, unsigned lsb = 0) {
  typename Packed::Words words{};
  for (unsigned at = 0; at < Packed::kBits; at += 32)
    words[at / 32] =
        static_cast<std::uint32_t>(reg.get(index, lsb + at, std::min(32u, Packed::kBits - at)));
  return Packed::from(words);
}

}  // namespace

std::string core_path(unsigned core) { return fmt::format("gen_core[{}].u_core", core); }
std::string sequencer_path(unsigned core, unsigned index) {
  return fmt::format("{}.gen_seq[{}].u_sequencer", core_path(core), index);
}

bool SequencerState::waits(unsigned value) const {
  if (!fetched || in_flight) return false;
  switch (static_cast<defs::WaitOp>(instr.wait_op)) {
    case defs::WaitOp::Ge:
    case defs::WaitOp::Take:
      return value < instr.wait_value;
    case defs::WaitOp::Eq:
      return value != instr.wait_value;
    default:
      return false;
  }
}

Register ChipState::at(std::string_view place) const {
  const std::size_t dot = place.rfind('.');
  std::string scope = "TOP.chip";
  if (dot != std::string_view::npos) scope += "." + std::string(place.substr(0, dot));
  const Register found = probe_.find(scope, std::string(place.substr(dot + 1)));
  if (!found)
    throw std::runtime_error(
        fmt::format("chip.{}: not in this build (tb/dut/state/observe.vlt)", place));
  return found;
}
Register ChipState::in_core(unsigned core, std::string_view name) const {
  return at(fmt::format("{}.{}", core_path(core), name));
}
Register ChipState::in_sequencer(unsigned core, unsigned index, std::string_view name) const {
  return at(fmt::format("{}.{}", sequencer_path(core, index), name));
}
Register ChipState::in_input(unsigned port, unsigned vc_class, std::string_view name) const {
  return at(
      fmt::format("u_fabric.u_router.gen_port[{}].gen_class[{}].u_input.{}", port, vc_class, name));
}
Register ChipState::array(unsigned core, std::string_view name) const {
  return in_core(core, fmt::format("u_tensor.u_array.{}", name));
}

SequencerState ChipState::sequencer(unsigned core, unsigned index) const {
  const auto reg = [&](std::string_view name) { return in_sequencer(core, index, name); };
  return {.state = static_cast<defs::SeqState>(reg("state_q").value()),
          .pc = static_cast<std::uint32_t>(reg("pc_q").value()),
          .fetched = reg("u_fetch.instr_valid_q").value() != 0,
          .issuing = reg("issuing_q").value() != 0,
          .in_flight = reg("head_valid").value() != 0,
          .instr = unpack<defs::Instr>(reg("u_fetch.instr_q"))};
}

DmaState ChipState::dma(unsigned core, unsigned engine) const {
  const auto reg = [&](std::string_view name) {
    return in_core(core, fmt::format("u_dma.{}", name));
  };
  return {.work = reg("u_fetch.work_q").bit(0, engine),
          .moves = reg("u_engines.open_q").bit(0, engine),
          .pc = static_cast<std::uint32_t>(reg("u_engines.pc_q").get(engine, 0, 32) -
                                           reg("u_engines.open_count_q").get(engine, 0, 5)),
          .pending = static_cast<std::uint32_t>(reg("u_fetch.pending_q").get(engine, 0, 16))};
}

unsigned ChipState::semaphore(unsigned sem) const {
  return static_cast<unsigned>(at("u_semaphores.value_q").get(sem, 0, 16));
}
unsigned ChipState::busy_engines(unsigned core) const {
  return static_cast<unsigned>(in_core(core, "busy").value());
}
bool ChipState::dma_busy(unsigned core) const { return in_core(core, "dma_busy").value() != 0; }

bool ChipState::host_quiet() const { return at("host_quiet").value() != 0; }
bool ChipState::semaphores_quiet() const { return at("semaphores_quiet").value() != 0; }
bool ChipState::fabric_quiet() const { return at("fabric_quiet").value() != 0; }

defs::LinkStatus ChipState::link_status(unsigned port) const {
  return unpack<defs::LinkStatus>(at("link_status"), port);
}
Register ChipState::credits(unsigned port, unsigned vc) const {
  return at(fmt::format("u_fabric.u_router.gen_out[{}].gen_vc[{}].u_credit.available_o", port, vc));
}
unsigned ChipState::flits_waiting(unsigned port, unsigned vc) const {
  return static_cast<unsigned>(in_input(port, vc % 2, "count_q").get(0, 7 * (vc / 2), 7));
}
unsigned ChipState::flits_freed(unsigned port, unsigned vc) const {
  return static_cast<unsigned>(in_input(port, vc % 2, "freed_q").get(0, 8 * (vc / 2), 8));
}
defs::HolFlit ChipState::first_flit(unsigned port, unsigned vc) const {
  return unpack<defs::HolFlit>(in_input(port, vc % 2, "hol_q"), 0, defs::HolFlit::kBits * (vc / 2));
}

unsigned ChipState::damaged_packets() const {
  return static_cast<unsigned>(at("u_fabric.u_counters.damaged_q").value());
}
std::uint16_t ChipState::packets_taken(unsigned core, unsigned vn, unsigned dst) const {
  const std::string flows = fmt::format("u_fabric.u_ni.gen_core[{}].u_tx.u_flows", core);
  const unsigned entry = vn << 4 | dst;
  if (!at(flows + ".used_q").bit(0, entry)) return 0;
  return static_cast<std::uint16_t>(at(flows + ".filled").get(entry, 0, 16));
}
std::uint16_t ChipState::packets_accepted(unsigned src, unsigned core, unsigned vn) const {
  const std::string accept = "u_fabric.u_ni.u_accept";
  const unsigned entry = src << 3 | core << 2 | vn;
  if (!at(accept + ".known_q").bit(0, entry)) return 0;
  return static_cast<std::uint16_t>(at(accept + ".expected").get(entry, 0, 16));
}

}  // namespace tb
