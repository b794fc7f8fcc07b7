// SPDX-License-Identifier: Apache-2.0
// Cuts the history off: a few parts of a program, and what they read from all others as data that
// the host loads.
#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <unordered_map>
#include <vector>

#include "cmodel/analysis/liveness.h"
#include "tb/apps/shrink/shrink_program.h"

namespace tb {

/// One run of the golden model, operation by operation: who made what, and from what.
///
///   keep:  DMA  LOAD  MULTIPLY  ACT           DMA, LOAD fall away; the bytes of SBUF that MULTIPLY
///           |     |       |      |      -->   and ACT read from them become segments. PSUM and
///          drop  keep   keep   anchor         weights cannot be loaded: who made them stays
class History {
 public:
  History(const defs::Sizes& sizes, const Image& image, const Updates& updates);

  /// An operation as divergence.json names it; none if it is no part of the program.
  std::optional<Part> part_of(const nlohmann::json& operation) const;
  /// The last operation of a chip, and of a core of it, that moves data.
  std::optional<Part> last_of(unsigned chip, std::optional<unsigned> core) const;

  /// The anchor with what it cannot do without, who made its data `depth` times over, and the
  /// `before` operations that came before it on its chip.
  std::size_t steps() const { return steps_.size(); }
  std::set<Part> needed(const Part& anchor, unsigned depth, std::size_t before) const;
  /// Only these parts, with the data that they read.
  Image only(const std::set<Part>& keep) const;

 private:
  struct Step {
    Part part;
    std::uint32_t number;             ///< of Board::step()
    std::uint32_t first, count;       ///< its records
    std::vector<std::uint32_t> from;  ///< steps that made its weights, and what it reads of PSUM
    std::vector<std::uint32_t> data;  ///< steps that wrote what it reads of SBUF and HBM
  };
  using Records = std::vector<cmodel::LivenessLog::Record>;
  /// Who wrote a word last, by memory; beside PSUM's words, who loaded the weights of a lane.
  struct Writers {
    std::unordered_map<std::uint64_t, std::uint32_t> psum, sbuf, hbm;
  };

  void trace(Step& step, Writers& writers) const;
  std::optional<std::size_t> step_of(const Part& part) const;
  std::optional<Part> trigger_of(const Part& descriptor) const;
  const std::vector<Update>* awaited(const defs::Instr& instr, unsigned chip) const;
  bool is_code(unsigned chip, std::uint64_t addr) const;

  const defs::Sizes& sizes_;
  const Image& image_;
  const Updates& updates_;
  std::optional<cmodel::Program> program_;
  Records records_;
  std::vector<Step> steps_;
};

}  // namespace tb
