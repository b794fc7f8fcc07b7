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

namespace tb {

/// A directory of its own for every test. DODECA_BOARD is the board's program.
class BoardRun : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = std::filesystem::temp_directory_path() / fmt::format("board_run.{}", getpid());
    std::filesystem::create_directories(dir_);
  }
  void TearDown() override { std::filesystem::remove_all(dir_); }

  /// Runs the board on `program`; what it printed to stderr is in errors().
  int run(const cmodel::Program& program, const std::string& options = "") {
    const std::filesystem::path file = dir_ / "p.bin";
    cmodel::save_program(program, file);
    return start(fmt::format("--program {} {}", file.string(), options));
  }
  /// The same with whatever is to be run.
  int start(const std::string& arguments) {
    const int status = std::system(fmt::format("{} {} --json --out {} > {} 2> {}", DODECA_BOARD,
                                               arguments, (dir_ / "out").string(),
                                               (dir_ / "json").string(), (dir_ / "err").string())
                                       .c_str());
    return WEXITSTATUS(status);
  }
  std::string errors() const { return text("err"); }
  nlohmann::json result() const { return nlohmann::json::parse(text("json")); }
  nlohmann::json divergence() const {
    return nlohmann::json::parse(text("out/latest/divergence.json"));
  }

 private:
  std::string text(const char* name) const {
    std::ostringstream out;
    out << std::ifstream(dir_ / name).rdbuf();
    return out.str();
  }
  std::filesystem::path dir_;
};

}  // namespace tb
