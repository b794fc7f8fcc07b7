// SPDX-License-Identifier: Apache-2.0
#include "cmodel/machine/table_function.h"

#include <algorithm>
#include <array>

namespace cmodel {
namespace {

/// Piece by piece, between arrays that nothing else can point to: such a loop becomes vector code.
template <defs::TableReduce kReduce>
void each(const defs::TableFunction f, std::span<fp::Fp32> lanes) {
  std::array<fp::Fp32, 64> in, out;
  for (std::size_t at = 0; at < lanes.size(); at += in.size()) {
    const auto piece = lanes.subspan(at, std::min(in.size(), lanes.size() - at));
    std::ranges::copy(piece, in.begin());
    for (std::size_t i = 0; i < piece.size(); ++i) out[i] = table::apply<kReduce>(f, in[i]);
    std::copy_n(out.begin(), piece.size(), piece.begin());
  }
}

}  // namespace

void apply_table(const defs::TableFunction& f, std::span<fp::Fp32> lanes) {
  switch (f.reduce) {
    case defs::TableReduce::None:
      return each<defs::TableReduce::None>(f, lanes);
    case defs::TableReduce::Multiple:
      return each<defs::TableReduce::Multiple>(f, lanes);
    case defs::TableReduce::Logarithm:
      return each<defs::TableReduce::Logarithm>(f, lanes);
    case defs::TableReduce::Root:
      return each<defs::TableReduce::Root>(f, lanes);
    case defs::TableReduce::Reciprocal:
      return each<defs::TableReduce::Reciprocal>(f, lanes);
  }
}

}  // namespace cmodel
