// SPDX-License-Identifier: Apache-2.0
// A copy of the process from before the run, asleep, that runs it again when something must be
// looked at more closely.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace tb {

/// Forked before the first thread and before SystemC's elaboration: nothing in it has to be
/// rebuilt, and the pages are shared until the run writes them. Runs are deterministic, so the
/// second one meets the same cycle.
///
///   main --fork--> asleep in the pipe ---- ask() ----> runs with the request --> reply
///                         `---- end of file ---> _exit: the first run needed nothing
class Standby {
 public:
  /// In the child it returns when it is woken, or never.
  Standby();
  ~Standby();
  Standby(const Standby&) = delete;

  bool woken() const { return woken_; }
  /// In the child, woken.
  const std::vector<std::uint8_t>& request() const { return request_; }
  [[noreturn]] void reply(const std::vector<std::uint8_t>& bytes);

  /// Wakes the child and waits for its reply; once. Empty if it died.
  std::vector<std::uint8_t> ask(const std::vector<std::uint8_t>& request);

 private:
  pid_t child_ = -1;
  int to_ = -1, from_ = -1;  ///< of this side
  bool woken_ = false;
  std::vector<std::uint8_t> request_;
};

}  // namespace tb
