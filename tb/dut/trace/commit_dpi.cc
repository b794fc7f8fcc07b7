// SPDX-License-Identifier: Apache-2.0
#include "tb/dut/trace/commit_dpi.h"

#include <svdpi.h>

#include <array>
#include <cstring>

namespace {

thread_local cmodel::CommitSink* sink = nullptr;
thread_local std::uint8_t chip = 0;
thread_local tb::IssueSink* issue_sink = nullptr;

cmodel::StreamId stream(int core, int engine, int src, int lane) {
  return {chip, static_cast<std::uint8_t>(core), static_cast<std::uint8_t>(engine),
          static_cast<std::uint8_t>(src), static_cast<std::uint8_t>(lane)};
}

/// Whose commit it is.
void name(cmodel::Commit& commit, int serial, int pc) {
  commit.pc = static_cast<std::uint32_t>(pc);
  commit.serial = static_cast<std::uint32_t>(serial);
}

const std::uint8_t* bytes_of(const svBitVecVal* words) {
  return reinterpret_cast<const std::uint8_t*>(words);  // the host is little-endian, as are we
}

}  // namespace

namespace tb {
void set_commit_sink(cmodel::CommitSink* new_sink, unsigned new_chip) {
  sink = new_sink;
  chip = static_cast<std::uint8_t>(new_chip);
}
void set_issue_sink(IssueSink* new_sink) { issue_sink = new_sink; }
}  // namespace tb

extern "C" {

void dodeca_commit_row(int kind, int core, int engine, int lane, int serial, int pc, long long addr,
                       int first, int count, int element_bytes, const svBitVecVal* data) {
  if (!sink) return;
  cmodel::Commit commit;
  commit.kind = static_cast<cmodel::CommitKind>(kind);
  commit.stream = stream(core, engine, 0, lane);
  name(commit, serial, pc);
  commit.addr = static_cast<std::uint64_t>(addr);
  commit.first = static_cast<std::uint16_t>(first);
  commit.count = static_cast<std::uint16_t>(count);
  commit.element_bytes = static_cast<std::uint8_t>(element_bytes);
  if (element_bytes == 4) {
    sink->commit(commit, {bytes_of(data), static_cast<std::size_t>(count) * 4});
    return;
  }
  std::array<std::uint8_t, 512> narrow{};
  for (int i = 0; i < count; ++i) std::memcpy(&narrow[i * element_bytes], &data[i], element_bytes);
  sink->commit(commit, {narrow.data(), static_cast<std::size_t>(count) * element_bytes});
}

void dodeca_commit_burst(int core, int engine, int src, int lane, int serial, int pc,
                         long long addr, int bytes, const svBitVecVal* data) {
  if (!sink) return;
  cmodel::Commit commit;
  commit.kind = cmodel::CommitKind::MemBurst;
  commit.stream = stream(core, engine, src, lane);
  name(commit, serial, pc);
  commit.addr = static_cast<std::uint64_t>(addr);
  commit.count = static_cast<std::uint16_t>(bytes);
  const std::size_t offset = commit.addr % DODECA_LINE_BYTES;
  sink->commit(commit, {bytes_of(data) + offset, static_cast<std::size_t>(bytes)});
}

void dodeca_commit_message(int src, int lane, const svBitVecVal* header, int bytes,
                           const svBitVecVal* payload) {
  if (!sink) return;
  cmodel::Commit commit;
  commit.kind = cmodel::CommitKind::Message;
  commit.stream = stream(0, static_cast<int>(defs::Engine::Rx), src, lane);
  commit.count = static_cast<std::uint16_t>(bytes);
  std::array<std::uint8_t, 16 + defs::kPacketBytes> data{};
  std::memcpy(data.data(), header, 16);
  data[0] = 0;  // hop: the route's business, not the message's
  std::memcpy(data.data() + 16, payload, static_cast<std::size_t>(bytes));
  sink->commit(commit, {data.data(), 16 + static_cast<std::size_t>(bytes)});
}

void dodeca_commit_semaphore(int core, int engine, int src, int lane, int serial, int pc, int sem,
                             int delta) {
  if (!sink) return;
  cmodel::Commit commit;
  commit.kind = cmodel::CommitKind::Semaphore;
  commit.stream = stream(core, engine, src, lane);
  name(commit, serial, pc);
  commit.addr = static_cast<std::uint64_t>(sem);
  commit.delta = delta;
  sink->commit(commit, {});
}

void dodeca_commit_error(int core, int engine, int serial, int pc, int cause) {
  if (!sink) return;
  cmodel::Commit commit;
  commit.kind = cmodel::CommitKind::Error;
  commit.stream = stream(core, engine, 0, 0);
  name(commit, serial, pc);
  commit.delta = cause;
  sink->commit(commit, {});
}

void dodeca_issue(int core, int sequencer, int pc, const svBitVecVal* instr) {
  if (issue_sink)
    issue_sink->issue(static_cast<unsigned>(core), static_cast<unsigned>(sequencer),
                      static_cast<std::uint32_t>(pc), bytes_of(instr));
}

}  // extern "C"
