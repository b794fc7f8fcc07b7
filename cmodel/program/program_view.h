// SPDX-License-Identifier: Apache-2.0
// Instructions and descriptors of a program, as they lie in its segments.
#pragma once
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>

#include "cmodel/program/program.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// 64 bytes of a chip's segments, writable if the program is; empty if they are not all there.
template <class AProgram>
auto program_bytes(AProgram& program, unsigned chip, std::uint64_t addr) {
  for (auto& s : program.segments)
    if (s.chip == chip && addr >= s.addr && addr - s.addr + defs::kInstrBytes <= s.bytes.size())
      return std::span(s.bytes).subspan(addr - s.addr, defs::kInstrBytes);
  return decltype(std::span(program.segments[0].bytes)){};
}

/// Of 64 bytes, or of none: all zero.
template <class Packed>
Packed unpack_bytes(std::span<const std::uint8_t> bytes) {
  typename Packed::Words words{};
  if (!bytes.empty()) std::memcpy(words.data(), bytes.data(), bytes.size());
  return Packed::from(words);
}
template <class Packed>
Packed unpack_at(const Program& program, unsigned chip, std::uint64_t addr) {
  return unpack_bytes<Packed>(program_bytes(program, chip, addr));
}

inline defs::Instr instr_at(const Program& program, const InstrStream& stream, std::uint32_t pc) {
  return unpack_at<defs::Instr>(program, stream.chip,
                                stream.base + std::uint64_t{pc} * defs::kInstrBytes);
}
inline defs::Descriptor descriptor_at(const Program& program, const DescriptorRing& ring,
                                      std::uint32_t at) {
  return unpack_at<defs::Descriptor>(
      program, ring.chip, ring.base + std::uint64_t{at % ring.count} * defs::kInstrBytes);
}

}  // namespace cmodel
