// SPDX-License-Identifier: Apache-2.0
#include "tb/scenarios/gemm_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <stdexcept>

#include "cmodel/machine/address_map.h"
#include "cmodel/program/tile.h"
#include "tb/scenarios/knobs.h"
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

/// Columns `first` .. of a matrix of rows, or of one of columns.
std::shared_ptr<const Elements> columns_of(const Matrix& matrix, bool transposed, unsigned first,
                                           unsigned count) {
  const unsigned rows = transposed ? matrix.columns : matrix.rows;
  Elements values;
  values.reserve(std::size_t{rows} * count);
  for (unsigned row = 0; row < rows; ++row)
    for (unsigned column = first; column < first + count; ++column)
      values.push_back(matrix.elements[transposed ? std::size_t{column} * matrix.columns + row
                                                  : std::size_t{row} * matrix.columns + column]);
  return std::make_shared<const Elements>(std::move(values));
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

/// As the assembler lays out SBUF.
std::uint64_t rounded(std::uint64_t bytes) { return cmodel::round_up(bytes, defs::kSbufWordBytes); }

}  // namespace

unsigned padded_columns(unsigned columns, Dtype dtype) {
  const unsigned step = 4 / cmodel::element_bytes(dtype);
  return static_cast<unsigned>(cmodel::round_up(columns, step));
}

Plan::Plan(const ScenarioArgs& args)
    : cores(args.chips * defs::kCores),
      partitions(args.sizes.partitions),
      formats(draw_formats(args)) {
  Random random(args.seed, "gemm");
  const unsigned p = args.sizes.partitions;
  by_rows = random.one_in(2);
  // The split side is drawn per board, so that parts differ by one; the other is common to all.
  // Bounds keep what the host moves small: most cycles shall be the board's.
  const unsigned area = std::max(p * p, 2048u), most_n = args.sizes.psum_cols + p;
  unsigned split = random.between(cores, cores * (by_rows ? 5 * p / 4 : 3 * p / 2));
  const unsigned part = split / cores + 1;
  unsigned common =
      random.between(1, std::min(by_rows ? most_n : 5 * p / 4, std::max(1u, area / part)));
  k = random.between(1, std::min(5 * p / 2, 4 * area / std::max(part, common)));
  last_start = random.between(0, 3);
  halves = formats.a != Dtype::Int8 && Random(args.seed, "gemm rows").one_in(3);
  if (halves) k = std::max(k, p / 2 + 1);  // at least two tiles
  std::optional<ProductSize> size = args.size;
  if (const auto* own = args.operands.get()) size = {own->a.rows, own->a.columns, own->b.columns};
  if (size) {
    k = size->k;
    halves = halves && k > p / 2;
    // Every core has work: the other side is split if the drawn one is too short.
    if ((by_rows ? size->m : size->n) < cores) by_rows = !by_rows;
    split = by_rows ? size->m : size->n;
    common = by_rows ? size->n : size->m;
    check_size((args.operands ? "--a and --b make " : "--size is ") + to_string(*size), args.sizes,
               split, common);
  }
  m = by_rows ? split : common;
  n = by_rows ? common : split;
  const auto part_of = [&](bool is_a, unsigned first, unsigned columns) {
    if (args.operands)
      return columns_of(is_a ? args.operands->a : args.operands->b, is_a, first, columns);
    const Dtype dtype = is_a ? formats.a : formats.b;
    Elements values(std::size_t{k} * columns);
    for (auto& x : values) x = draw(random, dtype);
    return std::make_shared<const Elements>(std::move(values));
  };
  const auto shared = part_of(!by_rows, 0, common);
  for (unsigned core = 0; core < cores; ++core) {
    const unsigned first = split * core / cores, mine = split * (core + 1) / cores - first;
    const auto own = part_of(by_rows, first, mine);
    parts.push_back(by_rows ? Part{mine, common, own, shared} : Part{common, mine, shared, own});
  }
}

void Plan::check_size(const std::string& asked, const defs::Sizes& chip, unsigned split,
                      unsigned common) const {
  if (split < cores)
    throw std::runtime_error(fmt::format(
        "{}: M and N below {}; allowed: one of them {} (cores) or more", asked, cores, cores));
  const unsigned mine = (split + cores - 1) / cores, rows = by_rows ? mine : common,
                 columns = by_rows ? common : mine;
  const auto bytes = [&](unsigned count, Dtype dtype) {
    return std::uint64_t{padded_columns(count, dtype)} * cmodel::element_bytes(dtype);
  };
  const std::uint64_t needed =
      k_tiles() * (rounded(bytes(rows, formats.a)) + rounded(bytes(columns, formats.b))) +
      2 * rounded(4 * std::min(columns, chip.psum_cols));
  if (needed > chip.sbuf_bytes)
    throw std::runtime_error(
        fmt::format("{}: a core's part, {} x {} x {} in {} x {}, takes {} bytes of an "
                    "SBUF partition; allowed {}",
                    asked, rows, k, columns, defs::to_string(formats.a), defs::to_string(formats.b),
                    needed, chip.sbuf_bytes));
}

}  // namespace tb::gemm
