// SPDX-License-Identifier: Apache-2.0
#include "tb/board/feeder.h"

#include <algorithm>
#include <cstring>

#include "tb/board/host_numbers.h"
#include "tb/board/reroute.h"

namespace tb {

Feeder::Feeder(const cmodel::Program& program)
    : program_(program), chips_(program.chips), served_(program.requests.size()) {
  for (std::size_t i = 0; i < program.requests.size(); ++i)
    chips_[program.requests[i].chip].queue.push_back(i);
}

void Feeder::start(std::uint64_t cycle) {
  for (std::size_t i = 0; i < served_.size(); ++i)
    served_[i].arrival = cycle + program_.requests[i].arrival / defs::kFabricDivide;
}

bool Feeder::held_up(const Chip& chip) const {
  if (chip.queue.empty()) return true;
  const cmodel::Request& request = program_.requests[chip.queue.front()];
  return chip.doors[request.core * defs::kSequencers + request.engine].state != Stream::Rests;
}

bool Feeder::expects(unsigned chip, std::uint64_t cycle) const {
  return !held_up(chips_[chip]) && cycle < served_[chips_[chip].queue.front()].arrival;
}

std::optional<defs::HostReq> Feeder::next(unsigned number, std::uint64_t cycle) {
  Chip& chip = chips_[number];
  if (held_up(chip) || expects(number, cycle)) return {};
  const std::size_t first = chip.queue.front();
  const cmodel::Request& request = program_.requests[first];
  if (chip.done == request.bytes.size()) {
    chip.queue.pop_front();
    chip.done = 0;
    door(chip, request.core, request.engine) = {Stream::Runs, first};
    return csr_write(defs::kCsrSeqStart, request.core, 0, 1u << request.engine);
  }
  if (chip.done == 0) served_[first].sent = cycle;
  defs::HostReq write;
  write.valid = write.write = 1;
  write.addr = request.addr + chip.done;
  write.bytes = static_cast<std::uint8_t>(
      std::min<std::size_t>(host::kBlock, request.bytes.size() - chip.done));
  std::memcpy(write.data.data(), request.bytes.data() + chip.done, write.bytes);
  chip.done += write.bytes;
  return write;
}

void Feeder::ended(unsigned number, unsigned core, unsigned engine, std::uint64_t cycle,
                   bool stopped) {
  auto& ended = door(chips_[number], core, engine);
  if (ended.state != Stream::Runs) return;  // one that the host started with all others
  if (!stopped) served_[ended.request].answered = cycle;
  ended.state = stopped ? Stream::Stopped : Stream::Rests;
}

}  // namespace tb
