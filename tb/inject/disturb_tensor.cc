// SPDX-License-Identifier: Apache-2.0
// Faults of the tensor engine: array, PSUM, counter.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

#include "tb/inject/injector.h"

namespace tb {

using namespace inject;

// Is `column` inside the tile of the vector at this distance in the array?
bool Injector::Impl::inside_tile(unsigned lane, unsigned distance, unsigned column) const {
  cmodel::StreamId id;
  id.chip = static_cast<std::uint8_t>(chip_id);
  id.core = static_cast<std::uint8_t>(core);
  id.engine = kTensor;
  id.lane = static_cast<std::uint8_t>(lane);
  const auto rows = census.rows.find(id);
  const std::uint64_t row = trails->row_of(lane, distance);
  return rows != census.rows.end() && row < rows->second.size() && column < rows->second[row];
}

// PE (r, c) holds the vector of flight bit r + c before it (see tensor_array.sv).
std::optional<Done> Injector::Impl::weight(Chip& chip) {
  const unsigned p = built_sizes().partitions;
  const unsigned r = random.below(p), c = random.below(p);
  const auto lane = trails->lane_at(r, r + c);
  if (!lane) return {};
  const auto operand = chip.state().array(core, "moving_q").get(r * p + c, 0, 32);
  const Register plane = chip.state().array(core, operand >> 29 & 1 ? "weight1_q" : "weight0_q");
  const auto old = plane.get(r * p + c, 0, 32);
  const auto sum = r ? chip.state().array(core, "psum_q").get((r - 1) * p + c, 0, 32) : 0;
  const bool empty = old >> 30 & 1, zero = !(operand & 0xfff) || !(old & 0xfff);
  const bool special =
      (operand >> 12 & 1023) == 1023 || (old >> 12 & 1023) == 1023 || (sum >> 23 & 255) == 255;
  const bool integer = operand >> 28 & 1;
  const bool picks = operand >> 26 & 1;  // bits, which may be set in the sum already
  if (!picks && (empty || zero || (special && !integer))) return {};
  // A product far below the sum is rounded away whatever its weight: not a moment that matters.
  const int product = static_cast<int>((operand >> 12 & 1023) + (old >> 12 & 1023)) - 640;
  if (!picks && !integer && product + 8 < static_cast<int>(sum >> 23 & 255)) return {};
  if (!inside_tile(*lane, r + c, c)) return {};
  // Sign, exponent (which integers do not have), significand.
  static constexpr unsigned kBits[] = {31, 10, 9, 14, 13, 12};
  const unsigned bit =
      picks ? random.below(32) : kBits[random.below(integer ? 3 : std::size(kBits))];
  plane.flip(r * p + c, bit);
  trails->follow_weight(operand >> 29 & 1, r, c, static_cast<std::uint32_t>(old));
  return Done{
      fmt::format("core {} PE ({}, {}) weight plane {} bit {}", core, r, c, operand >> 29 & 1, bit),
      [this] { return trails->why(program); }};
}

std::optional<Done> Injector::Impl::partial_sum(Chip& chip) {
  const unsigned p = built_sizes().partitions;
  const unsigned r = random.below(p - 1), c = random.below(p);
  // What is below the last row of a half is only on its way if the vector goes on.
  const auto lane = trails->lane_at(r + 1, r + c + 1);
  if (!lane || (*lane && r + 1 == p / 2)) return {};  // a lower tile starts from +0
  const Register sums = chip.state().array(core, "psum_q");
  const unsigned bit = 24 + random.below(8);
  const auto old = sums.get(r * p + c, 0, 32);
  const auto exponent = old >> 23 & 255;
  if (exponent < 64 || exponent > 190) return {};  // zero, or nearly: seldom seen
  if (!inside_tile(*lane, r + c + 1, c)) return {};
  sums.flip(r * p + c, bit);
  trails->follow_sum(r, c, static_cast<std::uint32_t>(old));
  return Done{fmt::format("core {} sum below PE ({}, {}) bit {}", core, r, c, bit),
              [this] { return trails->why(program); }};
}

std::optional<Done> Injector::Impl::psum(Chip& chip) {
  if (!last_row) return {};
  const auto& row = last_row->commit;
  const unsigned lane = random.below(row.count), bit = random.below(32);
  const auto word = static_cast<unsigned>(row.addr / 4);
  chip.state().psum(core).flip(std::size_t{word} * built_sizes().partitions + lane, bit);
  return Done{fmt::format("core {} PSUM partition {} bank {} column {} bit {}", core, lane,
                          word / built_sizes().psum_cols, word % built_sizes().psum_cols, bit),
              [=, this] {
                return dead(cmodel::Cell::Memory::Psum, lane, std::uint64_t{word} * 4 + bit / 8);
              }};
}

std::optional<Done> Injector::Impl::tensor_count(Chip& chip) {
  const unsigned bit = random.below(48);
  in_core(chip, "u_tensor.u_counters.pe_busy_q").flip(0, bit);
  return Done{fmt::format("core {} PeBusy bit {}", core, bit), [] { return std::string(); }};
}

// Vectors go on into the array and are forgotten there; what takes their sums waits for ever.
std::optional<Done> Injector::Impl::tensor_stuck(Chip& chip) {
  const auto forget = [this](Chip& at) {
    bool forgot = false;
    for (const char* name : {"in_flight_q", "full_flight_q", "lower_flight_q"}) {
      const Register flight = at.state().array(core, name);
      for (unsigned lsb = 0; lsb < flight.bits; lsb += 64) {
        const unsigned width = std::min(64u, flight.bits - lsb);
        forgot |= flight.get(0, lsb, width) != 0;
        flight.put(0, lsb, width, 0);
      }
    }
    return forgot;
  };
  if (!forget(chip)) return {};
  return Done{
      fmt::format("core {} vectors in the array", core), [] { return std::string(); }, {}, forget};
}

// Data comes and goes as ever, until nothing is left to be done.
std::optional<Done> Injector::Impl::tensor_busy(Chip& chip) {
  const auto stick = [this](Chip& at) {
    const Register flight = at.state().array(core, "full_flight_q");
    const bool was = flight.bit(0, 0);
    flight.put(0, 0, 1, 1);
    return !was;
  };
  if (!stick(chip)) return {};
  return Done{
      fmt::format("core {} full_flight_q bit 0", core), [] { return std::string(); }, {}, stick};
}

}  // namespace tb
