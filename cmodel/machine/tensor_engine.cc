// SPDX-License-Identifier: Apache-2.0
// See tensor_engine.h. Tile-wise: a block of moving columns times 16 stationary columns at a time.
#include "cmodel/machine/tensor_engine.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <span>

#include "cmodel/machine/fp.h"
#include "cmodel/machine/instruction.h"

namespace cmodel {
namespace {

constexpr unsigned kLanes = 16;  // stationary columns of a block
constexpr unsigned kBlock = 8;   // moving columns of a block

/// kLanes floats that the compiler keeps in a vector register.
using Vector = float __attribute__((vector_size(kLanes * sizeof(float))));

/// Lane by lane, rounded once.
inline void fma_into(Vector& acc, const Vector& a, float b) {
#if __has_builtin(__builtin_elementwise_fma)
  const Vector all = {b, b, b, b, b, b, b, b, b, b, b, b, b, b, b, b};
  acc = __builtin_elementwise_fma(a, all, acc);
#else
  for (unsigned i = 0; i < kLanes; ++i) acc[i] = std::fma(a[i], b, acc[i]);
#endif
}

/// sums[j][i] = sum over k of weights[k][i] * moving[k][j], in order of k.
void multiply_block(const float* weights, unsigned width, const float* moving, unsigned rows,
                    float (&sums)[kBlock][kLanes]) {
  Vector acc[kBlock] = {};
  for (unsigned k = 0; k < rows; ++k) {
    Vector w;
    std::memcpy(&w, weights + std::size_t{k} * width, sizeof(w));
    const float* x = moving + std::size_t{k} * kBlock;
    for (unsigned j = 0; j < kBlock; ++j) fma_into(acc[j], w, x[j]);
  }
  std::memcpy(sums, acc, sizeof(sums));
}

/// The same, without the products of low halves that are zero.
void multiply_halves(const float* weights, unsigned width, const float* moving, unsigned rows,
                     bool low_weights, bool low_moving, float (&sums)[kBlock][kLanes]) {
  std::memset(sums, 0, sizeof(sums));
  for (unsigned k = 0; k < rows; ++k) {
    const float* w = weights + std::size_t{k} * width;
    for (unsigned j = 0; j < kBlock; ++j) {
      const float x = moving[std::size_t{k} * kBlock + j];
      if (low_moving && x == 0) continue;
      for (unsigned i = 0; i < kLanes; ++i) {
        const float sum = std::fma(w[i], x, sums[j][i]);
        sums[j][i] = low_weights && w[i] == 0 ? sums[j][i] : sum;
      }
    }
  }
}

}  // namespace

TensorEngine::TensorEngine(const defs::Sizes& sizes, const Sbuf& sbuf, Psum& psum, CommitSink& sink,
                           const StreamId& stream)
    : sizes_(sizes),
      sbuf_(sbuf),
      psum_(psum),
      sink_(sink),
      stream_(stream),
      width_((sizes.partitions + kLanes - 1) / kLanes * kLanes) {
  for (Tile& tile : tiles_) {
    tile.weights.resize(std::size_t{sizes.partitions} * width_);
    tile.low_weights.resize(tile.weights.size());
    tile.bits.resize(tile.weights.size());
  }
}

defs::ErrorCause TensorEngine::check(const defs::Instr& instr) const {
  const Tile& loaded = tile(instr);
  const Trips trips = trips_of(instr);
  // Four 16-bit sizes: the product fits.
  const std::uint64_t elements = std::uint64_t{trips[0]} * trips[1] * trips[2] * trips[3];

  // Without a load, BadShape says it all.
  Faults faults =
      instr_faults(sizes_, instr, defs::Engine::Tensor, loaded.rows ? loaded.columns : 1);
  if (reads_stationary(instr)) {
    // Narrow floats go together in any mixture; tf32, fp32 and int8 only with their like.
    unsigned formats = 1u << static_cast<unsigned>(loaded.dtype);
    if (formats & defs::kFormatsNarrow) formats = defs::kFormatsNarrow;
    const auto sum = instr.src0.dtype == static_cast<std::uint8_t>(defs::Dtype::Int8)
                         ? defs::Dtype::Int32
                         : defs::Dtype::Fp32;
    const bool bits = transposes(instr);
    // Bits go with what picks them.
    faults.bad_format |= loaded.rows && loaded.is_bits != bits;
    faults.bad_format |= !bits && ((loaded.rows && !(formats >> instr.src0.dtype & 1)) ||
                                   instr.dst.dtype != static_cast<std::uint8_t>(sum));
    faults.bad_partition |= instr.dst.partition != 0;
    faults.bad_shape |= elements > sizes_.psum_cols || !loaded.rows ||
                        instr.partitions != loaded.rows || instr.src0.partition != loaded.first;
    // Through all rows: neither half may have been loaded anew.
    faults.bad_shape |=
        instr.partitions > sizes_.partitions / 2 && tiles_[0].rows != tiles_[1].rows;
  } else {
    faults.bad_shape |= elements > sizes_.partitions;
  }
  return faults.first_cause();
}

defs::ErrorCause TensorEngine::execute(const defs::Instr& instr, std::uint32_t pc) {
  if (const auto cause = check(instr); cause != defs::ErrorCause::None) return cause;
  if (writes_stationary(instr))
    load_stationary(instr);
  else if (transposes(instr))
    transpose_moving(instr, pc);
  else
    multiply_moving(instr, pc);
  return defs::ErrorCause::None;
}

void TensorEngine::load_stationary(const defs::Instr& instr) {
  Tile& to = tiles_[lower(instr)];
  to.rows = instr.partitions;
  to.first = instr.src0.partition;
  to.columns = 0;
  to.dtype = static_cast<defs::Dtype>(instr.src0.dtype);
  to.is_bits = transposes(instr);
  std::fill(to.weights.begin(), to.weights.end(), 0.0f);  // also the lanes beyond the last column
  std::array<std::uint32_t, 256> column;
  for_each_element(instr.src0, trips_of(instr), [&](std::uint32_t addr) {
    sbuf_.read_column(addr, element_bytes(instr.src0.dtype), to.first,
                      std::span(column).first(to.rows));
    for (unsigned k = 0; k < to.rows; ++k) {
      const std::size_t at = std::size_t{k} * width_ + to.columns;
      if (to.is_bits) {
        to.bits[at] = column[k];
        continue;
      }
      to.weights[at] = fp::to_float(fp::operand_to_fp32(to.dtype, column[k], false));
      if (to.dtype == defs::Dtype::Fp32)
        to.low_weights[at] = fp::to_float(fp::operand_to_fp32(to.dtype, column[k], true));
    }
    ++to.columns;
  });
  if (to.rows > sizes_.partitions / 2) {
    tiles_[1].rows = to.rows;
    tiles_[1].first = to.first;
    tiles_[1].columns = to.columns;
    tiles_[1].dtype = to.dtype;
    tiles_[1].is_bits = to.is_bits;
  }
}

void TensorEngine::multiply_moving(const defs::Instr& instr, std::uint32_t pc) {
  if (tile(instr).dtype != defs::Dtype::Fp32) {
    multiply_pass(instr, pc, false, false, instr.accumulate);
    return;
  }
  for (unsigned pass = 0; pass < 4; ++pass)
    multiply_pass(instr, pc, pass < 2, pass % 2 == 0, instr.accumulate || pass);
}

void TensorEngine::transpose_moving(const defs::Instr& instr, std::uint32_t pc) {
  const Trips trips = trips_of(instr);
  const auto dtype = static_cast<defs::Dtype>(instr.src0.dtype);
  const Tile& with = tile(instr);
  std::array<std::uint32_t, 256> column;
  PatternWalk dst(instr.dst, trips);
  for_each_element(instr.src0, trips, [&](std::uint32_t addr) {
    sbuf_.read_column(addr, element_bytes(instr.src0.dtype), with.first,
                      std::span(column).first(with.rows));
    const std::uint32_t to = dst.addr();
    const auto row = psum_.row(to / 4).first(with.columns);
    std::ranges::fill(row, 0u);
    for (unsigned k = 0; k < with.rows; ++k) {
      const fp::Fp32 number = fp::operand_to_fp32(dtype, column[k], false);
      if (!(number & 0x7fff'ffffu)) continue;
      for (unsigned m = 0; m < with.columns; ++m) row[m] |= with.bits[std::size_t{k} * width_ + m];
    }
    psum_.mark(to / 4, 0, with.columns);
    commit_row(instr, pc, to, row);
    pe_work_ += std::uint64_t{with.rows} * with.columns;
    dst.next();
  });
}

void TensorEngine::commit_row(const defs::Instr& instr, std::uint32_t pc, std::uint32_t addr,
                              std::span<const std::uint32_t> row) {
  Commit commit;
  commit.kind = CommitKind::PsumRow;
  commit.stream = stream_;
  commit.stream.lane = static_cast<std::uint8_t>(lane(instr));
  commit.pc = pc;
  commit.addr = addr;
  commit.count = static_cast<std::uint16_t>(row.size());
  commit.element_bytes = 4;
  sink_.commit(commit, {reinterpret_cast<const std::uint8_t*>(row.data()), row.size_bytes()});
}

void TensorEngine::multiply_pass(const defs::Instr& instr, std::uint32_t pc, bool low_stationary,
                                 bool low_moving, bool accumulate) {
  const Trips trips = trips_of(instr);
  const auto dtype = static_cast<defs::Dtype>(instr.src0.dtype);
  const unsigned bytes = element_bytes(instr.src0.dtype);
  const bool integers = dtype == defs::Dtype::Int8;
  const Tile& with = tile(instr);
  const std::vector<float>& weights = low_stationary ? with.low_weights : with.weights;
  const unsigned rows = with.rows, columns = with.columns;
  std::array<std::uint32_t, 256> column;
  std::array<float, 256 * kBlock> moving{};  // [k][column of the block]
  std::array<std::array<std::uint32_t, 256>, kBlock> sums;
  PatternWalk dst(instr.dst, trips);
  unsigned fill = 0;

  const auto flush = [&] {
    for (unsigned m = 0; m < columns; m += kLanes) {
      float block[kBlock][kLanes];
      if (low_stationary || low_moving)
        multiply_halves(&weights[m], width_, moving.data(), rows, low_stationary, low_moving,
                        block);
      else
        multiply_block(&weights[m], width_, moving.data(), rows, block);
      // Sums of int8 products stay below 2^21: exact as floats.
      for (unsigned j = 0; j < kBlock; ++j)
        for (unsigned i = 0; i < kLanes; ++i)
          sums[j][m + i] = integers
                               ? static_cast<std::uint32_t>(static_cast<std::int32_t>(block[j][i]))
                               : fp::from_float(block[j][i]);
    }
    for (unsigned j = 0; j < fill; ++j, dst.next()) {
      const std::uint32_t addr = dst.addr();
      const auto row = psum_.row(addr / 4).first(columns);
      if (accumulate) psum_.check(addr / 4, 0, columns);
      psum_.mark(addr / 4, 0, columns);
      if (accumulate && integers) {
        for (unsigned m = 0; m < columns; ++m) row[m] += sums[j][m];
      } else if (accumulate) {
        for (unsigned m = 0; m < columns; ++m) row[m] = fp::add(row[m], sums[j][m]);
      } else {
        for (unsigned m = 0; m < columns; ++m) row[m] = sums[j][m];
      }
      commit_row(instr, pc, addr, row);
    }
    fill = 0;
  };

  for_each_element(instr.src0, trips, [&](std::uint32_t addr) {
    sbuf_.read_column(addr, bytes, with.first, std::span(column).first(rows));
    for (unsigned k = 0; k < rows; ++k)
      moving[std::size_t{k} * kBlock + fill] =
          fp::to_float(fp::operand_to_fp32(dtype, column[k], low_moving));
    pe_work_ += std::uint64_t{rows} * columns;
    if (++fill == kBlock) flush();
  });
  if (fill) flush();
}

}  // namespace cmodel
