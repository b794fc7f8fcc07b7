// SPDX-License-Identifier: Apache-2.0
#include "tb/unit/rtl/lane_instructions.h"

#include <gtest/gtest.h>

#include <iterator>

namespace tb {

std::uint32_t random_word(std::mt19937_64& rng) {
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

defs::Operand LaneInstructions::place(const cmodel::Trips& trips, unsigned partitions,
                                      defs::Space space, defs::Dtype dtype, unsigned base,
                                      unsigned window, bool packed) {
  defs::Operand op;
  op.space = static_cast<std::uint8_t>(space);
  op.dtype = static_cast<std::uint8_t>(dtype);
  do op.partition = static_cast<std::uint8_t>(pick(4) * sizes_.partitions / 4);
  while (cmodel::partition_bad(sizes_, op.partition, partitions));
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

defs::Dtype LaneInstructions::one_of(std::uint64_t formats, const defs::Instr& instr,
                                     std::string_view role) {
  unsigned& turn = format_turns_[{instr.opcode, role, formats}];
  do turn = (turn + 1) % 16;
  while (!(formats >> turn & 1));
  return static_cast<defs::Dtype>(turn);
}

defs::Operand LaneInstructions::random_operand(const defs::OperandRow& row,
                                               const defs::Instr& instr, std::uint64_t formats,
                                               unsigned slot) {
  if (row.may_lie_in(defs::Space::None) && (!row.used() || pick(3) == 0)) return {};
  const auto trips = cmodel::trips_of(instr, row.walk);
  if ((row.psum & formats) && (!(row.sbuf & formats) || pick(3) == 0))
    return place(trips, instr.partitions, defs::Space::Psum,
                 one_of(row.psum & formats, instr, row.role),
                 (pick(sizes_.psum_banks / 4) * 4 + slot % 4) * sizes_.psum_cols * 4,
                 sizes_.psum_cols * 4, pick(2));
  return place(trips, instr.partitions, defs::Space::Sbuf,
               one_of(row.sbuf & formats, instr, row.role), window_base(slot), kWindow / 4,
               pick(2));
}

defs::Scalar LaneInstructions::random_scalar(unsigned partitions, unsigned slot) {
  if (!partitions)  // of an instruction without operands
    return {.kind = static_cast<std::uint8_t>(defs::ScalarKind::Immediate),
            .value = static_cast<std::uint32_t>(rng_())};
  defs::Scalar scalar{.kind = static_cast<std::uint8_t>(defs::ScalarKind::Immediate),
                      .reverse = static_cast<std::uint8_t>(pick(2)),
                      .value = random_word(rng_)};
  if (pick(2)) {
    const auto place =
        random_operand({"scalar", 2, 1, 0, defs::Walk::One, false, false},
                       {.partitions = static_cast<std::uint8_t>(partitions)}, ~0u, slot);
    scalar.kind = static_cast<std::uint8_t>(defs::ScalarKind::Sbuf);
    scalar.value = std::uint32_t{place.partition} << 24 | place.offset;
  }
  return scalar;
}

void LaneInstructions::put_scalars(const defs::InstrRow& row, defs::Instr& instr, unsigned slot) {
  if (row.scalars == defs::ScalarPlace::None) return;
  defs::Scalars scalars{.first = random_scalar(instr.partitions, slot)};
  std::uint8_t func1 = 0;
  if (row.functions && (row.scalars == defs::ScalarPlace::Imm || pick(3))) {
    scalars.second = random_scalar(instr.partitions, slot);
    if (row.is_fused()) do
        func1 = static_cast<std::uint8_t>(pick(64));
      while (!(row.functions >> func1 & 1) || row.is_of_bits(func1) != row.is_of_bits(instr.func));
  }
  if (row.scalars == defs::ScalarPlace::Src1) {
    instr.src1 = defs::Operand::from(scalars.words());
    instr.imm |= func1;
  } else {
    const bool immediate =
        scalars.first.kind == static_cast<std::uint8_t>(defs::ScalarKind::Immediate);
    const std::uint32_t value =
        immediate ? scalars.first.value >> 16 : (scalars.first.value & 0xff'ffffu) / 4;
    instr.imm =
        defs::FusedScalar{static_cast<std::uint16_t>(value), scalars.first.kind, func1}.words()[0];
  }
}

defs::Instr LaneInstructions::next() {
  const auto turns_before = format_turns_;
  const defs::InstrRow* row;
  do row = &defs::kInstructions[pick(defs::kInstructions.size())];
  while (!row->runs_on(engine_));
  defs::Instr instr;
  instr.opcode = static_cast<std::uint8_t>(row->opcode);
  auto& turn = turns_[row->opcode];  // its functions take turns_
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
    instr.partitions = static_cast<std::uint8_t>(
        row->by_quarters() ? (1 + pick(4)) * sizes_.partitions / 4 : 1 + pick(sizes_.partitions));
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
  if (pick(3) == 0 && make_fast(*row, instr)) format_turns_ = turns_before;
  ++met_[row->opcode][instr.func];
  for (unsigned i = 0; i < 3; ++i)
    if (const auto& operand = *cmodel::operands_of(instr)[i]; row->operands[i].used())
      met_formats_[{instr.opcode, i, operand.space}] |= 1u << operand.dtype;
  return instr;
}

bool LaneInstructions::make_fast(const defs::InstrRow& row, defs::Instr& instr) {
  if (row.form == defs::Form::Fill) return make_zeros(instr), true;
  if (row.dst().walk == defs::Walk::Outer && instr.func < 3) return make_twice(instr), true;
  return row.functions && row.src1().used() && row.src1().walk == defs::Walk::All &&
         make_quick(row, instr);
}

void LaneInstructions::make_zeros(defs::Instr& instr) {
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

void LaneInstructions::make_twice(defs::Instr& instr) {
  instr.size0 = static_cast<std::uint16_t>(4 * (1 + pick(4)));
  if (pick(2)) instr.size2 = 1;
  instr.size1 = static_cast<std::uint16_t>(1 + pick(2)), instr.size3 = 1;
  instr.src0 = place(cmodel::trips_of(instr), instr.partitions, defs::Space::Sbuf,
                     defs::Dtype::Bf16, window_base(4), kWindow / 4, true);
  instr.src0.offset &= ~7u;
  instr.dst = place(cmodel::trips_of(instr, defs::Walk::Outer), instr.partitions, defs::Space::Sbuf,
                    defs::Dtype::Bf16, window_base(6), kWindow / 4, pick(2));
}

bool LaneInstructions::make_quick(const defs::InstrRow& row, defs::Instr& instr) {
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
  rows_split_ += rows && instr.size0 % 4;
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

cmodel::Trips LaneInstructions::random_trips() {
  cmodel::Trips trips;
  for (auto& trip : trips) trip = static_cast<std::uint16_t>(1 + pick(3));
  trips[pick(4)] = static_cast<std::uint16_t>(1 + pick(8));
  while (trips[0] * trips[1] * trips[2] * trips[3] > 60) trips[pick(4)] = 1;
  return trips;
}

cmodel::Trips LaneInstructions::trips_for(const defs::InstrRow& row) {
  while (true) {
    auto trips = random_trips();
    if (row.form == defs::Form::Transpose)
      trips = {static_cast<std::uint16_t>(sizes_.partitions / 4),
               static_cast<std::uint16_t>(1 + pick(2)), 1, static_cast<std::uint16_t>(1 + pick(2))};
    if (row.takes(std::uint64_t{trips[0]} * trips[1] * trips[2] * trips[3])) return trips;
  }
}

void LaneInstructions::set_sizes(defs::Instr& instr, const cmodel::Trips& trips) {
  instr.size0 = trips[0], instr.size1 = trips[1], instr.size2 = trips[2], instr.size3 = trips[3];
}

void LaneInstructions::expect_all_drawn(bool formats) const {
  if (engine_ == defs::Engine::Vector) EXPECT_GT(rows_split_, 0u);
  for (const auto& row : defs::kInstructions) {
    if (!row.runs_on(engine_)) continue;
    const auto drawn = met_.find(row.opcode);
    for (unsigned func = 0; func < 64; ++func)
      EXPECT_TRUE(!((row.functions ? row.functions : 1) >> func & 1) ||
                  (drawn != met_.end() && drawn->second[func]))
          << row.name << " of function " << func << " never ran";
    for (unsigned i = 0; i < 3 && formats; ++i)
      for (const auto space : {defs::Space::Sbuf, defs::Space::Psum}) {
        const unsigned wanted = row.operands[i].formats(space);
        const auto seen =
            met_formats_.find({static_cast<unsigned>(row.opcode), i, static_cast<unsigned>(space)});
        EXPECT_EQ((seen == met_formats_.end() ? 0 : seen->second) & wanted, wanted)
            << row.name << ' ' << row.operands[i].role;
      }
  }
}

}  // namespace tb
