// SPDX-License-Identifier: Apache-2.0
#include "cmodel/program/instr_text.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <iterator>
#include <string>
#include <vector>

#include "cmodel/machine/instruction.h"
#include "cmodel/program/control_text.h"
#include "cmodel/program/disassemble.h"

namespace cmodel {
namespace {

bool same_word(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

/// A value by its name, or as "N?" if it has none.
unsigned named(TextScanner& in, std::string_view what, std::uint64_t high,
               const std::function<std::string_view(unsigned)>& name_of) {
  if (in.digit_next()) {
    const auto value = static_cast<unsigned>(in.number(what, high));
    in.expect("?");
    return value;
  }
  const std::string_view word = in.word();
  std::vector<std::string> allowed;
  for (unsigned value = 0; value <= high; ++value) {
    const std::string_view name = name_of(value);
    if (name == "?") continue;
    if (same_word(name, word)) return value;
    allowed.emplace_back(name);
    for (char& c : allowed.back())
      c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  in.fail(fmt::format("{} is {}; allowed {}, or a number and ?", what, in.shown(),
                      fmt::join(allowed, ", ")));
}

template <class Enum>
std::string_view name_of(unsigned value) {
  return to_string(static_cast<Enum>(value));
}

defs::Operand operand(TextScanner& in) {
  using defs::Operand;
  Operand o;
  o.space = static_cast<std::uint8_t>(
      named(in, "space", range_of<&Operand::space>(o).high, name_of<defs::Space>));
  in.expect(".");
  o.dtype = static_cast<std::uint8_t>(
      named(in, "format", range_of<&Operand::dtype>(o).high, name_of<defs::Dtype>));
  in.expect("[");
  in.field<&Operand::partition>(o, "partition", "p");
  in.expect("+");
  in.field<&Operand::offset>(o, "offset");
  if (in.accept("+")) in.field<&Operand::index>(o, "register", "r");
  in.expect_word("s");
  in.field<&Operand::stride3>(o, "stride");
  in.expect(",");
  in.field<&Operand::stride2>(o, "stride");
  in.expect(",");
  in.field<&Operand::stride1>(o, "stride");
  in.expect(",");
  in.field<&Operand::stride0>(o, "stride");
  o.stochastic = in.accept_word("stochastic");
  o.saturate = in.accept_word("saturate");
  in.expect("]");
  if (in.accept("!")) {
    in.expect_word("reserved");
    in.expect("=");
    in.field<&Operand::reserved>(o, "reserved");
  }
  return o;
}

/// "3x2x1x64": decimal, since 0x would begin another number.
void sizes(TextScanner& in, defs::Instr& instr) {
  std::uint16_t* const size[] = {&instr.size3, &instr.size2, &instr.size1, &instr.size0};
  const std::string_view word = in.word();
  std::size_t at = 0;
  const auto high = range_of<&defs::Instr::size0>(instr).high;
  for (unsigned i = 0; i < 4; ++i) {
    const std::size_t end = i < 3 ? word.find('x', at) : word.size();
    const char* last = word.data() + std::min(end, word.size());
    const auto [rest, error] =
        std::from_chars(word.data() + std::min(at, word.size()), last, *size[i]);
    if (end == std::string_view::npos || error != std::errc{} || rest != last)
      in.fail(fmt::format("size is {}; allowed AxBxCxD, each 0 .. {}", in.shown(), high));
    at = end + 1;
  }
}

/// A word of a line and what is behind it.
struct Clause {
  std::string_view word;
  std::function<void()> read;
};

/// Clauses up to the end of the line, or to `mark`.
void clauses(TextScanner& in, const std::vector<Clause>& all, std::string_view mark = {}) {
  std::vector<std::string_view> seen;  // update and no-update are one
  while (mark.empty() ? !in.at_end() : !in.accept(mark)) {
    const std::string_view word = in.accept("->") ? "->" : in.word();
    const auto found = std::ranges::find(all, word, &Clause::word);
    if (found == all.end()) {
      std::vector<std::string_view> allowed;
      for (const Clause& clause : all) allowed.push_back(clause.word);
      in.fail(fmt::format("{}; allowed {}", in.shown(), fmt::join(allowed, ", ")));
    }
    const std::string_view what = word.substr(word.starts_with("no-") ? 3 : 0);
    if (std::ranges::count(seen, what)) in.fail(fmt::format("second {}; allowed one", what));
    seen.push_back(what);
    found->read();
  }
}

template <auto Field, class Packed>
std::function<void()> equals(TextScanner& in, Packed& packed, std::string_view what) {
  return [&in, &packed, what] {
    in.expect("=");
    in.field<Field>(packed, what);
  };
}

/// "0.12", as semaphore_name() writes it.
unsigned semaphore(TextScanner& in) {
  const auto core = in.number("core", defs::kCores - 1);
  in.expect(".");
  return static_cast<unsigned>(core * defs::kSemaphores +
                               in.number("semaphore", defs::kSemaphores - 1));
}

template <class Packed>
std::function<void()> update(TextScanner& in, Packed& packed, bool happens) {
  return [&in, &packed, happens] {
    packed.update = happens;
    packed.update_sem = static_cast<std::uint16_t>(semaphore(in));
    in.expect("+=");
    in.field<&Packed::update_delta>(packed, "update");
  };
}

void wait(TextScanner& in, defs::Instr& instr) {
  instr.wait_sem = static_cast<std::uint16_t>(semaphore(in));
  unsigned op = 0;
  while (op < kRelations.size() && !in.accept(kRelations[op])) ++op;
  if (op == kRelations.size())
    in.fail(fmt::format("{}; allowed {}", in.shown(), fmt::join(kRelations, ", ")));
  instr.wait_op = static_cast<std::uint8_t>(op);
  in.field<&defs::Instr::wait_value>(instr, "value");
}

void sized(TextScanner& in, defs::Instr& instr) {
  in.field<&defs::Instr::size_dim>(instr, "dimension");
  in.expect_word("by");
  in.field<&defs::Instr::size_reg>(instr, "register", "r");
}

void ring(TextScanner& in, defs::Instr& instr) {
  defs::Doorbell bell;
  in.field<&defs::Doorbell::engine>(bell, "engine");
  in.expect_word("x");
  in.field<&defs::Doorbell::count>(bell, "count");
  instr.imm = bell.words()[0];
}

defs::Scalar scalar(TextScanner& in) {
  defs::Scalar scalar;
  scalar.kind = static_cast<std::uint8_t>(
      named(in, "scalar", range_of<&defs::Scalar::kind>(scalar).high, name_of<defs::ScalarKind>));
  in.field<&defs::Scalar::value>(scalar, "value");
  scalar.reverse = in.accept_word("reverse");
  if (in.accept("!")) {
    in.expect_word("reserved");
    in.expect("=");
    in.field<&defs::Scalar::reserved>(scalar, "reserved");
  }
  return scalar;
}

/// Scalars and second function, as the row has them.
std::vector<Clause> fused(TextScanner& in, const defs::InstrRow& row, defs::Instr& instr) {
  const bool in_imm = row.scalars == defs::ScalarPlace::Imm;
  const auto put = [&in, &instr, in_imm](bool second) {
    const defs::Scalar read = scalar(in);
    if (in_imm) {
      if (read.value > 0xffff || read.reverse || read.reserved)
        in.fail("scalar of more than 16 bits; allowed 0 .. 0xffff");
      instr.imm |=
          defs::FusedScalar{static_cast<std::uint16_t>(read.value), read.kind, 0}.words()[0];
      return;
    }
    auto scalars = defs::Scalars::from(instr.src1.words());
    (second ? scalars.second : scalars.first) = read;
    instr.src1 = defs::Operand::from(scalars.words());
  };
  const auto then = [&in, &instr, &row] {
    instr.imm |= named(
        in, "function", range_of<&defs::Fused::func1>(defs::Fused{}).high, [&](unsigned value) {
          return row.functions ? row.function_name(static_cast<std::uint8_t>(value)) : "?";
        });
  };
  std::vector<Clause> all{{"a", [put] { put(false); }}};
  if (row.imm != defs::Imm::Accumulator) all.push_back({"then", then});
  if (in_imm) return all;
  all.push_back({"b", [put] { put(true); }});
  all.push_back({"imm", equals<&defs::Instr::imm>(in, instr, "imm")});
  return all;
}

}  // namespace

defs::Instr instr_from_text(std::string_view mnemonic, TextScanner& in) {
  using defs::Instr;
  Instr instr;
  const auto* row = std::ranges::find(defs::kInstructions, mnemonic, &defs::InstrRow::mnemonic);
  const std::string_view number = mnemonic.substr(std::min(mnemonic.size(), kUnknownOpcode.size()));
  unsigned opcode = 0;
  if (row != defs::kInstructions.end())
    opcode = static_cast<unsigned>(row->opcode);
  else if (const auto [rest, error] =
               std::from_chars(number.data(), number.data() + number.size(), opcode, 16);
           !mnemonic.starts_with(kUnknownOpcode) || error != std::errc{} ||
           rest != number.data() + number.size() || opcode > range_of<&Instr::opcode>(instr).high) {
    std::vector<std::string_view> allowed;
    for (const auto& known : defs::kInstructions) allowed.push_back(known.mnemonic);
    in.fail(
        fmt::format("{}; allowed {}, {}NN", in.shown(), fmt::join(allowed, ", "), kUnknownOpcode));
  }
  instr.opcode = static_cast<std::uint8_t>(opcode);
  row = defs::row_of(instr.opcode);

  std::vector<Clause> all;
  if (row && row->functions)
    instr.func = static_cast<std::uint8_t>(named(
        in, "function", range_of<&Instr::func>(instr).high,
        [&](unsigned value) { return row->function_name(static_cast<std::uint8_t>(value)); }));
  else
    all.push_back({"func", equals<&Instr::func>(in, instr, "func")});
  const auto put_overlay = overlay_from_text(in, row);
  if (row && row->scalars != defs::ScalarPlace::None)
    std::ranges::move(fused(in, *row, instr), std::back_inserter(all));
  else if (row && row->imm == defs::Imm::Doorbell)
    all.push_back({"dma", [&] { ring(in, instr); }});
  else
    all.push_back({"imm", equals<&Instr::imm>(in, instr, "imm")});
  if (row && row->imm == defs::Imm::Accumulator)
    all.push_back({"sums", [&] {
                     instr.imm |= named(in, "command", (1u << row->imm_bits) - 1,
                                        name_of<defs::ReduceCommand>);
                   }});
  all.insert(all.end(), {{"acc", [&] { instr.accumulate = 1; }},
                         {"partitions", [&] { in.field<&Instr::partitions>(instr, "partitions"); }},
                         {"size", [&] { sizes(in, instr); }},
                         {"sized", [&] { sized(in, instr); }},
                         {"src0", [&] { instr.src0 = operand(in); }},
                         {"->", [&] { instr.dst = operand(in); }},
                         {"wait", [&] { wait(in, instr); }},
                         {"update", update(in, instr, true)},
                         {"no-update", update(in, instr, false)},
                         {"reserved", equals<&Instr::reserved>(in, instr, "reserved")}});
  if (!row || row->scalars != defs::ScalarPlace::Src1)
    all.push_back({"src1", [&] { instr.src1 = operand(in); }});
  clauses(in, all);
  return put_overlay(instr);
}

defs::Descriptor descriptor_from_text(TextScanner& in, std::string_view mark) {
  using defs::Descriptor;
  Descriptor d;
  in.field<&Descriptor::rows>(d, "rows");
  in.expect_word("rows");
  in.expect_word("x");
  in.field<&Descriptor::row_bytes>(d, "bytes");
  in.expect_word("B");
  in.field<&Descriptor::src>(d, "source");
  in.expect("(");
  in.field<&Descriptor::src_stride>(d, "stride");
  in.expect(")");
  in.expect("->");
  in.expect_word("chip");
  in.field<&Descriptor::dst_chip>(d, "chip");
  in.field<&Descriptor::dst>(d, "destination");
  in.expect("(");
  in.field<&Descriptor::dst_stride>(d, "stride");
  in.expect(")");
  const auto notify = [&](bool happens) {
    return [&in, &d, happens] {
      d.notify = happens;
      d.notify_sem = static_cast<std::uint16_t>(semaphore(in));
    };
  };
  const auto combine = [&] {
    d.combine = static_cast<std::uint8_t>(
        named(in, "combination", range_of<&Descriptor::combine>(d).high, name_of<defs::Combine>));
    d.dtype = static_cast<std::uint8_t>(
        named(in, "format", range_of<&Descriptor::dtype>(d).high, name_of<defs::Dtype>));
    in.field<&Descriptor::src1>(d, "second source");
    in.expect("(");
    in.field<&Descriptor::src1_stride>(d, "stride");
    in.expect(")");
  };
  const auto index = [&] {
    d.skip = in.accept_word("skip");
    d.index_mode = static_cast<std::uint8_t>(
        named(in, "mode", range_of<&Descriptor::index_mode>(d).high, name_of<defs::IndexMode>));
    in.field<&Descriptor::index>(d, "indices");
    in.expect_word("below");
    in.field<&Descriptor::bound>(d, "bound");
  };
  const auto to = [&] {
    d.dst_dtype = static_cast<std::uint8_t>(
        named(in, "format", range_of<&Descriptor::dst_dtype>(d).high, name_of<defs::Dtype>));
  };
  clauses(in,
          {{"combine", combine},
           {"index", index},
           {"to", to},
           {"vn", [&] { in.field<&Descriptor::vn>(d, "vn"); }},
           {"update", update(in, d, true)},
           {"no-update", update(in, d, false)},
           {"notify", notify(true)},
           {"no-notify", notify(false)},
           {"reserved_hi", equals<&Descriptor::reserved_hi>(in, d, "reserved_hi")},
           {"reserved_mid", equals<&Descriptor::reserved_mid>(in, d, "reserved_mid")},
           {"reserved", equals<&Descriptor::reserved>(in, d, "reserved")},
           {"reserved_lo", equals<&Descriptor::reserved_lo>(in, d, "reserved_lo")}},
          mark);
  return d;
}

}  // namespace cmodel
