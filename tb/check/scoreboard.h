// SPDX-License-Identifier: Apache-2.0
// RTL against golden model, commit by commit.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "cmodel/board/board.h"
#include "cmodel/machine/commit.h"
#include "cmodel/program/program.h"
#include "tb/check/commit_chain.h"
#include "tb/check/divergence.h"
#include "tb/dut/commit_buffer.h"

namespace tb {

/// The first commit of a list that the model made and the RTL did not.
struct Missing {
  cmodel::Commit expected;
  std::uint64_t ordinal = 0;
};

/// Two lists per stream, writes and semaphore updates (cmodel/machine/commit.h), each compared in
/// order. The model is pulled: it runs until it has produced the commit that the RTL just made.
///
///   RTL commit --> list of its stream --(empty?)--> model.step() until it is not
///                        |
///                     compare, hash
///
/// Knows nothing of pins, cycles (beyond reporting them) or threads.
class Scoreboard : public cmodel::CommitSink {
 public:
  Scoreboard(const defs::Sizes& sizes, const cmodel::Program& program,
             cmodel::BoardOptions options);

  /// All commits of one chip's window. A list goes on behind other bytes, and no further behind
  /// another commit than the one expected: what would be compared then?
  void check(const CommitBuffer& commits);

  /// The earliest divergence seen so far: least cycle, then chip. Complete for all windows checked.
  const std::optional<Divergence>& divergence() const { return divergence_; }

  /// All that differs so far, the first kMaxMismatches of every chip, in no order.
  const std::vector<Mismatch>& mismatches() const { return mismatches_; }
  std::uint64_t mismatch_count() const { return mismatch_count_; }
  /// After finish().
  std::vector<Missing> missing() const;
  static constexpr unsigned kMaxMismatches = 64;

  /// After the RTL's end: runs the model to its end. Returns one line per stream in which the model
  /// has commits that the RTL never made; empty if none.
  std::string finish();

  /// After finish(): the hardware's counters of a core (by defs::TensorCount) against the model's
  /// count of work, and among themselves. One line per fault; empty if none.
  std::string check_counts(
      unsigned chip, unsigned core,
      std::span<const std::uint64_t, defs::kEveryTensorCount.size()> counts) const;

  std::uint64_t commits_checked() const { return commits_checked_; }
  /// What an engine of the RTL did last, in whatever lane, be it right or wrong.
  struct Last {
    cmodel::Commit commit;
    std::uint64_t cycle = 0;  ///< core cycle
  };
  std::optional<Last> last_of(const cmodel::StreamId& engine) const;
  /// Per-list chains of XXH3 over everything that the RTL committed, combined in stream order.
  std::uint64_t commit_hash() const { return combined_hash(chains()); }
  Chains chains() const;
  /// Commits of each stream so far, without semaphore updates.
  cmodel::StreamPositions positions(unsigned chip) const;
  double seconds() const { return seconds_; }
  cmodel::Board& model() { return *model_; }
  const cmodel::Board& model() const { return *model_; }

 private:
  /// Expected commits not yet matched, and the chain of those that the RTL made.
  struct List {
    std::vector<cmodel::Commit> commits;
    std::vector<std::uint8_t> bytes;
    std::size_t head = 0, head_byte = 0;
    CommitChain chain;
    bool lost = false;  ///< diverged: not compared any more

    bool empty() const { return head == commits.size(); }
  };
  struct Stream {
    cmodel::StreamId id;
    List writes, semaphores;
    std::optional<Last> last;
  };

  void commit(const cmodel::Commit& commit, std::span<const std::uint8_t> data) override;
  Stream& stream(const cmodel::StreamId& id);
  List& list(const cmodel::Commit& commit);
  void diverge(Mismatch mismatch);

  const defs::Sizes& sizes_;
  std::unordered_map<std::uint32_t, std::unique_ptr<Stream>> streams_;
  Stream* recent_ = nullptr;
  std::vector<unsigned> mismatches_of_;  ///< by chip
  std::vector<Mismatch> mismatches_;
  std::uint64_t mismatch_count_ = 0;
  std::unique_ptr<cmodel::Board> model_;
  std::optional<Divergence> divergence_;
  std::uint64_t commits_checked_ = 0;
  double seconds_ = 0;
};

}  // namespace tb
