// SPDX-License-Identifier: Apache-2.0
// Tensor engine: weight-stationary matrix multiply. Twin of rtl/tensor/tensor_engine.sv.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "cmodel/machine/access_pattern.h"
#include "cmodel/machine/commit.h"
#include "cmodel/machine/psum.h"
#include "cmodel/machine/sbuf.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// psum[m][n] (+)= sum over k of stationary[k][m] * moving[k][n].
///
/// A sum starts from +0 and takes its products in the order k = 0, 1, 2, ..., each with one
/// rounding, as partial sums travel down a column of PEs; only then it goes onto PSUM. That order
/// is part of the contract with rtl/tensor/tensor_array.sv. Rows outside the tile contribute
/// nothing at all.
///
/// fp32 makes four such sums in turn, each onto PSUM, of the halves of its operands (fp.h):
/// stationary low x moving low, low x high, high x low, high x high; a low half that is zero makes
/// no product. int8 makes int32 sums, modulo 2^32.
///
/// psum[m][n] = those of stationary[k][m] ORed whose moving[k][n] is not 0: TRANSPOSE_MOVING, with
/// a tile of LOAD_BITS. Bits of 16 go into the lower half of the word.
///
/// A tile of at most P/2 rows lies in the upper or the lower half of the array's rows; each half
/// keeps the last tile loaded into it. Tiles in the lower half run beside those in the upper one,
/// so their rows are a stream of their own: lane 1.
class TensorEngine {
 public:
  /// Commits go to `sink` in stream `stream`. All references must outlive the engine.
  TensorEngine(const defs::Sizes& sizes, const Sbuf& sbuf, Psum& psum, CommitSink& sink,
               const StreamId& stream);

  /// What is wrong with `instr`; None if it may be executed now. Looks at everything but wait and
  /// update, which are the sequencer's. A MULTIPLY_MOVING must fit the last LOAD_STATIONARY, a
  /// TRANSPOSE_MOVING the last LOAD_BITS, whichever was last.
  defs::ErrorCause check(const defs::Instr& instr) const;

  /// Checks and executes one instruction. Loads commit nothing, MULTIPLY_MOVING one PsumRow per
  /// moving column (fp32: in each of its four passes), TRANSPOSE_MOVING likewise, in one pass. On
  /// an error nothing has been done.
  defs::ErrorCause execute(const defs::Instr& instr, std::uint32_t pc);

  /// Lane of the engine's stream that `instr` commits to.
  unsigned lane(const defs::Instr& instr) const { return lower(instr); }
  /// Stationary columns that a MULTIPLY_MOVING meets, or those of a LOAD_STATIONARY just executed.
  unsigned columns(const defs::Instr& instr) const { return tile(instr).columns; }

  /// Steps that PEs did so far: rows x columns of its tile for every moving column, in every pass.
  /// What hardware counts as PeBusy.
  std::uint64_t pe_work() const { return pe_work_; }

 private:
  /// A stationary tile. Rows of width_ floats, the first `columns` used; width_ is a multiple
  /// of 16.
  struct Tile {
    unsigned rows = 0, first = 0, columns = 0;  ///< K, start partition, M; rows = 0: none loaded
    defs::Dtype dtype = defs::Dtype::Bf16;
    std::vector<float> weights;       ///< [k][m]; fp32: the high halves of the numbers
    std::vector<float> low_weights;   ///< [k][m], of fp32
    bool is_bits = false;             ///< then `bits`, not numbers
    std::vector<std::uint32_t> bits;  ///< [k][m]
  };
  /// Through the lower half of the array's rows only?
  bool lower(const defs::Instr& instr) const {
    return instr.src0.partition >= sizes_.partitions / 2;
  }
  const Tile& tile(const defs::Instr& instr) const { return tiles_[lower(instr)]; }

  void load_stationary(const defs::Instr& instr);
  void multiply_moving(const defs::Instr& instr, std::uint32_t pc);
  void transpose_moving(const defs::Instr& instr, std::uint32_t pc);
  void multiply_pass(const defs::Instr& instr, std::uint32_t pc, bool low_stationary,
                     bool low_moving, bool accumulate);
  /// A row of PSUM as it now is, written: a commit.
  void commit_row(const defs::Instr& instr, std::uint32_t pc, std::uint32_t addr,
                  std::span<const std::uint32_t> row);

  const defs::Sizes& sizes_;
  const Sbuf& sbuf_;
  Psum& psum_;
  CommitSink& sink_;
  StreamId stream_;

  unsigned width_;
  /// By half of the rows. A tile through all rows is [0]; [1] then has its shape, no weights.
  Tile tiles_[2];
  std::uint64_t pe_work_ = 0;
};

}  // namespace cmodel
