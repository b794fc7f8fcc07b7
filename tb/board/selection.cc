// SPDX-License-Identifier: Apache-2.0
#include "tb/board/selection.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "tb/base/exit_status.h"

namespace tb {
namespace {

/// By chip: is it in the list?
std::vector<bool> listed(const char* option, const std::string& list, const char* word,
                         unsigned chips) {
  std::vector<bool> in(chips);
  for (std::size_t at = 0; at <= list.size();) {
    const std::size_t comma = std::min(list.find(',', at), list.size());
    unsigned chip = 0;
    const char *first = list.data() + at, *last = list.data() + comma;
    const auto [rest, error] = std::from_chars(first, last, chip);
    if (error != std::errc{} || rest != last || chip >= chips)
      throw Refused(kBadInput, fmt::format("{} has \"{}\"; allowed {}, or chips 0 .. {} like 0,3",
                                           option, std::string(first, last), word, chips - 1));
    in[chip] = true;
    at = comma + 1;
  }
  return in;
}

}  // namespace

std::vector<bool> select_models(const std::string& rtl, const std::string& model, unsigned chips) {
  std::vector<bool> in_rtl(chips, true), is_model(chips, false);
  if (!rtl.empty() && rtl != "all") in_rtl = listed("--rtl", rtl, "all", chips);
  if (!model.empty() && model != "rest") is_model = listed("--model", model, "rest", chips);
  if (model == "rest" && rtl.empty())
    throw Refused(kBadInput,
                  "--model is \"rest\" without --rtl; allowed with it, or --model-only for all");
  if (model.empty() || model == "rest") {
    is_model = in_rtl;
    is_model.flip();
  } else if (rtl.empty()) {
    in_rtl = is_model;
    in_rtl.flip();
  }
  for (unsigned chip = 0; chip < chips; ++chip)
    if (in_rtl[chip] == is_model[chip])
      throw Refused(kBadInput, fmt::format("chip {} is in {} --rtl and --model; allowed in one of "
                                           "them, or --model rest",
                                           chip, in_rtl[chip] ? "both" : "neither of"));
  if (std::none_of(in_rtl.begin(), in_rtl.end(), [](bool in) { return in; }))
    throw Refused(kBadInput, "--model has every chip; allowed if one is in RTL, else --model-only");
  return is_model;
}

}  // namespace tb
