// SPDX-License-Identifier: Apache-2.0
#include "tb/scenarios/digits_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "cmodel/files/output_file.h"
#include "tb/scenarios/digits_plan.h"
#include "tb/scenarios/numbers.h"

namespace tb::digits {
namespace {

constexpr double kLeastAccuracy = 0.95;
constexpr double kMostError = 0.25;  ///< of a score, against float64; scores are around -1 and 1

/// The scores that the numerics contract demands, [10][images], by naive loops.
std::vector<float> exact_scores(const Plan& plan) {
  const unsigned n = plan.count();
  const auto pixels = plan.pixels();
  std::vector<float> total, chip_sum;
  for (unsigned core = 0; core < plan.cores; ++core) {
    const Range mine = plan.units(core);
    const auto w1 = plan.stationary1(core, mine.count), w2 = plan.stationary2(core);
    const auto b1 = plan.biases1(core);
    std::vector<float> hidden(mine.count * n), scores(kDigitsClasses * n);
    for (unsigned k = 0; k < plan.input_tiles(); ++k)
      naive_matmul(w1, pixels, hidden, mine.count, n, k * plan.input_rows(), plan.input_rows(),
                   k > 0);
    std::vector<std::uint16_t> active(hidden.size());
    for (unsigned u = 0; u < mine.count; ++u)
      for (unsigned i = 0; i < n; ++i) {
        const float x = hidden[u * n + i] + b1[u];
        active[u * n + i] = bf16_of(x > 0 ? x : 0.0f);
      }
    for (unsigned t = 0; t < plan.tiles(core); ++t) {
      const Range units = plan.tile(core, t);
      naive_matmul(w2, active, scores, kDigitsClasses, n, units.first, units.count, t > 0);
    }
    for (unsigned label = 0; label < kDigitsClasses; ++label)
      for (unsigned i = 0; i < n; ++i) scores[label * n + i] += plan.bias2(core, label);

    const auto add = [&](std::vector<float>& sum, const std::vector<float>& term) {
      if (sum.empty())
        sum = term;
      else
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += term[i];
    };
    if (core % defs::kCores == 0) chip_sum.clear();
    add(chip_sum, scores);
    if (core % defs::kCores == defs::kCores - 1) add(total, chip_sum);
  }
  return total;
}

/// The network in float64; `rounded`: with the weights as the machine gets them.
std::vector<double> float64_scores(const Plan& plan, bool rounded) {
  const auto weight = [&](double w) { return rounded ? double{float_of(bf16_of(w))} : w; };
  const unsigned n = plan.count(), hidden = plan.network.hidden;
  std::vector<double> w1, w2, scores(kDigitsClasses * n);
  for (const double w : plan.network.w1) w1.push_back(weight(w));
  for (const double w : plan.network.w2) w2.push_back(weight(w));
  for (unsigned i = 0; i < n; ++i) {
    for (unsigned c = 0; c < kDigitsClasses; ++c) scores[c * n + i] = plan.network.b2[c];
    for (unsigned u = 0; u < hidden; ++u) {
      double x = plan.network.b1[u];
      for (unsigned p = 0; p < kDigitsPixels; ++p)
        x += w1[u * kDigitsPixels + p] * (plan.images[i].pixels[p] / 16.0);
      if (x <= 0) continue;
      for (unsigned c = 0; c < kDigitsClasses; ++c) scores[c * n + i] += w2[c * hidden + u] * x;
    }
  }
  return scores;
}

/// The class with the greatest score, the first of equals.
template <class Scores>
unsigned best_class(const Scores& scores, unsigned image, unsigned count) {
  unsigned best = 0;
  for (unsigned c = 1; c < kDigitsClasses; ++c)
    if (scores[c * count + image] > scores[best * count + image]) best = c;
  return best;
}

void write_predictions(const Plan& plan, const std::vector<unsigned>& predicted,
                       const std::filesystem::path& file) {
  cmodel::OutputFile out(file);
  out.print("image,label,predicted,correct\n");
  for (unsigned i = 0; i < plan.count(); ++i)
    out.print("{},{},{},{}\n", plan.indices[i], plan.images[i].label, predicted[i],
              predicted[i] == plan.images[i].label ? 1 : 0);
  out.finish();
}

}  // namespace

ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program,
                     RegionBytes regions) {
  const Plan plan(args);
  const unsigned n = plan.count();
  const auto& bytes = region_bytes(program, regions, "scores0");
  bool chips_agree = true;
  for (unsigned chip = 1; chip < args.chips; ++chip)
    chips_agree &= region_bytes(program, regions, fmt::format("scores{}", chip)) == bytes;

  std::vector<float> scores(kDigitsClasses * n);
  std::memcpy(scores.data(), bytes.data(), scores.size() * 4);
  const auto exact = exact_scores(plan);
  const bool bit_exact = std::memcmp(scores.data(), exact.data(), scores.size() * 4) == 0;
  const auto ideal = float64_scores(plan, false), same_weights = float64_scores(plan, true);

  // A NaN counts as the worst error there is.
  const auto worst = [&](const std::vector<double>& reference) {
    double most = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const double error = std::abs(scores[i] - reference[i]);
      most = error <= most ? most : std::isfinite(error) ? error : 1e30;
    }
    return most;
  };
  std::vector<unsigned> predicted;
  unsigned right = 0, as_ideal = 0;
  for (unsigned i = 0; i < n; ++i) {
    predicted.push_back(best_class(scores, i, n));
    right += predicted[i] == plan.images[i].label;
    as_ideal += predicted[i] == best_class(ideal, i, n);
  }
  unsigned least = plan.network.hidden;
  for (unsigned core = 0; core < plan.cores; ++core)
    least = std::min(least, plan.units(core).count);

  ScenarioResult result;
  const double accuracy = static_cast<double>(right) / n, error = worst(ideal);
  result.metrics["accuracy"] = accuracy;
  result.metrics["images"] = n;
  result.metrics["correct"] = right;
  result.metrics["predictions_as_float64"] = as_ideal;
  result.metrics["max_abs_error_vs_float64"] = error;  // the network as trained, nothing rounded
  result.metrics["max_abs_error_vs_float64_same_weights"] = worst(same_weights);
  result.metrics["chips_agree"] = chips_agree;
  result.metrics["scores_bit_exact"] = bit_exact;
  result.metrics["hidden_units"] = plan.network.hidden;
  result.metrics["macs"] =
      std::uint64_t{n} * plan.network.hidden * (kDigitsPixels + kDigitsClasses);
  result.metrics["macs_per_core_share_min"] = static_cast<double>(least) / plan.network.hidden;

  if (!chips_agree)
    result.failure = "chips ended with different class scores";
  else if (!bit_exact)
    result.failure = "class scores differ from the naive loops of the contract";
  else if (!(error <= kMostError))
    result.failure = fmt::format("a score is off by {:.3g}; allowed {}", error, kMostError);
  else if (accuracy < kLeastAccuracy)
    result.failure =
        fmt::format("accuracy is {:.4f}; allowed {} and more", accuracy, kLeastAccuracy);
  result.passed = result.failure.empty();
  if (!args.out_dir.empty()) write_predictions(plan, predicted, args.out_dir / "predictions.csv");
  return result;
}

}  // namespace tb::digits
