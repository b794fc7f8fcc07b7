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
enum class Target : std::uint8_t { Hbm0, Hbm1, Sbuf0, Sbuf1, Unmapped };

struct Location {
  Target target = Target::Unmapped;
  std::uint64_t offset = 0;     ///< HBM: byte inside the stack; SBUF: byte inside the partition
  std::uint32_t partition = 0;  ///< SBUF only
};

constexpr bool is_hbm(Target t) { return t == Target::Hbm0 || t == Target::Hbm1; }
constexpr bool is_sbuf(Target t) { return t == Target::Sbuf0 || t == Target::Sbuf1; }

/// Decodes one byte address. Holes between SBUF rows (byte >= SbufBytes) and partitions >= P are
/// unmapped.
constexpr Location decode(const defs::Sizes& sizes, std::uint64_t addr) {
  const auto inside = [addr](std::uint64_t base, std::uint64_t size) {
    return addr >= base && addr - base < size;
  };
  if (inside(defs::kAddrHbm0Base, defs::kAddrHbm0Size)) {
    return {Target::Hbm0, addr - defs::kAddrHbm0Base, 0};
  }
  if (inside(defs::kAddrHbm1Base, defs::kAddrHbm1Size)) {
    return {Target::Hbm1, addr - defs::kAddrHbm1Base, 0};
  }
  for (unsigned core = 0; core < defs::kCores; ++core) {
    const std::uint64_t base = core ? defs::kAddrCore1Base : defs::kAddrCore0Base;
    if (!inside(base, defs::kAddrCore0Size)) continue;
    const std::uint64_t offset = addr - base;
    const auto partition = static_cast<std::uint32_t>(offset / defs::kSbufStride);
    const std::uint64_t byte = offset % defs::kSbufStride;
    if (partition >= sizes.partitions || byte >= sizes.sbuf_bytes) return {};
    return {core ? Target::Sbuf1 : Target::Sbuf0, byte, partition};
  }
  return {};
}

/// Decodes a run of `bytes` > 0 bytes that must lie in one memory (SBUF: in one partition).
constexpr Location decode(const defs::Sizes& sizes, std::uint64_t addr, std::uint64_t bytes) {
  const Location first = decode(sizes, addr);
  const Location last = decode(sizes, addr + bytes - 1);
  if (first.target != last.target || first.partition != last.partition) return {};
  return first;
}

/// Core whose receive port serves a destination address: header.lport.
constexpr unsigned lport_of(const defs::Sizes& sizes, std::uint64_t addr) {
  const Target target = decode(sizes, addr).target;
  return target == Target::Hbm1 || target == Target::Sbuf1 ? 1 : 0;
}

/// Address of byte `byte` of SBUF partition `partition` of `core`.
constexpr std::uint64_t sbuf_addr(unsigned core, unsigned partition, std::uint64_t byte) {
  return (core ? defs::kAddrCore1Base : defs::kAddrCore0Base) +
         static_cast<std::uint64_t>(partition) * defs::kSbufStride + byte;
}

}  // namespace cmodel
