// SPDX-License-Identifier: Apache-2.0
// Requests that reach the host while a program runs: order, files, what is refused, and the
// recommender that lives on them.
#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>

#include "cmodel/board/unroll.h"
#include "cmodel/files/output_file.h"
#include "cmodel/program/assembler.h"
#include "tb/scenarios/grammar_model.h"
#include "tb/scenarios/scenario.h"
#include "tb/unit/cmodel/model_bench.h"

namespace tb::model {
namespace {

using cmodel::Program;

constexpr unsigned kBytes = 96;  // of a request: two writes of the host

/// Each request is copied to the next place behind the last one's, then answered.
Program echo(unsigned requests) {
  cmodel::Assembler assembler(kSizes, 1);
  auto& core = assembler.core(0, 0);
  const auto given = core.semaphore("given"), answered = core.semaphore("answered");
  const auto inbox = assembler.hbm(0, 0, "inbox", kBytes),
             out = assembler.hbm(0, 0, "out", kBytes, std::max(requests, 2u));
  assembler.region("out", out);
  core.act().nop().signal(given);
  core.act().take(answered).nop();
  auto& s = core.sync();
  s.loop(requests, kBytes, [&](cmodel::Register at) {
    s.take(given).start(0, inbox, out.row_range(0, 1), {.dst = at}).signal(answered);
  });
  for (unsigned i = 0; i < requests; ++i)
    assembler.request(
        {.arrival = 100 * i,
         .engine = static_cast<unsigned>(Engine::Act),
         .bytes = std::vector<std::uint8_t>(kBytes, static_cast<std::uint8_t>(i + 1))},
        inbox);
  return assembler.assemble();
}

TEST(Requests, ReachTheirStreamOneByOneInAnyOrderOfTheRest) {
  const Program program = echo(5);
  std::map<StreamId, std::vector<Recorder::Entry>> writes;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    Recorder recorder;
    Board board(kSizes, program, recorder, {.order_seed = seed});
    board.load();
    ASSERT_TRUE(board.run()) << board.blocked();
    std::vector<std::uint8_t> out(program.regions[0].bytes);
    board.read(0, program.regions[0].addr, out);
    for (unsigned i = 0; i < 5 * kBytes; ++i) ASSERT_EQ(out[i], i / kBytes + 1) << i;
    if (seed == 0) writes = recorder.writes;
    EXPECT_TRUE(recorder.writes == writes);
    // The stream that requests start counts on: its serials never repeat.
    const auto& given = recorder.updates[stream(0, 0, Engine::Act)];
    ASSERT_EQ(given.size(), 5u);
    for (unsigned i = 0; i < 5; ++i) EXPECT_EQ(given[i].commit.serial, 3 * i);
  }
}

TEST(Requests, BehindAStreamThatStoppedTheyAreNotServed) {
  TinyProgram tiny(kSizes, 1);
  tiny.add(0, 0, Engine::Act, TinyInstr(Opcode::LoadStationary));
  Program program = tiny.build();
  for (unsigned i = 0; i < 2; ++i) program.requests.push_back({i, 0, 0, 2, 0, {1}});
  Recorder recorder;
  Board board(kSizes, program, recorder);
  board.load();
  EXPECT_TRUE(board.run());
  ASSERT_EQ(board.errors().size(), 1u);
  EXPECT_EQ(recorder.writes[stream(0, 0, Engine::Host)].size(),
            1 + program.segments[0].bytes.size() / 64);
}

TEST(Requests, AStreamThatNeverEndsIsNamed) {
  Program program = echo(3);
  program.requests.push_back(program.requests.back());  // one more than the loop answers
  Recorder recorder;
  Board board(kSizes, program, recorder);
  board.load();
  EXPECT_FALSE(board.run());
  EXPECT_NE(board.blocked().find("Act pc 1"), std::string::npos) << board.blocked();
}

std::string refusal(const std::function<void()>& body) {
  try {
    body();
  } catch (const std::exception& error) {
    return error.what();
  }
  return "no error";
}

TEST(Requests, EveryFieldHasAnAllowedRange) {
  const auto with = [](auto&& change) {
    Program program = echo(2);
    change(program.requests[1]);
    return refusal([&] { validate_program(program, "x"); });
  };
  EXPECT_EQ(with([](auto&) {}), "no error");
  EXPECT_EQ(with([](auto& r) { r.chip = 1; }), "x: request 1 chip is 1; allowed 0 .. 0");
  EXPECT_EQ(with([](auto& r) { r.core = 1; }),
            "x: request 1 starts chip 0 core 1 engine 2; allowed a stream of the program");
  EXPECT_EQ(with([](auto& r) { r.engine = 9; }),
            "x: request 1 starts chip 0 core 0 engine 9; allowed a stream of the program");
  EXPECT_EQ(with([](auto& r) { r.addr += 4; }).substr(0, 20), "x: request 1 addr is");
  EXPECT_EQ(with([](auto& r) { r.bytes.clear(); }), "x: request 1 bytes is 0; allowed 1 ..");
  EXPECT_NE(with([](auto& r) { r.addr = std::uint64_t{1} << 47; }).find("leaves HBM"),
            std::string::npos);
  EXPECT_EQ(with([](auto& r) { r.arrival = std::uint64_t{1} << 40; }),
            "x: request 1 arrival is 1099511627776; allowed 0 .. 4294967296, those of a chip "
            "ascending");
  Program program = echo(2);
  program.requests[0].arrival = 200;
  EXPECT_EQ(refusal([&] { validate_program(program, "x"); }),
            "x: request 1 arrival is 100; allowed 200 .. 4294967296, those of a chip ascending");
  program.requests[0].arrival = 0;
  program.requests[0].addr = program.streams[0].base;
  EXPECT_NE(refusal([&] { validate_program(program, "x"); }).find("overwrites instructions"),
            std::string::npos);
}

TEST(Requests, WhatNeedsProgramsWithoutThemSaysSo) {
  const Program program = echo(2);
  Recorder recorder;
  EXPECT_EQ(refusal([&] { Board(kSizes, program, recorder, {.detect_races = true}); }),
            "races of a program with requests are not looked for");
  EXPECT_EQ(refusal([&] { cmodel::unroll(kSizes, program); }),
            "requests start streams again; allowed programs without requests");
  cmodel::Assembler assembler(kSizes, 1);
  EXPECT_EQ(refusal([&] {
              assembler.request({.bytes = std::vector<std::uint8_t>(65)},
                                assembler.hbm(0, 0, "inbox", 64));
            }),
            "request 0: 65 bytes for chip 0, allowed 1..64 in contiguous rows of chip 0");
}

TEST(Requests, AreInFilesOfBothKinds) {
  const auto folder =
      std::filesystem::temp_directory_path() / fmt::format("dodeca-requests-{}", ::getpid());
  std::filesystem::create_directories(folder);
  const Program program = echo(3);
  EXPECT_NE(program_hash(program), program_hash(echo(2)));
  for (const char* name : {"a.prog", "a.dasm"}) {
    save_program(program, folder / name);
    const Program back = cmodel::load_program(folder / name);
    EXPECT_EQ(program_hash(back), program_hash(program)) << name;
    EXPECT_EQ(back.requests.size(), 3u);
  }
  std::ostringstream text;
  text << std::ifstream(folder / "a.dasm").rdbuf();
  const auto error = [&](const std::string& line) {
    const auto file = folder / "b.dasm";
    cmodel::write_file(file, text.str() + line);
    return refusal([&] { cmodel::load_program(file); }).substr(file.string().size());
  };
  EXPECT_NE(error("request chip 0 core 0 Dma0 at 0 after 1\n").find("allowed Tensor .. Sync"),
            std::string::npos);
  EXPECT_NE(error("request chip 0 core 0 Act at 0 after 200\n").find("request 3 bytes is 0"),
            std::string::npos);
  EXPECT_NE(error("request chip 0 core 0 Act at 0 after 200\n  NOP\n")
                .find("behind request; allowed hex, zero, file"),
            std::string::npos);
  EXPECT_NE(error(" stream core 1 Act\n  END\n").find("outside of a segment"), std::string::npos);
  std::filesystem::remove_all(folder);
}

class Serving : public testing::TestWithParam<const char*> {};

/// A doorbell without requests would be started with all other streams, and wait for ever.
TEST(Recommender, HasARequestForEachDoorbell) {
  ScenarioArgs args{defs::kMini, 2, 1, DODECA_SCENARIO_DATA, {}};
  args.requests = 1;
  EXPECT_EQ(refusal([&] { find_scenario("recommender").build(args); }),
            "--requests is 1; allowed 2 .. 4096: one and more for each doorbell");
  args.requests = 2;
  Recorder recorder;
  const Program program = find_scenario("recommender").build(args);
  Board board(defs::kMini, program, recorder, {});
  board.load();
  ASSERT_TRUE(board.run()) << board.blocked();
}

TEST_P(Serving, AnswersAllAtAnyRateWithTheSameCommits) {
  const Scenario& scenario = find_scenario(GetParam());
  for (const auto& [sizes, chips] :
       {std::pair{&defs::kMini, 1u}, std::pair{&defs::kMini, 3u}, std::pair{&defs::kInf2, 2u}}) {
    ScenarioArgs args{*sizes, chips, 1, DODECA_SCENARIO_DATA, {}};
    args.requests = 7;
    const Program program = scenario.build(args);
    ASSERT_NO_THROW(validate_program(program, GetParam()));
    args.rate = 1'000'000'000;
    const Program at_once = scenario.build(args);
    std::map<StreamId, std::vector<Recorder::Entry>> writes, updates;
    std::vector<std::vector<std::uint8_t>> regions;
    // The arrivals of one, the order of engines of the other.
    for (const std::uint64_t seed : {0, 1, 2, 3}) {
      Recorder recorder;
      const Program& which = seed % 2 ? at_once : program;
      Board board(*sizes, which, recorder, {.order_seed = seed});
      board.load();
      ASSERT_TRUE(board.run()) << board.blocked();
      EXPECT_TRUE(board.errors().empty());
      EXPECT_EQ(board.unwritten_text(), "");
      regions.clear();
      for (const auto& region : which.regions)
        board.read(region.chip, region.addr, regions.emplace_back(region.bytes));
      const auto result = scenario.check(args, which, regions);
      EXPECT_TRUE(result.passed) << result.failure;
      if (seed == 0) writes = recorder.writes, updates = recorder.updates;
      EXPECT_TRUE(recorder.writes == writes) << "when they come changes no commit";
      EXPECT_TRUE(recorder.updates == updates);
    }
    regions[0][2] ^= 0x40;
    EXPECT_FALSE(scenario.check(args, program, regions).passed);
    std::swap_ranges(regions[0].begin(), regions[0].begin() + 64, regions[0].begin() + 64);
    EXPECT_FALSE(scenario.check(args, program, regions).passed);
  }
  ScenarioArgs slow{defs::kMini, 1, 1, DODECA_SCENARIO_DATA, {}};
  slow.rate = 1;
  EXPECT_NE(refusal([&] { scenario.build(slow); }).find("--rate is 1: the last of 16 requests"),
            std::string::npos);
}
INSTANTIATE_TEST_SUITE_P(Requests, Serving, testing::Values("recommender", "grammar"));

TEST(Grammar, FilesThatAreNoTaggersAreRefused) {
  const std::filesystem::path good = std::filesystem::path(DODECA_SCENARIO_DATA) /
                                     "grammar_weights.bin",
                              bad = std::filesystem::temp_directory_path() /
                                    fmt::format("dodeca-tagger-{}", ::getpid());
  std::ostringstream bytes;
  bytes << std::ifstream(good, std::ios::binary).rdbuf();
  const auto error = [&](auto&& change) {
    std::string text = bytes.str();
    change(text);
    cmodel::write_file(bad, text);
    return refusal([&] { grammar::read_model(bad); }).substr(bad.string().size());
  };
  EXPECT_EQ(error([](auto& t) { t[0] = 'X'; }),
            ": no tagger; allowed files that begin with DODECAGR");
  EXPECT_EQ(error([](auto& t) { t[8] = 2; }), ": format is 2; allowed 1 (fp32)");
  EXPECT_NE(error([](auto& t) { t[12] = 8; }).find("window 8, 32 units"), std::string::npos);
  EXPECT_NE(error([](auto& t) { t.pop_back(); }).find("bytes; allowed"), std::string::npos);
  EXPECT_NE(error([](auto& t) { t.back() ^= 1; }).find("CRC-32 is"), std::string::npos);
  EXPECT_EQ(grammar::read_model(good).tables.size(),
            grammar::kWindow * grammar::kHidden * grammar::read_model(good).count());
  std::filesystem::remove(bad);
}

}  // namespace
}  // namespace tb::model
