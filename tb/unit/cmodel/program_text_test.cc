// SPDX-License-Identifier: Apache-2.0
// Programs as text: binary -> text -> binary is the same program, text -> binary -> text the same
// text, for every scenario and for programs of any bits; what is wrong is said with its place.
#include "cmodel/program/program_text.h"

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>
#include <fstream>
#include <random>
#include <sstream>

#include "cmodel/files/output_file.h"
#include "cmodel/program/disassemble.h"
#include "cmodel/program/instr_text.h"
#include "cmodel/program/program.h"
#include "rtl/defs/gen/instructions.h"
#include "tb/scenarios/scenario.h"

namespace {

namespace fs = std::filesystem;

class ProgramText : public testing::Test {
 protected:
  ProgramText() { fs::create_directories(folder_); }
  ~ProgramText() override { fs::remove_all(folder_); }

  static std::string text_of(const fs::path& file) {
    std::ostringstream text;
    text << std::ifstream(file, std::ios::binary).rdbuf();
    return text.str();
  }
  void expect_same_both_ways(const cmodel::Program& program) {
    const fs::path a = folder_ / "a.dasm", b = folder_ / "b.prog", c = folder_ / "c.dasm";
    cmodel::save_program(program, a);
    const cmodel::Program back = cmodel::load_program(a);
    ASSERT_EQ(cmodel::program_hash(back), cmodel::program_hash(program));
    cmodel::save_program(back, b);
    cmodel::save_program(cmodel::load_program(b), c);
    ASSERT_EQ(text_of(a), text_of(c));
  }
  std::string error_of(const std::string& text) {
    cmodel::write_file(folder_ / "x.dasm", text);
    try {
      cmodel::load_program(folder_ / "x.dasm");
    } catch (const std::runtime_error& error) {
      const std::string line = error.what(), name = (folder_ / "x.dasm").string() + ":";
      EXPECT_EQ(line.find('\n'), std::string::npos) << line;
      EXPECT_EQ(line.rfind(name, 0), 0u) << line;
      return line.substr(std::min(line.size(), name.size()));
    }
    return "no error";
  }
  fs::path folder_ = fs::temp_directory_path() / fmt::format("dodeca-text-{}", ::getpid());
};

/// 64 bytes, most of them zero, so that clauses are left out, too.
template <class Packed>
Packed any(std::mt19937_64& random) {
  typename Packed::Words words{};
  const unsigned density = random() % 4;
  for (auto& word : words)
    if (random() % 4 <= density) word = static_cast<std::uint32_t>(random() >> (random() % 32));
  return Packed::from(words);
}

TEST_F(ProgramText, EveryBitPatternHasALineAndComesBackFromIt) {
  std::mt19937_64 random(1);
  const std::string file = "x.dasm";
  for (unsigned i = 0; i < 20000; ++i) {
    auto instr = any<defs::Instr>(random);
    if (i % 2)
      instr.opcode = static_cast<std::uint8_t>(
          defs::kInstructions[random() % defs::kInstructions.size()].opcode);
    const std::string line = cmodel::disassemble(instr);
    cmodel::TextScanner in(file, 1, line);
    const auto mnemonic = in.word();
    ASSERT_EQ(cmodel::instr_from_text(mnemonic, in), instr) << line;

    const auto descriptor = any<defs::Descriptor>(random);
    const std::string other = cmodel::disassemble(descriptor);
    cmodel::TextScanner from(file, 1, other);
    from.expect_word(cmodel::kDescriptorWord);
    ASSERT_EQ(cmodel::descriptor_from_text(from), descriptor) << other;
  }
}

TEST_F(ProgramText, EveryScenarioIsTheSameProgramAsText) {
  for (const defs::Sizes* sizes : defs::kConfigs)
    for (const tb::Scenario& scenario : tb::scenarios()) {
      SCOPED_TRACE(fmt::format("{} {}", scenario.name, sizes->name));
      const bool small = sizes == &defs::kMini;
      const tb::ScenarioArgs args{.sizes = *sizes,
                                  .chips = small ? 12u : 2u,
                                  .seed = 3,
                                  .data_dir = DODECA_SCENARIO_DATA,
                                  .out_dir = {}};
      expect_same_both_ways(scenario.build(args));
    }
}

/// Streams and rings anywhere in segments, over each other, in any order.
cmodel::Program fuzzed(std::uint64_t seed) {
  std::mt19937_64 random(seed);
  const auto below = [&](std::uint64_t n) { return random() % n; };
  cmodel::Program p;
  const defs::Sizes& sizes = *defs::kConfigs[below(defs::kConfigs.size())];
  p.config = sizes.name;
  p.chips = static_cast<std::uint32_t>(1 + below(3));
  for (std::uint64_t i = 0, n = 1 + below(6); i < n; ++i) {
    std::vector<std::uint8_t> bytes(1 + below(3000));
    if (below(3))
      for (auto& byte : bytes)
        if (below(3)) byte = static_cast<std::uint8_t>(random());
    if (below(2)) std::fill_n(bytes.begin(), bytes.size() / 2, 0);
    p.segments.push_back(
        {static_cast<std::uint32_t>(below(p.chips)), (n - i) * 0x10000, std::move(bytes)});
  }
  const auto table = [&](auto& rows, unsigned engines) {
    for (unsigned engine = 0; engine < engines; ++engine)
      for (unsigned core = 0; core < defs::kCores; ++core) {
        const cmodel::Segment& s = p.segments[below(p.segments.size())];
        const std::uint64_t room = s.bytes.size() / defs::kInstrBytes, step = sizes.line_bytes;
        const std::uint64_t at = below(s.bytes.size()) / step * step;
        if (at / defs::kInstrBytes >= room || below(3) == 0) continue;
        rows.push_back({s.chip, core, engine, s.addr + at,
                        static_cast<std::uint32_t>(1 + below(room - at / defs::kInstrBytes))});
      }
    std::ranges::shuffle(rows, random);
  };
  table(p.streams, defs::kSequencers);
  table(p.rings, sizes.dma_engines);
  for (std::uint64_t i = 0, n = below(4); i < n; ++i)
    p.regions.push_back({fmt::format("a \"{}\" # \\{}", below(100), i),
                         static_cast<std::uint32_t>(below(p.chips)), 64 * below(1000),
                         static_cast<std::uint32_t>(64 * (1 + below(9)))});
  for (std::uint64_t i = 0, n = below(3); i < n; ++i)
    p.keys.push_back(static_cast<std::uint32_t>(below(256)));
  for (unsigned core = 0; core < defs::kCores; ++core)
    if (below(2)) p.partitions.push_back({0, core, 7, 64 * below(100), 0x10000 + below(1 << 20)});
  return p;
}

TEST_F(ProgramText, AnyProgramIsTheSameAsText) {
  unsigned valid = 0;
  for (std::uint64_t seed = 0; seed < 400; ++seed) {
    const cmodel::Program program = fuzzed(seed);
    try {
      cmodel::validate_program(program, "");
    } catch (const std::runtime_error&) {
      continue;  // more work than a program may ask for
    }
    ++valid;
    SCOPED_TRACE(seed);
    expect_same_both_ways(program);
    if (HasFatalFailure()) return;
  }
  EXPECT_GT(valid, 300u);
}

constexpr const char* kGood = R"(# what a program may look like
config mini
chips 2
keys 0 7
partition chip 1 core 0 key 7 0 .. 0x10000
region "a b" chip 0 at 0x4000 bytes 64
segment chip 0 at 0x1000
 stream core 0 Sync     # two
  DMA_TRIGGER dma 0 x 1
  END
 ring core 0 Dma0
  DMA 1 rows x 64 B 0x2000 (+0) -> chip 0 0x4000 (+0)
segment chip 0 at 0x2000
  hex 00 0102 ff
  zero 60
)";

TEST_F(ProgramText, KnowsTheLinesOfItsInstructions) {
  const fs::path file = folder_ / "x.dasm";
  cmodel::write_file(file, kGood);
  const auto program = cmodel::load_program(file);
  EXPECT_EQ(program.segments[1].bytes.size(), 64u);
  EXPECT_EQ(program.segments[1].bytes[3], 0xff);
  EXPECT_EQ(program.source_of(0, 0, 3, 1), file.string() + ":10");
  EXPECT_EQ(program.source_of(0, 0, 16, 0), file.string() + ":12");
}

TEST_F(ProgramText, DataComeFromFiles) {
  cmodel::write_file(folder_ / "raw.bin", "abc");
  std::string array("\x93NUMPY\x01\0", 8);
  std::string header = "{'descr': '<u2', 'fortran_order': False, 'shape': (2,), }";
  header.resize(117, ' ');
  array += std::string("\x76\0", 2) + header + "\n" + "wxyz";
  cmodel::write_file(folder_ / "a.npy", array);
  cmodel::write_file(
      folder_ / "x.dasm",
      "config mini\nchips 1\nsegment chip 0 at 0\nfile \"raw.bin\"\nfile \"a.npy\"\n");
  const auto bytes = cmodel::load_program(folder_ / "x.dasm").segments[0].bytes;
  EXPECT_EQ(std::string(bytes.begin(), bytes.end()), "abcwxyz");
  cmodel::write_file(folder_ / "a.npy", "no array at all");
  EXPECT_NE(
      error_of(text_of(folder_ / "x.dasm")).find("a.npy: is no array; allowed .npy in C order"),
      std::string::npos);
  EXPECT_EQ(
      error_of("config mini\nchips 1\nsegment chip 0 at 0\n  file \"none\"\n"),
      "4:8: " + (folder_ / "none").string() + ": cannot be opened: No such file or directory");
}

TEST_F(ProgramText, WhatIsWrongIsSaidWithItsPlace) {
  ASSERT_EQ(error_of(kGood), "no error");
  const struct {
    const char *from, *to, *line;
  } cases[] = {
      {"config mini\n", "", "2:1: \"chips\"; allowed config NAME, before everything else"},
      {"config mini", "config mega", "2:1: config is \"mega\"; allowed inf2, mini"},
      {"chips 2\n", "", "15:1: no chips; allowed one line of it"},
      {"chips 2", "chips 13", "3:7: chips is \"13\"; allowed 0 .. 12"},
      {"chips 2", "chips 1", "5:1: partition 0 chip is 1; allowed 0 .. 0"},
      {"chips 2", "chips 2\nchips 2", "4:1: second chips; allowed one"},
      {"keys 0 7", "keys 0 256", "4:8: key is \"256\"; allowed 0 .. 255"},
      {"\"a b\"", "a", "6:8: name is \"a\"; allowed \"text\""},
      {"\"a b\"", "\"a b", "6:8: name has no second \"; allowed \"text\""},
      {"bytes 64", "bytes 65", "6:1: region 0 bytes is 0x41; allowed multiples of 64"},
      {"bytes 64", "bytes 64 more", "6:40: \"more\"; allowed the end of the line"},
      {"segment chip 0 at 0x1000", "segments", "7:1: \"segments\"; allowed config, chips"},
      {"segment chip 0 at 0x1000", "", "8:2: outside of a segment; allowed behind segment"},
      {"at 0x2000", "at 0x2020", "13:1: segment 1 addr is 0x2020; allowed multiples of 64"},
      {"at 0x2000", "at 0x1080", "13:1: segment 1 (chip 0 addr 0x1080) overlaps segment 0"},
      {"core 0 Sync", "core 2 Sync", "8:14: core is \"2\"; allowed 0 .. 1"},
      {"core 0 Sync", "core 0 Dma0", "8:16: engine is \"Dma0\"; allowed Tensor .. Sync"},
      {"core 0 Dma0", "core 0 Dma7", "11:2: ring 0 engine is 7; allowed 0 .. 3"},
      {"stream core", "stream 1 core", "8:2: number is 1; allowed each of 0 .. 0 once, or none"},
      {"Sync ", "Sync count 40", "8:2: stream 0 base 0x1000 count 40: not inside one segment"},
      {"DMA_TRIGGER", "DMA_TRIGER", "9:3: \"DMA_TRIGER\"; allowed NOP, END, REG_ALU"},
      {"x 1\n", "x 65536\n", "9:23: count is \"65536\"; allowed 0 .. 65535"},
      {"  END", "  END of it",
       "10:7: \"of\"; allowed func, imm, acc, partitions, size, sized, src0"},
      {"  END", "  END acc acc", "10:11: second acc; allowed one"},
      {"  END", "  END update 0.1 += 1 no-update 0.1 += 1", "10:23: second update; allowed one"},
      {"  END", "  END size 1x2x3", "10:12: size is \"1x2x3\"; allowed AxBxCxD, each 0 .. 65535"},
      {"  END", "  END src0 sram.fp32[", "10:12: space is \"sram"},
      {"  END", "  END -> sbuf.fp64[", "10:15: format is \"fp64[\"; allowed fp32, tf32, bf16"},
      {"  END", "  END wait 0.256 >= 1", "10:14: semaphore is \"256\"; allowed 0 .. 255"},
      {"  END", "  END wait 0.1 > 1", "10:16: \">\"; allowed (none), >=, ==, take"},
      {"  END", "  END update 0.1 += 32768", "10:21: update is \"32768\"; allowed -32768 .. 32767"},
      {"(+0) -> chip 0", "(+0) chip 0", "12:33: \"chip\"; allowed ->"},
      {"  hex 00 0102 ff", "  hex 00 012", "14:10: \"012\"; allowed pairs of hexadecimal digits"},
      {"zero 60", "zero 60000000000", "15:8: bytes is \"60000000000\"; allowed 0 .. 1073741824"},
      {"zero 60", "zero 1073741824",
       "15:8: 1073741824 bytes behind 196; allowed 1073741824 in all"},
      {" ring core 0 Dma0\n", " ring core 0 Dma0\n ring core 0 Dma1\n zero 64\n",
       "11:2: no descriptors behind it; allowed 1 or more, or count N"},
  };
  for (const auto& test : cases) {
    std::string text = kGood;
    ASSERT_NE(text.find(test.from), std::string::npos) << test.from;
    text.replace(text.find(test.from), std::strlen(test.from), test.to);
    EXPECT_EQ(error_of(text).rfind(test.line, 0), 0u)
        << error_of(text) << "\n  wanted: " << test.line;
  }
  EXPECT_EQ(error_of(std::string(2u << 20, 'x')),
            "1:1: line of more than 1048576 bytes; allowed 1048576");
  EXPECT_EQ(error_of(std::string("config \x01\0\xff", 10)).rfind("1:8: ", 0), 0u);
}

TEST_F(ProgramText, AnyCharacterChangedIsReadOrRefusedInALine) {
  std::mt19937_64 random(7);
  const std::string good = kGood;
  unsigned refused = 0;
  for (std::size_t at = 0; at < good.size(); ++at) {
    std::string text = good;
    text[at] = static_cast<char>(random());
    refused += error_of(text) != "no error";
  }
  EXPECT_GT(refused, good.size() / 2);
}

}  // namespace
