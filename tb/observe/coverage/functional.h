// SPDX-License-Identifier: Apache-2.0
// Functional coverage: which cases of the ISA and the fabric did a run exercise?
#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "cmodel/board/board.h"
#include "cmodel/program/program.h"
#include "fabric/model/tables.h"
#include "rtl/defs/gen/instructions.h"
#include "tb/dut/chip.h"

namespace tb {

/// Bins are made from the descriptions (rtl/defs, through gen/defs.h): every value of an
/// enumeration is asked for, and the golden model's own checks say whether a combination is legal.
/// A combination that they reject has no bin; an error cause that an engine cannot have is an
/// illegal bin.
///
/// Two sources: the instructions (resolved) and descriptors that the model executed, and what the
/// RTL did: its commits (messages, errors, gaps between the rows of an instruction) and probes
/// (credits).
///
/// A name is a path with dots, general to special, the block first:
/// vector.format.TensorCopy.src0.Psum.Fp32.
class Functional {
 public:
  /// `tables`: the routes of messages.
  Functional(const defs::Sizes& sizes, const cmodel::Program& program,
             const fabric::Tables& tables);

  /// One chip at a barrier: its commits since the last one, and its credits.
  void observe(const Chip& chip);
  void observe(const CommitBuffer& commits);
  /// The model issued it. Of the visits to a pc the first kMostVisits count.
  void executed(const cmodel::StreamId& stream, std::uint32_t pc, const defs::Instr& instr);
  /// The model's DMA engine executed it.
  void copied(const cmodel::StreamId& stream, std::uint32_t pc, const defs::Descriptor& d,
              const cmodel::RowPlaces& places);
  /// At the end of the run.
  void finish(const cmodel::Board& model);

  std::vector<std::string> names() const;
  /// A line per case without bin; with one, the run has failed.
  std::string illegal_report() const;
  /// {"schema", "bins": {name: count}, "illegal": [names hit]}
  void write(const std::filesystem::path& file) const;

 private:
  static constexpr unsigned kMostHops = defs::kBoardChips / 2;
  static constexpr std::size_t kMostVisits = 64;
  using Where = std::tuple<unsigned, unsigned, unsigned>;  ///< chip, core, engine

  /// Credits left of a virtual channel of a link, and where they count.
  struct Credit {
    Register left;
    unsigned depth;
    std::uint64_t *few, *many;
  };

  struct Flow {
    std::uint64_t serial = UINT64_MAX;
    std::uint32_t pc = 0;
    std::uint16_t src = 0;
    std::uint64_t cycle = 0;
    std::uint64_t least = 0, most = 0;  ///< cycles between two rows
  };

  void make_instruction_bins();
  void make_control_bins();
  void make_format_bins(const defs::InstrRow& row);
  void make_transfer_bins();
  void make_error_bins();
  void bin(const std::string& name) { bins_.try_emplace(name, 0); }
  /// Counts a bin; a name without bin is illegal.
  void hit(const std::string& name);
  void hit_message(std::span<const std::uint8_t> data);
  void hit_flow(const CommitBuffer::Entry& entry);
  void hit_contention(const CommitBuffer::Entry& entry);
  void end_flow(const Where& where, const Flow& flow);
  /// Counts the last instruction of a sequencer, which was not rejected.
  void settle(const Where& where);
  /// `written`: as it stands in the program.
  void hit_control(const defs::Instr& written);
  void hit_instruction(const Where& where, std::uint32_t pc, const defs::Instr& instr);
  void hit_list(const char* where, const defs::Descriptor& d, const cmodel::RowPlaces& places);
  std::vector<Credit> find_credits(const Chip& chip);

  const defs::Sizes& sizes_;
  const cmodel::Program& program_;
  fabric::Tables tables_;
  /// By source and destination; routes longer than on a whole ring count as its longest.
  std::array<std::array<unsigned, fabric::kMaxChips>, fabric::kMaxChips> hops_{};
  std::map<std::string, std::uint64_t> bins_;
  std::vector<std::string> illegal_hits_;
  /// By pc and visit, without the last one, which may still be rejected.
  std::map<Where, std::map<std::uint32_t, std::vector<defs::Instr>>> executed_;
  std::map<Where, std::pair<std::uint32_t, defs::Instr>> last_executed_;
  std::map<Where, Flow> flows_;
  /// By chip: registers, and the state that found them.
  std::map<unsigned, std::pair<const ChipState*, std::vector<Credit>>> credits_;
  /// Core and cycle of the last write of a DMA engine into this memory of this chip.
  std::map<std::pair<unsigned, std::string_view>, std::pair<unsigned, std::uint64_t>> last_write_;
  std::array<std::uint64_t*, 2> local_{};                              ///< bins {stalled, flowing}
  std::array<std::array<std::uint64_t*, 2>, kMostHops + 1> remote_{};  ///< the same by hops
  std::set<std::tuple<Where, std::uint32_t>> flowed_, stalled_;        ///< instructions, by pc
};

}  // namespace tb
