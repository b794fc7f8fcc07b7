// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/assertion_comment.h"

#include <fstream>
#include <optional>

namespace tb {
namespace {

/// What a comment line says, without its slashes; none if it is another line.
std::optional<std::string> comment(const std::string& line) {
  const auto from = line.find_first_not_of(' ');
  if (from == line.npos || line.compare(from, 2, "//") != 0) return {};
  const auto words = line.find_first_not_of(' ', from + 2);
  return words == line.npos ? std::string() : line.substr(words);
}

}  // namespace

std::string comment_above(const std::filesystem::path& source, const std::string& assertion) {
  std::ifstream file(source);
  std::string line, text;
  bool above = false;  // is `text` what stands directly above here?
  while (std::getline(file, line)) {
    if (const auto words = comment(line)) {
      text = above && !text.empty() ? text + " " + *words : *words;
      above = true;
      continue;
    }
    if (line.find(assertion) != line.npos) return text;
    above = false;
    if (line.find_first_not_of(' ') == line.npos) text.clear();
  }
  return {};
}

}  // namespace tb
