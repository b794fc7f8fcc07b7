// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/cause.h"

#include <fmt/format.h>

#include "cmodel/program/disassemble.h"
#include "tb/dut/state/state.h"

namespace tb {
namespace {

constexpr auto kTensor = static_cast<std::uint8_t>(defs::Engine::Tensor);
constexpr auto kVector = static_cast<std::uint8_t>(defs::Engine::Vector);
constexpr auto kAct = static_cast<std::uint8_t>(defs::Engine::Act);
constexpr auto kDma0 = static_cast<std::uint8_t>(defs::Engine::Dma0);
constexpr auto kRx = static_cast<std::uint8_t>(defs::Engine::Rx);

struct Place {
  std::string_view block, instance, engine;  ///< whose work it does, if only one's
};
/// The first of a block is what its name stands for.
constexpr Place kInCore[] = {{"tensor_array", "u_tensor.u_array", "Tensor"},
                             {"tensor_counters", "u_tensor.u_counters", "Tensor"},
                             {"tensor_array", "u_tensor", "Tensor"},
                             {"vector_engine", "u_vector", "Vector"},
                             {"act_engine", "u_act", "Act"},
                             {"psum", "u_psum", ""},
                             {"sbuf", "u_sbuf", ""},
                             {"dma", "u_dma", ""},
                             {"sequencer", "u_fetch", ""},
                             {"sequencer", "u_sync", "Sync"},
                             {"host_if", "u_regs", ""}};
constexpr Place kInChip[] = {{"fabric", "u_fabric", ""},
                             {"semaphores", "u_semaphores", ""},
                             {"host_if", "u_host", ""},
                             {"mem_xbar", "u_xbar", ""}};

/// Is `path` this instance, or inside it?
bool inside(std::string_view path, std::string_view instance) {
  return path.starts_with(instance) &&
         (path.size() == instance.size() || path[instance.size()] == '.');
}

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
  return {chip, core, std::move(block), {}, {}, {}, std::move(why), {}, {}};
}

Cause cause_by(const cmodel::StreamId& id, std::uint32_t pc, std::optional<std::uint64_t> cycle,
               std::string why) {
  return {id.chip,
          id.engine == kRx ? std::optional<unsigned>() : id.core,
          block_of_engine(id),
          cmodel::engine_name(id.engine),
          pc,
          cycle,
          std::move(why),
          {},
          {}};
}

Cause lost_update(const cmodel::Commit& update, std::optional<std::uint64_t> cycle) {
  Cause cause = cause_by(
      update.stream, update.pc, cycle,
      fmt::format("{} {} has done its work, its update of semaphore {} by {:+} was never applied",
                  cmodel::engine_name(update.stream.engine), cmodel::pc_text(update.pc),
                  cmodel::semaphore_name(static_cast<unsigned>(update.addr)), update.delta));
  cause.block = "semaphores";
  return cause;
}

std::string block_of_memory(const cmodel::Cell& cell) {
  return cell.memory == cmodel::Cell::Memory::Psum   ? "psum"
         : cell.memory == cmodel::Cell::Memory::Sbuf ? "sbuf"
                                                     : "hbm";
}

Cause cause_at(unsigned chip, std::string_view path, std::string why) {
  if (path.starts_with("TOP.")) path.remove_prefix(4);
  Cause cause = cause_in(chip, {}, "chip", std::move(why));
  cause.instance = path;
  const auto take = [&](const Place& place, const std::string& above) {
    if (!inside(path, above + std::string(place.instance))) return false;
    cause.block = place.block;
    cause.engine = place.engine;
    return true;
  };
  for (const Place& place : kInChip)
    if (take(place, "chip.")) return cause;
  for (unsigned core = 0; core < defs::kCores; ++core) {
    if (!inside(path, "chip." + core_path(core))) continue;
    cause.core = core;
    for (const Place& place : kInCore)
      if (take(place, "chip." + core_path(core) + ".")) return cause;
    for (unsigned i = 0; i < defs::kSequencers; ++i) {
      const std::string engine = cmodel::engine_name(i);
      if (take({"sequencer", sequencer_path(core, i), engine}, "chip.")) return cause;
    }
  }
  return cause;
}

std::string instance_of(const Cause& cause) {
  if (!cause.instance.empty()) return cause.instance;
  const unsigned core = cause.core.value_or(0);
  if (cause.block == "sequencer")
    for (unsigned i = 0; i < defs::kSequencers; ++i)
      if (cause.engine == cmodel::engine_name(i)) return "chip." + sequencer_path(core, i);
  for (const Place& place : kInChip)
    if (cause.block == place.block) return fmt::format("chip.{}", place.instance);
  for (const Place& place : kInCore)
    if (cause.block == place.block)
      return fmt::format("chip.{}.{}", core_path(core), place.instance);
  return cause.block == "hbm" ? "hbm" : "chip";
}

}  // namespace tb
