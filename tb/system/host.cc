// SPDX-License-Identifier: Apache-2.0
#include "tb/system/host.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace tb {
namespace {

constexpr unsigned kCredits = 16;  // requests that a chip's queue holds
constexpr unsigned kBlock = 64;    // bytes of a host token
constexpr unsigned kCounts = defs::kEveryTensorCount.size();

std::uint64_t csr_addr(const defs::Csr& csr, unsigned core, unsigned index) {
  return defs::kAddrCsrBase + csr.offset + (csr.per_core ? core * defs::kCsrCoreStride : 0) +
         8 * index;
}

defs::HostReq csr_read(const defs::Csr& csr, unsigned core, unsigned index) {
  defs::HostReq request;
  request.valid = 1;
  request.addr = csr_addr(csr, core, index);
  request.bytes = 8;
  return request;
}

defs::HostReq csr_write(const defs::Csr& csr, unsigned core, unsigned index, std::uint64_t value) {
  defs::HostReq request;
  request.valid = 1;
  request.write = 1;
  request.addr = csr_addr(csr, core, index);
  request.bytes = 8;
  request.data[0] = static_cast<std::uint32_t>(value);
  request.data[1] = static_cast<std::uint32_t>(value >> 32);
  return request;
}

}  // namespace

Host::Host(const cmodel::Program& program, std::vector<HostRequests*> requests,
           std::vector<const HostResponses*> responses)
    : program_(program),
      requests_(std::move(requests)),
      responses_(std::move(responses)),
      drivers_(requests_.size()),
      regions_(program.regions.size()),
      counts_(requests_.size()) {
  for (const auto& segment : program.segments)
    if (!segment.bytes.empty()) drivers_[segment.chip].segments.push_back(&segment);
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

void Host::receive(unsigned chip, std::uint64_t cycle) {
  Driver& driver = drivers_[chip];
  const auto& token = responses_[chip]->arriving(cycle);
  driver.quiet = token[defs::HostRsp::kWords] != 0;
  if (defs::get_bits(token.data(), 559, 3) == 0) return;  // neither kind nor credit
  const auto response = defs::HostRsp::unpack(token.data());
  if (response.credit && ++driver.credits > kCredits) fail(chip, cycle, "a credit too many");
  switch (static_cast<defs::HostKind>(response.kind)) {
    case defs::HostKind::None:
      break;
    case defs::HostKind::ReadData: {
      if (!driver.loaded) {
        if (response.data[0] != chip)
          fail(chip, cycle, fmt::format("ChipId is {}", response.data[0]));
        driver.loaded = true;
        break;
      }
      if (phase_ != Phase::Reading || driver.counts_known == defs::kCores * kCounts) {
        fail(chip, cycle, "data that nobody asked for");
        break;
      }
      if (driver.answers.empty()) {
        counts_[chip][driver.counts_known / kCounts][driver.counts_known % kCounts] =
            std::uint64_t{response.data[1]} << 32 | response.data[0];
        ++driver.counts_known;
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

bool Host::next_request(Driver& driver, defs::HostReq& request) {
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
  return false;
}

void Host::send(unsigned chip, std::uint64_t cycle) {
  Driver& driver = drivers_[chip];
  auto& token = requests_[chip]->sending(cycle);
  token.fill(0);
  defs::HostReq request;
  if (driver.credits == 0 || !next_request(driver, request)) return;
  --driver.credits;
  request.pack(token.data());
  last_progress_ = cycle;
}

void Host::advance(std::uint64_t cycle) {
  const auto all = [&](auto&& property) {
    return std::all_of(drivers_.begin(), drivers_.end(), property);
  };
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
      return;
    case Phase::Reading:
      if (!all([](const Driver& d) {
            return d.counts_known == defs::kCores * kCounts && d.credits == kCredits;
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
