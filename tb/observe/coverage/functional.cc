// SPDX-License-Identifier: Apache-2.0
#include "tb/observe/coverage/functional.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "cmodel/machine/act_engine.h"
#include "cmodel/machine/address_map.h"
#include "cmodel/machine/sequencer.h"
#include "cmodel/machine/vector_engine.h"

namespace tb {
namespace {

using defs::Dtype;
using defs::Engine;
using defs::ErrorCause;
using defs::Instr;
using defs::Opcode;
using defs::Operand;
using defs::Space;

constexpr std::array kSequencerEngines{Engine::Tensor, Engine::Vector, Engine::Act, Engine::Sync};
/// More core cycles than this between two rows or bursts: something held up the second one.
constexpr std::uint64_t kFlowingGap = 2;
constexpr unsigned kPressureLevels = 2;
/// The ports that every board has.
constexpr unsigned kRingPorts = 2;

bool computes(Opcode opcode) {
  return opcode != Opcode::Nop && opcode != Opcode::End && opcode != Opcode::DmaTrigger;
}
/// Lanes wait for PSUM only: SBUF has a port for everybody.
bool can_wait(Opcode opcode, bool psum0, bool psum1) {
  return opcode == Opcode::MultiplyMoving || opcode == Opcode::TensorTensor || psum0 || psum1;
}
bool reads_psum(const Operand& o) { return o.space == static_cast<unsigned>(Space::Psum); }
bool has_rows(Opcode opcode) { return computes(opcode) && opcode != Opcode::LoadStationary; }

Engine engine_of(Opcode opcode) {
  for (const Engine engine : kSequencerEngines)
    if (cmodel::Sequencer::known(static_cast<std::uint8_t>(opcode), engine)) return engine;
  return Engine::Sync;
}

/// The first part of a bin's name.
std::string_view block(Engine engine) {
  switch (engine) {
    case Engine::Tensor:
      return "tensor";
    case Engine::Vector:
      return "vector";
    case Engine::Act:
      return "act";
    case Engine::Sync:
      return "sync";
    case Engine::Rx:
      return "fabric";
    default:
      return "dma";
  }
}

std::string place(const Operand& o) {
  if (o.space == 0) return "None";
  return fmt::format("{}.{}", to_string(static_cast<Space>(o.space)),
                     to_string(static_cast<Dtype>(o.dtype)));
}

std::string func_name(Opcode opcode, unsigned func) {
  if (opcode == Opcode::TensorTensor || opcode == Opcode::TensorReduce)
    return fmt::format(".{}", to_string(static_cast<defs::AluOp>(func)));
  if (opcode == Opcode::Activate)
    return fmt::format(".{}", to_string(static_cast<defs::ActFunc>(func)));
  return "";
}

/// BLOCK.format.OPCODE[.FUNC].SRC0.SRC1.DST
std::string format_name(const Instr& i) {
  const auto opcode = static_cast<Opcode>(i.opcode);
  return fmt::format("{}.format.{}{}.{}.{}.{}", block(engine_of(opcode)), to_string(opcode),
                     func_name(opcode, i.func), place(i.src0), place(i.src1), place(i.dst));
}

/// Corners of how much of P, and of where it starts.
std::string_view partitions_corner(unsigned p, unsigned n) {
  return n == 1 ? "one" : n == p ? "all" : n > p / 2 ? "most" : n > p / 4 ? "half" : "few";
}
constexpr std::array<std::string_view, 4> kStarts{"0", "quarter", "half", "three_quarters"};
constexpr std::array<std::string_view, 5> kCounts{"one", "few", "half", "most", "all"};
constexpr std::array<std::string_view, 4> kSteps{"unit", "gap", "negative", "zero"};
std::string_view step_corner(std::int64_t stride) {
  return stride == 1 ? "unit" : stride == 0 ? "zero" : stride < 0 ? "negative" : "gap";
}
constexpr std::array<std::string_view, 3> kElements{"one", "odd", "even"};
std::string_view elements_corner(unsigned n) { return n == 1 ? "one" : n % 2 ? "odd" : "even"; }
constexpr std::array<std::string_view, 5> kUpdates{"none", "own.plus", "own.minus", "other.plus",
                                                   "other.minus"};
std::string update_corner(bool update, unsigned sem, int delta, unsigned core) {
  if (!update) return "none";
  return fmt::format("{}.{}", sem >> 8 == core ? "own" : "other", delta < 0 ? "minus" : "plus");
}

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
constexpr std::array<std::string_view, 5> kRowBytes{"4", "inline", "flit", "packet", "packets"};
std::string_view row_bytes_corner(unsigned bytes) {
  return bytes == 4                    ? "4"
         : bytes <= defs::kInlineBytes ? "inline"
         : bytes <= defs::kFlitBytes   ? "flit"
         : bytes <= defs::kPacketBytes ? "packet"
                                       : "packets";
}

/// What an engine can stop with, as the architecture has it. Everything else is illegal.
bool can_stop(Engine engine, ErrorCause cause) {
  const bool dma = engine == Engine::Dma0, sync = engine == Engine::Sync;
  if (engine == Engine::Rx) {  // by a notification; as a sender
    return cause == ErrorCause::SemaphoreOverflow || cause == ErrorCause::Forbidden;
  }
  switch (cause) {
    case ErrorCause::None:
      return false;
    case ErrorCause::ReservedBits:
    case ErrorCause::SemaphoreOverflow:
    case ErrorCause::UnmappedAddress:  // also a stream that leaves HBM
    case ErrorCause::Misaligned:
      return true;  // also base of stream and ring
    case ErrorCause::UnknownOpcode:
    case ErrorCause::BadShape:
      return !dma;  // also an empty stream
    case ErrorCause::BadOperand:
    case ErrorCause::BadFormat:
    case ErrorCause::BadPartition:
      return !dma && !sync;
    case ErrorCause::OutOfBounds:
      return !dma;  // also a stream without END
    case ErrorCause::BadDescriptor:
    case ErrorCause::BadDestination:
      return dma;
    case ErrorCause::QueueOverflow:
      return sync;
    case ErrorCause::Unreachable:
    case ErrorCause::Forbidden:
    case ErrorCause::Stalled:
      return false;  // the fabric's
  }
  return false;
}

}  // namespace

Functional::Functional(const defs::Sizes& sizes, const cmodel::Program& program,
                       const fabric::Tables& tables)
    : sizes_(sizes), program_(program), tables_(tables) {
  make_instruction_bins();
  make_transfer_bins();
  make_error_bins();
  for (const unsigned src : tables.members)
    for (const unsigned dst : tables.members)
      hops_[src][dst] = std::min(tables.hops(src, dst), kMostHops);
  for (const bool flowing : {false, true}) {
    const char* flow = flowing ? "flowing" : "stalled";
    local_[flowing] = &bins_.at(fmt::format("dma.pressure.local.{}", flow));
    for (unsigned hops = 1; hops <= kMostHops; ++hops)
      remote_[hops][flowing] = &bins_.at(fmt::format("dma.pressure.hops{}.{}", hops, flow));
  }
}

void Functional::make_instruction_bins() {
  for (const Engine engine : kSequencerEngines) {
    for (const auto op : defs::kEveryWaitOp)
      for (const char* core : {"own", "other"})
        bin(op == defs::WaitOp::None
                ? fmt::format("{}.wait.None", block(engine))
                : fmt::format("{}.wait.{}.{}", block(engine), to_string(op), core));
    for (const auto update : kUpdates) bin(fmt::format("{}.update.{}", block(engine), update));
  }
  for (const Opcode opcode : defs::kEveryOpcode) {
    const auto name = to_string(opcode);
    for (const Engine engine : kSequencerEngines)
      if (cmodel::Sequencer::known(static_cast<std::uint8_t>(opcode), engine))
        bin(fmt::format("{}.instruction.{}", block(engine), name));
    if (!computes(opcode)) continue;

    const auto unit = block(engine_of(opcode));
    if (engine_of(opcode) != Engine::Tensor) make_format_bins(opcode);
    for (const char* operand : {"src0", "dst"}) {
      if (opcode == Opcode::LoadStationary && *operand == 'd') continue;
      for (const auto step : kSteps)
        if (!(opcode == Opcode::TensorReduce && *operand == 'd'))
          bin(fmt::format("{}.shape.{}.{}.inner.{}", unit, name, operand, step));
      for (const auto start : kStarts)
        if (!(opcode == Opcode::MultiplyMoving && *operand == 'd'))
          bin(fmt::format("{}.shape.{}.{}.start.{}", unit, name, operand, start));
    }
    for (const auto count : kCounts)
      bin(fmt::format("{}.shape.{}.partitions.{}", unit, name, count));
    for (unsigned dims = 1; dims <= 4; ++dims)
      bin(fmt::format("{}.shape.{}.dims.{}", unit, name, dims));
    for (const auto elements : kElements)
      bin(fmt::format("{}.shape.{}.elements.{}", unit, name, elements));
    if (!has_rows(opcode)) continue;
    // Instruction x format x length x back-pressure.
    for (const Dtype dtype : defs::kEveryDtype) {
      const bool reads = opcode == Opcode::MultiplyMoving
                             ? dtype != Dtype::Int32
                             : dtype == Dtype::Fp32 || dtype == Dtype::Bf16 ||
                                   (dtype == Dtype::Int32 &&
                                    (opcode == Opcode::TensorCopy || opcode == Opcode::Activate));
      if (!reads) continue;
      for (const auto elements : {"odd", "even"})
        for (const char* flow : {"flowing", "stalled"})
          if (*flow == 'f' || can_wait(opcode, dtype == Dtype::Fp32, false))
            bin(fmt::format("{}.pressure.{}.{}.{}.{}", unit, name, to_string(dtype), elements,
                            flow));
    }
  }
  for (unsigned bank = 0; bank < sizes_.psum_banks; ++bank)
    for (const char* use : {"tensor.psum.{}.store", "tensor.psum.{}.accumulate",
                            "vector.psum.{}.read", "act.psum.{}.read"})
      bin(fmt::format(fmt::runtime(use), bank));
}

// Every combination that the golden model's check takes.
void Functional::make_format_bins(Opcode opcode) {
  const bool vector = engine_of(opcode) == Engine::Vector;
  std::vector<Operand> operands;  // an operand that is not there has no format
  for (const Space space : defs::kEverySpace)
    for (const Dtype dtype : defs::kEveryDtype) {
      Operand o;
      o.space = static_cast<std::uint8_t>(space);
      o.dtype = static_cast<std::uint8_t>(dtype);
      if (o.space != 0 || o.dtype == 0) operands.push_back(o);
    }
  Instr i;
  i.opcode = static_cast<std::uint8_t>(opcode);
  i.partitions = 1;
  i.size0 = i.size1 = i.size2 = i.size3 = 1;
  for (unsigned func = 0; func < 4; ++func)
    for (const Operand& src0 : operands)
      for (const Operand& src1 : operands)
        for (const Operand& dst : operands) {
          if (dst.space != static_cast<std::uint8_t>(Space::Sbuf)) continue;
          i.func = static_cast<std::uint8_t>(func);
          i.src0 = src0;
          i.src1 = src1;
          i.dst = dst;
          const ErrorCause cause =
              vector ? cmodel::check_vector(sizes_, i) : cmodel::check_act(sizes_, i);
          if (cause == ErrorCause::None) bin(format_name(i));
        }
}

void Functional::make_transfer_bins() {
  for (const auto src : kMemories)
    for (const auto dst : kMemories)
      for (const char* where : {"local", "remote"})
        bin(fmt::format("dma.{}.{}.{}", where, src, dst));
  for (const char* where : {"local", "remote"}) {
    for (const auto bytes : kRowBytes) bin(fmt::format("dma.{}.bytes.{}", where, bytes));
    for (const auto update : kUpdates) bin(fmt::format("dma.{}.update.{}", where, update));
    for (const auto rows : kRows)
      for (const char* side : {"src", "dst"})
        bin(fmt::format("dma.{}.{}_rows.{}", where, side, rows));
    for (const char* src : {"aligned", "unaligned"})
      for (const char* dst : {"aligned", "unaligned"})
        bin(fmt::format("dma.{}.lines.{}.{}", where, src, dst));
    for (unsigned core = 0; core < defs::kCores; ++core)
      for (unsigned engine = 0; engine < sizes_.dma_engines; ++engine)
        bin(fmt::format("dma.{}.core{}.engine{}", where, core, engine));
  }
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

void Functional::make_error_bins() {
  for (const auto cause : defs::kEveryErrorCause)
    for (const Engine engine :
         {Engine::Tensor, Engine::Vector, Engine::Act, Engine::Sync, Engine::Dma0, Engine::Rx})
      if (can_stop(engine, cause)) bin(fmt::format("{}.error.{}", block(engine), to_string(cause)));
}

std::vector<std::string> Functional::names() const {
  std::vector<std::string> names;
  for (const auto& [name, count] : bins_) names.push_back(name);
  return names;
}

void Functional::hit(const std::string& name) {
  const auto found = bins_.find(name);
  if (found != bins_.end())
    ++found->second;
  else if (illegal_hits_.size() < 20)
    illegal_hits_.push_back(name);
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

// Rows of one instruction, bursts of one descriptor, bursts of one sender. The array never stalls
// within an instruction: one comes close behind the one before, or later. Lanes have a pace of
// their own (1 cycle, 2, or the length of a reduction): they were held up if their rows came
// unevenly.
void Functional::hit_flow(const CommitBuffer::Entry& entry) {
  const auto& c = entry.commit;
  const Where where{c.stream.chip, c.stream.core, c.stream.engine};
  if (c.stream.engine == static_cast<unsigned>(Engine::Host)) return;
  Flow& flow = flows_[where];
  if (flow.pc != c.pc || flow.src != c.stream.src) {
    end_flow(where, flow);
    if (c.stream.engine == static_cast<unsigned>(Engine::Tensor))
      (entry.cycle - flow.cycle <= kFlowingGap ? flowed_ : stalled_).insert({where, c.pc});
    flow = {c.pc, c.stream.src, entry.cycle, UINT64_MAX, 0};
    return;
  }
  const std::uint64_t gap = entry.cycle - flow.cycle;
  flow.cycle = entry.cycle;
  flow.least = std::min(flow.least, gap);
  flow.most = std::max(flow.most, gap);
  if (c.stream.engine < defs::kSequencers) return;
  const bool rx = c.stream.engine == static_cast<unsigned>(Engine::Rx);
  ++*(rx ? remote_[hops_[c.stream.src][c.stream.chip]] : local_)[gap <= kFlowingGap];
}

void Functional::end_flow(const Where& where, const Flow& flow) {
  if (flow.most == 0 || std::get<2>(where) == static_cast<unsigned>(Engine::Tensor)) return;
  (flow.least == flow.most ? flowed_ : stalled_).insert({where, flow.pc});
}

void Functional::observe(const CommitBuffer& commits) {
  for (const auto& entry : commits.entries()) {
    switch (entry.commit.kind) {
      case cmodel::CommitKind::PsumRow:
      case cmodel::CommitKind::SbufRow:
      case cmodel::CommitKind::MemBurst:
        hit_flow(entry);
        break;
      case cmodel::CommitKind::Message:
        hit_message(commits.data(entry));
        break;
      case cmodel::CommitKind::Error: {
        const auto engine = static_cast<Engine>(entry.commit.stream.engine);
        hit(fmt::format("{}.error.{}", block(engine),
                        to_string(static_cast<ErrorCause>(entry.commit.delta))));
        break;
      }
      case cmodel::CommitKind::Semaphore:
        break;
    }
  }
}

void Functional::observe(const Chip& chip) {
  observe(chip.commits());
  auto& [probe, credits] = credits_[chip.id()];
  if (probe != &chip.probe()) credits = find_credits(chip), probe = &chip.probe();
  for (const Credit& credit : credits)
    ++*(kPressureLevels * credit.left.value() < credit.depth ? credit.few : credit.many);
}

std::vector<Functional::Credit> Functional::find_credits(const Chip& chip) {
  constexpr std::array depths{defs::kVnDepth0, defs::kVnDepth1, defs::kVnDepth2, defs::kVnDepth3};
  std::vector<Credit> credits;
  for (unsigned port = 0; port < kRingPorts; ++port)
    for (unsigned vc = defs::kVcClasses; vc < defs::kVirtualChannels; ++vc) {
      const unsigned vn = vc / defs::kVcClasses;
      const auto name =
          fmt::format("fabric.credits.port{}.vn{}.class{}.", port, vn, vc % defs::kVcClasses);
      credits.push_back(
          {chip.probe().at(fmt::format(
               "u_fabric.u_router.gen_out[{}].gen_vc[{}].u_credit.available_o", port, vc)),
           depths[vn], &bins_.at(name + "short"), &bins_.at(name + "free")});
    }
  return credits;
}

const std::uint8_t* Functional::bytes_at(unsigned chip, std::uint64_t addr) const {
  for (const auto& segment : program_.segments)
    if (segment.chip == chip && addr >= segment.addr &&
        addr + defs::kInstrBytes <= segment.addr + segment.bytes.size())
      return segment.bytes.data() + (addr - segment.addr);
  return nullptr;
}

void Functional::hit_instruction(const Where& where, std::uint32_t pc, const Instr& i) {
  const auto [chip, core, engine] = where;
  const auto opcode = static_cast<Opcode>(i.opcode);
  const auto name = to_string(opcode);
  const auto unit = block(static_cast<Engine>(engine));
  hit(fmt::format("{}.instruction.{}", unit, name));
  const auto wait = static_cast<defs::WaitOp>(i.wait_op);
  hit(wait == defs::WaitOp::None
          ? fmt::format("{}.wait.None", unit)
          : fmt::format("{}.wait.{}.{}", unit, to_string(wait),
                        unsigned{i.wait_sem} >> 8 == core ? "own" : "other"));
  hit(fmt::format("{}.update.{}", unit,
                  update_corner(i.update, i.update_sem, i.update_delta, core)));
  if (!computes(opcode)) return;
  if (engine != static_cast<unsigned>(Engine::Tensor)) hit(format_name(i));

  const unsigned p = sizes_.partitions;
  const std::array<unsigned, 4> sizes{i.size0, i.size1, i.size2, i.size3};
  unsigned dims = 1, elements = 1;
  for (unsigned d = 0; d < 4; ++d) {
    elements *= sizes[d];
    if (sizes[d] > 1) dims = d + 1;
  }
  for (const auto& [operand, o] : {std::pair{"src0", i.src0}, std::pair{"dst", i.dst}}) {
    if (o.space == 0) continue;
    if (sizes[0] > 1 && !(opcode == Opcode::TensorReduce && *operand == 'd'))
      hit(fmt::format("{}.shape.{}.{}.inner.{}", unit, name, operand, step_corner(o.stride0)));
    if (!(opcode == Opcode::MultiplyMoving && *operand == 'd'))
      hit(fmt::format("{}.shape.{}.{}.start.{}", unit, name, operand,
                      kStarts[o.partition * 4 / p]));
    if (o.space == static_cast<unsigned>(Space::Psum))
      hit(fmt::format("{}.psum.{}.{}", unit, o.offset / (sizes_.psum_cols * 4),
                      *operand == 's' ? "read"
                      : i.accumulate  ? "accumulate"
                                      : "store"));
  }
  hit(fmt::format("{}.shape.{}.partitions.{}", unit, name, partitions_corner(p, i.partitions)));
  hit(fmt::format("{}.shape.{}.dims.{}", unit, name, dims));
  hit(fmt::format("{}.shape.{}.elements.{}", unit, name, elements_corner(elements)));
  if (!has_rows(opcode)) return;
  if (elements == 1) return;
  for (const auto& [flow, seen] : {std::pair{"flowing", &flowed_}, std::pair{"stalled", &stalled_}})
    if (seen->contains({where, pc}) &&
        (*flow == 'f' || can_wait(opcode, reads_psum(i.src0), reads_psum(i.src1))))
      hit(fmt::format("{}.pressure.{}.{}.{}.{}", unit, name,
                      to_string(static_cast<Dtype>(i.src0.dtype)), elements_corner(elements),
                      flow));
}

void Functional::hit_descriptor(unsigned chip, unsigned core, unsigned engine,
                                const defs::Descriptor& d) {
  const char* where = d.dst_chip == chip ? "local" : "remote";
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
  hit(fmt::format("dma.{}.lines.{}.{}", where, aligned(d.src), aligned(d.dst)));
  hit(fmt::format("dma.{}.core{}.engine{}", where, core, engine));
}

void Functional::finish(const cmodel::Board& model, bool complete) {
  for (const auto& [where, flow] : flows_) end_flow(where, flow);
  std::map<Where, std::uint64_t> triggered;
  for (const auto& stream : program_.streams) {
    const auto status = model.sequencer(stream.chip, stream.core, stream.engine);
    const bool done = status.state == cmodel::SequencerStatus::State::Done;
    const Where where{stream.chip, stream.core, stream.engine};
    for (std::uint32_t pc = 0; pc < status.pc + done && pc < stream.count; ++pc) {
      const auto* bytes =
          bytes_at(stream.chip, stream.base + std::uint64_t{pc} * defs::kInstrBytes);
      if (!bytes) break;
      Instr::Words words;
      std::memcpy(words.data(), bytes, sizeof words);
      const Instr instr = Instr::from(words);
      hit_instruction(where, pc, instr);
      if (instr.opcode == static_cast<std::uint8_t>(Opcode::DmaTrigger))
        triggered[{stream.chip, stream.core, instr.imm >> 16}] += instr.imm & 0xffff;
    }
  }
  if (!complete) return;
  for (const auto& ring : program_.rings) {
    std::uint64_t count = triggered[{ring.chip, ring.core, ring.engine}];
    const auto engine =
        static_cast<std::uint8_t>(static_cast<unsigned>(Engine::Dma0) + ring.engine);
    for (const auto& error : model.errors())
      if (error.stream.chip == ring.chip && error.stream.core == ring.core &&
          error.stream.engine == engine)
        count = error.pc;
    for (std::uint64_t n = 0; n < std::min<std::uint64_t>(count, ring.count); ++n) {
      const auto* bytes = bytes_at(ring.chip, ring.base + n * defs::kInstrBytes);
      if (!bytes) break;
      defs::Descriptor::Words words;
      std::memcpy(words.data(), bytes, sizeof words);
      hit_descriptor(ring.chip, ring.core, ring.engine, defs::Descriptor::from(words));
    }
  }
}

std::string Functional::illegal_report() const {
  std::string report;
  for (const auto& name : illegal_hits_)
    report += fmt::format("illegal coverage bin was hit: {}\n", name);
  return report;
}

void Functional::write(const std::filesystem::path& file) const {
  nlohmann::ordered_json json{{"schema", 1}, {"count", bins_.size()}};
  for (const auto& [name, count] : bins_) json["bins"][name] = count;
  json["illegal"] = illegal_hits_;
  std::ofstream out(file);
  out << json.dump(1) << "\n";
  out.close();
  if (!out) throw std::runtime_error(file.string() + ": cannot be written");
}

}  // namespace tb
