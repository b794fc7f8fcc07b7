// SPDX-License-Identifier: Apache-2.0
// What C++ reads of a chip's RTL state. Only state.cc knows where it is; only fault injection
// writes.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "rtl/defs/gen/defs.h"
#include "tb/dut/state/probe.h"

namespace tb {

/// Flits that a receive buffer holds for each VN: the credits of its sender.
inline constexpr std::array<unsigned, defs::kVirtualNets> kVnDepth{
    defs::kVnDepth0, defs::kVnDepth1, defs::kVnDepth2, defs::kVnDepth3};

/// Instance paths below the chip.
std::string core_path(unsigned core);
std::string sequencer_path(unsigned core, unsigned index);

struct SequencerState {
  defs::SeqState state = defs::SeqState::Idle;
  std::uint32_t pc = 0;    ///< next to issue
  bool fetched = false;    ///< `instr` is that instruction, as it came from HBM
  bool issuing = false;    ///< it may go when its wait is over
  bool in_flight = false;  ///< an older instruction is not done
  defs::Instr instr;

  bool running() const { return state == defs::SeqState::Running; }
  /// Does that instruction wait, its semaphore being `value`?
  bool waits(unsigned value) const;
};

struct DmaState {
  bool work = false;          ///< descriptors were triggered and are not done
  bool moves = false;         ///< one is being executed, or several
  std::uint32_t pc = 0;       ///< the oldest of them, or the next
  std::uint32_t pending = 0;  ///< triggered, not done
};

class ChipState {
 public:
  explicit ChipState(const Probe& probe) : probe_(probe) {}
  virtual ~ChipState() = default;

  // A model chip has its engines and semaphores elsewhere (tb/dut/golden/golden_state.h).
  virtual SequencerState sequencer(unsigned core, unsigned index) const;
  virtual DmaState dma(unsigned core, unsigned engine) const;
  virtual unsigned semaphore(unsigned sem) const;
  virtual unsigned busy_engines(unsigned core) const;  ///< one bit per sequencer
  virtual bool dma_busy(unsigned core) const;

  bool host_quiet() const;
  bool semaphores_quiet() const;
  bool fabric_quiet() const;

  defs::LinkStatus link_status(unsigned port) const;
  /// What is left of kVnDepth; channels are {VN, class}.
  Register credits(unsigned port, unsigned vc) const;
  unsigned flits_waiting(unsigned port, unsigned vc) const;
  unsigned flits_freed(unsigned port, unsigned vc) const;  ///< mod 256
  /// The first flit in a receive buffer.
  defs::HolFlit first_flit(unsigned port, unsigned vc) const;
  unsigned damaged_packets() const;
  /// Numbers of a flow's packets: taken by the sender's interface, accepted by the receiver's.
  std::uint16_t packets_taken(unsigned core, unsigned vn, unsigned dst) const;
  std::uint16_t packets_accepted(unsigned src, unsigned core, unsigned vn) const;

  /// Memories: words of a partition beside those of its neighbours.
  Register psum(unsigned core) const { return in_core(core, "u_psum.mem_q"); }
  Register sbuf(unsigned core) const { return in_core(core, "u_sbuf.mem"); }
  Register array(unsigned core, std::string_view name) const;

  // Places for faults, by their names inside a block. Throw std::runtime_error for one that is not
  // there.
  Register at(std::string_view place) const;
  Register in_core(unsigned core, std::string_view name) const;
  Register in_sequencer(unsigned core, unsigned index, std::string_view name) const;
  Register in_input(unsigned port, unsigned vc_class, std::string_view name) const;

 private:
  const Probe& probe_;
};

}  // namespace tb
