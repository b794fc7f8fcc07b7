// SPDX-License-Identifier: Apache-2.0
#include "cmodel/machine/dma.h"

#include <algorithm>

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

/// Stride rule of SBUF, by the window alone (mapped or not).
bool bad_sbuf_stride(const defs::Descriptor& d, std::uint64_t addr, std::int64_t stride) {
  const bool sbuf =
      addr >= defs::kAddrCore0Base && addr < defs::kAddrCore1Base + defs::kAddrCore1Size;
  return sbuf && d.rows > 1 && stride % static_cast<std::int64_t>(defs::kSbufStride) != 0;
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
  if (d.rows == 0 || d.row_bytes < 4 || d.row_bytes > kMaxRowBytes)
    return ErrorCause::BadDescriptor;
  if (remote != (d.vn != 0) || (!remote && d.notify)) return ErrorCause::BadDescriptor;
  if (bad_sbuf_stride(d, d.src, d.src_stride) || bad_sbuf_stride(d, d.dst, d.dst_stride)) {
    return ErrorCause::BadDescriptor;
  }
  if ((d.row_bytes | d.src | d.dst | static_cast<std::uint64_t>(d.src_stride) |
       static_cast<std::uint64_t>(d.dst_stride)) %
      4) {
    return ErrorCause::Misaligned;
  }
  if (remote && d.dst_chip >= id.ring_size) return ErrorCause::BadDestination;
  if (!rows_mapped(sizes, d.src, d.src_stride, d) || !rows_mapped(sizes, d.dst, d.dst_stride, d)) {
    return ErrorCause::UnmappedAddress;
  }
  return ErrorCause::None;
}

void execute(const defs::Sizes& sizes, const DmaIdentity& id, const defs::Descriptor& d,
             DmaPort& port, std::vector<std::uint8_t>& scratch) {
  const bool remote = d.dst_chip != id.chip;
  scratch.resize(d.row_bytes);
  std::uint64_t src = d.src, dst = d.dst;
  for (std::uint32_t row = 0; row < d.rows; ++row) {
    port.read(src, scratch);
    for (std::uint32_t done = 0; done < d.row_bytes;) {
      std::uint32_t bytes = d.row_bytes - done;
      if (!remote) {
        bytes = std::min({bytes, to_line_end(sizes, src + done), to_line_end(sizes, dst + done)});
        port.write(dst + done, std::span(scratch).subspan(done, bytes));
        done += bytes;
        continue;
      }
      bytes = std::min(bytes, defs::kPacketBytes);
      const bool notify = d.notify && row + 1 == d.rows && done + bytes == d.row_bytes;
      defs::Header header;
      header.op = static_cast<std::uint8_t>(notify ? defs::PktOp::WriteNotify : defs::PktOp::Write);
      header.dst = d.dst_chip;
      header.src = static_cast<std::uint16_t>(id.chip);
      header.lport = static_cast<std::uint8_t>(lport_of(sizes, dst + done));
      header.vn = d.vn;
      header.len = static_cast<std::uint8_t>(
          bytes <= defs::kInlineBytes ? 1 : 1 + (bytes + defs::kFlitBytes - 1) / defs::kFlitBytes);
      header.bytes = static_cast<std::uint16_t>(bytes);
      header.tag = static_cast<std::uint8_t>(notify ? d.notify_sem & 0xff : 0);
      header.addr = dst + done;
      // group: notify core, the sending engine, the sending core
      header.group = static_cast<std::uint8_t>((notify ? d.notify_sem >> 8 & 1 : 0) |
                                               id.engine << 1 | id.core << 5);
      port.send(header, std::span(scratch).subspan(done, bytes));
      done += bytes;
    }
    src += static_cast<std::uint64_t>(d.src_stride);
    dst += static_cast<std::uint64_t>(d.dst_stride);
  }
}

}  // namespace cmodel
