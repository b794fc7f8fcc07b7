// SPDX-License-Identifier: Apache-2.0
// Program files on the command line: their names, and writing one instead of running it.
#pragma once
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

#include "cmodel/program/program.h"
#include "cmodel/program/program_text.h"
#include "tb/base/exit_status.h"

namespace tb {

/// FILE.dasm is text, FILE.prog binary; a scenario has no such name.
inline bool is_program_file(const std::string& word) {
  const std::filesystem::path ending = std::filesystem::path(word).extension();
  return ending == cmodel::kTextEnding || ending == ".prog";
}

/// The words of a command line: what to run may be a file, too, and `save` must be one.
inline void sort_program_words(std::string& scenario, std::string& program,
                               const std::string& save) {
  if (!scenario.empty() && !program.empty())
    throw Refused(kBadInput, "both a scenario and --program given; allowed one of them");
  if (is_program_file(scenario)) program = std::move(scenario), scenario.clear();
  if (!save.empty() && !is_program_file(save))
    throw Refused(kBadInput,
                  fmt::format("--save is \"{}\"; allowed FILE.dasm (text), FILE.prog", save));
}

/// Refuses a configuration that is not the file's.
inline void require_config(const cmodel::Program& program, const std::string& config) {
  if (program.config != config)
    throw Refused(kBadInput, fmt::format("--config is {}; {} allows {}", config, program.file,
                                         program.config));
}

/// Writes the program that would run, and says so.
inline int save_instead(const cmodel::Program& program, const std::string& file, bool json) {
  cmodel::save_program(program, file);
  const std::string hash = fmt::format("{:016x}", cmodel::program_hash(program));
  if (json)
    fmt::print(
        "{}\n",
        nlohmann::ordered_json{{"schema", 1}, {"program", file}, {"program_hash", hash}}.dump(2));
  else
    fmt::print("program: {} ({})\n", file, hash);
  return kPassed;
}

}  // namespace tb
