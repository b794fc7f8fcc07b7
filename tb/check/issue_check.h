// SPDX-License-Identifier: Apache-2.0
// Instructions that a sequencer lets go, against the program: the right ones, not before their
// time.
//
//   issue of pc --> bytes as in the program?
//              `--> did its wait hold at any time since the one before went?  by the updates as
//                   committed, not by what the semaphore's register holds
//   update  --> does the register hold now what all of its updates make?
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "cmodel/program/program.h"
#include "rtl/defs/gen/defs.h"
#include "tb/dut/commit_buffer.h"
#include "tb/dut/trace/commit_dpi.h"

namespace tb {

/// What a sequencer of one chip let go.
struct Issue {
  std::uint64_t cycle = 0;  ///< core cycle
  unsigned core = 0, sequencer = 0;
  std::uint32_t pc = 0;
};

/// It was something else than the program has there.
struct WrongIssue : Issue {
  defs::Instr expected, actual;
};

/// Its wait did not hold.
struct EarlyIssue : Issue {
  defs::Instr instr;
  unsigned value = 0;  ///< of the semaphore, as updates were committed
  unsigned held = 0;   ///< by the semaphore's register
};
/// "waits for semaphore 0.3 >= 2, which was 1"
std::string to_string(const EarlyIssue& early);

/// A semaphore's register is not what its committed updates make.
struct WrongValue {
  std::uint64_t cycle = 0;  ///< core cycle in which it was seen: of an update, or now
  unsigned semaphore = 0, held = 0, value = 0;
};
/// "semaphore 0.3 holds 9, its updates make 10"
std::string to_string(const WrongValue& wrong);

/// One chip. A wrong instruction may still mean the same, so the run is not failed by it; but if it
/// fails, this is where to look first. An early one fails it, whatever came of it. A program that
/// writes its own instructions is beyond it.
class IssueCheck : public IssueSink {
 public:
  void load(const cmodel::Program& program, unsigned chip);
  /// `held`: what the register of a semaphore holds now.
  void set_registers(std::function<unsigned(unsigned semaphore)> held) { held_ = std::move(held); }
  void set_cycle(std::uint64_t cycle) { cycle_ = cycle; }

  void issue(unsigned core, unsigned sequencer, std::uint32_t pc,
             const std::uint8_t* instr) override;
  /// An update was applied in this cycle: after its issues, which cannot know of it.
  void update(unsigned semaphore, int delta);
  /// Behind the clock edge that ends `cycle`: the updates that it committed.
  void end_cycle(std::uint64_t cycle, const CommitBuffer& commits);

  const std::vector<WrongIssue>& wrong() const { return wrong_; }
  const std::vector<EarlyIssue>& early() const { return early_; }
  /// The first that was seen where an update was applied.
  const std::optional<WrongValue>& wrong_value() const { return wrong_value_; }
  /// Or else one that is wrong now, at rest.
  std::optional<WrongValue> wrong_value_at_rest() const;

 private:
  static constexpr std::size_t kMost = 16;
  struct Next {  ///< one whose wait is looked at
    std::uint32_t pc = 0;
    defs::Instr instr;
    bool ready = false;  ///< its wait has held
  };
  struct Sequencer {
    const std::uint8_t* bytes = nullptr;
    std::uint32_t count = 0;
    std::function<bool(const defs::Instr&)> rejects;  ///< without waiting
    std::vector<Next> next;                           ///< behind a branch, two
  };
  void look_at(Sequencer& sequencer, std::uint32_t pc, const defs::Instr& before) const;
  /// `before` may have taken what is not committed yet.
  bool holds(const defs::Instr& instr, const defs::Instr& before) const;
  std::optional<WrongValue> compared(unsigned semaphore) const;

  std::array<std::array<Sequencer, defs::kSequencers>, defs::kCores> sequencers_{};
  std::array<unsigned, defs::kCores * defs::kSemaphores> values_{};
  std::function<unsigned(unsigned)> held_;
  std::uint64_t cycle_ = 0, commits_ = 0;  ///< commits looked at
  std::vector<WrongIssue> wrong_;
  std::vector<EarlyIssue> early_;
  std::optional<WrongValue> wrong_value_;
};

}  // namespace tb
