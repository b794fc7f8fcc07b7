// SPDX-License-Identifier: Apache-2.0
// Every kind of legal instruction and descriptor in random shapes: the corners that useful programs
// leave out. RTL and golden model must agree; that is the judgement.
//
//   sources   SBUF [0, 4 KiB), filled by DMA, read-only afterwards: bf16, then bytes that are
//             numbers in the narrow formats too
//   tensor    banks 0 .. 3, then 4 .. 7       (signals in between)
//   vector, activation engine                 from sources and finished banks, each to its own area
//   DMA       from sources and HBM, here and to every chip on every network, to places of its own;
//             by lists of indices, with casts, by descriptors of rings and out of instructions
//   loops     of every engine, by themselves and then in turn, handing a token on
//   (corners_loops.cc)
//
// Nobody reads what somebody else may still write, so one legal order is as good as another.
// Everything lies scattered over the 32 GiB of HBM; behind the END of a stream there is rubbish,
// which may be fetched and must not matter. Each stream also counts on two semaphores of its own,
// one in each core, up and down and in waits. `length`: instructions per engine (48).
#include "tb/scenarios/corners.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <stdexcept>

namespace tb {
namespace corners {

Corners::Corners(const ScenarioArgs& args)
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

cmodel::Program Corners::build() {
  for (unsigned chip = 0; chip < args_.chips; ++chip) sources(chip);
  for (unsigned chip = 0; chip < args_.chips; ++chip)
    for (unsigned core = 0; core < defs::kCores; ++core) filled_.push_back(fill(chip, core));
  for (unsigned chip = 0; chip < args_.chips; ++chip)
    for (unsigned core = 0; core < defs::kCores; ++core) {
      compute(chip, core, filled_[chip * defs::kCores + core]);
      transfers(chip, core);
    }
  for (unsigned chip = 0; chip < args_.chips; ++chip)
    for (unsigned core = 0; core < defs::kCores; ++core) {
      short_rows(chip, core);
      combined(chip, core);
      copies(chip, core);
      loops(chip, core);
    }
  for (unsigned chip = 0; chip < args_.chips; ++chip) last_copy(chip);
  cmodel::Program program = assembler_.assemble();
  for (auto& stream : program.streams) rubbish_behind(program, stream, random_.between(0, 6));
  for (auto& ring : program.rings) rubbish_behind(program, ring, random_.between(0, 4));
  rubbish_behind(program, program.streams[random_.between(0, program.streams.size() - 1)], 8);
  return program;
}

void Corners::sources(unsigned chip) {
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

Semaphore Corners::fill(unsigned chip, unsigned c) {
  auto& core = assembler_.core(chip, c);
  const Semaphore done = core.semaphore("filled");
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

void Corners::last_copy(unsigned chip) {
  const unsigned next = (chip + 1) % args_.chips;
  const Block out = assembler_.hbm(next, 0, fmt::format("judged{}", chip), 1024);
  auto& core = assembler_.core(chip, 0);
  const Semaphore there = assembler_.core(next, 0).semaphore("judged");
  auto& dma = core.sync().copy(0, assembler_.find(chip, "noise0").byte_range(0, 1024), out);
  if (next == chip)
    dma.signal(there);
  else
    dma.notify(there);
  assembler_.core(next, 0).act().wait_ge(there, 1).nop();
  assembler_.region(fmt::format("judged{}", chip), out);
}

}  // namespace corners

namespace {

using namespace corners;

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
    .name = "corners",
    .doc = "random legal instructions and descriptors of every kind (length: per engine)",
    .build = build,
    .check = check,
    .has_length = true};

}  // namespace tb
