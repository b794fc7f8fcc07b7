// SPDX-License-Identifier: Apache-2.0
// Functional coverage: which cases of the ISA and the fabric did a run exercise?
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "cmodel/board.h"
#include "cmodel/program.h"
#include "fabric/tables.h"
#include "rtl/defs/gen/defs.h"
#include "tb/system/chip.h"

namespace tb {

/// Bins are made from the descriptions (rtl/defs, through gen/defs.h): every value of an
/// enumeration is asked for, and the golden model's own checks say whether a combination is legal.
/// A combination that they refuse has no bin; an error cause that an engine cannot have is an
/// illegal bin.
///
/// Two sources: the program's instructions and descriptors that were executed, and what the RTL
/// did: its commits (messages, errors, gaps between the rows of an instruction) and probes
/// (credits).
///
/// A name is a path with dots, general to special: format.TensorCopy.Psum.Fp32.Bf16.
class Functional {
 public:
  /// `tables`: the ways that messages take.
  Functional(const defs::Sizes& sizes, const cmodel::Program& program,
             const fabric::Tables& tables);

  /// One chip at a barrier.
  void observe(const Chip& chip);
  /// At the end of the run. `complete`: all descriptors that were triggered have been executed.
  void finish(const cmodel::Board& model, bool complete);

  std::size_t bins() const { return bins_.size(); }
  const std::vector<std::string>& illegal_hits() const { return illegal_hits_; }
  /// {"schema", "bins": {name: count}, "illegal": [names hit]}
  void write(const std::filesystem::path& file) const;

 private:
  using Where = std::tuple<unsigned, unsigned, unsigned>;  ///< chip, core, engine

  void make_instruction_bins();
  void make_transfer_bins();
  void make_error_bins();
  void bin(const std::string& name) { bins_.try_emplace(name, 0); }
  /// Counts a bin; a name without bin is illegal.
  void hit(const std::string& name);
  void hit_message(std::span<const std::uint8_t> data);
  void hit_flow(const CommitBuffer::Entry& entry);
  void hit_instruction(const Where& where, std::uint32_t pc, const defs::Instr& instr);
  void hit_descriptor(unsigned chip, unsigned core, unsigned engine, const defs::Descriptor& d);
  const std::uint8_t* bytes_at(unsigned chip, std::uint64_t addr) const;

  const defs::Sizes& sizes_;
  const cmodel::Program& program_;
  fabric::Tables tables_;
  std::map<std::string, std::uint64_t> bins_;
  std::vector<std::string> illegal_hits_;
  struct Flow {
    std::uint32_t pc = UINT32_MAX;
    std::uint64_t cycle = 0;
    std::uint16_t src = 0;
  };
  std::map<Where, Flow> flows_;
  std::set<std::tuple<Where, std::uint32_t>> flowed_, stalled_;  ///< instructions, by pc
};

}  // namespace tb
