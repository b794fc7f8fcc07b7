// SPDX-License-Identifier: Apache-2.0
// Bytes that a text program takes from another file.
#pragma once
#include <cstdint>
#include <filesystem>
#include <vector>

#include "cmodel/program/text_scanner.h"

namespace cmodel {

/// All of a file; of a *.npy the elements in C order, without the header. At most `most` bytes.
/// What is wrong is said at the place of `in`.
std::vector<std::uint8_t> data_of_file(const std::filesystem::path& file, const TextScanner& in,
                                       std::uint64_t most);

}  // namespace cmodel
