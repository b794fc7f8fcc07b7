// SPDX-License-Identifier: Apache-2.0
#include "tb/check/divergence.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "cmodel/machine/address_map.h"
#include "cmodel/program/disassemble.h"
#include "tb/check/number.h"

namespace tb {
namespace {

constexpr unsigned kShown = 4;  // elements of the text

std::string_view kind_name(cmodel::CommitKind kind) {
  switch (kind) {
    case cmodel::CommitKind::PsumRow:
      return "PsumRow";
    case cmodel::CommitKind::SbufRow:
      return "SbufRow";
    case cmodel::CommitKind::MemBurst:
      return "MemBurst";
    case cmodel::CommitKind::Message:
      return "Message";
    case cmodel::CommitKind::Semaphore:
      return "Semaphore";
    case cmodel::CommitKind::Error:
      return "Error";
  }
  return "?";
}

std::string address(const defs::Sizes& sizes, std::uint64_t addr) {
  const auto at = cmodel::decode(sizes, addr);
  if (cmodel::is_sbuf(at.target))
    return fmt::format("{:#x} (SBUF of core {}, partition {}, byte {:#x})", addr,
                       at.target == cmodel::Target::Sbuf1, at.partition, at.offset);
  if (cmodel::is_hbm(at.target))
    return fmt::format("{:#x} (HBM {}, byte {:#x})", addr, at.target == cmodel::Target::Hbm1,
                       at.offset);
  return fmt::format("{:#x} (unmapped)", addr);
}

/// An element as its bits and as the number it stands for.
std::string number(std::uint32_t bits, unsigned bytes) {
  return fmt::format("0x{:0{}x} = {}", bits, 2 * bytes, static_cast<float>(number_of(bits, bytes)));
}

std::string place(const cmodel::Commit& commit, std::size_t at, unsigned element) {
  switch (commit.kind) {
    case cmodel::CommitKind::PsumRow:
    case cmodel::CommitKind::SbufRow:
      return fmt::format("partition {}", commit.first + at / element);
    case cmodel::CommitKind::Message:
      return at < 16 ? fmt::format("header byte {}", at) : fmt::format("payload byte {}", at - 16);
    default:
      return fmt::format("byte {:#x}", commit.addr + at);
  }
}

}  // namespace

std::string fields(const defs::Sizes& sizes, const cmodel::Commit& c) {
  switch (c.kind) {
    case cmodel::CommitKind::PsumRow: {
      const unsigned bank = sizes.psum_cols * 4;
      return fmt::format("PsumRow pc {}, bank {} column {}, partitions {}..{}", c.pc, c.addr / bank,
                         c.addr % bank / 4, c.first, c.first + c.count - 1);
    }
    case cmodel::CommitKind::SbufRow:
      return fmt::format("SbufRow pc {}, byte {:#x}, partitions {}..{}, {} B elements", c.pc,
                         c.addr, c.first, c.first + c.count - 1, c.element_bytes);
    case cmodel::CommitKind::MemBurst:
      return fmt::format("MemBurst {}, {} B at {}", cmodel::pc_text(c.pc), c.count,
                         address(sizes, c.addr));
    case cmodel::CommitKind::Message:
      return fmt::format("Message, {} B of payload", c.count);
    case cmodel::CommitKind::Semaphore:
      return fmt::format("Semaphore {}, {} {:+}", cmodel::pc_text(c.pc),
                         cmodel::semaphore_name(static_cast<unsigned>(c.addr)), c.delta);
    case cmodel::CommitKind::Error:
      return fmt::format("Error {}, {}", cmodel::pc_text(c.pc),
                         to_string(static_cast<defs::ErrorCause>(c.delta)));
  }
  return "?";
}

std::string stream_name(const cmodel::StreamId& id) {
  if (id.engine == static_cast<unsigned>(defs::Engine::Rx))
    return fmt::format("Rx from chip {} (core {} DMA {}, VN {})", id.src, id.lane >> 4 & 1,
                       id.lane & 15, id.lane >> 5);
  if (id.engine == static_cast<unsigned>(defs::Engine::Host)) return "Host";
  return fmt::format("core {} {}{}", id.core, cmodel::engine_name(id.engine),
                     id.lane ? " (lower rows)" : "");
}
std::string who(const cmodel::StreamId& id) {
  return fmt::format("chip {} {}", id.chip, stream_name(id));
}

std::string describe(const cmodel::Commit& commit) {
  return fmt::format("{} {} {}", who(commit.stream), cmodel::pc_text(commit.pc),
                     kind_name(commit.kind));
}

std::vector<WrongElement> wrong_elements(const Mismatch& m) {
  std::vector<WrongElement> wrong;
  if (!m.expected || m.data.size() != m.expected_data.size()) return wrong;
  for (std::size_t at = 0; at < m.data.size(); at += m.element_bytes()) {
    WrongElement e{.at = at,
                   .bytes = static_cast<unsigned>(
                       std::min<std::size_t>(m.element_bytes(), m.data.size() - at))};
    std::memcpy(&e.expected, &m.expected_data[at], e.bytes);
    std::memcpy(&e.actual, &m.data[at], e.bytes);
    if (e.expected != e.actual) wrong.push_back(e);
  }
  return wrong;
}

std::string to_text(const Divergence& d, const defs::Sizes& sizes) {
  std::string text = fmt::format("{}, core cycle {}: RTL and golden model differ\n",
                                 who(d.actual.stream), d.cycle);
  if (!d.instruction.empty())
    text += fmt::format("  {}: {}\n", cmodel::pc_text(d.actual.pc), d.instruction);
  if (d.only_data()) {
    text += fmt::format("  {}\n", fields(sizes, d.actual));
    const unsigned element = d.element_bytes();
    const auto wrong = wrong_elements(d);
    for (std::size_t i = 0; i < std::min<std::size_t>(wrong.size(), kShown); ++i) {
      const auto& [at, bytes, expected, actual] = wrong[i];
      text += fmt::format("  {}: expected {}, actual {}\n", place(d.actual, at, element),
                          number(expected, bytes), number(actual, bytes));
    }
    return text + fmt::format("  {} of {} elements differ\n", wrong.size(),
                              (d.data.size() + element - 1) / element);
  }
  if (!d.expected_instruction.empty())
    text +=
        fmt::format("  expected {}: {}\n", cmodel::pc_text(d.expected->pc), d.expected_instruction);
  const auto shown = [&](const cmodel::Commit& c) {
    return fields(sizes, c) + (d.only_operation() ? fmt::format(", operation {}", c.serial) : "");
  };
  return text + fmt::format("  expected  {}\n  actual    {}\n",
                            d.expected ? shown(*d.expected) : "no further commit in this stream",
                            shown(d.actual));
}

}  // namespace tb
