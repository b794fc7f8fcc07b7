// SPDX-License-Identifier: Apache-2.0
// How the chips of a run are made and wired, and what their routers have to know.
#pragma once
#include <optional>
#include <vector>

#include "fabric/model/tables.h"
#include "tb/apps/board/options.h"

namespace tb {

/// How the chips are wired, and by which tables they route if not as a ring by themselves. Throws
/// Refused if they do not fit the number of chips or each other.
struct Wiring {
  Wiring(const Options& options, unsigned chips);
  fabric::Board cables;
  std::optional<fabric::Tables> loaded;
  bool by_packets = false;  ///< loaded, and changed later, by management packets
  /// A cable to be taken out of service, and the fabric cycle.
  std::optional<std::pair<fabric::End, std::uint64_t>> leave;
  std::vector<bool> models;  ///< by chip: golden model behind its fabric node, not RTL
  /// What they route by, loaded or not.
  fabric::Tables tables() const;
};

}  // namespace tb
