// SPDX-License-Identifier: Apache-2.0
#include "tb/apps/shrink/shrink_sound.h"

#include <xxhash.h>

#include <algorithm>
#include <random>

#include "cmodel/board/board.h"

namespace tb {
namespace {

using cmodel::Commit;
using Kind = Part::Kind;
constexpr auto kRx = static_cast<unsigned>(defs::Engine::Rx);

struct Ignore : cmodel::CommitSink {
  void commit(const Commit&, std::span<const std::uint8_t>) override {}
};

/// Semaphore commits in the order of the run; a hash of every commit but the host's, by list.
struct Listener : cmodel::CommitSink {
  struct Made {
    std::uint32_t pc;  ///< Rx: number of the message
    std::uint64_t hash;
    bool operator==(const Made&) const = default;
  };
  void commit(const Commit& c, std::span<const std::uint8_t> data) override {
    if (c.kind == cmodel::CommitKind::Semaphore) semaphores.push_back(c);
    if (c.stream.engine == static_cast<unsigned>(defs::Engine::Host)) return;
    std::uint32_t pc = c.pc;
    if (c.stream.engine == kRx)
      pc = c.kind == cmodel::CommitKind::Message ? ++messages[c.stream] : messages[c.stream];
    const std::uint64_t fields[] = {c.addr, c.first, c.count, static_cast<std::uint64_t>(c.delta)};
    lists[{c.stream, c.kind == cmodel::CommitKind::Semaphore}].push_back(
        {pc, XXH3_64bits_withSeed(data.data(), data.size(), XXH3_64bits(fields, sizeof(fields)))});
  }
  std::vector<Commit> semaphores;
  std::map<cmodel::StreamId, std::uint32_t> messages;
  std::map<std::pair<cmodel::StreamId, bool>, std::vector<Made>> lists;
};

/// SBUF and PSUM as no program left them: all ones (NaN in every format), or random.
void fill(const defs::Sizes& sizes, const cmodel::Program& program, bool ones,
          cmodel::Board& board) {
  std::minstd_rand random(1);
  std::set<std::pair<unsigned, unsigned>> cores;
  for (const auto& s : program.streams) cores.insert({s.chip, s.core});
  for (const auto& r : program.rings) cores.insert({r.chip, r.core});
  const auto each = [&](cmodel::Cell& cell, std::uint64_t bytes) {
    for (cell.addr = 0; cell.addr < bytes; ++cell.addr)
      board.corrupt(cell, ones ? 255 : static_cast<std::uint8_t>(random() >> 8 | 1));
  };
  for (const auto& [chip, core] : cores)
    for (unsigned p = 0; p < sizes.partitions; ++p) {
      cmodel::Cell cell;
      cell.chip = static_cast<std::uint8_t>(chip);
      cell.core = static_cast<std::uint8_t>(core);
      cell.partition = static_cast<std::uint16_t>(p);
      cell.memory = cmodel::Cell::Memory::Sbuf;
      each(cell, sizes.sbuf_bytes);
      cell.memory = cmodel::Cell::Memory::Psum;
      each(cell, sizes.psum_banks * sizes.psum_cols * 4);
    }
}

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

namespace {

/// Who made a commit: for a received message the descriptor that sent it.
std::optional<Part> maker(const Image& image, const Places& places, const cmodel::StreamId& id,
                          std::uint32_t pc) {
  if (id.engine == kRx) {
    std::uint64_t messages = 0;
    for (const auto& [part, d] : moves_of(image, id.src, id.lane >> 4 & 1, id.lane & 15)) {
      if (d.dst_chip != id.chip || d.vn != id.lane >> 5) continue;
      messages +=
          std::uint64_t{d.rows} * ((d.row_bytes + defs::kPacketBytes - 1) / defs::kPacketBytes);
      if (messages >= pc) return part;
    }
    return {};
  }
  return places.part_of(image, id, pc);
}

}  // namespace

Soundness make_sound(const defs::Sizes& sizes, Image& image) {
  constexpr unsigned kRounds = 12;
  for (unsigned round = 0;; ++round) {
    Soundness out;
    const auto program = program_of(sizes, image);
    if (!program || program->streams.empty()) return out;
    Listener plain;
    cmodel::Board board(sizes, *program, plain);
    board.load();
    out.finished = board.run();
    out.errors = !board.errors().empty();
    std::set<Part> tainted;
    const Places places(image);
    out.defined = true;
    for (const bool ones : {true, false}) {
      if (!out.defined) break;
      Listener other;
      cmodel::Board filled(sizes, *program, other);
      fill(sizes, *program, ones, filled);
      filled.load();  // what the host loads into SBUF is defined
      filled.run();
      out.defined = plain.lists.size() == other.lists.size();
      for (const auto& [key, list] : plain.lists) {
        const auto& changed = other.lists[key];
        out.defined &= list == changed;
        for (std::size_t i = 0; i < std::min(list.size(), changed.size()); ++i)
          if (list[i] != changed[i])
            if (const auto part = maker(image, places, key.first, list[i].pc))
              tainted.insert(*part);
      }
    }
    if (out.defined || tainted.empty() || round == kRounds) return out;
    image = without(image, updates_of(sizes, image), tainted);
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
