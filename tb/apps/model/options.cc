// SPDX-License-Identifier: Apache-2.0
#include "tb/apps/model/options.h"

#include <fmt/format.h>

#include "tb/base/command_line.h"
#include "tb/base/program_file.h"
#include "tb/scenarios/knobs.h"

namespace tb {

ModelOptions parse_model_options(int argc, char** argv) {
  ModelOptions o;
  std::string seed = "1", order = "0", steps, chips, threads;
  KnobOptions knobs;
  bool model_only = false;
  CLI::App app{"Runs a program on the golden model alone: the same commits as the board, no time."};
  app.option_defaults()->take_last();
  app.add_option("scenario", o.scenario, "what to run (digits), or FILE.dasm, FILE.prog")
      ->type_name("SCENARIO");
  app.add_option("--program", o.program, "run a program file instead")->type_name("FILE");
  app.add_option("--save", o.save, "write the program instead of running it: .dasm text, .prog")
      ->type_name("FILE");
  app.add_option("--config", o.config, "sizes: inf2, mini (inf2; those of the program)");
  app.add_option("--seed", seed, "0 .. 2^32-1 (1): the scenario's data");
  app.add_option("--order-seed", order, "pick the next engine at random (0: in turns)");
  app.add_option("--steps", steps, "give up after so many instructions and descriptors");
  app.add_option("--chips", chips, "1 .. 12 (12): consecutive chips on a smaller ring");
  knobs.add_to(app);
  app.add_option("--threads", threads, "without effect: the model has one");
  app.add_flag("--model-only", model_only, "what this program does anyway");
  app.add_flag("--races", o.races,
               "fail if two engines touch the same bytes with no semaphore path between them");
  app.add_option("--commit-log", o.log, "write every commit, for `dodeca compare`")
      ->type_name("FILE");
  app.add_flag("--npy", o.npy, "write what the host would read back as NAME.npy");
  app.add_flag("--json", o.json, "print result.json instead of the table");
  app.add_option("--out", o.out, "directory of run directories (out)")->type_name("DIR");
  parse_command_line(app, argc, argv, "--model-only: ", "--help shows what is allowed without RTL");
  sort_program_words(o.scenario, o.program, o.save);
  if (o.config.empty() && o.program.empty()) o.config = "inf2";
  if (!o.config.empty() && o.config != "inf2" && o.config != "mini")
    throw Refused(kBadInput, fmt::format("--config is \"{}\"; allowed inf2, mini", o.config));
  o.seed = static_cast<std::uint32_t>(whole_number("--seed", seed, 0, 0xffffffffu));
  o.order_seed = whole_number("--order-seed", order, 0, 0xffffffffu);
  if (!steps.empty()) o.steps = whole_number("--steps", steps, 1, UINT64_MAX);
  if (!threads.empty()) whole_number("--threads", threads, 1, 256);
  if (!chips.empty())
    o.chips = static_cast<unsigned>(whole_number("--chips", chips, 1, defs::kBoardChips));
  o.knobs = knobs.read();
  if (o.program.empty() && o.scenario.empty()) o.scenario = "digits";
  o.repro = fmt::format("scripts/dodeca run {} --model-only{} --seed {}{}",
                        o.program.empty() ? o.scenario : "--program " + shell_word(o.program),
                        o.config.empty() ? "" : " --config " + o.config, o.seed,
                        given_options(app, {"--program", "--model-only", "--config", "--seed",
                                            "--threads", "--commit-log", "--json", "--out"}));
  return o;
}

}  // namespace tb
