// SPDX-License-Identifier: Apache-2.0
// See array_plain.h. Kept in a file of its own: the bench must not be specialised into it.
#include "tb/apps/bench/array_plain.h"

#include "tb/apps/bench/plain_words.h"

namespace tb {
namespace {

using plain::mask;
using plain::sel;
using plain::Word;

// As in fma_pkg: a weight that adds nothing, and the bit of a moving operand that picks the weight.
constexpr Word kEmptyWeight = 0x40000000;
constexpr unsigned kPlaneBit = 29;

inline Word normalise(Word& significand, Word bits) {
  Word count = 0;
  for (Word step = 16; step; step >>= 1) {
    if (step >= bits) continue;
    const Word shift = significand < 1u << (bits - step) ? step : 0;
    significand <<= shift;
    count |= shift;
  }
  return count;
}

/// An element in the upper bits of a word, as fma_pkg::decode reads it.
inline Word decode(Word element, Word format) {
  const Word fraction_bits = format >> 9 & 31, rebias = format & 511;
  const Word round = mask(format >> 15 & 1), low = mask(format >> 14 & 1);
  const Word sign = mask(element >> 31);
  Word magnitude = element & 0x7FFFFFFF;
  const Word fraction_mask = (1u << fraction_bits) - 1, infinity = 0x7FFFFFFF & ~fraction_mask;
  const Word nan = mask(magnitude > infinity);
  magnitude = (magnitude + (round & (0xFFF + (magnitude >> 13 & 1)))) & ~(round & 0x1FFF);
  const Word special = mask(magnitude >= infinity) | nan;
  Word exponent = magnitude >> fraction_bits;
  Word significand = (magnitude & fraction_mask) >> (fraction_bits - 23) | Word{exponent != 0}
                                                                               << 23;
  exponent += (exponent == 0) + rebias;
  exponent -= normalise(significand, 24);
  significand = sel(low, significand & 0xFFF, significand >> 12);
  exponent -= normalise(significand, 12) + (low & 12);
  exponent &= mask(significand != 0);
  exponent = sel(special, 1023, exponent);
  significand = sel(special, 0x800 & ~nan, significand);
  Word word =
      sel(low & (special | mask(significand == 0)), 0x40000000, exponent << 12 | significand);
  word |= sign & 0x80000000;
  const Word integer = (sign & 0x80000000) | 1u << 28 | ((element ^ sign) - sign) >> 24;
  return sel(mask(format >> 16 & 1), integer, word);
}

inline Word pe_fma(Word weight, Word moving, Word psum) {
  const Word sign = (weight & 0x803FF000) + (moving & 0x803FF000);
  const Word product_exponent = (sign >> 12) & 0x7FF;
  const Word product = (weight & 0xFFF) * (moving & 0xFFF);
  const Word special = mask(product_exponent > 1022);
  const Word minus = mask(sign >> 31);
  const Word integer_sum = psum + ((product ^ minus) - minus);

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
  const Word count = plain::leading(probe);
  total <<= count;
  exponent -= count;

  exponent = exponent < 254 ? exponent : 254;
  Word result = (exponent << 23) + plain::rounded(total);
  result = (result < 0x7F800000 ? result : 0x7F800000) & nonzero;
  result |= (sel(swap, psum, sign) ^ negative) & 0x80000000 & (nonzero | ~differ);

  const Word nan = (special & mask(product == 0)) | mask(magnitude > 0x7F800000) |
                   (special & differ & mask(magnitude >= 0x7F800000));
  result = sel(mask(magnitude >= 0x7F800000), psum, result);
  result = sel(nan, 0x7FC00000, result);
  result = sel(mask((moving >> 28) & 1), integer_sum, result);
  return sel(mask(((weight | moving) >> 30) & 1), psum, result);
}

}  // namespace

void PlainArray::load(const std::vector<std::uint32_t>& weights, std::uint32_t weight_format,
                      std::uint32_t moving_format) {
  moving_format_ = moving_format;
  for (unsigned r = 0; r < kSize; ++r)
    for (unsigned c = 0; c < kSize; ++c) {
      weight_[0][r][c] = decode(weights[r * kSize + c], weight_format);
      weight_[1][r][c] = kEmptyWeight;
      moving_[r][c] = psum_[r][c] = skew_[r][c] = deskew_[r][c] = 0;
    }
}

void PlainArray::step(const std::uint32_t* vector) {
  const auto pe = [&](unsigned r, unsigned c, Word psum) {
    const Word moving = moving_[r][c];
    const Word weight = sel(mask(moving >> kPlaneBit & 1), weight_[1][r][c], weight_[0][r][c]);
    return pe_fma(weight, moving, psum);
  };
  for (unsigned r = kSize - 1; r > 0; --r)
    for (unsigned c = 0; c < kSize; ++c) psum_[r][c] = pe(r, c, psum_[r - 1][c]);
  for (unsigned c = 0; c < kSize; ++c) psum_[0][c] = pe(0, c, 0);

  for (unsigned c = 0; c < kSize; ++c) deskew_[(now_ - c) % kSize][c] = psum_[kSize - 1][c];
  for (unsigned c = 0; c < kSize; ++c) sum_[c] = deskew_[(now_ - (kSize - 1)) % kSize][c];

  for (unsigned r = 0; r < kSize; ++r) skew_[now_ % kSize][r] = decode(vector[r], moving_format_);
  for (unsigned r = 0; r < kSize; ++r) {
    for (unsigned c = kSize - 1; c > 0; --c) moving_[r][c] = moving_[r][c - 1];
    moving_[r][0] = skew_[(now_ - r) % kSize][r];
  }
  ++now_;
}

void PlainArray::run(const std::vector<std::uint32_t>& vectors, unsigned cycles,
                     unsigned distinct) {
  for (unsigned i = 0; i < cycles; ++i) step(&vectors[(i % distinct) * kSize]);
}

}  // namespace tb
