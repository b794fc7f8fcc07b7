// SPDX-License-Identifier: Apache-2.0
// Bench for the lane engines: a Verilated engine with modelled SBUF and PSUM ports beside its twin.
#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "cmodel/machine/access_pattern.h"
#include "cmodel/machine/commit.h"
#include "cmodel/machine/instruction.h"
#include "cmodel/machine/lane_engine.h"
#include "cmodel/machine/psum.h"
#include "cmodel/machine/sbuf.h"
#include "tb/base/seed.h"

namespace tb {

inline cmodel::StreamId stream_of(defs::Engine engine) {
  return {.engine = static_cast<std::uint8_t>(engine)};
}

/// A row as it was written, with everything a commit says.
struct Row {
  std::uint32_t pc, addr;
  unsigned first, count, bytes;
  std::vector<std::uint32_t> values;
  bool psum = false;
  std::vector<bool> skipped = {};  ///< lanes that stay; empty: none. Their values are 0
  bool operator==(const Row&) const = default;
};

inline std::string to_string(const Row& row) {
  std::string text =
      fmt::format("pc {} {} {} partitions {}+{} bytes {}:", row.pc, row.psum ? "psum" : "sbuf",
                  row.addr, row.first, row.count, row.bytes);
  for (auto value : row.values) text += fmt::format(" {:x}", value);
  return text;
}

/// Commits of the twin as rows.
class RowSink : public cmodel::CommitSink {
 public:
  void commit(const cmodel::Commit& commit, std::span<const std::uint8_t> data) override {
    const bool psum = commit.kind == cmodel::CommitKind::PsumRow;
    ASSERT_TRUE(psum || commit.kind == cmodel::CommitKind::SbufRow);
    Row row{commit.pc,
            static_cast<std::uint32_t>(commit.addr),
            commit.first,
            commit.count,
            commit.element_bytes,
            std::vector<std::uint32_t>(commit.count),
            psum};
    ASSERT_EQ(data.size(), std::size_t{commit.count} * commit.element_bytes);
    for (unsigned i = 0; i < commit.count; ++i)
      std::memcpy(&row.values[i], &data[i * commit.element_bytes], commit.element_bytes);
    rows.push_back(std::move(row));
  }
  std::vector<Row> rows;
};

/// fp32 bits with the interesting ones often.
inline std::uint32_t random_word(std::mt19937_64& rng) {
  static constexpr std::uint32_t kSpecial[] = {
      0x00000000, 0x80000000, 0x7f800000, 0xff800000, 0x7fc00000, 0xffc12345, 0x7f800001,
      0x00000001, 0x807fffff, 0x00800000, 0x7f7fffff, 0xff7fffff, 0x3f800000, 0xbf800000,
      0x7f7f8000, 0x7f7f7fff, 0x3f808000, 0x3f818000, 0x3f808001, 0x00007fff, 0x00008000,
      0x00018000, 0x3f803f80, 0x80008000, 0x7fc07f80, 0xff807f81};
  switch (rng() % 5) {
    case 0:
      return kSpecial[rng() % std::size(kSpecial)];
    case 2:  // bytes that are numbers of the narrow formats, and places to shift by
      return static_cast<std::uint32_t>(rng() & 0x3f3f3f3f & (rng() % 2 ? ~0u : 0x0f000fu));
    case 1:
      return static_cast<std::uint32_t>(rng());
    default:  // near 1, so that sums cancel and round
      return static_cast<std::uint32_t>((rng() & 0x80ffffff) | ((0x78 + rng() % 14) << 23));
  }
}

/// Config::Dut, Config::engine, Config::sizes.
template <class Config>
class LaneEngineBench : public testing::Test {
 protected:
  static constexpr const defs::Sizes& kSizes = Config::sizes;
  static constexpr unsigned kP = kSizes.partitions;

  LaneEngineBench() {
    context.randReset(2);
    context.randSeed(static_cast<int>(seed & 0x7fffffff));
    fill();
    reset();
  }

  unsigned pick(unsigned limit) { return static_cast<unsigned>(rng() % limit); }

  /// New contents, the same for RTL and twin.
  void fill() {
    std::vector<std::uint32_t> column(kP);
    for (unsigned at = 0; at < kSizes.sbuf_bytes; at += 4) {
      if (at == kWindow) at = kSizes.sbuf_bytes - kWindow;
      for (auto& word : column) word = random_word(rng);
      sbuf.write_column(at, 4, 0, column);
      twin_sbuf.write_column(at, 4, 0, column);
    }
    for (unsigned word = 0; word < kSizes.psum_banks * kSizes.psum_cols; ++word)
      for (auto& value : psum.row(word)) value = random_word(rng);
    twin_psum = psum;
  }

  void reset() {
    dut = std::make_unique<typename Config::Dut>(&context);
    dut->clk_i = 0;
    dut->rst_ni = 0;
    dut->instr_valid_i = 0;
    dut->ps_rd_ready_i = 0;
    dut->eval();
    dut->clk_i = 1;
    dut->eval();
    dut->clk_i = 0;
    dut->rst_ni = 1;
    dut->eval();
    on_its_way.clear();
    landing.clear();
    seen.clear();
    done = 0;
    cycle = 0;
    stall_percent = 0;
    twin = std::make_unique<cmodel::LaneEngine>(kSizes, twin_sbuf, twin_psum, sink,
                                                stream_of(Config::engine));
  }

  /// One clock cycle of engine and memories. Inputs are set before; outputs are looked at in it.
  void clock() {
    dut->ps_rd_ready_i = pick(100) >= stall_percent;
    dut->eval();
    accepted = dut->instr_valid_i && dut->instr_ready_o;
    done_now = dut->done_o;
    done += done_now;
    if (done_now) done_cycles.push_back(cycle);
    // sbuf_read_t: {valid, addr 18}; psum_read_t: {valid, addr 16}
    const bool read = dut->rd_o >> 18, psum_asked = dut->ps_rd_o >> 16;
    const bool psum_read = psum_asked && dut->ps_rd_ready_i;
    const unsigned at = dut->rd_o & 0x3ffff, word = dut->ps_rd_o & 0xffff;
    if (read || psum_read) read_cycles.push_back(cycle);
    EXPECT_FALSE(read && psum_asked && !psum_read) << "half a pair";
    // Like sbuf: read first, then what was presented in the cycle before.
    std::vector<std::uint64_t> row(kP);
    if (read) {
      for (unsigned p = 0; p < kP; ++p)
        sbuf.read(p, at & ~7u, {reinterpret_cast<std::uint8_t*>(&row[p]), 8});
    }
    for (const Row& old : on_its_way) write(old);
    on_its_way.clear();
    // sbuf_write_t: {pair, psum, masked, valid, addr 18, bytes 3, first 8, count 8}
    const std::uint64_t wr = dut->wr_o;
    const auto low = static_cast<unsigned>(wr & 0x7ffff);
    if (wr >> 37 & 1) {
      Row out{dut->wr_serial_o,   static_cast<unsigned>(wr >> 19 & 0x3ffff),
              low >> 8 & 0xff,    low & 0xff,
              low >> 16,          {},
              (wr >> 39 & 1) != 0};
      const bool masked = wr >> 38 & 1;
      for (unsigned i = 0; i < out.count; ++i) {
        const bool skipped = masked && dut->wr_skip_o[i];
        out.values.push_back(skipped ? 0 : dut->wr_data_o[i] & ~0u >> (32 - 8 * out.bytes));
        if (masked) out.skipped.push_back(skipped);
      }
      on_its_way.push_back(out);
      if (wr >> 40) {  // two elements of two bytes
        for (auto& value : out.values) EXPECT_EQ(value, 0u);
        out.bytes = 2;
        seen.push_back(out);
        out.addr += 2;
      }
      seen.push_back(out);
    }
    dut->clk_i = 1;
    dut->eval();
    if (read) {
      for (unsigned p = 0; p < kP; ++p) dut->rd_data_i[p] = row[p];
    }
    for (unsigned p = 0; p < kP; ++p)
      dut->ps_rd_data_i[p] = psum_read ? psum.row(word)[p] : static_cast<std::uint32_t>(rng());
    dut->clk_i = 0;
    dut->eval();
    ++cycle;
  }

  void write(const Row& row) {
    for (unsigned i = 0; i < row.count; ++i) {
      if (!row.skipped.empty() && row.skipped[i]) continue;
      if (row.psum)
        psum.row(row.addr / 4)[row.first + i] = row.values[i];
      else
        sbuf.write_column(row.addr, row.bytes, row.first + i, std::span(&row.values[i], 1));
    }
  }

  void drive(const defs::Instr& instr, std::uint32_t pc) {
    const auto words = instr.words();
    for (unsigned i = 0; i < words.size(); ++i) dut->instr_i[i] = words[i];
    dut->serial_i = pc;
    dut->instr_valid_i = 1;
  }

  /// Runs `program` on both; the first rejected instruction must stop the engine for good.
  void run(const std::vector<defs::Instr>& program, unsigned gap_percent) {
    sink.rows.clear();
    auto cause = defs::ErrorCause::None;
    unsigned good = 0;
    std::vector<std::size_t> rows_after;  // rows that must be out when instruction i is done
    for (; good < program.size(); ++good) {
      cause = twin->execute(program[good], 100 + good);
      if (cause != defs::ErrorCause::None) break;
      rows_after.push_back(sink.rows.size());
    }
    unsigned next = 0, quiet = 0;
    while (quiet < 20) {
      dut->instr_valid_i = 0;
      if (next < program.size() && pick(100) >= gap_percent) drive(program[next], 100 + next);
      const unsigned before = done;
      clock();
      next += accepted;
      ASSERT_LE(done - before, 1u);
      if (done != before) {
        ASSERT_LE(done, good);
        ASSERT_EQ(seen.size(), rows_after[done - 1]) << "done before its writes, or late";
        ASSERT_TRUE(on_its_way.empty()) << "done before its last write is visible";
      }
      ASSERT_LE(seen.size(), sink.rows.size());
      while (seen.size() > compared) {
        const auto* row = defs::row_of(program[sink.rows[compared].pc - 100].opcode);
        ASSERT_EQ(to_string(seen[compared]), to_string(sink.rows[compared])) << row->name;
        ++compared;
      }
      const bool over = done == good && (next >= program.size() || dut->error_valid_o);
      quiet = over ? quiet + 1 : 0;
      ASSERT_LT(cycle, 1000000u) << "the engine hangs: " << done << " of " << good << " done";
    }
    dut->instr_valid_i = 0;
    ASSERT_EQ(seen.size(), sink.rows.size());
    ASSERT_EQ(dut->error_valid_o, cause != defs::ErrorCause::None);
    ASSERT_EQ(to_string(static_cast<defs::ErrorCause>(dut->error_cause_o)), to_string(cause));
    if (dut->error_valid_o) {
      ASSERT_EQ(dut->error_serial_o, 100 + good);
      ASSERT_EQ(next, good + 1) << "nothing is accepted after an error";
      ASSERT_FALSE(dut->instr_ready_o);
    }
    ASSERT_FALSE(dut->busy_o);
    rows_checked += seen.size();
    seen.clear();
    compared = 0;
    done = 0;
  }

  /// A legal operand inside `window` bytes at `base` of a partition (PSUM: inside one bank).
  /// `packed`: elements follow each other, innermost dimension first.
  defs::Operand place(const cmodel::Trips& trips, unsigned partitions, defs::Space space,
                      defs::Dtype dtype, unsigned base, unsigned window, bool packed) {
    defs::Operand op;
    op.space = static_cast<std::uint8_t>(space);
    op.dtype = static_cast<std::uint8_t>(dtype);
    do op.partition = static_cast<std::uint8_t>(pick(4) * kP / 4);
    while (cmodel::partition_bad(kSizes, op.partition, partitions));
    const int bytes = static_cast<int>(cmodel::element_bytes(op.dtype));
    for (unsigned attempt = 0;; ++attempt) {
      int strides[4], low = 0, high = bytes, pitch = 1;
      for (unsigned i = 0; i < 4; ++i) {
        strides[i] = packed ? pitch : static_cast<int>(pick(attempt < 8 ? 25 : 3)) - 8;
        if (attempt >= 8 && !packed) strides[i] = static_cast<int>(pick(3)) - 1;
        pitch *= trips[i];
        if (trips[i] == 1) strides[i] = 0;
        (strides[i] < 0 ? low : high) += (trips[i] - 1) * strides[i] * bytes;
      }
      if (high - low > static_cast<int>(window)) {
        if (attempt > 40) packed = true;
        continue;
      }
      const unsigned room = window - static_cast<unsigned>(high - low);
      op.offset = base + static_cast<unsigned>(-low) + pick(room / bytes + 1) * bytes;
      op.stride0 = static_cast<std::int16_t>(strides[0]);
      op.stride1 = static_cast<std::int16_t>(strides[1]);
      op.stride2 = static_cast<std::int16_t>(strides[2]);
      op.stride3 = static_cast<std::int16_t>(strides[3]);
      return op;
    }
  }

  /// They take turns, those of an operand apart.
  defs::Dtype one_of(std::uint64_t formats, const defs::Instr& instr, std::string_view role) {
    unsigned& turn = format_turns[{instr.opcode, role, formats}];
    do turn = (turn + 1) % 16;
    while (!(formats >> turn & 1));
    return static_cast<defs::Dtype>(turn);
  }
  /// As the row says, in SBUF window `slot` or in PSUM; of its formats those in `formats`.
  defs::Operand random_operand(const defs::OperandRow& row, const defs::Instr& instr,
                               std::uint64_t formats, unsigned slot) {
    if (row.may_lie_in(defs::Space::None) && (!row.used() || pick(3) == 0)) return {};
    const auto trips = cmodel::trips_of(instr, row.walk);
    if ((row.psum & formats) && (!(row.sbuf & formats) || pick(3) == 0))
      return place(trips, instr.partitions, defs::Space::Psum,
                   one_of(row.psum & formats, instr, row.role),
                   (pick(kSizes.psum_banks / 4) * 4 + slot % 4) * kSizes.psum_cols * 4,
                   kSizes.psum_cols * 4, pick(2));
    return place(trips, instr.partitions, defs::Space::Sbuf,
                 one_of(row.sbuf & formats, instr, row.role), window_base(slot), kWindow / 4,
                 pick(2));
  }
  defs::Scalar random_scalar(unsigned partitions, unsigned slot) {
    if (!partitions)  // of an instruction without operands
      return {.kind = static_cast<std::uint8_t>(defs::ScalarKind::Immediate),
              .value = static_cast<std::uint32_t>(rng())};
    defs::Scalar scalar{.kind = static_cast<std::uint8_t>(defs::ScalarKind::Immediate),
                        .reverse = static_cast<std::uint8_t>(pick(2)),
                        .value = random_word(rng)};
    if (pick(2)) {
      const auto place =
          random_operand({"scalar", 2, 1, 0, defs::Walk::One, false, false},
                         {.partitions = static_cast<std::uint8_t>(partitions)}, ~0u, slot);
      scalar.kind = static_cast<std::uint8_t>(defs::ScalarKind::Sbuf);
      scalar.value = std::uint32_t{place.partition} << 24 | place.offset;
    }
    return scalar;
  }
  /// Scalars and a second function that goes with the first, as the row has them.
  void put_scalars(const defs::InstrRow& row, defs::Instr& instr, unsigned slot) {
    if (row.scalars == defs::ScalarPlace::None) return;
    defs::Scalars scalars{.first = random_scalar(instr.partitions, slot)};
    std::uint8_t func1 = 0;
    if (row.functions && (row.scalars == defs::ScalarPlace::Imm || pick(3))) {
      scalars.second = random_scalar(instr.partitions, slot);
      if (row.is_fused()) do
          func1 = static_cast<std::uint8_t>(pick(64));
        while (!(row.functions >> func1 & 1) ||
               row.is_of_bits(func1) != row.is_of_bits(instr.func));
    }
    if (row.scalars == defs::ScalarPlace::Src1) {
      instr.src1 = defs::Operand::from(scalars.words());
      instr.imm |= func1;
    } else {
      const bool immediate =
          scalars.first.kind == static_cast<std::uint8_t>(defs::ScalarKind::Immediate);
      const std::uint32_t value =
          immediate ? scalars.first.value >> 16 : (scalars.first.value & 0xff'ffffu) / 4;
      instr.imm = defs::FusedScalar{static_cast<std::uint16_t>(value), scalars.first.kind, func1}
                      .words()[0];
    }
  }
  /// Any legal instruction of the engine.
  defs::Instr random_instr() {
    const auto turns_before = format_turns;
    const defs::InstrRow* row;
    do row = &defs::kInstructions[pick(defs::kInstructions.size())];
    while (!row->runs_on(Config::engine));
    defs::Instr instr;
    instr.opcode = static_cast<std::uint8_t>(row->opcode);
    auto& turn = turns[row->opcode];  // its functions take turns
    while (row->functions && !(row->functions >> turn & 1)) turn = (turn + 1) % 64;
    instr.func = static_cast<std::uint8_t>(turn);
    turn = row->functions ? (turn + 1) % 64 : 0;
    std::uint64_t formats = ~0u;
    const bool pair = row->moves && row->src0().used() && row->dst().used();
    if (row->is_of_bits(instr.func) || pair) {
      const std::uint64_t narrow = ~(defs::kDtypeBytes2 | defs::kDtypeBytes4);
      const std::uint64_t sizes[] = {defs::kDtypeBytes4, defs::kDtypeBytes2, narrow};
      formats = (pair ? ~0u : defs::kDtypeInteger) & sizes[pick(3)];
    }
    if (row->computes()) {
      instr.partitions =
          static_cast<std::uint8_t>(row->by_quarters() ? (1 + pick(4)) * kP / 4 : 1 + pick(kP));
      set_sizes(instr, trips_for(*row));
    }
    if (row->imm == defs::Imm::Reduction) instr.imm = pick(8);
    if (row->imm == defs::Imm::Accumulator) instr.imm = pick(3) ? pick(4) : 2;
    const unsigned slot = pick(8);
    instr.src0 = random_operand(row->src0(), instr, formats, slot);
    auto second = row->src1();
    if (row->one_in_psum && instr.src0.space == static_cast<std::uint8_t>(defs::Space::Psum))
      second.psum = 0;
    instr.src1 = random_operand(second, instr, pair ? ~0u : formats, (slot + 1) % 8);
    put_scalars(*row, instr, (slot + 3) % 8);
    instr.dst = random_operand(row->dst(), instr, formats, (slot + 2) % 8);
    if (row->src0().used() && row->src0().sbuf == row->dst().sbuf &&
        row->dst().walk == defs::Walk::All && pick(6) == 0 &&
        row->scalars != defs::ScalarPlace::Imm)  // in place
      instr.src0 = instr.dst = place(cmodel::trips_of(instr), instr.partitions, defs::Space::Sbuf,
                                     one_of(row->dst().sbuf & formats, instr, "in place"),
                                     window_base((slot + 2) % 8), kWindow / 4, true);
    if (row->dst().rounds && !row->is_of_bits(instr.func)) {
      instr.dst.stochastic = pick(3) == 0;
      instr.dst.saturate = pick(3) == 0;
    }
    // What is faster than usual, often; then formats have not had their turn.
    if (pick(3) == 0 && make_fast(*row, instr)) format_turns = turns_before;
    ++met[row->opcode][instr.func];
    for (unsigned i = 0; i < 3; ++i)
      if (const auto& operand = *cmodel::operands_of(instr)[i]; row->operands[i].used())
        met_formats[{instr.opcode, i, operand.space}] |= 1u << operand.dtype;
    return instr;
  }
  /// Into one of the cases that take fewer cycles, if the row has one.
  bool make_fast(const defs::InstrRow& row, defs::Instr& instr) {
    if (row.form == defs::Form::Fill) return make_zeros(instr), true;
    if (row.dst().walk == defs::Walk::Outer && instr.func < 3) return make_twice(instr), true;
    return row.functions && row.src1().used() && row.src1().walk == defs::Walk::All &&
           make_quick(row, instr);
  }
  /// Zeros of two bytes, next to each other.
  void make_zeros(defs::Instr& instr) {
    const defs::Scalars zero{
        .first = {.kind = static_cast<std::uint8_t>(defs::ScalarKind::Immediate)}};
    instr.src1 = defs::Operand::from(zero.words());
    instr.size0 = static_cast<std::uint16_t>(2 * (1 + pick(4)));
    const auto trips = cmodel::trips_of(instr);
    const auto dtype = pick(2) ? defs::Dtype::Bf16 : defs::Dtype::Fp16;
    instr.dst =
        place(trips, instr.partitions, defs::Space::Sbuf, dtype, window_base(6), kWindow / 4, true);
    instr.dst.offset &= ~3u;
    if (pick(2)) instr.dst.stride1 = static_cast<std::int16_t>(-instr.dst.stride1);
    if (instr.dst.stride1 < 0)
      instr.dst.offset += static_cast<unsigned>(-instr.dst.stride1 * (instr.size1 - 1) * 2);
  }
  /// A reduction of bf16 in whole words.
  void make_twice(defs::Instr& instr) {
    instr.size0 = static_cast<std::uint16_t>(4 * (1 + pick(4)));
    if (pick(2)) instr.size2 = 1;
    instr.size1 = static_cast<std::uint16_t>(1 + pick(2)), instr.size3 = 1;
    instr.src0 = place(cmodel::trips_of(instr), instr.partitions, defs::Space::Sbuf,
                       defs::Dtype::Bf16, window_base(4), kWindow / 4, true);
    instr.src0.offset &= ~7u;
    instr.dst = place(cmodel::trips_of(instr, defs::Walk::Outer), instr.partitions,
                      defs::Space::Sbuf, defs::Dtype::Bf16, window_base(6), kWindow / 4, pick(2));
  }
  /// Sources of bf16 in whole words, and functions for which they take a cycle for an element. Rows
  /// begin with a word; where they end inside one, the rest of it belongs to nobody.
  bool make_quick(const defs::InstrRow& row, defs::Instr& instr) {
    const unsigned func = instr.func;
    if (row.form != defs::Form::Elementwise || func > 4 || func == 2 || func == 3) return false;
    if (row.is_fused()) {
      if (func != static_cast<unsigned>(defs::AluOp::Sub)) return false;
      auto imm = defs::FusedScalar::from({instr.imm});
      imm.func1 = static_cast<std::uint8_t>(defs::AluOp::Mul);
      instr.imm = imm.words()[0];
    }
    const bool rows = instr.size1 * instr.size2 * instr.size3 > 1;
    if (rows) instr.size0 = static_cast<std::uint16_t>(2 + pick(7));
    auto words = cmodel::trips_of(instr);
    if (rows) words[0] = static_cast<std::uint16_t>((instr.size0 + 3) & ~3);
    while (words[0] * instr.size1 * instr.size2 * instr.size3 > 96)
      instr.size1 > 1 ? instr.size1 = 1 : instr.size2 > 1 ? instr.size2 = 1 : instr.size3 = 1;
    for (unsigned i = 1; i < 4; ++i) words[i] = cmodel::trips_of(instr)[i];
    rows_split += rows && instr.size0 % 4;
    const auto trips = cmodel::trips_of(instr);
    defs::Operand* const sources[] = {&instr.src0, &instr.src1};
    const unsigned scalar_partition = instr.src0.partition;
    for (unsigned s = 0; s < 2; ++s) {
      *sources[s] = place(words, instr.partitions, defs::Space::Sbuf, defs::Dtype::Bf16,
                          window_base(4 + s), kWindow / 4, true);
      sources[s]->offset &= ~7u;
    }
    if (row.scalars == defs::ScalarPlace::Imm)
      instr.src0.partition = static_cast<std::uint8_t>(scalar_partition);
    instr.dst = place(trips, instr.partitions, defs::Space::Sbuf, defs::Dtype::Fp32, window_base(6),
                      kWindow / 4, pick(2));
    return true;
  }
  void random_programs(unsigned programs) {
    SCOPED_TRACE(tb::repro(seed));
    for (unsigned round = 0; round < programs; ++round) {
      SCOPED_TRACE(fmt::format("program {}", round));
      stall_percent = pick(3) * 30;
      std::vector<defs::Instr> program(12);
      for (auto& instr : program) instr = random_instr();
      run(program, pick(3) * 40);
      if (HasFatalFailure()) return;
      if (round % 10 == 0) fill();
    }
    EXPECT_GT(rows_checked, 1000u);
    if (Config::engine == defs::Engine::Vector) EXPECT_GT(rows_split, 0u);
    for (const auto& row : defs::kInstructions)
      for (unsigned func = 0; func < 64 && row.runs_on(Config::engine); ++func)
        EXPECT_TRUE(!((row.functions ? row.functions : 1) >> func & 1) || met[row.opcode][func])
            << row.name << " of function " << func << " never ran";
    for (const auto& row : defs::kInstructions)
      for (unsigned i = 0; i < 3 && row.runs_on(Config::engine) && programs >= 300; ++i)
        for (const auto space : {defs::Space::Sbuf, defs::Space::Psum}) {
          const unsigned formats = row.operands[i].formats(space);
          const auto opcode = static_cast<std::uint8_t>(row.opcode);
          const unsigned seen_formats = met_formats[{opcode, i, static_cast<unsigned>(space)}];
          EXPECT_EQ(seen_formats & formats, formats) << row.name << ' ' << row.operands[i].role;
        }
  }
  cmodel::Trips random_trips() {
    cmodel::Trips trips;
    for (auto& trip : trips) trip = static_cast<std::uint16_t>(1 + pick(3));
    trips[pick(4)] = static_cast<std::uint16_t>(1 + pick(8));
    while (trips[0] * trips[1] * trips[2] * trips[3] > 60) trips[pick(4)] = 1;
    return trips;
  }
  /// Sizes that the row takes.
  cmodel::Trips trips_for(const defs::InstrRow& row) {
    while (true) {
      auto trips = random_trips();
      if (row.form == defs::Form::Transpose)
        trips = {static_cast<std::uint16_t>(kP / 4), static_cast<std::uint16_t>(1 + pick(2)), 1,
                 static_cast<std::uint16_t>(1 + pick(2))};
      if (row.takes(std::uint64_t{trips[0]} * trips[1] * trips[2] * trips[3])) return trips;
    }
  }
  void set_sizes(defs::Instr& instr, const cmodel::Trips& trips) {
    instr.size0 = trips[0], instr.size1 = trips[1], instr.size2 = trips[2], instr.size3 = trips[3];
  }

  /// Slips that must be rejected, one cause each; `instr` is legal with all operands in SBUF.
  struct Slip {
    defs::ErrorCause cause;
    void (*make)(defs::Instr&);
  };
  void expect_refused(const defs::Instr& legal, const std::vector<Slip>& slips) {
    for (std::size_t i = 0; i < slips.size(); ++i) {
      SCOPED_TRACE(fmt::format("slip {}", i));
      defs::Instr bad = legal;
      slips[i].make(bad);
      reset();
      sink.rows.clear();
      ASSERT_EQ(to_string(twin->execute(bad, 0)), to_string(slips[i].cause));
      ASSERT_TRUE(sink.rows.empty());
      run({legal, bad, legal}, 0);
    }
  }

  static constexpr unsigned kWindow = 4096;  ///< bytes in use at both ends of the partition
  static unsigned window_base(unsigned slot) {
    return (slot < 4 ? 0 : kSizes.sbuf_bytes - kWindow) + slot % 4 * (kWindow / 4);
  }

  std::uint64_t seed = tb::seed();
  std::mt19937_64 rng{seed};
  VerilatedContext context;
  std::unique_ptr<typename Config::Dut> dut;
  cmodel::Sbuf sbuf{kSizes}, twin_sbuf{kSizes};
  cmodel::Psum psum{kSizes}, twin_psum{kSizes};
  RowSink sink;
  std::unique_ptr<cmodel::LaneEngine> twin;  ///< what it keeps, it keeps until reset()
  std::deque<Row> on_its_way, landing;
  std::vector<Row> seen;
  std::vector<std::uint64_t> done_cycles, read_cycles;
  unsigned done = 0, stall_percent = 0;
  std::size_t compared = 0, rows_checked = 0;
  unsigned rows_split = 0;  ///< instructions of make_quick() whose rows end inside a word
  std::uint64_t cycle = 0;
  bool accepted = false, done_now = false;
  std::map<defs::Opcode, std::array<unsigned, 64>> met;  ///< by function
  std::map<defs::Opcode, unsigned> turns;
  std::map<std::tuple<unsigned, std::string_view, std::uint64_t>, unsigned> format_turns;
  std::map<std::array<unsigned, 3>, unsigned> met_formats;  ///< by opcode, operand and space
};

}  // namespace tb
