// SPDX-License-Identifier: Apache-2.0
#include "cmodel/machine/act_engine.h"

#include "cmodel/machine/access_pattern.h"
#include "cmodel/machine/fp.h"

namespace cmodel {

defs::ErrorCause check_act(const defs::Sizes& sizes, const defs::Instr& instr) {
  const Trips trips = trips_of(instr);
  Faults faults;
  faults.unknown_opcode = instr.opcode != static_cast<std::uint8_t>(defs::Opcode::Activate) ||
                          instr.func > static_cast<std::uint8_t>(defs::ActFunc::Relu);
  faults.reserved_bits = instr.accumulate || instr.imm || instr.reserved;
  const bool read_out = instr.src0.space == static_cast<std::uint8_t>(defs::Space::Psum);
  faults |= operand_faults(sizes, instr.src0, instr.partitions, trips, kSbufOrPsum,
                           read_out ? kReadOut : kFp32OrBf16);
  faults |=
      operand_faults(sizes, instr.src1, instr.partitions, kOneElement, kSbufOrNone, kFp32Only);
  faults |= operand_faults(sizes, instr.dst, instr.partitions, trips, kSbufOnly, kFp32OrBf16);
  return faults.first_cause();
}

defs::ErrorCause ActEngine::execute(const defs::Instr& instr, std::uint32_t pc) {
  if (const auto cause = check_act(sizes_, instr); cause != defs::ErrorCause::None) return cause;
  const Trips trips = trips_of(instr);
  const bool relu = instr.func == static_cast<std::uint8_t>(defs::ActFunc::Relu);
  const bool biased = instr.src1.space != static_cast<std::uint8_t>(defs::Space::None);
  Lanes lanes, biases;
  const auto x = std::span(lanes).first(instr.partitions);
  const auto bias = std::span(biases).first(instr.partitions);
  if (biased) port_.read(instr.src1, instr.src1.offset, bias);
  PatternWalk dst(instr.dst, trips);
  for (PatternWalk src(instr.src0, trips); !src.done(); src.next(), dst.next()) {
    port_.read(instr.src0, src.addr(), x);
    if (biased) {
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = fp::add(x[i], bias[i]);
    }
    if (relu) {
      for (auto& lane : x) lane = fp::relu(lane);
    }
    port_.write(instr.dst, dst.addr(), pc, x);
  }
  return defs::ErrorCause::None;
}

}  // namespace cmodel
