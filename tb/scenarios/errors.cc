// SPDX-License-Identifier: Apache-2.0
// Engines that stop: one illegal instruction or descriptor per engine of the board, every cause in
// turn. The rest of the board goes on; RTL and golden model must agree on who stops, where and why.
//
//   One DMA engine fills SBUF; then tensor, vector, activation engine and the other DMA engines
//   work on data of their own, and each meets its illegal one at a random place. Nobody waits for
//   them. Every cause gets its turn; in another turn the bits are noise.
#include <fmt/format.h>

#include <array>
#include <cstring>

#include "cmodel/assembler.h"
#include "tb/scenarios/numbers.h"
#include "tb/scenarios/scenario.h"

namespace tb {
namespace {

using cmodel::Assembler;
using cmodel::Semaphore;
using cmodel::Tile;
using defs::Dtype;
using defs::ErrorCause;
using defs::Instr;

constexpr unsigned kWork = 6;  ///< instructions per engine, and descriptors
constexpr unsigned kBytes = 256;
constexpr unsigned kHoleBits = 28;  ///< up to 256 MiB between any two blocks of a stack

constexpr ErrorCause kNoise = ErrorCause::None;  ///< whatever comes out

constexpr std::array kComputeCauses{ErrorCause::UnknownOpcode,     ErrorCause::ReservedBits,
                                    ErrorCause::BadOperand,        ErrorCause::BadFormat,
                                    ErrorCause::BadPartition,      ErrorCause::BadShape,
                                    ErrorCause::OutOfBounds,       ErrorCause::Misaligned,
                                    ErrorCause::SemaphoreOverflow, kNoise};
constexpr std::array kSyncCauses{ErrorCause::UnknownOpcode, ErrorCause::ReservedBits,
                                 ErrorCause::SemaphoreOverflow, ErrorCause::QueueOverflow, kNoise};
constexpr std::array kDmaCauses{ErrorCause::ReservedBits,
                                ErrorCause::Misaligned,
                                ErrorCause::UnmappedAddress,
                                ErrorCause::BadDescriptor,
                                ErrorCause::BadDestination,
                                ErrorCause::SemaphoreOverflow,
                                kNoise};

/// Any bits, but none of them legal.
template <class Item>
Item noise(Random& random) {
  typename Item::Words words;
  for (auto& word : words) word = static_cast<typename Item::Words::value_type>(random.word());
  Item item = Item::from(words);
  item.reserved |= 1;
  return item;
}

/// Every field that the rule looks at gets its turn.
void spoil(Instr& i, ErrorCause cause, defs::Engine engine, const defs::Sizes& sizes,
           Random& random) {
  const bool sync = engine == defs::Engine::Sync;
  const unsigned which = random.between(0, 5);
  defs::Operand& operand = i.dst.space && random.one_in(2)    ? i.dst
                           : i.src1.space && random.one_in(2) ? i.src1
                                                              : i.src0;
  switch (cause) {
    case ErrorCause::UnknownOpcode: {
      constexpr std::array<std::uint8_t, 6> kOthers{0x7f, 0x02, 0x12, 0x23, 0x31, 0x41};
      i.opcode = kOthers[which];
      if (engine == defs::Engine::Vector && which == 0) i.func = 9;
      break;
    }
    case ErrorCause::ReservedBits:
      if (which == 0) i.reserved = 1u << random.between(0, 9);
      if (which == 1) i.wait_op = 3;
      if (which == 2 && !sync) i.imm = 1u << random.between(0, 23);
      if (which == 2 && sync) i.partitions = 1;
      if (which == 3 && !sync) operand.reserved = 1;
      if (which == 3 && sync) i.size0 = 1;
      if (which == 4 && !sync) operand.stride3 = 5;
      if (which == 4 && sync) i.src0.offset = 4;
      if (which == 5) i.reserved = 0x3ff;
      break;
    case ErrorCause::BadOperand:
      if (which % 2) {
        i.dst = {};
        i.dst.space = engine == defs::Engine::Tensor ? 1 : 2;
      } else {
        i.src0.space = 3;
      }
      if (engine == defs::Engine::Tensor && !i.dst.space) i.src0.space = 2;
      break;
    case ErrorCause::BadFormat:
      operand.dtype = static_cast<std::uint8_t>(random.between(6, 15));
      break;
    case ErrorCause::BadPartition:
      if (which % 2)
        i.partitions = static_cast<std::uint8_t>(which == 1 ? 0 : sizes.partitions + 1);
      else
        i.src0.partition = static_cast<std::uint8_t>(which == 0 ? sizes.partitions : 1);
      break;
    case ErrorCause::BadShape:
      (which % 2 ? i.size0 : i.size1) = 0;
      break;
    case ErrorCause::Misaligned:
      operand.offset += 1;
      break;
    case ErrorCause::OutOfBounds:
      operand.offset = which % 2 ? 0xfffffc : 0x40000;
      break;
    case ErrorCause::SemaphoreOverflow:
      i.update = 1;
      i.update_sem = static_cast<std::uint16_t>(200 + random.between(0, 50));
      i.update_delta = -1;
      break;
    case ErrorCause::QueueOverflow:
      i.imm = 200u << 16 | 1;
      break;
    case kNoise: {
      const auto legal = i.opcode;
      i = noise<Instr>(random);
      if (which % 2) i.opcode = legal;
      i.wait_op = 0;  // for a semaphore that nobody would count
      break;
    }
    default:
      break;
  }
}

void spoil(defs::Descriptor& d, ErrorCause cause, Random& random) {
  const unsigned which = random.between(0, 4);
  switch (cause) {
    case ErrorCause::ReservedBits:
      if (which == 0) d.reserved_hi = 1;
      if (which == 1) d.reserved_mid = 1ull << 63;
      if (which == 2) d.reserved = 2;
      if (which == 3) d.reserved_lo = 1;
      if (which == 4) d.notify_sem = 7;
      break;
    case ErrorCause::Misaligned:
      if (which == 0) d.src += 2;
      if (which == 1) d.dst += 1;
      if (which >= 2) d.row_bytes += 1;
      break;
    case ErrorCause::UnmappedAddress:
      (which % 2 ? d.src : d.dst) = 0x700000000000;
      break;
    case ErrorCause::BadDescriptor:
      if (which == 0) d.rows = 0;
      if (which == 1) d.row_bytes = 0;
      if (which == 2) d.vn = 2;
      if (which == 3) d.notify = 1;
      if (which == 4) d.row_bytes = 0x20000;
      break;
    case ErrorCause::BadDestination:
      d.dst_chip = 12 + which * 100;
      d.vn = 1;
      break;
    case ErrorCause::SemaphoreOverflow:
      d.update = 1;
      d.update_sem = static_cast<std::uint16_t>(180 + which);
      d.update_delta = -1;
      break;
    case kNoise:
      d = noise<defs::Descriptor>(random);
      break;
    default:
      break;
  }
}

template <class Item, class Spoil>
void change(cmodel::Program& program, unsigned chip, std::uint64_t addr, Spoil&& spoil) {
  for (auto& segment : program.segments) {
    if (segment.chip != chip || addr < segment.addr || addr >= segment.addr + segment.bytes.size())
      continue;
    typename Item::Words words;
    std::uint8_t* place = segment.bytes.data() + (addr - segment.addr);
    std::memcpy(words.data(), place, sizeof words);
    Item item = Item::from(words);
    spoil(item);
    words = item.words();
    std::memcpy(place, words.data(), sizeof words);
  }
}

/// The DMA engine that stays whole.
unsigned filler(const ScenarioArgs& args) {
  return static_cast<unsigned>(args.seed % args.sizes.dma_engines);
}

cmodel::Program legal(const ScenarioArgs& args) {
  Assembler assembler(args.sizes, args.chips);
  Random holes(args.seed, "errors holes");
  assembler.scatter([&](unsigned, unsigned) { return holes.word() >> (64 - kHoleBits); });
  const unsigned p = args.sizes.partitions;
  Random random(args.seed, "errors data");
  for (unsigned chip = 0; chip < args.chips; ++chip)
    for (unsigned c = 0; c < defs::kCores; ++c) {
      std::vector<std::uint16_t> values(std::size_t{p} * kBytes / 2);
      for (auto& v : values) v = random.bf16();
      const auto data =
          assembler.data(chip, c, fmt::format("data{}", c), kBytes, p, bytes_of(values));
      auto& core = assembler.core(chip, c);
      const Semaphore filled = core.semaphore();
      const Tile all = core.sbuf(p, kBytes / 2, Dtype::Bf16);
      core.sync().copy(filler(args), data, assembler.block(all)).signal(filled);
      const Tile source = all.columns(0, 8),
                 to[2] = {core.sbuf(p, 8, Dtype::Fp32), core.sbuf(p, 8, Dtype::Fp32)};
      core.tensor().wait_ge(filled, 1).load_stationary(all.columns(0, p));
      core.vector().wait_ge(filled, 1);
      core.act().wait_ge(filled, 1);
      for (unsigned i = 0; i < kWork; ++i) {
        core.tensor().multiply_moving(all.columns(i, 8), core.psum(i, p, 8));
        if (i % 2)
          core.vector().tensor_tensor(defs::AluOp::Add, source, all.columns(i, 8), to[0]);
        else
          core.vector().copy(all.columns(i, 8), to[0]);
        core.act().activate(defs::ActFunc::Relu, all.columns(i, 8), to[1]);
        for (unsigned e = 0; e < args.sizes.dma_engines; ++e) {
          if (e == filler(args)) continue;
          core.sync().copy(e, data.row_range(i, 2),
                           assembler.hbm(chip, c, fmt::format("out{}.{}.{}", c, e, i), kBytes, 2));
        }
      }
    }
  return assembler.assemble();
}

cmodel::Program build(const ScenarioArgs& args) {
  cmodel::Program program = legal(args);
  Random random(args.seed, "errors");
  unsigned turn = static_cast<unsigned>(args.seed);
  for (const auto& stream : program.streams) {
    const auto engine = static_cast<defs::Engine>(stream.engine);
    const unsigned turns = turn++ / defs::kSequencers + stream.engine * 2;
    const auto cause = engine == defs::Engine::Sync ? kSyncCauses[turns % kSyncCauses.size()]
                                                    : kComputeCauses[turns % kComputeCauses.size()];
    // Behind the first instructions (fill, weights); never END. Half of the sync streams stay
    // whole. A semaphore overflows when its instruction is done; the RTL may have begun younger
    // ones by then, which the model never runs. So there are none.
    const unsigned last = stream.count - 2;
    const unsigned pc = cause == ErrorCause::SemaphoreOverflow ? last : random.between(2, last);
    const std::uint64_t addr = stream.base + std::uint64_t{pc} * defs::kInstrBytes;
    if (engine == defs::Engine::Sync) {
      if (stream.core == 0) {
        // A doorbell for nothing. (One for too much would race with the descriptors before it:
        // where that DMA engine stops is then nobody's contract.)
        if (stream.chip % 4 == 1)
          change<Instr>(program, stream.chip, stream.base + defs::kInstrBytes,
                        [](Instr& i) { i.imm &= ~0xffffu; });
        continue;
      }
      change<Instr>(program, stream.chip, addr,
                    [&](Instr& i) { spoil(i, cause, engine, args.sizes, random); });
      continue;
    }
    change<Instr>(program, stream.chip, addr,
                  [&](Instr& i) { spoil(i, cause, engine, args.sizes, random); });
  }
  for (const auto& ring : program.rings) {
    if (ring.engine == filler(args)) continue;
    const ErrorCause cause = kDmaCauses[turn++ % kDmaCauses.size()];
    const unsigned index =
        cause == ErrorCause::SemaphoreOverflow ? ring.count - 1 : random.between(0, ring.count - 1);
    const std::uint64_t addr = ring.base + std::uint64_t{index} * defs::kInstrBytes;
    change<defs::Descriptor>(program, ring.chip, addr,
                             [&](defs::Descriptor& d) { spoil(d, cause, random); });
  }
  // A stream that ends without END, on every third chip.
  for (auto& stream : program.streams)
    if (stream.chip % 3 == 0 && stream.core == 0 && stream.engine == 3) --stream.count;
  return program;
}

ScenarioResult check(const ScenarioArgs&, const cmodel::Program&, RegionBytes) {
  ScenarioResult result;
  result.passed = true;  // the commits, Error included, were compared one by one
  return result;
}

}  // namespace

extern const Scenario kErrors{"errors", "illegal instructions of every kind: their engines stop",
                              build, check, true};

}  // namespace tb
