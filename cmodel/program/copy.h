// SPDX-License-Identifier: Apache-2.0
// A copy between two blocks as a descriptor: of a ring, or of a DmaStart.
#pragma once
#include <optional>
#include <string>
#include <utility>

#include "cmodel/program/instr_stream.h"
#include "cmodel/program/tile.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

class Assembler;

/// How the rows of a copy are found and changed.
struct Rows {
  /// Indices of 32 bits: row i is row index[i] of the source, or of the destination, whose block
  /// says how many there are.
  std::optional<Block> gather = {}, scatter = {};
  bool skip = false;  ///< a row with an index beyond is left out; else it stops the engine
  std::optional<std::pair<defs::Dtype, defs::Dtype>> cast = {};  ///< from, to
};

/// Why `chip` cannot copy src to dst; empty if it can.
std::string bad_copy(const Assembler& assembler, unsigned chip, const Block& src, const Block& dst,
                     const Rows& rows);
/// Why it cannot combine that with rows of `local`.
std::string bad_combine(const Assembler& assembler, const defs::Descriptor& copy, defs::Combine op,
                        defs::Dtype dtype, const Block& local);
/// Why it cannot go by that virtual network.
std::string bad_vn(unsigned chip, const defs::Descriptor& copy, unsigned net);
/// Why its destination chip cannot be told by that semaphore.
std::string bad_notify(unsigned chip, const defs::Descriptor& copy, Semaphore semaphore);

/// Of a good copy; to another chip on virtual network 1.
defs::Descriptor copy_of(unsigned chip, const Block& src, const Block& dst, const Rows& rows);

}  // namespace cmodel
