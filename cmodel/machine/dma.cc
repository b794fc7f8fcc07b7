// SPDX-License-Identifier: Apache-2.0
#include "cmodel/machine/dma.h"

#include <algorithm>

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
  if (d.reserved_hi || d.reserved_mid || d.reserved || d.reserved_lo)
    return ErrorCause::ReservedBits;
  if (!d.update && (d.update_sem || d.update_delta)) return ErrorCause::ReservedBits;
  if (!d.notify && d.notify_sem) return ErrorCause::ReservedBits;
  const bool remote = d.dst_chip != id.chip;
  const bool element = !remote && (d.row_bytes == 1 || d.row_bytes == 2);
  if (d.rows == 0 || (d.row_bytes < 4 && !element) || d.row_bytes > kMaxRowBytes)
    return ErrorCause::BadDescriptor;
  if (remote != (d.vn != 0) || (!remote && d.notify)) return ErrorCause::BadDescriptor;
  if (leaves_partition(d, d.src, d.src_stride) || leaves_partition(d, d.dst, d.dst_stride))
    return ErrorCause::BadDescriptor;
  const std::uint32_t grain = element ? d.row_bytes : 4;
  if ((d.row_bytes | d.src | d.dst | static_cast<std::uint64_t>(d.src_stride) |
       static_cast<std::uint64_t>(d.dst_stride)) %
      grain)
    return ErrorCause::Misaligned;
  if (remote && d.dst_chip >= id.ring_size) return ErrorCause::BadDestination;
  if (!rows_mapped(sizes, d.src, d.src_stride, d) || !rows_mapped(sizes, d.dst, d.dst_stride, d)) {
    return ErrorCause::UnmappedAddress;
  }
  if (!rows_reached(id, d.src, d.src_stride, d) ||
      (!remote && !rows_reached(id, d.dst, d.dst_stride, d)) ||
      (d.update && !reaches_semaphore(id.peer, id.core, d.update_sem)))
    return ErrorCause::Forbidden;
  return ErrorCause::None;
}

void execute(const defs::Sizes& sizes, const DmaIdentity& id, const defs::Descriptor& d,
             DmaPort& port, std::vector<std::uint8_t>& scratch) {
  const bool remote = d.dst_chip != id.chip;
  scratch.resize(d.row_bytes);
  const std::span<const std::uint8_t> row(scratch);
  const auto packets = remote ? fabric::cut(d.row_bytes) : std::vector<std::uint16_t>();
  fabric::Message message{.src = static_cast<std::uint16_t>(id.chip),
                          .dst = d.dst_chip,
                          .core = static_cast<std::uint8_t>(id.core),
                          .engine = static_cast<std::uint8_t>(id.engine),
                          .vn = d.vn,
                          .sem = d.notify_sem};
  std::uint64_t src = d.src, dst = d.dst;
  for (std::uint32_t left = d.rows; left; --left) {
    port.read(src, scratch);
    std::uint32_t done = 0;
    for (const std::uint16_t bytes : packets) {
      message.addr = dst + done;
      message.bytes = bytes;
      message.notify = d.notify && left == 1 && done + bytes == d.row_bytes;
      port.send(fabric::header(message), row.subspan(done, bytes));
      done += bytes;
    }
    while (done < d.row_bytes) {
      const std::uint32_t bytes = std::min(
          {d.row_bytes - done, to_line_end(sizes, src + done), to_line_end(sizes, dst + done)});
      port.write(dst + done, row.subspan(done, bytes));
      done += bytes;
    }
    src += static_cast<std::uint64_t>(d.src_stride);
    dst += static_cast<std::uint64_t>(d.dst_stride);
  }
}

}  // namespace cmodel
