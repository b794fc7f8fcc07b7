// SPDX-License-Identifier: Apache-2.0
// Random instructions of the vector engine, whatever rows it has.
#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "tb/scenarios/corners.h"

namespace tb::corners {

using cmodel::Scalar;
using defs::InstrRow;
using defs::OperandRow;

void Corners::rows(unsigned chip, unsigned c, Counter& counter) {
  auto& stream = assembler_.core(chip, c).vector();
  const auto any_of = [&](std::uint64_t mask) {
    unsigned value;
    do value = random_.between(0, 63);
    while (!(mask >> value & 1));
    return value;
  };
  for (unsigned i = 0; i < length(); ++i) {
    const InstrRow* row;
    do row = &defs::kInstructions[random_.between(0, defs::kInstructions.size() - 1)];
    while (!row->runs_on(defs::Engine::Vector));
    const unsigned n = partitions();
    const auto size = lane_loops();
    cmodel::StreamBase::Given given;
    if (row->functions) given.func = static_cast<std::uint8_t>(any_of(row->functions));

    std::uint64_t formats = ~std::uint64_t{0};
    if (row->is_of_bits(given.func)) {
      const std::uint64_t bytes1 = ~(defs::kDtypeBytes2 | defs::kDtypeBytes4);
      const std::array sizes{bytes1, defs::kDtypeBytes2, defs::kDtypeBytes4};
      formats = defs::kDtypeInteger & sizes[random_.between(0, 2)];
    }
    const auto place = [&](const OperandRow& rule, const std::array<unsigned, 4>& shape,
                           unsigned at, unsigned bytes) {
      const unsigned bank_bytes = args_.sizes.psum_cols * 4;
      if ((rule.psum & formats) && random_.one_in(3))
        return tile(chip, c, Space::Psum, static_cast<Dtype>(any_of(rule.psum & formats)), n, shape,
                    random_.between(0, args_.sizes.psum_banks - 1) * bank_bytes, bank_bytes);
      return tile(chip, c, Space::Sbuf, static_cast<Dtype>(any_of(rule.sbuf & formats)), n, shape,
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
      if (row->operands[s].used()) tiles[s] = place(row->operands[s], size, 0, kSourceBytes);
    if (row->dst().used()) tiles[2] = place(row->dst(), shape, kVectorAt, kEngineBytes);
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

}  // namespace tb::corners
