// SPDX-License-Identifier: Apache-2.0
// Random shapes and operands.
#include <algorithm>

#include "tb/scenarios/corners.h"

namespace tb::corners {

unsigned Corners::partitions() {
  switch (random_.between(0, 4)) {
    case 0:
      return 1;
    case 1:
      return random_.between(2, p_ / 4);
    case 2:
      return random_.between(p_ / 4 + 1, p_ / 2);
    case 3:
      return random_.between(p_ / 2 + 1, p_ - 1);
    default:
      return p_;
  }
}

unsigned Corners::start(unsigned n) {
  if (n > p_ / 2) return 0;
  if (n > p_ / 4) return p_ / 2 * random_.between(0, 1);
  return p_ / 4 * random_.between(0, 3);
}

std::array<unsigned, 4> Corners::loops(unsigned most) {
  std::array<unsigned, 4> size{1, 1, 1, 1};
  const unsigned dims = random_.between(1, 4);
  for (unsigned d = 0; d < dims; ++d) {
    const unsigned limit = most;
    size[3 - d] = d == 0 ? random_.between(1, std::min(limit, random_.one_in(4) ? 40u : 9u))
                         : random_.between(1, std::min(limit, 4u));
    most = std::max(1u, most / size[3 - d]);
  }
  return size;
}

Tile Corners::tile(unsigned chip, unsigned core, Space space, Dtype dtype, unsigned n,
                   const std::array<unsigned, 4>& size, unsigned at, unsigned bytes) {
  Tile t{chip, core, space, dtype, start(n), n, 0, size, {}};
  const int width = static_cast<int>(cmodel::element_bytes(dtype));
  for (unsigned attempt = 0;; ++attempt) {
    int dense = 1;
    int low = 0, high = 0;
    for (int d = 3; d >= 0; --d) {
      int stride = dense;
      const unsigned kind = random_.between(0, 5);
      if (attempt < 8) {
        if (kind == 1) stride = dense + static_cast<int>(random_.between(1, 3));
        if (kind == 2) stride = -dense;
        if (kind == 3) stride = 0;
        if (kind == 4) stride = static_cast<int>(random_.between(0, bytes / width / size[d]));
      } else if (attempt > 8) {
        stride = 0;  // too much for any other
      }
      if (size[d] == 1) stride = 0;
      t.stride[d] = stride;
      const int span = stride * static_cast<int>(size[d] - 1) * width;
      (span < 0 ? low : high) += span;
      dense *= static_cast<int>(size[d]);
    }
    const int room = static_cast<int>(bytes) - (high - low + width);
    if (room < 0) continue;
    t.offset =
        at + static_cast<unsigned>(-low) +
        random_.between(0, static_cast<unsigned>(room / width)) * static_cast<unsigned>(width);
    return t;
  }
}

std::array<unsigned, 4> Corners::lane_loops() {
  auto size = loops(64);
  if (random_.one_in(24)) {
    size = {1, 1, 1, 1};
    size[random_.between(0, 3)] = random_.between(65, 1u << random_.between(7, 12));
  }
  return size;
}

Tile Corners::source(unsigned chip, unsigned core, unsigned n, const std::array<unsigned, 4>& size,
                     unsigned banks) {
  if (random_.one_in(3) && banks) {
    const unsigned bank = random_.between(0, banks - 1), bytes = args_.sizes.psum_cols * 4;
    return tile(chip, core, Space::Psum, Dtype::Fp32, n, size, bank * bytes, bytes);
  }
  return tile(chip, core, Space::Sbuf, random_.one_in(2) ? Dtype::Fp32 : Dtype::Bf16, n, size, 0,
              kSourceBytes);
}

}  // namespace tb::corners
