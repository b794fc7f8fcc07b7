// SPDX-License-Identifier: Apache-2.0
// The other way of disassemble(): instructions and descriptors out of their line of text.
#pragma once
#include <string_view>

#include "cmodel/program/text_scanner.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// All of the line behind its first word. Clauses may stand in any order, each once; every value
/// that a field can hold is allowed, since a program may be wrong on purpose. Throw
/// std::runtime_error, "FILE:LINE:COLUMN: what; what is allowed".
defs::Instr instr_from_text(std::string_view mnemonic, TextScanner& in);
/// With `mark`: up to it instead of the end of the line.
defs::Descriptor descriptor_from_text(TextScanner& in, std::string_view mark = {});

}  // namespace cmodel
