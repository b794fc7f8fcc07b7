// SPDX-License-Identifier: Apache-2.0
// Two tenants on the two cores of a chip: every way from core 0 to what is core 1's, with different
// partition keys, with the same one, and at the edges of the window. The victim's commits are those
// of a run without the intruder.
#include "fabric/model/message.h"
#include "tb/unit/rtl/chip_errors_bench.h"

namespace {

using namespace chip_errors;
using cmodel::Partition;
using defs::Memory;

constexpr unsigned kIntruder = 0, kOwner = 1;
constexpr std::uint64_t kOwn = 0x40'0000;  // in HBM 0
constexpr unsigned kBytes = 64;            // that the intruder touches
constexpr std::uint64_t kAll = (std::uint64_t{1} << 48) - 1;

enum class Access { Fetch, Ring, Source, Destination, Wait, Update };
constexpr const char* kNames[] = {"fetch", "ring", "source", "destination", "wait", "update"};
struct Way {
  Access access;
  Engine engine;           ///< that stops
  std::uint64_t addr = 0;  ///< of memory
  ErrorCause cause = ErrorCause::Forbidden;
  std::string name() const {
    return fmt::format("{} of {} at {:#x}", kNames[static_cast<int>(access)],
                       defs::to_string(engine), addr);
  }
};

std::uint64_t somewhere_in(Memory memory) {
  switch (memory) {
    case Memory::Hbm0:
      return defs::kAddrHbm0Base + 0x50'0000;
    case Memory::Hbm1:
      return defs::kAddrHbm1Base + 0x50'0000;
    case Memory::Sbuf0:
      return sbuf_addr(0, 3, 0x1800);
    case Memory::Sbuf1:
      return sbuf_addr(1, 3, 0x1800);
    case Memory::Unmapped:
      break;
  }
  return kAll;
}

/// Who reads addresses times the memories of core 1; who sees semaphores: sequencers and DMA.
std::vector<Way> ways() {
  std::vector<Way> out;
  for (unsigned m = 0; m < static_cast<unsigned>(Memory::Unmapped); ++m) {
    const std::uint64_t addr = somewhere_in(static_cast<Memory>(m));
    if (fabric::local_port(addr) != kOwner) continue;
    for (unsigned e = 0; e < defs::kSequencers; ++e)
      out.push_back({Access::Fetch, Engine(e), addr,
                     cmodel::in_core(addr) ? ErrorCause::UnmappedAddress : ErrorCause::Forbidden});
    for (const Access access : {Access::Ring, Access::Source, Access::Destination})
      out.push_back({access, Engine::Dma0, addr});
  }
  for (unsigned e = 0; e < defs::kSequencers; ++e)
    for (const Access access : {Access::Wait, Access::Update}) out.push_back({access, Engine(e)});
  out.push_back({Access::Update, Engine::Dma0});
  return out;
}

/// The owner keeps all its engines busy, with what is its own.
void add_owner(TinyProgram& program) {
  const std::uint64_t hbm = defs::kAddrHbm1Base;
  add_data(program, hbm + kSource);
  add_fill(program, kOwner, hbm + kSource);
  for (unsigned e = 0; e < defs::kSequencers; ++e)
    for (unsigned i = 0; i < kWork; ++i) program.add(0, kOwner, Engine(e), work(Engine(e), i));
  for (unsigned dma = 1; dma < 4; ++dma) {
    program.add(0, kOwner, Engine::Sync, ring_dma(dma, kWork));
    for (unsigned i = 0; i < 2 * kWork; ++i)
      program.add(0, kOwner, dma,
                  copy_rows(0, hbm + kSource + 64 * i, hbm + kTarget + 0x8000 * dma + 0x400 * i, 3,
                            100, 256, 256));
  }
}

void add_intruder(TinyProgram& program, const Way& way) {
  auto copy = copy_rows(0, kOwn, kOwn + 0x1000, 1, kBytes, 0, 0);
  const unsigned foreign = 256 * kOwner + kIdle;
  switch (way.access) {
    case Access::Wait:
      // Of a value that it has: without the guard nobody stops.
      program.add(0, kIntruder, way.engine,
                  TinyInstr(Opcode::Nop).wait(foreign, 0, defs::WaitOp::Eq));
      return;
    case Access::Update:
      if (way.engine != Engine::Dma0) {
        program.add(0, kIntruder, way.engine, TinyInstr(Opcode::Nop).then(foreign));
        return;
      }
      copy.update = copy.update_delta = 1;
      copy.update_sem = static_cast<std::uint16_t>(foreign);
      break;
    case Access::Source:
      copy.src = way.addr;
      break;
    case Access::Destination:
      copy.dst = way.addr;
      break;
    default:
      break;
  }
  if (way.access == Access::Fetch) {
    program.add(0, kIntruder, way.engine, nop());
    return;
  }
  program.add(0, kIntruder, 0u, copy);
  program.add(0, kIntruder, Engine::Sync, ring_dma(0, 1));
}

cmodel::Program build(const Way* way, unsigned key, std::uint64_t base, std::uint64_t end) {
  TinyProgram program(defs::kMini, 1);
  program.isolate({0, kIntruder, key, 0, kAll});
  program.isolate({0, kOwner, 7, base, end});
  add_owner(program);
  if (way) add_intruder(program, *way);
  cmodel::Program out = program.build();
  if (way && way->access == Access::Fetch) {
    for (auto& stream : out.streams)
      if (stream.core == kIntruder) stream.base = way->addr, stream.count = 1;
  } else if (way && way->access == Access::Ring) {
    for (auto& ring : out.rings)
      if (ring.core == kIntruder) ring.base = way->addr;
  }
  return out;
}

struct Outcome {
  Twins run;
  ErrorCause cause = ErrorCause::None;  ///< of the way's engine, in RTL
  explicit Outcome(const Way* way, unsigned key, std::uint64_t base = 0, std::uint64_t end = kAll)
      : run(build(way, key, base, end)) {
    for (const auto& event : run.bench.events)
      if (way && event.kind == static_cast<unsigned>(HostKind::Error) && event.core == kIntruder &&
          event.engine == static_cast<unsigned>(way->engine))
        cause = static_cast<ErrorCause>(event.cause);
  }
  auto of_owner() const {
    std::map<cmodel::StreamId, std::vector<tb::CommitLists::Entry>> out;
    for (const auto* lists : {&run.rtl.writes, &run.rtl.updates})
      for (const auto& [stream, commits] : *lists)
        if (stream.core == kOwner) {
          auto& all = out[stream];
          all.insert(all.end(), commits.begin(), commits.end());
        }
    return out;
  }
};

TEST(ChipIsolation, NoWayLeadsToTheOtherTenant) {
  Outcome without(nullptr, 6);
  without.run.compare();
  const auto alone = without.of_owner();
  EXPECT_GE(alone.size(), 7u);  // all of its engines
  for (const Way& way : ways()) {
    SCOPED_TRACE(way.name());
    Outcome apart(&way, 6);
    apart.run.compare();
    EXPECT_EQ(defs::to_string(apart.cause), defs::to_string(way.cause));
    EXPECT_EQ(apart.run.board.errors().size(), 1u);
    EXPECT_EQ(apart.run.count(HostKind::Error), 1u);
    EXPECT_TRUE(apart.of_owner() == alone);
    // The same tenant: the guard has nothing to say. (Whoever reads before the owner has written
    // gets anything: no comparison with the model.)
    EXPECT_NE(defs::to_string(Outcome(&way, 7).cause), defs::to_string(ErrorCause::Forbidden));
  }
}

TEST(ChipIsolation, TheWindowOfTheSameTenantEndsWhereItSays) {
  for (const Way& way : ways()) {
    if (way.addr == 0 || way.cause != ErrorCause::Forbidden) continue;
    SCOPED_TRACE(way.name());
    const std::uint64_t end = way.addr + kBytes;
    const auto forbidden = defs::to_string(ErrorCause::Forbidden);
    EXPECT_NE(defs::to_string(Outcome(&way, 7, way.addr, end).cause), forbidden);
    EXPECT_EQ(defs::to_string(Outcome(&way, 7, way.addr, end - 1).cause), forbidden);
    EXPECT_EQ(defs::to_string(Outcome(&way, 7, way.addr + 1, end).cause), forbidden);
  }
}

/// Cycle of each commit of the owner.
struct Times : cmodel::CommitSink {
  const tb::MiniChip* bench = nullptr;
  std::vector<std::uint64_t> of_owner;
  void commit(const cmodel::Commit& commit, std::span<const std::uint8_t>) override {
    if (commit.stream.core == kOwner) of_owner.push_back(bench->now);
  }
};

/// The intruder, all its DMA engines and its tensor engine at work in its own memory, or waiting
/// for ever.
std::vector<std::uint64_t> times(bool busy) {
  TinyProgram program(defs::kMini, 1);
  program.isolate({0, kIntruder, 6, 0, kAll});
  program.isolate({0, kOwner, 7, 0, kAll});
  add_owner(program);
  const auto begin = TinyInstr(Opcode::Nop).wait(kIdle, !busy, defs::WaitOp::Eq);
  for (const Engine engine : {Engine::Tensor, Engine::Sync})
    program.add(0, kIntruder, engine, begin);
  for (unsigned i = 0; i < 100; ++i)
    program.add(0, kIntruder, Engine::Tensor, i ? multiply(i % 8) : load());
  for (unsigned dma = 0; dma < 4; ++dma) {
    program.add(0, kIntruder, Engine::Sync, ring_dma(dma, 40));
    for (unsigned i = 0; i < 40; ++i)
      program.add(0, kIntruder, dma,
                  copy_rows(0, kOwn + 0x1'0000 * i,
                            i % 2 ? sbuf_addr(0, 0, 0x800) : kOwn + 0x80'0000, 1, 1024, 0, 0));
  }
  Times sink;
  tb::MiniChip bench(&sink);
  sink.bench = &bench;
  bench.load(program.build());
  for (unsigned i = 0; i < 40000; ++i) bench.fabric_cycle();
  return sink.of_owner;
}

/// What the page of the fabric promises: nothing between the cores' own memories is shared.
TEST(ChipIsolation, WorkInItsOwnMemoryTakesNoTimeFromTheOtherTenant) {
  const auto alone = times(false);
  EXPECT_GT(alone.size(), 500u);
  EXPECT_EQ(times(true), alone);
}

}  // namespace
