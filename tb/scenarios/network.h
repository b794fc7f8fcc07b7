// SPDX-License-Identifier: Apache-2.0
// What scenarios that are parts of networks have in common: numbers by seed, the judgement against
// float64, and the least cycles that their work could take.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "cmodel/program/assembler.h"
#include "tb/scenarios/numbers.h"
#include "tb/scenarios/scenario.h"

namespace tb::network {

/// -range .. range, evenly.
std::vector<float> draw(Random& random, std::size_t count, float range);
/// Likewise, rounded to bf16; the same numbers as bf16 are bf16_bytes() of them.
std::vector<float> draw_bf16(Random& random, std::size_t count, float range);
std::vector<std::uint8_t> bf16_bytes(const std::vector<float>& values);
std::vector<std::uint8_t> word_bytes(const std::vector<std::uint32_t>& words);

std::vector<double> doubles(const std::vector<float>& values);
std::vector<double> magnitudes(std::vector<double> values);
/// [m][n] = sum over k of w [k][m] x [k][n].
std::vector<double> product(const std::vector<double>& w, const std::vector<double>& x, unsigned m,
                            unsigned n);

/// --length, or if it is not given `usual`; throws if it is more than `most`.
unsigned length_of(const ScenarioArgs& args, unsigned usual, unsigned most);

/// "0.1": chip and core, in names of blocks and regions and in what draws numbers.
std::string core_name(unsigned chip, unsigned core);

/// body(Data(args, chip, core), chip, core) for every core of the board.
template <class Data, class Body>
void for_cores(const ScenarioArgs& args, Body&& body) {
  for (unsigned chip = 0; chip < args.chips; ++chip)
    for (unsigned core = 0; core < defs::kCores; ++core) body(Data(args, chip, core), chip, core);
}

/// The program of write(assembler, core, data) on every core.
template <class Data, class Write>
cmodel::Program build(const ScenarioArgs& args, Write&& write) {
  cmodel::Assembler assembler(args.sizes, args.chips);
  for_cores<Data>(args, [&](const Data& data, unsigned chip, unsigned core) {
    write(assembler, assembler.core(chip, core), data);
  });
  return assembler.assemble();
}

/// Errors of a result, each against what it may be.
class Accuracy {
 public:
  /// `what` names the element if it is the first that is off by more than `allowed`.
  void add(double got, double want, double allowed, const std::function<std::string()>& what);
  /// Metrics and failure; no element at all is a failure.
  void report(ScenarioResult& result) const;

 private:
  double error_ = 0, share_ = 0, allowed_ = 0;
  std::uint64_t elements_ = 0, wrong_ = 0;
  std::string failure_;
};

/// Cycles of the core that has most to do, of each resource alone: rates as in rtl/README.md.
struct Roofline {
  double macs = 0;       ///< useful ones; all PEs in every cycle
  double vector = 0;     ///< elements of each partition: sources of its instructions
  double act = 0;        ///< likewise
  double hbm_bytes = 0;  ///< each byte once, through the core's own port
  double lines = 0;      ///< rows of a gather, a line each: one a cycle
};
/// `bound`, the resource, and `bound_cycles`; the board adds the share of them in run_cycles.
void put_roofline(const defs::Sizes& sizes, const Roofline& roofline,
                  nlohmann::ordered_json& metrics);

}  // namespace tb::network
