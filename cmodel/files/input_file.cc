// SPDX-License-Identifier: Apache-2.0
#include "cmodel/files/input_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace cmodel {

InputFile::InputFile(const std::filesystem::path& file)
    : name_(file.string()), file_(std::fopen(name_.c_str(), "rb")) {
  if (!file_)
    throw std::runtime_error(fmt::format("{}: cannot be opened: {}", name_, std::strerror(errno)));
}

InputFile::~InputFile() { std::fclose(file_); }

void InputFile::read(std::vector<std::uint8_t>& bytes, std::uint64_t until) {
  std::array<std::uint8_t, 65536> block;
  while (bytes.size() < until) {
    const auto more = std::min<std::uint64_t>(block.size(), until - bytes.size());
    const std::size_t got = std::fread(block.data(), 1, more, file_);
    bytes.insert(bytes.end(), block.begin(), block.begin() + got);
    if (got < more) break;
  }
  if (std::ferror(file_))
    throw std::runtime_error(fmt::format("{}: cannot be read: {}", name_, std::strerror(errno)));
}

std::vector<std::uint8_t> read_file(const std::filesystem::path& file, std::uint64_t most) {
  std::vector<std::uint8_t> bytes;
  InputFile(file).read(bytes, most + 1);
  if (bytes.size() > most)
    throw std::runtime_error(
        fmt::format("{}: more than {} bytes; allowed {}", file.string(), most, most));
  return bytes;
}

}  // namespace cmodel
