// SPDX-License-Identifier: Apache-2.0
// The gate of fabric_bench against an independent simulator: its curve, where the RTL's saturation
// lies, and the verdict. Knows no RTL.
#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <vector>

#include "tb/base/exit_status.h"

namespace bench {

/// Mean latency of packets at an offered load, and routers of a route, both ends included: what
/// chance drew is not always 4 (tables of the reference) or 3 links (the RTL) on average.
struct Theirs {
  double offered, mean, routers;
};

/// Lines "offered,latency,accepted,routers,ok", by rising load, behind a title and comments.
inline std::vector<Theirs> read_reference(const std::filesystem::path& file) {
  const auto refuse = [&](const std::string& what) {
    throw tb::Refused(tb::kBadInput, fmt::format("{}: {}", file.string(), what));
  };
  std::ifstream in(file);
  if (!in) refuse("cannot be read");
  std::vector<Theirs> curve;
  std::string line;
  for (unsigned number = 1; std::getline(in, line); ++number) {
    if (line.starts_with('#') || line.starts_with("offered,")) continue;
    Theirs point{};
    double accepted = 0;
    int end = 0;
    std::sscanf(line.c_str(), "%lf,%lf,%lf,%lf,ok%n", &point.offered, &point.mean, &accepted,
                &point.routers, &end);
    if (end == 0 || static_cast<std::size_t>(end) != line.size() || !(point.mean > 0) ||
        !(point.offered > (curve.empty() ? 0 : curve.back().offered)))
      refuse(
          fmt::format("line {}: is '{}', allowed \"offered,latency,accepted,routers,ok\" by "
                      "rising load",
                      number, line));
    curve.push_back(point);
  }
  if (curve.empty()) refuse("has no points");
  return curve;
}

/// The last load that is `stable`, to 0.01, below `high`, which is not.
inline double last_stable(double high, const std::function<bool(double)>& stable) {
  double low = 0;
  while (high - low > 0.01) {
    const double middle = (low + high) / 2;
    (stable(middle) ? low : high) = middle;
  }
  return low;
}

struct Compared {
  double offered, own, reference;
};

constexpr double kJudgedShare = 0.8;  ///< of saturation
constexpr double kMostOff = 0.03;     ///< of the reference's mean latency
constexpr unsigned kLeastPoints = 6;  ///< fewer say too little

/// How many points were judged, and how far the worst of them is off.
struct Verdict {
  unsigned points = 0;
  double worst = 0;
  bool met() const { return points >= kLeastPoints && worst <= kMostOff; }
};

inline Verdict judge(const std::vector<Compared>& curve, double saturation) {
  Verdict verdict;
  for (const Compared& point : curve) {
    if (point.offered > kJudgedShare * saturation) continue;
    ++verdict.points;
    verdict.worst = std::max(verdict.worst, std::abs(point.own / point.reference - 1));
  }
  return verdict;
}

}  // namespace bench
