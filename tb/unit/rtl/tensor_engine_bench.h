// SPDX-License-Identifier: Apache-2.0
// Bench of tensor_engine_tb (tensor engine, array, PSUM, SBUF) beside its twin: issues an
// instruction to both, collects every row that either writes, with the cycles in which operands
// were read.
#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "Vtensor_engine_inf2.h"
#include "Vtensor_engine_mini.h"
#include "cmodel/machine/fp.h"
#include "cmodel/machine/instruction.h"
#include "cmodel/machine/tensor_engine.h"
#include "tb/base/seed.h"

namespace tensor {

using defs::Dtype;
using defs::ErrorCause;

template <class Model, const defs::Sizes& kSizes>
struct Config {
  using Dut = Model;
  static constexpr const defs::Sizes& sizes = kSizes;
};

struct Row {
  std::uint32_t pc, addr;
  std::vector<std::uint32_t> data;
  bool operator==(const Row&) const = default;
};

/// Collects the twin's commits.
struct Rows : cmodel::CommitSink {
  std::vector<Row> rows, lower_rows;
  void commit(const cmodel::Commit& commit, std::span<const std::uint8_t> data) override {
    Row row{commit.pc, static_cast<std::uint32_t>(commit.addr), {}};
    row.data.resize(commit.count);
    std::memcpy(row.data.data(), data.data(), data.size());
    (commit.stream.lane ? lower_rows : rows).push_back(std::move(row));
  }
};

template <class C>
class TensorEngine : public testing::Test {
 protected:
  static constexpr const defs::Sizes& kSizes = C::sizes;
  static constexpr unsigned kP = kSizes.partitions, kLine = kSizes.line_bytes;
  static constexpr unsigned kSpan = kP == 128 ? 4096 : 2048;  // bytes of SBUF in use

  TensorEngine() {
    context.randReset(2);
    context.randSeed(static_cast<int>(seed & 0x7fffffff));
    dut = std::make_unique<typename C::Dut>(&context);
    reset();
  }
  void reset() {
    dut->clk_i = 0;
    dut->rst_ni = 0;
    dut->instr_valid_i = dut->req_valid_i = dut->v_rd_valid_i = dut->a_rd_valid_i = 0;
    dut->count_rd_i = dut->second_valid_i = 0;
    dut->eval();
    clock();
    dut->rst_ni = 1;
    dut->eval();
    forget_rows();
    next_pc = 0;
    twin = cmodel::TensorEngine(kSizes, sbuf, psum, twin_rows, {});
  }
  void forget_rows() {
    for (auto* rows : {&rtl_rows, &lower_rows, &twin_rows.rows, &twin_rows.lower_rows})
      rows->clear();
    done = 0;
  }
  void clock() {
    dut->clk_i = 1;
    dut->eval();
    dut->clk_i = 0;
    dut->eval();
    ++cycle;
    if (!dut->rst_ni) return;
    done += dut->done_o;
    for (unsigned i = 0; i < dut->done_o; ++i)
      done_rows.push_back(rtl_rows.size() + dut->commit_valid_o);
    if (dut->moving_read_o) moving_reads.push_back(cycle);
    if (dut->lower_read_o) lower_reads.push_back(cycle);
    if (dut->lower_valid_o) {
      Row row{dut->lower_serial_o, dut->lower_addr_o, {}};
      for (unsigned i = 0; i < dut->lower_count_o; ++i) row.data.push_back(dut->lower_data_o[i]);
      lower_rows.push_back(std::move(row));
    }
    if (dut->commit_valid_o) {
      Row row{dut->commit_serial_o, dut->commit_addr_o, {}};
      for (unsigned i = 0; i < dut->commit_count_o; ++i) row.data.push_back(dut->commit_data_o[i]);
      rtl_rows.push_back(std::move(row));
    }
  }
  static unsigned bytes_of(const defs::Operand& op) { return cmodel::element_bytes(op.dtype); }
  unsigned pick(unsigned limit) { return static_cast<unsigned>(rng() % limit); }

  /// Both SBUFs: every element from `make()`.
  template <class Make>
  void fill(Make make) {
    std::vector<std::uint8_t> line(kLine);
    defs::MemReq req;
    req.write = 1;
    req.bytes = kLine;
    for (unsigned p = 0; p < kP; ++p)
      for (unsigned at = 0; at < kSpan; at += kLine) {
        for (unsigned i = 0; i < kLine; i += 2) {
          const std::uint16_t value = make();
          std::memcpy(&line[i], &value, 2);
        }
        sbuf.write(p, at, line);
        req.addr = p * defs::kSbufStride + at;
        std::memcpy(req.data.data(), line.data(), kLine);
        dut->req_valid_i = 1;
        req.pack(&dut->req_i[0], kSizes);
        clock();
      }
    dut->req_valid_i = 0;
  }
  std::uint16_t mild() {  // magnitudes 2^-8 .. 2^7
    return static_cast<std::uint16_t>((rng() & 0x807F) | (119 + rng() % 16) << 7);
  }

  defs::Instr load(unsigned k, unsigned first, unsigned m, unsigned offset) {
    defs::Instr instr;
    instr.opcode = static_cast<std::uint8_t>(defs::Opcode::LoadStationary);
    instr.partitions = k;
    instr.size0 = m, instr.size1 = instr.size2 = instr.size3 = 1;
    instr.src0.space = static_cast<std::uint8_t>(defs::Space::Sbuf);
    instr.src0.dtype = static_cast<std::uint8_t>(defs::Dtype::Bf16);
    instr.src0.partition = first;
    instr.src0.offset = offset;
    instr.src0.stride0 = m == 1 ? 0 : 1;
    return instr;
  }
  defs::Instr multiply(unsigned k, unsigned first, unsigned n, unsigned offset, unsigned dst,
                       bool accumulate = false) {
    defs::Instr instr = load(k, first, n, offset);
    instr.opcode = static_cast<std::uint8_t>(defs::Opcode::MultiplyMoving);
    instr.accumulate = accumulate;
    instr.dst.space = static_cast<std::uint8_t>(defs::Space::Psum);
    instr.dst.dtype = static_cast<std::uint8_t>(defs::Dtype::Fp32);
    instr.dst.offset = dst;
    instr.dst.stride0 = instr.src0.stride0;
    return instr;
  }

  /// Offers one instruction until it is taken; the twin executes it too.
  void issue(const defs::Instr& instr, const defs::Instr* second = nullptr) {
    const auto words = instr.words();
    std::memcpy(&dut->instr_i[0], words.data(), sizeof(words));
    dut->serial_i = next_pc;
    dut->instr_valid_i = 1;
    if (second) {
      const auto second_words = second->words();
      std::memcpy(&dut->second_i[0], second_words.data(), sizeof(second_words));
      dut->second_valid_i = 1;
    }
    dut->eval();
    for (unsigned wait = 0; !dut->instr_ready_o; ++wait) {
      ASSERT_LT(wait, 5000u) << "never taken";
      clock();
    }
    clock();
    dut->instr_valid_i = dut->second_valid_i = 0;
    dut->eval();
    last_cause = twin.execute(instr, next_pc);
    ++next_pc;
    if (second && last_cause == ErrorCause::None) last_cause = twin.execute(*second, next_pc++);
  }
  /// The same, but a load may wait for the multiply after it and go together with it.
  void issue_or_hold(const defs::Instr& instr) {
    const bool multiply = cmodel::reads_stationary(instr);
    if (held && multiply) {
      const defs::Instr load = *held;
      held.reset();
      return issue(load, &instr);
    }
    flush();
    if (!multiply && pick(2))
      held = instr;
    else
      issue(instr);
  }
  void flush() {
    if (held) issue(*held);
    held.reset();
  }
  void drain() {
    flush();
    for (unsigned wait = 0; dut->busy_o; ++wait) {
      ASSERT_LT(wait, 20000u) << "never idle";
      clock();
    }
    for (int i = 0; i < 4; ++i) clock();
  }
  void expect_same(unsigned instructions) {
    EXPECT_EQ(done, instructions);
    expect_counts();
    expect_same_rows(rtl_rows, twin_rows.rows);
    expect_same_rows(lower_rows, twin_rows.lower_rows);
  }
  static void expect_same_rows(const std::vector<Row>& rtl, const std::vector<Row>& twin) {
    ASSERT_EQ(rtl.size(), twin.size());
    for (std::size_t i = 0; i < rtl.size(); ++i) {
      const Row &a = rtl[i], &b = twin[i];
      ASSERT_EQ(a.pc, b.pc) << "row " << i;
      ASSERT_EQ(a.addr, b.addr) << "row " << i << " pc " << a.pc;
      ASSERT_EQ(a.data.size(), b.data.size()) << "row " << i << " pc " << a.pc;
      for (std::size_t m = 0; m < a.data.size(); ++m)
        ASSERT_EQ(a.data[m], b.data[m])
            << fmt::format("pc {} addr {:#x} partition {}: rtl {:08x} twin {:08x}", a.pc, a.addr, m,
                           a.data[m], b.data[m]);
    }
  }

  std::uint64_t count(defs::TensorCount which) {
    dut->count_rd_i = 1;
    dut->count_index_i = static_cast<unsigned>(which);
    dut->eval();
    dut->count_rd_i = 0;
    return dut->count_o;
  }
  /// The hardware's counters at rest, against the twin and among themselves.
  void expect_counts() {
    using Count = defs::TensorCount;
    EXPECT_EQ(count(Count::PeBusy), twin.engine->pe_work());
    EXPECT_EQ(count(Count::Active), count(Count::Moving) + count(Count::WaitPort) +
                                        count(Count::WaitWeights) + count(Count::WaitTile));
    EXPECT_LE(count(Count::Load), count(Count::Active));
  }
  /// Accumulation starts from known PSUM in both.
  void clear_psum() {
    fill([] { return std::uint16_t{0}; });
    issue(load(kP, 0, kP, 0));
    for (unsigned bank = 0; bank < kSizes.psum_banks; ++bank)
      issue(multiply(kP, 0, kSizes.psum_cols, 0, bank * kSizes.psum_cols * 4));
    drain();
    expect_same(1 + kSizes.psum_banks);
    forget_rows();
  }

  std::uint64_t seed = tb::seed();
  std::mt19937_64 rng{seed};
  VerilatedContext context;
  std::unique_ptr<typename C::Dut> dut;
  std::optional<defs::Instr> held;  ///< a load
  cmodel::Sbuf sbuf{kSizes};
  cmodel::Psum psum{kSizes};
  Rows twin_rows;
  struct Twin {  // assignable
    std::unique_ptr<cmodel::TensorEngine> engine;
    Twin& operator=(cmodel::TensorEngine&& e) {
      engine = std::make_unique<cmodel::TensorEngine>(e);
      return *this;
    }
    ErrorCause execute(const defs::Instr& instr, std::uint32_t pc) {
      return engine->execute(instr, pc);
    }
  } twin;
  std::vector<Row> rtl_rows, lower_rows;
  std::vector<std::uint64_t> moving_reads, lower_reads;
  std::vector<std::size_t> done_rows;
  std::uint64_t cycle = 0;
  unsigned done = 0;
  std::uint32_t next_pc = 0;
  ErrorCause last_cause = ErrorCause::None;
};

using Configs = testing::Types<Config<Vtensor_engine_mini, defs::kMini>,
                               Config<Vtensor_engine_inf2, defs::kInf2>>;

}  // namespace tensor
