// SPDX-License-Identifier: Apache-2.0
// shrink: makes a failing run of the small board small, as long as it fails in the same way.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string_view>
#include <vector>

#include "cmodel/files/output_file.h"
#include "cmodel/program/disassemble.h"
#include "tb/apps/shrink/shrinker.h"
#include "tb/base/command_line.h"
#include "tb/base/exit_status.h"
#include "tb/scenarios/knobs.h"

namespace tb {
namespace {

namespace fs = std::filesystem;

/// Options that change what is written of a run, not how it ends.
constexpr std::string_view kOnlyLook[] = {"--waves",    "--wave-chips",       "--wave-arrays",
                                          "--no-debug", "--no-failure-waves", "--snapshots",
                                          "--coverage", "--timeline",         "--npy"};

/// The words of a line that was made with shell_word().
std::vector<std::string> shell_words(const std::string& line) {
  std::vector<std::string> words(1);
  bool inside = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] == '\'')
      inside = !inside;
    else if (line[i] == ' ' && !inside)
      words.emplace_back();
    else
      words.back() += line[i] == '\\' && !inside ? line[++i] : line[i];
  }
  return words;
}

Source source_of(const fs::path& run) {
  const fs::path file = fs::is_directory(run) ? run / "result.json" : run;
  nlohmann::json result;
  try {
    result = nlohmann::json::parse(std::ifstream(file));
  } catch (const nlohmann::json::exception&) {
    throw Refused(kBadInput, fmt::format("{}: allowed the result.json of a run", file.string()));
  }
  const auto field = [&](const char* name) {
    return result.is_object() && result.contains(name) && result[name].is_string()
               ? result[name].get<std::string>()
               : std::string("absent");
  };
  const auto refuse = [&](const char* name, const char* allowed) {
    throw Refused(kBadInput, fmt::format("{}: {} is {}; allowed {}", file.string(), name,
                                         field(name), allowed));
  };
  if (field("kind") != "run") refuse("kind", "run");
  if (field("config") != "mini") refuse("config", "mini");
  if (field("status") != "failed" && field("status") != "hang") refuse("status", "failed, hang");
  Source source;
  source.name = field("scenario");
  const std::vector<std::string> words = shell_words(field("repro"));
  for (std::size_t i = 2; i < words.size(); ++i) {  // behind scripts/dodeca run
    const std::string& word = words[i];
    if (!word.starts_with("--")) {
      source.scenario = word;
      continue;
    }
    std::string value;  // none: a flag
    if (i + 1 < words.size() && (word == "--prompt" || !words[i + 1].starts_with("--")))
      value = words[++i];
    if (std::ranges::count(kOnlyLook, word.substr(0, word.find('=')))) continue;
    if (word == "--program") {
      source.program = value;
    } else if (word == "--seed") {
      source.seed = static_cast<std::uint32_t>(std::stoul(value));
    } else if (word == "--chips") {
      source.chips = static_cast<unsigned>(std::stoul(value));
    } else if (word == "--length") {
      source.length = static_cast<unsigned>(std::stoul(value));
    } else if (word == "--prompt") {
      source.prompts.push_back(value);
    } else if (word == "--tokens") {
      source.tokens = value;
    } else if (word == "--batch") {
      source.batch = value;
    } else if (word == "--temperature") {
      source.temperature = value;
    } else if (word == "--format") {
      source.format = value;
    } else if (word == "--size") {
      source.size = value;
    } else if (word == "--group") {
      source.group = value;
    } else if (word == "--order-independent") {
      source.order_independent = true;
    } else if (word == "--inject") {
      source.inject = value;
    } else if (word != "--config") {
      source.rest.push_back(word);
      if (!value.empty()) source.rest.push_back(value);
    }
  }
  if (source.scenario.empty() && source.program.empty()) refuse("repro", "scripts/dodeca run ..");
  return source;
}

cmodel::Program program_of_run(const Source& source) {
  if (!source.program.empty()) return cmodel::load_program(source.program);
  const char* data = std::getenv("DODECA_DATA");
  ScenarioArgs args{defs::kMini, source.chips,  source.seed, data ? data : DODECA_SCENARIO_DATA,
                    {},          source.length, {}};
  if (!source.format.empty()) args.format = format_of(source.format);
  args.texts = text_knobs(source.prompts, source.tokens, source.batch, source.temperature);
  if (!source.size.empty()) args.size = product_size(source.size);
  args.group = source.group;
  args.order_independent = source.order_independent;
  return find_scenario(source.scenario).build(args);
}

std::string listing(const Image& image) {
  std::string text;
  for (std::size_t s = 0; s < image.code.size(); ++s) {
    const auto& at = image.program.streams[s];
    for (std::size_t pc = 0; pc < image.code[s].size(); ++pc)
      text +=
          fmt::format("chip {} core {} {} pc {}: {}\n", at.chip, at.core,
                      cmodel::engine_name(at.engine), pc, cmodel::disassemble(image.code[s][pc]));
  }
  for (std::size_t r = 0; r < image.moves.size(); ++r) {
    const auto& at = image.program.rings[r];
    for (std::size_t i = 0; i < image.moves[r].size(); ++i)
      text += fmt::format("chip {} core {} Dma{} {}: {}\n", at.chip, at.core, at.engine, i,
                          cmodel::disassemble(image.moves[r][i]));
  }
  for (const auto& piece : image.pieces)
    text += fmt::format("chip {} data {:#x}, {} B\n", piece.chip, piece.addr, piece.bytes.size());
  return text;
}

int run(int argc, char** argv) {
  fs::path run_path, board, out = "out/shrunk";
  std::string budget = "300";
  bool json = false;
  CLI::App app{
      "Makes a failing run of the small board small, as long as it fails in the same way."};
  app.add_option("run", run_path, "its directory or result.json")->required()->type_name("RUN");
  app.add_option("--board", board, "the board program that fails (board_mini)")->type_name("FILE");
  app.add_option("--budget", budget, "seconds after which the smallest so far is taken (300)");
  app.add_option("--out", out, "where NAME.prog, NAME.json and NAME.txt go (out/shrunk)");
  app.add_flag("--json", json, "print NAME.json");
  parse_command_line(app, argc, argv, "shrink: ");
  const auto seconds = static_cast<double>(whole_number("--budget", budget, 1, 1'000'000));
  std::error_code error;
  const bool given = !board.empty();
  if (!given) board = fs::read_symlink("/proc/self/exe", error).parent_path() / "board_mini";
  if (!fs::exists(board))
    throw given ? Refused(kBadInput, fmt::format("--board {}: is not there", board.string()))
                : Refused(kBadEnvironment, fmt::format("{}: is not built", board.string()));
  const Source source = source_of(run_path);
  cmodel::Program program;
  try {
    program = program_of_run(source);
  } catch (const std::runtime_error& refused) {
    throw Refused(kBadInput, refused.what());
  }
  if (!program.requests.empty())
    throw Refused(kBadInput, fmt::format("{} has requests, which start streams again; allowed "
                                         "runs of programs without requests",
                                         source.name));
  Shrinker shrinker(source, board, seconds);
  shrinker.start(program);
  shrinker.shrink();

  fs::create_directories(out, error);
  std::string name = fmt::format("{}-s{}", source.name, source.seed);
  if (!source.inject.empty()) name += "-" + source.inject;
  const fs::path file = out / (name + ".prog");
  cmodel::save_program(*program_of(defs::kMini, shrinker.image()), file);
  std::string repro = fmt::format("scripts/dodeca run --program {} --config mini --seed {}",
                                  shell_word(file.string()), source.seed);
  for (const auto* words : {&source.rest, &shrinker.options()})
    for (const auto& word : *words) repro += " " + shell_word(word);
  const bool undisturbed = source.inject.empty() || shrinker.passes_undisturbed();
  if (!source.inject.empty()) repro += " --inject " + source.inject;
  const nlohmann::ordered_json result = {
      {"schema", 1},
      {"kind", "shrunk"},
      {"scenario", source.name},
      {"signature", shrinker.best().signature},
      {"cycles_before", shrinker.first().cycles},
      {"cycles", shrinker.best().cycles},
      {"ratio", 1.0 * shrinker.best().cycles / shrinker.first().cycles},
      {"chips", shrinker.image().program.chips},
      {"instructions", shrinker.image().instructions()},
      {"descriptors", shrinker.image().descriptors()},
      {"data_bytes", 64 * shrinker.image().pieces.size()},
      {"model_runs", shrinker.model_runs()},
      {"rtl_runs", shrinker.rtl_runs()},
      {"passes_undisturbed", undisturbed},
      {"finished", shrinker.finished()},
      {"program", file.string()},
      {"repro", repro}};
  cmodel::write_file(out / (name + ".json"), result.dump(2) + "\n");
  cmodel::write_file(out / (name + ".txt"), listing(shrinker.image()));
  if (json)
    fmt::print("{}\n", result.dump(2));
  else
    fmt::print("{} -> {} cycles, {}\n{}\nrepro: {}\n", shrinker.first().cycles,
               shrinker.best().cycles, file.string(), listing(shrinker.image()), repro);
  return undisturbed ? kPassed : kCheckFailed;
}

}  // namespace
}  // namespace tb

int main(int argc, char** argv) { return tb::exit_status_of(tb::run, argc, argv); }
