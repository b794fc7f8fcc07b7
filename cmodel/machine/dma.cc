// SPDX-License-Identifier: Apache-2.0
#include "cmodel/machine/dma.h"

#include <algorithm>
#include <cstring>

#include "cmodel/machine/fp.h"
#include "fabric/model/message.h"

namespace cmodel {
namespace {

constexpr std::uint32_t kMaxRowBytes = 65536;

/// The memory of a whole row whose start is an exact (perhaps negative) sum, else Unmapped.
Target row_target(const defs::Sizes& sizes, std::int64_t addr, std::uint32_t bytes) {
  constexpr std::int64_t kEnd = std::int64_t{1} << 48;
  if (addr < 0 || addr >= kEnd || bytes == 0 || addr + bytes > kEnd) return Target::Unmapped;
  return decode(sizes, static_cast<std::uint64_t>(addr), bytes).target;
}

/// First and last row in one memory.
bool rows_mapped(const defs::Sizes& sizes, std::uint64_t addr, std::int64_t stride,
                 const defs::Descriptor& d) {
  // |stride| * rows < 2^63 - 2^48: no overflow
  const auto first = static_cast<std::int64_t>(addr);
  const std::int64_t last = first + stride * (static_cast<std::int64_t>(d.rows) - 1);
  const Target target = row_target(sizes, first, d.row_bytes);
  return target != Target::Unmapped && row_target(sizes, last, d.row_bytes) == target;
}

/// First and last row, of mapped ones, and so all.
bool rows_reached(const DmaIdentity& id, std::uint64_t addr, std::int64_t stride,
                  const defs::Descriptor& d) {
  const std::uint64_t last = addr + static_cast<std::uint64_t>(stride) * (d.rows - 1u);
  return reaches(id.peer, id.core, addr, d.row_bytes) &&
         reaches(id.peer, id.core, last, d.row_bytes);
}

/// Rows of a core's window (mapped or not) that are neither in one partition nor at the same byte
/// of several.
bool leaves_partition(const defs::Descriptor& d, std::uint64_t addr, std::int64_t stride) {
  constexpr auto kStep = static_cast<std::int64_t>(defs::kSbufStride);  // a power of two
  const auto first = static_cast<std::int64_t>(addr), last = first + stride * (d.rows - 1);
  return in_core(addr) && d.rows > 1 && stride % kStep != 0 && (first ^ last) & -kStep;
}

bool combines(defs::Dtype dtype) {
  return dtype == defs::Dtype::Fp32 || dtype == defs::Dtype::Bf16 || dtype == defs::Dtype::Int32;
}

/// One word, of one or two elements. Twin of dma_pkg::combine.
std::uint32_t combine(const defs::Descriptor& d, std::uint32_t a, std::uint32_t b) {
  const bool adds = d.combine == static_cast<std::uint8_t>(defs::Combine::Add);
  const auto fp32 = [adds](fp::Fp32 x, fp::Fp32 y) { return adds ? fp::add(x, y) : fp::max(x, y); };
  const auto bf16 = [fp32](std::uint32_t x, std::uint32_t y) {
    return std::uint32_t{fp::fp32_to_bf16(fp32(fp::bf16_to_fp32(static_cast<fp::Bf16>(x)),
                                               fp::bf16_to_fp32(static_cast<fp::Bf16>(y))))};
  };
  switch (static_cast<defs::Dtype>(d.dtype)) {
    case defs::Dtype::Fp32:
      return fp32(a, b);
    case defs::Dtype::Bf16:
      return bf16(a >> 16, b >> 16) << 16 | bf16(a, b);
    default:
      if (adds) return a + b;
      return static_cast<std::int32_t>(a) < static_cast<std::int32_t>(b) ? b : a;
  }
}

/// row = combine(row, other).
void combine(const defs::Descriptor& d, std::span<std::uint8_t> row,
             std::span<const std::uint8_t> other) {
  for (std::size_t at = 0; at < row.size(); at += 4) {
    std::uint32_t a, b;
    std::memcpy(&a, &row[at], 4);
    std::memcpy(&b, &other[at], 4);
    a = combine(d, a, b);
    std::memcpy(&row[at], &a, 4);
  }
}

std::uint32_t to_line_end(const defs::Sizes& sizes, std::uint64_t addr) {
  return sizes.line_bytes - static_cast<std::uint32_t>(addr % sizes.line_bytes);
}

}  // namespace

defs::ErrorCause check_ring(const defs::Sizes& sizes, std::uint64_t base, std::uint32_t count) {
  if (base % sizes.line_bytes) return defs::ErrorCause::Misaligned;
  if (count == 0) return defs::ErrorCause::BadDescriptor;
  return defs::ErrorCause::None;
}

defs::ErrorCause check(const defs::Sizes& sizes, const DmaIdentity& id, const defs::Descriptor& d) {
  using defs::ErrorCause;
  const bool second = d.combine != static_cast<std::uint8_t>(defs::Combine::Copy);
  if (d.reserved_hi || d.reserved_mid || d.reserved || d.reserved_lo)
    return ErrorCause::ReservedBits;
  if (!second && (d.dtype || d.src1 || d.src1_stride)) return ErrorCause::ReservedBits;
  if (!d.update && (d.update_sem || d.update_delta)) return ErrorCause::ReservedBits;
  if (!d.notify && d.notify_sem) return ErrorCause::ReservedBits;
  const bool remote = d.dst_chip != id.chip;
  const bool element = !remote && !second && (d.row_bytes == 1 || d.row_bytes == 2);
  if (d.rows == 0 || (d.row_bytes < 4 && !element) || d.row_bytes > kMaxRowBytes)
    return ErrorCause::BadDescriptor;
  if (remote != (d.vn != 0) || (!remote && d.notify)) return ErrorCause::BadDescriptor;
  if (leaves_partition(d, d.src, d.src_stride) || leaves_partition(d, d.dst, d.dst_stride) ||
      leaves_partition(d, d.src1, d.src1_stride) ||
      d.combine > static_cast<std::uint8_t>(defs::Combine::Max))
    return ErrorCause::BadDescriptor;
  if (second && !combines(static_cast<defs::Dtype>(d.dtype))) return ErrorCause::BadFormat;
  const std::uint32_t grain = element ? d.row_bytes : 4;
  if ((d.row_bytes | d.src | d.dst | static_cast<std::uint64_t>(d.src_stride) |
       static_cast<std::uint64_t>(d.dst_stride) | d.src1 |
       static_cast<std::uint64_t>(d.src1_stride)) %
      grain)
    return ErrorCause::Misaligned;
  if (remote && d.dst_chip >= id.ring_size) return ErrorCause::BadDestination;
  if (!rows_mapped(sizes, d.src, d.src_stride, d) || !rows_mapped(sizes, d.dst, d.dst_stride, d) ||
      (second && !rows_mapped(sizes, d.src1, d.src1_stride, d)))
    return ErrorCause::UnmappedAddress;
  if (!rows_reached(id, d.src, d.src_stride, d) ||
      (second && !rows_reached(id, d.src1, d.src1_stride, d)) ||
      (!remote && !rows_reached(id, d.dst, d.dst_stride, d)) ||
      (d.update && !reaches_semaphore(id.peer, id.core, d.update_sem)))
    return ErrorCause::Forbidden;
  return ErrorCause::None;
}

void execute(const defs::Sizes& sizes, const DmaIdentity& id, const defs::Descriptor& d,
             DmaPort& port, std::vector<std::uint8_t>& scratch) {
  const bool remote = d.dst_chip != id.chip;
  const bool second = d.combine != static_cast<std::uint8_t>(defs::Combine::Copy);
  scratch.resize(second ? 2 * d.row_bytes : d.row_bytes);
  const auto row = std::span(scratch).first(d.row_bytes);
  const auto other = std::span(scratch).subspan(d.row_bytes);
  const auto packets = remote ? fabric::cut(d.row_bytes) : std::vector<std::uint16_t>();
  fabric::Message message{.src = static_cast<std::uint16_t>(id.chip),
                          .dst = d.dst_chip,
                          .core = static_cast<std::uint8_t>(id.core),
                          .engine = static_cast<std::uint8_t>(id.engine),
                          .vn = d.vn,
                          .sem = d.notify_sem};
  std::uint64_t src = d.src, src1 = d.src1, dst = d.dst;
  for (std::uint32_t left = d.rows; left; --left) {
    port.read(src, row);
    if (second) {
      port.read(src1, other);
      combine(d, row, other);
    }
    std::uint32_t done = 0;
    for (const std::uint16_t bytes : packets) {
      message.addr = dst + done;
      message.bytes = bytes;
      message.notify = d.notify && left == 1 && done + bytes == d.row_bytes;
      port.send(fabric::header(message), row.subspan(done, bytes));
      done += bytes;
    }
    while (done < d.row_bytes) {
      std::uint32_t bytes = std::min(
          {d.row_bytes - done, to_line_end(sizes, src + done), to_line_end(sizes, dst + done)});
      if (second) bytes = std::min(bytes, to_line_end(sizes, src1 + done));
      port.write(dst + done, row.subspan(done, bytes));
      done += bytes;
    }
    src += static_cast<std::uint64_t>(d.src_stride);
    src1 += static_cast<std::uint64_t>(d.src1_stride);
    dst += static_cast<std::uint64_t>(d.dst_stride);
  }
}

}  // namespace cmodel
