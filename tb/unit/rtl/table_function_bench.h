// SPDX-License-Identifier: Apache-2.0
// Drives the Verilated table_function: P elements a cycle.
#pragma once
#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "Vtable_function.h"
#include "cmodel/machine/table_function.h"

namespace tb {

class TableFunctionBench {
 public:
  static constexpr unsigned kLanes = defs::kInf2.partitions;

  TableFunctionBench() : dut_(&context_) {
    dut_.rst_ni = 0;
    dut_.eval();
    dut_.rst_ni = 1;
  }

  void start(const defs::TableFunction& f) {
    dut_.start_i = 1;
    dut_.func_i = static_cast<std::uint8_t>(f.func);
    clock();
    dut_.start_i = 0;
  }

  /// Results of `words`, in order.
  std::vector<std::uint32_t> run(std::span<const std::uint32_t> words) {
    std::vector<std::uint32_t> out;
    out.reserve(words.size() + kLanes);
    for (std::size_t at = 0; out.size() < words.size(); at += kLanes) {
      const bool some = at < words.size();
      dut_.valid_i = some;
      if (some)
        std::ranges::copy(words.subspan(at, std::min<std::size_t>(kLanes, words.size() - at)),
                          &dut_.x_i[0]);
      clock();
      if (dut_.valid_o) out.insert(out.end(), &dut_.y_o[0], &dut_.y_o[0] + kLanes);
    }
    out.resize(words.size());
    return out;
  }

  /// Cycles from an element to its result.
  unsigned latency() {
    dut_.valid_i = dut_.last_i = 1;
    unsigned cycles = 0;
    do {
      clock();
      dut_.valid_i = dut_.last_i = 0;
      ++cycles;
    } while (!(dut_.valid_o && dut_.last_o) && cycles < 100);
    return cycles;
  }

 private:
  void clock() {
    dut_.clk_i = 1;
    dut_.eval();
    dut_.clk_i = 0;
    dut_.eval();
  }

  VerilatedContext context_;
  Vtable_function dut_;
};

}  // namespace tb
