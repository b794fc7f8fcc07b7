// SPDX-License-Identifier: Apache-2.0
// Words of a command line, the same for every program that runs scenarios. What is wrong is Refused
// as bad input, in one line.
#pragma once
#include <cstdint>
#include <string>

#include "tb/base/exit_status.h"
#include "tb/scenarios/scenario.h"

namespace tb {

/// A whole decimal (or 0x) number in a range; `name` opens the line that says so.
std::uint64_t whole_number(const std::string& name, const std::string& text, std::uint64_t low,
                           std::uint64_t high);

/// fp8e4m3: what the tensor engine multiplies.
defs::Dtype format_of(const std::string& text);
/// "M,K,N", or one number for all three.
ProductSize product_size(const std::string& text);

/// The files of --a and --b, which go together and without --size; null if neither is given.
std::shared_ptr<const Operands> operands_of(const std::string& a, const std::string& b,
                                            const std::optional<defs::Dtype>& format,
                                            const std::optional<ProductSize>& size);

/// Values of --prompt, --tokens, --batch and --temperature; of the last three an empty one was not
/// given.
TextKnobs text_knobs(std::vector<std::string> prompts, const std::string& tokens,
                     const std::string& batch, const std::string& temperature);

/// As product_size() reads it.
std::string to_string(const ProductSize& size);

/// --rate and --requests; an empty text leaves the scenario's default.
void request_knobs(const std::string& rate, const std::string& requests, unsigned& rate_to,
                   unsigned& requests_to);

/// Rejects --races of a program with requests.
void check_races(bool races, const cmodel::Program& program);

/// Rejects if `args` has a knob that the scenario has not; null: a program file.
void check_knobs(const Scenario* scenario, const ScenarioArgs& args);

}  // namespace tb
