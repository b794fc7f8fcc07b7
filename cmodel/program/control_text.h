// SPDX-License-Identifier: Apache-2.0
// What lies in place of the operands of an instruction, as text and back:
//
//   REG_ALU add r3 = r1 r2 + 5      BRANCH ne r3 += -1 r0 to 12      REG_LOAD r3 = 0x1000 + r1
//   DMA_START dma 3 {8 rows x 64 B 0x1000 (+64) -> chip 0 0x8000 (+64)} by r1 r2 r0 rows r0
#pragma once
#include <functional>
#include <string>

#include "cmodel/program/text_scanner.h"
#include "rtl/defs/gen/instructions.h"

namespace cmodel {

/// Behind mnemonic and function, with a blank before it; empty for other rows.
std::string overlay_text(const defs::Instr& instr);

/// Reads it; what comes back puts it into an instruction that has nothing there yet.
std::function<defs::Instr(const defs::Instr&)> overlay_from_text(TextScanner& in,
                                                                 const defs::InstrRow* row);

}  // namespace cmodel
