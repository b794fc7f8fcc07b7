// SPDX-License-Identifier: Apache-2.0
#include "cmodel/files/output_file.h"

#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <stdexcept>

namespace cmodel {
namespace fs = std::filesystem;

namespace {

/// Where a link leads, if to a regular file or nowhere yet; what /dev leads to is written directly.
fs::path behind_links(const fs::path& file) {
  std::error_code error;
  if (!fs::is_symlink(file, error) || fs::absolute(file).string().starts_with("/dev/")) return file;
  const fs::path real = fs::weakly_canonical(file, error);
  return error ? file : real;
}

}  // namespace

OutputFile::OutputFile(const fs::path& file) : name_(behind_links(file)), part_(name_) {
  std::error_code error;
  const fs::file_type type = fs::symlink_status(name_, error).type();
  if (type == fs::file_type::regular || type == fs::file_type::not_found)
    part_ += fmt::format(".{}.part", ::getpid());
  file_ = std::fopen(part_.c_str(), "wb");
  if (!file_) fail(std::strerror(errno));
}

OutputFile::~OutputFile() {
  if (file_) std::fclose(file_);
  std::error_code ignored;
  if (part_ != name_) fs::remove(part_, ignored);
}

void OutputFile::fail(const std::string& why) const {
  throw std::runtime_error(fmt::format("{}: cannot be written: {}", name_.string(), why));
}

void OutputFile::write(const void* bytes, std::size_t size) {
  if (std::fwrite(bytes, 1, size, file_) != size) fail(std::strerror(errno));
}

int OutputFile::descriptor() {
  const int copy = std::fflush(file_) == 0 ? ::dup(::fileno(file_)) : -1;
  if (copy < 0) fail(std::strerror(errno));
  return copy;
}

void OutputFile::finish() {
  if (std::fclose(std::exchange(file_, nullptr)) != 0) fail(std::strerror(errno));
  if (part_ == name_) return;
  std::error_code error;
  fs::rename(part_, name_, error);
  if (error) fail(error.message());
  part_ = name_;
}

void write_file(const fs::path& file, std::string_view bytes) {
  OutputFile out(file);
  out.write(bytes.data(), bytes.size());
  out.finish();
}

}  // namespace cmodel
