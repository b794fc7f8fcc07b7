// SPDX-License-Identifier: Apache-2.0
// Parts of the names of bins that several subjects have.
#pragma once
#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>

#include "rtl/defs/gen/defs.h"
#include "tb/observe/coverage/functional.h"

namespace tb::coverage {

using defs::Engine;

inline constexpr std::array kSequencerEngines{Engine::Tensor, Engine::Vector, Engine::Act,
                                              Engine::Sync};

/// The first part of a bin's name.
inline std::string_view block(Engine engine) {
  switch (engine) {
    case Engine::Tensor:
      return "tensor";
    case Engine::Vector:
      return "vector";
    case Engine::Act:
      return "act";
    case Engine::Sync:
      return "sync";
    case Engine::Rx:
      return "fabric";
    default:
      return "dma";
  }
}

inline constexpr std::array<std::string_view, 5> kUpdates{"none", "own.plus", "own.minus",
                                                          "other.plus", "other.minus"};
inline std::string update_corner(bool update, unsigned sem, int delta, unsigned core) {
  if (!update) return "none";
  return fmt::format("{}.{}", sem >> 8 == core ? "own" : "other", delta < 0 ? "minus" : "plus");
}

}  // namespace tb::coverage
