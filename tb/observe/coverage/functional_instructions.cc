// SPDX-License-Identifier: Apache-2.0
// Bins of instructions: engines, formats, shapes, waits.
#include <fmt/format.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cmodel/machine/instruction.h"
#include "tb/observe/coverage/functional.h"
#include "tb/observe/coverage/functional_names.h"

namespace tb {
namespace {

using namespace coverage;
using defs::Dtype;
using defs::Instr;
using defs::InstrRow;
using defs::Operand;
using defs::OperandRow;
using defs::Space;

/// Lanes wait for PSUM only: SBUF has a port for everybody. Of what comes before the first row, or
/// of rows that come behind the last element, nothing is seen.
bool seen_in_rows(const InstrRow& row, unsigned source) {
  return row.operands[source].used() && !(source == 1 && row.src1_first()) &&
         !defs::fixed_elements(row.dst().walk);
}
bool can_wait(const InstrRow& row, bool src0_in_psum, bool src1_in_psum) {
  return row.runs_on(Engine::Tensor) || (src0_in_psum && seen_in_rows(row, 0)) ||
         (src1_in_psum && seen_in_rows(row, 1));
}

bool reads_psum(const Operand& o) { return o.space == static_cast<unsigned>(Space::Psum); }
Engine engine_of(const InstrRow& row) {
  for (const Engine engine : kSequencerEngines)
    if (row.runs_on(engine)) return engine;
  return Engine::Sync;
}

/// The operands that have bins of their own, and what they are called there.
std::vector<std::pair<std::string_view, const OperandRow*>> shaped(const InstrRow& row) {
  std::vector<std::pair<std::string_view, const OperandRow*>> out;
  if (row.src0().used()) out.emplace_back("src0", &row.src0());
  if (row.src1().used() && row.src1().walk == defs::Walk::All)
    out.emplace_back("src1", &row.src1());
  if (row.dst().used()) out.emplace_back("dst", &row.dst());
  return out;
}

std::string place(const Operand& o) {
  if (o.space == 0) return "None";
  return fmt::format("{}.{}", to_string(static_cast<Space>(o.space)),
                     to_string(static_cast<Dtype>(o.dtype)));
}

/// BLOCK.function.OPCODE.FUNC
std::string function_name(const InstrRow& row, std::uint8_t func) {
  return fmt::format("{}.function.{}.{}", block(engine_of(row)), row.name, row.function_name(func));
}
/// BLOCK.format.OPCODE.OPERAND.PLACE
std::string format_name(const InstrRow& row, unsigned operand, const Operand& o) {
  constexpr std::array<std::string_view, 3> kOperands{"src0", "src1", "dst"};
  return fmt::format("{}.format.{}.{}.{}", block(engine_of(row)), row.name, kOperands[operand],
                     place(o));
}

/// Products of all formats have tests of their own.
bool has_format_bins(const InstrRow& row) { return !row.runs_on(Engine::Tensor) || row.transposes; }

/// BLOCK.scalar.OPCODE.WHICH.KIND
std::string scalar_name(const InstrRow& row, std::string_view which, defs::ScalarKind kind) {
  return fmt::format("{}.scalar.{}.{}.{}", block(engine_of(row)), row.name, which, to_string(kind));
}
/// BLOCK.second.OPCODE.FUNC
std::string second_name(const InstrRow& row, std::uint8_t func) {
  return fmt::format("{}.second.{}.{}", block(engine_of(row)), row.name, row.function_name(func));
}

/// Do the instruction's sizes say how the operand is walked?
bool has_dimension(const OperandRow& rule) { return !defs::fixed_elements(rule.walk); }
/// Sizes of which a row has no instruction have no bin.
bool has_elements(const InstrRow& row, std::string_view corner) {
  if (corner == "one") return row.takes(1) && row.form != defs::Form::Transpose;
  return corner == "even" || row.form != defs::Form::Transpose;
}
/// BLOCK.rounding.OPCODE.HOW
std::string rounding_name(const InstrRow& row, std::string_view how) {
  return fmt::format("{}.rounding.{}.{}", block(engine_of(row)), row.name, how);
}
/// BLOCK.sums.OPCODE.COMMAND
std::string sums_name(const InstrRow& row, defs::ReduceCommand command) {
  return fmt::format("{}.sums.{}.{}", block(engine_of(row)), row.name, to_string(command));
}

/// Corners of how much of P, and of where it starts.
std::string_view partitions_corner(unsigned p, unsigned n) {
  return n == 1 ? "one" : n == p ? "all" : n > p / 2 ? "most" : n > p / 4 ? "half" : "few";
}

constexpr std::array<std::string_view, 4> kStarts{"0", "quarter", "half", "three_quarters"};
constexpr std::array<std::string_view, 5> kCounts{"one", "few", "half", "most", "all"};
constexpr std::array<std::string_view, 4> kSteps{"unit", "gap", "negative", "zero"};
std::string_view step_corner(std::int64_t stride) {
  return stride == 1 ? "unit" : stride == 0 ? "zero" : stride < 0 ? "negative" : "gap";
}

constexpr std::array<std::string_view, 3> kElements{"one", "odd", "even"};
/// The operand whose format counts with back-pressure: the first source, or what a row without one
/// makes.
std::size_t pacing(const InstrRow& row) { return row.src0().used() ? 0 : 2; }
std::string_view elements_corner(unsigned n) { return n == 1 ? "one" : n % 2 ? "odd" : "even"; }

}  // namespace

void Functional::make_instruction_bins() {
  for (const Engine engine : kSequencerEngines) {
    for (const auto op : defs::kEveryWaitOp)
      for (const char* core : {"own", "other"})
        bin(op == defs::WaitOp::None
                ? fmt::format("{}.wait.None", block(engine))
                : fmt::format("{}.wait.{}.{}", block(engine), to_string(op), core));
    for (const auto update : kUpdates) bin(fmt::format("{}.update.{}", block(engine), update));
  }
  for (const InstrRow& row : defs::kInstructions) {
    const auto name = row.name;
    for (const Engine engine : kSequencerEngines)
      if (cmodel::known(static_cast<std::uint8_t>(row.opcode), engine))
        bin(fmt::format("{}.instruction.{}", block(engine), name));
    if (!row.computes()) continue;

    const auto unit = block(engine_of(row));
    if (has_format_bins(row)) make_format_bins(row);
    for (const auto& [operand, rule] : shaped(row)) {
      for (const auto step : kSteps)
        if (rule->walk == defs::Walk::All)
          bin(fmt::format("{}.shape.{}.{}.inner.{}", unit, name, operand, step));
      for (unsigned d = 1; d < 4; ++d)
        if (has_dimension(*rule))
          bin(fmt::format("{}.shape.{}.{}.outer{}.negative", unit, name, operand, d));
      for (const auto start : kStarts)
        if (!rule->columns) bin(fmt::format("{}.shape.{}.{}.start.{}", unit, name, operand, start));
    }
    for (const auto count : kCounts)
      if (count != "one" || !row.by_quarters())
        bin(fmt::format("{}.shape.{}.partitions.{}", unit, name, count));
    for (unsigned dims = 1; dims <= 4; ++dims)
      bin(fmt::format("{}.shape.{}.dims.{}", unit, name, dims));
    for (const auto elements : kElements)
      if (has_elements(row, elements))
        bin(fmt::format("{}.shape.{}.elements.{}", unit, name, elements));
    if (!row.dst().used()) continue;
    // Instruction x format x length x back-pressure.
    for (const Dtype dtype : defs::kEveryDtype) {
      const auto& rule = row.operands[pacing(row)];
      if (!((rule.sbuf | rule.psum) >> static_cast<unsigned>(dtype) & 1)) continue;
      for (const std::string_view elements : {"odd", "even"})
        for (const char* flow : {"flowing", "stalled"})
          if (has_elements(row, elements) &&
              (*flow == 'f' || can_wait(row, row.src0().psum >> static_cast<unsigned>(dtype) & 1,
                                        row.src1().may_lie_in(Space::Psum))))
            bin(fmt::format("{}.pressure.{}.{}.{}.{}", unit, name, to_string(dtype), elements,
                            flow));
    }
  }
  for (unsigned bank = 0; bank < sizes_.psum_banks; ++bank)
    for (const char* use :
         {"tensor.psum.{}.store", "tensor.psum.{}.accumulate", "vector.psum.{}.read",
          "act.psum.{}.read", "vector.psum.{}.store", "act.psum.{}.store"})
      bin(fmt::format(fmt::runtime(use), bank));
}

void Functional::make_format_bins(const InstrRow& row) {
  const bool fused = row.scalars != defs::ScalarPlace::None;
  const bool pair = row.scalars == defs::ScalarPlace::Src1 && row.functions;
  for (const auto kind : defs::kEveryScalarKind) {
    if (!fused || kind == defs::ScalarKind::Register) continue;  // what is executed has none
    if (kind != defs::ScalarKind::None) bin(scalar_name(row, "first", kind));
    if (pair) bin(scalar_name(row, "second", kind));
  }
  for (const char* how : {"stochastic", "saturate"})
    if (row.dst().rounds) bin(rounding_name(row, how));
  for (const auto command : defs::kEveryReduceCommand)
    if (row.imm == defs::Imm::Accumulator) bin(sums_name(row, command));
  for (unsigned func = 0; func < 64; ++func)
    if (row.is_fused() && row.functions >> func & 1)
      bin(second_name(row, static_cast<std::uint8_t>(func)));
  for (unsigned func = 0; func < 64; ++func)
    if (row.functions >> func & 1) bin(function_name(row, static_cast<std::uint8_t>(func)));
  for (unsigned i = 0; i < row.operands.size(); ++i)
    for (const Space space : defs::kEverySpace)
      for (const Dtype dtype : defs::kEveryDtype) {
        const OperandRow& rule = row.operands[i];
        Operand o;
        o.space = static_cast<std::uint8_t>(space);
        o.dtype = static_cast<std::uint8_t>(dtype);
        if (rule.used() && rule.may_lie_in(space) &&
            (space == Space::None || rule.formats(space) >> o.dtype & 1))
          bin(format_name(row, i, o));
      }
}

void Functional::hit_instruction(const Where& where, std::uint32_t pc, const Instr& i) {
  const auto [chip, core, engine] = where;
  const auto* row = defs::row_of(i.opcode);
  if (!row) return;
  const auto name = row->name;
  const auto unit = block(static_cast<Engine>(engine));
  hit(fmt::format("{}.instruction.{}", unit, name));
  const auto wait = static_cast<defs::WaitOp>(i.wait_op);
  hit(wait == defs::WaitOp::None
          ? fmt::format("{}.wait.None", unit)
          : fmt::format("{}.wait.{}.{}", unit, to_string(wait),
                        unsigned{i.wait_sem} >> 8 == core ? "own" : "other"));
  hit(fmt::format("{}.update.{}", unit,
                  update_corner(i.update, i.update_sem, i.update_delta, core)));
  if (!row->computes()) return;
  if (has_format_bins(*row)) {
    if (row->functions) hit(function_name(*row, i.func));
    if (row->scalars != defs::ScalarPlace::None) {
      const auto scalars = cmodel::scalars_of(i);
      hit(scalar_name(*row, "first", static_cast<defs::ScalarKind>(scalars.first.kind)));
      if (row->scalars == defs::ScalarPlace::Src1 && row->functions)
        hit(scalar_name(*row, "second", static_cast<defs::ScalarKind>(scalars.second.kind)));
      if (const auto func1 = cmodel::second_function(i)) hit(second_name(*row, *func1));
    }
    if (i.dst.stochastic) hit(rounding_name(*row, "stochastic"));
    if (i.dst.saturate) hit(rounding_name(*row, "saturate"));
    if (row->imm == defs::Imm::Accumulator) hit(sums_name(*row, cmodel::reduce_command(i)));
    for (unsigned o = 0; o < row->operands.size(); ++o)
      if (row->operands[o].used()) hit(format_name(*row, o, *cmodel::operands_of(i)[o]));
  }

  const unsigned p = sizes_.partitions;
  const std::array<unsigned, 4> sizes{i.size0, i.size1, i.size2, i.size3};
  unsigned dims = 1, elements = 1;
  for (unsigned d = 0; d < 4; ++d) {
    elements *= sizes[d];
    if (sizes[d] > 1) dims = d + 1;
  }
  for (const auto& [operand, rule] : shaped(*row)) {
    const Operand& o = rule == &row->dst() ? i.dst : rule == &row->src1() ? i.src1 : i.src0;
    const std::array strides{o.stride0, o.stride1, o.stride2, o.stride3};
    for (unsigned d = 1; d < 4; ++d)
      if (has_dimension(*rule) && sizes[d] > 1 && strides[d] < 0)
        hit(fmt::format("{}.shape.{}.{}.outer{}.negative", unit, name, operand, d));
    if (sizes[0] > 1 && rule->walk == defs::Walk::All)
      hit(fmt::format("{}.shape.{}.{}.inner.{}", unit, name, operand, step_corner(o.stride0)));
    if (!rule->columns)
      hit(fmt::format("{}.shape.{}.{}.start.{}", unit, name, operand,
                      kStarts[o.partition * 4 / p]));
    if (o.space == static_cast<unsigned>(Space::Psum))
      hit(fmt::format("{}.psum.{}.{}", unit, o.offset / (sizes_.psum_cols * 4),
                      rule != &row->dst() ? "read"
                      : i.accumulate      ? "accumulate"
                                          : "store"));
  }
  hit(fmt::format("{}.shape.{}.partitions.{}", unit, name, partitions_corner(p, i.partitions)));
  hit(fmt::format("{}.shape.{}.dims.{}", unit, name, dims));
  hit(fmt::format("{}.shape.{}.elements.{}", unit, name, elements_corner(elements)));
  if (!row->dst().used()) return;
  if (elements == 1) return;
  for (const auto& [flow, seen] : {std::pair{"flowing", &flowed_}, std::pair{"stalled", &stalled_}})
    if (seen->contains({where, pc}) &&
        (*flow == 'f' || can_wait(*row, reads_psum(i.src0), reads_psum(i.src1))))
      hit(fmt::format("{}.pressure.{}.{}.{}.{}", unit, name,
                      to_string(static_cast<Dtype>(cmodel::operands_of(i)[pacing(*row)]->dtype)),
                      elements_corner(elements), flow));
}

}  // namespace tb
