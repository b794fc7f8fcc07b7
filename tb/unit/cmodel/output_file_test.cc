// SPDX-License-Identifier: Apache-2.0
// A file is there whole or not at all, and what is no regular file stays what it is.
#include "cmodel/files/output_file.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <sstream>
#include <thread>
#include <vector>

namespace {

namespace fs = std::filesystem;

class OutputFile : public testing::Test {
 protected:
  void SetUp() override {
    dir_ = fs::temp_directory_path() / fmt::format("output_file.{}", getpid());
    fs::create_directories(dir_);
  }
  void TearDown() override { fs::remove_all(dir_); }
  static std::string text(const fs::path& file) {
    std::ostringstream out;
    out << std::ifstream(file).rdbuf();
    return out.str();
  }
  std::vector<std::string> names() const {
    std::vector<std::string> all;
    for (const auto& entry : fs::directory_iterator(dir_)) all.push_back(entry.path().filename());
    std::ranges::sort(all);
    return all;
  }
  static std::string failure(const fs::path& file, std::string_view bytes) {
    try {
      cmodel::write_file(file, bytes);
    } catch (const std::runtime_error& error) {
      return error.what();
    }
    return {};
  }
  fs::path dir_;
};

TEST_F(OutputFile, IsThereWhenItIsFinishedAndNotBefore) {
  cmodel::write_file(dir_ / "a", "old");
  {
    cmodel::OutputFile out(dir_ / "a");
    out.print("{} and {}", 1, 2);
    EXPECT_EQ(text(dir_ / "a"), "old");
    out.finish();
  }
  EXPECT_EQ(text(dir_ / "a"), "1 and 2");
  {
    cmodel::OutputFile(dir_ / "a").print("given up");
  }
  EXPECT_EQ(text(dir_ / "a"), "1 and 2");
  EXPECT_EQ(names(), std::vector<std::string>{"a"});
}

TEST_F(OutputFile, FollowsALinkAndLeavesIt) {
  cmodel::write_file(dir_ / "real", "old");
  fs::create_symlink("real", dir_ / "link");
  cmodel::write_file(dir_ / "link", "new");
  EXPECT_TRUE(fs::is_symlink(dir_ / "link"));
  EXPECT_EQ(text(dir_ / "real"), "new");
}

TEST_F(OutputFile, GoesIntoAFifoOrADeviceThatStaysOne) {
  ASSERT_EQ(mkfifo((dir_ / "fifo").c_str(), 0600), 0);
  std::string read;
  std::thread reader([&] { read = text(dir_ / "fifo"); });
  cmodel::write_file(dir_ / "fifo", "through");
  reader.join();
  EXPECT_EQ(read, "through");
  EXPECT_TRUE(fs::is_fifo(dir_ / "fifo"));
  fs::create_symlink("/dev/full", dir_ / "full");
  EXPECT_EQ(failure(dir_ / "full", "x"), "/dev/full: cannot be written: No space left on device");
  EXPECT_TRUE(fs::is_character_file(dir_ / "full"));
  EXPECT_EQ(names(), (std::vector<std::string>{"fifo", "full"}));
}

TEST_F(OutputFile, LeavesNothingOfWhatDoesNotFit) {
  cmodel::write_file(dir_ / "a", "old");
  signal(SIGXFSZ, SIG_IGN);
  const rlimit small{4096, RLIM_INFINITY}, none{RLIM_INFINITY, RLIM_INFINITY};
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const std::string why = failure(dir_ / "a", std::string(5000, 'x'));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &none), 0);
  EXPECT_EQ(why, (dir_ / "a").string() + ": cannot be written: File too large");
  EXPECT_EQ(text(dir_ / "a"), "old");
  EXPECT_EQ(names(), std::vector<std::string>{"a"});
  EXPECT_EQ(failure(dir_ / "none/a", "x"),
            (dir_ / "none/a").string() + ": cannot be written: No such file or directory");
}

}  // namespace
