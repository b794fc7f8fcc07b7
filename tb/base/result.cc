// SPDX-License-Identifier: Apache-2.0
#include "tb/base/result.h"

#include <fmt/format.h>
#include <unistd.h>

#include "cmodel/files/output_file.h"
#include "tb/base/exit_status.h"

namespace tb {
namespace fs = std::filesystem;

RunDirectory::RunDirectory(const fs::path& out, const std::string& name) : process_(getpid()) {
  std::error_code error;
  const bool fresh = fs::create_directories(out, error);
  for (unsigned i = 1; !error; ++i) {
    path_ = out / (i == 1 ? name : fmt::format("{}.{}", name, i));
    if (!fs::create_directory(path_, error)) continue;
    if (fresh) made_.push_back(out);
    return;
  }
  throw Refused(kBadEnvironment,
                fmt::format("--out is \"{}\": {}; allowed a directory that can be written",
                            out.string(), error.message()));
}

RunDirectory::~RunDirectory() {
  if (path_.empty() || process_ != getpid()) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  for (auto file = made_.rbegin(); file != made_.rend(); ++file) fs::remove(*file, ignored);
}

void RunDirectory::finish(const nlohmann::ordered_json& result) {
  cmodel::write_file(path_ / "result.json", result.dump(2) + "\n");
  // A symbolic link cannot be replaced in place either.
  std::error_code error;
  const fs::path link = path_.parent_path() / fmt::format(".latest.{}", getpid());
  fs::create_directory_symlink(path_.filename(), link, error);
  if (!error) fs::rename(link, path_.parent_path() / "latest", error);
  path_.clear();
}

/// Shares of a whole, as percent: the first, and the four behind it.
static std::string most_of(const nlohmann::ordered_json& shares) {
  std::string text;
  unsigned left = 5;
  for (const auto& [what, share] : shares.items())
    if (left-- > 0)
      text +=
          fmt::format("{}{} {:.1f} %", text.empty() ? "" : ", ", what, 100 * share.get<double>());
    else
      break;
  return text;
}

std::string result_table(const nlohmann::ordered_json& result) {
  std::string text;
  const auto row = [&](std::string_view name, const std::string& value) {
    text += fmt::format("  {:<22} {}\n", name, value);
  };
  const auto plain = [](const nlohmann::ordered_json& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
  };
  text += fmt::format("{} {} ({}, seed {})\n", plain(result["scenario"]), plain(result["status"]),
                      plain(result["config"]), plain(result["seed"]));
  const bool timed = result["kind"] != "model";  // the golden model alone: no cycles, no links
  row("chips", plain(result["chips"]));
  if (timed)
    for (const char* name : {"cycles", "commits_checked", "mismatches"})
      row(name, plain(result[name]));
  row("wall_s", fmt::format("{:.2f}", result["wall_s"].get<double>()));
  if (timed) row("cycles_per_s", fmt::format("{:.0f}", result["cycles_per_s"].get<double>()));
  row("threads", plain(result["threads"]));
  row("commit_hash", plain(result["commit_hash"]));
  if (timed) row("link_hash", plain(result["link_hash"]));
  const auto metric = [&](const std::string& name, const nlohmann::ordered_json& value) {
    row(name, value.is_number_float() ? fmt::format("{:.4g}", value.get<double>()) : plain(value));
  };
  for (const auto& [name, value] : result["metrics"].items())
    if (!value.is_structured())
      metric(name, value);
    else if (name == "inject" || name.ends_with("_us"))  // percentiles (tb/board/latency.h)
      for (const auto& [key, part] : value.items()) metric(name + " " + key, part);
    else if (name == "time")
      for (const auto& [engine, shares] : value.items()) row("time of " + engine, most_of(shares));
  return text;
}

}  // namespace tb
