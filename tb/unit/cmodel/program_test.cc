// SPDX-License-Identifier: Apache-2.0
// Program files: what is written is read back; everything else is rejected in one line by name.
#include "cmodel/program/program.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <xxhash.h>

#include <cstdio>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;

/// A folder of our own that goes away with the test.
class Folder {
 public:
  Folder() {
    static int number = 0;
    path_ = fs::temp_directory_path() / fmt::format("dodeca-program-{}-{}", ::getpid(), number++);
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  fs::path operator/(const char* name) const { return path_ / name; }
  std::size_t files() const {
    return std::distance(fs::directory_iterator(path_), fs::directory_iterator());
  }

 private:
  fs::path path_;
};

cmodel::Program sample() {
  cmodel::Program program;
  program.config = "mini";
  program.chips = 2;
  program.segments.push_back({0, 0x0, std::vector<std::uint8_t>(192, 0xa5)});
  program.segments.push_back({1, 0x10'0000'0040, std::vector<std::uint8_t>(65, 0x5a)});
  program.streams.push_back({0, 1, 2, 0x0, 2});
  program.rings.push_back({0, 0, 3, 0x80, 1});
  program.regions.push_back({"out", 1, 0x4000, 128});
  return program;
}

std::vector<std::uint8_t> read_file(const fs::path& file) {
  std::vector<std::uint8_t> bytes(fs::file_size(file));
  std::FILE* in = std::fopen(file.c_str(), "rb");
  EXPECT_EQ(std::fread(bytes.data(), 1, bytes.size(), in), bytes.size());
  std::fclose(in);
  return bytes;
}

void write_file(const fs::path& file, const std::vector<std::uint8_t>& bytes) {
  std::FILE* out = std::fopen(file.c_str(), "wb");
  if (!bytes.empty()) {
    EXPECT_EQ(std::fwrite(bytes.data(), 1, bytes.size(), out), bytes.size());
  }
  std::fclose(out);
}

/// Makes the checksum fit again, so that the parser behind it is reached.
void seal(std::vector<std::uint8_t>& bytes) {
  const std::uint64_t hash = XXH3_64bits(bytes.data(), bytes.size() - 8);
  std::memcpy(bytes.data() + bytes.size() - 8, &hash, 8);
}

std::string error_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::runtime_error& error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos) << "one line";
    return error.what();
  }
  return "no error";
}

void expect_error(const fs::path& file, const std::string& words) {
  const std::string text = error_of([&] { cmodel::load_program(file); });
  EXPECT_NE(text.find(words), std::string::npos) << text << "\n  wanted: " << words;
  EXPECT_EQ(text.rfind(file.string() + ": ", 0), 0u) << text;
}

TEST(Program, IsReadBackAsWritten) {
  const Folder folder;
  const auto program = sample();
  cmodel::save_program(program, folder / "a.prog");
  EXPECT_EQ(folder.files(), 1u) << "no scratch file left";
  const auto back = cmodel::load_program(folder / "a.prog");
  cmodel::save_program(back, folder / "b.prog");
  EXPECT_EQ(read_file(folder / "a.prog"), read_file(folder / "b.prog"));
  EXPECT_EQ(back.config, "mini");
  EXPECT_EQ(back.chips, 2u);
  ASSERT_EQ(back.segments.size(), 2u);
  EXPECT_EQ(back.segments[1].addr, 0x10'0000'0040u);
  EXPECT_EQ(back.segments[1].bytes, program.segments[1].bytes);
  ASSERT_EQ(back.streams.size(), 1u);
  EXPECT_EQ(back.streams[0].engine, 2u);
  ASSERT_EQ(back.rings.size(), 1u);
  EXPECT_EQ(back.rings[0].base, 0x80u);
  ASSERT_EQ(back.regions.size(), 1u);
  EXPECT_EQ(back.regions[0].name, "out");
}

TEST(Program, ASavedFileReplacesTheOldOneOrLeavesItAlone) {
  const Folder folder;
  cmodel::save_program(sample(), folder / "a.prog");
  const auto before = read_file(folder / "a.prog");
  auto bad = sample();
  bad.chips = 13;
  EXPECT_NE(error_of([&] { cmodel::save_program(bad, folder / "a.prog"); }).find("chips is 13"),
            std::string::npos);
  EXPECT_EQ(read_file(folder / "a.prog"), before);
  EXPECT_EQ(folder.files(), 1u);
  EXPECT_NE(error_of([&] {
              cmodel::save_program(sample(), folder / "none/a.prog");
            }).find("cannot be written"),
            std::string::npos);
}

TEST(Program, FilesThatAreNoProgramsAreRefused) {
  const Folder folder;
  const fs::path file = folder / "a.prog";
  expect_error(file, "cannot be opened");
  write_file(file, {});
  expect_error(file, "magic is not");
  cmodel::save_program(sample(), file);
  const auto good = read_file(file);

  auto bytes = good;
  bytes[7] = 2;
  write_file(file, bytes);
  expect_error(file, "magic is not");

  bytes = good;
  bytes.resize(40);
  write_file(file, bytes);
  expect_error(file, "truncated: 40 bytes");
  bytes = good;
  bytes.pop_back();
  write_file(file, bytes);
  expect_error(file, "truncated: total file size says");
  bytes = good;
  bytes.push_back(0);
  write_file(file, bytes);
  expect_error(file, "trailing bytes");
  bytes = good;
  bytes[100] ^= 1;
  write_file(file, bytes);
  expect_error(file, "checksum is");

  const auto patched = [&](std::size_t at, std::uint64_t value, unsigned size,
                           const std::string& words) {
    auto copy = good;
    for (unsigned i = 0; i < size; ++i) copy[at + i] = static_cast<std::uint8_t>(value >> (8 * i));
    seal(copy);
    write_file(file, copy);
    expect_error(file, words);
  };
  // Header: magic 8, chips 12, config 28, counts 28 32 36 40, total size 52; segment 0 at 52.
  patched(8, 0, 4, "chips is 0; allowed 1 .. 12");
  patched(8, 13, 4, "chips is 13; allowed 1 .. 12");
  patched(12, 'X', 1, "config is \"Xini\"; allowed inf2, mini");
  patched(20, 1, 1, "config name is not padded with zeros");
  patched(28, 0xffffffff, 4, "segments is 4294967295; the");
  patched(32, 0xffffffff, 4, "streams is 4294967295; the");
  patched(36, 1000, 4, "rings is 1000; the");
  patched(40, 77, 4, "regions is 77; the");
  patched(40, 0, 4, "trailing bytes: ");
  patched(52 + 12, ~std::uint64_t{0}, 8, "segment 0 data needs 18446744073709551615 bytes");
  patched(good.size() - 8 - 3 - 4, 65, 4, "region 0 name length is 65; allowed 1 .. 64");
  patched(good.size() - 8 - 3 - 4, 0, 4, "region 0 name length is 0; allowed 1 .. 64");
  patched(good.size() - 8 - 3, '\n', 1, "region 0 name is \"\\x0aut\"; allowed printable ASCII");
}

struct Case {
  const char* words;
  std::function<void(cmodel::Program&)> change;
};

TEST(Program, EveryFieldHasAnAllowedRange) {
  const Case cases[] = {
      {"config is \"\"; allowed inf2, mini", [](auto& p) { p.config.clear(); }},
      {"config is \"a\\x0ab\"; allowed", [](auto& p) { p.config = "a\nb"; }},
      {"chips is 0; allowed 1 .. 12", [](auto& p) { p.chips = 0; }},
      {"segment 0 chip is 2; allowed 0 .. 1", [](auto& p) { p.segments[0].chip = 2; }},
      {"segment 0 addr is 0x20; allowed multiples of 64",
       [](auto& p) { p.segments[0].addr = 0x20; }},
      {"segment 1 bytes is 0", [](auto& p) { p.segments[1].bytes.clear(); }},
      {"segment 1 addr 0x400000000 with 65 bytes leaves HBM; allowed 0x0 .. 0x3ffffffff and "
       "0x1000000000 .. 0x13ffffffff",
       [](auto& p) { p.segments[1].addr = 0x4'0000'0000; }},
      {"segment 1 addr 0x3ffffffc0 with 65 bytes leaves HBM",
       [](auto& p) { p.segments[1].addr = 0x3'ffff'ffc0; }},
      {"segment 1 addr 0xffffffffffffffc0 with 65 bytes leaves HBM",
       [](auto& p) { p.segments[1].addr = ~std::uint64_t{63}; }},
      {"segment 1 (chip 0 addr 0x80) overlaps segment 0 (0x0 .. 0xbf)",
       [](auto& p) {
         p.segments[1].chip = 0;
         p.segments[1].addr = 0x80;
       }},
      {"stream 0 chip is 9; allowed 0 .. 1", [](auto& p) { p.streams[0].chip = 9; }},
      {"stream 0 core is 2; allowed 0 .. 1", [](auto& p) { p.streams[0].core = 2; }},
      {"stream 0 engine is 4; allowed 0 .. 3", [](auto& p) { p.streams[0].engine = 4; }},
      {"stream 0 base is 0x20; allowed multiples of 64", [](auto& p) { p.streams[0].base = 0x20; }},
      {"stream 0 count is 0; allowed 1 .. 16777216", [](auto& p) { p.streams[0].count = 0; }},
      {"stream 0 count is 16777217; allowed 1 .. 16777216",
       [](auto& p) { p.streams[0].count = (1 << 24) + 1; }},
      {"stream 0 base 0x0 count 4: not inside one segment of chip 0",
       [](auto& p) { p.streams[0].count = 4; }},
      {"stream 0 base 0x0 count 2: not inside one segment of chip 1",
       [](auto& p) { p.streams[0].chip = 1; }},
      {"stream 0 base 0xc0 count 2: not inside", [](auto& p) { p.streams[0].base = 0xc0; }},
      {"stream 1 is the second for chip 0 core 1 engine 2; allowed one",
       [](auto& p) { p.streams.push_back(p.streams[0]); }},
      {"ring 0 engine is 4; allowed 0 .. 3", [](auto& p) { p.rings[0].engine = 4; }},
      {"ring 0 base is 0x84; allowed multiples of 64", [](auto& p) { p.rings[0].base = 0x84; }},
      {"ring 0 count is 65536; allowed 1 .. 65535", [](auto& p) { p.rings[0].count = 65536; }},
      {"ring 0 base 0x80 count 2: not inside one segment", [](auto& p) { p.rings[0].count = 2; }},
      {"ring 1 is the second for chip 0 core 0 engine 3",
       [](auto& p) { p.rings.push_back(p.rings[0]); }},
      {"region 0 name length is 0; allowed 1 .. 64", [](auto& p) { p.regions[0].name.clear(); }},
      {"region 1 name \"out\" is used twice", [](auto& p) { p.regions.push_back(p.regions[0]); }},
      {"region 0 chip is 2; allowed 0 .. 1", [](auto& p) { p.regions[0].chip = 2; }},
      {"region 0 addr is 0x4020; allowed multiples of 64",
       [](auto& p) { p.regions[0].addr = 0x4020; }},
      {"region 0 bytes is 0; allowed 64 ..", [](auto& p) { p.regions[0].bytes = 0; }},
      {"region 0 bytes is 0x3f; allowed multiples of 64", [](auto& p) { p.regions[0].bytes = 63; }},
      {"region 0: 2147483648 bytes behind 0; allowed 1073741824 in all",
       [](auto& p) { p.regions[0].bytes = 1u << 31; }},
      {"region 1: 1073741824 bytes behind 128; allowed 1073741824 in all",
       [](auto& p) { p.regions.push_back({"more", 0, 0, 1u << 30}); }},
      {"stream 0 pc 1: 18445618199572250625 elements behind 0; allowed 4294967296 in all",
       [](auto& p) {
         defs::Instr endless;
         endless.opcode = static_cast<std::uint8_t>(defs::Opcode::Activate);
         endless.func = static_cast<std::uint8_t>(defs::ActFunc::Relu);
         endless.partitions = 1;
         endless.src0.space = endless.dst.space = static_cast<std::uint8_t>(defs::Space::Sbuf);
         endless.src0.dtype = endless.dst.dtype = static_cast<std::uint8_t>(defs::Dtype::Fp32);
         endless.size3 = endless.size2 = endless.size1 = endless.size0 = 65535;
         std::memcpy(p.segments[0].bytes.data() + 64, endless.words().data(), 64);
       }},
      {"region 0 addr 0xfffc0000000 with 128 bytes leaves HBM",
       [](auto& p) { p.regions[0].addr = defs::kAddrCore0Base; }},
  };
  cmodel::validate_program(sample(), "x");
  for (const auto& test : cases) {
    auto program = sample();
    test.change(program);
    const std::string text = error_of([&] { cmodel::validate_program(program, "x"); });
    EXPECT_NE(text.find(test.words), std::string::npos) << text << "\n  wanted: " << test.words;
    EXPECT_EQ(text.rfind("x: ", 0), 0u) << text;
  }
}

TEST(Program, AnyFlippedBitOrMissingTailIsAnError) {
  const Folder folder;
  const fs::path file = folder / "a.prog";
  cmodel::save_program(sample(), file);
  const auto good = read_file(file);
  for (std::size_t size = 0; size < good.size(); ++size) {
    write_file(file, {good.begin(), good.begin() + size});
    EXPECT_NE(error_of([&] { cmodel::load_program(file); }), "no error") << size;
  }
  for (std::size_t bit = 0; bit < 8 * good.size(); ++bit) {
    auto bytes = good;
    bytes[bit / 8] ^= 1 << bit % 8;
    write_file(file, bytes);
    EXPECT_NE(error_of([&] { cmodel::load_program(file); }), "no error") << bit;
  }
}

TEST(Program, AFlippedBitUnderAFittingChecksumNeverCrashes) {
  const Folder folder;
  const fs::path file = folder / "a.prog";
  cmodel::save_program(sample(), file);
  const auto good = read_file(file);
  unsigned refused = 0;
  for (std::size_t bit = 0; bit < 8 * (good.size() - 8); ++bit) {
    auto bytes = good;
    bytes[bit / 8] ^= 1 << bit % 8;
    seal(bytes);
    write_file(file, bytes);
    refused += error_of([&] { cmodel::load_program(file); }) != "no error";
  }
  for (std::size_t size = 8; size < good.size(); ++size) {
    std::vector<std::uint8_t> bytes(good.begin(), good.begin() + size);
    if (size >= 52)
      for (unsigned i = 0; i < 8; ++i) bytes[44 + i] = static_cast<std::uint8_t>(size >> (8 * i));
    seal(bytes);
    write_file(file, bytes);
    EXPECT_NE(error_of([&] { cmodel::load_program(file); }), "no error") << size;
  }
  EXPECT_GT(refused, 500u);
}

}  // namespace
