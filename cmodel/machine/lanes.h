// SPDX-License-Identifier: Apache-2.0
// Source and destination side of a lane engine. Twin of rtl/operand/operand_reader.sv and
// rtl/operand/element_writer.sv.
#pragma once
#include <array>
#include <cstdint>
#include <span>

#include "cmodel/machine/commit.h"
#include "cmodel/machine/psum.h"
#include "cmodel/machine/random.h"
#include "cmodel/machine/sbuf.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// One fp32 word per lane; the first `partitions` of an instruction are used.
using Lanes = std::array<std::uint32_t, 256>;

/// What a lane engine works on, and where its commits go.
struct LanePort {
  Sbuf& sbuf;
  Psum& psum;
  CommitSink& sink;
  StreamId stream;
  LaneRandom random;

  bool bits = false;  ///< integers stay as they are: nothing is cast

  /// The element at byte offset `addr` of lanes.size() partitions from the operand's first, as
  /// fp32.
  void read(const defs::Operand& src, std::uint32_t addr, std::span<std::uint32_t> lanes) const;

  /// A scalar, as it lies there, for every lane.
  void read(const defs::Scalar& scalar, std::span<std::uint32_t> lanes) const;

  /// Casts as `dst` says (NaN canonical), writes and commits one row. A row that is rounded at
  /// random draws one number for each lane. Lanes of which `skip` is true stay as they are; in the
  /// commit they are 0.
  void write(const defs::Operand& dst, std::uint32_t addr, std::uint32_t pc,
             std::span<const std::uint32_t> lanes, std::span<const bool> skip = {});
};

}  // namespace cmodel
