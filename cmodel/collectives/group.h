// SPDX-License-Identifier: Apache-2.0
// Who takes part in a collective: cores of the board in the order of their ranks.
#pragma once
#include <vector>

#include "cmodel/program/assembler.h"

namespace cmodel {

struct Member {
  unsigned chip = 0, core = 0;
};

/// Ranks 0 .. size() - 1: any cores of any chips, each at most once.
class Group {
 public:
  /// Throws AssemblerError: no member, a chip or core that the board does not have, a core twice.
  Group(Assembler& assembler, std::vector<Member> members);

  unsigned size() const { return static_cast<unsigned>(members_.size()); }
  const Member& operator[](unsigned rank) const { return members_[rank]; }
  Core& core(unsigned rank) const {
    return assembler_->core(members_[rank].chip, members_[rank].core);
  }
  Assembler& assembler() const { return *assembler_; }
  bool one_chip(unsigned a, unsigned b) const { return members_[a].chip == members_[b].chip; }
  /// The other ranks, those first that are farthest in the order of ranks, from either side: what
  /// has most links to cross leaves first.
  std::vector<unsigned> others(unsigned rank) const;

 private:
  Assembler* assembler_;
  std::vector<Member> members_;
};

}  // namespace cmodel
