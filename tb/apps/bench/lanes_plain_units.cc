// SPDX-License-Identifier: Apache-2.0
// See lanes_plain.h: what the units beside the lanes do, and a function from tables.
#include <bit>

#include "cmodel/machine/table_function.h"
#include "tb/apps/bench/lanes_plain.h"

namespace tb {

using namespace plain;

void PlainLanes::transpose(unsigned n) {
  put_ = 0;
  for (unsigned e = 0; e < n; ++e) {
    Row& row = square_[e % kQuarter];
    fetch(row, at_.src0 + 2 * e, [](Word w) { return w & 0xFFFF; });
    if (e % kQuarter != kQuarter - 1) continue;
    for (unsigned j = 0; j < kQuarter; ++j) {
      each([&](unsigned i) { value_[i] = square_[i % kQuarter][i / kQuarter * kQuarter + j]; });
      put(value_, [](Word w) { return w; });
    }
  }
}

// Rows of eight_ hold mean and sum of elements of even, then of odd number.
void PlainLanes::statistics(unsigned n) {
  put_ = 0;
  std::array<Word, 2> count{};
  for (unsigned k = 0; k < 4; ++k) eight_[k].fill(0);
  for (unsigned e = 0; e < n; ++e) {
    Row &mean = eight_[e % 2 * 2], &sum = eight_[e % 2 * 2 + 1];
    const Word inverse = std::bit_cast<Word>(1.0f / static_cast<float>(++count[e % 2]));
    fetch_bf16(x_, at_.src0 + 2 * e);
    each([&](unsigned i) {
      t_[i] = sub(x_[i], mean[i]);
      mean[i] = add(mean[i], mul(t_[i], inverse));
    });
    each([&](unsigned i) { sum[i] = add(sum[i], mul(t_[i], sub(x_[i], mean[i]))); });
  }
  for (unsigned odd = 0; odd < 2; ++odd) {
    value_.fill(from_natural(count[odd]));
    put_fp32(value_);
    put_fp32(eight_[2 * odd]);
    put_fp32(eight_[2 * odd + 1]);
  }
}

void PlainLanes::greatest(unsigned n) {
  put_ = 0;
  for (Row& row : eight_) row.fill(0xFFFFFFFF);
  for (unsigned e = 0; e < n; ++e) {
    fetch_bf16(x_, at_.src0 + 2 * e);
    each([&](unsigned i) { x_[i] = canonical(x_[i]); });
    for (Row& row : eight_)
      each([&](unsigned i) {
        const Word swap = mask(key(x_[i]) > key(row[i])), now = row[i];
        row[i] = sel(swap, x_[i], now);
        x_[i] = sel(swap, now, x_[i]);
      });
  }
  for (const Row& row : eight_) put_bf16(row);
}

void PlainLanes::find(unsigned n) {
  put_ = 0;
  for (unsigned k = 0; k < 8; ++k) {
    fetch_bf16(eight_[k], at_.src1 + 2 * k);
    found_[k].fill(0);
  }
  for (unsigned e = 0; e < n; ++e) {
    fetch_bf16(x_, at_.src0 + 2 * e);
    const Word at = from_natural(e);
    t_.fill(0);  // claimed
    for (unsigned k = 0; k < 8; ++k)
      each([&](unsigned i) {
        const Word swap = equal(x_[i], eight_[k][i]) & ~found_[k][i] & ~t_[i];
        index_[k][i] = sel(swap, at, index_[k][i]);
        found_[k][i] |= swap;
        t_[i] |= swap;
      });
  }
  // 2^32 of a number without, which saturates.
  for (unsigned k = 0; k < 8; ++k) {
    Row& row = out[put_++];
    each([&](unsigned i) {
      const Word number = index_[k][i];
      const Word whole = ((number & 0x7FFFFF) | 0x800000) >> ((150 - (number >> 23)) & 31);
      row[i] = sel(found_[k][i], whole & mask(number != 0), 0xFFFFFFFF);
    });
  }
}

void PlainLanes::random(unsigned n) {
  put_ = 0;
  auto& [x, y, z, w, v, d] = generator_;
  for (unsigned e = 0; e < n; ++e) {
    each([&, &x = x, &y = y, &z = z, &w = w, &v = v, &d = d](unsigned i) {
      const Word t = x[i] ^ (x[i] >> 2);
      x[i] = y[i], y[i] = z[i], z[i] = w[i], w[i] = v[i];
      v[i] = (v[i] ^ (v[i] << 4)) ^ (t ^ (t << 1));
      d[i] += 362437;
      value_[i] = v[i] + d[i];
    });
    put(value_, [](Word number) { return number; });
  }
}

// The steps of rtl/lanes/table_function.sv for a function of multiples that is scaled by 2^k.
void PlainLanes::exp(unsigned n) {
  constexpr defs::TableFunction f = *cmodel::table_function_of(defs::ActFunc::Exp);
  constexpr Word kRound = 0x4B400000, kPlaces = 1u << defs::kTablePlaceBits;
  put_ = 0;
  Row &k = eight_[0], &u = eight_[1], &entry = eight_[2];
  Row* const c = &eight_[4];
  for (unsigned e = 0; e < n; ++e) {
    fetch_bf16(x_, at_.src0 + 2 * e);
    each([&](unsigned i) { u[i] = fma(x_[i], f.inverse, kRound); });
    each([&](unsigned i) {
      auto whole = static_cast<std::int32_t>((u[i] & ~mask(u[i] >> 31)) - kRound);
      const auto most = static_cast<std::int32_t>(f.most);
      whole = whole > most ? most : whole < -most ? -most : whole;
      k[i] = static_cast<Word>(whole);
      u[i] = fma(from_int32(k[i]) ^ 0x80000000, f.step_high, x_[i]);
    });
    for (unsigned i = 0; i < kLanes; ++i) {
      const Word size = u[i] & 0x7FFFFFFF;
      const auto& side = f.sides[f.one_side ? 0 : u[i] >> 31];
      auto place = static_cast<std::int32_t>(size >> (23 - defs::kTableQuarterBits));
      place = place < side.first ? side.first : place > side.last ? side.last : place;
      entry[i] = defs::kTableDirectory[static_cast<Word>(place + side.bias)];
      const Word shift = entry[i] >> defs::kTableRowBits & 31;
      const auto& row = defs::kTableRows[(entry[i] + ((size & 0x7FFFFF) >> shift)) &
                                         ((1u << defs::kTableRowBits) - 1)];
      for (unsigned j = 0; j < 4; ++j) c[j][i] = row[j];
    }
    each([&](unsigned i) {
      const Word size = u[i] & 0x7FFFFFFF, shift = entry[i] >> defs::kTableRowBits & 31;
      const Word x0 =
          (size >> shift << shift) + (Word{1} << shift >> 1) +
          ((c[3][i] % kPlaces - kPlaces / 2) << ((shift - 1 - defs::kTablePlaceBits) & 31));
      const Word word = from_int32(size - x0);
      const Word exponent = ((size & 0x7F800000) - (Word{150} << 23)) & mask(word != 0);
      t_[i] = sel(mask(entry[i] & defs::kTableZero), size, word + exponent);
    });
    each([&](unsigned i) {
      t_[i] = fma(from_int32(k[i]) ^ (~u[i] & 0x80000000), f.step_low, t_[i]);
    });
    each([&](unsigned i) { value_[i] = fma(c[3][i], t_[i], c[2][i]); });
    each([&](unsigned i) { value_[i] = fma(value_[i], t_[i], c[1][i]); });
    each([&](unsigned i) { value_[i] = fma(value_[i], t_[i], c[0][i]); });
    each([&](unsigned i) { value_[i] = fma_scaled(value_[i], kOne, kMinusZero, k[i]); });
    each([&](unsigned i) {
      const Word size = x_[i] & 0x7FFFFFFF, negative = mask(x_[i] >> 31);
      const auto pick = [&](Word one, Word other) { return sel(negative, one, other); };
      Word y = value_[i];
      y = sel(mask(size >= pick(f.limits[1].high, f.limits[0].high)),
              pick(f.limits[1].high_value, f.limits[0].high_value), y);
      y = sel(mask(size < pick(f.limits[1].low, f.limits[0].low)),
              pick(f.limits[1].low_value, f.limits[0].low_value), y);
      value_[i] = sel(is_nan(x_[i]), kNan, y);
    });
    put_bf16(value_);
  }
}

}  // namespace tb
