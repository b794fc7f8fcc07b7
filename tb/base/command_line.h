// SPDX-License-Identifier: Apache-2.0
// What the main() of every program of the testbench does around its work: how a command line is
// rejected, how the program ends.
#pragma once
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string>

#include "tb/base/exit_status.h"

namespace tb {

/// Throws Refused: with kPassed for --help, which it prints, with kBadInput and one line for what
/// `app` does not allow: `who`, the reason, `help`.
inline void parse_command_line(CLI::App& app, int argc, char** argv, const std::string& who = "",
                               const std::string& help = "--help shows what is allowed") {
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    fmt::print("{}", app.help());
    throw Refused(kPassed, "");
  } catch (const CLI::ParseError& error) {
    std::string line = error.what();
    std::replace(line.begin(), line.end(), '\n', ' ');
    throw Refused(kBadInput, fmt::format("{}{}; {}", who, line, help));
  }
}

/// Exit status of a program: that of `run`, or of what it throws, behind its line on stderr.
template <class Run>
int exit_status_of(Run run, int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const Refused& refused) {
    if (*refused.what()) fmt::print(stderr, "{}\n", refused.what());
    return refused.status;
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return kBadEnvironment;
  }
}

}  // namespace tb
