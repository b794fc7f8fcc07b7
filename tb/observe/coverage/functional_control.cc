// SPDX-License-Identifier: Apache-2.0
// What sequencers executed: visits to instructions, and bins of registers, branches, resolved
// fields.
#include <fmt/format.h>

#include <array>
#include <string_view>

#include "cmodel/machine/instruction.h"
#include "tb/observe/coverage/functional.h"
#include "tb/observe/coverage/functional_names.h"

namespace tb {
namespace {

using defs::Instr;
using defs::Overlay;

constexpr std::array<std::string_view, 3> kIndexed{"src0", "src1", "dst"};
constexpr std::array<std::string_view, 4> kMoved{"src", "dst", "index", "rows"};
constexpr std::array<std::string_view, 2> kBranches{"not_taken", "taken"};

}  // namespace

void Functional::make_control_bins() {
  for (const auto op : defs::kEveryRegOp) bin(fmt::format("control.alu.{}", to_string(op)));
  for (const auto condition : defs::kEveryCondition)
    for (const auto branch : kBranches)
      bin(fmt::format("control.branch.{}.{}", to_string(condition), branch));
  for (const auto operand : kIndexed) bin(fmt::format("control.index.{}", operand));
  for (const auto side : kMoved) bin(fmt::format("control.start.{}", side));
  for (unsigned dim = 0; dim < 4; ++dim) bin(fmt::format("control.size.{}", dim));
}

void Functional::executed(const cmodel::StreamId& stream, std::uint32_t pc, const Instr& instr) {
  const Where where{stream.chip, stream.core, stream.engine};
  if (const auto last = last_executed_.find(where);
      last != last_executed_.end() && cmodel::overlay_of(last->second.second) == Overlay::Branch)
    hit(fmt::format("control.branch.{}.{}",
                    to_string(static_cast<defs::Condition>(last->second.second.func)),
                    kBranches[pc != last->second.first + 1]));
  settle(where);
  last_executed_[where] = {pc, instr};
}

void Functional::settle(const Where& where) {
  const auto last = last_executed_.find(where);
  if (last == last_executed_.end()) return;
  const auto& [pc, instr] = last->second;
  if (auto& visits = executed_[where][pc]; visits.size() < kMostVisits) visits.push_back(instr);
  last_executed_.erase(last);
}

void Functional::hit_control(const Instr& written) {
  if (cmodel::overlay_of(written) == Overlay::RegAlu)
    hit(fmt::format("control.alu.{}", to_string(static_cast<defs::RegOp>(written.func))));
  if (cmodel::starts_copy(written)) {
    const auto start = defs::dma_start_of(written);
    const std::array registers{start.src_reg, start.dst_reg, start.index_reg, start.rows_reg};
    for (unsigned i = 0; i < registers.size(); ++i)
      if (registers[i]) hit(fmt::format("control.start.{}", kMoved[i]));
  }
  if (const auto* row = defs::row_of(written.opcode); !row || !row->computes()) return;
  const std::array operands{&written.src0, &written.src1, &written.dst};
  for (unsigned i = 0; i < operands.size(); ++i)
    if (operands[i]->index) hit(fmt::format("control.index.{}", kIndexed[i]));
  if (written.size_reg) hit(fmt::format("control.size.{}", written.size_dim));
}

}  // namespace tb
