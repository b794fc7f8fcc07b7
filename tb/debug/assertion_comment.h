// SPDX-License-Identifier: Apache-2.0
#pragma once
#include <filesystem>
#include <string>

namespace tb {

/// What a source says above an assertion, or above the first of several that stand together; empty
/// if nothing, or if the file cannot be read.
std::string comment_above(const std::filesystem::path& source, const std::string& assertion);

}  // namespace tb
