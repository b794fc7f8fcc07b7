// SPDX-License-Identifier: Apache-2.0
#include "cmodel/program/dma_ring.h"

#include <fmt/format.h>

#include "cmodel/machine/address_map.h"
#include "cmodel/machine/hbm.h"
#include "cmodel/program/assembler.h"

namespace cmodel {

namespace {

/// Why a row of a copy lies outside every memory; empty if it does not.
std::string unmapped(const defs::Sizes& sizes, std::uint64_t addr, std::uint64_t bytes) {
  if (Hbm::mapped(addr, bytes)) return {};
  if (!in_core(addr))
    return fmt::format("{} bytes at 0x{:x} are no memory, allowed are the HBM and SBUF windows",
                       bytes, addr);
  const auto [core, partition, byte] = sbuf_place(addr);
  if (partition >= sizes.partitions)
    return fmt::format("SBUF partition {}, allowed 0..{}", partition, sizes.partitions - 1);
  if (!is_part(byte, bytes, sizes.sbuf_bytes))
    return fmt::format("SBUF bytes {}..{}, allowed 0..{}", byte, byte + bytes - 1,
                       sizes.sbuf_bytes - 1);
  return {};
}

}  // namespace

void DmaEngine::fail(const std::string& what) const {
  throw AssemblerError(fmt::format("chip {} core {} DMA {} descriptor {}: {}", chip_, core_,
                                   engine_, descriptors_.size(), what));
}

defs::Descriptor& DmaEngine::last() {
  if (descriptors_.empty()) fail("nothing to change, copy comes first");
  return descriptors_.back();
}

DmaEngine& DmaEngine::copy(const Block& src, const Block& dst, Where at) {
  if (src.chip != chip_) fail(fmt::format("source on chip {}, allowed {}", src.chip, chip_));
  if (dst.chip >= assembler_.chips())
    fail(fmt::format("destination on chip {}, allowed 0..{}", dst.chip, assembler_.chips() - 1));
  if (src.rows != dst.rows || src.row_bytes != dst.row_bytes)
    fail(fmt::format("destination of {} x {} bytes, allowed {} x {}", dst.rows, dst.row_bytes,
                     src.rows, src.row_bytes));
  if (src.rows == 0 || src.rows > 65535) fail(fmt::format("{} rows, allowed 1..65535", src.rows));
  const bool element = dst.chip == chip_ && (src.row_bytes == 1 || src.row_bytes == 2);
  if (!element && (src.row_bytes < 4 || src.row_bytes > 65536 || src.row_bytes % 4))
    fail(
        fmt::format("rows of {} bytes, allowed multiples of 4 in 4..65536, and on one chip 1 and 2",
                    src.row_bytes));
  const std::uint32_t grain = element ? src.row_bytes : 4;
  check_side("source", src, grain);
  check_side("destination", dst, grain);
  defs::Descriptor descriptor;
  descriptor.vn = dst.chip == chip_ ? 0 : 1;
  descriptor.rows = static_cast<std::uint16_t>(src.rows);
  descriptor.row_bytes = src.row_bytes;
  descriptor.src_stride = src.rows > 1 ? src.stride : 0;
  descriptor.dst_stride = src.rows > 1 ? dst.stride : 0;
  descriptor.dst_chip = static_cast<std::uint16_t>(dst.chip);
  descriptor.src = src.addr;
  descriptor.dst = dst.addr;
  descriptors_.push_back(descriptor);
  lines_.push_back(assembler_.note(at));
  return *this;
}

void DmaEngine::check_side(const char* name, const Block& side, std::uint32_t grain) const {
  if (side.addr % grain || side.stride % grain)
    fail(fmt::format("{} at 0x{:x} stride {}, allowed multiples of {}", name, side.addr,
                     side.stride, grain));
  for (unsigned row = 0; row < side.rows; ++row) {
    const auto why = unmapped(assembler_.sizes(), side.row_addr(row), side.row_bytes);
    if (!why.empty()) fail(fmt::format("{} row {}: {}", name, row, why));
  }
}

DmaEngine& DmaEngine::combine(defs::Combine op, defs::Dtype dtype, const Block& local) {
  auto& descriptor = last();
  if (op == defs::Combine::Copy) fail("combine by Copy, allowed Add, Max");
  if (dtype != defs::Dtype::Fp32 && dtype != defs::Dtype::Bf16 && dtype != defs::Dtype::Int32)
    fail(fmt::format("combine of {}, allowed Fp32, Bf16, Int32", to_string(dtype)));
  if (local.chip != chip_)
    fail(fmt::format("second source on chip {}, allowed {}", local.chip, chip_));
  if (local.rows != descriptor.rows || local.row_bytes != descriptor.row_bytes)
    fail(fmt::format("second source of {} x {} bytes, allowed {} x {}", local.rows, local.row_bytes,
                     descriptor.rows, descriptor.row_bytes));
  if (local.row_bytes % 4) fail("combine of rows of 1 or 2 bytes, allowed multiples of 4");
  check_side("second source", local, 4);
  descriptor.combine = static_cast<std::uint8_t>(op);
  descriptor.dtype = static_cast<std::uint8_t>(dtype);
  descriptor.src1 = local.addr;
  descriptor.src1_stride = local.rows > 1 ? local.stride : 0;
  return *this;
}

DmaEngine& DmaEngine::vn(unsigned net) {
  if (last().dst_chip == chip_) fail("virtual network of a local copy, allowed for remote ones");
  if (net < 1 || net >= defs::kVirtualNets)
    fail(fmt::format("virtual network {}, allowed 1..{}", net, defs::kVirtualNets - 1));
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
  if (last().dst_chip == chip_) fail("notify of a local copy, allowed for remote ones; use signal");
  if (semaphore.chip != last().dst_chip)
    fail(fmt::format("notify to chip {}, allowed: the destination, {}", semaphore.chip,
                     last().dst_chip));
  if (const auto why = bad_semaphore(semaphore); !why.empty()) fail(why);
  if (last().notify) fail("second notify, allowed one per descriptor");
  assembler_.takers_.give(semaphore);
  last().notify = 1;
  last().notify_sem = static_cast<std::uint16_t>(semaphore.id);
  return *this;
}

}  // namespace cmodel
