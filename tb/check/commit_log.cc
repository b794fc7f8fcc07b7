// SPDX-License-Identifier: Apache-2.0
#include "tb/check/commit_log.h"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "tb/base/exit_status.h"

namespace tb {

struct CommitLog::File {
  std::filesystem::path name, part;
  gzFile gz = nullptr;
  std::uint64_t commits = 0;
  bool failed = false;

  void put(const void* data, std::size_t bytes) {
    if (bytes && gzwrite(gz, data, static_cast<unsigned>(bytes)) != static_cast<int>(bytes))
      failed = true;
  }
  Refused refused() const {
    return Refused(kBadEnvironment,
                   fmt::format("--commit-log is \"{}\": cannot be written; allowed a file that can",
                               name.string()));
  }
};

CommitLog::CommitLog(const std::filesystem::path& file, std::string_view config, unsigned chips)
    : file_(std::make_unique<File>()) {
  file_->name = file;
  file_->part = file.string() + ".part";
  file_->gz = gzopen(file_->part.c_str(), "wb1");
  if (!file_->gz) throw file_->refused();
  std::array<char, 24> head{};
  const std::uint32_t version = 1, count = chips;
  std::memcpy(&head[0], "DODECLOG", 8);
  std::memcpy(&head[8], &version, 4);
  std::memcpy(&head[12], config.data(), std::min<std::size_t>(config.size(), 8));
  std::memcpy(&head[20], &count, 4);
  file_->put(head.data(), head.size());
}

CommitLog::~CommitLog() {
  if (!file_->gz) return;
  gzclose(file_->gz);
  std::error_code ignored;
  std::filesystem::remove(file_->part, ignored);
}

void CommitLog::add(const cmodel::Commit& c, std::uint64_t cycle,
                    std::span<const std::uint8_t> data) {
  std::array<std::uint8_t, 36> record{};
  const std::uint8_t bytes[7] = {static_cast<std::uint8_t>(c.kind),
                                 c.stream.chip,
                                 c.stream.core,
                                 c.stream.engine,
                                 c.stream.src,
                                 c.stream.lane,
                                 c.element_bytes};
  std::memcpy(&record[0], &cycle, 8);
  std::memcpy(&record[8], bytes, sizeof(bytes));
  std::memcpy(&record[16], &c.pc, 4);
  std::memcpy(&record[20], &c.addr, 8);
  std::memcpy(&record[28], &c.first, 2);
  std::memcpy(&record[30], &c.count, 2);
  std::memcpy(&record[32], &c.delta, 4);
  file_->put(record.data(), record.size());
  file_->put(data.data(), data.size());
  ++file_->commits;
}

void CommitLog::finish() {
  const std::uint64_t end[2] = {UINT64_MAX, file_->commits};
  file_->put(end, sizeof(end));
  const bool closed = gzclose(file_->gz) == Z_OK;
  file_->gz = nullptr;
  std::error_code error;
  if (closed && !file_->failed) std::filesystem::rename(file_->part, file_->name, error);
  if (!closed || file_->failed || error) throw file_->refused();
}

}  // namespace tb
