// SPDX-License-Identifier: Apache-2.0
// A program as text, *.dasm: what load_program and save_program do with that ending. The language
// is described in cmodel/README.md.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

#include "cmodel/program/program.h"

namespace cmodel {

inline constexpr const char* kTextEnding = ".dasm";
/// Of all segments of a text program: a line of text can ask for any number of zeros.
inline constexpr std::uint64_t kMostTextData = std::uint64_t{1} << 30;

/// Throws std::runtime_error, "FILE:LINE:COLUMN: what; what is allowed".
Program load_text(const std::filesystem::path& file);
/// Of a valid program. Throws as save_program.
void save_text(const Program& program, const std::filesystem::path& file);

}  // namespace cmodel
