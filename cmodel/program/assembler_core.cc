// SPDX-License-Identifier: Apache-2.0
#include "cmodel/program/assembler_core.h"

#include <fmt/format.h>

#include <algorithm>

#include "cmodel/machine/address_map.h"
#include "cmodel/program/assembler.h"

namespace cmodel {

Core::Core(Assembler& assembler, unsigned chip, unsigned core)
    : assembler_(assembler),
      chip_(chip),
      core_(core),
      tensor_(assembler, chip, core, 0),
      vector_(assembler, chip, core, 1),
      act_(assembler, chip, core, 2),
      sync_(assembler, chip, core, 3) {
  for (unsigned e = 0; e < assembler.sizes().dma_engines; ++e)
    dma_.push_back(std::make_unique<DmaEngine>(assembler, chip, core, e));
}

DmaEngine& Core::dma(unsigned engine) {
  if (engine >= dma_.size())
    throw AssemblerError(fmt::format("DMA engine {}, allowed 0..{}", engine, dma_.size() - 1));
  return *dma_[engine];
}

Semaphore Core::semaphore(const std::string& name) {
  if (next_semaphore_ == defs::kSemaphores)
    throw AssemblerError(fmt::format("chip {} core {}: no semaphore left, allowed {} per core",
                                     chip_, core_, defs::kSemaphores));
  const Semaphore made{chip_, core_ * defs::kSemaphores + next_semaphore_++};
  if (!name.empty()) assembler_.semaphores_[{made.chip, made.id}] = name;
  return made;
}

Tile Core::sbuf(unsigned partitions, unsigned elements, defs::Dtype dtype, unsigned partition) {
  const defs::Sizes& sizes = assembler_.sizes();
  const std::uint64_t bytes = std::uint64_t{elements} * element_bytes(dtype);
  if (elements == 0 || next_sbuf_ + bytes > sizes.sbuf_bytes)
    throw AssemblerError(
        fmt::format("chip {} core {}: SBUF tile of {} bytes per partition, allowed 1..{}", chip_,
                    core_, bytes, sizes.sbuf_bytes - next_sbuf_));
  if (!is_part(partition, partitions, sizes.partitions))
    throw AssemblerError(
        fmt::format("chip {} core {}: SBUF tile on partitions {}+{}, allowed 0..{}", chip_, core_,
                    static_cast<int>(partition), partitions, sizes.partitions - 1));
  Tile tile;
  tile.chip = chip_;
  tile.core = core_;
  tile.space = defs::Space::Sbuf;
  tile.partition = partition;
  tile.partitions = partitions;
  tile.offset = next_sbuf_;
  next_sbuf_ = static_cast<unsigned>(round_up(next_sbuf_ + bytes, defs::kSbufWordBytes));
  return tile.as(dtype, elements);
}

unsigned Core::align_sbuf(unsigned align) {
  next_sbuf_ = static_cast<unsigned>(round_up(next_sbuf_, align));
  const unsigned bytes = assembler_.sizes().sbuf_bytes;
  return bytes - std::min(bytes, next_sbuf_);
}

Tile Core::psum(unsigned bank, unsigned partitions, unsigned columns, unsigned column) const {
  const defs::Sizes& sizes = assembler_.sizes();
  if (bank >= sizes.psum_banks || !is_part(column, columns, sizes.psum_cols))
    throw AssemblerError(fmt::format(
        "PSUM bank {} columns {}+{}, allowed banks 0..{}, columns 0..{}", static_cast<int>(bank),
        static_cast<int>(column), columns, sizes.psum_banks - 1, sizes.psum_cols - 1));
  Tile tile;
  tile.chip = chip_;
  tile.core = core_;
  tile.space = defs::Space::Psum;
  tile.partitions = partitions;
  tile.offset = (bank * sizes.psum_cols + column) * 4;
  return tile.as(defs::Dtype::Fp32, columns);
}

}  // namespace cmodel
