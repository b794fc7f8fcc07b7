// SPDX-License-Identifier: Apache-2.0
// The kernel of a language model by itself, with networks so small that thousands of tokens are
// made in a second: is what it draws distributed as it must be, and what does it refuse?
#include "cmodel/kernels/decoder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <numeric>

#include "cmodel/board/board.h"
#include "tb/scenarios/network.h"
#include "tb/scenarios/numbers.h"

namespace tb {
namespace {

constexpr float kLogits[] = {0, 0.5, 1, 1.5, 2, -0.5, -1, 0.25, 0.75, 1.25};
constexpr cmodel::DecoderShape kTiny{.width = 16,
                                     .heads = 1,
                                     .layers = 1,
                                     .hidden = 16,
                                     .context = 128,
                                     .characters = std::size(kLogits)};

/// Whatever came before, the logits are kLogits: each vector is ones, each layer adds nothing.
cmodel::DecoderWeights constant_network() {
  const auto& s = kTiny;
  const auto zeros = [](unsigned outputs, unsigned inputs) {
    return std::vector<std::uint16_t>(std::size_t{outputs} * inputs);
  };
  cmodel::DecoderWeights w{.shape = s,
                           .embedding = zeros(s.characters, s.width),
                           .position = zeros(s.context, s.width),
                           .layers = {{zeros(3 * s.width, s.width), zeros(s.width, s.width),
                                       zeros(s.hidden, s.width), zeros(s.width, s.hidden)}},
                           .logits = zeros(s.characters, s.width)};
  for (auto& one : w.embedding) one = bf16_of(1.0f);
  for (unsigned c = 0; c < s.characters; ++c) w.logits[c * s.width] = bf16_of(kLogits[c]);
  return w;
}

struct Silent : cmodel::CommitSink {
  void commit(const cmodel::Commit&, std::span<const std::uint8_t>) override {}
};

/// The tokens of each text, `count` of them behind token 0.
std::vector<std::vector<unsigned>> texts(const cmodel::DecoderTexts& asked, unsigned count) {
  cmodel::Assembler assembler(defs::kInf2, 1);
  const cmodel::Decoder decoder(assembler, {&assembler.core(0, 0)}, constant_network(), asked);
  EXPECT_LE(count, decoder.capacity());
  const auto& blocks = decoder.blocks()[0];
  const auto number = static_cast<unsigned>(asked.seeds.size());
  for (unsigned i = 0; i < number; ++i) {
    assembler.fill(blocks.tokens.row_range(i, 1).byte_range(0, 4), network::word_bytes({0}));
    assembler.fill(blocks.span.row_range(i, 1), network::word_bytes({count, 1}));
  }
  const auto program = assembler.assemble();
  Silent sink;
  cmodel::Board board(defs::kInf2, program, sink, {});
  board.load();
  EXPECT_TRUE(board.run()) << board.blocked();
  EXPECT_TRUE(board.errors().empty());
  std::vector<std::vector<unsigned>> all;
  for (unsigned i = 0; i < number; ++i) {
    std::vector<std::uint8_t> bytes(4 * (count + 1));
    board.read(0, blocks.tokens.row_addr(i), bytes);
    all.emplace_back(count);
    std::memcpy(all.back().data(), bytes.data() + 4, 4 * count);
  }
  return all;
}

/// Of the counts, against the shares that they should have.
double chi_square(const std::vector<double>& counts, const std::vector<double>& shares) {
  double n = 0, sum = 0;
  for (const double c : counts) n += c;
  for (std::size_t i = 0; i < counts.size(); ++i)
    sum += (counts[i] - n * shares[i]) * (counts[i] - n * shares[i]) / (n * shares[i]);
  return sum;
}

std::vector<double> softmax(double temperature) {
  std::vector<double> p;
  double sum = 0;
  for (const float logit : kLogits) sum += p.emplace_back(std::exp(logit / temperature));
  for (double& x : p) x /= sum;
  return p;
}

// Quantiles of chi-square: beyond them are a thousandth of all good draws.
constexpr double kNineFree = 27.88, kTwentyFourFree = 51.18;

TEST(DecoderSampling, DrawsByProbabilityWhateverCameBefore) {
  cmodel::DecoderTexts asked{.seeds = std::vector<std::uint32_t>(40), .temperature = 0.7f};
  std::iota(asked.seeds.begin(), asked.seeds.end(), 1);
  const auto drawn = texts(asked, 100);
  std::vector<double> counts(kTiny.characters), pairs(25), shares = softmax(0.7);
  // Classes with enough in them for pairs: the likeliest four, the rest.
  const auto class_of = [](unsigned token) {
    return kLogits[token] == 2      ? 0u
           : kLogits[token] == 1.5  ? 1u
           : kLogits[token] == 1.25 ? 2u
           : kLogits[token] == 1    ? 3u
                                    : 4u;
  };
  std::vector<double> class_shares(5), pair_shares(25);
  for (unsigned c = 0; c < kTiny.characters; ++c) class_shares[class_of(c)] += shares[c];
  for (unsigned i = 0; i < 25; ++i) pair_shares[i] = class_shares[i / 5] * class_shares[i % 5];
  for (const auto& text : drawn)
    for (std::size_t i = 0; i < text.size(); ++i) {
      ASSERT_LT(text[i], kTiny.characters);
      ++counts[text[i]];
      if (i % 2) ++pairs[class_of(text[i - 1]) * 5 + class_of(text[i])];
    }
  const double single = chi_square(counts, shares);
  fmt::print("chi-square {:.1f}, of pairs {:.1f}\n", single, chi_square(pairs, pair_shares));
  EXPECT_LT(single, kNineFree);
  EXPECT_GT(chi_square(counts, softmax(0.8)), kNineFree) << "4,000 draws tell 0.7 from 0.8";
  EXPECT_GT(chi_square(counts, softmax(0.6)), kNineFree);
  EXPECT_LT(chi_square(pairs, pair_shares), kTwentyFourFree);
}

TEST(DecoderSampling, ATextIsThatOfItsSeedAlone) {
  const auto together = texts({.seeds = {7, 8, 7}, .temperature = 1}, 40);
  EXPECT_EQ(together[0], together[2]);
  EXPECT_NE(together[0], together[1]);
  for (unsigned i = 0; i < 2; ++i)
    EXPECT_EQ(texts({.seeds = {7 + i}, .temperature = 1}, 40)[0], together[i]);
}

TEST(DecoderSampling, WithoutTemperatureTakesTheGreatest) {
  EXPECT_EQ(texts({.seeds = {3, 4}}, 5), (std::vector(2, std::vector(5, 4u))));
  // So small that no noise is as large as the distance of two logits.
  EXPECT_EQ(texts({.seeds = {3}, .temperature = 0.001f}, 5), (std::vector(1, std::vector(5, 4u))));
}

std::string refusal(const cmodel::DecoderWeights& weights, const cmodel::DecoderTexts& texts = {},
                    unsigned ranks = 1) {
  cmodel::Assembler assembler(defs::kInf2, 12);
  std::vector<cmodel::Core*> cores;
  for (unsigned rank = 0; rank < ranks; ++rank)
    cores.push_back(&assembler.core(rank / 2, rank % 2));
  try {
    cmodel::Decoder(assembler, cores, weights, texts);
  } catch (const cmodel::AssemblerError& error) {
    return error.what();
  }
  return "nothing refused";
}

/// Not read beyond their end: said.
TEST(DecoderWeights, RefusesThoseThatAreNotOfTheirShape) {
  const auto good = constant_network();
  EXPECT_EQ(refusal(good), "nothing refused");
  const auto without_last = [&](auto part) {
    auto bad = good;
    part(bad).pop_back();
    return refusal(bad);
  };
  EXPECT_EQ(without_last([](auto& w) -> auto& { return w.embedding; }),
            "embedding has 159 weights; allowed 10 x 16");
  EXPECT_EQ(without_last([](auto& w) -> auto& { return w.position; }),
            "position has 2047 weights; allowed 128 x 16");
  EXPECT_EQ(without_last([](auto& w) -> auto& { return w.logits; }),
            "logits has 159 weights; allowed 10 x 16");
  EXPECT_EQ(without_last([](auto& w) -> auto& { return w.layers[0].qkv; }),
            "qkv of layer 0 has 767 weights; allowed 48 x 16");
  EXPECT_EQ(without_last([](auto& w) -> auto& { return w.layers[0].out; }),
            "out of layer 0 has 255 weights; allowed 16 x 16");
  EXPECT_EQ(without_last([](auto& w) -> auto& { return w.layers[0].up; }),
            "up of layer 0 has 255 weights; allowed 16 x 16");
  EXPECT_EQ(without_last([](auto& w) -> auto& { return w.layers[0].down; }),
            "down of layer 0 has 255 weights; allowed 16 x 16");
  EXPECT_EQ(without_last([](auto& w) -> auto& { return w.layers; }),
            "weights of 0 layers; allowed 1");
}

TEST(DecoderWeights, RefusesShapesThatAreNone) {
  const auto with = [](unsigned cmodel::DecoderShape::* size, unsigned value) {
    auto bad = constant_network();
    bad.shape.*size = value;
    return refusal(bad);
  };
  EXPECT_EQ(with(&cmodel::DecoderShape::heads, 0), "heads is 0; allowed 1 and more");
  EXPECT_EQ(with(&cmodel::DecoderShape::width, 0), "width is 0; allowed 1 and more");
  EXPECT_EQ(with(&cmodel::DecoderShape::layers, 0), "layers is 0; allowed 1 and more");
  EXPECT_EQ(with(&cmodel::DecoderShape::context, 0), "context is 0; allowed 1 and more");
  EXPECT_EQ(with(&cmodel::DecoderShape::heads, 3), "3 heads; allowed divisors of width 16");
  auto shape = kTiny;
  shape.hidden = 0;
  EXPECT_THROW(cmodel::DecoderPlan(defs::kInf2, shape, 1), cmodel::AssemblerError);
}

TEST(DecoderTexts, RefusesTextsAndCoresThatCannotBe) {
  const auto w = constant_network();
  EXPECT_EQ(refusal(w, {.seeds = {}}), "no texts; allowed 1 and more");
  EXPECT_EQ(refusal(w, {.seeds = {1}, .temperature = -1}), "temperature -1; allowed 0 and more");
  EXPECT_EQ(refusal(w, {.temperature = std::numeric_limits<float>::quiet_NaN()}),
            "temperature nan; allowed 0 and more");
  EXPECT_EQ(refusal(w, {.temperature = std::numeric_limits<float>::infinity()}),
            "temperature inf; allowed 0 and more");
  EXPECT_EQ(refusal(w, {}, 2), "2 ranks; allowed divisors of 1 heads and 16 hidden units");
}

}  // namespace
}  // namespace tb
