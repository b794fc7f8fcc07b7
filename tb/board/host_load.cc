// SPDX-License-Identifier: Apache-2.0
// What the host has to write and to read, from the program.
#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "tb/board/host.h"
#include "tb/board/host_numbers.h"

namespace tb {
namespace {

using namespace host;

}  // namespace

defs::HostReq csr_read(const defs::Csr& csr, unsigned core, unsigned index) {
  defs::HostReq request;
  request.valid = 1;
  request.addr = defs::csr_addr(csr, core, index);
  request.bytes = 8;
  return request;
}

defs::HostReq csr_write(const defs::Csr& csr, unsigned core, unsigned index, std::uint64_t value) {
  defs::HostReq request;
  request.valid = 1;
  request.write = 1;
  request.addr = defs::csr_addr(csr, core, index);
  request.bytes = 8;
  request.data[0] = static_cast<std::uint32_t>(value);
  request.data[1] = static_cast<std::uint32_t>(value >> 32);
  return request;
}

Host::Host(const cmodel::Program& program, std::vector<HostRequests*> requests,
           std::vector<const HostResponses*> responses, const Wiring& wiring,
           const PortAccesses& accesses, std::vector<Chip*> back_door)
    : program_(program),
      requests_(std::move(requests)),
      responses_(std::move(responses)),
      back_door_(std::move(back_door)),
      drivers_(requests_.size()),
      regions_(program.regions.size()),
      counts_(requests_.size()),
      violations_(program.partitions.empty() ? 0 : requests_.size()),
      fabric_counts_(wiring.cables, static_cast<unsigned>(requests_.size())),
      reroute_(wiring.cables, wiring.tables(), wiring.loaded.has_value(), wiring.by_packets),
      feeder_(program) {
  const bool front_door = back_door_.empty();
  if (!front_door) load_by_back_door();
  for (const auto& segment : program.segments)
    if (front_door && !segment.bytes.empty()) drivers_[segment.chip].segments.push_back(&segment);
  for (const PortAccess& access : accesses.before) drivers_[access.chip].before.push_back(access);
  for (const PortAccess& access : accesses.after) drivers_[access.chip].after.push_back(access);
  for (Driver& driver : drivers_) {
    if (program.keys.empty()) continue;
    for (unsigned i = 0; i < defs::kLinkPorts * defs::kKeyEntries; ++i) {
      const unsigned entry = i % defs::kKeyEntries;
      const std::uint64_t key = entry < program.keys.size() ? 256u | program.keys[entry] : 0;
      driver.registers.push_back(csr_write(defs::kCsrFabricKeys, 0, i, key));
    }
  }
  for (const auto& part : program.partitions) {
    auto& registers = drivers_[part.chip].registers;
    registers.push_back(csr_write(defs::kCsrFabricKey, part.core, 0, part.key));
    registers.push_back(csr_write(defs::kCsrFabricBase, part.core, 0, part.base));
    registers.push_back(csr_write(defs::kCsrFabricEnd, part.core, 0, part.end));
  }
  for (const auto& ring : program.rings) {
    auto& registers = drivers_[ring.chip].registers;
    registers.push_back(csr_write(defs::kCsrDmaRingBase, ring.core, ring.engine, ring.base));
    registers.push_back(csr_write(defs::kCsrDmaRingCount, ring.core, ring.engine, ring.count));
  }
  std::vector<std::array<std::uint32_t, defs::kCores>> masks(drivers_.size());
  for (const auto& stream : program.streams) {
    auto& registers = drivers_[stream.chip].registers;
    registers.push_back(csr_write(defs::kCsrSeqBase, stream.core, stream.engine, stream.base));
    registers.push_back(csr_write(defs::kCsrSeqCount, stream.core, stream.engine, stream.count));
    const unsigned requests = program.requests_of(stream);
    if (requests == 0) masks[stream.chip][stream.core] |= 1u << stream.engine;
    drivers_[stream.chip].streams_left += std::max(requests, 1u);
  }
  for (std::size_t i = 0; i < program.regions.size(); ++i) {
    regions_[i].resize(program.regions[i].bytes);
    if (!front_door || program.regions[i].bytes == 0) continue;
    drivers_[program.regions[i].chip].reads.push_back(i);
    drivers_[program.regions[i].chip].answers.push_back(i);
  }
  for (std::size_t chip = 0; chip < drivers_.size(); ++chip) {
    Driver& driver = drivers_[chip];
    driver.credits = kCredits;
    driver.registers.push_back(csr_read(defs::kCsrChipId, 0, 0));
    for (unsigned core = 0; core < defs::kCores; ++core)
      if (masks[chip][core]) driver.doorbells.push_back(core << 16 | masks[chip][core]);
  }
}

}  // namespace tb
