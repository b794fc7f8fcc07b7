// SPDX-License-Identifier: Apache-2.0
#include "cmodel/kernels/row_kernels.h"

#include <vector>

#include "cmodel/kernels/spread.h"
#include "cmodel/kernels/stages.h"

namespace cmodel {

using defs::ActFunc;
using defs::AluOp;
using defs::Dtype;

namespace {

Tile column(Core& core, const Tile& rows) {
  return core.sbuf(rows.partitions, 1, Dtype::Fp32, rows.partition);
}

/// Tokens in the order of the work: vector, activation, vector, activation.
class Softmax : public RowKernel {
 public:
  Softmax(Core& core, const RowSlot& slot)
      : core_(core),
        slot_(slot),
        minus_max_(column(core, slot.x)),
        sum_(column(core, slot.x)),
        inverse_(column(core, slot.x)),
        max_done_(core.semaphore("max")),
        exp_done_(core.semaphore("exp")),
        sum_done_(core.semaphore("sum")) {}

  void vector(unsigned part) override {
    auto& v = core_.vector();
    if (part == 0)
      v.take(slot_.loaded, slot_.parts)
          .reduce(AluOp::Max, slot_.x, minus_max_, {.negate = 1})
          .signal(max_done_);
    else
      v.take(exp_done_).reduce(AluOp::Add, slot_.y, sum_).signal(sum_done_);
  }
  void act(unsigned part) override {
    auto& a = core_.act();
    if (part == 0)
      a.take(max_done_).activate(ActFunc::Exp, slot_.x, minus_max_, slot_.y).signal(exp_done_);
    else
      a.take(sum_done_)
          .activate(ActFunc::Reciprocal, sum_, inverse_)
          .activate_scaled(ActFunc::Copy, slot_.y, inverse_, slot_.y)
          .signal(slot_.done);
  }

 private:
  Core& core_;
  RowSlot slot_;
  Tile minus_max_, sum_, inverse_;
  Semaphore max_done_, exp_done_, sum_done_;
};

/// Tokens: vector, activation, vector, activation, vector.
class Norm : public RowKernel {
 public:
  Norm(Core& core, const RowSlot& slot, const LayerNorm& norm)
      : core_(core),
        slot_(slot),
        norm_(norm),
        columns_(static_cast<float>(slot.x.elements())),
        sum_(column(core, slot.x)),
        minus_mean_(column(core, slot.x)),
        squares_(column(core, slot.x)),
        inverse_(column(core, slot.x)),
        summed_(core.semaphore("summed")),
        centred_(core.semaphore("centred")),
        squared_(core.semaphore("squared")),
        scaled_(core.semaphore("scaled")) {}

  void vector(unsigned part) override {
    auto& v = core_.vector();
    if (part == 0) {
      v.take(slot_.loaded, slot_.parts).reduce(AluOp::Add, slot_.x, sum_).signal(summed_);
      return;
    }
    v.take(centred_).reduce(AluOp::Add, slot_.y, squares_).signal(squared_);
    v.wait_ge(norm_.loaded, norm_.parts).take(scaled_);
    v.scalar_tensor_tensor(AluOp::Mul, slot_.x, inverse_, AluOp::Mul, norm_.gamma, slot_.y)
        .tensor_tensor(AluOp::Add, slot_.y, norm_.beta, slot_.y)
        .signal(slot_.done);
  }
  void act(unsigned part) override {
    auto& a = core_.act();
    if (part == 0)
      a.take(summed_)
          .activate_scaled(ActFunc::Copy, sum_, -1.0f / columns_, minus_mean_)
          .activate(ActFunc::Copy, slot_.x, minus_mean_, slot_.x)
          .activate(ActFunc::Square, slot_.x, slot_.y)
          .signal(centred_);
    else
      a.take(squared_)
          .activate_scaled(ActFunc::Rsqrt, squares_, 1.0f / columns_, norm_.epsilon, inverse_)
          .signal(scaled_);
  }

 private:
  Core& core_;
  RowSlot slot_;
  LayerNorm norm_;
  float columns_;
  Tile sum_, minus_mean_, squares_, inverse_;
  Semaphore summed_, centred_, squared_, scaled_;
};

}  // namespace

std::unique_ptr<RowKernel> softmax_rows(Core& core, const RowSlot& slot) {
  return std::make_unique<Softmax>(core, slot);
}

std::unique_ptr<RowKernel> layer_norm_rows(Core& core, const RowSlot& slot, const LayerNorm& norm) {
  return std::make_unique<Norm>(core, slot, norm);
}

void stream_rows(Assembler& assembler, Core& core, const RowJob& job,
                 const std::function<std::unique_ptr<RowKernel>(const RowSlot&)>& kernel) {
  const unsigned p = assembler.sizes().partitions, columns = job.in.row_bytes / 4;
  const Block in = job.in.row_range(0, p), out = job.out.row_range(0, p);
  auto& s = core.sync();
  std::vector<RowSlot> slots;
  std::vector<std::unique_ptr<RowKernel>> kernels;
  std::vector<Semaphore> stored;
  for (unsigned i = 0; i < job.slots; ++i) {
    RowSlot slot;
    slot.x = line_tile(assembler, core, p, columns, Dtype::Fp32);
    slot.y = job.in_place ? slot.x : line_tile(assembler, core, p, columns, Dtype::Fp32);
    slot.loaded = core.semaphore("loaded");
    slot.parts = spread_parts(assembler, in, By::Loads);
    slot.done = core.semaphore("done");
    stored.push_back(core.semaphore("stored"));
    slots.push_back(slot);
    kernels.push_back(kernel(slot));
    s.nop().signal(stored[i], static_cast<int>(slot.parts));
  }
  const Register turns = s.reg(), in_at = s.reg(), out_at = s.reg();
  s.load(turns, job.tiles);
  const auto load = [&](unsigned i) {
    s.take(stored[i], slots[i].parts);
    spread(assembler, core, in, assembler.block(slots[i].x), slots[i].loaded, {.src = in_at},
           By::Loads);
    s.add(in_at, in.stride * p);
  };
  const auto store = [&](unsigned i) {
    s.take(slots[i].done);
    spread(assembler, core, assembler.block(slots[i].y), out, stored[i], {.dst = out_at},
           By::Stores);
    s.add(out_at, out.stride * p);
  };
  stages(s, turns, job.slots, {{job.slots - 2, load}, {0, store}});
  for (unsigned i = 0; i < job.slots; ++i) s.take(stored[i], slots[i].parts).nop();

  const auto engine = [&](auto& stream, auto&& part) {
    const Register tiles = stream.reg();
    stream.load(tiles, job.tiles);
    stages(stream, tiles, job.slots,
           {{1, [&](unsigned i) { part(i, 0); }}, {0, [&](unsigned i) { part(i, 1); }}});
  };
  engine(core.vector(), [&](unsigned i, unsigned part) { kernels[i]->vector(part); });
  engine(core.act(), [&](unsigned i, unsigned part) { kernels[i]->act(part); });
}

}  // namespace cmodel
