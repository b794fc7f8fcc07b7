// SPDX-License-Identifier: Apache-2.0
// Writes table sets with their deadlock-freedom certificates, or checks one.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <filesystem>
#include <numeric>
#include <sstream>

#include "cmodel/files/output_file.h"
#include "fabric/model/line_reader.h"
#include "fabric/model/table_writer.h"
#include "tb/base/command_line.h"

namespace {

using namespace fabric;

/// "A-B", two chips.
std::pair<unsigned, unsigned> two(const std::string& option, const std::string& text) {
  unsigned a = 0, b = 0;
  char dash = 0, more = 0;
  std::istringstream in(text);
  if (!(in >> a >> dash >> b) || dash != '-' || in >> more || a >= kMaxChips || b >= kMaxChips)
    throw BadInput(
        fmt::format("{} {}: give two chips from 0 to {} as A-B", option, text, kMaxChips - 1));
  return {a, b};
}

std::vector<unsigned> consecutive(unsigned first, unsigned count, unsigned chips) {
  std::vector<unsigned> members;
  for (unsigned i = 0; i < count; ++i) members.push_back((first + i) % chips);
  return members;
}

/// Every set that the board may need.
void write_all(const std::filesystem::path& dir) {
  std::filesystem::create_directories(dir);
  const auto write = [&](const std::string& name, const Tables& tables) {
    cmodel::write_file(dir / (name + ".tables"), tables.text());
  };
  const Board ring = Board::ring(12), c12 = Board::c12();
  for (unsigned n = 1; n <= 12; ++n) write(fmt::format("ring-{}", n), ring_tables(n));
  write("ring-balanced", search_tables(ring));
  write("c12", search_tables(c12));
  write("ring-a", ring_a_tables());
  write("ring-b", ring_b_tables());
  for (unsigned count = 2; count < 12; ++count)
    for (unsigned first = 0; first < 12; ++first)
      write(fmt::format("chips-{}-{}", first, (first + count - 1) % 12),
            search_tables(ring, consecutive(first, count, 12)));
  for (const auto& [name, board] : {std::pair{"ring-12", ring}, std::pair{"c12", c12}})
    for (const Cable& cable : board.cables())
      write(fmt::format("{}-without-{}-{}", name, cable.a.chip, cable.b.chip),
            search_tables(board.without(cable.a)));
}

int run(int argc, char** argv) {
  std::string board_name = "ring", fail, members, check, all;
  CLI::App app{"Routing tables of a board, with their certificate."};
  app.add_option("--board", board_name, "ring, ring-a, ring-b, c12, or a file of cables");
  app.add_option("--fail", fail, "A-B: without the cable between these chips");
  app.add_option("--members", members, "A-B: only these consecutive chips");
  app.add_option("--check", check, "read this table set, check it, and write nothing");
  app.add_option("--all", all, "write every set of the ring and of C12(1,5) into this directory");
  tb::parse_command_line(app, argc, argv);
  if (!all.empty()) {
    write_all(all);
    return 0;
  }
  if (!check.empty()) {
    const auto load = Tables::parse(read_text(check), check).load();
    fmt::print("{}: good; busiest link {} routes, hops by class {} and {}\n", check, load.most,
               load.hops[0], load.hops[1]);
    return 0;
  }
  const bool whole = fail.empty() && members.empty();
  if (whole && board_name == "ring") {
    fmt::print("{}", ring_tables(12).text());
    return 0;
  }
  if (whole && (board_name == "ring-a" || board_name == "ring-b")) {
    fmt::print("{}", (board_name == "ring-a" ? ring_a_tables() : ring_b_tables()).text());
    return 0;
  }
  Board board = board_name == "ring"     ? Board::ring(12)
                : board_name == "c12"    ? Board::c12()
                : board_name == "ring-a" ? Board::c12().only_ports(0, 1)
                : board_name == "ring-b" ? Board::c12().only_ports(2, 3)
                                         : Board::parse(read_text(board_name), board_name);
  if (!fail.empty()) {
    const auto [a, b] = two("--fail", fail);
    board = board.without(board.between(a, b));
  }
  auto chips = Tables(board).members;
  if (!members.empty()) {
    const auto [a, b] = two("--members", members);
    if (a >= board.chips() || b >= board.chips())
      throw BadInput(
          fmt::format("--members {}: the board has chips 0..{}", members, board.chips() - 1));
    chips = consecutive(a, (b + board.chips() - a) % board.chips() + 1, board.chips());
  }
  fmt::print("{}", search_tables(board, chips).text());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  return tb::exit_status_of(
      [](int count, char** words) {
        try {
          return run(count, words);
        } catch (const BadInput& bad) {
          throw tb::Refused(tb::kBadInput, bad.what());
        }
      },
      argc, argv);
}
