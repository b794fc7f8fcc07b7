// SPDX-License-Identifier: Apache-2.0
// A recommender on every core, samples P at a time, from lists of indices to a probability each:
//
//   dense [P, samples] --W1--> relu --W2-----------------> vector 0 [samples, D]
//   tables in HBM --gather by list, two rows a feature--> sum -> vectors 1 .. F
//   vectors --products of all pairs, summed--> [samples, pairs]
//   [vector 0, pairs] --turned--> [D + pairs, samples] --W3--> relu --W4--> sigmoid -> HBM
//
// Of a matrix product, the moving operand comes with its inputs on partitions, so vector 0 leaves
// the array with samples on partitions (hidden units stationary), and what goes into the last
// layers is turned by a product with the identity. How many tiles of samples there are, the program
// reads in HBM; addresses of lists come out of registers.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "cmodel/kernels/linear.h"
#include "cmodel/kernels/spread.h"
#include "cmodel/kernels/stages.h"
#include "tb/scenarios/network.h"

namespace tb {
namespace {

using cmodel::Block;
using cmodel::Features;
using cmodel::Register;
using cmodel::Semaphore;
using cmodel::Tile;
using defs::ActFunc;
using defs::AluOp;
using defs::Dtype;

constexpr unsigned kRows = 48, kLookups = 2, kMostSamples = 2048, kSlots = 3;

struct Recommender {
  Recommender(const ScenarioArgs& args, unsigned chip, unsigned core)
      : name(network::core_name(chip, core)),
        p(args.sizes.partitions),
        depth(args.sizes.line_bytes / 8),
        features(std::clamp(p / 16 - 1, 3u, 7u)),
        samples(network::length_of(args, 3 * p - 5, kMostSamples)) {
    Random random(args.seed, "embedding " + name);
    const auto weights = [&](unsigned inputs, unsigned outputs) {
      return network::draw_bf16(random, std::size_t{inputs} * outputs,
                                2 / std::sqrt(static_cast<float>(inputs)));
    };
    dense = network::draw_bf16(random, std::size_t{p} * tiles() * p, 1);
    tables = network::draw(random, std::size_t{features} * kRows * depth, 1);
    list.resize(std::size_t{tiles()} * lookups() * p);
    for (auto& index : list) index = random.between(0, kRows - 1);
    w1 = weights(p, p), w2 = weights(p, depth), w3 = weights(inputs(), p), w4 = weights(p, 1);
    b1 = network::draw(random, p, 0.5f), b2 = network::draw(random, depth, 0.5f);
    b3 = network::draw(random, p, 0.5f), b4 = network::draw(random, 1, 0.5f);
  }
  unsigned tiles() const { return (samples + p - 1) / p; }
  unsigned lookups() const { return features * kLookups; }
  unsigned vectors() const { return features + 1; }
  unsigned pairs() const { return features * vectors() / 2; }
  unsigned inputs() const { return depth + pairs(); }

  std::string name;
  unsigned p, depth, features, samples;
  std::vector<float> dense;         ///< [tile][input][sample]
  std::vector<float> tables;        ///< [feature][row][depth]
  std::vector<std::uint32_t> list;  ///< [tile][feature][lookup][sample]
  std::vector<float> w1, w2, w3, w4, b1, b2, b3, b4;
};

class Writer {
 public:
  Writer(cmodel::Assembler& assembler, cmodel::Core& core, const Recommender& net)
      : assembler_(assembler),
        core_(core),
        net_(net),
        first_(assembler, core, half("w1", net.w1, net.p), words("b1", net.b1, 1), 0, 1),
        third_(assembler, core, half("w3", net.w3, net.p), words("b3", net.b3, 1), 3, 1),
        fourth_(assembler, core, half("w4", net.w4, 1), words("b4", net.b4, 1), 4, 1) {}

  void write() {
    load_constants();
    for (Slot& slot : slots_) {
      slot.dense = line_tile(assembler_, core_, net_.p, net_.p, Dtype::Bf16);
      slot.rows = line_tile(assembler_, core_, net_.p, net_.lookups() * net_.depth, Dtype::Fp32);
      slot.inputs = core_.sbuf(net_.p, net_.inputs(), Dtype::Bf16);
      for (Semaphore* semaphore : {&slot.loaded, &slot.read, &slot.gathered, &slot.pooled,
                                   &slot.hidden, &slot.summed, &slot.made})
        *semaphore = core_.semaphore("slot");
    }
    write_sync();
    write_tensor();
    write_vector();
    write_act();
  }

 private:
  struct Slot {
    Tile dense, rows, inputs;  ///< rows [lookup][depth]; inputs of the third layer, [samples, ..]
    Semaphore loaded, read, gathered, pooled, hidden, summed, made;
  };

  Block data(const char* what, unsigned row_bytes, unsigned rows,
             std::span<const std::uint8_t> bytes) {
    return assembler_.data(core_.chip(), core_.index(), fmt::format("{} {}", what, net_.name),
                           row_bytes, rows, bytes);
  }
  Block half(const char* what, const std::vector<float>& values, unsigned columns) {
    return data(what, 2 * columns, static_cast<unsigned>(values.size()) / columns,
                network::bf16_bytes(values));
  }
  Block words(const char* what, const std::vector<float>& values, unsigned columns) {
    return data(what, 4 * columns, static_cast<unsigned>(values.size()) / columns,
                bytes_of(values));
  }

  void load_constants() {
    const Semaphore loaded = core_.semaphore("constants");
    unsigned parts = 0;
    const auto load = [&](const Block& from, unsigned columns, Dtype dtype) {
      const Tile tile = core_.sbuf(net_.p, columns, dtype);
      parts += spread(assembler_, core_, from, assembler_.block(tile), loaded);
      return tile;
    };
    std::vector<float> identity(std::size_t{net_.p} * net_.p);
    for (unsigned i = 0; i < net_.p; ++i) identity[i * (net_.p + 1)] = 1;
    w2_ = load(half("w2", net_.w2, net_.depth), net_.depth, Dtype::Bf16);
    identity_ = load(half("identity", identity, net_.p), net_.p, Dtype::Bf16);
    Block bias = words("b2", net_.b2, net_.depth);
    bias.rows = net_.p, bias.stride = 0;  // the same for all samples
    b2_ = load(bias, net_.depth, Dtype::Fp32);
    core_.tensor().wait_ge(loaded, parts).nop();
    core_.vector().wait_ge(loaded, parts).nop();
    tiles_ = data("tiles", 4, 1, network::word_bytes({net_.tiles()}));
  }

  template <class S>
  Register turns(S& s) {
    const Register count = s.reg();
    s.load(count, tiles_);
    return count;
  }

  void write_sync() {
    auto& s = core_.sync();
    const unsigned p = net_.p, tile_bytes = 2 * p * p, most = kMostSamples / p;
    const Block dense =
        assembler_.hbm(core_.chip(), core_.index(), "dense " + net_.name, 2 * p, most * p);
    assembler_.fill(dense.row_range(0, net_.tiles() * p), network::bf16_bytes(net_.dense));
    const Block lists = assembler_.hbm(core_.chip(), core_.index(), "lists " + net_.name, 4 * p,
                                       most * net_.lookups());
    assembler_.fill(lists.row_range(0, net_.tiles() * net_.lookups()),
                    network::word_bytes(net_.list));
    const Block tables = words("tables", net_.tables, net_.depth);
    const Block out = assembler_.hbm(core_.chip(), core_.index(), "out " + net_.name, 4 * p, most);
    assembler_.region("out " + net_.name, out.row_range(0, net_.tiles()), Dtype::Fp32);

    const Block in = dense.row_range(0, p), row = out.row_range(0, 1);
    const unsigned last = assembler_.sizes().dma_engines - 1;  // stores
    dense_parts_ = spread_parts(assembler_, in, cmodel::By::Loads);
    for (const Slot& slot : slots_) s.nop().signal(slot.read).nop().signal(slot.pooled);
    s.nop().signal(stored_);
    const Register count = turns(s), in_at = s.reg(), list_at = s.reg(), out_at = s.reg();
    const auto load = [&](unsigned i) {
      const Slot& slot = slots_[i];
      s.take(slot.read);
      spread(assembler_, core_, in, assembler_.block(slot.dense), slot.loaded, {.src = in_at},
             cmodel::By::Loads);
      s.add(in_at, tile_bytes);
      s.take(slot.pooled);
      for (unsigned l = 0; l < net_.lookups(); ++l)
        s.start(l % last, tables.row_range(l / kLookups * kRows, kRows),
                assembler_.block(slot.rows.columns(l * net_.depth, net_.depth)),
                {.how = {.gather = lists.row_range(l, 1)}, .index = list_at})
            .signal(slot.gathered);
      s.add(list_at, 4 * p * net_.lookups());
    };
    const auto store = [&](unsigned) {
      s.take(done_);
      s.start(last, assembler_.block(out_), row, {.dst = out_at}).signal(stored_);
      s.add(out_at, 4 * p);
    };
    stages(s, count, kSlots, {{2, load}, {0, store}});
    s.wait_ge(stored_, 1).nop();
  }

  Tile vector_sums(unsigned slot) const {
    return core_.psum(1, net_.p, net_.depth, slot * net_.depth);
  }
  Tile crossed() const { return core_.psum(2, net_.inputs(), net_.p); }

  void write_tensor() {
    auto& t = core_.tensor();
    const auto bottom = [&](unsigned i) {
      t.take(slots_[i].loaded, dense_parts_);
      first_.multiply({slots_[i].dense});
      t.signal(slots_[i].read);
      t.take(slots_[i].hidden)
          .load_stationary(hidden_)
          .multiply_moving(w2_, vector_sums(i))
          .signal(slots_[i].summed);
    };
    const auto top = [&](unsigned i) {
      t.take(slots_[i].made)
          .load_stationary(slots_[i].inputs)
          .multiply_moving(identity_, crossed())
          .signal(crossed_);
      t.take(turned_);
      third_.multiply({turned_inputs_});
      t.take(units_done_);
      fourth_.multiply({units_});
    };
    stages(t, turns(t), kSlots, {{1, bottom}, {0, top}});
  }

  void write_vector() {
    auto& v = core_.vector();
    const unsigned p = net_.p, depth = net_.depth, count = net_.vectors();
    const int d = static_cast<int>(depth);
    const Tile vectors = core_.sbuf(p, count * depth, Dtype::Fp32),
               products = core_.sbuf(p, net_.features * depth, Dtype::Fp32);
    const auto work = [&](unsigned i) {
      const Slot& slot = slots_[i];
      v.take(slot.gathered, net_.lookups())
          .reduce(AluOp::Add,
                  slot.rows.shaped({net_.features, depth, kLookups},
                                   {static_cast<int>(kLookups) * d, 1, d}),
                  vectors.columns(depth, 1).shaped({net_.features, depth}, {d, 1}))
          .signal(slot.pooled);
      v.take(slot.summed).tensor_tensor(AluOp::Add, vector_sums(i), b2_, vectors.columns(0, depth));
      v.copy(vectors.columns(0, depth), slot.inputs.columns(0, depth));
      // Pairs that are `apart` from each other, first ones ascending.
      for (unsigned apart = 1, pair = depth; apart < count; pair += count - apart, ++apart) {
        const unsigned n = count - apart;
        v.tensor_tensor(AluOp::Mul, vectors.columns(0, n * depth),
                        vectors.columns(apart * depth, n * depth), products.columns(0, n * depth))
            .reduce(AluOp::Add, products.shaped({n, depth}, {d, 1}), slot.inputs.columns(pair, n));
      }
      v.signal(slot.made);
    };
    stages(v, turns(v), kSlots, {{0, work}});
  }

  void write_act() {
    auto& a = core_.act();
    const auto bottom = [&](unsigned i) {
      first_.activate(ActFunc::Relu, {hidden_});
      a.signal(slots_[i].hidden);
    };
    const auto top = [&](unsigned) {
      a.take(crossed_).activate(ActFunc::Copy, crossed(), turned_inputs_).signal(turned_);
      third_.activate(ActFunc::Relu, {units_});
      a.signal(units_done_);
      a.take(stored_);
      fourth_.activate(ActFunc::Sigmoid, {out_});
      a.signal(done_);
    };
    stages(a, turns(a), kSlots, {{1, bottom}, {0, top}});
  }

  cmodel::Assembler& assembler_;
  cmodel::Core& core_;
  const Recommender& net_;
  cmodel::Linear first_, third_, fourth_;
  std::array<Slot, kSlots> slots_;
  Tile w2_, b2_, identity_;
  Tile hidden_ = core_.sbuf(net_.p, net_.p, Dtype::Bf16),
       turned_inputs_ = core_.sbuf(net_.inputs(), net_.p, Dtype::Bf16),
       units_ = core_.sbuf(net_.p, net_.p, Dtype::Bf16), out_ = core_.sbuf(1, net_.p, Dtype::Fp32);
  Semaphore crossed_ = core_.semaphore("crossed"), turned_ = core_.semaphore("turned"),
            units_done_ = core_.semaphore("units"), done_ = core_.semaphore("done"),
            stored_ = core_.semaphore("stored");
  Block tiles_;
  unsigned dense_parts_ = 0;
};

cmodel::Program build(const ScenarioArgs& args) {
  return network::build<Recommender>(args, [](auto& assembler, auto& core, const Recommender& net) {
    Writer(assembler, core, net).write();
  });
}

/// Numbers [feature][sample], and the variance of the machine's around them: roundings to bf16, at
/// most 2^-9 of a number each, that know nothing of each other. Those of fp32 are lost beside them.
struct Known {
  std::vector<double> value, variance;
};
double rounding(double value) { return value * value * 0x1p-18; }

/// b + W^T x; if `to_bf16`, clipped at zero and rounded.
Known layer(const Known& x, const std::vector<float>& w, const std::vector<float>& b, unsigned n,
            bool to_bf16) {
  const auto outputs = static_cast<unsigned>(b.size());
  const auto weights = network::doubles(w);
  auto squares = weights;
  for (double& weight : squares) weight *= weight;
  Known y{network::product(weights, x.value, outputs, n),
          network::product(squares, x.variance, outputs, n)};
  for (std::size_t i = 0; i < y.value.size(); ++i) {
    y.value[i] += b[i / n];
    if (!to_bf16) continue;
    y.value[i] = std::max(y.value[i], 0.0);
    y.variance[i] += rounding(y.value[i]);
  }
  return y;
}

void judge(const Recommender& net, const std::vector<std::uint8_t>& bytes,
           network::Accuracy& accuracy) {
  const unsigned n = net.p, depth = net.depth;
  for (unsigned tile = 0; tile < net.tiles(); ++tile) {
    const auto part = net.dense.begin() + std::ptrdiff_t{tile} * n * n;
    Known dense{{part, part + std::ptrdiff_t{n} * n}, std::vector<double>(std::size_t{n} * n)};
    const Known zero = layer(layer(dense, net.w1, net.b1, n, true), net.w2, net.b2, n, false);
    Known inputs{std::vector<double>(std::size_t{net.inputs()} * n),
                 std::vector<double>(std::size_t{net.inputs()} * n)};
    for (unsigned sample = 0; sample < n; ++sample) {
      const auto vector = [&](unsigned v, unsigned i) {
        if (v == 0) return zero.value[i * n + sample];
        double sum = 0;
        for (unsigned l = 0; l < kLookups; ++l) {
          const unsigned row =
              net.list[((std::size_t{tile} * net.features + v - 1) * kLookups + l) * n + sample];
          sum += net.tables[(std::size_t{v - 1} * kRows + row) * depth + i];
        }
        return sum;
      };
      unsigned at = 0;
      const auto put = [&](double value, double variance) {
        inputs.value[at * n + sample] = value;
        inputs.variance[at++ * n + sample] = variance + rounding(value);
      };
      for (unsigned i = 0; i < depth; ++i)
        put(zero.value[i * n + sample], zero.variance[i * n + sample]);
      for (unsigned apart = 1; apart < net.vectors(); ++apart)
        for (unsigned v = 0; v + apart < net.vectors(); ++v) {
          double sum = 0, variance = 0;
          for (unsigned i = 0; i < depth; ++i) {
            const double b = vector(v + apart, i);
            sum += vector(v, i) * b;
            if (v == 0) variance += zero.variance[i * n + sample] * b * b;
          }
          put(sum, variance);
        }
    }
    const Known last = layer(layer(inputs, net.w3, net.b3, n, true), net.w4, net.b4, n, false);
    for (unsigned i = 0; i < n && tile * n + i < net.samples; ++i)
      accuracy.add(float_at(bytes, 4 * (std::size_t{tile} * n + i)),
                   1 / (1 + std::exp(-last.value[i])),
                   6 * std::sqrt(last.variance[i]) / 4 + 0x1p-20,
                   [&] { return fmt::format("{} sample {}", net.name, tile * n + i); });
  }
}

ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program,
                     RegionBytes regions) {
  ScenarioResult result;
  network::Accuracy accuracy;
  network::Roofline roofline;
  network::for_cores<Recommender>(args, [&](const Recommender& net, unsigned, unsigned) {
    judge(net, region_bytes(program, regions, "out " + net.name), accuracy);
    result.metrics["samples"] = net.samples;
    result.metrics["lookups"] = net.lookups();
    const double tiles = net.tiles(), p = net.p, d = net.depth;
    roofline.macs = net.samples * p * (p + d + net.inputs() + 1.0);
    roofline.vector = tiles * (net.lookups() * d + 3 * d + 3 * d * net.pairs());
    roofline.act = tiles * 4 * p;
    roofline.lines = tiles * p * net.lookups();
    roofline.hbm_bytes = tiles * p * (2 * p + 4.0 * net.lookups() * (d + 1) + 4);
  });
  network::put_roofline(args.sizes, roofline, result.metrics);
  accuracy.report(result);
  return result;
}

}  // namespace

extern const Scenario kEmbedding{
    .name = "embedding",
    .doc = "recommender: gathered rows, pairs, layers (length: samples per core)",
    .build = build,
    .check = check,
    .has_length = true};

}  // namespace tb
