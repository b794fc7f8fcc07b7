// SPDX-License-Identifier: Apache-2.0
#include "tb/board/wiring.h"

#include <fmt/format.h>

#include <fstream>

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
  std::ifstream in(file);
  if (!in) throw Refused(kBadInput, fmt::format("--tables {}: cannot be read", file.string()));
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

Wiring::Wiring(const Options& options, unsigned chips)
    : cables(options.topology == "c12" ? fabric::Board::c12() : fabric::Board::ring(chips)),
      models(select_models(options.rtl, options.model, chips)) {
  if (cables.chips() != chips)
    throw Refused(kBadInput, fmt::format("--topology c12 has 12 chips, the program {}", chips));
  const auto between = [&](const char* option, unsigned a, unsigned b) {
    try {
      return cables.between(a, b);
    } catch (const fabric::BadInput& bad) {
      throw Refused(kBadInput,
                    fmt::format("{} {}-{}: {}; allowed neighbours on this {} of {} chips", option,
                                a, b, bad.what(), options.topology, chips));
    }
  };
  if (options.leave_cable) {
    const auto& [a, b, cycle] = *options.leave_cable;
    leave = {between("--leave-cable", a, b), cycle / defs::kFabricDivide};
  }
  for (const CableFault& fault : options.cable_faults)
    between(fault.lane < 0 ? "--fail-cable" : "--stuck-lane", fault.from, fault.to);
  by_packets = options.tables_by == "packets";
  if (options.tables.empty()) {
    if (options.topology == "c12") loaded = fabric::search_tables(cables);
    return;
  }
  try {
    loaded = fabric::Tables::parse(table_set(options.tables, chips), options.tables.string());
  } catch (const fabric::BadInput& bad) {
    throw Refused(kBadInput, fmt::format("--tables {}", bad.what()));
  }
  if (loaded->members.size() != chips)
    throw Refused(kBadInput, fmt::format("--tables {}: joins {} chips, the program has {}",
                                         options.tables.string(), loaded->members.size(), chips));
  for (const auto& [a, b] : loaded->board().cables())
    if (a.port >= cables.ports() || !cables.wired(a) || cables.peer(a) != b)
      throw Refused(
          kBadInput,
          fmt::format("--tables {}: uses cable {}.{} {}.{}, --topology {} has none there",
                      options.tables.string(), a.chip, a.port, b.chip, b.port, options.topology));
}

fabric::Tables Wiring::tables() const {
  return loaded ? *loaded : fabric::ring_tables(cables.chips());
}

}  // namespace tb
