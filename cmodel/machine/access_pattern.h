// SPDX-License-Identifier: Apache-2.0
// Access patterns of operands: the walk and the rules. Twin of rtl/operand/access_pattern.sv and
// rtl/operand/operand_check_pkg.sv.
#pragma once
#include <array>
#include <cstdint>

#include "rtl/defs/gen/instructions.h"

namespace cmodel {

/// Trip counts of the four free dimensions, [0] innermost.
using Trips = std::array<std::uint16_t, 4>;
inline constexpr Trips kOneElement{1, 1, 1, 1};

inline Trips trips_of(const defs::Instr& instr) {
  return {instr.size0, instr.size1, instr.size2, instr.size3};
}

/// The element strides of `op`, [0] innermost.
inline std::array<std::int32_t, 4> strides_of(const defs::Operand& op) {
  return {op.stride0, op.stride1, op.stride2, op.stride3};
}

/// log2 of an element's bytes. Unknown formats count as one byte: they are rejected anyway.
constexpr unsigned element_shift(std::uint8_t dtype) {
  return defs::kDtypeBytes4 >> dtype & 1 ? 2 : defs::kDtypeBytes2 >> dtype & 1 ? 1 : 0;
}
constexpr unsigned element_bytes(std::uint8_t dtype) { return 1u << element_shift(dtype); }

/// Calls visit(byte_offset) for every element of a legal pattern, innermost dimension first.
template <class Visit>
void for_each_element(const defs::Operand& op, const Trips& trips, Visit&& visit) {
  const auto strides = strides_of(op);
  const std::int64_t bytes = element_bytes(op.dtype);
  for (std::int64_t i3 = 0; i3 < trips[3]; ++i3)
    for (std::int64_t i2 = 0; i2 < trips[2]; ++i2)
      for (std::int64_t i1 = 0; i1 < trips[1]; ++i1) {
        std::int64_t addr =
            op.offset + bytes * (i3 * strides[3] + i2 * strides[2] + i1 * strides[1]);
        for (std::int64_t i0 = 0; i0 < trips[0]; ++i0, addr += bytes * strides[0])
          visit(static_cast<std::uint32_t>(addr));
      }
}

/// The same walk, one element at a time: for two operands walked together.
class PatternWalk {
 public:
  PatternWalk(const defs::Operand& op, const Trips& trips)
      : offset_(op.offset),
        bytes_(element_bytes(op.dtype)),
        strides_(strides_of(op)),
        trips_(trips) {}

  static std::uint64_t elements(const Trips& trips) {
    return std::uint64_t{trips[0]} * trips[1] * trips[2] * trips[3];
  }
  bool done() const { return done_; }
  /// Byte offset of this element, modulo 2^24 as in RTL.
  std::uint32_t addr() const {
    std::int64_t elements = 0;
    for (unsigned i = 0; i < 4; ++i) elements += std::int64_t{index_[i]} * strides_[i];
    return static_cast<std::uint32_t>(offset_ + bytes_ * elements) & 0xff'ffffu;
  }
  bool inner_last() const { return index_[0] + 1u == trips_[0]; }
  void next() {
    for (unsigned i = 0; i < 4; ++i) {
      if (++index_[i] < trips_[i]) return;
      index_[i] = 0;
    }
    done_ = true;
  }

 private:
  std::int64_t offset_, bytes_;
  std::array<std::int32_t, 4> strides_;
  Trips trips_;
  std::array<std::uint32_t, 4> index_{};
  bool done_ = false;
};

using defs::Faults;

/// A mask of spaces: the operand is all zeros.
inline constexpr unsigned kMustBeUnused = 1;

/// Start-partition rule for n partitions: n > P/2 from 0; n > P/4 from 0 or P/2; else from any
/// multiple of P/4. n = 0 and n > P are bad.
constexpr bool partition_bad(const defs::Sizes& sizes, unsigned start, unsigned n) {
  const unsigned p = sizes.partitions;
  if (n == 0 || n > p || start >= p) return true;
  if (n > p / 2) return start != 0;
  if (n > p / 4) return start % (p / 2) != 0;
  return start % (p / 4) != 0;
}

/// Does any element leave its buffer, or the whole pattern its PSUM bank?
inline bool outside(const defs::Sizes& sizes, const defs::Operand& op, const Trips& trips) {
  const auto strides = strides_of(op);
  const std::int64_t bytes = element_bytes(op.dtype);
  std::int64_t low = op.offset, high = op.offset + bytes - 1;
  for (unsigned i = 0; i < 4; ++i) {
    const std::int64_t span = bytes * strides[i] * static_cast<std::uint16_t>(trips[i] - 1);
    (span < 0 ? low : high) += span;
  }
  if (op.space == static_cast<std::uint8_t>(defs::Space::Psum)) {
    const std::int64_t bank = sizes.psum_cols * 4;
    return low < 0 || high >= bank * sizes.psum_banks || low / bank != high / bank;
  }
  return low < 0 || high >= sizes.sbuf_bytes;
}

/// All faults of one operand, walked with `trips`; `spaces` and `dtypes` are masks. The stride of a
/// dimension of size 1 must be zero.
inline Faults operand_faults(const defs::Sizes& sizes, const defs::Operand& op, unsigned partitions,
                             const Trips& trips, unsigned spaces, unsigned dtypes) {
  Faults faults;
  const bool used = op != defs::Operand{};
  if (spaces == kMustBeUnused) {
    faults.reserved_bits = used;
    return faults;
  }
  if (op.space == static_cast<std::uint8_t>(defs::Space::None)) {
    faults.reserved_bits = used;
    faults.bad_operand = !(spaces & 1);
    return faults;
  }
  const auto strides = strides_of(op);
  faults.reserved_bits = op.reserved != 0;  // and the sequencer has resolved its index
  for (unsigned i = 0; i < 4; ++i) {
    if (trips[i] == 1 && strides[i] != 0) faults.reserved_bits = true;
    if (trips[i] == 0) faults.bad_shape = true;
  }
  faults.bad_operand = !(spaces >> op.space & 1);
  faults.bad_format =
      !(dtypes >> op.dtype & 1) || (op.space == static_cast<std::uint8_t>(defs::Space::Psum) &&
                                    op.dtype != static_cast<std::uint8_t>(defs::Dtype::Fp32) &&
                                    op.dtype != static_cast<std::uint8_t>(defs::Dtype::Int32));
  faults.bad_partition = partition_bad(sizes, op.partition, partitions);
  faults.misaligned = op.offset % element_bytes(op.dtype) != 0;
  faults.out_of_bounds = outside(sizes, op, trips);
  return faults;
}

}  // namespace cmodel
