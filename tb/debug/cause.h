// SPDX-License-Identifier: Apache-2.0
// What a diagnosis ends with: chip, core, block, and how to say so.
//
//   in the chip          Cause::block
//   gen_core[].u_core    sequencer  tensor_array  tensor_counters  psum  sbuf
//                        vector_engine  act_engine  dma
//   program              an instruction or descriptor is to blame, no block
//   beside the cores     fabric  semaphores  host_if  mem_xbar  hbm (outside); no core
//   chip                 what wires them together
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cmodel/machine/commit.h"
#include "cmodel/machine/footprint.h"

namespace tb {

/// The earliest thing that went wrong, as far as the evidence reaches.
struct Cause {
  unsigned chip = 0;
  std::optional<unsigned> core;  ///< none for what the cores share
  std::string block;             ///< "psum", "fabric", ..
  std::string engine;            ///< whose work, "Tensor", "Dma3"; empty if nobody's
  std::optional<std::uint32_t> pc;
  std::optional<std::uint64_t> cycle;
  std::string why;       ///< one line
  std::string instance;  ///< where in the block, "chip.u_fabric.u_ni"; empty if all of it
  std::optional<std::uint64_t> last_moved;  ///< core cycle, of an engine that never ends
};

/// A block did wrong; nothing is known of an engine or a time.
Cause cause_in(unsigned chip, std::optional<unsigned> core, std::string block, std::string why);
/// An engine did wrong in one instruction or descriptor.
Cause cause_by(const cmodel::StreamId& id, std::uint32_t pc, std::optional<std::uint64_t> cycle,
               std::string why);
/// What stands at an instance path did wrong: "TOP.chip.gen_core[0].u_core.u_dma.u_write".
Cause cause_at(unsigned chip, std::string_view path, std::string why);
/// Work was done, its semaphore update never came to be.
Cause lost_update(const cmodel::Commit& update, std::optional<std::uint64_t> cycle);

std::string block_of_memory(const cmodel::Cell& cell);
/// The instance below the chip that a block's name stands for, or the one inside it that is known.
std::string instance_of(const Cause& cause);

}  // namespace tb
