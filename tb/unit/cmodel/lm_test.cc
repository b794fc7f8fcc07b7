// SPDX-License-Identifier: Apache-2.0
// The language model: its file, its reference, and the program that writes text on the golden
// model.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>

#include "cmodel/board/board.h"
#include "cmodel/files/input_file.h"
#include "tb/scenarios/digits_data.h"
#include "tb/scenarios/knobs.h"
#include "tb/scenarios/lm_model.h"
#include "tb/scenarios/scenario.h"
#include "tb/unit/cmodel/stream_bytes.h"

namespace tb {
namespace {

const std::filesystem::path kData = DODECA_SCENARIO_DATA;
const std::filesystem::path kWeights = kData / "lm_weights.bin";

const lm::Model& model() {
  static const lm::Model model = lm::read_model(kWeights);
  return model;
}

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

TEST(LmFile, RefusesAnotherShapeFormatLengthOrChecksum) {
  const auto good = cmodel::read_file(kWeights, 8u << 20);
  const std::filesystem::path file = std::filesystem::path(testing::TempDir()) / "lm_test.bin";
  const auto with = [&](std::size_t at, std::uint8_t flip, std::size_t bytes) {
    auto bad = good;
    bad.at(at) ^= flip;
    bad.resize(bytes);
    std::ofstream(file, std::ios::binary)
        .write(reinterpret_cast<const char*>(bad.data()), static_cast<std::streamsize>(bytes));
    return refusal([&] { lm::read_model(file); });
  };
  const std::size_t all = good.size();
  EXPECT_EQ(with(0, 0, all), "nothing refused");
  EXPECT_NE(with(0, 1, all).find("no language model"), std::string::npos);
  EXPECT_NE(with(8, 2, all).find("format is 3; allowed 1 (bf16)"), std::string::npos);
  for (std::size_t word = 1; word <= 6; ++word)
    EXPECT_NE(with(8 + 4 * word, 1, all).find("shape is"), std::string::npos) << word;
  EXPECT_NE(with(0, 0, all - 1).find("bytes; allowed"), std::string::npos);
  EXPECT_NE(with(0, 0, all + 1).find("bytes; allowed"), std::string::npos);
  EXPECT_NE(with(0, 0, 20).find("no language model"), std::string::npos);
  for (const std::size_t at : {std::size_t{44}, all / 2, all - 1})
    EXPECT_NE(with(at, 0x10, all).find("CRC-32 is"), std::string::npos) << at;
  EXPECT_NE(with(40, 1, all).find("CRC-32 is"), std::string::npos);
}

TEST(LmText, CharactersAreTokensAndBack) {
  const std::string text = "Call me Ishmael. Some years ago—never mind";
  const auto tokens = lm::encode(model(), text);
  EXPECT_EQ(tokens.size(), text.size() - 2) << "a dash is one character";
  EXPECT_EQ(lm::decode(model(), tokens), text);
  EXPECT_EQ(refusal([&] { lm::encode(model(), "Caf\u00e9"); }),
            "character 4 is \"\u00e9\"; allowed those of the text that the model has learned");
  EXPECT_EQ(refusal([&] { lm::encode(model(), "a\tb"); }),
            "character 2 is byte 0x09; allowed those of the text that the model has learned");
}

/// On a piece that it was not trained on. Letters alone, by how often they come, are 3.1 nats each.
TEST(LmReference, KnowsTheLanguage) {
  const auto text = lm::encode(model(), read_unpacked(kData / "moby-dick.txt.gz"));
  const auto part = lm::held_out(text).first(lm::kShape.context + 1);
  const double loss = lm::loss(model(), part);
  fmt::print("{:.3f} nats per character\n", loss);
  EXPECT_LT(loss, 2.2);
  EXPECT_GT(loss, 1.0) << "better than any model of this size";
}

/// Rounded where the machine rounds, it is another network, but not much.
TEST(LmReference, RoundingsAreSmall) {
  lm::Reference exact(model(), false), rounded(model(), true);
  double error = 0;
  for (const unsigned token : lm::encode(model(), "Call me")) {
    const auto a = exact.next(token), b = rounded.next(token);
    for (std::size_t i = 0; i < a.size(); ++i) error = std::max(error, std::abs(a[i] - b[i]));
  }
  EXPECT_GT(error, 1e-4);
  EXPECT_LT(error, 0.3);
}

struct Silent : cmodel::CommitSink {
  void commit(const cmodel::Commit&, std::span<const std::uint8_t>) override {}
};

ScenarioArgs args_of(const defs::Sizes& sizes, unsigned chips, const std::string& prompt,
                     unsigned tokens) {
  ScenarioArgs args{.sizes = sizes, .chips = chips, .data_dir = kData, .out_dir = {}};
  args.texts = {.prompts = {prompt}, .tokens = tokens};
  return args;
}

std::vector<std::vector<std::uint8_t>> run(const ScenarioArgs& args, const cmodel::Program& program,
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

class LmOnModel : public testing::TestWithParam<std::pair<const defs::Sizes*, unsigned>> {};

TEST_P(LmOnModel, WritesTextWithoutRacesInAnyOrder) {
  const Scenario& scenario = find_scenario("lm");
  const auto args = args_of(*GetParam().first, GetParam().second, "C", 2);
  const auto program = scenario.build(args);
  const auto regions = run(args, program, {.detect_races = true});
  const auto result = scenario.check(args, program, regions);
  EXPECT_TRUE(result.passed) << result.failure;
  EXPECT_EQ(result.metrics["text"].get<std::string>().size(), 3u);
  EXPECT_EQ(run(args, program, {.order_seed = 7}), regions) << "another order, other bits";
  for (std::size_t i = 0; i < regions.size(); ++i) {
    auto spoilt = regions;
    spoilt[i][3] ^= 0x40;
    EXPECT_FALSE(scenario.check(args, program, spoilt).passed) << program.regions[i].name;
  }
}

INSTANTIATE_TEST_SUITE_P(Boards, LmOnModel,
                         testing::Values(std::pair{&defs::kMini, 1u}, std::pair{&defs::kMini, 2u},
                                         std::pair{&defs::kMini, 3u}, std::pair{&defs::kMini, 4u},
                                         std::pair{&defs::kMini, 6u}, std::pair{&defs::kInf2, 1u},
                                         std::pair{&defs::kInf2, 12u}));

/// As far as there is room: rings of slots, banks and the whole cache.
TEST(Lm, FillsTheCache) {
  const Scenario& scenario = find_scenario("lm");
  const auto args = args_of(defs::kMini, 1, "Call me", 14);
  const auto program = scenario.build(args);
  const auto result = scenario.check(args, program, run(args, program, {}));
  EXPECT_TRUE(result.passed) << result.failure;
  fmt::print("{}\n", result.metrics.dump());
}

/// Rows of three banks, and heads whose root bf16 has exactly.
TEST(Lm, RefusesWidthsAndHeadsThatItCannotCompute) {
  const auto plan = [](const defs::Sizes& sizes, unsigned width, unsigned heads) {
    auto shape = lm::kShape;
    shape.width = width, shape.heads = heads;
    return refusal([&] { cmodel::DecoderPlan(sizes, shape, 1); });
  };
  EXPECT_EQ(plan(defs::kMini, 192, 12), "nothing refused");
  EXPECT_EQ(plan(defs::kMini, 256, 16), "width 256; allowed at most 192");
  EXPECT_EQ(plan(defs::kInf2, 192, 6), "heads of 32; allowed powers of 4");
}

/// Prompt and number of tokens stand in memory: all have the same instructions.
TEST(Lm, OneProgramForAllTexts) {
  const auto streams = [](const std::string& prompt, unsigned tokens) {
    return stream_bytes(find_scenario("lm").build(args_of(defs::kMini, 2, prompt, tokens)));
  };
  EXPECT_EQ(streams("C", 1), streams("Call me", 9));
}

TEST(Lm, RefusesInOneLine) {
  const auto build = [](unsigned chips, const std::string& prompt, unsigned tokens) {
    return refusal([&] { find_scenario("lm").build(args_of(defs::kMini, chips, prompt, tokens)); });
  };
  EXPECT_EQ(build(5, "C", 1), "--chips is 5; allowed 1, 2, 3, 4, 6, 12");
  EXPECT_EQ(build(1, "", 1), "--prompt is empty; allowed 1 and more characters");
  EXPECT_EQ(build(1, "~", 1),
            "--prompt: character 1 is \"~\"; allowed those of the text that the model has learned");
  EXPECT_EQ(
      build(1, "Call me", 15),
      "7 characters of --prompt and 15 of --tokens; allowed 21 together: 2 cores of mini a text");
}

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
