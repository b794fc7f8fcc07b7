// SPDX-License-Identifier: Apache-2.0
// Makes table sets: the ring by rule, any other board by search.
#pragma once
#include <vector>

#include "fabric/model/tables.h"

namespace fabric {

/// `chips` in a ring in the order of `order`, the next reached by `plus`, the one before by
/// `plus + 1`. The same routes and classes as an empty bank of the router (fabric_route.sv).
Tables ring_tables(const Board& board, const std::vector<unsigned>& order, unsigned plus);
Tables ring_tables(unsigned chips);
/// Ring A: ports 0, 1 of C12(1,5); ring B: ports 2, 3, chips in steps of 5.
Tables ring_a_tables();
Tables ring_b_tables();

/// Shortest routes between the members over the board's cables, in two classes without a cycle, the
/// busiest link as idle as the search gets it. Deterministic. Throws BadInput naming a pair that
/// no cable path joins.
Tables search_tables(const Board& board, const std::vector<unsigned>& members);
Tables search_tables(const Board& board);

}  // namespace fabric
