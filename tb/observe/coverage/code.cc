// SPDX-License-Identifier: Apache-2.0
#include "tb/observe/coverage/code.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <string>
#include <unordered_map>
#include <vector>

#include "cmodel/files/output_file.h"

namespace tb {
namespace {

struct Point {
  std::string key;
  std::uint64_t count = 0;
  unsigned chips = 0;
};

}  // namespace

void write_code_coverage(Board& board, const std::filesystem::path& run) {
  std::vector<Point> points;
  std::unordered_map<std::string, std::size_t> index;
  // Verilator writes to a name, and does not look whether it could: a file in memory.
  const int memory = memfd_create("coverage", 0);
  const std::filesystem::path part = fmt::format("/proc/self/fd/{}", memory);
  for (unsigned chip = 0; chip < board.chips(); ++chip) {
    board.chip(chip).write_coverage(part);
    std::ifstream file(part);
    std::string line;
    while (std::getline(file, line)) {
      const std::size_t end = line.rfind("' ");
      if (!line.starts_with("C '") || end == std::string::npos) continue;
      std::string key = line.substr(3, end - 3);
      const auto [place, fresh] = index.try_emplace(key, points.size());
      if (fresh) points.push_back({std::move(key)});
      Point& point = points[place->second];
      const std::uint64_t count = std::stoull(line.substr(end + 2));
      point.count += count;
      point.chips |= (count != 0) << chip;
    }
  }
  close(memory);
  cmodel::OutputFile out(run / "coverage.dat.gz");
  gzFile file = gzdopen(out.descriptor(), "wb1");
  bool good = file && !points.empty();
  for (const Point& point : points) {
    const std::string line = fmt::format("C '{}' {} {:x}\n", point.key, point.count, point.chips);
    good = good && gzwrite(file, line.data(), static_cast<unsigned>(line.size())) > 0;
  }
  if (file) good = gzclose(file) == Z_OK && good;
  if (!good) out.fail(std::strerror(errno));
  out.finish();
}

}  // namespace tb
