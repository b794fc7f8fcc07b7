// SPDX-License-Identifier: Apache-2.0
// LOAD_BITS and TRANSPOSE_MOVING: PSUM gets the very bits of what is loaded, whatever they are as
// numbers, in RTL and in the twin.
#include "tb/unit/rtl/tensor_engine_bench.h"

namespace {

using defs::Dtype;
using defs::ErrorCause;

constexpr Dtype kHalves[] = {Dtype::Bf16, Dtype::Fp16, Dtype::Int16, Dtype::Uint16};
constexpr Dtype kWords[] = {Dtype::Fp32, Dtype::Tf32, Dtype::Int32, Dtype::Uint32};
constexpr Dtype kPicking[] = {Dtype::Bf16,    Dtype::Fp16, Dtype::Fp8E5M2, Dtype::Fp8E4M3,
                              Dtype::Fp8E3M4, Dtype::Tf32, Dtype::Fp32,    Dtype::Int8};

template <class C>
class TensorTranspose : public tensor::TensorEngine<C> {
 protected:
  using Bench = tensor::TensorEngine<C>;
  using Bench::dut, Bench::kLine, Bench::kP, Bench::kSizes, Bench::kSpan, Bench::load, Bench::pick;
  using Bench::rng, Bench::sbuf;

  /// Where the picking tile lies in SBUF, behind what it picks: [k][n] of 1 or of P * 4 bytes.
  static constexpr unsigned kPicksAt = kSpan / 2;

  /// A word with the numbers that arithmetic would change more often than chance has them: NaN
  /// with payloads and signs, infinities, subnormals, zeros of both signs.
  std::uint32_t word(unsigned bytes) {
    const auto bits = static_cast<std::uint32_t>(rng());
    const bool half = bytes == 2;
    const std::uint32_t sign = half ? bits & 0x8000 : bits & 0x8000'0000;
    const std::uint32_t infinity[] = {half ? 0x7F80u : 0x7F80'0000u, half ? 0x7C00u : 0x7F80'0000u};
    const std::uint32_t top = infinity[pick(2)];
    switch (pick(6)) {
      case 0:
        return sign | top | (bits & ~top & (half ? 0x7FFF : 0x7FFF'FFFF));  // infinity or NaN
      case 1:
        return sign | top;
      case 2:
        return sign | (bits & (half ? 0x3F : 0x7F'FFFF));  // subnormal or zero
      case 3:
        return sign;
      default:
        return half ? bits & 0xFFFF : bits;
    }
  }
  /// Writes bytes that both SBUFs then hold: byte b of partition p is make(p)[b].
  template <class Make>
  void write(unsigned at, unsigned bytes, Make make) {
    ASSERT_EQ(at % kLine, 0u);
    defs::MemReq req;
    req.write = 1;
    req.bytes = kLine;
    for (unsigned p = 0; p < kP; ++p) {
      std::vector<std::uint8_t> all = make(p);
      all.resize((bytes + kLine - 1) / kLine * kLine);
      for (unsigned line = 0; line < all.size(); line += kLine) {
        sbuf.write(p, at + line, std::span(all).subspan(line, kLine));
        req.addr = p * defs::kSbufStride + at + line;
        std::memcpy(req.data.data(), &all[line], kLine);
        dut->req_valid_i = 1;
        req.pack(&dut->req_i[0], kSizes);
        this->clock();
      }
    }
    dut->req_valid_i = 0;
  }
  /// [k][m] elements of `bytes` at the start of SBUF.
  using Matrix = std::vector<std::vector<std::uint32_t>>;
  Matrix write_words(unsigned bytes) {
    Matrix words(kP, std::vector<std::uint32_t>(kP));
    for (auto& row : words)
      for (auto& w : row) w = word(bytes);
    write_elements(0, words, bytes);
    return words;
  }
  void write_elements(unsigned at, const Matrix& elements, unsigned bytes) {
    write(at, kP * bytes, [&](unsigned p) {
      std::vector<std::uint8_t> row(std::size_t{kP} * bytes);
      for (unsigned m = 0; m < kP; ++m)
        std::memcpy(&row[std::size_t{m} * bytes], &elements[p][m], bytes);
      return row;
    });
  }
  static std::uint32_t one(Dtype dtype) {
    switch (dtype) {
      case Dtype::Int8:
        return 1;
      case Dtype::Fp16:
        return 0x3C00;
      case Dtype::Bf16:
        return 0x3F80;
      case Dtype::Fp8E5M2:
        return 0x3C;
      case Dtype::Fp8E4M3:
        return 0x38;
      case Dtype::Fp8E3M4:
        return 0x30;
      default:
        return 0x3F80'0000;
    }
  }
  /// The identity from partition `first` on; elsewhere any numbers.
  void write_identity(Dtype dtype, unsigned k, unsigned first) {
    Matrix elements(kP, std::vector<std::uint32_t>(kP));
    for (unsigned p = 0; p < kP; ++p)
      for (unsigned n = 0; n < kP; ++n)
        elements[p][n] = p < first || p >= first + k ? static_cast<std::uint32_t>(rng())
                         : p - first == n            ? one(dtype)
                                                     : 0;
    write_elements(kPicksAt, elements, cmodel::element_bytes(static_cast<std::uint8_t>(dtype)));
  }
  defs::Instr load_bits(Dtype dtype, unsigned k, unsigned first, unsigned m) {
    defs::Instr instr = load(k, first, m, 0);
    instr.opcode = static_cast<std::uint8_t>(defs::Opcode::LoadBits);
    instr.src0.dtype = static_cast<std::uint8_t>(dtype);
    return instr;
  }
  defs::Instr transpose(Dtype dtype, unsigned k, unsigned first, unsigned n, unsigned dst) {
    defs::Instr instr = this->multiply(k, first, n, kPicksAt, dst);
    instr.opcode = static_cast<std::uint8_t>(defs::Opcode::TransposeMoving);
    instr.src0.dtype = static_cast<std::uint8_t>(dtype);
    instr.dst.dtype = static_cast<std::uint8_t>(Dtype::Int32);
    return instr;
  }
};
TYPED_TEST_SUITE(TensorTranspose, tensor::Configs);

/// The identity moves every bit of every format: whole tiles, and tiles in either half of the rows
/// beside rows with other data. Row n of PSUM is partition n of what was loaded.
TYPED_TEST(TensorTranspose, EveryBitComesOutWhereItBelongs) {
  SCOPED_TRACE(tb::repro(this->seed));
  constexpr unsigned kP = TestFixture::kP;
  for (const auto& [bytes, formats] : {std::pair{2u, kHalves}, std::pair{4u, kWords}}) {
    for (unsigned f = 0; f < 4; ++f) {
      const unsigned k = f == 0 ? kP : 1 + this->pick(kP / 2), m = f == 0 ? kP : 1 + this->pick(kP);
      const unsigned start = k > kP / 4 ? kP / 2 * (f / 2) : kP / 4 * f;
      const Dtype picking = kPicking[this->pick(8)];
      const auto words = this->write_words(bytes);
      this->write_identity(picking, k, start);
      this->forget_rows();
      this->issue(this->load_bits(formats[f], k, start, m));
      ASSERT_EQ(this->last_cause, ErrorCause::None);
      this->issue(this->transpose(picking, k, start, k, 0));
      ASSERT_EQ(this->last_cause, ErrorCause::None);
      this->drain();
      this->expect_same(2);
      const auto& rows = start >= kP / 2 ? this->lower_rows : this->rtl_rows;
      ASSERT_EQ(rows.size(), k);
      for (unsigned n = 0; n < k; ++n) {
        ASSERT_EQ(rows[n].data.size(), m);
        for (unsigned c = 0; c < m; ++c)
          ASSERT_EQ(rows[n].data[c], words[start + n][c]) << "row " << n << " column " << c;
      }
    }
  }
}

/// All 65,536 elements of 16 bits, and as many of 32 in either half of their word.
TYPED_TEST(TensorTranspose, AllPatternsOf16Bits) {
  constexpr unsigned kP = TestFixture::kP;
  const unsigned tiles = kP == 128 ? 65536 / (kP * kP) : 8;  // mini: a part, from anywhere
  const auto begin = static_cast<std::uint32_t>(kP == 128 ? 0 : this->rng() % 65536);
  this->write_identity(Dtype::Bf16, kP, 0);
  for (unsigned tile = 0; tile < tiles; ++tile)
    for (unsigned shift = 0; shift < 3; ++shift) {  // 16 bits; the lower, the upper half of 32
      const unsigned bytes = shift ? 4 : 2;
      typename TestFixture::Matrix words(kP, std::vector<std::uint32_t>(kP));
      std::uint32_t next = begin + tile * kP * kP;
      for (auto& row : words)
        for (auto& w : row) {
          w = next++ & 0xFFFF;
          if (shift)
            w = shift == 1 ? w | (w * 0x9E37'0000u) : w << 16 | (w * 0x9E37u >> 3 & 0xFFFF);
        }
      this->write_elements(0, words, bytes);
      this->forget_rows();
      this->issue(this->load_bits(shift ? Dtype::Fp32 : Dtype::Fp16, kP, 0, kP));
      this->issue(this->transpose(Dtype::Bf16, kP, 0, kP, 0));
      this->drain();
      this->expect_same(2);
      ASSERT_EQ(this->rtl_rows.size(), kP);
      for (unsigned n = 0; n < kP; ++n) ASSERT_EQ(this->rtl_rows[n].data, words[n]) << n;
    }
}

/// What picks: all numbers that are not 0, of the tile's own partitions. Several are ORed, none
/// leave 0; -0 does not pick, subnormals, NaN and int8's -128 do.
TYPED_TEST(TensorTranspose, WhatIsNotZeroPicks) {
  SCOPED_TRACE(tb::repro(this->seed));
  constexpr unsigned kP = TestFixture::kP;
  struct Case {
    Dtype dtype;
    std::uint32_t bits;
    bool picks;
  };
  constexpr Case kCases[] = {
      {Dtype::Bf16, 0x0000, false},      {Dtype::Bf16, 0x8000, false},
      {Dtype::Bf16, 0x0001, true},       {Dtype::Bf16, 0xFFC0, true},
      {Dtype::Fp16, 0x8000, false},      {Dtype::Fp16, 0x8001, true},
      {Dtype::Fp8E5M2, 0x80, false},     {Dtype::Fp8E5M2, 0x01, true},
      {Dtype::Fp8E4M3, 0x80, false},     {Dtype::Fp8E4M3, 0x7F, true},
      {Dtype::Fp8E3M4, 0x80, false},     {Dtype::Fp8E3M4, 0x01, true},
      {Dtype::Int8, 0x00, false},        {Dtype::Int8, 0x80, true},
      {Dtype::Fp32, 0x8000'0000, false}, {Dtype::Fp32, 0x0000'0001, true},
      {Dtype::Tf32, 0x0000'0000, false}, {Dtype::Tf32, 0x7F80'0000, true},
  };
  const auto words = this->write_words(4);
  for (const Case& c : kCases) {
    // Element n of partition k picks if k is n or n + 2.
    typename TestFixture::Matrix picks(kP, std::vector<std::uint32_t>(kP));
    for (unsigned k = 0; k < kP; ++k)
      for (unsigned n = 0; n < kP; ++n) picks[k][n] = k == n || k == n + 2 ? c.bits : 0;
    this->write_elements(TestFixture::kPicksAt, picks,
                         cmodel::element_bytes(static_cast<std::uint8_t>(c.dtype)));
    this->forget_rows();
    const unsigned k = kP / 2 + this->pick(kP / 2);
    this->issue(this->load_bits(Dtype::Uint32, k, 0, kP));
    this->issue(this->transpose(c.dtype, k, 0, kP, 0));
    this->drain();
    this->expect_same(2);
    ASSERT_EQ(this->rtl_rows.size(), kP);
    for (unsigned n = 0; n < kP; ++n)
      for (unsigned m = 0; m < kP; ++m) {
        const std::uint32_t own = n < k ? words[n][m] : 0, next = n + 2 < k ? words[n + 2][m] : 0;
        ASSERT_EQ(this->rtl_rows[n].data[m], c.picks ? own | next : 0u)
            << to_string(c.dtype) << " " << c.bits << " row " << n;
      }
  }
}

/// Bits and numbers do not meet, and the row of the instruction allows what it allows.
TYPED_TEST(TensorTranspose, WhatDoesNotFitStopsTheEngine) {
  constexpr unsigned kP = TestFixture::kP;
  this->fill([&] { return this->mild(); });
  const auto bits = this->load_bits(Dtype::Bf16, kP, 0, 8);
  const auto numbers = this->load(kP, 0, 8, 0);
  const auto picks = this->transpose(Dtype::Bf16, kP, 0, 8, 0);
  const auto multiply = this->multiply(kP, 0, 8, 64, 0);
  struct Case {
    const char* what;
    defs::Instr first, second;
    void (*spoil)(defs::Instr&);
    ErrorCause cause;
  };
  const Case cases[] = {
      {"numbers picked", numbers, picks, [](defs::Instr&) {}, ErrorCause::BadFormat},
      {"bits multiplied", bits, multiply, [](defs::Instr&) {}, ErrorCause::BadFormat},
      {"accumulated", bits, picks, [](defs::Instr& i) { i.accumulate = 1; },
       ErrorCause::ReservedBits},
      {"to fp32", bits, picks, [](defs::Instr& i) { i.dst.dtype = 0; }, ErrorCause::BadFormat},
      {"picked by int32", bits, picks, [](defs::Instr& i) { i.src0.dtype = 8; },
       ErrorCause::BadFormat},
      {"another K", bits, picks, [](defs::Instr& i) { i.partitions = kP - 1; },
       ErrorCause::BadShape},
      {"bytes", bits, bits, [](defs::Instr& i) { i.src0.dtype = 7; }, ErrorCause::BadFormat},
      {"func", bits, picks, [](defs::Instr& i) { i.func = 1; }, ErrorCause::ReservedBits},
      {"dst partition", bits, picks, [](defs::Instr& i) { i.dst.partition = kP / 4; },
       ErrorCause::BadPartition},
  };
  for (const Case& c : cases) {
    this->reset();
    this->issue(c.first);
    ASSERT_EQ(this->last_cause, ErrorCause::None) << c.what;
    auto bad = c.second;
    c.spoil(bad);
    this->issue(bad);
    EXPECT_EQ(this->last_cause, c.cause) << c.what << " (twin)";
    for (unsigned i = 0; i < 4 * kP + 60; ++i) this->clock();
    EXPECT_TRUE(this->dut->error_valid_o) << c.what;
    EXPECT_EQ(this->dut->error_cause_o, static_cast<unsigned>(c.cause)) << c.what;
    EXPECT_EQ(this->dut->error_serial_o, 1u) << c.what;
  }
}

/// One pass, also of 32 bits: a transposition each max(P/2, N) cycles, as published for P = N.
TYPED_TEST(TensorTranspose, TileAfterTileWithoutAGap) {
  constexpr unsigned kP = TestFixture::kP, kTiles = 12;
  this->write_words(4);
  this->write_identity(Dtype::Fp32, kP, 0);
  for (const Dtype dtype : {Dtype::Bf16, Dtype::Fp32}) {
    this->forget_rows();
    this->moving_reads.clear();
    for (unsigned i = 0; i < kTiles; ++i) {
      this->issue(this->load_bits(dtype, kP, 0, kP));
      this->issue(this->transpose(Dtype::Fp32, kP, 0, kP, 0));
    }
    this->drain();
    this->expect_same(2 * kTiles);
    ASSERT_EQ(this->moving_reads.size(), std::size_t{kTiles} * kP);
    EXPECT_EQ(this->moving_reads.back() - this->moving_reads.front(), kTiles * kP - 1)
        << to_string(dtype);
  }
}

}  // namespace
