// SPDX-License-Identifier: Apache-2.0
#include "cmodel/program/control_text.h"

#include <fmt/format.h>

#include "cmodel/machine/instruction.h"
#include "cmodel/program/disassemble.h"
#include "cmodel/program/instr_text.h"

namespace cmodel {
namespace {

defs::RegAlu reg_alu(TextScanner& in) {
  defs::RegAlu alu;
  in.field<&defs::RegAlu::rd>(alu, "register", "r");
  in.expect("=");
  in.field<&defs::RegAlu::ra>(alu, "register", "r");
  in.field<&defs::RegAlu::rb>(alu, "register", "r");
  in.expect("+");
  in.field<&defs::RegAlu::value>(alu, "value");
  return alu;
}

defs::Branch branch(TextScanner& in) {
  defs::Branch branch;
  in.field<&defs::Branch::ra>(branch, "register", "r");
  in.expect("+=");
  branch.add = static_cast<std::uint32_t>(in.signed_number("value", {INT32_MIN, UINT32_MAX}));
  in.field<&defs::Branch::rb>(branch, "register", "r");
  in.expect_word("to");
  in.field<&defs::Branch::target>(branch, "target");
  return branch;
}

defs::RegLoad reg_load(TextScanner& in) {
  defs::RegLoad load;
  in.field<&defs::RegLoad::rd>(load, "register", "r");
  in.expect("=");
  in.field<&defs::RegLoad::address>(load, "address");
  in.expect("+");
  in.field<&defs::RegLoad::ra>(load, "register", "r");
  return load;
}

/// The descriptor of a DmaStart, registers and update left out.
defs::Descriptor plain_copy(const defs::DmaStart& start) {
  return started_copy(defs::encode_dma_start(start));
}

defs::DmaStart dma_start(TextScanner& in) {
  using defs::DmaStart;
  DmaStart start;
  in.expect_word("dma");
  in.field<&DmaStart::engine>(start, "engine");
  in.expect("{");
  const defs::Descriptor d = descriptor_from_text(in, "}");
  start.vn = d.vn;
  start.notify = d.notify;
  start.notify_sem = d.notify_sem;
  start.rows = d.rows;
  start.row_bytes = d.row_bytes;
  start.src_stride = d.src_stride;
  start.dst_stride = d.dst_stride;
  start.dst_chip = d.dst_chip;
  start.src = d.src;
  start.dst = d.dst;
  start.combine = d.combine;
  start.dtype = d.dtype;
  start.dst_dtype = d.dst_dtype;
  start.index_mode = d.index_mode;
  start.skip = d.skip;
  start.index = d.index;
  start.bound = d.bound;
  if (plain_copy(start) != d)
    in.fail(
        "update, reserved field or second source; allowed the destination as second source, and "
        "an update behind the descriptor");
  in.expect_word("by");
  in.field<&DmaStart::src_reg>(start, "register", "r");
  in.field<&DmaStart::dst_reg>(start, "register", "r");
  in.field<&DmaStart::index_reg>(start, "register", "r");
  in.expect_word("rows");
  in.field<&DmaStart::rows_reg>(start, "register", "r");
  return start;
}

template <class Overlay>
std::function<defs::Instr(const defs::Instr&)> put(const Overlay& overlay) {
  return [overlay](const defs::Instr& instr) { return with_overlay(instr, {}, overlay); };
}

}  // namespace

std::string overlay_text(const defs::Instr& instr) {
  switch (overlay_of(instr)) {
    case defs::Overlay::None:
      break;
    case defs::Overlay::RegAlu: {
      const auto alu = defs::reg_alu_of(instr);
      return fmt::format(" r{} = r{} r{} + {}", alu.rd, alu.ra, alu.rb, alu.value);
    }
    case defs::Overlay::Branch: {
      const auto branch = defs::branch_of(instr);
      return fmt::format(" r{} += {} r{} to {}", branch.ra, static_cast<std::int32_t>(branch.add),
                         branch.rb, branch.target);
    }
    case defs::Overlay::RegLoad: {
      const auto load = defs::reg_load_of(instr);
      return fmt::format(" r{} = {:#x} + r{}", load.rd, load.address, load.ra);
    }
    case defs::Overlay::DmaStart: {
      const auto start = defs::dma_start_of(instr);
      return fmt::format(" dma {} {{{}}} by r{} r{} r{} rows r{}", start.engine,
                         descriptor_text(plain_copy(start)), start.src_reg, start.dst_reg,
                         start.index_reg, start.rows_reg);
    }
  }
  return "";
}

std::function<defs::Instr(const defs::Instr&)> overlay_from_text(TextScanner& in,
                                                                 const defs::InstrRow* row) {
  switch (row ? row->overlay : defs::Overlay::None) {
    case defs::Overlay::None:
      break;
    case defs::Overlay::RegAlu:
      return put(reg_alu(in));
    case defs::Overlay::Branch:
      return put(branch(in));
    case defs::Overlay::RegLoad:
      return put(reg_load(in));
    case defs::Overlay::DmaStart:
      return put(dma_start(in));
  }
  return [](const defs::Instr& instr) { return instr; };
}

}  // namespace cmodel
