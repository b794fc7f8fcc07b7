// SPDX-License-Identifier: Apache-2.0
// Causal attention of one head on every core (cmodel/kernels/attention.h): the cache in HBM has the
// keys and values of some tiles of tokens, new ones come into it, and their queries attend to all
// up to their own token. How many there are of both, the program reads in HBM; --length says the
// number of all tokens, the seed how many are new.
#include "cmodel/kernels/attention.h"

#include <fmt/format.h>

#include <cmath>

#include "tb/scenarios/network.h"

namespace tb {
namespace {

using cmodel::Block;
using defs::Dtype;

constexpr unsigned kMostTokens = 2048;

struct Head {
  Head(const ScenarioArgs& args, unsigned chip, unsigned core)
      : name(network::core_name(chip, core)),
        size(args.sizes.partitions),
        tokens(network::length_of(args, 5 * size + 3, kMostTokens)),
        tiles((tokens + size - 1) / size) {
    cached = Random(args.seed, "attention").between(0, tiles / 2);
    Random random(args.seed, "attention " + name);
    const std::size_t count = std::size_t{tokens} * size;
    q = network::draw_bf16(random, count, 4 / std::sqrt(static_cast<float>(size)));
    k = network::draw_bf16(random, count, 2);
    v = network::draw_bf16(random, count, 1);
  }
  unsigned first() const { return cached * size; }
  /// Of [token][size], tokens from `from` on in groups of `group`: [group][size][token in group].
  std::vector<float> turned(const std::vector<float>& values, unsigned from, unsigned to,
                            unsigned group) const {
    const unsigned groups = (to - from + group - 1) / group;
    std::vector<float> out(std::size_t{groups} * group * size);
    for (unsigned token = from; token < to; ++token)
      for (unsigned i = 0; i < size; ++i)
        out[(std::size_t{(token - from) / group} * size + i) * group + (token - from) % group] =
            values[std::size_t{token} * size + i];
    return out;
  }

  std::string name;
  unsigned size, tokens, tiles, cached = 0;
  std::vector<float> q, k, v;  ///< [token][size]; q over the root of the size
};

void write(cmodel::Assembler& assembler, cmodel::Core& core, const Head& head) {
  const unsigned p = head.size, block = 4 * p;
  const auto place = [&](const char* what, unsigned row_bytes, unsigned rows) {
    return assembler.hbm(core.chip(), core.index(), fmt::format("{} {}", what, head.name),
                         row_bytes, rows);
  };
  const auto fill = [&](const Block& to, const std::vector<float>& values) {
    const auto bytes = network::bf16_bytes(values);
    if (!bytes.empty())
      assembler.fill(to.row_range(0, static_cast<unsigned>(bytes.size()) / to.row_bytes), bytes);
  };
  const cmodel::Attention job{.q = place("q", 2 * p, kMostTokens),
                              .k = place("k", 2 * p, kMostTokens),
                              .v = place("v", 2 * p, kMostTokens),
                              .k_cache = place("k cache", 2 * block, kMostTokens / 4),
                              .v_cache = place("v cache", 2 * p, kMostTokens),
                              .out = place("out", 4 * p, kMostTokens),
                              .span = place("span", 8, 1)};
  fill(job.q, head.turned(head.q, head.first(), head.tokens, p));
  fill(job.k, head.turned(head.k, head.first(), head.tokens, p));
  const auto middle = head.v.begin() + std::ptrdiff_t{head.first()} * p;
  fill(job.v, {middle, head.v.end()});
  fill(job.k_cache, head.turned(head.k, 0, head.first(), block));
  fill(job.v_cache, {head.v.begin(), middle});
  assembler.fill(job.span, network::word_bytes({head.cached, head.tiles - head.cached}));
  assembler.region("out " + head.name, job.out.row_range(0, (head.tiles - head.cached) * p),
                   Dtype::Fp32);
  cmodel::attend(assembler, core, job);
}

cmodel::Program build(const ScenarioArgs& args) { return network::build<Head>(args, write); }

void judge(const Head& head, const std::vector<std::uint8_t>& bytes, network::Accuracy& accuracy) {
  const unsigned p = head.size;
  std::vector<double> weight(head.tokens), sums(p), magnitudes(p);
  for (unsigned token = head.first(); token < head.tokens; ++token) {
    double most = -1e300, terms = 0;
    for (unsigned key = 0; key <= token; ++key) {
      double score = 0, size = 0;
      for (unsigned i = 0; i < p; ++i) {
        const double product = 1.0 * head.q[token * p + i] * head.k[key * p + i];
        score += product, size += std::abs(product);
      }
      weight[key] = score;
      most = std::max(most, score);
      terms = std::max(terms, size);
    }
    double whole = 0;
    sums.assign(p, 0), magnitudes.assign(p, 0);
    for (unsigned key = 0; key <= token; ++key) {
      const double e = std::exp(weight[key] - most);
      whole += e;
      for (unsigned i = 0; i < p; ++i) {
        sums[i] += e * head.v[key * p + i];
        magnitudes[i] += e * std::abs(head.v[key * p + i]);
      }
    }
    const double allowed = 0x1p-8 + 2 * terms * (p + 2) * 0x1p-24 + token * 0x1p-23;
    for (unsigned i = 0; i < p; ++i)
      accuracy.add(float_at(bytes, 4 * (std::size_t{token - head.first()} * p + i)),
                   sums[i] / whole, allowed * magnitudes[i] / whole,
                   [&] { return fmt::format("{} token {} of v {}", head.name, token, i); });
  }
}

ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program,
                     RegionBytes regions) {
  ScenarioResult result;
  network::Accuracy accuracy;
  network::Roofline roofline;
  network::for_cores<Head>(args, [&](const Head& head, unsigned, unsigned) {
    judge(head, region_bytes(program, regions, "out " + head.name), accuracy);
    result.metrics["tokens"] = head.tokens;
    result.metrics["tokens_cached"] = head.first();
    const double p = head.size, n = head.tokens, before = head.first();
    roofline.macs = p * (n * (n + 1) - before * (before + 1));
    roofline.vector = (n * (n + 1) - before * (before + 1)) / 2 / p;
    roofline.act = roofline.vector;
    // Keys and values once, but for those that are on their way; new ones twice; q, out.
    roofline.hbm_bytes = 4 * p * n + 8 * p * (n - before) + 6 * p * (n - before);
  });
  network::put_roofline(args.sizes, roofline, result.metrics);
  accuracy.report(result);
  return result;
}

}  // namespace

extern const Scenario kAttention{
    .name = "attention",
    .doc = "causal attention, keys and values in HBM (length: tokens, at most 2048)",
    .build = build,
    .check = check,
    .has_length = true};

}  // namespace tb
