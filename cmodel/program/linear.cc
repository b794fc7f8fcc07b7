// SPDX-License-Identifier: Apache-2.0
#include "cmodel/program/linear.h"

#include <fmt/format.h>

#include <algorithm>

#include "cmodel/program/spread.h"

namespace cmodel {

using defs::Dtype;

Features features(Core& core, const defs::Sizes& sizes, unsigned count, unsigned n, Dtype dtype) {
  Features tiles;
  for (unsigned first = 0; first < count; first += sizes.partitions)
    tiles.push_back(core.sbuf(std::min(sizes.partitions, count - first), n, dtype));
  return tiles;
}

Linear::Linear(Assembler& assembler, Core& core, const Block& weights, const Block& bias,
               unsigned first_bank, unsigned banks)
    : core_(core),
      partitions_(assembler.sizes().partitions),
      inputs_(weights.rows),
      outputs_(weights.row_bytes / element_bytes(Dtype::Bf16)) {
  if (bias.rows != outputs_ || bias.row_bytes != 4)
    throw AssemblerError(fmt::format("biases of {} x {} bytes, allowed {} x 4", bias.rows,
                                     bias.row_bytes, outputs_));
  const Semaphore loaded = core.semaphore("weights");
  unsigned parts = 0;
  const auto fetch = [&](const Block& from, const Features& to) {
    for (unsigned t = 0; t < to.size(); ++t)
      parts += spread(assembler, core, from.row_range(t * partitions_, to[t].partitions),
                      assembler.block(to[t]), loaded);
  };
  weights_ = features(core, assembler.sizes(), inputs_, outputs_, Dtype::Bf16);
  bias_ = features(core, assembler.sizes(), outputs_, 1, Dtype::Fp32);
  fetch(weights, weights_);
  fetch(bias, bias_);
  core.tensor().wait_ge(loaded, parts).nop();
  core.act().wait_ge(loaded, parts).nop();
  for (unsigned i = 0; i < banks; ++i) {
    banks_.push_back({first_bank + i, core.semaphore("summed"), core.semaphore("bank")});
    core.act().nop().signal(banks_.back().free);
  }
}

void Linear::multiply(const Features& x) {
  auto& t = core_.tensor();
  for (unsigned m = 0; m < bias_.size(); ++m) {
    const Bank& bank = banks_[m % banks_.size()];
    const unsigned rows = bias_[m].partitions;
    t.take(bank.free);
    for (unsigned k = 0; k < weights_.size(); ++k) {
      t.load_stationary(weights_[k].columns(m * partitions_, rows));
      t.multiply_moving(x[k],
                        core_.psum(bank.number, rows, static_cast<unsigned>(x[k].elements())),
                        k > 0);
    }
    t.signal(bank.summed);
  }
}

void Linear::activate(defs::ActFunc func, const Features& y) {
  for (unsigned m = 0; m < bias_.size(); ++m) {
    const Bank& bank = banks_[m % banks_.size()];
    core_.act()
        .take(bank.summed)
        .activate(func,
                  core_.psum(bank.number, y[m].partitions, static_cast<unsigned>(y[m].elements())),
                  bias_[m], y[m])
        .signal(bank.free);
  }
}

}  // namespace cmodel
