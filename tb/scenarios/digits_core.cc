// SPDX-License-Identifier: Apache-2.0
#include "tb/scenarios/digits_core.h"

#include <fmt/format.h>

#include "tb/scenarios/numbers.h"

namespace tb::digits {

using cmodel::Assembler;
using cmodel::Block;
using cmodel::Semaphore;
using cmodel::Tile;
using defs::Dtype;

CoreProgram::CoreProgram(Assembler& assembler, const Plan& plan, std::uint64_t seed, unsigned chip,
                         unsigned c)
    : assembler_(assembler),
      plan_(plan),
      core_(assembler.core(chip, c)),
      chip_(chip),
      c_(c),
      id_(chip * defs::kCores + c) {
  // The seed decides what must not matter: who carries which bytes.
  Random random(seed, fmt::format("digits {}", id_));
  engine_ = random.between(0, assembler.sizes().dma_engines - 1);
  vn_ = random.between(1, 2);
  loaded_ = core_.semaphore("loaded");
  hidden_summed_ = core_.semaphore("hidden_summed");
  hidden_done_ = core_.semaphore("hidden_done");
  scores_summed_ = core_.semaphore("scores_summed");
  scores_done_ = core_.semaphore("scores_done");
  exchanged_ = core_.semaphore("exchanged");
  combined_ = core_.semaphore("combined");
  arrived_ = core_.semaphore("arrived");
  reduced_ = core_.semaphore("reduced");
  gathered_ = core_.semaphore("gathered");
  const unsigned half = plan.half(c).count;
  scores_ = core_.sbuf(kDigitsClasses, plan.count(), Dtype::Fp32);
  others_ = core_.sbuf(kDigitsClasses, half, Dtype::Fp32);
  const unsigned chunk = plan.chunk(c, chip).count;
  parts_ = core_.sbuf(kDigitsClasses, chunk * plan.chips, Dtype::Fp32);
  // A single mini chip needs every byte: the vector engine, which comes by in order, adds in
  // place and puts the total where the sibling's half has been used up.
  chip_sum_ = scores_.columns(plan.half(c).first, half);
  total_ = others_.columns(0, chunk);
}

void CoreProgram::load() {
  const unsigned columns = plan_.count(), rows = plan_.input_rows();
  const Range mine = plan_.units(id_);
  const unsigned width = mine.count + mine.count % 2;  // rows of whole words
  const Block images = assembler_.find(chip_, "images");
  const Block w1 = assembler_.data(chip_, c_, fmt::format("w1.{}", c_), width * 2, kDigitsPixels,
                                   bytes_of(plan_.stationary1(id_, width)));
  const Block w2 = assembler_.data(chip_, c_, fmt::format("w2.{}", c_), kDigitsClasses * 2,
                                   mine.count, bytes_of(plan_.stationary2(id_)));
  const Block b1 = assembler_.data(chip_, c_, fmt::format("b1.{}", c_), 4, mine.count,
                                   bytes_of(plan_.biases1(id_)));
  std::vector<float> bias;
  for (unsigned label = 0; label < kDigitsClasses; ++label) bias.push_back(plan_.bias2(id_, label));
  const Block b2 =
      assembler_.data(chip_, c_, fmt::format("b2.{}", c_), 4, kDigitsClasses, bytes_of(bias));

  for (unsigned k = 0; k < plan_.input_tiles(); ++k) {
    images_.push_back(core_.sbuf(rows, columns, Dtype::Bf16));
    w1_.push_back(core_.sbuf(rows, width, Dtype::Bf16));
    fetch(w1.row_range(k * rows, rows), w1_.back());
    constexpr unsigned kRows = 8;  // per descriptor: several engines share the images
    for (unsigned row = 0; row < rows; row += kRows)
      fetch(images.row_range(k * rows + row, kRows), images_.back().rows(row, kRows));
  }
  for (unsigned t = 0; t < plan_.tiles(id_); ++t) {
    const Range units = plan_.tile(id_, t);
    w2_.push_back(core_.sbuf(units.count, kDigitsClasses, Dtype::Bf16));
    b1_.push_back(core_.sbuf(units.count, 1, Dtype::Fp32));
    fetch(w2.row_range(units.first, units.count), w2_.back());
    fetch(b1.row_range(units.first, units.count), b1_.back());
  }
  b2_ = core_.sbuf(kDigitsClasses, 1, Dtype::Fp32);
  fetch(b2, b2_);
}

void CoreProgram::compute() {
  const unsigned tiles = plan_.tiles(id_), steps = plan_.batches * tiles;
  for (Tile& slot : hidden_)
    slot = core_.sbuf(plan_.partitions, plan_.batch(plan_.batches - 1).count + 1, Dtype::Bf16);
  core_.tensor().wait_ge(loaded_, loads_);
  core_.act().wait_ge(loaded_, loads_);
  for (unsigned step = 0; step <= steps; ++step) {
    if (step < steps) hidden_layer(step);
    if (step > 0) score_layer(step - 1);
  }
}

void CoreProgram::all_reduce(const std::vector<std::vector<CoreProgram*>>& cores) {
  CoreProgram& sibling = *cores[chip_][1 - c_];
  const Range mine = plan_.half(c_), theirs = plan_.half(1 - c_);
  auto& sync = core_.sync();
  auto& vector = core_.vector();

  sync.wait_ge(scores_done_, plan_.batches);
  sync.copy(next_engine(), assembler_.block(scores_.columns(theirs.first, theirs.count)),
            assembler_.block(sibling.others_))
      .signal(sibling.exchanged_);
  const Tile own = scores_.columns(mine.first, mine.count);
  vector.wait_ge(scores_done_, plan_.batches)
      .wait_ge(exchanged_, 1)
      .tensor_tensor(defs::AluOp::Add, c_ == 0 ? own : others_, c_ == 0 ? others_ : own, chip_sum_)
      .signal(combined_);

  sync.wait_ge(combined_, 1);
  for (const unsigned chip : both_ways()) {
    CoreProgram& peer = *cores[chip][c_];
    const Range chunk = plan_.chunk(c_, chip);
    send(chip_sum_.columns(chunk.first, chunk.count),
         assembler_.block(peer.parts_.columns(chip_ * chunk.count, chunk.count)), vn_,
         peer.arrived_);
  }
  const int chunk = static_cast<int>(plan_.chunk(c_, chip_).count);
  vector.wait_ge(arrived_, plan_.chips)
      .reduce(defs::AluOp::Add,
              parts_.shaped({static_cast<unsigned>(chunk), plan_.chips}, {1, chunk}), total_)
      .signal(reduced_);

  sync.wait_ge(reduced_, 1);
  for (const unsigned chip : both_ways()) {
    const unsigned first = mine.first + plan_.chunk(c_, chip_).first;
    send(total_, assembler_.find(chip, "scores").byte_range(first * 4, total_.elements() * 4),
         3 - vn_, cores[chip][c_]->gathered_);
  }
  sync.wait_ge(gathered_, plan_.chips);  // END: everything is in this chip's HBM
}

void CoreProgram::fetch(const Block& from, const Tile& to) {
  core_.sync().copy(next_engine(), from, assembler_.block(to)).signal(loaded_);
  ++loads_;
}

void CoreProgram::send(const Tile& from, const Block& to, unsigned vn, Semaphore done) {
  auto& dma = core_.sync().copy(next_engine(), assembler_.block(from), to);
  if (to.chip == chip_)
    dma.signal(done);
  else
    dma.vn(vn).notify(done);
}

std::vector<unsigned> CoreProgram::both_ways() const {
  std::vector<unsigned> order{chip_};
  for (unsigned d = 1; order.size() < plan_.chips; ++d) {
    order.push_back((chip_ + d) % plan_.chips);
    if (order.size() < plan_.chips) order.push_back((chip_ + plan_.chips - d) % plan_.chips);
  }
  return order;
}

// Semaphores below carry the number of steps or batches finished so far. That a PSUM bank or a slot
// of `hidden_` is free follows from the order of the tensor stream: w1 of step i comes after w2 of
// step i - 2, which waited for the activation of step i - 2.
void CoreProgram::hidden_layer(unsigned step) {
  const unsigned t = step % plan_.tiles(id_);
  const Range batch = plan_.batch(step / plan_.tiles(id_)), units = plan_.tile(id_, t);
  const Tile sums = core_.psum(step % 2, units.count, batch.count);
  for (unsigned k = 0; k < plan_.input_tiles(); ++k)
    core_.tensor()
        .load_stationary(w1_[k].columns(units.first, units.count))
        .multiply_moving(images_[k].columns(batch.first, batch.count), sums, k > 0);
  core_.tensor().signal(hidden_summed_);
  core_.act()
      .wait_ge(hidden_summed_, step + 1)
      .activate(defs::ActFunc::Relu, sums, b1_[t], hidden(step))
      .signal(hidden_done_);
}

void CoreProgram::score_layer(unsigned step) {
  const unsigned tiles = plan_.tiles(id_), b = step / tiles, t = step % tiles;
  const Range batch = plan_.batch(b);
  const Tile sums = core_.psum(4 + b % 4, kDigitsClasses, batch.count);
  if (t == 0 && b >= 4) core_.tensor().wait_ge(scores_done_, b - 3);
  core_.tensor()
      .load_stationary(w2_[t])
      .wait_ge(hidden_done_, step + 1)
      .multiply_moving(hidden(step), sums, t > 0);
  if (t + 1 < tiles) return;
  core_.tensor().signal(scores_summed_);
  core_.act()
      .wait_ge(scores_summed_, b + 1)
      .activate(defs::ActFunc::Copy, sums, b2_, scores_.columns(batch.first, batch.count))
      .signal(scores_done_);
}

Tile CoreProgram::hidden(unsigned step) const {
  const unsigned tiles = plan_.tiles(id_);
  return hidden_[step % 2]
      .columns(0, plan_.batch(step / tiles).count)
      .rows(0, plan_.tile(id_, step % tiles).count);
}

}  // namespace tb::digits
