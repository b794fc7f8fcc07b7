// SPDX-License-Identifier: Apache-2.0
#include "tb/scenarios/lm_model.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <stdexcept>

#include "cmodel/files/input_file.h"
#include "tb/scenarios/numbers.h"

namespace tb::lm {
namespace {

constexpr std::string_view kMagic = "DODECALM";
constexpr std::uint32_t kBf16 = 1;  ///< the format
constexpr std::size_t kMostBytes = 8u << 20;

template <class... Args>
[[noreturn]] void fail(const std::filesystem::path& file, fmt::format_string<Args...> text,
                       Args&&... args) {
  throw std::runtime_error(file.string() + ": " + fmt::format(text, std::forward<Args>(args)...));
}

/// Bytes of the UTF-8 character that begins with this one; a lone byte is one of its own.
std::size_t character_bytes(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t bytes = first < 0xc0 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  return std::min(bytes, text.size());
}

std::vector<std::string> split(std::string_view text) {
  std::vector<std::string> characters;
  for (; !text.empty(); text.remove_prefix(character_bytes(text)))
    characters.emplace_back(text.substr(0, character_bytes(text)));
  return characters;
}

/// W x, W bf16 [outputs][inputs].
std::vector<double> times(const std::vector<std::uint16_t>& w, const std::vector<double>& x) {
  std::vector<double> y(w.size() / x.size());
  for (std::size_t o = 0; o < y.size(); ++o)
    for (std::size_t i = 0; i < x.size(); ++i) y[o] += double{float_of(w[o * x.size() + i])} * x[i];
  return y;
}

}  // namespace

Model read_model(const std::filesystem::path& file) {
  const auto bytes = cmodel::read_file(file, kMostBytes);
  constexpr std::size_t kWords = 9, kHeader = kMagic.size() + 4 * kWords;
  if (bytes.size() < kHeader || std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0)
    fail(file, "no language model; allowed files that begin with {}", kMagic);
  std::uint32_t words[kWords];
  std::memcpy(words, bytes.data() + kMagic.size(), sizeof words);
  if (words[0] != kBf16) fail(file, "format is {}; allowed {} (bf16)", words[0], kBf16);
  const cmodel::DecoderShape shape{words[1], words[2], words[3], words[4], words[5], words[6]};
  const auto text_of = [](const cmodel::DecoderShape& s) {
    return fmt::format("width {}, {} heads, {} layers, {} hidden units, context {}, {} characters",
                       s.width, s.heads, s.layers, s.hidden, s.context, s.characters);
  };
  if (!(shape == kShape)) fail(file, "shape is {}; allowed {}", text_of(shape), text_of(kShape));
  const std::size_t body = bytes.size() - kHeader, text = words[7],
                    weights = (2 * shape.characters + shape.context) * shape.width +
                              shape.layers * (4 * shape.width + 2 * shape.hidden) * shape.width;
  if (body != text + 2 * weights)
    fail(file, "{} bytes; allowed {}", bytes.size(), kHeader + text + 2 * weights);
  const auto sum = crc32(0, bytes.data() + kHeader, static_cast<uInt>(body));
  if (sum != words[8]) fail(file, "CRC-32 is {:#010x}; its header says {:#010x}", sum, words[8]);

  const auto* at = bytes.data() + kHeader;
  Model model{split({reinterpret_cast<const char*>(at), text}), {}};
  model.weights.shape = shape;
  if (model.characters.size() != shape.characters)
    fail(file, "{} characters; its header says {}", model.characters.size(), shape.characters);
  at += text;
  const auto take = [&](unsigned outputs, unsigned inputs) {
    std::vector<std::uint16_t> w(std::size_t{outputs} * inputs);
    std::memcpy(w.data(), at, 2 * w.size());
    at += 2 * w.size();
    return w;
  };
  auto& w = model.weights;
  w.embedding = take(shape.characters, shape.width);
  w.position = take(shape.context, shape.width);
  for (unsigned i = 0; i < shape.layers; ++i) {
    auto& layer = w.layers.emplace_back();
    layer.qkv = take(3 * shape.width, shape.width);
    layer.out = take(shape.width, shape.width);
    layer.up = take(shape.hidden, shape.width);
    layer.down = take(shape.width, shape.hidden);
  }
  w.logits = take(shape.characters, shape.width);
  return model;
}

std::vector<unsigned> encode(const Model& model, std::string_view text) {
  std::vector<unsigned> tokens;
  for (const std::string& c : split(text)) {
    const auto found = std::ranges::find(model.characters, c);
    if (found == model.characters.end()) {
      const auto first = static_cast<unsigned char>(c[0]);
      throw std::runtime_error(fmt::format(
          "character {} is {}; allowed those of the text that the model has learned",
          tokens.size() + 1,
          c.size() == 1 && (first < 0x20 || first > 0x7e) ? fmt::format("byte {:#04x}", first)
                                                          : "\"" + c + "\""));
    }
    tokens.push_back(static_cast<unsigned>(found - model.characters.begin()));
  }
  return tokens;
}

std::string decode(const Model& model, std::span<const unsigned> tokens) {
  std::string text;
  for (const unsigned token : tokens) text += model.characters.at(token);
  return text;
}

std::span<const unsigned> held_out(std::span<const unsigned> text) {
  return text.last(text.size() / 20);
}

double Reference::round(double value) const {
  return rounded_ ? double{float_of(bf16_of(value))} : value;
}

std::vector<double> Reference::rounded(Vector values) const {
  for (double& x : values) x = round(x);
  return values;
}

std::vector<double> Reference::times_normed(const std::vector<std::uint16_t>& w,
                                            const Vector& x) const {
  double sum = 0;
  for (const double v : x) sum += v * v;
  Vector y = times(w, rounded(x));
  for (double& v : y) v /= std::sqrt(sum / kShape.width + double{cmodel::kDecoderEpsilon});
  return y;
}

std::vector<double> Reference::attend(unsigned layer, const Vector& qkv) {
  const unsigned head = kShape.head();
  const auto part = [&](unsigned i) {
    return rounded({qkv.begin() + i * kShape.width, qkv.begin() + (i + 1) * kShape.width});
  };
  const Vector q = part(0);
  auto &keys = keys_[layer], &values = values_[layer];
  keys.push_back(part(1));
  values.push_back(part(2));
  Vector o(kShape.width), p(keys.size());
  for (unsigned first = 0; first < kShape.width; first += head) {
    double most = -INFINITY, sum = 0;
    for (std::size_t key = 0; key < keys.size(); ++key) {
      p[key] = 0;
      for (unsigned i = first; i < first + head; ++i) p[key] += q[i] * keys[key][i];
      p[key] /= std::sqrt(head);
      most = std::max(most, p[key]);
    }
    for (double& share : p) sum += share = std::exp(share - most);
    for (std::size_t key = 0; key < keys.size(); ++key)
      for (unsigned i = first; i < first + head; ++i) o[i] += round(p[key] / sum) * values[key][i];
  }
  return rounded(std::move(o));
}

std::vector<double> Reference::next(unsigned token) {
  const auto& w = model_.weights;
  Vector x(kShape.width);
  for (unsigned i = 0; i < kShape.width; ++i)
    x[i] = double{float_of(w.embedding[token * kShape.width + i])} +
           double{float_of(w.position[position_ * kShape.width + i])};
  const auto add = [&](const Vector& y) {
    for (unsigned i = 0; i < kShape.width; ++i) x[i] += y[i];
  };
  for (unsigned l = 0; l < kShape.layers; ++l) {
    const auto& layer = w.layers[l];
    add(times(layer.out, attend(l, times_normed(layer.qkv, x))));
    Vector hidden = times_normed(layer.up, x);
    for (double& v : hidden) v = round(v * std::erfc(-v / std::sqrt(2.0)) / 2);
    add(times(layer.down, hidden));
  }
  ++position_;
  return times_normed(w.logits, x);
}

double loss(const Model& model, std::span<const unsigned> text) {
  double sum = 0;
  std::size_t count = 0;
  for (std::size_t at = 0; at + kShape.context < text.size(); at += kShape.context) {
    Reference network(model, false);
    for (unsigned i = 0; i < kShape.context; ++i, ++count) {
      const auto logits = network.next(text[at + i]);
      double whole = 0;
      for (const double v : logits) whole += std::exp(v);
      sum += std::log(whole) - logits[text[at + i + 1]];
    }
  }
  if (count == 0)
    throw std::runtime_error(
        fmt::format("{} characters; allowed {} and more", text.size(), kShape.context + 1));
  return sum / static_cast<double>(count);
}

}  // namespace tb::lm
