// SPDX-License-Identifier: Apache-2.0
// How fast is the Verilated 128 x 128 array, compared with the same arithmetic written by hand?
//
// Both sides are single-threaded and built by the same compiler with the same flags. They run in
// turns in one process; medians are reported, as PEs x cycles per second. Data: normal-range bf16.
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
#include "tb/bench/array_plain.h"

namespace {

constexpr unsigned kSize = tb::PlainArray::kSize;
constexpr unsigned kVectors = 64;  // distinct moving vectors

using Clock = std::chrono::steady_clock;

std::uint16_t normal_bf16(std::mt19937& rng) {
  // Magnitudes 2^-8 .. 2^7.
  return static_cast<std::uint16_t>((rng() & 0x807F) | (119 + rng() % 16) << 7);
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

class Rtl {
 public:
  Rtl() : dut_(&context_) {
    dut_.rst_ni = 0;
    cycle();
    dut_.rst_ni = 1;
    cycle();
  }
  void load(const std::vector<std::uint16_t>& weights) {  // [row][col]
    for (unsigned g = 0; g < kSize / 4; ++g) {
      dut_.load_valid_i = 1;
      dut_.load_plane_i = 0;
      dut_.load_group_i = g;
      dut_.load_ahead_i = 3 + 3 * g;
      dut_.load_first_i = 0;
      dut_.load_count_i = kSize;
      for (unsigned r = 0; r < kSize; ++r)
        std::memcpy(&dut_.load_i[2 * r], &weights[r * kSize + 4 * g], 8);
      cycle();
    }
    dut_.load_valid_i = 0;
    for (unsigned i = 0; i < 4 * kSize; ++i) cycle();
  }
  void run(const std::vector<std::uint16_t>& vectors, unsigned cycles) {
    dut_.moving_valid_i = 1;
    dut_.moving_plane_i = 0;
    for (unsigned i = 0; i < cycles; ++i) {
      std::memcpy(&dut_.moving_i, &vectors[(i % kVectors) * kSize], 2 * kSize);
      cycle();
    }
    dut_.moving_valid_i = 0;
  }
  void idle(unsigned cycles) {
    for (unsigned i = 0; i < cycles; ++i) cycle();
  }
  const std::uint32_t* sums() const { return dut_.sum_o.data(); }

 private:
  void cycle() {
    dut_.clk_i = 1;
    dut_.eval();
    dut_.clk_i = 0;
    dut_.eval();
  }
  VerilatedContext context_;
  Varray_rtl dut_;
};

}  // namespace

int main() {
  std::mt19937 rng(1);
  std::vector<std::uint16_t> weights(kSize * kSize), vectors(kVectors * kSize);
  for (auto& w : weights) w = normal_bf16(rng);
  for (auto& v : vectors) v = normal_bf16(rng);

  auto rtl = std::make_unique<Rtl>();
  auto plain = std::make_unique<tb::PlainArray>();
  rtl->load(weights);
  plain->load(weights);

  constexpr unsigned kCycles = 1024, kRounds = 15;
  std::vector<double> rtl_s, plain_s, idle_s;
  const auto timed = [](auto&& work) {
    const auto start = Clock::now();
    work();
    return std::chrono::duration<double>(Clock::now() - start).count();
  };
  bool equal = true;
  for (unsigned round = 0; round < kRounds; ++round) {
    rtl_s.push_back(timed([&] { rtl->run(vectors, kCycles); }));
    equal &= std::memcmp(rtl->sums(), plain->reference_of_last(vectors, kCycles, kVectors).data(),
                         4 * kSize) == 0;
    rtl->idle(3 * kSize);
    idle_s.push_back(timed([&] { rtl->idle(kCycles); }));
    plain_s.push_back(timed([&] { plain->run(vectors, kCycles, kVectors); }));
    equal &=
        std::memcmp(plain->last_sums(), plain->reference_of_last(vectors, kCycles, kVectors).data(),
                    4 * kSize) == 0;
  }
  const double work = static_cast<double>(kSize) * kSize * kCycles;
  const double pe_rtl = work / median(rtl_s), pe_plain = work / median(plain_s);
  const double ratio = pe_rtl / pe_plain, target = 0.6;
  const bool met = equal && ratio >= target;
  fmt::print(
      "{{\"schema\": 1, \"rows\": [\n"
      "  {{\"name\": \"array\", \"format\": \"bf16\", \"size\": {}, \"pe_per_s_rtl\": {:.4g}, "
      "\"pe_per_s_cpp\": {:.4g}, \"target\": {}, \"measured\": {:.3f}, \"met\": {}, "
      "\"same_bits\": {}}},\n"
      "  {{\"name\": \"array_idle\", \"busy_ns_per_cycle\": {:.0f}, \"idle_ns_per_cycle\": {:.1f}, "
      "\"speedup\": {:.0f}}}\n]}}\n",
      kSize, pe_rtl, pe_plain, target, ratio, met, equal, 1e9 * median(rtl_s) / kCycles,
      1e9 * median(idle_s) / kCycles, median(rtl_s) / median(idle_s));
  return !equal ? 1 : met ? 0 : 4;
}
