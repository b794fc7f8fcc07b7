// SPDX-License-Identifier: Apache-2.0
// The check of descriptors against its twin.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <random>

#include "Vdma_check_inf2.h"
#include "Vdma_check_mini.h"
#include "cmodel/program/disassemble.h"
#include "tb/unit/rtl/dma_descriptors.h"

namespace {

using namespace dma;

template <class Model>
void check_fuzz(const defs::Sizes& sizes, unsigned seed, std::array<unsigned, 256>& seen) {
  std::mt19937 rng(seed);
  VerilatedContext context;
  Model dut(&context);
  dut.rst_ni = 1;
  dut.chip_id_i = kChip;
  dut.ring_size_i = kRingSize;
  dut.check_i = 1;
  cmodel::DmaIdentity id{kChip, 0, 0, kRingSize};
  for (unsigned i = 0; i < 100000; ++i) {
    Lists lists;
    Descriptor d = random_descriptor(sizes, rng, static_cast<unsigned>(rng() % sizes.dma_engines),
                                     false, &lists);
    for (unsigned n = static_cast<unsigned>(rng() % 4); n--;) spoil(rng, d);
    if (i % 100 == 0) {
      id.core = static_cast<unsigned>(rng() % 2);
      id.peer = random_peer(1 - id.core, rng);
      dut.core_id_i = id.core & 1;
      id.peer.pack(&dut.peer_i[0]);
    }
    d.pack(reinterpret_cast<std::uint32_t*>(&dut.desc_i));
    dut.eval();
    const auto want = cmodel::check(sizes, id, d);
    ASSERT_EQ(defs::to_string(static_cast<ErrorCause>(dut.cause_o)), defs::to_string(want))
        << fmt::format(
               "seed {} round {}: {} src {:#x} {:+} dst {:#x} {:+} rows {} bytes {} chip {}", seed,
               i, cmodel::disassemble(d), d.src, d.src_stride, d.dst, d.dst_stride, d.rows,
               d.row_bytes, d.dst_chip);
    ++seen[static_cast<unsigned>(want)];
  }
}

TEST(DmaCheck, AgreesWithTheTwinOnEveryCause) {
  std::array<unsigned, 256> seen{};
  check_fuzz<Vdma_check_mini>(defs::kMini, 1, seen);
  check_fuzz<Vdma_check_inf2>(defs::kInf2, 2, seen);
  for (auto cause : {ErrorCause::None, ErrorCause::ReservedBits, ErrorCause::BadDescriptor,
                     ErrorCause::BadFormat, ErrorCause::Misaligned, ErrorCause::BadDestination,
                     ErrorCause::UnmappedAddress, ErrorCause::Forbidden}) {
    EXPECT_GT(seen[static_cast<unsigned>(cause)], 500u) << defs::to_string(cause);
  }
}

TEST(DmaCheck, RefusesTheEdgesOfEveryWindow) {
  const defs::Sizes& s = defs::kMini;
  const cmodel::DmaIdentity id{kChip, 0, 0, kRingSize};
  Descriptor d;
  d.rows = 1;
  d.row_bytes = 64;
  d.dst_chip = kChip;
  d.src = defs::kAddrHbm0Base + defs::kAddrHbm0Size - 64;
  d.dst = cmodel::sbuf_addr(1, s.partitions - 1, s.sbuf_bytes - 64);
  EXPECT_EQ(cmodel::check(s, id, d), ErrorCause::None);
  auto with = [&](auto change) {
    Descriptor other = d;
    change(other);
    return cmodel::check(s, id, other);
  };
  EXPECT_EQ(with([](auto& x) { x.src += 4; }), ErrorCause::UnmappedAddress);
  EXPECT_EQ(with([](auto& x) { x.dst += 4; }), ErrorCause::UnmappedAddress);
  EXPECT_EQ(with([](auto& x) { x.dst += defs::kSbufStride; }), ErrorCause::UnmappedAddress);
  EXPECT_EQ(with([](auto& x) { x.src = defs::kAddrCsrBase; }), ErrorCause::UnmappedAddress);
  EXPECT_EQ(with([](auto& x) {
              x.rows = 2;
              x.src_stride = 64;
            }),
            ErrorCause::UnmappedAddress);
  EXPECT_EQ(with([](auto& x) {
              x.rows = 2;
              x.dst_stride = -64;
            }),
            ErrorCause::None);
  EXPECT_EQ(with([](auto& x) {
              x.rows = 2;
              x.dst_stride = 64 - static_cast<std::int64_t>(defs::kSbufStride);
            }),
            ErrorCause::BadDescriptor);
  EXPECT_EQ(with([](auto& x) {
              x.rows = 3;
              x.src_stride = -64;
              x.dst_stride = -static_cast<std::int64_t>(defs::kSbufStride);
            }),
            ErrorCause::None);
}

}  // namespace
