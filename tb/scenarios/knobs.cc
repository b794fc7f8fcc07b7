// SPDX-License-Identifier: Apache-2.0
#include "tb/scenarios/knobs.h"

#include <fmt/format.h>

#include <charconv>

#include "cmodel/machine/access_pattern.h"

namespace tb {

std::uint64_t whole_number(const std::string& name, const std::string& text, std::uint64_t low,
                           std::uint64_t high) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  const char* begin = text.data() + (hex ? 2 : 0);
  const char* end = text.data() + text.size();
  std::uint64_t value = 0;
  const auto [rest, error] = std::from_chars(begin, end, value, hex ? 16 : 10);
  if (error != std::errc{} || rest != end || begin == end || value < low || value > high)
    throw Refused(kBadInput, fmt::format("{} is \"{}\"; allowed {} .. {}", name, text, low, high));
  return value;
}

defs::Dtype format_of(const std::string& text) {
  std::string allowed;
  for (const defs::Dtype dtype : defs::kEveryDtype) {
    if (!(defs::kFormatsProduct >> static_cast<unsigned>(dtype) & 1)) continue;
    if (format_name(dtype) == text) return dtype;
    allowed += (allowed.empty() ? "" : ", ") + format_name(dtype);
  }
  throw Refused(kBadInput, fmt::format("--format is \"{}\"; allowed {}", text, allowed));
}

ProductSize product_size(const std::string& text) {
  std::vector<unsigned> sides;
  const char *at = text.data(), *end = at + text.size();
  for (bool more = true; more && sides.size() < 4;) {
    unsigned side = 0;
    const auto [rest, error] = std::from_chars(at, end, side);
    more = rest != end && *rest == ',';
    if (error != std::errc{} || (rest != end && !more) || side < 1 || side > kMostOfASide) {
      sides.clear();
      break;
    }
    sides.push_back(side);
    at = rest + more;
  }
  if (sides.size() == 1) return {sides[0], sides[0], sides[0]};
  if (sides.size() == 3) return {sides[0], sides[1], sides[2]};
  throw Refused(
      kBadInput,
      fmt::format("--size is \"{}\"; allowed M,K,N or one number for all three, each 1 .. {}", text,
                  kMostOfASide));
}

std::shared_ptr<const Operands> operands_of(const std::string& a, const std::string& b,
                                            const std::optional<defs::Dtype>& format,
                                            const std::optional<ProductSize>& size) {
  if (a.empty() && b.empty()) return {};
  if (a.empty() || b.empty())
    throw Refused(kBadInput,
                  fmt::format("{} alone; allowed --a and --b", a.empty() ? "--b" : "--a"));
  if (size)
    throw Refused(kBadInput, "--size with --a and --b; allowed without, their shapes say it");
  Operands operands{read_matrix("--a", a, format, kMostOfASide),
                    read_matrix("--b", b, format, kMostOfASide)};
  if (operands.a.columns != operands.b.rows)
    throw Refused(
        kBadInput,
        fmt::format("--a has {} columns, --b {} rows; allowed as many: A [M, K], B [K, N]",
                    operands.a.columns, operands.b.rows));
  return std::make_shared<const Operands>(std::move(operands));
}

TextKnobs text_knobs(std::vector<std::string> prompts, const std::string& tokens,
                     const std::string& batch, const std::string& temperature) {
  TextKnobs texts{.prompts = std::move(prompts)};
  if (!tokens.empty())
    texts.tokens = static_cast<unsigned>(whole_number("--tokens", tokens, 1, 1u << 20));
  if (!batch.empty())
    texts.batch = static_cast<unsigned>(whole_number("--batch", batch, 1, kMostTexts));
  if (texts.batch && texts.prompts.size() > 1 && texts.batch != texts.prompts.size())
    throw Refused(kBadInput, fmt::format("--batch is {} with {} of --prompt; allowed {}, or one "
                                         "--prompt for all texts",
                                         texts.batch, texts.prompts.size(), texts.prompts.size()));
  if (texts.prompts.size() > kMostTexts)
    throw Refused(kBadInput, fmt::format("{} of --prompt; allowed at most {}", texts.prompts.size(),
                                         kMostTexts));
  if (!temperature.empty()) {
    float value = 0;
    const char* end = temperature.data() + temperature.size();
    const auto [rest, error] = std::from_chars(temperature.data(), end, value);
    if (error != std::errc{} || rest != end || !(value >= 0 && value <= kMostTemperature))
      throw Refused(kBadInput, fmt::format("--temperature is \"{}\"; allowed 0 .. {}", temperature,
                                           kMostTemperature));
    texts.temperature = value;
  }
  return texts;
}

std::string to_string(const ProductSize& size) {
  return size.m == size.k && size.k == size.n ? fmt::format("{}", size.m)
                                              : fmt::format("{},{},{}", size.m, size.k, size.n);
}

void request_knobs(const std::string& rate, const std::string& requests, unsigned& rate_to,
                   unsigned& requests_to) {
  if (!rate.empty())
    rate_to = static_cast<unsigned>(whole_number("--rate", rate, 1, 1'000'000'000));
  if (!requests.empty())
    requests_to = static_cast<unsigned>(whole_number("--requests", requests, 1, kMostRequests));
}

void check_races(bool races, const cmodel::Program& program) {
  if (races && !program.requests.empty())
    throw Refused(kBadInput,
                  "--races of a program with requests; allowed with programs without requests");
}

void check_knobs(const Scenario* scenario, const ScenarioArgs& args) {
  const auto refuse = [&](const char* knob, const std::string& owners) {
    throw Refused(kBadInput, fmt::format("{}; allowed with {} only, not with {}", knob, owners,
                                         scenario ? scenario->name : "a program file"));
  };
  if (!scenario || !scenario->product)
    if (args.size || args.format || args.operands)
      refuse(args.operands ? "--a" : args.size ? "--size" : "--format", "gemm");
  if (args.group || args.order_independent) {
    const char* knob = args.group ? "--group" : "--order-independent";
    if (!scenario || !scenario->has_group) refuse(knob, "collective");
    if (!args.length) throw Refused(kBadInput, fmt::format("{}; allowed with --length", knob));
  }
  if (args.once && !args.size && !args.operands)
    throw Refused(kBadInput, "--once; allowed with --size, or --a and --b, of gemm only");
  const TextKnobs& texts = args.texts;
  if (!(texts == TextKnobs{}) && (!scenario || !scenario->has_prompt))
    refuse(!texts.prompts.empty() ? "--prompt"
           : texts.tokens         ? "--tokens"
           : texts.batch          ? "--batch"
                                  : "--temperature",
           "lm");
  if ((args.rate || args.requests) && (!scenario || !scenario->serves))
    refuse(args.rate ? "--rate" : "--requests", "recommender, grammar");
  if (args.length && (!scenario || !scenario->has_length)) {
    std::string owners;
    for (const Scenario& s : scenarios())
      if (s.has_length) owners += fmt::format("{}{}", owners.empty() ? "" : ", ", s.name);
    refuse("--length", owners);
  }
}

}  // namespace tb
