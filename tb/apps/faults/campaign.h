// SPDX-License-Identifier: Apache-2.0
// Many trials of every class, on all processors, and what came of their events.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "tb/apps/faults/trial.h"

namespace tb {

struct Plan {
  std::uint32_t seed = 1;
  unsigned threads = 1;
  unsigned effective = 100;  ///< events per class that met something; trials go on until then
  std::vector<const FaultClass*> classes;
  int only = -1;  ///< one event of one class: its trial, up to it
};

/// A bad event and how to see it again.
struct Finding {
  const FaultClass* fault;
  unsigned event;
  Outcome outcome;
  std::string why;
};

struct Row {
  const FaultClass* fault;
  std::array<std::uint64_t, kOutcomes> outcomes{};  ///< of effective events; Masked: of the others
  std::uint64_t effective() const;
};

struct Verdict {
  std::vector<Row> rows;
  std::vector<Finding> findings;  ///< hang, silent, and what the documents do not allow
  std::uint64_t events = 0, messages = 0, cycles = 0;
  std::uint64_t commit_hash = 0xcbf29ce484222325u;  ///< of what came of every event
  std::uint64_t link_hash = 0xcbf29ce484222325u;    ///< of every word on every link
};

/// Same plan, same verdict, whatever the number of threads.
Verdict run_campaign(const Plan& plan);

/// Fault class x outcome, for people.
std::string matrix(const Verdict& verdict);

}  // namespace tb
