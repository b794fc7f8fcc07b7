// SPDX-License-Identifier: Apache-2.0
// How well the language model of the scenario `lm` knows the held-out part of its text, in doubles:
//
//   lm_perplexity TEXT.txt.gz WEIGHTS.bin [CHARACTERS]
//
// Of the first CHARACTERS only, if they are said: all of it takes minutes.
#include <fmt/format.h>

#include <cmath>
#include <cstdio>
#include <exception>

#include "tb/scenarios/digits_data.h"
#include "tb/scenarios/knobs.h"
#include "tb/scenarios/lm_model.h"

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) {
    fmt::print(stderr, "usage: lm_perplexity TEXT.txt.gz WEIGHTS.bin [CHARACTERS]\n");
    return 2;
  }
  try {
    const auto model = tb::lm::read_model(argv[2]);
    const auto text = tb::lm::encode(model, tb::read_unpacked(argv[1]));
    auto part = tb::lm::held_out(text);
    if (argc == 4) part = part.first(tb::whole_number("CHARACTERS", argv[3], 1, part.size()));
    const double loss = tb::lm::loss(model, part);
    fmt::print("{} characters: {:.4f} nats per character, perplexity {:.3f}\n", part.size(), loss,
               std::exp(loss));
  } catch (const std::exception& error) {
    fmt::print(stderr, "{}\n", error.what());
    return 2;
  }
  return 0;
}
