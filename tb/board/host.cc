// SPDX-License-Identifier: Apache-2.0
#include "tb/board/host.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace tb {
namespace {

constexpr unsigned kCredits = 16;  // requests that a chip's queue holds
constexpr unsigned kBlock = 64;    // bytes of a host token
constexpr unsigned kCounts = defs::kEveryTensorCount.size();
constexpr unsigned kCopyAhead = 32;      // fabric cycles, for the order to reach the register
constexpr unsigned kViolationReads = 3;  // the count, two halves of a header

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
           const PortAccesses& accesses)
    : program_(program),
      requests_(std::move(requests)),
      responses_(std::move(responses)),
      drivers_(requests_.size()),
      regions_(program.regions.size()),
      counts_(requests_.size()),
      violations_(program.partitions.empty() ? 0 : requests_.size()),
      fabric_counts_(wiring.cables, static_cast<unsigned>(requests_.size())),
      reroute_(wiring.cables, wiring.tables(), wiring.loaded.has_value(), wiring.by_packets) {
  for (const auto& segment : program.segments)
    if (!segment.bytes.empty()) drivers_[segment.chip].segments.push_back(&segment);
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
    masks[stream.chip][stream.core] |= 1u << stream.engine;
    ++drivers_[stream.chip].streams_left;
  }
  for (std::size_t i = 0; i < program.regions.size(); ++i) {
    regions_[i].resize(program.regions[i].bytes);
    if (program.regions[i].bytes == 0) continue;
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

void Host::run(std::uint64_t first, unsigned cycles) {
  for (std::uint64_t cycle = first; cycle < first + cycles; ++cycle) {
    for (unsigned chip = 0; chip < drivers_.size(); ++chip) receive(chip, cycle);
    advance(cycle);
    for (unsigned chip = 0; chip < drivers_.size(); ++chip) send(chip, cycle);
  }
}

void Host::fail(unsigned chip, std::uint64_t cycle, const std::string& what) {
  if (fault_.empty())
    fault_ = fmt::format("chip {} fabric cycle {}: host port: {}", chip, cycle, what);
}

void Host::Violations::add(unsigned which, std::uint64_t word) {
  if (which == 0) {
    count = word;
    return;
  }
  words[2 * which - 2] = static_cast<std::uint32_t>(word);
  words[2 * which - 1] = static_cast<std::uint32_t>(word >> 32);
}

bool Host::counters_read(const Driver& driver) const {
  return driver.counts_known ==
             defs::kCores * kCounts + (violations_.empty() ? 0 : kViolationReads) &&
         driver.copies_known == fabric_counts_.words().size();
}

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

void Host::answer(unsigned chip, std::uint64_t cycle, std::uint64_t value, defs::ErrorCause cause) {
  Driver& driver = drivers_[chip];
  const PortAccess access = driver.awaited.front();
  driver.awaited.pop_front();
  const bool refused = cause != defs::ErrorCause::None;
  const std::string what = fmt::format("{} of {:#x}", access.write ? "write" : "read", access.addr);
  if (cause != access.refusal)
    fail(chip, cycle,
         fmt::format("{} is answered by {}; expected {}", what, to_string(cause),
                     to_string(access.refusal)));
  else if (refused && value != access.addr)
    fail(chip, cycle, fmt::format("refusal of the {} names {:#x}", what, value));
  else if (!refused && ((value ^ access.value) & access.mask))
    fail(chip, cycle,
         fmt::format("{} gives {:#x}; expected {:#x}, mask {:#x}", what, value, access.value,
                     access.mask));
  else
    ++accesses_checked_;
}

void Host::receive(unsigned chip, std::uint64_t cycle) {
  Driver& driver = drivers_[chip];
  const auto& token = responses_[chip]->arriving(cycle);
  const ChipWord word = ChipWord::from(token[defs::HostRsp::kWords]);
  driver.quiet = word.quiet;
  driver.drained = word.drained;
  for (unsigned port = 0; port < defs::kLinkPorts; ++port)
    if (word.dead >> port & 1) reroute_.leave({chip, port});
  if (defs::get_bits(token.data(), 559, 3) == 0) return;  // neither kind nor credit
  const auto response = defs::HostRsp::unpack(token.data());
  if (response.credit && ++driver.credits > kCredits) fail(chip, cycle, "a credit too many");
  switch (static_cast<defs::HostKind>(response.kind)) {
    case defs::HostKind::None:
      break;
    case defs::HostKind::ReadData: {
      const std::uint64_t word = std::uint64_t{response.data[1]} << 32 | response.data[0];
      if (Manager* manager = reroute_.manager(chip); manager && manager->waits()) {
        manager->answer(word);
        break;
      }
      if (!driver.awaited.empty()) {
        answer(chip, cycle, word, defs::ErrorCause::None);
        break;
      }
      if (!driver.loaded) {
        if (response.data[0] != chip)
          fail(chip, cycle, fmt::format("ChipId is {}", response.data[0]));
        driver.loaded = true;
        break;
      }
      if (phase_ != Phase::Reading || counters_read(driver)) {
        fail(chip, cycle, "data that nobody asked for");
        break;
      }
      if (driver.answers.empty()) {
        if (driver.counts_known == driver.counts_asked) {
          if (driver.copies_known == driver.copies_asked) {
            fail(chip, cycle, "data that nobody asked for");
            break;
          }
          fabric_counts_.add(chip, driver.copies_known++, word);
          break;
        }
        const unsigned which = driver.counts_known++;
        if (which < defs::kCores * kCounts)
          counts_[chip][which / kCounts][which % kCounts] = word;
        else
          violations_[chip].add(which - defs::kCores * kCounts, word);
        break;
      }
      const std::size_t region = driver.answers.front();
      const std::size_t bytes =
          std::min<std::size_t>(kBlock, regions_[region].size() - driver.answer_done);
      std::memcpy(regions_[region].data() + driver.answer_done, response.data.data(), bytes);
      driver.answer_done += bytes;
      if (driver.answer_done == regions_[region].size()) {
        driver.answers.pop_front();
        driver.answer_done = 0;
      }
      break;
    }
    case defs::HostKind::Completion:
    case defs::HostKind::Error:
      if (response.engine == static_cast<unsigned>(defs::Engine::Host) && !driver.awaited.empty()) {
        answer(chip, cycle, std::uint64_t{response.data[1]} << 32 | response.data[0],
               static_cast<defs::ErrorCause>(response.cause));
        break;
      }
      end_cycle_ = cycle;
      if (response.kind == static_cast<unsigned>(defs::HostKind::Error))
        errors_.push_back({chip, response.core, response.engine,
                           static_cast<defs::ErrorCause>(response.cause), response.pc});
      if (response.engine >= defs::kSequencers) break;  // a DMA engine: it has no completion
      if (driver.streams_left == 0)
        fail(chip, cycle, "a completion too many");
      else
        --driver.streams_left;
      break;
  }
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
  if (driver.credits == 0 || !next_request(chip, cycle, request)) return;
  --driver.credits;
  request.pack(token.data());
  last_progress_ = cycle;
}

void Host::advance(std::uint64_t cycle) {
  const auto all = [&](auto&& property) {
    return std::all_of(drivers_.begin(), drivers_.end(), property);
  };
  if (leave_ && cycle >= leave_->second && phase_ == Phase::Running) {
    reroute_.leave(leave_->first);
    leave_.reset();
  }
  reroute_.advance(cycle, all([](const Driver& d) { return d.drained; }),
                   all([](const Driver& d) { return d.credits == kCredits; }) &&
                       std::all_of(reroute_.requests.begin(), reroute_.requests.end(),
                                   [](const auto& queue) { return queue.empty(); }),
                   phase_ == Phase::Running || phase_ == Phase::Draining);
  if (!reroute_.fault().empty() && fault_.empty())
    fault_ = fmt::format("fabric cycle {}: {}", cycle, reroute_.fault());
  if (reroute_.busy()) return;
  switch (phase_) {
    case Phase::Loading:
      if (!all([](const Driver& d) { return d.loaded; })) return;
      phase_ = Phase::Running;
      start_cycle_ = end_cycle_ = cycle;
      return;
    case Phase::Running:
      if (!gave_up_ &&
          !all([](const Driver& d) { return d.streams_left == 0 && d.doorbells.empty(); }))
        return;
      phase_ = Phase::Draining;
      return;
    case Phase::Draining:
      // A program without streams: its start must not be taken for its end.
      if (!gave_up_ && !all([](const Driver& d) { return d.quiet && d.credits == kCredits; }))
        return;
      phase_ = Phase::Reading;
      copy_cycle_ = cycle + requests_[0]->latency() + kCopyAhead;
      return;
    case Phase::Reading:
      if (!all([this](const Driver& d) {
            return counters_read(d) && d.after.empty() && d.awaited.empty() &&
                   d.credits == kCredits;
          }))
        return;
      phase_ = Phase::Done;
      done_cycle_ = cycle;
      return;
    case Phase::Done:
      return;
  }
}

std::string Host::waiting_for() const {
  switch (phase_) {
    case Phase::Loading: {
      std::string text;
      for (std::size_t chip = 0; chip < drivers_.size(); ++chip)
        if (!drivers_[chip].loaded)
          text += fmt::format("{}chip {} ({} credits)", text.empty() ? "the load of " : ", ", chip,
                              drivers_[chip].credits);
      return text;
    }
    case Phase::Running: {
      std::string text;
      for (std::size_t chip = 0; chip < drivers_.size(); ++chip)
        if (drivers_[chip].streams_left)
          text += fmt::format("{}{} on chip {}", text.empty() ? "completions: " : ", ",
                              drivers_[chip].streams_left, chip);
      return text;
    }
    case Phase::Draining: {
      std::string text;
      for (std::size_t chip = 0; chip < drivers_.size(); ++chip)
        if (!drivers_[chip].quiet)
          text += fmt::format("{}{}", text.empty() ? "quiet on chip " : ", ", chip);
      return text;
    }
    case Phase::Reading:
      return "region data and counters";
    case Phase::Done:
      return "nothing";
  }
  return "?";
}

}  // namespace tb
