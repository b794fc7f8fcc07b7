// SPDX-License-Identifier: Apache-2.0
// The instructions of each sequencer, one method each: the front of the assembler. The
// methods come from rtl/defs/instructions.toml.
//
// Every method throws AssemblerError, one line with chip, core, engine and pc, for what the engine
// would stop at.
#pragma once
#include <map>
#include <optional>

#include "cmodel/program/dma_ring.h"
#include "cmodel/program/gen/stream_methods.h"
#include "cmodel/program/stream.h"
#include "cmodel/program/tile.h"

namespace cmodel {

/// The moving tile goes with the stationary tile of its rows: Bf16, Fp16 and the fp8 formats may be
/// mixed; Tf32, Fp32 and Int8 go with their like. The result is Fp32, or Int32 (`as`) for Int8. A
/// tile of load_bits() goes with transpose_moving() only, any moving tile with it.
class TensorStream : public TensorMethods<TensorStream> {
 public:
  using TensorMethods::TensorMethods;

 protected:
  std::array<unsigned, 3> check_state(const defs::InstrRow& row, const Given& given) override;

 private:
  std::optional<Tile> stationary_[2];  ///< last loaded, by half of the array's rows
  bool bits_[2] = {};                  ///< it is one of bits
};

class VectorStream : public VectorMethods<VectorStream> {
 public:
  using VectorMethods::VectorMethods;
};

class ActStream : public ActMethods<ActStream> {
 public:
  using ActMethods::ActMethods;
};

/// What a DmaStart has beside its blocks. Registers of its stream: 0 is none.
struct Started {
  Register src = {}, dst = {};  ///< so many bytes, signed, further on than the blocks
  Register rows = {};           ///< instead of the blocks' rows, which are the most
  Rows how = {};
  Register index = {};  ///< so many bytes further on in the list of indices
  unsigned vn = 1;      ///< virtual network of a remote copy
  /// + 1 on the destination chip, behind the last byte of a remote copy.
  std::optional<Semaphore> notify = {};
  /// dst = combine(src, dst), row by row, of this format.
  defs::Combine combine = defs::Combine::Copy;
  defs::Dtype dtype = defs::Dtype::Fp32;
};

class SyncStream : public Stream<SyncStream> {
 public:
  using Stream::Stream;
  /// Starts the next `count` descriptors of a DMA engine of this core. All that are triggered,
  /// loops counted, are those of its ring once; or the triggers of one loop are, in each of its
  /// turns.
  SyncStream& trigger(unsigned engine, unsigned count = 1, Where at = Where::current());
  /// Appends a copy to the engine's ring and triggers it; signal and notify follow on the result.
  DmaEngine& copy(unsigned engine, const Block& src, const Block& dst, const Rows& rows = {},
                  Where at = Where::current());
  /// A copy by the engine, behind all that it was triggered for; a signal comes when it is done.
  /// What is checked is the blocks: where registers take them is the machine's to check.
  SyncStream& start(unsigned engine, const Block& src, const Block& dst, const Started& more = {},
                    Where at = Where::current());

 private:
  friend class Assembler;
  void check_engine(const char* what, unsigned engine) const;
  struct Triggered {
    unsigned loop = 0;        ///< around the first trigger
    bool one_loop = true;     ///< around all of them the same
    std::uint64_t once = 0;   ///< descriptors, each trigger counted once
    std::uint64_t often = 0;  ///< in all turns
    bool known = true;        ///< `often` is
    bool fits(std::uint64_t ring) const {
      return (one_loop && once == ring) || (known && often == ring);
    }
  };
  std::map<unsigned, Triggered> triggered_;  ///< by DMA engine
};

}  // namespace cmodel
