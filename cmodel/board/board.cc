// SPDX-License-Identifier: Apache-2.0
#include "cmodel/board/board.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <random>
#include <stdexcept>

#include "cmodel/board/guard.h"
#include "cmodel/board/observers.h"
#include "cmodel/machine/address_map.h"
#include "cmodel/machine/round_robin.h"
#include "cmodel/program/disassemble.h"

namespace cmodel {
namespace {

constexpr std::size_t kHostBytes = 64;  // one host write
constexpr auto kDma0 = static_cast<unsigned>(defs::Engine::Dma0);
constexpr auto kRx = static_cast<unsigned>(defs::Engine::Rx);

std::string issuer_name(unsigned chip, unsigned core, unsigned engine) {
  return fmt::format("chip {} core {} {}", chip, core, engine_name(engine));
}

}  // namespace

/// Owns the chips and picks what runs next. Every commit passes through commit() on its way out.
struct Board::Impl final : CommitSink, ChipPort {
  Impl(const defs::Sizes& s, const Program& p, CommitSink& out, BoardOptions o)
      : sizes(s),
        program(p),
        sink(out),
        options(o),
        observers(s, p, o),
        guard(p),
        rng(o.order_seed) {
    if (o.detect_races && !p.requests.empty())
      throw std::invalid_argument("races of a program with requests are not looked for");
    queues.resize(p.chips);
    for (const Request& request : p.requests) queues[request.chip].push_back(&request);
    for (unsigned chip = 0; chip < program.chips; ++chip)
      chips.push_back(std::make_unique<Chip>(sizes, chip, program.chips, *this));
    for (auto& chip : chips)
      for (unsigned core = 0; core < defs::kCores; ++core)
        chip->core(core).peer = guard.peer(chip->id(), core);
  }

  // ---------------------------------------------------------------------------- CommitSink
  void commit(const Commit& commit, std::span<const std::uint8_t> data) override {
    ++work.commits;
    if (commit.kind != CommitKind::Semaphore) observers.wrote(commit.stream);
    sink.commit(commit, data);
  }

  // ------------------------------------------------------------------------------ ChipPort
  CommitSink& commits() override { return *this; }
  WorkCounters& counters() override { return work; }
  void error(const ErrorRecord& error) override {
    errors.push_back(error);
    error_commit(error);
  }
  void error_commit(const ErrorRecord& error) {
    Commit out;
    out.kind = CommitKind::Error;
    out.stream = error.stream;
    out.pc = error.pc;
    out.serial = error.serial;
    out.delta = static_cast<std::int32_t>(error.cause);
    commit(out, {});
  }
  void deliver(const StreamId& from, const defs::Header& plain,
               std::span<const std::uint8_t> payload) override {
    defs::Header header = plain;
    header.pkey = guard.key(from.chip, from.core);
    if (!guard.lets_pass(from, header)) {
      const StreamId sender{from.chip, 0, static_cast<std::uint8_t>(kRx), 0, 0};
      const std::uint32_t number = rejected[from.chip][from.core]++;
      // Every one is committed; the host is notified of the first of each core.
      if (number == 0) errors.push_back({sender, 0, defs::ErrorCause::Forbidden});
      error_commit({sender, number, defs::ErrorCause::Forbidden, number});
      return;
    }
    ++work.messages;
    chips[header.dst]->receive(from, header, payload);
  }
  void read_unwritten(const UnwrittenRead& read) override { unwritten.push_back(read); }
  ExecutionObserver* observer() override { return observers.any() ? &observers : nullptr; }

  bool step() {
    const bool host_first = !options.order_seed || rng() % 2;
    if (host_first && feed()) return true;
    if (options.order_seed) turns.turn_to(rng());
    return turns.step([](const Issuer&) { return true; }) != nullptr || (!host_first && feed());
  }

  // -------------------------------------------------------------------------------- the host
  void write(unsigned chip, std::uint64_t addr, std::span<const std::uint8_t> bytes) {
    for (std::size_t done = 0; done < bytes.size(); done += kHostBytes)
      chips[chip]->host_write(addr + done,
                              bytes.subspan(done, std::min(kHostBytes, bytes.size() - done)));
  }
  const SequencerStatus& stream_of(const Request& request) const {
    return chips[request.chip]->core(request.core).sequencers[request.engine].status();
  }
  /// Hands a request over if the stream of the first of some chip is at rest.
  bool feed() {
    for (auto& queue : queues) {
      if (queue.empty()) continue;
      const Request& request = *queue.front();
      const defs::SeqState state = stream_of(request).state;
      if (state == defs::SeqState::Running || state == defs::SeqState::Error) continue;
      queue.pop_front();
      write(request.chip, request.addr, request.bytes);
      const auto at = std::ranges::find_if(program.streams, [&](const InstrStream& s) {
        return s.chip == request.chip && s.core == request.core && s.engine == request.engine;
      });
      chips[request.chip]->start(at->core, at->engine, at->base, at->count);
      return true;
    }
    return false;
  }
  bool all_fed() const {
    return std::ranges::all_of(queues, [&](const auto& queue) {
      return queue.empty() || stream_of(*queue.front()).state == defs::SeqState::Error;
    });
  }

  const defs::Sizes& sizes;
  const Program& program;
  CommitSink& sink;
  BoardOptions options;
  Observers observers;
  Guard guard;
  std::array<std::array<std::uint32_t, defs::kCores>, defs::kBoardChips> rejected{};
  std::vector<std::unique_ptr<Chip>> chips;
  RoundRobin turns;                                ///< of those that have a program
  std::vector<std::deque<const Request*>> queues;  ///< by chip: those that are still to come
  std::mt19937_64 rng;
  WorkCounters work;
  std::vector<ErrorRecord> errors;
  std::vector<UnwrittenRead> unwritten;
};

Board::Board(const defs::Sizes& sizes, const Program& program, CommitSink& sink,
             BoardOptions options)
    : impl_(std::make_unique<Impl>(sizes, program, sink, options)) {
  if (program.config != sizes.name)
    throw std::invalid_argument(
        fmt::format("program is for config {}, the board is {}", program.config, sizes.name));
}
Board::~Board() = default;
Board::Board(Board&&) noexcept = default;

void Board::load() {
  auto& impl = *impl_;
  for (const auto& segment : impl.program.segments)
    impl.write(segment.chip, segment.addr, segment.bytes);
  for (const auto& ring : impl.program.rings)
    impl.chips[ring.chip]->set_ring(ring.core, ring.engine, ring.base, ring.count);
  for (const auto& stream : impl.program.streams)
    if (impl.program.requests_of(stream) == 0)
      impl.chips[stream.chip]->start(stream.core, stream.engine, stream.base, stream.count);

  // Engines without a program can still be rung (and then stop by an error), so DMA engines of a
  // core that has a sync stream all take part.
  for (const auto& stream : impl.program.streams) {
    Chip* chip = impl.chips[stream.chip].get();
    const auto core = static_cast<std::uint8_t>(stream.core);
    impl.turns.add({chip, core, static_cast<std::uint8_t>(stream.engine), false});
    if (stream.engine != static_cast<unsigned>(defs::Engine::Sync)) continue;
    for (std::uint8_t engine = 0; engine < impl.sizes.dma_engines; ++engine)
      impl.turns.add({chip, core, engine, true});
  }
}

const std::vector<defs::Header>& Board::forbidden() const { return impl_->guard.forbidden(); }

void Board::host_rejected(unsigned chip, defs::ErrorCause cause) {
  impl_->error_commit({host_stream(chip), 0, cause});
}

bool Board::step() {
  if (impl_->step()) return true;
  if (finished()) impl_->observers.read_regions();
  return false;
}

bool Board::run(std::uint64_t most) {
  while (most-- && step()) {
  }
  return finished();
}

bool Board::finished() const {
  return impl_->all_fed() && std::ranges::none_of(impl_->turns.issuers(), &Issuer::busy);
}

std::string Board::blocked() const {
  std::string out;
  for (const Issuer& issuer : impl_->turns.issuers()) {
    const Chip& chip = *issuer.chip;
    if (issuer.dma || !issuer.busy()) continue;
    const auto& sequencer = chip.core(issuer.core).sequencers[issuer.index];
    const auto instr = sequencer.peek(chip.hbm(), sequencer.pc());
    out += fmt::format("{} {}: ", issuer_name(chip.id(), issuer.core, issuer.index),
                       to_string(sequencer.operation()));
    if (instr.wait_op)
      out += fmt::format("waits for semaphore {}, is {}; ", wait_text(instr),
                         chip.semaphores().value(instr.wait_sem));
    out += fmt::format("next: {}\n", cmodel::disassemble(instr));
  }
  return out;
}

std::string Board::busiest() const {
  const Issuer* most = nullptr;
  const auto operation = [](const Issuer& issuer) {
    return issuer.chip->core(issuer.core).sequencers[issuer.index].operation();
  };
  for (const Issuer& issuer : impl_->turns.issuers())
    if (!issuer.dma && issuer.busy() &&
        (!most || operation(issuer).serial > operation(*most).serial))
      most = &issuer;
  if (!most) return {};
  const OperationId next = operation(*most);
  const std::string source =
      impl_->program.source_of(most->chip->id(), most->core, most->index, next.pc);
  return fmt::format("{} {}{}: {} instructions and no END; next: {}",
                     issuer_name(most->chip->id(), most->core, most->index), to_string(next),
                     source.empty() ? "" : fmt::format(" ({})", source), next.serial,
                     disassemble(most->chip->id(), most->core, most->index, next.pc));
}

const std::vector<ErrorRecord>& Board::errors() const { return impl_->errors; }

const std::vector<UnwrittenRead>& Board::unwritten() const { return impl_->unwritten; }

std::string Board::unwritten_text() const {
  constexpr std::size_t kShown = 8;
  const auto& all = impl_->unwritten;
  std::string out;
  for (const UnwrittenRead& read : std::span(all).first(std::min(kShown, all.size()))) {
    const StreamId& id = read.stream;
    const std::string source =
        impl_->program.source_of(id.chip, id.core, id.engine, read.operation.pc);
    const bool psum = read.memory == Cell::Memory::Psum;
    out += fmt::format(
        "{} {}{} reads bytes that nobody has written: {} of core {}, partitions "
        "{} .. {}, bytes {} .. {}\n",
        issuer_name(id.chip, id.core, id.engine), to_string(read.operation),
        source.empty() ? "" : fmt::format(" ({})", source), psum ? "PSUM" : "SBUF", read.core,
        read.bytes.first, read.bytes.last, read.bytes.low, read.bytes.high);
  }
  if (all.size() > kShown) out += fmt::format("... and {} more\n", all.size() - kShown);
  return out;
}

void Board::read(unsigned chip, std::uint64_t addr, std::span<std::uint8_t> bytes) const {
  if (chip >= chips() || !impl_->chips[chip]->read(addr, bytes))
    throw std::out_of_range(
        fmt::format("no memory at chip {} addr {:#x}, {} bytes", chip, addr, bytes.size()));
}

std::uint32_t Board::read_psum(unsigned chip, unsigned core, unsigned partition,
                               unsigned column) const {
  return impl_->chips.at(chip)->core(core).psum.row(column)[partition];
}

unsigned Board::semaphore(unsigned chip, unsigned sem) const {
  return impl_->chips.at(chip)->semaphores().value(sem);
}

SequencerStatus Board::sequencer(unsigned chip, unsigned core, unsigned index) const {
  return impl_->chips.at(chip)->core(core).sequencers.at(index).status();
}

std::string Board::disassemble(unsigned chip, unsigned core, unsigned index,
                               std::uint32_t pc) const {
  const auto& model = *impl_->chips.at(chip);
  const auto& sequencer = model.core(core).sequencers.at(index);
  return pc < sequencer.count() ? cmodel::disassemble(sequencer.peek(model.hbm(), pc)) : "?";
}

std::string Board::disassemble(const StreamId& stream, std::uint32_t at) const {
  const auto [unit, pc] = place_of(stream.engine, at);
  if (stream.chip >= chips() || stream.core >= defs::kCores) return "?";
  if (unit < defs::kSequencers) return disassemble(stream.chip, stream.core, unit, pc);
  const auto& chip = *impl_->chips[stream.chip];
  const auto& rings = chip.core(stream.core).rings;
  const unsigned engine = stream.engine - kDma0;
  if (stream.engine < kDma0 || engine >= rings.size() || rings[engine].count == 0) return "?";
  defs::Descriptor::Words words{};
  const std::uint64_t slot = pc % rings[engine].count;
  if (!chip.read(rings[engine].base + slot * defs::kInstrBytes,
                 {reinterpret_cast<std::uint8_t*>(words.data()), defs::kInstrBytes}))
    return "?";
  return cmodel::disassemble(defs::Descriptor::from(words));
}

std::uint64_t Board::pe_work(unsigned chip, unsigned core) const {
  return impl_->chips.at(chip)->core(core).tensor.pe_work();
}

const WorkCounters& Board::counters() const { return impl_->work; }

const Chip& Board::machine(unsigned chip) const { return *impl_->chips.at(chip); }

const Trace& Board::trace() const { return impl_->observers.trace(); }

std::string Board::races() const { return impl_->observers.races(); }

void Board::corrupt(const Cell& cell, std::uint8_t mask) {
  auto& chip = *impl_->chips.at(cell.chip);
  if (cell.memory == Cell::Memory::Psum) {
    auto& psum = chip.core(cell.core & 1).psum;
    const auto column = static_cast<unsigned>(cell.addr / 4);
    if (column >= impl_->sizes.psum_banks * impl_->sizes.psum_cols ||
        cell.partition >= impl_->sizes.partitions)
      throw std::out_of_range("no such PSUM byte");
    psum.row(column)[cell.partition] ^= std::uint32_t{mask} << (8 * (cell.addr % 4));
    return;
  }
  const std::uint64_t addr = cell.memory == Cell::Memory::Hbm
                                 ? cell.addr
                                 : sbuf_addr(cell.core & 1, cell.partition, cell.addr);
  std::uint8_t byte = 0;
  read(cell.chip, addr, {&byte, 1});
  byte ^= mask;
  chip.write(addr, {&byte, 1});
}

const LivenessLog& Board::liveness() const { return impl_->observers.liveness(); }

bool Board::live(const Cell& cell, const StreamPositions& after) const {
  const auto next = liveness().next_access(cell, after);
  if (next.kind == NextAccess::Kind::Read) return true;
  if (next.kind == NextAccess::Kind::Overwritten) return false;
  // Compared at the end.
  if (cell.memory == Cell::Memory::Hbm) return true;
  const CoreState& core = impl_->chips.at(cell.chip)->core(cell.core & 1);
  if (cell.memory == Cell::Memory::Psum)
    return core.psum.written(static_cast<unsigned>(cell.addr / 4), cell.partition);
  return core.sbuf.written(cell.partition, static_cast<std::uint32_t>(cell.addr)) >>
             cell.addr % defs::kSbufWordBytes &
         1;
}

bool Board::psum_live(unsigned chip, unsigned core, unsigned partition, unsigned column,
                      const StreamPositions& after) const {
  return live({Cell::Memory::Psum, static_cast<std::uint8_t>(chip), static_cast<std::uint8_t>(core),
               static_cast<std::uint16_t>(partition), column * 4ull},
              after);
}

const defs::Sizes& Board::sizes() const { return impl_->sizes; }
unsigned Board::chips() const { return static_cast<unsigned>(impl_->chips.size()); }

}  // namespace cmodel
