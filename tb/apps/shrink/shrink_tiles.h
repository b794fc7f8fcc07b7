// SPDX-License-Identifier: Apache-2.0
// The sizes in a program that can be made smaller.
#pragma once
#include <cstdint>
#include <functional>
#include <vector>

#include "tb/apps/shrink/shrink_program.h"

namespace tb {

struct Size {
  std::uint64_t least;
  std::function<std::uint64_t(const Image&)> now;  ///< the largest it stands for
  std::function<void(Image&, std::uint64_t)> set;  ///< larger ones become this; others stay
};

/// Each dimension of all instructions, of all descriptors; then of each instruction.
std::vector<Size> sizes_of(const Image& image);

}  // namespace tb
