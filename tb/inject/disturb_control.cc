// SPDX-License-Identifier: Apache-2.0
// Faults of the control: semaphore updates and fetched instructions.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <vector>

#include "cmodel/program/program_view.h"
#include "tb/inject/injector.h"

namespace tb {

using namespace inject;

std::optional<Done> Injector::Impl::semaphore_lost(Chip& chip) {
  const Register valid = chip.state().at("u_semaphores.upd_valid_q");
  const auto ports = valid.value();
  if (!ports) return {};
  const auto port = static_cast<unsigned>(std::countr_zero(ports));
  const auto sem = chip.state().at("u_semaphores.upd_q").get(0, 25 * port + 16, 9);
  valid.put(0, port, 1, 0);
  return Done{fmt::format("update port {} of semaphore {}.{}", port, sem >> 8, sem & 255),
              [] { return std::string(); }};
}

// The model runs the program with the same bit changed: equal commits mean that it means the same.
std::string Injector::Impl::same_commits(const cmodel::InstrStream& stream, std::uint32_t pc,
                                         unsigned bit) const {
  cmodel::Program changed = program;
  const auto bytes = cmodel::program_bytes(changed, stream.chip,
                                           stream.base + std::uint64_t{pc} * defs::kInstrBytes);
  bytes[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
  Census other;
  cmodel::Board board(built_sizes(), changed, other, {});
  board.load();
  board.run();
  auto expected = census.streams, actual = other.streams;
  std::erase_if(expected, [](const auto& item) { return item.first.first.engine == kHost; });
  std::erase_if(actual, [](const auto& item) { return item.first.first.engine == kHost; });
  return expected == actual ? fmt::format(
                                  "the model makes the same commits with this bit of instruction "
                                  "{} changed",
                                  pc)
                            : std::string();
}

std::optional<Done> Injector::Impl::instruction(Chip& chip) {
  const unsigned index = random.below(defs::kSequencers);
  const SequencerState s = chip.state().sequencer(core, index);
  if (!s.fetched || !s.issuing) return {};
  const auto stream = std::find_if(
      program.streams.begin(), program.streams.end(),
      [&](const auto& s) { return s.chip == chip_id && s.core == core && s.engine == index; });
  if (stream == program.streams.end()) return {};
  const unsigned bit = random.below(512);
  chip.state().in_sequencer(core, index, "u_fetch.instr_q").flip(0, bit);
  return Done{fmt::format("core {} {} instruction {} bit {}", core,
                          to_string(static_cast<defs::Engine>(index)), s.pc, bit),
              [=, this, found = *stream, pc = s.pc] { return same_commits(found, pc, bit); }};
}

}  // namespace tb
