// SPDX-License-Identifier: Apache-2.0
// A diagnosis for people and for programs: text in the run's output, divergence.json.
#pragma once
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "cmodel/program/program.h"
#include "tb/debug/diagnosis.h"

namespace tb {

/// What caused it, in two lines; empty if that is not known.
std::string cause_text(const Diagnosis& diagnosis);
/// What went wrong first, and the root-cause trace. `program` also knows the source lines.
std::string to_text(const Diagnosis& diagnosis, const cmodel::Program& program);
nlohmann::ordered_json to_json(const Diagnosis& diagnosis, const cmodel::Program& program);
/// For result.json: where it was seen first, and the cause.
nlohmann::ordered_json summary(const Diagnosis& diagnosis);

}  // namespace tb
