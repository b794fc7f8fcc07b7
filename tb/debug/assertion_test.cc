// SPDX-License-Identifier: Apache-2.0
// From the words of an assertion to its block, and to what its source says above it.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <string>

#include "tb/debug/assertion_comment.h"
#include "tb/debug/cause.h"
#include "tb/dut/rtl_print.h"

namespace {

namespace fs = std::filesystem;

TEST(Assertion, IsReadFromTheTwoLinesThatArePrinted) {
  tb::AssertionFailure failed;
  tb::read_assertion(
      "[812] %Error: dma_write.sv:192: Assertion failed in "
      "TOP.chip.gen_core[1].u_core.u_dma.u_write.WriteStays_A: "
      "TOP.chip.gen_core[1].u_core.u_dma.u_write.WriteStays_A: assertion failed\n",
      failed);
  tb::read_assertion("%Error: /a b/rtl/dma/dma_write.sv:192: Verilog $stop\n", failed);
  tb::read_assertion("[812] %Error: x.sv:1: Assertion failed in TOP.chip.Second_A: ..\n", failed);
  EXPECT_EQ(failed.instance, "TOP.chip.gen_core[1].u_core.u_dma.u_write");
  EXPECT_EQ(failed.name, "WriteStays_A");
  EXPECT_EQ(failed.file, "/a b/rtl/dma/dma_write.sv");
  EXPECT_EQ(failed.line, 192u);
}

TEST(Assertion, OfACaseHasNoName) {
  tb::AssertionFailure failed;
  tb::read_assertion(
      "[5] %Error: host_if.sv:118: Assertion failed in TOP.chip.u_host: unique case, "
      "but none matched for '12'h7'\n",
      failed);
  EXPECT_EQ(failed.instance, "TOP.chip.u_host");
  EXPECT_EQ(failed.name, "");
}

TEST(Assertion, StandsInABlock) {
  const struct {
    const char *path, *block, *engine;
    int core;
  } kPlaces[] = {{"gen_core[1].u_core.u_dma.u_write", "dma", "", 1},
                 {"gen_core[0].u_core.u_tensor.u_array", "tensor_array", "Tensor", 0},
                 {"gen_core[0].u_core.u_tensor.u_counters", "tensor_counters", "Tensor", 0},
                 {"gen_core[0].u_core.u_tensor.u_lower_drain.u_walk", "tensor_array", "Tensor", 0},
                 {"gen_core[0].u_core.u_vector.u_front", "vector_engine", "Vector", 0},
                 {"gen_core[1].u_core.u_act", "act_engine", "Act", 1},
                 {"gen_core[0].u_core.u_psum", "psum", "", 0},
                 {"gen_core[0].u_core.u_sbuf", "sbuf", "", 0},
                 {"gen_core[1].u_core.gen_seq[1].u_sequencer.u_fetch", "sequencer", "Vector", 1},
                 {"gen_core[1].u_core.u_sync", "sequencer", "Sync", 1},
                 {"gen_core[1].u_core.u_fetch.u_arbiter", "sequencer", "", 1},
                 {"u_fabric.u_ni.gen_core[1].u_tx.u_fill", "fabric", "", -1},
                 {"u_semaphores", "semaphores", "", -1},
                 {"u_xbar.gen_memory[0].u_arbiter", "mem_xbar", "", -1},
                 {"u_host", "host_if", "", -1}};
  for (const auto& p : kPlaces) {
    const auto cause = tb::cause_at(3, std::string("TOP.chip.") + p.path, "");
    EXPECT_EQ(cause.block, p.block) << p.path;
    EXPECT_EQ(cause.engine, p.engine) << p.path;
    EXPECT_EQ(cause.core ? static_cast<int>(*cause.core) : -1, p.core) << p.path;
    EXPECT_EQ(tb::instance_of(cause), std::string("chip.") + p.path);
  }
  EXPECT_EQ(tb::cause_at(3, "TOP.chip", "").block, "chip");
  EXPECT_EQ(tb::cause_at(3, "TOP.chip.u_hostess", "").block, "chip");
}

/// All that the RTL has: a reader of a report finds words for each.
TEST(Assertion, IsExplainedAboveItInItsSource) {
  const std::regex kName(R"((?:`ASSERT(?:_NOW)?\(|^\s*|\) )(\w+_A)(?:,|\s*: assert))");
  unsigned seen = 0;
  for (const char* folder : {"rtl", "fabric/rtl"})
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(DODECA_ROOT) / folder)) {
      if (entry.path().extension() != ".sv") continue;
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line);) {
        std::smatch name;
        if (!std::regex_search(line, name, kName)) continue;
        ++seen;
        EXPECT_NE(tb::comment_above(entry.path(), name[1]), "") << entry.path() << " " << name[1];
      }
    }
  EXPECT_GT(seen, 50u);
  EXPECT_EQ(tb::comment_above(fs::path(DODECA_ROOT) / "rtl/dma/dma_write.sv", "MessageStays_A"),
            "A pending write or message stays put.");
  EXPECT_EQ(tb::comment_above("/no/such/file.sv", "X_A"), "");
}

}  // namespace
