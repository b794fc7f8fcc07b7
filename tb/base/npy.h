// SPDX-License-Identifier: Apache-2.0
// Arrays as files of numpy: what the host read back, for scripts/dodeca compare; matrices of
// others.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cmodel/program/program.h"

namespace tb {

/// <run>/NAME.npy for every region that was read back: the array that the program says it is, or
/// else bytes (u1), and whoever reads it says of what (compare --as bf16). A '/' in a name becomes
/// '_'. Throws as OutputFile does.
void write_regions(const std::filesystem::path& run, const cmodel::Program& program,
                   const std::vector<std::vector<std::uint8_t>>& regions);

/// Row by row, each element in the low bits of a word.
struct Matrix {
  defs::Dtype dtype;
  unsigned rows, columns;
  std::vector<std::uint32_t> elements;
};

/// What `option` names: a file of two sides of at most `most`, of what the tensor engine
/// multiplies; `format` says what bytes are that may be several. Throws Refused with one line.
Matrix read_matrix(const std::string& option, const std::filesystem::path& file,
                   std::optional<defs::Dtype> format, unsigned most);

/// "fp8e4m3", as on a command line.
std::string format_name(defs::Dtype dtype);

}  // namespace tb
