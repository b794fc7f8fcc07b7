// SPDX-License-Identifier: Apache-2.0
#include "cmodel/machine/vector_unit.h"

#include <algorithm>
#include <array>
#include <bit>
#include <vector>

#include "cmodel/machine/fp.h"

namespace cmodel {
namespace {

using Word = std::uint32_t;
using Words = std::vector<Word>;

Word number(std::size_t n) { return fp::uint32_to_fp32(static_cast<Word>(n)); }
bool equal(Word a, Word b) { return fp::to_float(a) == fp::to_float(b); }

void stats(const UnitStream& in) {
  const std::size_t lanes = in.scalar.size();
  struct Kind {
    Word mean = 0, sum = 0;
  };
  std::array<std::vector<Kind>, 2> kinds{std::vector<Kind>(lanes), std::vector<Kind>(lanes)};
  std::array<unsigned, 2> count{};
  Words x(lanes);
  for (unsigned odd = 0; in.next(x); odd ^= 1) {
    const Word inverse = std::bit_cast<Word>(1.0f / static_cast<float>(++count[odd]));
    for (std::size_t i = 0; i < lanes; ++i) {
      auto& [mean, sum] = kinds[odd][i];
      const Word d = fp::sub(x[i], mean);
      mean = fp::add(mean, fp::mul(d, inverse));
      sum = fp::add(sum, fp::mul(d, fp::sub(x[i], mean)));
    }
  }
  for (unsigned odd = 0; odd < 2; ++odd) {
    in.put(Words(lanes, number(count[odd])));
    for (std::size_t i = 0; i < lanes; ++i) x[i] = kinds[odd][i].mean;
    in.put(x);
    for (std::size_t i = 0; i < lanes; ++i) x[i] = kinds[odd][i].sum;
    in.put(x);
  }
}

void aggregate(const UnitStream& in) {
  const std::size_t lanes = in.scalar.size();
  constexpr Word kTwo = 0x40000000u, kEstimate = 0x7EF311C7u;
  struct Whole {
    Word n = 0, k = 0, a = 0, b = 0, q = 0;
  };
  std::vector<Whole> whole(lanes);
  Words c(lanes), m(lanes), s(lanes);
  for (bool first = true; in.next(c) && in.next(m) && in.next(s); first = false)
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
  in.put(m);
  in.put(s);
}

void max8(const UnitStream& in) {
  const std::size_t lanes = in.scalar.size();
  constexpr Word kLeast = 0xFFFFFFFFu;  // below every number that comes
  const auto key = [](Word word) { return word ^ (word >> 31 ? ~Word{0} : 0x80000000u); };
  std::vector<Words> greatest(8, Words(lanes, kLeast));
  Words x(lanes);
  while (in.next(x))
    for (std::size_t i = 0; i < lanes; ++i) {
      Word carry = fp::canonical(x[i]);
      for (Words& words : greatest)
        if (key(carry) > key(words[i])) std::swap(carry, words[i]);
    }
  for (const Words& words : greatest) in.put(words);
}

/// FindIndex8 and MatchReplace8: what `claimed` says of an element, and where those of each value
/// are.
std::vector<Words> claim8(const UnitStream& in,
                          const std::function<void(Words&, const std::vector<bool>&)>& claimed) {
  constexpr Word kNowhere = 0x4F800000u;  // 2^32
  const std::size_t lanes = in.scalar.size();
  std::vector<Words> values(8, Words(lanes)), index(8, Words(lanes, kNowhere));
  for (Words& words : values) in.next(words);
  Words x(lanes);
  for (std::size_t at = 0; in.next(x); ++at) {
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

void transpose(const UnitStream& in) {
  const std::size_t lanes = in.scalar.size(), quarter = in.quarter;
  std::vector<Words> square(quarter, Words(lanes));
  Words y(lanes);
  while (true) {
    for (Words& words : square)
      if (!in.next(words)) return;
    for (std::size_t j = 0; j < quarter; ++j) {
      for (std::size_t i = 0; i < lanes; ++i) y[i] = square[i % quarter][i / quarter * quarter + j];
      in.put(y);
    }
  }
}

}  // namespace

void run_unit(defs::Form form, const UnitStream& in) {
  const std::size_t lanes = in.scalar.size();
  Words x(lanes);
  switch (form) {
    case defs::Form::Stats:
      return stats(in);
    case defs::Form::Aggregate:
      return aggregate(in);
    case defs::Form::Transpose:
      return transpose(in);
    case defs::Form::Max8:
      return max8(in);
    case defs::Form::Find8:
      for (const Words& words : claim8(in, [](auto&, auto&) {})) in.put(words);
      return;
    case defs::Form::Replace8:
      claim8(in, [&](Words& element, const std::vector<bool>& claims) {
        for (std::size_t i = 0; i < lanes; ++i)
          if (claims[i]) element[i] = in.scalar[i];
        in.put(element);
      });
      return;
    case defs::Form::Random:
      while (in.next(x)) in.put(in.random.draw().first(lanes));
      return;
    case defs::Form::Dropout:
      while (in.next(x)) {
        const UnitStream::Row bits = in.random.draw();
        for (std::size_t i = 0; i < lanes; ++i)
          if (static_cast<float>(bits[i] >> 8) * 0x1p-24f < fp::to_float(in.scalar[i])) x[i] = 0;
        in.put(x);
      }
      return;
    default:
      return;
  }
}

}  // namespace cmodel
