// SPDX-License-Identifier: Apache-2.0
#include "cmodel/kernels/spread.h"

#include "cmodel/kernels/product_copies.h"

namespace cmodel {

namespace {

auto parts_of(const Assembler& assembler, const Block& src, const Block& dst, By by) {
  const auto& sizes = assembler.sizes();
  const unsigned engines = by == By::All ? sizes.dma_engines : sizes.dma_engines / 2;
  return parts_of_copies({{src, dst}}, engines, sizes.line_bytes);
}

}  // namespace

unsigned spread_parts(const Assembler& assembler, const Block& src, By by) {
  return static_cast<unsigned>(parts_of(assembler, src, src, by).size());
}

unsigned spread(Assembler& assembler, Core& core, const Block& src, const Block& dst,
                Semaphore done, const Started& more, By by, Where at) {
  const auto parts = parts_of(assembler, src, dst, by);
  const unsigned first = by == By::Stores ? assembler.sizes().dma_engines / 2 : 0;
  for (unsigned e = 0; e < parts.size(); ++e)
    core.sync().start(first + e, parts[e].first, parts[e].second, more, at).signal(done, 1, at);
  return static_cast<unsigned>(parts.size());
}

Tile line_tile(const Assembler& assembler, Core& core, unsigned partitions, unsigned elements,
               defs::Dtype dtype) {
  core.align_sbuf(assembler.sizes().line_bytes);
  return core.sbuf(partitions, elements, dtype);
}

}  // namespace cmodel
