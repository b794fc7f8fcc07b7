// SPDX-License-Identifier: Apache-2.0
// The main job: the whole board classifies handwritten digits with one small network.
//
//   scores = w2 relu(w1 x + b1) + b2          x: 64 pixels, 384 hidden units, 10 classes
//
// The hidden layer is split over all cores: each core holds its units' rows of w1 and columns of
// w2, sees every image and ends with partial scores [10, images]. Then an all-reduce, every step
// in a fixed order, so that all chips end with the same bits:
//
//   1 exchange  the cores of a chip swap halves of the images; core c adds half c: core 0 + core 1
//   2 scatter   core c of chip i sends chunk j of its half to core c of chip j (all pairs, both
//               directions round the ring)
//   3 reduce    which adds chips 0, 1, 2, ... in this order
//   4 gather    and sends the sum to HBM of every chip
//
// Inside a core, two engines work on different batches of images at once:
//   tensor  w1 x(i+1)          w2 h(i)          PSUM banks 0, 1: hidden sums; 4..7: scores
//   act     relu(w1 x(i) + b1) -> h(i), bf16    scores + b2 (bias on the first core only)
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <stdexcept>

#include "cmodel/assembler.h"
#include "tb/scenarios/digits_data.h"
#include "tb/scenarios/numbers.h"
#include "tb/scenarios/scenario.h"

namespace tb {
namespace {

using cmodel::Assembler;
using cmodel::Block;
using cmodel::Semaphore;
using cmodel::Tile;
using defs::Dtype;

constexpr double kLeastAccuracy = 0.95;
constexpr double kMostError = 0.25;     ///< of a score, against float64; scores are around -1 and 1
constexpr unsigned kMostColumns = 128;  ///< images per matmul: three batches keep all engines busy

struct Range {
  unsigned first, count;
};

/// Part `index` of `parts` nearly equal parts of `total`.
Range share(unsigned total, unsigned parts, unsigned index) {
  const unsigned first = total * index / parts;
  return {first, total * (index + 1) / parts - first};
}

/// Everything that follows from the arguments, for build and check alike.
struct Plan {
  explicit Plan(const ScenarioArgs& args)
      : chips(args.chips), cores(args.chips * defs::kCores), partitions(args.sizes.partitions) {
    const auto data = args.data_dir / "digits.csv.gz";
    const auto all = read_digits(data);
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (!held_out(i)) continue;
      images.push_back(all[i]);
      indices.push_back(i);
    }
    if (images.size() < cores || images.size() > 600)
      throw std::runtime_error(fmt::format("{}: {} held-out images; allowed {} .. 600",
                                           data.string(), images.size(), cores));
    const auto weights = args.data_dir / "digits_network.txt";
    network = read_network(weights);
    if (network.hidden < cores || network.hidden > 512)
      throw std::runtime_error(fmt::format("{}: hidden is {}; allowed {} .. 512", weights.string(),
                                           network.hidden, cores));
    const unsigned most = std::min(args.sizes.psum_cols, kMostColumns);
    batches = (count() + most - 1) / most;
  }

  unsigned count() const { return static_cast<unsigned>(images.size()); }
  Range batch(unsigned index) const { return share(count(), batches, index); }
  /// Hidden units of a core of the board, and their tiles of at most P.
  Range units(unsigned core) const { return share(network.hidden, cores, core); }
  unsigned tiles(unsigned core) const { return (units(core).count + partitions - 1) / partitions; }
  Range tile(unsigned core, unsigned index) const {
    return share(units(core).count, tiles(core), index);
  }
  /// Images that core c of every chip adds up, and within them the chunk of a chip.
  Range half(unsigned c) const { return share(count(), defs::kCores, c); }
  Range chunk(unsigned c, unsigned chip) const { return share(half(c).count, chips, chip); }
  unsigned input_tiles() const { return std::max(1u, kDigitsPixels / partitions); }
  unsigned input_rows() const { return kDigitsPixels / input_tiles(); }

  double weight1(unsigned unit, unsigned pixel) const {
    return network.w1[unit * kDigitsPixels + pixel];
  }
  double weight2(unsigned label, unsigned unit) const {
    return network.w2[label * network.hidden + unit];
  }
  float bias2(unsigned core, unsigned label) const {
    return core == 0 ? static_cast<float>(network.b2[label]) : 0.0f;
  }

  /// [64][images], bf16: exact, pixels have five bits.
  std::vector<std::uint16_t> pixels() const {
    std::vector<std::uint16_t> values;
    for (unsigned p = 0; p < kDigitsPixels; ++p)
      for (const auto& image : images) values.push_back(bf16_of(image.pixels[p] / 16.0));
    return values;
  }
  /// [64][units of the core, filled up to `width`].
  std::vector<std::uint16_t> stationary1(unsigned core, unsigned width) const {
    std::vector<std::uint16_t> values;
    const Range mine = units(core);
    for (unsigned p = 0; p < kDigitsPixels; ++p)
      for (unsigned u = 0; u < width; ++u)
        values.push_back(u < mine.count ? bf16_of(weight1(mine.first + u, p)) : std::uint16_t{0});
    return values;
  }
  /// [units of the core][10].
  std::vector<std::uint16_t> stationary2(unsigned core) const {
    std::vector<std::uint16_t> values;
    const Range mine = units(core);
    for (unsigned u = 0; u < mine.count; ++u)
      for (unsigned c = 0; c < kDigitsClasses; ++c)
        values.push_back(bf16_of(weight2(c, mine.first + u)));
    return values;
  }
  std::vector<float> biases1(unsigned core) const {
    std::vector<float> values;
    const Range mine = units(core);
    for (unsigned u = 0; u < mine.count; ++u)
      values.push_back(static_cast<float>(network.b1[mine.first + u]));
    return values;
  }

  unsigned chips, cores, partitions, batches = 0;
  std::vector<DigitsImage> images;
  std::vector<std::size_t> indices;
  DigitsNetwork network;
};

/// One core's part of the program.
class CoreProgram {
 public:
  CoreProgram(Assembler& assembler, const Plan& plan, std::uint64_t seed, unsigned chip, unsigned c)
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
    loaded_ = core_.semaphore();
    hidden_summed_ = core_.semaphore();
    hidden_done_ = core_.semaphore();
    scores_summed_ = core_.semaphore();
    scores_done_ = core_.semaphore();
    exchanged_ = core_.semaphore();
    combined_ = core_.semaphore();
    arrived_ = core_.semaphore();
    reduced_ = core_.semaphore();
    gathered_ = core_.semaphore();
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

  /// Images, weights and biases from HBM, spread over the DMA engines.
  void load() {
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
    for (unsigned label = 0; label < kDigitsClasses; ++label)
      bias.push_back(plan_.bias2(id_, label));
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

  /// Partial scores of this core's hidden units. A step is one batch of images through one tile.
  void compute() {
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

  /// Steps 1 to 4 of the picture above. `cores` are those of the board, [chip][core].
  void all_reduce(const std::vector<std::vector<CoreProgram*>>& cores) {
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
        .tensor_tensor(defs::AluOp::Add, c_ == 0 ? own : others_, c_ == 0 ? others_ : own,
                       chip_sum_)
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

 private:
  unsigned next_engine() { return engine_++ % assembler_.sizes().dma_engines; }

  void fetch(const Block& from, const Tile& to) {
    core_.sync().copy(next_engine(), from, assembler_.block(to)).signal(loaded_);
    ++loads_;
  }

  void send(const Tile& from, const Block& to, unsigned vn, Semaphore done) {
    auto& dma = core_.sync().copy(next_engine(), assembler_.block(from), to);
    if (to.chip == chip_)
      dma.signal(done);
    else
      dma.vn(vn).notify(done);
  }

  /// All chips: this one, then +1, -1, +2, -2, ... so that both directions start at once.
  std::vector<unsigned> both_ways() const {
    std::vector<unsigned> order{chip_};
    for (unsigned d = 1; order.size() < plan_.chips; ++d) {
      order.push_back((chip_ + d) % plan_.chips);
      if (order.size() < plan_.chips) order.push_back((chip_ + plan_.chips - d) % plan_.chips);
    }
    return order;
  }

  // Semaphores below carry the number of steps or batches finished so far. That a PSUM bank or a
  // slot of `hidden_` is free follows from the order of the tensor stream: w1 of step i comes after
  // w2 of step i - 2, which waited for the activation of step i - 2.
  void hidden_layer(unsigned step) {
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

  void score_layer(unsigned step) {
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

  Tile hidden(unsigned step) const {
    const unsigned tiles = plan_.tiles(id_);
    return hidden_[step % 2]
        .columns(0, plan_.batch(step / tiles).count)
        .rows(0, plan_.tile(id_, step % tiles).count);
  }

  Assembler& assembler_;
  const Plan& plan_;
  cmodel::Core& core_;
  unsigned chip_, c_, id_;
  unsigned engine_ = 0, vn_ = 1, loads_ = 0;
  Semaphore loaded_, hidden_summed_, hidden_done_, scores_summed_, scores_done_, exchanged_,
      combined_, arrived_, reduced_, gathered_;
  std::vector<Tile> images_, w1_, w2_, b1_;
  Tile b2_, hidden_[2], scores_, others_, chip_sum_, parts_, total_;
};

cmodel::Program build(const ScenarioArgs& args) {
  const Plan plan(args);
  Assembler assembler(args.sizes, args.chips);
  for (unsigned chip = 0; chip < args.chips; ++chip) {
    assembler.data(chip, 0, "images", plan.count() * 2, kDigitsPixels, bytes_of(plan.pixels()));
    assembler.region(fmt::format("scores{}", chip),
                     assembler.hbm(chip, 1, "scores", plan.count() * 4, kDigitsClasses));
  }
  std::vector<std::unique_ptr<CoreProgram>> programs;
  std::vector<std::vector<CoreProgram*>> cores(args.chips);
  for (unsigned chip = 0; chip < args.chips; ++chip) {
    for (unsigned c = 0; c < defs::kCores; ++c) {
      programs.push_back(std::make_unique<CoreProgram>(assembler, plan, args.seed, chip, c));
      cores[chip].push_back(programs.back().get());
    }
  }
  for (auto& program : programs) {
    program->load();
    program->compute();
    program->all_reduce(cores);
  }
  return assembler.assemble();
}

// --- judgement

/// The scores that the numerics contract demands, [10][images], by naive loops.
std::vector<float> exact_scores(const Plan& plan) {
  const unsigned n = plan.count();
  const auto pixels = plan.pixels();
  std::vector<float> total, chip_sum;
  for (unsigned core = 0; core < plan.cores; ++core) {
    const Range mine = plan.units(core);
    const auto w1 = plan.stationary1(core, mine.count), w2 = plan.stationary2(core);
    const auto b1 = plan.biases1(core);
    std::vector<float> hidden(mine.count * n), scores(kDigitsClasses * n);
    for (unsigned k = 0; k < plan.input_tiles(); ++k)
      naive_matmul(w1, pixels, hidden, mine.count, n, k * plan.input_rows(), plan.input_rows(),
                   k > 0);
    std::vector<std::uint16_t> active(hidden.size());
    for (unsigned u = 0; u < mine.count; ++u)
      for (unsigned i = 0; i < n; ++i) {
        const float x = hidden[u * n + i] + b1[u];
        active[u * n + i] = bf16_of(x > 0 ? x : 0.0f);
      }
    for (unsigned t = 0; t < plan.tiles(core); ++t) {
      const Range units = plan.tile(core, t);
      naive_matmul(w2, active, scores, kDigitsClasses, n, units.first, units.count, t > 0);
    }
    for (unsigned label = 0; label < kDigitsClasses; ++label)
      for (unsigned i = 0; i < n; ++i) scores[label * n + i] += plan.bias2(core, label);

    const auto add = [&](std::vector<float>& sum, const std::vector<float>& term) {
      if (sum.empty())
        sum = term;
      else
        for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += term[i];
    };
    if (core % defs::kCores == 0) chip_sum.clear();
    add(chip_sum, scores);
    if (core % defs::kCores == defs::kCores - 1) add(total, chip_sum);
  }
  return total;
}

/// The network in float64; `rounded`: with the weights as the machine gets them.
std::vector<double> float64_scores(const Plan& plan, bool rounded) {
  const auto weight = [&](double w) { return rounded ? double{float_of(bf16_of(w))} : w; };
  const unsigned n = plan.count(), hidden = plan.network.hidden;
  std::vector<double> w1, w2, scores(kDigitsClasses * n);
  for (const double w : plan.network.w1) w1.push_back(weight(w));
  for (const double w : plan.network.w2) w2.push_back(weight(w));
  for (unsigned i = 0; i < n; ++i) {
    for (unsigned c = 0; c < kDigitsClasses; ++c) scores[c * n + i] = plan.network.b2[c];
    for (unsigned u = 0; u < hidden; ++u) {
      double x = plan.network.b1[u];
      for (unsigned p = 0; p < kDigitsPixels; ++p)
        x += w1[u * kDigitsPixels + p] * (plan.images[i].pixels[p] / 16.0);
      if (x <= 0) continue;
      for (unsigned c = 0; c < kDigitsClasses; ++c) scores[c * n + i] += w2[c * hidden + u] * x;
    }
  }
  return scores;
}

/// The class with the greatest score, the first of equals.
template <class Scores>
unsigned best_class(const Scores& scores, unsigned image, unsigned count) {
  unsigned best = 0;
  for (unsigned c = 1; c < kDigitsClasses; ++c)
    if (scores[c * count + image] > scores[best * count + image]) best = c;
  return best;
}

void write_predictions(const Plan& plan, const std::vector<unsigned>& predicted,
                       const std::filesystem::path& file) {
  std::ofstream out(file);
  out << "image,label,predicted,correct\n";
  for (unsigned i = 0; i < plan.count(); ++i)
    out << fmt::format("{},{},{},{}\n", plan.indices[i], plan.images[i].label, predicted[i],
                       predicted[i] == plan.images[i].label ? 1 : 0);
  if (!out.flush()) throw std::runtime_error(file.string() + ": cannot be written");
}

ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program,
                     RegionBytes regions) {
  const Plan plan(args);
  const unsigned n = plan.count();
  const auto& bytes = region_bytes(program, regions, "scores0");
  bool chips_agree = true;
  for (unsigned chip = 1; chip < args.chips; ++chip)
    chips_agree &= region_bytes(program, regions, fmt::format("scores{}", chip)) == bytes;

  std::vector<float> scores(kDigitsClasses * n);
  std::memcpy(scores.data(), bytes.data(), scores.size() * 4);
  const auto exact = exact_scores(plan);
  const bool bit_exact = std::memcmp(scores.data(), exact.data(), scores.size() * 4) == 0;
  const auto ideal = float64_scores(plan, false), same_weights = float64_scores(plan, true);

  // A NaN counts as the worst error there is.
  const auto worst = [&](const std::vector<double>& reference) {
    double most = 0;
    for (std::size_t i = 0; i < scores.size(); ++i) {
      const double error = std::abs(scores[i] - reference[i]);
      most = error <= most ? most : std::isfinite(error) ? error : 1e30;
    }
    return most;
  };
  std::vector<unsigned> predicted;
  unsigned right = 0, as_ideal = 0;
  for (unsigned i = 0; i < n; ++i) {
    predicted.push_back(best_class(scores, i, n));
    right += predicted[i] == plan.images[i].label;
    as_ideal += predicted[i] == best_class(ideal, i, n);
  }
  unsigned least = plan.network.hidden;
  for (unsigned core = 0; core < plan.cores; ++core)
    least = std::min(least, plan.units(core).count);

  ScenarioResult result;
  const double accuracy = static_cast<double>(right) / n, error = worst(ideal);
  result.metrics["accuracy"] = accuracy;
  result.metrics["images"] = n;
  result.metrics["correct"] = right;
  result.metrics["predictions_as_float64"] = as_ideal;
  result.metrics["max_abs_error_vs_float64"] = error;  // the network as trained, nothing rounded
  result.metrics["max_abs_error_vs_float64_same_weights"] = worst(same_weights);
  result.metrics["chips_agree"] = chips_agree;
  result.metrics["scores_bit_exact"] = bit_exact;
  result.metrics["hidden_units"] = plan.network.hidden;
  result.metrics["macs"] =
      std::uint64_t{n} * plan.network.hidden * (kDigitsPixels + kDigitsClasses);
  result.metrics["macs_per_core_share_min"] = static_cast<double>(least) / plan.network.hidden;

  if (!chips_agree)
    result.failure = "chips ended with different class scores";
  else if (!bit_exact)
    result.failure = "class scores differ from the naive loops of the contract";
  else if (!(error <= kMostError))
    result.failure = fmt::format("a score is off by {:.3g}; allowed {}", error, kMostError);
  else if (accuracy < kLeastAccuracy)
    result.failure =
        fmt::format("accuracy is {:.4f}; allowed {} and more", accuracy, kLeastAccuracy);
  result.passed = result.failure.empty();
  if (!args.out_dir.empty()) write_predictions(plan, predicted, args.out_dir / "predictions.csv");
  return result;
}

}  // namespace

extern const Scenario kDigits{
    "digits", "handwritten digits: one network over all cores, scores all-reduced round the ring",
    build, check};

}  // namespace tb
