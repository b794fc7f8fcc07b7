// SPDX-License-Identifier: Apache-2.0
// commit_hash without a scoreboard.
#pragma once
#include <map>
#include <memory>
#include <unordered_map>

#include "cmodel/machine/commit.h"
#include "tb/check/commit_chain.h"
#include "tb/check/commit_log.h"
#include "tb/scenarios/scenario.h"

namespace tb {

/// Hashes every commit as the scoreboard does those of the RTL; hands it on to those who asked.
class HashingSink : public cmodel::CommitSink {
 public:
  HashingSink(CommitLog* log, Follower* follower) : log_(log), follower_(follower) {}
  void commit(const cmodel::Commit& commit, std::span<const std::uint8_t> data) override {
    if (!recent_ || recent_->id != commit.stream) {
      auto& slot = streams_[stream_key(commit.stream)];
      if (!slot) slot = std::make_unique<Stream>();
      slot->id = commit.stream;
      recent_ = slot.get();
    }
    const bool semaphore = commit.kind == cmodel::CommitKind::Semaphore;
    (semaphore ? recent_->semaphores : recent_->writes).add(commit, data, 0);
    if (log_) log_->add(commit, 0, data);
    if (follower_) follower_->commit(commit, 0, data);
  }
  Chains chains() const {
    Chains chains;
    for (const auto& [key, stream] : streams_)
      chains[stream->id] = {&stream->writes, &stream->semaphores};
    return chains;
  }

 private:
  struct Stream {
    cmodel::StreamId id;
    CommitChain writes, semaphores;
  };
  std::unordered_map<std::uint32_t, std::unique_ptr<Stream>> streams_;
  Stream* recent_ = nullptr;
  CommitLog* log_;
  Follower* follower_;
};

}  // namespace tb
