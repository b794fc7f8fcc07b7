// SPDX-License-Identifier: Apache-2.0
// The knobs of scenarios as text on a command line, the same for every program that runs them.
#pragma once
#include <string>

#include "tb/scenarios/scenario.h"

namespace tb {

/// "M,K,N", or one number for all three. Throws std::runtime_error with one line.
ProductSize product_size(const std::string& text);

/// As product_size() reads it.
std::string to_string(const ProductSize& size);

/// Throws std::runtime_error if `args` has a knob that the scenario has not; null: a program file.
void check_knobs(const Scenario* scenario, const ScenarioArgs& args);

}  // namespace tb
