// SPDX-License-Identifier: Apache-2.0
// What a second thread gains on this machine when nothing is shared: the yardstick for the board's
// own gain. Prints one JSON object: loops per second with 1 and with --threads threads.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

#include "tb/base/command_line.h"

namespace {

/// Integer and float arithmetic on a block that fits the first cache; returns a value so that it is
/// not optimised away.
std::uint32_t work(std::uint32_t seed, int rounds) {
  std::vector<std::uint32_t> block(4096, seed);
  for (int round = 0; round < rounds; ++round) {
    for (std::uint32_t& x : block) {
      x = (x << 13 ^ x >> 7) + (x & 0x00ff00ffu) * 0x9e3779b1u;
    }
  }
  return block[seed % block.size()];
}

double loops_per_second(unsigned threads, int rounds) {
  std::vector<std::uint32_t> sums(threads);
  const auto start = std::chrono::steady_clock::now();
  std::vector<std::jthread> pool;
  for (unsigned t = 0; t < threads; ++t) {
    pool.emplace_back([&sums, t, rounds] { sums[t] = work(t + 1, rounds); });
  }
  pool.clear();
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  return threads * static_cast<double>(rounds) / elapsed.count();
}

int run(int argc, char** argv) {
  CLI::App app{"Arithmetic loops per second on one and on several threads"};
  unsigned threads = 2;
  int rounds = 1'000'000;
  app.add_option("--threads", threads, "threads")->check(CLI::Range(1, 256));
  app.add_option("--rounds", rounds, "passes over the block")->check(CLI::PositiveNumber);
  tb::parse_command_line(app, argc, argv);
  loops_per_second(threads, rounds / 10);  // warm up
  const double one = loops_per_second(1, rounds);
  const double many = loops_per_second(threads, rounds);
  fmt::print("{{\"threads\": {}, \"one\": {:.1f}, \"many\": {:.1f}, \"gain\": {:.4f}}}\n", threads,
             one, many, many / one);
  return tb::kPassed;
}

}  // namespace

int main(int argc, char** argv) { return tb::exit_status_of(run, argc, argv); }
