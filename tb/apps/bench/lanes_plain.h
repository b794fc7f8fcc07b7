// SPDX-License-Identifier: Apache-2.0
// What the lanes of the vector and the activation engine do, written by hand: a loop over lanes for
// each step of an element (fetch, operate, cast), as reference of speed for the Verilated engines.
// The same arithmetic in the same order, on the same memory; one function per class of instruction,
// no generality.
#pragma once
#include <array>
#include <vector>

#include "rtl/defs/gen/table_functions.h"
#include "tb/apps/bench/plain_words.h"

namespace tb {

class PlainLanes {
 public:
  using Word = plain::Word;
  static constexpr unsigned kLanes = 128;
  struct alignas(64) Row : std::array<Word, kLanes> {};
  struct Memory {
    std::vector<std::array<plain::Wide, kLanes>> sbuf;  ///< by word of 8 bytes, then partition
    std::vector<Row> psum;                              ///< by word, then partition
  };
  /// Where operands lie, in bytes of SBUF; a scalar is of fp32 in the lane's own partition.
  struct Places {
    unsigned src0, src1, scalar;
  };
  static constexpr Word kFirst = 0x3FC00000, kSecond = 0x3E800000;  ///< scalars: 1.5, 0.25

  PlainLanes(const Memory& memory, const Places& at);

  // n elements of every lane. Unless it says so, bf16 in and out.
  void copy(unsigned n);
  void cast(unsigned n);        ///< fp16 -> fp8e4m3
  void sum(unsigned n);         ///< x + y
  void product(unsigned n);     ///< x * y, fp32
  void scalars(unsigned n);     ///< x * kFirst + kSecond, fp32 -> bf16
  void scan(unsigned n);        ///< r = x * r + y, from kFirst
  void reduce(unsigned n);      ///< sum of x, to fp32
  void fill(unsigned n);        ///< kFirst
  void select(unsigned n);      ///< x is not 0 ? y : kFirst
  void predicated(unsigned n);  ///< y, and whether x, of uint16, is 0
  void shuffle(unsigned n);     ///< x of the lane that y, of uint8, says
  void transpose(unsigned n);
  void statistics(unsigned n);  ///< bf16 -> fp32
  void greatest(unsigned n);    ///< the eight greatest
  void find(unsigned n);        ///< where the eight of src1 are, to uint32
  void random(unsigned n);      ///< uint32
  void activate(unsigned n);    ///< relu(x + bias), x fp32 in PSUM
  void accumulate(unsigned n);  ///< relu(x * kFirst + kSecond), and the sum of it
  void exp(unsigned n);

  std::vector<Row> out;  ///< rows as they are written, from the first on
  Row skip;              ///< of the last one: lanes that stay

 private:
  static constexpr unsigned kQuarter = kLanes / 4;

  static void each(auto loop) {
    for (unsigned i = 0; i < kLanes; ++i) loop(i);
  }
  template <class Get>
  void fetch(Row& to, unsigned byte, Get get) const;
  void fetch_bf16(Row& to, unsigned byte) const;
  void fetch_fp32(Row& to, unsigned byte) const;
  template <class Cast>
  void put(const Row& value, Cast cast);
  void put_bf16(const Row& value);
  void put_fp32(const Row& value);

  const Memory& memory_;
  const Places at_;
  std::size_t put_ = 0;
  Row x_, y_, value_, sums_{}, t_;
  std::array<Row, 8> eight_, index_, found_;
  std::array<Row, kLanes / 4> square_;
  std::array<Row, 6> generator_;
};

template <class Get>
void PlainLanes::fetch(Row& to, unsigned byte, Get get) const {
  const auto& words = memory_.sbuf[byte / 8];
  const unsigned shift = byte % 8 * 8;
  each([&](unsigned i) { to[i] = get(static_cast<Word>(words[i] >> shift)); });
}
inline void PlainLanes::fetch_bf16(Row& to, unsigned byte) const {
  fetch(to, byte, [](Word w) { return plain::from_bf16(w & 0xFFFF); });
}
inline void PlainLanes::fetch_fp32(Row& to, unsigned byte) const {
  fetch(to, byte, [](Word w) { return w; });
}
template <class Cast>
void PlainLanes::put(const Row& value, Cast cast) {
  Row& row = out[put_++];
  each([&](unsigned i) { row[i] = cast(value[i]); });
}
inline void PlainLanes::put_bf16(const Row& value) { put(value, plain::to_bf16); }
inline void PlainLanes::put_fp32(const Row& value) { put(value, plain::canonical); }

}  // namespace tb
