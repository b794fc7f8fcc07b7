// SPDX-License-Identifier: Apache-2.0
#include "tb/board/wrong_reports.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "cmodel/program/disassemble.h"

namespace tb {
namespace {

constexpr unsigned kMaxLines = 8;

using Report = std::tuple<unsigned, unsigned, unsigned, std::uint32_t, defs::ErrorCause>;

bool of_one_engine(const Report& a, const Report& b) {
  return std::tie(std::get<0>(a), std::get<1>(a), std::get<2>(a)) ==
         std::tie(std::get<0>(b), std::get<1>(b), std::get<2>(b));
}

}  // namespace

WrongReports wrong_reports(std::span<const HostError> notified, const cmodel::Board& model) {
  std::set<Report> told, happened;
  for (const HostError& e : notified)
    told.insert({e.chip, e.engine == static_cast<unsigned>(defs::Engine::Rx) ? 0 : e.core, e.engine,
                 e.pc, e.cause});
  for (const auto& e : model.errors())
    happened.insert({e.stream.chip, e.stream.core, e.stream.engine, e.pc, e.cause});
  WrongReports wrong;
  unsigned lines = 0;
  const auto list = [&](const auto& these, const auto& those, WrongReport::Kind kind,
                        const char* what) {
    for (const Report& report : these) {
      if (those.contains(report)) continue;
      const auto [chip, core, engine, pc, cause] = report;
      if (!wrong.first) {
        const bool stops =
            std::ranges::any_of(those, [&](const Report& r) { return of_one_engine(r, report); });
        wrong.first = {{static_cast<std::uint8_t>(chip), static_cast<std::uint8_t>(core),
                        static_cast<std::uint8_t>(engine), 0, 0},
                       pc,
                       stops ? WrongReport::Kind::Other : kind};
      }
      if (lines++ < kMaxLines)
        wrong.lines += fmt::format("{} chip {} core {} {} pc {}: {}\n", what, chip, core,
                                   cmodel::engine_name(engine), pc, to_string(cause));
    }
  };
  list(happened, told, WrongReport::Kind::Missing, "the host was not told of");
  list(told, happened, WrongReport::Kind::Spurious, "the host was told of what is not so:");
  if (lines > kMaxLines) wrong.lines += fmt::format("and {} more\n", lines - kMaxLines);
  return wrong;
}

}  // namespace tb
