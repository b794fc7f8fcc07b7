// SPDX-License-Identifier: Apache-2.0
// Fetches and decodes one engine's instructions; NOP and END are its own. Twin of
// rtl/control/sequencer.sv.
#pragma once
#include <cstdint>

#include "cmodel/machine/guard.h"
#include "cmodel/machine/hbm.h"
#include "cmodel/machine/status.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// One instruction stream. The caller (chip.cc) waits, executes and posts updates:
///
///   start -> Running --(END done)--> Done
///                \----(any error)--> Error
class Sequencer {
 public:
  /// Instructions base .. base + 64 * count - 1 of `hbm`.
  void start(std::uint64_t base, std::uint32_t count) {
    base_ = base;
    count_ = count;
    status_ = {defs::SeqState::Running, 0, defs::ErrorCause::None};
    fetched_ = false;
  }

  bool running() const { return status_.state == defs::SeqState::Running; }
  const SequencerStatus& status() const { return status_; }
  std::uint32_t pc() const { return status_.pc; }
  std::uint64_t base() const { return base_; }
  std::uint32_t count() const { return count_; }

  /// The instruction at pc(). It is fetched once, however long it waits.
  const defs::Instr& fetch(const Hbm& hbm);

  /// Instruction `pc` of the stream, without any effect; for reports.
  defs::Instr peek(const Hbm& hbm, std::uint32_t pc) const;

  /// pc() == count(): the stream ended without END.
  bool exhausted() const { return status_.pc == count_; }

  /// `instr`, at pc(), is done. END: so is the stream; pc() stays at it.
  void complete(const defs::Instr& instr);
  void stop(defs::ErrorCause cause) {
    status_.state = defs::SeqState::Error;
    status_.cause = cause;
  }

  /// What is rejected when it is rung: an empty, too long, misaligned or unmapped stream, or one of
  /// the other core.
  static defs::ErrorCause check_start(const defs::Sizes& sizes, unsigned core,
                                      const defs::PeerAccess& peer, std::uint64_t base,
                                      std::uint32_t count);
  /// Rejected without waiting: a wait_op outside its enumeration, and a semaphore that the other
  /// core does not share. UnknownOpcode goes first.
  static defs::ErrorCause check_wait(const defs::Instr& instr, defs::Engine engine, unsigned core,
                                     const defs::PeerAccess& peer);
  static bool ends(const defs::Instr& instr);
  /// NOP and END: no engine sees them.
  static bool executes(const defs::Instr& instr);
  /// Of those, all fields but opcode, wait and update are zero. Rejected after the wait.
  static defs::ErrorCause check_own(const defs::Instr& instr);

 private:
  std::uint64_t base_ = 0;
  std::uint32_t count_ = 0;
  SequencerStatus status_;
  bool fetched_ = false;
  defs::Instr instr_;
};

}  // namespace cmodel
