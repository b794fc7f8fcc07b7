// SPDX-License-Identifier: Apache-2.0
#include "tb/scenarios/gemm_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "cmodel/machine/address_map.h"
#include "cmodel/program/tile.h"
#include "tb/scenarios/numbers.h"

namespace tb::gemm {

using defs::Dtype;

namespace {

/// Any sign and fraction, magnitude at most about 2; now and then zero of either sign.
std::uint32_t draw(Random& random, Dtype dtype) {
  const auto small = [&](unsigned fraction_bits, unsigned least, unsigned most, unsigned bits) {
    const std::uint64_t word = random.word();
    const auto sign = static_cast<std::uint32_t>(word & 1) << (bits - 1);
    if ((word >> 1) % 32 == 0) return sign;
    const auto fraction = static_cast<std::uint32_t>(word >> 8) & ((1u << fraction_bits) - 1);
    return sign | random.between(least, most) << fraction_bits | fraction;
  };
  switch (dtype) {
    case Dtype::Fp16:
      return small(10, 7, 15, 16);
    case Dtype::Fp8E5M2:
      return small(2, 7, 15, 8);
    case Dtype::Fp8E4M3:
      return small(3, 0, 7, 8);
    case Dtype::Fp8E3M4:
      return small(4, 0, 3, 8);
    case Dtype::Fp32:
    case Dtype::Tf32:
      return small(23, 119, 127, 32);
    case Dtype::Int8:
      return random.between(0, 255);
    default:
      return random.bf16();
  }
}

constexpr Dtype kNarrow[] = {Dtype::Bf16, Dtype::Fp16, Dtype::Fp8E5M2, Dtype::Fp8E4M3,
                             Dtype::Fp8E3M4};

Formats formats_of(const Operands& operands) {
  const Formats formats{operands.a.dtype, operands.b.dtype};
  const auto narrow = [](Dtype dtype) { return std::ranges::count(kNarrow, dtype) > 0; };
  if (formats.a != formats.b && !(narrow(formats.a) && narrow(formats.b)))
    throw std::runtime_error(
        fmt::format("--a is {}, --b {}; allowed two of bf16, fp16, fp8, or both the same",
                    format_name(formats.a), format_name(formats.b)));
  return formats;
}

std::shared_ptr<const Elements> draw(Random& random, Dtype dtype, unsigned rows, unsigned columns) {
  Elements values(std::size_t{rows} * columns);
  for (auto& x : values) x = draw(random, dtype);
  return std::make_shared<const Elements>(std::move(values));
}

/// Columns `first` .. of a matrix of `depth` rows and `width` columns, or of one that has columns
/// for rows.
std::shared_ptr<const Elements> columns_of(const Elements& matrix, unsigned depth, unsigned width,
                                           bool transposed, unsigned first, unsigned count) {
  Elements values;
  values.reserve(std::size_t{depth} * count);
  for (unsigned row = 0; row < depth; ++row)
    for (unsigned column = first; column < first + count; ++column)
      values.push_back(matrix[transposed ? std::size_t{column} * depth + row
                                         : std::size_t{row} * width + column]);
  return std::make_shared<const Elements>(std::move(values));
}

/// Where part i of `count` begins.
unsigned begin_of(unsigned whole, unsigned count, unsigned i) {
  return static_cast<unsigned>(std::uint64_t{whole} * i / count);
}

Formats draw_formats(const ScenarioArgs& args) {
  if (args.operands) return formats_of(*args.operands);
  if (args.format) return {*args.format, *args.format};
  Random random(args.seed, "gemm formats");
  const unsigned kind = random.between(0, 9);
  if (kind < 5) return {Dtype::Bf16, Dtype::Bf16};
  if (kind == 5) return {Dtype::Tf32, Dtype::Tf32};
  if (kind == 6) return {Dtype::Fp32, Dtype::Fp32};
  if (kind == 7) return {Dtype::Int8, Dtype::Int8};
  return {kNarrow[random.between(0, 4)], kNarrow[random.between(0, 4)]};
}

}  // namespace

unsigned padded_columns(unsigned columns, Dtype dtype) {
  const unsigned step = 4 / cmodel::element_bytes(dtype);
  return static_cast<unsigned>(cmodel::round_up(columns, step));
}

std::vector<std::uint8_t> padded(const Elements& values, unsigned first, unsigned rows,
                                 unsigned columns, Dtype dtype, unsigned width) {
  const unsigned bytes = cmodel::element_bytes(dtype);
  std::vector<std::uint8_t> wide(std::size_t{rows} * width);
  for (unsigned row = 0; row < rows; ++row)
    for (unsigned i = 0; i < columns; ++i)
      std::memcpy(&wide[std::size_t{row} * width + i * bytes],
                  &values[std::size_t{first + row} * columns + i], bytes);
  return wide;
}

Plan::Plan(const ScenarioArgs& args)
    : cores(args.chips * defs::kCores),
      partitions(args.sizes.partitions),
      line_bytes(args.sizes.line_bytes),
      formats(draw_formats(args)) {
  if (const auto* own = args.operands.get())
    split(args, {own->a.rows, own->a.columns, own->b.columns});
  else if (args.size)
    split(args, *args.size);
  else
    draw_parts(args);
}

unsigned Plan::c_stride(const Part& part) const {
  return grid ? static_cast<unsigned>(cmodel::round_up(4 * part.n, line_bytes)) : 4 * part.n;
}

void Plan::draw_parts(const ScenarioArgs& args) {
  Random random(args.seed, "gemm");
  const unsigned p = args.sizes.partitions;
  by_rows = random.one_in(2);
  // The split side is drawn per board, so that parts differ by one; the other is common to all.
  // Bounds keep what the host moves small: most cycles shall be the board's.
  const unsigned area = std::max(p * p, 2048u), most_n = args.sizes.psum_cols + p;
  const unsigned whole = random.between(cores, cores * (by_rows ? 5 * p / 4 : 3 * p / 2));
  const unsigned part = whole / cores + 1;
  const unsigned common =
      random.between(1, std::min(by_rows ? most_n : 5 * p / 4, std::max(1u, area / part)));
  k = random.between(1, std::min(5 * p / 2, 4 * area / std::max(part, common)));
  last_start = random.between(0, 3);
  halves = formats.a != Dtype::Int8 && Random(args.seed, "gemm rows").one_in(3);
  if (halves) k = std::max(k, p / 2 + 1);  // at least two tiles
  m = by_rows ? whole : common;
  n = by_rows ? common : whole;
  const auto part_of = [&](bool is_a, unsigned columns) {
    return draw(random, is_a ? formats.a : formats.b, k, columns);
  };
  const auto shared = part_of(!by_rows, common);
  for (unsigned core = 0; core < cores; ++core) {
    const unsigned mine = whole * (core + 1) / cores - whole * core / cores;
    const auto own = part_of(by_rows, mine);
    parts.push_back(by_rows ? Part{mine, common, own, shared} : Part{common, mine, shared, own});
  }
}

void Plan::split(const ScenarioArgs& args, const ProductSize& size) {
  m = size.m;
  n = size.n;
  k = size.k;
  grid = cmodel::split_product(args.sizes, {m, n, k, formats.a, formats.b}, cores,
                               args.sizes.sbuf_bytes, args.once);
  Random random(args.seed, "gemm");
  // Parts of A by rows of the grid, of B by its columns.
  const auto cut = [&](bool is_a, unsigned whole, unsigned count) {
    std::shared_ptr<const Elements> drawn;
    if (!args.operands) drawn = draw(random, is_a ? formats.a : formats.b, k, whole);
    const Elements& all =
        drawn ? *drawn : (is_a ? args.operands->a.elements : args.operands->b.elements);
    std::vector<std::shared_ptr<const Elements>> out;
    for (unsigned i = 0; i < count; ++i) {
      const unsigned first = begin_of(whole, count, i);
      out.push_back(columns_of(all, k, whole, is_a && args.operands, first,
                               begin_of(whole, count, i + 1) - first));
    }
    return out;
  };
  const auto a = cut(true, m, grid->rows), b = cut(false, n, grid->columns);
  parts.resize(cores);
  for (unsigned i = 0; i < grid->parts(); ++i) {
    const unsigned row = i / grid->columns, column = i % grid->columns;
    parts[i] = {begin_of(m, grid->rows, row + 1) - begin_of(m, grid->rows, row),
                begin_of(n, grid->columns, column + 1) - begin_of(n, grid->columns, column), a[row],
                b[column]};
  }
}

}  // namespace tb::gemm
