// SPDX-License-Identifier: Apache-2.0
// Bins of descriptors, messages and credits.
#include <fmt/format.h>

#include <array>
#include <string_view>

#include "cmodel/machine/address_map.h"
#include "cmodel/machine/chip.h"
#include "cmodel/machine/dma.h"
#include "cmodel/machine/instruction.h"
#include "tb/observe/coverage/functional.h"
#include "tb/observe/coverage/functional_names.h"

namespace tb {
namespace {

using namespace coverage;

/// The ports that every board has.
constexpr unsigned kRingPorts = 2;
constexpr unsigned kPressureLevels = 2;
constexpr std::uint64_t kContention = 2;  ///< core cycles between two writes
constexpr std::array<std::string_view, 4> kMemories{"Hbm0", "Hbm1", "Sbuf0", "Sbuf1"};

std::string_view memory(const defs::Sizes& sizes, std::uint64_t addr) {
  const auto target = cmodel::decode(sizes, addr).target;
  return target == cmodel::Target::Unmapped ? "?" : kMemories[static_cast<unsigned>(target)];
}

constexpr std::array<std::string_view, 5> kRows{"one", "many.contiguous", "many.gap",
                                                "many.negative", "many.zero"};

std::string_view rows_corner(unsigned rows, std::int64_t stride, unsigned bytes) {
  if (rows == 1) return "one";
  return stride == 0       ? "many.zero"
         : stride < 0      ? "many.negative"
         : stride == bytes ? "many.contiguous"
                           : "many.gap";
}

constexpr std::array<std::string_view, 2> kElementBytes{"1", "2"};  ///< of local rows
constexpr std::array<std::string_view, 5> kRowBytes{"4", "inline", "flit", "packet", "packets"};

std::string_view row_bytes_corner(unsigned bytes) {
  return bytes < 4                     ? kElementBytes[bytes - 1]
         : bytes == 4                  ? "4"
         : bytes <= defs::kInlineBytes ? "inline"
         : bytes <= defs::kFlitBytes   ? "flit"
         : bytes <= defs::kPacketBytes ? "packet"
                                       : "packets";
}

constexpr std::array kCombined{defs::Dtype::Fp32, defs::Dtype::Bf16, defs::Dtype::Int32};

/// What a descriptor makes of its rows.
std::string combine_corner(defs::Combine op, defs::Dtype dtype) {
  return op == defs::Combine::Copy ? "Copy" : fmt::format("{}.{}", to_string(op), to_string(dtype));
}

std::string cast_name(defs::Dtype from, defs::Dtype to) {
  return fmt::format("dma.cast.{}.{}", to_string(from), to_string(to));
}

}  // namespace

void Functional::make_transfer_bins() {
  for (const auto src : kMemories)
    for (const auto dst : kMemories)
      for (const char* where : {"local", "remote"})
        bin(fmt::format("dma.{}.{}.{}", where, src, dst));
  for (const char* where : {"local", "remote"}) {
    bin(fmt::format("dma.{}.started", where));
    for (const char* mode : {"Gather", "Scatter"}) bin(fmt::format("dma.{}.{}", where, mode));
    for (const auto bytes : kRowBytes) bin(fmt::format("dma.{}.bytes.{}", where, bytes));
    for (const auto op : defs::kEveryCombine)
      for (const auto dtype : kCombined)
        if (op != defs::Combine::Cast)  // of which every format counts: dma.cast
          bin(fmt::format("dma.{}.combine.{}", where, combine_corner(op, dtype)));
    for (const auto src1 : kMemories) bin(fmt::format("dma.{}.second.{}", where, src1));
    for (const char* line : {"aligned", "unaligned"})
      bin(fmt::format("dma.{}.second.{}", where, line));
    for (const auto update : kUpdates) bin(fmt::format("dma.{}.update.{}", where, update));
    for (const auto rows : kRows)
      for (const char* side : {"src", "src1", "dst"})
        bin(fmt::format("dma.{}.{}_rows.{}", where, side, rows));
    for (const char* src : {"aligned", "unaligned"})
      for (const char* dst : {"aligned", "unaligned"})
        bin(fmt::format("dma.{}.lines.{}.{}", where, src, dst));
    for (unsigned core = 0; core < defs::kCores; ++core)
      for (const auto memory : kMemories)
        for (const char* use : {"reads", "writes"})
          bin(fmt::format("dma.{}.core{}.{}.{}", where, core, use, memory));
    for (unsigned core = 0; core < defs::kCores; ++core)
      for (unsigned engine = 0; engine < sizes_.dma_engines; ++engine)
        bin(fmt::format("dma.{}.core{}.engine{}", where, core, engine));
  }
  for (const auto bytes : kElementBytes) bin(fmt::format("dma.local.bytes.{}", bytes));
  bin("dma.local.second.dst");
  for (const char* mode : {"Gather", "Scatter"}) bin(fmt::format("dma.local.{}.skip", mode));
  for (const auto from : defs::kEveryDtype)
    for (const auto to : defs::kEveryDtype) bin(cast_name(from, to));
  for (const auto mode : {defs::IndexMode::Gather, defs::IndexMode::Scatter}) {
    const auto list = fmt::format("dma.list.{}", to_string(mode));
    for (const auto memory : kMemories) bin(fmt::format("{}.{}", list, memory));
    for (const auto op : defs::kEveryCombine)
      if (op == defs::Combine::Cast ||
          (op != defs::Combine::Copy && mode == defs::IndexMode::Gather))
        bin(fmt::format("{}.{}", list, to_string(op)));
    for (const char* end :
         {"stopped.first", "stopped.behind_rows", "left_out.some", "left_out.all"})
      bin(fmt::format("{}.{}", list, end));
  }
  for (const auto memory : kMemories) bin(fmt::format("dma.contended.{}", memory));
  for (const char* flow : {"flowing", "stalled"}) {
    bin(fmt::format("dma.pressure.local.{}", flow));
    for (unsigned hops = 1; hops <= kMostHops; ++hops)
      bin(fmt::format("dma.pressure.hops{}.{}", hops, flow));
  }
  for (unsigned vn = 1; vn < defs::kVirtualNets; ++vn) {
    for (const char* notify : {"Write", "WriteNotify"}) {
      for (unsigned hops = 1; hops <= kMostHops; ++hops)
        for (const char* way : {"plus", "minus"})
          bin(fmt::format("fabric.transfer.hops{}.{}.vn{}.{}", hops, way, vn, notify));
      for (const char* size : {"inline", "one_flit", "flits", "full"})
        for (unsigned hops = 1; hops <= kMostHops; ++hops)
          bin(fmt::format("fabric.transfer.size.{}.hops{}.vn{}.{}", size, hops, vn, notify));
    }
    for (unsigned chip = 0; chip < defs::kBoardChips; ++chip)
      for (const char* role : {"source", "transit", "destination"})
        bin(fmt::format("fabric.role.{}.chip{:02}.vn{}", role, chip, vn));
    for (unsigned vc = 0; vc < defs::kVcClasses; ++vc)
      for (unsigned port = 0; port < kRingPorts; ++port)
        for (const char* level : {"free", "short"})
          bin(fmt::format("fabric.credits.port{}.vn{}.class{}.{}", port, vn, vc, level));
  }
  for (const auto memory : kMemories)
    for (unsigned vn = 1; vn < defs::kVirtualNets; ++vn)
      bin(fmt::format("fabric.transfer.to.{}.vn{}", memory, vn));
}

void Functional::hit_message(std::span<const std::uint8_t> data) {
  if (data.size() < sizeof(defs::Header::Words)) return;
  const defs::Header header = cmodel::message_header(data);
  const auto way = tables_.way(header.src, header.dst);
  const auto op = to_string(static_cast<defs::PktOp>(header.op));
  const unsigned vn = header.vn, bytes = header.bytes;
  const std::size_t hops = way.size();
  hit(fmt::format("fabric.transfer.hops{}.{}.vn{}.{}", hops,
                  way.empty() || way.front().port % 2 == 0 ? "plus" : "minus", vn, op));
  hit(fmt::format("fabric.transfer.size.{}.hops{}.vn{}.{}",
                  bytes <= defs::kInlineBytes  ? "inline"
                  : bytes <= defs::kFlitBytes  ? "one_flit"
                  : bytes < defs::kPacketBytes ? "flits"
                                               : "full",
                  hops, vn, op));
  hit(fmt::format("fabric.transfer.to.{}.vn{}", memory(sizes_, header.addr), vn));
  for (const fabric::Channel& at : way)
    hit(fmt::format("fabric.role.{}.chip{:02}.vn{}", at.chip == header.src ? "source" : "transit",
                    at.chip, vn));
  hit(fmt::format("fabric.role.destination.chip{:02}.vn{}", unsigned{header.dst}, vn));
}

void Functional::copied(const cmodel::StreamId& stream, std::uint32_t pc, const defs::Descriptor& d,
                        const cmodel::RowPlaces& places) {
  const unsigned chip = stream.chip, core = stream.core,
                 engine = stream.engine - static_cast<unsigned>(Engine::Dma0);
  const char* where = d.dst_chip == chip ? "local" : "remote";
  if (cmodel::is_started(pc)) hit(fmt::format("dma.{}.started", where));
  hit(fmt::format("dma.{}.{}.{}", where, memory(sizes_, d.src), memory(sizes_, d.dst)));
  hit(fmt::format("dma.{}.bytes.{}", where, row_bytes_corner(d.row_bytes)));
  hit(fmt::format("dma.{}.update.{}", where,
                  update_corner(d.update, d.update_sem, d.update_delta, core)));
  const auto stride = [](std::uint64_t s) { return static_cast<std::int64_t>(s << 16) >> 16; };
  hit(fmt::format("dma.{}.src_rows.{}", where,
                  rows_corner(d.rows, stride(d.src_stride), d.row_bytes)));
  hit(fmt::format("dma.{}.dst_rows.{}", where,
                  rows_corner(d.rows, stride(d.dst_stride), d.row_bytes)));
  const auto aligned = [&](std::uint64_t a) {
    return a % sizes_.line_bytes ? "unaligned" : "aligned";
  };
  if (const auto op = static_cast<defs::Combine>(d.combine); op == defs::Combine::Cast) {
    hit(cast_name(static_cast<defs::Dtype>(d.dtype), static_cast<defs::Dtype>(d.dst_dtype)));
  } else {
    hit(fmt::format("dma.{}.combine.{}", where,
                    combine_corner(op, static_cast<defs::Dtype>(d.dtype))));
  }
  if (cmodel::has_second(d)) {
    hit(fmt::format("dma.{}.second.{}", where, memory(sizes_, d.src1)));
    hit(fmt::format("dma.{}.second.{}", where, aligned(d.src1)));
    hit(fmt::format("dma.{}.src1_rows.{}", where,
                    rows_corner(d.rows, stride(d.src1_stride), d.row_bytes)));
    if (d.dst_chip == chip && d.src1 == d.dst) hit("dma.local.second.dst");
  }
  hit(fmt::format("dma.{}.lines.{}.{}", where, aligned(d.src), aligned(d.dst)));
  hit(fmt::format("dma.{}.core{}.reads.{}", where, core, memory(sizes_, d.src)));
  hit(fmt::format("dma.{}.core{}.writes.{}", where, core, memory(sizes_, d.dst)));
  hit(fmt::format("dma.{}.core{}.engine{}", where, core, engine));
  if (d.index_mode) hit_list(where, d, places);
}

void Functional::hit_list(const char* where, const defs::Descriptor& d,
                          const cmodel::RowPlaces& places) {
  const auto mode = to_string(static_cast<defs::IndexMode>(d.index_mode));
  const std::size_t moved = places.rows.size();
  hit(fmt::format("dma.{}.{}{}", where, mode, d.skip ? ".skip" : ""));
  hit(fmt::format("dma.list.{}.{}", mode, memory(sizes_, d.index)));
  if (d.combine)
    hit(fmt::format("dma.list.{}.{}", mode, to_string(static_cast<defs::Combine>(d.combine))));
  if (places.fault)
    hit(fmt::format("dma.list.{}.stopped.{}", mode, moved ? "behind_rows" : "first"));
  else if (moved < d.rows)
    hit(fmt::format("dma.list.{}.left_out.{}", mode, moved ? "some" : "all"));
}

// Both cores of a chip write into one memory within a few cycles.
void Functional::hit_contention(const CommitBuffer::Entry& entry) {
  const auto& c = entry.commit;
  if (c.stream.engine < static_cast<unsigned>(Engine::Dma0) ||
      c.stream.engine >= static_cast<unsigned>(Engine::Dma0) + sizes_.dma_engines)
    return;
  auto& [core, cycle] = last_write_[{c.stream.chip, memory(sizes_, c.addr)}];
  if (core != c.stream.core && entry.cycle - cycle <= kContention)
    hit(fmt::format("dma.contended.{}", memory(sizes_, c.addr)));
  core = c.stream.core;
  cycle = entry.cycle;
}

void Functional::observe(const Chip& chip) {
  observe(chip.commits());
  auto& [state, credits] = credits_[chip.id()];
  if (state != &chip.state()) credits = find_credits(chip), state = &chip.state();
  for (const Credit& credit : credits)
    ++*(kPressureLevels * credit.left.value() < credit.depth ? credit.few : credit.many);
}

std::vector<Functional::Credit> Functional::find_credits(const Chip& chip) {
  std::vector<Credit> credits;
  for (unsigned port = 0; port < kRingPorts; ++port)
    for (unsigned vc = defs::kVcClasses; vc < defs::kVirtualChannels; ++vc) {
      const unsigned vn = vc / defs::kVcClasses;
      const auto name =
          fmt::format("fabric.credits.port{}.vn{}.class{}.", port, vn, vc % defs::kVcClasses);
      credits.push_back({chip.state().credits(port, vc), kVnDepth[vn], &bins_.at(name + "short"),
                         &bins_.at(name + "free")});
    }
  return credits;
}

}  // namespace tb
