// SPDX-License-Identifier: Apache-2.0
// Arithmetic of fp32 words as the RTL does it, in plain C++: yardsticks of speed are made of it.
// Twins of functions of rtl/fp/*_pkg.sv, which explain them; straight-line, so that loops over
// lanes become vector code.
#pragma once
#include <cstdint>

namespace tb::plain {

using Word = std::uint32_t;
using Wide = std::uint64_t;

constexpr Word kInfinity = 0x7F800000, kNan = 0x7FC00000, kOne = 0x3F800000,
               kMinusZero = 0x80000000;

constexpr Word mask(bool bit) { return -static_cast<Word>(bit); }
constexpr Word sel(Word which, Word yes, Word no) { return (which & yes) | (~which & no); }
constexpr Wide mask64(bool bit) { return -static_cast<Wide>(bit); }
constexpr Wide sel64(Wide which, Wide yes, Wide no) { return (which & yes) | (~which & no); }

constexpr Word is_nan(Word word) { return mask((word & 0x7FFFFFFF) > kInfinity); }
constexpr Word canonical(Word word) { return sel(is_nan(word), kNan, word); }
constexpr Word key(Word word) { return word ^ (mask(word >> 31) | 0x80000000); }
constexpr Word max(Word a, Word b) {
  return sel(is_nan(a) | is_nan(b), kNan, sel(mask(key(a) > key(b)), a, b));
}
constexpr Word equal(Word a, Word b) {
  const Word x = a & mask((a & 0x7FFFFFFF) != 0), y = b & mask((b & 0x7FFFFFFF) != 0);
  return mask(x == y) & ~is_nan(a) & ~is_nan(b);
}
constexpr Word relu(Word word) { return sel(is_nan(word), kNan, word & ~mask(word >> 31)); }

constexpr Word from_bf16(Word half) { return canonical(half << 16); }
constexpr Word to_bf16(Word word) {
  return sel(is_nan(word), 0x7FC0, (word + 0x7FFF + (word >> 16 & 1)) >> 16) & 0xFFFF;
}

/// Shifts the leading one of a number other than 0 to bit 31, if it is not stopped before.
constexpr Word leading(Word& probe) {
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
  return count | Word{probe < 0x80000000};
}
constexpr Word rounded(Word total) {
  const Word kept = total >> 8;
  return kept + (((total & 0xFF) + 0x7F + (kept & 1)) >> 8);
}
constexpr Word from_natural(Word number) {
  Word probe = number;
  const Word count = leading(probe);
  return (((157 - count) << 23) + rounded(number << count)) & mask(number != 0);
}
constexpr Word from_int32(Word number) {
  const Word sign = mask(number >> 31);
  return from_natural((number ^ sign) - sign) | (sign & 0x80000000);
}

constexpr Word add(Word a, Word b) {
  constexpr Word kBias = 640;
  Word a_size = a & 0x7FFFFFFF, b_size = b & 0x7FFFFFFF;
  const Word special = mask(a_size >> 23 == 0xFF);
  const Word a_tiny = a_size >> 23 == 0, b_tiny = b_size >> 23 == 0;
  const Word a_part = ((a & 0x7FFFFF) | (a_tiny ^ 1) << 23) & ~mask(a_size > kInfinity);
  const Word b_part = (b & 0x7FFFFF) | (b_tiny ^ 1) << 23;
  const Word a_exponent = (a_size >> 23) + a_tiny + kBias + (special & 1024);
  const Word b_exponent = (b_size >> 23) + b_tiny + kBias;
  const Word differ = mask((a ^ b) >> 31), swap = mask(a_exponent < b_exponent);
  const Word high = sel(swap, b_part, a_part) << 6, low = sel(swap, a_part, b_part) << 6;
  Word exponent = sel(swap, b_exponent, a_exponent) - kBias;
  Word distance = ((a_exponent - b_exponent) ^ swap) - swap;
  distance = (distance | mask(distance > 31)) & 31;
  Word shifted = low >> distance;
  shifted |= (shifted << distance) != low;
  const Word sum = high + ((shifted ^ differ) - differ);
  const Word negative = mask(sum >> 31);
  Word total = ((sum ^ negative) - negative) << 1;
  const Word nonzero = mask(total != 0);
  distance = (exponent | mask(exponent > 31)) & 31;
  Word probe = total | 0x80000000u >> distance;
  const Word count = leading(probe);
  total <<= count;
  exponent -= count;
  exponent = sel(mask(exponent < 254), exponent, 254);
  Word result = (exponent << 23) + rounded(total);
  result = sel(mask(result < kInfinity), result, kInfinity) & nonzero;
  result |= (sel(swap, b, a) ^ negative) & 0x80000000 & (nonzero | ~differ);
  const Word nan = (special & mask(a_part == 0)) | mask(b_size > kInfinity) |
                   (special & differ & mask(b_size >= kInfinity));
  return sel(nan, kNan, sel(mask(b_size >= kInfinity), b, result));
}
constexpr Word sub(Word a, Word b) { return add(a, b ^ 0x80000000); }

constexpr Word mul(Word a, Word b) {
  const Word a_size = a & 0x7FFFFFFF, b_size = b & 0x7FFFFFFF;
  const Word a_exponent = a_size >> 23, b_exponent = b_size >> 23;
  Wide product = Wide{(a & 0x7FFFFF) | Word{a_exponent != 0} << 23} *
                 Wide{(b & 0x7FFFFF) | Word{b_exponent != 0} << 23};
  Word exponent = a_exponent + (a_exponent == 0) + b_exponent + (b_exponent == 0) + 130;
  product <<= 16;
  Word count = 0;
  for (Word step = 32; step; step >>= 1) {
    const Word shift = product < Wide{1} << (64 - step) ? step : 0;
    count |= shift;
    product <<= shift;
  }
  Word word = static_cast<Word>(product >> 32) | Word{static_cast<Word>(product) != 0};
  exponent -= count;
  Word distance = (257 - exponent) & mask(exponent < 257);
  distance = (distance | mask(distance > 31)) & 31;
  const Word shifted = word >> distance;
  word = shifted | Word{(shifted << distance) != word};
  exponent = sel(mask(exponent < 257), 0, exponent - 257);
  Word result = ((exponent << 23) + rounded(word)) & mask(product != 0);
  const Word special =
      mask(a_exponent == 0xFF) | mask(b_exponent == 0xFF) | mask(result > kInfinity);
  result = sel(special, kInfinity, result) | ((a ^ b) & 0x80000000);
  const Word nan = is_nan(a) | is_nan(b) | (special & (mask(a_size == 0) | mask(b_size == 0)));
  return sel(nan, kNan, result);
}

/// (a * b) * 2^scale + c of finite numbers.
constexpr Word fma_scaled(Word a, Word b, Word c, Word scale) {
  constexpr Word kBias = 2048;
  const Word a_field = a >> 23 & 0xFF, b_field = b >> 23 & 0xFF, c_field = c >> 23 & 0xFF;
  const Word a_tiny = a_field == 0, b_tiny = b_field == 0, c_tiny = c_field == 0;
  const Wide addend = Wide{(c & 0x7FFFFF) | (c_tiny ^ 1) << 23} << 24;
  const Wide product =
      Wide{(a & 0x7FFFFF) | (a_tiny ^ 1) << 23} * Wide{(b & 0x7FFFFF) | (b_tiny ^ 1) << 23};
  const Word product_sign = a ^ b;
  const Word product_exponent =
      (a_field + a_tiny + b_field + b_tiny + scale + (kBias - 126)) & mask(product != 0);
  const Word c_exponent = c_field + c_tiny + kBias;
  const Wide differ = mask64((product_sign ^ c) >> 31),
             swap = mask64(product_exponent < c_exponent);
  const Word low_swap = static_cast<Word>(swap);
  const Wide high = sel64(swap, addend, product) << 14, low = sel64(swap, product, addend) << 14;
  Word exponent = sel(low_swap, c_exponent, product_exponent) - kBias;
  Word distance = ((product_exponent - c_exponent) ^ low_swap) - low_swap;
  distance = (distance | mask(distance > 63)) & 63;
  Wide shifted = low >> distance;
  shifted |= (shifted << distance) != low;
  const Wide sum = high + ((shifted ^ differ) - differ);
  const Wide negative = mask64(sum >> 63);
  Wide total = ((sum ^ negative) - negative) << 1;
  const Wide nonzero = mask64(total != 0);
  distance = (exponent | mask(exponent > 63)) & 63;
  Wide probe = total | Wide{1} << 63 >> distance;
  Word count = 0;
  for (Word step = 32; step; step >>= 1) {
    const Word shift = probe < Wide{1} << (64 - step) ? step : 0;
    count |= shift;
    probe <<= shift;
  }
  total <<= count;
  exponent -= count;
  Wide kept = total >> 40;
  kept += ((total & 0xFFFFFFFFFF) + 0x7FFFFFFFFF + (kept & 1)) >> 40;
  exponent = sel(mask(exponent < 254), exponent, 254);
  const Wide result = Wide{exponent << 23} + kept;
  const Word number =
      static_cast<Word>(sel64(mask64(result < kInfinity), result, kInfinity) & nonzero);
  const Word sign = sel(low_swap, c, product_sign) ^ static_cast<Word>(negative);
  return number | (sign & 0x80000000 & static_cast<Word>(nonzero | ~differ));
}
constexpr Word fma(Word a, Word b, Word c) { return fma_scaled(a, b, c, 0); }

/// A float format narrower than fp32: bits of an element, fraction and exponent bits, 127 - bias.
struct Format {
  Word bits, fraction, exponent, rebias;
};
constexpr Format kFp16{16, 10, 5, 112}, kFp8E4M3{8, 3, 4, 120};

/// Of an element in the upper bits of a word.
constexpr Word decode(Word element, Format f) {
  const Word sign = element & 0x80000000, narrow = 8 - f.exponent;
  Word aligned = (element & 0x7FFFFFFF) >> narrow;
  const Word infinity = kInfinity >> narrow & 0x7F800000, nan = mask(aligned > infinity);
  const Word tiny = (from_natural(aligned) - ((149 - f.rebias) << 23)) & mask(aligned != 0);
  Word value = sel(mask(aligned < 0x800000), tiny, aligned + (f.rebias << 23));
  value = sel(mask(aligned >= infinity), kInfinity, value) | sign;
  return sel(nan, kNan, value);
}
/// To an element in the lower bits, nearest even.
constexpr Word encode(Word word, Format f) {
  const Word nan = is_nan(word);
  Word exponent = word >> 23 & 0xFF;
  const Word tiny = exponent == 0, part = (word & 0x7FFFFF) | (tiny ^ 1) << 23;
  exponent += tiny;
  const Word least = f.rebias + 1, base = sel(mask(exponent < least), least, exponent);
  Word right = 23 - f.fraction + base - exponent;
  right = (right | mask(right > 31)) & 31;
  const Word half = Word{1} << right >> 1;
  const Word kept = (part + half - Word{half != 0} + (part >> right & Word{half != 0})) >> right;
  const Word infinity = ((Word{1} << f.exponent) - 1) << f.fraction;
  Word number = ((base - least) << f.fraction) + kept;
  number = sel(mask(number > infinity), infinity, number);
  number = sel(nan, infinity | Word{1} << f.fraction >> 1, number);
  return number | (word & ~nan & 0x80000000) >> (32 - f.bits);
}

}  // namespace tb::plain
