// SPDX-License-Identifier: Apache-2.0
// Cycles per matmul of the RTL tensor engine in long back-to-back streams with new weights each,
// beside the published max(min(64, N_stationary), N_moving), four times that for fp32; of
// transpositions likewise; and the share of PE-cycles that do work in 1024 x 1024 x 1024 bf16 with
// operands in SBUF, by the hardware's counters. Prints JSON; exit 4 if a target is missed.
//
// Cycles come from the engine: from the first moving column of one matmul to that of a later one,
// all cycles between counted. A stream's start-up is from its first instruction to its first moving
// column.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "Vtensor_engine_inf2.h"
#include "cmodel/machine/access_pattern.h"
#include "rtl/defs/gen/instructions.h"
#include "tb/unit/rtl/bubble.h"

namespace {

using defs::Dtype;
constexpr unsigned kP = 128;

class Engine {
 public:
  Engine() : dut_(&context_) {
    dut_.clk_i = 0;
    dut_.rst_ni = 0;
    dut_.instr_valid_i = dut_.req_valid_i = dut_.v_rd_valid_i = dut_.a_rd_valid_i = 0;
    dut_.count_rd_i = dut_.second_valid_i = 0;
    dut_.eval();
    clock();
    dut_.rst_ni = 1;
    dut_.eval();
  }
  void clock() {
    dut_.clk_i = 1;
    dut_.eval();
    dut_.clk_i = 0;
    dut_.eval();
    ++cycle;
    if (!dut_.rst_ni) return;
    if (dut_.moving_read_o) reads.push_back(cycle);
    failed |= dut_.error_valid_o;
  }
  /// A load and its multiply, as the sequencer hands them over.
  void issue(const defs::Instr& load, const defs::Instr& multiply) {
    const auto words = load.words(), second = multiply.words();
    std::memcpy(&dut_.instr_i[0], words.data(), sizeof(words));
    std::memcpy(&dut_.second_i[0], second.data(), sizeof(second));
    dut_.serial_i = 0;
    dut_.instr_valid_i = dut_.second_valid_i = 1;
    dut_.eval();
    while (!dut_.instr_ready_o && !failed) clock();
    clock();
    dut_.instr_valid_i = dut_.second_valid_i = 0;
    dut_.eval();
  }
  void drain() {
    while (dut_.busy_o && !failed) clock();
  }
  std::uint64_t count(defs::TensorCount which) {
    dut_.count_rd_i = 1;
    dut_.count_index_i = static_cast<unsigned>(which);
    dut_.eval();
    dut_.count_rd_i = 0;
    return dut_.count_o;
  }
  std::vector<std::uint64_t> reads;  ///< cycles in which a moving column was read
  std::uint64_t cycle = 0;
  bool failed = false;

 private:
  VerilatedContext context_;
  Vtensor_engine_inf2 dut_;
};

defs::Instr load(Dtype dtype, unsigned m, unsigned offset) {
  defs::Instr instr = defs::encode_load_stationary();
  instr.partitions = kP;
  instr.size0 = m, instr.size1 = instr.size2 = instr.size3 = 1;
  instr.src0.space = static_cast<std::uint8_t>(defs::Space::Sbuf);
  instr.src0.dtype = static_cast<std::uint8_t>(dtype);
  instr.src0.offset = offset;
  instr.src0.stride0 = m > 1;
  return instr;
}
defs::Instr multiply(Dtype dtype, unsigned n, unsigned offset, unsigned dst, bool accumulate) {
  defs::Instr instr = load(dtype, n, offset);
  instr.opcode = defs::encode_multiply_moving().opcode;
  instr.accumulate = accumulate;
  instr.dst.space = static_cast<std::uint8_t>(defs::Space::Psum);
  instr.dst.dtype = static_cast<std::uint8_t>(dtype == Dtype::Int8 ? Dtype::Int32 : Dtype::Fp32);
  instr.dst.offset = dst;
  instr.dst.stride0 = n > 1;
  return instr;
}

struct Format {
  const char* name;
  Dtype dtype;
  unsigned passes() const { return dtype == Dtype::Fp32 ? 4 : 1; }
};
constexpr Format kFormats[] = {{"bf16", Dtype::Bf16},       {"fp16", Dtype::Fp16},
                               {"fp8e5m2", Dtype::Fp8E5M2}, {"fp8e4m3", Dtype::Fp8E4M3},
                               {"fp8e3m4", Dtype::Fp8E3M4}, {"tf32", Dtype::Tf32},
                               {"fp32", Dtype::Fp32},       {"int8", Dtype::Int8}};

/// Cycles per matmul in a stream of `pairs`, each into the next bank, or all onto the sums of the
/// one before; 0: the engine failed. `start_up`: from the first instruction to the first moving
/// column.
double matmul_cycles(const Format& f, unsigned m, unsigned n, unsigned pairs, bool dependent,
                     std::uint64_t& start_up) {
  Engine engine;
  for (unsigned i = 0; i < pairs; ++i)
    engine.issue(load(f.dtype, m, 0),
                 multiply(f.dtype, n, 4096, dependent ? 0 : 2048 * (i % 8), dependent && i > 0));
  engine.drain();
  const unsigned from = 4, reads = f.passes() * n;  // the first pairs fill the queues
  if (engine.failed || engine.reads.size() != std::size_t{pairs} * reads) return 0;
  start_up = engine.reads[0];
  return static_cast<double>(engine.reads[std::size_t{pairs - 1} * reads] -
                             engine.reads[from * reads]) /
         (pairs - 1 - from);
}

}  // namespace

int main() {
  bool all_met = true, failed = false;
  tb::Bubble independent{false}, dependent{true};
  fmt::print("{{\"schema\": 1, \"rows\": [\n");
  for (const Format& f : kFormats) {
    const bool slice = f.dtype != Dtype::Bf16;
    for (const unsigned m : {1u, 32u, 64u, 128u})
      for (const unsigned n : {1u, 32u, 64u, 65u, 128u, 512u}) {
        if (slice && !((m == 128 || m == 64) && (n == 64 || n == 128 || n == 512))) continue;
        // Longer than what the array and the queues hold.
        const unsigned pairs = m * n == 1 ? 2048 : n < 64 && m < 64 ? 64 : n == 512 ? 12 : 32;
        std::uint64_t start_up = 0;
        const double cycles = matmul_cycles(f, m, n, pairs, false, start_up);
        failed |= cycles == 0;
        const unsigned published = f.passes() * std::max(std::min(64u, m), n);
        const double ratio = cycles / published;
        const bool met = !failed && std::abs(ratio - 1) <= 0.02;
        all_met &= met;
        independent.note(cycles - published, fmt::format("{} {} x {}", f.name, m, n));
        fmt::print(
            "  {{\"name\": \"matmul\", \"format\": \"{}\", \"n_stationary\": {}, \"n_moving\": {}, "
            "\"rtl_cycles\": {:.2f}, \"published_cycles\": {}, \"ratio\": {:.3f}, "
            "\"start_up_cycles\": {}, \"target\": 0.02, \"measured\": {:.4f}, \"met\": {}}},\n",
            f.name, m, n, cycles, published, ratio, start_up, std::abs(ratio - 1), met);
      }
  }
  // Each onto the sums of the one before: the K tiles of a product.
  for (const Format& f : {kFormats[0], kFormats[6]})
    for (const unsigned n : {64u, 512u}) {
      std::uint64_t start_up = 0;
      const double cycles = matmul_cycles(f, 128, n, 12, true, start_up);
      const unsigned published = f.passes() * std::max(64u, n);
      const double off = std::abs(cycles / published - 1);
      failed |= cycles == 0;
      all_met &= off <= 0.02;
      dependent.note(cycles - published, fmt::format("{} 128 x {}", f.name, n));
      fmt::print(
          "  {{\"name\": \"matmul_dependent\", \"format\": \"{}\", \"n_stationary\": 128, "
          "\"n_moving\": {}, \"rtl_cycles\": {:.2f}, \"published_cycles\": {}, \"ratio\": {:.3f}, "
          "\"target\": 0.02, \"measured\": {:.4f}, \"met\": {}}},\n",
          f.name, n, cycles, published, cycles / published, off, off <= 0.02);
    }
  for (const tb::Bubble& bubble : {independent, dependent}) {
    const auto figure = bubble.figure("Tensor");
    all_met &= tb::met(figure);
    fmt::print("  {},\n", tb::row_of(figure).dump());
  }
  // Row tiling: two tiles of K = 64 at a time, new weights each. Cycles of a pair.
  for (const unsigned n : {128u, 512u}) {
    constexpr unsigned kPairs = 12, kFrom = 4;
    Engine engine;
    for (unsigned i = 0; i < kPairs; ++i)
      for (const unsigned half : {0u, 1u}) {
        auto stationary = load(Dtype::Bf16, 128, 0);
        auto moving = multiply(Dtype::Bf16, n, 4096, 2048 * (2 * (i % 4) + half), false);
        for (auto* instr : {&stationary, &moving})
          instr->partitions = kP / 2, instr->src0.partition = half * kP / 2;
        engine.issue(stationary, moving);
      }
    engine.drain();
    failed |= engine.failed || engine.reads.size() != kPairs * n;
    const double cycles =
        failed ? 0
               : static_cast<double>(engine.reads[(kPairs - 1) * n] - engine.reads[kFrom * n]) /
                     (kPairs - 1 - kFrom);
    const double off = std::abs(cycles / n - 1);
    all_met &= off <= 0.02;
    fmt::print(
        "  {{\"name\": \"row_tiling\", \"format\": \"bf16\", \"n_stationary\": 128, \"n_moving\": "
        "{}, "
        "\"rtl_cycles\": {:.2f}, \"published_cycles\": {}, \"ratio\": {:.3f}, \"target\": 0.02, "
        "\"measured\": {:.4f}, \"met\": {}}},\n",
        n, cycles, n, cycles / n, off, off <= 0.02 && !failed);
  }
  // Transpositions of 128 partitions, tile after tile: the published max(P, min(64, columns)).
  for (const Format& f : {Format{"bf16", Dtype::Bf16}, Format{"fp32", Dtype::Fp32}})
    for (const unsigned m : {64u, 128u}) {
      constexpr unsigned kTiles = 32, kFrom = 4;
      Engine engine;
      for (unsigned i = 0; i < kTiles; ++i) {
        auto bits = load(f.dtype, m, 0),
             moving = multiply(f.dtype, kP, 4096, 2048 * (i % 8), false);
        bits.opcode = defs::encode_load_bits().opcode;
        moving.opcode = defs::encode_transpose_moving().opcode;
        moving.dst.dtype = static_cast<std::uint8_t>(Dtype::Int32);
        engine.issue(bits, moving);
      }
      engine.drain();
      failed |= engine.failed || engine.reads.size() != std::size_t{kTiles} * kP;
      const double cycles =
          failed ? 0
                 : static_cast<double>(engine.reads[(kTiles - 1) * kP] - engine.reads[kFrom * kP]) /
                       (kTiles - 1 - kFrom);
      const double off = std::abs(cycles / kP - 1);
      all_met &= off <= 0.02;
      fmt::print(
          "  {{\"name\": \"transpose\", \"format\": \"{}\", \"n_stationary\": {}, \"n_moving\": "
          "{}, "
          "\"rtl_cycles\": {:.2f}, \"published_cycles\": {}, \"ratio\": {:.3f}, \"target\": 0.02, "
          "\"measured\": {:.4f}, \"met\": {}}},\n",
          f.name, m, kP, cycles, kP, cycles / kP, off, off <= 0.02 && !failed);
    }
  // 1024^3: eight K tiles on each of 8 x 2 result tiles of 128 x 512. Timing does not depend on the
  // data.
  Engine engine;
  for (unsigned m = 0; m < 8; ++m)
    for (unsigned n = 0; n < 2; ++n)
      for (unsigned k = 0; k < 8; ++k) {
        engine.issue(load(Dtype::Bf16, 128, (k * 1024 + m * 128) * 2),
                     multiply(Dtype::Bf16, 512, 16384 + (k * 1024 + n * 512) * 2,
                              2048 * ((2 * m + n) % 8), k > 0));
      }
  engine.drain();
  // First instruction to the last row in PSUM, every cycle of every PE.
  using Count = defs::TensorCount;
  const std::uint64_t busy = engine.count(Count::PeBusy), active = engine.count(Count::Active);
  failed |= engine.failed || busy != 1024ull * 1024 * 1024;
  const double share = static_cast<double>(busy) / (1.0 * kP * kP * static_cast<double>(active));
  all_met &= share >= 0.97;
  fmt::print(
      "  {{\"name\": \"matmul_1024\", \"format\": \"bf16\", \"n_stationary\": 128, \"n_moving\": "
      "512, \"rtl_cycles\": {}, \"published_cycles\": 65536, \"ratio\": {:.4f}, "
      "\"busy_pe_cycles\": {}, \"cycles\": "
      "{}, "
      "\"wait_weights_cycles\": {}, \"wait_tile_cycles\": {}, \"load_cycles\": {}, "
      "\"target\": 0.97, \"measured\": {:.4f}, \"met\": {}}}\n]}}\n",
      active, static_cast<double>(active) / 65536, busy, active, engine.count(Count::WaitWeights),
      engine.count(Count::WaitTile), engine.count(Count::Load), share, share >= 0.97 && !failed);
  return failed ? 1 : all_met ? 0 : 4;
}
