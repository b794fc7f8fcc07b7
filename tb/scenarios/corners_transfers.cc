// SPDX-License-Identifier: Apache-2.0
// Random descriptors: DMA here and to every chip.

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "tb/scenarios/corners.h"

namespace tb::corners {

Block Corners::from(unsigned chip, unsigned memory, unsigned bytes, unsigned rows) {
  const unsigned grain = std::min(bytes, 4u);
  if (memory < 2) {
    const Block& noise = assembler_.find(chip, fmt::format("noise{}", memory));
    // Odd lines, bytes and directions.
    std::int64_t stride = bytes;
    const unsigned kind = random_.between(0, 3);
    if (kind == 1) stride = std::min<std::int64_t>(bytes + 36, kHbmSource / rows / 4 * 4);
    if (kind == 2) stride = 0;
    const std::int64_t span = std::int64_t{rows - 1} * stride + bytes;
    const auto room = static_cast<unsigned>(std::max<std::int64_t>(0, kHbmSource - span));
    const unsigned at = random_.one_in(3) ? 0 : random_.between(0, room / grain) * grain;
    if (kind == 3) return {chip, noise.addr + at + (rows - 1) * stride, bytes, rows, -stride};
    return {chip, noise.addr + at, bytes, rows, stride};
  }
  const unsigned at =
      random_.one_in(3) ? 0 : random_.between(0, (kSourceBytes - bytes) / grain) * grain;
  return placed({chip, 0, bytes, rows, sbuf_rows(at, rows)}, memory - 2);
}

std::int64_t Corners::sbuf_rows(unsigned at, unsigned rows) {
  sbuf_at_ = at;
  const unsigned kind = rows > 3 ? 2 : random_.between(0, 2);
  return kind == 0 ? defs::kSbufStride : kind == 1 ? -std::int64_t{defs::kSbufStride} : 0;
}

Block Corners::placed(Block block, unsigned core) {
  const unsigned first = random_.between(0, p_ - (block.stride ? block.rows : 1));
  block.addr = cmodel::sbuf_addr(core, block.stride < 0 ? first + block.rows - 1 : first, sbuf_at_);
  return block;
}

bool Corners::to(unsigned chip, unsigned memory, unsigned bytes, unsigned rows, Block& block) {
  if (memory < 2) {
    const unsigned kind = random_.between(0, 3);
    const std::int64_t stride = kind == 1 ? bytes + 20 : kind == 2 ? 0 : bytes;
    const Block space = assembler_.hbm(chip, memory, fmt::format("out{}", outs_++),
                                       static_cast<unsigned>((rows - 1) * stride) + bytes + 64);
    const std::uint64_t at = space.addr + (random_.one_in(2) ? 0 : random_.between(1, 15) * 4);
    block = {chip, at, bytes, rows, stride};
    if (kind == 3) block = {chip, at + (rows - 1) * stride, bytes, rows, -stride};
    return true;
  }
  unsigned& used = landing_[chip * defs::kCores + memory - 2];
  if (used + bytes > kLandingBytes) return false;
  block = {chip, 0, bytes, rows, sbuf_rows(kLandingAt + used, rows)};
  block = placed(block, memory - 2);
  used += cmodel::round_up(bytes, 4);
  return true;
}

Corners::Rows Corners::rows(unsigned chip, unsigned dst_chip, unsigned bytes, unsigned rows,
                            unsigned src_memory, unsigned dst_memory) {
  Rows out{.src = from(chip, src_memory, bytes, rows), .dst = {}};
  if (!to(dst_chip, dst_memory, bytes, rows, out.dst))
    to(dst_chip, dst_memory % 2, bytes, rows, out.dst);
  return out;
}

unsigned Corners::row_bytes(unsigned size) {
  switch (size % 6) {
    case 0:
      return 4;
    case 1:
      return random_.between(2, 10) * 4;
    case 2:
      return random_.between(11, 16) * 4;
    case 3:
      return random_.between(17, 255) * 4;
    case 4:
      return defs::kPacketBytes;
    default:
      return random_.between(257, 600) * 4;
  }
}

void Corners::transfers(unsigned chip, unsigned c) {
  auto& core = assembler_.core(chip, c);
  Counter sync(assembler_, chip, c);
  std::vector<Counter> counters;
  for (unsigned e = 0; e < args_.sizes.dma_engines; ++e) counters.emplace_back(assembler_, chip, c);
  unsigned turn = chip * 7 + c * 3;
  const auto move = [&](unsigned dst_chip, unsigned vn, bool notify, unsigned size) {
    ++turn;
    const unsigned engine = turn % args_.sizes.dma_engines;
    unsigned rows = random_.one_in(2) ? 1 : random_.between(2, 3);
    unsigned bytes = row_bytes(size);
    unsigned src_memory = random_.between(0, 3), dst_memory = random_.between(0, 3);
    if (random_.one_in(32)) {  // many short rows
      rows = random_.between(4, 1u << random_.between(3, 10));
      bytes = 4;
    } else if (random_.one_in(16)) {  // a long one
      rows = 1;
      bytes = random_.between(1, kHbmSource / 4) * 4;
      src_memory %= 2;
      dst_memory %= 2;
    }
    const auto [src, dst] = this->rows(chip, dst_chip, bytes, rows, src_memory, dst_memory);
    sync.wait(core.sync(), random_);
    if (random_.one_in(4)) {
      cmodel::Started more;
      if (dst_chip != chip) more.vn = vn;
      if (dst_chip != chip && notify)
        more.notify = assembler_.core(dst_chip, random_.between(0, 1)).semaphore("notified");
      core.sync().start(engine, src, dst, more);
      counters[engine].signal(core.sync(), random_);
      return;
    }
    auto& dma = core.sync().copy(engine, src, dst);
    sync.signal(core.sync(), random_);
    if (random_.one_in(6)) core.sync().nop();
    counters[engine].signal(dma, random_);
    if (dst_chip == chip) return;
    dma.vn(vn);
    if (notify) dma.notify(assembler_.core(dst_chip, random_.between(0, 1)).semaphore("notified"));
  };
  for (unsigned other = 0; other < defs::kCores; ++other)
    core.sync().wait_ge(filled_[chip * defs::kCores + other], fills());
  // Every chip on every network, with and without notification, sizes in turn.
  unsigned size = chip + 3 * c;
  for (unsigned away = 1; away < args_.chips; ++away)
    for (unsigned vn = 1; vn < defs::kVirtualNets; ++vn)
      if ((away + vn + c) % 2 == 0 || args_.chips < 4 || length() >= kDefaultLength)
        move((chip + away) % args_.chips, vn, (size + c) % 2, size), ++size;
  for (unsigned i = 0; i < length(); ++i) move(chip, 0, false, size++);
}

void Corners::short_rows(unsigned chip, unsigned c) {
  for (unsigned i = 0; i < length() / 8; ++i) {
    const unsigned bytes = random_.between(1, 2), n = random_.between(1, 24);
    const unsigned src_memory = random_.between(0, 3), dst_memory = random_.between(0, 3);
    const auto [src, dst] = rows(chip, chip, bytes, n, src_memory, dst_memory);
    assembler_.core(chip, c).sync().copy(i % args_.sizes.dma_engines, src, dst);
  }
}

void Corners::combined(unsigned chip, unsigned c) {
  constexpr std::array kOps{defs::Combine::Add, defs::Combine::Max};
  constexpr std::array kFormats{Dtype::Fp32, Dtype::Bf16, Dtype::Int32};
  for (unsigned i = 0; i < length() / 4; ++i) {
    const unsigned dst_chip = args_.chips > 1 && random_.one_in(3)
                                  ? (chip + random_.between(1, args_.chips - 1)) % args_.chips
                                  : chip;
    const unsigned n = random_.between(1, 3), bytes = row_bytes(i);
    const unsigned src_memory = random_.between(0, 3), dst_memory = random_.between(0, 3);
    auto [src, dst] = rows(chip, dst_chip, bytes, n, src_memory, dst_memory);
    Block second = from(chip, random_.between(0, 3), bytes, n);
    if (dst_chip == chip && random_.one_in(4)) {  // onto what is there
      std::vector<std::uint8_t> there(std::size_t{bytes} * n);
      for (auto& byte : there) byte = static_cast<std::uint8_t>(random_.word());
      dst = second = assembler_.data(chip, random_.between(0, 1), fmt::format("out{}", outs_++),
                                     bytes, n, there);
    }
    const auto op = kOps[random_.between(0, kOps.size() - 1)];
    const auto dtype = kFormats[random_.between(0, kFormats.size() - 1)];
    auto& dma = assembler_.core(chip, c)
                    .sync()
                    .copy((i + c) % args_.sizes.dma_engines, src, dst)
                    .combine(op, dtype, second);
    if (dst_chip != chip) dma.vn(random_.between(1, defs::kVirtualNets - 1));
  }
}

}  // namespace tb::corners
