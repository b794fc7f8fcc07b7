// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/report.h"

#include <fmt/format.h>

#include "cmodel/board/provenance.h"
#include "cmodel/program/disassemble.h"
#include "cmodel/program/program_view.h"
#include "tb/check/number.h"

namespace tb {
namespace {

using nlohmann::ordered_json;
constexpr unsigned kShown = 8;  // elements of one commit, mismatches of the text

/// The wrong elements: where they are, what they should be, what they are.
ordered_json elements(const Mismatch& m) {
  ordered_json list = ordered_json::array();
  for (const auto& [at, bytes, expected, actual] : wrong_elements(m)) {
    if (list.size() == kShown) break;
    ordered_json e;
    if (m.actual.kind == cmodel::CommitKind::PsumRow) {
      const unsigned bank = built_sizes().psum_cols * 4;
      e["row"] = m.actual.first + at / m.element_bytes();
      e["column"] = m.actual.addr % bank / 4;
      e["bank"] = m.actual.addr / bank;
    } else if (m.actual.kind == cmodel::CommitKind::SbufRow) {
      e["row"] = m.actual.first + at / m.element_bytes();
      e["byte"] = m.actual.addr;
    } else if (const auto cell = cmodel::cell_of(built_sizes(), m.actual, at)) {
      e["place"] = cmodel::to_string(built_sizes(), *cell);
    } else {
      e["byte"] = at;
    }
    e["expected"] = fmt::format("0x{:0{}x}", expected, 2 * bytes);
    e["actual"] = fmt::format("0x{:0{}x}", actual, 2 * bytes);
    e["expected_value"] = fmt::format("{:.9g}", number_of(expected, bytes));
    e["actual_value"] = fmt::format("{:.9g}", number_of(actual, bytes));
    e["ulp"] = ulp_distance(expected, actual, bytes);
    list.push_back(e);
  }
  return list;
}

std::string instruction(const cmodel::Program& program, const cmodel::StreamId& id,
                        std::uint32_t at) {
  constexpr auto kDma0 = static_cast<unsigned>(defs::Engine::Dma0);
  const auto [engine, pc] = cmodel::place_of(id.engine, at);
  for (const auto& s : program.streams)
    if (s.chip == id.chip && s.core == id.core && s.engine == engine && pc < s.count)
      return cmodel::disassemble(instr_at(program, s, pc));
  for (const auto& r : program.rings)
    if (r.chip == id.chip && r.core == id.core && kDma0 + r.engine == id.engine && r.count)
      return cmodel::disassemble(descriptor_at(program, r, pc));
  return {};
}

ordered_json operation(const cmodel::Program& program, const cmodel::StreamId& id,
                       std::uint32_t pc) {
  ordered_json j;
  j["chip"] = id.chip;
  if (id.engine == static_cast<unsigned>(defs::Engine::Rx)) {
    j["from_chip"] = id.src;
    j["vn"] = id.lane >> 5;
  } else {
    j["core"] = id.core;
  }
  j["engine"] = cmodel::engine_name(id.engine);
  j["pc"] = pc;
  if (const auto place = cmodel::place_of(id.engine, pc); place.engine != id.engine)
    j["started_at"] = place.pc;
  const std::string words = instruction(program, id, pc);
  if (!words.empty()) j["instruction"] = words;
  const std::string source = program.source_of(id.chip, id.core, id.engine, pc);
  if (!source.empty()) j["source"] = source;
  return j;
}

ordered_json mismatch(const cmodel::Program& program, const Mismatch& m) {
  ordered_json j = operation(program, m.actual.stream, m.actual.pc);
  j["stream"] = stream_name(m.actual.stream);
  j["cycle"] = m.cycle;
  j["commit"] = m.ordinal;
  j["actual"] = describe(m.actual);
  j["where"] = fields(built_sizes(), m.actual);
  j["expected"] = m.expected ? ordered_json(describe(*m.expected)) : ordered_json();
  j["elements"] = elements(m);
  return j;
}

std::string_view name(Step::State state) {
  switch (state) {
    case Step::State::Wrong:
      return "wrong";
    case Step::State::Right:
      return "right";
    case Step::State::Missing:
      return "missing";
    default:
      return "not compared";
  }
}

ordered_json cause_json(const Cause& c) {
  ordered_json j;
  j["chip"] = c.chip;
  j["core"] = c.core ? ordered_json(*c.core) : ordered_json();
  j["block"] = c.block;
  j["instance"] = instance_of(c);
  if (!c.engine.empty()) j["engine"] = c.engine;
  if (c.pc) j["pc"] = *c.pc;
  if (c.cycle) j["cycle"] = *c.cycle;
  if (c.last_moved) j["last_moved"] = *c.last_moved;
  j["why"] = c.why;
  return j;
}

/// "chip 5 core 0 Tensor pc 9"
std::string short_name(const ordered_json& u) {
  std::string text = fmt::format("chip {} ", u["chip"].get<unsigned>());
  if (u.contains("core")) text += fmt::format("core {} ", u["core"].get<unsigned>());
  text += u["engine"].get<std::string>();
  if (u.contains("from_chip"))
    return text + fmt::format(" from chip {}", u["from_chip"].get<unsigned>());
  return text + ' ' + cmodel::pc_text(u["pc"].get<std::uint32_t>());
}

std::string more(const ordered_json& u, std::string_view indent) {
  std::string text;
  if (u.contains("instruction"))
    text += fmt::format("{}{}\n", indent, u["instruction"].get<std::string>());
  if (u.contains("source"))
    text += fmt::format("{}at {}\n", indent, u["source"].get<std::string>());
  return text;
}

}  // namespace

ordered_json to_json(const Diagnosis& d, const cmodel::Program& program) {
  ordered_json j;
  j["schema"] = 1;
  j["kind"] = "divergence";
  j["cause"] = d.cause ? cause_json(*d.cause) : ordered_json();
  j["first"] = d.mismatches.empty() ? ordered_json() : mismatch(program, d.mismatches.front());
  j["path"] = ordered_json::array();
  for (const Step& step : d.path) {
    ordered_json s = operation(program, step.stream, step.pc);
    s["state"] = name(step.state);
    if (step.cycle) s["cycle"] = *step.cycle;
    s["what"] = step.what;
    j["path"].push_back(s);
  }
  j["mismatches"] = ordered_json::array();
  for (const Mismatch& m : d.mismatches) j["mismatches"].push_back(mismatch(program, m));
  return j;
}

ordered_json summary(const Diagnosis& d) {
  ordered_json j;
  j["cause"] = d.cause ? cause_json(*d.cause) : ordered_json();
  if (!d.mismatches.empty()) {
    const Mismatch& m = d.mismatches.front();
    j["first"] = fmt::format("{}, core cycle {}", describe(m.actual), m.cycle);
    j["cycle"] = m.cycle;
  }
  return j;
}

std::string cause_text(const Diagnosis& d) {
  if (!d.cause) return {};
  const Cause& c = *d.cause;
  return fmt::format("earliest cause: chip {}{} {} ({}){}{}{}\n  {}\n", c.chip,
                     c.core ? fmt::format(" core {}", *c.core) : "", c.block, instance_of(c),
                     c.engine.empty() ? "" : ", " + c.engine,
                     c.pc ? " " + cmodel::pc_text(*c.pc) : "",
                     c.cycle ? fmt::format(", core cycle {}", *c.cycle) : "", c.why);
}

std::string to_text(const Diagnosis& d, const cmodel::Program& program) {
  std::string text;
  if (!d.mismatches.empty()) {
    const ordered_json m = mismatch(program, d.mismatches.front());
    text += fmt::format("first divergence: {}, core cycle {}\n", short_name(m),
                        d.mismatches.front().cycle);
    text += more(m, "  ");
    for (const auto& e : m["elements"]) {
      std::string at;
      for (const char* key : {"row", "column", "bank", "byte", "place"})
        if (e.contains(key))
          at += fmt::format("{}{} {}", at.empty() ? "" : ", ", key,
                            e[key].is_string() ? e[key].get<std::string>() : e[key].dump());
      text += fmt::format("  {}: expected {} = {}, actual {} = {}, {} ulp\n", at,
                          e["expected"].get<std::string>(), e["expected_value"].get<std::string>(),
                          e["actual"].get<std::string>(), e["actual_value"].get<std::string>(),
                          e["ulp"].get<std::int64_t>());
    }
    text += fmt::format("  {} commits differ in this and the next windows\n", d.mismatches.size());
  }
  if (!d.path.empty()) text += "root-cause trace:\n";
  for (const Step& step : d.path) {
    const ordered_json u = operation(program, step.stream, step.pc);
    text += fmt::format("  {:<12} {}{}: {}\n", name(step.state), short_name(u),
                        step.cycle ? fmt::format(", core cycle {}", *step.cycle) : "", step.what);
    if (step.state != Step::State::Right || &step == &d.path.back())
      text += more(u, "               ");
  }
  return text;
}

}  // namespace tb
