// SPDX-License-Identifier: Apache-2.0
#include "cmodel/kernels/linear.h"

#include <fmt/format.h>

#include <algorithm>

#include "cmodel/kernels/spread.h"

namespace cmodel {

using defs::Dtype;

Features features(const Assembler& assembler, Core& core, unsigned count, unsigned n, Dtype dtype,
                  unsigned step) {
  if (step == 0) step = assembler.sizes().partitions;
  Features tiles;
  for (unsigned first = 0; first < count; first += step)
    tiles.push_back(line_tile(assembler, core, std::min(step, count - first), n, dtype));
  return tiles;
}

Tile shaped_like(const Tile& from, const Tile& other) {
  Tile tile = from;
  tile.size = other.size;
  int stride = 1;
  for (unsigned d = 4; d-- > 0;) {
    tile.stride[d] = stride;
    stride *= static_cast<int>(other.size[d]);
  }
  return tile;
}

Linear::Linear(Assembler& assembler, Core& core, const Block& weights, const Block& bias,
               unsigned first_bank, unsigned banks, unsigned step)
    : core_(core), partitions_(assembler.sizes().partitions) {
  const unsigned outputs = weights.row_bytes / element_bytes(Dtype::Bf16);
  if (bias.rows != outputs || bias.row_bytes != 4)
    throw AssemblerError(
        fmt::format("biases of {} x {} bytes, allowed {} x 4", bias.rows, bias.row_bytes, outputs));
  const Semaphore loaded = core.semaphore("weights");
  unsigned parts = 0;
  const auto fetch = [&](const Block& from, const Features& to) {
    unsigned row = 0;
    for (const Tile& tile : to) {
      parts += spread(assembler, core, from.row_range(row, tile.partitions), assembler.block(tile),
                      loaded);
      row += tile.partitions;
    }
  };
  weights_ = features(assembler, core, weights.rows, outputs, Dtype::Bf16, step);
  bias_ = features(assembler, core, outputs, 1, Dtype::Fp32);
  fetch(weights, weights_);
  fetch(bias, bias_);
  core.tensor().wait_ge(loaded, parts).nop();
  core.act().wait_ge(loaded, parts).nop();
  for (unsigned i = 0; i < banks; ++i) {
    banks_.push_back({first_bank + i, core.semaphore("summed"), core.semaphore("bank")});
    core.act().nop().signal(banks_.back().free);
  }
}

void Linear::multiply(const Features& x, unsigned call) {
  auto& t = core_.tensor();
  for (unsigned m = 0; m < bias_.size(); ++m) {
    const Bank& bank = this->bank(call, m);
    const unsigned rows = bias_[m].partitions;
    const Tile sums = core_.psum(bank.number, rows, static_cast<unsigned>(x[0].elements()));
    t.take(bank.free);
    for (unsigned k = 0; k < weights_.size(); ++k)
      t.load_stationary(weights_[k].columns(m * partitions_, rows))
          .multiply_moving(x[k], shaped_like(sums, x[k]), k > 0);
    t.signal(bank.summed);
  }
}

void Linear::activate(defs::ActFunc func, const Features& y, unsigned call) {
  for (unsigned m = 0; m < bias_.size(); ++m) {
    const Bank& bank = this->bank(call, m);
    const Tile sums =
        core_.psum(bank.number, y[m].partitions, static_cast<unsigned>(y[m].elements()));
    core_.act()
        .take(bank.summed)
        .activate(func, shaped_like(sums, y[m]), bias_[m], y[m])
        .signal(bank.free);
  }
}

}  // namespace cmodel
