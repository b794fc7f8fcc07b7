// SPDX-License-Identifier: Apache-2.0
// The images and the trained network of the `digits` scenario: readers, and the rule of the split.
#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tb {

inline constexpr unsigned kDigitsPixels = 64;  ///< 8 x 8, row by row, 0 .. 16
inline constexpr unsigned kDigitsClasses = 10;

struct DigitsImage {
  std::array<std::uint8_t, kDigitsPixels> pixels{};
  std::uint8_t label = 0;
};

/// Image `index` of the file is held out: never trained on, classified by the scenario.
constexpr bool held_out(std::size_t index) { return index % 5 == 0; }

/// A whole file, unpacked if it is gzip. Throws std::runtime_error, one line with the file.
std::string read_unpacked(const std::filesystem::path& file);

/// One image per line: 64 pixels, then the label, comma-separated; gzip. Throws std::runtime_error
/// with one line that names the file, line and field, and what is allowed.
std::vector<DigitsImage> read_digits(const std::filesystem::path& file);

/// Multi-layer perceptron: scores = w2 relu(w1 x + b1) + b2, x = pixels / 16, in full precision.
struct DigitsNetwork {
  unsigned hidden = 0;
  std::vector<double> w1;  ///< [hidden][64]
  std::vector<double> b1;  ///< [hidden]
  std::vector<double> w2;  ///< [10][hidden]
  std::vector<double> b2;  ///< [10]
};

/// Text: "digits-mlp 1", "hidden H", then the sections w1, b1, w2, b2, one row per line.
/// Throws like read_digits.
DigitsNetwork read_network(const std::filesystem::path& file);
void write_network(const DigitsNetwork& network, const std::filesystem::path& file);

}  // namespace tb
