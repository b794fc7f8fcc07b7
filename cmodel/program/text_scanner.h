// SPDX-License-Identifier: Apache-2.0
// A line of a text program, read from the left; what is wrong is said with its place.
#pragma once
#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

namespace cmodel {

/// What a field of a packed struct holds.
struct FieldRange {
  std::int64_t low;
  std::uint64_t high;
};

/// Asks the struct itself: the most that comes back as it went in.
template <auto Field, class Packed>
FieldRange range_of(const Packed&) {
  static const FieldRange range = [] {
    using Value = std::remove_reference_t<decltype(std::declval<Packed&>().*Field)>;
    for (unsigned bits = 8 * sizeof(Value); bits > 1; --bits) {
      Packed packed{};
      packed.*Field = static_cast<Value>(~std::uint64_t{0} >> (64 - bits));
      if (std::is_signed_v<Value> && packed.*Field < 0) continue;
      if (!(Packed::from(packed.words()) == packed)) continue;
      const auto high = static_cast<std::uint64_t>(packed.*Field);
      return FieldRange{std::is_signed_v<Value> ? -static_cast<std::int64_t>(high) - 1 : 0, high};
    }
    return FieldRange{0, 1};
  }();
  return range;
}

/// Blanks between words do not matter; '#' outside of quotes ends the line.
class TextScanner {
 public:
  TextScanner(const std::string& file, std::uint32_t line, std::string_view text)
      : file_(file), line_(line), text_(text) {}

  /// "FILE:LINE:COLUMN" of the word that was read last, or is about to be.
  std::string place() const { return fmt::format("{}:{}:{}", file_, line_, start_ + 1); }
  [[noreturn]] void fail(const std::string& what) const {
    throw std::runtime_error(place() + ": " + what);
  }

  bool at_end() {
    blanks();
    start_ = at_;
    return at_ == text_.size() || text_[at_] == '#';
  }
  void expect_end() {
    if (!at_end()) fail(fmt::format("{}; allowed the end of the line", shown()));
  }
  /// The next characters, if they are these.
  bool accept(std::string_view mark) {
    if (at_end() || !text_.substr(at_).starts_with(mark)) return false;
    at_ += mark.size();
    return true;
  }
  void expect(std::string_view mark) {
    if (!accept(mark)) fail(fmt::format("{}; allowed {}", shown(), mark));
  }
  bool digit_next() { return !at_end() && text_[at_] >= '0' && text_[at_] <= '9'; }
  /// Letters, digits, _ and -; empty if there are none.
  std::string_view word() {
    if (at_end()) return {};
    while (at_ < text_.size() && is_word(text_[at_])) ++at_;
    return text_.substr(start_, at_ - start_);
  }
  bool accept_word(std::string_view wanted) {
    if (word() == wanted) return true;
    at_ = start_;
    return false;
  }
  void expect_word(std::string_view wanted) {
    if (!accept_word(wanted)) fail(fmt::format("{}; allowed {}", shown(), wanted));
  }
  /// Decimal, or hexadecimal with 0x; `mark` stands before it without a blank.
  std::uint64_t number(std::string_view what, std::uint64_t high, std::string_view mark = "") {
    std::string_view digits = word();
    const bool marked = digits.starts_with(mark);
    if (marked) digits.remove_prefix(mark.size());
    std::uint64_t value = 0;
    if (!marked || !whole(digits, value) || value > high)
      fail(fmt::format("{} is {}; allowed {}0 .. {}{}", what, shown(), mark, mark, high));
    return value;
  }
  std::int64_t signed_number(std::string_view what, FieldRange range) {
    const bool negative = accept("-");
    if (!negative) accept("+");
    const std::size_t sign = start_;
    const std::string_view digits = word();
    const std::uint64_t most =
        negative ? std::uint64_t{0} - static_cast<std::uint64_t>(range.low) : range.high;
    std::uint64_t value = 0;
    if (!whole(digits, value) || value > most) {
      start_ = sign;
      fail(fmt::format("{} is {}; allowed {} .. {}", what, shown(), range.low, range.high));
    }
    return static_cast<std::int64_t>(negative ? std::uint64_t{0} - value : value);
  }
  /// A field of a packed struct.
  template <auto Field, class Packed>
  void field(Packed& packed, std::string_view what, std::string_view mark = "") {
    using Value = std::remove_reference_t<decltype(packed.*Field)>;
    const FieldRange range = range_of<Field>(packed);
    packed.*Field = static_cast<Value>(range.low < 0 ? signed_number(what, range)
                                                     : number(what, range.high, mark));
  }
  /// "text", with \" and \\ in it.
  std::string quoted(std::string_view what) {
    std::string out;
    if (!accept("\"")) fail(fmt::format("{} is {}; allowed \"text\"", what, shown()));
    for (; at_ < text_.size() && text_[at_] != '"'; ++at_) {
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) ++at_;
      out += text_[at_];
    }
    if (at_ == text_.size()) fail(fmt::format("{} has no second \"; allowed \"text\"", what));
    ++at_;
    return out;
  }
  /// What stands at the place, for a message: quoted, printable, not long.
  std::string shown() const {
    std::size_t end = start_;
    while (end < text_.size() && text_[end] != ' ' && text_[end] != '\t') ++end;
    if (end == start_) return "missing";
    std::string out = "\"";
    for (std::size_t i = start_; i < end && i < start_ + 40; ++i)
      if (text_[i] >= 0x20 && text_[i] < 0x7f)
        out += text_[i];
      else
        out += fmt::format("\\x{:02x}", static_cast<unsigned char>(text_[i]));
    return out + (end > start_ + 40 ? "...\"" : "\"");
  }

 private:
  static bool is_word(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' ||
           c == '-';
  }
  static bool whole(std::string_view digits, std::uint64_t& value) {
    const int base = digits.starts_with("0x") ? 16 : 10;
    if (base == 16) digits.remove_prefix(2);
    const auto [rest, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
    return !digits.empty() && error == std::errc{} && rest == digits.data() + digits.size();
  }
  void blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\r'))
      ++at_;
  }

  const std::string& file_;
  std::uint32_t line_;
  std::string_view text_;
  std::size_t at_ = 0, start_ = 0;
};

}  // namespace cmodel
