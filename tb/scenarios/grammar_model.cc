// SPDX-License-Identifier: Apache-2.0
#include "tb/scenarios/grammar_model.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string_view>

#include "cmodel/files/input_file.h"
#include "tb/scenarios/digits_data.h"

namespace tb::grammar {
namespace {

constexpr std::string_view kMagic = "DODECAGR";
constexpr std::uint32_t kFp32 = 1;  // format
constexpr std::size_t kMostBytes = 1u << 20, kHeldOut = 20;

template <class... Args>
[[noreturn]] void fail(const std::filesystem::path& file, fmt::format_string<Args...> text,
                       Args&&... args) {
  throw std::runtime_error(file.string() + ": " + fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace

Model read_model(const std::filesystem::path& file) {
  const auto bytes = cmodel::read_file(file, kMostBytes);
  std::array<std::uint32_t, 6> words;
  const std::size_t header = kMagic.size() + sizeof words;
  if (bytes.size() < header || std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0)
    fail(file, "no tagger; allowed files that begin with {}", kMagic);
  std::memcpy(words.data(), bytes.data() + kMagic.size(), sizeof words);
  const auto [format, window, hidden, line, characters, sum] = words;
  if (format != kFp32) fail(file, "format is {}; allowed {} (fp32)", format, kFp32);
  if (window != kWindow || hidden != kHidden || line != kLine || characters > 256)
    fail(file, "window {}, {} units, lines of {}, {} characters; allowed {}, {}, {}, 1 .. 256",
         window, hidden, line, characters, kWindow, kHidden, kLine);
  const std::size_t table = std::size_t{kWindow} * characters * kHidden,
                    whole = header + characters + sizeof(float) * (table + kHidden + 1);
  if (bytes.size() != whole) fail(file, "{} bytes; allowed {}", bytes.size(), whole);
  const auto crc = crc32(0, bytes.data() + header, static_cast<uInt>(whole - header));
  if (crc != sum) fail(file, "CRC-32 is {:#010x}; its header says {:#010x}", crc, sum);

  Model model;
  const auto* at = bytes.data() + header;
  model.characters.assign(at, at + characters);
  at += characters;
  const auto take = [&](std::size_t count) {
    std::vector<float> values(count);
    std::memcpy(values.data(), at, sizeof(float) * count);
    at += sizeof(float) * count;
    return values;
  };
  model.tables = take(table);
  model.out = take(kHidden);
  model.bias = take(1)[0];
  return model;
}

std::vector<std::uint32_t> held_out(const Model& model, const std::filesystem::path& file) {
  const std::string text = read_unpacked(file);
  std::vector<std::uint32_t> codes;
  for (std::size_t i = text.size() - text.size() / kHeldOut; i < text.size(); ++i) {
    const auto code = model.characters.find(text[i] == '\n' ? ' ' : text[i]);
    if (code == std::string::npos)
      fail(file, "byte {} is {:#04x}; allowed those that the tagger knows", i,
           static_cast<unsigned char>(text[i]));
    codes.push_back(static_cast<std::uint32_t>(code));
  }
  return codes;
}

Logits Model::logits(const std::vector<std::uint32_t>& text) const {
  constexpr double kUlp = 0x1p-24;
  Logits logits{std::vector<double>(kLine, bias), std::vector<double>(kLine)};
  for (unsigned i = 0; i < kLine; ++i) {
    double magnitude = std::abs(bias);
    for (unsigned unit = 0; unit < kHidden; ++unit) {
      double sum = 0, size = 0;
      for (unsigned place = 0; place < kWindow; ++place) {
        const std::size_t row = std::size_t{place} * count() + text[i + place];
        const double number = tables[row * kHidden + unit];
        sum += number, size += std::abs(number);
      }
      const double error = size * kWindow * kUlp;  // a rounding for each addition
      logits.value[i] += std::max(sum, 0.0) * out[unit];
      logits.bound[i] += error * std::abs(out[unit]);
      magnitude += (std::max(sum, 0.0) + error) * std::abs(out[unit]);
    }
    // One of the product, one for each addition, one for the bias.
    logits.bound[i] += magnitude * (kHidden + 2) * kUlp;
  }
  return logits;
}

}  // namespace tb::grammar
