// SPDX-License-Identifier: Apache-2.0
// The language model: its file, its reference, and the program that writes text on the golden
// model.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "cmodel/files/input_file.h"
#include "tb/scenarios/digits_data.h"
#include "tb/scenarios/lm_model.h"
#include "tb/unit/cmodel/lm_run.h"
#include "tb/unit/cmodel/stream_bytes.h"

namespace tb {
namespace {

const std::filesystem::path kWeights = kData / "lm_weights.bin";

const lm::Model& model() {
  static const lm::Model model = lm::read_model(kWeights);
  return model;
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

}  // namespace
}  // namespace tb
