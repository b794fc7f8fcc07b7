// SPDX-License-Identifier: Apache-2.0
#include "tb/scenarios/lm_job.h"

#include <fmt/format.h>

#include <cmath>
#include <string_view>

namespace tb::lm {
namespace {

/// Of the seed: a word of four letters, seldom the same one for two seeds.
std::string word_of(std::uint32_t seed) {
  constexpr std::string_view kFirst[] = {"Th", "Ca", "Ah", "Mo", "Sh", "Bu", "Wh"};
  std::string word(kFirst[seed % std::size(kFirst)]);
  for (std::uint32_t rest = seed / std::size(kFirst); word.size() < 4; rest /= 26)
    word += static_cast<char>('a' + rest % 26);
  return word;
}

std::vector<unsigned> prompt_of(const Model& model, const std::string& text) {
  if (text.empty()) throw std::runtime_error("--prompt is empty; allowed 1 and more characters");
  try {
    return encode(model, text);
  } catch (const std::runtime_error& error) {
    throw std::runtime_error(fmt::format("--prompt: {}", error.what()));
  }
}

/// Ranks of a group of so many cores in a row: all, or core 0 of each chip. 0: heads are not split.
unsigned ranks_of(unsigned cores) {
  if (kShape.heads % cores == 0) return cores;
  return cores % defs::kCores == 0 && kShape.heads % (cores / defs::kCores) == 0
             ? cores / defs::kCores
             : 0;
}

std::vector<Group> groups_of(unsigned chips, unsigned texts) {
  const unsigned cores = chips * defs::kCores;
  const auto turns = [&](unsigned groups) { return (texts + groups - 1) / groups; };
  unsigned count = 0;
  for (unsigned groups = 1; groups <= cores; ++groups)
    if (cores % groups == 0 && ranks_of(cores / groups) &&
        (count == 0 || turns(groups) < turns(count)))
      count = groups;
  if (texts == 1 && !ranks_of(cores))
    throw std::runtime_error(fmt::format("--chips is {}; allowed 1, 2, 3, 4, 6, 12", chips));
  const unsigned size = cores / count, ranks = ranks_of(size);
  std::vector<Group> groups;
  for (unsigned g = 0; g < count; ++g) {
    Group group{{}, g * texts / count, 0};
    group.count = (g + 1) * texts / count - group.first;
    for (unsigned rank = 0; rank < ranks; ++rank) {
      const unsigned core = g * size + rank * (size / ranks);
      group.cores.emplace_back(core / defs::kCores, core % defs::kCores);
    }
    if (group.count) groups.push_back(group);
  }
  return groups;
}

}  // namespace

Job::Job(const ScenarioArgs& args)
    : model(read_model(args.data_dir / "lm_weights.bin")),
      temperature(args.texts.temperature.value_or(0)) {
  const auto& prompts = args.texts.prompts;
  const auto count =
      args.texts.batch ? args.texts.batch : std::max(1u, static_cast<unsigned>(prompts.size()));
  for (unsigned i = 0; i < count; ++i) {
    const auto seed = static_cast<std::uint32_t>(args.seed + i);
    texts.push_back(
        {prompt_of(model, prompts.empty() ? word_of(seed) : prompts[i % prompts.size()]), seed});
  }
  groups = groups_of(args.chips, count);
}

std::string tokens_region(unsigned text, unsigned rank) {
  return fmt::format("tokens{}.{}", text, rank);
}

std::string logits_region(unsigned text, unsigned rank) {
  return fmt::format("logits{}.{}", text, rank);
}

Noise::Noise(std::uint32_t seed, float temperature) : random_(1), temperature_(temperature) {
  random_.seed(seed);
}

std::vector<double> Noise::next() {
  std::vector<double> noise(kShape.characters);
  if (temperature_ == 0) return noise;
  for (double& n : noise) {
    const double u = ((random_.draw()[0] >> 9) + 0.5) * 0x1p-23;
    n = temperature_ * std::log(-std::log(u));
  }
  return noise;
}

double score_error(double logit, double noise, double temperature) {
  return temperature == 0 ? 0
                          : 0x1p-22 * (std::abs(logit) + std::abs(noise) + std::abs(temperature));
}

}  // namespace tb::lm
