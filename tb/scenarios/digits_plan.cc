// SPDX-License-Identifier: Apache-2.0
#include "tb/scenarios/digits_plan.h"

#include <fmt/format.h>

#include <stdexcept>

#include "tb/scenarios/numbers.h"

namespace tb::digits {
namespace {

constexpr unsigned kMostColumns = 128;  ///< images per matmul: three batches keep all engines busy

}  // namespace

Plan::Plan(const ScenarioArgs& args)
    : chips(args.chips), cores(args.chips * defs::kCores), partitions(args.sizes.partitions) {
  const auto data = args.data_dir / "digits.csv.gz";
  const auto all = read_digits(data);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!held_out(i)) continue;
    images.push_back(all[i]);
    indices.push_back(i);
  }
  if (images.size() < cores || images.size() > 600)
    throw std::runtime_error(fmt::format("{}: {} held-out images; allowed {} .. 600", data.string(),
                                         images.size(), cores));
  const auto weights = args.data_dir / "digits_network.txt";
  network = read_network(weights);
  if (network.hidden < cores || network.hidden > 512)
    throw std::runtime_error(fmt::format("{}: hidden is {}; allowed {} .. 512", weights.string(),
                                         network.hidden, cores));
  const unsigned most = std::min(args.sizes.psum_cols, kMostColumns);
  batches = (count() + most - 1) / most;
}

std::vector<std::uint16_t> Plan::pixels() const {
  std::vector<std::uint16_t> values;
  for (unsigned p = 0; p < kDigitsPixels; ++p)
    for (const auto& image : images) values.push_back(bf16_of(image.pixels[p] / 16.0));
  return values;
}

std::vector<std::uint16_t> Plan::stationary1(unsigned core, unsigned width) const {
  std::vector<std::uint16_t> values;
  const Range mine = units(core);
  for (unsigned p = 0; p < kDigitsPixels; ++p)
    for (unsigned u = 0; u < width; ++u)
      values.push_back(u < mine.count ? bf16_of(weight1(mine.first + u, p)) : std::uint16_t{0});
  return values;
}

std::vector<std::uint16_t> Plan::stationary2(unsigned core) const {
  std::vector<std::uint16_t> values;
  const Range mine = units(core);
  for (unsigned u = 0; u < mine.count; ++u)
    for (unsigned c = 0; c < kDigitsClasses; ++c)
      values.push_back(bf16_of(weight2(c, mine.first + u)));
  return values;
}

std::vector<float> Plan::biases1(unsigned core) const {
  std::vector<float> values;
  const Range mine = units(core);
  for (unsigned u = 0; u < mine.count; ++u)
    values.push_back(static_cast<float>(network.b1[mine.first + u]));
  return values;
}

}  // namespace tb::digits
