// SPDX-License-Identifier: Apache-2.0
// What a chip answers to its host.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "tb/board/host.h"
#include "tb/board/host_numbers.h"

namespace tb {
namespace {

using namespace host;

}  // namespace

void Host::Violations::add(unsigned which, std::uint64_t word) {
  if (which == 0) {
    count = word;
    return;
  }
  words[2 * which - 2] = static_cast<std::uint32_t>(word);
  words[2 * which - 1] = static_cast<std::uint32_t>(word >> 32);
}

void Host::answer(unsigned chip, std::uint64_t cycle, std::uint64_t value, defs::ErrorCause cause) {
  Driver& driver = drivers_[chip];
  const PortAccess access = driver.awaited.front();
  driver.awaited.pop_front();
  const bool refused = cause != defs::ErrorCause::None;
  const bool first = fault_.empty();
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
  if (first && !fault_.empty()) wrong_answer_ = {chip, access.addr};
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
      feeder_.ended(chip, response.core, response.engine, cycle,
                    response.kind == static_cast<unsigned>(defs::HostKind::Error));
      if (driver.streams_left == 0)
        fail(chip, cycle, "a completion too many");
      else
        --driver.streams_left;
      break;
  }
}

}  // namespace tb
