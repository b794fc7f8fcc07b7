// SPDX-License-Identifier: Apache-2.0
// Which engine of the scenario `errors` meets its illegal item where.
#pragma once
#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "rtl/defs/gen/defs.h"
#include "tb/scenarios/numbers.h"
#include "tb/scenarios/scenario.h"

namespace tb {

constexpr unsigned kWork = 6;     ///< items of an engine
constexpr unsigned kColumns = 8;  ///< of an item
constexpr unsigned kBytes = 256;  ///< of data in a partition; of an item of a DMA engine
constexpr unsigned kItemRows = 4, kItemRowBytes = kBytes / kItemRows;  ///< of the latter
constexpr unsigned kLate = 2, kLateBytes = 64;  ///< notifications of a full semaphore
constexpr unsigned kFills = 3;                  ///< doorbells before the work

/// The data of all cores, row by row.
std::vector<std::vector<std::uint16_t>> errors_data(const ScenarioArgs& args);

inline defs::Engine dma_engine(unsigned index) {
  return static_cast<defs::Engine>(static_cast<unsigned>(defs::Engine::Dma0) + index);
}

/// Who stops at which item, and so what is done.
class ErrorPlan {
 public:
  explicit ErrorPlan(const ScenarioArgs& args);

  enum class Way {
    Written,  ///< it stands in the item
    Control,  ///< a load or branch stands in its place
    Turn,     ///< items are turns of a loop, registers make one of them illegal
  };
  struct Spot {
    unsigned index;  ///< of the illegal item; kWork, bells(): END is missing
    defs::ErrorCause cause;
    Way way;
    unsigned rows = 0;  ///< that are moved before an index that is out of bounds
  };
  using Key = std::array<unsigned, 3>;  ///< chip, core, engine
  const std::map<Key, Spot>& spots() const { return spots_; }

  /// Items that are done, their update included; with `written`, their writes at least.
  unsigned done(unsigned chip, unsigned core, defs::Engine engine, bool written) const;
  /// Does it get as far as its illegal item?
  bool stops(const Key& key) const;
  /// How often an engine or a receiver reports an error.
  unsigned stopping() const;
  unsigned bells() const { return bells_; }
  /// The DMA engine of that bell.
  unsigned rung_by(unsigned bell) const { return 1 + bell % (dmas() - 1); }
  /// Does the sync engine come round to the items of DMA engines in a loop?
  bool looped(unsigned chip, unsigned core) const { return loops_.at({chip, core}); }
  /// Is an item of a DMA engine a DmaStart? In a loop, all or none.
  bool started(unsigned chip, unsigned core, unsigned dma, unsigned item) const {
    return starts_.at({chip, core, dma}) >> item & 1;
  }
  /// Where such an item is: among descriptors of the ring, or in the sync engine's line.
  std::uint32_t pc_of(const Key& key, unsigned index) const;
  /// The core whose sync engine never stops.
  unsigned witness(unsigned chip) const { return (chip + args_.seed) % defs::kCores; }
  /// Its semaphore is full when the next chip notifies it.
  bool brims(unsigned chip) const { return chip % 3 == args_.seed % 3 && args_.chips > 1; }
  unsigned dmas() const { return args_.sizes.dma_engines; }

 private:
  void add(unsigned chip, unsigned core, defs::Engine engine, unsigned index,
           defs::ErrorCause cause, Way way = Way::Written) {
    if (cause != defs::ErrorCause::None)
      spots_[{chip, core, static_cast<unsigned>(engine)}] = {index, cause, way};
  }
  const ScenarioArgs& args_;
  unsigned bells_;
  /// Items that it would do.
  unsigned asked(unsigned chip, unsigned core, defs::Engine engine) const;
  void plan_copies(unsigned chip, unsigned core, Random& random);
  std::map<Key, Spot> spots_;
  std::map<std::array<unsigned, 2>, bool> loops_;  ///< by chip, core
  std::map<Key, unsigned> starts_;                 ///< by chip, core, DMA engine: bits of items
};

}  // namespace tb
