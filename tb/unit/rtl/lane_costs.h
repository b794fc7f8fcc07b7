// SPDX-License-Identifier: Apache-2.0
// What instructions of the vector and the activation engine cost, one behind the other: the table
// of rtl/README.md, and beside it what is published (AWS Neuron SDK 2.26.1, nki.isa). The engines'
// tests hold the RTL against the table; `scripts/dodeca bench instructions` prints both.
#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rtl/defs/gen/instructions.h"

namespace tb {

/// Cycles for n elements of a partition: max(floor, n * times / over) + fixed.
struct Cycles {
  unsigned times = 1, over = 1, floor = 0, fixed = 0;

  unsigned busy(unsigned n) const { return n * times / over; }
  unsigned of(unsigned n) const { return std::max(floor, busy(n)) + fixed; }
  std::string text() const {
    std::string text = times == 0 ? "" : times == 1 ? "N" : fmt::format("{}N", times);
    if (over > 1) text += fmt::format("/{}", over);
    if (floor)
      text = text.empty() ? fmt::format("{}", floor) : fmt::format("max({}, {})", floor, text);
    if (fixed) text += fmt::format("{}{}", text.empty() ? "" : " + ", fixed);
    return text;
  }
};

struct LaneCost {
  defs::Instr instr;
  unsigned reads;  ///< cycles in which it reads SBUF or PSUM
  Cycles cycles;
  std::optional<Cycles> published = {};
  std::string_view note = {};  ///< what else tells it from others of the table

  unsigned elements() const { return instr.size0 * instr.size1 * instr.size2 * instr.size3; }
  /// "TENSOR_TENSOR Add"
  std::string name() const {
    const auto& row = *defs::row_of(instr.opcode);
    return fmt::format("{}{}{}{}{}", row.mnemonic, row.functions ? " " : "",
                       row.functions ? row.function_name(instr.func) : "", note.empty() ? "" : ", ",
                       note);
  }
  /// "Bf16, Fp32 in PSUM -> Bf16"
  std::string formats() const {
    const auto& row = *defs::row_of(instr.opcode);
    const auto format = [](const defs::Operand& operand) {
      const bool psum = operand.space == static_cast<std::uint8_t>(defs::Space::Psum);
      return fmt::format("{}{}", to_string(static_cast<defs::Dtype>(operand.dtype)),
                         psum ? " in PSUM" : "");
    };
    std::string text;
    for (const auto& [used, operand] :
         {std::pair(&row.src0(), &instr.src0), std::pair(&row.src1(), &instr.src1)})
      if (used->used() && operand->space)
        text += fmt::format("{}{}", text.empty() ? "" : ", ", format(*operand));
    return fmt::format("{}{}-> {}", text, text.empty() ? "" : " ", format(instr.dst));
  }
};

/// Instructions on n elements of each partition, operands apart from each other in the first and
/// the last 4,096 bytes of SBUF or in PSUM bank 0. n: a multiple of P/4, at most 512.
class LaneCosts {
 public:
  LaneCosts(const defs::Sizes& sizes, unsigned n) : sizes_(sizes), n_(n) {}

  std::vector<LaneCost> vector() const;
  std::vector<LaneCost> act() const;

  static constexpr unsigned kSrc1 = 2048, kScalar = 3072;  ///< bytes of SBUF; src0 lies at 0

  /// As its row has operands; sources in SBUF, all of that format.
  defs::Instr of(defs::Opcode opcode, defs::Dtype dtype = defs::Dtype::Bf16, std::uint32_t imm = 0,
                 const defs::Scalars& scalars = {}) const {
    const auto& row = *defs::row_of(static_cast<std::uint8_t>(opcode));
    const auto space = static_cast<std::uint8_t>(defs::Space::Sbuf);
    const auto format = static_cast<std::uint8_t>(dtype);
    defs::Instr instr;
    instr.opcode = static_cast<std::uint8_t>(opcode);
    instr.imm = imm;
    instr.partitions = static_cast<std::uint8_t>(sizes_.partitions);
    instr.size0 = static_cast<std::uint16_t>(n_);
    instr.size1 = instr.size2 = instr.size3 = 1;
    if (row.src0().used()) instr.src0 = {.space = space, .dtype = format, .stride0 = 1};
    if (row.src1().used() && row.src1().walk != defs::Walk::One)
      instr.src1 = {.space = space, .dtype = format, .offset = kSrc1, .stride0 = 1};
    instr.dst = {.space = space, .dtype = format, .offset = sizes_.sbuf_bytes - 4096, .stride0 = 1};
    if (row.dst().walk == defs::Walk::Outer) instr.dst.stride0 = 0;
    if (scalars != defs::Scalars{}) instr.src1 = defs::Operand::from(scalars.words());
    return instr;
  }
  static defs::Instr with(defs::Instr instr, defs::AluOp func) {
    instr.func = static_cast<std::uint8_t>(func);
    return instr;
  }
  static defs::Instr with(defs::Instr instr, defs::ActFunc func) {
    instr.func = static_cast<std::uint8_t>(func);
    return instr;
  }
  static defs::Instr to(defs::Instr instr, defs::Dtype dtype) {
    instr.dst.dtype = static_cast<std::uint8_t>(dtype);
    return instr;
  }
  static defs::Instr rounded(defs::Instr instr) {
    instr.dst.stochastic = instr.dst.saturate = 1;
    return instr;
  }
  static defs::Operand psum() {
    return {.space = static_cast<std::uint8_t>(defs::Space::Psum), .stride0 = 1};
  }

 private:
  static constexpr std::uint32_t kOne = 0x3f80;  ///< 1 in bf16
  static constexpr std::string_view kRounded = "rounded at random",
                                    kAll = "a scalar in SBUF, sums, rounded at random";

  const defs::Sizes& sizes_;
  unsigned n_;
};

inline std::vector<LaneCost> LaneCosts::vector() const {
  using enum defs::Opcode;
  using enum defs::Dtype;
  using enum defs::AluOp;
  constexpr Cycles kSame{.floor = 64}, kTwice{.times = 2, .floor = 64};
  const unsigned n = n_, quarter = sizes_.partitions / 4;
  constexpr std::uint32_t kImmediate = 1 << 6, kSbuf = 2 << 6;
  const defs::Scalar immediate{.kind = 1, .value = kOne << 16}, sbuf{.kind = 2, .value = kScalar};
  const auto src1_in_psum = [](defs::Instr instr) {
    instr.src1 = psum();
    return instr;
  };
  auto from_psum = to(of(TensorCopy), Bf16);
  from_psum.src0 = psum();
  auto predicated = of(CopyPredicated);
  predicated.src0.dtype = static_cast<std::uint8_t>(Uint16);
  auto shuffle = of(StreamShuffle);
  shuffle.src1 = {.space = 1, .dtype = static_cast<std::uint8_t>(Uint8), .offset = kSrc1};
  auto transpose = of(Transpose);
  transpose.size0 = static_cast<std::uint16_t>(quarter);
  transpose.size1 = static_cast<std::uint16_t>(n / quarter);
  transpose.src0.stride1 = transpose.dst.stride1 = static_cast<std::int16_t>(quarter);
  auto aggregate = of(BnAggr);
  const unsigned triples = (n + 2) / 3 * 3;
  aggregate.size0 = static_cast<std::uint16_t>(triples);

  return {
      {of(TensorCopy), n, {.fixed = 5}, kSame},
      {rounded(of(TensorCopy)), n, {.fixed = 5}, kSame, kRounded},
      {to(of(TensorCopy, Fp32), Fp8E4M3), n, {.fixed = 5}, kSame},
      {of(TensorCopy, Int32), n, {.fixed = 5}, kSame},
      {from_psum, n, {.fixed = 5}, kSame},
      {of(TensorReduce), n / 4, {.over = 2, .fixed = 6}, Cycles{.over = 2}},
      {with(of(TensorReduce), Max), n / 4, {.over = 2, .fixed = 6}, Cycles{.over = 2}},
      {to(of(TensorReduce), Fp32), n, {.fixed = 5}, Cycles{}},
      {with(of(TensorTensor), Add), n / 2, {.fixed = 6}, kSame},
      {with(of(TensorTensor), Sub), n / 2, {.fixed = 6}, kSame},
      {with(of(TensorTensor), Mul), n / 2, {.fixed = 6}, kSame},
      {with(of(TensorTensor), Max), 2 * n, {.times = 2, .fixed = 5}, kTwice},
      {of(TensorTensor, Fp16), 2 * n, {.times = 2, .fixed = 5}, kTwice},
      {src1_in_psum(of(TensorTensor)), n, {.fixed = 5}, kSame},
      {predicated, 2 * n, {.times = 2, .fixed = 5}, kTwice},
      {src1_in_psum(predicated), n, {.fixed = 5}, kSame},
      {of(TensorScalar, Bf16, 0, {.first = immediate}), n, {.fixed = 6}, kSame},
      {of(TensorScalar, Bf16, 4, {.second = sbuf, .first = sbuf}),
       n + 2,
       {.fixed = 8},
       kSame,
       "scalars in SBUF"},
      {of(ScalarTensorTensor, Bf16, kOne << 8 | kImmediate),
       2 * n,
       {.times = 2, .fixed = 6},
       Cycles{.times = 2}},
      {with(of(ScalarTensorTensor, Bf16, kOne << 8 | kImmediate | 4), Sub),
       n / 2,
       {.fixed = 7},
       Cycles{}},  // (x - 1) * y
      {of(TensorTensorScan, Bf16, kScalar / 4 << 8 | kSbuf),
       2 * n + 1,
       {.times = 2, .fixed = 7},
       kTwice},
      {of(Select, Bf16, kOne << 8 | kImmediate), 2 * n, {.times = 2, .fixed = 5}},
      {of(Memset, Bf16, 0, {.first = immediate}), 0, {.fixed = 6}, kSame},
      {of(Memset, Bf16, 0, {.first = {.kind = 1}}),
       0,
       {.over = 2, .fixed = 6},
       Cycles{.over = 2, .floor = 64},
       "zeros"},
      {shuffle, n + 1, {.fixed = 6}, kSame},
      {transpose, n, {.fixed = quarter + 6}, kSame},
      {of(BnStats), n, {.fixed = 13}, kSame},
      {aggregate, triples, {.fixed = 13}, Cycles{.times = 13, .over = 3, .floor = 64}},
      {of(Max8), n, {.fixed = 14}, Cycles{}},
      {to(of(FindIndex8), Uint32), n + 8, {.fixed = 22}, Cycles{}},
      {of(MatchReplace8, Bf16, kOne << 8 | kImmediate), n + 8, {.fixed = 14}, Cycles{}},
      {of(Rng, Uint32), 0, {.fixed = 6}},
      {of(Dropout, Bf16, kOne << 8 | kImmediate), n, {.fixed = 6}, kSame},
  };
}

inline std::vector<LaneCost> LaneCosts::act() const {
  using enum defs::Opcode;
  using enum defs::Dtype;
  using enum defs::ActFunc;
  constexpr Cycles kSame{.floor = 64};
  constexpr auto kSums = static_cast<std::uint32_t>(defs::ReduceCommand::ResetReduce);
  const defs::Scalars scalars{.second = {.kind = 2, .value = kScalar},
                              .first = {.kind = 1, .value = kOne << 16}};
  const unsigned n = n_;
  const auto from_psum = [](defs::Instr instr) {
    instr.src0 = psum();
    return instr;
  };
  const auto biased = [](defs::Instr instr) {
    instr.src1 = {.space = 1, .offset = kSrc1};
    return instr;
  };
  const auto relu = with(of(Activate), Relu), exp = with(of(Activate), Exp);
  auto sums = relu;
  sums.imm = kSums;
  const auto scaled = of(ActivateScaled, Bf16, kSums, scalars);
  auto read = of(ActReadAccumulator);
  read.size0 = 1, read.dst.stride0 = 0;
  defs::Instr seed;
  seed.opcode = static_cast<std::uint8_t>(ActSetSeed);
  seed.src1 = defs::Operand::from(defs::Scalars{.first = {.kind = 1, .value = 7}}.words());

  return {
      {relu, n, {.fixed = 5}, kSame},
      {with(of(Activate, Fp32), Copy), n, {.fixed = 5}, kSame},
      {from_psum(relu), n, {.fixed = 5}, kSame},
      {biased(from_psum(relu)), n + 1, {.fixed = 6}, kSame},
      {exp, n, {.fixed = 13}, kSame},
      {biased(from_psum(exp)), n + 1, {.fixed = 14}, kSame},
      {sums, n, {.fixed = 5}, kSame, "sums"},
      {rounded(relu), n, {.fixed = 5}, kSame, kRounded},
      {rounded(with(scaled, Relu)), n + 1, {.fixed = 7}, kSame, kAll},
      {rounded(with(scaled, Exp)), n + 1, {.fixed = 15}, kSame, kAll},
      {read, 0, {.fixed = 5}, Cycles{.times = 0, .floor = 64}},
      {seed, 0, {.times = 0, .fixed = 3}},
  };
}

}  // namespace tb
