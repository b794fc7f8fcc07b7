// SPDX-License-Identifier: Apache-2.0
#include "cmodel/program/copy.h"

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

/// Why `side` is no memory, or no place for rows of multiples of `grain` bytes.
std::string bad_side(const Assembler& assembler, const char* name, const Block& side,
                     std::uint32_t grain) {
  if (side.addr % grain || side.stride % grain)
    return fmt::format("{} at 0x{:x} stride {}, allowed multiples of {}", name, side.addr,
                       side.stride, grain);
  for (unsigned row = 0; row < side.rows; ++row) {
    const auto why = unmapped(assembler.sizes(), side.row_addr(row), side.row_bytes);
    if (!why.empty()) return fmt::format("{} row {}: {}", name, row, why);
  }
  return {};
}

/// Why it cannot find its rows by its list.
std::string bad_list(const Assembler& assembler, unsigned chip, const Block& src, const Block& dst,
                     const Rows& rows, unsigned count) {
  if (rows.gather && rows.scatter) return "gather and scatter, allowed one of them";
  if (!rows.gather && !rows.scatter)
    return rows.skip ? "rows skipped without indices, allowed with them" : "";
  const Block& list = rows.gather ? *rows.gather : *rows.scatter;
  if (list.chip != chip) return fmt::format("indices on chip {}, allowed {}", list.chip, chip);
  if (list.rows != 1 || list.row_bytes < 4 * count || list.addr % 4)
    return fmt::format(
        "{} x {} bytes of indices at 0x{:x}, allowed one row of {} at multiples of 4", list.rows,
        list.row_bytes, list.addr, 4 * count);
  if (auto why = unmapped(assembler.sizes(), list.addr, 4 * count); !why.empty())
    return "indices: " + why;
  if (rows.skip && dst.chip != chip) return "rows skipped on another chip, allowed on one";
  const std::int64_t stride = rows.gather ? src.stride : dst.stride;
  if (stride != static_cast<std::int32_t>(stride))
    return fmt::format("stride {} of indexed rows, allowed {}..{}", stride, INT32_MIN, INT32_MAX);
  return {};
}

}  // namespace

std::string bad_copy(const Assembler& assembler, unsigned chip, const Block& src, const Block& dst,
                     const Rows& rows) {
  if (src.chip != chip) return fmt::format("source on chip {}, allowed {}", src.chip, chip);
  if (dst.chip >= assembler.chips())
    return fmt::format("destination on chip {}, allowed 0..{}", dst.chip, assembler.chips() - 1);
  const bool indexed = rows.gather || rows.scatter;
  const std::uint32_t made =
      rows.cast ? src.row_bytes / element_bytes(rows.cast->first) * element_bytes(rows.cast->second)
                : src.row_bytes;
  if ((src.rows != dst.rows && !indexed) || made != dst.row_bytes)
    return fmt::format("destination of {} x {} bytes, allowed {} x {}", dst.rows, dst.row_bytes,
                       indexed ? dst.rows : src.rows, made);
  const unsigned count = rows.gather ? dst.rows : src.rows;
  if (count == 0 || count > 65535) return fmt::format("{} rows, allowed 1..65535", count);
  if (rows.cast && dst.chip != chip) return "cast to another chip, allowed on one";
  if (rows.cast && made % 4)
    return fmt::format("cast to rows of {} bytes, allowed multiples of 4", made);
  if (auto why = bad_list(assembler, chip, src, dst, rows, count); !why.empty()) return why;
  const bool element = dst.chip == chip && !rows.cast && (src.row_bytes == 1 || src.row_bytes == 2);
  if (!element && (src.row_bytes < 4 || src.row_bytes > 65536 || src.row_bytes % 4))
    return fmt::format(
        "rows of {} bytes, allowed multiples of 4 in 4..65536, and on one chip 1 and 2",
        src.row_bytes);
  const std::uint32_t grain = element ? src.row_bytes : 4;
  if (auto why = bad_side(assembler, "source", src, grain); !why.empty()) return why;
  return bad_side(assembler, "destination", dst, grain);
}

std::string bad_combine(const Assembler& assembler, const defs::Descriptor& copy, defs::Combine op,
                        defs::Dtype dtype, const Block& local) {
  if (op != defs::Combine::Add && op != defs::Combine::Max)
    return fmt::format("combine by {}, allowed Add, Max", to_string(op));
  if (copy.combine == static_cast<std::uint8_t>(defs::Combine::Cast))
    return "combine of a cast, allowed of a copy";
  if (copy.index_mode == static_cast<std::uint8_t>(defs::IndexMode::Scatter))
    return "combine of a scatter, allowed of a gather";
  if (dtype != defs::Dtype::Fp32 && dtype != defs::Dtype::Bf16 && dtype != defs::Dtype::Int32)
    return fmt::format("combine of {}, allowed Fp32, Bf16, Int32", to_string(dtype));
  if (local.rows != copy.rows || local.row_bytes != copy.row_bytes)
    return fmt::format("second source of {} x {} bytes, allowed {} x {}", local.rows,
                       local.row_bytes, copy.rows, copy.row_bytes);
  if (local.row_bytes % 4) return "combine of rows of 1 or 2 bytes, allowed multiples of 4";
  return bad_side(assembler, "second source", local, 4);
}

std::string bad_vn(unsigned chip, const defs::Descriptor& copy, unsigned net) {
  if (copy.dst_chip == chip) return "virtual network of a local copy, allowed for remote ones";
  if (net < 1 || net >= defs::kVirtualNets)
    return fmt::format("virtual network {}, allowed 1..{}", net, defs::kVirtualNets - 1);
  return {};
}

std::string bad_notify(unsigned chip, const defs::Descriptor& copy, Semaphore semaphore) {
  if (copy.dst_chip == chip) return "notify of a local copy, allowed for remote ones; use signal";
  if (semaphore.chip != copy.dst_chip)
    return fmt::format("notify to chip {}, allowed: the destination, {}", semaphore.chip,
                       copy.dst_chip);
  return bad_semaphore(semaphore);
}

defs::Descriptor copy_of(unsigned chip, const Block& src, const Block& dst, const Rows& rows) {
  defs::Descriptor descriptor;
  descriptor.vn = dst.chip == chip ? 0 : 1;
  descriptor.rows = static_cast<std::uint16_t>(rows.gather ? dst.rows : src.rows);
  descriptor.row_bytes = src.row_bytes;
  descriptor.src_stride = src.rows > 1 ? src.stride : 0;
  descriptor.dst_stride = dst.rows > 1 ? dst.stride : 0;
  descriptor.dst_chip = static_cast<std::uint16_t>(dst.chip);
  descriptor.src = src.addr;
  descriptor.dst = dst.addr;
  if (rows.gather || rows.scatter) {
    descriptor.index_mode =
        static_cast<std::uint8_t>(rows.gather ? defs::IndexMode::Gather : defs::IndexMode::Scatter);
    descriptor.skip = rows.skip;
    descriptor.index = (rows.gather ? *rows.gather : *rows.scatter).addr;
    descriptor.bound = rows.gather ? src.rows : dst.rows;
  }
  if (rows.cast) {
    descriptor.combine = static_cast<std::uint8_t>(defs::Combine::Cast);
    descriptor.dtype = static_cast<std::uint8_t>(rows.cast->first);
    descriptor.dst_dtype = static_cast<std::uint8_t>(rows.cast->second);
  }
  return descriptor;
}

}  // namespace cmodel
