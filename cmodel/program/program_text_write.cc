// SPDX-License-Identifier: Apache-2.0
// A program as text.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "cmodel/files/output_file.h"
#include "cmodel/program/disassemble.h"
#include "cmodel/program/program_format.h"
#include "cmodel/program/program_text.h"
#include "cmodel/program/program_view.h"

namespace cmodel {
namespace {

constexpr std::size_t kUnit = defs::kInstrBytes;
constexpr std::size_t kHexBytes = 32;  // of a line

enum class Kind : std::uint8_t { Data, Instr, Descriptor };

/// A stream or ring, at the first unit of its segment.
struct Marker {
  Kind kind;
  std::size_t index;  ///< in its table
  unsigned core, engine;
  std::uint32_t count;
};

/// What the units of 64 bytes of a segment are, and where streams and rings begin.
struct Layout {
  std::vector<Kind> kinds;
  std::multimap<std::size_t, Marker> markers;
};

std::vector<Layout> layouts(const Program& program) {
  std::vector<Layout> out(program.segments.size());
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i].kinds.resize((program.segments[i].bytes.size() + kUnit - 1) / kUnit, Kind::Data);
  const auto mark = [&](const auto& rows, Kind kind, unsigned first_engine) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto& row = rows[i];
      const auto segment = std::ranges::find_if(program.segments, [&](const Segment& s) {
        return s.chip == row.chip && row.base >= s.addr && row.base - s.addr < s.bytes.size();
      });
      Layout& layout = out[static_cast<std::size_t>(segment - program.segments.begin())];
      const std::size_t unit = (row.base - segment->addr) / kUnit;
      layout.markers.insert({unit, {kind, i, row.core, first_engine + row.engine, row.count}});
      std::fill_n(layout.kinds.begin() + static_cast<std::ptrdiff_t>(unit), row.count, kind);
    }
  };
  mark(program.rings, Kind::Descriptor, static_cast<unsigned>(defs::Engine::Dma0));
  mark(program.streams, Kind::Instr, 0);
  return out;
}

/// Do the markers of a kind come in the order of their table?
bool in_order(const std::vector<Layout>& layouts, Kind kind) {
  std::size_t next = 0;
  for (const Layout& layout : layouts)
    for (const auto& [unit, marker] : layout.markers)
      if (marker.kind == kind && marker.index != next++) return false;
  return true;
}

/// What a reader would count: lines of the marker's kind, up to another line.
std::uint32_t lines_behind(const Layout& layout, std::size_t unit, Kind kind) {
  const auto next = layout.markers.upper_bound(unit);
  const std::size_t end = next == layout.markers.end() ? layout.kinds.size() : next->first;
  std::size_t at = unit;
  while (at < end && layout.kinds[at] == kind) ++at;
  return static_cast<std::uint32_t>(at - unit);
}

void write_data(OutputFile& out, std::span<const std::uint8_t> bytes) {
  for (std::size_t i = 0; i < bytes.size(); i += kHexBytes)
    out.print("  hex {:02x}\n",
              fmt::join(bytes.subspan(i, std::min(kHexBytes, bytes.size() - i)), ""));
}

void write_segment(OutputFile& out, const Segment& segment, const Layout& layout,
                   bool streams_numbered, bool rings_numbered) {
  out.print("\nsegment chip {} at {:#x}\n", segment.chip, segment.addr);
  const std::span<const std::uint8_t> bytes(segment.bytes);
  std::size_t zeros = 0;
  const auto flush = [&] {
    if (zeros) out.print("  zero {}\n", zeros);
    zeros = 0;
  };
  for (std::size_t unit = 0; unit < layout.kinds.size(); ++unit) {
    const auto [first, last] = layout.markers.equal_range(unit);
    if (first != last) flush();
    for (auto it = first; it != last; ++it) {
      const Marker& m = it->second;
      const bool stream = m.kind == Kind::Instr;
      out.print(
          " {}{} core {} {}{}\n", stream ? "stream" : "ring",
          (stream ? streams_numbered : rings_numbered) ? fmt::format(" {}", m.index) : "", m.core,
          engine_name(m.engine),
          lines_behind(layout, unit, m.kind) == m.count ? "" : fmt::format(" count {}", m.count));
    }
    const auto part = bytes.subspan(unit * kUnit, std::min(kUnit, bytes.size() - unit * kUnit));
    if (layout.kinds[unit] == Kind::Data) {
      if (std::ranges::all_of(part, [](std::uint8_t byte) { return byte == 0; })) {
        zeros += part.size();
        continue;
      }
      flush();
      write_data(out, part);
      continue;
    }
    flush();
    out.print("  {}\n", layout.kinds[unit] == Kind::Instr
                            ? disassemble(unpack_bytes<defs::Instr>(part))
                            : disassemble(unpack_bytes<defs::Descriptor>(part)));
  }
  flush();
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + "\"";
}

}  // namespace

void save_text(const Program& program, const std::filesystem::path& file) {
  std::uint64_t data = 0;
  for (const Segment& segment : program.segments) data += segment.bytes.size();
  for (const Request& request : program.requests) data += request.bytes.size();
  if (data > kMostTextData)
    program_format::fail(file.string(), "segments and requests have {} bytes; allowed {} in all",
                         data, kMostTextData);
  OutputFile out(file);
  out.print("config {}\nchips {}\n", program.config, program.chips);
  if (!program.keys.empty()) out.print("keys {}\n", fmt::join(program.keys, " "));
  for (const Partition& p : program.partitions)
    out.print("partition chip {} core {} key {} {:#x} .. {:#x}\n", p.chip, p.core, p.key, p.base,
              p.end);
  for (const Region& r : program.regions)
    out.print("region {} chip {} at {:#x} bytes {}\n", quoted(r.name), r.chip, r.addr, r.bytes);
  const auto all = layouts(program);
  const bool streams_numbered = !in_order(all, Kind::Instr);
  const bool rings_numbered = !in_order(all, Kind::Descriptor);
  for (std::size_t i = 0; i < all.size(); ++i)
    write_segment(out, program.segments[i], all[i], streams_numbered, rings_numbered);
  for (const Request& r : program.requests) {
    out.print("\nrequest chip {} core {} {} at {:#x} after {}\n", r.chip, r.core,
              engine_name(r.engine), r.addr, r.arrival);
    write_data(out, r.bytes);
  }
  out.finish();
}

}  // namespace cmodel
