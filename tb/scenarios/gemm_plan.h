// SPDX-License-Identifier: Apache-2.0
// What scenario `gemm` multiplies: formats, sizes, elements and their split over the cores.
#pragma once
#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "cmodel/kernels/product_scheme.h"
#include "rtl/defs/gen/defs.h"
#include "tb/scenarios/scenario.h"

namespace tb::gemm {

/// Elements of one format, each in the low bits of a word.
using Elements = std::vector<std::uint32_t>;

/// What one core computes: its own A^T [k][m] and B [k][n]. Nothing if m is 0.
struct Part {
  unsigned m = 0, n = 0;
  std::shared_ptr<const Elements> a_t, b;  ///< the same ones where cores have them in common
};

struct Formats {
  defs::Dtype a, b;
};

/// Columns filled up to whole words.
unsigned padded_columns(unsigned columns, defs::Dtype dtype);

/// Rows `first` .. of [..][columns] as bytes, each filled up with zeros to `width`.
std::vector<std::uint8_t> padded(const Elements& values, unsigned first, unsigned rows,
                                 unsigned columns, defs::Dtype dtype, unsigned width);

/// Everything that follows from the arguments, for build and check alike.
struct Plan {
  /// Draws it by seed, as far as `args` leave it open.
  explicit Plan(const ScenarioArgs& args);

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

  /// From row to row of a part of C, in bytes.
  unsigned c_stride(const Part& part) const;

  unsigned cores, partitions, line_bytes;
  unsigned m, n, k;         ///< of the whole product
  unsigned last_start = 0;  ///< 0 .. 3: draws the start partition of a short last K tile
  bool by_rows = false;     ///< C is split by rows, else by columns
  bool halves = false;      ///< K tiles of P/2, in turn in both halves of the array's rows
  Formats formats;
  /// Of a size that was asked for: the parts are those of this grid, row by row, and the library
  /// multiplies them. None of `last_start`, `by_rows`, `halves` plays a part.
  std::optional<cmodel::ProductGrid> grid;
  std::vector<Part> parts;  ///< by core of the board

 private:
  void draw_parts(const ScenarioArgs& args);
  void split(const ScenarioArgs& args, const ProductSize& size);
};

}  // namespace tb::gemm
