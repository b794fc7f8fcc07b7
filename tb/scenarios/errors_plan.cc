// SPDX-License-Identifier: Apache-2.0
#include "tb/scenarios/errors_plan.h"

#include <algorithm>
#include <vector>

#include "cmodel/machine/commit.h"

namespace tb {
namespace {

using defs::Engine;
using defs::ErrorCause;

// None: this engine stays whole. OutOfBounds: now and then a stream without END.
constexpr std::array kComputeCauses{
    ErrorCause::UnknownOpcode, ErrorCause::ReservedBits,      ErrorCause::BadOperand,
    ErrorCause::BadFormat,     ErrorCause::BadPartition,      ErrorCause::BadShape,
    ErrorCause::OutOfBounds,   ErrorCause::SemaphoreOverflow, ErrorCause::Misaligned,
    ErrorCause::None,          ErrorCause::SemaphoreOverflow, ErrorCause::UnmappedAddress,
    ErrorCause::Forbidden};
constexpr std::array kSyncCauses{ErrorCause::UnknownOpcode, ErrorCause::ReservedBits,
                                 ErrorCause::BadShape,      ErrorCause::SemaphoreOverflow,
                                 ErrorCause::QueueOverflow, ErrorCause::OutOfBounds,
                                 ErrorCause::Misaligned,    ErrorCause::UnmappedAddress,
                                 ErrorCause::Forbidden,     ErrorCause::None};
constexpr std::array kDmaCauses{ErrorCause::ReservedBits,    ErrorCause::Misaligned,
                                ErrorCause::UnmappedAddress, ErrorCause::BadDescriptor,
                                ErrorCause::BadDestination,  ErrorCause::SemaphoreOverflow,
                                ErrorCause::BadFormat,       ErrorCause::Forbidden,
                                ErrorCause::OutOfBounds,     ErrorCause::None};

/// Any of those by which `cause` can come about at this item.
ErrorPlan::Way any_way(Engine engine, ErrorCause cause, unsigned index, Random& random) {
  const bool sync = engine == Engine::Sync, bounds = cause == ErrorCause::OutOfBounds;
  const bool of_a_load = cause == ErrorCause::UnmappedAddress || cause == ErrorCause::Forbidden;
  const bool loads = of_a_load || cause == ErrorCause::Misaligned;
  const bool looped = engine != Engine::Tensor || index > 0;  // 0: the stationary tile
  std::vector<ErrorPlan::Way> ways;
  if (!of_a_load && !(sync && (loads || bounds))) ways.push_back(ErrorPlan::Way::Written);
  if (loads || bounds) ways.push_back(ErrorPlan::Way::Control);
  if (looped && (loads || (!sync && (bounds || cause == ErrorCause::BadShape))))
    ways.push_back(ErrorPlan::Way::Turn);
  return ways[random.between(0, static_cast<unsigned>(ways.size()) - 1)];
}

}  // namespace

std::vector<std::vector<std::uint16_t>> errors_data(const ScenarioArgs& args) {
  Random random(args.seed, "errors data");
  std::vector<std::vector<std::uint16_t>> data(args.chips * defs::kCores);
  for (auto& values : data) {
    values.resize(std::size_t{args.sizes.partitions} * kBytes / 2);
    for (auto& v : values) v = random.bf16();
  }
  return data;
}

ErrorPlan::ErrorPlan(const ScenarioArgs& args) : args_(args), bells_(kWork * (dmas() - 1)) {
  Random random(args.seed, "errors"), ways(args.seed, "errors ways");
  const auto turn = [&](const auto& causes, std::uint64_t n) {
    return causes[(args.seed + n) % causes.size()];
  };
  for (unsigned chip = 0; chip < args.chips; ++chip)
    for (unsigned core = 0; core < defs::kCores; ++core) {
      const unsigned k = chip * defs::kCores + core;
      for (const auto engine : {Engine::Tensor, Engine::Vector, Engine::Act}) {
        const auto cause = turn(kComputeCauses, k + 3 * static_cast<unsigned>(engine));
        const bool endless = cause == ErrorCause::OutOfBounds && random.one_in(3);
        const unsigned index = endless ? kWork : random.between(0, kWork - 1);
        add(chip, core, engine, index, cause,
            endless ? Way::Written : any_way(engine, cause, index, ways));
      }
      if (core != witness(chip)) {
        const auto cause = turn(kSyncCauses, chip);
        const bool endless = cause == ErrorCause::OutOfBounds && ways.one_in(2);
        const unsigned index = endless ? bells_ : random.between(0, bells_ - 1);
        add(chip, core, Engine::Sync, index, cause,
            endless ? Way::Written : any_way(Engine::Sync, cause, index, ways));
      }
      for (unsigned e = 1; e < dmas(); ++e)
        add(chip, core, dma_engine(e), random.between(0, kWork - 1), turn(kDmaCauses, k + e));
      plan_copies(chip, core, ways);
    }
}

void ErrorPlan::plan_copies(unsigned chip, unsigned core, Random& random) {
  const auto sync = spots_.find({chip, core, static_cast<unsigned>(Engine::Sync)});
  const bool stops = sync != spots_.end();
  const bool loops = stops ? sync->second.way == Way::Turn : random.one_in(3);
  loops_[{chip, core}] = loops;
  for (unsigned e = 1; e < dmas(); ++e) {
    const auto at = spots_.find({chip, core, static_cast<unsigned>(dma_engine(e))});
    Spot* spot = at == spots_.end() ? nullptr : &at->second;
    if (spot && spot->cause == ErrorCause::OutOfBounds)
      spot->rows = random.between(0, kItemRows - 1);
    unsigned& items = starts_[{chip, core, e}];
    if (loops) {
      constexpr std::array kOfRegisters{ErrorCause::Misaligned, ErrorCause::UnmappedAddress,
                                        ErrorCause::BadDescriptor, ErrorCause::OutOfBounds};
      const bool can = !spot || std::ranges::count(kOfRegisters, spot->cause);
      if (!can || random.one_in(3)) continue;
      items = (1u << kWork) - 1;
      if (spot) spot->way = Way::Turn;
      continue;
    }
    items = random.between(0, (1u << kWork) - 1);
    // A DmaStart has no count, its update is the copy's, and its field names sixteen engines.
    if (stops && sync->second.index < bells_ && rung_by(sync->second.index) == e &&
        (sync->second.cause == ErrorCause::BadShape ||
         sync->second.cause == ErrorCause::SemaphoreOverflow ||
         (sync->second.cause == ErrorCause::QueueOverflow && dmas() == 16)))
      items &= ~(1u << sync->second.index / (dmas() - 1));
  }
}

std::uint32_t ErrorPlan::pc_of(const Key& key, unsigned index) const {
  const auto engine = static_cast<Engine>(key[2]);
  if (engine < Engine::Sync) return index;
  if (engine == Engine::Sync) return kFills + index;
  const unsigned e = key[2] - static_cast<unsigned>(Engine::Dma0);
  if (started(key[0], key[1], e, index))
    return cmodel::started_pc(kFills + index * (dmas() - 1) + e - 1);
  unsigned before = 0;
  for (unsigned i = 0; i < index; ++i) before += !started(key[0], key[1], e, i);
  return before;
}

unsigned ErrorPlan::asked(unsigned chip, unsigned core, Engine engine) const {
  if (engine < Engine::Dma0) return engine == Engine::Sync ? bells_ : kWork;
  const unsigned e = static_cast<unsigned>(engine) - static_cast<unsigned>(Engine::Dma0);
  const unsigned bells = done(chip, core, Engine::Sync, true);
  return (bells + dmas() - 1 - e) / (dmas() - 1);  // bell n rings DMA 1 + n % (dmas - 1)
}

unsigned ErrorPlan::done(unsigned chip, unsigned core, Engine engine, bool written) const {
  const unsigned all = asked(chip, core, engine);
  const auto it = spots_.find({chip, core, static_cast<unsigned>(engine)});
  if (it == spots_.end()) return all;
  const bool overflow = it->second.cause == ErrorCause::SemaphoreOverflow;
  return std::min(all, it->second.index + (written && overflow));
}

bool ErrorPlan::stops(const Key& key) const {
  const auto engine = static_cast<Engine>(key[2]);
  return engine < Engine::Dma0 || asked(key[0], key[1], engine) > spots_.at(key).index;
}

unsigned ErrorPlan::stopping() const {
  unsigned count = 0;
  for (const auto& [key, spot] : spots_) count += stops(key);
  for (unsigned chip = 0; chip < args_.chips; ++chip) count += brims(chip) ? kLate : 0;
  return count;
}

}  // namespace tb
