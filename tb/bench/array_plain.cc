// SPDX-License-Identifier: Apache-2.0
// See array_plain.h. Kept in a file of its own: the bench must not be specialised into it.
#include "tb/bench/array_plain.h"

#include "cmodel/fp.h"

namespace tb {
namespace {

using Word = std::uint32_t;

constexpr Word mask(bool bit) { return -static_cast<Word>(bit); }
constexpr Word sel(Word which, Word yes, Word no) { return (which & yes) | (~which & no); }

inline Word decode_bf16(Word value) {
  const Word fraction = value & 0x7F;
  Word exponent = (value >> 7) & 0xFF;
  const Word special = mask(exponent == 0xFF);
  Word significand = fraction | Word{exponent != 0} << 7;
  Word step = Word{significand < 0x10} << 2, count = step;
  significand <<= step;
  step = Word{significand < 0x40} << 1;
  count |= step;
  significand <<= step;
  step = significand < 0x80;
  count |= step;
  significand <<= step;
  exponent = exponent + (exponent == 0) + 257 - count;
  exponent &= mask(significand != 0);
  significand = (significand & ~special) | (special & 0x80 & mask(fraction == 0));
  return (value & 0x8000) << 16 | (exponent | (special & 1023)) << 12 | significand << 4;
}

inline Word pe_fma(Word weight, Word moving, Word psum) {
  const Word sign = (weight & 0x803FF000) + (moving & 0x803FF000);
  const Word product_exponent = (sign >> 12) & 0x7FF;
  const Word product = (weight & 0xFFF) * (moving & 0xFFF);
  const Word special = mask(product_exponent > 1022);

  const Word magnitude = psum & 0x7FFFFFFF;
  Word psum_exponent = magnitude >> 23;
  const Word tiny = psum_exponent == 0;
  const Word psum_significand = (psum & 0x007FFFFF) | (tiny ^ 1) << 23;
  psum_exponent += tiny + 640;
  const Word differ = mask((sign ^ psum) >> 31);

  const Word swap = mask(product_exponent < psum_exponent);
  const Word high = sel(swap, psum_significand, product) << 6;
  const Word low = sel(swap, product, psum_significand) << 6;
  Word exponent = sel(swap, psum_exponent, product_exponent) - 640;
  Word distance = ((product_exponent - psum_exponent) ^ swap) - swap;
  distance = (distance | mask(distance > 31)) & 31;
  Word shifted = low >> distance;
  shifted |= (shifted << distance) != low;

  const Word sum = high + ((shifted ^ differ) - differ);
  const Word negative = mask(sum >> 31);
  Word total = ((sum ^ negative) - negative) << 1;
  const Word nonzero = mask(total != 0);

  distance = (exponent | mask(exponent > 31)) & 31;
  Word probe = total | 0x80000000u >> distance;
  Word step = Word{probe < 0x10000} << 4, count = step;
  probe <<= step;
  step = Word{probe < 0x1000000} << 3;
  count |= step;
  probe <<= step;
  step = Word{probe < 0x10000000} << 2;
  count |= step;
  probe <<= step;
  step = Word{probe < 0x40000000} << 1;
  count |= step;
  probe <<= step;
  count |= probe < 0x80000000;
  total <<= count;
  exponent -= count;

  Word kept = total >> 8;
  kept += ((total & 0xFF) + 0x7F + (kept & 1)) >> 8;
  exponent = exponent < 254 ? exponent : 254;
  Word result = (exponent << 23) + kept;
  result = (result < 0x7F800000 ? result : 0x7F800000) & nonzero;
  result |= (sel(swap, psum, sign) ^ negative) & 0x80000000 & (nonzero | ~differ);

  const Word nan = (special & mask(product == 0)) | mask(magnitude > 0x7F800000) |
                   (special & differ & mask(magnitude >= 0x7F800000));
  result = sel(mask(magnitude >= 0x7F800000), psum, result);
  result = sel(nan, 0x7FC00000, result);
  return sel(mask((weight >> 30) & 1), psum, result);
}

}  // namespace

void PlainArray::load(const std::vector<std::uint16_t>& weights) {
  raw_weight_ = weights;
  for (unsigned r = 0; r < kSize; ++r)
    for (unsigned c = 0; c < kSize; ++c) {
      weight_[r][c] = decode_bf16(weights[r * kSize + c]);
      moving_[r][c] = psum_[r][c] = skew_[r][c] = deskew_[r][c] = 0;
    }
}

void PlainArray::step(const std::uint16_t* vector) {
  for (unsigned r = kSize - 1; r > 0; --r)
    for (unsigned c = 0; c < kSize; ++c)
      psum_[r][c] = pe_fma(weight_[r][c], moving_[r][c], psum_[r - 1][c]);
  for (unsigned c = 0; c < kSize; ++c) psum_[0][c] = pe_fma(weight_[0][c], moving_[0][c], 0);

  for (unsigned c = 0; c < kSize; ++c) deskew_[(now_ - c) % kSize][c] = psum_[kSize - 1][c];
  for (unsigned c = 0; c < kSize; ++c) sum_[c] = deskew_[(now_ - (kSize - 1)) % kSize][c];

  for (unsigned r = 0; r < kSize; ++r) skew_[now_ % kSize][r] = decode_bf16(vector[r]);
  for (unsigned r = 0; r < kSize; ++r) {
    for (unsigned c = kSize - 1; c > 0; --c) moving_[r][c] = moving_[r][c - 1];
    moving_[r][0] = skew_[(now_ - r) % kSize][r];
  }
  ++now_;
}

void PlainArray::run(const std::vector<std::uint16_t>& vectors, unsigned cycles,
                     unsigned distinct) {
  for (unsigned i = 0; i < cycles; ++i) step(&vectors[(i % distinct) * kSize]);
}

std::vector<std::uint32_t> PlainArray::reference_of_last(const std::vector<std::uint16_t>& vectors,
                                                         unsigned cycles, unsigned distinct) const {
  // A vector given in cycle t leaves in cycle t + 2 * kSize - 1; the last cycle is cycles - 1.
  const std::uint16_t* vector = &vectors[((cycles - 2 * kSize) % distinct) * kSize];
  std::vector<std::uint32_t> sums(kSize, 0);
  for (unsigned k = 0; k < kSize; ++k)
    for (unsigned c = 0; c < kSize; ++c)
      sums[c] = cmodel::fp::fma_bf16(raw_weight_[k * kSize + c], vector[k], sums[c]);
  return sums;
}

}  // namespace tb
