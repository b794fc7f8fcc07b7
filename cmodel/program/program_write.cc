// SPDX-License-Identifier: Apache-2.0
// A program as the bytes of a file: to save it, and to hash it.
#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "cmodel/files/output_file.h"
#include "cmodel/program/program.h"
#include "cmodel/program/program_format.h"
#include "cmodel/program/program_text.h"

namespace cmodel {

using namespace program_format;

namespace {

/// Puts little-endian fields one behind the other.
class Writer {
 public:
  void raw(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const std::uint8_t*>(data);
    out_.insert(out_.end(), bytes, bytes + size);
  }
  void u32(std::uint32_t value) { number(value, 4); }
  void u64(std::uint64_t value) { number(value, 8); }
  void patch_u64(std::size_t at, std::uint64_t value) {
    for (unsigned i = 0; i < 8; ++i) out_[at + i] = byte(value, i);
  }
  std::vector<std::uint8_t>& bytes() { return out_; }

 private:
  void number(std::uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; ++i) out_.push_back(byte(value, i));
  }
  static std::uint8_t byte(std::uint64_t value, unsigned index) {
    return static_cast<std::uint8_t>(value >> (8 * index));
  }
  std::vector<std::uint8_t> out_;
};

std::vector<std::uint8_t> serialize(const Program& program) {
  Writer out;
  out.raw(kMagic.data(), kMagic.size());
  out.u32(program.chips);
  std::array<char, kConfigBytes> config{};
  std::memcpy(config.data(), program.config.data(), std::min(program.config.size(), config.size()));
  out.raw(config.data(), config.size());
  out.u32(static_cast<std::uint32_t>(program.segments.size()));
  out.u32(static_cast<std::uint32_t>(program.streams.size()));
  out.u32(static_cast<std::uint32_t>(program.rings.size()));
  out.u32(static_cast<std::uint32_t>(program.regions.size()));
  const std::size_t size_at = out.bytes().size();
  out.u64(0);
  for (const auto& segment : program.segments) {
    out.u32(segment.chip);
    out.u64(segment.addr);
    out.u64(segment.bytes.size());
    out.raw(segment.bytes.data(), segment.bytes.size());
  }
  const auto table = [&](const auto& rows) {
    for (const auto& row : rows) {
      out.u32(row.chip);
      out.u32(row.core);
      out.u32(row.engine);
      out.u64(row.base);
      out.u32(row.count);
    }
  };
  table(program.streams);
  table(program.rings);
  for (const auto& region : program.regions) {
    out.u32(region.chip);
    out.u64(region.addr);
    out.u32(region.bytes);
    out.u32(static_cast<std::uint32_t>(region.name.size()));
    out.raw(region.name.data(), region.name.size());
  }
  if (!program.keys.empty() || !program.partitions.empty()) {
    out.raw(kIsolated.data(), kIsolated.size());
    out.u32(static_cast<std::uint32_t>(program.keys.size()));
    out.u32(static_cast<std::uint32_t>(program.partitions.size()));
    for (const auto key : program.keys) out.u32(key);
    for (const auto& part : program.partitions) {
      out.u32(part.chip);
      out.u32(part.core);
      out.u32(part.key);
      out.u64(part.base);
      out.u64(part.end);
    }
  }
  if (!program.requests.empty()) {
    out.raw(kFed.data(), kFed.size());
    out.u32(static_cast<std::uint32_t>(program.requests.size()));
    for (const auto& request : program.requests) {
      out.u64(request.arrival);
      out.u32(request.chip);
      out.u32(request.core);
      out.u32(request.engine);
      out.u64(request.addr);
      out.u64(request.bytes.size());
      out.raw(request.bytes.data(), request.bytes.size());
    }
  }
  out.patch_u64(size_at, out.bytes().size() + kHashBytes);
  out.u64(XXH3_64bits(out.bytes().data(), out.bytes().size()));
  return std::move(out.bytes());
}

}  // namespace

std::uint64_t program_hash(const Program& program) {
  const auto bytes = serialize(program);
  return XXH3_64bits(bytes.data(), bytes.size());
}

void save_program(const Program& program, const std::filesystem::path& file) {
  validate_program(program, file.string());
  if (file.extension() == kTextEnding) return save_text(program, file);
  const auto bytes = serialize(program);
  OutputFile out(file);
  out.write(bytes.data(), bytes.size());
  out.finish();
}

}  // namespace cmodel
