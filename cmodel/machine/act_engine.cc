// SPDX-License-Identifier: Apache-2.0
#include "cmodel/machine/act_engine.h"

#include "cmodel/machine/fp.h"
#include "cmodel/machine/instruction.h"

namespace cmodel {

defs::ErrorCause ActEngine::execute(const defs::Instr& instr, std::uint32_t pc) {
  const auto cause = instr_faults(sizes_, instr, defs::Engine::Act).first_cause();
  if (cause != defs::ErrorCause::None) return cause;
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
