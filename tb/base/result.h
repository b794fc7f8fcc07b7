// SPDX-License-Identifier: Apache-2.0
// Run directories and result.json.
#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace tb {

/// The directory of a run: gone again, with all that is in it, unless the run came to a result.
class RunDirectory {
 public:
  /// Makes out/<name>/, or out/<name>.2/ and so on if it exists. Throws Refused (environment).
  RunDirectory(const std::filesystem::path& out, const std::string& name);
  ~RunDirectory();
  RunDirectory(const RunDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  /// A file elsewhere that shares its fate.
  void owns(const std::filesystem::path& file) { made_.push_back(file); }
  /// Writes result.json and points out/latest at the run. Throws as OutputFile does.
  void finish(const nlohmann::ordered_json& result);

 private:
  std::filesystem::path path_;
  std::vector<std::filesystem::path> made_;  ///< what is to go if there is no result
  int process_;                              ///< a copy of it (Standby) leaves the files alone
};

/// The table that people read.
std::string result_table(const nlohmann::ordered_json& result);

}  // namespace tb
