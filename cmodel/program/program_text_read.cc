// SPDX-License-Identifier: Apache-2.0
// A program out of text: nothing in the file is trusted.
#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "cmodel/program/data_file.h"
#include "cmodel/program/disassemble.h"
#include "cmodel/program/instr_text.h"
#include "cmodel/program/program_text.h"
#include "cmodel/program/text_scanner.h"

namespace cmodel {
namespace {

constexpr std::size_t kMaxLine = 1u << 20;
constexpr unsigned kDma0 = static_cast<unsigned>(defs::Engine::Dma0);

/// Opens a line of a text program, but for mnemonics.
constexpr std::string_view kOpeners =
    "config, chips, keys, partition, region, segment, stream, ring, hex, zero, file, DMA";

/// Builds the program line by line.
class TextReader {
 public:
  explicit TextReader(const std::filesystem::path& file)
      : file_(file), name_(*names().insert(file.string()).first) {}

  void line(std::uint32_t number, std::string_view text);
  Program finish(std::uint32_t lines);

 private:
  /// Lives as long as the process, like the names of sources.
  static std::set<std::string>& names() {
    static std::set<std::string> all;
    return all;
  }
  /// A stream or ring begins.
  struct Marker {
    InstrStream row;
    bool ring;
    std::optional<std::uint64_t> number;  ///< in its table
    std::string place;
    std::size_t segment;
  };

  void segment(TextScanner& in);
  void marker(TextScanner& in, bool ring);
  void region(TextScanner& in);
  void partition(TextScanner& in);
  void hex(TextScanner& in);
  template <class Packed>
  void packed(TextScanner& in, const Packed& packed, bool descriptor);
  /// `bytes` more of the open segment; `counted` by the open markers of a kind.
  std::uint8_t* append(TextScanner& in, std::uint64_t bytes, std::optional<bool> counted = {});
  void close(std::optional<bool> but = {});
  template <class Row>
  void place_table(bool rings, std::vector<Row>& table);

  std::filesystem::path file_;
  const std::string& name_;
  std::uint32_t number_ = 0;
  Program program_;
  std::vector<std::vector<std::uint32_t>> lines_;  ///< of each segment's units of 64 bytes
  std::vector<Marker> markers_;
  std::vector<std::size_t> open_;  ///< markers whose lines are counted
  bool fresh_ = true;              ///< nothing behind the last marker yet
  std::uint64_t data_ = 0;
  std::map<std::string, std::string, std::less<>> places_;  ///< of what validate_program names
};

void TextReader::line(std::uint32_t number, std::string_view text) {
  number_ = number;
  TextScanner in(name_, number, text);
  if (in.at_end()) return;
  const std::string place = in.place();
  const std::string_view word = in.word();
  if (program_.config.empty() && word != "config")
    in.fail(fmt::format("{}; allowed config NAME, before everything else", in.shown()));
  if (word == "config" || word == "chips" || word == "keys") {
    if (!places_.emplace(word, place).second) in.fail(fmt::format("second {}; allowed one", word));
    if (word == "config") {
      program_.config = in.word();
      if (program_.config.empty()) in.fail("config is missing; allowed the name of one");
    } else if (word == "chips") {
      program_.chips = static_cast<std::uint32_t>(in.number("chips", defs::kBoardChips));
    } else {
      places_.emplace("key", place);
      while (!in.at_end())
        program_.keys.push_back(static_cast<std::uint32_t>(in.number("key", 255)));
    }
  } else if (word == "segment") {
    segment(in);
  } else if (word == "region") {
    region(in);
  } else if (word == "partition") {
    partition(in);
  } else if (word == "stream" || word == "ring") {
    marker(in, word == "ring");
  } else if (word == "hex") {
    hex(in);
  } else if (word == "zero") {
    const std::uint64_t bytes = in.number("bytes", kMostTextData);
    append(in, bytes);
  } else if (word == "file") {
    const std::filesystem::path path = in.quoted("file");
    const auto bytes = data_of_file(file_.parent_path() / path, in, kMostTextData - data_);
    std::ranges::copy(bytes, append(in, bytes.size()));
  } else if (word == kDescriptorWord) {
    packed(in, descriptor_from_text(in), true);
  } else if (!word.empty() && word[0] >= 'A' && word[0] <= 'Z') {
    packed(in, instr_from_text(word, in), false);
  } else {
    in.fail(fmt::format("{}; allowed {}, or an instruction", in.shown(), kOpeners));
  }
  in.expect_end();
}

void TextReader::segment(TextScanner& in) {
  close();
  places_.emplace(fmt::format("segment {}", program_.segments.size()), in.place());
  Segment segment;
  in.expect_word("chip");
  segment.chip = static_cast<std::uint32_t>(in.number("chip", defs::kBoardChips - 1));
  in.expect_word("at");
  segment.addr = in.number("address", ~std::uint64_t{0});
  program_.segments.push_back(std::move(segment));
  lines_.emplace_back();
}

void TextReader::marker(TextScanner& in, bool ring) {
  Marker m{{}, ring, {}, in.place(), program_.segments.size() - 1};
  if (program_.segments.empty()) in.fail("outside of a segment; allowed behind segment");
  if (!fresh_) close();
  fresh_ = true;
  if (in.digit_next()) m.number = in.number("number", UINT32_MAX);
  in.expect_word("core");
  m.row.core = static_cast<std::uint32_t>(in.number("core", defs::kCores - 1));
  const unsigned first = ring ? kDma0 : 0, engines = ring ? 16 : defs::kSequencers;
  const std::string_view name = in.word();
  while (m.row.engine < engines && engine_name(first + m.row.engine) != name) ++m.row.engine;
  if (m.row.engine == engines)
    in.fail(fmt::format("engine is {}; allowed {} .. {}", in.shown(), engine_name(first),
                        engine_name(first + engines - 1)));
  if (in.accept_word("count"))
    m.row.count = static_cast<std::uint32_t>(in.number("count", UINT32_MAX));
  else
    open_.push_back(markers_.size());
  const Segment& segment = program_.segments.back();
  m.row.chip = segment.chip;
  m.row.base = segment.addr + segment.bytes.size();
  markers_.push_back(std::move(m));
}

void TextReader::region(TextScanner& in) {
  places_.emplace(fmt::format("region {}", program_.regions.size()), in.place());
  Region region;
  region.name = in.quoted("name");
  in.expect_word("chip");
  region.chip = static_cast<std::uint32_t>(in.number("chip", defs::kBoardChips - 1));
  in.expect_word("at");
  region.addr = in.number("address", ~std::uint64_t{0});
  in.expect_word("bytes");
  region.bytes = static_cast<std::uint32_t>(in.number("bytes", UINT32_MAX));
  program_.regions.push_back(std::move(region));
}

void TextReader::partition(TextScanner& in) {
  places_.emplace(fmt::format("partition {}", program_.partitions.size()), in.place());
  Partition part;
  in.expect_word("chip");
  part.chip = static_cast<std::uint32_t>(in.number("chip", defs::kBoardChips - 1));
  in.expect_word("core");
  part.core = static_cast<std::uint32_t>(in.number("core", defs::kCores - 1));
  in.expect_word("key");
  part.key = static_cast<std::uint32_t>(in.number("key", 255));
  part.base = in.number("first address", ~std::uint64_t{0});
  in.expect("..");
  part.end = in.number("end", ~std::uint64_t{0});
  program_.partitions.push_back(part);
}

void TextReader::hex(TextScanner& in) {
  while (!in.at_end()) {
    const std::string_view digits = in.word();
    const auto value = [](char c) {
      return c >= '0' && c <= '9'   ? c - '0'
             : c >= 'a' && c <= 'f' ? c - 'a' + 10
             : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                    : -1;
    };
    if (digits.empty() || digits.size() % 2 ||
        std::ranges::any_of(digits, [&](char c) { return value(c) < 0; }))
      in.fail(fmt::format("{}; allowed pairs of hexadecimal digits", in.shown()));
    std::uint8_t* to = append(in, digits.size() / 2);
    for (std::size_t i = 0; i < digits.size(); i += 2)
      *to++ = static_cast<std::uint8_t>(value(digits[i]) << 4 | value(digits[i + 1]));
  }
}

template <class Packed>
void TextReader::packed(TextScanner& in, const Packed& packed, bool descriptor) {
  const auto words = packed.words();
  std::memcpy(append(in, sizeof(words), descriptor), words.data(), sizeof(words));
}

std::uint8_t* TextReader::append(TextScanner& in, std::uint64_t bytes,
                                 std::optional<bool> counted) {
  if (program_.segments.empty()) in.fail("outside of a segment; allowed behind segment");
  if (bytes > kMostTextData - data_)
    in.fail(fmt::format("{} bytes behind {}; allowed {} in all", bytes, data_, kMostTextData));
  data_ += bytes;
  close(counted);
  for (const std::size_t i : open_) ++markers_[i].row.count;
  fresh_ = false;
  auto& all = program_.segments.back().bytes;
  all.resize(all.size() + bytes);
  lines_.back().resize((all.size() + defs::kInstrBytes - 1) / defs::kInstrBytes, number_);
  return all.data() + all.size() - bytes;
}

/// No more lines for the open markers; `but`: those of rings, or those of streams, stay open.
void TextReader::close(std::optional<bool> but) {
  std::erase_if(open_, [&](std::size_t i) {
    const Marker& m = markers_[i];
    if (but && m.ring == *but) return false;
    if (m.row.count == 0)
      throw std::runtime_error(fmt::format("{}: no {} behind it; allowed 1 or more, or count N",
                                           m.place, m.ring ? "descriptors" : "instructions"));
    return true;
  });
}

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

}  // namespace

Program load_text(const std::filesystem::path& file) {
  const std::string where = file.string();
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(std::fopen(where.c_str(), "rb"),
                                                           &std::fclose);
  if (!in)
    throw std::runtime_error(fmt::format("{}: cannot be opened: {}", where, std::strerror(errno)));
  TextReader reader(file);
  std::string text;
  std::uint32_t number = 0;
  // Line by line: what is opened may never end, a line may not.
  std::vector<char> block(65536);
  while (const std::size_t got = std::fread(block.data(), 1, block.size(), in.get())) {
    const std::string_view more(block.data(), got);
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
  }
  if (std::ferror(in.get()))
    throw std::runtime_error(fmt::format("{}: cannot be read: {}", where, std::strerror(errno)));
  if (!text.empty()) reader.line(++number, text);
  return reader.finish(number);
}

}  // namespace cmodel
