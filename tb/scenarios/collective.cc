// SPDX-License-Identifier: Apache-2.0
// Collectives one after the other, of groups of any cores in any order of ranks, some of them in
// loops, with ranks that come late. Judged bit by bit: an algorithm adds in the order of ranks, or
// the order does not matter.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <vector>

#include "cmodel/collectives/communicator.h"
#include "tb/scenarios/collective_plan.h"
#include "tb/scenarios/scenario.h"

namespace tb {
namespace {

using cmodel::Assembler;
using cmodel::Block;
using cmodel::Buffers;
using cmodel::Communicator;
using collective::Kind;
using collective::Plan;
using collective::Shape;
using collective::Step;

std::string place_name(std::size_t step, const char* what, unsigned rank) {
  return fmt::format("{} {} {}", step, what, rank);
}

class Writer {
 public:
  Writer(const ScenarioArgs& args, const Plan& plan)
      : plan_(plan), random_(args.seed, "collective places"), assembler_(args.sizes, args.chips) {
    for (std::size_t group = 0; group < plan.groups.size(); ++group) {
      cmodel::Resources resources{.slot_bytes = plan.slot_bytes[group],
                                  .ring_slots = plan.ring_slots[group],
                                  .sum_bytes = plan.sum_bytes[group]};
      // Without a length, any of the engines in any order.
      for (unsigned e = random_.between(0, args.sizes.dma_engines - 1);
           !args.length && resources.engines.size() < random_.between(1, args.sizes.dma_engines);)
        resources.engines.push_back(e = (e + 1) % args.sizes.dma_engines);
      if (!args.length) resources.vn = random_.between(1, defs::kVirtualNets - 1);
      communicators_.push_back(
          std::make_unique<Communicator>(assembler_, plan.groups[group], resources));
    }
    for (std::size_t i = 0; i < plan.steps.size(); ++i) write(i, plan.steps[i]);
  }
  cmodel::Program assemble() { return assembler_.assemble(); }

 private:
  unsigned stack() { return random_.between(0, defs::kHbmPorts - 1); }

  void write(std::size_t number, const Step& step) {
    Communicator& group = *communicators_[step.group];
    Buffers in, out;
    for (unsigned rank = 0; rank < group.size(); ++rank) {
      cmodel::Core& core = group.core(rank);
      const bool given = step.kind != Kind::Broadcast || rank == step.from;
      const auto& bytes = step.in[rank];
      Block from = given ? assembler_.data(core.chip(), stack(), place_name(number, "in", rank),
                                           step.in_shape.row_bytes, step.in_shape.rows, bytes)
                         : room(core, place_name(number, "in", rank), step.in_shape);
      const bool same = step.in_place || step.kind == Kind::Broadcast || step.kind == Kind::Barrier;
      out.push_back(same ? from : room(core, place_name(number, "to", rank), step.out_shape));
      if (step.in_sbuf) from = bring(core, from);
      in.push_back(from);
      if (!step.out[rank].empty()) assembler_.region(place_name(number, "out", rank), out[rank]);
    }
    if (step.kind == Kind::Barrier) return write_barrier(number, group, in);
    const cmodel::Collective made = make(group, step, in, out);
    for (unsigned rank = 0; rank < group.size(); ++rank) {
      auto& core = group.core(rank);
      delay(step, rank, core.sync());
      const auto one = [&] { made.write(rank); };
      if (step.turns == 1)
        one();
      else if (step.kind == Kind::OrderIndependentSum)  // its vector stream goes round as well
        core.sync().loop(step.turns, [&] { core.vector().loop(step.turns, one); });
      else
        core.sync().loop(step.turns, one);
    }
  }

  /// A rank that comes late.
  static void delay(const Step& step, unsigned rank, cmodel::SyncStream& sync) {
    if (step.delays[rank]) sync.loop(step.delays[rank], [&] { sync.nop(); });
  }

  Block room(const cmodel::Core& core, const std::string& name, const Shape& shape) {
    return assembler_.hbm(core.chip(), stack(), name, shape.row_bytes, shape.rows);
  }

  Block bring(cmodel::Core& core, const Block& from) {
    const Block there =
        assembler_.block(core.sbuf(1, from.row_bytes / 4, defs::Dtype::Fp32,
                                   random_.between(0, assembler_.sizes().partitions - 1)));
    const auto brought = core.semaphore("brought");
    core.sync().start(0, from, there).signal(brought);
    core.sync().take(brought).nop();
    return there;
  }

  static cmodel::Collective make(Communicator& group, const Step& step, const Buffers& in,
                                 const Buffers& out) {
    switch (step.kind) {
      case Kind::ReduceScatter:
        return group.reduce_scatter(in, out, step.op, step.dtype);
      case Kind::AllGather:
        return group.all_gather(in, out);
      case Kind::AllToAll:
        return group.all_to_all(in, out);
      case Kind::Broadcast:
        return group.broadcast(in, step.from);
      case Kind::Send:
        return group.send(step.from, step.to, in[step.from], out[step.to]);
      case Kind::OrderIndependentSum:
        return group.order_independent_sum(in, out, step.algorithm);
      default:
        return group.all_reduce(in, out, step.op, step.dtype, step.algorithm);
    }
  }

  /// Every rank keeps a copy of its words; behind the barrier it writes the words of the next rank.
  void write_barrier(std::size_t number, Communicator& group, const Buffers& in) {
    const auto barrier = group.barrier();
    std::vector<cmodel::Semaphore> written;
    for (unsigned rank = 0; rank < group.size(); ++rank)
      written.push_back(group.core(rank).semaphore("written"));
    for (unsigned rank = 0; rank < group.size(); ++rank) {
      cmodel::Core& core = group.core(rank);
      auto& sync = core.sync();
      const unsigned next = (rank + 1) % group.size(), chip = group.core(next).chip();
      const auto kept = core.semaphore("kept");
      const Block copy = assembler_.hbm(core.chip(), stack(), place_name(number, "kept", rank),
                                        in[rank].row_bytes, in[rank].rows);
      delay(plan_.steps[number], rank, sync);
      sync.start(0, in[rank], copy).signal(kept);
      sync.take(kept).nop();
      barrier.write(rank);
      if (next == rank) continue;
      if (chip != core.chip())
        sync.start(0, copy, in[next], {.notify = written[next]});
      else
        sync.start(0, copy, in[next]).signal(written[next]);
      sync.take(written[rank]).nop();
    }
  }

  const Plan& plan_;
  Random random_;
  Assembler assembler_;
  std::vector<std::unique_ptr<Communicator>> communicators_;
};

/// What is wrong with the bytes of a rank; empty if nothing is.
std::string wrong(const collective::Bytes& came, const collective::Bytes& expected) {
  for (std::size_t at = 0; at < expected.size(); ++at)
    if (came[at] != expected[at])
      return fmt::format("byte {} is 0x{:02x}, expected 0x{:02x}", at, came[at], expected[at]);
  return "";
}

cmodel::Program build(const ScenarioArgs& args) {
  return Writer(args, collective::plan_of(args)).assemble();
}

ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program,
                     RegionBytes regions) {
  const Plan plan = collective::plan_of(args);
  ScenarioResult result;
  std::uint64_t bytes = 0;
  for (std::size_t i = 0; i < plan.steps.size(); ++i) {
    const Step& step = plan.steps[i];
    for (unsigned rank = 0; rank < step.out.size(); ++rank) {
      if (step.out[rank].empty()) continue;
      const auto& came = region_bytes(program, regions, place_name(i, "out", rank));
      bytes += step.out[rank].size();
      const std::string why = wrong(came, step.out[rank]);
      if (!why.empty() && result.failure.empty())
        result.failure = fmt::format("step {}, {}, rank {}: {}", i, name_of(step.kind), rank, why);
    }
  }
  result.metrics["collectives"] = plan.steps.size();
  result.metrics["ranks"] = plan.groups[plan.steps[0].group].size();
  result.metrics["bytes"] = bytes;
  if (args.length) {
    const bool ring = plan.steps[0].algorithm == cmodel::Algorithm::Ring;
    result.metrics["algorithm"] = ring ? "ring" : "direct";
    result.metrics["buffer_bytes"] = plan.steps[0].in_shape.bytes();
  }
  result.passed = result.failure.empty();
  return result;
}

}  // namespace

extern const Scenario kCollective{.name = "collective",
                                  .doc =
                                      "collectives of any groups one after the other (length: "
                                      "turns of one all-reduce of a group)",
                                  .build = build,
                                  .check = check,
                                  .has_length = true,
                                  .has_group = true};

}  // namespace tb
