// SPDX-License-Identifier: Apache-2.0
// Texts of the language model that are drawn by probability, made side by side, and shown while
// they come.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <set>

#include "cmodel/files/input_file.h"
#include "tb/scenarios/knobs.h"
#include "tb/unit/cmodel/lm_run.h"

namespace tb {
namespace {

/// Every rank draws the same numbers, however many there are; the check holds each pick against
/// them.
TEST(LmSampling, TheSameSeedIsTheSameTextOnAnyNumberOfChips) {
  const Scenario& scenario = find_scenario("lm");
  const auto text = [&](unsigned chips, unsigned seed) {
    auto args = args_of(defs::kInf2, chips, "Call", 12);
    args.seed = seed;
    args.texts.temperature = 0.8f;
    const auto program = scenario.build(args);
    const auto regions = run(args, program, {});
    const auto result = scenario.check(args, program, regions);
    EXPECT_TRUE(result.passed) << chips << ": " << result.failure;
    auto other = args;  // the noise of another seed
    other.seed = seed + 1;
    EXPECT_FALSE(scenario.check(other, program, regions).passed);
    return result.metrics["text"].get<std::string>();
  };
  const std::string first = text(1, 5);
  fmt::print("{}\n", first);
  for (const unsigned chips : {2u, 12u}) EXPECT_EQ(text(chips, 5), first) << chips;
  EXPECT_NE(text(1, 6), first);
}

/// Prompts of other lengths side by side: each text is what it is alone with its seed.
TEST(LmBatch, EachTextIsWhatItIsAlone) {
  const Scenario& scenario = find_scenario("lm");
  auto args = args_of(defs::kMini, 1, "Call", 3);
  args.texts.prompts = {"Call", "A", "Moby"};
  args.texts.temperature = 1.0f;
  const auto program = scenario.build(args);
  const auto regions = run(args, program, {.detect_races = true});
  const auto together = scenario.check(args, program, regions);
  ASSERT_TRUE(together.passed) << together.failure;
  EXPECT_EQ(run(args, program, {.order_seed = 3}), regions) << "another order, other bits";
  for (unsigned i = 0; i < 3; ++i) {
    auto alone = args;
    alone.texts.prompts = {args.texts.prompts[i]};
    alone.seed = args.seed + i;
    const auto one = scenario.build(alone);
    const auto result = scenario.check(alone, one, run(alone, one, {}));
    EXPECT_TRUE(result.passed) << result.failure;
    EXPECT_EQ(result.metrics["text"], together.metrics["texts"][i]);
  }
}

/// Whatever is not shown on the way is in the regions.
TEST(LmFollow, ShowsTheTextWhileItComes) {
  const Scenario& scenario = find_scenario("lm");
  const auto args = args_of(defs::kMini, 1, "Ca", 3);
  const auto program = scenario.build(args);
  const auto path = std::filesystem::path(testing::TempDir()) / "lm_follow.txt";
  std::FILE* out = std::fopen(path.c_str(), "w");
  const auto follower = scenario.follow(args, program, out);
  struct Sink : cmodel::CommitSink {
    Follower* follower;
    std::uint64_t cycle = 0;
    void commit(const cmodel::Commit& c, std::span<const std::uint8_t> data) override {
      follower->commit(c, ++cycle, data);
    }
  } sink;
  sink.follower = follower.get();
  cmodel::Board board(args.sizes, program, sink, {});
  board.load();
  const auto shown = [&] {
    const auto bytes = cmodel::read_file(path, 100);
    return std::string(bytes.begin(), bytes.end());
  };
  EXPECT_EQ(shown(), "Ca");
  std::set<std::string> steps;
  while (board.step()) steps.insert(shown());
  std::fclose(out);
  EXPECT_EQ(steps.size(), 4u) << "each character is there before the next one";
  std::vector<std::vector<std::uint8_t>> regions;
  for (const auto& region : program.regions) {
    regions.emplace_back(region.bytes);
    board.read(region.chip, region.addr, regions.back());
  }
  EXPECT_EQ(shown(),
            scenario.check(args, program, regions).metrics["text"].get<std::string>() + "\n");
  nlohmann::ordered_json metrics;
  follower->report(0, sink.cycle, 100, metrics);
  const double first = metrics["cycles_to_first_token"], each = metrics["cycles_per_token"];
  EXPECT_GT(each, 0);
  EXPECT_LE(first + 2 * each, static_cast<double>(sink.cycle));
  EXPECT_DOUBLE_EQ(metrics["us_per_token"], each / 100);
  EXPECT_DOUBLE_EQ(metrics["tokens_per_s"], 3e8 / static_cast<double>(sink.cycle));
}

TEST(LmKnobs, RefusesInOneLine) {
  const auto knobs = [](std::vector<std::string> prompts, const char* tokens, const char* batch,
                        const char* temperature) {
    return refusal([&] { text_knobs(prompts, tokens, batch, temperature); });
  };
  EXPECT_EQ(knobs({"a"}, "1", "96", "100"), "nothing refused");
  EXPECT_EQ(knobs({"a", "b"}, "", "2", "0"), "nothing refused");
  EXPECT_EQ(knobs({}, "0", "", ""), "--tokens is \"0\"; allowed 1 .. 1048576");
  EXPECT_EQ(knobs({}, "", "0", ""), "--batch is \"0\"; allowed 1 .. 96");
  EXPECT_EQ(knobs({}, "", "97", ""), "--batch is \"97\"; allowed 1 .. 96");
  EXPECT_EQ(knobs({"a", "b"}, "", "3", ""),
            "--batch is 3 with 2 of --prompt; allowed 2, or one --prompt for all texts");
  EXPECT_EQ(knobs(std::vector<std::string>(97, "a"), "", "", ""),
            "97 of --prompt; allowed at most 96");
  for (const char* bad : {"-1", "100.1", "warm", "nan", "inf", "1x"})
    EXPECT_EQ(knobs({}, "", "", bad),
              fmt::format("--temperature is \"{}\"; allowed 0 .. 100", bad));
}

}  // namespace
}  // namespace tb
