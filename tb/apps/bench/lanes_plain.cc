// SPDX-License-Identifier: Apache-2.0
// See lanes_plain.h. Kept in files of their own: the bench must not be specialised into them.
#include "tb/apps/bench/lanes_plain.h"

#include "cmodel/machine/random.h"

namespace tb {

using namespace plain;

PlainLanes::PlainLanes(const Memory& memory, const Places& at)
    : out(512), memory_(memory), at_(at) {
  for (unsigned i = 0; i < 6 * kLanes; ++i) generator_[i % 6][i / 6] = cmodel::seed_word(0, i);
}

void PlainLanes::copy(unsigned n) {
  put_ = 0;
  for (unsigned e = 0; e < n; ++e) {
    fetch_bf16(x_, at_.src0 + 2 * e);
    put_bf16(x_);
  }
}

void PlainLanes::cast(unsigned n) {
  put_ = 0;
  for (unsigned e = 0; e < n; ++e) {
    fetch(x_, at_.src0 + 2 * e, [](Word w) { return decode(w << 16, kFp16); });
    put(x_, [](Word w) { return encode(w, kFp8E4M3); });
  }
}

void PlainLanes::sum(unsigned n) {
  put_ = 0;
  for (unsigned e = 0; e < n; ++e) {
    fetch_bf16(x_, at_.src0 + 2 * e);
    fetch_bf16(y_, at_.src1 + 2 * e);
    each([&](unsigned i) { value_[i] = add(x_[i], y_[i]); });
    put_bf16(value_);
  }
}

void PlainLanes::product(unsigned n) {
  put_ = 0;
  for (unsigned e = 0; e < n; ++e) {
    fetch_fp32(x_, at_.src0 + 4 * e);
    fetch_fp32(y_, at_.src1 + 4 * e);
    each([&](unsigned i) { value_[i] = mul(x_[i], y_[i]); });
    put_fp32(value_);
  }
}

void PlainLanes::scalars(unsigned n) {
  put_ = 0;
  for (unsigned e = 0; e < n; ++e) {
    fetch_fp32(x_, at_.src0 + 4 * e);
    each([&](unsigned i) { t_[i] = mul(x_[i], kFirst); });
    each([&](unsigned i) { value_[i] = add(t_[i], kSecond); });
    put_bf16(value_);
  }
}

void PlainLanes::scan(unsigned n) {
  put_ = 0;
  value_.fill(kFirst);
  for (unsigned e = 0; e < n; ++e) {
    fetch_bf16(x_, at_.src0 + 2 * e);
    fetch_bf16(y_, at_.src1 + 2 * e);
    each([&](unsigned i) { t_[i] = mul(x_[i], value_[i]); });
    each([&](unsigned i) { value_[i] = add(t_[i], y_[i]); });
    put_bf16(value_);
  }
}

void PlainLanes::reduce(unsigned n) {
  put_ = 0;
  fetch_bf16(value_, at_.src0);
  for (unsigned e = 1; e < n; ++e) {
    fetch_bf16(x_, at_.src0 + 2 * e);
    each([&](unsigned i) { value_[i] = add(value_[i], x_[i]); });
  }
  put_fp32(value_);
}

void PlainLanes::fill(unsigned n) {
  put_ = 0;
  value_.fill(kFirst);
  for (unsigned e = 0; e < n; ++e) put_bf16(value_);
}

void PlainLanes::select(unsigned n) {
  put_ = 0;
  for (unsigned e = 0; e < n; ++e) {
    fetch_bf16(x_, at_.src0 + 2 * e);
    fetch_bf16(y_, at_.src1 + 2 * e);
    each([&](unsigned i) { value_[i] = sel(mask((x_[i] & 0x7FFFFFFF) != 0), y_[i], kFirst); });
    put_bf16(value_);
  }
}

void PlainLanes::predicated(unsigned n) {
  put_ = 0;
  for (unsigned e = 0; e < n; ++e) {
    fetch(x_, at_.src0 + 2 * e, [](Word w) { return from_natural(w & 0xFFFF); });
    fetch_bf16(y_, at_.src1 + 2 * e);
    each([&](unsigned i) { skip[i] = mask(x_[i] == 0); });
    put_bf16(y_);
  }
}

void PlainLanes::shuffle(unsigned n) {
  put_ = 0;
  fetch(y_, at_.src1, [](Word w) { return w & 0xFF; });
  for (unsigned e = 0; e < n; ++e) {
    fetch(x_, at_.src0 + 2 * e, [](Word w) { return w & 0xFFFF; });
    each([&](unsigned i) { value_[i] = x_[i / kQuarter * kQuarter + y_[i] % kQuarter]; });
    each([&](unsigned i) { skip[i] = mask(y_[i] == 255); });
    put(value_, [](Word w) { return w; });
  }
}

void PlainLanes::activate(unsigned n) {
  put_ = 0;
  fetch_fp32(y_, at_.src1);
  for (unsigned e = 0; e < n; ++e) {
    x_ = memory_.psum[e];
    each([&](unsigned i) { value_[i] = add(x_[i], y_[i]); });
    each([&](unsigned i) { value_[i] = relu(value_[i]); });
    put_bf16(value_);
  }
}

void PlainLanes::accumulate(unsigned n) {
  put_ = 0;
  sums_.fill(0);
  for (unsigned e = 0; e < n; ++e) {
    fetch_bf16(x_, at_.src0 + 2 * e);
    each([&](unsigned i) { t_[i] = mul(x_[i], kFirst); });
    each([&](unsigned i) { value_[i] = add(t_[i], kSecond); });
    each([&](unsigned i) { value_[i] = relu(value_[i]); });
    each([&](unsigned i) { sums_[i] = add(sums_[i], value_[i]); });
    put_bf16(value_);
  }
}

}  // namespace tb
