// SPDX-License-Identifier: Apache-2.0
// Every kind of legal instruction and descriptor in random shapes: the corners that useful programs
// leave out. RTL and golden model must agree; that is the judgement.
//
//   sources   SBUF [0, 4 KiB), filled by DMA, read-only afterwards: bf16, then bytes that are
//             numbers in the narrow formats too
//   tensor    banks 0 .. 3, then 4 .. 7       (signals in between)
//   vector, activation engine                 from sources and finished banks, each to its own area
//   DMA       from sources and HBM, here and to every chip on every network, to places of its own
//
// Nobody reads what somebody else may still write, so one legal order is as good as another.
// Everything lies scattered over the 32 GiB of HBM; behind the END of a stream there is rubbish,
// which may be fetched and must not matter. Each stream also counts on two semaphores of its own,
// one in each core, up and down and in waits. `length`: instructions per engine (48).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>

#include "cmodel/machine/address_map.h"
#include "cmodel/program/assembler.h"
#include "tb/scenarios/numbers.h"
#include "tb/scenarios/scenario.h"

namespace tb {
namespace {

using cmodel::Assembler;
using cmodel::Block;
using cmodel::Semaphore;
using cmodel::Tile;
using defs::Dtype;
using defs::Space;

constexpr unsigned kSourceBytes = 4096, kVectorAt = 4096, kActAt = 5632, kLandingAt = 7168,
                   kEngineBytes = 1536, kLandingBytes = 1024;
constexpr unsigned kDefaultLength = 48;
constexpr unsigned kFillRows = 4, kFillTimes = 4;  ///< the same bytes four times: loading is slow
constexpr unsigned kFillKinds = 2;                 ///< bf16, narrow formats
constexpr unsigned kFillBytes = kSourceBytes / kFillKinds / kFillTimes;
constexpr unsigned kNarrowAt = kSourceBytes / kFillKinds;
constexpr unsigned kHbmSource = 8192;
constexpr unsigned kMostRubbish = 512;  ///< words behind the end of a stream

/// Formats of the tensor engine: narrow floats go with each other, the others with their like.
constexpr std::array kNarrowFloats{Dtype::Bf16, Dtype::Fp16, Dtype::Fp8E5M2, Dtype::Fp8E4M3,
                                   Dtype::Fp8E3M4};
constexpr std::array kTensorFormats{Dtype::Bf16,    Dtype::Fp16, Dtype::Fp8E5M2, Dtype::Fp8E4M3,
                                    Dtype::Fp8E3M4, Dtype::Tf32, Dtype::Fp32,    Dtype::Int8};

/// Two semaphores that only one stream or DMA engine touches: their values are known.
struct Counter {
  std::array<Semaphore, 2> semaphore;  ///< own core, other core
  std::array<unsigned, 2> value{};

  Counter(Assembler& assembler, unsigned chip, unsigned core)
      : semaphore{assembler.core(chip, core).semaphore(),
                  assembler.core(chip, 1 - core).semaphore()} {}

  template <class Stream>
  void wait(Stream& stream, Random& random) {
    const unsigned which = random.between(0, 1);
    if (random.one_in(3)) {
      stream.wait_ge(semaphore[which], random.between(0, value[which]));
    } else if (random.one_in(3)) {
      stream.wait_eq(semaphore[which], value[which]);
    }
  }
  template <class Stream>
  void signal(Stream& stream, Random& random) {
    const unsigned which = random.between(0, 1);
    if (random.one_in(3)) return;
    int delta = 0;
    if (value[which] && random.one_in(2))
      delta = -static_cast<int>(random.between(1, std::min(value[which], 0x8000u)));
    else if (value[which] < 0xffff)
      delta = static_cast<int>(random.between(1, std::min(0x7fffu, 0xffffu - value[which])));
    if (delta == 0) return;
    stream.signal(semaphore[which], delta);
    value[which] += delta;
  }
};

class Corners {
 public:
  explicit Corners(const ScenarioArgs& args)
      : args_(args),
        p_(args.sizes.partitions),
        random_(args.seed, "corners"),
        assembler_(args.sizes, args.chips),
        landing_(std::size_t{args.chips} * defs::kCores, 0),
        holes_(args.seed, "corners holes") {
    // The first block of a stack lies anywhere in its first 15 GiB; later ones a bit, or far
    // behind.
    assembler_.scatter([this, first = std::set<std::pair<unsigned, unsigned>>()](
                           unsigned chip, unsigned stack) mutable {
      if (first.emplace(chip, stack).second) return holes_.word() % (std::uint64_t{15} << 30);
      const unsigned bits = holes_.between(1, holes_.one_in(8) ? 25 : 12);
      return kMostRubbish * defs::kInstrBytes + (holes_.word() >> (64 - bits));
    });
    assembler_.streams_in([this](unsigned, unsigned) { return holes_.between(0, 1); });
    for (unsigned chip = 0; chip < args.chips; ++chip)
      for (unsigned core = 0; core < defs::kCores; ++core)
        for (unsigned unused = holes_.between(0, 127); unused > 0; --unused)
          assembler_.core(chip, core).semaphore();
  }

  cmodel::Program build() {
    for (unsigned chip = 0; chip < args_.chips; ++chip) sources(chip);
    for (unsigned chip = 0; chip < args_.chips; ++chip)
      for (unsigned core = 0; core < defs::kCores; ++core) filled_.push_back(fill(chip, core));
    for (unsigned chip = 0; chip < args_.chips; ++chip)
      for (unsigned core = 0; core < defs::kCores; ++core) {
        compute(chip, core, filled_[chip * defs::kCores + core]);
        transfers(chip, core);
      }
    for (unsigned chip = 0; chip < args_.chips; ++chip) last_copy(chip);
    cmodel::Program program = assembler_.assemble();
    for (auto& stream : program.streams) rubbish_behind(program, stream, random_.between(0, 6));
    for (auto& ring : program.rings) rubbish_behind(program, ring, random_.between(0, 4));
    rubbish_behind(program, program.streams[random_.between(0, program.streams.size() - 1)], 8);
    return program;
  }

 private:
  unsigned length() const { return args_.length ? args_.length : kDefaultLength; }

  unsigned fills() const { return p_ / kFillRows * kFillTimes * kFillKinds; }

  /// Up to 2^bits words that nobody executes, as if the stream or ring were longer.
  template <class Stream>
  void rubbish_behind(cmodel::Program& program, Stream& stream, unsigned bits) {
    const auto segment = std::ranges::find_if(program.segments, [&](const auto& s) {
      return s.chip == stream.chip && s.addr == stream.base;
    });
    const unsigned words = random_.between(1u << bits >> 1, 1u << bits);
    for (unsigned byte = 0; byte < words * defs::kInstrBytes; ++byte)
      segment->bytes.push_back(static_cast<std::uint8_t>(random_.word()));
    stream.count += words;
  }

  /// Two bytes, each of them an ordinary number in fp8 and int8, together in fp16; four in fp32.
  std::uint16_t narrow() { return static_cast<std::uint16_t>((random_.word() & 0xbfbf) ^ 0x2020); }

  void sources(unsigned chip) {
    for (unsigned core = 0; core < defs::kCores; ++core) {
      for (unsigned kind = 0; kind < kFillKinds; ++kind) {
        std::vector<std::uint16_t> values(std::size_t{p_} * kFillBytes / 2);
        for (auto& v : values)
          v = random_.one_in(48) ? static_cast<std::uint16_t>(random_.word())
              : kind == 0        ? random_.bf16()
                                 : narrow();
        assembler_.data(chip, core, fmt::format("fill{}.{}", core, kind), kFillBytes, p_,
                        bytes_of(values));
      }
      std::vector<std::uint16_t> noise(kHbmSource / 2);
      for (auto& v : noise) v = static_cast<std::uint16_t>(random_.word());
      assembler_.data(chip, core, fmt::format("noise{}", core), kHbmSource, 1, bytes_of(noise));
    }
  }

  /// Fills the sources of one core; both cores may read them when the semaphores are full.
  Semaphore fill(unsigned chip, unsigned c) {
    auto& core = assembler_.core(chip, c);
    const Semaphore done = core.semaphore();
    for (unsigned row = 0; row < p_; row += kFillRows)
      for (unsigned part = 0; part < kFillKinds * kFillTimes; ++part) {
        const Block& data = assembler_.find(chip, fmt::format("fill{}.{}", c, part / kFillTimes));
        const Block to{chip, cmodel::sbuf_addr(c, row, part * kFillBytes), kFillBytes, kFillRows,
                       defs::kSbufStride};
        core.sync()
            .copy(row / kFillRows % args_.sizes.dma_engines, data.row_range(row, kFillRows), to)
            .signal(done);
      }
    return done;
  }

  /// A legal pair of count and start.
  unsigned partitions() {
    switch (random_.between(0, 4)) {
      case 0:
        return 1;
      case 1:
        return random_.between(2, p_ / 4);
      case 2:
        return random_.between(p_ / 4 + 1, p_ / 2);
      case 3:
        return random_.between(p_ / 2 + 1, p_ - 1);
      default:
        return p_;
    }
  }
  unsigned start(unsigned n) {
    if (n > p_ / 2) return 0;
    if (n > p_ / 4) return p_ / 2 * random_.between(0, 1);
    return p_ / 4 * random_.between(0, 3);
  }

  /// Loops of at most `most` elements, outermost first.
  std::array<unsigned, 4> loops(unsigned most) {
    std::array<unsigned, 4> size{1, 1, 1, 1};
    const unsigned dims = random_.between(1, 4);
    for (unsigned d = 0; d < dims; ++d) {
      const unsigned limit = most;
      size[3 - d] = d == 0 ? random_.between(1, std::min(limit, random_.one_in(4) ? 40u : 9u))
                           : random_.between(1, std::min(limit, 4u));
      most = std::max(1u, most / size[3 - d]);
    }
    return size;
  }

  /// An operand of that shape inside [at, at + bytes) of a buffer, strides of all kinds.
  Tile tile(unsigned chip, unsigned core, Space space, Dtype dtype, unsigned n,
            const std::array<unsigned, 4>& size, unsigned at, unsigned bytes) {
    Tile t{chip, core, space, dtype, start(n), n, 0, size, {}};
    const int width = static_cast<int>(cmodel::element_bytes(dtype));
    for (unsigned attempt = 0;; ++attempt) {
      int dense = 1;
      int low = 0, high = 0;
      for (int d = 3; d >= 0; --d) {
        int stride = dense;
        const unsigned kind = random_.between(0, 5);
        if (attempt < 8) {
          if (kind == 1) stride = dense + static_cast<int>(random_.between(1, 3));
          if (kind == 2) stride = -dense;
          if (kind == 3) stride = 0;
          if (kind == 4) stride = static_cast<int>(random_.between(0, bytes / width / size[d]));
        } else if (attempt > 8) {
          stride = 0;  // too much for any other
        }
        if (size[d] == 1) stride = 0;
        t.stride[d] = stride;
        const int span = stride * static_cast<int>(size[d] - 1) * width;
        (span < 0 ? low : high) += span;
        dense *= static_cast<int>(size[d]);
      }
      const int room = static_cast<int>(bytes) - (high - low + width);
      if (room < 0) continue;
      t.offset =
          at + static_cast<unsigned>(-low) +
          random_.between(0, static_cast<unsigned>(room / width)) * static_cast<unsigned>(width);
      return t;
    }
  }

  /// Now and then thousands of elements in one dimension, the same ones again and again.
  std::array<unsigned, 4> lane_loops() {
    auto size = loops(64);
    if (random_.one_in(24)) {
      size = {1, 1, 1, 1};
      size[random_.between(0, 3)] = random_.between(65, 1u << random_.between(7, 12));
    }
    return size;
  }

  Tile source(unsigned chip, unsigned core, unsigned n, const std::array<unsigned, 4>& size,
              unsigned banks) {
    if (random_.one_in(3) && banks) {
      const unsigned bank = random_.between(0, banks - 1), bytes = args_.sizes.psum_cols * 4;
      return tile(chip, core, Space::Psum, Dtype::Fp32, n, size, bank * bytes, bytes);
    }
    return tile(chip, core, Space::Sbuf, random_.one_in(2) ? Dtype::Fp32 : Dtype::Bf16, n, size, 0,
                kSourceBytes);
  }

  void compute(unsigned chip, unsigned c, Semaphore filled) {
    auto& core = assembler_.core(chip, c);
    const std::array summed{core.semaphore(), core.semaphore()};
    const unsigned half = args_.sizes.psum_banks / 2, bank_bytes = args_.sizes.psum_cols * 4;

    Counter tensor(assembler_, chip, c);
    core.tensor().wait_ge(filled, fills());
    const auto operand = [&](Dtype dtype, unsigned n, const std::array<unsigned, 4>& size) {
      const bool wide = dtype == Dtype::Bf16;
      return tile(chip, c, Space::Sbuf, dtype, n, size, wide ? 0 : kNarrowAt,
                  wide ? kNarrowAt : kSourceBytes - kNarrowAt);
    };
    for (unsigned round = 0; round < 2; ++round) {
      // Every word of the banks is written once, so that the others find no stale bits.
      Tile weights = operand(Dtype::Bf16, p_, {1, 1, 1, p_});
      core.tensor().load_stationary(weights);
      for (unsigned bank = round * half; bank < (round + 1) * half; ++bank)
        core.tensor().multiply_moving(operand(Dtype::Bf16, p_, {1, 1, 1, args_.sizes.psum_cols}),
                                      core.psum(bank, p_, args_.sizes.psum_cols));
      for (unsigned i = 0; i < length() / 4; ++i) {
        const unsigned k = partitions();
        auto m = loops(p_);
        if (random_.one_in(4)) m = {1, 1, 1, p_};
        tensor.wait(core.tensor(), random_);
        const Dtype stationary = kTensorFormats[random_.between(0, kTensorFormats.size() - 1)];
        weights = operand(stationary, k, m);
        core.tensor().load_stationary(weights);
        tensor.signal(core.tensor(), random_);
        for (unsigned again = random_.between(1, 3); again > 0; --again) {
          const auto n = loops(args_.sizes.psum_cols);
          const bool is_narrow = std::ranges::count(kNarrowFloats, stationary) > 0;
          Tile moving = operand(
              is_narrow ? kNarrowFloats[random_.between(0, kNarrowFloats.size() - 1)] : stationary,
              k, n);
          moving.partition = weights.partition;
          const unsigned bank = round * half + random_.between(0, half - 1);
          Tile sums =
              tile(chip, c, Space::Psum, stationary == Dtype::Int8 ? Dtype::Int32 : Dtype::Fp32,
                   weights.elements(), n, bank * bank_bytes, bank_bytes);
          sums.partition = 0;
          tensor.wait(core.tensor(), random_);
          core.tensor().multiply_moving(moving, sums, random_.one_in(2));
          tensor.signal(core.tensor(), random_);
        }
        if (random_.one_in(8)) core.tensor().nop();
      }
      core.tensor().signal(summed[round]);
    }

    Counter vector(assembler_, chip, c), act(assembler_, chip, c);
    core.vector().wait_ge(filled, fills());
    core.act().wait_ge(filled, fills());
    for (unsigned i = 0; i < length(); ++i) {
      if (i == length() / 4) {
        core.vector().wait_ge(summed[0], 1);
        core.act().wait_ge(summed[0], 1);
      }
      if (i == length() / 4 * 3) {
        core.vector().wait_ge(summed[1], 1);
        core.act().wait_ge(summed[1], 1);
      }
      const unsigned banks = i < length() / 4 ? 0 : i < length() / 4 * 3 ? half : 2 * half;
      const auto result = [&] { return random_.one_in(2) ? Dtype::Fp32 : Dtype::Bf16; };
      {
        vector.wait(core.vector(), random_);
        const unsigned n = partitions();
        const auto size = lane_loops();
        const unsigned kind = random_.between(0, 4);
        const auto func = defs::kEveryAluOp[random_.between(0, 2)];
        if (kind == 4) {
          core.vector().nop();
        } else if (kind == 3) {
          Tile outer = tile(chip, c, Space::Sbuf, result(), n, {size[0], size[1], size[2], 1},
                            kVectorAt, kEngineBytes);
          // reduce() takes the destination without the innermost dimension.
          outer.size = {1, outer.size[0], outer.size[1], outer.size[2]};
          outer.stride = {0, outer.stride[0], outer.stride[1], outer.stride[2]};
          core.vector().reduce(func == defs::AluOp::Sub ? defs::AluOp::Add : func,
                               source(chip, c, n, size, banks), outer);
        } else {
          const Tile a = source(chip, c, n, size, banks), b = source(chip, c, n, size, banks);
          const Tile to = tile(chip, c, Space::Sbuf, result(), n, size, kVectorAt, kEngineBytes);
          if (kind == 0)
            core.vector().copy(a, to);
          else
            core.vector().tensor_tensor(func, a, b, to);
        }
        vector.signal(core.vector(), random_);
      }
      {
        act.wait(core.act(), random_);
        const unsigned n = partitions();
        const auto size = lane_loops();
        const Tile a = source(chip, c, n, size, banks);
        const Tile to = tile(chip, c, Space::Sbuf, result(), n, size, kActAt, kEngineBytes);
        const auto func = defs::kEveryActFunc[random_.between(0, 1)];
        if (random_.one_in(10))
          core.act().nop();
        else if (random_.one_in(2))
          core.act().activate(func, a, to);
        else
          core.act().activate(
              func, a, tile(chip, c, Space::Sbuf, Dtype::Fp32, n, {1, 1, 1, 1}, 0, kSourceBytes),
              to);
        act.signal(core.act(), random_);
      }
    }
  }

  // --- DMA

  /// Rows inside a memory that nobody writes any more.
  Block from(unsigned chip, unsigned memory, unsigned bytes, unsigned rows) {
    if (memory < 2) {
      const Block& noise = assembler_.find(chip, fmt::format("noise{}", memory));
      // Odd lines, bytes and directions.
      std::int64_t stride = bytes;
      const unsigned kind = random_.between(0, 3);
      if (kind == 1) stride = std::min<std::int64_t>(bytes + 36, kHbmSource / rows / 4 * 4);
      if (kind == 2) stride = 0;
      const std::int64_t span = std::int64_t{rows - 1} * stride + bytes;
      const auto room = static_cast<unsigned>(std::max<std::int64_t>(0, kHbmSource - span));
      const unsigned at = random_.one_in(3) ? 0 : random_.between(0, room / 4) * 4;
      if (kind == 3) return {chip, noise.addr + at + (rows - 1) * stride, bytes, rows, -stride};
      return {chip, noise.addr + at, bytes, rows, stride};
    }
    const unsigned at = random_.one_in(3) ? 0 : random_.between(0, (kSourceBytes - bytes) / 4) * 4;
    return {chip, 0, bytes, rows, sbuf_rows(at, rows)};
  }
  /// For SBUF the row step is whole partitions; the address is set by the caller.
  std::int64_t sbuf_rows(unsigned at, unsigned rows) {
    sbuf_at_ = at;
    const unsigned kind = rows > 3 ? 2 : random_.between(0, 2);
    return kind == 0 ? defs::kSbufStride : kind == 1 ? -std::int64_t{defs::kSbufStride} : 0;
  }
  Block placed(Block block, unsigned core) {
    const unsigned first = random_.between(0, p_ - (block.stride ? block.rows : 1));
    block.addr =
        cmodel::sbuf_addr(core, block.stride < 0 ? first + block.rows - 1 : first, sbuf_at_);
    return block;
  }

  /// Rows that nobody else writes. False if SBUF has no more room for them.
  bool to(unsigned chip, unsigned memory, unsigned bytes, unsigned rows, Block& block) {
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
    used += bytes;
    return true;
  }

  unsigned row_bytes(unsigned size) {
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

  void transfers(unsigned chip, unsigned c) {
    auto& core = assembler_.core(chip, c);
    Counter sync(assembler_, chip, c);
    std::vector<Counter> counters;
    for (unsigned e = 0; e < args_.sizes.dma_engines; ++e)
      counters.emplace_back(assembler_, chip, c);
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
      Block src = from(chip, src_memory, bytes, rows), dst;
      if (src_memory >= 2) src = placed(src, src_memory - 2);
      if (!to(dst_chip, dst_memory, bytes, rows, dst))
        to(dst_chip, dst_memory % 2, bytes, rows, dst);
      sync.wait(core.sync(), random_);
      auto& dma = core.sync().copy(engine, src, dst);
      sync.signal(core.sync(), random_);
      if (random_.one_in(6)) core.sync().nop();
      counters[engine].signal(dma, random_);
      if (dst_chip == chip) return;
      dma.vn(vn);
      if (notify) dma.notify(assembler_.core(dst_chip, random_.between(0, 1)).semaphore());
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

  /// Something for the host to read: HBM bytes that went to the next chip and are judged there.
  void last_copy(unsigned chip) {
    const unsigned next = (chip + 1) % args_.chips;
    const Block out = assembler_.hbm(next, 0, fmt::format("judged{}", chip), 1024);
    auto& core = assembler_.core(chip, 0);
    const Semaphore there = assembler_.core(next, 0).semaphore();
    auto& dma = core.sync().copy(0, assembler_.find(chip, "noise0").byte_range(0, 1024), out);
    if (next == chip)
      dma.signal(there);
    else
      dma.notify(there);
    assembler_.core(next, 0).act().wait_ge(there, 1).nop();
    assembler_.region(fmt::format("judged{}", chip), out);
  }

  const ScenarioArgs& args_;
  unsigned p_;
  Random random_;
  Assembler assembler_;
  std::vector<unsigned> landing_;
  Random holes_;
  std::vector<Semaphore> filled_;  ///< by {chip, core}: the sources are there
  unsigned outs_ = 0, sbuf_at_ = 0;
};

cmodel::Program build(const ScenarioArgs& args) {
  if (args.sizes.sbuf_bytes < kLandingAt + kLandingBytes)
    throw std::runtime_error("SBUF too small");
  return Corners(args).build();
}

ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program,
                     RegionBytes regions) {
  ScenarioResult result;
  for (unsigned chip = 0; chip < args.chips; ++chip) {
    const auto& bytes = region_bytes(program, regions, fmt::format("judged{}", chip));
    // Behind what fills core 0's SBUF the first noise of a chip was placed.
    unsigned fills_left = kFillKinds;
    for (const auto& segment : program.segments) {
      if (segment.chip != chip || fills_left-- > 0) continue;
      if (!std::equal(bytes.begin(), bytes.end(), segment.bytes.begin()))
        result.failure = fmt::format("chip {}: bytes sent to the next chip changed", chip);
      break;
    }
  }
  result.metrics["instructions_per_engine"] = args.length ? args.length : kDefaultLength;
  result.passed = result.failure.empty();
  return result;
}

}  // namespace

extern const Scenario kCorners{
    "corners", "random legal instructions and descriptors of every kind (length: per engine)",
    build, check};

}  // namespace tb
