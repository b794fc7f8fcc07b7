// SPDX-License-Identifier: Apache-2.0
// The verdict of the fabric's reference gate, and the file it reads.
#include "tb/apps/bench/fabric_reference.h"

#include <gtest/gtest.h>

#include "cmodel/files/output_file.h"

namespace {

using namespace bench;

const std::string kCurve = FABRIC_REFERENCE;

/// The reference's own points, each `off` from it.
std::vector<Compared> curve(double off) {
  std::vector<Compared> points;
  for (const Theirs& theirs : read_reference(kCurve))
    points.push_back({theirs.offered, theirs.mean * (1 + off), theirs.mean});
  return points;
}

TEST(FabricReference, AFabricThatSaturatesEarlyIsNotJudgedByTheFewPointsBeforeThat) {
  const std::vector<Compared> good = curve(0);
  EXPECT_TRUE(judge(good, 0.5626).met());
  EXPECT_EQ(judge(good, 0.5626).points, 6u);
  for (const double saturation : {0.56, 0.43, 0.1, 0.0})
    EXPECT_FALSE(judge(good, saturation).met()) << saturation;
}

TEST(FabricReference, EachJudgedPointCounts) {
  EXPECT_TRUE(judge(curve(0.029), 0.6).met());
  for (const double off : {0.031, -0.031}) {
    for (unsigned i = 0; i < 6; ++i) {
      std::vector<Compared> one = curve(0);
      one[i] = curve(off)[i];
      EXPECT_FALSE(judge(one, 0.58).met()) << one[i].offered;
    }
    std::vector<Compared> beyond = curve(0);
    beyond.back() = curve(off).back();
    EXPECT_TRUE(judge(beyond, 0.58).met());
  }
}

TEST(FabricReference, SaturationIsFoundWhereItIs) {
  for (const double at : {0.05, 0.43, 0.58, 0.66}) {
    const double found = last_stable(2.0 / 3, [&](double load) { return load <= at; });
    EXPECT_LE(found, at);
    EXPECT_GT(found, at - 0.0101);
  }
}

TEST(FabricReference, ACurveIsReadWholeOrRefusedByItsLine) {
  EXPECT_EQ(read_reference(kCurve).size(), 8u);
  const std::string file = testing::TempDir() + "fabric_reference.csv";
  for (const char* text :
       {"", "offered,packet\n", "0.1,130,0.1,4,unstable\n", "0.1,130,0.1\n", "0.1,nan,0.1,4,ok\n",
        "0.2,130,0.2,4,ok\n0.1,130,0.1,4,ok\n", "0.1,130,0.1,4,ok,\n"}) {
    cmodel::write_file(file, text);
    EXPECT_THROW(read_reference(file), tb::Refused) << text;
  }
  std::filesystem::remove(file);
  EXPECT_THROW(read_reference(file), tb::Refused);
}

}  // namespace
