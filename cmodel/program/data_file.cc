// SPDX-License-Identifier: Apache-2.0
#include "cmodel/program/data_file.h"

#include "cmodel/files/input_file.h"
#include "cmodel/files/npy.h"

namespace cmodel {

std::vector<std::uint8_t> data_of_file(const std::filesystem::path& file, const TextScanner& in,
                                       std::uint64_t most) {
  std::vector<std::uint8_t> bytes;
  try {
    bytes = read_file(file, most);
  } catch (const std::runtime_error& error) {
    in.fail(error.what());
  }
  if (file.extension() == ".npy") {
    const auto header = npy_header(bytes);
    if (!header || header->fortran_order)
      in.fail(fmt::format("{}: is no array; allowed .npy in C order", file.string()));
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(header->begin));
  }
  return bytes;
}

}  // namespace cmodel
