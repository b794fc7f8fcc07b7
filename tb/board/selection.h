// SPDX-License-Identifier: Apache-2.0
// Which chips are in RTL, which are golden models: --rtl and --model.
#pragma once
#include <string>
#include <vector>

namespace tb {

/// By chip: is it a model? `rtl`: "all", a list like "0,5", or empty; `model`: "rest", a list, or
/// empty. One of them may be left out and means the rest; without both all are in RTL. Throws
/// Refused with one line.
std::vector<bool> select_models(const std::string& rtl, const std::string& model, unsigned chips);

}  // namespace tb
