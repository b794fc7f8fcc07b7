// SPDX-License-Identifier: Apache-2.0
// Random matrix products C = A B, split over all cores by rows or by columns of C.
//
//   A [M, K], stored transposed, and B [K, N], C in fp32; all in HBM. The seed chooses the
//   formats of A and B among those that may meet in the array (half of the seeds: bf16), unless
//   --format names one. A core
//   takes its part tile by tile: K in tiles of P (summed up in PSUM), M in tiles of P, N in tiles
//   of a PSUM bank. The last K tile, when it is short, sits on a random start partition. Sums of
//   int8 products leave PSUM as fp32.
//   --size fixes M, K and N; what else the seed draws stays drawn.
//   A third of the seeds cut K into tiles of P/2, even ones for the upper half of the array's rows,
//   odd ones for the lower: two sums at once, in two banks, that the vector engine adds.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "cmodel/assembler.h"
#include "cmodel/fp.h"
#include "tb/scenarios/knobs.h"
#include "tb/scenarios/numbers.h"

namespace tb {
namespace {

using cmodel::Assembler;
using cmodel::Block;
using cmodel::Semaphore;
using cmodel::Tile;
using defs::Dtype;

/// Elements of one format, each in the low bits of a word.
using Elements = std::vector<std::uint32_t>;

/// What one core computes: its own A^T [k][m] and B [k][n].
struct Part {
  unsigned m = 0, n = 0;
  std::shared_ptr<const Elements> a_t, b;  ///< one of them common to all cores
};

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

struct Formats {
  Dtype a, b;
};

Formats draw_formats(const ScenarioArgs& args) {
  if (args.format) return {*args.format, *args.format};
  Random random(args.seed, "gemm formats");
  static constexpr Dtype kNarrow[] = {Dtype::Bf16, Dtype::Fp16, Dtype::Fp8E5M2, Dtype::Fp8E4M3,
                                      Dtype::Fp8E3M4};
  const unsigned kind = random.between(0, 9);
  if (kind < 5) return {Dtype::Bf16, Dtype::Bf16};
  if (kind == 5) return {Dtype::Tf32, Dtype::Tf32};
  if (kind == 6) return {Dtype::Fp32, Dtype::Fp32};
  if (kind == 7) return {Dtype::Int8, Dtype::Int8};
  return {kNarrow[random.between(0, 4)], kNarrow[random.between(0, 4)]};
}

/// As the assembler lays out SBUF.
std::uint64_t rounded(std::uint64_t bytes) {
  return (bytes + defs::kSbufWordBytes - 1) / defs::kSbufWordBytes * defs::kSbufWordBytes;
}

unsigned padded_columns(unsigned columns, Dtype dtype) {
  const unsigned step = 4 / cmodel::element_bytes(dtype);
  return (columns + step - 1) / step * step;
}

struct Plan {
  explicit Plan(const ScenarioArgs& args)
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
    if (args.size) {
      k = args.size->k;
      halves = halves && k > p / 2;
      // Every core has work: the other side is split if the drawn one is too short.
      if ((by_rows ? args.size->m : args.size->n) < cores) by_rows = !by_rows;
      split = by_rows ? args.size->m : args.size->n;
      common = by_rows ? args.size->n : args.size->m;
      check_size(*args.size, args.sizes, split, common);
    }
    m = by_rows ? split : common;
    n = by_rows ? common : split;
    const auto drawn = [&](unsigned columns, Dtype dtype) {
      Elements values(std::size_t{k} * columns);
      for (auto& x : values) x = draw(random, dtype);
      return std::make_shared<const Elements>(std::move(values));
    };
    const auto shared = drawn(common, by_rows ? formats.b : formats.a);
    for (unsigned core = 0; core < cores; ++core) {
      const unsigned mine = split * (core + 1) / cores - split * core / cores;
      const auto own = drawn(mine, by_rows ? formats.a : formats.b);
      parts.push_back(by_rows ? Part{mine, common, own, shared} : Part{common, mine, shared, own});
    }
  }
  /// Throws unless every core gets work, and operands and two result tiles fit its SBUF.
  void check_size(const ProductSize& size, const defs::Sizes& chip, unsigned split,
                  unsigned common) const {
    if (split < cores)
      throw std::runtime_error(
          fmt::format("--size is {}: M and N below {}; allowed: one of them {}"
                      " (cores) or more",
                      to_string(size), cores, cores));
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
          fmt::format("--size is {}: a core's part, {} x {} x {} in {} x {}, takes {} bytes of an "
                      "SBUF partition; allowed {}",
                      to_string(size), rows, size.k, columns, defs::to_string(formats.a),
                      defs::to_string(formats.b), needed, chip.sbuf_bytes));
  }
  unsigned k_step() const { return halves ? partitions / 2 : partitions; }
  unsigned k_tiles() const { return (k + k_step() - 1) / k_step(); }
  unsigned k_count(unsigned tile) const { return std::min(k_step(), k - tile * k_step()); }
  /// Sums in PSUM that a K tile and all before it go to.
  unsigned sums() const { return halves ? 2 : 1; }
  /// First partition of a K tile: any that the start-partition rule allows.
  unsigned k_start(unsigned tile) const {
    const unsigned count = k_count(tile);
    if (halves) return tile % 2 * partitions / 2;
    if (count > partitions / 2) return 0;
    return count > partitions / 4 ? last_start % 2 * partitions / 2 : last_start * partitions / 4;
  }

  unsigned cores, partitions, m, n, k, last_start;
  bool by_rows, halves;
  Formats formats;
  std::vector<Part> parts;
};

/// [rows][columns] as bytes, each row filled up with zeros to whole words.
std::vector<std::uint8_t> padded(const Elements& values, unsigned rows, unsigned columns,
                                 Dtype dtype) {
  const unsigned bytes = cmodel::element_bytes(dtype),
                 width = padded_columns(columns, dtype) * bytes;
  std::vector<std::uint8_t> wide(std::size_t{rows} * width);
  for (unsigned row = 0; row < rows; ++row)
    for (unsigned i = 0; i < columns; ++i)
      std::memcpy(&wide[std::size_t{row} * width + i * bytes],
                  &values[std::size_t{row} * columns + i], bytes);
  return wide;
}

/// C of one core as the contract says it, in naive loops: fp32.
Elements naive(const Plan& plan, const Part& part) {
  const bool halves = plan.formats.a == Dtype::Fp32, integers = plan.formats.a == Dtype::Int8;
  std::vector<Elements> sums(plan.sums(), Elements(std::size_t{part.m} * part.n));
  for (unsigned t = 0; t < plan.k_tiles(); ++t)
    for (unsigned pass = 0; pass < (halves ? 4u : 1u); ++pass) {
      const bool low_a = halves && pass < 2, low_b = halves && pass % 2 == 0;
      const unsigned first = t * plan.k_step(), end = first + plan.k_count(t);
      const std::size_t skipped = std::size_t{first} * part.n;
      Elements wide_b(std::size_t{end} * part.n - skipped);
      for (std::size_t i = 0; i < wide_b.size(); ++i)
        wide_b[i] = cmodel::fp::operand_to_fp32(plan.formats.b, (*part.b)[skipped + i], low_b);
      for (unsigned m = 0; m < part.m; ++m) {
        Elements sum(part.n);
        for (unsigned k = first; k < end; ++k) {
          const auto w = cmodel::fp::operand_to_fp32(
              plan.formats.a, (*part.a_t)[std::size_t{k} * part.m + m], low_a);
          if (low_a && w << 1 == 0) continue;
          for (unsigned n = 0; n < part.n; ++n) {
            const auto x = wide_b[std::size_t{k - first} * part.n + n];
            if (!(low_b && x << 1 == 0)) sum[n] = cmodel::fp::fma(w, x, sum[n]);
          }
        }
        for (unsigned n = 0; n < part.n; ++n) {
          std::uint32_t& result = sums[t % plan.sums()][std::size_t{m} * part.n + n];
          if (integers)
            result += static_cast<std::uint32_t>(static_cast<int>(cmodel::fp::to_float(sum[n])));
          else
            result = t >= plan.sums() || pass ? cmodel::fp::add(result, sum[n]) : sum[n];
        }
      }
    }
  Elements& c = sums[0];
  if (integers)
    for (auto& x : c) x = cmodel::fp::int32_to_fp32(x);
  if (plan.halves)
    for (std::size_t i = 0; i < c.size(); ++i) c[i] = cmodel::fp::add(c[i], sums[1][i]);
  return c;
}

/// The numbers that elements stand for.
std::vector<double> values_of(Dtype dtype, const Elements& elements) {
  std::vector<double> values;
  values.reserve(elements.size());
  for (const std::uint32_t element : elements)
    values.push_back(double{cmodel::fp::to_float(
        dtype == Dtype::Fp32 ? element : cmodel::fp::operand_to_fp32(dtype, element, false))});
  return values;
}

void write_core(Assembler& assembler, const Plan& plan, unsigned chip, unsigned c) {
  const Part& part = plan.parts[chip * defs::kCores + c];
  const defs::Sizes& sizes = assembler.sizes();
  auto& core = assembler.core(chip, c);
  const Semaphore loaded = core.semaphore(), summed = core.semaphore(), copied = core.semaphore(),
                  stored = core.semaphore();
  unsigned engine = 0;
  const auto next_engine = [&] { return engine++ % sizes.dma_engines; };

  // Operands: A^T in stack 0, B in stack 1; the cores of a chip share the common one.
  const auto load = [&](const char* name, unsigned stack, bool common, const Elements& values,
                        unsigned columns, Dtype dtype) {
    const unsigned width = padded_columns(columns, dtype);
    const std::string full = common ? name : fmt::format("{}.{}", name, c);
    const Block block =
        common && c > 0 ? assembler.find(chip, full)
                        : assembler.data(chip, stack, full, width * cmodel::element_bytes(dtype),
                                         plan.k, padded(values, plan.k, columns, dtype));
    std::vector<Tile> tiles;
    for (unsigned t = 0; t < plan.k_tiles(); ++t) {
      tiles.push_back(core.sbuf(plan.k_count(t), width, dtype, plan.k_start(t)));
      core.sync()
          .copy(next_engine(), block.row_range(t * plan.k_step(), plan.k_count(t)),
                assembler.block(tiles.back()))
          .signal(loaded);
    }
    return tiles;
  };
  const auto a = load("a", 0, !plan.by_rows, *part.a_t, part.m, plan.formats.a);
  const auto b = load("b", 1, plan.by_rows, *part.b, part.n, plan.formats.b);
  core.tensor().wait_ge(loaded, 2 * plan.k_tiles());

  // Result tiles go round the PSUM banks and two slots in SBUF.
  const Block result = assembler.hbm(chip, c, fmt::format("c.{}", c), part.n * 4, part.m);
  assembler.region(fmt::format("c{}.{}", chip, c), result);
  const unsigned widest = std::min(part.n, sizes.psum_cols);
  const Tile slots[2] = {core.sbuf(sizes.partitions, widest, Dtype::Fp32),
                         core.sbuf(sizes.partitions, widest, Dtype::Fp32)};
  unsigned step = 0;
  for (unsigned m = 0; m < part.m; m += sizes.partitions) {
    const unsigned rows = std::min(sizes.partitions, part.m - m);
    for (unsigned n = 0; n < part.n; n += sizes.psum_cols, ++step) {
      const unsigned columns = std::min(sizes.psum_cols, part.n - n);
      // One step's sums: a bank, or two neighbours.
      const unsigned slots_of_psum = sizes.psum_banks / plan.sums();
      std::vector<Tile> sums;
      for (unsigned i = 0; i < plan.sums(); ++i) {
        const Tile bank = core.psum(step % slots_of_psum * plan.sums() + i, rows, columns);
        sums.push_back(plan.formats.a == Dtype::Int8 ? bank.as(Dtype::Int32, columns) : bank);
      }
      if (step >= slots_of_psum) core.tensor().wait_ge(copied, step - slots_of_psum + 1);
      for (unsigned t = 0; t < plan.k_tiles(); ++t)
        core.tensor()
            .load_stationary(a[t].columns(m, rows))
            .multiply_moving(b[t].columns(n, columns), sums[t % plan.sums()], t >= plan.sums());
      core.tensor().signal(summed);

      const Tile slot = slots[step % 2].rows(0, rows).columns(0, columns);
      if (step >= 2) core.vector().wait_ge(stored, step - 1);
      core.vector().wait_ge(summed, step + 1);
      if (plan.halves)
        core.vector().tensor_tensor(defs::AluOp::Add, sums[0], sums[1], slot);
      else
        core.vector().copy(sums[0], slot);
      core.vector().signal(copied);
      core.sync().wait_ge(copied, step + 1);
      // One engine: `stored` then counts in the order of the steps.
      core.sync()
          .copy(0, assembler.block(slot), result.row_range(m, rows).byte_range(n * 4, columns * 4))
          .signal(stored);
    }
  }
  core.sync().wait_ge(stored, step);
}

cmodel::Program build(const ScenarioArgs& args) {
  const Plan plan(args);
  Assembler assembler(args.sizes, args.chips);
  for (unsigned chip = 0; chip < args.chips; ++chip)
    for (unsigned c = 0; c < defs::kCores; ++c) write_core(assembler, plan, chip, c);
  return assembler.assemble();
}

ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program,
                     RegionBytes regions) {
  const Plan plan(args);
  ScenarioResult result;
  std::uint64_t wrong = 0, macs = 0;
  double worst = 0;
  for (unsigned core = 0; core < plan.cores; ++core) {
    const Part& part = plan.parts[core];
    const auto& bytes = region_bytes(
        program, regions, fmt::format("c{}.{}", core / defs::kCores, core % defs::kCores));
    const Elements exact = naive(plan, part);
    std::vector<double> ideal(exact.size()), size(exact.size());
    const auto a_t = values_of(plan.formats.a, *part.a_t), b = values_of(plan.formats.b, *part.b);
    for (unsigned m = 0; m < part.m; ++m)
      for (unsigned k = 0; k < plan.k; ++k)
        for (unsigned n = 0; n < part.n; ++n) {
          const double term = a_t[std::size_t{k} * part.m + m] * b[std::size_t{k} * part.n + n];
          ideal[std::size_t{m} * part.n + n] += term;
          size[std::size_t{m} * part.n + n] += std::abs(term);
        }
    for (std::size_t i = 0; i < exact.size(); ++i) {
      std::uint32_t bits;
      std::memcpy(&bits, &bytes[i * 4], 4);
      const double got = double{cmodel::fp::to_float(bits)};
      if (bits != exact[i] && wrong++ == 0)
        result.failure =
            fmt::format("core {} element [{}, {}] is {:08x}; the naive loops give {:08x}", core,
                        i / part.n, i % part.n, bits, exact[i]);
      const double error = std::abs(got - ideal[i]) / std::max(size[i], 1e-30);
      worst = error <= worst ? worst : std::isfinite(error) ? error : 1e30;
    }
    macs += std::uint64_t{part.m} * part.n * plan.k;
  }
  result.metrics["m"] = plan.m;
  result.metrics["n"] = plan.n;
  result.metrics["k"] = plan.k;
  result.metrics["formats"] =
      fmt::format("{} x {}", defs::to_string(plan.formats.a), defs::to_string(plan.formats.b));
  result.metrics["row_tiling"] = plan.halves;
  result.metrics["split"] = plan.by_rows ? "rows" : "columns";
  result.metrics["macs"] = macs;
  result.metrics["elements_wrong"] = wrong;
  result.metrics["max_error_vs_float64"] = worst;  // relative to the sum of the terms' magnitudes
  // fp32 with k additions, and three more for the passes, cannot be further off than this.
  const double allowed = (plan.k + (plan.formats.a == Dtype::Fp32 ? 4 : 0)) * 0x1p-23;
  if (result.failure.empty() && !(worst <= allowed))
    result.failure =
        fmt::format("an element is off by {:.3g} of its terms; allowed {:.3g}", worst, allowed);
  result.passed = result.failure.empty();
  return result;
}

}  // namespace

extern const Scenario kGemm{"gemm", "random matrix products over all cores, K summed up in PSUM",
                            build,  check,
                            false,  true};

}  // namespace tb
