// SPDX-License-Identifier: Apache-2.0
#include "tb/apps/shrink/shrink_board.h"

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <regex>
#include <sstream>

namespace tb {
namespace {

namespace fs = std::filesystem;

/// In what way a run failed: who, in which instruction, which kind of commit, fields or data; no
/// numbers. Empty if it passed, or failed without a difference (nothing injected, fault missed).
std::string signature(const std::string& report) {
  std::istringstream lines(report);
  std::string line, text, kind;
  std::getline(lines, text);
  if (text.empty() || text.starts_with("repro:") || text.starts_with("injected fault was missed") ||
      text.starts_with("no live moment") || text.find(" did not happen: ") != std::string::npos)
    return {};
  static const std::regex step("^ *pc [0-9]+: (\\w+)"),
      commit(
          "^ +(?:expected +|actual +)?"
          "(PsumRow|SbufRow|MemBurst|Message|Semaphore|Error)\\b");
  std::smatch match;
  bool opcode = false;
  while (std::getline(lines, line) && !line.starts_with("repro:")) {
    if (!opcode && std::regex_search(line, match, step)) {
      text += " / " + match[1].str();
      opcode = true;
    } else if (kind.empty() && std::regex_search(line, match, commit)) {
      kind = match[1];
      text += " / " + kind + (line.find("expected") == std::string::npos ? " data" : " fields");
    }
  }
  static const std::regex number("0x[0-9a-f]+|[0-9]+");
  return std::regex_replace(text, number, "#");
}

/// The block that the root-cause trace ends in.
std::string cause_block(const nlohmann::json& found) {
  const auto cause = found.is_object() ? found.value("cause", nlohmann::json()) : nlohmann::json();
  return cause.is_object() ? cause.value("block", "?") : "unknown";
}

}  // namespace

BoardRuns::BoardRuns(const Source& source, fs::path board)
    : source_(source), board_(std::move(board)) {
  dir_ = fs::temp_directory_path() / fmt::format("shrink.{}", getpid());
  fs::create_directories(dir_);
}
BoardRuns::~BoardRuns() {
  std::error_code ignored;
  fs::remove_all(dir_, ignored);
}

Ran BoardRuns::run(const cmodel::Program& program, const std::vector<std::string>& options,
                   bool disturbed) {
  const fs::path file = dir_ / "p.prog", json = dir_ / "json", err = dir_ / "err";
  cmodel::save_program(program, file);
  std::string command =
      fmt::format("'{}' --program '{}' --json --seed {} --threads 1 --out '{}' --no-failure-waves",
                  board_.string(), file.string(), source_.seed, (dir_ / "out").string());
  for (const auto& word : source_.rest) command += " '" + word + "'";
  for (const auto& word : options) command += " '" + word + "'";
  if (disturbed && !source_.inject.empty()) command += " --inject " + source_.inject;
  command += fmt::format(" > '{}' 2> '{}'", json.string(), err.string());
  const int status = std::system(command.c_str());
  ++count_;
  Ran ran;
  ran.status = WIFEXITED(status) ? WEXITSTATUS(status) : 128;
  ran.found =
      nlohmann::json::parse(std::ifstream(dir_ / "out/latest/divergence.json"), nullptr, false);
  std::error_code ignored;
  fs::remove_all(dir_ / "out", ignored);
  if (ran.status != 1) return ran;  // passed, or rejected by the board
  const auto result = nlohmann::json::parse(std::ifstream(json), nullptr, false);
  if (result.is_discarded()) return ran;
  std::ostringstream text;
  text << std::ifstream(err).rdbuf();
  ran.signature = signature(text.str());
  if (!ran.signature.empty()) ran.signature += " / cause " + cause_block(ran.found);
  ran.cycles = result.value("cycles", std::uint64_t{0});
  return ran;
}

}  // namespace tb
