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
#include <nlohmann/json.hpp>
#include <string>
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

struct Stream {
  double cycles = 0;           ///< from one tile to the next; 0: the engine failed
  std::uint64_t start_up = 0;  ///< from the first instruction to the first moving column
};

/// `issue(engine, i)` of so many tiles, each of `columns` moving columns. The first ones, which
/// fill the queues, do not count.
Stream stream_of(unsigned tiles, unsigned columns, auto&& issue) {
  constexpr unsigned kFrom = 4;
  Engine engine;
  for (unsigned i = 0; i < tiles; ++i) issue(engine, i);
  engine.drain();
  const auto& reads = engine.reads;
  if (engine.failed || reads.size() != std::size_t{tiles} * columns) return {};
  const auto cycles = reads[std::size_t{tiles - 1} * columns] - reads[kFrom * columns];
  return {static_cast<double>(cycles) / (tiles - 1 - kFrom), reads[0]};
}

/// Each into the next bank, or all onto the sums of the one before.
Stream matmuls(const Format& f, unsigned m, unsigned n, unsigned pairs, bool dependent) {
  return stream_of(pairs, f.passes() * n, [&](Engine& engine, unsigned i) {
    engine.issue(load(f.dtype, m, 0),
                 multiply(f.dtype, n, 4096, dependent ? 0 : 2048 * (i % 8), dependent && i > 0));
  });
}

/// Two tiles of K = 64 at a time, new weights each.
Stream row_tiles(unsigned n) {
  return stream_of(12, n, [&](Engine& engine, unsigned i) {
    for (const unsigned half : {0u, 1u}) {
      auto stationary = load(Dtype::Bf16, kP, 0);
      auto moving = multiply(Dtype::Bf16, n, 4096, 2048 * (2 * (i % 4) + half), false);
      for (auto* instr : {&stationary, &moving})
        instr->partitions = kP / 2, instr->src0.partition = half * kP / 2;
      engine.issue(stationary, moving);
    }
  });
}

/// Of `m` columns of 128 partitions, tile after tile.
Stream transposes(const Format& f, unsigned m) {
  return stream_of(32, kP, [&](Engine& engine, unsigned i) {
    auto bits = load(f.dtype, m, 0), moving = multiply(f.dtype, kP, 4096, 2048 * (i % 8), false);
    bits.opcode = defs::encode_load_bits().opcode;
    moving.opcode = defs::encode_transpose_moving().opcode;
    moving.dst.dtype = static_cast<std::uint8_t>(Dtype::Int32);
    engine.issue(bits, moving);
  });
}

using Row = nlohmann::ordered_json;

double rounded(double value, double digits) { return std::round(value * digits) / digits; }

class Report {
 public:
  /// A stream beside its published cycles: within 2 %.
  void add(const char* name, const Format& f, unsigned m, unsigned n, const Stream& stream,
           unsigned published, tb::Bubble* bubble = nullptr) {
    const double off = std::abs(stream.cycles / published - 1);
    failed_ |= stream.cycles == 0;
    if (bubble) bubble->note(stream.cycles - published, fmt::format("{} {} x {}", f.name, m, n));
    add({{"name", name},
         {"format", f.name},
         {"n_stationary", m},
         {"n_moving", n},
         {"rtl_cycles", rounded(stream.cycles, 100)},
         {"published_cycles", published},
         {"ratio", rounded(stream.cycles / published, 1000)},
         {"start_up_cycles", stream.start_up},
         {"target", 0.02},
         {"measured", rounded(off, 1e4)},
         {"met", off <= 0.02}});
  }
  void add(Row row) {
    missed_ |= !row["met"].get<bool>();
    rows_.push_back(std::move(row));
  }
  void fail_if(bool failed) { failed_ |= failed; }
  /// Prints; the exit status.
  int end() const {
    fmt::print("{}\n", Row{{"schema", 1}, {"rows", rows_}}.dump(1));
    return failed_ ? 1 : missed_ ? 4 : 0;
  }

 private:
  Row rows_ = Row::array();
  bool failed_ = false, missed_ = false;
};

/// 1024^3: eight K tiles on each of 8 x 2 result tiles of 128 x 512. Timing does not depend on the
/// data.
void add_product(Report& report) {
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
  report.fail_if(engine.failed || busy != 1024ull * 1024 * 1024);
  const double share = static_cast<double>(busy) / (1.0 * kP * kP * static_cast<double>(active));
  report.add({{"name", "matmul_1024"},
              {"format", "bf16"},
              {"n_stationary", 128},
              {"n_moving", 512},
              {"rtl_cycles", active},
              {"published_cycles", 65536},
              {"ratio", rounded(static_cast<double>(active) / 65536, 1e4)},
              {"busy_pe_cycles", busy},
              {"cycles", active},
              {"wait_weights_cycles", engine.count(Count::WaitWeights)},
              {"wait_tile_cycles", engine.count(Count::WaitTile)},
              {"load_cycles", engine.count(Count::Load)},
              {"target", 0.97},
              {"measured", rounded(share, 1e4)},
              {"met", share >= 0.97}});
}

}  // namespace

int main() {
  Report report;
  tb::Bubble independent{false}, dependent{true};
  for (const Format& f : kFormats) {
    const bool slice = f.dtype != Dtype::Bf16;
    for (const unsigned m : {1u, 32u, 64u, 128u})
      for (const unsigned n : {1u, 32u, 64u, 65u, 128u, 512u}) {
        if (slice && !((m == 128 || m == 64) && (n == 64 || n == 128 || n == 512))) continue;
        // Longer than what the array and the queues hold.
        const unsigned pairs = m * n == 1 ? 2048 : n < 64 && m < 64 ? 64 : n == 512 ? 12 : 32;
        report.add("matmul", f, m, n, matmuls(f, m, n, pairs, false),
                   f.passes() * std::max(std::min(64u, m), n), &independent);
      }
  }
  // Each onto the sums of the one before: the K tiles of a product.
  const Format bf16{"bf16", Dtype::Bf16}, fp32{"fp32", Dtype::Fp32};
  for (const Format& f : {bf16, fp32})
    for (const unsigned n : {64u, 512u})
      report.add("matmul_dependent", f, 128, n, matmuls(f, 128, n, 12, true),
                 f.passes() * std::max(64u, n), &dependent);
  for (const tb::Bubble& bubble : {independent, dependent})
    report.add(tb::row_of(bubble.figure("Tensor")));
  for (const unsigned n : {128u, 512u}) report.add("row_tiling", bf16, 128, n, row_tiles(n), n);
  // The published max(P, min(64, columns)).
  for (const Format& f : {bf16, fp32})
    for (const unsigned m : {64u, 128u}) report.add("transpose", f, m, kP, transposes(f, m), kP);
  add_product(report);
  return report.end();
}
