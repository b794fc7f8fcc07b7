// SPDX-License-Identifier: Apache-2.0
// Judged by two runs of the network in doubles (lm_model.h) along the machine's own text: one
// exact, one that rounds to bf16 where the machine does. With E the most that those roundings
// change any logit of the run, the machine must be within 2 E of the second one: it rounds at the
// same places, some of its sums in fp32 to the other side. What it picks must be the greatest of
// its own logits; with a temperature the greatest of them less the noise of the text's seed.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tb/scenarios/lm_job.h"
#include "tb/scenarios/network.h"

namespace tb::lm {
namespace {

std::vector<unsigned> words_of(const std::vector<std::uint8_t>& bytes, std::size_t count) {
  std::vector<unsigned> words(count);
  for (std::size_t i = 0; i < count; ++i) std::memcpy(&words[i], &bytes[4 * i], 4);
  return words;
}

struct Judge {
  const Job& job;
  ScenarioResult& result;
  network::Accuracy accuracy = {};
  double roundings = 0;
  unsigned unlike = 0;  ///< characters that exact arithmetic would not have picked

  void fail(const std::string& why) {
    if (result.failure.empty()) result.failure = why;
  }

  /// The greatest of the scores, the first if several are.
  static std::size_t greatest(const std::vector<double>& logits, const std::vector<double>& noise) {
    std::size_t best = 0;
    for (std::size_t c = 1; c < logits.size(); ++c)
      if (logits[c] - noise[c] > logits[best] - noise[best]) best = c;
    return best;
  }

  /// Did the machine pick as it must behind these logits of its own?
  void pick(std::size_t at, unsigned picked, const std::vector<double>& logits,
            const std::vector<double>& noise) {
    const std::size_t best = greatest(logits, noise);
    const auto error = [&](std::size_t c) {
      return score_error(logits[c], noise[c], job.temperature);
    };
    const double short_by = logits[best] - noise[best] - (logits[picked] - noise[picked]);
    if (picked != best && !(short_by <= error(best) + error(picked) && job.temperature > 0))
      fail(fmt::format("token {} is {}, the greatest score {}", at, picked, best));
  }

  void text(unsigned number, std::span<const unsigned> tokens,
            const std::vector<std::uint8_t>& bytes) {
    const std::size_t prompt = job.texts[number].prompt.size();
    Reference exact(job.model, false), rounded(job.model, true);
    Noise noise(job.texts[number].seed, job.temperature);
    std::vector<std::vector<double>> near;
    for (std::size_t i = 0; i + 1 < tokens.size(); ++i) {
      const auto want = exact.next(tokens[i]), noises = noise.next();
      near.push_back(rounded.next(tokens[i]));
      std::vector<double> got(want.size());
      for (std::size_t c = 0; c < want.size(); ++c) {
        roundings = std::max(roundings, std::abs(near[i][c] - want[c]));
        got[c] = float_at(bytes, 4 * (i * kShape.characters + c));
      }
      if (i + 1 < prompt) continue;
      unlike += greatest(want, noises) != tokens[i + 1];
      pick(i + 1, tokens[i + 1], got, noises);
    }
    for (std::size_t i = 0; i < near.size(); ++i)
      for (std::size_t c = 0; c < kShape.characters; ++c)
        accuracy.add(
            float_at(bytes, 4 * (i * kShape.characters + c)), near[i][c], 2 * roundings,
            [&] { return fmt::format("text {}, logit {} behind token {}", number, c, i); });
  }
};

/// The tokens of a text, all ranks alike; none, and a failure, if they cannot be.
std::vector<unsigned> tokens_of(Judge& judge, const cmodel::Program& program, RegionBytes regions,
                                unsigned number, std::size_t ranks) {
  const auto& bytes = region_bytes(program, regions, tokens_region(number, 0));
  const auto& logits = region_bytes(program, regions, logits_region(number, 0));
  const std::size_t looked_at = logits.size() / (4 * kShape.characters);
  const auto tokens = words_of(bytes, looked_at + 1);
  const auto& prompt = judge.job.texts[number].prompt;
  for (std::size_t i = 0; i < tokens.size(); ++i)
    if (tokens[i] >= kShape.characters || (i < prompt.size() && tokens[i] != prompt[i])) {
      judge.fail(fmt::format("text {}, token {} is {}", number, i, tokens[i]));
      return {};
    }
  for (unsigned rank = 1; rank < ranks; ++rank)
    if (words_of(region_bytes(program, regions, tokens_region(number, rank)), tokens.size()) !=
            tokens ||
        region_bytes(program, regions, logits_region(number, rank)) != logits)
      judge.fail(
          fmt::format("text {}, rank {} has other tokens or logits than rank 0", number, rank));
  return tokens;
}

}  // namespace

ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program,
                     RegionBytes regions) {
  const Job job(args);
  ScenarioResult result;
  Judge judge{job, result};
  std::vector<std::string> texts;
  std::size_t given = 0, made = 0;
  for (const Group& group : job.groups)
    for (unsigned number = group.first; number < group.first + group.count; ++number) {
      const auto tokens = tokens_of(judge, program, regions, number, group.cores.size());
      if (tokens.empty()) return result;
      judge.text(number, tokens, region_bytes(program, regions, logits_region(number, 0)));
      texts.push_back(decode(job.model, tokens));
      given += job.texts[number].prompt.size();
      made += tokens.size() - job.texts[number].prompt.size();
    }
  result.metrics["tokens_unlike_float64"] = judge.unlike;
  result.metrics["error_of_roundings"] = judge.roundings;
  if (texts.size() == 1)
    result.metrics["text"] = texts[0];
  else
    result.metrics["texts"] = texts;
  result.metrics["groups"] = job.groups.size();
  result.metrics["tokens_prompt"] = given;
  result.metrics["tokens_new"] = made;
  judge.accuracy.report(result);
  return result;
}

}  // namespace tb::lm
