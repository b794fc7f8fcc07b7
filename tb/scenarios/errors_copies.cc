// SPDX-License-Identifier: Apache-2.0
#include "tb/scenarios/errors_copies.h"

#include <fmt/format.h>

#include <array>

#include "cmodel/machine/commit.h"

namespace tb {
namespace {

using cmodel::Block;
using cmodel::Register;
using defs::Engine;
using defs::ErrorCause;

constexpr unsigned kListBytes = 4 * kItemRows;
constexpr std::array<std::uint32_t, 5> kBeyond{kItemRows, kItemRows + 1, 0x10000, 0x7fffffff,
                                               0xffffffff};

class Writer {
 public:
  Writer(cmodel::Assembler& assembler, const ErrorPlan& plan, unsigned chip, unsigned core,
         const Block& data, const std::vector<Block>& outs, const Edge& edge, Random& random,
         Stops& stops)
      : plan_(plan),
        chip_(chip),
        c_(core),
        core_(assembler.core(chip, core)),
        sync_(core_.sync()),
        data_(data),
        outs_(outs),
        edge_(edge),
        random_(random),
        stops_(stops) {
    // One good list, then one for each engine.
    std::vector<std::uint32_t> lists;
    for (unsigned e = 0; e < plan.dmas(); ++e) {
      for (unsigned row = 0; row < kItemRows; ++row) lists.push_back(row);
      if (const auto* spot = spot_of(e); spot && e > 0 && spot->cause == ErrorCause::OutOfBounds)
        lists[kItemRows * e + spot->rows] = kBeyond[random.between(0, kBeyond.size() - 1)];
    }
    lists_ =
        assembler.data(chip, core, fmt::format("lists{}", core), kListBytes, plan.dmas(),
                       {reinterpret_cast<const std::uint8_t*>(lists.data()), 4 * lists.size()});
    for (unsigned e = 0; e < plan.dmas(); ++e) scatters_.push_back(random.one_in(2));
  }

  void line() {
    for (unsigned bell = 0; bell < plan_.bells(); ++bell) {
      const unsigned e = plan_.rung_by(bell), item = bell / (plan_.dmas() - 1);
      const auto* spot = spot_of(e);
      const bool bad = spot && spot->index == item && spot->cause == ErrorCause::OutOfBounds;
      const bool listed = bad || random_.one_in(2);
      const cmodel::Rows how = listed ? list(e, bad ? e : 0) : cmodel::Rows{};
      if (plan_.started(chip_, c_, e, item))
        sync_.start(e, rows(data_, item), rows(outs_[e - 1], item), {.how = how});
      else
        sync_.copy(e, rows(data_, item), rows(outs_[e - 1], item), how);
    }
  }

  void loop() {
    for (unsigned e = 1; e < plan_.dmas(); ++e) {
      if (plan_.started(chip_, c_, e, 0)) continue;
      const auto* spot = spot_of(e);
      for (unsigned item = 0; item < kWork; ++item) {
        const bool bad = spot && spot->index == item && spot->cause == ErrorCause::OutOfBounds;
        core_.dma(e).copy(rows(data_, item), rows(outs_[e - 1], item),
                          bad ? list(e, e) : cmodel::Rows{});
      }
    }
    for (auto* r : {&source_, &target_, &count_, &index_, &last_, &address_}) *r = sync_.reg();
    sync_.loop(kWork, [&](Register turn) {
      for (unsigned e = 1; e < plan_.dmas(); ++e) turn_of(e, turn);
    });
  }

 private:
  const ErrorPlan::Spot* spot_of(unsigned e) const { return spot(dma_engine(e)); }
  const ErrorPlan::Spot* spot(Engine engine) const {
    const auto found = plan_.spots().find(key(engine));
    return found == plan_.spots().end() ? nullptr : &found->second;
  }
  ErrorPlan::Key key(Engine engine) const { return {chip_, c_, static_cast<unsigned>(engine)}; }
  /// An item, by rows.
  static Block rows(const Block& block, unsigned item) {
    return {block.chip, block.row_addr(item), kItemRowBytes, kItemRows, kItemRowBytes};
  }
  cmodel::Rows list(unsigned e, unsigned which) const {
    const Block block = lists_.row_range(which, 1);
    if (scatters_[e]) return {.scatter = block};
    return {.gather = block};
  }

  void turn_of(unsigned e, Register turn) {
    const auto only_in = [&](unsigned item, auto&& body) {
      const auto others = sync_.ahead();
      sync_.set(last_, item);
      sync_.branch(defs::Condition::Ne, turn, last_, others);
      body();
      sync_.place(others);
    };
    const auto* sync = spot(Engine::Sync);
    if (sync && plan_.rung_by(sync->index) == e) {
      sync_.set(address_, 0);
      only_in(sync->index / (plan_.dmas() - 1),
              [&] { set_illegal_address(sync_, address_, sync->cause, random_); });
      sync_.load(last_, sync->cause == ErrorCause::Forbidden ? edge_.others : edge_.mine, address_);
      stops_[key(Engine::Sync)] = {static_cast<std::uint32_t>(sync_.size()) - 1,
                                   sync->index / (plan_.dmas() - 1) + 1};
    }
    if (!plan_.started(chip_, c_, e, 0)) {
      sync_.trigger(e);
      return;
    }
    sync_.alu(defs::RegOp::Mul, source_, turn, sync_.zero(), kBytes);
    sync_.alu(defs::RegOp::Mul, target_, turn, sync_.zero(), kBytes);
    sync_.set(count_, kItemRows);
    sync_.set(index_, 0);
    const auto* spot = spot_of(e);
    const bool bounds = spot && spot->cause == ErrorCause::OutOfBounds;
    const bool listed = bounds || random_.one_in(2);
    if (spot) only_in(spot->index, [&] { make_illegal(e, spot->cause, listed); });
    cmodel::Started more{.src = source_, .dst = target_, .rows = count_};
    if (listed) more.how = list(e, 0), more.index = index_;
    sync_.start(e, rows(data_, 0), rows(outs_[e - 1], 0), more);
    if (spot)
      stops_[key(dma_engine(e))] = {
          cmodel::started_pc(static_cast<std::uint32_t>(sync_.size()) - 1), spot->index + 1};
  }

  void make_illegal(unsigned e, ErrorCause cause, bool listed) {
    const Register place = listed && random_.one_in(2) ? index_
                           : random_.one_in(2)         ? source_
                                                       : target_;
    switch (cause) {
      case ErrorCause::Misaligned:
        return sync_.add(place, random_.between(1, 3));
      case ErrorCause::UnmappedAddress:  // before the first byte of its stack
        return sync_.set(place, 0x80000000 + 4 * random_.between(0, 1u << 20));
      case ErrorCause::OutOfBounds:
        return sync_.set(index_, kListBytes * e);
      default:  // BadDescriptor
        return sync_.set(count_, random_.one_in(2) ? 0 : 65536 + random_.between(0, 65535));
    }
  }

  const ErrorPlan& plan_;
  unsigned chip_, c_;
  cmodel::Core& core_;
  cmodel::SyncStream& sync_;
  const Block& data_;
  const std::vector<Block>& outs_;
  const Edge& edge_;
  Random& random_;
  Stops& stops_;
  Block lists_;
  std::vector<bool> scatters_;  ///< by engine: its lists name rows of the destination
  Register source_, target_, count_, index_, last_, address_;
};

}  // namespace

void write_copies(cmodel::Assembler& assembler, const ErrorPlan& plan, unsigned chip, unsigned core,
                  const Block& data, const std::vector<Block>& outs, const Edge& edge,
                  Random& random, Stops& stops) {
  Writer writer(assembler, plan, chip, core, data, outs, edge, random, stops);
  if (plan.looped(chip, core))
    writer.loop();
  else
    writer.line();
}

}  // namespace tb
