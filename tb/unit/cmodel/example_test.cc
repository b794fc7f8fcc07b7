// SPDX-License-Identifier: Apache-2.0
// The worked example of tb/scenarios/README.md, taken from the page: its scenario passes, its text
// is the same program and gives the same numbers.
#include <gtest/gtest.h>

#include "cmodel/board/board.h"
#include "cmodel/program/program.h"
#include "tb/scenarios/scenario.h"

namespace tb {
extern const Scenario kDouble;
}

namespace {

struct NoSink : cmodel::CommitSink {
  void commit(const cmodel::Commit&, std::span<const std::uint8_t>) override {}
};

std::vector<std::vector<std::uint8_t>> run(const cmodel::Program& program) {
  NoSink sink;
  cmodel::Board board(defs::kMini, program, sink, {.detect_races = true});
  board.load();
  EXPECT_TRUE(board.run()) << board.blocked();
  EXPECT_TRUE(board.errors().empty());
  EXPECT_EQ(board.races(), "");
  std::vector<std::vector<std::uint8_t>> regions;
  for (const auto& region : program.regions) {
    regions.emplace_back(region.bytes);
    board.read(region.chip, region.addr, regions.back());
  }
  return regions;
}

TEST(Example, TheScenarioAndTheTextAreOneProgram) {
  const tb::ScenarioArgs args{
      .sizes = defs::kMini, .chips = 2, .seed = 1, .data_dir = {}, .out_dir = {}};
  const auto program = tb::kDouble.build(args);
  auto regions = run(program);
  EXPECT_TRUE(tb::kDouble.check(args, program, regions).passed);
  const auto text = cmodel::load_program(DODECA_EXAMPLE);
  EXPECT_EQ(cmodel::program_hash(text), cmodel::program_hash(program));
  EXPECT_EQ(run(text), regions);
  regions[0][7] ^= 1;
  EXPECT_FALSE(tb::kDouble.check(args, program, regions).passed);
}

}  // namespace
