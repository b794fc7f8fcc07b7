// SPDX-License-Identifier: Apache-2.0
// Control rows in tests, and a sequencer that runs them.
#pragma once
#include <vector>

#include "cmodel/machine/chip.h"
#include "cmodel/machine/instruction.h"
#include "tb/unit/cmodel/model_bench.h"

namespace tb::model {

using defs::Condition;
using defs::ErrorCause;
using defs::RegOp;
using defs::WaitOp;

inline TinyInstr set(unsigned rd, std::uint32_t value) {
  return TinyInstr(defs::encode_reg_alu(RegOp::Add, {static_cast<std::uint8_t>(rd), 0, 0, value}));
}
inline TinyInstr alu(RegOp op, unsigned rd, unsigned ra, unsigned rb, std::uint32_t value = 0) {
  return TinyInstr(
      defs::encode_reg_alu(op, {static_cast<std::uint8_t>(rd), static_cast<std::uint8_t>(ra),
                                static_cast<std::uint8_t>(rb), value}));
}
inline TinyInstr branch(Condition condition, unsigned ra, unsigned rb, unsigned target,
                        int add = 0) {
  return TinyInstr(
      defs::encode_branch(condition, {static_cast<std::uint8_t>(ra), static_cast<std::uint8_t>(rb),
                                      static_cast<std::uint32_t>(add), target}));
}
inline TinyInstr load(unsigned rd, unsigned ra, std::uint64_t addr) {
  return TinyInstr(
      defs::encode_reg_load({static_cast<std::uint8_t>(rd), static_cast<std::uint8_t>(ra), addr}));
}
inline const TinyInstr kNop(Opcode::Nop);

/// Code of the vector engine of chip 0 core 0, run to its end.
struct Ran : Bench {
  explicit Ran(const std::vector<defs::Instr>& code, bool isolated = false)
      : Bench(program_of(code, isolated)) {
    EXPECT_TRUE(board.run());
  }
  static cmodel::Program program_of(const std::vector<defs::Instr>& code, bool isolated) {
    TinyProgram tiny(kSizes, 1);
    const std::vector<std::uint8_t> words{1, 2, 3, 4, 0xff, 0xff, 0xff, 0xff};
    tiny.data(0, 0x40, words);
    if (isolated)
      for (const unsigned core : {0u, 1u}) tiny.isolate({0, core, core, 0, 0x40});
    for (const auto& instr : code) tiny.add(0, 0, Engine::Vector, instr);
    return tiny.build();
  }
  const cmodel::Sequencer& sequencer() const {
    return board.machine(0).core(0).sequencers[static_cast<unsigned>(Engine::Vector)];
  }
  std::uint32_t reg(unsigned number) const { return sequencer().registers()[number]; }
  /// The one error that there is.
  cmodel::ErrorRecord error() const {
    EXPECT_EQ(board.errors().size(), 1u);
    return board.errors().empty() ? cmodel::ErrorRecord{} : board.errors()[0];
  }
};

}  // namespace tb::model
