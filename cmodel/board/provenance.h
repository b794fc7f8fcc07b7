// SPDX-License-Identifier: Apache-2.0
// Where did these bytes come from? Producer and consumer of every write, from one run of the model.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "cmodel/analysis/liveness.h"
#include "cmodel/board/board.h"
#include "cmodel/program/program.h"

namespace cmodel {

/// An instruction, a descriptor, a packet or a host write of a run of the model.
struct OperationRef {
  std::uint32_t first = 0, count = 0;  ///< its records in the history
  StreamId stream;
  std::uint32_t pc = 0;              ///< of its instruction or descriptor
  std::uint32_t serial = 0;          ///< names it: a loop comes back to pc
  std::uint64_t begin = 0, end = 0;  ///< its commits in the stream's list of writes
};

/// Runs the program once with the access history on and then answers
///
///   operation_of(commit)            which operation made it
///   sources(operation, element)     which bytes made this element, and through which other
///   operations writer(byte, before)       which operation had written a byte when an operation ran
///
/// so that a wrong element can be followed backwards. Nothing of it runs unless somebody asks.
class Provenance {
 public:
  Provenance(const defs::Sizes& sizes, const Program& program);

  /// The operation that makes commit number `ordinal` (writes list) of a stream; none if none does.
  std::optional<OperationRef> operation_of(const StreamId& stream, std::uint64_t ordinal) const;
  /// The operation of that number in its stream, whatever it commits.
  std::optional<OperationRef> operation_at(const StreamId& stream, std::uint32_t serial) const;
  /// All operations of a stream, in its order: of Rx, its packets.
  std::span<const OperationRef> operations(const StreamId& stream) const;
  /// The descriptor that sent a packet.
  std::optional<OperationRef> sender(const OperationRef& packet) const;
  /// The LOAD_STATIONARY whose weights a MULTIPLY_MOVING uses.
  std::optional<OperationRef> stationary(const OperationRef& multiply) const;

  /// Bytes that decide one element of an operation's commit: `ordinal` of the writes list, byte
  /// `at` of its data. A packet's are those that its descriptor read.
  std::vector<Cell> sources(const OperationRef& operation, const Commit& commit,
                            std::uint64_t ordinal, std::size_t at) const;
  /// All bytes of a footprint's bounding rows are too many; these are the ones an operation reads
  /// at all.
  std::optional<OperationRef> writer(const Cell& cell, const OperationRef& before) const;

  /// Of an operation of a sequencer, as its engine got it.
  defs::Instr instr(const OperationRef& operation) const;
  defs::Descriptor descriptor(const OperationRef& operation) const;
  const Board& board() const { return board_; }

 private:
  struct Nobody : CommitSink {
    void commit(const Commit&, std::span<const std::uint8_t>) override {}
  };
  /// Bytes of one lane that went into the accumulator that `read` writes.
  void add_summands(std::vector<Cell>& out, const OperationRef& read, unsigned lane) const;
  OperationRef operation_with(std::uint32_t record) const;

  const defs::Sizes& sizes_;
  const Program& program_;
  Nobody nobody_;
  Board board_;
  std::map<StreamId, std::vector<OperationRef>> operations_;  ///< of each stream, in order
};

/// The commit covers the cell: where in its data?
std::optional<std::size_t> place_in(const Commit& commit, const Cell& cell);
/// The byte of a commit's data as a cell; none for messages, semaphores and errors.
std::optional<Cell> cell_of(const defs::Sizes& sizes, const Commit& commit, std::size_t at);
/// "chip 3 core 1 SBUF partition 7 byte 0x60", "chip 3 core 0 PSUM partition 2 bank 1 column 5"
std::string to_string(const defs::Sizes& sizes, const Cell& cell);

}  // namespace cmodel
