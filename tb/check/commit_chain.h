// SPDX-License-Identifier: Apache-2.0
// The commit hash: one chain per list of a stream, so that the order between streams plays no part.
#pragma once
#include <xxhash.h>

#include <array>
#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "cmodel/machine/commit.h"

namespace tb {

/// The chain so far at some commit: equal points of two runs mean equal commits up to there.
struct ChainPoint {
  std::uint64_t epoch;  ///< of the last commit
  std::uint64_t made;
  std::uint32_t hash;
};

/// XXH3 over the commits of one list, in their order, with a point behind the last commit of every
/// epoch and behind every kPointCommits: runs in which the same happens at other times share these.
class CommitChain {
 public:
  static constexpr unsigned kEpochCycles = 1024, kPointCommits = 256;

  CommitChain() : state_(XXH3_createState()) { XXH3_64bits_reset(state_); }
  ~CommitChain() { XXH3_freeState(state_); }
  CommitChain(const CommitChain&) = delete;

  void add(const cmodel::Commit& commit, std::span<const std::uint8_t> data, std::uint64_t cycle) {
    const std::uint64_t epoch = cycle / kEpochCycles;
    if (made_ && (epoch != epoch_ || made_ % kPointCommits == 0)) points_.push_back(here());
    epoch_ = epoch;
    // Fields in a fixed layout: the struct itself has padding.
    const std::array<std::uint64_t, 4> fields{
        static_cast<std::uint64_t>(commit.kind) << 32 | commit.pc, commit.addr,
        std::uint64_t{commit.first} << 32 | std::uint64_t{commit.count} << 16 |
            commit.element_bytes,
        static_cast<std::uint64_t>(static_cast<std::int64_t>(commit.delta))};
    XXH3_64bits_update(state_, fields.data(), sizeof(fields));
    XXH3_64bits_update(state_, data.data(), data.size());
    ++made_;
  }
  std::uint64_t made() const { return made_; }
  std::uint64_t digest() const { return XXH3_64bits_digest(state_); }
  /// The last commit's too.
  std::vector<ChainPoint> points() const {
    auto all = points_;
    if (made_) all.push_back(here());
    return all;
  }

 private:
  ChainPoint here() const { return {epoch_, made_, static_cast<std::uint32_t>(digest())}; }

  XXH3_state_t* state_;
  std::uint64_t made_ = 0, epoch_ = 0;
  std::vector<ChainPoint> points_;
};

/// Dense enough to be a key, and part of the hash.
inline std::uint32_t stream_key(const cmodel::StreamId& id) {
  return std::uint32_t{id.chip} << 24 | std::uint32_t{id.core} << 20 |
         std::uint32_t{id.engine} << 12 | std::uint32_t{id.src} << 8 | id.lane;
}

/// The chains of a stream.
struct StreamChains {
  const CommitChain *writes, *semaphores;
};
using Chains = std::map<cmodel::StreamId, StreamChains>;

/// All chains in stream order; streams without a commit do not count.
inline std::uint64_t combined_hash(const Chains& streams) {
  std::vector<std::uint64_t> words;
  for (const auto& [id, chains] : streams) {
    if (!chains.writes->made() && !chains.semaphores->made()) continue;
    words.push_back(stream_key(id));
    for (const CommitChain* chain : {chains.writes, chains.semaphores}) {
      words.push_back(chain->made());
      words.push_back(chain->digest());
    }
  }
  return XXH3_64bits(words.data(), words.size() * sizeof(std::uint64_t));
}

}  // namespace tb
