// SPDX-License-Identifier: Apache-2.0
#include "tb/scenarios/digits_data.h"

#include <fmt/format.h>
#include <zlib.h>

#include <charconv>
#include <cmath>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "cmodel/files/output_file.h"

namespace tb {
namespace {

constexpr std::size_t kMostBytes = 8u << 20;  ///< of an unpacked file: more is not ours

template <class... Args>
[[noreturn]] void fail(const std::filesystem::path& file, fmt::format_string<Args...> text,
                       Args&&... args) {
  throw std::runtime_error(file.string() + ": " + fmt::format(text, std::forward<Args>(args)...));
}

/// What a message may quote of a file: short and printable.
std::string quote(std::string_view text) {
  std::string out;
  for (const char c : text.substr(0, 20)) out += c >= ' ' && c < 127 ? c : '?';
  return out;
}

}  // namespace

std::string read_unpacked(const std::filesystem::path& file) {
  if (!std::filesystem::is_regular_file(file)) fail(file, "no such file");
  const std::unique_ptr<gzFile_s, int (*)(gzFile)> in(gzopen(file.c_str(), "rb"), gzclose);
  if (!in) fail(file, "cannot be opened");
  std::string text;
  std::array<char, 65536> chunk;
  for (;;) {
    const int got = gzread(in.get(), chunk.data(), chunk.size());
    int code = Z_OK;
    const char* why = gzerror(in.get(), &code);
    if (got < 0 || (code != Z_OK && code != Z_STREAM_END)) {
      const char* colon =
          std::string_view(why).starts_with(file.c_str()) ? why + file.string().size() + 2 : why;
      fail(file, "cannot be unpacked: {}", colon);
    }
    if (got == 0) return text;
    text.append(chunk.data(), got);
    if (text.size() > kMostBytes) fail(file, "more than {} bytes unpacked, allowed", kMostBytes);
  }
}

namespace {

/// Lines and comma- or space-separated fields, with their numbers for messages.
class Lines {
 public:
  Lines(const std::filesystem::path& file, std::string_view text) : file_(file), text_(text) {}

  bool next() {
    if (text_.empty()) return false;
    ++line_;
    field_ = 0;
    const auto end = text_.find('\n');
    rest_ = text_.substr(0, end);
    if (rest_.ends_with('\r')) rest_.remove_suffix(1);
    text_ = end == std::string_view::npos ? std::string_view{} : text_.substr(end + 1);
    return true;
  }
  void need(std::string_view what) {
    if (!next()) fail(file_, "truncated after line {}: {} expected", line_, what);
  }
  std::string_view line() const { return rest_; }
  unsigned number() const { return line_; }

  std::string_view field(char separator, std::string_view name) {
    ++field_;
    if (rest_.data() == nullptr || done_)
      fail(file_, "line {} field {} ({}) is missing", line_, field_, name);
    const auto end = rest_.find(separator);
    const auto field = rest_.substr(0, end);
    done_ = end == std::string_view::npos;
    rest_ = done_ ? std::string_view{""} : rest_.substr(end + 1);
    return field;
  }
  void begin() { done_ = false; }
  void end() {
    if (!done_) fail(file_, "line {} has more than {} fields", line_, field_);
  }
  unsigned field_number() const { return field_; }

 private:
  const std::filesystem::path& file_;
  std::string_view text_, rest_;
  unsigned line_ = 0, field_ = 0;
  bool done_ = false;
};

unsigned integer(const std::filesystem::path& file, Lines& lines, std::string_view field,
                 std::string_view name, unsigned most) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
  if (error != std::errc{} || end != field.data() + field.size() || value > most)
    fail(file, "line {} field {} ({}) is \"{}\"; allowed 0 .. {}", lines.number(),
         lines.field_number(), name, quote(field), most);
  return value;
}

std::vector<double> section(const std::filesystem::path& file, Lines& lines, std::string_view name,
                            unsigned rows, unsigned columns) {
  lines.need(name);
  if (lines.line() != name)
    fail(file, "line {} is \"{}\"; allowed \"{}\"", lines.number(), quote(lines.line()), name);
  std::vector<double> values;
  for (unsigned row = 0; row < rows; ++row) {
    lines.need(fmt::format("row {} of {} of {}", row, rows, name));
    lines.begin();
    for (unsigned column = 0; column < columns; ++column) {
      const auto field = lines.field(' ', name);
      double value = 0;
      const auto [end, error] = std::from_chars(field.data(), field.data() + field.size(), value);
      if (error != std::errc{} || end != field.data() + field.size() || !(std::abs(value) <= 1e6))
        fail(file, "line {} field {} ({}) is \"{}\"; allowed numbers in -1e6 .. 1e6",
             lines.number(), lines.field_number(), name, quote(field));
      values.push_back(value);
    }
    lines.end();
  }
  return values;
}

}  // namespace

std::vector<DigitsImage> read_digits(const std::filesystem::path& file) {
  const std::string text = read_unpacked(file);
  Lines lines(file, text);
  std::vector<DigitsImage> images;
  while (lines.next()) {
    DigitsImage image;
    lines.begin();
    for (auto& pixel : image.pixels) {
      const auto field = lines.field(',', "pixel");
      pixel = static_cast<std::uint8_t>(integer(file, lines, field, "pixel", 16));
    }
    const auto field = lines.field(',', "label");
    image.label = static_cast<std::uint8_t>(integer(file, lines, field, "label", 9));
    lines.end();
    images.push_back(image);
  }
  if (images.empty()) fail(file, "no images; allowed 1 or more lines");
  return images;
}

DigitsNetwork read_network(const std::filesystem::path& file) {
  const std::string text = read_unpacked(file);
  Lines lines(file, text);
  lines.need("\"digits-mlp 1\"");
  if (lines.line() != "digits-mlp 1")
    fail(file, "line 1 is \"{}\"; allowed \"digits-mlp 1\"", quote(lines.line()));
  lines.need("\"hidden H\"");
  DigitsNetwork network;
  lines.begin();
  if (lines.field(' ', "hidden") != "hidden") fail(file, "line 2; allowed \"hidden H\"");
  const auto field = lines.field(' ', "hidden");
  network.hidden = integer(file, lines, field, "hidden", 4096);
  lines.end();
  if (network.hidden == 0) fail(file, "hidden is 0; allowed 1 .. 4096");
  network.w1 = section(file, lines, "w1", network.hidden, kDigitsPixels);
  network.b1 = section(file, lines, "b1", network.hidden, 1);
  network.w2 = section(file, lines, "w2", kDigitsClasses, network.hidden);
  network.b2 = section(file, lines, "b2", kDigitsClasses, 1);
  if (lines.next()) fail(file, "line {}: nothing allowed behind b2", lines.number());
  return network;
}

void write_network(const DigitsNetwork& network, const std::filesystem::path& file) {
  cmodel::OutputFile out(file);
  const auto write = [&](std::string_view name, const std::vector<double>& values,
                         unsigned columns) {
    out.print("{}\n", name);
    for (std::size_t i = 0; i < values.size(); ++i)
      out.print("{:.6g}{}", values[i], (i + 1) % columns ? ' ' : '\n');
  };
  out.print("digits-mlp 1\nhidden {}\n", network.hidden);
  write("w1", network.w1, kDigitsPixels);
  write("b1", network.b1, 1);
  write("w2", network.w2, network.hidden);
  write("b2", network.b2, 1);
  out.finish();
}

}  // namespace tb
