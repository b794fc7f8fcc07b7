// SPDX-License-Identifier: Apache-2.0
// Random copies of all further kinds: rows by lists of indices, casts between any formats, and
// copies out of instructions, whose places and rows come out of registers.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "tb/scenarios/corners.h"

namespace tb::corners {
namespace {

constexpr unsigned kMostRows = 12, kMostElements = 100;
constexpr unsigned kFar = 1u << 24;  ///< bytes that a register may move a copy in HBM

}  // namespace

Block Corners::moved(cmodel::SyncStream& sync, cmodel::Register by, Block block) {
  std::int64_t down = kFar, up = kFar;
  if (cmodel::in_core(block.addr)) {
    const auto byte = cmodel::sbuf_place(block.addr).byte;
    down = byte;
    up = args_.sizes.sbuf_bytes - byte - block.row_bytes;
  } else if (block.addr % defs::kAddrHbm0Size < kFar) {
    down = 0;
  }
  const auto words = [&](std::int64_t most) {
    return 4 * std::int64_t{random_.between(0, static_cast<unsigned>(most / 4))};
  };
  const std::int64_t bytes = random_.one_in(2) ? words(down) : -words(up);
  sync.set(by, static_cast<std::uint32_t>(bytes));
  block.addr -= static_cast<std::uint64_t>(bytes);
  return block;
}

Block Corners::indices(unsigned chip, unsigned c, unsigned engine, unsigned count, unsigned bound,
                       bool skip) {
  std::vector<std::uint32_t> list(count);
  const unsigned beyond = random_.between(0, 3);  // none, some, the last one, all
  for (unsigned i = 0; i < count; ++i) {
    const bool out = skip && (beyond == 3 || (beyond == 2 && i + 1 == count) ||
                              (beyond == 1 && random_.one_in(3)));
    const auto far = static_cast<std::uint32_t>(random_.word() >> random_.between(32, 63));
    list[i] =
        out ? std::max(bound, random_.one_in(3) ? bound : far) : random_.between(0, bound - 1);
  }
  const unsigned bytes = 4 * count;
  const Block words =
      assembler_.data(chip, random_.between(0, 1), fmt::format("out{}", outs_++), bytes, 1,
                      {reinterpret_cast<const std::uint8_t*>(list.data()), bytes});
  Block near;
  if (random_.one_in(2) || !to(chip, 2 + random_.between(0, 1), bytes, 1, near)) return words;
  assembler_.core(chip, c).sync().copy(engine, words, near);  // the same engine: in order
  return near;
}

void Corners::copies(unsigned chip, unsigned c) {
  auto& sync = assembler_.core(chip, c).sync();
  const CopyRegisters registers{sync.reg(), sync.reg(), sync.reg(), sync.reg()};
  for (unsigned i = 0; i < length() / 2; ++i) {
    const unsigned engine = (i + c) % args_.sizes.dma_engines;
    if (i % 3 == 0)
      cast(chip, c, engine, registers);
    else
      listed(chip, c, engine, registers);
  }
}

void Corners::cast(unsigned chip, unsigned c, unsigned engine, const CopyRegisters& registers) {
  const auto any = [&] {
    return defs::kEveryDtype[random_.between(0, defs::kEveryDtype.size() - 1)];
  };
  const Dtype from = any(), to = any();
  const bool indexed = random_.one_in(2);
  const unsigned rows = random_.between(1, indexed ? kMostRows : 3);
  const unsigned elements = 4 * random_.between(1, kMostElements / 4);
  Copy copy{.dst_chip = chip,
            .rows = rows,
            .src_bytes = elements * cmodel::element_bytes(static_cast<std::uint8_t>(from)),
            .dst_bytes = elements * cmodel::element_bytes(static_cast<std::uint8_t>(to))};
  copy.how.cast = {{from, to}};
  emit(chip, c, engine, copy, indexed, registers);
}

void Corners::listed(unsigned chip, unsigned c, unsigned engine, const CopyRegisters& registers) {
  const bool away = args_.chips > 1 && random_.one_in(3);
  const unsigned short_row = away ? 0 : random_.between(0, 7);
  const unsigned bytes = short_row == 1 || short_row == 2 ? short_row : 4 * random_.between(1, 80);
  const Copy copy{
      .dst_chip = away ? (chip + random_.between(1, args_.chips - 1)) % args_.chips : chip,
      .rows = random_.between(1, kMostRows),
      .src_bytes = bytes,
      .dst_bytes = bytes};
  emit(chip, c, engine, copy, true, registers);
}

void Corners::emit(unsigned chip, unsigned c, unsigned engine, Copy copy, bool indexed,
                   const CopyRegisters& registers) {
  auto& sync = assembler_.core(chip, c).sync();
  const bool gathers = indexed && random_.one_in(2), scatters = indexed && !gathers;
  const unsigned most = std::min(kMostRows, kHbmSource / std::max(copy.src_bytes, copy.dst_bytes));
  const unsigned bound = random_.between(1, most), rows = std::min(copy.rows, most);
  const unsigned dst_memory = random_.between(0, 3);
  const Block src = from(chip, random_.between(0, 3), copy.src_bytes, gathers ? bound : rows);
  Block dst;
  const unsigned dst_rows = scatters ? bound : rows;
  if (!to(copy.dst_chip, dst_memory, copy.dst_bytes, dst_rows, dst))
    to(copy.dst_chip, dst_memory % 2, copy.dst_bytes, dst_rows, dst);
  const bool away = copy.dst_chip != chip;
  const unsigned turns = random_.between(1, LooperWords::kMostTurns);
  cmodel::Rows how = copy.how;
  how.skip = indexed && !away && random_.one_in(2);
  if (indexed)
    (gathers ? how.gather : how.scatter) = indices(chip, c, engine, rows * turns, bound, how.skip);
  const bool combines = gathers && !how.cast && copy.src_bytes % 4 == 0 && random_.one_in(3);
  const unsigned vn = random_.between(1, defs::kVirtualNets - 1);
  if (random_.one_in(2)) {
    auto& dma = sync.copy(engine, src, dst, how);
    if (combines)
      dma.combine(random_.one_in(2) ? defs::Combine::Add : defs::Combine::Max, Dtype::Bf16,
                  from(chip, random_.between(0, 3), copy.src_bytes, rows));
    if (away) dma.vn(vn);
    return;
  }
  cmodel::Started more{.how = how, .vn = vn};
  // Rows are read ahead of older rows' writes: none may lie where another does.
  const bool apart =
      dst_rows == 1 || static_cast<std::uint64_t>(std::abs(dst.stride)) >= dst.row_bytes;
  if (combines && !away && apart) {
    more.combine = random_.one_in(2) ? defs::Combine::Add : defs::Combine::Max;
    more.dtype = random_.one_in(2) ? Dtype::Fp32 : Dtype::Int32;
    sync.copy(engine, from(chip, random_.between(0, 3), copy.src_bytes, rows), dst);
  }
  Block source = src, target = dst;
  if (random_.one_in(2)) source = moved(sync, more.src = registers.src, src);
  if (random_.one_in(2)) target = moved(sync, more.dst = registers.dst, dst);
  if (random_.one_in(2)) sync.set(more.rows = registers.rows, random_.between(1, rows));
  if (!indexed || random_.one_in(2)) {
    sync.start(engine, source, target, more);
    return;
  }
  sync.set(more.index = registers.index, 0);
  sync.loop(turns, [&] {
    sync.start(engine, source, target, more);
    sync.add(registers.index, 4 * rows);
  });
}

}  // namespace tb::corners
