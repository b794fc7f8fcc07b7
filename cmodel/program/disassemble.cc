// SPDX-License-Identifier: Apache-2.0
#include "cmodel/program/disassemble.h"

#include <fmt/format.h>

#include <cctype>
#include <string_view>

#include "cmodel/machine/instruction.h"
#include "cmodel/program/control_text.h"

namespace cmodel {
namespace {

std::string mnemonic(std::uint8_t opcode) {
  const auto* row = defs::row_of(opcode);
  return row ? std::string(row->mnemonic) : fmt::format("{}{:02x}", kUnknownOpcode, opcode);
}

std::string lower(std::string_view name, unsigned value) {
  if (name == "?") return fmt::format("{}?", value);
  std::string out;
  for (const char c : name) out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

/// The function, if the row has functions.
std::string function_name(const defs::Instr& instr) {
  const auto* row = defs::row_of(instr.opcode);
  if (!row || !row->functions) return "";
  return " " + lower(row->function_name(instr.func), instr.func);
}

std::string operand_text(const defs::Operand& operand) {
  std::string out = fmt::format(
      "{}.{}[p{} +{:#x}{} s {},{},{},{}{}{}]",
      lower(defs::to_string(static_cast<defs::Space>(operand.space)), operand.space),
      lower(defs::to_string(static_cast<defs::Dtype>(operand.dtype)), operand.dtype),
      operand.partition, operand.offset, operand.index ? fmt::format("+r{}", operand.index) : "",
      operand.stride3, operand.stride2, operand.stride1, operand.stride0,
      operand.stochastic ? " stochastic" : "", operand.saturate ? " saturate" : "");
  if (operand.reserved) out += fmt::format("!reserved={:#x}", operand.reserved);
  return out;
}

std::string scalar_text(std::string_view name, const defs::Scalar& scalar) {
  if (scalar == defs::Scalar{}) return "";
  std::string out =
      fmt::format(" {} {} {:#x}{}", name,
                  lower(defs::to_string(static_cast<defs::ScalarKind>(scalar.kind)), scalar.kind),
                  scalar.value, scalar.reverse ? " reverse" : "");
  if (scalar.reserved) out += fmt::format("!reserved={:#x}", scalar.reserved);
  return out;
}

/// What happens to the accumulators, if anything, and what else is in imm.
std::string sums_text(const defs::InstrRow& row, const defs::Instr& instr) {
  if (!instr.imm) return "";
  if (instr.imm >> row.imm_bits) return fmt::format(" imm={:#x}", instr.imm);
  const auto command = reduce_command(instr);
  return " sums " + lower(defs::to_string(command), static_cast<unsigned>(command));
}

/// Scalars and second function; what imm may have beside them.
std::string fused_text(const defs::InstrRow& row, const defs::Instr& instr) {
  const auto imm = defs::FusedScalar::from({instr.imm});
  const std::string then = row.functions ? " then " + lower(row.function_name(imm.func1), imm.func1)
                                         : fmt::format(" then {}?", imm.func1);
  if (row.scalars == defs::ScalarPlace::Imm)
    return scalar_text("a", {.kind = imm.kind, .value = imm.value}) +
           (imm.func1 || row.functions ? then : "");
  const auto scalars = defs::Scalars::from(instr.src1.words());
  std::string out = scalar_text("a", scalars.first);
  if (row.imm == defs::Imm::Accumulator)
    return out + scalar_text("b", scalars.second) + sums_text(row, instr);
  if (instr.imm >> 6)
    out += fmt::format(" imm={:#x}", instr.imm);
  else if (instr.imm || (scalars.second != defs::Scalar{} && (row.is_fused() || !row.functions)))
    out += then;
  return out + scalar_text("b", scalars.second);
}

}  // namespace

std::string wait_text(const defs::Instr& instr) {
  return fmt::format("{} {} {}", semaphore_name(instr.wait_sem), kRelations[instr.wait_op & 3],
                     instr.wait_value);
}

std::string semaphore_name(unsigned sem) {
  return fmt::format("{}.{}", sem / defs::kSemaphores, sem % defs::kSemaphores);
}

std::string engine_name(unsigned engine) {
  const auto first = static_cast<unsigned>(defs::Engine::Dma0);
  if (engine >= first && engine < first + 16) return fmt::format("Dma{}", engine - first);
  const auto name = defs::to_string(static_cast<defs::Engine>(engine));
  return name == "?" ? fmt::format("engine {}", engine) : std::string(name);
}

std::string disassemble(const defs::Instr& whole) {
  const defs::Instr instr = without_overlay(whole);
  std::string out = mnemonic(instr.opcode) + function_name(instr) + overlay_text(whole);
  const auto* row = defs::row_of(instr.opcode);
  if (instr.func && !(row && row->functions)) out += fmt::format(" func={}", instr.func);
  if (instr.accumulate) out += " acc";
  const bool scalars = row && row->scalars != defs::ScalarPlace::None;
  if (scalars)
    out += fused_text(*row, instr);
  else if (row && row->imm == defs::Imm::Doorbell)
    out += fmt::format(" dma {} x {}", doorbell(instr).engine, doorbell(instr).count);
  else if (row && row->imm == defs::Imm::Accumulator)
    out += sums_text(*row, instr);
  else if (instr.imm)
    out += fmt::format(" imm={:#x}", instr.imm);
  if (instr.partitions) out += fmt::format(" partitions {}", instr.partitions);
  if (instr.size0 || instr.size1 || instr.size2 || instr.size3)
    out += fmt::format(" size {}x{}x{}x{}", instr.size3, instr.size2, instr.size1, instr.size0);
  if (instr.size_reg || instr.size_dim)
    out += fmt::format(" sized {} by r{}", instr.size_dim, instr.size_reg);
  const defs::Operand unused{};
  if (instr.src0 != unused) out += " src0 " + operand_text(instr.src0);
  if (instr.src1 != unused && (!row || row->scalars != defs::ScalarPlace::Src1))
    out += " src1 " + operand_text(instr.src1);
  if (instr.dst != unused) out += " -> " + operand_text(instr.dst);
  if (instr.wait_op || instr.wait_sem || instr.wait_value) out += " wait " + wait_text(instr);
  if (instr.update || instr.update_sem || instr.update_delta)
    out += fmt::format(" {} {} += {}", instr.update ? "update" : "no-update",
                       semaphore_name(instr.update_sem), instr.update_delta);
  if (instr.reserved) out += fmt::format(" reserved={:#x}", instr.reserved);
  return out;
}

std::string disassemble(const defs::Descriptor& d) {
  return fmt::format("{} {}", kDescriptorWord, descriptor_text(d));
}

std::string descriptor_text(const defs::Descriptor& d) {
  std::string out = fmt::format("{} rows x {} B {:#x} ({:+}) -> chip {} {:#x} ({:+})", d.rows,
                                d.row_bytes, d.src, d.src_stride, d.dst_chip, d.dst, d.dst_stride);
  if (d.index_mode || d.skip || d.index || d.bound)
    out += fmt::format(
        " index {}{} {:#x} below {}", d.skip ? "skip " : "",
        lower(defs::to_string(static_cast<defs::IndexMode>(d.index_mode)), d.index_mode), d.index,
        d.bound);
  if (d.dst_dtype)
    out += fmt::format(" to {}",
                       lower(defs::to_string(static_cast<defs::Dtype>(d.dst_dtype)), d.dst_dtype));
  if (d.combine || d.dtype || d.src1 || d.src1_stride)
    out += fmt::format(" combine {} {} {:#x} ({:+})",
                       lower(defs::to_string(static_cast<defs::Combine>(d.combine)), d.combine),
                       lower(defs::to_string(static_cast<defs::Dtype>(d.dtype)), d.dtype), d.src1,
                       d.src1_stride);
  if (d.vn) out += fmt::format(" vn {}", d.vn);
  if (d.update || d.update_sem || d.update_delta)
    out += fmt::format(" {} {} += {}", d.update ? "update" : "no-update",
                       semaphore_name(d.update_sem), d.update_delta);
  if (d.notify || d.notify_sem)
    out += fmt::format(" {} {}", d.notify ? "notify" : "no-notify", semaphore_name(d.notify_sem));
  if (d.reserved_hi) out += fmt::format(" reserved_hi={:#x}", d.reserved_hi);
  if (d.reserved_mid) out += fmt::format(" reserved_mid={:#x}", d.reserved_mid);
  if (d.reserved) out += fmt::format(" reserved={:#x}", d.reserved);
  if (d.reserved_lo) out += fmt::format(" reserved_lo={:#x}", d.reserved_lo);
  return out;
}

}  // namespace cmodel
