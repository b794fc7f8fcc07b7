// SPDX-License-Identifier: Apache-2.0
// The one writer of files.
#pragma once
#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>

namespace cmodel {

/// A file that is there whole or not at all: it is written beside its name, and gets that name when
/// it is finished. What is there and is no regular file, a device or a FIFO, is written directly
/// and stays what it is.
///
/// All that it throws is std::runtime_error, "FILE: cannot be written: why".
class OutputFile {
 public:
  explicit OutputFile(const std::filesystem::path& file);
  /// Leaves nothing behind unless it was finished.
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;

  void write(const void* bytes, std::size_t size);
  template <class... Args>
  void print(fmt::format_string<Args...> text, Args&&... args) {
    const std::string line = fmt::format(text, std::forward<Args>(args)...);
    write(line.data(), line.size());
  }
  /// For a library that writes by itself, to the end, before finish(); it closes what it gets.
  int descriptor();
  void finish();
  [[noreturn]] void fail(const std::string& why) const;

 private:
  std::filesystem::path name_, part_;  ///< the same if written directly
  std::FILE* file_;
};

/// A file of these bytes.
void write_file(const std::filesystem::path& file, std::string_view bytes);

}  // namespace cmodel
