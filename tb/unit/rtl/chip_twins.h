// SPDX-License-Identifier: Apache-2.0
// One whole chip (mini) and the golden model on the same program, for tests that compare them.
#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "Vchip_mini.h"
#include "cmodel/board/board.h"
#include "tb/unit/rtl/chip_bench.h"

namespace tb {

using MiniChip = ChipBench<Vchip_mini, defs::kMini.line_bytes, defs::kMini.hbm_line_cycles>;

inline std::string describe_commit(const cmodel::Commit& c) {
  return fmt::format("kind {} core {} engine {} pc {} addr {:#x} first {} count {} delta {}",
                     static_cast<int>(c.kind), c.stream.core, c.stream.engine, c.pc, c.addr,
                     c.first, c.count, c.delta);
}

inline void expect_equal(const auto& expected, const auto& actual, const char* what) {
  EXPECT_EQ(expected.size(), actual.size()) << what << ": streams";
  for (const auto& [stream, want] : expected) {
    const auto it = actual.find(stream);
    ASSERT_NE(it, actual.end()) << what << ": core " << +stream.core << " engine " << +stream.engine
                                << " is silent";
    for (std::size_t i = 0; i < std::min(want.size(), it->second.size()); ++i) {
      ASSERT_EQ(want[i], it->second[i])
          << what << " " << i << "\n  want " << describe_commit(want[i].commit) << "\n  got  "
          << describe_commit(it->second[i].commit);
    }
    EXPECT_EQ(want.size(), it->second.size())
        << what << " of core " << +stream.core << " engine " << +stream.engine;
  }
}

/// Runs `program` on both sides and compares every commit and what the host reads back.
struct Twins {
  explicit Twins(const cmodel::Program& program, unsigned power_on_seed = 1)
      : board(defs::kMini, program, model), bench(&rtl, 0, power_on_seed) {
    board.load();
    finished = board.run();
    bench.load(program);
    EXPECT_TRUE(bench.run()) << "not quiet";
    for (const auto& region : program.regions)
      for (unsigned at = 0; at < region.bytes; at += 64) bench.read(region.addr + at, 64);
    EXPECT_TRUE(bench.run());
    std::size_t next = 0;
    for (const auto& region : program.regions) {
      for (unsigned at = 0; at < region.bytes; at += 64) {
        std::vector<std::uint8_t> expected(64);
        board.read(region.chip, region.addr + at, expected);
        EXPECT_EQ(bench.read_data.at(next++), expected) << region.name << " + " << at;
      }
    }
  }
  void compare() {
    expect_equal(model.writes, rtl.writes, "write");
    expect_equal(model.updates, rtl.updates, "update");
  }
  unsigned count(defs::HostKind kind) const {
    unsigned n = 0;
    for (const auto& event : bench.events) n += event.kind == static_cast<unsigned>(kind);
    return n;
  }
  CommitLists model, rtl;
  cmodel::Board board;
  MiniChip bench;
  bool finished = false;
};

}  // namespace tb
