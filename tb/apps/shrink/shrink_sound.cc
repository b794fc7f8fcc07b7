// SPDX-License-Identifier: Apache-2.0
#include "tb/apps/shrink/shrink_sound.h"

#include "cmodel/board/board.h"

namespace tb {
namespace {

using cmodel::Commit;
using Kind = Part::Kind;
constexpr auto kRx = static_cast<unsigned>(defs::Engine::Rx);

struct Ignore : cmodel::CommitSink {
  void commit(const Commit&, std::span<const std::uint8_t>) override {}
};

/// Semaphore commits in the order of the run.
struct Listener : cmodel::CommitSink {
  void commit(const Commit& c, std::span<const std::uint8_t>) override {
    if (c.kind == cmodel::CommitKind::Semaphore) semaphores.push_back(c);
  }
  std::vector<Commit> semaphores;
};

}  // namespace

Updates updates_of(const defs::Sizes& sizes, const Image& image) {
  Updates updates;
  const auto program = program_of(sizes, image);
  if (!program) return updates;
  Listener listener;
  cmodel::Board board(sizes, *program, listener);
  board.load();
  board.run();
  const Places places(image);
  // Notifies of a receiver's stream come in the order of the sending engine's descriptors.
  std::map<cmodel::StreamId, std::uint32_t> next;
  for (const Commit& c : listener.semaphores) {
    const auto& id = c.stream;
    std::optional<Part> part = places.part_of(image, id, c.pc);
    if (id.engine == kRx) {
      const unsigned core = id.lane >> 4 & 1, engine = id.lane & 15, vn = id.lane >> 5;
      const auto moves = moves_of(image, id.src, core, engine);
      std::uint32_t& at = next[id];
      const auto notifies = [&](const defs::Descriptor& d) {
        return d.notify && d.dst_chip == id.chip && d.vn == vn;
      };
      while (at < moves.size() && !notifies(moves[at].descriptor)) ++at;
      if (at == moves.size()) continue;
      part = moves[at++].part;
    }
    // An END's update stays whatever goes: it is counted as nobody's part.
    if (!part) part = Part{Kind::Instruction, UINT32_MAX, c.pc};
    updates[{id.chip, static_cast<unsigned>(c.addr)}].push_back({*part, c.delta});
  }
  return updates;
}

Soundness make_sound(const defs::Sizes& sizes, Image& image) {
  constexpr unsigned kRounds = 12;
  for (unsigned round = 0;; ++round) {
    Soundness out;
    const auto program = program_of(sizes, image);
    if (!program || program->streams.empty()) return out;
    Ignore sink;
    cmodel::Board board(sizes, *program, sink);
    board.load();
    out.finished = board.run();
    out.errors = !board.errors().empty();
    out.defined = board.unwritten().empty();
    std::set<Part> readers;
    const Places places(image);
    for (const auto& read : board.unwritten())
      if (const auto part = places.part_of(image, read.stream, read.operation.pc))
        readers.insert(*part);
    if (readers.empty() || round == kRounds) return out;
    image = without(image, updates_of(sizes, image), readers);
  }
}

bool has_races(const defs::Sizes& sizes, const cmodel::Program& program) {
  Ignore sink;
  cmodel::Board board(sizes, program, sink, {.detect_races = true});
  board.load();
  board.run();
  return !board.races().empty();
}

}  // namespace tb
