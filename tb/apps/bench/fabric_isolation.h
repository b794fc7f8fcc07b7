// SPDX-License-Identifier: Apache-2.0
// The isolation rows of fabric_bench: what tenant B notices of tenant A.
#pragma once
#include <cmath>

#include "tb/fabric/fabric_limits.h"
#include "tb/fabric/fabric_tenants.h"

namespace bench {

/// row(name, target, limit, at_least, measured)
template <class Row>
void isolation(Row row) {
  using namespace tenants;
  double different = 0, foreign = 0;
  for (const bool c12 : {false, true})
    for (const double load : {0.05, 0.3}) {
      const Case what{.c12 = c12, .slots = true, .load = load};
      const Result idle = run(what, Activity::Idle);
      for (const Activity a : {Activity::Saturating, Activity::Violating, Activity::Both}) {
        const Result busy = run(what, a);
        different += !differs(idle, busy).empty();
        foreign += static_cast<double>(busy.foreign);
      }
    }
  row("slot_mode_traces_that_differ", "0 of 12: routes cross, A saturating or violating", 0, false,
      different);
  foreign += static_cast<double>(run({.load = 0.3}, Activity::Both).foreign);
  double growth = 0;
  for (const Activity a : {Activity::Violating, Activity::Both})
    growth = std::max(growth, p99_growth({.split = true, .load = 0.3, .cycles = 12000}, a));
  row("shared_p99_growth", "<= 0.10, B beside key violators, both at full rate", 0.10, false,
      growth);
  row("foreign_packets_delivered", "0", 0, false, foreign);
  row("weighted_share_3_to_1", "within 0.01 of 0.75", 0.01, false,
      std::abs(share_of_vn1(3, 1) - 0.75));
  row("street_jain_queue_age", ">= 0.95: six sources, one street, arbiter Queue", 0.95, true,
      jain(parking_lot(kQueue, 16000)));
  const auto [limited, other] = limits::shares({16, 17});
  row("limited_tenant_share",
      "within 0.02 of 0.25: A may inject a quarter, both want all of a link", 0.02, false,
      std::abs(limited - 0.25));
  row("share_beside_a_limited_tenant", ">= 0.73 of the link for B, who has half without the limit",
      0.73, true, other);
}

}  // namespace bench
