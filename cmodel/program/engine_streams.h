// SPDX-License-Identifier: Apache-2.0
// What each sequencer can be told, one method an instruction: the front of the assembler.
//
// Every method throws AssemblerError, one line with chip, core, engine and pc, for what the engine
// would stop at.
#pragma once
#include <optional>

#include "cmodel/program/dma_ring.h"
#include "cmodel/program/instr_stream.h"
#include "cmodel/program/tile.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

class TensorStream : public Stream<TensorStream> {
 public:
  using Stream::Stream;
  /// Stationary tile: K partitions x M elements, SBUF, any format but Int32.
  TensorStream& load_stationary(const Tile& tile, Where at = Where::current());
  /// Moving tile, K partitions x N elements, through the array into (or onto) dst in PSUM. Bf16,
  /// Fp16 and the fp8 formats may be mixed; Tf32, Fp32 and Int8 go with their like. dst is M
  /// partitions x N elements, Fp32, or Int32 (`as`) for Int8.
  TensorStream& multiply_moving(const Tile& moving, const Tile& dst, bool accumulate = false,
                                Where at = Where::current());

 private:
  std::optional<Tile> stationary_[2];  ///< last loaded, by half of the array's rows
};

class VectorStream : public Stream<VectorStream> {
 public:
  using Stream::Stream;
  /// dst = cast(src), element by element; sizes and partitions must agree.
  VectorStream& copy(const Tile& src, const Tile& dst, Where at = Where::current());
  /// dst = func(a, b), element by element; sizes and partitions must agree.
  VectorStream& tensor_tensor(defs::AluOp func, const Tile& a, const Tile& b, const Tile& dst,
                              Where at = Where::current());
  /// dst element i = func over src's innermost dimension, ascending; dst has src's outer
  /// dimensions.
  VectorStream& reduce(defs::AluOp func, const Tile& src, const Tile& dst,
                       Where at = Where::current());
};

class ActStream : public Stream<ActStream> {
 public:
  using Stream::Stream;
  /// dst = cast(func(src)), element by element; sizes and partitions must agree.
  ActStream& activate(defs::ActFunc func, const Tile& src, const Tile& dst,
                      Where at = Where::current());
  /// dst = cast(func(src + bias)). bias: one fp32 element per partition, SBUF.
  ActStream& activate(defs::ActFunc func, const Tile& src, const Tile& bias, const Tile& dst,
                      Where at = Where::current());
};

class SyncStream : public Stream<SyncStream> {
 public:
  using Stream::Stream;
  /// Starts the next `count` descriptors of a DMA engine of this core.
  SyncStream& trigger(unsigned engine, unsigned count = 1, Where at = Where::current());
  /// Appends a copy to the engine's ring and triggers it; signal and notify follow on the result.
  DmaEngine& copy(unsigned engine, const Block& src, const Block& dst, Where at = Where::current());
};

}  // namespace cmodel
