// SPDX-License-Identifier: Apache-2.0
// Gaps between back-to-back instructions of an engine, as a figure.
#pragma once
#include <fmt/format.h>

#include <string>
#include <string_view>

#include "tb/unit/rtl/figure.h"

namespace tb {

/// The least and the longest gap, in cycles in which no element is taken. `dependent`: each reads
/// what the one before has written; published for those is an overhead of about 100 cycles.
struct Bubble {
  bool dependent;
  double least = 1e9, most = -1e9;
  std::string least_of = {}, most_of = {};

  void note(double gap, const std::string& of) {
    if (gap > most) most = gap, most_of = of;
    if (gap < least) least = gap, least_of = of;
  }
  Figure figure(std::string_view engine) const {
    return {.name = fmt::format("bubble {} {}", engine, dependent ? "dependent" : "independent"),
            .unit = "cycles",
            .measured = most,
            .limit = dependent ? 100.0 : 2.0,
            .at_least = false,
            .details = {{"of", most_of}, {"least", least}, {"least_of", least_of}}};
  }
};

}  // namespace tb
