// SPDX-License-Identifier: Apache-2.0
// Fetches one engine's instructions, resolves their registers, executes its own: NOP, END, RegAlu,
// Branch, RegLoad. Twin of rtl/control/sequencer.sv and seq_control.sv.
#pragma once
#include <cstdint>
#include <vector>

#include "cmodel/machine/guard.h"
#include "cmodel/machine/hbm.h"
#include "cmodel/machine/registers.h"
#include "cmodel/machine/status.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// One instruction stream. The caller (chip.cc) waits, lets engines execute and posts updates:
///
///   start -> Running --(END done)--> Done
///                \----(any error)--> Error
class Sequencer {
 public:
  /// Instructions base .. base + 64 * count - 1 of `hbm`; registers are zero again.
  void start(std::uint64_t base, std::uint32_t count);

  bool running() const { return status_.state == defs::SeqState::Running; }
  const SequencerStatus& status() const { return status_; }
  std::uint32_t pc() const { return status_.pc; }
  std::uint64_t base() const { return base_; }
  std::uint32_t count() const { return count_; }
  const Registers& registers() const { return registers_; }

  /// The instruction at pc(), its registers resolved. It is fetched once, however long it waits.
  const defs::Instr& fetch(const Hbm& hbm);

  /// Instruction `pc` of the stream, without any effect; for reports.
  defs::Instr peek(const Hbm& hbm, std::uint32_t pc) const;

  /// pc() == count(): the stream ended without END.
  bool exhausted() const { return status_.pc == count_; }

  /// The operation at pc(): named so while it is next, and when it has been issued.
  OperationId operation() const;
  /// It goes ahead: the next one has the next serial.
  OperationId issue();

  /// Executes one of executes(); None, or why not. pc() stays.
  defs::ErrorCause execute(const defs::Instr& instr, const Hbm& hbm, unsigned core,
                           const defs::PeerAccess& peer);
  /// `instr`, at pc(), is done: on to the next, or, behind END, to none; pc() then stays at it.
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
  /// Rejected without waiting: a semaphore that the other core does not share. UnknownOpcode goes
  /// first.
  static defs::ErrorCause check_wait(const defs::Instr& instr, defs::Engine engine, unsigned core,
                                     const defs::PeerAccess& peer);
  static bool ends(const defs::Instr& instr);
  /// Control rows: no engine sees them.
  static bool executes(const defs::Instr& instr);

 private:
  /// Rejected after the wait.
  defs::ErrorCause check_own(const defs::Instr& instr, unsigned core,
                             const defs::PeerAccess& peer) const;

  std::uint64_t base_ = 0;
  std::uint32_t count_ = 0;
  SequencerStatus status_;
  bool fetched_ = false;
  defs::Instr instr_;
  Registers registers_;
  std::uint32_t next_ = 0;             ///< pc behind the one at pc()
  std::uint32_t serial_ = 0;           ///< operations issued since reset
  std::vector<std::uint32_t> visits_;  ///< by pc, since the start
};

}  // namespace cmodel
