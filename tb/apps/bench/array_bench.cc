// SPDX-License-Identifier: Apache-2.0
// How fast is the Verilated 128 x 128 array, in every format, compared with
//   - the same PE written by hand as plain C++ loops (array_plain.h), and
//   - an 8 x 8 array in the usual style: one module per PE, ordinary arithmetic (pe_array.sv)?
//
// All are single-threaded and built by the same compiler with the same flags, and run in turns in
// one process; medians are reported, as PEs x cycles per second. Data: numbers of normal range.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "Varray_rtl.h"
#include "Vpe_array.h"
#include "cmodel/machine/fp.h"
#include "tb/apps/bench/array_plain.h"

namespace {

constexpr unsigned kSize = tb::PlainArray::kSize;
constexpr unsigned kVectors = 64;  // distinct moving vectors
constexpr unsigned kSmall = 8;     // rows and columns of the yardstick

using Clock = std::chrono::steady_clock;
using defs::Dtype;

template <class Dut>
void tick(Dut& dut) {
  dut.clk_i = 1;
  dut.eval();
  dut.clk_i = 0;
  dut.eval();
}

/// `format` is fma_pkg::format_of(dtype, low); `bits` the size of an element. fp32: a low x low
/// pass.
struct Format {
  const char* name;
  Dtype dtype;
  bool low;
  std::uint32_t format;
  unsigned bits;
};
constexpr Format kFormats[] = {{"bf16", Dtype::Bf16, false, 23 << 9 | 257, 16},
                               {"fp16", Dtype::Fp16, false, 26 << 9 | 369, 16},
                               {"fp8e5m2", Dtype::Fp8E5M2, false, 26 << 9 | 369, 8},
                               {"fp8e4m3", Dtype::Fp8E4M3, false, 27 << 9 | 377, 8},
                               {"fp8e3m4", Dtype::Fp8E3M4, false, 28 << 9 | 381, 8},
                               {"tf32", Dtype::Tf32, false, 1 << 15 | 23 << 9 | 257, 32},
                               {"fp32", Dtype::Fp32, true, 1 << 14 | 23 << 9 | 257, 32},
                               {"int8", Dtype::Int8, false, 1 << 16 | 23 << 9 | 257, 8}};

/// An element in the upper bits of a word: any sign and fraction, an exponent near that of 1.
std::uint32_t element(const Format& f, std::mt19937& rng) {
  const std::uint32_t bits = rng();
  if (f.dtype == Dtype::Int8) return bits & 0xFF000000u;
  const unsigned fraction = f.format >> 9 & 31;
  const std::uint32_t one = (384u - (f.format & 511)) << fraction;
  const std::uint32_t near =
      fraction == 28 ? one : one + ((bits % 8) << fraction) - (4u << fraction);
  const std::uint32_t mantissa = (rng() & ((1u << fraction) - 1));
  return ((bits & 0x80000000u) | near | mantissa) &
         ~static_cast<std::uint32_t>((1ull << (32 - f.bits)) - 1);
}

/// Column sums by the model's arithmetic.
std::vector<std::uint32_t> reference(const Format& f, const std::vector<std::uint32_t>& weights,
                                     const std::uint32_t* vector) {
  const auto wide = [&](std::uint32_t x) {
    return cmodel::fp::operand_to_fp32(f.dtype, x >> (32 - f.bits), f.low);
  };
  std::vector<std::uint32_t> sums(kSize, 0);
  for (unsigned k = 0; k < kSize; ++k)
    for (unsigned c = 0; c < kSize; ++c) {
      const std::uint32_t w = wide(weights[k * kSize + c]), x = wide(vector[k]);
      if (f.low && (!(w << 1) || !(x << 1))) continue;
      sums[c] =
          f.dtype == Dtype::Int8
              ? sums[c] + static_cast<std::uint32_t>(static_cast<int>(cmodel::fp::to_float(w)) *
                                                     static_cast<int>(cmodel::fp::to_float(x)))
              : cmodel::fp::fma(w, x, sums[c]);
    }
  return sums;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

class Rtl {
 public:
  explicit Rtl(VerilatedContext& context) : dut_(&context) {
    dut_.rst_ni = 0;
    cycle();
    dut_.rst_ni = 1;
    cycle();
  }
  void load(const std::vector<std::uint32_t>& weights, std::uint32_t format) {  // [row][col]
    for (unsigned g = 0; g < kSize / 4; ++g) {
      dut_.load_valid_i = 3;  // both halves of the rows
      dut_.load_plane_i = 0;
      dut_.load_group_i = g;
      dut_.load_ahead_i = 3 + 3 * g;
      dut_.load_first_i = 0;
      dut_.load_count_i = kSize;
      dut_.load_format_i = format;
      for (unsigned r = 0; r < kSize; ++r)
        std::memcpy(&dut_.load_i[4 * r], &weights[r * kSize + 4 * g], 16);
      cycle();
    }
    dut_.load_valid_i = 0;
    for (unsigned i = 0; i < 4 * kSize; ++i) cycle();
    dut_.moving_format_i = format;
  }
  void run(const std::vector<std::uint32_t>& vectors, unsigned cycles) {
    dut_.moving_valid_i = 3;
    dut_.moving_full_i = 1;
    dut_.moving_plane_i = 0;
    for (unsigned i = 0; i < cycles; ++i) {
      std::memcpy(&dut_.moving_i, &vectors[(i % kVectors) * kSize], 4 * kSize);
      cycle();
    }
    dut_.moving_valid_i = dut_.moving_full_i = 0;
  }
  void idle(unsigned cycles) {
    for (unsigned i = 0; i < cycles; ++i) cycle();
  }
  const std::uint32_t* sums() const { return dut_.sum_o.data(); }

 private:
  void cycle() { tick(dut_); }
  Varray_rtl dut_;
};

/// The yardstick: 64 PE modules, the upper left corner of the same data.
class PerPe {
 public:
  explicit PerPe(VerilatedContext& context) : dut_(&context) {
    dut_.clk_i = 0;  // the first edge must be one
    dut_.eval();
  }
  void load(const std::vector<std::uint32_t>& weights, std::uint32_t format) {
    dut_.format_i = format;
    dut_.load_i = 1;
    for (unsigned r = 0; r < kSmall; ++r)
      for (unsigned c = 0; c < kSmall; ++c) dut_.weight_i[r * kSmall + c] = weights[r * kSize + c];
    cycle();
    dut_.load_i = 0;
  }
  void run(const std::vector<std::uint32_t>& vectors, unsigned cycles) {
    for (unsigned i = 0; i < cycles; ++i) {
      std::memcpy(&dut_.moving_i, &vectors[(i % kVectors) * kSize], 4 * kSmall);
      cycle();
    }
  }
  /// Sum of column c of the vector given kSmall + c + 1 cycles before the end, with rows 0 .. 7
  /// only.
  bool check(const Format& f, std::vector<std::uint32_t> weights,
             const std::vector<std::uint32_t>& vectors, unsigned cycles) const {
    for (unsigned c = 0; c < kSmall; ++c) {
      std::vector<std::uint32_t> vector(kSize);
      const std::uint32_t* given = &vectors[((cycles - 1 - kSmall - c) % kVectors) * kSize];
      std::copy_n(given, kSmall, vector.begin());
      for (unsigned k = kSmall; k < kSize; ++k) weights[k * kSize + c] = 0;
      if (reference(f, weights, vector.data())[c] != dut_.sum_o[c]) return false;
    }
    return true;
  }

 private:
  void cycle() { tick(dut_); }
  Vpe_array dut_;
};

}  // namespace

int main() {
  constexpr unsigned kCycles = 512, kRounds = 9, kSmallCycles = 32 * kCycles;
  VerilatedContext context;
  auto rtl = std::make_unique<Rtl>(context);
  auto plain = std::make_unique<tb::PlainArray>();
  auto per_pe = std::make_unique<PerPe>(context);
  const auto timed = [](auto&& work) {
    const auto start = Clock::now();
    work();
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  bool all_equal = true, all_met = true;
  fmt::print("{{\"schema\": 1, \"rows\": [\n");
  for (const Format& f : kFormats) {
    std::mt19937 rng(1);
    std::vector<std::uint32_t> weights(kSize * kSize), vectors(kVectors * kSize);
    for (auto& w : weights) w = element(f, rng);
    for (auto& v : vectors) v = element(f, rng);
    rtl->load(weights, f.format);
    plain->load(weights, f.format, f.format);
    per_pe->load(weights, f.format);
    // The last sums belong to the vector given 2 * kSize cycles before the end.
    const auto last = reference(f, weights, &vectors[((kCycles - 2 * kSize) % kVectors) * kSize]);
    std::vector<double> rtl_s, plain_s, idle_s, small_s;
    bool equal = true;
    for (unsigned round = 0; round < kRounds; ++round) {
      rtl_s.push_back(timed([&] { rtl->run(vectors, kCycles); }));
      equal &= std::memcmp(rtl->sums(), last.data(), 4 * kSize) == 0;
      rtl->idle(3 * kSize);
      idle_s.push_back(timed([&] { rtl->idle(kCycles); }));
      plain_s.push_back(timed([&] { plain->run(vectors, kCycles, kVectors); }));
      equal &= std::memcmp(plain->last_sums(), last.data(), 4 * kSize) == 0;
      small_s.push_back(timed([&] { per_pe->run(vectors, kSmallCycles); }));
      equal &= per_pe->check(f, weights, vectors, kSmallCycles);
    }
    const double work = static_cast<double>(kSize) * kSize * kCycles;
    const double pe_rtl = work / median(rtl_s), pe_plain = work / median(plain_s);
    const double pe_small = static_cast<double>(kSmall) * kSmall * kSmallCycles / median(small_s);
    const double vs_cpp = pe_rtl / pe_plain, vs_per_pe = pe_rtl / pe_small;
    const double idle = median(rtl_s) / median(idle_s);
    const bool met = equal && vs_cpp >= 0.8 && vs_per_pe >= 8 && idle >= 50;
    all_equal &= equal;
    all_met &= met;
    fmt::print(
        "{}  {{\"name\": \"array\", \"format\": \"{}\", \"size\": {}, \"pe_per_s_rtl\": {:.4g}, "
        "\"pe_per_s_cpp\": {:.4g}, \"pe_per_s_per_pe\": {:.4g}, \"ratio_vs_cpp\": {:.3f}, "
        "\"ratio_vs_per_pe\": {:.1f}, \"idle_speedup\": {:.0f}, \"target\": 0.8, \"measured\": "
        "{:.3f}, "
        "\"met\": {}, \"same_bits\": {}}}",
        &f == kFormats ? "" : ",\n", f.name, kSize, pe_rtl, pe_plain, pe_small, vs_cpp, vs_per_pe,
        idle, vs_cpp, met, equal);
  }
  fmt::print("\n]}}\n");
  return !all_equal ? 1 : all_met ? 0 : 4;
}
