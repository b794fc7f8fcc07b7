// SPDX-License-Identifier: Apache-2.0
// Memories of the chips past their ports: no port is tested by it, and no cycle spent.
#include <algorithm>
#include <span>

#include "tb/board/host.h"
#include "tb/board/host_numbers.h"
#include "tb/board/settings.h"

namespace tb {

Door door_of(const Settings& settings, const cmodel::Program& program) {
  if (settings.load) return *settings.load;
  std::uint64_t bytes = 0;
  for (const auto& segment : program.segments) bytes += segment.bytes.size();
  for (const auto& region : program.regions) bytes += region.bytes;
  return bytes > kFrontDoorBytes ? Door::Back : Door::Front;
}

// Beat by beat: commits of the stream Host are what the ports would have made.
void Host::load_by_back_door() {
  for (const auto& segment : program_.segments)
    for (std::size_t done = 0; done < segment.bytes.size(); done += host::kBlock)
      back_door_[segment.chip]->write_hbm(
          segment.addr + done,
          std::span(segment.bytes)
              .subspan(done, std::min<std::size_t>(host::kBlock, segment.bytes.size() - done)));
}

void Host::read_by_back_door() {
  for (std::size_t i = 0; i < regions_.size(); ++i)
    back_door_[program_.regions[i].chip]->read_hbm(program_.regions[i].addr, regions_[i]);
}

}  // namespace tb
