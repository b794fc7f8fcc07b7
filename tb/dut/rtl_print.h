// SPDX-License-Identifier: Apache-2.0
// What the RTL prints, on its way to stdout: an assertion that fails is known by its words only.
// Verilator's run time is compiled with this as its VL_PRINTF (scripts/cmake/dodeca.cmake).
#pragma once
#include <optional>
#include <string>

namespace tb {

/// An assertion of the RTL that failed.
struct AssertionFailure {
  std::string instance;  ///< where it stands: "TOP.chip.gen_core[0].u_core.u_dma.u_write"
  std::string name;      ///< "WriteStays_A"; empty for a `unique case`
  std::string file;      ///< of its source, with folders
  unsigned line = 0;
};

/// By the two lines that Verilator prints; other lines leave it as it is.
void read_assertion(const std::string& line, AssertionFailure& failure);

int rtl_print(const char* format, ...);
/// The first that failed in this thread since the last call.
std::optional<AssertionFailure> take_assertion();

}  // namespace tb
