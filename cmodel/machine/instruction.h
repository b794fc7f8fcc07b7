// SPDX-License-Identifier: Apache-2.0
// An instruction seen through its row of rtl/defs/instructions.toml: what it may be, what it reads
// and writes. Twin of instr_faults in rtl/operand/operand_check_pkg.sv.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <utility>

#include "cmodel/machine/access_pattern.h"
#include "rtl/defs/gen/instructions.h"

namespace cmodel {

/// How an operand that is walked `walk` goes through its elements.
inline Trips trips_of(const defs::Instr& instr, defs::Walk walk) {
  if (const unsigned fixed = defs::fixed_elements(walk))
    return {static_cast<std::uint16_t>(fixed), 1, 1, 1};
  Trips trips = trips_of(instr);
  if (walk == defs::Walk::Outer)
    for (unsigned d = 0; d <= defs::Reduction::from({instr.imm}).more; ++d) trips[d] = 1;
  return trips;
}

/// src0, src1, dst, as in the row's operands.
inline std::array<const defs::Operand*, 3> operands_of(const defs::Instr& instr) {
  return {&instr.src0, &instr.src1, &instr.dst};
}

/// Is it one of the opcodes of `engine`'s sequencer? Control rows count for every one.
inline bool known(std::uint8_t opcode, defs::Engine engine) {
  const auto* row = defs::row_of(opcode);
  return row && (row->is_control() || row->runs_on(engine));
}
inline bool writes_stationary(const defs::Instr& instr) {
  const auto* row = defs::row_of(instr.opcode);
  return row && row->stationary == defs::Stationary::Write;
}
inline bool reads_stationary(const defs::Instr& instr) {
  const auto* row = defs::row_of(instr.opcode);
  return row && row->stationary == defs::Stationary::Read;
}
/// Is its stationary tile bits, of which a moving tile picks some?
inline bool transposes(const defs::Instr& instr) {
  const auto* row = defs::row_of(instr.opcode);
  return row && row->transposes;
}
/// Does it make products of a stationary and a moving tile?
inline bool multiplies(const defs::Instr& instr) {
  return reads_stationary(instr) && !transposes(instr);
}
/// Descriptors that it rings for; count 0: none.
inline defs::Doorbell doorbell(const defs::Instr& instr) {
  const auto* row = defs::row_of(instr.opcode);
  return row && row->imm == defs::Imm::Doorbell ? defs::Doorbell::from({instr.imm})
                                                : defs::Doorbell{};
}
/// The scalars of an instruction; those of imm as if they were in src1.
defs::Scalars scalars_of(const defs::Instr& instr);
/// Its second function; empty if it has none.
std::optional<std::uint8_t> second_function(const defs::Instr& instr);

/// Does it say how what is cast is rounded, other than to nearest even?
inline bool is_rounded(const defs::Operand& operand) {
  return operand.stochastic || operand.saturate;
}
/// What it does with the accumulators.
inline defs::ReduceCommand reduce_command(const defs::Instr& instr) {
  const auto* row = defs::row_of(instr.opcode);
  if (!row || row->imm != defs::Imm::Accumulator) return defs::ReduceCommand::Idle;
  return static_cast<defs::ReduceCommand>(defs::Accumulator::from({instr.imm}).command);
}
inline bool resets(defs::ReduceCommand command) {
  return command == defs::ReduceCommand::Reset || command == defs::ReduceCommand::ResetReduce;
}
inline bool reduces(defs::ReduceCommand command) {
  return command == defs::ReduceCommand::Reduce || command == defs::ReduceCommand::ResetReduce;
}

/// Its wait and its update, and nothing else: a NOP.
defs::Instr wait_and_update(const defs::Instr& instr);

/// Is func, if the row has functions, one of them?
inline bool has_function(const defs::InstrRow& row, const defs::Instr& instr) {
  return !row.functions || (instr.func < 64 && row.functions >> instr.func & 1);
}
/// Which struct lies in place of its operands.
inline defs::Overlay overlay_of(const defs::Instr& instr) {
  const auto* row = defs::row_of(instr.opcode);
  return row ? row->overlay : defs::Overlay::None;
}
/// Does it bring a descriptor? Its update is then that of the copy.
inline bool starts_copy(const defs::Instr& instr) {
  return overlay_of(instr) == defs::Overlay::DmaStart;
}
/// The descriptor of a DmaStart without registers.
defs::Descriptor started_copy(const defs::Instr& instr);
/// DMA engine that it gives work to, and how many descriptors; count 0: none.
inline defs::Doorbell work_of(const defs::Instr& instr) {
  return starts_copy(instr) ? defs::Doorbell{defs::dma_start_of(instr).engine, 1} : doorbell(instr);
}
/// That struct, put there instead of another one.
template <class Overlay>
defs::Instr with_overlay(const defs::Instr& instr, const Overlay& before, const Overlay& after) {
  auto words = instr.words();
  const auto from = before.words(), to = after.words();
  for (std::size_t i = 0; i < to.size(); ++i) words[i] ^= from[i] ^ to[i];
  return defs::Instr::from(words);
}
/// The instruction without the struct that lies in place of its operands, if its row has one.
defs::Instr without_overlay(const defs::Instr& instr);
/// Does it use a field that its row leaves out, or an index that the sequencer left there?
bool uses_more(const defs::InstrRow& row, const defs::Instr& instr);
/// All that `engine` can tell from the instruction and its row. `columns`: of the stationary tile.
Faults instr_faults(const defs::Sizes& sizes, const defs::Instr& instr, defs::Engine engine,
                    unsigned columns = 0);

}  // namespace cmodel
