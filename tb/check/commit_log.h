// SPDX-License-Identifier: Apache-2.0
// The commits of a run as a file, for scripts/dodeca compare.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string_view>

#include "cmodel/machine/commit.h"
#include "tb/dut/commit_buffer.h"

namespace tb {

/// File format, gzipped, all little-endian:
///
///   8 B  magic "DODECLOG"    u32 version 1    8 B config name, zero-padded    u32 chips
///   per commit, 36 B:
///     u64 core cycle (0: golden model)
///     u8  kind, chip, core, engine, src, lane, element_bytes, 0      (cmodel/machine/commit.h)
///     u32 pc      u64 addr      u16 first, count      i32 delta
///     then `data`: rows count * element_bytes, burst count, message 16 + count bytes, else none
///   8 B of 0xff where the next cycle would be, and u64 number of commits: the file is whole
///
/// Only the order within a list (stream; writes or semaphore updates) means anything.
class CommitLog {
 public:
  /// Throws as OutputFile does, like finish().
  CommitLog(const std::filesystem::path& file, std::string_view config, unsigned chips);
  ~CommitLog();
  CommitLog(const CommitLog&) = delete;

  void add(const cmodel::Commit& commit, std::uint64_t cycle, std::span<const std::uint8_t> data);
  void add(const CommitBuffer& commits) {
    for (const auto& entry : commits.entries()) add(entry.commit, entry.cycle, commits.data(entry));
  }
  /// Ends the file and gives it its name.
  void finish();

 private:
  struct File;
  std::unique_ptr<File> file_;
};

}  // namespace tb
