// SPDX-License-Identifier: Apache-2.0
// What writer, reader and checks of program files share. The format itself: program.h.
#pragma once
#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace cmodel::program_format {

inline constexpr std::array<char, 8> kMagic{'D', 'O', 'D', 'E', 'C', 'A', '\0', '\1'};
inline constexpr std::string_view kIsolated = "KEYS";
inline constexpr std::string_view kFed = "RQST";
inline constexpr std::size_t kRequestBytes = 8 + 3 * 4 + 2 * 8;  // without its data
inline constexpr std::size_t kConfigBytes = 16;
inline constexpr std::size_t kHashBytes = 8;
inline constexpr std::size_t kHeaderBytes = kMagic.size() + 4 + kConfigBytes + 4 * 4 + 8;
inline constexpr std::size_t kMaxName = 64;
inline constexpr std::uint64_t kMaxFileBytes = std::uint64_t{1} << 32;

/// Throws one line: the file, or whatever `where` says, then the text.
template <class... Args>
[[noreturn]] void fail(const std::string& where, fmt::format_string<Args...> text, Args&&... args) {
  throw std::runtime_error(where + ": " + fmt::format(text, std::forward<Args>(args)...));
}

}  // namespace cmodel::program_format
