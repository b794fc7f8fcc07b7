// SPDX-License-Identifier: Apache-2.0
// Which descriptor of a ring an engine executes, and what is said where there is no ring.
#include "tb/observe/timeline/listed.h"

#include <gtest/gtest.h>

#include <string>

namespace {

using tb::timeline::listed;

TEST(Listed, ARingIsWalkedRoundAndRound) {
  std::vector<defs::Descriptor> ring(3);
  for (unsigned i = 0; i < ring.size(); ++i) ring[i].src = i;
  for (unsigned pc = 0; pc < 7; ++pc) EXPECT_EQ(listed(ring, 0, "core 0 Dma1", pc).src, pc % 3);
}

TEST(Listed, WithoutARingOneLineSaysWhoseAndWhatIsAllowed) {
  try {
    listed({}, 3, "core 1 Dma2", 7);
    FAIL() << "nothing is refused";
  } catch (const tb::Refused& refused) {
    const std::string line = refused.what();
    EXPECT_EQ(refused.status, tb::kBadInput);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    for (const char* part : {"chip 3", "core 1 Dma2", "descriptor 7", "allowed"})
      EXPECT_NE(line.find(part), std::string::npos) << part << ": " << line;
  }
}

}  // namespace
