// SPDX-License-Identifier: Apache-2.0
// The program of `corners`, as it grows.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <vector>

#include "cmodel/machine/address_map.h"
#include "cmodel/program/assembler.h"
#include "tb/scenarios/looper.h"
#include "tb/scenarios/numbers.h"
#include "tb/scenarios/scenario.h"

namespace tb::corners {

using cmodel::Assembler;
using cmodel::Block;
using cmodel::Semaphore;
using cmodel::Tile;
using defs::Dtype;
using defs::Space;

inline constexpr unsigned kSourceBytes = 4096, kVectorAt = 4096, kActAt = 5632, kLandingAt = 7168,
                          kEngineBytes = 1536, kLandingBytes = 1024;
inline constexpr unsigned kDefaultLength = 48;
inline constexpr unsigned kFillRows = 4,
                          kFillTimes = 4;  ///< the same bytes four times: loading is slow
inline constexpr unsigned kFillKinds = 2;  ///< bf16, narrow formats
inline constexpr unsigned kFillBytes = kSourceBytes / kFillKinds / kFillTimes;
inline constexpr unsigned kNarrowAt = kSourceBytes / kFillKinds;
inline constexpr unsigned kHbmSource = 8192;
inline constexpr unsigned kMostRubbish = 512;  ///< words behind the end of a stream

/// Two semaphores that only one stream or DMA engine touches: their values are known.
struct Counter {
  std::array<Semaphore, 2> semaphore;  ///< own core, other core
  std::array<unsigned, 2> value{};

  Counter(Assembler& assembler, unsigned chip, unsigned core)
      : semaphore{assembler.core(chip, core).semaphore("counter"),
                  assembler.core(chip, 1 - core).semaphore("counter")} {}

  template <class Stream>
  void wait(Stream& stream, Random& random) {
    const unsigned which = random.between(0, 1);
    if (random.one_in(3)) {
      stream.wait_ge(semaphore[which], random.between(0, value[which]));
    } else if (random.one_in(3)) {
      stream.wait_eq(semaphore[which], value[which]);
    }
  }
  template <class Stream>
  void signal(Stream& stream, Random& random) {
    const unsigned which = random.between(0, 1);
    if (random.one_in(3)) return;
    int delta = 0;
    if (value[which] && random.one_in(2))
      delta = -static_cast<int>(random.between(1, std::min(value[which], 0x8000u)));
    else if (value[which] < 0xffff)
      delta = static_cast<int>(random.between(1, std::min(0x7fffu, 0xffffu - value[which])));
    if (delta == 0) return;
    stream.signal(semaphore[which], delta);
    value[which] += delta;
  }
};

class Corners {
 public:
  explicit Corners(const ScenarioArgs& args);

  cmodel::Program build();

 private:
  unsigned length() const { return args_.length ? args_.length : kDefaultLength; }

  unsigned fills() const { return p_ / kFillRows * kFillTimes * kFillKinds; }

  /// Up to 2^bits words that nobody executes, as if the stream or ring were longer.
  template <class Stream>
  void rubbish_behind(cmodel::Program& program, Stream& stream, unsigned bits) {
    const auto segment = std::ranges::find_if(program.segments, [&](const auto& s) {
      return s.chip == stream.chip && s.addr == stream.base;
    });
    const unsigned words = random_.between(1u << bits >> 1, 1u << bits);
    for (unsigned byte = 0; byte < words * defs::kInstrBytes; ++byte)
      segment->bytes.push_back(static_cast<std::uint8_t>(random_.word()));
    stream.count += words;
  }

  /// Two bytes, each of them an ordinary number in fp8 and int8, together in fp16; four in fp32.
  std::uint16_t narrow() { return static_cast<std::uint16_t>((random_.word() & 0xbfbf) ^ 0x2020); }

  void sources(unsigned chip);

  /// Fills the sources of one core; both cores may read them when the semaphores are full.
  Semaphore fill(unsigned chip, unsigned c);

  /// A legal pair of count and start.
  unsigned partitions();
  unsigned start(unsigned n);

  /// Loops of at most `most` elements, outermost first.
  std::array<unsigned, 4> loops(unsigned most);

  /// An operand of that shape inside [at, at + bytes) of a buffer, strides of all kinds.
  Tile tile(unsigned chip, unsigned core, Space space, Dtype dtype, unsigned n,
            const std::array<unsigned, 4>& size, unsigned at, unsigned bytes);

  /// As a destination that is rounded in any way.
  Tile rounded(Tile tile) {
    tile.stochastic = random_.one_in(4);
    tile.saturate = random_.one_in(4);
    return tile;
  }

  /// Now and then thousands of elements in one dimension, the same ones again and again.
  std::array<unsigned, 4> lane_loops();

  Tile source(unsigned chip, unsigned core, unsigned n, const std::array<unsigned, 4>& size,
              unsigned banks);

  void compute(unsigned chip, unsigned c, Semaphore filled);
  /// When all banks are summed.
  void rows(unsigned chip, unsigned c, Counter& vector, Counter& act);
  template <class Stream>
  void rows(unsigned chip, unsigned c, defs::Engine engine, Stream& stream, Counter& counter);

  // --- DMA

  struct Rows {
    Block src, dst;
  };
  Rows rows(unsigned chip, unsigned dst_chip, unsigned bytes, unsigned rows, unsigned src_memory,
            unsigned dst_memory);

  /// Rows inside a memory that nobody writes any more.
  Block from(unsigned chip, unsigned memory, unsigned bytes, unsigned rows);
  /// For SBUF the row step is whole partitions; the address is set by the caller.
  std::int64_t sbuf_rows(unsigned at, unsigned rows);
  Block placed(Block block, unsigned core);

  /// Rows that nobody else writes. False if SBUF has no more room for them.
  bool to(unsigned chip, unsigned memory, unsigned bytes, unsigned rows, Block& block);

  unsigned row_bytes(unsigned size);

  void transfers(unsigned chip, unsigned c);
  /// Rows of 1 and 2 bytes.
  void short_rows(unsigned chip, unsigned c);
  /// With a second source.
  void combined(unsigned chip, unsigned c);

  // --- copies by lists, with casts, out of instructions

  struct CopyRegisters {
    cmodel::Register src, dst, rows, index;
  };
  struct Copy {
    unsigned dst_chip, rows, src_bytes, dst_bytes;  ///< bytes of a row
    cmodel::Rows how = {};
  };
  void copies(unsigned chip, unsigned c);
  void cast(unsigned chip, unsigned c, unsigned engine, const CopyRegisters& registers);
  void listed(unsigned chip, unsigned c, unsigned engine, const CopyRegisters& registers);
  void emit(unsigned chip, unsigned c, unsigned engine, Copy copy, bool indexed,
            const CopyRegisters& registers);
  /// A list for that engine, in any memory; with `skip` some of it, or all, out of bounds.
  Block indices(unsigned chip, unsigned c, unsigned engine, unsigned count, unsigned bound,
                bool skip);
  /// The block from which the register, set here, leads to `block`.
  Block moved(cmodel::SyncStream& sync, cmodel::Register by, Block block);

  // --- loops

  void loops(unsigned chip, unsigned c);
  LooperWords words(unsigned chip, unsigned c);
  /// With `shared` also from all banks and from `others`, the bytes where the other lanes write.
  template <class S>
  Tile moved_source(Looper<S>& looper, unsigned chip, unsigned c, unsigned n,
                    const std::array<unsigned, 4>& size, bool integer, bool shared,
                    unsigned others);
  void turn(Looper<cmodel::TensorStream>& looper, unsigned chip, unsigned c, bool shared);
  void turn(Looper<cmodel::VectorStream>& looper, unsigned chip, unsigned c, bool shared);
  void turn(Looper<cmodel::ActStream>& looper, unsigned chip, unsigned c, bool shared);

  /// Something for the host to read: HBM bytes that went to the next chip and are judged there.
  void last_copy(unsigned chip);

  const ScenarioArgs& args_;
  unsigned p_;
  Random random_;
  Assembler assembler_;
  std::vector<unsigned> landing_;
  Random holes_;
  std::vector<Semaphore> filled_;  ///< by {chip, core}: the sources are there
  unsigned outs_ = 0, sbuf_at_ = 0;
};

}  // namespace tb::corners
