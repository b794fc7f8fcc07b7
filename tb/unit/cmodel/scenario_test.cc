// SPDX-License-Identifier: Apache-2.0
// Every scenario's program, run by the golden model: ends, passes its own check, has no races and
// gives the same bits in any legal order. And the check notices when a byte is wrong.
#include "tb/scenarios/scenario.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <optional>
#include <set>

#include "cmodel/board/board.h"
#include "cmodel/program/assembler.h"
#include "tb/scenarios/digits_data.h"
#include "tb/scenarios/errors.h"
#include "tb/unit/cmodel/stream_bytes.h"

namespace {

using tb::Scenario;
using tb::ScenarioArgs;

const std::filesystem::path kData = DODECA_SCENARIO_DATA;

struct NoSink : cmodel::CommitSink {
  void commit(const cmodel::Commit&, std::span<const std::uint8_t>) override {}
};

struct Outcome {
  std::vector<std::vector<std::uint8_t>> regions;
  cmodel::WorkCounters counters;
};

Outcome run(const ScenarioArgs& args, const cmodel::Program& program,
            const cmodel::BoardOptions& options) {
  NoSink sink;
  cmodel::Board board(args.sizes, program, sink, options);
  board.load();
  EXPECT_TRUE(board.run()) << board.blocked();
  for (const auto& error : board.errors())
    ADD_FAILURE() << fmt::format("chip {} core {} engine {} pc {}: {}: {}", error.stream.chip,
                                 error.stream.core, error.stream.engine, error.pc,
                                 defs::to_string(error.cause),
                                 board.disassemble(error.stream, error.pc));
  EXPECT_EQ(board.races(), "");
  Outcome outcome;
  for (const auto& region : program.regions) {
    outcome.regions.emplace_back(region.bytes);
    board.read(region.chip, region.addr, outcome.regions.back());
  }
  outcome.counters = board.counters();
  return outcome;
}

struct Case {
  const char* scenario;
  const defs::Sizes* sizes;
  unsigned chips;
  std::uint64_t seed;
  unsigned length = 0;
};

std::string name_of(const testing::TestParamInfo<Case>& info) {
  auto name = fmt::format("{}_{}_{}chips_seed{}", info.param.scenario, info.param.sizes->name,
                          info.param.chips, info.param.seed);
  std::ranges::replace(name, '-', '_');
  return name;
}

class ScenarioOnModel : public testing::TestWithParam<Case> {};

TEST_P(ScenarioOnModel, PassesWithoutRacesInAnyOrder) {
  const Case& c = GetParam();
  const ScenarioArgs args{*c.sizes, c.chips, c.seed, kData, {}, c.length};
  const Scenario& scenario = tb::find_scenario(c.scenario);
  const auto program = scenario.build(args);
  ASSERT_NO_THROW(cmodel::validate_program(program, c.scenario));
  for (const auto& note : program.notes)
    EXPECT_TRUE(std::string(note.lines.at(0).file).starts_with("tb/scenarios/") ||
                std::string(note.lines.at(0).file).starts_with("cmodel/kernels/") ||
                std::string(note.lines.at(0).file).starts_with("cmodel/collectives/"))
        << "where the project lies is nobody's business: " << note.lines[0].file;
  std::size_t bytes = 0;
  for (const auto& segment : program.segments) bytes += segment.bytes.size();
  RecordProperty("program_bytes", static_cast<int>(bytes));

  cmodel::BoardOptions options;
  options.detect_races = true;
  const Outcome outcome = run(args, program, options);
  const auto result = scenario.check(args, program, outcome.regions);
  EXPECT_TRUE(result.passed) << result.failure << "\n" << result.metrics.dump();
  fmt::print("{}: {} instructions, {} descriptors, {} messages, {} KiB; {}\n", c.scenario,
             outcome.counters.instructions, outcome.counters.descriptors, outcome.counters.messages,
             bytes / 1024, result.metrics.dump());
  if (result.metrics.contains("macs"))
    EXPECT_EQ(result.metrics["macs"].get<std::uint64_t>(), outcome.counters.macs);

  // Another order also shows the race detector other values at the waits.
  options.order_seed = 7 + c.seed;
  EXPECT_EQ(run(args, program, options).regions, outcome.regions) << "another order, other bits";

  // A wrong number anywhere that matters is noticed: the first one of the first region does.
  auto spoilt = outcome.regions;
  const unsigned skew = std::string_view(c.scenario) == "ring" ? 63 : 3;
  for (unsigned i = 0; i <= skew && i < spoilt[0].size(); ++i) spoilt[0][i] ^= 0x40;
  EXPECT_FALSE(scenario.check(args, program, spoilt).passed);
  EXPECT_NE(scenario.check(args, program, spoilt).failure, "");
}

constexpr const defs::Sizes* kMini = &defs::kMini;
constexpr const defs::Sizes* kInf2 = &defs::kInf2;

INSTANTIATE_TEST_SUITE_P(Digits, ScenarioOnModel,
                         testing::Values(Case{"digits", kMini, 12, 1}, Case{"digits", kMini, 12, 2},
                                         Case{"digits", kMini, 1, 1}, Case{"digits", kMini, 2, 1},
                                         Case{"digits", kMini, 3, 1}, Case{"digits", kMini, 5, 1},
                                         Case{"digits", kMini, 11, 1}, Case{"digits", kInf2, 12, 1},
                                         Case{"digits", kInf2, 1, 1}, Case{"digits", kInf2, 7, 1}),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Gemm, ScenarioOnModel,
                         testing::Values(Case{"gemm", kMini, 12, 1}, Case{"gemm", kMini, 12, 2},
                                         Case{"gemm", kMini, 12, 3}, Case{"gemm", kMini, 12, 4},
                                         Case{"gemm", kMini, 12, 5}, Case{"gemm", kMini, 1, 6},
                                         Case{"gemm", kMini, 5, 7}, Case{"gemm", kMini, 2, 8},
                                         Case{"gemm", kInf2, 12, 1}, Case{"gemm", kInf2, 2, 2},
                                         Case{"gemm", kInf2, 1, 3}, Case{"gemm", kInf2, 3, 4}),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Ring, ScenarioOnModel,
                         testing::Values(Case{"ring", kMini, 12, 1}, Case{"ring", kMini, 12, 2},
                                         Case{"ring", kMini, 12, 3}, Case{"ring", kMini, 1, 4},
                                         Case{"ring", kMini, 2, 5}, Case{"ring", kMini, 7, 6},
                                         Case{"ring", kInf2, 12, 1}, Case{"ring", kInf2, 12, 2},
                                         Case{"ring", kInf2, 4, 3}),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Corners, ScenarioOnModel,
                         testing::Values(Case{"corners", kMini, 4, 1, 16},
                                         Case{"corners", kMini, 1, 2, 24}),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Relay, ScenarioOnModel,
                         testing::Values(Case{"relay", kMini, 2, 1}, Case{"relay", kMini, 1, 2},
                                         Case{"relay", kMini, 5, 3, 2}, Case{"relay", kInf2, 2, 4}),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Collective, ScenarioOnModel,
                         testing::Values(Case{"collective", kMini, 12, 1},
                                         Case{"collective", kMini, 5, 2},
                                         Case{"collective", kMini, 1, 3},
                                         Case{"collective", kMini, 3, 1, 2},
                                         Case{"collective", kInf2, 12, 4}),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Gather, ScenarioOnModel,
                         testing::Values(Case{"gather", kMini, 1, 1}, Case{"gather", kMini, 3, 2},
                                         Case{"gather", kMini, 12, 3}, Case{"gather", kInf2, 2, 4}),
                         name_of);
INSTANTIATE_TEST_SUITE_P(
    Networks, ScenarioOnModel,
    testing::Values(Case{"softmax", kMini, 2, 1}, Case{"softmax", kInf2, 1, 2, 129},
                    Case{"layernorm", kMini, 2, 1}, Case{"layernorm", kInf2, 1, 2, 1},
                    Case{"mlp-gelu", kMini, 2, 1}, Case{"mlp-gelu", kMini, 1, 2, 300},
                    Case{"attention", kMini, 2, 1}, Case{"attention", kMini, 1, 2, 1},
                    Case{"attention", kMini, 1, 3, 333}, Case{"attention", kInf2, 1, 4, 700},
                    Case{"embedding", kMini, 2, 1}, Case{"embedding", kInf2, 1, 2, 7},
                    Case{"conv", kMini, 2, 1}, Case{"conv", kInf2, 1, 2, 3}),
    name_of);
INSTANTIATE_TEST_SUITE_P(Busy, ScenarioOnModel,
                         testing::Values(Case{"busy", kMini, 12, 1}, Case{"busy", kMini, 2, 2, 3},
                                         Case{"busy", kInf2, 12, 1, 3},
                                         Case{"busy", kInf2, 1, 2, 20}),
                         name_of);

TEST(Scenario, AMissingWaitWouldBeSeen) {
  cmodel::Assembler assembler(defs::kMini, 2);
  auto& core = assembler.core(0, 0);
  const auto x = core.sbuf(4, 8, defs::Dtype::Fp32);
  const auto away = assembler.hbm(1, 0, "away", 32, 4);
  core.sync().copy(0, assembler.hbm(0, 0, "in", 32, 4), assembler.block(x));
  core.vector().copy(x, x);                       // races with the copy from HBM
  core.sync().copy(1, assembler.block(x), away);  // and this one with both
  const auto program = assembler.assemble();
  NoSink sink;
  cmodel::BoardOptions options;
  options.detect_races = true;
  cmodel::Board board(defs::kMini, program, sink, options);
  board.load();
  EXPECT_TRUE(board.run());
  EXPECT_NE(board.races(), "") << "the model sees no races at all: \"none\" above means nothing";
}

TEST(Gather, CastsBetweenAnyTwoFormatsOverTheSeeds) {
  std::set<std::pair<unsigned, unsigned>> cast;
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    NoSink sink;
    const auto program = tb::find_scenario("gather").build({defs::kMini, 12, seed, kData, {}});
    const auto copied = [&](const auto&, const auto&, const defs::Descriptor& d, const auto&) {
      if (d.combine == static_cast<std::uint8_t>(defs::Combine::Cast))
        cast.emplace(d.dtype, d.dst_dtype);
    };
    cmodel::Board board(defs::kMini, program, sink, {.copied = copied});
    board.load();
    EXPECT_TRUE(board.run()) << board.blocked();
  }
  EXPECT_EQ(cast.size(), defs::kEveryDtype.size() * defs::kEveryDtype.size());
}

/// The scenario `errors` stops the engines that it says it stops, where and why it says so, in any
/// order; and among them every cause on every engine that can have it.
TEST(Errors, StopsAreAsPlannedAndComplete) {
  const Scenario& scenario = tb::find_scenario("errors");
  for (std::uint64_t seed = 1; seed <= 24; ++seed) {
    const unsigned chips = seed % 4 == 3 ? 2 + seed % 10 : 12;
    SCOPED_TRACE(fmt::format("seed {}, {} chips", seed, chips));
    const ScenarioArgs args{seed % 8 == 5 ? defs::kInf2 : defs::kMini, chips, seed, kData, {}};
    const auto program = scenario.build(args);
    ASSERT_NO_THROW(cmodel::validate_program(program, "errors"));
    const auto planned = tb::planned_stops(args);
    for (const std::uint64_t order : {std::uint64_t{0}, seed}) {
      NoSink sink;
      cmodel::BoardOptions options;
      options.order_seed = order;
      cmodel::Board board(args.sizes, program, sink, options);
      board.load();
      EXPECT_TRUE(board.run()) << board.blocked();
      std::vector<tb::Stop> stops;
      for (const auto& error : board.errors())
        stops.push_back({error.stream, error.pc, error.visit, error.cause});
      std::sort(stops.begin(), stops.end());
      std::vector<tb::Stop> different;
      std::ranges::set_symmetric_difference(stops, planned, std::back_inserter(different));
      for (const auto& stop : different)
        ADD_FAILURE() << fmt::format(
            "chip {} core {} engine {} pc {:#x} visit {}: {} is {}", stop.stream.chip,
            stop.stream.core, stop.stream.engine, stop.pc, stop.visit, defs::to_string(stop.cause),
            std::ranges::count(planned, stop) ? "planned only" : "not planned");
      std::vector<std::vector<std::uint8_t>> regions;
      for (const auto& region : program.regions) {
        regions.emplace_back(region.bytes);
        board.read(region.chip, region.addr, regions.back());
      }
      const auto result = scenario.check(args, program, regions);
      EXPECT_TRUE(result.passed) << result.failure;
      EXPECT_EQ(result.metrics["stops"], planned.size());
      for (std::size_t i = 0; i < regions.size(); i += 7) {  // any wrong byte is noticed
        auto spoilt = regions;
        spoilt[i].at((i * 37) % spoilt[i].size()) ^= 1;
        EXPECT_FALSE(scenario.check(args, program, spoilt).passed) << program.regions[i].name;
      }
    }
    if (chips < 12) continue;
    std::set<std::pair<unsigned, defs::ErrorCause>> seen;
    for (const auto& stop : planned)
      seen.insert({std::min<unsigned>(stop.stream.engine, 16), stop.cause});
    // 11 causes of three engines, 9 of sync, 9 of DMA (one of which also of the receiver).
    EXPECT_EQ(seen.size(), 11u * 3 + 9 + 9) << "not every cause was provoked";
    EXPECT_TRUE(std::ranges::any_of(planned, [](const auto& stop) { return stop.visit > 1; }));
  }
}

/// `program` without the wait of instruction `pc`; nothing if it has none.
std::optional<cmodel::Program> without_wait(const cmodel::Program& program,
                                            const cmodel::InstrStream& stream, std::uint32_t pc) {
  cmodel::Program changed = program;
  const std::uint64_t at = stream.base + std::uint64_t{pc} * defs::kInstrBytes;
  for (auto& segment : changed.segments) {
    if (segment.chip != stream.chip || at < segment.addr ||
        at >= segment.addr + segment.bytes.size())
      continue;
    defs::Instr::Words words;
    std::memcpy(words.data(), &segment.bytes[at - segment.addr], sizeof words);
    auto instr = defs::Instr::from(words);
    if (instr.wait_op == 0) return {};
    instr.wait_op = 0;
    instr.wait_sem = instr.wait_value = 0;
    words = instr.words();
    std::memcpy(&segment.bytes[at - segment.addr], words.data(), sizeof words);
  }
  return changed;
}

/// Every wait of a scenario left out in turn is a race, or does not matter: no order changes a
/// byte.
TEST(Scenario, ADroppedWaitIsARaceOrWasNotNeeded) {
  for (const char* name : {"digits", "gemm", "ring", "busy"}) {
    const ScenarioArgs args{defs::kMini, 2, 1, kData, {}, 3};
    const auto program = tb::find_scenario(name).build(args);
    const auto regions = run(args, program, {}).regions;
    unsigned waits = 0, noticed = 0;
    for (const auto& stream : program.streams)
      for (std::uint32_t pc = 0; pc < stream.count; ++pc) {
        const auto without = without_wait(program, stream, pc);
        if (!without) continue;
        ++waits;
        NoSink sink;
        cmodel::Board board(args.sizes, *without, sink, {.detect_races = true});
        board.load();
        board.run();
        if (!board.races().empty()) {
          ++noticed;
          continue;
        }
        SCOPED_TRACE(fmt::format("chip {} core {} engine {} pc {}", stream.chip, stream.core,
                                 stream.engine, pc));
        for (std::uint64_t order = 1; order <= 5; ++order)
          EXPECT_EQ(run(args, *without, {.order_seed = order}).regions, regions);
      }
    fmt::print("{}: {} of {} dropped waits are races\n", name, noticed, waits);
    EXPECT_GE(2 * noticed, waits) << "most waits of a scenario are there for a reason";
  }
}

TEST(Scenario, UnknownNamesListWhatIsAllowed) {
  try {
    tb::find_scenario("digit");
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(
        error.what(),
        "scenario is \"digit\"; allowed digits, gemm, ring, busy, corners, errors, noise, "
        "tenants, registers, relay, loops, gather, softmax, layernorm, mlp-gelu, attention, "
        "embedding, conv, collective, lm, recommender, grammar");
  }
}

/// How much work there is stands in memory: all lengths have the same instructions.
TEST(Scenario, OneProgramForAllLengths) {
  const auto streams = [](const char* name, unsigned length) {
    return tb::stream_bytes(tb::find_scenario(name).build({defs::kMini, 2, 1, kData, {}, length}));
  };
  for (const char* name : {"softmax", "layernorm", "mlp-gelu", "attention", "embedding", "conv"})
    for (const unsigned length : {1u, 17u, 250u})
      EXPECT_EQ(streams(name, length), streams(name, 0)) << name << " " << length;
}

TEST(Scenario, ProgramsDependOnTheirArgumentsOnly) {
  const auto folder = std::filesystem::path(testing::TempDir());
  const auto bytes = [&](const Scenario& scenario, std::uint64_t seed) {
    cmodel::save_program(scenario.build({defs::kMini, 3, seed, kData, {}}), folder / "a.prog");
    std::ifstream in(folder / "a.prog", std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  for (const Scenario& scenario : tb::scenarios()) {
    EXPECT_EQ(bytes(scenario, 5), bytes(scenario, 5)) << scenario.name;
    EXPECT_NE(bytes(scenario, 5), bytes(scenario, 6)) << scenario.name;
  }
}

TEST(Digits, WritesOnePredictionPerHeldOutImage) {
  const auto folder = std::filesystem::path(testing::TempDir());
  const ScenarioArgs args{defs::kMini, 2, 1, kData, folder};
  const Scenario& digits = tb::find_scenario("digits");
  const auto program = digits.build(args);
  const auto result = digits.check(args, program, run(args, program, {}).regions);
  std::ifstream in(folder / "predictions.csv");
  std::string line;
  std::getline(in, line);
  EXPECT_EQ(line, "image,label,predicted,correct");
  unsigned lines = 0, correct = 0;
  while (std::getline(in, line)) {
    EXPECT_EQ(line.rfind(fmt::format("{},", 5 * lines), 0), 0u) << line;
    ++lines;
    correct += line.back() == '1';
  }
  EXPECT_EQ(lines, 360u);
  EXPECT_EQ(correct, result.metrics["correct"].get<unsigned>());
}

TEST(Digits, CommittedNetworkIsWhatTrainingGives) {
  const auto out = std::filesystem::path(testing::TempDir()) / "network.txt";
  const auto command = fmt::format("{} {} {} > /dev/null", DODECA_TRAIN_DIGITS,
                                   (kData / "digits.csv.gz").string(), out.string());
  ASSERT_EQ(std::system(command.c_str()), 0);
  const auto text = [](const std::filesystem::path& file) {
    std::ifstream in(file);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  EXPECT_EQ(text(out), text(kData / "digits_network.txt"));
}

TEST(Digits, MalformedFilesGiveOneLineWithFileAndField) {
  const auto file = std::filesystem::path(testing::TempDir()) / "bad";
  const auto message = [&](const std::string& text, auto&& read) {
    std::ofstream(file) << text;
    try {
      read(file);
    } catch (const std::runtime_error& error) {
      const std::string what = error.what();
      EXPECT_EQ(what.find('\n'), std::string::npos);
      EXPECT_EQ(what.rfind(file.string() + ": ", 0), 0u) << what;
      return what.substr(std::min(what.size(), file.string().size() + 2));
    }
    ADD_FAILURE() << "accepted: " << text.substr(0, 60);
    return std::string();
  };
  const auto repeat = [](const std::string& unit, unsigned n) {
    std::string out;
    for (unsigned i = 0; i < n; ++i) out += unit;
    return out;
  };
  const auto images = [](const auto& f) { tb::read_digits(f); };
  EXPECT_EQ(message("", images), "no images; allowed 1 or more lines");
  EXPECT_EQ(message("1,2,x", images), "line 1 field 3 (pixel) is \"x\"; allowed 0 .. 16");
  EXPECT_EQ(message("17", images), "line 1 field 1 (pixel) is \"17\"; allowed 0 .. 16");
  EXPECT_EQ(message("1,2", images), "line 1 field 3 (pixel) is missing");
  EXPECT_EQ(message(repeat("0,", 64) + "10\n", images),
            "line 1 field 65 (label) is \"10\"; allowed 0 .. 9");
  EXPECT_EQ(message(repeat("0,", 65) + "1\n", images), "line 1 has more than 65 fields");

  const auto network = [](const auto& f) { tb::read_network(f); };
  EXPECT_EQ(message("digits 2\n", network), "line 1 is \"digits 2\"; allowed \"digits-mlp 1\"");
  EXPECT_EQ(message("digits-mlp 1\nhidden 0\n", network), "hidden is 0; allowed 1 .. 4096");
  EXPECT_EQ(message("digits-mlp 1\nhidden 5000\n", network),
            "line 2 field 2 (hidden) is \"5000\"; allowed 0 .. 4096");
  EXPECT_EQ(message("digits-mlp 1\nhidden 2\nw1\n1 2 nan", network),
            "line 4 field 3 (w1) is \"nan\"; allowed numbers in -1e6 .. 1e6");
  EXPECT_EQ(message("digits-mlp 1\nhidden 2\n", network), "truncated after line 2: w1 expected");
  const std::string row = repeat("1 ", 63) + "1\n";
  EXPECT_EQ(message("digits-mlp 1\nhidden 2\nw1\n" + row, network),
            "truncated after line 4: row 1 of 2 of w1 expected");
  EXPECT_EQ(message("digits-mlp 1\nhidden 1\nw1\n" + row + "b2\n", network),
            "line 5 is \"b2\"; allowed \"b1\"");

  // A gzip file that stops in the middle.
  std::ifstream whole(kData / "digits.csv.gz", std::ios::binary);
  std::string half(20000, '\0');
  whole.read(half.data(), static_cast<std::streamsize>(half.size()));
  EXPECT_NE(message(half, images).find("cannot be unpacked"), std::string::npos);
  EXPECT_THROW(tb::read_digits(file.string() + ".none"), std::runtime_error);
}

TEST(Digits, RefusesDataThatDoesNotFit) {
  const auto folder = std::filesystem::path(testing::TempDir()) / "few";
  std::filesystem::create_directories(folder);
  std::string zeros;
  for (int i = 0; i < 64; ++i) zeros += "0,";
  std::ofstream(folder / "digits.csv.gz") << zeros << "1\n";
  try {
    tb::find_scenario("digits").build({defs::kMini, 12, 1, folder, {}});
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("1 held-out images; allowed 24 .. 600"),
              std::string::npos)
        << error.what();
  }
}

}  // namespace
