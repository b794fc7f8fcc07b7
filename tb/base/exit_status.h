// SPDX-License-Identifier: Apache-2.0
// How the programs of the project end.
#pragma once
#include <stdexcept>
#include <string>

namespace tb {

/// Exit status of every program of the project (architecture page, section 7).
enum ExitStatus { kPassed = 0, kCheckFailed = 1, kBadInput = 2, kBadEnvironment = 3 };

/// Ends the program with one line and a status.
class Refused : public std::runtime_error {
 public:
  Refused(ExitStatus status, const std::string& line) : std::runtime_error(line), status(status) {}
  ExitStatus status;
};

}  // namespace tb
