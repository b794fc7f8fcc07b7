// SPDX-License-Identifier: Apache-2.0
// Writes board programs: instruction streams, descriptor rings and data, placed in HBM.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "cmodel/program/assembler_core.h"
#include "cmodel/program/program.h"
#include "cmodel/program/takers.h"
#include "cmodel/program/tile.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// The program under construction. Cores, streams and engines are created on demand and live as
/// long as the assembler. Every mistake that the machine would stop at is rejected here, by name.
class Assembler {
 public:
  /// chips: 1 .. BoardChips.
  Assembler(const defs::Sizes& sizes, unsigned chips);
  Assembler(const Assembler&) = delete;
  ~Assembler();

  const defs::Sizes& sizes() const { return sizes_; }
  unsigned chips() const { return chips_; }
  Core& core(unsigned chip, unsigned core);

  /// HBM of a stack (0 or 1) nobody else has, aligned to LineBytes; bytes are zero until written.
  /// Row stride is row_bytes rounded up to 4. Names are unique per chip.
  Block hbm(unsigned chip, unsigned stack, const std::string& name, unsigned row_bytes,
            unsigned rows = 1);
  /// The same with bytes that the host writes before the start: rows x row_bytes, row by row.
  Block data(unsigned chip, unsigned stack, const std::string& name, unsigned row_bytes,
             unsigned rows, std::span<const std::uint8_t> bytes);
  /// Bytes that the host writes before the start into such a block, or into rows of it.
  void fill(const Block& block, std::span<const std::uint8_t> bytes);
  /// The block of a name given to hbm() or data().
  const Block& find(unsigned chip, const std::string& name) const;
  /// The bytes of a tile of contiguous elements, one row per partition: source or target of a copy.
  Block block(const Tile& tile) const;
  /// The host reads this block (whole, with the gaps of its stride, in multiples of 64 bytes) at
  /// the end. Names are unique on the board. With a format: as an array, a row of it in each row.
  void region(const std::string& name, const Block& block, std::optional<defs::Dtype> dtype = {});

  /// The next request of its chip (Request): bytes for this block, whose rows are contiguous, then
  /// the start of the stream, of which `request` has chip, core and engine.
  void request(Request request, const Block& block);

  /// What is emitted from now on belongs to this: shown beside its source line in reports.
  void label(const std::string& text);

  /// From now on, hole(chip, stack) bytes of HBM stay unused before each block: for programs that
  /// want to be spread over the address space.
  void scatter(std::function<std::uint64_t(unsigned chip, unsigned stack)> hole) {
    hole_ = std::move(hole);
  }

  /// Streams and rings of a core lie in stack(chip, core) of HBM instead of the core's own.
  void streams_in(std::function<unsigned(unsigned chip, unsigned core)> stack) {
    stream_stack_ = std::move(stack);
  }

  /// Called by assemble() before all else: throws AssemblerError if what is written is not whole.
  void check_at_end(std::function<void()> check) { checks_.push_back(std::move(check)); }

  /// Appends END to every stream that has instructions, places streams and rings, returns all.
  Program assemble();

 private:
  friend class StreamBase;
  friend class SyncStream;
  friend class DmaEngine;
  friend class Core;
  SourceNotes::Line note(const Where& at) const;
  /// Address of bytes of a stack that nobody else has.
  std::uint64_t allocate(unsigned chip, unsigned stack, std::uint64_t bytes);
  /// Makes a segment of instructions or descriptors of a core; its address.
  template <class Packed>
  std::uint64_t place(const Core& core, const std::vector<Packed>& words, Program& program);
  void place_rings(Core& core, Program& program);
  void place_streams(Core& core, Program& program);

  struct ChipState {
    std::array<std::uint64_t, defs::kHbmPorts> next{};
    std::map<std::string, Block> names;
    std::array<std::unique_ptr<Core>, defs::kCores> cores;
  };
  const defs::Sizes& sizes_;
  unsigned chips_;
  std::vector<ChipState> state_;
  std::vector<Segment> segments_;
  std::vector<Region> regions_;
  std::vector<std::string> labels_{""};
  Takers takers_;
  std::vector<std::function<void()>> checks_;
  std::map<std::pair<unsigned, unsigned>, std::string> semaphores_;  ///< Program::semaphores
  std::function<std::uint64_t(unsigned, unsigned)> hole_;
  std::function<unsigned(unsigned, unsigned)> stream_stack_;
  bool assembled_ = false;
  std::vector<Request> requests_;
};

}  // namespace cmodel
