// SPDX-License-Identifier: Apache-2.0
// What the host asks of a chip next.
#include <algorithm>
#include <cstring>

#include "tb/board/host.h"
#include "tb/board/host_numbers.h"

namespace tb {
namespace {

using namespace host;

}  // namespace

void Host::access(Driver& driver, std::deque<PortAccess>& accesses, defs::HostReq& request) {
  const PortAccess& access = accesses.front();
  request.valid = 1;
  request.write = access.write;
  request.addr = access.addr;
  request.bytes = static_cast<std::uint8_t>(access.bytes);
  request.data[0] = static_cast<std::uint32_t>(access.value);
  request.data[1] = static_cast<std::uint32_t>(access.value >> 32);
  if (!access.write || access.refusal != defs::ErrorCause::None) driver.awaited.push_back(access);
  accesses.pop_front();
}

bool Host::next_request(unsigned chip, std::uint64_t cycle, defs::HostReq& request) {
  Driver& driver = drivers_[chip];
  if (auto& urgent = reroute_.requests[chip]; !urgent.empty()) {
    request = urgent.front();
    urgent.pop_front();
    return true;
  }
  if (Manager* manager = reroute_.manager(chip)) {
    if (const auto packet = manager->next()) {
      request = *packet;
      return true;
    }
  }
  if (reroute_.busy()) return false;
  if (!driver.segments.empty()) {
    const cmodel::Segment& segment = *driver.segments.front();
    const std::uint64_t left = segment.bytes.size() - driver.segment_done;
    const auto bytes = static_cast<std::uint8_t>(std::min<std::uint64_t>(kBlock, left));
    request.valid = 1;
    request.write = 1;
    request.addr = segment.addr + driver.segment_done;
    request.bytes = bytes;
    std::memcpy(request.data.data(), segment.bytes.data() + driver.segment_done, bytes);
    driver.segment_done += bytes;
    if (driver.segment_done == segment.bytes.size()) {
      driver.segments.pop_front();
      driver.segment_done = 0;
    }
    return true;
  }
  if (!driver.before.empty()) {
    access(driver, driver.before, request);
    return true;
  }
  // ChipId is read by then: it must not be taken for an answer to an access.
  if (!driver.loaded && !driver.awaited.empty()) return false;
  if (!driver.registers.empty()) {
    request = driver.registers.front();
    driver.registers.pop_front();
    return true;
  }
  if (phase_ == Phase::Running && !driver.doorbells.empty()) {
    const std::uint32_t bell = driver.doorbells.front();
    driver.doorbells.pop_front();
    request = csr_write(defs::kCsrSeqStart, bell >> 16, 0, bell & 0xffff);
    return true;
  }
  if (phase_ == Phase::Running && driver.loaded)
    if (const auto fed = feeder_.next(chip, cycle)) {
      request = *fed;
      return true;
    }
  if (phase_ == Phase::Reading && !driver.copy_ordered) {
    driver.copy_ordered = true;
    request = csr_write(defs::kCsrFabricSnapshot, 0, 0, copy_cycle_);
    return true;
  }
  if (phase_ == Phase::Reading && !driver.reads.empty()) {
    const cmodel::Region& region = program_.regions[driver.reads.front()];
    request.valid = 1;
    request.addr = region.addr + driver.read_done;
    request.bytes =
        static_cast<std::uint8_t>(std::min<std::uint64_t>(kBlock, region.bytes - driver.read_done));
    driver.read_done += request.bytes;
    if (driver.read_done == region.bytes) {
      driver.reads.pop_front();
      driver.read_done = 0;
    }
    return true;
  }
  if (phase_ == Phase::Reading && driver.counts_asked < defs::kCores * kCounts) {
    request = csr_read(defs::kCsrTensorCount, driver.counts_asked / kCounts,
                       driver.counts_asked % kCounts);
    ++driver.counts_asked;
    return true;
  }
  if (phase_ == Phase::Reading && !violations_.empty() &&
      driver.counts_asked < defs::kCores * kCounts + kViolationReads) {
    const unsigned which = driver.counts_asked++ - defs::kCores * kCounts;
    request = which == 0 ? csr_read(defs::kCsrFabricViolations, 0, 0)
                         : csr_read(defs::kCsrFabricViolation, 0, which - 1);
    return true;
  }
  // All the others are answered by then: answers come in order.
  if (phase_ == Phase::Reading && cycle > copy_cycle_ &&
      driver.copies_asked < fabric_counts_.words().size()) {
    request = csr_read(defs::kCsrFabricCounts, 0, fabric_counts_.words()[driver.copies_asked++]);
    return true;
  }
  if (phase_ == Phase::Reading && counters_read(driver) && !driver.after.empty()) {
    access(driver, driver.after, request);
    return true;
  }
  return false;
}

void Host::send(unsigned chip, std::uint64_t cycle) {
  Driver& driver = drivers_[chip];
  auto& token = requests_[chip]->sending(cycle);
  token.fill(0);
  defs::HostReq request;
  // That a request is still to arrive is no standstill.
  if (phase_ == Phase::Running && feeder_.expects(chip, cycle))
    last_movement_ = last_progress_ = cycle;
  if (driver.credits == 0 || !next_request(chip, cycle, request)) return;
  --driver.credits;
  request.pack(token.data());
  last_movement_ = cycle;
  const Manager* manager = reroute_.manager(chip);
  if (!manager || !manager->waits()) last_progress_ = cycle;
}

}  // namespace tb
