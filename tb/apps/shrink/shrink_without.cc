// SPDX-License-Identifier: Apache-2.0
// A program without some of its parts, and with fewer chips.
#include <algorithm>
#include <utility>

#include "cmodel/machine/sequencer.h"
#include "tb/apps/shrink/shrink_program.h"

namespace tb {
namespace {

using Kind = Part::Kind;

/// With an instruction that rings go the descriptors that it rings for.
std::set<Part> with_descriptors(const Image& image, std::set<Part> parts) {
  for (std::size_t s = 0; s < image.code.size(); ++s) {
    std::map<unsigned, std::uint32_t> rung;
    for (std::size_t i = 0; i < image.code[s].size(); ++i) {
      const auto [engine, count] = cmodel::doorbell(image.code[s][i]);
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
      if (const auto [engine, count] = cmodel::doorbell(instr); count) {
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
          instr.imm = defs::Doorbell{engine, static_cast<std::uint16_t>(left)}.words()[0];
          if (left == 0) instr = cmodel::wait_and_update(instr);
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
    if (code.size() == 1 && cmodel::Sequencer::ends(code[0]) && !code[0].update &&
        !code[0].wait_op) {
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
  const auto each_start = [](auto& code, auto&& act) {
    for (auto& stream : code)
      for (auto& instr : stream)
        if (cmodel::starts_copy(instr)) act(instr);
  };
  each_start(image.code,
             [&](const defs::Instr& i) { used.insert(defs::dma_start_of(i).dst_chip); });
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
  each_start(out.code, [&](defs::Instr& i) {
    auto start = defs::dma_start_of(i);
    const auto before = start;
    start.dst_chip = static_cast<std::uint16_t>(to[start.dst_chip]);
    i = cmodel::with_overlay(i, before, start);
  });
  return out;
}

}  // namespace tb
