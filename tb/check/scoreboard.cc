// SPDX-License-Identifier: Apache-2.0
#include "tb/check/scoreboard.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <cstring>

#include "cmodel/machine/address_map.h"
#include "cmodel/program/disassemble.h"

namespace tb {
namespace {

constexpr unsigned kMaxLeftovers = 8;  // lines of the end report

std::size_t data_bytes(const cmodel::Commit& commit) {
  switch (commit.kind) {
    case cmodel::CommitKind::PsumRow:
    case cmodel::CommitKind::SbufRow:
      return std::size_t{commit.count} * commit.element_bytes;
    case cmodel::CommitKind::MemBurst:
      return commit.count;
    case cmodel::CommitKind::Message:
      return 16u + commit.count;
    case cmodel::CommitKind::Semaphore:
    case cmodel::CommitKind::Error:
      return 0;
  }
  return 0;
}

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
std::string number(std::span<const std::uint8_t> data, std::size_t at, unsigned bytes) {
  std::uint32_t bits = 0;
  std::memcpy(&bits, data.data() + at, bytes);
  const float value = std::bit_cast<float>(bytes == 2 ? bits << 16 : bits);
  return fmt::format("0x{:0{}x} = {}", bits, 2 * bytes, value);
}

/// Everything but the data, by field.
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
      return fmt::format("MemBurst pc {}, {} B at {}", c.pc, c.count, address(sizes, c.addr));
    case cmodel::CommitKind::Message:
      return fmt::format("Message, {} B of payload", c.count);
    case cmodel::CommitKind::Semaphore:
      return fmt::format("Semaphore pc {}, {} {:+}", c.pc,
                         cmodel::semaphore_name(static_cast<unsigned>(c.addr)), c.delta);
    case cmodel::CommitKind::Error:
      return fmt::format("Error pc {}, {}", c.pc,
                         to_string(static_cast<defs::ErrorCause>(c.delta)));
  }
  return "?";
}

std::string who(const cmodel::StreamId& id) {
  std::string text = fmt::format("chip {} ", id.chip);
  if (id.engine == static_cast<unsigned>(defs::Engine::Rx))
    return text + fmt::format("Rx from chip {} (core {} DMA {}, VN {})", id.src, id.lane >> 4 & 1,
                              id.lane & 15, id.lane >> 5);
  if (id.engine == static_cast<unsigned>(defs::Engine::Host)) return text + "Host";
  return text + fmt::format("core {} {}{}", id.core, cmodel::engine_name(id.engine),
                            id.lane ? " (lower rows)" : "");
}

}  // namespace

std::string describe(const cmodel::Commit& commit) {
  return fmt::format("{} pc {} {}", who(commit.stream), commit.pc, kind_name(commit.kind));
}

Scoreboard::Scoreboard(const defs::Sizes& sizes, const cmodel::Program& program,
                       cmodel::BoardOptions options)
    : sizes_(sizes),
      mismatches_of_(program.chips),
      model_(std::make_unique<cmodel::Board>(sizes, program, *this, options)) {
  model_->load();
}

Scoreboard::Stream& Scoreboard::stream(const cmodel::StreamId& id) {
  if (recent_ && recent_->id == id) return *recent_;
  auto& slot = streams_[stream_key(id)];
  if (!slot) {
    slot = std::make_unique<Stream>();
    slot->id = id;
  }
  recent_ = slot.get();
  return *recent_;
}

Scoreboard::List& Scoreboard::list(const cmodel::Commit& commit) {
  Stream& s = stream(commit.stream);
  return commit.kind == cmodel::CommitKind::Semaphore ? s.semaphores : s.writes;
}

void Scoreboard::commit(const cmodel::Commit& commit, std::span<const std::uint8_t> data) {
  List& expected = list(commit);
  if (expected.empty()) {
    expected.commits.clear();
    expected.bytes.clear();
    expected.head = expected.head_byte = 0;
  }
  expected.commits.push_back(commit);
  expected.bytes.insert(expected.bytes.end(), data.begin(), data.end());
}

void Scoreboard::check(const CommitBuffer& commits) {
  if (commits.entries().empty()) return;
  const auto start = std::chrono::steady_clock::now();
  for (const auto& entry : commits.entries()) {
    const cmodel::Commit& actual = entry.commit;
    const auto data = commits.data(entry);
    List& l = list(actual);
    if (l.lost) continue;
    while (l.empty() && model_->step()) {
    }
    if (l.empty()) {
      l.lost = true;
      diverge(entry, data, l.chain.made(), nullptr, {});
      continue;
    }
    const cmodel::Commit& expected = l.commits[l.head];
    const std::span<const std::uint8_t> expected_data(l.bytes.data() + l.head_byte,
                                                      data_bytes(expected));
    ++commits_checked_;
    if (expected != actual || expected_data.size() != data.size() ||
        std::memcmp(expected_data.data(), data.data(), data.size()) != 0) {
      diverge(entry, data, l.chain.made(), &expected, expected_data);
      l.lost = expected != actual || expected_data.size() != data.size();
      if (l.lost) continue;
    }
    l.chain.add(actual, data);
    ++l.head;
    l.head_byte += data.size();
  }
  seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void Scoreboard::diverge(const CommitBuffer::Entry& entry, std::span<const std::uint8_t> data,
                         std::uint64_t ordinal, const cmodel::Commit* expected,
                         std::span<const std::uint8_t> expected_data) {
  const cmodel::Commit& actual = entry.commit;
  ++mismatch_count_;
  if (mismatches_of_[actual.stream.chip]++ < kMaxMismatches) {
    Mismatch& m = mismatches_.emplace_back();
    m.cycle = entry.cycle;
    m.ordinal = ordinal;
    m.actual = actual;
    m.data.assign(data.begin(), data.end());
    if (expected) m.expected = *expected;
    m.expected_data.assign(expected_data.begin(), expected_data.end());
  }
  if (divergence_ && std::pair{divergence_->cycle, divergence_->chip} <=
                         std::pair{entry.cycle, unsigned{actual.stream.chip}})
    return;

  std::string text = fmt::format("{}, core cycle {}: RTL and golden model differ\n",
                                 who(actual.stream), entry.cycle);
  if (actual.stream.engine < static_cast<unsigned>(defs::Engine::Rx))
    text += fmt::format("  pc {}: {}\n", actual.pc, model_->disassemble(actual.stream, actual.pc));
  if (!expected) {
    text += fmt::format("  expected  no further commit in this stream\n  actual    {}\n",
                        fields(sizes_, actual));
  } else if (*expected != actual) {
    if (expected->pc != actual.pc && actual.stream.engine < static_cast<unsigned>(defs::Engine::Rx))
      text += fmt::format("  expected pc {}: {}\n", expected->pc,
                          model_->disassemble(actual.stream, expected->pc));
    text += fmt::format("  expected  {}\n  actual    {}\n", fields(sizes_, *expected),
                        fields(sizes_, actual));
  } else {
    text += fmt::format("  {}\n", fields(sizes_, actual));
    const bool row =
        actual.kind == cmodel::CommitKind::PsumRow || actual.kind == cmodel::CommitKind::SbufRow;
    const unsigned element = row ? actual.element_bytes : 4;
    unsigned shown = 0, wrong = 0;
    for (std::size_t at = 0; at < data.size(); at += element) {
      const auto bytes = static_cast<unsigned>(std::min<std::size_t>(element, data.size() - at));
      if (std::memcmp(&data[at], &expected_data[at], bytes) == 0) continue;
      ++wrong;
      if (shown == 4) continue;
      ++shown;
      const std::string place = row ? fmt::format("partition {}", actual.first + at / element)
                                : actual.kind == cmodel::CommitKind::Message && at < 16
                                    ? fmt::format("header byte {}", at)
                                : actual.kind == cmodel::CommitKind::Message
                                    ? fmt::format("payload byte {}", at - 16)
                                    : fmt::format("byte {:#x}", actual.addr + at);
      text += fmt::format("  {}: expected {}, actual {}\n", place, number(expected_data, at, bytes),
                          number(data, at, bytes));
    }
    text +=
        fmt::format("  {} of {} elements differ\n", wrong, (data.size() + element - 1) / element);
  }
  divergence_ = Divergence{entry.cycle, actual.stream.chip, std::move(text)};
}

std::string Scoreboard::finish() {
  const auto start = std::chrono::steady_clock::now();
  model_->run();
  std::map<cmodel::StreamId, std::string> left;
  for (const auto& [id, stream] : streams_)
    for (const List* list : {&stream->writes, &stream->semaphores})
      if (!list->empty())
        left[stream->id] += fmt::format("  {}: {} commits of the model never came, first {}\n",
                                        who(stream->id), list->commits.size() - list->head,
                                        fields(sizes_, list->commits[list->head]));
  std::string text;
  unsigned lines = 0;
  for (const auto& [id, line] : left) {
    if (lines++ == kMaxLeftovers) {
      text += fmt::format("  and {} more streams\n", left.size() - kMaxLeftovers);
      break;
    }
    text += line;
  }
  seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return text;
}

std::vector<Missing> Scoreboard::missing() const {
  std::vector<Missing> all;
  for (const auto& [id, stream] : streams_)
    for (const List* list : {&stream->writes, &stream->semaphores})
      if (!list->lost && !list->empty())
        all.push_back({list->commits[list->head], list->chain.made()});
  return all;
}

std::string Scoreboard::check_counts(unsigned chip, unsigned core,
                                     const TensorCounts& counts) const {
  const auto count = [&](defs::TensorCount which) { return counts[static_cast<unsigned>(which)]; };
  std::string text;
  if (const auto expected = model_->pe_work(chip, core);
      count(defs::TensorCount::PeBusy) != expected)
    text += fmt::format("  chip {} core {} Tensor: PeBusy expected {}, counted {}\n", chip, core,
                        expected, count(defs::TensorCount::PeBusy));
  const std::uint64_t parts =
      count(defs::TensorCount::Moving) + count(defs::TensorCount::WaitPort) +
      count(defs::TensorCount::WaitWeights) + count(defs::TensorCount::WaitTile);
  if (parts != count(defs::TensorCount::Active))
    text += fmt::format("  chip {} core {} Tensor: Active {}, but its parts add up to {}\n", chip,
                        core, count(defs::TensorCount::Active), parts);
  return text;
}

std::uint64_t Scoreboard::commit_hash() const {
  std::map<cmodel::StreamId, StreamChains> chains;
  for (const auto& [id, stream] : streams_)
    chains[stream->id] = {&stream->writes.chain, &stream->semaphores.chain};
  return combined_hash(chains);
}

cmodel::StreamPositions Scoreboard::positions(unsigned chip) const {
  cmodel::StreamPositions positions;
  for (const auto& [id, stream] : streams_)
    if (stream->id.chip == chip) positions[stream->id] = stream->writes.chain.made();
  return positions;
}

}  // namespace tb
