// SPDX-License-Identifier: Apache-2.0
#include "tb/scenarios/scenario.h"

#include <fmt/format.h>

#include <array>
#include <stdexcept>

namespace tb {

std::span<const Scenario> scenarios() {
  static const std::array all{
      kDigits,    kGemm,  kRing,       kBusy,   kCorners,     kErrors,    kNoise,   kTenants,
      kRegisters, kRelay, kLoops,      kGather, kSoftmax,     kLayernorm, kMlpGelu, kAttention,
      kEmbedding, kConv,  kCollective, kLm,     kRecommender, kGrammar};
  return all;
}

const Scenario& find_scenario(std::string_view name) {
  std::string allowed;
  for (const Scenario& scenario : scenarios()) {
    if (scenario.name == name) return scenario;
    allowed += fmt::format("{}{}", allowed.empty() ? "" : ", ", scenario.name);
  }
  throw std::runtime_error(fmt::format("scenario is \"{}\"; allowed {}", name, allowed));
}

const std::vector<std::uint8_t>& region_bytes(const cmodel::Program& program, RegionBytes regions,
                                              std::string_view name) {
  for (std::size_t i = 0; i < program.regions.size() && i < regions.size(); ++i) {
    if (program.regions[i].name != name) continue;
    if (regions[i].size() != program.regions[i].bytes)
      throw std::runtime_error(fmt::format("region {} has {} bytes; allowed {}", name,
                                           regions[i].size(), program.regions[i].bytes));
    return regions[i];
  }
  throw std::runtime_error(fmt::format("region {} was not read back", name));
}

}  // namespace tb
