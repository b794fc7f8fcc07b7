// SPDX-License-Identifier: Apache-2.0
// Instructions and descriptors as one line of text, for reports and for text programs: instr_text.h
// reads it back.
#pragma once
#include <array>
#include <string>
#include <string_view>

#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// Of a wait, by wait_op.
inline constexpr std::array<std::string_view, 4> kRelations{"(none)", ">=", "==", "take"};
/// Before the two digits of an opcode without a row.
inline constexpr std::string_view kUnknownOpcode = "OPCODE_0x";

/// Opens the line of a descriptor.
inline constexpr std::string_view kDescriptorWord = "DMA";

/// MULTIPLY_MOVING acc partitions 16 size 1x1x1x64 src0 sbuf.bf16[p0 +0x100 s 0,0,0,1] ->
/// psum.fp32[..] wait 0.12 >= 4 update 0.3 += 1. Fields that must be zero are shown if they are
/// not. Scalars: a immediate 0x3f800000 then add b sbuf 0x10. With registers: sized 0 by r5, [p0
/// +0x100+r5 s ..]; control rows: control_text.h.
std::string disassemble(const defs::Instr& instr);

/// DMA 16 rows x 128 B 0x1000 (+128) -> chip 3 0xfffc0000000 (+262144) vn 1 update 0.3 += 1
/// notify 1.4
std::string disassemble(const defs::Descriptor& descriptor);
/// The same without its first word.
std::string descriptor_text(const defs::Descriptor& descriptor);

/// "0.12 >= 4": what it waits for.
std::string wait_text(const defs::Instr& instr);

/// "core.semaphore" of a {core, semaphore} number.
std::string semaphore_name(unsigned sem);

/// "Tensor", "Dma3", "Rx", "Host", ..
std::string engine_name(unsigned engine);

}  // namespace cmodel
