// SPDX-License-Identifier: Apache-2.0
#include "cmodel/program.h"

#include <fmt/format.h>
#include <unistd.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <cstring>
#include <memory>
#include <set>
#include <span>
#include <stdexcept>
#include <string_view>
#include <tuple>

#include "cmodel/hbm.h"

namespace cmodel {
namespace {

constexpr std::array<char, 8> kMagic{'D', 'O', 'D', 'E', 'C', 'A', '\0', '\1'};
constexpr std::string_view kIsolated = "KEYS";
constexpr std::size_t kConfigBytes = 16;
constexpr std::size_t kHashBytes = 8;
constexpr std::size_t kHeaderBytes = kMagic.size() + 4 + kConfigBytes + 4 * 4 + 8;
constexpr std::uint32_t kMaxInstructions = 1u << 24;
constexpr std::uint32_t kMaxDescriptors = 65535;
constexpr std::size_t kMaxName = 64;
constexpr std::uint64_t kHostBytes = 64;  // one host write

template <class... Args>
[[noreturn]] void fail(const std::string& where, fmt::format_string<Args...> text, Args&&... args) {
  throw std::runtime_error(where + ": " + fmt::format(text, std::forward<Args>(args)...));
}

/// Anything as one printable line.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isprint(byte))
      out += c;
    else
      out += fmt::format("\\x{:02x}", byte);
  }
  return out;
}

std::string known_configs() {
  std::string names;
  for (const auto* sizes : defs::kConfigs)
    names += (names.empty() ? "" : ", ") + std::string(sizes->name);
  return names;
}

// ------------------------------------------------------------------------------------- writing

class Writer {
 public:
  void raw(const void* data, std::size_t size) {
    const auto* bytes = static_cast<const std::uint8_t*>(data);
    out_.insert(out_.end(), bytes, bytes + size);
  }
  void u32(std::uint32_t value) { number(value, 4); }
  void u64(std::uint64_t value) { number(value, 8); }
  void patch_u64(std::size_t at, std::uint64_t value) {
    for (unsigned i = 0; i < 8; ++i) out_[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
  std::vector<std::uint8_t>& bytes() { return out_; }

 private:
  void number(std::uint64_t value, unsigned size) {
    for (unsigned i = 0; i < size; ++i) out_.push_back(static_cast<std::uint8_t>(value >> (8 * i)));
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
  out.patch_u64(size_at, out.bytes().size() + kHashBytes);
  out.u64(XXH3_64bits(out.bytes().data(), out.bytes().size()));
  return std::move(out.bytes());
}

// ------------------------------------------------------------------------------------- reading

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

  /// A count of records of at least `least` bytes each: refuses what cannot be in the file before
  /// any memory is asked for.
  std::uint32_t count(const std::string& field) { return u32(field); }
  void expect_room(std::uint32_t count, std::size_t least, const std::string& field) const {
    if (count > bytes_.size() / least)
      fail(where_, "{} is {}; the {} bytes left hold at most {}", field, count, bytes_.size(),
           bytes_.size() / least);
  }

 private:
  std::uint64_t number(unsigned size, const std::string& field) {
    const auto bytes = take(size, field);
    std::uint64_t value = 0;
    for (unsigned i = 0; i < size; ++i) value |= std::uint64_t{bytes[i]} << (8 * i);
    return value;
  }
  std::string where_;
  std::span<const std::uint8_t> bytes_;
};

std::uint64_t little(std::span<const std::uint8_t> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) value |= std::uint64_t{bytes[i]} << (8 * i);
  return value;
}

Program parse(const std::string& where, std::span<const std::uint8_t> file) {
  if (file.size() < kMagic.size() || std::memcmp(file.data(), kMagic.data(), kMagic.size()) != 0)
    fail(where, "magic is not \"DODECA\\0\\1\": not a program file of this version");
  if (file.size() < kHeaderBytes + kHashBytes)
    fail(where, "truncated: {} bytes, the header and checksum alone take {}", file.size(),
         kHeaderBytes + kHashBytes);
  const std::uint64_t total = little(file.subspan(kHeaderBytes - 8, 8));
  if (file.size() < total)
    fail(where, "truncated: total file size says {} bytes, the file has {}", total, file.size());
  if (file.size() > total)
    fail(where, "trailing bytes: total file size says {} bytes, the file has {}", total,
         file.size());
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
  const auto segments = in.count("segments"), streams = in.count("streams");
  const auto rings = in.count("rings"), regions = in.count("regions");
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
    const auto keys = in.count("keys"), partitions = in.count("partitions");
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
  if (in.left() != 0)
    fail(where, "trailing bytes: {} between the last region and the checksum", in.left());
  return program;
}

// ----------------------------------------------------------------------------------- validation

/// Stretches of memory that must lie inside one segment of their chip.
class SegmentMap {
 public:
  SegmentMap(const Program& program, const std::string& where) {
    for (std::size_t i = 0; i < program.segments.size(); ++i) {
      const auto& segment = program.segments[i];
      spans_.push_back({segment.chip, segment.addr, segment.addr + segment.bytes.size(), i});
    }
    std::sort(spans_.begin(), spans_.end());
    for (std::size_t i = 1; i < spans_.size(); ++i) {
      const auto& [chip, begin, end, index] = spans_[i];
      const auto& [last_chip, last_begin, last_end, last_index] = spans_[i - 1];
      if (chip == last_chip && begin < last_end)
        fail(where, "segment {} (chip {} addr {:#x}) overlaps segment {} ({:#x} .. {:#x})", index,
             chip, begin, last_index, last_begin, last_end - 1);
    }
  }
  bool covers(std::uint32_t chip, std::uint64_t begin, std::uint64_t bytes) const {
    const auto it = std::upper_bound(spans_.begin(), spans_.end(),
                                     std::tuple(chip, begin, ~std::uint64_t{0}, ~std::size_t{0}));
    if (it == spans_.begin()) return false;
    const auto& [span_chip, span_begin, span_end, index] = *std::prev(it);
    return span_chip == chip && begin >= span_begin && begin < span_end &&
           bytes <= span_end - begin;
  }

 private:
  std::vector<std::tuple<std::uint32_t, std::uint64_t, std::uint64_t, std::size_t>> spans_;
};

void check_memory(const std::string& where, const std::string& field, std::uint64_t addr,
                  std::uint64_t bytes) {
  if (!Hbm::mapped(addr, bytes))
    fail(where, "{} addr {:#x} with {} bytes leaves HBM; allowed {:#x} .. {:#x} and {:#x} .. {:#x}",
         field, addr, bytes, defs::kAddrHbm0Base, defs::kAddrHbm0Base + defs::kAddrHbm0Size - 1,
         defs::kAddrHbm1Base, defs::kAddrHbm1Base + defs::kAddrHbm1Size - 1);
}

void check_multiple(const std::string& where, const std::string& field, std::uint64_t value,
                    std::uint64_t step) {
  if (value % step != 0) fail(where, "{} is {:#x}; allowed multiples of {}", field, value, step);
}

void check_below(const std::string& where, const std::string& field, std::uint64_t value,
                 std::uint64_t limit) {
  if (value >= limit) fail(where, "{} is {}; allowed 0 .. {}", field, value, limit - 1);
}

}  // namespace

void validate_program(const Program& program, const std::string& where) {
  const defs::Sizes* sizes = nullptr;
  for (const auto* known : defs::kConfigs)
    if (known->name == program.config) sizes = known;
  if (!sizes)
    fail(where, "config is \"{}\"; allowed {}", printable(program.config), known_configs());
  if (program.chips < 1 || program.chips > defs::kBoardChips)
    fail(where, "chips is {}; allowed 1 .. {}", program.chips, defs::kBoardChips);

  for (std::size_t i = 0; i < program.segments.size(); ++i) {
    const auto& segment = program.segments[i];
    const std::string field = fmt::format("segment {}", i);
    check_below(where, field + " chip", segment.chip, program.chips);
    check_multiple(where, field + " addr", segment.addr, kHostBytes);
    if (segment.bytes.empty()) fail(where, "{} bytes is 0; allowed 1 ..", field);
    check_memory(where, field, segment.addr, segment.bytes.size());
  }
  const SegmentMap map(program, where);

  const auto table = [&](const auto& rows, const char* one, std::uint32_t engines,
                         std::uint32_t most) {
    std::set<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>> seen;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto& row = rows[i];
      const std::string field = fmt::format("{} {}", one, i);
      check_below(where, field + " chip", row.chip, program.chips);
      check_below(where, field + " core", row.core, defs::kCores);
      check_below(where, field + " engine", row.engine, engines);
      check_multiple(where, field + " base", row.base, sizes->line_bytes);
      if (row.count < 1 || row.count > most)
        fail(where, "{} count is {}; allowed 1 .. {}", field, row.count, most);
      if (!map.covers(row.chip, row.base, std::uint64_t{row.count} * defs::kInstrBytes))
        fail(where, "{} base {:#x} count {}: not inside one segment of chip {}", field, row.base,
             row.count, row.chip);
      if (!seen.emplace(row.chip, row.core, row.engine).second)
        fail(where, "{} is the second for chip {} core {} engine {}; allowed one", field, row.chip,
             row.core, row.engine);
    }
  };
  table(program.streams, "stream", defs::kSequencers, kMaxInstructions);
  table(program.rings, "ring", sizes->dma_engines, kMaxDescriptors);

  if (program.keys.size() > defs::kKeyEntries)
    fail(where, "keys are {}; allowed 0 .. {}", program.keys.size(), defs::kKeyEntries);
  for (const auto key : program.keys) check_below(where, "key", key, 256);
  std::set<std::pair<std::uint32_t, std::uint32_t>> isolated;
  for (std::size_t i = 0; i < program.partitions.size(); ++i) {
    const auto& part = program.partitions[i];
    const std::string field = fmt::format("partition {}", i);
    check_below(where, field + " chip", part.chip, program.chips);
    check_below(where, field + " core", part.core, defs::kCores);
    check_below(where, field + " key", part.key, 256);
    check_below(where, field + " end", part.end, std::uint64_t{1} << 48);
    check_below(where, field + " base", part.base, part.end + 1);
    if (!isolated.emplace(part.chip, part.core).second)
      fail(where, "{} is the second for chip {} core {}; allowed one", field, part.chip, part.core);
  }

  std::set<std::string> names;
  for (std::size_t i = 0; i < program.regions.size(); ++i) {
    const auto& region = program.regions[i];
    const std::string field = fmt::format("region {}", i);
    if (region.name.empty() || region.name.size() > kMaxName)
      fail(where, "{} name length is {}; allowed 1 .. {}", field, region.name.size(), kMaxName);
    if (printable(region.name) != region.name)
      fail(where, "{} name is \"{}\"; allowed printable ASCII", field, printable(region.name));
    if (!names.insert(region.name).second)
      fail(where, "{} name \"{}\" is used twice; allowed once", field, region.name);
    check_below(where, field + " chip", region.chip, program.chips);
    check_multiple(where, field + " addr", region.addr, kHostBytes);
    if (region.bytes == 0) fail(where, "{} bytes is 0; allowed 64 .. in steps of 64", field);
    check_multiple(where, field + " bytes", region.bytes, kHostBytes);
    check_memory(where, field, region.addr, region.bytes);
  }
}

Program load_program(const std::filesystem::path& file) {
  const std::string where = file.string();
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> in(std::fopen(where.c_str(), "rb"),
                                                           &std::fclose);
  if (!in) fail(where, "cannot be opened: {}", std::strerror(errno));
  std::vector<std::uint8_t> bytes;
  for (std::array<std::uint8_t, 65536> block;;) {
    const std::size_t got = std::fread(block.data(), 1, block.size(), in.get());
    bytes.insert(bytes.end(), block.begin(), block.begin() + got);
    if (got == 0) break;
  }
  if (std::ferror(in.get())) fail(where, "cannot be read: {}", std::strerror(errno));
  Program program = parse(where, bytes);
  program.file = where;
  validate_program(program, where);
  return program;
}

std::string Program::source_of(unsigned chip, unsigned core, unsigned engine,
                               std::uint32_t pc) const {
  for (const SourceNotes& note : notes) {
    if (note.chip != chip || note.core != core || note.engine != engine || pc >= note.lines.size())
      continue;
    const SourceNotes::Line& line = note.lines[pc];
    const std::string& label = labels[line.label];
    return fmt::format("{}:{}{}", line.file, line.line,
                       label.empty() ? "" : fmt::format(" ({})", label));
  }
  if (file.empty()) return {};
  std::uint64_t addr = 0;
  bool found = false;
  for (const InstrStream& s : streams)
    if (s.chip == chip && s.core == core && s.engine == engine && pc < s.count)
      addr = s.base + std::uint64_t{pc} * defs::kInstrBytes, found = true;
  for (const DescriptorRing& r : rings)
    if (r.chip == chip && r.core == core && r.count &&
        static_cast<unsigned>(defs::Engine::Dma0) + r.engine == engine)
      addr = r.base + std::uint64_t{pc % r.count} * defs::kInstrBytes, found = true;
  for (std::size_t i = 0; found && i < segments.size(); ++i)
    if (segments[i].chip == chip && addr >= segments[i].addr &&
        addr - segments[i].addr < segments[i].bytes.size())
      return fmt::format("{}: segment {}, byte {:#x}", file, i, addr - segments[i].addr);
  return {};
}

std::uint64_t program_hash(const Program& program) {
  const auto bytes = serialize(program);
  return XXH3_64bits(bytes.data(), bytes.size());
}

void save_program(const Program& program, const std::filesystem::path& file) {
  const std::string where = file.string();
  validate_program(program, where);
  const auto bytes = serialize(program);
  std::filesystem::path scratch = file;
  scratch += fmt::format(".{}.tmp", ::getpid());
  const auto give_up = [&](const char* what, const std::string& why) {
    std::error_code ignored;
    std::filesystem::remove(scratch, ignored);
    fail(where, "cannot be {}: {}", what, why);
  };
  std::FILE* out = std::fopen(scratch.c_str(), "wb");
  if (!out) fail(where, "cannot be created: {}", std::strerror(errno));
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), out) == bytes.size();
  const bool closed = std::fclose(out) == 0;
  if (!written || !closed) give_up("written", std::strerror(errno));
  std::error_code error;
  std::filesystem::rename(scratch, file, error);
  if (error) give_up("renamed into place", error.message());
}

}  // namespace cmodel
