// SPDX-License-Identifier: Apache-2.0
// Descriptors, random and plain, and their place in a ring.
#pragma once
#include <cstdlib>
#include <random>

#include "cmodel/machine/access_pattern.h"
#include "tb/unit/rtl/dma_twin.h"

namespace dma {

inline unsigned pick(std::mt19937& rng, unsigned low, unsigned high) {
  return low + static_cast<unsigned>(rng() % (high - low + 1));
}

/// A run of rows of one engine in one of the four memories, in its half of what it may touch; of a
/// tight one in so little of that that descriptors often read what others wrote.
struct Place {
  std::uint64_t addr;
  std::int64_t stride;
};
inline Place place(const defs::Sizes& sizes, std::mt19937& rng, unsigned engine, unsigned half,
                   bool sbuf, unsigned rows, unsigned row_bytes, bool tight) {
  if (!sbuf && tight) {
    const std::uint64_t base = rng() % 2 ? defs::kAddrHbm1Base : defs::kAddrHbm0Base;
    return {base + (std::uint64_t{engine * 2 + half} << 24) + pick(rng, 160, 416) * 4,
            (static_cast<std::int64_t>(rng() % 64) - 32) * 4};
  }
  if (!sbuf) {
    const std::uint64_t base = rng() % 2 ? defs::kAddrHbm1Base : defs::kAddrHbm0Base;
    std::uint64_t addr = base + (std::uint64_t{engine * 2 + half} << 24) + (8u << 20);
    addr += rng() % 4 ? std::uint64_t{pick(rng, 0, 5000)} * 4
                      : std::uint64_t{pick(rng, 0, 500)} * sizes.line_bytes;
    const std::int64_t stride = (static_cast<std::int64_t>(rng() % 32768) - 16384) * 4;
    return {addr, rng() % 3 ? stride : static_cast<std::int64_t>(row_bytes)};
  }
  const unsigned window = sizes.sbuf_bytes / (2 * sizes.dma_engines) / 4 * 4;
  const unsigned offset = (engine * 2 + half) * window + pick(rng, 0, (window - row_bytes) / 4) * 4;
  const unsigned last = tight ? 3 : sizes.partitions - 1;
  const unsigned from = pick(rng, 0, last), to = pick(rng, 0, last);
  const std::int64_t step =
      rows < 2 ? 0 : (static_cast<std::int64_t>(to) - from) / static_cast<std::int64_t>(rows - 1);
  return {cmodel::sbuf_addr(static_cast<unsigned>(rng() % 2), from, offset),
          step * static_cast<std::int64_t>(defs::kSbufStride)};
}

/// Elements with strides from one of the four memories to another one, or inside one.
inline void make_elements(const defs::Sizes& sizes, std::mt19937& rng, unsigned engine,
                          unsigned half, Descriptor& d) {
  const unsigned window = sizes.sbuf_bytes / (2 * sizes.dma_engines) / 4 * 4;
  d.row_bytes = pick(rng, 1, 2);
  d.rows = static_cast<std::uint16_t>(pick(rng, 1, 40));
  for (const bool from : {true, false}) {
    const unsigned stride = pick(rng, 0, 8) * d.row_bytes,
                   all = stride * (d.rows - 1) + d.row_bytes;
    const unsigned at = (engine * 2 + (from ? half : 1 - half)) * window +
                        pick(rng, 0, (window - all) / d.row_bytes) * d.row_bytes;
    std::uint64_t addr = rng() % 2 ? cmodel::sbuf_addr(rng() % 2, pick(rng, 0, 3), at)
                                   : defs::kAddrHbm1Base + 0x3'0000'0000 + at;
    const bool down = rng() % 2;
    if (down) addr += all - d.row_bytes;
    (from ? d.src : d.dst) = addr;
    (from ? d.src_stride : d.dst_stride) = down ? -static_cast<std::int64_t>(stride) : stride;
  }
}

/// Elements of any two formats, from one of the four memories to another one, or inside one.
inline void make_cast(const defs::Sizes& sizes, std::mt19937& rng, unsigned engine, unsigned half,
                      Descriptor& d) {
  const unsigned window = sizes.sbuf_bytes / (2 * sizes.dma_engines) / 4 * 4;
  d.combine = static_cast<std::uint8_t>(defs::Combine::Cast);
  d.dtype = static_cast<std::uint8_t>(rng() % defs::kEveryDtype.size());
  d.dst_dtype = static_cast<std::uint8_t>(rng() % defs::kEveryDtype.size());
  const unsigned elements = 4 * pick(rng, 1, rng() % 2 ? 8 : window / 16);
  d.row_bytes = elements * cmodel::element_bytes(d.dtype);
  const Place src = place(sizes, rng, engine, half, rng() % 2, d.rows, d.row_bytes, false);
  const Place dst =
      place(sizes, rng, engine, 1 - half, rng() % 2, d.rows, cmodel::destination_bytes(d), false);
  d.src = src.addr;
  d.src_stride = src.stride;
  d.dst = dst.addr;
  d.dst_stride = dst.stride;
}

/// Lists of indices that random descriptors have.
struct Lists {
  bool faults = false;  ///< one may stop its engine
  unsigned used = 0;    ///< words
  std::vector<std::pair<std::uint64_t, std::vector<std::uint32_t>>> made;
};

/// One side of a good descriptor named by a list.
inline void make_indexed(const defs::Sizes& sizes, std::mt19937& rng, unsigned engine,
                         unsigned half, Descriptor& d, Lists& lists) {
  const bool second = cmodel::has_second(d), gathers = second || rng() % 2,
             remote = d.dst_chip != kChip;
  const std::uint32_t made = cmodel::destination_bytes(d);
  d.index_mode =
      static_cast<std::uint8_t>(gathers ? defs::IndexMode::Gather : defs::IndexMode::Scatter);
  d.skip = !remote && rng() % 2;
  d.rows = static_cast<std::uint16_t>(pick(rng, 1, std::max(d.row_bytes, made) > 200 ? 6 : 60));
  d.bound = pick(rng, 1, 6);
  const auto side = [&](unsigned in, bool named, std::uint32_t bytes) {
    const unsigned window = sizes.sbuf_bytes / (2 * sizes.dma_engines) / 4 * 4;
    return place(sizes, rng, engine, in, bytes <= window && rng() % 2, named ? d.bound : d.rows,
                 bytes, false);
  };
  const Place src = side(half, gathers, d.row_bytes), dst = side(1 - half, !gathers, made);
  d.src = src.addr;
  d.src_stride = src.stride;
  d.dst = dst.addr;
  d.dst_stride = dst.stride;
  if (second) {
    const bool apart = std::abs(dst.stride) >= static_cast<std::int64_t>(made);
    const Place src1 = apart && !remote ? dst : side(half, false, d.row_bytes);
    d.src1 = src1.addr;
    d.src1_stride = src1.stride;
  }
  d.index = (rng() % 2 ? defs::kAddrHbm1Base : 0) + 0x3'8000'0000 + (std::uint64_t{engine} << 20) +
            4 * lists.used;
  lists.used += d.rows;
  auto& [addr, list] = lists.made.emplace_back(d.index, std::vector<std::uint32_t>(d.rows));
  const bool bad = d.skip || (lists.faults && rng() % 2);
  const unsigned often = pick(rng, 1, 12);
  for (auto& index : list)
    index = bad && rng() % often == 0
                ? d.bound + (static_cast<std::uint32_t>(rng()) >> rng() % 32) % (0u - d.bound)
                : static_cast<std::uint32_t>(rng() % d.bound);
}

/// A good descriptor; with `lists` some have indices.
inline Descriptor random_descriptor(const defs::Sizes& sizes, std::mt19937& rng, unsigned engine,
                                    bool tight = false, Lists* lists = nullptr) {
  Descriptor d;
  const bool src_sbuf = rng() % 2, dst_sbuf = rng() % 2, remote = rng() % 3 == 0;
  const unsigned window = sizes.sbuf_bytes / (2 * sizes.dma_engines) / 4 * 4;
  const unsigned most = src_sbuf || dst_sbuf ? window : 5000;
  d.row_bytes = 4 * pick(rng, 1, tight || rng() % 2 ? 40 : most / 4);
  d.rows = static_cast<std::uint16_t>(pick(rng, 1, tight && rng() % 2 ? 1 : 6));
  const unsigned half = rng() % 2;
  const Place src = place(sizes, rng, engine, half, src_sbuf, d.rows, d.row_bytes, tight);
  const Place dst = place(sizes, rng, engine, 1 - half, dst_sbuf, d.rows, d.row_bytes, tight);
  d.src = src.addr;
  d.src_stride = src.stride;
  d.dst = dst.addr;
  d.dst_stride = dst.stride;
  d.dst_chip = kChip;
  if (remote) {
    d.dst_chip = static_cast<std::uint16_t>((kChip + pick(rng, 1, kRingSize - 1)) % kRingSize);
    d.vn = static_cast<std::uint8_t>(pick(rng, 1, 3));
    d.notify = rng() % 2;
    if (d.notify) d.notify_sem = static_cast<std::uint16_t>(rng() % 512);
  }
  switch (rng() % 6) {
    case 2:
      if (!remote && !tight) make_cast(sizes, rng, engine, half, d);
      break;
    case 0:
      if (!remote) make_elements(sizes, rng, engine, half, d);
      break;
    case 1: {
      const bool apart =
          d.rows == 1 || std::abs(dst.stride) >= static_cast<std::int64_t>(d.row_bytes);
      const bool in_place = rng() % 2 && !remote && apart;
      const Place src1 = in_place
                             ? dst
                             : place(sizes, rng, engine, half, rng() % 2 && d.row_bytes <= window,
                                     d.rows, d.row_bytes, tight);
      constexpr defs::Dtype kFormats[] = {defs::Dtype::Fp32, defs::Dtype::Bf16, defs::Dtype::Int32};
      d.combine = static_cast<std::uint8_t>(pick(rng, 1, 2));
      d.dtype = static_cast<std::uint8_t>(kFormats[rng() % 3]);
      d.src1 = src1.addr;
      d.src1_stride = src1.stride;
      break;
    }
    default:
      break;
  }
  if (lists && rng() % 3 == 0) make_indexed(sizes, rng, engine, half, d, *lists);
  d.update = rng() % 2;
  if (d.update) {
    d.update_sem = static_cast<std::uint16_t>(rng() % 512);
    d.update_delta = static_cast<std::int16_t>(rng());
  }
  return d;
}

/// What core `other` shares: nothing, all, or memory up to somewhere among the places above.
inline defs::PeerAccess random_peer(unsigned other, std::mt19937& rng) {
  defs::PeerAccess peer = cmodel::kAllShared;
  peer.shared = rng() % 4 != 0;
  if (rng() % 2) return peer;
  const std::uint64_t hbm = other ? defs::kAddrHbm1Base : defs::kAddrHbm0Base;
  const std::uint64_t sbuf = cmodel::sbuf_addr(other, 0, 0);
  peer.base = rng() % 2 ? hbm : sbuf;
  peer.limit = peer.base + pick(rng, 0, 64u << 20);
  return peer;
}

/// Changes one field so that the descriptor is most likely refused.
inline void spoil(std::mt19937& rng, Descriptor& d) {
  switch (rng() % 31) {
    case 0:
      d.reserved_hi = static_cast<std::uint16_t>(1u << rng() % 2);
      break;
    case 1:
      d.reserved_mid = static_cast<std::uint16_t>(1u << rng() % 16);
      break;
    case 2:
      d.reserved = static_cast<std::uint16_t>(1u << rng() % 16);
      break;
    case 3:
      d.reserved_lo = static_cast<std::uint16_t>(1u << rng() % 12);
      break;
    case 4:
      d.update = 0;
      d.update_sem = static_cast<std::uint16_t>(rng() % 512);
      break;
    case 5:
      d.update = 0;
      d.update_delta = static_cast<std::int16_t>(rng());
      break;
    case 6:
      d.notify ^= 1;
      break;
    case 7:
      d.rows = static_cast<std::uint16_t>(rng() % 3 ? rng() : 0);
      break;
    case 8:
      d.row_bytes = static_cast<std::uint32_t>(rng() % 2 ? rng() % 5 : rng() % (1u << 20));
      break;
    case 9:
      d.vn = static_cast<std::uint8_t>(rng() % 4);
      break;
    case 10:
      d.dst_chip = static_cast<std::uint16_t>(rng() % 2 ? rng() % 1024 : rng() % 13);
      break;
    case 11:
      d.src += pick(rng, 1, 3);
      break;
    case 12:
      d.dst += pick(rng, 1, 3);
      break;
    case 13:
      d.row_bytes += pick(rng, 1, 3);
      break;
    case 14:
      d.src_stride += pick(rng, 1, 65536);
      break;
    case 15:
      d.dst_stride += pick(rng, 1, 65536);
      break;
    case 16:
      d.src ^= std::uint64_t{1} << rng() % 48;
      break;
    case 17:
      d.dst ^= std::uint64_t{1} << rng() % 48;
      break;
    case 18:
      d.combine = rng() % 8;
      break;
    case 19:
      d.dtype = rng() % 16;
      break;
    case 20:
      d.src1 = rng() % 2 ? d.src1 + pick(rng, 1, 3) : d.src1 ^ std::uint64_t{1} << rng() % 48;
      break;
    case 21:
      d.src1_stride += pick(rng, 1, 65536);
      break;
    case 22:
      d.src_stride = static_cast<std::int64_t>(rng() * 0x100000001ull << 18) >> 16;
      break;
    case 23:
      d.dst_dtype = rng() % 16;
      break;
    case 24:
      d.index_mode = rng() % 4;
      break;
    case 25:
      d.skip ^= 1;
      break;
    case 26:
      d.index = rng() % 2 ? d.index + pick(rng, 1, 3) : d.index ^ std::uint64_t{1} << rng() % 48;
      break;
    case 27:
      d.bound = rng() % 2 ? 0 : static_cast<std::uint32_t>(rng()) >> rng() % 32;
      break;
    case 28:
      d.index_mode = rng() % 4;
      d.bound = static_cast<std::uint32_t>(rng()) >> rng() % 32;
      d.index = std::uint64_t{rng() % 4096} * 4;
      break;
    default:
      d.dst_stride = static_cast<std::int64_t>(rng() * 0x100000001ull << 18) >> 16;
      break;
  }
}

inline void store(Memory& memory, const Ring& ring, unsigned index, const Descriptor& d) {
  const auto words = d.words();
  memory.write(ring.base + 64 * index, {reinterpret_cast<const std::uint8_t*>(words.data()), 64});
}

inline Ring ring_of(unsigned engine, unsigned count) {
  return {kRings + (std::uint64_t{engine} << 20), count};
}

inline Descriptor plain_copy(std::uint64_t src, std::uint64_t dst, unsigned rows,
                             unsigned row_bytes) {
  Descriptor d;
  d.rows = static_cast<std::uint16_t>(rows);
  d.row_bytes = row_bytes;
  d.src = src;
  d.dst = dst;
  d.src_stride = d.dst_stride = row_bytes;
  d.dst_chip = kChip;
  d.update = 1;
  d.update_delta = 1;
  return d;
}

}  // namespace dma
