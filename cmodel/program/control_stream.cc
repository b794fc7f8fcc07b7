// SPDX-License-Identifier: Apache-2.0
#include "cmodel/program/control_stream.h"

#include <fmt/format.h>

#include "cmodel/machine/hbm.h"
#include "cmodel/program/assembler.h"

namespace cmodel {

Register ControlStream::reg(Where at) {
  at_ = at;
  if (registers_ + 1 == defs::kRegisters)
    fail(fmt::format("no register left, allowed {} at a time", defs::kRegisters - 1));
  return {chip_, core_, engine_, ++registers_};
}

void ControlStream::emit_control(const defs::Instr& instr) {
  check_no_size();
  emit(instr);
}

void ControlStream::alu(defs::RegOp op, Register to, Register a, Register b, std::uint32_t value,
                        Where at) {
  at_ = at;
  emit_control(defs::encode_reg_alu(op, {number(to), number(a), number(b), value}));
}

void ControlStream::add(Register to, std::int64_t value, Where at) {
  at_ = at;
  alu(defs::RegOp::Add, to, to, zero(), word(value), at);
}

void ControlStream::load(Register to, const Block& from, Register index, unsigned byte, Where at) {
  at_ = at;
  const std::uint64_t addr = from.addr + byte;
  if (from.chip != chip_) fail(fmt::format("load from chip {}, allowed {}", from.chip, chip_));
  if (addr % 4 || !Hbm::mapped(addr, 4))
    fail(fmt::format("load from 0x{:x}, allowed multiples of 4 in HBM", addr));
  emit_control(defs::encode_reg_load({number(to), number(index), addr}));
}

// ------------------------------------------------------------------------------------- labels

std::size_t ControlStream::add_label() {
  labels_.emplace_back();
  return labels_.size() - 1;
}

Label ControlStream::here(Where at) {
  const Label label = ahead();
  place(label, at);
  return label;
}

void ControlStream::place(Label label, Where at) {
  at_ = at;
  if (label.stream != this) fail("label of another stream, allowed: of this one");
  Target& target = labels_[label.number];
  if (target.pc)
    fail(fmt::format("second place of a label that is at pc {}, allowed one", *target.pc));
  if (wait_) emit({});  // what was waited for before the label is not waited for behind it
  target.pc = static_cast<std::uint32_t>(instructions_.size());
  closed_ = instructions_.size();
  for (const auto& [pc, where] : target.branches) {
    defs::Instr& instr = instructions_[pc];
    auto branch = defs::branch_of(instr);
    const auto before = branch;
    branch.target = *target.pc;
    instr = with_overlay(instr, before, branch);
  }
}

void ControlStream::branch(defs::Condition condition, Register a, Register b, Label to,
                           std::int64_t add, Where at) {
  at_ = at;
  if (to.stream != this) fail("branch to a label of another stream, allowed: of this one");
  defs::Branch operands;
  operands.ra = number(a);
  operands.rb = number(b);
  operands.add = word(add);
  Target& target = labels_[to.number];
  operands.target = target.pc.value_or(0);
  emit_control(defs::encode_branch(condition, operands));
  closed_ = instructions_.size();
  if (!target.pc)
    target.branches.push_back({static_cast<std::uint32_t>(instructions_.size() - 1), at});
}

void ControlStream::check_labels() {
  for (const Target& target : labels_)
    if (!target.pc && !target.branches.empty()) {
      at_ = target.branches.front().second;
      fail(fmt::format("branch at pc {} to a label without a place, allowed: here() or place()",
                       target.branches.front().first));
    }
}

// -------------------------------------------------------------------------------------- loops

ControlStream::OpenLoop ControlStream::open_loop(Turns turns, unsigned step, Where at) {
  at_ = at;
  const std::uint64_t most = UINT32_MAX / std::max(step, 1u);
  if (!turns.from && (turns.number == 0 || turns.number > most))
    fail(fmt::format("loop of {} turns, allowed 1..{}", turns.number, most));
  OpenLoop open{zero(), zero(), step, ahead(), ahead(), registers_};
  around_.push_back({++loops_, turns.from ? 0 : turns.number});
  open.counter = reg(at);
  // Without step, bound and counter change places: down from the turns to zero.
  if (step) open.bound = reg(at);
  const Register most_of = step ? open.bound : open.counter;
  if (turns.from)
    alu(defs::RegOp::Mul, most_of, *turns.from, zero(), std::max(step, 1u), at);
  else
    set(most_of, turns.number * std::max(step, 1u), at);
  if (step) set(open.counter, 0, at);
  if (turns.from) branch(defs::Condition::Eq, most_of, zero(), open.out, 0, at);
  place(open.top, at);
  return open;
}

void ControlStream::close_loop(const OpenLoop& open, Where at) {
  if (open.step)
    branch(defs::Condition::Ltu, open.counter, open.bound, open.top, open.step, at);
  else
    branch(defs::Condition::Ne, open.counter, zero(), open.top, -1, at);
  place(open.out, at);
  registers_ = open.registers;
  around_.pop_back();
}

void ControlStream::add_size(Register size, unsigned dimension) {
  if (dimension > 3) fail(fmt::format("size of dimension {}, allowed 0..3", dimension));
  if (size_) fail("second size from a register, allowed one per instruction");
  if (number(size) == 0)
    fail(fmt::format("size from register 0, allowed 1..{}", defs::kRegisters - 1));
  size_.emplace(size.number, dimension);
}

}  // namespace cmodel
