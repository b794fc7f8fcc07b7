// SPDX-License-Identifier: Apache-2.0
#include "cmodel/program/data_file.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <string_view>

namespace cmodel {
namespace {

/// Where the elements begin: behind magic, version, length of the header, and the header.
std::size_t npy_header(std::string_view bytes) {
  constexpr std::string_view kMagic = "\x93NUMPY";
  if (bytes.size() < 12 || !bytes.starts_with(kMagic)) return 0;
  const unsigned width = bytes[6] == 1 ? 2 : 4;  // bytes that hold the length
  std::size_t length = 0;
  for (unsigned i = 0; i < width; ++i)
    length |= std::size_t{static_cast<unsigned char>(bytes[8 + i])} << (8 * i);
  const std::size_t begin = 8 + width;
  if (length > bytes.size() - begin) return 0;
  const std::string_view header = bytes.substr(begin, length);
  return header.find("'fortran_order': False") == std::string_view::npos ? 0 : begin + length;
}

}  // namespace

std::vector<std::uint8_t> data_of_file(const std::filesystem::path& file, const TextScanner& in,
                                       std::uint64_t most) {
  const std::string name = file.string();
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> from(std::fopen(name.c_str(), "rb"),
                                                             &std::fclose);
  if (!from) in.fail(fmt::format("{} cannot be opened: {}", name, std::strerror(errno)));
  std::vector<std::uint8_t> bytes(65536);
  std::size_t size = 0;
  while (const std::size_t got =
             std::fread(bytes.data() + size, 1, bytes.size() - size, from.get())) {
    size += got;
    if (size > most)
      in.fail(fmt::format("{} has more than {} bytes; allowed {}", name, most, most));
    if (size == bytes.size()) bytes.resize(2 * size);
  }
  if (std::ferror(from.get()))
    in.fail(fmt::format("{} cannot be read: {}", name, std::strerror(errno)));
  bytes.resize(size);
  if (file.extension() == ".npy") {
    const std::size_t header = npy_header({reinterpret_cast<const char*>(bytes.data()), size});
    if (header == 0) in.fail(fmt::format("{} is no array; allowed .npy in C order", name));
    bytes.erase(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(header));
  }
  return bytes;
}

}  // namespace cmodel
