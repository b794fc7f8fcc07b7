// SPDX-License-Identifier: Apache-2.0
// What the main() of every program of the testbench does around its work: how a command line is
// rejected, how the program ends.
#pragma once
#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <initializer_list>
#include <string>
#include <string_view>

#include "tb/base/exit_status.h"

namespace tb {

/// `word` as a shell reads it.
inline std::string shell_word(const std::string& word) {
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || std::strchr("_-./,:=@%+", c);
  };
  if (!word.empty() && std::ranges::all_of(word, plain)) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

/// " --option value" for each option that was given, but for `but`: the end of a line that repeats
/// the run.
inline std::string given_options(const CLI::App& app, std::initializer_list<std::string_view> but) {
  std::string line;
  for (const CLI::Option* option : app.get_options()) {
    const std::string name = option->get_name();
    if (option->count() == 0 || option->get_positional() || std::ranges::count(but, name)) continue;
    for (const std::string& value : option->reduced_results()) {
      line += " " + name;
      if (option->get_items_expected_min() > 0)
        line += " " + shell_word(value);
      else if (value != "true" && value != "false" && value != ".")  // what a bare flag stands for
        line += "=" + shell_word(value);
    }
  }
  return line;
}

/// Throws Refused: with kPassed for --help, which it prints, with kBadInput and one line for what
/// `app` does not allow, an empty word among it: `who`, the reason, `help`.
inline void parse_command_line(CLI::App& app, int argc, char** argv, const std::string& who = "",
                               const std::string& help = "--help shows what is allowed") {
  for (CLI::Option* option : app.get_options([](const CLI::Option*) { return true; }))
    if (option->get_items_expected_max() == 0 && option->get_type_name().empty())
      option->disable_flag_override();  // --json=no is no option
  try {
    app.parse(argc, argv);
    for (const CLI::Option* option : app.get_options())
      if (std::ranges::count(option->results(), ""))
        throw CLI::ValidationError(option->get_name(), "is \"\"");
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
/// Whoever writes to a reader that has left, or more than a file may hold, is told, not ended.
template <class Run>
int exit_status_of(Run run, int argc, char** argv) {
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);
  int status = kBadEnvironment;
  std::string line;
  try {
    // Or the next file that is opened takes its place.
    if (fcntl(STDOUT_FILENO, F_GETFD) < 0) throw Refused(kBadEnvironment, "stdout: is closed");
    status = run(argc, argv);
  } catch (const Refused& refused) {
    status = refused.status;
    line = refused.what();
  } catch (const std::exception& error) {
    line = error.what();
  }
  errno = 0;
  if (std::fflush(stdout) != 0 || std::ferror(stdout)) {
    status = kBadEnvironment;
    line = fmt::format("stdout: cannot be written{}{}", errno ? ": " : "",
                       errno ? std::strerror(errno) : "");
  }
  if (!line.empty()) std::fputs((line + "\n").c_str(), stderr);
  return status;
}

}  // namespace tb
