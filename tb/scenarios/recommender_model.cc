// SPDX-License-Identifier: Apache-2.0
#include "tb/scenarios/recommender_model.h"

#include <algorithm>
#include <cmath>

#include "tb/scenarios/arrivals.h"
#include "tb/scenarios/network.h"

namespace tb::recommender {
namespace {

/// Numbers and how far the machine's may be from them.
Scores layer(const std::vector<float>& w, const std::vector<float>& b, const Scores& x) {
  const std::size_t outputs = w.size() / x.value.size();
  Scores y{std::vector<double>(outputs), std::vector<double>(outputs)};
  for (std::size_t m = 0; m < outputs; ++m) {
    double magnitude = b.empty() ? 0 : std::abs(b[m]);
    y.value[m] = b.empty() ? 0 : b[m];
    for (std::size_t k = 0; k < x.value.size(); ++k) {
      const double weight = w[k * outputs + m];
      y.value[m] += weight * x.value[k];
      y.bound[m] += std::abs(weight) * x.bound[k];
      magnitude += std::abs(weight) * (std::abs(x.value[k]) + x.bound[k]);
    }
    // A rounding of fp32 for each product, and one for the bias.
    y.bound[m] += magnitude * static_cast<double>(x.value.size() + 2) * 0x1p-24;
  }
  return y;
}

void round_to_bf16(Scores& x) {
  for (std::size_t i = 0; i < x.value.size(); ++i)
    x.bound[i] += (std::abs(x.value[i]) + x.bound[i]) * 0x1p-9;
}

}  // namespace

Model::Model(const ScenarioArgs& args)
    : hidden(args.sizes.partitions), candidates(args.sizes.psum_cols) {
  Random random(args.seed, "recommender");
  const auto weights = [&](unsigned inputs, unsigned outputs) {
    return network::draw_bf16(random, std::size_t{inputs} * outputs,
                              2 / std::sqrt(static_cast<float>(inputs)));
  };
  tables = network::draw_bf16(random, std::size_t{args.chips} * kTable * kDepth, 0.5f);
  w1 = weights(2 * kDepth, hidden), b1 = network::draw(random, hidden, 0.5f);
  w2 = weights(hidden, kDepth), b2 = network::draw(random, kDepth, 0.5f);
  items = network::draw_bf16(random, std::size_t{kDepth} * candidates, 1);
  for (const std::uint64_t arrival : poisson_arrivals(args)) {
    Request& request = requests.emplace_back();
    request.arrival = arrival;
    for (unsigned i = 0; i < args.chips * kLookups; ++i)
      request.lists.push_back(random.between(0, kTable - 1));
    request.own = network::draw_bf16(random, kDepth, 1);
  }
}

Scores Model::scores(const Request& request) const {
  Scores x{std::vector<double>(2 * kDepth), std::vector<double>(2 * kDepth)};
  for (unsigned i = 0; i < kDepth; ++i) {
    double magnitude = 0;
    for (std::size_t l = 0; l < request.lists.size(); ++l) {
      const std::size_t row = l / kLookups * kTable + request.lists[l];
      const double number = tables[row * kDepth + i];
      x.value[i] += number, magnitude += std::abs(number);
    }
    x.bound[i] = magnitude * static_cast<double>(request.lists.size()) * 0x1p-24;
    x.value[kDepth + i] = request.own[i];
  }
  round_to_bf16(x);
  Scores h = layer(w1, b1, x);
  for (double& value : h.value) value = std::max(value, 0.0);
  round_to_bf16(h);
  Scores u = layer(w2, b2, h);
  round_to_bf16(u);
  return layer(items, {}, u);
}

std::vector<std::uint8_t> Model::bytes(const Request& request) const {
  std::vector<std::uint8_t> out = network::word_bytes(request.lists);
  const auto own = bytes_of(request.own);
  out.insert(out.end(), own.begin(), own.end());
  return out;
}

}  // namespace tb::recommender
