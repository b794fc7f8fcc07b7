// SPDX-License-Identifier: Apache-2.0
// Images in SBUF for convolutions without a copy: channels across partitions, in each partition the
// images one after the other, each with a border of zeros around it, so that a tap of a window that
// walks over it is a view:
//
//   0 0 0 0 0 0      tap (ky, kx) of a window: from element ky * pitch + kx on
//   0 x x x x 0      sizes     n, h / stride, w / stride
//   0 x x x x 0      strides   an image, `stride` rows, `stride` elements
//   0 0 0 0 0 0
#pragma once
#include "cmodel/program/assembler_core.h"

namespace cmodel {

/// n images of h x w, their border not counted.
struct Images {
  Tile tile;  ///< all of it, contiguous
  unsigned n = 0, h = 0, w = 0, border = 0;

  /// SBUF for them. With a border it has to be zeroed once.
  static Images place(Core& core, unsigned channels, unsigned n, unsigned h, unsigned w,
                      defs::Dtype dtype, unsigned border) {
    const Tile tile = core.sbuf(channels, n * (h + 2 * border) * (w + 2 * border), dtype);
    return {tile, n, h, w, border};
  }
  unsigned pitch() const { return w + 2 * border; }
  unsigned image() const { return (h + 2 * border) * pitch(); }

  /// Every `stride`-th pixel of all images as the tap at row ky, column kx of a window sees it:
  /// from there in the border on. Images first .. first + count - 1.
  Tile tap(unsigned ky, unsigned kx, unsigned stride, unsigned first, unsigned count) const {
    Tile from = tile.columns(first * image() + ky * pitch() + kx, 1);
    return from.shaped(
        {count, h / stride, w / stride},
        {static_cast<int>(image()), static_cast<int>(stride * pitch()), static_cast<int>(stride)});
  }
  /// The images without their border.
  Tile inside() const { return tap(border, border, 1, 0, n); }
};

}  // namespace cmodel
