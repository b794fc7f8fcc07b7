// SPDX-License-Identifier: Apache-2.0
#include "cmodel/machine/dma.h"

#include <algorithm>
#include <cstring>

#include "cmodel/machine/access_pattern.h"
#include "cmodel/machine/fp.h"
#include "fabric/model/message.h"

namespace cmodel {
namespace {

constexpr std::uint32_t kMaxRowBytes = 65536;

/// The memory of a whole row whose start is a sum modulo 2^64, else Unmapped.
Target row_target(const defs::Sizes& sizes, std::uint64_t addr, std::uint32_t bytes) {
  constexpr std::uint64_t kEnd = std::uint64_t{1} << 48;
  if (addr >= kEnd || bytes == 0 || addr + bytes > kEnd) return Target::Unmapped;
  return decode(sizes, addr, bytes).target;
}

/// One side of a descriptor: where its rows begin, and how many steps the last one is away from the
/// first.
struct Side {
  std::uint64_t addr;
  std::int64_t stride;
  std::uint64_t steps;
  std::uint32_t bytes;  ///< of a row

  /// Modulo 2^64, which no wrong one comes back from: strides of indices have 32 bits.
  std::uint64_t last() const { return addr + static_cast<std::uint64_t>(stride) * steps; }
};

/// First and last row in one memory.
bool rows_mapped(const defs::Sizes& sizes, const Side& side) {
  const Target target = row_target(sizes, side.addr, side.bytes);
  return target != Target::Unmapped && row_target(sizes, side.last(), side.bytes) == target;
}

/// First and last row, of mapped ones, and so all.
bool rows_reached(const DmaIdentity& id, const Side& side) {
  return reaches(id.peer, id.core, side.addr, side.bytes) &&
         reaches(id.peer, id.core, side.last(), side.bytes);
}

/// Rows of a core's window (mapped or not) that are neither in one partition nor at the same byte
/// of several.
bool leaves_partition(const Side& side) {
  constexpr std::uint64_t kStep = defs::kSbufStride;  // a power of two
  return in_core(side.addr) && side.steps > 0 &&
         static_cast<std::uint64_t>(side.stride) % kStep != 0 && (side.addr ^ side.last()) & -kStep;
}

bool is(const defs::Descriptor& d, defs::Combine combine) {
  return d.combine == static_cast<std::uint8_t>(combine);
}
bool is(const defs::Descriptor& d, defs::IndexMode mode) {
  return d.index_mode == static_cast<std::uint8_t>(mode);
}
constexpr auto kLastFormat = static_cast<std::uint8_t>(defs::kEveryDtype.back());

Side source(const defs::Descriptor& d) {
  return {d.src, d.src_stride,
          (is(d, defs::IndexMode::Gather) ? d.bound : d.rows) - std::uint64_t{1}, d.row_bytes};
}
Side second_source(const defs::Descriptor& d) {
  return {d.src1, d.src1_stride, d.rows - std::uint64_t{1}, d.row_bytes};
}
Side destination(const defs::Descriptor& d) {
  return {d.dst, d.dst_stride,
          (is(d, defs::IndexMode::Scatter) ? d.bound : d.rows) - std::uint64_t{1},
          destination_bytes(d)};
}
Side list(const defs::Descriptor& d) { return {d.index, 0, 0, std::uint32_t{d.rows} * 4}; }

bool combines(defs::Dtype dtype) {
  return dtype == defs::Dtype::Fp32 || dtype == defs::Dtype::Bf16 || dtype == defs::Dtype::Int32;
}

/// One word, of one or two elements. Twin of dma_pkg::combine.
std::uint32_t combine(const defs::Descriptor& d, std::uint32_t a, std::uint32_t b) {
  const bool adds = is(d, defs::Combine::Add);
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

/// A row in another format. Twin of dma_pkg::cast.
void cast(const defs::Descriptor& d, std::span<const std::uint8_t> row,
          std::span<std::uint8_t> out) {
  const unsigned from = 1u << element_shift(d.dtype), to = 1u << element_shift(d.dst_dtype);
  for (std::size_t i = 0; i * from < row.size(); ++i) {
    std::uint32_t bits = 0;
    std::memcpy(&bits, &row[i * from], from);
    bits = fp::fp32_to_element(static_cast<defs::Dtype>(d.dst_dtype),
                               fp::element_to_fp32(static_cast<defs::Dtype>(d.dtype), bits));
    std::memcpy(&out[i * to], &bits, to);
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
  const bool second = has_second(d), casts = is(d, defs::Combine::Cast);
  const bool indexed = !is(d, defs::IndexMode::None);
  if (d.reserved_hi || d.reserved_mid || d.reserved || d.reserved_lo)
    return ErrorCause::ReservedBits;
  if (is(d, defs::Combine::Copy) && d.dtype) return ErrorCause::ReservedBits;
  if ((is(d, defs::Combine::Copy) || casts) && (d.src1 || d.src1_stride))
    return ErrorCause::ReservedBits;
  if (!casts && d.dst_dtype) return ErrorCause::ReservedBits;
  if (!indexed && (d.skip || d.index || d.bound)) return ErrorCause::ReservedBits;
  if (!d.update && (d.update_sem || d.update_delta)) return ErrorCause::ReservedBits;
  if (!d.notify && d.notify_sem) return ErrorCause::ReservedBits;
  const bool remote = d.dst_chip != id.chip;
  const bool element = !remote && !second && !casts && (d.row_bytes == 1 || d.row_bytes == 2);
  const Side src = source(d), src1 = second_source(d), dst = destination(d);
  if (d.rows == 0 || (d.row_bytes < 4 && !element) || d.row_bytes > kMaxRowBytes ||
      dst.bytes > kMaxRowBytes)
    return ErrorCause::BadDescriptor;
  if (remote != (d.vn != 0) || (!remote && d.notify)) return ErrorCause::BadDescriptor;
  if (d.combine > static_cast<std::uint8_t>(defs::Combine::Cast) || (casts && remote))
    return ErrorCause::BadDescriptor;
  if (d.index_mode > static_cast<std::uint8_t>(defs::IndexMode::Scatter))
    return ErrorCause::BadDescriptor;
  const bool scatters = is(d, defs::IndexMode::Scatter);
  const std::int64_t stride = scatters ? d.dst_stride : d.src_stride;
  if (indexed && (d.bound == 0 || stride != static_cast<std::int32_t>(stride) ||
                  (d.skip && remote) || (scatters && second)))
    return ErrorCause::BadDescriptor;
  if (leaves_partition(src) || leaves_partition(dst) || leaves_partition(src1))
    return ErrorCause::BadDescriptor;
  if (second && !combines(static_cast<defs::Dtype>(d.dtype))) return ErrorCause::BadFormat;
  if (casts && (d.dtype > kLastFormat || d.dst_dtype > kLastFormat)) return ErrorCause::BadFormat;
  const std::uint32_t grain = element ? d.row_bytes : 4;
  if ((d.row_bytes | dst.bytes | d.src | d.dst | static_cast<std::uint64_t>(d.src_stride) |
       static_cast<std::uint64_t>(d.dst_stride) | d.src1 |
       static_cast<std::uint64_t>(d.src1_stride)) %
          grain ||
      d.index % 4)
    return ErrorCause::Misaligned;
  if (remote && d.dst_chip >= id.ring_size) return ErrorCause::BadDestination;
  if (!rows_mapped(sizes, src) || !rows_mapped(sizes, dst) ||
      (second && !rows_mapped(sizes, src1)) || (indexed && !rows_mapped(sizes, list(d))))
    return ErrorCause::UnmappedAddress;
  if (!rows_reached(id, src) || (second && !rows_reached(id, src1)) ||
      (!remote && !rows_reached(id, dst)) || (indexed && !rows_reached(id, list(d))) ||
      (d.update && !reaches_semaphore(id.peer, id.core, d.update_sem)))
    return ErrorCause::Forbidden;
  return ErrorCause::None;
}

RowPlaces places_of(const defs::Descriptor& d, DmaPort& port) {
  RowPlaces out;
  const bool gathers = is(d, defs::IndexMode::Gather), scatters = is(d, defs::IndexMode::Scatter);
  std::vector<std::uint32_t> indices(gathers || scatters ? d.rows : 0);
  if (!indices.empty())
    port.read(d.index, {reinterpret_cast<std::uint8_t*>(indices.data()), indices.size() * 4});
  const auto at = [](std::uint64_t addr, std::int64_t stride, std::uint64_t steps) {
    return (addr + static_cast<std::uint64_t>(stride) * steps) & 0xffff'ffff'ffffu;
  };
  out.rows.reserve(d.rows);
  for (std::uint32_t row = 0; row < d.rows; ++row) {
    if (!indices.empty() && indices[row] >= d.bound) {
      if (d.skip) continue;
      out.fault = true;
      break;
    }
    out.rows.push_back({at(d.src, d.src_stride, gathers ? indices[row] : row),
                        at(d.src1, d.src1_stride, row),
                        at(d.dst, d.dst_stride, scatters ? indices[row] : row)});
  }
  return out;
}

void footprints_of_copy(unsigned chip, const defs::Descriptor& d, const RowPlaces& places,
                        bool writes, std::vector<Footprint>& out) {
  const bool indexed = !is(d, defs::IndexMode::None);
  if (indexed) footprints_of_rows(chip, d.index, 0, 1, std::uint32_t{d.rows} * 4, false, out);
  const auto add = [&](const Side& side, std::uint64_t RowPlaces::Row::* at, bool write) {
    if (!indexed)
      return footprints_of_rows(chip, side.addr, side.stride, d.rows, side.bytes, write, out);
    for (const auto& row : places.rows)
      footprints_of_rows(chip, row.*at, 0, 1, side.bytes, write, out);
  };
  add(source(d), &RowPlaces::Row::src, false);
  if (has_second(d)) add(second_source(d), &RowPlaces::Row::src1, false);
  if (writes) add(destination(d), &RowPlaces::Row::dst, true);
}

bool has_second(const defs::Descriptor& d) {
  return is(d, defs::Combine::Add) || is(d, defs::Combine::Max);
}

std::uint32_t destination_bytes(const defs::Descriptor& d) {
  return is(d, defs::Combine::Cast)
             ? d.row_bytes >> element_shift(d.dtype) << element_shift(d.dst_dtype)
             : d.row_bytes;
}

void execute(const defs::Sizes& sizes, const DmaIdentity& id, const defs::Descriptor& d,
             const RowPlaces& places, DmaPort& port, std::vector<std::uint8_t>& scratch) {
  const bool remote = d.dst_chip != id.chip;
  const bool second = has_second(d), casts = is(d, defs::Combine::Cast);
  const std::uint32_t made = destination_bytes(d);
  const unsigned from = casts ? element_shift(d.dtype) : 0,
                 to = casts ? element_shift(d.dst_dtype) : 0;
  scratch.resize(d.row_bytes + std::max(made, d.row_bytes));
  const auto row = std::span(scratch).first(d.row_bytes);
  const auto other = std::span(scratch).subspan(d.row_bytes).first(casts ? made : d.row_bytes);
  const auto out = casts ? other : row;
  const auto packets = remote ? fabric::cut(d.row_bytes) : std::vector<std::uint16_t>();
  fabric::Message message{.src = static_cast<std::uint16_t>(id.chip),
                          .dst = d.dst_chip,
                          .core = static_cast<std::uint8_t>(id.core),
                          .engine = static_cast<std::uint8_t>(id.engine),
                          .vn = d.vn,
                          .sem = d.notify_sem};
  std::size_t left = places.rows.size();
  for (const auto& [src, src1, dst] : places.rows) {
    --left;
    port.read(src, row);
    if (second) {
      port.read(src1, other);
      combine(d, row, other);
    }
    if (casts) cast(d, row, other);
    std::uint32_t done = 0;  // bytes of the source
    for (const std::uint16_t bytes : packets) {
      message.addr = dst + done;
      message.bytes = bytes;
      message.notify = d.notify && !places.fault && left == 0 && done + bytes == d.row_bytes;
      port.send(fabric::header(message), row.subspan(done, bytes));
      done += bytes;
    }
    while (done < d.row_bytes) {
      const std::uint64_t target = dst + (done >> from << to);
      std::uint32_t bytes = std::min({d.row_bytes - done, to_line_end(sizes, src + done),
                                      to_line_end(sizes, target) >> to << from});
      if (second) bytes = std::min(bytes, to_line_end(sizes, src1 + done));
      if (casts) bytes = std::min(bytes, sizes.line_bytes / 4 << from);
      port.write(target, out.subspan(done >> from << to, bytes >> from << to));
      done += bytes;
    }
  }
}

}  // namespace cmodel
