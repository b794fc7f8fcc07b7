// SPDX-License-Identifier: Apache-2.0
#include "tb/scenarios/knob_options.h"

#include "tb/scenarios/knobs.h"

namespace tb {

void Knobs::set(ScenarioArgs& args) const {
  args.length = length;
  args.format = format;
  args.size = size;
  args.operands = operands;
  args.once = once;
  args.group = group;
  args.order_independent = order_independent;
  args.rate = rate;
  args.requests = requests;
  args.texts = texts;
}

void KnobOptions::add_to(CLI::App& app) {
  app.add_option("--length", length_, "work per core, for scenarios with that knob");
  app.add_option("--prompt", prompts_,
                 "what lm goes on with (by seed); several times: as many texts at once")
      ->take_all()
      ->allow_extra_args(false)
      ->type_name("TEXT");
  app.add_option("--tokens", tokens_, "characters that lm adds to each text (4)");
  app.add_option("--batch", batch_, "texts of lm at once, text i with seed + i (1)");
  app.add_option("--temperature", temperature_,
                 "of lm, 0 .. 100: it draws each character by its probability; 0: takes the\n"
                 "likeliest one (0)");
  app.add_option("--rate", rate_, "requests per simulated second: recommender, grammar");
  app.add_option("--requests", requests_, "how many: recommender, grammar (16)");
  app.add_option("--format", format_, "of gemm's operands: bf16, fp16, fp8e4m3, int8 ...");
  app.add_flag("--once", once_,
               "gemm's operands lie once on the board; chips send them to each other");
  app.add_option("--size", size_, "of gemm's product: M,K,N, or one number for all three")
      ->type_name("M,K,N");
  app.add_option("--a", a_,
                 "gemm's own A [M, K]: a .npy of f4, f2, V2 (bf16), i1, or u1 with --format")
      ->type_name("FILE");
  app.add_option("--b", b_, "likewise B [K, N]")->type_name("FILE");
  app.add_option("--group", group_, "ranks of collective --length, chips or CHIP.CORE (all chips)")
      ->type_name("LIST");
  app.add_flag("--order-independent", order_independent_,
               "its sum has the same bits in any order of ranks");
}

Knobs KnobOptions::read() const {
  Knobs knobs;
  if (!length_.empty())
    knobs.length = static_cast<unsigned>(whole_number("--length", length_, 1, 1u << 20));
  request_knobs(rate_, requests_, knobs.rate, knobs.requests);
  knobs.texts = text_knobs(prompts_, tokens_, batch_, temperature_);
  if (!format_.empty()) knobs.format = format_of(format_);
  if (!size_.empty()) knobs.size = product_size(size_);
  knobs.operands = operands_of(a_, b_, knobs.format, knobs.size);
  knobs.once = once_;
  knobs.group = group_;
  knobs.order_independent = order_independent_;
  return knobs;
}

}  // namespace tb
