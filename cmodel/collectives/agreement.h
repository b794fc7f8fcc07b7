// SPDX-License-Identifier: Apache-2.0
// Do the ranks of a communicator write the same collectives? Who writes fewer, others, or in other
// loops would leave the rest waiting: refused, by name, while the program is built.
#pragma once
#include <cstdint>
#include <map>
#include <vector>

#include "cmodel/program/instr_stream.h"

namespace cmodel {

class Agreement {
 public:
  explicit Agreement(unsigned ranks) : written_(ranks), first_in_(ranks) {}

  /// The rank writes the collective of this number where `stream` stands. Throws AssemblerError: in
  /// this turn another rank wrote another one, or in other loops. Turns out of registers agree.
  void write(unsigned rank, unsigned number, const StreamBase& stream);
  /// When the program is whole. Throws AssemblerError: a rank has written fewer than another.
  void check() const;

 private:
  /// A loop by the first collective in it.
  struct Around {
    std::size_t first = 0;
    std::uint64_t turns = 0;  ///< 0: a register says how many
  };
  struct Call {
    unsigned rank = 0, number = 0;  ///< rank: who wrote it first
    std::vector<Around> loops;
  };
  std::vector<Call> order_;                                ///< as the first rank writes them
  std::vector<std::size_t> written_;                       ///< so many, by rank
  std::vector<std::map<unsigned, std::size_t>> first_in_;  ///< by rank: loop to Around::first
};

}  // namespace cmodel
