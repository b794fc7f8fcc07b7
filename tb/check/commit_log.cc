// SPDX-License-Identifier: Apache-2.0
#include "tb/check/commit_log.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "cmodel/files/output_file.h"

namespace tb {

struct CommitLog::File {
  cmodel::OutputFile out;
  gzFile gz;
  std::uint64_t commits = 0;
  int error = 0;  ///< errno of the first write that failed

  explicit File(const std::filesystem::path& file)
      : out(file), gz(gzdopen(out.descriptor(), "wb1")) {}
  ~File() {
    if (gz) gzclose(gz);
  }
  void put(const void* data, std::size_t bytes) {
    if (bytes && !error &&
        gzwrite(gz, data, static_cast<unsigned>(bytes)) != static_cast<int>(bytes))
      error = errno ? errno : EIO;
  }
};

CommitLog::CommitLog(const std::filesystem::path& file, std::string_view config, unsigned chips)
    : file_(std::make_unique<File>(file)) {
  std::array<char, 24> head{};
  const std::uint32_t version = 1, count = chips;
  std::memcpy(&head[0], "DODECLOG", 8);
  std::memcpy(&head[8], &version, 4);
  std::memcpy(&head[12], config.data(), std::min<std::size_t>(config.size(), 8));
  std::memcpy(&head[20], &count, 4);
  file_->put(head.data(), head.size());
}

CommitLog::~CommitLog() = default;

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
  if (gzclose(std::exchange(file_->gz, nullptr)) != Z_OK && !file_->error)
    file_->error = errno ? errno : EIO;
  if (file_->error) file_->out.fail(std::strerror(file_->error));
  file_->out.finish();
}

}  // namespace tb
