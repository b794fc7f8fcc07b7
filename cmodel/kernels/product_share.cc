// SPDX-License-Identifier: Apache-2.0
#include "cmodel/kernels/product_share.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "cmodel/machine/address_map.h"

namespace cmodel {
namespace {

class Sharing {
 public:
  Sharing(Assembler& assembler, const SharedOperand& operand)
      : assembler_(assembler), o_(operand), views_(operand.cores.size(), {operand.dtype, {}}) {
    for (const Core* core : o_.cores)
      if (members_.empty() || members_.back() != core->chip()) members_.push_back(core->chip());
  }

  std::vector<ProductOperand> write() {
    if (members_.size() > 1) wait_for_tiles();
    const unsigned p = assembler_.sizes().partitions;
    for (unsigned t = 0; t * p < o_.k; ++t) {
      const unsigned rows = std::min(p, o_.k - t * p), half = (rows + 1) / 2;
      for (auto& view : views_) view.tiles.emplace_back();
      const Places upper = place(t, 0, t * p, half);
      if (rows > 1) {
        send(t, 0, upper);
        send(t, 1, place(t, 1, t * p + half, rows - half));
      } else {  // both send, as ever: half of the row
        const unsigned bytes = upper.begin()->second.row_bytes / 2;
        for (const unsigned part : {0u, 1u}) {
          Places places = upper;
          for (auto& [chip, block] : places) block = block.byte_range(part * bytes, bytes);
          send(t, part, places);
        }
      }
    }
    for (const auto& [sender, copies] : copies_) {
      const auto [chip, core, engine] = sender;
      assembler_.core(chip, core).sync().trigger(engine, copies);
    }
    return views_;
  }

 private:
  using Places = std::map<unsigned, Block>;  ///< by chip

  unsigned owner(unsigned tile) const { return tile % static_cast<unsigned>(members_.size()); }

  /// Rows of a K tile on all chips, from the host on one.
  Places place(unsigned tile, unsigned stack, unsigned first, unsigned rows) {
    const auto width = static_cast<unsigned>(round_up(
        std::uint64_t{o_.columns} * element_bytes(o_.dtype), assembler_.sizes().line_bytes));
    const std::string name = fmt::format("{}.{}", o_.name, first);
    Places at;
    for (const unsigned chip : members_)
      at[chip] = chip == members_[owner(tile)]
                     ? assembler_.data(chip, stack, name, width, rows, o_.bytes(first, rows, width))
                     : assembler_.hbm(chip, stack, name, width, rows);
    for (std::size_t i = 0; i < views_.size(); ++i)
      views_[i].tiles.back().push_back(at.at(o_.cores[i]->chip()));
    return at;
  }

  /// From the one chip to the others, the next ones on the ring first, in both directions.
  void send(unsigned tile, unsigned half, const Places& at) {
    const auto members = static_cast<unsigned>(members_.size());
    for (unsigned i = 1; i < members; ++i) {
      const unsigned step = i % 2 ? (i + 1) / 2 : members - i / 2,
                     to = (owner(tile) + step) % members, source = members_[owner(tile)],
                     engine = o_.engines[i % o_.engines.size()];
      assembler_.core(source, half)
          .dma(engine)
          .copy(at.at(source), at.at(members_[to]))
          .notify(arrived_.at({to, owner(tile), half}));
      ++copies_[{source, half, engine}];
    }
  }

  /// Each source and half has a semaphore on each chip: what one core sends comes in order.
  void wait_for_tiles() {
    const auto members = static_cast<unsigned>(members_.size());
    for (unsigned me = 0; me < members; ++me) {
      std::vector<std::size_t> mine;
      for (std::size_t i = 0; i < views_.size(); ++i)
        if (o_.cores[i]->chip() == members_[me]) mine.push_back(i);
      Core& first = *o_.cores[mine[0]];
      std::optional<Semaphore> pass_on;
      if (mine.size() > 1) pass_on = o_.cores[mine[1]]->semaphore(o_.name + " passed on");
      for (unsigned from = 0; from < members; ++from) {
        ProductOperand::Arrival arrival, passed;
        if (from != me) {
          for (const unsigned half : {0u, 1u}) {
            const auto name = fmt::format("{} from {} half {}", o_.name, members_[from], half);
            arrived_[{me, from, half}] = first.semaphore(name);
            arrival.each.push_back(arrived_[{me, from, half}]);
          }
          arrival.pass_on = pass_on;
          if (pass_on) passed.each.push_back(*pass_on);
        }
        views_[mine[0]].arrivals.push_back(arrival);
        if (pass_on) views_[mine[1]].arrivals.push_back(passed);
      }
    }
  }

  Assembler& assembler_;
  const SharedOperand& o_;
  std::vector<unsigned> members_;  ///< chips
  std::vector<ProductOperand> views_;
  std::map<std::array<unsigned, 3>, Semaphore> arrived_;  ///< by member, source, half
  std::map<std::array<unsigned, 3>, unsigned> copies_;    ///< by chip, core, engine
};

}  // namespace

std::vector<ProductOperand> share(Assembler& assembler, const SharedOperand& operand) {
  return Sharing(assembler, operand).write();
}

}  // namespace cmodel
