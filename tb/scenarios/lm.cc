// SPDX-License-Identifier: Apache-2.0
// A language model goes on with a prompt, character by character, on its own: the chips pick each
// one, look up what it means and come to the next one with no host in between
// (cmodel/kernels/decoder.h). --prompt is what it begins with, --tokens how many characters follow;
// both are data of the program, which is the same for all. With --temperature it draws characters
// by their probability; with --batch, or more than one --prompt, groups of cores make texts at once
// (lm_job.h).
#include <fmt/format.h>

#include <algorithm>

#include "cmodel/kernels/decoder.h"
#include "tb/scenarios/lm_job.h"
#include "tb/scenarios/network.h"

namespace tb {
namespace {

using defs::Dtype;

constexpr unsigned kUsualTokens = 4;

/// Tokens that follow: as asked for, else as many as usual or as there is room for.
unsigned new_tokens(const ScenarioArgs& args, unsigned prompt, unsigned capacity, unsigned ranks) {
  // Nothing is looked up for the last one, so it needs no room in the cache.
  const unsigned most = std::min(capacity + 1, lm::kShape.context),
                 left = std::max(most, prompt) - prompt,
                 tokens = args.texts.tokens ? args.texts.tokens
                                            : std::min(kUsualTokens, std::max(left, 1u));
  if (tokens > left)
    throw std::runtime_error(fmt::format(
        "{} characters of --prompt and {} of --tokens; allowed {} together: {} {} of {} a text",
        prompt, tokens, most, ranks, ranks == 1 ? "core" : "cores", args.sizes.name));
  return tokens;
}

void build_group(const ScenarioArgs& args, const lm::Job& job, const lm::Group& group,
                 cmodel::Assembler& assembler) {
  std::vector<cmodel::Core*> cores;
  for (const auto& [chip, core] : group.cores) cores.push_back(&assembler.core(chip, core));
  cmodel::DecoderTexts texts{.seeds = {}, .temperature = job.temperature};
  for (unsigned i = 0; i < group.count; ++i) texts.seeds.push_back(job.texts[group.first + i].seed);
  const cmodel::Decoder decoder(assembler, cores, job.model.weights, texts);
  for (unsigned i = 0; i < group.count; ++i) {
    const unsigned number = group.first + i;
    const auto& tokens = job.texts[number].prompt;
    const auto prompt = static_cast<unsigned>(tokens.size()),
               ranks = static_cast<unsigned>(cores.size()),
               count = prompt + new_tokens(args, prompt, decoder.capacity(), ranks);
    for (unsigned rank = 0; rank < ranks; ++rank) {
      const auto& blocks = decoder.blocks()[rank];
      const auto row = blocks.tokens.row_range(i, 1);
      assembler.fill(row.byte_range(0, 4 * prompt),
                     network::word_bytes({tokens.begin(), tokens.end()}));
      assembler.fill(blocks.span.row_range(i, 1), network::word_bytes({count - 1, prompt}));
      assembler.region(lm::tokens_region(number, rank), row.byte_range(0, 4 * count),
                       Dtype::Uint32);
      assembler.region(lm::logits_region(number, rank),
                       blocks.logits.row_range(i * lm::kShape.context, count - 1), Dtype::Fp32);
    }
  }
}

cmodel::Program build(const ScenarioArgs& args) {
  const lm::Job job(args);
  cmodel::Assembler assembler(args.sizes, args.chips);
  for (const lm::Group& group : job.groups) build_group(args, job, group, assembler);
  return assembler.assemble();
}

}  // namespace

extern const Scenario kLm{.name = "lm",
                          .doc =
                              "a language model goes on with a prompt (--prompt, --tokens, "
                              "--temperature, --batch)",
                          .build = build,
                          .check = lm::check,
                          .has_prompt = true,
                          .follow = lm::follow};

}  // namespace tb
