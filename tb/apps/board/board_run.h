// SPDX-License-Identifier: Apache-2.0
// Runs the board on programs written by a test, and reads what it said.
#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "cmodel/program/program.h"
#include "tb/base/command_line.h"

namespace tb {

/// A directory of its own for every test, with a name that only quoted words survive. DODECA_BOARD
/// is the board's program.
class BoardRun : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = std::filesystem::temp_directory_path() / fmt::format("board's run.{}", getpid());
    std::filesystem::create_directories(dir_);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  /// Runs the board on `program`; what it printed to stderr is in errors().
  int run(const cmodel::Program& program, const std::string& options = "") {
    cmodel::save_program(program, dir_ / "p.bin");
    return start(fmt::format("--program {} {}", word("p.bin"), options));
  }
  /// The same with whatever is to be run.
  int start(const std::string& arguments) {
    const int status = std::system(fmt::format("{} {} --json --out {} > {} 2> {}", DODECA_BOARD,
                                               arguments, word("out"), word("json"), word("err"))
                                       .c_str());
    return WEXITSTATUS(status);
  }
  /// What the last failed run printed as the line that repeats it, without the command.
  std::string repro() const {
    const std::string text = errors(), mark = "repro: scripts/dodeca run ";
    const auto at = text.find(mark);
    return at == std::string::npos
               ? "no repro"
               : text.substr(at + mark.size(), text.find('\n', at) - at - mark.size());
  }
  std::string errors() const { return text("err"); }
  nlohmann::json result() const { return nlohmann::json::parse(text("json")); }
  nlohmann::json divergence() const {
    return nlohmann::json::parse(text("out/latest/divergence.json"));
  }

 private:
  std::string word(const char* name) const { return shell_word((dir_ / name).string()); }
  std::string text(const char* name) const {
    std::ostringstream out;
    out << std::ifstream(dir_ / name).rdbuf();
    return out.str();
  }
  std::filesystem::path dir_;
};

}  // namespace tb
