// SPDX-License-Identifier: Apache-2.0
#include "tb/apps/model/options.h"

#include <fmt/format.h>

#include "tb/base/command_line.h"
#include "tb/base/program_file.h"

namespace tb {

ModelOptions parse_model_options(int argc, char** argv) {
  ModelOptions o;
  std::string seed = "1", order = "0", steps, chips, length, tokens, batch, temperature, rate,
              requests, threads, format, size, a, b;
  std::vector<std::string> prompts;
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
  app.add_option("--length", length, "work per core, for scenarios with that knob");
  app.add_option("--prompt", prompts,
                 "what lm goes on with (by seed); several times: as many texts at once")
      ->take_all()
      ->allow_extra_args(false)
      ->type_name("TEXT");
  app.add_option("--tokens", tokens, "characters that lm adds to each text (4)");
  app.add_option("--batch", batch, "texts of lm at once, text i with seed + i (1)");
  app.add_option("--temperature", temperature,
                 "of lm, 0 .. 100: it draws each character by its probability; 0: takes the\n"
                 "likeliest one (0)");
  app.add_option("--rate", rate, "requests per simulated second: recommender, grammar");
  app.add_option("--requests", requests, "how many: recommender, grammar (16)");
  app.add_option("--format", format, "of gemm's operands: bf16, fp16, fp8e4m3, int8 ...");
  app.add_flag("--once", o.once,
               "gemm's operands lie once on the board; chips send them to each other");
  app.add_option("--size", size, "of gemm's product: M,K,N, or one number for all three")
      ->type_name("M,K,N");
  app.add_option("--a", a,
                 "gemm's own A [M, K]: a .npy of f4, f2, V2 (bf16), i1, or u1 with --format")
      ->type_name("FILE");
  app.add_option("--b", b, "likewise B [K, N]")->type_name("FILE");
  app.add_option("--group", o.group, "ranks of collective --length, chips or CHIP.CORE (all chips)")
      ->type_name("LIST");
  app.add_flag("--order-independent", o.order_independent,
               "its sum has the same bits in any order of ranks");
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
  if (!length.empty())
    o.length = static_cast<unsigned>(whole_number("--length", length, 1, 1u << 20));
  request_knobs(rate, requests, o.rate, o.requests);
  o.texts = text_knobs(prompts, tokens, batch, temperature);
  if (!format.empty()) o.format = format_of(format);
  if (!size.empty()) o.size = product_size(size);
  o.operands = operands_of(a, b, o.format, o.size);
  if (o.program.empty() && o.scenario.empty()) o.scenario = "digits";
  o.repro = fmt::format("scripts/dodeca run {} --model-only{} --seed {}{}",
                        o.program.empty() ? o.scenario : "--program " + shell_word(o.program),
                        o.config.empty() ? "" : " --config " + o.config, o.seed,
                        given_options(app, {"--program", "--model-only", "--config", "--seed",
                                            "--threads", "--commit-log", "--json", "--out"}));
  return o;
}

}  // namespace tb
