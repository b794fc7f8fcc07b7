// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/wrong_answer.h"

#include <fmt/format.h>

#include <string>

namespace tb {
namespace {

struct Register {
  const defs::Csr* csr;
  unsigned core, index;
};

std::optional<Register> register_at(std::uint64_t addr) {
  const std::uint64_t offset = addr - defs::kAddrCsrBase;
  for (const defs::Csr& csr : defs::kCsrs)
    for (unsigned core = 0; core < (csr.per_core ? defs::kCores : 1); ++core) {
      const std::uint64_t first = csr.offset + core * defs::kCsrCoreStride;
      if (offset - first < 8ull * csr.count)
        return Register{&csr, core, static_cast<unsigned>(offset - first) / 8};
    }
  return {};
}

}  // namespace

std::string block_of_answer(std::uint64_t addr) {
  if (defs::in_hbm0(addr) || defs::in_hbm1(addr)) return "mem_xbar";
  if (defs::in_core0(addr) || defs::in_core1(addr)) return "sbuf";
  const auto at = register_at(addr);
  return std::string(at ? at->csr->block : "host_if");
}

bool blame_answer(const Board& board, Diagnosis& found) {
  const auto& answer = board.outcome().wrong_answer;
  if (!answer) return false;
  const auto at = register_at(answer->addr);
  found.cause = cause_in(
      answer->chip, at && at->csr->per_core ? std::optional(at->core) : std::nullopt,
      block_of_answer(answer->addr),
      at ? fmt::format("register {}[{}] is not answered as it must be", at->csr->name, at->index)
         : fmt::format("address {:#x} is not answered as it must be", answer->addr));
  return true;
}

}  // namespace tb
