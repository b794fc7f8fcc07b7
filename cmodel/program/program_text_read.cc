// SPDX-License-Identifier: Apache-2.0
// A program out of text: nothing in the file is trusted.
#include <fmt/format.h>

#include <algorithm>

#include "cmodel/files/input_file.h"
#include "cmodel/program/program_text.h"
#include "cmodel/program/text_reader.h"

namespace cmodel {
namespace {

constexpr std::size_t kMaxLine = 1u << 20;
}  // namespace

template <class Row>
void TextReader::place_table(bool rings, std::vector<Row>& table) {
  const char* one = rings ? "ring" : "stream";
  std::uint64_t total = 0, numbered = 0;
  for (const Marker& m : markers_)
    if (m.ring == rings) ++total, numbered += m.number.has_value();
  table.resize(total);
  std::uint64_t next = 0;
  for (const Marker& m : markers_) {
    if (m.ring != rings) continue;
    const std::uint64_t at = m.number.value_or(next++);
    if ((numbered && !m.number) || at >= total ||
        !places_.emplace(fmt::format("{} {}", one, at), m.place).second)
      throw std::runtime_error(fmt::format(
          "{}: number is {}; allowed each of 0 .. {} once, or none for all", m.place,
          m.number ? fmt::format("{}{}", at, at < total ? ", twice" : "") : "missing", total - 1));
    table[at] = {m.row.chip, m.row.core, m.row.engine, m.row.base, m.row.count};
    SourceNotes note{m.row.chip, m.row.core, (rings ? kDma0 : 0) + m.row.engine, {}};
    const auto& lines = lines_[m.segment];
    const std::uint64_t first =
        (m.row.base - program_.segments[m.segment].addr) / defs::kInstrBytes;
    for (std::uint64_t i = first; i < lines.size() && i - first < m.row.count; ++i)
      note.lines.push_back({name_.c_str(), lines[i], 0});
    program_.notes.push_back(std::move(note));
  }
}

Program TextReader::finish(std::uint32_t lines) {
  close();
  const std::string end = fmt::format("{}:{}:1", name_, lines + 1);
  for (const char* needed : {"config", "chips"})
    if (!places_.contains(needed))
      throw std::runtime_error(fmt::format("{}: no {}; allowed one line of it", end, needed));
  place_table(false, program_.streams);
  place_table(true, program_.rings);
  program_.labels = {""};
  program_.file = name_;
  try {
    validate_program(program_, name_);
  } catch (const std::runtime_error& error) {
    // Its line begins with the part of the program that it is about: say where that stands.
    const std::string_view text = std::string_view(error.what()).substr(name_.size() + 2);
    const auto one = text.substr(0, text.find(' '));
    auto found = places_.find(text.substr(0, text.find_first_of(" :", one.size() + 1)));
    if (found == places_.end()) found = places_.find(one);
    throw std::runtime_error(
        fmt::format("{}: {}", found == places_.end() ? end : found->second, text));
  }
  return std::move(program_);
}

Program load_text(const std::filesystem::path& file) {
  const std::string where = file.string();
  InputFile in(file);
  TextReader reader(file);
  std::string text;
  std::uint32_t number = 0;
  // Line by line: what is opened may never end, a line may not.
  std::vector<std::uint8_t> block;
  while (in.read(block, 65536), !block.empty()) {
    const std::size_t got = block.size();
    const std::string_view more(reinterpret_cast<const char*>(block.data()), got);
    for (std::size_t at = 0; at < got;) {
      const std::size_t end = std::min(more.find('\n', at), got);
      text += more.substr(at, end - at);
      if (text.size() > kMaxLine)
        throw std::runtime_error(fmt::format("{}:{}:1: line of more than {} bytes; allowed {}",
                                             where, number + 1, kMaxLine, kMaxLine));
      if (end < got) {
        reader.line(++number, text);
        text.clear();
      }
      at = end + 1;
    }
    block.clear();
  }
  if (!text.empty()) reader.line(++number, text);
  return reader.finish(number);
}

}  // namespace cmodel
