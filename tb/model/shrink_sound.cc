// SPDX-License-Identifier: Apache-2.0
#include "tb/model/shrink_sound.h"

#include <xxhash.h>

#include <algorithm>
#include <random>
#include <tuple>

#include "cmodel/board.h"

namespace tb {
namespace {

using cmodel::Commit;
using Kind = Part::Kind;
constexpr auto kDma0 = static_cast<unsigned>(defs::Engine::Dma0);
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
  using Engine = std::tuple<unsigned, unsigned, unsigned>;
  std::map<Engine, std::uint32_t> streams, rings;
  for (std::size_t i = 0; i < image.program.streams.size(); ++i) {
    const auto& s = image.program.streams[i];
    if (!image.code[i].empty()) streams[{s.chip, s.core, s.engine}] = static_cast<unsigned>(i);
  }
  for (std::size_t i = 0; i < image.program.rings.size(); ++i) {
    const auto& r = image.program.rings[i];
    rings[{r.chip, r.core, r.engine}] = static_cast<unsigned>(i);
  }
  // Notifies of a receiver's stream come in the order of the sending engine's descriptors.
  std::map<cmodel::StreamId, std::uint32_t> next;
  for (const Commit& c : listener.semaphores) {
    Part part{Kind::Instruction, 0, c.pc};
    const auto& id = c.stream;
    if (id.engine == kRx) {
      const unsigned core = id.lane >> 4 & 1, engine = id.lane & 15, vn = id.lane >> 5;
      const auto ring = rings.find({id.src, core, engine});
      if (ring == rings.end()) continue;
      const auto& moves = image.moves[ring->second];
      std::uint32_t& at = next[id];
      while (at < moves.size() &&
             !(moves[at].notify && moves[at].dst_chip == id.chip && moves[at].vn == vn))
        ++at;
      part = {Kind::Descriptor, ring->second, at++};
    } else if (id.engine >= kDma0) {
      const auto ring = rings.find({id.chip, id.core, id.engine - kDma0});
      if (ring == rings.end()) continue;
      part = {Kind::Descriptor, ring->second, c.pc};
    } else {
      part.list = streams[{id.chip, id.core, id.engine}];
    }
    updates[{id.chip, static_cast<unsigned>(c.addr)}].push_back({part, c.delta});
  }
  return updates;
}

namespace {

/// Numbers of streams and rings of an image, by {chip, core, engine}.
struct Places {
  using Engine = std::tuple<unsigned, unsigned, unsigned>;
  std::map<Engine, std::uint32_t> streams, rings;
  explicit Places(const Image& image) {
    for (std::uint32_t i = 0; i < image.program.streams.size(); ++i) {
      const auto& s = image.program.streams[i];
      if (!image.code[i].empty()) streams[{s.chip, s.core, s.engine}] = i;
    }
    for (std::uint32_t i = 0; i < image.program.rings.size(); ++i) {
      const auto& r = image.program.rings[i];
      rings[{r.chip, r.core, r.engine}] = i;
    }
  }
};

/// Who made a commit: for a received message the descriptor that sent it.
std::optional<Part> maker(const Image& image, const Places& places, const cmodel::StreamId& id,
                          std::uint32_t pc) {
  const auto ring = [&](unsigned chip, unsigned core, unsigned engine) {
    const auto found = places.rings.find({chip, core, engine});
    return found == places.rings.end() ? std::optional<std::uint32_t>() : found->second;
  };
  if (id.engine == kRx) {
    const auto r = ring(id.src, id.lane >> 4 & 1, id.lane & 15);
    if (!r) return {};
    std::uint64_t messages = 0;
    for (std::uint32_t at = 0; at < image.moves[*r].size(); ++at) {
      const auto& d = image.moves[*r][at];
      if (d.dst_chip != id.chip || d.vn != id.lane >> 5) continue;
      messages +=
          std::uint64_t{d.rows} * ((d.row_bytes + defs::kPacketBytes - 1) / defs::kPacketBytes);
      if (messages >= pc) return Part{Kind::Descriptor, *r, at};
    }
    return {};
  }
  if (id.engine >= kDma0) {
    const auto r = ring(id.chip, id.core, id.engine - kDma0);
    return r && pc < image.moves[*r].size() ? std::optional(Part{Kind::Descriptor, *r, pc})
                                            : std::nullopt;
  }
  const auto found = places.streams.find({id.chip, id.core, id.engine});
  if (found == places.streams.end()) return {};
  const auto& code = image.code[found->second];
  if (pc >= code.size() || is(code[pc], defs::Opcode::End)) return {};
  return Part{Kind::Instruction, found->second, pc};
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
      filled.load();
      fill(sizes, *program, ones, filled);
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
