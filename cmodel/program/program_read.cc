// SPDX-License-Identifier: Apache-2.0
// A program out of a file: nothing in the file is trusted.
#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "cmodel/files/input_file.h"
#include "cmodel/program/program.h"
#include "cmodel/program/program_format.h"
#include "cmodel/program/program_text.h"

namespace cmodel {

using namespace program_format;

namespace {

std::uint64_t little(std::span<const std::uint8_t> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) value |= std::uint64_t{bytes[i]} << (8 * i);
  return value;
}

/// Takes fields off the front of a file; knows the file's name and how much is left.
class Reader {
 public:
  Reader(std::string where, std::span<const std::uint8_t> bytes)
      : where_(std::move(where)), bytes_(bytes) {}

  std::span<const std::uint8_t> take(std::uint64_t size, const std::string& field) {
    if (size > bytes_.size())
      fail(where_, "{} needs {} bytes, but only {} are left before the checksum", field, size,
           bytes_.size());
    const auto out = bytes_.first(size);
    bytes_ = bytes_.subspan(size);
    return out;
  }
  std::uint32_t u32(const std::string& field) {
    return static_cast<std::uint32_t>(number(4, field));
  }
  std::uint64_t u64(const std::string& field) { return number(8, field); }
  std::size_t left() const { return bytes_.size(); }
  bool next_is(std::string_view mark) const {
    return bytes_.size() >= mark.size() &&
           std::memcmp(bytes_.data(), mark.data(), mark.size()) == 0;
  }

  /// Rejects `count` records of at least `least` bytes each if they cannot be in the file: before
  /// any memory is asked for.
  void expect_room(std::uint32_t count, std::size_t least, const std::string& field) const {
    if (count > bytes_.size() / least)
      fail(where_, "{} is {}; the {} bytes left hold at most {}", field, count, bytes_.size(),
           bytes_.size() / least);
  }

 private:
  std::uint64_t number(unsigned size, const std::string& field) {
    return little(take(size, field));
  }
  std::string where_;
  std::span<const std::uint8_t> bytes_;
};

bool is_program(std::span<const std::uint8_t> file) {
  return file.size() >= kMagic.size() &&
         std::memcmp(file.data(), kMagic.data(), kMagic.size()) == 0;
}

Program parse(const std::string& where, std::span<const std::uint8_t> file) {
  if (!is_program(file))
    fail(where, "magic is not \"DODECA\\0\\1\": not a program file of this version");
  if (file.size() < kHeaderBytes + kHashBytes)
    fail(where, "truncated: {} bytes, the header and checksum alone take {}", file.size(),
         kHeaderBytes + kHashBytes);
  const std::uint64_t total = little(file.subspan(kHeaderBytes - 8, 8));
  if (file.size() < total)
    fail(where, "truncated: total file size says {} bytes, the file has {}", total, file.size());
  if (file.size() > total)
    fail(where, "trailing bytes: total file size says {} bytes, the file has more", total);
  const auto body = file.first(file.size() - kHashBytes);
  const std::uint64_t stored = little(file.last(kHashBytes));
  const std::uint64_t actual = XXH3_64bits(body.data(), body.size());
  if (stored != actual)
    fail(where, "checksum is {:016x}, the contents give {:016x}", stored, actual);

  Reader in(where, body.subspan(kMagic.size()));
  Program program;
  program.chips = in.u32("chips");
  const auto config = in.take(kConfigBytes, "config name");
  const auto end = std::find(config.begin(), config.end(), 0);
  program.config.assign(config.begin(), end);
  if (std::any_of(end, config.end(), [](std::uint8_t byte) { return byte != 0; }))
    fail(where, "config name is not padded with zeros");
  const auto segments = in.u32("segments"), streams = in.u32("streams");
  const auto rings = in.u32("rings"), regions = in.u32("regions");
  in.u64("total file size");

  in.expect_room(segments, 20, "segments");
  program.segments.resize(segments);
  for (std::size_t i = 0; i < segments; ++i) {
    auto& segment = program.segments[i];
    segment.chip = in.u32(fmt::format("segment {} chip", i));
    segment.addr = in.u64(fmt::format("segment {} addr", i));
    const std::uint64_t size = in.u64(fmt::format("segment {} bytes", i));
    const auto data = in.take(size, fmt::format("segment {} data", i));
    segment.bytes.assign(data.begin(), data.end());
  }
  const auto table = [&](auto& rows, std::uint32_t count, const char* many, const char* one) {
    in.expect_room(count, 24, many);
    rows.resize(count);
    for (std::size_t i = 0; i < count; ++i) {
      rows[i].chip = in.u32(fmt::format("{} {} chip", one, i));
      rows[i].core = in.u32(fmt::format("{} {} core", one, i));
      rows[i].engine = in.u32(fmt::format("{} {} engine", one, i));
      rows[i].base = in.u64(fmt::format("{} {} base", one, i));
      rows[i].count = in.u32(fmt::format("{} {} count", one, i));
    }
  };
  table(program.streams, streams, "streams", "stream");
  table(program.rings, rings, "rings", "ring");
  in.expect_room(regions, 21, "regions");
  program.regions.resize(regions);
  for (std::size_t i = 0; i < regions; ++i) {
    auto& region = program.regions[i];
    region.chip = in.u32(fmt::format("region {} chip", i));
    region.addr = in.u64(fmt::format("region {} addr", i));
    region.bytes = in.u32(fmt::format("region {} bytes", i));
    const std::uint32_t length = in.u32(fmt::format("region {} name length", i));
    if (length < 1 || length > kMaxName)
      fail(where, "region {} name length is {}; allowed 1 .. {}", i, length, kMaxName);
    const auto name = in.take(length, fmt::format("region {} name", i));
    region.name.assign(name.begin(), name.end());
  }
  if (in.next_is(kIsolated)) {
    in.take(kIsolated.size(), "isolation");
    const auto keys = in.u32("keys"), partitions = in.u32("partitions");
    in.expect_room(keys, 4, "keys");
    for (std::size_t i = 0; i < keys; ++i) program.keys.push_back(in.u32(fmt::format("key {}", i)));
    in.expect_room(partitions, 28, "partitions");
    program.partitions.resize(partitions);
    for (std::size_t i = 0; i < partitions; ++i) {
      auto& part = program.partitions[i];
      part.chip = in.u32(fmt::format("partition {} chip", i));
      part.core = in.u32(fmt::format("partition {} core", i));
      part.key = in.u32(fmt::format("partition {} key", i));
      part.base = in.u64(fmt::format("partition {} base", i));
      part.end = in.u64(fmt::format("partition {} end", i));
    }
  }
  if (in.next_is(kFed)) {
    in.take(kFed.size(), "requests");
    const auto requests = in.u32("requests");
    in.expect_room(requests, kRequestBytes, "requests");
    program.requests.resize(requests);
    for (std::size_t i = 0; i < requests; ++i) {
      auto& request = program.requests[i];
      request.arrival = in.u64(fmt::format("request {} arrival", i));
      request.chip = in.u32(fmt::format("request {} chip", i));
      request.core = in.u32(fmt::format("request {} core", i));
      request.engine = in.u32(fmt::format("request {} engine", i));
      request.addr = in.u64(fmt::format("request {} addr", i));
      const std::uint64_t size = in.u64(fmt::format("request {} bytes", i));
      const auto data = in.take(size, fmt::format("request {} data", i));
      request.bytes.assign(data.begin(), data.end());
    }
  }
  if (in.left() != 0)
    fail(where, "trailing bytes: {} between the last region and the checksum", in.left());
  return program;
}

}  // namespace

Program load_program(const std::filesystem::path& file) {
  if (file.extension() == kTextEnding) return load_text(file);
  const std::string where = file.string();
  InputFile in(file);
  // Not a byte more than the header says: what is opened may never end.
  std::vector<std::uint8_t> bytes;
  in.read(bytes, kHeaderBytes);
  if (is_program(bytes) && bytes.size() == kHeaderBytes) {
    const std::uint64_t total = little(std::span(bytes).subspan(kHeaderBytes - 8, 8));
    if (total > kMaxFileBytes)
      fail(where, "total file size is {} bytes; allowed {}", total, kMaxFileBytes);
    in.read(bytes, std::max<std::uint64_t>(total, kHeaderBytes) + 1);
  }
  Program program = parse(where, bytes);
  program.file = where;
  validate_program(program, where);
  return program;
}

}  // namespace cmodel
