// SPDX-License-Identifier: Apache-2.0
// The whole golden model on tiny programs, against naive loops in double precision.
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cstring>
#include <random>
#include <stdexcept>
#include <vector>

#include "cmodel/program/disassemble.h"
#include "tb/unit/cmodel/model_bench.h"

namespace tb::model {
namespace {

TEST(Model, ComputesAMatmulWithBiasAndRelu) {
  for (const unsigned core : {0u, 1u}) {
    const Matmul matmul(7 + core);
    TinyProgram tiny(kSizes, 1);
    matmul.write(tiny, core);
    BoardOptions options;
    options.detect_races = true;
    Bench bench(tiny.build(), options);
    cmodel::validate_program(bench.program, "matmul");
    EXPECT_TRUE(bench.board.run()) << bench.board.blocked();
    EXPECT_TRUE(bench.board.errors().empty());
    EXPECT_EQ(bench.board.races(), "");
    matmul.check(bench.board);
    EXPECT_EQ(bench.recorder.writes[stream(0, core, Engine::Tensor)].size(), 2 * Matmul::kN);
    EXPECT_EQ(bench.recorder.writes[stream(0, core, Engine::Act)].size(), Matmul::kN);
    EXPECT_EQ(bench.board.semaphore(0, 1), 4u);
    EXPECT_EQ(bench.board.counters().macs, 2ull * kP * kP * Matmul::kN);
    EXPECT_EQ(bench.board.pe_work(0, core), 2ull * kP * kP * Matmul::kN);
    EXPECT_EQ(bench.board.sequencer(0, core, 0).pc, 4u) << "at END";
    // One row of PSUM: N column tile column 0, first tile.
    const auto& row = bench.recorder.writes[stream(0, core, Engine::Tensor)][0].commit;
    EXPECT_EQ(row.kind, CommitKind::PsumRow);
    EXPECT_EQ(row.addr, 0x40u);
    EXPECT_EQ(row.count, kP);
    EXPECT_EQ(row.element_bytes, 4);
    EXPECT_EQ(row.pc, 1u);
  }
}

TEST(Model, LoadsSegmentsAsTheHostDoes) {
  TinyProgram tiny(kSizes, 1);
  tiny.data(0, 0x40, std::vector<std::uint8_t>(130, 0x77));
  Bench bench(tiny.build());
  const auto& host = bench.recorder.writes[stream(0, 0, Engine::Host)];
  ASSERT_EQ(host.size(), 3u);
  EXPECT_EQ(host[0].commit.addr, 0x40u);
  EXPECT_EQ(host[0].commit.count, 64);
  EXPECT_EQ(host[2].commit.addr, 0xc0u);
  EXPECT_EQ(host[2].commit.count, 2);
  EXPECT_TRUE(bench.board.finished()) << "nothing to do";
  EXPECT_FALSE(bench.board.step());
  EXPECT_EQ(read_back(bench.board, 0, 0xc0, 4), (std::vector<std::uint8_t>{0x77, 0x77, 0, 0}));
  std::vector<std::uint8_t> byte(1);
  EXPECT_THROW(bench.board.read(0, 0x4'0000'0000, byte), std::out_of_range);
  EXPECT_THROW(bench.board.read(0, sbuf_addr(0, kP, 0), byte), std::out_of_range);
}

/// Chip 0 sends 2 rows of 1500 bytes to the other chip's HBM 1 and notifies; chip 1 copies them
/// into its SBUF, doubles them there, and sends them to chip 0's SBUF of core 1.
void ping_pong(TinyProgram& tiny, std::vector<float>& values) {
  std::mt19937 rng(3);
  values = random_bf16(2 * 750, rng);
  tiny.data(0, 0x40, bf16_bytes(values));
  const std::uint64_t far = 0x10'0000'2000;
  auto send = copy_rows(1, 0x40, far, 2, 1500, 1500, 1536);
  send.vn = 2;
  send.notify = 1;
  send.notify_sem = 256 + 7;
  send.update = 1;
  send.update_sem = 3;
  send.update_delta = 2;
  tiny.add(0, 0, 3, send);
  tiny.add(0, 0, Engine::Sync, ring_dma(3, 1));

  auto in = copy_rows(1, far, sbuf_addr(1, 0, 0), 2, 1500, 1536, kStride);
  in.update = 1;
  in.update_sem = 256 + 8;
  in.update_delta = 1;
  tiny.add(1, 1, 0, in);
  auto back = copy_rows(0, sbuf_addr(1, 0, 4096), sbuf_addr(1, 2, 64), 2, 1500, kStride, kStride);
  back.vn = 1;
  back.notify = 1;
  back.notify_sem = 256 + 9;
  tiny.add(1, 1, 1, back);
  tiny.add(1, 1, Engine::Sync, ring_dma(0, 1).wait(256 + 7, 1));
  tiny.add(1, 1, Engine::Sync, ring_dma(1, 1).wait(256 + 10, 1));
  TinyInstr twice(Opcode::TensorTensor);
  twice.with(defs::AluOp::Add).shape(2, 750).from(sbuf16(0)).and_from(sbuf16(0)).to(sbuf16(4096));
  tiny.add(1, 1, Engine::Vector, twice.wait(256 + 8, 1).then(256 + 10));
  tiny.add(0, 1, Engine::Act, TinyInstr(Opcode::Nop).wait(256 + 9, 1));
}

TEST(Model, SendsRowsToAnotherChipAndNotifies) {
  TinyProgram tiny(kSizes, 2);
  std::vector<float> values;
  ping_pong(tiny, values);
  BoardOptions options;
  options.detect_races = true;
  Bench bench(tiny.build(), options);
  ASSERT_TRUE(bench.board.run()) << bench.board.blocked();
  EXPECT_TRUE(bench.board.errors().empty());
  EXPECT_EQ(bench.board.races(), "");
  EXPECT_EQ(bench.board.counters().messages, 8u);
  for (unsigned row = 0; row < 2; ++row) {
    const auto out = read_back(bench.board, 0, sbuf_addr(1, 2 + row, 64), 1500);
    for (unsigned i = 0; i < 750; ++i)
      EXPECT_EQ(bf16_at(out, i),
                std::bit_cast<float>(static_cast<std::uint32_t>(cmodel::fp::fp32_to_bf16(
                                         std::bit_cast<std::uint32_t>(2 * values[row * 750 + i])))
                                     << 16));
  }

  const StreamId rx{1, 0, static_cast<std::uint8_t>(Engine::Rx), 0, 2 << 5 | 0 << 4 | 3};
  const auto& writes = bench.recorder.writes[rx];
  std::vector<unsigned> messages;
  for (const auto& entry : writes) {
    if (entry.commit.kind != CommitKind::Message) continue;
    messages.push_back(entry.commit.count);
    const defs::Header header = cmodel::message_header(entry.data);
    EXPECT_EQ(header.dst, 1);
    EXPECT_EQ(header.src, 0);
    EXPECT_EQ(header.lport, 1) << "HBM 1";
    EXPECT_EQ(header.vn, 2);
    EXPECT_EQ(header.bytes, entry.commit.count);
    EXPECT_EQ(header.len, 1 + (entry.commit.count + 63) / 64);
    const bool last = messages.size() == 4;
    EXPECT_EQ(header.op,
              static_cast<unsigned>(last ? defs::PktOp::WriteNotify : defs::PktOp::Write));
    if (last) {
      EXPECT_EQ(header.tag, 7);
      EXPECT_EQ(header.group, 1 | 3 << 1);
    }
  }
  EXPECT_EQ(messages, (std::vector<unsigned>{1024, 476, 1024, 476}));
  ASSERT_EQ(bench.recorder.updates[rx].size(), 1u);
  EXPECT_EQ(bench.recorder.updates[rx][0].commit.addr, 256u + 7);
  EXPECT_EQ(bench.recorder.updates[rx][0].commit.delta, 1);
  const auto sender = stream(0, 0, Engine::Dma0, 3);
  EXPECT_TRUE(bench.recorder.writes[sender].empty()) << "no burst at the source";
  ASSERT_EQ(bench.recorder.updates[sender].size(), 1u);
  EXPECT_EQ(bench.recorder.updates[sender][0].commit.delta, 2);
}

TEST(Model, AnySchedulingGivesTheSameStreams) {
  TinyProgram two_chips(kSizes, 2), one_chip(kSizes, 1);
  std::vector<float> values;
  ping_pong(two_chips, values);
  Matmul(11).write(one_chip);
  for (const auto& program : {two_chips.build(), one_chip.build()}) {
    Bench reference(program);
    ASSERT_TRUE(reference.board.run());
    for (std::uint64_t seed = 1; seed <= 50; ++seed) {
      BoardOptions options;
      options.order_seed = seed;
      Bench bench(program, options);
      ASSERT_TRUE(bench.board.run());
      EXPECT_EQ(bench.recorder.writes, reference.recorder.writes) << "seed " << seed;
      EXPECT_EQ(bench.recorder.updates, reference.recorder.updates) << "seed " << seed;
    }
  }
}

TEST(Model, SaysWhoWaitsForWhat) {
  TinyProgram tiny(kSizes, 2);
  tiny.add(1, 1, Engine::Act, TinyInstr(Opcode::Nop).then(256 + 12, 3));
  tiny.add(1, 1, Engine::Act, TinyInstr(Opcode::Nop).wait(256 + 12, 4));
  tiny.add(0, 0, Engine::Vector, TinyInstr(Opcode::Nop));
  Bench bench(tiny.build());
  EXPECT_FALSE(bench.board.run());
  EXPECT_FALSE(bench.board.finished());
  EXPECT_EQ(
      bench.board.blocked(),
      "chip 1 core 1 Act pc 1: waits for semaphore 1.12 >= 4, is 3; next: NOP wait 1.12 >= 4\n");
}

TEST(Model, DisassemblesForReports) {
  EXPECT_EQ(
      cmodel::disassemble(TinyInstr(Opcode::MultiplyMoving)
                              .shape(16, 64)
                              .from(sbuf16(0x100))
                              .to(psum32(0x40))
                              .acc()
                              .wait(256, 4)
                              .then(3, -1)),
      "MULTIPLY_MOVING acc partitions 16 size 1x1x1x64 src0 sbuf.bf16[p0 +0x100 s 0,0,0,1] -> "
      "psum.fp32[p0 +0x40 s 0,0,0,1] wait 1.0 >= 4 update 0.3 += -1");
  EXPECT_EQ(cmodel::disassemble(ring_dma(3, 2)), "DMA_TRIGGER dma 3 x 2");
  auto copy = copy_rows(1, 0x40, 0x80, 2, 1500, 1500, -64);
  copy.vn = 1;
  copy.notify = 1;
  copy.notify_sem = 260;
  EXPECT_EQ(cmodel::disassemble(copy),
            "DMA 2 rows x 1500 B 0x40 (+1500) -> chip 1 0x80 (-64) vn 1 notify 1.4");
}

}  // namespace
}  // namespace tb::model
