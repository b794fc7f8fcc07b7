// SPDX-License-Identifier: Apache-2.0
// Watches bytes of a chip's memories cycle by cycle: do they hold what was written?
#pragma once
#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "cmodel/analysis/liveness.h"
#include "tb/dut/chip.h"

namespace tb {

/// A byte that did not hold what the commits say.
struct WatchFinding {
  enum class Kind : std::uint8_t {
    Upset,     ///< changed and nobody wrote it
    LostWrite  ///< written and it did not change
  };
  Kind kind = Kind::Upset;
  cmodel::Cell cell;
  std::uint64_t cycle = 0;  ///< of the change, or of the write's commit
  std::uint8_t expected = 0, actual = 0;
};

/// SBUF, PSUM or HBM of one chip, through the probe and the commits of the RTL itself.
class Watch {
 public:
  /// All cells on `chip`. It looks from now, core cycle `since`, until core cycle `until`.
  Watch(Chip& chip, std::uint64_t since, std::vector<cmodel::Cell> cells, std::uint64_t until);

  /// After the run: the earliest finding.
  std::optional<WatchFinding> finding() const;
  /// Need nobody look further back? So if every byte was written while it was watched: what it held
  /// before that is no matter. A change is only one by nobody if the writes that could still have
  /// been on their way are known.
  bool certain() const;

 private:
  using Timed = std::pair<std::uint64_t, std::uint8_t>;  ///< core cycle, value
  struct Watched {
    cmodel::Cell cell;
    Register memory;  ///< not for HBM
    std::size_t element = 0;
    unsigned lsb = 0;
    std::vector<Timed> values;  ///< changes; the first is the power-on value
    std::vector<Timed> writes;
  };
  void look(Chip& chip, std::uint64_t cycle);
  static std::uint8_t value(const Watched& watched, const Chip& chip);
  static std::uint8_t at(const Watched& watched, std::uint64_t cycle);

  std::vector<Watched> watched_;
  std::uint64_t since_, until_;
  std::uint64_t seen_;  ///< commits
};

}  // namespace tb
