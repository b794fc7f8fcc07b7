// SPDX-License-Identifier: Apache-2.0
#include "fabric/model/line_reader.h"

#include <fmt/format.h>

#include <fstream>
#include <sstream>

namespace fabric {

std::string read_text(const std::string& file) {
  constexpr std::size_t kMost = 1 << 20;
  std::ifstream in(file);
  if (!in) throw BadInput(fmt::format("{}: cannot be read", file));
  std::string text(kMost + 1, '\0');
  text.resize(static_cast<std::size_t>(in.read(text.data(), kMost + 1).gcount()));
  if (text.size() > kMost) throw BadInput(fmt::format("{}: longer than {} bytes", file, kMost));
  return text;
}

LineReader::LineReader(const std::string& text, std::string where) : where_(std::move(where)) {
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines_.push_back(line);
}

bool LineReader::next() {
  while (ahead_ < lines_.size()) {
    line_ = ahead_ + 1;
    std::istringstream line(lines_[ahead_++].substr(0, lines_[line_ - 1].find('#')));
    words_.clear();
    for (std::string word; line >> word;) words_.push_back(word);
    if (!words_.empty()) return true;
  }
  words_ = {"end of file"};
  return false;
}

void LineReader::refuse(const std::string& what) const {
  throw BadInput(fmt::format("{}:{}: {}: {}", where_, line_, key(), what));
}

void LineReader::expect(unsigned words, const char* form) const {
  if (count() != words) refuse(fmt::format("the form is '{} {}'", key(), form));
}

unsigned LineReader::number(unsigned index, unsigned below) const {
  return number(word(index), below);
}

unsigned LineReader::number(const std::string& word, unsigned below) const {
  unsigned value = 0;
  bool good = !word.empty() && word.size() < 6;
  for (const char digit : word) {
    good = good && digit >= '0' && digit <= '9';
    value = value * 10 + static_cast<unsigned>(digit - '0');
  }
  if (!good || value >= below)
    refuse(fmt::format("'{}' is not a number from 0 to {}", word, below - 1));
  return value;
}

End LineReader::end(unsigned index) const {
  const std::string& text = word(index);
  const auto dot = text.find('.');
  if (dot == std::string::npos) refuse(fmt::format("'{}' is not CHIP.PORT", text));
  return {number(text.substr(0, dot), kMaxChips), number(text.substr(dot + 1), kMaxPorts)};
}

void LineReader::end() {
  if (next()) refuse("unknown keyword");
}

Board LineReader::board() {
  const auto size = [&](const char* name, unsigned most) {
    if (!next() || key() != name) refuse(fmt::format("expected '{} N'", name));
    expect(1, "N");
    const unsigned value = number(0, most + 1);
    if (value == 0) refuse(fmt::format("'0' is not a number from 1 to {}", most));
    return value;
  };
  const unsigned chips = size("chips", kMaxChips), ports = size("ports", kMaxPorts);
  Board board(chips, ports);
  for (unsigned before = ahead_; next(); before = ahead_) {
    if (key() != "cable") {
      ahead_ = before;
      break;
    }
    expect(2, "CHIP.PORT CHIP.PORT");
    const Cable cable{end(0), end(1)};
    try {
      board.wire(cable);
    } catch (const BadInput& bad) {
      refuse(bad.what());
    }
  }
  return board;
}

}  // namespace fabric
