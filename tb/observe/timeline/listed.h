// SPDX-License-Identifier: Apache-2.0
// The descriptor that a DMA engine executes, out of the ring that the program lists.
#pragma once
#include <fmt/format.h>

#include <string_view>
#include <vector>

#include "rtl/defs/gen/defs.h"
#include "tb/base/exit_status.h"

namespace tb::timeline {

/// Number `pc` of `engine` ("core 0 Dma1") of a chip: rings are walked round and round. Refused if
/// the program lists no ring of it: then nobody knows what the engine copies.
inline const defs::Descriptor& listed(const std::vector<defs::Descriptor>& ring, unsigned chip,
                                      std::string_view engine, std::uint32_t pc) {
  if (ring.empty())
    throw Refused(kBadInput, fmt::format("--timeline: chip {} {} executes descriptor {} and the "
                                         "program has no ring of it; allowed are engines with "
                                         "`ring {}` or descriptors in instructions",
                                         chip, engine, pc, engine));
  return ring[pc % ring.size()];
}

}  // namespace tb::timeline
