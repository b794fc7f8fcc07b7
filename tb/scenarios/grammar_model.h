// SPDX-License-Identifier: Apache-2.0
// The tagger of the scenario `grammar`: its file, and its logits in doubles with a bound of the
// machine's error.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tb::grammar {

inline constexpr unsigned kWindow = 9;   ///< characters that decide about the one in the middle
inline constexpr unsigned kHidden = 32;  ///< units
inline constexpr unsigned kLine = 64;    ///< characters that are marked
inline constexpr unsigned kText = kLine + kWindow - 1;

struct Logits {
  std::vector<double> value, bound;
};

/// logit = out . relu(sum of a row of each table, by the character at its place of the window) + b
struct Model {
  std::string characters;     ///< bytes; character i is characters[i]
  std::vector<float> tables;  ///< [place][character][unit]
  std::vector<float> out;     ///< [unit]
  float bias = 0;

  unsigned count() const { return static_cast<unsigned>(characters.size()); }
  /// Of the kLine characters in the middle of kText.
  Logits logits(const std::vector<std::uint32_t>& text) const;
};

/// A file of scripts/train_grammar.py: README.md says how it looks. Throws std::runtime_error, one
/// line with the file, if its shape, format, length or checksum is another one.
Model read_model(const std::filesystem::path& file);

/// The last twentieth of a text, never trained on, as characters of the model; line ends are
/// spaces. Throws std::runtime_error if the model has not one of them.
std::vector<std::uint32_t> held_out(const Model& model, const std::filesystem::path& file);

}  // namespace tb::grammar
