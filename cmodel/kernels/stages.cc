// SPDX-License-Identifier: Apache-2.0
#include "cmodel/kernels/stages.h"

#include <fmt/format.h>

#include <algorithm>

namespace cmodel {

void stages(ControlStream& s, Register turns, unsigned slots, const std::vector<Part>& parts) {
  if (parts.empty() || parts.back().lead != 0)
    throw AssemblerError("stages without a last part of lead 0; allowed with one");
  unsigned most = 0;
  for (const Part& part : parts) most = std::max(most, part.lead);
  if (slots <= most)
    throw AssemblerError(fmt::format(
        "stages with {} slots and a lead of {}, allowed {} slots and more", slots, most, most + 1));
  const Label out = s.ahead();
  std::vector<Register> left;  // tiles that a part has still to do
  for (std::size_t p = 0; p < parts.size(); ++p) {
    left.push_back(s.reg());
    s.alu(defs::RegOp::Add, left[p], turns, s.zero());
  }
  s.branch(defs::Condition::Eq, turns, s.zero(), out);
  const auto unless_done = [&](std::size_t p, unsigned tile) {
    const Label done = s.ahead();
    s.branch(defs::Condition::Lt, left[p], s.zero(), done, -1);
    parts[p].body(tile % slots);
    s.place(done);
  };
  for (unsigned before = most; before > 0; --before)
    for (std::size_t p = 0; p < parts.size(); ++p)
      if (parts[p].lead >= before) unless_done(p, parts[p].lead - before);
  const Label top = s.here();
  const std::size_t last = parts.size() - 1;
  for (unsigned slot = 0; slot < slots; ++slot) {
    for (std::size_t p = 0; p < last; ++p) unless_done(p, slot + parts[p].lead);
    parts[last].body(slot);
    const bool closes = slot + 1 == slots;
    s.branch(closes ? defs::Condition::Ne : defs::Condition::Eq, left[last], s.zero(),
             closes ? top : out, -1);
  }
  s.place(out);
}

}  // namespace cmodel
