// SPDX-License-Identifier: Apache-2.0
// Run directories and result.json.
#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>

namespace tb {

/// Makes out/<name>/, or out/<name>.2/ and so on if it exists. Throws Refused (environment).
std::filesystem::path make_run_directory(const std::filesystem::path& out, const std::string& name);

/// Writes <run>/result.json under another name, renames it, and points out/latest at the run.
/// Throws Refused (environment).
void write_result(const std::filesystem::path& run, const nlohmann::ordered_json& result);

/// The table that people read.
std::string result_table(const nlohmann::ordered_json& result);

}  // namespace tb
