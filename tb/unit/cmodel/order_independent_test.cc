// SPDX-License-Identifier: Apache-2.0
// Order-independent sums in the model: the same bits by every algorithm, by any number of engines
// and in any order of ranks; how far they are from the exact sum; what zeros, subnormals,
// infinities and NaN become.
#include "tb/scenarios/order_independent.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <numeric>

#include "cmodel/collectives/communicator.h"
#include "tb/scenarios/numbers.h"
#include "tb/unit/cmodel/model_bench.h"

namespace tb::model {
namespace {

using cmodel::Algorithm;
using cmodel::Assembler;
using cmodel::Buffers;
using cmodel::Communicator;
using Numbers = std::vector<std::vector<float>>;  // of each member, wherever its rank is

/// How a sum is made; none of it may show in the bits.
struct Way {
  Algorithm algorithm = Algorithm::Direct;
  std::vector<unsigned> engines = {};
  unsigned shift = 0;  ///< rank r is member (shift + r * step) mod N
  unsigned step = 1;
  unsigned slot_bytes = 128, sum_bytes = 16 * 64;
  unsigned rows = 1;
  bool in_place = false;
  std::uint64_t order_seed = 0;
  const defs::Sizes* sizes = &kSizes;
};

/// What rank 0 gets, all others the same. Member m is on chip m mod 12, core m / 12.
std::vector<float> sum_of(const Numbers& numbers, const Way& way) {
  const auto n = static_cast<unsigned>(numbers.size());
  const auto bytes = static_cast<unsigned>(4 * numbers[0].size());
  Assembler assembler(*way.sizes, std::min(n, defs::kBoardChips));
  std::vector<cmodel::Member> group;
  Buffers in, out;
  for (unsigned rank = 0; rank < n; ++rank) {
    const unsigned member = (way.shift + rank * way.step) % n, chip = member % defs::kBoardChips;
    group.push_back({chip, member / defs::kBoardChips});
    in.push_back(assembler.data(chip, 0, fmt::format("in {}", rank), bytes / way.rows, way.rows,
                                bytes_of(numbers[member])));
    out.push_back(way.in_place ? in[rank]
                               : assembler.hbm(chip, 1, fmt::format("out {}", rank),
                                               bytes / way.rows, way.rows));
  }
  Communicator all(assembler, group,
                   {.slot_bytes = way.slot_bytes,
                    .ring_slots = way.algorithm == Algorithm::Ring ? 4u : 0u,
                    .sum_bytes = way.sum_bytes,
                    .engines = way.engines});
  all.order_independent_sum(in, out, way.algorithm).write();
  BoardOptions options{.detect_races = true};
  if (way.order_seed) options.order_seed = way.order_seed;
  Bench bench(assembler.assemble(), options, *way.sizes);
  EXPECT_TRUE(bench.board.run()) << bench.board.blocked();
  EXPECT_EQ(bench.board.errors().size(), 0u);
  EXPECT_EQ(bench.board.races(), "");
  EXPECT_EQ(bench.board.unwritten_text(), "");
  std::vector<float> sum(numbers[0].size());
  for (unsigned rank = 0; rank < n; ++rank) {
    const auto came = read_back(bench.board, group[rank].chip, out[rank].addr, bytes);
    if (rank == 0)
      std::memcpy(sum.data(), came.data(), bytes);
    else
      EXPECT_EQ(std::memcmp(sum.data(), came.data(), bytes), 0) << "rank " << rank;
  }
  return sum;
}

/// Any sign and fraction, exponents up to so many apart; now and then zero of either sign.
Numbers draw(Random& random, unsigned ranks, unsigned count, unsigned least, unsigned most) {
  Numbers numbers(ranks, std::vector<float>(count));
  for (auto& of_rank : numbers)
    for (float& x : of_rank) {
      const auto word = static_cast<std::uint32_t>(random.word());
      const std::uint32_t exponent = random.between(least, most);
      x = std::bit_cast<float>((word & 0x807FFFFFu) | exponent << 23);
      if (random.one_in(16)) x = std::copysign(0.0f, x);
    }
  return numbers;
}

void expect_bits(const std::vector<float>& got, const std::vector<float>& want,
                 const std::string& what) {
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i)
    ASSERT_EQ(cmodel::fp::canonical(std::bit_cast<std::uint32_t>(got[i])),
              cmodel::fp::canonical(std::bit_cast<std::uint32_t>(want[i])))
        << what << ", element " << i << ": " << got[i] << ", expected " << want[i];
}

/// |error| <= N 2^(E - B - 1) + 2^-24 |sum|. No numbers of a block are more than 2^40 apart, so
/// that long double adds them exactly.
void expect_near(const Numbers& numbers, const std::vector<float>& sums) {
  const auto n = static_cast<long double>(numbers.size());
  for (std::size_t i = 0; i < sums.size(); ++i) {
    long double sum = 0;
    for (const auto& of_rank : numbers) sum += of_rank[i];
    const int exponent = shared_exponent(numbers, i / kSharedExponent * kSharedExponent);
    const long double most = n * std::ldexp(1.0L, exponent - shared_fraction(numbers.size()) - 1) +
                             std::abs(sum) * 0x1p-24L;
    ASSERT_LE(std::abs(sums[i] - sum), most) << "element " << i;
  }
}

TEST(OrderIndependent, SameBitsByEveryAlgorithmAndOrder) {
  Random random(1, "order-independent");
  for (const unsigned ranks : {1u, 2u, 5u, 12u}) {
    const Numbers numbers = draw(random, ranks, 16 * 21, 120, 150);
    const auto want = order_independent_sum(numbers);
    expect_near(numbers, want);
    std::vector<Way> ways{{},
                          {.engines = {2}},
                          {.slot_bytes = 32, .in_place = true, .order_seed = 3},
                          {.sum_bytes = 16 * 192, .rows = 7},
                          // less of a partition than a line, and more
                          {.sum_bytes = 128 * 64, .sizes = &defs::kInf2},
                          {.sum_bytes = 128 * 512, .sizes = &defs::kInf2}};
    if (ranks > 1) {
      ways.push_back({.shift = 1, .step = ranks - 1});
      ways.push_back({.algorithm = Algorithm::Ring});
      ways.push_back({.algorithm = Algorithm::Ring, .engines = {3, 1}, .shift = 1, .rows = 3});
      ways.push_back({.algorithm = Algorithm::Ring, .step = ranks - 1, .order_seed = 5});
    }
    for (std::size_t i = 0; i < ways.size(); ++i)
      expect_bits(sum_of(numbers, ways[i]), want, fmt::format("{} ranks, way {}", ranks, i));
  }
}

/// More than sixteen ranks have a place less for each number, else their sum would leave 32 bits.
TEST(OrderIndependent, SumsOfManyRanksHaveRoom) {
  for (const unsigned ranks : {16u, 17u, 24u}) {
    const float most = std::bit_cast<float>(0x407FFFFFu);
    const Numbers numbers(ranks, std::vector<float>(32, most));
    const auto want = order_independent_sum(numbers);
    expect_near(numbers, want);
    expect_bits(sum_of(numbers, {}), want, fmt::format("{} ranks", ranks));
  }
}

/// Of every exponent: subnormals, the least and the greatest normal ones; sums that leave fp32.
TEST(OrderIndependent, BoundHoldsForEveryExponent) {
  Random random(2, "exponents");
  for (const unsigned least : {0u, 1u, 2u, 5u, 26u, 27u, 60u, 200u, 226u, 249u}) {
    const Numbers numbers = draw(random, 3, 16 * 8, least, std::min(least + 25, 254u) - 2);
    const auto sums = sum_of(numbers, {});
    expect_bits(sums, order_independent_sum(numbers), fmt::format("from {}", least));
    expect_near(numbers, sums);
  }
  const Numbers subnormal = draw(random, 12, 16 * 4, 0, 0);
  const auto sums = sum_of(subnormal, {});
  for (std::size_t i = 0; i < sums.size(); ++i) {
    double exact = 0;
    for (const auto& of_rank : subnormal) exact += of_rank[i];
    EXPECT_EQ(sums[i], static_cast<float>(exact)) << i;
  }
  const float greatest = std::numeric_limits<float>::max();
  EXPECT_EQ(sum_of(Numbers(2, std::vector<float>(16, greatest)), {})[3],
            std::numeric_limits<float>::infinity());
  // What a sum in fp32 loses on the way to infinity and back.
  EXPECT_EQ(sum_of({std::vector<float>(16, greatest), std::vector<float>(16, greatest),
                    std::vector<float>(16, -greatest)},
                   {})[15],
            greatest);
}

TEST(OrderIndependent, ZerosArePositiveAndWhatIsNotFiniteTakesItsBlock) {
  const float infinity = std::numeric_limits<float>::infinity(),
              nan = std::numeric_limits<float>::quiet_NaN();
  Numbers numbers(3, std::vector<float>(16 * 5, -0.0f));
  for (unsigned i = 0; i < 16; ++i) {
    numbers[0][i] = 1.5f;  // cancels
    numbers[2][i] = -1.5f;
    numbers[1][16 + i] = numbers[1][32 + i] = numbers[1][48 + i] = 2.0f;
  }
  numbers[0][16 + 3] = infinity;
  numbers[2][32 + 15] = -infinity;
  numbers[1][48] = nan;
  for (const Way& way : {Way{}, Way{.algorithm = Algorithm::Ring}}) {
    const auto sums = sum_of(numbers, way);
    for (unsigned i = 0; i < 16; ++i) {
      EXPECT_EQ(std::bit_cast<std::uint32_t>(sums[i]), 0u) << i;
      for (const unsigned block : {1u, 2u, 3u})
        EXPECT_EQ(std::bit_cast<std::uint32_t>(sums[16 * block + i]), 0x7FC00000u) << block;
      EXPECT_EQ(std::bit_cast<std::uint32_t>(sums[64 + i]), 0u) << i;
    }
  }
}

TEST(OrderIndependent, RefusesByName) {
  const auto refusal = [](auto&& act) -> std::string {
    try {
      act();
    } catch (const cmodel::AssemblerError& error) {
      return error.what();
    }
    return "";
  };
  Assembler assembler(kSizes, 2);
  const auto a = assembler.hbm(0, 0, "a", 64), b = assembler.hbm(1, 0, "b", 64),
             c = assembler.hbm(0, 0, "c", 96), d = assembler.hbm(1, 0, "d", 96);
  Communicator none(assembler, {{0, 0}, {1, 0}}),
      two(assembler, {{0, 0}, {1, 0}}, {.sum_bytes = 1024});
  EXPECT_EQ(refusal([&] { none.order_independent_sum({a, b}, {a, b}); }),
            "order-independent sum: no room for it, allowed with Resources::sum_bytes");
  EXPECT_EQ(refusal([&] { two.order_independent_sum({c, d}, {c, d}); }),
            "order-independent sum: rows of 96 bytes, allowed multiples of 64");
  EXPECT_EQ(refusal([&] { two.order_independent_sum({a, b}, {a, b}, Algorithm::Ring); }),
            "order-independent sum: ring without slots, allowed with Resources::ring_slots");
  EXPECT_EQ(refusal([&] { Communicator(assembler, {{0, 1}}, {.sum_bytes = 1000}); }),
            "order-independent sums of 1000 bytes, allowed multiples of 1024 up to 1048576");
  const auto sum = two.order_independent_sum({a, b}, {a, b});
  EXPECT_EQ(
      refusal([&] { two.core(0).sync().loop(3, [&] { sum.write(0); }); }),
      "order-independent sum: rank 0 in 1 turns of 0 loops of its vector stream, allowed 3 of "
      "1 as in its sync stream");
}

}  // namespace
}  // namespace tb::model
