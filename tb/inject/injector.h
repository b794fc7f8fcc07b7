// SPDX-License-Identifier: Apache-2.0
// What the files of the injector share: one fault of one run, and the table of sites.
#pragma once
#include <xxhash.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cmodel/board/board.h"
#include "tb/board/board.h"
#include "tb/inject/inject.h"
#include "tb/inject/sum_trails.h"

namespace tb {
namespace inject {

/// A stream of numbers of its own for every seed and name.
class Random {
 public:
  Random(std::uint32_t seed, std::string_view name)
      : state_(XXH3_64bits_withSeed(name.data(), name.size(), seed)) {}
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// 0 .. bound - 1
  unsigned below(std::uint64_t bound) { return static_cast<unsigned>(next() % bound); }

 private:
  std::uint64_t state_;
};

/// Counts and hashes what a run of the model commits, by stream.
class Census : public cmodel::CommitSink {
 public:
  struct Stream {
    std::uint64_t writes = 0, all = 0, chain = 0;
    bool operator==(const Stream&) const = default;
  };
  void commit(const cmodel::Commit& commit, std::span<const std::uint8_t> data) override {
    Stream& s = streams[{commit.stream, commit.kind == cmodel::CommitKind::Semaphore}];
    const std::uint64_t fields[] = {static_cast<std::uint64_t>(commit.kind),
                                    commit.pc,
                                    commit.addr,
                                    commit.first,
                                    commit.count,
                                    commit.element_bytes,
                                    static_cast<std::uint64_t>(std::int64_t{commit.delta}),
                                    s.chain};
    s.chain = XXH3_64bits_withSeed(data.data(), data.size(), XXH3_64bits(fields, sizeof(fields)));
    ++s.all;
    if (commit.kind == cmodel::CommitKind::PsumRow &&
        commit.stream.engine == static_cast<std::uint8_t>(defs::Engine::Tensor))
      rows[commit.stream].push_back(commit.count);
  }
  /// {stream, semaphore list?}
  std::map<std::pair<cmodel::StreamId, bool>, Stream> streams;
  /// M of the PsumRow commits of each tensor stream.
  std::map<cmodel::StreamId, std::vector<std::uint16_t>> rows;
};

inline constexpr auto kTensor = static_cast<std::uint8_t>(defs::Engine::Tensor);
inline constexpr auto kDma0 = static_cast<std::uint8_t>(defs::Engine::Dma0);
inline constexpr auto kRx = static_cast<std::uint8_t>(defs::Engine::Rx);
inline constexpr auto kHost = static_cast<std::uint8_t>(defs::Engine::Host);

/// What the attempt of one cycle did, and the evidence for a later argument.
struct Done {
  std::string place;
  /// Asked when the run has passed: why nobody could see it; empty if there is no reason.
  std::function<std::string()> why;
  std::optional<unsigned> core = {};  ///< none: what the cores share
  /// After every later clock edge, of a fault that stays; true if it had to change something.
  std::function<bool(Chip&)> hold = {};
};

}  // namespace inject

struct Injector::Impl {
  Impl(std::uint32_t seed, const cmodel::Program& program, const Site& which,
       const std::vector<bool>& models);

  void hook(Chip& chip, std::uint64_t cycle);

  std::optional<inject::Done> weight(Chip& chip);
  std::optional<inject::Done> partial_sum(Chip& chip);
  std::optional<inject::Done> psum(Chip& chip);
  std::optional<inject::Done> tensor_count(Chip& chip);
  std::optional<inject::Done> tensor_stuck(Chip& chip);
  std::optional<inject::Done> tensor_busy(Chip& chip);
  std::optional<inject::Done> sbuf_write_lost(Chip& chip);
  std::optional<inject::Done> dma_address(Chip& chip);
  std::optional<inject::Done> dma_stuck(Chip& chip);
  std::optional<inject::Done> host_beat(Chip& chip);
  std::optional<inject::Done> flit_payload(Chip& chip);
  std::optional<inject::Done> credit_lost(Chip& chip);
  std::optional<inject::Done> semaphore_lost(Chip& chip);
  std::optional<inject::Done> semaphore_value(Chip& chip);
  std::optional<inject::Done> instruction(Chip& chip);
  std::optional<inject::Done> sequencer_stuck(Chip& chip);

  Register in_core(Chip& chip, std::string_view name) const {
    return chip.state().in_core(core, name);
  }
  bool inside_tile(unsigned lane, unsigned distance, unsigned column) const;
  std::string dead(cmodel::Cell::Memory memory, unsigned partition, std::uint64_t addr) const;
  std::string same_commits(const cmodel::InstrStream& stream, std::uint32_t pc, unsigned bit) const;

  const cmodel::Program& program;
  const Site& site;
  inject::Random random;
  inject::Census census;
  std::unique_ptr<cmodel::Board> oracle;  ///< run to its end: knows all accesses

  unsigned chip_id = 0, core = 0;
  std::uint64_t arm_at = 0;  ///< commits of the place that show the site in use
  // Of the chip, while it runs.
  std::uint64_t seen = 0, done_commits = 0;
  cmodel::StreamPositions positions;
  std::optional<CommitBuffer::Entry> last_row;  ///< newest PsumRow of the core, in this cycle
  std::vector<std::uint32_t> freed_before;
  std::optional<SumTrails> trails;  ///< of weight and partial_sum

  std::optional<inject::Done> done;
  std::uint64_t cycle = 0;
};

namespace inject {

struct SiteEntry {
  Site site;
  std::string_view block;  ///< as a diagnosis names it (tb/debug/diagnosis.h)
  std::optional<Done> (Injector::Impl::*attempt)(Chip&);
  /// Does a commit of this stream show that the site is in use there?
  bool (*used)(const cmodel::StreamId&, bool semaphore);
};

/// Of one of site_names().
const SiteEntry& entry_of(std::string_view name);

}  // namespace inject
}  // namespace tb
