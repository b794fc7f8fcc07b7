// SPDX-License-Identifier: Apache-2.0
// The host was answered wrongly, and every commit so far is right: whose register was it?
//
//   a register   its block (rtl/defs/csr.toml)
//   HBM          mem_xbar
//   SBUF         sbuf
//   nothing      host_if
#pragma once
#include <string>

#include "tb/debug/diagnosis.h"

namespace tb {

/// The block behind a chip-local address, as the host sees it.
std::string block_of_answer(std::uint64_t addr);

/// If that ended the run: what the run had still to do when it ended is no fault.
bool blame_answer(const Board& board, Diagnosis& found);

}  // namespace tb
