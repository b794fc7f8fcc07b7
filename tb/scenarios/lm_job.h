// SPDX-License-Identifier: Apache-2.0
// The texts of a run of `lm`, and who makes which of them.
#pragma once
#include <cstdint>
#include <cstdio>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "cmodel/machine/random.h"
#include "tb/scenarios/lm_model.h"
#include "tb/scenarios/scenario.h"

namespace tb::lm {

struct Text {
  std::vector<unsigned> prompt;  ///< tokens
  std::uint32_t seed;
};

/// Cores that act as one: {chip, core}, a rank each. They make texts first .. first + count - 1,
/// one after the other.
struct Group {
  std::vector<std::pair<unsigned, unsigned>> cores;
  unsigned first, count;
};

/// Groups are as many as let the most texts be made at once, and then as few, so as large, as
/// possible. One text is made by all cores that the heads can be split over.
struct Job {
  /// Throws std::runtime_error, one line, for prompts, chips or weights that cannot be.
  explicit Job(const ScenarioArgs& args);

  Model model;
  float temperature;
  std::vector<Text> texts;
  std::vector<Group> groups;
};

/// Regions of a program: of text and rank of its group.
std::string tokens_region(unsigned text, unsigned rank);
std::string logits_region(unsigned text, unsigned rank);

/// What is subtracted from the logits of each token of a text before the greatest is looked for,
/// T ln -ln u: the contract of cmodel/kernels/decoder.h again, in doubles.
class Noise {
 public:
  Noise(std::uint32_t seed, float temperature);
  /// By character; at temperature 0 all are 0.
  std::vector<double> next();

 private:
  cmodel::LaneRandom random_;
  double temperature_;
};

/// How far a score of the machine, logit less noise, may be from that of exact arithmetic: five
/// roundings of fp32, and logarithms within 1 ulp. 0 without noise.
double score_error(double logit, double noise, double temperature);

/// A run's check and follower: scenario.h.
ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program, RegionBytes regions);
std::unique_ptr<Follower> follow(const ScenarioArgs& args, const cmodel::Program& program,
                                 std::FILE* out);

}  // namespace tb::lm
