// SPDX-License-Identifier: Apache-2.0
#include "cmodel/program/dma_ring.h"

#include <fmt/format.h>

#include "cmodel/program/assembler.h"
#include "cmodel/program/copy.h"

namespace cmodel {

void DmaEngine::fail(const std::string& what) const {
  throw AssemblerError(fmt::format("chip {} core {} DMA {} descriptor {}: {}", chip_, core_,
                                   engine_, descriptors_.size(), what));
}

defs::Descriptor& DmaEngine::last() {
  if (descriptors_.empty()) fail("nothing to change, copy comes first");
  return descriptors_.back();
}

DmaEngine& DmaEngine::copy(const Block& src, const Block& dst, const Rows& rows, Where at) {
  if (const auto why = bad_copy(assembler_, chip_, src, dst, rows); !why.empty()) fail(why);
  descriptors_.push_back(copy_of(chip_, src, dst, rows));
  lines_.push_back(assembler_.note(at));
  return *this;
}

DmaEngine& DmaEngine::combine(defs::Combine op, defs::Dtype dtype, const Block& local) {
  auto& descriptor = last();
  if (local.chip != chip_)
    fail(fmt::format("second source on chip {}, allowed {}", local.chip, chip_));
  if (const auto why = bad_combine(assembler_, descriptor, op, dtype, local); !why.empty())
    fail(why);
  descriptor.combine = static_cast<std::uint8_t>(op);
  descriptor.dtype = static_cast<std::uint8_t>(dtype);
  descriptor.src1 = local.addr;
  descriptor.src1_stride = local.rows > 1 ? local.stride : 0;
  return *this;
}

DmaEngine& DmaEngine::vn(unsigned net) {
  if (const auto why = bad_vn(chip_, last(), net); !why.empty()) fail(why);
  last().vn = static_cast<std::uint8_t>(net);
  return *this;
}

DmaEngine& DmaEngine::signal(Semaphore semaphore, int delta) {
  if (const auto why = bad_signal(chip_, semaphore, delta); !why.empty()) fail(why);
  if (delta < 0)
    assembler_.takers_.count_down(fmt::format("chip {} core {} DMA {} descriptor {}", chip_, core_,
                                              engine_, descriptors_.size() - 1),
                                  semaphore);
  else if (delta > 0)
    assembler_.takers_.give(semaphore);
  if (last().update) fail("second signal, allowed one per descriptor");
  last().update = 1;
  last().update_sem = static_cast<std::uint16_t>(semaphore.id);
  last().update_delta = static_cast<std::int16_t>(delta);
  return *this;
}

DmaEngine& DmaEngine::notify(Semaphore semaphore) {
  if (const auto why = bad_notify(chip_, last(), semaphore); !why.empty()) fail(why);
  if (last().notify) fail("second notify, allowed one per descriptor");
  assembler_.takers_.give(semaphore);
  last().notify = 1;
  last().notify_sem = static_cast<std::uint16_t>(semaphore.id);
  return *this;
}

}  // namespace cmodel
