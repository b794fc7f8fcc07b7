// SPDX-License-Identifier: Apache-2.0
#include "cmodel/kernels/product_scheme.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "cmodel/machine/address_map.h"
#include "cmodel/program/tile.h"

namespace cmodel {
namespace {

/// What the DMA takes beside its bytes, rtl/dma/dma.sv: between descriptors of an engine, and from
/// a doorbell to the first write.
constexpr unsigned kDescriptorCycles = 180, kDoorbellCycles = 340;

unsigned ceil_div(std::uint64_t a, std::uint64_t b) {
  return static_cast<unsigned>((a + b - 1) / b);
}

class Planner {
 public:
  Planner(const defs::Sizes& sizes, const ProductShape& shape, unsigned sbuf_bytes)
      : sizes_(sizes), shape_(shape), sbuf_bytes_(sbuf_bytes) {
    // Parts of B and C begin on lines.
    const unsigned grain = sizes.line_bytes / std::min(4u, element_bytes(shape.b));
    const unsigned tiles = ceil_div(shape.n, sizes.psum_cols);
    tile_n_ = std::min({static_cast<unsigned>(round_up(ceil_div(shape.n, tiles), grain)),
                        sizes.psum_cols, shape.n});
  }

  std::optional<ProductScheme> best() {
    const unsigned most_m = ceil_div(shape_.m, sizes_.partitions),
                   most_n = ceil_div(shape_.n, tile_n_), most = sizes_.psum_banks / 2;
    for (unsigned m = 1; m <= std::min(most, most_m); ++m)
      for (unsigned n = 1; n <= std::min(most / m, most_n); ++n) try_block(m, n);
    return best_;
  }

 private:
  unsigned line(std::uint64_t bytes) const {
    return static_cast<unsigned>(round_up(bytes, sizes_.line_bytes));
  }

  void try_block(unsigned tiles_m, unsigned tiles_n) {
    ProductScheme s;
    s.tiles_m = tiles_m;
    s.tiles_n = tiles_n;
    s.tile_n = tile_n_;
    s.m = {shape_.m, std::min(tiles_m * sizes_.partitions, shape_.m)};
    s.n = {shape_.n, std::min(tiles_n * tile_n_, shape_.n)};
    s.k = {shape_.k, std::min(sizes_.partitions, shape_.k)};
    s.a_whole = shape_.a_whole;
    if (s.a_whole && s.m.count() > 1) return;
    s.a_bytes = s.m.size * element_bytes(shape_.a);
    if (!s.a_whole) s.a_bytes = line(s.a_bytes);
    s.b_bytes = line(std::uint64_t{s.n.size} * element_bytes(shape_.b));
    s.c_bytes = line(4 * tile_n_);
    for (const bool a_kept : {false, true})
      for (const bool b_kept : {false, true}) {
        // Kept for a second use, if there is one.
        if (!s.a_whole && a_kept && s.n.count() == 1) continue;
        if (s.a_whole && !a_kept) continue;
        if (b_kept && s.m.count() == 1) continue;
        s.a_kept = a_kept;
        s.b_kept = b_kept;
        try_slots(s);
      }
  }

  /// What is kept has its place; the rings get what is left, up to a sweep.
  void try_slots(ProductScheme s) {
    const std::uint64_t k = s.k.count(), whole_b = k * s.n.count();
    const std::uint64_t kept = (s.a_kept ? line(k * s.a_bytes) : 0) +
                               (s.b_kept ? whole_b * s.b_bytes : 0) + s.tiles() * s.c_bytes;
    if (kept > sbuf_bytes_) return;
    const unsigned ring = (s.a_kept ? 0 : s.a_bytes) + (s.b_kept ? 0 : s.b_bytes);
    const auto slots =
        static_cast<unsigned>(ring ? std::min<std::uint64_t>(k, (sbuf_bytes_ - kept) / ring) : k);
    if (slots == 0) return;
    s.a_slots = s.a_kept ? static_cast<unsigned>(k) : slots;
    s.b_slots = s.b_kept ? static_cast<unsigned>(whole_b) : slots;
    s.a_region = line(std::uint64_t{s.a_slots} * s.a_bytes);
    // Steps that fetch nothing are announced ahead of all work: as many as a semaphore can count.
    if (s.a_kept && s.b_kept && s.steps() >> defs::kSemaphoreBits) return;
    s.cycles = estimate(s);
    if (!best_ || s.cycles < best_->cycles) best_ = s;
  }

  /// First operands, then sweep by sweep what takes longest, then the last results.
  std::uint64_t estimate(const ProductScheme& s) const {
    const std::uint64_t k = s.k.count(), rate = sizes_.line_bytes / sizes_.hbm_line_cycles;
    // All engines move a step's part of an operand, or a tile of the result.
    const auto copy = [&](unsigned rows, unsigned row_bytes) {
      return std::min(rows, sizes_.partitions) * std::uint64_t{row_bytes} / rate +
             kDescriptorCycles;
    };
    const std::uint64_t a = copy(shape_.k, s.a_whole ? s.a_region : s.a_bytes),
                        b = copy(shape_.k, s.b_bytes), c = copy(shape_.m, s.c_bytes);
    // Of a sweep: tiles that there are, by and large, not those that there could be.
    const std::uint64_t sweeps = s.m.count() * std::uint64_t{s.n.count()},
                        tiles_m = ceil_div(shape_.m, sizes_.partitions),
                        matmul = std::max(tile_n_, std::min(sizes_.partitions / 2, shape_.m)) *
                                 (shape_.a == defs::Dtype::Fp32 ? 4u : 1u);
    const std::uint64_t array = tiles_m * k * matmul * shape_.n / tile_n_ / sweeps,
                        tiles = ceil_div(tiles_m * shape_.n, tile_n_ * sweeps),
                        lanes = tiles * (tile_n_ + 2 * sizes_.dma_engines);
    std::uint64_t cycles = kDoorbellCycles + a + b;
    for (const bool first_m : {true, false})
      for (const bool first_n : {true, false}) {
        const std::uint64_t fetch =
            k * ((s.fetches_a(first_n) ? a : 0) + (s.fetches_b(first_m) ? b : 0));
        const std::uint64_t alone = s.ahead() == 1 ? fetch : 0;  // nothing comes ahead of time
        cycles += std::uint64_t{first_m ? 1 : s.m.count() - 1} * (first_n ? 1 : s.n.count() - 1) *
                  (alone + std::max({array, fetch + tiles * c, lanes}));
      }
    const std::uint64_t last = s.tiles() * c, covered = (s.tiles() - 1) * matmul;
    return cycles + tile_n_ + std::max(c, last - std::min(last, covered));
  }

  const defs::Sizes& sizes_;
  const ProductShape& shape_;
  unsigned sbuf_bytes_, tile_n_ = 0;
  std::optional<ProductScheme> best_;
};

}  // namespace

unsigned ProductScheme::ahead() const { return std::min({k.count(), a_slots, b_slots}); }

ProductScheme plan_product(const defs::Sizes& sizes, const ProductShape& shape,
                           unsigned sbuf_bytes) {
  const std::string what = fmt::format("product of {} x {} x {}", shape.m, shape.k, shape.n);
  if (shape.m == 0 || shape.n == 0 || shape.k == 0)
    throw AssemblerError(what + "; allowed sides of 1 and more");
  const auto best = Planner(sizes, shape, sbuf_bytes).best();
  if (!best)
    throw AssemblerError(
        fmt::format("{} in {} bytes of an SBUF partition; allowed what holds a "
                    "tile of each operand and of the result",
                    what, sbuf_bytes));
  return *best;
}

namespace {

/// Cycles of the links if each K tile goes from one chip to each other one that needs it.
std::uint64_t share_cycles(const ProductShape& shape, const ProductGrid& grid, unsigned chips) {
  std::uint64_t bytes = 0;  // times links on their way
  const auto add = [&](unsigned parts, bool is_a) {
    for (unsigned part = 0; part < parts; ++part) {
      std::set<unsigned> needed;
      for (unsigned i = 0; i < grid.parts(); ++i)
        if ((is_a ? i / grid.columns : i % grid.columns) == part) needed.insert(i / defs::kCores);
      std::uint64_t links = 0;
      for (const unsigned from : needed)
        for (const unsigned to : needed) {
          const unsigned way = from < to ? to - from : from - to;
          links += std::min(way, chips - way);
        }
      const std::uint64_t columns = is_a ? shape.m / grid.rows : shape.n / grid.columns;
      bytes += columns * shape.k * element_bytes(is_a ? shape.a : shape.b) * links / needed.size();
    }
  };
  add(grid.rows, true);
  add(grid.columns, false);
  return bytes * defs::kFabricDivide / (2 * chips * std::uint64_t{defs::kFlitBytes});
}

}  // namespace

ProductGrid split_product(const defs::Sizes& sizes, const ProductShape& shape, unsigned cores,
                          unsigned sbuf_bytes, bool once) {
  ProductGrid best;
  std::uint64_t least = UINT64_MAX;
  for (unsigned rows = 1; rows <= std::min(cores, shape.m); ++rows) {
    const ProductGrid grid{rows, std::min(cores / rows, shape.n)};
    ProductShape part = shape;
    part.m = ceil_div(shape.m, grid.rows);
    part.n = ceil_div(shape.n, grid.columns);
    std::uint64_t cycles = plan_product(sizes, part, sbuf_bytes).cycles;
    if (once) cycles = std::max(cycles, share_cycles(shape, grid, ceil_div(cores, defs::kCores)));
    if (cycles < least) best = grid, least = cycles;
  }
  return best;
}

}  // namespace cmodel
