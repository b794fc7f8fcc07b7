// SPDX-License-Identifier: Apache-2.0
// Tensor engine, array and PSUM against their twin: sums, stale weights, readers of PSUM, rest.
#include <cmath>

#include "tb/unit/rtl/tensor_engine_bench.h"

namespace {

using tensor::Row;

template <class C>
using TensorEngine = tensor::TensorEngine<C>;
TYPED_TEST_SUITE(TensorEngine, tensor::Configs);

TYPED_TEST(TensorEngine, SumEqualsADoublePrecisionLoop) {
  SCOPED_TRACE(tb::repro(this->seed));
  constexpr unsigned kP = TestFixture::kP;
  this->fill([&] { return this->mild(); });
  this->issue(this->load(kP, 0, kP, 0));
  this->issue(this->multiply(kP, 0, 8, 2 * kP, 0));
  this->drain();
  this->expect_same(2);
  const auto element = [&](unsigned k, unsigned column) {
    std::uint16_t bits;
    this->sbuf.read(k, 2 * column, {reinterpret_cast<std::uint8_t*>(&bits), 2});
    return static_cast<double>(cmodel::fp::to_float(std::uint32_t{bits} << 16));
  };
  ASSERT_EQ(this->rtl_rows.size(), 8u);
  for (unsigned n = 0; n < 8; ++n)
    for (unsigned m = 0; m < kP; ++m) {
      double sum = 0, size = 0;
      for (unsigned k = 0; k < kP; ++k) {
        sum += element(k, m) * element(k, kP + n);
        size += std::abs(element(k, m) * element(k, kP + n));
      }
      EXPECT_NEAR(cmodel::fp::to_float(this->rtl_rows[n].data[m]), sum, size * kP * 0x1p-24);
    }
}

TYPED_TEST(TensorEngine, StaleWeightsBeyondKNeverMatter) {
  SCOPED_TRACE(tb::repro(this->seed));
  constexpr unsigned kP = TestFixture::kP;
  // NaN in every PE of both planes, and NaN in the rows that the small tile does not use.
  this->fill([] { return std::uint16_t{0x7FFF}; });
  for (int i = 0; i < 2; ++i) {
    this->issue(this->load(kP, 0, kP, 0));
    this->issue(this->multiply(kP, 0, 4, 0, 0));
  }
  this->drain();
  for (unsigned p = kP / 4; p < kP / 2; ++p) {  // only the tile's own rows are numbers
    std::vector<std::uint8_t> line(TestFixture::kLine);
    for (unsigned at = 0; at < TestFixture::kSpan; at += TestFixture::kLine) {
      for (unsigned i = 0; i < line.size(); i += 2) {
        const std::uint16_t value = this->mild();
        std::memcpy(&line[i], &value, 2);
      }
      this->sbuf.write(p, at, line);
      defs::MemReq req;
      req.write = 1, req.bytes = TestFixture::kLine, req.addr = p * defs::kSbufStride + at;
      std::memcpy(req.data.data(), line.data(), line.size());
      req.pack(&this->dut->req_i[0], TestFixture::kSizes);
      this->dut->req_valid_i = 1;
      this->clock();
    }
  }
  this->dut->req_valid_i = 0;
  for (unsigned round = 0; round < 4; ++round) {
    this->issue(this->load(kP / 4, kP / 4, kP, 0));
    this->issue(this->multiply(kP / 4, kP / 4, 8, 256, 0));
  }
  this->drain();
  this->expect_same(12);
  for (const Row& row : this->rtl_rows) {
    if (row.pc < 4) continue;
    for (std::uint32_t word : row.data) ASSERT_FALSE(cmodel::fp::is_nan(word)) << "pc " << row.pc;
  }
}

/// Nothing in flight: the array's registers keep their values whatever the clock does.
TYPED_TEST(TensorEngine, IdleArrayDoesNotMove) {
  constexpr unsigned kP = TestFixture::kP;
  auto& dut = *this->dut;
  this->fill([&] { return this->mild(); });
  this->issue(this->load(kP, 0, kP, 0));
  this->issue(this->multiply(kP, 0, 32, 0, 0));
  this->drain();
  const auto image = [&] {
    std::vector<std::uint32_t> words;
    for (unsigned r = 0; r < kP; ++r)
      for (unsigned c = 0; c < kP; c += 5) {
        dut.probe_row_i = r, dut.probe_col_i = c;
        dut.eval();
        words.push_back(dut.probe_moving_o);
        words.push_back(dut.probe_psum_o);
      }
    return words;
  };
  const auto before = image();
  for (int i = 0; i < 100; ++i) this->clock();
  EXPECT_EQ(before, image());
}

TYPED_TEST(TensorEngine, PsumServesBothReaders) {
  constexpr unsigned kP = TestFixture::kP;
  auto& dut = *this->dut;
  this->fill([&] { return this->mild(); });
  this->issue(this->load(kP, 0, kP, 0));
  this->issue(this->multiply(kP, 0, 16, 0, 0));
  this->drain();
  unsigned v_next = 0, a_next = 0;
  for (unsigned t = 0; t < 32; ++t) {
    dut.v_rd_valid_i = v_next < 16, dut.v_rd_addr_i = v_next;
    dut.a_rd_valid_i = a_next < 16, dut.a_rd_addr_i = a_next;
    dut.eval();
    ASSERT_NE(dut.v_rd_ready_o, dut.a_rd_ready_o);
    if (t < 30) {  // taking turns while both ask
      EXPECT_EQ(dut.v_rd_ready_o, t % 2 == 0);
    }
    const unsigned addr = dut.v_rd_ready_o ? v_next++ : a_next++;
    this->clock();
    for (unsigned p = 0; p < kP; ++p) ASSERT_EQ(dut.rd_data_o[p], this->psum.row(addr)[p]);
  }
  dut.v_rd_valid_i = dut.a_rd_valid_i = 0;
}

}  // namespace
