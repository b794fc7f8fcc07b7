// SPDX-License-Identifier: Apache-2.0
// Trains the network of the `digits` scenario: train_digits DATA.csv.gz OUT.txt
//
// Stochastic gradient descent with momentum on the squared hinge loss, one class against the rest.
// Only +, -, *, / and sqrt of IEEE doubles in a fixed order (no exp, no library distribution): the
// same bits on any machine and compiler, so that a test can compare the committed file.
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <exception>
#include <random>
#include <utility>
#include <vector>

#include "tb/scenarios/digits_data.h"

namespace {

constexpr unsigned kHidden = 384;  // 16 per core of a full board
constexpr unsigned kEpochs = 40;
constexpr unsigned kBatch = 16;
constexpr double kRate = 0.02, kMomentum = 0.9, kDecay = 1e-4;

using Vector = std::vector<double>;

/// Uniform in -1 .. 1.
double draw(std::mt19937_64& rng) {
  return static_cast<double>(static_cast<std::int64_t>(rng()) >> 11) / 4503599627370496.0;
}

struct Trainer {
  tb::DigitsNetwork net;
  tb::DigitsNetwork slope, speed;

  explicit Trainer(std::mt19937_64& rng) {
    net.hidden = kHidden;
    net.w1.resize(kHidden * tb::kDigitsPixels);
    net.b1.resize(kHidden);
    net.w2.resize(tb::kDigitsClasses * kHidden);
    net.b2.resize(tb::kDigitsClasses);
    const double reach1 = std::sqrt(6.0 / tb::kDigitsPixels), reach2 = std::sqrt(3.0 / kHidden);
    for (double& w : net.w1) w = reach1 * draw(rng);
    for (double& w : net.w2) w = reach2 * draw(rng);
    slope = net;
    speed = net;
    for (Vector* v : {&speed.w1, &speed.b1, &speed.w2, &speed.b2}) v->assign(v->size(), 0.0);
    clear();
  }

  void clear() {
    for (Vector* v : {&slope.w1, &slope.b1, &slope.w2, &slope.b2}) v->assign(v->size(), 0.0);
  }

  void forward(const tb::DigitsImage& image, Vector& hidden, Vector& scores) const {
    hidden = net.b1;
    for (unsigned h = 0; h < kHidden; ++h)
      for (unsigned p = 0; p < tb::kDigitsPixels; ++p)
        hidden[h] += net.w1[h * tb::kDigitsPixels + p] * (image.pixels[p] / 16.0);
    for (double& x : hidden) x = x > 0 ? x : 0;
    scores = net.b2;
    for (unsigned c = 0; c < tb::kDigitsClasses; ++c)
      for (unsigned h = 0; h < kHidden; ++h) scores[c] += net.w2[c * kHidden + h] * hidden[h];
  }

  void add_slope(const tb::DigitsImage& image) {
    Vector hidden, scores, back(kHidden, 0.0);
    forward(image, hidden, scores);
    for (unsigned c = 0; c < tb::kDigitsClasses; ++c) {
      const double target = c == image.label ? 1.0 : -1.0;
      const double short_of = 1.0 - target * scores[c];
      if (short_of <= 0) continue;
      const double d = -2.0 * target * short_of;
      slope.b2[c] += d;
      for (unsigned h = 0; h < kHidden; ++h) {
        slope.w2[c * kHidden + h] += d * hidden[h];
        back[h] += d * net.w2[c * kHidden + h];
      }
    }
    for (unsigned h = 0; h < kHidden; ++h) {
      if (hidden[h] <= 0) continue;
      slope.b1[h] += back[h];
      for (unsigned p = 0; p < tb::kDigitsPixels; ++p)
        slope.w1[h * tb::kDigitsPixels + p] += back[h] * (image.pixels[p] / 16.0);
    }
  }

  void move(double rate) {
    const auto step = [&](Vector& value, Vector& v, const Vector& g) {
      for (std::size_t i = 0; i < value.size(); ++i) {
        v[i] = kMomentum * v[i] - rate * (g[i] / kBatch + kDecay * value[i]);
        value[i] += v[i];
      }
    };
    step(net.w1, speed.w1, slope.w1);
    step(net.b1, speed.b1, slope.b1);
    step(net.w2, speed.w2, slope.w2);
    step(net.b2, speed.b2, slope.b2);
    clear();
  }

  double accuracy(const std::vector<tb::DigitsImage>& images, bool held_out) const {
    unsigned right = 0, all = 0;
    Vector hidden, scores;
    for (std::size_t i = 0; i < images.size(); ++i) {
      if (tb::held_out(i) != held_out) continue;
      forward(images[i], hidden, scores);
      unsigned best = 0;
      for (unsigned c = 1; c < tb::kDigitsClasses; ++c)
        if (scores[c] > scores[best]) best = c;
      right += best == images[i].label;
      ++all;
    }
    return static_cast<double>(right) / all;
  }
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: train_digits DATA.csv.gz OUT.txt\n");
    return 2;
  }
  try {
    const auto images = tb::read_digits(argv[1]);
    std::vector<std::size_t> order;
    for (std::size_t i = 0; i < images.size(); ++i)
      if (!tb::held_out(i)) order.push_back(i);
    std::mt19937_64 rng(1);
    Trainer trainer(rng);
    for (unsigned epoch = 0; epoch < kEpochs; ++epoch) {
      for (std::size_t i = order.size() - 1; i > 0; --i)
        std::swap(order[i], order[rng() % (i + 1)]);
      const double rate = kRate * (1.0 - static_cast<double>(epoch) / kEpochs);
      for (std::size_t i = 0; i + kBatch <= order.size(); i += kBatch) {
        for (unsigned j = 0; j < kBatch; ++j) trainer.add_slope(images[order[i + j]]);
        trainer.move(rate);
      }
    }
    tb::write_network(trainer.net, argv[2]);
    fmt::print("accuracy: trained on {:.4f}, held out {:.4f}\n", trainer.accuracy(images, false),
               trainer.accuracy(images, true));
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
  return 0;
}
