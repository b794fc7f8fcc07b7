// SPDX-License-Identifier: Apache-2.0
// A timeline as a file of Chrome's trace event format, which ui.perfetto.dev opens.
#pragma once
#include <filesystem>
#include <nlohmann/json.hpp>

#include "tb/observe/timeline/timeline.h"

namespace tb::timeline {

/// Process: chip. Thread: track. One nanosecond is one core cycle, as in the waves. `metadata` goes
/// under the key "dodeca", which viewers ignore. Written under another name and renamed; throws
/// std::runtime_error that names the file.
void write_chrome_trace(const Timeline& timeline, const nlohmann::ordered_json& metadata,
                        const std::filesystem::path& file);

}  // namespace tb::timeline
