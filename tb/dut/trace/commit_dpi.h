// SPDX-License-Identifier: Apache-2.0
// C++ side of tb/dut/trace/commit_dpi.sv.
#pragma once
#include "cmodel/machine/commit.h"

namespace tb {

/// Commits of models evaluated on this thread go to `sink`, as those of chip `chip`. Set it before
/// every eval() that may commit; null drops them (reset).
void set_commit_sink(cmodel::CommitSink* sink, unsigned chip);

/// Hears what sequencers let go, from the models evaluated on this thread.
class IssueSink {
 public:
  virtual ~IssueSink() = default;
  /// `instr`: 64 bytes, as they lie in HBM.
  virtual void issue(unsigned core, unsigned sequencer, std::uint32_t pc,
                     const std::uint8_t* instr) = 0;
};
/// Null: nobody listens.
void set_issue_sink(IssueSink* sink);

}  // namespace tb
