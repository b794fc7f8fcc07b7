// SPDX-License-Identifier: Apache-2.0
// Engines that stop: every cause on every engine, with work in flight everywhere.
//
//   each core      DMA 0 fills SBUF; then tensor, vector, activation engine and DMA 1 .. work on
//                  kWork items each, all at once; most of them meet one illegal item
//   one sync       of a chip may stop too; the other one waits for exactly the items that must
//                  still be done on both cores, and copies their results to HBM
//   some           engines have their items in a loop, and meet the illegal one in one of its turns
//   DMA            items are descriptors of a ring or DmaStarts, whole or by a list of rows; what
//                  is illegal stands in them, in the list, or came out of registers
//   every third    chip fills a semaphore to the brim and has its neighbour notify it twice
//
// The check sees from memory that items before the illegal one were done, the others not, and that
// everybody else went on.
#include "tb/scenarios/errors.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "cmodel/program/assembler.h"
#include "tb/scenarios/errors_check.h"
#include "tb/scenarios/errors_copies.h"
#include "tb/scenarios/errors_plan.h"
#include "tb/scenarios/errors_turns.h"
#include "tb/scenarios/spoil.h"

namespace tb {
namespace {

using cmodel::Assembler;
using cmodel::Block;
using cmodel::Semaphore;
using cmodel::Tile;
using defs::Dtype;
using defs::Engine;
using defs::ErrorCause;

struct Legal {
  cmodel::Program program;
  Stops turns;  ///< where loops stop
};

/// The program before instructions are spoiled; waits and copies of the witnesses follow the plan.
Legal legal(const ScenarioArgs& args, const ErrorPlan& plan) {
  Assembler assembler(args.sizes, args.chips);
  Legal out;
  Random random(args.seed, "errors turns");
  const unsigned p = args.sizes.partitions;
  const auto values = errors_data(args);
  std::vector<std::array<Block, defs::kCores>> edges(args.chips);
  for (unsigned chip = 0; chip < args.chips; ++chip)
    for (unsigned c = 0; c < defs::kCores; ++c)
      edges[chip][c] = assembler.hbm(chip, c, fmt::format("edge{}", c), args.sizes.line_bytes, 2);
  std::vector<Semaphore> brim(args.chips), go(args.chips);
  for (unsigned chip = 0; chip < args.chips; ++chip) {
    brim[chip] = assembler.core(chip, plan.witness(chip)).semaphore("brim");
    go[chip] = assembler.core(chip, plan.witness(chip)).semaphore("go");
  }
  for (unsigned chip = 0; chip < args.chips; ++chip) {
    struct {
      Semaphore done[3];
      Tile results[2];
    } cores[defs::kCores];
    for (unsigned c = 0; c < defs::kCores; ++c) {
      const auto name = [&](const char* what) { return fmt::format("{}{}.{}", what, chip, c); };
      const auto data = assembler.data(chip, c, name("data"), kBytes, p,
                                       bytes_of(values[chip * defs::kCores + c]));
      auto& core = assembler.core(chip, c);
      auto& [done, results] = cores[c];
      for (auto& semaphore : done) semaphore = core.semaphore("done");
      const Semaphore filled = core.semaphore("filled");
      const Tile all = core.sbuf(p, kBytes / 2, Dtype::Bf16), left = all.columns(0, kColumns);
      for (auto& tile : results) {
        tile = core.sbuf(p, kWork * kColumns, Dtype::Fp32);
        const auto zeros =
            assembler.hbm(chip, c, name(&tile == results ? "zv" : "za"), kWork * kColumns * 4, p);
        core.sync().copy(0, zeros, assembler.block(tile));
      }
      core.sync().copy(0, data, assembler.block(all)).signal(filled);
      core.tensor().wait_ge(filled, 1).load_stationary(all.columns(0, p)).signal(done[0]);
      core.vector().wait_ge(filled, 1);
      core.act().wait_ge(filled, 1);

      const Edge edge{edges[chip][c].row_range(0, 1), edges[chip][1 - c].row_range(1, 1)};
      // The items in a loop if the plan says so.
      const auto turns = [&](auto& stream, Engine engine, Shape shape, auto&& item) {
        const ErrorPlan::Key key{chip, c, static_cast<unsigned>(engine)};
        const auto it = plan.spots().find(key);
        if (it == plan.spots().end() || it->second.way != ErrorPlan::Way::Turn) return false;
        shape.index = it->second.index - shape.index;
        out.turns[key] = write_turns(stream, shape, it->second.cause, edge, random, item);
        return true;
      };
      const auto right = [&](unsigned i) { return all.columns(i, kColumns); };
      const auto to = [&](unsigned k, unsigned i) {
        return results[k].columns(i * kColumns, kColumns);
      };
      const auto sum = [&](unsigned i) { return core.psum(i, p, kColumns); };
      const unsigned tile = kColumns * 4;
      if (!turns(core.tensor(), Engine::Tensor,
                 {kWork - 1, 1, 1, kColumns, 2, args.sizes.psum_cols * 4},
                 [&](unsigned, const ItemRegisters& r) {
                   core.tensor()
                       .size_from(r.size)
                       .multiply_moving(right(1).at(r.source), sum(1).at(r.target))
                       .signal(done[0]);
                 }))
        for (unsigned i = 1; i < kWork; ++i)
          core.tensor().multiply_moving(right(i), sum(i)).signal(done[0]);
      if (!turns(core.vector(), Engine::Vector, {kWork / 2, 2, 0, kColumns, 4, 2 * tile},
                 [&](unsigned j, const ItemRegisters& r) {
                   const Tile from = right(j).at(r.source), at = to(0, j).at(r.target);
                   core.vector().size_from(r.size);
                   if (j)
                     core.vector().tensor_tensor(defs::AluOp::Add, left, from, at);
                   else
                     core.vector().copy(from, at);
                   core.vector().signal(done[1]);
                 }))
        for (unsigned i = 0; i < kWork; ++i) {
          if (i % 2)
            core.vector().tensor_tensor(defs::AluOp::Add, left, right(i), to(0, i));
          else
            core.vector().copy(right(i), to(0, i));
          core.vector().signal(done[1]);
        }
      if (!turns(core.act(), Engine::Act, {kWork, 1, 0, kColumns, 2, tile},
                 [&](unsigned, const ItemRegisters& r) {
                   core.act()
                       .size_from(r.size)
                       .activate(defs::ActFunc::Relu, right(0).at(r.source), to(1, 0).at(r.target))
                       .signal(done[2]);
                 }))
        for (unsigned i = 0; i < kWork; ++i)
          core.act().activate(defs::ActFunc::Relu, right(i), to(1, i)).signal(done[2]);
      std::vector<Block> outs;
      for (unsigned e = 1; e < plan.dmas(); ++e) {
        const auto out = fmt::format("d{}.{}.{}", chip, c, e);
        outs.push_back(assembler.hbm(chip, c, out, kBytes, kWork));
        assembler.region(out, outs.back());
      }
      write_copies(assembler, plan, chip, c, data, outs, edge, random, out.turns);
    }
    auto& witness = assembler.core(chip, plan.witness(chip)).sync();
    for (unsigned c = 0; c < defs::kCores; ++c) {
      for (unsigned e = 0; e < 3; ++e)
        witness.wait_ge(cores[c].done[e], plan.done(chip, c, static_cast<Engine>(e), false));
      for (unsigned k = 0; k < 2; ++k) {
        const auto name = fmt::format("{}{}.{}", k ? "a" : "v", chip, c);
        const auto out = assembler.hbm(chip, c, name, kWork * kColumns * 4, p);
        // But the item whose update is rejected: it writes, and nobody can wait for that.
        const auto engine = k ? Engine::Act : Engine::Vector;
        const unsigned done = plan.done(chip, c, engine, false);
        const unsigned behind = plan.done(chip, c, engine, true);
        const auto copy_items = [&](unsigned first, unsigned end) {
          const unsigned from = first * kColumns * 4, bytes = (end - first) * kColumns * 4;
          if (bytes)
            witness.copy(0, assembler.block(cores[c].results[k]).byte_range(from, bytes),
                         out.byte_range(from, bytes));
        };
        copy_items(0, done);
        copy_items(behind, kWork);
        assembler.region(name, out);
      }
    }
  }
  for (unsigned chip = 0; chip < args.chips; ++chip) {
    if (!plan.brims(chip)) continue;
    const unsigned next = (chip + 1) % args.chips;
    const auto late = assembler.hbm(chip, 0, fmt::format("late{}", chip), kLateBytes, kLate);
    assembler.region(fmt::format("late{}", chip), late);
    auto& here = assembler.core(chip, plan.witness(chip)).sync();
    auto& there = assembler.core(next, plan.witness(next)).sync();
    here.wait_ge(brim[chip], 0).signal(brim[chip], 32767).signal(brim[chip], 32767);
    here.wait_ge(brim[chip], 65534).signal(brim[chip], 1);
    const auto token = assembler.hbm(next, 0, fmt::format("token{}", next), 4);
    here.copy(0, assembler.find(chip, fmt::format("late{}", chip)).row_range(0, 1).byte_range(0, 4),
              token)
        .notify(go[next]);
    there.wait_ge(go[next], 1);
    const auto& data = assembler.find(next, fmt::format("data{}.0", next));
    for (unsigned row = 0; row < kLate; ++row)
      there.copy(0, data.row_range(row, 1).byte_range(0, kLateBytes), late.row_range(row, 1))
          .notify(brim[chip]);
  }
  out.program = assembler.assemble();
  for (unsigned chip = 0; chip < args.chips; ++chip)
    for (unsigned c = 0; c < defs::kCores; ++c)
      out.program.partitions.push_back(
          {.chip = chip, .core = c, .base = edges[chip][c].row_addr(1)});
  return out;
}

cmodel::Program build(const ScenarioArgs& args) {
  const ErrorPlan plan(args);
  cmodel::Program program = legal(args, plan).program;
  Random random(args.seed, "errors spoil");
  for (auto& stream : program.streams) {
    const auto it = plan.spots().find({stream.chip, stream.core, stream.engine});
    if (it == plan.spots().end()) continue;
    const auto engine = static_cast<Engine>(stream.engine);
    const auto& spot = it->second;
    const auto index = spot.index;
    const auto cause = spot.cause;
    const auto way = spot.way;
    if (way == ErrorPlan::Way::Turn) continue;
    const std::uint32_t pc = plan.pc_of(it->first, index);
    if (pc + 1 == stream.count) {  // END
      --stream.count;
      continue;
    }
    change<defs::Instr>(
        program, stream.chip, stream.base + std::uint64_t{pc} * defs::kInstrBytes,
        [&](defs::Instr& i) {
          // More than it has added itself, most of which is still to come.
          if (cause == ErrorCause::SemaphoreOverflow && i.update && random.one_in(2))
            i.update_delta = static_cast<std::int16_t>(-1 - static_cast<int>(index));
          else if (way == ErrorPlan::Way::Control)
            spoil_control(i, cause, stream, random);
          else
            spoil(i, cause, engine, args.sizes, random);
        });
  }
  for (const auto& [key, spot] : plan.spots()) {
    if (key[2] < static_cast<unsigned>(Engine::Dma0) || spot.way == ErrorPlan::Way::Turn ||
        spot.cause == ErrorCause::OutOfBounds || !plan.stops(key))
      continue;
    const auto cause = spot.cause;
    const auto [unit, pc] = cmodel::place_of(key[2], plan.pc_of(key, spot.index));
    const auto belongs = [&](const auto& to) { return to.chip == key[0] && to.core == key[1]; };
    if (unit == static_cast<unsigned>(Engine::Sync)) {
      const auto stream = std::ranges::find_if(
          program.streams, [&](const auto& s) { return belongs(s) && s.engine == unit; });
      change<defs::Instr>(program, key[0], stream->base + std::uint64_t{pc} * defs::kInstrBytes,
                          [&](defs::Instr& i) { spoil_copy(i, cause, random); });
    } else {
      const auto ring = std::ranges::find_if(program.rings, [&](const auto& r) {
        return belongs(r) && static_cast<unsigned>(dma_engine(r.engine)) == unit;
      });
      change<defs::Descriptor>(program, key[0], ring->base + std::uint64_t{pc} * defs::kInstrBytes,
                               [&](defs::Descriptor& d) { spoil(d, cause, random); });
    }
  }
  return program;
}

}  // namespace

std::vector<Stop> planned_stops(const ScenarioArgs& args) {
  const ErrorPlan plan(args);
  const auto turns = legal(args, plan).turns;
  std::vector<Stop> stops;
  const auto add = [&](unsigned chip, unsigned core, unsigned engine, At at, ErrorCause cause) {
    stops.push_back({{static_cast<std::uint8_t>(chip), static_cast<std::uint8_t>(core),
                      static_cast<std::uint8_t>(engine), 0, 0},
                     at.pc,
                     at.visit,
                     cause});
  };
  for (const auto& [key, spot] : plan.spots()) {
    if (!plan.stops(key)) continue;
    const auto turn = turns.find(key);
    add(key[0], key[1], key[2],
        turn != turns.end() ? turn->second : At{plan.pc_of(key, spot.index)}, spot.cause);
  }
  for (unsigned chip = 0; chip < args.chips; ++chip)
    for (unsigned times = 0; plan.brims(chip) && times < kLate; ++times)
      add(chip, 0, static_cast<unsigned>(Engine::Rx), {}, ErrorCause::SemaphoreOverflow);
  std::sort(stops.begin(), stops.end());
  return stops;
}

extern const Scenario kErrors{"errors", "illegal instructions of every kind: their engines stop",
                              build, check_errors, true};

}  // namespace tb
