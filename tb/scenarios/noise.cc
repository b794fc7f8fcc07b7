// SPDX-License-Identifier: Apache-2.0
// Instructions and descriptors of any bits: whatever they are, RTL and golden model reject them
// alike.
//
//   each core      one DMA engine fills SBUF; tensor, vector, activation engine, one sync engine of
//                  a chip and the other DMA engines work, in lines and loops, and each meets noise
//                  at a random place; a DMA engine in its ring, in a DmaStart, or in a list
//
// Nobody waits for anybody, and blocks lie anywhere in their memories. `errors` breaks one rule at
// a time and judges what was done; here RTL is judged by the model, commit by commit.
#include <fmt/format.h>

#include "cmodel/machine/instruction.h"
#include "cmodel/program/assembler.h"
#include "tb/scenarios/looper.h"
#include "tb/scenarios/scenario.h"
#include "tb/scenarios/spoil.h"

namespace tb {
namespace {

using cmodel::Assembler;
using cmodel::Semaphore;
using cmodel::Tile;
using defs::Dtype;

constexpr unsigned kWork = 6;       ///< instructions per engine, and descriptors
constexpr unsigned kLoops = 2;      ///< per engine, behind them
constexpr unsigned kBytes = 256;    ///< of data in a partition
constexpr unsigned kHoleBits = 28;  ///< up to 256 MiB between any two blocks of a stack

/// Any bits, but none of them legal.
template <class Item>
Item noise(Random& random) {
  typename Item::Words words;
  for (auto& word : words) word = static_cast<typename Item::Words::value_type>(random.word());
  Item item = Item::from(words);
  item.reserved |= 1;
  return item;
}

/// The same in what a DmaStart brings, for the same engine; without registers.
defs::Instr noise_in_start(const defs::Instr& instr, Random& random) {
  const auto start = defs::dma_start_of(instr);
  defs::DmaStart::Words words;
  for (auto& word : words) word = static_cast<std::uint32_t>(random.word());
  auto bits = defs::DmaStart::from(words);
  bits.engine = start.engine;
  bits.combine |= 4;  // there is none
  bits.src_reg = bits.dst_reg = bits.index_reg = bits.rows_reg = 0;
  return cmodel::with_overlay(instr, start, bits);
}

/// The DMA engine that stays whole.
unsigned filler(const ScenarioArgs& args) {
  return static_cast<unsigned>(args.seed % args.sizes.dma_engines);
}

cmodel::Program legal(const ScenarioArgs& args) {
  Assembler assembler(args.sizes, args.chips);
  Random holes(args.seed, "noise holes");
  assembler.scatter([&](unsigned, unsigned) { return holes.word() >> (64 - kHoleBits); });
  const unsigned p = args.sizes.partitions;
  Random random(args.seed, "noise data"), turns(args.seed, "noise turns");
  unsigned outs = 0;
  for (unsigned chip = 0; chip < args.chips; ++chip)
    for (unsigned c = 0; c < defs::kCores; ++c) {
      std::vector<std::uint16_t> values(std::size_t{p} * kBytes / 2);
      for (auto& v : values) v = random.bf16();
      const auto data =
          assembler.data(chip, c, fmt::format("data{}", c), kBytes, p, bytes_of(values));
      auto& core = assembler.core(chip, c);
      const Semaphore filled = core.semaphore("filled");
      const Tile all = core.sbuf(p, kBytes / 2, Dtype::Bf16);
      core.sync().copy(filler(args), data, assembler.block(all)).signal(filled);
      const Tile source = all.columns(0, 8),
                 to[2] = {core.sbuf(p, 8, Dtype::Fp32), core.sbuf(p, 8, Dtype::Fp32)};
      core.tensor().wait_ge(filled, 1).load_stationary(all.columns(0, p));
      core.vector().wait_ge(filled, 1);
      core.act().wait_ge(filled, 1);
      for (unsigned i = 0; i < kWork; ++i) {
        core.tensor().multiply_moving(all.columns(i, 8), core.psum(i, p, 8));
        core.vector().tensor_tensor(defs::AluOp::Add, source, all.columns(i, 8), to[0]);
        core.act().activate(defs::ActFunc::Relu, all.columns(i, 8), to[1]);
        for (unsigned e = 0; e < args.sizes.dma_engines; ++e) {
          if (e == filler(args)) continue;
          const auto out = assembler.hbm(chip, c, fmt::format("out{}.{}.{}", c, e, i), kBytes, 2);
          const auto from = data.row_range(i, 2);
          if (i % 3 == 2) {
            const unsigned bytes = 1 + e % 2;
            core.sync().copy(e, from.byte_range(2 * i, bytes), out.byte_range(2 * e, bytes));
            continue;
          }
          if (i % 3 == 1) {
            core.sync()
                .copy(e, from, out)
                .combine(defs::Combine::Add, Dtype::Bf16, data.row_range(i + 2, 2));
            continue;
          }
          // Any bits are indices; a good one now and then.
          cmodel::Rows how{.skip = !random.one_in(8)};
          const auto bits = data.row_range(i, 1).byte_range(4 * e, 8);
          (random.one_in(2) ? how.gather : how.scatter) = bits;
          core.sync().start(e, from, out, {.how = how});
          core.sync().start(e, from, out);
        }
      }

      const LooperWords words{
          {chip, data.addr, LooperWords::kBytes},
          assembler.data(chip, c, fmt::format("turns{}", c), 4 * LooperWords::kTurns, 1,
                         LooperWords::turn_bytes())};
      const auto looped = [&]<class S>(S& stream, auto&& work) {
        Looper<S> looper(
            stream, turns, words,
            {assembler.core(chip, 0).semaphore(), assembler.core(chip, 1).semaphore()});
        for (unsigned i = 0; i < kLoops; ++i) work(looper);
      };
      const auto moved = [&](auto& looper, const Tile& tile, unsigned bytes) {
        return looper.moved(tile.offset, bytes, [&](unsigned at, unsigned) {
          Tile out = tile;
          out.offset = at;
          return out;
        });
      };
      const unsigned spare = Looper<cmodel::TensorStream>::kRoom;
      looped(core.tensor(), [&](auto& looper) {
        looper.loops([&] {
          looper.scribble();
          const Tile from = moved(looper, all.columns(0, 8), 16 + spare);
          const Tile sums = moved(looper, core.psum(0, p, 8), 32 + spare);
          looper.sized(from.size);
          core.tensor().multiply_moving(from, sums);
        });
      });
      const Tile loop_to[2] = {core.sbuf(p, 16, Dtype::Fp32), core.sbuf(p, 16, Dtype::Fp32)};
      looped(core.vector(), [&](auto& looper) {
        looper.loops([&] {
          looper.scribble();
          const Tile from = moved(looper, source, 16 + spare);
          const Tile dst = moved(looper, loop_to[0].columns(0, 8), 32 + spare);
          looper.sized(from.size);
          core.vector().copy(from, dst);
        });
      });
      looped(core.act(), [&](auto& looper) {
        looper.loops([&] {
          looper.scribble();
          const Tile from = moved(looper, source, 16 + spare);
          const Tile dst = moved(looper, loop_to[1].columns(0, 8), 32 + spare);
          looper.sized(from.size);
          core.act().activate(defs::ActFunc::Relu, from, dst);
        });
      });
      looped(core.sync(), [&](auto& looper) {
        const unsigned n = turns.between(1, LooperWords::kMostTurns);
        const unsigned engine = (filler(args) + 1) % args.sizes.dma_engines;
        for (unsigned d = 0; d < n; ++d)
          core.dma(engine).copy(
              data.row_range(d, 1),
              assembler.hbm(chip, c, fmt::format("turn{}.{}", c, outs++), kBytes));
        looper.rounds(n, false, [&] {
          looper.scribble();
          core.sync().trigger(engine);
        });
      });
    }
  return assembler.assemble();
}

cmodel::Program build(const ScenarioArgs& args) {
  cmodel::Program program = legal(args);
  Random random(args.seed, "noise");
  for (const auto& stream : program.streams) {
    const bool sync = static_cast<defs::Engine>(stream.engine) == defs::Engine::Sync;
    if (sync && stream.core == args.seed % defs::kCores) continue;
    // Behind the first instructions (fill, weights); never END.
    const unsigned pc = random.between(2, stream.count - 2);
    change<defs::Instr>(program, stream.chip, stream.base + std::uint64_t{pc} * defs::kInstrBytes,
                        [&](defs::Instr& i) {
                          const auto legal = i.opcode;
                          i = noise<defs::Instr>(random);
                          if (random.one_in(2)) i.opcode = legal;
                          i.wait_op = 0;  // for a semaphore that nobody would count
                        });
  }
  // What a DmaStart brings: the sync engine goes on.
  for (const auto& stream : program.streams)
    for (std::uint32_t pc = 0; pc < stream.count; ++pc)
      if (cmodel::starts_copy(cmodel::instr_at(program, stream, pc)) && random.one_in(12))
        change<defs::Instr>(program, stream.chip,
                            stream.base + std::uint64_t{pc} * defs::kInstrBytes,
                            [&](defs::Instr& i) { i = noise_in_start(i, random); });
  for (const auto& ring : program.rings) {
    if (ring.engine == filler(args)) continue;
    const std::uint64_t addr =
        ring.base + std::uint64_t{random.between(0, ring.count - 1)} * defs::kInstrBytes;
    change<defs::Descriptor>(program, ring.chip, addr,
                             [&](defs::Descriptor& d) { d = noise<defs::Descriptor>(random); });
  }
  return program;
}

ScenarioResult check(const ScenarioArgs&, const cmodel::Program&, RegionBytes) {
  ScenarioResult result;
  result.passed = true;  // the commits, Error included, were compared one by one
  return result;
}

}  // namespace

extern const Scenario kNoise{"noise", "instructions and descriptors of any bits are refused", build,
                             check, true};

}  // namespace tb
