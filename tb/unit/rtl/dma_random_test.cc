// SPDX-License-Identifier: Apache-2.0
// The DMA against its twin: every beat, packet, semaphore update and error cause, in order per
// engine, under random memories, stalls and doorbells.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <random>
#include <vector>

#include "Vdma_inf2.h"
#include "Vdma_mini.h"
#include "tb/unit/rtl/dma_bench.h"
#include "tb/unit/rtl/dma_descriptors.h"

namespace {

using namespace dma;

/// Seeds per random test: the usual number, or times DODECA_SEEDS for a soak.
unsigned seeds(unsigned usual) {
  const char* factor = std::getenv("DODECA_SEEDS");
  return factor ? usual * static_cast<unsigned>(std::atoi(factor)) : usual;
}

/// Returns how many writes and messages were compared.
template <class Model>
std::uint64_t random_run(const defs::Sizes& sizes, unsigned seed, bool errors, bool tight = false) {
  std::mt19937 rng(seed);
  const unsigned e_count = sizes.dma_engines;
  const unsigned busy = rng() % 3 ? e_count : pick(rng, 1, e_count);
  Timing timing;
  timing.stall = rng() % 2 ? pick(rng, 0, 70) : 0;
  timing.hbm_latency = rng() % 2 ? defs::kHbmLatency : pick(rng, 1, 200);
  timing.sbuf_latency = pick(rng, 1, 20);
  timing.jitter = rng() % 2 ? pick(rng, 1, 100) : 0;
  Bench<Model> bench(sizes, seed, timing);
  Memory twin_memory;
  Twin twin(sizes, twin_memory);
  std::vector<unsigned> next(e_count), total(e_count);
  std::vector<Starts> starts(e_count);
  for (unsigned e = 0; e < busy; ++e) {
    const Ring ring = ring_of(e, pick(rng, 1, tight ? 20 : 6));
    total[e] = pick(rng, 1, tight ? 30 : 10);
    const bool bad = errors && rng() % 2;
    const unsigned bad_at = static_cast<unsigned>(rng() % ring.count);
    const unsigned at = pick(rng, 0, total[e] - 1);  // whose update, if it has one, is refused
    std::vector<bool> updates;                       // of the ring, then by serial
    Lists lists{.faults = errors};
    for (unsigned s = 0; s < total[e]; ++s)
      if (rng() % 3 == 0)
        starts[e][s] = {pick(rng, 0, 0xffffff), random_descriptor(sizes, rng, e, tight, &lists)};
    const auto make_bad = [&](Descriptor& d) {
      do spoil(rng, d);
      while (cmodel::check(sizes, {kChip, 0, e, kRingSize}, d) == ErrorCause::None);
    };
    if (bad && !starts[e].empty() && rng() % 2) make_bad(starts[e].rbegin()->second.descriptor);
    for (unsigned i = 0; i < ring.count; ++i) {
      Descriptor d = random_descriptor(sizes, rng, e, tight, &lists);
      if (bad && i == bad_at) make_bad(d);
      updates.push_back(d.update);
      store(bench.memory, ring, i, d);
      store(twin_memory, ring, i, d);
    }
    for (const auto& [addr, list] : lists.made)
      for (Memory* memory : {&bench.memory, &twin_memory})
        memory->write(addr, {reinterpret_cast<const std::uint8_t*>(list.data()), 4 * list.size()});
    bench.set_ring(e, ring);
    const auto started = starts[e].find(at);
    const auto position =
        at - static_cast<unsigned>(std::distance(starts[e].begin(), starts[e].lower_bound(at)));
    const bool is_start = started != starts[e].end();
    if (errors && !bad &&
        (is_start ? started->second.descriptor.update : updates[position % ring.count])) {
      bench.expected[e] = twin.run(e, ring, at + 1, starts[e]);
      if (bench.expected[e].cause == ErrorCause::None) {
        bench.refuse[e] = at;
        bench.expected[e].cause = ErrorCause::SemaphoreOverflow;
        bench.expected[e].error_pc = is_start ? cmodel::started_pc(started->second.pc) : position;
      }
    } else {
      bench.expected[e] = twin.run(e, ring, total[e], starts[e]);
    }
  }
  for (bool more = true; more && !testing::Test::HasFatalFailure();) {
    more = false;
    const unsigned e = static_cast<unsigned>(rng() % e_count);
    if (next[e] < total[e]) {
      const auto start = starts[e].lower_bound(next[e]);
      const unsigned until = start == starts[e].end() ? total[e] : start->first;
      const unsigned count = until == next[e] ? 1 : pick(rng, 1, until - next[e]);
      const std::uint64_t limit = bench.cycle + 400000;
      do {
        if (until == next[e])
          bench.start(e, start->second);
        else
          bench.trigger(e, count);
        bench.tick();
      } while (!bench.rung && bench.cycle < limit && !testing::Test::HasFatalFailure());
      next[e] += count;
    }
    for (unsigned wait = static_cast<unsigned>(rng() % 100) + 1; wait--;) bench.tick();
    for (unsigned n = 0; n < e_count; ++n) more |= next[n] != total[n];
  }
  bench.drain(400000);
  bench.expect_done();
  return bench.writes;
}

TEST(Dma, MatchesItsTwinUnderRandomTraffic) {
  std::uint64_t writes = 0;
  for (unsigned seed = 1; seed <= seeds(60) && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("mini seed {}", seed));
    writes += random_run<Vdma_mini>(defs::kMini, seed, false);
  }
  for (unsigned seed = 1; seed <= seeds(15) && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("inf2 seed {}", seed));
    writes += random_run<Vdma_inf2>(defs::kInf2, seed, false);
  }
  EXPECT_GT(writes, 90000u);
}

TEST(Dma, DescriptorsReadWhatOlderOnesWrote) {
  for (unsigned seed = 2001; seed <= 2000 + seeds(40) && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("mini seed {}", seed));
    random_run<Vdma_mini>(defs::kMini, seed, seed % 2, true);
  }
  for (unsigned seed = 2001; seed <= 2000 + seeds(20) && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("inf2 seed {}", seed));
    random_run<Vdma_inf2>(defs::kInf2, seed, seed % 2, true);
  }
}

TEST(Dma, ABadDescriptorOrARefusedUpdateStopsOnlyItsEngine) {
  for (unsigned seed = 1001; seed <= 1000 + seeds(60) && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("mini seed {}", seed));
    random_run<Vdma_mini>(defs::kMini, seed, true);
  }
  for (unsigned seed = 1001; seed <= 1000 + seeds(10) && !HasFatalFailure(); ++seed) {
    SCOPED_TRACE(fmt::format("inf2 seed {}", seed));
    random_run<Vdma_inf2>(defs::kInf2, seed, true);
  }
}

}  // namespace
