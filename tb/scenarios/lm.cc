// SPDX-License-Identifier: Apache-2.0
// A language model goes on with a prompt, character by character, on its own: the chips pick each
// one, look up what it means and come to the next one with no host in between
// (cmodel/kernels/decoder.h). --prompt is what it begins with, --tokens how many characters follow;
// both are data of the program, which is the same for all.
//
// Judged by two runs of the network in doubles (lm_model.h) along the machine's own text: one
// exact, one that rounds to bf16 where the machine does. With E the most that those roundings
// change any logit of the run, the machine must be within 2 E of the second one: it rounds at the
// same places, some of its sums in fp32 to the other side. And what it picks must be the greatest
// of its own logits.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cmodel/kernels/decoder.h"
#include "tb/scenarios/lm_model.h"
#include "tb/scenarios/network.h"

namespace tb {
namespace {

using defs::Dtype;

constexpr unsigned kUsualTokens = 4;
/// What the seed draws from.
constexpr const char* kPrompts[] = {"The ", "Call", "Ahab", "Moby", "Ship", "But ", "What"};

std::string rank_name(const char* what, unsigned rank) { return fmt::format("{}{}", what, rank); }

struct Job {
  explicit Job(const ScenarioArgs& args)
      : model(lm::read_model(args.data_dir / "lm_weights.bin")),
        prompt(encode(args.prompt.value_or(kPrompts[args.seed % std::size(kPrompts)]))) {
    if (prompt.empty())
      throw std::runtime_error("--prompt is empty; allowed 1 and more characters");
    if (lm::kShape.heads % args.chips)
      throw std::runtime_error(fmt::format("--chips is {}; allowed 1, 2, 3, 4, 6, 12", args.chips));
  }
  std::vector<unsigned> encode(const std::string& text) const try {
    return lm::encode(model, text);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(fmt::format("--prompt: {}", error.what()));
  }
  /// Cores of each chip that have a part: both, if there are heads for all.
  static unsigned cores(const ScenarioArgs& args) {
    return lm::kShape.heads % (args.chips * defs::kCores) ? 1 : defs::kCores;
  }
  lm::Model model;
  std::vector<unsigned> prompt;
};

/// Tokens that follow: as asked for, else as many as usual or as there is room for.
unsigned new_tokens(const ScenarioArgs& args, unsigned prompt, unsigned capacity) {
  // Nothing is looked up for the last one, so it needs no room in the cache.
  const unsigned most = std::min(capacity + 1, lm::kShape.context),
                 left = std::max(most, prompt) - prompt,
                 tokens = args.tokens ? args.tokens : std::min(kUsualTokens, std::max(left, 1u));
  if (tokens > left)
    throw std::runtime_error(fmt::format(
        "{} characters of --prompt and {} of --tokens; allowed {} together: {} {} of {}", prompt,
        tokens, most, args.chips, args.chips == 1 ? "chip" : "chips", args.sizes.name));
  return tokens;
}

cmodel::Program build(const ScenarioArgs& args) {
  const Job job(args);
  cmodel::Assembler assembler(args.sizes, args.chips);
  std::vector<cmodel::Core*> cores;
  for (unsigned chip = 0; chip < args.chips; ++chip)
    for (unsigned core = 0; core < Job::cores(args); ++core)
      cores.push_back(&assembler.core(chip, core));
  const cmodel::Decoder decoder(assembler, cores, job.model.weights);
  const auto prompt = static_cast<unsigned>(job.prompt.size());
  const unsigned count = prompt + new_tokens(args, prompt, decoder.capacity());
  for (unsigned i = 0; i < cores.size(); ++i) {
    const auto& blocks = decoder.blocks()[i];
    assembler.fill(blocks.tokens.byte_range(0, 4 * prompt),
                   network::word_bytes({job.prompt.begin(), job.prompt.end()}));
    assembler.fill(blocks.span, network::word_bytes({count - 1, prompt}));
    assembler.region(rank_name("tokens", i), blocks.tokens.byte_range(0, 4 * count), Dtype::Uint32);
    assembler.region(rank_name("logits", i), blocks.logits.row_range(0, count - 1), Dtype::Fp32);
  }
  return assembler.assemble();
}

std::vector<unsigned> words_of(const std::vector<std::uint8_t>& bytes, std::size_t count) {
  std::vector<unsigned> words(count);
  for (std::size_t i = 0; i < count; ++i) std::memcpy(&words[i], &bytes[4 * i], 4);
  return words;
}

/// Are the logits of each token those of the network, and is the next one the greatest?
void judge(const Job& job, std::span<const unsigned> tokens,
           const std::vector<std::uint8_t>& logits, network::Accuracy& accuracy,
           ScenarioResult& result) {
  lm::Reference exact(job.model, false), rounded(job.model, true);
  std::vector<std::vector<double>> near;
  double roundings = 0;
  unsigned unlike = 0;
  for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
    const auto want = exact.next(tokens[i]);
    near.push_back(rounded.next(tokens[i]));
    for (std::size_t c = 0; c < want.size(); ++c)
      roundings = std::max(roundings, std::abs(near[i][c] - want[c]));
    if (i + 1 >= job.prompt.size())
      unlike += std::ranges::max_element(want) - want.begin() != tokens[i + 1];
  }
  for (std::size_t i = 0; i < near.size(); ++i) {
    const std::size_t first = i * lm::kShape.characters;
    std::size_t greatest = 0;
    for (std::size_t c = 0; c < lm::kShape.characters; ++c) {
      const auto at = [&](std::size_t k) { return float_at(logits, 4 * (first + k)); };
      accuracy.add(at(c), near[i][c], 2 * roundings,
                   [&] { return fmt::format("logit {} behind token {}", c, i); });
      if (at(c) > at(greatest)) greatest = c;
    }
    if (i + 1 >= job.prompt.size() && tokens[i + 1] != greatest && result.failure.empty())
      result.failure =
          fmt::format("token {} is {}, the greatest logit {}", i + 1, tokens[i + 1], greatest);
  }
  result.metrics["tokens_unlike_float64"] = unlike;
  result.metrics["error_of_roundings"] = roundings;
}

ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program,
                     RegionBytes regions) {
  const Job job(args);
  ScenarioResult result;
  network::Accuracy accuracy;
  const auto& first = region_bytes(program, regions, rank_name("tokens", 0));
  const auto& logits = region_bytes(program, regions, rank_name("logits", 0));
  const std::size_t looked_at = logits.size() / (4 * lm::kShape.characters);
  const auto tokens = words_of(first, looked_at + 1);
  for (std::size_t i = 0; i < tokens.size(); ++i)
    if (tokens[i] >= lm::kShape.characters ||
        (i < job.prompt.size() && tokens[i] != job.prompt[i])) {
      result.failure = fmt::format("token {} is {}", i, tokens[i]);
      return result;
    }
  for (unsigned rank = 1; rank < args.chips * Job::cores(args); ++rank)
    if (words_of(region_bytes(program, regions, rank_name("tokens", rank)), tokens.size()) !=
            tokens ||
        region_bytes(program, regions, rank_name("logits", rank)) != logits)
      result.failure = fmt::format("core {} has other tokens or logits than core 0", rank);
  judge(job, tokens, logits, accuracy, result);
  result.metrics["text"] = lm::decode(job.model, tokens);
  result.metrics["tokens_prompt"] = job.prompt.size();
  result.metrics["tokens_new"] = tokens.size() - job.prompt.size();
  accuracy.report(result);
  return result;
}

}  // namespace

extern const Scenario kLm{.name = "lm",
                          .doc = "a language model goes on with a prompt (--prompt, --tokens)",
                          .build = build,
                          .check = check,
                          .has_prompt = true};

}  // namespace tb
