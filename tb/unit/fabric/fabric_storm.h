// SPDX-License-Identifier: Apache-2.0
// What the tests of the fabric share: traffic of everybody, and sets of tables by name.
#pragma once
#include <string>

#include "tb/fabric/fabric_ring.h"

namespace fabric_test {

using fabric::Message;
using tb::FabricRing;
using tb::Options;

/// Everybody sends `count` messages, the i-th from src to to(src, i), of one VN or of all.
template <class To>
void storm(FabricRing& bench, unsigned count, To to, int vn = -1, unsigned most = 1024) {
  for (unsigned i = 0; i < count; ++i) {
    for (unsigned src = 0; src < bench.chips(); ++src) {
      Message m = bench.random_message(src, to(src, i), most);
      if (vn > 0) {
        m.vn = static_cast<std::uint8_t>(vn);
        m.bytes = static_cast<std::uint16_t>(most);
      }
      bench.post(m);
    }
  }
}

/// Boards other than the plain ring, by name: what the tables are.
inline fabric::Tables tables_of(const std::string& name) {
  const fabric::Board c12 = fabric::Board::c12();
  if (name == "ring") return fabric::ring_tables(12);
  if (name == "c12") return fabric::search_tables(c12);
  if (name == "ring_a") return fabric::ring_a_tables();
  if (name == "ring_b") return fabric::ring_b_tables();
  if (name == "c12_without_2_7") return fabric::search_tables(c12.without(c12.between(2, 7)));
  const fabric::Board ring = fabric::Board::ring(12);
  if (name == "ring_without_11_0") return fabric::search_tables(ring.without(ring.between(11, 0)));
  return fabric::search_tables(fabric::Board::ring(12), {3, 4, 5, 6, 7});  // chips_3_7
}

}  // namespace fabric_test
