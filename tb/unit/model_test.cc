// SPDX-License-Identifier: Apache-2.0
// The whole golden model on tiny programs, against naive loops in double precision.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "cmodel/board.h"
#include "cmodel/disassemble.h"
#include "cmodel/fp.h"
#include "tb/unit/tiny_program.h"

namespace {

using cmodel::Board;
using cmodel::BoardOptions;
using cmodel::Commit;
using cmodel::CommitKind;
using cmodel::sbuf_addr;
using cmodel::StreamId;
using defs::Engine;
using defs::ErrorCause;
using defs::Opcode;
using tb::copy_rows;
using tb::psum32;
using tb::ring_dma;
using tb::sbuf16;
using tb::sbuf32;
using tb::TinyInstr;
using tb::TinyProgram;

const defs::Sizes& kSizes = defs::kMini;
constexpr unsigned kP = defs::kMini.partitions;
constexpr auto kStride = static_cast<std::int64_t>(defs::kSbufStride);

/// Keeps everything, per stream and list.
struct Recorder : cmodel::CommitSink {
  struct Entry {
    Commit commit;
    std::vector<std::uint8_t> data;
    bool operator==(const Entry&) const = default;
  };
  std::map<StreamId, std::vector<Entry>> writes, updates;
  std::vector<Entry> all;
  void commit(const Commit& commit, std::span<const std::uint8_t> data) override {
    const Entry entry{commit, {data.begin(), data.end()}};
    (commit.kind == CommitKind::Semaphore ? updates : writes)[commit.stream].push_back(entry);
    all.push_back(entry);
  }
  unsigned count(CommitKind kind) const {
    return static_cast<unsigned>(std::count_if(
        all.begin(), all.end(), [&](const Entry& entry) { return entry.commit.kind == kind; }));
  }
};

StreamId stream(unsigned chip, unsigned core, Engine engine, unsigned offset = 0) {
  return {static_cast<std::uint8_t>(chip), static_cast<std::uint8_t>(core),
          static_cast<std::uint8_t>(static_cast<unsigned>(engine) + offset), 0, 0};
}

std::vector<std::uint8_t> bf16_bytes(const std::vector<float>& values) {
  std::vector<std::uint8_t> out;
  for (const float value : values) {
    const std::uint16_t bits = cmodel::fp::fp32_to_bf16(std::bit_cast<std::uint32_t>(value));
    out.push_back(static_cast<std::uint8_t>(bits));
    out.push_back(static_cast<std::uint8_t>(bits >> 8));
  }
  return out;
}
std::vector<std::uint8_t> fp32_bytes(const std::vector<float>& values) {
  std::vector<std::uint8_t> out(values.size() * 4);
  std::memcpy(out.data(), values.data(), out.size());
  return out;
}
float bf16_at(std::span<const std::uint8_t> bytes, std::size_t index) {
  std::uint16_t bits;
  std::memcpy(&bits, bytes.data() + 2 * index, 2);
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}
float fp32_at(std::span<const std::uint8_t> bytes, std::size_t index) {
  float value;
  std::memcpy(&value, bytes.data() + 4 * index, 4);
  return value;
}
std::vector<float> random_bf16(std::size_t count, std::mt19937& rng) {
  std::uniform_real_distribution<float> uniform(-2, 2);
  std::vector<float> out(count);
  for (auto& value : out) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(uniform(rng));
    value = std::bit_cast<float>(bits & 0xffff0000u);
  }
  return out;
}
std::vector<std::uint8_t> read_back(const Board& board, unsigned chip, std::uint64_t addr,
                                    std::size_t size) {
  std::vector<std::uint8_t> out(size);
  board.read(chip, addr, out);
  return out;
}

/// relu(A x B + bias) on core `core` of chip 0: K = 2P by two tiles, M = P, N columns. HBM: A at
/// 0x0 [K][M] bf16, B at 0x8000 [K][N] bf16, bias at 0xc000 [M] fp32, result at 0xe000 [M][N] fp32.
struct Matmul {
  static constexpr unsigned kN = 24;
  std::vector<float> a, b, bias;

  explicit Matmul(unsigned seed) {
    std::mt19937 rng(seed);
    a = random_bf16(2 * kP * kP, rng);
    b = random_bf16(2 * kP * kN, rng);
    bias = random_bf16(kP, rng);
  }
  void write(TinyProgram& program, unsigned core = 0) const {
    program.data(0, 0x0, bf16_bytes(a));
    program.data(0, 0x8000, bf16_bytes(b));
    program.data(0, 0xc000, fp32_bytes(bias));
    program.region("out", 0, 0xe000, kP * kN * 4);
    for (unsigned tile = 0; tile < 2; ++tile) {
      auto weights = copy_rows(0, tile * kP * kP * 2, sbuf_addr(core, 0, 0x100 * tile), kP, kP * 2,
                               kP * 2, kStride);
      auto moving =
          copy_rows(0, 0x8000 + tile * kP * kN * 2, sbuf_addr(core, 0, 0x400 + 0x100 * tile), kP,
                    kN * 2, kN * 2, kStride);
      weights.update = moving.update = 1;
      weights.update_sem = moving.update_sem = 1;
      weights.update_delta = moving.update_delta = 1;
      program.add(0, core, 0, weights);
      program.add(0, core, 1, moving);
    }
    auto bias_in = copy_rows(0, 0xc000, sbuf_addr(core, 0, 0x800), kP, 4, 4, kStride);
    bias_in.update = 1;
    bias_in.update_sem = 2;
    bias_in.update_delta = 1;
    program.add(0, core, 2, bias_in);
    auto out = copy_rows(0, sbuf_addr(core, 0, 0xa00), 0xe000, kP, kN * 4, kStride, kN * 4);
    out.update = 1;
    out.update_sem = 5;
    out.update_delta = 1;
    program.add(0, core, 3, out);

    program.add(0, core, Engine::Sync, ring_dma(0, 2));
    program.add(0, core, Engine::Sync, ring_dma(1, 2));
    program.add(0, core, Engine::Sync, ring_dma(2, 1));
    program.add(0, core, Engine::Sync, ring_dma(3, 1).wait(4, 1));
    program.add(0, core, Engine::Sync, TinyInstr(Opcode::Nop).wait(5, 1));

    for (unsigned tile = 0; tile < 2; ++tile) {
      program.add(
          0, core, Engine::Tensor,
          TinyInstr(Opcode::LoadStationary).shape(kP, kP).from(sbuf16(0x100 * tile)).wait(1, 4));
      TinyInstr multiply(Opcode::MultiplyMoving);
      multiply.shape(kP, kN).from(sbuf16(0x400 + 0x100 * tile)).to(psum32(0x40));
      if (tile) multiply.acc().then(3);
      program.add(0, core, Engine::Tensor, multiply);
    }
    TinyInstr act(Opcode::Activate);
    act.with(defs::ActFunc::Relu).shape(kP, kN).from(psum32(0x40)).and_from(sbuf32(0x800, 0));
    act.to(sbuf32(0xa00)).wait(3, 1).then(4);
    program.add(0, core, Engine::Act, TinyInstr(Opcode::Nop).wait(2, 1));
    program.add(0, core, Engine::Act, act);
  }
  double expected(unsigned m, unsigned n, double& magnitude) const {
    double sum = bias[m];
    magnitude = std::abs(sum);
    for (unsigned k = 0; k < 2 * kP; ++k) {
      const double product = static_cast<double>(a[k * kP + m]) * b[k * kN + n];
      sum += product;
      magnitude += std::abs(product);
    }
    return std::max(sum, 0.0);
  }
  void check(const Board& board) const {
    const auto out = read_back(board, 0, 0xe000, kP * kN * 4);
    for (unsigned m = 0; m < kP; ++m)
      for (unsigned n = 0; n < kN; ++n) {
        double magnitude = 0;
        const double want = expected(m, n, magnitude);
        EXPECT_NEAR(fp32_at(out, m * kN + n), want, magnitude * 1e-6) << m << "," << n;
      }
  }
};

TEST(Model, ComputesAMatmulWithBiasAndRelu) {
  for (const unsigned core : {0u, 1u}) {
    const Matmul matmul(7 + core);
    TinyProgram tiny(kSizes, 1);
    matmul.write(tiny, core);
    const auto program = tiny.build();
    cmodel::validate_program(program, "matmul");
    Recorder recorder;
    BoardOptions options;
    options.detect_races = true;
    Board board(kSizes, program, recorder, options);
    board.load();
    EXPECT_TRUE(board.run()) << board.blocked();
    EXPECT_TRUE(board.errors().empty());
    EXPECT_EQ(board.races(), "");
    matmul.check(board);
    EXPECT_EQ(recorder.writes[stream(0, core, Engine::Tensor)].size(), 2 * Matmul::kN);
    EXPECT_EQ(recorder.writes[stream(0, core, Engine::Act)].size(), Matmul::kN);
    EXPECT_EQ(board.semaphore(0, 1), 4u);
    EXPECT_EQ(board.counters().macs, 2ull * kP * kP * Matmul::kN);
    EXPECT_EQ(board.pe_work(0, core), 2ull * kP * kP * Matmul::kN);
    EXPECT_EQ(board.sequencer(0, core, 0).pc, 4u) << "at END";
    // One row of PSUM: N column tile column 0, first tile.
    const auto& row = recorder.writes[stream(0, core, Engine::Tensor)][0].commit;
    EXPECT_EQ(row.kind, CommitKind::PsumRow);
    EXPECT_EQ(row.addr, 0x40u);
    EXPECT_EQ(row.count, kP);
    EXPECT_EQ(row.element_bytes, 4);
    EXPECT_EQ(row.pc, 1u);
  }
}

TEST(Model, LoadsSegmentsAsTheHostDoes) {
  TinyProgram tiny(kSizes, 1);
  tiny.data(0, 0x40, std::vector<std::uint8_t>(130, 0x77));
  Recorder recorder;
  const auto program = tiny.build();
  Board board(kSizes, program, recorder);
  board.load();
  const auto& host = recorder.writes[stream(0, 0, Engine::Host)];
  ASSERT_EQ(host.size(), 3u);
  EXPECT_EQ(host[0].commit.addr, 0x40u);
  EXPECT_EQ(host[0].commit.count, 64);
  EXPECT_EQ(host[2].commit.addr, 0xc0u);
  EXPECT_EQ(host[2].commit.count, 2);
  EXPECT_TRUE(board.finished()) << "nothing to do";
  EXPECT_FALSE(board.step());
  EXPECT_EQ(read_back(board, 0, 0xc0, 4), (std::vector<std::uint8_t>{0x77, 0x77, 0, 0}));
  std::vector<std::uint8_t> byte(1);
  EXPECT_THROW(board.read(0, 0x4'0000'0000, byte), std::out_of_range);
  EXPECT_THROW(board.read(0, sbuf_addr(0, kP, 0), byte), std::out_of_range);
}

/// Chip 0 sends 2 rows of 1500 bytes to the other chip's HBM 1 and notifies; chip 1 copies them
/// into its SBUF, doubles them there, and sends them to chip 0's SBUF of core 1.
void ping_pong(TinyProgram& tiny, std::vector<float>& values) {
  std::mt19937 rng(3);
  values = random_bf16(2 * 750, rng);
  tiny.data(0, 0x40, bf16_bytes(values));
  const std::uint64_t far = 0x10'0000'2000;
  auto send = copy_rows(1, 0x40, far, 2, 1500, 1500, 1536);
  send.vn = 2;
  send.notify = 1;
  send.notify_sem = 256 + 7;
  send.update = 1;
  send.update_sem = 3;
  send.update_delta = 2;
  tiny.add(0, 0, 3, send);
  tiny.add(0, 0, Engine::Sync, ring_dma(3, 1));

  auto in = copy_rows(1, far, sbuf_addr(1, 0, 0), 2, 1500, 1536, kStride);
  in.update = 1;
  in.update_sem = 256 + 8;
  in.update_delta = 1;
  tiny.add(1, 1, 0, in);
  auto back = copy_rows(0, sbuf_addr(1, 0, 4096), sbuf_addr(1, 2, 64), 2, 1500, kStride, kStride);
  back.vn = 1;
  back.notify = 1;
  back.notify_sem = 256 + 9;
  tiny.add(1, 1, 1, back);
  tiny.add(1, 1, Engine::Sync, ring_dma(0, 1).wait(256 + 7, 1));
  tiny.add(1, 1, Engine::Sync, ring_dma(1, 1).wait(256 + 10, 1));
  TinyInstr twice(Opcode::TensorTensor);
  twice.with(defs::AluOp::Add).shape(2, 750).from(sbuf16(0)).and_from(sbuf16(0)).to(sbuf16(4096));
  tiny.add(1, 1, Engine::Vector, twice.wait(256 + 8, 1).then(256 + 10));
  tiny.add(0, 1, Engine::Act, TinyInstr(Opcode::Nop).wait(256 + 9, 1));
}

TEST(Model, SendsRowsToAnotherChipAndNotifies) {
  TinyProgram tiny(kSizes, 2);
  std::vector<float> values;
  ping_pong(tiny, values);
  Recorder recorder;
  BoardOptions options;
  options.detect_races = true;
  const auto program = tiny.build();
  Board board(kSizes, program, recorder, options);
  board.load();
  ASSERT_TRUE(board.run()) << board.blocked();
  EXPECT_TRUE(board.errors().empty());
  EXPECT_EQ(board.races(), "");
  EXPECT_EQ(board.counters().messages, 8u);
  for (unsigned row = 0; row < 2; ++row) {
    const auto out = read_back(board, 0, sbuf_addr(1, 2 + row, 64), 1500);
    for (unsigned i = 0; i < 750; ++i)
      EXPECT_EQ(bf16_at(out, i),
                std::bit_cast<float>(static_cast<std::uint32_t>(cmodel::fp::fp32_to_bf16(
                                         std::bit_cast<std::uint32_t>(2 * values[row * 750 + i])))
                                     << 16));
  }

  const StreamId rx{1, 0, static_cast<std::uint8_t>(Engine::Rx), 0, 2 << 5 | 0 << 4 | 3};
  const auto& writes = recorder.writes[rx];
  std::vector<unsigned> messages;
  for (const auto& entry : writes) {
    if (entry.commit.kind != CommitKind::Message) continue;
    messages.push_back(entry.commit.count);
    std::array<std::uint32_t, 4> words;
    std::memcpy(words.data(), entry.data.data(), 16);
    const auto header = defs::Header::from(words);
    EXPECT_EQ(header.dst, 1);
    EXPECT_EQ(header.src, 0);
    EXPECT_EQ(header.lport, 1) << "HBM 1";
    EXPECT_EQ(header.vn, 2);
    EXPECT_EQ(header.bytes, entry.commit.count);
    EXPECT_EQ(header.len, 1 + (entry.commit.count + 63) / 64);
    const bool last = messages.size() == 4;
    EXPECT_EQ(header.op,
              static_cast<unsigned>(last ? defs::PktOp::WriteNotify : defs::PktOp::Write));
    if (last) {
      EXPECT_EQ(header.tag, 7);
      EXPECT_EQ(header.group, 1 | 3 << 1);
    }
  }
  EXPECT_EQ(messages, (std::vector<unsigned>{1024, 476, 1024, 476}));
  ASSERT_EQ(recorder.updates[rx].size(), 1u);
  EXPECT_EQ(recorder.updates[rx][0].commit.addr, 256u + 7);
  EXPECT_EQ(recorder.updates[rx][0].commit.delta, 1);
  const auto sender = stream(0, 0, Engine::Dma0, 3);
  EXPECT_TRUE(recorder.writes[sender].empty()) << "no burst at the source";
  ASSERT_EQ(recorder.updates[sender].size(), 1u);
  EXPECT_EQ(recorder.updates[sender][0].commit.delta, 2);
}

TEST(Model, AnySchedulingGivesTheSameStreams) {
  TinyProgram tiny(kSizes, 2);
  std::vector<float> values;
  ping_pong(tiny, values);
  // A second, independent job on the other core of chip 0 (its HBM part lies elsewhere).
  const auto program = tiny.build();
  Recorder reference;
  Board first(kSizes, program, reference);
  first.load();
  ASSERT_TRUE(first.run());
  const Matmul matmul(11);
  TinyProgram tiny2(kSizes, 1);
  matmul.write(tiny2);
  const auto program2 = tiny2.build();
  Recorder reference2;
  Board first2(kSizes, program2, reference2);
  first2.load();
  ASSERT_TRUE(first2.run());
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    BoardOptions options;
    options.order_seed = seed;
    Recorder other, other2;
    Board board(kSizes, program, other, options), board2(kSizes, program2, other2, options);
    board.load();
    board2.load();
    ASSERT_TRUE(board.run());
    ASSERT_TRUE(board2.run());
    EXPECT_EQ(other.writes, reference.writes) << "seed " << seed;
    EXPECT_EQ(other.updates, reference.updates) << "seed " << seed;
    EXPECT_EQ(other2.writes, reference2.writes) << "seed " << seed;
    EXPECT_EQ(other2.updates, reference2.updates) << "seed " << seed;
  }
}

/// Runs one instruction on an engine of an otherwise idle chip; returns the first error.
cmodel::ErrorRecord error_of(Engine engine, const defs::Instr& instr) {
  TinyProgram tiny(kSizes, 1);
  tiny.add(0, 0, engine, instr);
  tiny.add(0, 1, Engine::Act, TinyInstr(Opcode::Nop).then(20));
  const auto program = tiny.build();
  Recorder recorder;
  Board board(kSizes, program, recorder);
  board.load();
  EXPECT_TRUE(board.run());
  EXPECT_EQ(board.semaphore(0, 20), 1u) << "the rest of the board goes on";
  EXPECT_EQ(recorder.count(CommitKind::Error), board.errors().size());
  if (board.errors().empty()) return {};
  EXPECT_EQ(board.sequencer(0, 0, static_cast<unsigned>(engine)).state,
            cmodel::SequencerStatus::State::Error);
  return board.errors()[0];
}

TEST(Model, RefusesBadInstructionsByName) {
  const auto cause = [](Engine engine, const defs::Instr& instr) {
    return error_of(engine, instr).cause;
  };
  const TinyInstr nop(Opcode::Nop);
  EXPECT_EQ(cause(Engine::Tensor, nop), ErrorCause::None);
  EXPECT_EQ(cause(Engine::Tensor, TinyInstr(Opcode::Activate)), ErrorCause::UnknownOpcode);
  EXPECT_EQ(cause(Engine::Vector, TinyInstr(Opcode::MultiplyMoving)), ErrorCause::UnknownOpcode);
  EXPECT_EQ(cause(Engine::Act, TinyInstr(Opcode::TensorCopy)), ErrorCause::UnknownOpcode);
  EXPECT_EQ(cause(Engine::Sync, TinyInstr(static_cast<Opcode>(99))), ErrorCause::UnknownOpcode);
  auto instr = nop;
  instr.size1 = 1;
  EXPECT_EQ(cause(Engine::Sync, instr), ErrorCause::ReservedBits);
  instr = nop;
  instr.wait_op = 3;
  EXPECT_EQ(cause(Engine::Act, instr), ErrorCause::ReservedBits);
  EXPECT_EQ(cause(Engine::Act, TinyInstr(Opcode::Nop).then(1, -1)), ErrorCause::SemaphoreOverflow);
  EXPECT_EQ(cause(Engine::Sync, ring_dma(4, 1)), ErrorCause::QueueOverflow);
  EXPECT_EQ(cause(Engine::Sync, ring_dma(0, 0)), ErrorCause::BadShape);
  EXPECT_EQ(cause(Engine::Vector,
                  TinyInstr(Opcode::TensorCopy).shape(kP, 8).from(sbuf32(8192 - 16)).to(sbuf32(0))),
            ErrorCause::OutOfBounds);
  const auto error = error_of(
      Engine::Tensor, TinyInstr(Opcode::MultiplyMoving).shape(kP, 8).from(sbuf16(0)).to(psum32(0)));
  EXPECT_EQ(error.cause, ErrorCause::BadShape) << "no LOAD_STATIONARY before";
  EXPECT_EQ(error.pc, 0u);
  EXPECT_EQ(error.stream, stream(0, 0, Engine::Tensor));
}

TEST(Model, AStreamWithoutEndIsAnError) {
  TinyProgram tiny(kSizes, 1);
  tiny.add(0, 0, Engine::Act, TinyInstr(Opcode::Nop).then(1));
  const auto program = tiny.build(false);
  Recorder recorder;
  Board board(kSizes, program, recorder);
  board.load();
  EXPECT_TRUE(board.run());
  ASSERT_EQ(board.errors().size(), 1u);
  EXPECT_EQ(board.errors()[0].cause, ErrorCause::OutOfBounds);
  EXPECT_EQ(board.errors()[0].pc, 1u);
}

/// Runs one descriptor and returns the error of its engine.
cmodel::ErrorRecord error_of(const defs::Descriptor& descriptor, unsigned chips = 2) {
  TinyProgram tiny(kSizes, chips);
  tiny.add(0, 1, 2, descriptor);
  tiny.add(0, 1, Engine::Sync, ring_dma(2, 1));
  const auto program = tiny.build();
  Recorder recorder;
  Board board(kSizes, program, recorder);
  board.load();
  EXPECT_TRUE(board.run());
  if (board.errors().empty()) return {};
  EXPECT_EQ(board.errors()[0].stream, stream(0, 1, Engine::Dma0, 2));
  EXPECT_EQ(recorder.count(CommitKind::MemBurst),
            recorder.writes[stream(0, 0, Engine::Host)].size())
      << "no effect of a refused descriptor";
  return board.errors()[0];
}

TEST(Model, RefusesBadDescriptorsByName) {
  const auto good = copy_rows(0, 0x0, 0x1000, 2, 64, 64, 64);
  EXPECT_EQ(error_of(good).cause, ErrorCause::None);
  auto bad = good;
  bad.rows = 0;
  EXPECT_EQ(error_of(bad).cause, ErrorCause::BadDescriptor);
  bad = good;
  bad.src = 0x4'0000'0000;
  EXPECT_EQ(error_of(bad).cause, ErrorCause::UnmappedAddress);
  bad = good;
  bad.rows = 1;
  bad.dst = sbuf_addr(0, 0, kSizes.sbuf_bytes - 32);
  EXPECT_EQ(error_of(bad).cause, ErrorCause::UnmappedAddress);
  bad = good;
  bad.src = 2;
  EXPECT_EQ(error_of(bad).cause, ErrorCause::Misaligned);
  bad = good;
  bad.dst_chip = 2;
  bad.vn = 1;
  EXPECT_EQ(error_of(bad).cause, ErrorCause::BadDestination);
  bad = good;
  bad.reserved_mid = 1;
  EXPECT_EQ(error_of(bad).cause, ErrorCause::ReservedBits);
}

TEST(Model, MoreThan65535DoorbellsAheadAreAllServed) {
  TinyProgram tiny(kSizes, 1);
  auto copy = copy_rows(0, 0x0, 0x1000, 1, 64, 0, 0);
  copy.update = copy.update_delta = 1;
  tiny.add(0, 0, 0, copy);
  copy.update_sem = 1;
  tiny.add(0, 0, 0, copy);
  for (int i = 0; i < 2; ++i) tiny.add(0, 0, Engine::Sync, ring_dma(0, 0xffff));
  const auto program = tiny.build();
  Recorder recorder;
  Board board(kSizes, program, recorder);
  board.load();
  EXPECT_TRUE(board.run());
  EXPECT_TRUE(board.errors().empty());
  EXPECT_EQ(board.semaphore(0, 0), 65535u);
  EXPECT_EQ(board.semaphore(0, 1), 65535u);
}

TEST(Model, ARingWraps) {
  TinyProgram tiny(kSizes, 1);
  for (unsigned i = 0; i < 2; ++i) {
    auto copy = copy_rows(0, 0x0, 0x1000 + 64 * i, 1, 64, 0, 0);
    copy.update = 1;
    copy.update_sem = 5 + i;
    copy.update_delta = 1;
    tiny.add(0, 0, 0, copy);
  }
  tiny.add(0, 0, Engine::Sync, ring_dma(0, 2));
  tiny.add(0, 0, Engine::Sync, ring_dma(0, 3).wait(6, 1));
  const auto program = tiny.build();
  Recorder recorder;
  Board board(kSizes, program, recorder);
  board.load();
  EXPECT_TRUE(board.run());
  EXPECT_EQ(board.semaphore(0, 5), 3u);
  EXPECT_EQ(board.semaphore(0, 6), 2u);
  EXPECT_EQ(recorder.writes[stream(0, 0, Engine::Dma0)].back().commit.pc, 4u) << "counts on";
}

TEST(Model, ADmaEngineWithoutARingStopsWhenRung) {
  TinyProgram tiny(kSizes, 1);
  tiny.add(0, 0, Engine::Sync, ring_dma(1, 1));
  const auto program = tiny.build();
  Recorder recorder;
  Board board(kSizes, program, recorder);
  board.load();
  EXPECT_TRUE(board.run());
  ASSERT_EQ(board.errors().size(), 1u);
  EXPECT_EQ(board.errors()[0].cause, ErrorCause::BadDescriptor);
}

TEST(Model, SaysWhoWaitsForWhat) {
  TinyProgram tiny(kSizes, 2);
  tiny.add(1, 1, Engine::Act, TinyInstr(Opcode::Nop).then(256 + 12, 3));
  tiny.add(1, 1, Engine::Act, TinyInstr(Opcode::Nop).wait(256 + 12, 4));
  tiny.add(0, 0, Engine::Vector, TinyInstr(Opcode::Nop));
  const auto program = tiny.build();
  Recorder recorder;
  Board board(kSizes, program, recorder);
  board.load();
  EXPECT_FALSE(board.run());
  EXPECT_FALSE(board.finished());
  EXPECT_EQ(
      board.blocked(),
      "chip 1 core 1 Act pc 1: waits for semaphore 1.12 >= 4, is 3; next: NOP wait 1.12 >= 4\n");
}

TEST(Model, DisassemblesForReports) {
  EXPECT_EQ(
      cmodel::disassemble(TinyInstr(Opcode::MultiplyMoving)
                              .shape(16, 64)
                              .from(sbuf16(0x100))
                              .to(psum32(0x40))
                              .acc()
                              .wait(256, 4)
                              .then(3, -1)),
      "MULTIPLY_MOVING acc partitions 16 size 1x1x1x64 src0 sbuf.bf16[p0 +0x100 s 0,0,0,1] -> "
      "psum.fp32[p0 +0x40 s 0,0,0,1] wait 1.0 >= 4 update 0.3 += -1");
  EXPECT_EQ(cmodel::disassemble(ring_dma(3, 2)), "DMA_TRIGGER dma 3 x 2");
  auto copy = copy_rows(1, 0x40, 0x80, 2, 1500, 1500, -64);
  copy.vn = 1;
  copy.notify = 1;
  copy.notify_sem = 260;
  EXPECT_EQ(cmodel::disassemble(copy),
            "DMA 2 rows x 1500 B 0x40 (+1500) -> chip 1 0x80 (-64) vn 1 notify 1.4");
}

TEST(Model, KnowsWhichCellsStillMatter) {
  const Matmul matmul(5);
  TinyProgram tiny(kSizes, 1);
  matmul.write(tiny);
  const auto program = tiny.build();
  Recorder recorder;
  BoardOptions options;
  options.track_liveness = true;
  Board board(kSizes, program, recorder, options);
  board.load();
  ASSERT_TRUE(board.run());
  using Cell = cmodel::Cell;
  using Kind = cmodel::NextAccess::Kind;
  const auto tensor = stream(0, 0, Engine::Tensor), act = stream(0, 0, Engine::Act);
  const auto host = stream(0, 0, Engine::Host), out = stream(0, 0, Engine::Dma0, 3);
  const auto done = [&](const StreamId& id) { return recorder.writes[id].size(); };
  cmodel::StreamPositions after{{host, done(host)}};
  // Before anything ran: weights in HBM are read; PSUM and SBUF are overwritten first.
  const auto next = [&](const Cell& cell) {
    return board.liveness().next_access(cell, after).kind;
  };
  EXPECT_EQ(next({Cell::Memory::Hbm, 0, 0, 0, 0x10}), Kind::Read);
  EXPECT_EQ(next({Cell::Memory::Hbm, 0, 0, 0, 0x9'0000}), Kind::None);
  EXPECT_EQ(next({Cell::Memory::Sbuf, 0, 0, 3, 0x104}), Kind::Overwritten);
  EXPECT_EQ(next({Cell::Memory::Psum, 0, 0, 3, 0x44}), Kind::Overwritten);
  EXPECT_EQ(next({Cell::Memory::Psum, 0, 1, 3, 0x44}), Kind::None) << "the other core";
  EXPECT_EQ(next({Cell::Memory::Psum, 0, 0, 3, 0x3c}), Kind::None) << "left of the tile";
  EXPECT_FALSE(board.psum_live(0, 0, 3, 0x44 / 4, after));
  // First tile in PSUM: the accumulating matmul reads it.
  after[tensor] = Matmul::kN;
  EXPECT_TRUE(board.psum_live(0, 0, 3, 0x44 / 4, after));
  // All of PSUM written and read by the activation engine: dead.
  after[tensor] = done(tensor);
  after[act] = done(act);
  EXPECT_FALSE(board.psum_live(0, 0, 3, 0x44 / 4, after));
  EXPECT_TRUE(board.live({Cell::Memory::Sbuf, 0, 0, 3, 0xa00}, after)) << "the copy out is to come";
  // Everything done: only the region that the host reads matters.
  after[out] = done(out);
  EXPECT_FALSE(board.live({Cell::Memory::Sbuf, 0, 0, 3, 0xa00}, after));
  EXPECT_TRUE(board.live({Cell::Memory::Hbm, 0, 0, 0, 0xe000}, after));
  EXPECT_FALSE(board.live({Cell::Memory::Hbm, 0, 0, 0, 0xe000 + kP * Matmul::kN * 4}, after));
}

TEST(Model, ADeadCellCannotChangeARun) {
  const Matmul matmul(6);
  TinyProgram tiny(kSizes, 1);
  matmul.write(tiny);
  const auto program = tiny.build();
  Recorder reference;
  BoardOptions options;
  options.track_liveness = true;
  Board judge(kSizes, program, reference, options);
  judge.load();
  unsigned steps = 0;
  while (judge.step()) ++steps;
  const auto result = read_back(judge, 0, 0xe000, kP * Matmul::kN * 4);

  std::mt19937 rng(99);
  const auto below = [&](unsigned limit) { return static_cast<unsigned>(rng() % limit); };
  unsigned dead = 0, changed = 0;
  for (unsigned round = 0; round < 2500; ++round) {
    Recorder recorder;
    Board board(kSizes, program, recorder);
    board.load();
    for (unsigned stop = below(steps); stop > 0; --stop) board.step();
    cmodel::StreamPositions after;
    for (const auto& [id, list] : recorder.writes) after[id] = list.size();
    cmodel::Cell cell;
    cell.memory = static_cast<cmodel::Cell::Memory>(below(3));
    const bool hbm = cell.memory == cmodel::Cell::Memory::Hbm;
    cell.partition = hbm ? 0 : static_cast<std::uint16_t>(below(kP));
    cell.addr = hbm ? std::array{0x0u, 0x8000u, 0xc000u, 0xe000u}[below(4)] + below(512)
                    : (cell.memory == cmodel::Cell::Memory::Psum ? below(512) : below(0x1000));
    board.corrupt(cell, 0x40);
    board.run();
    const bool same = recorder.writes == reference.writes &&
                      recorder.updates == reference.updates &&
                      read_back(board, 0, 0xe000, result.size()) == result;
    if (!judge.live(cell, after)) {
      ++dead;
      EXPECT_TRUE(same) << "round " << round;
    }
    changed += !same;
  }
  EXPECT_GT(dead, 100u);
  EXPECT_GT(changed, 100u);
}

TEST(Model, ReportsARaceAndOnlyThen) {
  for (const bool ordered : {true, false}) {
    TinyProgram tiny(kSizes, 1);
    TinyInstr write(Opcode::TensorCopy), read(Opcode::Activate);
    write.shape(kP, 8).from(sbuf32(0)).to(sbuf32(0x100)).then(5);
    read.shape(kP, 8).from(sbuf32(0x110)).to(sbuf32(0x200));
    if (ordered) read.wait(5, 1);
    tiny.add(0, 0, Engine::Vector, write);
    tiny.add(0, 0, Engine::Act, read);
    const auto program = tiny.build();
    for (std::uint64_t seed = 0; seed < 4; ++seed) {
      Recorder recorder;
      BoardOptions options;
      options.detect_races = true;
      options.order_seed = seed;
      Board board(kSizes, program, recorder, options);
      board.load();
      ASSERT_TRUE(board.run());
      EXPECT_EQ(board.races().empty(), ordered) << board.races();
    }
  }
}

TEST(Model, ATransferThatNobodyWaitsForRacesWithTheHost) {
  for (const bool waits : {true, false}) {
    TinyProgram tiny(kSizes, 2);
    auto copy = copy_rows(1, 0x0, 0x1000, 1, 128, 0, 0);
    copy.vn = 1;
    copy.notify = 1;
    copy.notify_sem = 9;
    tiny.add(0, 0, 0, copy);
    tiny.add(0, 0, Engine::Sync, ring_dma(0, 1));
    if (waits) tiny.add(1, 0, Engine::Vector, TinyInstr(Opcode::Nop).wait(9, 1));
    tiny.region("out", 1, 0x1000, 128);
    const auto program = tiny.build();
    Recorder recorder;
    BoardOptions options;
    options.detect_races = true;
    Board board(kSizes, program, recorder, options);
    board.load();
    ASSERT_TRUE(board.run());
    EXPECT_EQ(board.races().empty(), waits) << board.races();
  }
}

}  // namespace
