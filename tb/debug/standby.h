// SPDX-License-Identifier: Apache-2.0
// A copy of the process, asleep, that goes on from where it was made when something must be looked
// at more closely.
#pragma once
#include <sys/types.h>

#include <cstdint>
#include <vector>

namespace tb {

/// Forked between two windows or before the run: nobody works then, and the pages are shared until
/// the run writes them. Runs are deterministic, so what goes on there meets the same cycles.
///
///   main --fork--> asleep in the pipe -- ask() --fork--> goes on with the request --> reply
///                       `------ killed: the run needed nothing, or has a newer one
///
/// Only the calling thread comes along, so the others must not hold anything.
class Standby {
 public:
  /// In the copy it returns when it is woken, or never.
  Standby();
  ~Standby();
  Standby(const Standby&) = delete;

  bool woken() const { return woken_; }
  /// In the copy, woken.
  const std::vector<std::uint8_t>& request() const { return request_; }
  [[noreturn]] void reply(const std::vector<std::uint8_t>& bytes);

  /// Wakes the copy and waits for its reply. Empty if it died.
  std::vector<std::uint8_t> ask(const std::vector<std::uint8_t>& request);

 private:
  void sleep();

  pid_t child_ = -1;
  int to_ = -1, from_ = -1;  ///< of this side
  bool woken_ = false;
  std::vector<std::uint8_t> request_;
};

}  // namespace tb
