// SPDX-License-Identifier: Apache-2.0
// The main job: the whole board classifies handwritten digits with one small network.
//
//   scores = w2 relu(w1 x + b1) + b2          x: 64 pixels, 384 hidden units, 10 classes
//
// The hidden layer is split over all cores: each core holds its units' rows of w1 and columns of
// w2, sees every image and ends with partial scores [10, images]. Then an all-reduce, every step
// in a fixed order, so that all chips end with the same bits:
//
//   1 exchange  the cores of a chip swap halves of the images; core c adds half c: core 0 + core 1
//   2 scatter   core c of chip i sends chunk j of its half to core c of chip j (all pairs, both
//               directions round the ring)
//   3 reduce    which adds chips 0, 1, 2, ... in this order
//   4 gather    and sends the sum to HBM of every chip
//
// digits_plan.h has the split, digits_core.h one core's instructions, digits_check.h the judgement.
#include <fmt/format.h>

#include <memory>

#include "cmodel/program/assembler.h"
#include "tb/scenarios/digits_check.h"
#include "tb/scenarios/digits_core.h"
#include "tb/scenarios/digits_plan.h"
#include "tb/scenarios/numbers.h"
#include "tb/scenarios/scenario.h"

namespace tb {
namespace digits {
namespace {

using cmodel::Assembler;

cmodel::Program build(const ScenarioArgs& args) {
  const Plan plan(args);
  Assembler assembler(args.sizes, args.chips);
  for (unsigned chip = 0; chip < args.chips; ++chip) {
    assembler.data(chip, 0, "images", plan.count() * 2, kDigitsPixels, bytes_of(plan.pixels()));
    assembler.region(fmt::format("scores{}", chip),
                     assembler.hbm(chip, 1, "scores", plan.count() * 4, kDigitsClasses),
                     defs::Dtype::Fp32);
  }
  std::vector<std::unique_ptr<CoreProgram>> programs;
  std::vector<std::vector<CoreProgram*>> cores(args.chips);
  for (unsigned chip = 0; chip < args.chips; ++chip) {
    for (unsigned c = 0; c < defs::kCores; ++c) {
      programs.push_back(std::make_unique<CoreProgram>(assembler, plan, args.seed, chip, c));
      cores[chip].push_back(programs.back().get());
    }
  }
  for (auto& program : programs) {
    program->load();
    program->compute();
    program->all_reduce(cores);
  }
  return assembler.assemble();
}

}  // namespace
}  // namespace digits

extern const Scenario kDigits{
    "digits", "handwritten digits: one network over all cores, scores all-reduced round the ring",
    digits::build, digits::check};

}  // namespace tb
