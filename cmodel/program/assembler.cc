// SPDX-License-Identifier: Apache-2.0
#include "cmodel/program/assembler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "cmodel/machine/address_map.h"

namespace cmodel {

namespace {

template <class Packed>
void append(std::vector<std::uint8_t>& bytes, const Packed& packed) {
  const auto words = packed.words();
  const auto* first = reinterpret_cast<const std::uint8_t*>(words.data());
  bytes.insert(bytes.end(), first, first + sizeof(words));
}

constexpr std::uint64_t kStackBase[] = {defs::kAddrHbm0Base, defs::kAddrHbm1Base};
constexpr std::uint64_t kStackSize[] = {defs::kAddrHbm0Size, defs::kAddrHbm1Size};

}  // namespace

Assembler::Assembler(const defs::Sizes& sizes, unsigned chips) : sizes_(sizes), chips_(chips) {
  if (chips < 1 || chips > defs::kBoardChips)
    throw AssemblerError(fmt::format("{} chips, allowed 1..{}", chips, defs::kBoardChips));
  state_.resize(chips);
}

Assembler::~Assembler() = default;

void Assembler::label(const std::string& text) {
  if (labels_.back() != text) labels_.push_back(text);
}

SourceNotes::Line Assembler::note(const Where& at) const {
  return {at.file_name(), at.line(), static_cast<std::uint32_t>(labels_.size() - 1)};
}

Core& Assembler::core(unsigned chip, unsigned core) {
  if (chip >= chips_ || core >= defs::kCores)
    throw AssemblerError(fmt::format("chip {} core {}, allowed chips 0..{}, cores 0..{}", chip,
                                     core, chips_ - 1, defs::kCores - 1));
  auto& slot = state_[chip].cores[core];
  if (!slot) slot = std::make_unique<Core>(*this, chip, core);
  return *slot;
}

std::uint64_t Assembler::allocate(unsigned chip, unsigned stack, std::uint64_t bytes) {
  if (chip >= chips_ || stack >= defs::kHbmPorts)
    throw AssemblerError(fmt::format("HBM of chip {} stack {}, allowed chips 0..{}, stacks 0..{}",
                                     chip, stack, chips_ - 1, defs::kHbmPorts - 1));
  auto& next = state_[chip].next[stack];
  const std::uint64_t align = std::max(sizes_.line_bytes, 64u);
  if (hole_) next += round_up(std::min(hole_(chip, stack), kStackSize[stack]), align);
  if (!is_part(next, bytes, kStackSize[stack]))
    throw AssemblerError(fmt::format("chip {} HBM {}: {} bytes, allowed {}", chip, stack, bytes,
                                     kStackSize[stack] - std::min(next, kStackSize[stack])));
  const std::uint64_t addr = kStackBase[stack] + next;
  next += round_up(bytes, align);
  return addr;
}

Block Assembler::hbm(unsigned chip, unsigned stack, const std::string& name, unsigned row_bytes,
                     unsigned rows) {
  if (row_bytes == 0 || rows == 0)
    throw AssemblerError(
        fmt::format("{}: {} rows of {} bytes, allowed 1 or more", name, rows, row_bytes));
  Block block;
  block.chip = chip;
  block.row_bytes = row_bytes;
  block.rows = rows;
  block.stride = static_cast<std::int64_t>(round_up(row_bytes, 4));
  block.addr = allocate(chip, stack, static_cast<std::uint64_t>(block.stride) * rows);
  if (!state_[chip].names.emplace(name, block).second)
    throw AssemblerError(
        fmt::format("chip {}: second block named \"{}\", names are unique", chip, name));
  return block;
}

Block Assembler::data(unsigned chip, unsigned stack, const std::string& name, unsigned row_bytes,
                      unsigned rows, std::span<const std::uint8_t> bytes) {
  const Block block = hbm(chip, stack, name, row_bytes, rows);
  if (bytes.size() != std::size_t{row_bytes} * rows)
    throw AssemblerError(fmt::format("chip {} {}: {} bytes of data, allowed {}", chip, name,
                                     bytes.size(), std::size_t{row_bytes} * rows));
  fill(block, bytes);
  return block;
}

void Assembler::fill(const Block& block, std::span<const std::uint8_t> bytes) {
  if (bytes.size() != std::size_t{block.row_bytes} * block.rows || block.chip >= chips_ ||
      block.stride < block.row_bytes || block.addr % 64 || block.addr >= defs::kAddrCore0Base)
    throw AssemblerError(fmt::format(
        "{} bytes for {} rows of {} bytes, {} apart, at chip {} 0x{:x}; allowed as "
        "many, in HBM at multiples of 64",
        bytes.size(), block.rows, block.row_bytes, block.stride, block.chip, block.addr));
  Segment segment{block.chip, block.addr, {}};
  segment.bytes.resize(round_up(static_cast<std::uint64_t>(block.stride) * block.rows, 64));
  for (unsigned row = 0; row < block.rows; ++row)
    std::memcpy(segment.bytes.data() + row * block.stride,
                bytes.data() + std::size_t{row} * block.row_bytes, block.row_bytes);
  segments_.push_back(std::move(segment));
}

const Block& Assembler::find(unsigned chip, const std::string& name) const {
  if (chip < chips_) {
    const auto found = state_[chip].names.find(name);
    if (found != state_[chip].names.end()) return found->second;
  }
  throw AssemblerError(fmt::format("chip {}: no block named \"{}\"", chip, name));
}

Block Assembler::block(const Tile& tile) const {
  if (tile.space != defs::Space::Sbuf || tile.elements() != tile.size[3] ||
      (tile.size[3] > 1 && tile.stride[3] != 1))
    throw AssemblerError(
        "copy of a tile that is not contiguous SBUF; allowed: one dimension, stride 1");
  const std::uint64_t bytes = std::uint64_t{tile.size[3]} * tile.element_bytes();
  if (!is_part(tile.partition, tile.partitions, sizes_.partitions) ||
      !is_part(tile.offset, bytes, sizes_.sbuf_bytes))
    throw AssemblerError(fmt::format(
        "copy of a tile of {} partitions from {}, {} bytes from {}, allowed 0..{}, 0..{}",
        tile.partitions, tile.partition, bytes, tile.offset, sizes_.partitions - 1,
        sizes_.sbuf_bytes - 1));
  Block block;
  block.chip = tile.chip;
  block.addr = sbuf_addr(tile.core, tile.partition, tile.offset);
  block.row_bytes = static_cast<std::uint32_t>(bytes);
  block.rows = tile.partitions;
  block.stride = defs::kSbufStride;
  return block;
}

void Assembler::region(const std::string& name, const Block& block,
                       std::optional<defs::Dtype> dtype) {
  constexpr std::uint64_t kMost = UINT32_MAX / 64 * 64;  // what a region's size can say
  const auto stride = static_cast<std::uint64_t>(block.stride);
  if (block.rows == 0 || block.row_bytes > kMost || block.stride < 0 ||
      (block.rows > 1 && stride > (kMost - block.row_bytes) / (block.rows - 1)))
    throw AssemblerError(fmt::format("region {}: {} rows of {} bytes, {} apart, allowed {} in all",
                                     name, block.rows, block.row_bytes, block.stride, kMost));
  const std::uint64_t bytes = round_up(stride * (block.rows - 1) + block.row_bytes, 64);
  if (name.empty() || name.size() > 64)
    throw AssemblerError(fmt::format("region name of {} characters, allowed 1..64", name.size()));
  for (const Region& other : regions_)
    if (other.name == name)
      throw AssemblerError(fmt::format("second region named \"{}\", names are unique", name));
  if (block.chip >= chips_ || block.addr % 64 || block.addr >= defs::kAddrCore0Base)
    throw AssemblerError(fmt::format("region {}: chip {} at 0x{:x}, allowed HBM at multiples of 64",
                                     name, block.chip, block.addr));
  regions_.push_back({name, block.chip, block.addr, static_cast<std::uint32_t>(bytes)});
  if (!dtype) return;
  const unsigned element = element_bytes(*dtype);
  if (block.row_bytes % element)
    throw AssemblerError(fmt::format("region {}: rows of {} bytes, allowed multiples of {}", name,
                                     block.row_bytes, element));
  regions_.back().array = {*dtype, block.rows, block.row_bytes / element, stride};
}

void Assembler::request(Request request, const Block& block) {
  const std::uint64_t room = std::uint64_t{block.rows} * block.row_bytes;
  if (block.chip != request.chip || request.bytes.empty() || request.bytes.size() > room ||
      (block.rows > 1 && block.stride != block.row_bytes))
    throw AssemblerError(
        fmt::format("request {}: {} bytes for chip {}, allowed 1..{} in contiguous rows of chip {}",
                    requests_.size(), request.bytes.size(), request.chip, room, block.chip));
  request.addr = block.addr;
  requests_.push_back(std::move(request));
}

Program Assembler::assemble() {
  if (assembled_) throw AssemblerError("assemble called twice, allowed once");
  assembled_ = true;
  for (const auto& check : checks_) check();
  takers_.check();
  Program program;
  program.config = sizes_.name;
  program.chips = chips_;
  program.segments = std::move(segments_);
  program.regions = std::move(regions_);
  program.requests = std::move(requests_);
  program.labels = labels_;
  program.semaphores = semaphores_;
  for (const ChipState& chip : state_)
    for (const auto& core : chip.cores) {
      if (!core) continue;
      place_rings(*core, program);
      place_streams(*core, program);
    }
  return program;
}

template <class Packed>
std::uint64_t Assembler::place(const Core& core, const std::vector<Packed>& words,
                               Program& program) {
  std::vector<std::uint8_t> bytes;
  for (const Packed& word : words) append(bytes, word);
  const unsigned stack = stream_stack_ ? stream_stack_(core.chip(), core.index()) : core.index();
  const std::uint64_t base = allocate(core.chip(), stack, bytes.size());
  program.segments.push_back({core.chip(), base, std::move(bytes)});
  return base;
}

void Assembler::place_rings(Core& core, Program& program) {
  for (auto& dma : core.dma_) {
    const auto fail = [&](const std::string& what) {
      throw AssemblerError(
          fmt::format("chip {} core {} DMA {}: {}", core.chip(), core.index(), dma->index(), what));
    };
    const auto triggered = core.sync_.triggered_[dma->index()];
    if (!triggered.fits(dma->size()))
      fail(fmt::format("{} descriptors triggered, allowed: all {}",
                       triggered.known ? triggered.often : triggered.once, dma->size()));
    if (dma->size() == 0) continue;
    if (dma->size() > 65535) fail(fmt::format("{} descriptors, allowed 1..65535", dma->size()));
    program.rings.push_back({core.chip(), core.index(), dma->index(),
                             place(core, dma->descriptors_, program),
                             static_cast<std::uint32_t>(dma->size())});
    program.notes.push_back({core.chip(), core.index(),
                             static_cast<unsigned>(defs::Engine::Dma0) + dma->index(),
                             std::move(dma->lines_)});
  }
}

void Assembler::place_streams(Core& core, Program& program) {
  for (ControlStream* stream : std::initializer_list<ControlStream*>{&core.tensor_, &core.vector_,
                                                                     &core.act_, &core.sync_}) {
    if (stream->instructions_.empty() && !stream->wait_) continue;
    stream->check_labels();
    stream->check_no_size();
    stream->emit(defs::encode_end());
    if (stream->size() > 1u << 24)
      throw AssemblerError(fmt::format("{}: allowed {} instructions", stream->where(), 1u << 24));
    program.streams.push_back({core.chip(), core.index(), stream->engine_,
                               place(core, stream->instructions_, program),
                               static_cast<std::uint32_t>(stream->size())});
    program.notes.push_back(
        {core.chip(), core.index(), stream->engine_, std::move(stream->lines_)});
  }
}

}  // namespace cmodel
