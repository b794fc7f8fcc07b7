// SPDX-License-Identifier: Apache-2.0
#include "cmodel/board/provenance.h"

#include <fmt/format.h>

#include <algorithm>

#include "cmodel/analysis/trace.h"
#include "cmodel/machine/address_map.h"
#include "cmodel/machine/dma.h"
#include "cmodel/machine/instruction.h"

namespace cmodel {
namespace {

constexpr auto kTensor = static_cast<std::uint8_t>(defs::Engine::Tensor);
constexpr auto kDma0 = static_cast<std::uint8_t>(defs::Engine::Dma0);
constexpr auto kRx = static_cast<std::uint8_t>(defs::Engine::Rx);
constexpr unsigned kWordBytes = 4;
constexpr std::uint64_t kMostOperations = 1u << 22;  // of a program that has no end

void add_element(std::vector<Cell>& out, const OperationRef& operation,
                 const defs::Operand& operand, std::uint32_t addr, unsigned first, unsigned count) {
  const bool psum = operand.space == static_cast<std::uint8_t>(defs::Space::Psum);
  for (unsigned p = first; p < first + count; ++p)
    for (unsigned b = 0; b < element_bytes(operand.dtype); ++b)
      out.push_back({psum ? Cell::Memory::Psum : Cell::Memory::Sbuf, operation.stream.chip,
                     operation.stream.core, static_cast<std::uint16_t>(p), addr + b});
}

/// Byte offset of element number `index` of an operand.
std::uint32_t element_at(const defs::Operand& operand, const Trips& trips, std::uint64_t index) {
  PatternWalk walk(operand, trips);
  while (index-- && !walk.done()) walk.next();
  return walk.addr();
}

/// Bytes that decide `count` elements from number `first` on, of one lane of a lane engine.
void add_sources(std::vector<Cell>& out, const OperationRef& operation, const defs::Instr& instr,
                 unsigned lane, std::uint64_t first, std::uint64_t count) {
  const defs::InstrRow& row = *defs::row_of(instr.opcode);
  const auto scalars = scalars_of(instr);
  for (const defs::Scalar& scalar : {scalars.first, scalars.second})
    if (scalar.kind == static_cast<std::uint8_t>(defs::ScalarKind::Sbuf))
      add_element(out, operation, {}, scalar.value & 0xff'ffffu, (scalar.value >> 24) + lane, 1);
  for (const unsigned source : {0u, 1u}) {
    const defs::Operand& operand = *operands_of(instr)[source];
    if (!row.operands[source].used() ||
        operand.space == static_cast<std::uint8_t>(defs::Space::None))
      continue;
    const unsigned fixed = defs::fixed_elements(row.operands[source].walk);
    const bool crosses = row.by_quarters() && source == 0;  // lanes
    PatternWalk walk(operand, trips_of(instr, row.operands[source].walk));
    for (std::uint64_t n = fixed ? first : 0; n < first + (fixed ? fixed : count) && !walk.done();
         ++n, walk.next())
      if (n >= first)
        add_element(out, operation, operand, walk.addr(), operand.partition + (crosses ? 0 : lane),
                    crosses ? instr.partitions : 1);
  }
}

}  // namespace

Provenance::Provenance(const defs::Sizes& sizes, const Program& program)
    : sizes_(sizes),
      board_(sizes_, program, nobody_, {.track_liveness = true, .keep_trace = true}) {
  board_.load();
  board_.run(kMostOperations);
  const auto& records = board_.liveness().records();
  for (std::uint32_t i = 0; i < records.size(); ++i) {
    const auto& r = records[i];
    auto& operations = operations_[r.stream];
    const bool same = !operations.empty() &&
                      operations.back().first + operations.back().count == i &&
                      operations.back().serial == r.operation.serial &&
                      operations.back().begin == r.begin && r.stream.engine != kRx;
    if (same)
      ++operations.back().count;
    else
      operations.push_back({i, 1, r.stream, r.operation.pc, r.operation.serial, r.begin, r.end});
  }
}

std::optional<OperationRef> Provenance::operation_of(const StreamId& stream,
                                                     std::uint64_t ordinal) const {
  const auto found = operations_.find(stream);
  if (found == operations_.end()) return {};
  const auto& operations = found->second;
  const auto at =
      std::upper_bound(operations.begin(), operations.end(), ordinal,
                       [](std::uint64_t n, const OperationRef& u) { return n < u.end; });
  if (at == operations.end() || at->begin > ordinal) return {};
  return *at;
}

std::span<const OperationRef> Provenance::operations(const StreamId& stream) const {
  const auto found = operations_.find(stream);
  if (found == operations_.end()) return {};
  return found->second;
}

std::optional<OperationRef> Provenance::operation_at(const StreamId& stream,
                                                     std::uint32_t serial) const {
  StreamId id = stream;
  for (id.lane = 0; id.lane < (id.engine == kTensor ? 2 : 1); ++id.lane) {
    const auto found = operations_.find(id);
    if (found == operations_.end()) continue;
    const auto at = std::ranges::lower_bound(found->second, serial, {}, &OperationRef::serial);
    if (at != found->second.end() && at->serial == serial) return *at;
  }
  return {};
}

OperationRef Provenance::operation_with(std::uint32_t record) const {
  const auto& operations = operations_.at(board_.liveness().records()[record].stream);
  const auto at =
      std::upper_bound(operations.begin(), operations.end(), record,
                       [](std::uint32_t n, const OperationRef& u) { return n < u.first; });
  return *(at - 1);
}

std::optional<OperationRef> Provenance::sender(const OperationRef& packet) const {
  const StreamId& rx = packet.stream;
  const StreamId dma{rx.src, static_cast<std::uint8_t>(rx.lane >> 4 & 1),
                     static_cast<std::uint8_t>(kDma0 + (rx.lane & 15)), 0, 0};
  const auto found = operations_.find(dma);
  if (found == operations_.end()) return {};
  const OperationRef* last = nullptr;
  for (const OperationRef& operation : found->second)
    if (operation.first < packet.first) last = &operation;
  if (!last) return {};
  return *last;
}

std::optional<OperationRef> Provenance::stationary(const OperationRef& multiply) const {
  const auto& executed = board_.trace().of(multiply.stream);
  const defs::Instr moving = instr(multiply);
  for (std::uint32_t serial = multiply.serial; serial-- > 0;) {
    const defs::Instr& load = executed[serial].instr;
    if (writes_stationary(load) && load.src0.partition <= moving.src0.partition &&
        load.src0.partition + load.partitions >= moving.src0.partition + moving.partitions)
      return operation_at(multiply.stream, serial);
  }
  return {};
}

void Provenance::add_summands(std::vector<Cell>& out, const OperationRef& read,
                              unsigned lane) const {
  const auto& executed = board_.trace().of(read.stream);
  for (std::uint32_t serial = read.serial; serial-- > 0;) {
    const defs::Instr& older = executed[serial].instr;
    const auto command = reduce_command(older);
    if (command == defs::ReduceCommand::Idle || lane >= older.partitions) continue;
    const auto operation = operation_at(read.stream, serial);
    if (reduces(command) && operation) {
      std::vector<Cell> cells;
      const std::uint64_t count =
          std::uint64_t{older.size3} * older.size2 * older.size1 * older.size0;
      add_sources(cells, *operation, older, lane, 0, count);
      // What was overwritten since is not what it read.
      std::ranges::copy_if(cells, std::back_inserter(out), [&](const Cell& cell) {
        return board_.liveness().last_write(cell, operation->first) ==
               board_.liveness().last_write(cell, read.first);
      });
    }
    if (resets(command)) return;
  }
}

defs::Instr Provenance::instr(const OperationRef& operation) const {
  const auto& executed = board_.trace().of(operation.stream);
  return operation.serial < executed.size() ? executed[operation.serial].instr : defs::Instr{};
}

std::vector<Cell> Provenance::sources(const OperationRef& operation, const Commit& commit,
                                      std::uint64_t ordinal, std::size_t at) const {
  std::vector<Cell> out;
  if (operation.stream.engine >= kDma0) {
    std::optional<OperationRef> dma = operation;
    if (operation.stream.engine == kRx) dma = sender(operation);
    const std::optional<Cell> target = cell_of(sizes_, commit, at);
    if (!dma || !target || dma->stream.engine < kDma0 || dma->stream.engine >= kRx) return out;
    const Trace::Copy* copy = board_.trace().copy(dma->stream, dma->serial);
    if (!copy) return out;
    const defs::Descriptor& d = copy->descriptor;
    const std::uint64_t to = commit.addr + at;
    const std::uint32_t made = destination_bytes(d);
    for (const auto& row : copy->places.rows) {
      if (to < row.dst || to - row.dst >= made) continue;
      const auto word = [&](std::uint64_t from) {
        const std::uint64_t src = from + (to - row.dst) * d.row_bytes / made;
        Commit burst;
        burst.kind = CommitKind::MemBurst;
        burst.stream = dma->stream;
        burst.addr = src / kWordBytes * kWordBytes;
        for (unsigned b = 0; b < kWordBytes; ++b)
          if (auto cell = cell_of(sizes_, burst, b)) out.push_back(*cell);
      };
      word(row.src);
      if (has_second(d)) word(row.src1);
    }
    return out;
  }
  const defs::Instr i = instr(operation);
  const Trips trips = trips_of(i);
  const std::uint64_t index = ordinal - operation.begin;
  const unsigned lane = static_cast<unsigned>(at / std::max<unsigned>(commit.element_bytes, 1));
  const auto lanewise = [&](const defs::Operand& operand, const Trips& walk, std::uint64_t n) {
    if (operand.space != static_cast<std::uint8_t>(defs::Space::None))
      add_element(out, operation, operand, element_at(operand, walk, n), operand.partition + lane,
                  1);
  };
  const auto* row = defs::row_of(i.opcode);
  if (!row) return out;
  if (reads_stationary(i)) {
    add_element(out, operation, i.src0, element_at(i.src0, trips, index), i.src0.partition,
                i.partitions);
    if (const auto load = stationary(operation)) {
      const defs::Instr w = instr(*load);
      add_element(out, operation, w.src0, element_at(w.src0, trips_of(w), lane), w.src0.partition,
                  w.partitions);
    }
  } else {
    // A row without the innermost dimension is made of all elements along it.
    std::uint64_t each = 1;
    const Trips outer = trips_of(i, row->dst().walk);
    for (unsigned d = 0; d < 4; ++d) each *= trips[d] / outer[d];
    // A unit keeps elements: all of them may be in what it makes.
    const bool whole = row->form >= defs::Form::Transpose;
    if (whole) each = PatternWalk::elements(trips);
    add_sources(out, operation, i, lane, whole ? 0 : index * each, each);
    if (row->form == defs::Form::Sums) add_summands(out, operation, lane);
  }
  if (i.accumulate || row->is_masked()) lanewise(i.dst, trips, index);
  return out;
}

std::optional<OperationRef> Provenance::writer(const Cell& cell, const OperationRef& before) const {
  const auto record = board_.liveness().last_write(cell, before.first);
  if (!record) return {};
  return operation_with(*record);
}

std::optional<std::size_t> place_in(const Commit& commit, const Cell& cell) {
  if (commit.stream.chip != cell.chip) return {};
  const bool row = commit.kind == CommitKind::PsumRow || commit.kind == CommitKind::SbufRow;
  if (row) {
    const auto memory =
        commit.kind == CommitKind::PsumRow ? Cell::Memory::Psum : Cell::Memory::Sbuf;
    if (memory != cell.memory || commit.stream.core != cell.core || cell.partition < commit.first ||
        cell.partition >= commit.first + commit.count || cell.addr < commit.addr ||
        cell.addr >= commit.addr + commit.element_bytes)
      return {};
    return static_cast<std::size_t>(cell.partition - commit.first) * commit.element_bytes +
           (cell.addr - commit.addr);
  }
  if (commit.kind != CommitKind::MemBurst || cell.memory == Cell::Memory::Psum) return {};
  const std::uint64_t addr = cell.memory == Cell::Memory::Hbm
                                 ? cell.addr
                                 : sbuf_addr(cell.core, cell.partition, cell.addr);
  if (addr < commit.addr || addr >= commit.addr + commit.count) return {};
  return addr - commit.addr;
}

std::optional<Cell> cell_of(const defs::Sizes& sizes, const Commit& commit, std::size_t at) {
  Cell cell;
  cell.chip = commit.stream.chip;
  cell.core = commit.stream.core;
  switch (commit.kind) {
    case CommitKind::PsumRow:
    case CommitKind::SbufRow:
      cell.memory = commit.kind == CommitKind::PsumRow ? Cell::Memory::Psum : Cell::Memory::Sbuf;
      cell.partition = static_cast<std::uint16_t>(commit.first + at / commit.element_bytes);
      cell.addr = commit.addr + at % commit.element_bytes;
      return cell;
    case CommitKind::MemBurst: {
      const Location to = decode(sizes, commit.addr + at);
      if (to.target == Target::Unmapped) return {};
      cell.memory = is_hbm(to.target) ? Cell::Memory::Hbm : Cell::Memory::Sbuf;
      cell.core = to.target == Target::Sbuf1;
      cell.partition = static_cast<std::uint16_t>(to.partition);
      cell.addr = is_hbm(to.target) ? commit.addr + at : to.offset;
      return cell;
    }
    default:
      return {};
  }
}

std::string to_string(const defs::Sizes& sizes, const Cell& cell) {
  switch (cell.memory) {
    case Cell::Memory::Hbm:
      return fmt::format("chip {} HBM {:#x}", cell.chip, cell.addr);
    case Cell::Memory::Sbuf:
      return fmt::format("chip {} core {} SBUF partition {} byte {:#x}", cell.chip, cell.core,
                         cell.partition, cell.addr);
    case Cell::Memory::Psum: {
      const unsigned bank = sizes.psum_cols * 4;
      return fmt::format("chip {} core {} PSUM partition {} bank {} column {}", cell.chip,
                         cell.core, cell.partition, cell.addr / bank, cell.addr % bank / 4);
    }
  }
  return "?";
}

}  // namespace cmodel
