// SPDX-License-Identifier: Apache-2.0
// Random instructions of a lane engine, whatever rows it has.
#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "tb/scenarios/corners.h"

namespace tb::corners {

using cmodel::Scalar;
using defs::InstrRow;
using defs::OperandRow;

template <class Stream>
void Corners::rows(unsigned chip, unsigned c, defs::Engine engine, Stream& stream,
                   Counter& counter) {
  const auto any_of = [&](std::uint64_t mask) {
    unsigned value;
    do value = random_.between(0, 63);
    while (!(mask >> value & 1));
    return value;
  };
  for (unsigned i = 0; i < length(); ++i) {
    const InstrRow* row;
    do row = &defs::kInstructions[random_.between(0, defs::kInstructions.size() - 1)];
    while (!row->runs_on(engine));
    const unsigned quarter = p_ / 4;
    const unsigned n = row->by_quarters() ? quarter * random_.between(1, 4) : partitions();
    auto size = lane_loops();
    while (!row->takes(std::uint64_t{size[0]} * size[1] * size[2] * size[3])) size = lane_loops();
    if (row->form == defs::Form::Transpose)
      size = {random_.between(1, 2), random_.between(1, 2), random_.between(1, 2), quarter};
    cmodel::StreamBase::Given given;
    if (row->functions) given.func = static_cast<std::uint8_t>(any_of(row->functions));

    std::uint64_t formats = ~std::uint64_t{0};
    const bool moves = row->moves && row->src0().used() && row->dst().used();
    if (row->is_of_bits(given.func) || moves) {
      const std::uint64_t bytes1 = ~(defs::kDtypeBytes2 | defs::kDtypeBytes4);
      const std::array sizes{bytes1, defs::kDtypeBytes2, defs::kDtypeBytes4};
      formats = sizes[random_.between(0, 2)] & (moves ? ~std::uint64_t{0} : defs::kDtypeInteger);
    }
    // What is written to PSUM goes to the upper banks, sources there are in the lower ones.
    const unsigned half = args_.sizes.psum_banks / 2, bank_bytes = args_.sizes.psum_cols * 4;
    bool in_psum = false;  // a source
    const auto place = [&](const OperandRow& rule, std::array<unsigned, 4> shape, unsigned at,
                           unsigned bytes, bool source) {
      if (const unsigned fixed = defs::fixed_elements(rule.walk)) shape = {1, 1, 1, fixed};
      const std::uint64_t allowed = moves && &rule == &row->src1() ? ~std::uint64_t{0} : formats;
      if ((rule.psum & allowed) && !(source && in_psum && row->one_in_psum) &&
          (!(rule.sbuf & allowed) || random_.one_in(3))) {
        in_psum |= source;
        return tile(chip, c, Space::Psum, static_cast<Dtype>(any_of(rule.psum & allowed)), n, shape,
                    (random_.between(0, half - 1) + (source ? 0 : half)) * bank_bytes, bank_bytes);
      }
      return tile(chip, c, Space::Sbuf, static_cast<Dtype>(any_of(rule.sbuf & allowed)), n, shape,
                  at, bytes);
    };
    auto shape = size;
    unsigned reduced = 0;
    if (row->dst().walk == defs::Walk::Outer) {
      defs::Reduction reduction;
      reduction.negate = random_.one_in(2);
      reduction.more = static_cast<std::uint8_t>(random_.between(0, 2));
      given.imm = reduction.words()[0];
      reduced = 1u + reduction.more;
      for (unsigned d = 0; d < reduced; ++d) shape[3 - d] = 1;
    }
    std::array<Tile, 3> tiles;
    for (unsigned s = 0; s < 2; ++s)
      if (row->operands[s].used()) tiles[s] = place(row->operands[s], size, 0, kSourceBytes, true);
    const bool acts = engine == defs::Engine::Act;
    if (row->dst().used())
      tiles[2] = place(row->dst(), shape, acts ? kActAt : kVectorAt, kEngineBytes, false);
    if (row->dst().rounds && !row->is_of_bits(given.func)) tiles[2] = rounded(tiles[2]);
    for (; reduced > 0; --reduced) {  // a destination is given without what is reduced
      std::ranges::rotate(tiles[2].size, tiles[2].size.end() - 1);
      std::ranges::rotate(tiles[2].stride, tiles[2].stride.end() - 1);
    }
    for (unsigned s = 0; s < 3; ++s)
      if (row->operands[s].used()) given.operands[s] = &tiles[s];

    const bool in_imm = row->scalars == defs::ScalarPlace::Imm;
    std::vector<Scalar> scalars;
    for (unsigned s = 0; s < 2; ++s) {
      Tile one = tile(chip, c, Space::Sbuf, Dtype::Fp32, n, {1, 1, 1, 1}, 0, kSourceBytes);
      if (in_imm) one.partition = tiles[0].partition;
      const bool there = row->computes() && random_.one_in(2);
      const Scalar scalar = there ? Scalar(one) : Scalar(float_of(random_.bf16()));
      scalars.push_back(random_.one_in(2) && !in_imm ? scalar.reversed() : scalar);
    }
    const bool two = row->functions && row->scalars == defs::ScalarPlace::Src1 && random_.one_in(2);
    if (row->scalars != defs::ScalarPlace::None)
      given.scalars = {&scalars[0], two ? &scalars[1] : nullptr};
    if (row->is_fused() && (two || in_imm))
      given.func1 = static_cast<std::uint8_t>(
          any_of(row->is_of_bits(given.func) ? row->bits : row->functions & ~row->bits));

    counter.wait(stream, random_);
    stream.put(*row, given, cmodel::Where::current());
    counter.signal(stream, random_);
  }
}

void Corners::rows(unsigned chip, unsigned c, Counter& vector, Counter& act) {
  auto& core = assembler_.core(chip, c);
  // PSUM is written when nobody else reads it.
  const Semaphore activated = core.semaphore("activated"), written = core.semaphore("written");
  core.act().signal(activated);
  core.vector().wait_ge(activated, 1);
  rows(chip, c, defs::Engine::Vector, core.vector(), vector);
  core.vector().signal(written);
  core.act().wait_ge(written, 1);
  rows(chip, c, defs::Engine::Act, core.act(), act);
}

}  // namespace tb::corners
