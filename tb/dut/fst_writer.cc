// SPDX-License-Identifier: Apache-2.0
// Verilator's writer of waves, and what it does not ask: could its files be written? It is compiled
// here, with its calls of the C library led past those that remember the first failure.
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "tb/dut/wave_error.h"

namespace tb {
namespace {

std::atomic<int> first_error = 0;

template <class Result>
Result noted(bool good, Result result) {
  int none = 0;
  if (!good) first_error.compare_exchange_strong(none, errno ? errno : EIO);
  return result;
}

std::FILE* open_file(const char* name, const char* mode) {
  std::FILE* file = std::fopen(name, mode);
  return noted(file || *mode != 'w', file);
}
std::FILE* open_temporary() {
  std::FILE* file = std::tmpfile();
  return noted(file != nullptr, file);
}
std::size_t write_items(const void* items, std::size_t size, std::size_t count, std::FILE* file) {
  const std::size_t written = std::fwrite(items, size, count, file);
  return noted(written == count || size == 0, written);
}
int flush_file(std::FILE* file) {
  const int status = std::fflush(file);
  return noted(status == 0, status);
}
int close_file(std::FILE* file) {
  noted(!std::ferror(file), 0);
  const int status = std::fclose(file);
  return noted(status == 0, status);
}
int close_packed(gzFile file) {
  const int status = gzclose(file);
  return noted(status == Z_OK, status);
}
/// Memory beyond the end of a file that did not grow would end the process when touched.
void* map_file(void* at, std::size_t size, int access, int flags, int file, off_t offset) {
  struct stat info{};
  constexpr off_t kPage = 4096;
  const bool whole = fstat(file, &info) == 0 && offset + static_cast<off_t>(size) <=
                                                    (info.st_size + kPage - 1) / kPage * kPage;
  if (!whole) errno = ENOSPC, flags = MAP_PRIVATE | MAP_ANONYMOUS, file = -1, offset = 0;
  return noted(whole, mmap(at, size, access, flags, file, offset));
}

}  // namespace

int wave_error() { return first_error; }

}  // namespace tb

#define fopen tb::open_file
#define tmpfile tb::open_temporary
#define fwrite tb::write_items
#define fflush tb::flush_file
#define fclose tb::close_file
#define gzclose tb::close_packed
#define mmap tb::map_file
#include <verilated_fst_c.cpp>
