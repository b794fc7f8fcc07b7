// SPDX-License-Identifier: Apache-2.0
// The one reader of files that nothing is known of: what is opened may be missing, broken or never
// end.
#pragma once
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

namespace cmodel {

/// All that it throws is std::runtime_error, "FILE: cannot be opened: why", "FILE: cannot be read:
/// why".
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& file);
  ~InputFile();
  InputFile(const InputFile&) = delete;

  /// Puts what comes next behind `bytes`, until they are so many or the file ends. Takes no memory
  /// for what is not there.
  void read(std::vector<std::uint8_t>& bytes, std::uint64_t until);

 private:
  std::string name_;
  std::FILE* file_;
};

/// All of a file. Throws as InputFile, or if it has more than `most` bytes.
std::vector<std::uint8_t> read_file(const std::filesystem::path& file, std::uint64_t most);

}  // namespace cmodel
