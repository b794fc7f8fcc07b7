// SPDX-License-Identifier: Apache-2.0
// Knobs of scenarios as options of a command line, the same for the board and the golden model.
#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tb/base/command_line.h"
#include "tb/scenarios/scenario.h"

namespace tb {

/// What was said of them.
struct Knobs {
  std::optional<defs::Dtype> format;
  std::optional<ProductSize> size;
  std::shared_ptr<const Operands> operands;
  bool once = false, order_independent = false;
  TextKnobs texts;
  std::optional<std::string> group;
  unsigned length = 0, rate = 0, requests = 0;

  void set(ScenarioArgs& args) const;
};

class KnobOptions {
 public:
  /// Options of `app`, which must not outlive this.
  void add_to(CLI::App& app);
  /// Throws Refused; reads the files of --a and --b.
  Knobs read() const;

 private:
  std::string length_, tokens_, batch_, temperature_, rate_, requests_, format_, size_, a_, b_;
  std::vector<std::string> prompts_;
  std::optional<std::string> group_;
  bool once_ = false, order_independent_ = false;
};

}  // namespace tb
