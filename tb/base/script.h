// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <string>
#include <vector>

namespace tb {

/// Runs a script of scripts/start.py with its streams in /dev/null: its name, then its arguments.
/// Its exit status, or -1.
int run_script(std::vector<std::string> words);

}  // namespace tb
