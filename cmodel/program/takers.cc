// SPDX-License-Identifier: Apache-2.0
#include "cmodel/program/takers.h"

#include <fmt/format.h>

#include "cmodel/program/disassemble.h"
#include "cmodel/program/instr_stream.h"

namespace cmodel {

void Takers::take(const StreamBase& stream, Semaphore semaphore, unsigned value) {
  Use& use = uses_[{semaphore.chip, semaphore.id}];
  const std::string name = semaphore_name(semaphore.id);
  if (use.taker && use.taker != &stream)
    throw AssemblerError(fmt::format("{}: second taker of semaphore {}, allowed one, {}",
                                     stream.where(), name, use.taken));
  if (!use.counted_down.empty())
    throw AssemblerError(
        fmt::format("{}: take from semaphore {}, allowed where nobody counts down, {}",
                    stream.where(), name, use.counted_down));
  if (!use.taker) use.taken = stream.where();
  use.taker = &stream;
  use.waits |= value > 0;
}

void Takers::give(Semaphore semaphore) { uses_[{semaphore.chip, semaphore.id}].given = true; }

void Takers::count_down(const std::string& where, Semaphore semaphore) {
  Use& use = uses_[{semaphore.chip, semaphore.id}];
  if (use.taker)
    throw AssemblerError(
        fmt::format("{}: semaphore {} counted down, allowed where nobody takes, {}", where,
                    semaphore_name(semaphore.id), use.taken));
  if (use.counted_down.empty()) use.counted_down = where;
}

void Takers::check() const {
  for (const auto& [semaphore, use] : uses_)
    if (use.waits && !use.given)
      throw AssemblerError(fmt::format("{}: take from semaphore {}, allowed where somebody gives",
                                       use.taken, semaphore_name(semaphore.second)));
}

}  // namespace cmodel
