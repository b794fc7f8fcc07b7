// SPDX-License-Identifier: Apache-2.0
// What the scenario `errors` leaves in HBM.
#include "tb/scenarios/errors_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <span>
#include <string>

#include "tb/scenarios/errors.h"
#include "tb/scenarios/errors_plan.h"
#include "tb/scenarios/numbers.h"

namespace tb {
namespace {

using defs::Engine;

/// fp32 that item `i` of vector or activation engine makes of a row of data.
float result_of(Engine engine, std::span<const std::uint16_t> row, unsigned i, unsigned column) {
  const float left = float_of(row[column]), right = float_of(row[i + column]);
  if (engine == Engine::Act) return right > 0 ? right : 0.0f;
  return i % 2 ? left + right : right;
}

}  // namespace

ScenarioResult check_errors(const ScenarioArgs& args, const cmodel::Program& program,
                            RegionBytes regions) {
  const ErrorPlan plan(args);
  const auto values = errors_data(args);
  const unsigned p = args.sizes.partitions, row_values = kBytes / 2;
  ScenarioResult result;
  unsigned done_items = 0;
  const auto expect = [&](bool equal, const std::string& region, unsigned item, bool done) {
    done_items += done;
    if (!equal && result.failure.empty())
      result.failure = fmt::format("region {}: item {} {}", region, item,
                                   done ? "was not done, or wrongly" : "was done behind the stop");
  };
  for (unsigned chip = 0; chip < args.chips; ++chip) {
    for (unsigned c = 0; c < defs::kCores; ++c) {
      const std::span<const std::uint16_t> data = values[chip * defs::kCores + c];
      for (const auto engine : {Engine::Vector, Engine::Act}) {
        const auto name = fmt::format("{}{}.{}", engine == Engine::Act ? "a" : "v", chip, c);
        const auto& bytes = region_bytes(program, regions, name);
        const unsigned done = plan.done(chip, c, engine, false);
        for (unsigned i = 0; i < kWork; ++i) {
          bool equal = true;
          for (unsigned row = 0; row < p; ++row)
            for (unsigned j = 0; j < kColumns; ++j) {
              const float want =
                  i < done ? result_of(engine, data.subspan(row * row_values, row_values), i, j)
                           : 0.0f;
              const float got = float_at(bytes, 4 * ((row * kWork + i) * kColumns + j));
              equal &= std::bit_cast<std::uint32_t>(want) == std::bit_cast<std::uint32_t>(got);
            }
          expect(equal, name, i, i < done);
        }
      }
      for (unsigned e = 1; e < plan.dmas(); ++e) {
        const auto name = fmt::format("d{}.{}.{}", chip, c, e);
        const auto& bytes = region_bytes(program, regions, name);
        const auto engine = dma_engine(e);
        const unsigned written = plan.done(chip, c, engine, true);
        const auto spot = plan.spots().find({chip, c, static_cast<unsigned>(engine)});
        for (unsigned i = 0; i < kWork; ++i) {
          std::array<std::uint8_t, kBytes> want{};
          unsigned bytes_done = i < written ? kBytes : 0;
          if (spot != plan.spots().end() && i == spot->second.index && plan.stops(spot->first))
            bytes_done = std::max(bytes_done, spot->second.rows * kItemRowBytes);
          std::memcpy(want.data(), &data[i * row_values], bytes_done);
          expect(std::memcmp(want.data(), &bytes[i * kBytes], kBytes) == 0, name, i, i < written);
        }
      }
    }
    if (!plan.brims(chip)) continue;
    const auto name = fmt::format("late{}", chip);
    const auto& bytes = region_bytes(program, regions, name);
    const auto& sent = values[(chip + 1) % args.chips * defs::kCores];
    for (unsigned row = 0; row < kLate; ++row)
      expect(std::memcmp(&bytes[row * kLateBytes], &sent[row * row_values], kLateBytes) == 0, name,
             row, true);
  }
  result.passed = result.failure.empty();
  result.metrics["stops"] = plan.stopping();
  result.metrics["items_done"] = done_items;
  return result;
}

}  // namespace tb
