// SPDX-License-Identifier: Apache-2.0
#include "tb/apps/shrink/shrink_program.h"

#include <algorithm>
#include <tuple>

#include "cmodel/board/board.h"
#include "cmodel/machine/address_map.h"
#include "cmodel/machine/sequencer.h"

namespace tb {
namespace {

using Kind = Part::Kind;
constexpr std::uint64_t kPiece = 64;

struct Ignore : cmodel::CommitSink {
  void commit(const cmodel::Commit&, std::span<const std::uint8_t>) override {}
};

}  // namespace

std::size_t Image::instructions() const {
  std::size_t sum = 0;
  for (const auto& stream : code) sum += stream.size();
  return sum;
}
std::size_t Image::descriptors() const {
  std::size_t sum = 0;
  for (const auto& ring : moves) sum += ring.size();
  return sum;
}

Image image_of(const defs::Sizes& sizes, const cmodel::Program& program) {
  Ignore sink;
  cmodel::Board board(sizes, program, sink);
  board.load();
  Image image;
  image.program = program;
  image.program.segments.clear();
  std::map<std::tuple<unsigned, unsigned, unsigned>, unsigned> rung;
  std::set<std::pair<unsigned, std::uint64_t>> code;  // lines that are no data
  for (const auto& s : program.streams) {
    auto& list = image.code.emplace_back();
    for (std::uint32_t pc = 0; pc < s.count; ++pc) {
      const std::uint64_t addr = s.base + pc * std::uint64_t{defs::kInstrBytes};
      code.insert({s.chip, addr});
      list.push_back(board.unpack_at<defs::Instr>(s.chip, addr));
      const auto [engine, count] = cmodel::doorbell(list.back());
      if (s.engine == static_cast<unsigned>(defs::Engine::Sync))
        rung[{s.chip, s.core, engine}] += count;
    }
  }
  for (const auto& r : program.rings) {
    auto& list = image.moves.emplace_back();
    const auto found = rung.find({r.chip, r.core, r.engine});
    const unsigned total = found == rung.end() ? 0 : found->second;
    for (std::uint32_t i = 0; i < r.count; ++i)
      code.insert({r.chip, r.base + i * std::uint64_t{defs::kInstrBytes}});
    for (unsigned i = 0; i < total && r.count; ++i)
      list.push_back(board.unpack_at<defs::Descriptor>(
          r.chip, r.base + i % r.count * std::uint64_t{defs::kInstrBytes}));
  }
  for (const auto& segment : program.segments)
    for (std::uint64_t at = 0; at < segment.bytes.size(); at += kPiece) {
      if (code.contains({segment.chip, segment.addr + at})) continue;
      const auto first = segment.bytes.begin() + static_cast<std::ptrdiff_t>(at);
      const auto size = std::min<std::uint64_t>(kPiece, segment.bytes.size() - at);
      image.pieces.push_back(
          {segment.chip, segment.addr + at, {first, first + static_cast<std::ptrdiff_t>(size)}});
    }
  std::uint32_t next = 0;
  const auto name = [&](std::vector<std::uint32_t>& ids, std::size_t count) {
    while (ids.size() < count) ids.push_back(next++);
  };
  for (const auto& list : image.code) name(image.code_ids.emplace_back(), list.size());
  for (const auto& list : image.moves) name(image.move_ids.emplace_back(), list.size());
  name(image.piece_ids, image.pieces.size());
  name(image.region_ids, image.program.regions.size());
  return image;
}

std::optional<cmodel::Program> program_of(const defs::Sizes& sizes, const Image& image) {
  cmodel::Program out = image.program;
  std::vector<cmodel::Segment> segments = image.pieces;
  const auto add = [&](unsigned chip, std::uint64_t base, const auto& items) {
    std::vector<std::uint8_t> bytes;
    for (const auto& item : items) {
      const auto words = item.words();
      const auto* first = reinterpret_cast<const std::uint8_t*>(words.data());
      bytes.insert(bytes.end(), first, first + defs::kInstrBytes);
    }
    bytes.resize((bytes.size() + sizes.line_bytes - 1) / sizes.line_bytes * sizes.line_bytes);
    segments.push_back({chip, base, std::move(bytes)});
  };
  out.streams.clear();
  out.rings.clear();
  for (std::size_t i = 0; i < image.code.size(); ++i) {
    if (image.code[i].empty()) continue;
    out.streams.push_back(image.program.streams[i]);
    out.streams.back().count = static_cast<std::uint32_t>(image.code[i].size());
    add(out.streams.back().chip, out.streams.back().base, image.code[i]);
  }
  for (std::size_t i = 0; i < image.moves.size(); ++i) {
    auto ring = image.program.rings[i];
    const auto size = static_cast<std::uint32_t>(image.moves[i].size());
    if (size == 0) continue;
    if (size > ring.count) {
      // It goes round: only as it was, every round the same.
      const std::vector<defs::Descriptor> once(image.moves[i].begin(),
                                               image.moves[i].begin() + ring.count);
      for (std::size_t at = ring.count; at < size; ++at)
        if (image.moves[i][at].words() != once[at % ring.count].words()) return {};
      add(ring.chip, ring.base, once);
    } else {
      ring.count = size;
      add(ring.chip, ring.base, image.moves[i]);
    }
    out.rings.push_back(ring);
  }
  std::sort(segments.begin(), segments.end(), [](const auto& a, const auto& b) {
    return std::pair{a.chip, a.addr} < std::pair{b.chip, b.addr};
  });
  out.segments.clear();
  for (auto& segment : segments) {
    auto* last = out.segments.empty() ? nullptr : &out.segments.back();
    if (last && last->chip == segment.chip && last->addr + last->bytes.size() == segment.addr)
      last->bytes.insert(last->bytes.end(), segment.bytes.begin(), segment.bytes.end());
    else
      out.segments.push_back(std::move(segment));
  }
  return out;
}

Places::Places(const Image& image) {
  for (std::uint32_t i = 0; i < image.program.streams.size(); ++i) {
    const auto& s = image.program.streams[i];
    if (!image.code[i].empty()) streams[{s.chip, s.core, s.engine}] = i;
  }
  for (std::uint32_t i = 0; i < image.program.rings.size(); ++i) {
    const auto& r = image.program.rings[i];
    rings[{r.chip, r.core, r.engine}] = i;
  }
}

std::optional<Part> Places::part_of(const Image& image, const cmodel::StreamId& id,
                                    std::uint32_t at) const {
  constexpr auto kDma0 = static_cast<unsigned>(defs::Engine::Dma0);
  const auto [engine, pc] = cmodel::place_of(id.engine, at);
  const bool dma = engine >= kDma0;
  const auto& numbers = dma ? rings : streams;
  const auto found = numbers.find({id.chip, id.core, dma ? engine - kDma0 : engine});
  if (found == numbers.end()) return {};
  const std::uint32_t list = found->second;
  if (dma)
    return pc < image.moves[list].size() ? std::optional(Part{Kind::Descriptor, list, pc})
                                         : std::nullopt;
  if (pc >= image.code[list].size() || cmodel::Sequencer::ends(image.code[list][pc])) return {};
  return Part{Kind::Instruction, list, pc};
}

std::vector<Move> moves_of(const Image& image, unsigned chip, unsigned core, unsigned engine) {
  std::vector<Move> out;
  const Places places(image);
  const auto sync = places.streams.find({chip, core, static_cast<unsigned>(defs::Engine::Sync)});
  const auto ring = places.rings.find({chip, core, engine});
  if (sync == places.streams.end()) return out;
  const auto& code = image.code[sync->second];
  std::uint32_t next = 0;
  for (std::uint32_t at = 0; at < code.size(); ++at) {
    const auto [to, count] = cmodel::work_of(code[at]);
    if (!count || to != engine) continue;
    if (cmodel::starts_copy(code[at])) {
      out.push_back({{Kind::Instruction, sync->second, at}, cmodel::started_copy(code[at])});
      continue;
    }
    if (ring == places.rings.end()) continue;
    const auto& moves = image.moves[ring->second];
    for (unsigned n = 0; n < count && next < moves.size(); ++n, ++next)
      out.push_back({{Kind::Descriptor, ring->second, next}, moves[next]});
  }
  return out;
}

std::uint32_t id_of(const Image& image, const Part& part) {
  switch (part.kind) {
    case Kind::Instruction:
      return image.code_ids[part.list][part.index];
    case Kind::Descriptor:
      return image.move_ids[part.list][part.index];
    case Kind::Piece:
      return image.piece_ids[part.index];
    case Kind::Region:
      return image.region_ids[part.index];
  }
  return 0;
}

bool loads_sbuf(const Image& image, const Part& descriptor) {
  const auto& d = image.moves[descriptor.list][descriptor.index];
  const auto target = [](std::uint64_t addr) { return cmodel::decode(defs::kMini, addr).target; };
  return d.dst_chip == image.program.rings[descriptor.list].chip && cmodel::is_hbm(target(d.src)) &&
         cmodel::is_sbuf(target(d.dst));
}

std::vector<Part> parts_of(const Image& image) {
  std::vector<Part> parts;
  const auto add = [&](Kind kind, std::size_t list, std::size_t index) {
    parts.push_back({kind, static_cast<std::uint32_t>(list), static_cast<std::uint32_t>(index)});
  };
  for (std::size_t s = 0; s < image.code.size(); ++s) {
    bool ended = false;  // behind it nothing is executed
    for (std::size_t i = 0; i < image.code[s].size(); ++i)
      if (std::exchange(ended, ended || cmodel::Sequencer::ends(image.code[s][i])) || !ended)
        add(Kind::Instruction, s, i);
  }
  for (std::size_t r = 0; r < image.moves.size(); ++r)
    for (std::size_t i = 0; i < image.moves[r].size(); ++i) add(Kind::Descriptor, r, i);
  for (std::size_t i = 0; i < image.pieces.size(); ++i) add(Kind::Piece, 0, i);
  for (std::size_t i = 0; i < image.program.regions.size(); ++i) add(Kind::Region, 0, i);
  return parts;
}

}  // namespace tb
