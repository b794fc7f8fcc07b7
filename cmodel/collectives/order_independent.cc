// SPDX-License-Identifier: Apache-2.0
#include "cmodel/collectives/order_independent.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cmath>

namespace cmodel {

using defs::AluOp;
using defs::Dtype;

namespace {

constexpr unsigned kNumbers = OrderIndependent::kBlockBytes / 4;  ///< of a block
constexpr unsigned kMostOfARow = 65536;                           ///< bytes, of a descriptor
constexpr std::uint32_t kExponent = 0x7F800000;

/// Most bits of a fraction that leave room for the sum of so many ranks.
int fraction_of(unsigned ranks) {
  return std::min(26, 30 - static_cast<int>(std::bit_width(ranks - 1)));
}

/// Rows of `each` numbers of a tile as so many blocks of them.
Tile in_blocks(const Tile& tile) {
  return tile.shaped({tile.size[3] / kNumbers, kNumbers}, {int{kNumbers}, 1});
}
/// A number for each block, for all of its numbers.
Tile for_all(const Tile& one) { return one.shaped({one.size[3], kNumbers}, {1, 0}); }

}  // namespace

OrderIndependent::OrderIndependent(const Mail& mail, unsigned bytes)
    : mail_(mail),
      partitions_(mail.group().assembler().sizes().partitions),
      width_(bytes / partitions_),
      fraction_(fraction_of(mail.group().size())) {
  if (bytes % (partitions_ * kBlockBytes) || width_ > kMostOfARow)
    throw AssemblerError(
        fmt::format("order-independent sums of {} bytes, allowed multiples of {} up to {}", bytes,
                    partitions_ * kBlockBytes, partitions_ * kMostOfARow));
  for (unsigned rank = 0; rank < mail.group().size(); ++rank) {
    Core& core = mail.group().core(rank);
    core.align_sbuf(mail.group().assembler().sizes().line_bytes);
    const auto tile = [&](unsigned elements) {
      return core.sbuf(partitions_, elements, Dtype::Fp32);
    };
    const unsigned blocks = width_ / kBlockBytes;
    Place place{tile(width_ / 4), tile(width_ / 4), tile(blocks), tile(blocks), {}, {}, {}};
    place.largest = mail.group().assembler().block(core.sbuf(1, partitions_ * blocks, Dtype::Fp32));
    place.there = core.semaphore("numbers there");
    place.done = core.semaphore("numbers done");
    places_.push_back(place);
  }
}

void OrderIndependent::all_reduce(unsigned rank, const Buffers& in, const Buffers& out,
                                  const Reduce& reduce) const {
  check_loops(rank);
  const bool flat = contiguous(in) && contiguous(out);
  const Buffers from = pieces(in[rank], flat), to = pieces(out[rank], flat);
  for (std::size_t i = 0; i < from.size(); ++i) piece(rank, from[i], to[i], reduce);
}

void OrderIndependent::check_loops(unsigned rank) const {
  const auto& sync = mail_.sync(rank).loops();
  const auto& vector = this->vector(rank).loops();
  if (!std::ranges::equal(sync, vector, {}, &StreamBase::Loop::turns, &StreamBase::Loop::turns))
    throw AssemblerError(fmt::format(
        "order-independent sum: rank {} in {} turns of {} loops of its vector stream, allowed {} "
        "of {} as in its sync stream",
        rank, this->vector(rank).often(), vector.size(), mail_.sync(rank).often(), sync.size()));
}

Buffers OrderIndependent::pieces(const Block& block, bool flat) const {
  Buffers out;
  if (!flat && block.row_bytes <= width_) {
    for (unsigned row = 0; row < block.rows; row += partitions_)
      out.push_back(block.row_range(row, std::min(partitions_, block.rows - row)));
    return out;
  }
  const unsigned line = mail_.group().assembler().sizes().line_bytes;
  const std::uint64_t row_bytes = flat ? bytes_of(block) : block.row_bytes;
  for (unsigned row = 0; row < (flat ? 1 : block.rows); ++row)
    for (std::uint64_t at = 0; at < row_bytes;) {
      // All partitions alike; what is left over is a piece of its own.
      auto bytes = static_cast<std::uint32_t>(
          std::min<std::uint64_t>(std::uint64_t{partitions_} * width_, row_bytes - at));
      // Rows of a line, if there are so many: a DMA engine moves one in a cycle, however short.
      const std::uint32_t rows =
          std::clamp(bytes / line, (bytes + width_ - 1) / width_, partitions_);
      const std::uint32_t each = bytes / rows / kBlockBytes * kBlockBytes;
      out.push_back({block.chip, block.row_addr(row) + at, each, rows, each});
      at += std::uint64_t{rows} * each;
    }
  return out;
}

Block OrderIndependent::numbers(unsigned rank, const Block& shape) const {
  const Block all = mail_.group().assembler().block(places_[rank].x);
  return all.row_range(0, shape.rows).byte_range(0, shape.row_bytes);
}

Block OrderIndependent::largest(unsigned rank, const Block& shape, bool one_row) const {
  const Block& all = places_[rank].largest;
  const unsigned each = shape.row_bytes / kBlockBytes * 4;
  if (one_row) return {all.chip, all.addr, each * shape.rows};
  return {all.chip, all.addr, each, shape.rows, each};
}

unsigned OrderIndependent::spread(unsigned rank, const Block& src, const Block& dst,
                                  Semaphore each) const {
  const auto engines = static_cast<unsigned>(mail_.engines().size());
  const unsigned rows = (src.rows + engines - 1) / engines;
  unsigned started = 0;
  for (unsigned row = 0; row < src.rows; row += rows, ++started) {
    const unsigned count = std::min(rows, src.rows - row);
    mail_.sync(rank)
        .start(mail_.engines()[started], src.row_range(row, count), dst.row_range(row, count))
        .signal(each);
  }
  return started;
}

void OrderIndependent::piece(unsigned rank, const Block& in, const Block& out,
                             const Reduce& reduce) const {
  const Place& place = places_[rank];
  SyncStream& s = mail_.sync(rank);
  Buffers all, x;
  for (unsigned other = 0; other < mail_.group().size(); ++other) {
    all.push_back(largest(other, in, true));
    x.push_back(numbers(other, in));
  }
  const Block of_blocks = mail_.group()
                              .assembler()
                              .block(place.exponent)
                              .row_range(0, in.rows)
                              .byte_range(0, in.row_bytes / kBlockBytes * 4);
  find_largest(rank, in, spread(rank, in, x[rank], place.there));
  s.take(place.done)
      .start(mail_.adder(), of_blocks, largest(rank, in, false))
      .signal(mail_.done(rank));
  s.take(mail_.done(rank)).nop();
  reduce(rank, all, {defs::Combine::Max, Dtype::Fp32});
  s.start(mail_.adder(), largest(rank, in, false), of_blocks).signal(place.there);
  quantise(rank, in);
  s.take(place.done).nop();
  reduce(rank, x, {defs::Combine::Add, Dtype::Int32});
  s.nop().signal(place.there);
  scale_back(rank, in);
  s.take(place.done);
  const unsigned stores = spread(rank, x[rank], out, mail_.left(rank));
  s.take(mail_.left(rank), stores).nop();
}

void OrderIndependent::find_largest(unsigned rank, const Block& shape, unsigned loads) const {
  const Place& place = places_[rank];
  const unsigned each = shape.row_bytes / 4;
  const Tile x = place.x.rows(0, shape.rows).columns(0, each),
             sizes = place.sizes.rows(0, shape.rows).columns(0, each),
             largest = place.exponent.rows(0, shape.rows).columns(0, each / kNumbers);
  vector(rank)
      .take(place.there, loads)
      .tensor_scalar(AluOp::AbsMax, x, 0x1p-126f, sizes)
      .reduce(AluOp::Max, in_blocks(sizes), largest)
      .signal(place.done);
}

void OrderIndependent::quantise(unsigned rank, const Block& shape) const {
  const Place& place = places_[rank];
  const unsigned each = shape.row_bytes / 4, blocks = each / kNumbers;
  const Tile x = in_blocks(place.x.rows(0, shape.rows).columns(0, each));
  const Tile exponent = place.exponent.rows(0, shape.rows).columns(0, blocks),
             scale = place.scale.rows(0, shape.rows).columns(0, blocks);
  const auto bits = [&](const Tile& tile) { return tile.as(Dtype::Uint32, blocks); };
  Tile q = x;
  q.dtype = Dtype::Int32;
  // The fields of 2^E and 2^(1 - E) are each other's complement. One factor of 2^(B - E) would
  // leave fp32's exponents; of an infinity or NaN scale is 0, so that q is.
  vector(rank)
      .take(place.there)
      .tensor_scalar(AluOp::BitAnd, bits(exponent), Scalar::bits(kExponent), bits(exponent))
      .tensor_scalar(AluOp::BitXor, bits(exponent), Scalar::bits(kExponent), bits(scale))
      .tensor_tensor(AluOp::Mul, x, for_all(scale), x)
      .tensor_scalar(AluOp::Mul, x, std::ldexp(1.0f, fraction_ - 1), q)
      .signal(place.done);
}

void OrderIndependent::scale_back(unsigned rank, const Block& shape) const {
  const Place& place = places_[rank];
  const unsigned each = shape.row_bytes / 4;
  const Tile x = in_blocks(place.x.rows(0, shape.rows).columns(0, each));
  const Tile exponent = place.exponent.rows(0, shape.rows).columns(0, each / kNumbers);
  Tile q = x;
  q.dtype = Dtype::Int32;
  vector(rank)
      .take(place.there)
      .scalar_tensor_tensor(AluOp::Mul, q, std::ldexp(1.0f, -fraction_), AluOp::Mul,
                            for_all(exponent), x)
      .signal(place.done);
}

}  // namespace cmodel
