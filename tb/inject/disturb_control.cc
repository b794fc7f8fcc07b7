// SPDX-License-Identifier: Apache-2.0
// Faults of the control: semaphore updates and fetched instructions.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

#include "cmodel/program/disassemble.h"
#include "cmodel/program/program_view.h"
#include "tb/inject/injector.h"

namespace tb {

using namespace inject;

namespace {

/// An update on its way, of the first port that has one: {port, semaphore}.
std::optional<std::pair<unsigned, unsigned>> pending_update(const Chip& chip) {
  const auto ports = chip.state().at("u_semaphores.upd_valid_q").value();
  if (!ports) return {};
  const auto port = static_cast<unsigned>(std::countr_zero(ports));
  return std::pair{port,
                   static_cast<unsigned>(chip.state()
                                             .at("u_semaphores.upd_q")
                                             .get(0, defs::SemUpdate::kBits * (port + 1) - 9, 9))};
}

std::string nobody() { return {}; }  // every one is seen

}  // namespace

std::optional<Done> Injector::Impl::semaphore_lost(Chip& chip) {
  const auto update = pending_update(chip);
  if (!update) return {};
  const auto [port, sem] = *update;
  chip.state().at("u_semaphores.upd_valid_q").put(0, port, 1, 0);
  return Done{fmt::format("update port {} of semaphore {}", port, cmodel::semaphore_name(sem)),
              nobody};
}

std::optional<Done> Injector::Impl::semaphore_value(Chip& chip) {
  const auto update = pending_update(chip);
  if (!update) return {};
  const unsigned sem = update->second, bit = random.below(4);
  chip.state().at("u_semaphores.value_q").flip(sem, bit);
  return Done{fmt::format("semaphore {} bit {}", cmodel::semaphore_name(sem), bit), nobody};
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

std::optional<Done> Injector::Impl::sequencer_stuck(Chip& chip) {
  const unsigned index = random.below(defs::kSequencers);
  const SequencerState s = chip.state().sequencer(core, index);
  if (!s.running() || !s.issuing) return {};
  chip.state().in_sequencer(core, index, "issuing_q").put(0, 0, 1, 0);
  return Done{fmt::format("core {} {} before instruction {}", core,
                          to_string(static_cast<defs::Engine>(index)), s.pc),
              nobody};
}

}  // namespace tb
