// SPDX-License-Identifier: Apache-2.0
// What a program has in memory for its streams.
#pragma once
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "cmodel/program/program.h"

namespace tb {

/// The instructions of each stream, as bytes, in the order of the streams.
inline std::vector<std::vector<std::uint8_t>> stream_bytes(const cmodel::Program& program) {
  std::vector<std::vector<std::uint8_t>> bytes;
  for (const auto& stream : program.streams)
    for (const auto& segment : program.segments)
      if (segment.chip == stream.chip && segment.addr == stream.base)
        bytes.push_back(segment.bytes);
  EXPECT_EQ(bytes.size(), program.streams.size());
  return bytes;
}

}  // namespace tb
