// SPDX-License-Identifier: Apache-2.0
#include "cmodel/program/takers.h"

#include <fmt/format.h>

#include "cmodel/program/disassemble.h"
#include "cmodel/program/instr_stream.h"

namespace cmodel {

void Takers::take(const StreamBase& stream, Semaphore semaphore) {
  Use& use = uses_[{semaphore.chip, semaphore.id}];
  const std::string name = semaphore_name(semaphore.id);
  if (use.taker && use.taker != &stream)
    throw AssemblerError(fmt::format("{}: second taker of semaphore {}, allowed one, {}",
                                     stream.where(), name, use.taken));
  if (!use.counted.empty())
    throw AssemblerError(
        fmt::format("{}: take from semaphore {}, allowed where nobody counts down, {}",
                    stream.where(), name, use.counted));
  if (!use.taker) use = {&stream, stream.where(), {}};
}

void Takers::count_down(const std::string& where, Semaphore semaphore) {
  Use& use = uses_[{semaphore.chip, semaphore.id}];
  if (use.taker)
    throw AssemblerError(
        fmt::format("{}: semaphore {} counted down, allowed where nobody takes, {}", where,
                    semaphore_name(semaphore.id), use.taken));
  if (use.counted.empty()) use.counted = where;
}

}  // namespace cmodel
