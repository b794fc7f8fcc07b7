// SPDX-License-Identifier: Apache-2.0
#include "tb/check/scoreboard.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstring>

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

}  // namespace

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
    recent_->last = {actual, entry.cycle};
    if (l.lost) continue;
    while (l.empty() && model_->step()) {
    }
    if (l.empty()) {
      l.lost = true;
      diverge({entry.cycle, l.chain.made(), actual, {data.begin(), data.end()}, {}, {}});
      continue;
    }
    const cmodel::Commit& expected = l.commits[l.head];
    const std::span<const std::uint8_t> expected_data(l.bytes.data() + l.head_byte,
                                                      data_bytes(expected));
    ++commits_checked_;
    const bool same_write = same(expected, actual) && expected_data.size() == data.size();
    if (!same_write || std::memcmp(expected_data.data(), data.data(), data.size()) != 0) {
      diverge({entry.cycle,
               l.chain.made(),
               actual,
               {data.begin(), data.end()},
               expected,
               {expected_data.begin(), expected_data.end()}});
      l.lost = !same_write;
      if (l.lost) continue;
    }
    l.chain.add(actual, data, entry.cycle);
    ++l.head;
    l.head_byte += data.size();
  }
  seconds_ += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void Scoreboard::diverge(Mismatch m) {
  ++mismatch_count_;
  const cmodel::StreamId& id = m.actual.stream;
  if (!divergence_ || std::pair{m.cycle, id.chip} <
                          std::pair{divergence_->cycle, divergence_->actual.stream.chip}) {
    divergence_ = Divergence{m, {}, {}};
    if (id.engine < static_cast<unsigned>(defs::Engine::Rx)) {
      divergence_->instruction = model_->disassemble(id, m.actual.pc);
      if (m.expected && m.expected->pc != m.actual.pc)
        divergence_->expected_instruction = model_->disassemble(id, m.expected->pc);
    }
  }
  if (mismatches_of_[id.chip]++ < kMaxMismatches) mismatches_.push_back(std::move(m));
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

std::optional<Scoreboard::Last> Scoreboard::last_of(const cmodel::StreamId& engine) const {
  std::optional<Last> last;
  for (const auto& [key, stream] : streams_) {
    const cmodel::StreamId& id = stream->id;
    if (id.chip == engine.chip && id.core == engine.core && id.engine == engine.engine &&
        stream->last && (!last || last->cycle < stream->last->cycle))
      last = stream->last;
  }
  return last;
}

std::vector<Missing> Scoreboard::missing() const {
  std::vector<Missing> all;
  for (const auto& [id, stream] : streams_)
    for (const List* list : {&stream->writes, &stream->semaphores})
      if (!list->lost && !list->empty())
        all.push_back({list->commits[list->head], list->chain.made()});
  return all;
}

std::string Scoreboard::check_counts(
    unsigned chip, unsigned core,
    std::span<const std::uint64_t, defs::kEveryTensorCount.size()> counts) const {
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

Chains Scoreboard::chains() const {
  Chains chains;
  for (const auto& [id, stream] : streams_)
    chains[stream->id] = {&stream->writes.chain, &stream->semaphores.chain};
  return chains;
}

cmodel::StreamPositions Scoreboard::positions(unsigned chip) const {
  cmodel::StreamPositions positions;
  for (const auto& [id, stream] : streams_)
    if (stream->id.chip == chip) positions[stream->id] = stream->writes.chain.made();
  return positions;
}

}  // namespace tb
