// SPDX-License-Identifier: Apache-2.0
// Shares of a window, from tracks written by hand.
#include "tb/observe/timeline/spent.h"

#include <gtest/gtest.h>

namespace tb::timeline {
namespace {

struct Drawn : Timeline {
  explicit Drawn(unsigned chips) { traffic.resize(chips); }
  void track(unsigned chip, Track::Kind kind, const char* name,
             std::initializer_list<std::tuple<unsigned, unsigned, const char*>> spans) {
    tracks.push_back({chip, kind, name, {}});
    for (const auto& [begin, end, what] : spans)
      tracks.back().spans.push_back({begin, end, names.id(what), 0, Span::kNone, 0});
  }
};

constexpr Window kWindow{100, 200};

TEST(Spent, SharesOfASequencerAddUpToTheWindow) {
  Drawn t(2);
  t.track(0, Track::Kind::Work, "core 0 Vector", {{90, 110, "copy"}, {120, 130, "copy"}});
  t.track(0, Track::Kind::Wait, "core 0 Vector waits",
          {{108, 120, "semaphore 0.3 row made"}, {130, 170, "semaphore 0.4"}, {180, 250, "ended"}});
  const auto shares = spent(t, kWindow);
  ASSERT_EQ(shares.size(), 1u) << "who did not work is left out";
  EXPECT_EQ(shares["Vector"].dump(),
            (nlohmann::ordered_json{
                 {"busy", 0.2}, {"0.4", 0.4}, {"ended", 0.2}, {"issue", 0.1}, {"row made", 0.1}})
                .dump());
}

TEST(Spent, TheMeanOfThoseThatWorked) {
  Drawn t(3);
  t.track(0, Track::Kind::Work, "core 0 Tensor multiply", {{100, 150, "m"}});
  t.track(0, Track::Kind::Work, "core 0 Tensor load", {{150, 200, "not work of its own"}});
  t.track(2, Track::Kind::Work, "core 1 Tensor multiply lower", {{100, 200, "m"}});
  EXPECT_EQ(spent(t, kWindow)["Tensor"].dump(),
            (nlohmann::ordered_json{{"busy", 0.75}, {"issue", 0.25}}).dump());
}

TEST(Spent, DescriptorsOfACoreCountOnceWhereTheyOverlap) {
  Drawn t(1);
  t.track(0, Track::Kind::Queue, "core 1 Dma2", {{100, 120, "a"}, {190, 300, "b"}});
  t.track(0, Track::Kind::Queue, "core 1 Dma2 +1", {{110, 130, "c"}});
  t.track(0, Track::Kind::Queue, "core 1 Dma11", {{115, 125, "d"}});
  EXPECT_EQ(spent(t, kWindow)["Dma"].dump(), (nlohmann::ordered_json{{"busy", 0.4}}).dump());
}

}  // namespace
}  // namespace tb::timeline
