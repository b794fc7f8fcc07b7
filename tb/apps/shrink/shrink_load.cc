// SPDX-License-Identifier: Apache-2.0
#include "tb/apps/shrink/shrink_load.h"

#include <algorithm>

namespace tb {
namespace {

constexpr std::uint64_t kPiece = 64, kWord = 4;
/// HBM that no program uses: first data, then a ring, then instructions.
constexpr std::uint64_t kData = 0x3'0000'0000, kRing = 0x3'4000'0000, kCode = 0x3'4100'0000;
constexpr std::uint64_t kCodeBytes = 1 << 20;  ///< of a stream

/// The same bytes of consecutive partitions.
struct Tile {
  std::uint64_t addr, bytes;
  std::uint32_t rows = 1;
};

std::vector<Tile> tiles_of(const Bytes& bytes) {
  std::vector<Tile> runs, tiles;
  for (const auto& [addr, ignored] : bytes) {
    const std::uint64_t word = addr / kWord * kWord;
    if (!runs.empty() && word < runs.back().addr + runs.back().bytes) continue;
    if (!runs.empty() && word == runs.back().addr + runs.back().bytes)
      runs.back().bytes += kWord;
    else
      runs.push_back({word, kWord});
  }
  for (const Tile& run : runs) {
    const auto above = std::ranges::find_if(tiles, [&](const Tile& t) {
      return t.bytes == run.bytes && t.addr + t.rows * std::uint64_t{defs::kSbufStride} == run.addr;
    });
    if (above == tiles.end())
      tiles.push_back(run);
    else
      ++above->rows;
  }
  return tiles;
}

/// A semaphore that nobody names.
std::optional<std::uint16_t> free_semaphore(const Image& image) {
  std::set<unsigned> used;
  for (const auto& code : image.code)
    for (const auto& instr : code)
      used.insert({unsigned{instr.wait_sem}, unsigned{instr.update_sem}});
  for (const auto& ring : image.moves)
    for (const auto& d : ring) used.insert({unsigned{d.update_sem}, unsigned{d.notify_sem}});
  for (unsigned sem = defs::kCores * defs::kSemaphores; sem-- > 0;)
    if (!used.contains(sem)) return static_cast<std::uint16_t>(sem);
  return {};
}

/// The list of this engine, new if there is none.
template <class Lists, class Ids, class Row>
std::size_t list_of(std::vector<Row>& rows, Lists& lists, Ids& ids, const Row& row) {
  const auto found = std::ranges::find_if(rows, [&](const Row& r) {
    return r.chip == row.chip && r.core == row.core && r.engine == row.engine;
  });
  const auto at = static_cast<std::size_t>(found - rows.begin());
  if (found == rows.end()) {
    rows.push_back(row);
    lists.emplace_back();
    ids.emplace_back();
  }
  return at;
}

}  // namespace

void add_pieces(Image& image, unsigned chip, const Bytes& bytes, std::uint32_t& id) {
  std::uint64_t last = UINT64_MAX;
  for (const auto& [addr, value] : bytes) {
    if (value == 0) continue;  // as HBM is
    if (std::exchange(last, addr / kPiece) != addr / kPiece) {
      image.pieces.push_back({chip, addr / kPiece * kPiece, std::vector<std::uint8_t>(kPiece)});
      image.piece_ids.push_back(id++);
    }
    image.pieces.back().bytes[addr % kPiece] = value;
  }
}

void load_sbuf(Image& image, unsigned chip, const Bytes& bytes, std::uint32_t& id) {
  const auto sem = free_semaphore(image);
  if (!sem || bytes.empty()) return;
  const unsigned core = bytes.begin()->first >= defs::kAddrCore1Base ? 1 : 0;
  auto& program = image.program;

  // The ring: what is loaded comes before what was there.
  const std::size_t r =
      list_of(program.rings, image.moves, image.move_ids, {chip, core, 0, kRing, 0});
  std::vector<defs::Descriptor> moves;
  std::vector<std::uint32_t> names;
  std::uint64_t at = kData;
  Bytes data;
  for (const Tile& tile : tiles_of(bytes)) {
    defs::Descriptor d;
    d.dst_chip = static_cast<std::uint16_t>(chip);
    d.rows = static_cast<std::uint16_t>(tile.rows);
    d.row_bytes = static_cast<std::uint32_t>(tile.bytes);
    d.src = at;
    d.src_stride = static_cast<std::int64_t>(tile.bytes);
    d.dst = tile.addr;
    d.dst_stride = defs::kSbufStride;
    d.update = 1;
    d.update_sem = *sem;
    d.update_delta = 1;
    for (std::uint32_t row = 0; row < tile.rows; ++row)
      for (std::uint64_t byte = 0; byte < tile.bytes; ++byte, ++at)
        if (const auto found =
                bytes.find(tile.addr + row * std::uint64_t{defs::kSbufStride} + byte);
            found != bytes.end())
          data.insert({at, found->second});
    at = (at + kPiece - 1) / kPiece * kPiece;
    moves.push_back(d);
    names.push_back(id++);
  }
  add_pieces(image, chip, data, id);
  const auto count = static_cast<std::uint32_t>(moves.size());
  image.moves[r].insert(image.moves[r].begin(), moves.begin(), moves.end());
  image.move_ids[r].insert(image.move_ids[r].begin(), names.begin(), names.end());
  program.rings[r].base = kRing;
  program.rings[r].count = static_cast<std::uint32_t>(image.moves[r].size());

  // Who rings for it, and everybody's wait.
  defs::Instr trigger, wait, end;
  trigger.opcode = static_cast<std::uint8_t>(defs::Opcode::DmaTrigger);
  trigger.imm = count;
  end.opcode = static_cast<std::uint8_t>(defs::Opcode::End);
  wait.wait_op = static_cast<std::uint8_t>(defs::WaitOp::Ge);
  wait.wait_sem = *sem;
  wait.wait_value = static_cast<std::uint16_t>(count);
  const std::size_t sync =
      list_of(program.streams, image.code, image.code_ids,
              {chip, core, static_cast<std::uint32_t>(defs::Engine::Sync), kCode, 0});
  if (image.code[sync].empty()) {
    image.code[sync] = {end};
    image.code_ids[sync] = {id++};
  }
  for (std::size_t s = 0; s < image.code.size(); ++s) {
    auto& code = image.code[s];
    if (program.streams[s].chip != chip || code.empty()) continue;
    auto& ids = image.code_ids[s];
    if (code.size() > 1) code.insert(code.begin(), wait), ids.insert(ids.begin(), id++);
    if (s == sync) code.insert(code.begin(), trigger), ids.insert(ids.begin(), id++);
    program.streams[s].base = kCode + s * kCodeBytes;
    program.streams[s].count = static_cast<std::uint32_t>(code.size());
  }
}

}  // namespace tb
