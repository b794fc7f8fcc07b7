// SPDX-License-Identifier: Apache-2.0
// A small network of convolutions on every core, its own images from HBM to one number a channel:
//
//   x [3, H, H] --3x3--> relu [P, H, H] --max 2x2--> [P, H/2, H/2] --3x3--> relu --3x3 of each
//   channel alone--> relu --3x3, every second pixel--> relu [2 P, H/4, H/4] --mean--> [2 P]
//
// All with a border of zeros, none with a copy of windows: the moving tile walks over the padded
// images (cmodel/kernels/image.h). Three rows of a window of the first layer lie on partitions of
// their own, [ky][channel], so that it has 9 inputs and 3 taps; others have P inputs and 9 taps.
// How many groups of images there are, the program reads in HBM. A turn works on three groups:
//
//   tensor       first of t + 2     second of t + 1                       third of t
//   activation      relu               relu                     relu         relu
//   vector             max 2x2            each channel alone                    mean
#include <fmt/format.h>

#include <array>
#include <cmath>

#include "cmodel/kernels/image.h"
#include "cmodel/kernels/linear.h"
#include "cmodel/kernels/spread.h"
#include "cmodel/kernels/stages.h"
#include "tb/scenarios/network.h"

namespace tb {
namespace {

using cmodel::Block;
using cmodel::Features;
using cmodel::Images;
using cmodel::Register;
using cmodel::Semaphore;
using cmodel::Tile;
using defs::ActFunc;
using defs::AluOp;
using defs::Dtype;

constexpr unsigned kChannels = 3, kTaps = 9, kMostImages = 256, kSlots = 3;

struct Net {
  Net(const ScenarioArgs& args, unsigned chip, unsigned core)
      : name(network::core_name(chip, core)),
        width(args.sizes.partitions),
        group(std::max(2u, width / 16)),
        images(network::length_of(args, 2 * group + 1, kMostImages)) {
    while (4 * side * side <= args.sizes.psum_cols) side *= 2;
    Random random(args.seed, "conv " + name);
    const auto weights = [&](unsigned inputs, unsigned outputs) {
      return network::draw_bf16(random, std::size_t{inputs} * outputs,
                                3 / std::sqrt(static_cast<float>(inputs)));
    };
    x = network::draw_bf16(random, std::size_t{images} * kChannels * side * side, 1);
    w1 = weights(kTaps * kChannels, width);
    w2 = weights(kTaps * width, width);
    w3 = weights(kTaps * width, 2 * width);
    each = network::draw(random, std::size_t{width} * kTaps, 1);
    for (auto* bias : {&b1, &b2, &b_each}) *bias = network::draw(random, width, 0.5f);
    b3 = network::draw(random, 2 * width, 0.5f);
  }
  unsigned groups() const { return (images + group - 1) / group; }

  std::string name;
  unsigned width, group, images, side = 2;
  std::vector<float> x;           ///< [image][channel][y][x]
  std::vector<float> w1, w2, w3;  ///< [ky][kx][input][output]
  std::vector<float> each;        ///< [channel][ky][kx]
  std::vector<float> b1, b2, b_each, b3;
};

class Writer {
 public:
  Writer(cmodel::Assembler& assembler, cmodel::Core& core, const Net& net)
      : assembler_(assembler),
        core_(core),
        net_(net),
        half_(net.side / 2),
        first_(assembler, core, block("w1", first_weights(), net.width), bias("b1", net.b1), 0, 2,
               kChannels * 3),
        second_(assembler, core, block("w2", net.w2, net.width), bias("b2", net.b2), 2, 2),
        third_(assembler, core, block("w3", net.w3, 2 * net.width), bias("b3", net.b3), 4, 2) {}

  void write() {
    load_each();
    for (Slot& slot : slots_) place(slot);
    write_sync();
    write_tensor();
    write_vector();
    write_act();
  }

 private:
  struct Slot {
    Images x, full, pooled, sums, each, last;  ///< what comes into each step
    Features made;                             ///< of the third convolution, [2 P, group x pixels]
    Features mean;
    Semaphore loaded, read, full_done, pooled_done, second_done, each_done, each_ready, third_done,
        done, stored;
  };

  Block block(const char* what, const std::vector<float>& values, unsigned columns) {
    return assembler_.data(core_.chip(), core_.index(), fmt::format("{} {}", what, net_.name),
                           2 * columns, static_cast<unsigned>(values.size()) / columns,
                           network::bf16_bytes(values));
  }
  Block bias(const char* what, const std::vector<float>& values) { return words(what, values, 1); }
  Block words(const char* what, const std::vector<float>& values, unsigned columns) {
    return assembler_.data(core_.chip(), core_.index(), fmt::format("{} {}", what, net_.name),
                           4 * columns, static_cast<unsigned>(values.size()) / columns,
                           bytes_of(values));
  }
  /// [kx][ky][input][output]: a tile of inputs has all rows of a window.
  std::vector<float> first_weights() const {
    std::vector<float> out;
    const unsigned row = kChannels * net_.width;
    for (unsigned kx = 0; kx < 3; ++kx)
      for (unsigned ky = 0; ky < 3; ++ky)
        for (unsigned i = 0; i < row; ++i) out.push_back(net_.w1[(ky * 3 + kx) * row + i]);
    return out;
  }

  void load_each() {
    const Semaphore loaded = core_.semaphore("taps");
    unsigned parts = 0;
    const auto load = [&](const char* what, const std::vector<float>& values, unsigned columns) {
      const Tile tile = core_.sbuf(net_.width, columns, Dtype::Fp32);
      parts +=
          spread(assembler_, core_, words(what, values, columns), assembler_.block(tile), loaded);
      return tile;
    };
    each_ = load("each", net_.each, kTaps);
    b_each_ = load("b each", net_.b_each, 1);
    core_.vector().wait_ge(loaded, parts).nop();
    core_.act().wait_ge(loaded, parts).nop();
  }

  void place(Slot& slot) {
    const unsigned n = net_.group, p = net_.width;
    // Without the border's rows above and below: each of the three rows of a window has its own.
    slot.x = {
        line_tile(assembler_, core_, 3 * kChannels, n * net_.side * (net_.side + 2), Dtype::Bf16),
        n, net_.side, net_.side, 1};
    slot.full = Images::place(core_, p, n, net_.side, net_.side, Dtype::Bf16, 0);
    for (Images* images : {&slot.pooled, &slot.each, &slot.last}) {
      *images = Images::place(core_, p, n, half_, half_, Dtype::Bf16, 1);
      core_.vector().memset(0.0f, images->tile);
    }
    slot.sums = Images::place(core_, p, n, half_, half_, Dtype::Fp32, 0);
    slot.made = features(assembler_, core_, 2 * p, n * half_ * half_ / 4, Dtype::Fp32);
    slot.mean = features(assembler_, core_, 2 * p, n, Dtype::Fp32);
    const char* names[] = {"loaded",    "read", "full",  "pooled", "second",
                           "each sums", "each", "third", "done",   "stored"};
    unsigned i = 0;
    for (Semaphore* semaphore :
         {&slot.loaded, &slot.read, &slot.full_done, &slot.pooled_done, &slot.second_done,
          &slot.each_done, &slot.each_ready, &slot.third_done, &slot.done, &slot.stored})
      *semaphore = core_.semaphore(names[i++]);
  }

  template <class S>
  Register turns(S& s) {
    const Register count = s.reg();
    s.load(count, groups_);
    return count;
  }

  void write_sync() {
    auto& s = core_.sync();
    const unsigned n = net_.group, side = net_.side, pitch = side + 2,
                   image = (side + 2) * pitch * 2, row = side * pitch * 2;
    std::vector<float> padded(std::size_t{net_.groups()} * n * kChannels * image / 2);
    for (std::size_t i = 0; i < net_.x.size(); ++i)
      padded[i / (side * side) * image / 2 + (i / side % side + 1) * pitch + i % side + 1] =
          net_.x[i];
    const Block x = assembler_.hbm(core_.chip(), core_.index(), "x " + net_.name, image,
                                   kMostImages * kChannels);
    assembler_.fill(x.row_range(0, net_.groups() * n * kChannels), network::bf16_bytes(padded));
    const Block out = assembler_.hbm(core_.chip(), core_.index(), "mean " + net_.name, 4 * n,
                                     kMostImages / n * 2 * net_.width);
    assembler_.region("mean " + net_.name, out.row_range(0, net_.groups() * 2 * net_.width),
                      Dtype::Fp32);
    groups_ = assembler_.data(core_.chip(), core_.index(), "groups " + net_.name, 4, 1,
                              network::word_bytes({net_.groups()}));
    stored_parts_ = 2 * spread_parts(assembler_, out.row_range(0, net_.width), cmodel::By::Stores);
    for (const Slot& slot : slots_) s.nop().signal(slot.read);
    const Register count = turns(s), in_at = s.reg(), out_at = s.reg();
    const auto load = [&](unsigned i) {
      s.take(slots_[i].read);
      unsigned engine = 0;
      for (unsigned g = 0; g < n; ++g)
        for (unsigned ky = 0; ky < 3; ++ky, ++engine)
          s.start(engine % (assembler_.sizes().dma_engines / 2),
                  x.row_range(g * kChannels, kChannels).byte_range(ky * pitch * 2, row),
                  assembler_.block(slots_[i]
                                       .x.tile.rows(ky * kChannels, kChannels)
                                       .columns(g * side * pitch, side * pitch)),
                  {.src = in_at})
              .signal(slots_[i].loaded);
      s.add(in_at, std::int64_t{n} * kChannels * image);
    };
    const auto store = [&](unsigned i) {
      s.take(slots_[i].done);
      for (unsigned m = 0; m < slots_[i].mean.size(); ++m)
        spread(assembler_, core_, assembler_.block(slots_[i].mean[m]),
               out.row_range(m * net_.width, net_.width), slots_[i].stored, {.dst = out_at},
               cmodel::By::Stores);
      s.add(out_at, std::int64_t{2} * net_.width * 4 * n);
    };
    stages(s, count, kSlots, {{2, load}, {0, store}});
    for (const Slot& slot : slots_) s.wait_ge(slot.stored, stored_parts_).nop();
  }

  void write_tensor() {
    auto& t = core_.tensor();
    const unsigned side = net_.side, pitch = side + 2;
    const auto first = [&](unsigned i) {
      t.take(slots_[i].loaded, 3 * net_.group);
      for (unsigned g = 0; g < net_.group; ++g) {
        Features x;
        for (unsigned kx = 0; kx < 3; ++kx)
          x.push_back(slots_[i]
                          .x.tile.columns(g * side * pitch + kx, 1)
                          .shaped({side, side}, {static_cast<int>(pitch), 1}));
        first_.multiply(x, g);
      }
      t.signal(slots_[i].read);
    };
    const auto second = [&](unsigned i) {
      t.take(slots_[i].pooled_done);
      second_.multiply(taps(slots_[i].pooled, 1));
    };
    const auto third = [&](unsigned i) {
      t.take(slots_[i].each_ready);
      third_.multiply(taps(slots_[i].last, 2));
    };
    stages(t, turns(t), kSlots, {{2, first}, {1, second}, {0, third}});
  }

  Features taps(const Images& images, unsigned stride) const {
    Features x;
    for (unsigned k = 0; k < kTaps; ++k) x.push_back(images.tap(k / 3, k % 3, stride, 0, images.n));
    return x;
  }

  void write_act() {
    auto& a = core_.act();
    for (const Slot& slot : slots_) a.nop().signal(slot.stored, static_cast<int>(stored_parts_));
    const auto first = [&](unsigned i) {
      for (unsigned g = 0; g < net_.group; ++g)
        first_.activate(ActFunc::Relu, {slots_[i].full.tap(0, 0, 1, g, 1)}, g);
      a.signal(slots_[i].full_done);
    };
    const auto second = [&](unsigned i) {
      second_.activate(ActFunc::Relu, {slots_[i].each.inside()});
      a.signal(slots_[i].second_done);
      a.take(slots_[i].each_done)
          .activate(ActFunc::Relu, slots_[i].sums.inside(), b_each_, slots_[i].last.inside())
          .signal(slots_[i].each_ready);
    };
    const auto third = [&](unsigned i) {
      Features y;
      for (const Tile& tile : slots_[i].made)
        y.push_back(shaped_like(tile, slots_[i].last.tap(0, 0, 2, 0, net_.group)));
      third_.activate(ActFunc::Relu, y);
      a.signal(slots_[i].third_done);
    };
    stages(a, turns(a), kSlots, {{2, first}, {1, second}, {0, third}});
  }

  void write_vector() {
    auto& v = core_.vector();
    const auto max = [&](unsigned i) {
      const int side = static_cast<int>(net_.side);
      v.take(slots_[i].full_done).nop();
      for (unsigned g = 0; g < net_.group; ++g) {
        Tile to = slots_[i].pooled.tap(1, 1, 1, g, 1);
        v.reduce(
            AluOp::Max,
            slots_[i].full.tap(0, 0, 1, g, 1).shaped({half_, half_, 2, 2}, {2 * side, 2, side, 1}),
            to, {.more = 1});
      }
      v.signal(slots_[i].pooled_done);
    };
    const auto each = [&](unsigned i) {
      const Tile sums = slots_[i].sums.inside();
      v.take(slots_[i].second_done);
      for (unsigned k = 0; k < kTaps; ++k) {
        const Tile x = slots_[i].each.tap(k / 3, k % 3, 1, 0, net_.group);
        if (k == 0)
          v.tensor_scalar(AluOp::Mul, x, each_.columns(k, 1), sums);
        else
          v.scalar_tensor_tensor(AluOp::Mul, x, each_.columns(k, 1), AluOp::Add, sums, sums);
      }
      v.signal(slots_[i].each_done);
    };
    const auto mean = [&](unsigned i) {
      const unsigned pixels = half_ * half_ / 4;
      v.take(slots_[i].third_done).take(slots_[i].stored, stored_parts_).nop();
      for (unsigned m = 0; m < slots_[i].made.size(); ++m)
        v.reduce(AluOp::Add,
                 slots_[i].made[m].shaped({net_.group, pixels}, {static_cast<int>(pixels), 1}),
                 slots_[i].mean[m])
            .tensor_scalar(AluOp::Mul, slots_[i].mean[m], 1.0f / static_cast<float>(pixels),
                           slots_[i].mean[m]);
      v.signal(slots_[i].done);
    };
    stages(v, turns(v), kSlots, {{2, max}, {1, each}, {0, mean}});
  }

  cmodel::Assembler& assembler_;
  cmodel::Core& core_;
  const Net& net_;
  unsigned half_;
  cmodel::Linear first_, second_, third_;
  Tile each_, b_each_;
  std::array<Slot, kSlots> slots_;
  Block groups_;
  unsigned stored_parts_ = 0;
};

cmodel::Program build(const ScenarioArgs& args) {
  return network::build<Net>(args, [](auto& assembler, auto& core, const Net& net) {
    Writer(assembler, core, net).write();
  });
}

// -------------------------------------------------------------------------------- judgement

/// Numbers [y][x][channel], and the variance of the machine's around them: roundings to bf16, at
/// most 2^-9 of a number each, that know nothing of each other. Those of fp32 are lost beside them.
struct Maps {
  unsigned side, channels;
  std::vector<double> value, variance;
  std::size_t at(unsigned y, unsigned x) const { return (std::size_t{y} * side + x) * channels; }
};

/// relu(bias + 3x3 of `x`, every `stride`-th pixel). `each`: of each channel alone.
Maps convolve(const Maps& x, const std::vector<float>& w, const std::vector<float>& bias,
              unsigned stride, bool each, bool to_bf16) {
  const auto channels = static_cast<unsigned>(bias.size());
  Maps y{x.side / stride, channels, {}, {}};
  for (unsigned row = 0; row < y.side; ++row)
    for (unsigned column = 0; column < y.side; ++column) {
      std::vector<double> sum(bias.begin(), bias.end()), variance(channels);
      for (unsigned k = 0; k < kTaps; ++k) {
        const unsigned ty = row * stride + k / 3 - 1, tx = column * stride + k % 3 - 1;
        if (ty >= x.side || tx >= x.side) continue;
        const std::size_t from = x.at(ty, tx);
        for (unsigned c = 0; c < x.channels; ++c) {
          const double value = x.value[from + c], spread = x.variance[from + c];
          const auto add = [&](unsigned m, double weight) {
            sum[m] += value * weight;
            variance[m] += spread * weight * weight;
          };
          if (each) {
            add(c, w[c * kTaps + k]);
            continue;
          }
          const float* weights = &w[(std::size_t{k} * x.channels + c) * channels];
          for (unsigned m = 0; m < channels; ++m) add(m, weights[m]);
        }
      }
      for (unsigned m = 0; m < channels; ++m) {
        const double value = std::max(sum[m], 0.0), rounding = value * (to_bf16 ? 0x1p-9 : 0x1p-22);
        y.value.push_back(value);
        y.variance.push_back(variance[m] + rounding * rounding);
      }
    }
  return y;
}

Maps pool(const Maps& x) {
  Maps y{x.side / 2, x.channels, {}, {}};
  for (unsigned row = 0; row < y.side; ++row)
    for (unsigned column = 0; column < y.side; ++column)
      for (unsigned c = 0; c < x.channels; ++c) {
        double most = 0, variance = 0;
        for (unsigned k = 0; k < 4; ++k) {
          const std::size_t i = x.at(2 * row + k / 2, 2 * column + k % 2) + c;
          most = std::max(most, x.value[i]), variance = std::max(variance, x.variance[i]);
        }
        y.value.push_back(most), y.variance.push_back(variance);
      }
  return y;
}

void judge(const Net& net, const std::vector<std::uint8_t>& bytes, network::Accuracy& accuracy) {
  const unsigned pixels = net.side * net.side, outputs = 2 * net.width;
  for (unsigned image = 0; image < net.images; ++image) {
    Maps maps{net.side, kChannels, {}, std::vector<double>(std::size_t{pixels} * kChannels)};
    for (unsigned i = 0; i < pixels * kChannels; ++i)
      maps.value.push_back(
          net.x[(std::size_t{image} * kChannels + i % kChannels) * pixels + i / kChannels]);
    maps = convolve(maps, net.w1, net.b1, 1, false, true);
    maps = convolve(pool(maps), net.w2, net.b2, 1, false, true);
    maps = convolve(maps, net.each, net.b_each, 1, true, true);
    maps = convolve(maps, net.w3, net.b3, 2, false, false);
    const double area = maps.side * maps.side;
    for (unsigned m = 0; m < outputs; ++m) {
      double sum = 0, deviation = 0;  // neighbours have errors in common
      for (std::size_t i = m; i < maps.value.size(); i += outputs)
        sum += maps.value[i], deviation += std::sqrt(maps.variance[i]);
      const std::size_t at =
          (std::size_t{image / net.group} * outputs + m) * net.group + image % net.group;
      accuracy.add(float_at(bytes, 4 * at), sum / area, 6 * deviation / area + 0x1p-20,
                   [&] { return fmt::format("{} image {} channel {}", net.name, image, m); });
    }
  }
}

ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program,
                     RegionBytes regions) {
  ScenarioResult result;
  network::Accuracy accuracy;
  network::Roofline roofline;
  network::for_cores<Net>(args, [&](const Net& net, unsigned, unsigned) {
    judge(net, region_bytes(program, regions, "mean " + net.name), accuracy);
    result.metrics["images"] = net.images;
    const double pixels = net.side * net.side, half = pixels / 4, quarter = pixels / 16,
                 p = net.width, n = net.groups() * net.group;
    roofline.macs = net.images * kTaps * p * (kChannels * pixels + p * half + 2 * p * quarter);
    roofline.vector = n * (pixels + (2 * kTaps - 1) * half + 2 * quarter);
    roofline.act = n * (pixels + 2 * half + 2 * quarter);
    roofline.hbm_bytes = n * (3 * 2 * kChannels * pixels + 8 * p);
  });
  network::put_roofline(args.sizes, roofline, result.metrics);
  accuracy.report(result);
  return result;
}

}  // namespace

extern const Scenario kConv{
    .name = "conv",
    .doc = "convolutions of images: strides, borders, pools (length: images)",
    .build = build,
    .check = check,
    .has_length = true};

}  // namespace tb
