// SPDX-License-Identifier: Apache-2.0
// The header of a .npy file, as numpy and others write it.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace cmodel {

struct NpyHeader {
  std::string descr;  ///< type of the elements, "<f4"
  bool fortran_order = false;
  std::vector<std::uint64_t> shape;
  std::size_t begin = 0;  ///< where the elements begin in the file
};

/// None if the bytes are not those of such a file.
std::optional<NpyHeader> npy_header(std::span<const std::uint8_t> file);

}  // namespace cmodel
