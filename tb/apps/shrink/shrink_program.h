// SPDX-License-Identifier: Apache-2.0
// A program as parts that can be left out, with the semaphores kept in balance; for shrinking.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "cmodel/machine/commit.h"
#include "cmodel/machine/instruction.h"
#include "cmodel/program/program.h"

namespace tb {

/// Instructions, descriptors in the order of their execution, and 64-byte pieces of data.
struct Image {
  cmodel::Program program;  ///< without segments; streams and rings say where theirs go
  std::vector<std::vector<defs::Instr>> code;        ///< by stream
  std::vector<std::vector<defs::Descriptor>> moves;  ///< by ring, as often as it is rung for
  std::vector<cmodel::Segment> pieces;
  /// Names that stay when others go: for code, moves, pieces, regions.
  std::vector<std::vector<std::uint32_t>> code_ids, move_ids;
  std::vector<std::uint32_t> piece_ids, region_ids;

  std::size_t instructions() const;
  std::size_t descriptors() const;
};

/// One thing that can be left out.
struct Part {
  enum class Kind : std::uint8_t { Instruction, Descriptor, Piece, Region } kind;
  std::uint32_t list, index;  ///< which stream or ring, and where in it; pieces, regions: list 0
  auto operator<=>(const Part&) const = default;
};

/// Numbers of streams and rings of an image, by {chip, core, engine}.
struct Places {
  using Engine = std::tuple<unsigned, unsigned, unsigned>;
  std::map<Engine, std::uint32_t> streams, rings;
  explicit Places(const Image& image);
  /// The instruction or descriptor `pc` of an engine; END, the host and receivers are none.
  std::optional<Part> part_of(const Image& image, const cmodel::StreamId& id,
                              std::uint32_t pc) const;
};

/// A copy that a DMA engine makes: a descriptor of its ring, or an instruction that starts it.
struct Move {
  Part part;
  defs::Descriptor descriptor;
};
/// Of an engine, in its order.
std::vector<Move> moves_of(const Image& image, unsigned chip, unsigned core, unsigned engine);

Image image_of(const defs::Sizes& sizes, const cmodel::Program& program);
/// Empty if a ring has no room.
std::optional<cmodel::Program> program_of(const defs::Sizes& sizes, const Image& image);

std::uint32_t id_of(const Image& image, const Part& part);
/// A descriptor that copies from its own chip's HBM into SBUF: the host could load that.
bool loads_sbuf(const Image& image, const Part& descriptor);

/// Everything but each stream's END, in program order: streams, rings, then data and regions.
std::vector<Part> parts_of(const Image& image);

/// Who added to each {chip, semaphore}, in one legal order of the program: shrink_sound.h.
struct Update {
  Part part;
  int delta;
};
using Updates = std::map<std::pair<unsigned, unsigned>, std::vector<Update>>;

/// The image without these parts. A wait for the n-th update of a semaphore waits for those of the
/// first n that are left, or for nothing; doorbells ring for what is left; a stream with nothing
/// but END goes away. Whether that is a sensible program, sound() says.
Image without(const Image& image, const Updates& updates, const std::set<Part>& parts);

/// The chips that still do something, numbered from 0.
Image renumbered(const Image& image);

}  // namespace tb
