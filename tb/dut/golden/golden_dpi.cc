// SPDX-License-Identifier: Apache-2.0
#include "tb/dut/golden/golden_dpi.h"

#include <svdpi.h>

#include <cstring>

namespace {

thread_local tb::GoldenChip* golden = nullptr;

constexpr std::size_t kLine = DODECA_LINE_BYTES;

}  // namespace

namespace tb {
void set_golden_chip(GoldenChip* chip) { golden = chip; }
}  // namespace tb

extern "C" {

void dodeca_golden_peer(int core, svBit shared, long long base, long long limit) {
  golden->set_peer(static_cast<unsigned>(core), {.limit = static_cast<std::uint64_t>(limit),
                                                 .base = static_cast<std::uint64_t>(base),
                                                 .shared = shared});
}

void dodeca_golden_ring(int core, int engine, long long base, int count) {
  golden->set_ring(static_cast<unsigned>(core), static_cast<unsigned>(engine),
                   static_cast<std::uint64_t>(base), static_cast<std::uint32_t>(count));
}

void dodeca_golden_start(int core, int sequencer, long long base, int count) {
  golden->start(static_cast<unsigned>(core), static_cast<unsigned>(sequencer),
                static_cast<std::uint64_t>(base), static_cast<std::uint32_t>(count));
}

svBit dodeca_golden_changed(int core) { return golden->take_change(static_cast<unsigned>(core)); }
svBit dodeca_golden_sends(int core) { return golden->sends(static_cast<unsigned>(core)); }
svBit dodeca_golden_quiet(int core) { return golden->quiet(static_cast<unsigned>(core)); }

void dodeca_golden_sequencer(int core, int sequencer, svBitVecVal* state, int* pc,
                             svBitVecVal* cause, svBit* ended) {
  const auto c = static_cast<unsigned>(core), s = static_cast<unsigned>(sequencer);
  const cmodel::SequencerStatus& status = golden->sequencer(c, s);
  *state = static_cast<svBitVecVal>(status.state);
  *pc = static_cast<int>(status.pc);
  *cause = static_cast<svBitVecVal>(status.cause);
  *ended = golden->take_end(c, s);
}

void dodeca_golden_dma(int core, int engine, svBit* stopped, svBitVecVal* cause, int* pc) {
  const auto& error = golden->dma_error(static_cast<unsigned>(core), static_cast<unsigned>(engine));
  *stopped = error.stopped;
  *cause = static_cast<svBitVecVal>(error.cause);
  *pc = static_cast<int>(error.pc);
}

void dodeca_golden_beat(int core, svBitVecVal* engine, svBitVecVal* dst, svBitVecVal* addr,
                        svBitVecVal* bytes, svBitVecVal* vn, svBit* last, svBit* notify,
                        svBitVecVal* sem, svBitVecVal* data) {
  const tb::MessageBeat beat = golden->take_beat(static_cast<unsigned>(core));
  *engine = beat.engine;
  *dst = beat.dst;
  addr[0] = static_cast<svBitVecVal>(beat.addr);
  addr[1] = static_cast<svBitVecVal>(beat.addr >> 32);
  *bytes = static_cast<svBitVecVal>(beat.data.size());
  *vn = beat.vn;
  *last = beat.last;
  *notify = beat.notify;
  *sem = beat.sem;
  std::memset(data, 0, kLine);
  std::memcpy(data, beat.data.data(), beat.data.size());
}

long long dodeca_golden_count(int core, int index) {
  return static_cast<long long>(
      golden->count(static_cast<unsigned>(core), static_cast<unsigned>(index)));
}

svBit dodeca_golden_mapped(long long addr) {
  return golden->mapped(static_cast<std::uint64_t>(addr));
}

void dodeca_golden_write(long long addr, int bytes, const svBitVecVal* line) {
  const auto at = static_cast<std::uint64_t>(addr);
  const auto* data = reinterpret_cast<const std::uint8_t*>(line);  // little-endian, as is the host
  golden->write(at, {data + at % kLine, static_cast<std::size_t>(bytes)});
}

void dodeca_golden_read(long long addr, svBitVecVal* line) {
  golden->read_line(static_cast<std::uint64_t>(addr),
                    {reinterpret_cast<std::uint8_t*>(line), kLine});
}

svBit dodeca_golden_update(int sem, int delta) {
  return golden->update(static_cast<unsigned>(sem), delta);
}

}  // extern "C"
