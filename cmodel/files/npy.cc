// SPDX-License-Identifier: Apache-2.0
#include "cmodel/files/npy.h"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace cmodel {
namespace {

/// What stands behind a key of the dictionary; empty if it is not there.
std::string_view value_of(std::string_view header, std::string_view key) {
  const std::size_t at = header.find(key);
  if (at == std::string_view::npos) return {};
  header.remove_prefix(at + key.size());
  const std::size_t begin = header.find_first_not_of(" :");
  return begin == std::string_view::npos ? "" : header.substr(begin);
}

/// "(2, 3)" and whatever is behind it.
std::optional<std::vector<std::uint64_t>> sides(std::string_view text) {
  if (!text.starts_with('(')) return {};
  std::vector<std::uint64_t> shape;
  const char *at = text.data() + 1, *end = text.data() + text.size();
  while (at != end && *at != ')') {
    if (*at == ' ' || *at == ',') {
      ++at;
      continue;
    }
    const auto [rest, error] = std::from_chars(at, end, shape.emplace_back());
    if (error != std::errc{}) return {};
    at = rest;
  }
  return at == end ? std::nullopt : std::optional(shape);
}

}  // namespace

std::optional<NpyHeader> npy_header(std::span<const std::uint8_t> file) {
  const std::string_view bytes(reinterpret_cast<const char*>(file.data()), file.size());
  if (bytes.size() < 12 || !bytes.starts_with("\x93NUMPY")) return {};
  // Magic, version, length of the header, and the header: a Python dictionary.
  const unsigned width = file[6] == 1 ? 2 : 4;
  std::size_t length = 0;
  for (unsigned i = 0; i < width; ++i) length |= std::size_t{file[8 + i]} << (8 * i);
  const std::size_t begin = 8 + width;
  if (length > bytes.size() - begin) return {};
  const std::string_view header = bytes.substr(begin, length);

  const std::string_view descr = value_of(header, "'descr'"),
                         order = value_of(header, "'fortran_order'");
  const auto shape = sides(value_of(header, "'shape'"));
  const std::size_t quote = descr.empty() ? std::string_view::npos : descr.find(descr[0], 1);
  if (!descr.starts_with('\'') || quote == std::string_view::npos || !shape) return {};
  if (!order.starts_with("True") && !order.starts_with("False")) return {};
  return NpyHeader{std::string(descr.substr(1, quote - 1)), order.starts_with("True"), *shape,
                   begin + length};
}

}  // namespace cmodel
