// SPDX-License-Identifier: Apache-2.0
#include "tb/scenarios/gemm_product.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "cmodel/kernels/product_share.h"
#include "cmodel/machine/address_map.h"

namespace tb::gemm {

namespace {

using cmodel::Assembler;
using cmodel::Block;
using cmodel::ProductOperand;

class Parts {
 public:
  Parts(Assembler& assembler, const Plan& plan, bool once)
      : assembler_(assembler), plan_(plan), once_(once) {}

  void write() {
    std::vector<ProductOperand> a(plan_.cores), b(plan_.cores);
    for (const bool is_a : {true, false})
      for (const auto& cores : groups(is_a)) {
        const auto views = operand(is_a, cores);
        for (std::size_t i = 0; i < cores.size(); ++i) (is_a ? a : b)[cores[i]] = views[i];
      }
    const unsigned engines = assembler_.sizes().dma_engines;
    for (unsigned i = 0; i < plan_.grid->parts(); ++i) {
      const Part& part = plan_.parts[i];
      const unsigned chip = i / defs::kCores, c = i % defs::kCores;
      const Block result =
          assembler_.hbm(chip, c, fmt::format("c.{}", c), plan_.c_stride(part), part.m)
              .byte_range(0, 4 * part.n);
      assembler_.region(fmt::format("c{}.{}", chip, c), result, defs::Dtype::Fp32);
      cmodel::Multiplier(assembler_, core(i), 0, once_ ? engines - 2 * senders() : engines)
          .multiply({part.m, part.n, plan_.k, a[i], b[i], result});
    }
  }

 private:
  cmodel::Core& core(unsigned i) const {
    return assembler_.core(i / defs::kCores, i % defs::kCores);
  }
  /// DMA engines that send an operand.
  unsigned senders() const { return assembler_.sizes().dma_engines > 4 ? 2 : 1; }

  /// Cores with the same operand, of the whole board or of a chip.
  std::vector<std::vector<unsigned>> groups(bool is_a) const {
    std::vector<std::vector<unsigned>> all;
    const auto key = [&](unsigned i) {
      return (is_a ? plan_.parts[i].a_t : plan_.parts[i].b).get();
    };
    for (unsigned i = 0; i < plan_.grid->parts(); ++i) {
      const auto same = [&](const auto& group) {
        return key(group[0]) == key(i) &&
               ((once_ && !whole(is_a, i)) || group[0] / defs::kCores == i / defs::kCores);
      };
      const auto at = std::ranges::find_if(all, same);
      if (at == all.end())
        all.push_back({i});
      else
        at->push_back(i);
    }
    return all;
  }

  bool whole(bool is_a, unsigned i) const {
    return is_a &&
           8 * plan_.parts[i].m * cmodel::element_bytes(plan_.formats.a) <= plan_.line_bytes;
  }

  std::vector<ProductOperand> operand(bool is_a, const std::vector<unsigned>& cores) {
    const Part& part = plan_.parts[cores[0]];
    const std::string name = fmt::format("{}{}", is_a ? "a" : "b", cores[0]);
    const auto dtype = is_a ? plan_.formats.a : plan_.formats.b;
    if (whole(is_a, cores[0]))
      return std::vector(cores.size(), ProductOperand{dtype, {}, whole_a(part, name, cores[0])});
    cmodel::SharedOperand shared{name, dtype, plan_.k, is_a ? part.m : part.n, {}, {}, {}};
    for (const unsigned i : cores) shared.cores.push_back(&core(i));
    const Elements& values = *(is_a ? part.a_t : part.b);
    shared.bytes = [&](unsigned first, unsigned rows, unsigned row_bytes) {
      return padded(values, first, rows, shared.columns, dtype, row_bytes);
    };
    for (unsigned e = 0; e < senders(); ++e)
      shared.engines.push_back(assembler_.sizes().dma_engines - 1 - e - (is_a ? 0 : senders()));
    return share(assembler_, shared);
  }

  /// All K tiles of a partition in one row.
  Block whole_a(const Part& part, const std::string& name, unsigned i) {
    const unsigned bytes = cmodel::element_bytes(plan_.formats.a),
                   rows = std::min(plan_.partitions, plan_.k), tiles = (plan_.k + rows - 1) / rows,
                   row = tiles * part.m * bytes;
    const auto width = static_cast<unsigned>(cmodel::round_up(row, 4)),
               stride = static_cast<unsigned>(cmodel::round_up(row, plan_.line_bytes));
    std::vector<std::uint8_t> data(std::size_t{rows} * stride);
    for (unsigned k = 0; k < plan_.k; ++k)
      for (unsigned m = 0; m < part.m; ++m)
        std::memcpy(&data[std::size_t{k % rows} * stride + (k / rows * part.m + m) * bytes],
                    &(*part.a_t)[std::size_t{k} * part.m + m], bytes);
    return assembler_.data(i / defs::kCores, i % defs::kCores, name, stride, rows, data)
        .byte_range(0, width);
  }

  Assembler& assembler_;
  const Plan& plan_;
  bool once_;
};

}  // namespace

void multiply_parts(Assembler& assembler, const Plan& plan, bool once) {
  Parts(assembler, plan, once).write();
}

}  // namespace tb::gemm
