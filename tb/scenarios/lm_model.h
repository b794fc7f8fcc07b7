// SPDX-License-Identifier: Apache-2.0
// The language model of the scenario `lm`: its file, its characters, and what it computes, in
// plain loops of doubles.
#pragma once
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cmodel/kernels/decoder.h"

namespace tb::lm {

inline constexpr cmodel::DecoderShape kShape{
    .width = 192, .heads = 12, .layers = 4, .hidden = 768, .context = 256, .characters = 81};

struct Model {
  std::vector<std::string> characters;  ///< UTF-8; token i is characters[i]
  cmodel::DecoderWeights weights;
};

/// A file of scripts/train_lm.py: README.md says how it looks. Throws std::runtime_error, one line
/// with the file, if its shape, format, length or checksum is another one.
Model read_model(const std::filesystem::path& file);

/// Throws std::runtime_error that names the first character that the model has not.
std::vector<unsigned> encode(const Model& model, std::string_view text);
std::string decode(const Model& model, std::span<const unsigned> tokens);

/// The last twentieth of the characters: never trained on.
std::span<const unsigned> held_out(std::span<const unsigned> text);

/// The network token by token, with a cache.
class Reference {
 public:
  /// `rounded`: what the machine has in bf16 is rounded to it, all else is exact.
  Reference(const Model& model, bool rounded) : model_(model), rounded_(rounded) {}
  /// Logits of what follows behind this token; at most `context` calls.
  std::vector<double> next(unsigned token);

 private:
  using Vector = std::vector<double>;
  double round(double value) const;
  Vector rounded(Vector values) const;
  /// W times the norm of x: x is rounded, the products are scaled.
  Vector times_normed(const std::vector<std::uint16_t>& w, const Vector& x) const;
  Vector attend(unsigned layer, const Vector& qkv);
  const Model& model_;
  bool rounded_;
  unsigned position_ = 0;
  std::vector<std::vector<double>> keys_[kShape.layers], values_[kShape.layers];
};

/// Nats per character of a text, in pieces of the whole context side by side, each from nothing.
double loss(const Model& model, std::span<const unsigned> text);

}  // namespace tb::lm
