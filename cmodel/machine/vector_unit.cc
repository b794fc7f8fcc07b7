// SPDX-License-Identifier: Apache-2.0
#include "cmodel/machine/vector_unit.h"

#include <algorithm>

#include "cmodel/machine/fp.h"

namespace cmodel {
namespace {

using Word = std::uint32_t;
using Words = std::vector<Word>;
using Next = VectorUnit::Next;
using Put = VectorUnit::Put;

Word number(std::size_t n) { return fp::uint32_to_fp32(static_cast<Word>(n)); }
bool equal(Word a, Word b) { return fp::to_float(a) == fp::to_float(b); }

void stats(std::size_t lanes, const Next& next, const Put& put) {
  struct Kind {
    Word mean = 0, sum = 0;
  };
  std::array<std::vector<Kind>, 2> kinds{std::vector<Kind>(lanes), std::vector<Kind>(lanes)};
  std::array<unsigned, 2> count{};
  Words x(lanes);
  for (unsigned odd = 0; next(x); odd ^= 1) {
    const Word inverse = std::bit_cast<Word>(1.0f / static_cast<float>(++count[odd]));
    for (std::size_t i = 0; i < lanes; ++i) {
      auto& [mean, sum] = kinds[odd][i];
      const Word d = fp::sub(x[i], mean);
      mean = fp::add(mean, fp::mul(d, inverse));
      sum = fp::add(sum, fp::mul(d, fp::sub(x[i], mean)));
    }
  }
  for (unsigned odd = 0; odd < 2; ++odd) {
    put(Words(lanes, number(count[odd])));
    for (std::size_t i = 0; i < lanes; ++i) x[i] = kinds[odd][i].mean;
    put(x);
    for (std::size_t i = 0; i < lanes; ++i) x[i] = kinds[odd][i].sum;
    put(x);
  }
}

void aggregate(std::size_t lanes, const Next& next, const Put& put) {
  constexpr Word kTwo = 0x40000000u, kEstimate = 0x7EF311C7u;
  struct Whole {
    Word n = 0, k = 0, a = 0, b = 0, q = 0;
  };
  std::vector<Whole> whole(lanes);
  Words c(lanes), m(lanes), s(lanes);
  for (bool first = true; next(c) && next(m) && next(s); first = false)
    for (std::size_t i = 0; i < lanes; ++i) {
      auto& [n, k, a, b, q] = whole[i];
      n = fp::add(n, c[i]);
      if (first) k = m[i];
      const Word d = fp::sub(m[i], k), t = fp::mul(c[i], d);
      a = fp::add(a, t);
      b = fp::add(b, fp::mul(t, d));
      q = fp::add(q, s[i]);
    }
  for (std::size_t i = 0; i < lanes; ++i) {
    const auto& [n, k, a, b, q] = whole[i];
    Word r = kEstimate - n;
    for (unsigned step = 0; step < 4; ++step) r = fp::mul(r, fp::sub(kTwo, fp::mul(n, r)));
    const Word t = fp::mul(a, r);
    m[i] = fp::add(k, t);
    s[i] = fp::mul(fp::add(q, fp::max(fp::sub(b, fp::mul(a, t)), 0)), r);
  }
  put(m);
  put(s);
}

void max8(std::size_t lanes, const Next& next, const Put& put) {
  constexpr Word kLeast = 0xFFFFFFFFu;  // below every number that comes
  const auto key = [](Word word) { return word ^ (word >> 31 ? ~Word{0} : 0x80000000u); };
  std::vector<Words> greatest(8, Words(lanes, kLeast));
  Words x(lanes);
  while (next(x))
    for (std::size_t i = 0; i < lanes; ++i) {
      Word carry = fp::canonical(x[i]);
      for (Words& words : greatest)
        if (key(carry) > key(words[i])) std::swap(carry, words[i]);
    }
  for (const Words& words : greatest) put(words);
}

/// FindIndex8 and MatchReplace8: what `claimed` says of an element, and where those of each value
/// are.
std::vector<Words> claim8(std::size_t lanes, const Next& next,
                          const std::function<void(Words&, const std::vector<bool>&)>& claimed) {
  constexpr Word kNowhere = 0x4F800000u;  // 2^32
  std::vector<Words> values(8, Words(lanes)), index(8, Words(lanes, kNowhere));
  for (Words& words : values) next(words);
  Words x(lanes);
  for (std::size_t at = 0; next(x); ++at) {
    std::vector<bool> claims(lanes);
    for (std::size_t i = 0; i < lanes; ++i)
      for (unsigned k = 0; k < 8 && !claims[i]; ++k)
        if (index[k][i] == kNowhere && equal(x[i], values[k][i])) {
          index[k][i] = number(at);
          claims[i] = true;
        }
    claimed(x, claims);
  }
  return index;
}

Word mix(Word word) {
  word = (word ^ word >> 16) * 0x85EBCA6Bu;
  word = (word ^ word >> 13) * 0xC2B2AE35u;
  return word ^ word >> 16;
}

}  // namespace

VectorUnit::VectorUnit(unsigned partitions)
    : partitions_(partitions), generators_(partitions), bits_(partitions) {
  seed(Words(partitions));
}

void VectorUnit::seed(Row seeds) {
  constexpr Word kGolden = 0x9E3779B9u;
  for (Word i = 0; i < seeds.size(); ++i)
    for (Word k = 0; k < 6; ++k) generators_[i][k] = mix(seeds[i] + (6 * i + k + 1) * kGolden);
}

VectorUnit::Row VectorUnit::step() {
  for (unsigned i = 0; i < partitions_; ++i) {
    auto& [x, y, z, w, v, d] = generators_[i];
    const Word t = x ^ x >> 2;
    x = y, y = z, z = w, w = v;
    v = v ^ v << 4 ^ t ^ t << 1;
    d += 362437;
    bits_[i] = d + v;
  }
  return bits_;
}

void VectorUnit::transpose(std::size_t lanes, const Next& next, const Put& put) const {
  const std::size_t quarter = partitions_ / 4;
  std::vector<Words> square(quarter, Words(lanes));
  Words y(lanes);
  while (true) {
    for (Words& words : square)
      if (!next(words)) return;
    for (std::size_t j = 0; j < quarter; ++j) {
      for (std::size_t i = 0; i < lanes; ++i) y[i] = square[i % quarter][i / quarter * quarter + j];
      put(y);
    }
  }
}

void VectorUnit::run(defs::Form form, Row scalar, const Next& next, const Put& put) {
  const std::size_t lanes = scalar.size();
  Words x(lanes);
  switch (form) {
    case defs::Form::Stats:
      return stats(lanes, next, put);
    case defs::Form::Aggregate:
      return aggregate(lanes, next, put);
    case defs::Form::Transpose:
      return transpose(lanes, next, put);
    case defs::Form::Max8:
      return max8(lanes, next, put);
    case defs::Form::Find8:
      for (const Words& words : claim8(lanes, next, [](auto&, auto&) {})) put(words);
      return;
    case defs::Form::Replace8:
      claim8(lanes, next, [&](Words& element, const std::vector<bool>& claims) {
        for (std::size_t i = 0; i < lanes; ++i)
          if (claims[i]) element[i] = scalar[i];
        put(element);
      });
      return;
    case defs::Form::Seed:
      while (next(x)) seed(x);
      return;
    case defs::Form::Random:
      while (next(x)) put(step().first(lanes));
      return;
    case defs::Form::Dropout:
      while (next(x)) {
        const Row bits = step();
        for (std::size_t i = 0; i < lanes; ++i)
          if (static_cast<float>(bits[i] >> 8) * 0x1p-24f < fp::to_float(scalar[i])) x[i] = 0;
        put(x);
      }
      return;
    default:
      return;
  }
}

}  // namespace cmodel
