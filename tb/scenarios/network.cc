// SPDX-License-Identifier: Apache-2.0
#include "tb/scenarios/network.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>

namespace tb::network {

std::vector<float> draw(Random& random, std::size_t count, float range) {
  std::vector<float> values(count);
  for (float& x : values) x = range * (static_cast<float>(random.word() >> 44) * 0x1p-19f - 1.0f);
  return values;
}

std::vector<float> draw_bf16(Random& random, std::size_t count, float range) {
  auto values = draw(random, count, range);
  for (float& x : values) x = float_of(bf16_of(x));
  return values;
}

std::vector<std::uint8_t> bf16_bytes(const std::vector<float>& values) {
  std::vector<std::uint8_t> bytes(2 * values.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    const std::uint16_t bits = bf16_of(values[i]);
    std::memcpy(&bytes[2 * i], &bits, 2);
  }
  return bytes;
}

std::vector<std::uint8_t> word_bytes(const std::vector<std::uint32_t>& words) {
  std::vector<std::uint8_t> bytes(4 * words.size());
  std::memcpy(bytes.data(), words.data(), bytes.size());
  return bytes;
}

std::vector<double> doubles(const std::vector<float>& values) {
  return {values.begin(), values.end()};
}

std::vector<double> magnitudes(std::vector<double> values) {
  for (double& x : values) x = std::abs(x);
  return values;
}

std::vector<double> product(const std::vector<double>& w, const std::vector<double>& x, unsigned m,
                            unsigned n) {
  std::vector<double> sums(std::size_t{m} * n);
  for (std::size_t k = 0; k < x.size() / n; ++k)
    for (std::size_t i = 0; i < m; ++i)
      for (std::size_t j = 0; j < n; ++j) sums[i * n + j] += w[k * m + i] * x[k * n + j];
  return sums;
}

unsigned length_of(const ScenarioArgs& args, unsigned usual, unsigned most) {
  const unsigned length = args.length ? args.length : usual;
  if (length > most)
    throw std::runtime_error(fmt::format("--length is {}; allowed 1 .. {}", length, most));
  return length;
}

std::string core_name(unsigned chip, unsigned core) { return fmt::format("{}.{}", chip, core); }

void Accuracy::add(double got, double want, double allowed,
                   const std::function<std::string()>& what) {
  ++elements_;
  const double error = std::abs(got - want), share = error / allowed;
  error_ = std::max(error_, error);
  if (!(share <= share_)) share_ = share, allowed_ = allowed;
  if (share <= 1) return;
  if (wrong_++ == 0)
    failure_ = fmt::format("{} is {:.9g}, float64 {:.9g}; allowed {:.3g} apart", what(), got, want,
                           allowed);
}

void Accuracy::report(ScenarioResult& result) const {
  result.metrics["elements"] = elements_;
  result.metrics["elements_wrong"] = wrong_;
  result.metrics["max_error_vs_float64"] = error_;
  result.metrics["error_allowed"] = allowed_;  // where the error comes nearest to it
  result.metrics["error_of_allowed"] = share_;
  if (result.failure.empty()) result.failure = elements_ ? failure_ : "nothing to compare";
  result.passed = result.failure.empty();
}

void put_roofline(const defs::Sizes& sizes, const Roofline& roofline,
                  nlohmann::ordered_json& metrics) {
  const double p = sizes.partitions;
  const std::pair<const char*, double> bounds[] = {
      {"array", roofline.macs / (p * p)},
      {"vector", roofline.vector},
      {"activation", roofline.act},
      {"hbm", roofline.hbm_bytes * sizes.hbm_line_cycles / sizes.line_bytes},
      {"dma", roofline.lines * sizes.hbm_line_cycles}};
  const auto bound = std::ranges::max_element(bounds, {}, &std::pair<const char*, double>::second);
  metrics["bound"] = bound->first;
  metrics["bound_cycles"] = std::ceil(bound->second);
}

}  // namespace tb::network
