// SPDX-License-Identifier: Apache-2.0
#include "cmodel/program/text_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "cmodel/program/data_file.h"
#include "cmodel/program/disassemble.h"
#include "cmodel/program/instr_text.h"
#include "cmodel/program/program_text.h"

namespace cmodel {
namespace {

/// Opens a line of a text program, but for mnemonics.
constexpr std::string_view kOpeners =
    "config, chips, keys, partition, region, segment, stream, ring, request, hex, zero, file, DMA";

}  // namespace

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
  } else if (word == "request") {
    request(in);
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

unsigned TextReader::engine(TextScanner& in, unsigned first, unsigned engines) {
  const std::string_view name = in.word();
  for (unsigned engine = 0; engine < engines; ++engine)
    if (engine_name(first + engine) == name) return engine;
  in.fail(fmt::format("engine is {}; allowed {} .. {}", in.shown(), engine_name(first),
                      engine_name(first + engines - 1)));
}

void TextReader::segment(TextScanner& in) {
  close();
  fed_ = false;
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
  if (program_.segments.empty() || fed_) in.fail("outside of a segment; allowed behind segment");
  if (!fresh_) close();
  fresh_ = true;
  if (in.digit_next()) m.number = in.number("number", UINT32_MAX);
  in.expect_word("core");
  m.row.core = static_cast<std::uint32_t>(in.number("core", defs::kCores - 1));
  const unsigned first = ring ? kDma0 : 0, engines = ring ? kRx - kDma0 : defs::kSequencers;
  m.row.engine = engine(in, first, engines);
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

void TextReader::request(TextScanner& in) {
  close();
  fed_ = true;
  places_.emplace(fmt::format("request {}", program_.requests.size()), in.place());
  Request request;
  in.expect_word("chip");
  request.chip = static_cast<std::uint32_t>(in.number("chip", defs::kBoardChips - 1));
  in.expect_word("core");
  request.core = static_cast<std::uint32_t>(in.number("core", defs::kCores - 1));
  request.engine = engine(in, 0, defs::kSequencers);
  in.expect_word("at");
  request.addr = in.number("address", ~std::uint64_t{0});
  in.expect_word("after");
  request.arrival = in.number("cycles", ~std::uint64_t{0});
  program_.requests.push_back(std::move(request));
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
  if (program_.segments.empty() && !fed_)
    in.fail("outside of a segment; allowed behind segment or request");
  if (bytes > kMostTextData - data_)
    in.fail(fmt::format("{} bytes behind {}; allowed {} in all", bytes, data_, kMostTextData));
  data_ += bytes;
  if (fed_) {
    if (counted) in.fail("behind request; allowed hex, zero, file");
    auto& all = program_.requests.back().bytes;
    all.resize(all.size() + bytes);
    return all.data() + all.size() - bytes;
  }
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

}  // namespace cmodel
