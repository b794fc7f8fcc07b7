// SPDX-License-Identifier: Apache-2.0
#include "cmodel/machine/chip.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstring>

#include "cmodel/machine/address_map.h"
#include "cmodel/machine/instruction.h"

namespace cmodel {

Chip::Chip(const defs::Sizes& sizes, unsigned id, unsigned chips, ChipPort& port)
    : sizes_(sizes), id_(id), chips_(chips), port_(port), naming_(port) {
  for (unsigned core = 0; core < defs::kCores; ++core)
    cores_[core] = std::make_unique<CoreState>(sizes, id, core, naming_);
}

void Chip::Naming::commit(const Commit& commit, std::span<const std::uint8_t> data) {
  Commit named = commit;
  named.pc = operation.pc;
  named.serial = operation.serial;
  port.commits().commit(named, data);
}

StreamId Chip::stream(unsigned core, unsigned engine) const {
  return {static_cast<std::uint8_t>(id_), static_cast<std::uint8_t>(core),
          static_cast<std::uint8_t>(engine), 0, 0};
}

// ------------------------------------------------------------------------------------- memory

bool Chip::read(std::uint64_t addr, std::span<std::uint8_t> bytes) const {
  if (bytes.empty()) return true;
  const Location at = decode(sizes_, addr, bytes.size());
  if (is_hbm(at.target)) {
    hbm_.read(addr, bytes);
  } else if (is_sbuf(at.target)) {
    cores_[at.target == Target::Sbuf1]->sbuf.read(at.partition,
                                                  static_cast<std::uint32_t>(at.offset), bytes);
  }
  return at.target != Target::Unmapped;
}

void Chip::check_written(std::uint64_t addr, std::size_t bytes) const {
  const Location at = decode(sizes_, addr, bytes);
  if (is_sbuf(at.target))
    cores_[at.target == Target::Sbuf1]->sbuf.check(at.partition, 1,
                                                   static_cast<std::uint32_t>(at.offset), bytes);
}

void Chip::report_unwritten(const StreamId& id) {
  for (std::uint8_t core = 0; core < defs::kCores; ++core) {
    const auto report = [&](Cell::Memory memory, const UnwrittenBytes& bytes) {
      if (bytes.count) port_.read_unwritten({id, naming_.operation, memory, core, bytes});
    };
    report(Cell::Memory::Sbuf, cores_[core]->sbuf.take_unwritten());
    report(Cell::Memory::Psum, cores_[core]->psum.take_unwritten());
  }
}

bool Chip::write(std::uint64_t addr, std::span<const std::uint8_t> bytes) {
  if (bytes.empty()) return true;
  const Location at = decode(sizes_, addr, bytes.size());
  if (is_hbm(at.target)) {
    hbm_.write(addr, bytes);
  } else if (is_sbuf(at.target)) {
    cores_[at.target == Target::Sbuf1]->sbuf.write(at.partition,
                                                   static_cast<std::uint32_t>(at.offset), bytes);
  }
  return at.target != Target::Unmapped;
}

void Chip::burst(const StreamId& id, std::uint64_t addr, std::span<const std::uint8_t> bytes) {
  [[maybe_unused]] const bool mapped = write(addr, bytes);
  assert(mapped);  // descriptors and host writes are checked whole before
  Commit commit;
  commit.kind = CommitKind::MemBurst;
  commit.stream = id;
  commit.addr = addr;
  commit.count = static_cast<std::uint16_t>(bytes.size());
  naming_.commit(commit, bytes);
}

bool Chip::update(const StreamId& id, const StreamId& list, unsigned sem, int delta) {
  if (!semaphores_.add(sem, delta)) return false;
  if (auto* observer = port_.observer()) observer->updated(id, id_, sem, delta);
  Commit commit;
  commit.kind = CommitKind::Semaphore;
  commit.stream = list;
  commit.addr = sem;
  commit.delta = delta;
  naming_.commit(commit, {});
  return true;
}

// --------------------------------------------------------------------------------------- host

void Chip::set_ring(unsigned core, unsigned engine, std::uint64_t base, std::uint32_t count) {
  auto& ring = cores_[core]->rings[engine];
  ring.base = base;
  ring.count = count;
}

void Chip::start(unsigned core, unsigned index, std::uint64_t base, std::uint32_t count) {
  auto& sequencer = cores_[core]->sequencers[index];
  sequencer.start(base, count);
  const auto cause = Sequencer::check_start(sizes_, core, cores_[core]->peer, base, count);
  if (cause == defs::ErrorCause::None) return;
  sequencer.stop(cause);
  port_.error({stream(core, index), 0, cause, sequencer.operation().serial});
}

void Chip::host_write(std::uint64_t addr, std::span<const std::uint8_t> bytes) {
  const StreamId id = stream(0, static_cast<unsigned>(defs::Engine::Host));
  auto* observer = port_.observer();
  naming_.operation = {};
  if (observer) observer->begin(id, 0);
  burst(id, addr, bytes);
  if (!observer) return;
  footprints_.clear();
  footprints_of_rows(id_, addr, 0, 1, static_cast<std::uint32_t>(bytes.size()), true, footprints_);
  observer->end(id, 0, footprints_);
}

// --------------------------------------------------------------------------------- sequencers

void Chip::take(const StreamId& id, const defs::Instr& instr) {
  if (instr.wait_op != static_cast<std::uint8_t>(defs::WaitOp::Take) || !instr.wait_value) return;
  StreamId takes = id;
  takes.lane = kTakes;
  [[maybe_unused]] const bool taken = update(id, takes, instr.wait_sem, -int{instr.wait_value});
  assert(taken);  // nothing happens between the wait and this
}

bool Chip::runnable_sequencer(unsigned core, unsigned index) {
  auto& sequencer = cores_[core]->sequencers[index];
  if (!sequencer.running()) return false;
  if (sequencer.exhausted()) return true;
  const auto& instr = sequencer.fetch(hbm_);
  return semaphores_.holds(instr.wait_op, instr.wait_sem, instr.wait_value) ||
         Sequencer::check_wait(instr, static_cast<defs::Engine>(index), core, cores_[core]->peer) !=
             defs::ErrorCause::None;
}

void Chip::run_sequencer(unsigned core, unsigned index) {
  CoreState& state = *cores_[core];
  auto& sequencer = state.sequencers[index];
  const StreamId id = stream(core, index);
  const OperationId operation = sequencer.operation();
  naming_.operation = operation;
  const auto stop = [&](defs::ErrorCause cause) {
    sequencer.stop(cause);
    port_.error({id, operation.pc, cause, operation.serial, operation.visit});
  };
  if (sequencer.exhausted()) return stop(defs::ErrorCause::OutOfBounds);
  ++port_.counters().instructions;
  const defs::Instr instr = sequencer.fetch(hbm_);
  sequencer.issue();
  auto* observer = port_.observer();
  // What it reads and writes goes with the rows that it commits.
  StreamId stream = id;
  if (index == static_cast<unsigned>(defs::Engine::Tensor))
    stream.lane = static_cast<std::uint8_t>(state.tensor.lane(instr));
  if (observer) {
    observer->begin(stream, operation);
    observer->issued(stream, operation, instr);
  }
  auto cause = Sequencer::check_wait(instr, static_cast<defs::Engine>(index), core, state.peer);
  if (cause == defs::ErrorCause::None) {
    take(id, instr);
    if (Sequencer::executes(instr))
      cause = sequencer.execute(instr, hbm_, core, state.peer);
    else
      cause = execute(state, id, instr, operation);
    report_unwritten(id);
  }
  if (cause != defs::ErrorCause::None) {
    if (observer) observer->end(stream, operation, {});
    return stop(cause);
  }
  if (observer) {
    footprints_.clear();
    footprints_of_rows(id_, sequencer.base() + std::uint64_t{operation.pc} * defs::kInstrBytes, 0,
                       1, defs::kInstrBytes, false, footprints_);
    footprints_of(instr, id_, core, state.tensor.columns(instr), footprints_);
    observer->end(stream, operation, footprints_);
  }
  if (instr.update && !starts_copy(instr) && !update(id, instr.update_sem, instr.update_delta))
    return stop(defs::ErrorCause::SemaphoreOverflow);
  sequencer.complete(instr);
}

defs::ErrorCause Chip::execute(CoreState& core, const StreamId& id, const defs::Instr& instr,
                               const OperationId& operation) {
  switch (static_cast<defs::Engine>(id.engine)) {
    case defs::Engine::Tensor: {
      const auto cause = core.tensor.execute(instr, operation.pc);
      if (cause != defs::ErrorCause::None) return cause;
      if (multiplies(instr))
        port_.counters().macs += std::uint64_t{core.tensor.columns(instr)} * instr.size3 *
                                 instr.size2 * instr.size1 * instr.size0 * instr.partitions;
      return cause;
    }
    case defs::Engine::Vector:
      return core.vector.execute(instr, operation.pc);
    case defs::Engine::Act:
      return core.act.execute(instr, operation.pc);
    default:
      return give_work(core, id, instr, operation);
  }
}

defs::ErrorCause Chip::give_work(CoreState& core, const StreamId& id, const defs::Instr& instr,
                                 const OperationId& operation) {
  const auto cause = instr_faults(sizes_, instr, defs::Engine::Sync).first_cause();
  if (cause != defs::ErrorCause::None) return cause;
  const auto [engine, count] = work_of(instr);
  if (count == 0) return defs::ErrorCause::BadShape;
  if (engine >= sizes_.dma_engines) return defs::ErrorCause::QueueOverflow;
  auto& ring = core.rings[engine];
  if (ring.stopped) return defs::ErrorCause::None;
  if (starts_copy(instr))
    ring.started.push_back(
        {ring.serial + ring.pending, operation.pc, operation.visit, started_copy(instr)});
  ring.pending += count;  // RTL may have to wait for room: time, not order
  if (auto* observer = port_.observer())
    observer->rang(id, stream(id.core, static_cast<unsigned>(defs::Engine::Dma0) + engine), count);
  return defs::ErrorCause::None;
}

}  // namespace cmodel
