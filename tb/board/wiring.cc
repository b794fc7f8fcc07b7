// SPDX-License-Identifier: Apache-2.0
#include "tb/board/wiring.h"

#include <fmt/format.h>

#include <algorithm>

#include "fabric/model/line_reader.h"
#include "fabric/model/table_writer.h"
#include "tb/base/exit_status.h"
#include "tb/board/selection.h"

namespace tb {
namespace {

/// The set's text: of one that has a name, or a file.
std::string table_set(const std::filesystem::path& file, unsigned chips) {
  if (file == "ring") return fabric::ring_tables(chips).text();
  if (file == "ring-balanced") return fabric::search_tables(fabric::Board::ring(chips)).text();
  if (file == "ring-a") return fabric::ring_a_tables().text();
  if (file == "ring-b") return fabric::ring_b_tables().text();
  if (file == "c12") return fabric::search_tables(fabric::Board::c12()).text();
  return fabric::read_text(file);
}

}  // namespace

Wiring::Wiring(const Settings& settings, unsigned chips)
    : cables(settings.topology == "c12" ? fabric::Board::c12() : fabric::Board::ring(chips)),
      models(select_models(settings.rtl, settings.model, chips)) {
  if (cables.chips() != chips)
    throw Refused(kBadInput, fmt::format("--topology c12 has 12 chips, the program {}", chips));
  const auto between = [&](const char* option, unsigned a, unsigned b) {
    try {
      return cables.between(a, b);
    } catch (const fabric::BadInput& bad) {
      throw Refused(kBadInput,
                    fmt::format("{} {}-{}: {}; allowed neighbours on this {} of {} chips", option,
                                a, b, bad.what(), settings.topology, chips));
    }
  };
  if (settings.leave_cable) {
    const auto& [a, b, cycle] = *settings.leave_cable;
    leave = {between("--leave-cable", a, b), cycle / defs::kFabricDivide};
  }
  for (const CableFault& fault : settings.cable_faults)
    between(fault.lane < 0 ? "--fail-cable" : "--stuck-lane", fault.from, fault.to);
  by_packets = settings.tables_by == "packets";
  if (settings.tables.empty()) {
    if (settings.topology == "c12") loaded = fabric::search_tables(cables);
    return;
  }
  try {
    loaded = fabric::Tables::parse(table_set(settings.tables, chips), settings.tables.string());
  } catch (const fabric::BadInput& bad) {
    throw Refused(kBadInput, fmt::format("--tables {}", bad.what()));
  }
  if (loaded->members.size() != chips || std::ranges::max(loaded->members) != chips - 1)
    throw Refused(kBadInput,
                  fmt::format("--tables {}: joins {} chips up to chip {}; allowed all of "
                              "the program's, 0 .. {}",
                              settings.tables.string(), loaded->members.size(),
                              std::ranges::max(loaded->members), chips - 1));
  for (const auto& [a, b] : loaded->board().cables())
    if (a.port >= cables.ports() || !cables.wired(a) || cables.peer(a) != b)
      throw Refused(
          kBadInput,
          fmt::format("--tables {}: uses cable {}.{} {}.{}, --topology {} has none there",
                      settings.tables.string(), a.chip, a.port, b.chip, b.port, settings.topology));
}

fabric::Tables Wiring::tables() const {
  return loaded ? *loaded : fabric::ring_tables(cables.chips());
}

}  // namespace tb
