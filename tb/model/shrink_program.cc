// SPDX-License-Identifier: Apache-2.0
#include "tb/model/shrink_program.h"

#include <algorithm>
#include <tuple>

#include "cmodel/board.h"

namespace tb {
namespace {

using Kind = Part::Kind;
constexpr std::uint64_t kPiece = 64;

struct Ignore : cmodel::CommitSink {
  void commit(const cmodel::Commit&, std::span<const std::uint8_t>) override {}
};

template <class Item>
Item fetch(const cmodel::Board& board, unsigned chip, std::uint64_t addr) {
  typename Item::Words words{};
  board.read(chip, addr, {reinterpret_cast<std::uint8_t*>(words.data()), defs::kInstrBytes});
  return Item::from(words);
}

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
      list.push_back(fetch<defs::Instr>(board, s.chip, addr));
      const auto [engine, count] = doorbell(list.back());
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
      list.push_back(fetch<defs::Descriptor>(
          board, r.chip, r.base + i % r.count * std::uint64_t{defs::kInstrBytes}));
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

std::vector<Part> parts_of(const Image& image) {
  std::vector<Part> parts;
  const auto add = [&](Kind kind, std::size_t list, std::size_t index) {
    parts.push_back({kind, static_cast<std::uint32_t>(list), static_cast<std::uint32_t>(index)});
  };
  for (std::size_t s = 0; s < image.code.size(); ++s)
    for (std::size_t i = 0; i < image.code[s].size(); ++i)
      if (!is(image.code[s][i], defs::Opcode::End)) add(Kind::Instruction, s, i);
  for (std::size_t r = 0; r < image.moves.size(); ++r)
    for (std::size_t i = 0; i < image.moves[r].size(); ++i) add(Kind::Descriptor, r, i);
  for (std::size_t i = 0; i < image.pieces.size(); ++i) add(Kind::Piece, 0, i);
  for (std::size_t i = 0; i < image.program.regions.size(); ++i) add(Kind::Region, 0, i);
  return parts;
}

namespace {

/// With an instruction that rings go the descriptors that it rings for.
std::set<Part> with_descriptors(const Image& image, std::set<Part> parts) {
  for (std::size_t s = 0; s < image.code.size(); ++s) {
    std::map<unsigned, std::uint32_t> rung;
    for (std::size_t i = 0; i < image.code[s].size(); ++i) {
      const auto [engine, count] = doorbell(image.code[s][i]);
      if (!count) continue;
      const std::uint32_t first = std::exchange(rung[engine], rung[engine] + count);
      if (!parts.contains(
              {Kind::Instruction, static_cast<std::uint32_t>(s), static_cast<std::uint32_t>(i)}))
        continue;
      const auto& stream = image.program.streams[s];
      for (std::size_t r = 0; r < image.program.rings.size(); ++r) {
        const auto& ring = image.program.rings[r];
        if (ring.chip == stream.chip && ring.core == stream.core && ring.engine == engine)
          for (unsigned at = first; at < first + count; ++at)
            parts.insert({Kind::Descriptor, static_cast<std::uint32_t>(r), at});
      }
    }
  }
  return parts;
}

}  // namespace

Image without(const Image& image, const Updates& updates, const std::set<Part>& asked) {
  const std::set<Part> parts = with_descriptors(image, asked);
  const auto gone = [&](Kind kind, std::size_t list, std::size_t index) {
    return parts.contains(
        {kind, static_cast<std::uint32_t>(list), static_cast<std::uint32_t>(index)});
  };
  Image out;
  out.program = image.program;
  out.program.regions.clear();
  out.moves.resize(image.moves.size());
  out.move_ids.resize(image.moves.size());
  for (std::size_t r = 0; r < image.moves.size(); ++r)
    for (std::size_t i = 0; i < image.moves[r].size(); ++i)
      if (!gone(Kind::Descriptor, r, i)) {
        out.moves[r].push_back(image.moves[r][i]);
        out.move_ids[r].push_back(image.move_ids[r][i]);
      }
  for (std::size_t i = 0; i < image.pieces.size(); ++i)
    if (!gone(Kind::Piece, 0, i)) {
      out.pieces.push_back(image.pieces[i]);
      out.piece_ids.push_back(image.piece_ids[i]);
    }
  for (std::size_t i = 0; i < image.program.regions.size(); ++i)
    if (!gone(Kind::Region, 0, i)) {
      out.program.regions.push_back(image.program.regions[i]);
      out.region_ids.push_back(image.region_ids[i]);
    }

  for (std::size_t s = 0; s < image.code.size(); ++s) {
    const auto& stream = image.program.streams[s];
    auto& code = out.code.emplace_back();
    auto& ids = out.code_ids.emplace_back();
    std::map<unsigned, std::uint32_t> rung;  // descriptors so far, by DMA engine
    for (std::size_t i = 0; i < image.code[s].size(); ++i) {
      defs::Instr instr = image.code[s][i];
      if (const auto [engine, count] = doorbell(instr); count) {
        const auto ring = std::find_if(
            image.program.rings.begin(), image.program.rings.end(), [&, e = engine](const auto& r) {
              return r.chip == stream.chip && r.core == stream.core && r.engine == e;
            });
        if (ring != image.program.rings.end()) {
          const auto r = static_cast<std::size_t>(ring - image.program.rings.begin());
          unsigned left = 0;
          for (unsigned at = rung[engine]; at < rung[engine] + count; ++at)
            left += !gone(Kind::Descriptor, r, at);
          rung[engine] += count;
          instr.imm = engine << 16 | left;
          if (left == 0) {
            instr.imm = 0;
            instr.opcode = static_cast<std::uint8_t>(defs::Opcode::Nop);
          }
        }
      }
      if (gone(Kind::Instruction, s, i)) continue;
      const auto found = updates.find({stream.chip, instr.wait_sem});
      if (instr.wait_op && found != updates.end()) {
        int all = 0, left = 0;
        for (const Update& u : found->second) {
          if (all >= instr.wait_value) break;
          all += u.delta;
          if (!parts.contains(u.part)) left += u.delta;
        }
        instr.wait_value = static_cast<std::uint16_t>(std::clamp(left, 0, 65535));
        if (left <= 0) instr.wait_op = 0, instr.wait_sem = 0, instr.wait_value = 0;
      }
      if (instr.words() == defs::Instr{}.words()) continue;  // a NOP that nobody waits for
      code.push_back(instr);
      ids.push_back(image.code_ids[s][i]);
    }
    if (code.size() == 1 && is(code[0], defs::Opcode::End) && !code[0].update && !code[0].wait_op) {
      code.clear();
      ids.clear();
    }
  }
  return out;
}

Image renumbered(const Image& image) {
  std::set<unsigned> used;
  for (std::size_t i = 0; i < image.code.size(); ++i)
    if (!image.code[i].empty()) used.insert(image.program.streams[i].chip);
  for (std::size_t i = 0; i < image.moves.size(); ++i)
    for (const auto& d : image.moves[i]) used.insert(d.dst_chip);
  for (const auto& region : image.program.regions) used.insert(region.chip);
  if (used.empty() || *used.rbegin() >= image.program.chips) return image;  // on purpose
  std::map<unsigned, unsigned> to;
  for (const unsigned chip : used) to.insert({chip, static_cast<unsigned>(to.size())});
  Image out = image;
  out.program.chips = static_cast<std::uint32_t>(used.size());
  for (auto& s : out.program.streams) s.chip = to.contains(s.chip) ? to[s.chip] : 0;
  for (auto& r : out.program.rings) r.chip = to.contains(r.chip) ? to[r.chip] : 0;
  for (auto& r : out.program.regions) r.chip = to[r.chip];
  out.pieces.clear();
  out.piece_ids.clear();
  for (std::size_t i = 0; i < image.pieces.size(); ++i) {
    if (!to.contains(image.pieces[i].chip)) continue;
    out.pieces.push_back(image.pieces[i]);
    out.pieces.back().chip = to[out.pieces.back().chip];
    out.piece_ids.push_back(image.piece_ids[i]);
  }
  for (auto& ring : out.moves)
    for (auto& d : ring) d.dst_chip = static_cast<std::uint16_t>(to[d.dst_chip]);
  return out;
}

}  // namespace tb
