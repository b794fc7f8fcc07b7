// SPDX-License-Identifier: Apache-2.0
// Primitives under random stalls: order kept, nothing lost, fairness bounded.
#include <gtest/gtest.h>

#include <array>
#include <deque>
#include <random>

#include "Vprim_fifo.h"
#include "Vprim_rr_arbiter.h"
#include "Vprim_skid_buffer.h"

namespace {

template <class Dut>
void tick(Dut& dut) {
  dut.clk_i = 1;
  dut.eval();
  dut.clk_i = 0;
  dut.eval();
}

template <class Dut>
void reset(Dut& dut) {
  dut.clk_i = 0;
  dut.rst_ni = 0;
  dut.eval();
  tick(dut);
  dut.rst_ni = 1;
  dut.eval();
}

/// Sends random words with random stalls; a queue of `depth` must accept exactly while not full.
template <class Dut>
void stream_through(unsigned depth, unsigned seed) {
  VerilatedContext context;
  Dut dut(&context);
  dut.in_valid_i = dut.out_ready_i = 0;
  reset(dut);
  std::mt19937 rng(seed);
  std::deque<unsigned> held;
  unsigned received = 0;
  for (unsigned cycle = 0; cycle < 20000; ++cycle) {
    const unsigned phase = cycle / 1000 % 4;  // fill, drain, both fast, both slow
    const bool send = rng() % 4 < (phase == 1 ? 1u : phase == 3 ? 2u : 4u);
    const bool take = rng() % 4 < (phase == 0 ? 1u : phase == 3 ? 2u : 4u);
    const unsigned word = rng() & 0xFFFFF;
    dut.in_valid_i = send;
    dut.in_i = word;
    dut.out_ready_i = take;
    dut.eval();
    ASSERT_EQ(dut.in_ready_o, held.size() < depth) << "cycle " << cycle;
    ASSERT_EQ(dut.out_valid_o, !held.empty()) << "cycle " << cycle;
    if (!held.empty()) ASSERT_EQ(dut.out_o, held.front()) << "cycle " << cycle;
    const bool push = send && dut.in_ready_o, pop = take && dut.out_valid_o;
    if (pop) held.pop_front(), ++received;
    if (push) held.push_back(word);
    tick(dut);
  }
  EXPECT_GT(received, 9000u);
}

TEST(Prim, FifoKeepsOrderAndCapacity) { stream_through<Vprim_fifo>(5, 1); }

TEST(Prim, SkidBufferKeepsOrderAndHoldsTwo) { stream_through<Vprim_skid_buffer>(2, 2); }

TEST(Prim, ArbiterServesEveryoneInTurn) {
  VerilatedContext context;
  Vprim_rr_arbiter dut(&context);
  dut.request_i = 0;
  dut.accept_i = 0;
  reset(dut);
  std::mt19937 rng(3);
  std::array<unsigned, 5> waited{};
  unsigned held = 0;
  for (unsigned cycle = 0; cycle < 20000; ++cycle) {
    dut.request_i = held |= rng() & (cycle % 2000 < 1000 ? 0x1Fu : rng() & rng() & 0x1Fu);
    dut.accept_i = rng() % 2;
    dut.eval();
    ASSERT_EQ(dut.valid_o, held != 0);
    if (held) {
      ASSERT_EQ(dut.grant_o, 1u << dut.index_o);
      ASSERT_TRUE(held >> dut.index_o & 1);
    }
    if (held && dut.accept_i) {
      for (unsigned i = 0; i < 5; ++i) {
        if (held >> i & 1 && i != dut.index_o) ++waited[i];
        ASSERT_LE(waited[i], 4u) << "requester " << i;
      }
      waited[dut.index_o] = 0;
      held &= ~(1u << dut.index_o);
    }
    tick(dut);
  }
}

}  // namespace
