// SPDX-License-Identifier: Apache-2.0
#include "cmodel/program/spread.h"

#include "cmodel/program/product_copies.h"

namespace cmodel {

namespace {

auto parts_of(const Assembler& assembler, const Block& src, const Block& dst) {
  const auto& sizes = assembler.sizes();
  return parts_of_copies({{src, dst}}, sizes.dma_engines, sizes.line_bytes);
}

}  // namespace

unsigned spread_parts(const Assembler& assembler, const Block& src) {
  return static_cast<unsigned>(parts_of(assembler, src, src).size());
}

unsigned spread(Assembler& assembler, Core& core, const Block& src, const Block& dst,
                Semaphore done, const Started& more, Where at) {
  const auto parts = parts_of(assembler, src, dst);
  for (unsigned e = 0; e < parts.size(); ++e)
    core.sync().start(e, parts[e].first, parts[e].second, more, at).signal(done, 1, at);
  return static_cast<unsigned>(parts.size());
}

}  // namespace cmodel
