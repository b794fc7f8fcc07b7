// SPDX-License-Identifier: Apache-2.0
#include "cmodel/kernels/product.h"

#include <fmt/format.h>

#include "cmodel/kernels/product_writer.h"

namespace cmodel {

using defs::Dtype;

ProductWriter::ProductWriter(Multiplier& unit, const Product& product)
    : u_(unit),
      core_(unit.core_),
      sizes_(unit.assembler_.sizes()),
      p_(product),
      s_(plan_product(sizes_,
                      {p_.m, p_.n, p_.k, p_.a_t.dtype, p_.b.dtype, p_.a_t.whole.has_value()},
                      unit.sbuf_bytes())) {
  if (s_.a_whole)
    check_whole(*p_.a_t.whole);
  else
    check_operand("A", p_.a_t, p_.m);
  check_operand("B", p_.b, p_.n);
  if (p_.c.rows != p_.m || p_.c.row_bytes != 4 * p_.n)
    fail(fmt::format("C of {} rows of {} bytes", p_.c.rows, p_.c.row_bytes),
         fmt::format("{} of {}", p_.m, 4 * p_.n));
}

void ProductWriter::check_whole(const Block& a) const {
  const unsigned bytes = row_bytes(s_.k.count() * p_.m, p_.a_t.dtype);
  if (a.rows != s_.k.size || a.row_bytes != bytes)
    fail(fmt::format("A of {} rows of {} bytes", a.rows, a.row_bytes),
         fmt::format("{} of {}", s_.k.size, bytes));
}

void ProductWriter::check_operand(const char* name, const ProductOperand& operand,
                                  unsigned columns) const {
  if (operand.tiles.size() != s_.k.count())
    fail(fmt::format("{} of {} K tiles", name, operand.tiles.size()),
         fmt::format("{}", s_.k.count()));
  const unsigned least = row_bytes(columns, operand.dtype);
  for (unsigned t = 0; t < s_.k.count(); ++t) {
    unsigned rows = 0;
    for (const Block& block : operand.tiles[t]) {
      rows += block.rows;
      if (block.row_bytes < least)
        fail(fmt::format("rows of {} bytes in K tile {} of {}", block.row_bytes, t, name),
             fmt::format("{}", least));
    }
    if (rows != s_.k.size_of(t) || operand.tiles[t].size() > u_.engines_)
      fail(fmt::format("{} rows in {} blocks in K tile {} of {}", rows, operand.tiles[t].size(), t,
                       name),
           fmt::format("{} in 1..{}", s_.k.size_of(t), u_.engines_));
  }
}

void ProductWriter::fail(const std::string& what, const std::string& allowed) const {
  throw AssemblerError(fmt::format("chip {} core {}: product of {} x {} x {}: {}, allowed {}",
                                   core_.chip(), core_.index(), p_.m, p_.k, p_.n, what, allowed));
}

Multiplier::Multiplier(Assembler& assembler, Core& core, unsigned sbuf_bytes, unsigned engines)
    : assembler_(assembler),
      core_(core),
      engines_(engines ? engines : assembler.sizes().dma_engines),
      words_(core.sbuf(assembler.sizes().dma_engines, 1, Dtype::Fp32)),
      free_(core.semaphore("free")),
      loaded_(core.semaphore("loaded")),
      summed_(core.semaphore("summed")),
      copied_(core.semaphore("copied")),
      banks_(core.semaphore("banks")),
      done_(core.semaphore("done")),
      stored_(assembler.sizes().psum_banks / 2),
      a_at_(core.tensor().reg()),
      b_at_(core.tensor().reg()),
      spare_(core.tensor().reg()),
      tensor_bank_(core.tensor().reg()),
      vector_bank_(core.vector().reg()) {
  const defs::Sizes& sizes = assembler.sizes();
  const unsigned left = core.align_sbuf(sizes.line_bytes);
  memory_ = core.sbuf(sizes.partitions, sbuf_bytes ? sbuf_bytes : left, Dtype::Int8);
  for (unsigned e = 0; e < engines_; ++e) {
    fetched_.push_back(core.semaphore(fmt::format("fetched {}", e)));
    for (unsigned tile = 0; tile < stored_.size(); ++tile)
      stored_[tile].push_back(core.semaphore(fmt::format("stored {}.{}", tile, e)));
  }
}

void Multiplier::multiply(const Product& product) { ProductWriter(*this, product).write(); }

}  // namespace cmodel
