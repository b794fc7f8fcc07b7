// SPDX-License-Identifier: Apache-2.0
// Holds a lane engine in RTL against the table of what its instructions cost, and records figures.
#pragma once
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "tb/unit/rtl/bubble.h"
#include "tb/unit/rtl/figure.h"
#include "tb/unit/rtl/lane_costs.h"
#include "tb/unit/rtl/lane_engine_bench.h"

namespace tb {

template <class Config>
class LaneCostBench : public LaneEngineBench<Config> {
 protected:
  using Base = LaneEngineBench<Config>;
  static constexpr unsigned kTiny = 64, kLong = 512;

  /// `costs(n)`: the engine's table for n elements. Figures: of inf2, whose sizes are those
  /// published.
  void expect_costs(auto&& costs) {
    for (const unsigned n : {kTiny, kLong}) {
      if (n > Base::kSizes.psum_cols) continue;
      for (const LaneCost& cost : costs(LaneCosts(Base::kSizes, n))) {
        if (n == kLong && cost.elements() < n) continue;  // of a size of its own
        SCOPED_TRACE(fmt::format("{} {} of {}", cost.name(), cost.formats(), n));
        expect_cost(cost);
        if (Base::HasFatalFailure()) return;
      }
    }
    if (!kPublished) return;
    record(independent_.figure(to_string(Config::engine)));
    record(dependent_.figure(to_string(Config::engine)));
  }

 private:
  static constexpr bool kPublished = Base::kP == defs::kInf2.partitions;

  /// Four in a row: cycles from one end to the next, always the same.
  std::uint64_t interval(const std::vector<defs::Instr>& four) {
    this->reset();
    this->read_cycles.clear();
    this->done_cycles.clear();
    this->run(four, 0);
    if (this->done_cycles.size() != 4) return 0;
    const auto cycles = this->done_cycles[1] - this->done_cycles[0];
    for (unsigned i = 2; i < 4; ++i)
      EXPECT_EQ(this->done_cycles[i] - this->done_cycles[i - 1], cycles);
    return cycles;
  }
  void expect_cost(const LaneCost& cost) {
    const auto& instr = cost.instr;
    ASSERT_EQ(to_string(cmodel::instr_faults(Base::kSizes, instr, Config::engine).first_cause()),
              to_string(defs::ErrorCause::None));
    const unsigned n = cost.elements(), cycles = cost.cycles.of(n), reads = cost.reads;
    const auto measured = interval(std::vector<defs::Instr>(4, instr));
    ASSERT_EQ(measured, cycles);
    if (n) EXPECT_EQ(this->done_cycles[0], 3 + cycles - 1) << "accepted in cycle 0";
    ASSERT_EQ(this->read_cycles.size(), 4 * reads);
    for (unsigned i = 0; i < 4 && reads; ++i)
      EXPECT_EQ(this->read_cycles[i * reads], i ? this->done_cycles[i - 1] + 1 : 3u);
    note(independent_, cost, measured);
    // Each reads what the one before has written.
    if (instr.src0.space && instr.src0.space == instr.dst.space) {
      auto back = instr;
      std::swap(back.src0.offset, back.dst.offset);
      const auto dependent = interval({instr, back, instr, back});
      EXPECT_EQ(dependent, cycles);
      note(dependent_, cost, dependent);
    }
    if (cost.published && kPublished) expect_published(cost, measured);
  }
  static void note(Bubble& bubble, const LaneCost& cost, std::uint64_t measured) {
    if (cost.published)
      bubble.note(static_cast<double>(measured - cost.cycles.busy(cost.elements())), cost.name());
  }
  /// Not slower than published by more than 2 % and what the table states as fixed.
  void expect_published(const LaneCost& cost, std::uint64_t measured) {
    const unsigned n = cost.elements(), published = cost.published->of(n),
                   fixed = cost.cycles.fixed;
    const auto name = fmt::format("{}: {}, N {}", cost.name(), cost.formats(), n);
    EXPECT_TRUE(names_.insert(name).second) << name << " is in the table twice";
    const double share = (static_cast<double>(measured) - fixed) / published;
    expect({.name = name,
            .unit = "cycles",
            .measured = static_cast<double>(measured),
            .limit = 1.02 * published + fixed,
            .at_least = false,
            .details = {{"instruction", cost.name()},
                        {"engine", to_string(Config::engine)},
                        {"formats", cost.formats()},
                        {"size", fmt::format("N {}, {} partitions", n, Base::kP)},
                        {"formula", cost.cycles.text()},
                        {"published_formula", cost.published->text()},
                        {"published", published},
                        {"fixed", fixed},
                        {"share", std::round(share * 1e4) / 1e4}}});
  }

  Bubble independent_{false}, dependent_{true};
  std::set<std::string> names_;
};

}  // namespace tb
