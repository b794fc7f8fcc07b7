// SPDX-License-Identifier: Apache-2.0
#include "tb/dut/rtl_print.h"

#include <array>
#include <cstdarg>
#include <cstdio>
#include <string_view>
#include <utility>

namespace tb {
namespace {

thread_local std::optional<AssertionFailure> first;

}  // namespace

// [812] %Error: dma_write.sv:192: Assertion failed in TOP.chip.u_x.Name_A: TOP.chip.u_x.Name_A: ..
// %Error: /../rtl/dma/dma_write.sv:192: Verilog $stop
void read_assertion(const std::string& line, AssertionFailure& failure) {
  static constexpr std::string_view kError = "%Error: ", kFailed = ": Assertion failed in ",
                                    kStop = ": Verilog $stop";
  const auto error = line.find(kError), failed = line.find(kFailed), stop = line.find(kStop);
  if (error == line.npos) return;
  if (failed != line.npos && failure.instance.empty()) {
    const auto from = failed + kFailed.size();
    failure.instance = line.substr(from, line.find(": ", from) - from);
    const auto dot = failure.instance.rfind('.');
    if (failure.instance.ends_with("_A") && dot != line.npos) {
      failure.name = failure.instance.substr(dot + 1);
      failure.instance.resize(dot);
    }
  } else if (stop != line.npos && failure.file.empty()) {
    const auto from = error + kError.size(), colon = line.rfind(':', stop - 1);
    failure.file = line.substr(from, colon - from);
    failure.line = static_cast<unsigned>(std::stoul(line.substr(colon + 1, stop - colon - 1)));
  }
}

int rtl_print(const char* format, ...) {
  std::array<char, 2048> line;
  std::va_list words, again;
  va_start(words, format);
  va_copy(again, words);
  std::vsnprintf(line.data(), line.size(), format, again);
  va_end(again);
  const int printed = std::vprintf(format, words);
  va_end(words);
  if (std::string_view(line.data()).find("%Error: ") != std::string_view::npos) {
    if (!first) first.emplace();
    read_assertion(line.data(), *first);
  }
  return printed;
}

std::optional<AssertionFailure> take_assertion() { return std::exchange(first, std::nullopt); }

}  // namespace tb
