// SPDX-License-Identifier: Apache-2.0
// Around the golden model in tests: a board that records, its numbers, and a job with an answer.
#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <map>
#include <random>
#include <utility>
#include <vector>

#include "cmodel/board/board.h"
#include "cmodel/machine/address_map.h"
#include "cmodel/machine/fp.h"
#include "tb/scenarios/tiny_program.h"

namespace tb::model {

using cmodel::Board;
using cmodel::BoardOptions;
using cmodel::Commit;
using cmodel::CommitKind;
using cmodel::sbuf_addr;
using cmodel::StreamId;
using defs::Engine;
using defs::Opcode;

inline const defs::Sizes& kSizes = defs::kMini;
inline constexpr unsigned kP = defs::kMini.partitions;
inline constexpr auto kStride = static_cast<std::int64_t>(defs::kSbufStride);

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

inline StreamId stream(unsigned chip, unsigned core, Engine engine, unsigned offset = 0) {
  return {static_cast<std::uint8_t>(chip), static_cast<std::uint8_t>(core),
          static_cast<std::uint8_t>(static_cast<unsigned>(engine) + offset), 0, 0};
}

/// A program on a board of its own, loaded; what it commits is in `recorder`.
struct Bench {
  explicit Bench(cmodel::Program p, cmodel::BoardOptions options = {},
                 const defs::Sizes& sizes = kSizes)
      : program(std::move(p)), board(sizes, program, recorder, options) {
    board.load();
  }
  Bench(const Bench&) = delete;  // the board refers to the program and the recorder

  cmodel::Program program;
  Recorder recorder;
  cmodel::Board board;
};

inline std::vector<std::uint8_t> bf16_bytes(const std::vector<float>& values) {
  std::vector<std::uint8_t> out;
  for (const float value : values) {
    const std::uint16_t bits = cmodel::fp::fp32_to_bf16(std::bit_cast<std::uint32_t>(value));
    out.push_back(static_cast<std::uint8_t>(bits));
    out.push_back(static_cast<std::uint8_t>(bits >> 8));
  }
  return out;
}
inline std::vector<std::uint8_t> fp32_bytes(const std::vector<float>& values) {
  std::vector<std::uint8_t> out(values.size() * 4);
  std::memcpy(out.data(), values.data(), out.size());
  return out;
}
inline float bf16_at(std::span<const std::uint8_t> bytes, std::size_t index) {
  std::uint16_t bits;
  std::memcpy(&bits, bytes.data() + 2 * index, 2);
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}
inline float fp32_at(std::span<const std::uint8_t> bytes, std::size_t index) {
  float value;
  std::memcpy(&value, bytes.data() + 4 * index, 4);
  return value;
}
inline std::vector<float> random_bf16(std::size_t count, std::mt19937& rng) {
  std::uniform_real_distribution<float> uniform(-2, 2);
  std::vector<float> out(count);
  for (auto& value : out) {
    const std::uint32_t bits = std::bit_cast<std::uint32_t>(uniform(rng));
    value = std::bit_cast<float>(bits & 0xffff0000u);
  }
  return out;
}
inline std::vector<std::uint8_t> read_back(const Board& board, unsigned chip, std::uint64_t addr,
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

}  // namespace tb::model
