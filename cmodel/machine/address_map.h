// SPDX-License-Identifier: Apache-2.0
// What lies behind a chip-local 48-bit address. The one decoder of the model, as mem_xbar is of the
// RTL.
#pragma once
#include <cstdint>

#include "rtl/defs/gen/defs.h"

namespace cmodel {

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t to) {
  return (value + to - 1) / to * to;
}

/// A memory of one chip. The CSR window is no memory: only the host port knows it.
using Target = defs::Memory;

struct Location {
  Target target = Target::Unmapped;
  std::uint64_t offset = 0;     ///< HBM: byte inside the stack; SBUF: byte inside the partition
  std::uint32_t partition = 0;  ///< SBUF only
};

constexpr bool is_hbm(Target t) { return t == Target::Hbm0 || t == Target::Hbm1; }
constexpr bool is_sbuf(Target t) { return t == Target::Sbuf0 || t == Target::Sbuf1; }

/// A place in a core's window, mapped or not.
struct SbufPlace {
  unsigned core;
  std::uint32_t partition;
  std::uint64_t byte;
};
constexpr bool in_core(std::uint64_t addr) { return defs::in_core0(addr) || defs::in_core1(addr); }
constexpr SbufPlace sbuf_place(std::uint64_t addr) {
  const unsigned core = defs::in_core1(addr);
  const std::uint64_t offset = addr - (core ? defs::kAddrCore1Base : defs::kAddrCore0Base);
  return {core, static_cast<std::uint32_t>(offset / defs::kSbufStride), offset % defs::kSbufStride};
}

/// Decodes one byte address. Holes between SBUF rows (byte >= SbufBytes) and partitions >= P are
/// unmapped.
constexpr Location decode(const defs::Sizes& sizes, std::uint64_t addr) {
  if (defs::in_hbm0(addr)) return {Target::Hbm0, addr - defs::kAddrHbm0Base, 0};
  if (defs::in_hbm1(addr)) return {Target::Hbm1, addr - defs::kAddrHbm1Base, 0};
  if (!in_core(addr)) return {};
  const SbufPlace place = sbuf_place(addr);
  if (place.partition >= sizes.partitions || place.byte >= sizes.sbuf_bytes) return {};
  return {place.core ? Target::Sbuf1 : Target::Sbuf0, place.byte, place.partition};
}

/// Decodes a run of `bytes` > 0 bytes that must lie in one memory (SBUF: in one partition).
constexpr Location decode(const defs::Sizes& sizes, std::uint64_t addr, std::uint64_t bytes) {
  const Location first = decode(sizes, addr);
  const Location last = decode(sizes, addr + bytes - 1);
  if (first.target != last.target || first.partition != last.partition) return {};
  return first;
}

/// Address of byte `byte` of SBUF partition `partition` of `core`.
constexpr std::uint64_t sbuf_addr(unsigned core, unsigned partition, std::uint64_t byte) {
  return (core ? defs::kAddrCore1Base : defs::kAddrCore0Base) +
         static_cast<std::uint64_t>(partition) * defs::kSbufStride + byte;
}

}  // namespace cmodel
