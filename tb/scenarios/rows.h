// SPDX-License-Identifier: Apache-2.0
// What `softmax` and `layernorm` have in common: on every core a matrix [rows, columns], fp32,
// whose rows go through a kernel (cmodel/kernels/row_kernels.h).
#pragma once
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cmodel/kernels/row_kernels.h"
#include "tb/scenarios/network.h"

namespace tb::rows {

struct Matrix {
  std::string name;
  unsigned rows = 0, columns = 0;
  std::vector<float> x, gamma, beta;
};

struct Expected {
  double want = 0, allowed = 0;
};

cmodel::Program build(const ScenarioArgs& args, std::string_view scenario, float range,
                      const std::function<void(cmodel::Assembler&, cmodel::Core&, const Matrix&,
                                               const cmodel::RowJob&)>& write);

/// `passes`: what an element costs each engine. `expect` says what comes of a row.
ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program, RegionBytes regions,
                     std::string_view scenario, float range, const network::Roofline& passes,
                     const std::function<void(const Matrix&, std::span<const float>,
                                              std::vector<Expected>&)>& expect);

}  // namespace tb::rows
