// SPDX-License-Identifier: Apache-2.0
// What the assembler is asked for lies inside what is there, whatever the numbers: a property of
// every check of a range, tried with those at which sums wrap.
#include <gtest/gtest.h>

#include <random>

#include "cmodel/program/assembler.h"
#include "tb/base/seed.h"

namespace {

using cmodel::Assembler;
using cmodel::AssemblerError;
using cmodel::Block;
using cmodel::Tile;
using defs::Dtype;

template <class Function>
bool accepted(Function&& function) {
  try {
    function();
    return true;
  } catch (const AssemblerError& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << error.what();
    return false;
  }
}

/// Tries `take(first, count)` with every number near an end, near a power of two, negative, and
/// some at random: accepted exactly if the part lies in 0 .. whole - 1.
template <class Take>
void expect_parts(const char* what, unsigned whole, Take&& take, unsigned step = 1) {
  std::vector<unsigned> numbers;
  for (const unsigned around : {0u, whole, whole / 2, 1u << 31, 1u << 30, 1u << 16})
    for (int by = -9; by <= 9; ++by) numbers.push_back(around + static_cast<unsigned>(by));
  std::mt19937 random(static_cast<unsigned>(tb::seed()));
  for (unsigned i = 0; i < 40; ++i) numbers.push_back(random() >> random() % 32);
  for (const unsigned first : numbers)
    for (const unsigned count : numbers) {
      if (first % step || (count > 0 && count % step)) continue;
      const bool inside = count > 0 && std::uint64_t{first} + count <= whole;
      ASSERT_EQ(accepted([&] { take(first, count); }), inside)
          << what << ": " << static_cast<int>(first) << "+" << static_cast<int>(count) << " of "
          << whole << "\n"
          << tb::repro(tb::seed());
    }
}

TEST(Ranges, APartOfATileOrABlockLiesInsideIt) {
  Assembler assembler(defs::kMini, 1);
  auto& core = assembler.core(0, 0);
  core.sbuf(16, 8, Dtype::Fp32);
  assembler.hbm(0, 0, "before", 64, 8);
  const Tile tile = core.sbuf(8, 12, Dtype::Fp32, 8);
  const Block block = assembler.hbm(0, 0, "block", 52, 9);
  expect_parts("columns", 12, [&](auto first, auto count) { tile.columns(first, count); });
  expect_parts("rows", 8, [&](auto first, auto count) { tile.rows(first, count); });
  expect_parts("row_range", 9, [&](auto first, auto count) { block.row_range(first, count); });
  expect_parts("byte_range", 52, [&](auto first, auto count) { block.byte_range(first, count); });
}

TEST(Ranges, WhatACoreHandsOutLiesInsideIt) {
  Assembler assembler(defs::kMini, 1);
  const unsigned partitions = defs::kMini.partitions, columns = defs::kMini.psum_cols;
  auto& core = assembler.core(0, 0);
  expect_parts("psum", columns,
               [&](auto first, auto count) { core.psum(1, partitions, count, first); });
  expect_parts("sbuf", partitions, [&](auto first, auto count) {
    Assembler fresh(defs::kMini, 1);
    fresh.core(0, 0).sbuf(count, 1, Dtype::Fp8E4M3, first);
  });
}

TEST(Ranges, AnOperandLiesInsideItsBuffer) {
  Assembler assembler(defs::kMini, 1);
  const unsigned partitions = defs::kMini.partitions, bytes = defs::kMini.sbuf_bytes;
  auto& core = assembler.core(0, 0);
  const Tile whole = core.sbuf(partitions, bytes / 2, Dtype::Bf16), one = whole.columns(0, 1);
  const auto tile = [&](unsigned partition, unsigned count, unsigned offset, unsigned length) {
    Tile other = whole;
    other.partition = partition, other.partitions = count, other.offset = offset;
    other.size[3] = length / 2;
    return other;
  };
  expect_parts(
      "partitions", partitions,
      [&](auto first, auto count) {
        const Tile source = tile(first, count, 0, 2);
        core.vector().copy(source, tile(0, count, 0, 2));
      },
      partitions / 2);  // what may be a start
  expect_parts(
      "bytes", bytes,
      [&](auto first, auto count) {
        core.vector().copy(tile(0, 1, first, count), tile(0, 1, 0, count));
      },
      2);
  expect_parts(
      "block", bytes, [&](auto first, auto count) { assembler.block(tile(0, 1, first, count)); },
      2);
  expect_parts("block of partitions", partitions,
               [&](auto first, auto count) { assembler.block(tile(first, count, 0, 2)); });
  // Sizes whose product is 1 only because it wraps.
  Tile wraps = one;
  wraps.size = {3, 2863311531u, 1, 1};
  EXPECT_FALSE(accepted([&] { assembler.block(wraps); }));
  // A column whose byte is in the tile only because it wraps.
  const Tile endless = one.shaped({0xffffffffu}, {4});
  EXPECT_FALSE(accepted([&] { endless.columns(1u << 30, 1); }));
  EXPECT_FALSE(accepted([&] { one.shaped({8}, {-1}).columns(1, 1); }));
}

TEST(Ranges, BlocksRegionsAndSemaphoresDoNotWrap) {
  Assembler assembler(defs::kMini, 1);
  auto& core = assembler.core(0, 0);
  const Block first = assembler.hbm(0, 0, "first", 64);
  assembler.scatter([](unsigned, unsigned) { return ~std::uint64_t{0}; });
  EXPECT_FALSE(accepted([&] { assembler.hbm(0, 0, "behind the end", 64); }));
  Block region = first;
  for (const std::int64_t stride : {std::int64_t{-64}, std::int64_t{1} << 32, INT64_MAX}) {
    region.rows = 2, region.stride = stride;
    EXPECT_FALSE(accepted([&] { assembler.region("region", region); })) << stride;
  }
  region.rows = 0;
  EXPECT_FALSE(accepted([&] { assembler.region("region", region); }));
  for (const unsigned id : {defs::kCores * defs::kSemaphores, 1u << 16, ~0u}) {
    EXPECT_FALSE(accepted([&] { core.act().wait_ge({0, id}, 1); })) << id;
    EXPECT_FALSE(accepted([&] { core.act().signal({0, id}); })) << id;
  }
}

}  // namespace
