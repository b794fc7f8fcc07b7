// SPDX-License-Identifier: Apache-2.0
#include "tb/scenarios/knobs.h"

#include <fmt/format.h>

#include <charconv>
#include <stdexcept>

namespace tb {

ProductSize product_size(const std::string& text) {
  std::vector<unsigned> sides;
  const char *at = text.data(), *end = at + text.size();
  for (bool more = true; more && sides.size() < 4;) {
    unsigned side = 0;
    const auto [rest, error] = std::from_chars(at, end, side);
    more = rest != end && *rest == ',';
    if (error != std::errc{} || (rest != end && !more) || side < 1 || side > kMostOfASide) {
      sides.clear();
      break;
    }
    sides.push_back(side);
    at = rest + more;
  }
  if (sides.size() == 1) return {sides[0], sides[0], sides[0]};
  if (sides.size() == 3) return {sides[0], sides[1], sides[2]};
  throw std::runtime_error(
      fmt::format("--size is \"{}\"; allowed M,K,N or one number for all three, each 1 .. {}", text,
                  kMostOfASide));
}

std::string to_string(const ProductSize& size) {
  return size.m == size.k && size.k == size.n ? fmt::format("{}", size.m)
                                              : fmt::format("{},{},{}", size.m, size.k, size.n);
}

void check_knobs(const Scenario* scenario, const ScenarioArgs& args) {
  if (scenario && scenario->product) return;
  const char* knob = args.size ? "--size" : args.format ? "--format" : nullptr;
  if (knob)
    throw std::runtime_error(fmt::format("{}; allowed with gemm only, not with {}", knob,
                                         scenario ? scenario->name : "a program file"));
}

}  // namespace tb
