// SPDX-License-Identifier: Apache-2.0
// Runs the language model on the golden model.
#pragma once
#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cmodel/board/board.h"
#include "tb/scenarios/scenario.h"

namespace tb {

inline const std::filesystem::path kData = DODECA_SCENARIO_DATA;
/// What is thrown, without the file's name.
template <class Body>
std::string refusal(Body&& body) {
  try {
    body();
  } catch (const std::runtime_error& error) {
    const std::string text = error.what();
    EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    return text;
  }
  return "nothing refused";
}

struct Silent : cmodel::CommitSink {
  void commit(const cmodel::Commit&, std::span<const std::uint8_t>) override {}
};

inline ScenarioArgs args_of(const defs::Sizes& sizes, unsigned chips, const std::string& prompt,
                            unsigned tokens) {
  ScenarioArgs args{.sizes = sizes, .chips = chips, .data_dir = kData, .out_dir = {}};
  args.texts = {.prompts = {prompt}, .tokens = tokens};
  return args;
}

inline std::vector<std::vector<std::uint8_t>> run(const ScenarioArgs& args,
                                                  const cmodel::Program& program,
                                                  const cmodel::BoardOptions& options) {
  Silent sink;
  cmodel::Board board(args.sizes, program, sink, options);
  board.load();
  EXPECT_TRUE(board.run()) << board.blocked();
  EXPECT_TRUE(board.errors().empty());
  if (options.detect_races) EXPECT_EQ(board.races(), "");
  std::vector<std::vector<std::uint8_t>> regions;
  for (const auto& region : program.regions) {
    regions.emplace_back(region.bytes);
    board.read(region.chip, region.addr, regions.back());
  }
  return regions;
}

}  // namespace tb
