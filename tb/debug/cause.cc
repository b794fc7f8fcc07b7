// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/cause.h"

#include <fmt/format.h>

#include "cmodel/program/disassemble.h"

namespace tb {
namespace {

constexpr auto kTensor = static_cast<std::uint8_t>(defs::Engine::Tensor);
constexpr auto kVector = static_cast<std::uint8_t>(defs::Engine::Vector);
constexpr auto kAct = static_cast<std::uint8_t>(defs::Engine::Act);
constexpr auto kDma0 = static_cast<std::uint8_t>(defs::Engine::Dma0);
constexpr auto kRx = static_cast<std::uint8_t>(defs::Engine::Rx);

std::string block_of_engine(const cmodel::StreamId& id) {
  if (id.engine == kTensor) return "tensor_array";
  if (id.engine == kVector) return "vector_engine";
  if (id.engine == kAct) return "act_engine";
  if (id.engine >= kDma0 && id.engine < kRx) return "dma";
  if (id.engine == kRx) return "fabric";
  return id.engine < defs::kSequencers ? "sequencer" : "host_if";
}

}  // namespace

Cause cause_in(unsigned chip, std::optional<unsigned> core, std::string block, std::string why) {
  return {chip, core, std::move(block), {}, {}, {}, std::move(why)};
}

Cause cause_by(const cmodel::StreamId& id, std::uint32_t pc, std::optional<std::uint64_t> cycle,
               std::string why) {
  return {id.chip,
          id.engine == kRx ? std::optional<unsigned>() : id.core,
          block_of_engine(id),
          cmodel::engine_name(id.engine),
          pc,
          cycle,
          std::move(why)};
}

Cause lost_update(const cmodel::Commit& update, std::optional<std::uint64_t> cycle) {
  Cause cause = cause_by(
      update.stream, update.pc, cycle,
      fmt::format(
          "{} pc {} has done its work, its update of semaphore {} by {:+} was never applied",
          cmodel::engine_name(update.stream.engine), update.pc,
          cmodel::semaphore_name(static_cast<unsigned>(update.addr)), update.delta));
  cause.block = "semaphores";
  return cause;
}

std::string block_of_memory(const cmodel::Cell& cell) {
  return cell.memory == cmodel::Cell::Memory::Psum   ? "psum"
         : cell.memory == cmodel::Cell::Memory::Sbuf ? "sbuf"
                                                     : "hbm";
}

std::string instance_of(const Cause& cause) {
  static constexpr std::pair<std::string_view, std::string_view> kInCore[] = {
      {"tensor_array", "u_tensor.u_array"},
      {"tensor_counters", "u_tensor.u_counters"},
      {"vector_engine", "u_vector"},
      {"act_engine", "u_act"},
      {"psum", "u_psum"},
      {"sbuf", "u_sbuf"},
      {"dma", "u_dma"}};
  const unsigned core = cause.core.value_or(0);
  for (const auto& [block, place] : kInCore)
    if (cause.block == block) return fmt::format("chip.u_core{}.{}", core, place);
  if (cause.block == "sequencer")
    for (unsigned i = 0; i < defs::kSequencers; ++i)
      if (cause.engine == cmodel::engine_name(i))
        return fmt::format("chip.u_core{}.gen_seq[{}].u_sequencer", core, i);
  if (cause.block == "fabric") return "chip.u_fabric";
  if (cause.block == "semaphores") return "chip.u_semaphores";
  if (cause.block == "host_if") return "chip.u_host";
  return cause.block == "hbm" ? "hbm" : "chip";
}

}  // namespace tb
