// SPDX-License-Identifier: Apache-2.0
#include "cmodel/program/program.h"

#include <fmt/format.h>

#include <algorithm>

#include "cmodel/machine/commit.h"
#include "cmodel/program/disassemble.h"

namespace cmodel {

std::string Program::source_of(unsigned chip, unsigned core, unsigned unit,
                               std::uint32_t at) const {
  const auto [engine, pc] = place_of(unit, at);
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

std::string Program::semaphore_of(unsigned chip, unsigned semaphore) const {
  const auto named = semaphores.find({chip, semaphore});
  return semaphore_name(semaphore) + (named == semaphores.end() ? "" : " " + named->second);
}

std::uint32_t Program::requests_of(const InstrStream& stream) const {
  return static_cast<std::uint32_t>(std::ranges::count_if(requests, [&](const Request& request) {
    return request.chip == stream.chip && request.core == stream.core &&
           request.engine == stream.engine;
  }));
}

}  // namespace cmodel
