// SPDX-License-Identifier: Apache-2.0
// Products by the library, in the model, against plain loops: shapes that are multiples of nothing,
// formats, several on a core, little SBUF; no races, nothing unwritten is read.
#include "cmodel/kernels/product.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <set>

#include "cmodel/kernels/product_copies.h"
#include "cmodel/machine/fp.h"
#include "tb/scenarios/numbers.h"
#include "tb/unit/cmodel/model_bench.h"

namespace tb::model {
namespace {

using cmodel::Assembler;
using cmodel::Block;
using cmodel::Multiplier;
using cmodel::Pieces;
using cmodel::Product;
using cmodel::ProductOperand;
using cmodel::ProductShape;
using defs::Dtype;

/// A product of random numbers in HBM of chip 0, and what must come of it.
struct Case {
  Case(Assembler& assembler, Random& random, const ProductShape& shape, const std::string& name)
      : shape(shape), a(values(random, shape.a, shape.m)), b(values(random, shape.b, shape.n)) {
    product.m = shape.m;
    product.n = shape.n;
    product.k = shape.k;
    product.a_t = shape.a_whole ? whole(assembler, name + "a")
                                : operand(assembler, name + "a", shape.a, a, shape.m);
    product.b = operand(assembler, name + "b", shape.b, b, shape.n);
    product.c = assembler.hbm(0, 1, name + "c", 4 * shape.n, shape.m);
  }

  std::vector<std::uint32_t> values(Random& random, Dtype dtype, unsigned columns) const {
    std::vector<std::uint32_t> out(std::size_t{shape.k} * columns);
    for (auto& x : out) {
      const auto word = static_cast<std::uint32_t>(random.word());
      const float small = static_cast<float>(word % 15) - 7;
      switch (dtype) {
        case Dtype::Fp32:  // sums of these are exact: no word of passes here
        case Dtype::Tf32:
          x = cmodel::fp::from_float(small);
          break;
        case Dtype::Fp16:
          x = (word & 0x83ff) | 0x3800;
          break;
        case Dtype::Bf16:
          x = (word & 0x80ff) | 0x3f00;
          break;
        case Dtype::Fp8E4M3:
          x = word & 0xb7;
          break;
        default:
          x = word & 0xff;
      }
    }
    return out;
  }

  ProductOperand operand(Assembler& assembler, const std::string& name, Dtype dtype,
                         const std::vector<std::uint32_t>& elements, unsigned columns) const {
    ProductOperand made{dtype, {}};
    const unsigned bytes = cmodel::element_bytes(dtype), row = (columns * bytes + 3) / 4 * 4,
                   tile = assembler.sizes().partitions;
    for (unsigned first = 0; first < shape.k; first += tile) {
      const unsigned rows = std::min(tile, shape.k - first);
      std::vector<std::uint8_t> data(std::size_t{rows} * row);
      for (unsigned k = 0; k < rows; ++k)
        for (unsigned i = 0; i < columns; ++i)
          std::memcpy(&data[std::size_t{k} * row + i * bytes],
                      &elements[std::size_t{first + k} * columns + i], bytes);
      // In one block, two or three.
      made.tiles.emplace_back();
      const unsigned blocks = std::min(rows, 1 + first / tile % 3);
      for (unsigned i = 0; i < blocks; ++i) {
        const unsigned from = rows * i / blocks, to = rows * (i + 1) / blocks;
        made.tiles.back().push_back(
            assembler.data(0, i % 2, fmt::format("{} {}.{}", name, first, i), row, to - from,
                           std::span(data).subspan(std::size_t{from} * row, (to - from) * row)));
      }
    }
    return made;
  }

  /// A as ProductOperand::whole.
  ProductOperand whole(Assembler& assembler, const std::string& name) const {
    const unsigned rows = std::min(assembler.sizes().partitions, shape.k),
                   bytes = cmodel::element_bytes(shape.a),
                   row = ((shape.k + rows - 1) / rows * shape.m * bytes + 3) / 4 * 4;
    std::vector<std::uint8_t> data(std::size_t{rows} * row);
    for (unsigned k = 0; k < shape.k; ++k)
      for (unsigned m = 0; m < shape.m; ++m)
        std::memcpy(&data[std::size_t{k % rows} * row + (k / rows * shape.m + m) * bytes],
                    &a[std::size_t{k} * shape.m + m], bytes);
    return {shape.a, {}, assembler.data(0, 0, name, row, rows, data)};
  }

  /// As the header says: K tile by K tile, k ascending.
  void expect_in(const cmodel::Board& board, unsigned tile) const {
    for (unsigned m = 0; m < shape.m; ++m) {
      const auto row = read_back(board, 0, product.c.row_addr(m), 4 * shape.n);
      for (unsigned n = 0; n < shape.n; ++n) {
        std::uint32_t sum = 0, got;
        for (unsigned first = 0; first < shape.k; first += tile) {
          std::uint32_t part = 0;
          for (unsigned k = first; k < std::min(first + tile, shape.k); ++k) {
            const auto number = [&](Dtype dtype, std::uint32_t bits) {
              return dtype == Dtype::Fp32 ? bits : cmodel::fp::operand_to_fp32(dtype, bits, false);
            };
            part = cmodel::fp::fma(number(shape.a, a[std::size_t{k} * shape.m + m]),
                                   number(shape.b, b[std::size_t{k} * shape.n + n]), part);
          }
          sum = first ? cmodel::fp::add(sum, part) : part;
        }
        std::memcpy(&got, &row[4 * n], 4);
        ASSERT_EQ(got, sum) << shape.m << " x " << shape.k << " x " << shape.n << " [" << m << ", "
                            << n << "]";
      }
    }
  }

  ProductShape shape;
  std::vector<std::uint32_t> a, b;
  Product product;
};

/// What all products here have in common: they end, clean, and are right.
void expect_right(Assembler& assembler, const std::vector<Case>& cases, bool races = true) {
  struct : cmodel::CommitSink {
    void commit(const Commit&, std::span<const std::uint8_t>) override {}
  } nobody;
  const auto program = assembler.assemble();
  Board board(assembler.sizes(), program, nobody, {.detect_races = races});
  board.load();
  ASSERT_TRUE(board.run()) << board.blocked();
  EXPECT_TRUE(board.errors().empty());
  EXPECT_EQ(board.unwritten_text(), "");
  if (races) EXPECT_EQ(board.races(), "");
  for (const Case& c : cases) c.expect_in(board, assembler.sizes().partitions);
}

constexpr std::pair<Dtype, Dtype> kFormats[] = {
    {Dtype::Bf16, Dtype::Bf16}, {Dtype::Fp16, Dtype::Fp8E4M3}, {Dtype::Fp8E4M3, Dtype::Bf16},
    {Dtype::Int8, Dtype::Int8}, {Dtype::Tf32, Dtype::Tf32},    {Dtype::Fp32, Dtype::Fp32}};

TEST(Product, AnyShapeAndFormat) {
  Random random(1, "product");
  for (unsigned i = 0; i < 60; ++i) {
    Assembler assembler(kSizes, 1);
    const auto [a, b] = kFormats[i % std::size(kFormats)];
    const auto side = [&](unsigned most) {
      return random.one_in(4) ? random.between(1, 3) : random.between(1, most);
    };
    const ProductShape shape{side(150), side(300), side(120), a, b};
    Multiplier unit(assembler, assembler.core(0, i % 2), random.one_in(2) ? 0 : 2048);
    std::vector<Case> cases;
    cases.emplace_back(assembler, random, shape, "");
    unit.multiply(cases[0].product);
    expect_right(assembler, cases);
    if (HasFailure()) return;
  }
}

TEST(Product, FewRowsComeAtOnce) {
  Random random(5, "product");
  for (unsigned i = 0; i < 24; ++i) {
    Assembler assembler(kSizes, 1);
    const auto [a, b] = kFormats[i % std::size(kFormats)];
    const ProductShape shape{
        random.between(1, 9), random.between(1, 300), random.between(1, 99), a, b, true};
    Multiplier unit(assembler, assembler.core(0, 0));
    std::vector<Case> cases;
    cases.emplace_back(assembler, random, shape, "");
    unit.multiply(cases[0].product);
    expect_right(assembler, cases);
    if (HasFailure()) return;
  }
}

/// A and B kept or not: SBUF decides.
TEST(Product, OperandsAreKeptWhereThereIsRoom) {
  std::set<std::pair<bool, bool>> seen;
  for (const unsigned k : {30u, 300u})
    for (unsigned bytes = 1024; bytes < 7168; bytes += 512) {
      const ProductShape shape{200, 300, k, Dtype::Fp16, Dtype::Fp8E4M3};
      const auto scheme = cmodel::plan_product(kSizes, shape, bytes);
      EXPECT_LE(scheme.sbuf_bytes(), bytes);
      if (!seen.emplace(scheme.a_kept, scheme.b_kept).second) continue;
      Random random(bytes, "kept");
      Assembler assembler(kSizes, 1);
      Multiplier unit(assembler, assembler.core(0, 0), bytes);
      std::vector<Case> cases;
      cases.emplace_back(assembler, random, shape, "");
      unit.multiply(cases[0].product);
      expect_right(assembler, cases);
    }
  EXPECT_GE(seen.size(), 3u);
}

TEST(Product, OneAfterTheOther) {
  Random random(2, "product");
  Assembler assembler(kSizes, 1);
  Multiplier unit(assembler, assembler.core(0, 0)), other(assembler, assembler.core(0, 1), 3000);
  std::vector<Case> cases;
  for (unsigned i = 0; i < 4; ++i)
    cases.emplace_back(assembler, random,
                       ProductShape{30 + 20 * i, 90 - 20 * i, 16 + 9 * i, Dtype::Bf16, Dtype::Bf16},
                       fmt::format("{} ", i));
  for (unsigned i = 0; i < 3; ++i) unit.multiply(cases[i].product);
  other.multiply(cases[3].product);
  expect_right(assembler, cases);
}

TEST(Product, LargeArraysToo) {
  Random random(3, "product");
  Assembler assembler(defs::kInf2, 1);
  Multiplier unit(assembler, assembler.core(0, 0));
  std::vector<Case> cases;
  cases.emplace_back(assembler, random, ProductShape{300, 700, 200, Dtype::Bf16, Dtype::Bf16}, "");
  unit.multiply(cases[0].product);
  expect_right(assembler, cases);
}

/// However large a product: so many instructions. What differs is what the scheme keeps.
TEST(Product, ProgramsDoNotGrow) {
  const auto sizes_of = [](unsigned side) {
    Assembler assembler(defs::kInf2, 1);
    auto& core = assembler.core(0, 0);
    Multiplier unit(assembler, core);
    const auto operand = [&](const char* name) {
      ProductOperand made;
      for (unsigned k = 0; k < side; k += 128)
        made.tiles.push_back({assembler.hbm(0, 0, fmt::format("{} {}", name, k), 2 * side, 128)});
      return made;
    };
    unit.multiply(
        {side, side, side, operand("a"), operand("b"), assembler.hbm(0, 1, "c", 4 * side, side)});
    return std::array{core.tensor().size(), core.vector().size(), core.act().size(),
                      core.sync().size()};
  };
  for (const unsigned side : {512u, 1024u, 4096u, 8192u}) {
    const auto sizes = sizes_of(side);
    for (unsigned i = 0; i < 4; ++i) EXPECT_LE(sizes[i], 400u) << side << " stream " << i;
  }
}

TEST(Product, GridsGiveAllCoresAShare) {
  const auto grid = [](unsigned m, unsigned n, unsigned k, unsigned cores) {
    return cmodel::split_product(defs::kInf2, {m, n, k, Dtype::Bf16, Dtype::Bf16}, cores,
                                 defs::kInf2.sbuf_bytes);
  };
  EXPECT_EQ(grid(1024, 1024, 1024, 2).parts(), 2u);
  EXPECT_EQ(grid(4096, 4096, 4096, 24).parts(), 24u);
  EXPECT_EQ(grid(1, 4096, 4096, 2).columns, 2u);
  EXPECT_EQ(grid(1, 1, 5, 24).parts(), 1u);
  // Neighbours share rows of A, the chips across share columns of B.
  const auto once = cmodel::split_product(defs::kInf2, {2048, 2048, 2048, Dtype::Bf16, Dtype::Bf16},
                                          24, defs::kInf2.sbuf_bytes, true);
  EXPECT_EQ(once.rows, 3u);
  EXPECT_EQ(once.columns, 8u);
}

TEST(Product, CopiesAreCutForAllEngines) {
  const auto parts = [](unsigned rows, unsigned bytes) {
    const Block source{.addr = 0, .row_bytes = bytes, .rows = rows, .stride = 1024};
    unsigned total = 0;
    const auto made = cmodel::parts_of_copies({{source, source}}, 16, 256);
    for (const auto& [from, to] : made) total += from.rows * from.row_bytes;
    EXPECT_EQ(total, rows * bytes);
    return made.size();
  };
  EXPECT_EQ(parts(128, 1024), 16u);
  EXPECT_EQ(parts(17, 4), 16u);
  EXPECT_EQ(parts(1, 4096), 16u);
  EXPECT_EQ(parts(1, 512), 2u);
  EXPECT_EQ(parts(3, 1000), 12u);
  EXPECT_EQ(parts(1, 4), 1u);
}

TEST(Product, RefusesWhatIsNotOne) {
  Assembler assembler(kSizes, 1);
  Random random(4, "product");
  unsigned n = 0;
  const auto expect = [&](auto&& change, const std::string& what) {
    Case c(assembler, random, ProductShape{20, 30, 40, Dtype::Bf16, Dtype::Bf16},
           fmt::format("refused {} ", n++));
    change(c.product);
    try {
      Multiplier(assembler, assembler.core(0, 0), 1024).multiply(c.product);
      FAIL() << "no error: " << what;
    } catch (const cmodel::AssemblerError& error) {
      EXPECT_NE(std::string(error.what()).find(what), std::string::npos) << error.what();
    }
  };
  expect([](Product& p) { p.m = 0; }, "product of 0 x 40 x 30; allowed sides of 1 and more");
  expect([](Product& p) { p.b.tiles.pop_back(); }, "B of 2 K tiles, allowed 3");
  expect([](Product& p) { p.a_t.tiles[1].pop_back(); },
         "8 rows in 1 blocks in K tile 1 of A, allowed 16");
  expect([](Product& p) { p.a_t.tiles[2][0].row_bytes = 36; },
         "rows of 36 bytes in K tile 2 of A, allowed 40");
  expect([](Product& p) { --p.c.rows; }, "C of 19 rows of 120 bytes, allowed 20 of 120");
}

}  // namespace
}  // namespace tb::model
