// SPDX-License-Identifier: Apache-2.0
// A board program: what the host loads, starts and reads back. Also its file format.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// Bytes that the host writes through a chip's host port before anything starts.
struct Segment {
  std::uint32_t chip = 0;
  std::uint64_t addr = 0;  ///< chip-local HBM address, multiple of 64
  std::vector<std::uint8_t> bytes;
};

/// Instructions of one sequencer, already in a segment.
struct InstrStream {
  std::uint32_t chip = 0, core = 0;
  std::uint32_t engine = 0;  ///< sequencer 0..3
  std::uint64_t base = 0;    ///< multiple of LineBytes
  std::uint32_t count = 0;   ///< END included
};

/// Descriptor ring of one DMA engine, already in a segment.
struct DescriptorRing {
  std::uint32_t chip = 0, core = 0, engine = 0;
  std::uint64_t base = 0;  ///< multiple of LineBytes
  std::uint32_t count = 0;
};

/// Elements of a region, row by row.
struct RegionArray {
  defs::Dtype dtype = defs::Dtype::Fp32;
  std::uint32_t rows = 0, columns = 0;
  std::uint64_t stride = 0;  ///< bytes from row to row
};

/// Bytes that the host reads back when every sequencer has executed END.
struct Region {
  std::string name;
  std::uint32_t chip = 0;
  std::uint64_t addr = 0;   ///< chip-local HBM address, multiple of 64
  std::uint32_t bytes = 0;  ///< multiple of 64
  /// Only of a program that was assembled in this process; no part of files and hashes.
  std::optional<RegionArray> array = {};
};

/// What isolates a core (fabric/doc/transport.md): registers FabricKey, FabricBase, FabricEnd.
struct Partition {
  std::uint32_t chip = 0, core = 0;
  std::uint32_t key = 0;   ///< 0 .. 255
  std::uint64_t base = 0;  ///< packets may write base .. end - 1
  std::uint64_t end = (std::uint64_t{1} << 48) - 1;
};

/// What reaches the host while the machine runs, and what the host does with it: it writes the
/// bytes through the chip's port, then starts the stream, which is rung for this alone and not with
/// the others. The stream's END is the answer; a request for a stream that still runs waits at the
/// host, and so does what comes behind it for the same chip.
struct Request {
  std::uint64_t arrival = 0;  ///< core cycles after the start of the others; only delays
  std::uint32_t chip = 0, core = 0, engine = 0;  ///< the stream: sequencer 0..3
  std::uint64_t addr = 0;                        ///< chip-local HBM address, multiple of 64
  std::vector<std::uint8_t> bytes;
};

/// Where the instructions of a sequencer, or the descriptors of a DMA engine, were written.
struct SourceNotes {
  std::uint32_t chip = 0, core = 0, engine = 0;  ///< defs::Engine
  struct Line {
    const char* file;  ///< lives as long as the process
    std::uint32_t line;
    std::uint32_t label;  ///< in Program::labels
  };
  std::vector<Line> lines;  ///< by pc
};

struct Program {
  std::string config;       ///< "inf2" or "mini"
  std::uint32_t chips = 0;  ///< 1 .. BoardChips, consecutive from chip 0
  std::vector<Segment> segments;
  std::vector<InstrStream> streams;
  std::vector<DescriptorRing> rings;
  std::vector<Region> regions;
  std::vector<Partition> partitions;  ///< cores without one stay as reset leaves them
  std::vector<std::uint32_t> keys;    ///< that every link port admits; empty: 0, as after reset
  /// Only of a program that was assembled in this process; no part of files and hashes.
  std::vector<SourceNotes> notes;
  std::vector<std::string> labels;
  std::map<std::pair<unsigned, unsigned>, std::string> semaphores;  ///< names, by chip and number
  std::string file;                                                 ///< that it was loaded from
  /// In the order in which the host serves those of a chip; part of files and hashes.
  std::vector<Request> requests;

  /// "tb/scenarios/ring.cc:133 (label)"; of a file its name and the byte; empty if not known.
  std::string source_of(unsigned chip, unsigned core, unsigned engine, std::uint32_t pc) const;
  /// "0.3 loaded"; "0.3" if it has no name.
  std::string semaphore_of(unsigned chip, unsigned semaphore) const;
  /// How many requests start this stream; 0: the host starts it, with all others, once.
  std::uint32_t requests_of(const InstrStream& stream) const;
};

/// File format, all little-endian:
///
///   8 B  magic "DODECA\0\1"         u32 chips          16 B config name, zero-padded
///   u32  segments, streams, rings, regions (counts)    u64 total file size
///   per segment  u32 chip, u64 addr, u64 bytes, data
///   per stream   u32 chip, core, engine; u64 base; u32 count
///   per ring     u32 chip, core, engine; u64 base; u32 count
///   per region   u32 chip; u64 addr; u32 bytes; u32 name length (1..64), name
///   if isolated  4 B "KEYS", u32 keys, partitions (counts), per key u32,
///                per partition u32 chip, core, key; u64 base, end
///   if fed       4 B "RQST", u32 requests (count), per request u64 arrival;
///                u32 chip, core, engine; u64 addr, bytes; data
///   u64  XXH3 of everything before
///
/// A file that ends in .dasm is text instead: program_text.h.
///
/// Both throw std::runtime_error with one line that names the file, the field and what is allowed.
void save_program(const Program& program, const std::filesystem::path& file);
Program load_program(const std::filesystem::path& file);

/// XXH3 of the program as a file would hold it: equal stimulus, equal hash.
std::uint64_t program_hash(const Program& program);

/// Checks everything a loader relies on: ranges, alignment, overlaps, that streams and rings lie in
/// segments, that config and chips exist. Throws like load_program; `where` opens the message, the
/// part of the program that it is about ("stream 3") comes next.
void validate_program(const Program& program, const std::string& where);

}  // namespace cmodel
