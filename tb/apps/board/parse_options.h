// SPDX-License-Identifier: Apache-2.0
// The command line of the board programs.
#pragma once
#include "tb/board/options.h"

namespace tb {

/// Throws Refused; for --help prints and throws Refused(kPassed, "").
Options parse_options(int argc, char** argv);

}  // namespace tb
