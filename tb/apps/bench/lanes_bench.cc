// SPDX-License-Identifier: Apache-2.0
// How fast are the Verilated vector and activation engine when they are busy, by class of
// instruction, compared with the same arithmetic written by hand (lanes_plain.h)? And what does an
// idle one cost?
//
// Both are single-threaded and built by the same compiler with the same flags, and run in turns in
// one process, on the same data. Processor time, the least of all rounds: other work on the machine
// makes a round longer, never shorter. What begins and ends an instruction counts. Prints JSON;
// exit 1 if the two write other bits, 4 if a target is missed.
#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "Vact_engine_inf2.h"
#include "Vvector_engine_inf2.h"
#include "tb/apps/bench/lanes_plain.h"
#include "tb/unit/rtl/lane_costs.h"

namespace {

using tb::LaneCosts;
using tb::PlainLanes;
constexpr unsigned kP = PlainLanes::kLanes;
constexpr unsigned kElements = 512, kTimes = 8, kRounds = 15;
constexpr unsigned kIdleCycles = 4096;

double processor_seconds() {
  timespec now;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}
double timed(auto&& work) {
  const double start = processor_seconds();
  work();
  return processor_seconds() - start;
}

/// Elements of every format that are numbers near 1, a few of two bytes 0.
PlainLanes::Memory random_memory() {
  std::mt19937_64 rng(1);
  PlainLanes::Memory memory;
  memory.sbuf.resize(512);
  memory.psum.resize(kElements);
  for (auto& word : memory.sbuf)
    for (auto& lane : word) {
      lane = 0;
      for (unsigned part = 0; part < 4; ++part) {
        const std::uint64_t near = (rng() & 0x807F) | (0x7D + rng() % 4) << 7;
        lane |= (rng() % 16 ? near : 0) << 16 * part;
      }
    }
  for (auto& row : memory.psum)
    for (auto& lane : row)
      lane = static_cast<std::uint32_t>((rng() & 0x807FFFFF) | (0x7D + rng() % 4) << 23);
  return memory;
}

template <class Dut>
class Rtl {
 public:
  Rtl(VerilatedContext& context, const PlainLanes::Memory& memory)
      : out(kElements), memory_(memory), dut_(&context) {
    dut_.clk_i = dut_.rst_ni = dut_.instr_valid_i = 0;
    dut_.ps_rd_ready_i = 1;
    dut_.eval();
    clock();
    dut_.rst_ni = 1;
    dut_.eval();
  }
  /// False if the engine rejects it.
  bool run(const defs::Instr& instr, unsigned times) {
    const auto words = instr.words();
    for (unsigned i = 0; i < words.size(); ++i) dut_.instr_i[i] = words[i];
    unsigned accepted = 0, done = 0;
    dut_.instr_valid_i = offer_ = true;
    dut_.eval();
    while (done < times && !dut_.error_valid_o) {
      accepted += dut_.instr_valid_i && dut_.instr_ready_o;
      if (dut_.done_o) ++done, put_ = 0;
      offer_ = accepted < times;
      clock();
    }
    return !dut_.error_valid_o;
  }
  void idle(unsigned cycles) {
    for (unsigned i = 0; i < cycles; ++i) clock();
  }
  std::vector<PlainLanes::Row> out;  ///< rows of an instruction as they are written

 private:
  /// One cycle, with memories that answer in the next one.
  void clock() {
    const bool read = dut_.rd_o >> 18 & 1, psum_read = dut_.ps_rd_o >> 16 & 1;
    const unsigned at = dut_.rd_o & 0x3ffff, word = dut_.ps_rd_o & 0xffff;
    if (dut_.wr_o >> 37 & 1)
      std::memcpy(out.at(put_++).data(), &dut_.wr_data_o[0], sizeof(PlainLanes::Row));
    dut_.clk_i = 1;
    dut_.eval();
    if (read) std::memcpy(&dut_.rd_data_i[0], &memory_.sbuf[at / 8], sizeof(memory_.sbuf[0]));
    if (psum_read)
      std::memcpy(&dut_.ps_rd_data_i[0], memory_.psum[word].data(), sizeof(PlainLanes::Row));
    dut_.instr_valid_i = offer_;
    dut_.clk_i = 0;
    dut_.eval();
  }
  const PlainLanes::Memory& memory_;
  bool offer_ = false;
  std::size_t put_ = 0;
  Dut dut_;
};

struct Class {
  const char* name;
  defs::Instr instr;
  void (PlainLanes::*plain)(unsigned);
};

std::vector<Class> vector_classes() {
  using enum defs::Opcode;
  using enum defs::Dtype;
  const LaneCosts make(defs::kInf2, kElements);
  const defs::Scalar first{.kind = 1, .value = PlainLanes::kFirst},
      second{.kind = 1, .value = PlainLanes::kSecond};
  const auto fused = [](std::uint8_t func1) {
    return defs::FusedScalar{PlainLanes::kFirst >> 16, 1, func1}.words()[0];
  };
  const auto of_src1 = [](defs::Instr instr, defs::Dtype dtype, bool walks) {
    instr.src1 = {.space = 1,
                  .dtype = static_cast<std::uint8_t>(dtype),
                  .offset = LaneCosts::kSrc1,
                  .stride0 = walks};
    return instr;
  };
  auto predicated = make.of(CopyPredicated);
  predicated.src0.dtype = static_cast<std::uint8_t>(Uint16);
  auto transpose = make.of(Transpose);
  transpose.size0 = kP / 4, transpose.size1 = kElements / (kP / 4);
  transpose.src0.stride1 = transpose.dst.stride1 = kP / 4;
  return {
      {"copy", make.of(TensorCopy), &PlainLanes::copy},
      {"cast", LaneCosts::to(make.of(TensorCopy, Fp16), Fp8E4M3), &PlainLanes::cast},
      {"two sources in whole words", make.of(TensorTensor), &PlainLanes::sum},
      {"two sources", LaneCosts::with(make.of(TensorTensor, Fp32), defs::AluOp::Mul),
       &PlainLanes::product},
      {"scalars",
       LaneCosts::to(
           LaneCosts::with(make.of(TensorScalar, Fp32, 0, {.second = second, .first = first}),
                           defs::AluOp::Mul),
           Bf16),
       &PlainLanes::scalars},
      {"scan", LaneCosts::with(make.of(TensorTensorScan, Bf16, fused(0)), defs::AluOp::Mul),
       &PlainLanes::scan},
      {"reduction", LaneCosts::to(make.of(TensorReduce), Fp32), &PlainLanes::reduce},
      {"fill", make.of(Memset, Bf16, 0, {.first = first}), &PlainLanes::fill},
      {"select", make.of(Select, Bf16, fused(0)), &PlainLanes::select},
      {"predicated", predicated, &PlainLanes::predicated},
      {"shuffle", of_src1(make.of(StreamShuffle), Uint8, false), &PlainLanes::shuffle},
      {"transpose", transpose, &PlainLanes::transpose},
      {"statistics", LaneCosts::to(make.of(BnStats), Fp32), &PlainLanes::statistics},
      {"eight greatest", make.of(Max8), &PlainLanes::greatest},
      {"eight found", LaneCosts::to(make.of(FindIndex8), Uint32), &PlainLanes::find},
      {"random", make.of(Rng, Uint32), &PlainLanes::random},
  };
}

std::vector<Class> act_classes() {
  using enum defs::Opcode;
  using enum defs::ActFunc;
  const LaneCosts make(defs::kInf2, kElements);
  auto biased = LaneCosts::with(make.of(Activate), Relu);
  biased.src0 = LaneCosts::psum();
  biased.src1 = {.space = 1, .offset = LaneCosts::kSrc1};
  const defs::Scalars scalars{.second = {.kind = 1, .value = PlainLanes::kSecond},
                              .first = {.kind = 1, .value = PlainLanes::kFirst}};
  return {
      {"bias and function", biased, &PlainLanes::activate},
      {"scalars and sums",
       LaneCosts::with(
           make.of(ActivateScaled, defs::Dtype::Bf16,
                   static_cast<std::uint32_t>(defs::ReduceCommand::ResetReduce), scalars),
           Relu),
       &PlainLanes::accumulate},
      {"function from tables", LaneCosts::with(make.of(Activate), Exp), &PlainLanes::exp},
  };
}

struct Outcome {
  bool same = true, met = true;
};

/// Rows of one engine; an idle one is compared with what its busiest class costs in a cycle.
template <class Dut>
void measure(defs::Engine engine, const std::vector<Class>& classes,
             const PlainLanes::Memory& memory, std::vector<std::string>& rows, Outcome& all) {
  constexpr double kRatio = 0.6, kIdle = 0.02;  // as the array: 50 times as fast
  VerilatedContext context;
  auto rtl = std::make_unique<Rtl<Dut>>(context, memory);
  auto plain = std::make_unique<PlainLanes>(
      memory, PlainLanes::Places{0, LaneCosts::kSrc1, LaneCosts::kScalar});
  double busiest = 0, idle = 1e9;
  for (const Class& c : classes) {
    double rtl_s = 1e9, plain_s = 1e9;
    bool same = true;
    for (unsigned round = 0; round < kRounds; ++round) {
      rtl_s = std::min(rtl_s, timed([&] { same &= rtl->run(c.instr, kTimes); }));
      plain_s = std::min(plain_s, timed([&] {
                           for (unsigned i = 0; i < kTimes; ++i) (plain.get()->*c.plain)(kElements);
                         }));
      idle = std::min(idle, timed([&] { rtl->idle(kIdleCycles); }));
      same &= std::equal(rtl->out.begin(), rtl->out.end(), plain->out.begin());
    }
    const tb::LaneCost cost{.instr = c.instr, .reads = 0, .cycles = {}};
    const double each = 1e9 / (kTimes * kElements), ratio = plain_s / rtl_s;
    busiest = std::max(busiest, rtl_s * each);
    all.same &= same;
    all.met &= ratio >= kRatio;
    rows.push_back(fmt::format(
        "{{\"name\": \"lanes\", \"engine\": \"{}\", \"class\": \"{}\", \"instruction\": \"{}\", "
        "\"formats\": \"{}\", \"ns_per_element_rtl\": {:.1f}, \"ns_per_element_cpp\": {:.1f}, "
        "\"same_bits\": {}, \"target\": {}, \"measured\": {:.3f}, \"met\": {}}}",
        to_string(engine), c.name, cost.name(), cost.formats(), rtl_s * each, plain_s * each, same,
        kRatio, ratio, ratio >= kRatio && same));
  }
  const double per_cycle = 1e9 * idle / kIdleCycles, share = per_cycle / busiest;
  all.met &= share <= kIdle;
  rows.push_back(fmt::format(
      "{{\"name\": \"lanes_idle\", \"engine\": \"{}\", \"ns_per_cycle_idle\": {:.1f}, "
      "\"ns_per_element_busiest\": {:.1f}, \"target\": {}, \"measured\": {:.4f}, \"met\": {}}}",
      to_string(engine), per_cycle, busiest, kIdle, share, share <= kIdle));
}

}  // namespace

int main() {
  const auto memory = random_memory();
  std::vector<std::string> rows;
  Outcome all;
  measure<Vvector_engine_inf2>(defs::Engine::Vector, vector_classes(), memory, rows, all);
  measure<Vact_engine_inf2>(defs::Engine::Act, act_classes(), memory, rows, all);
  fmt::print("{{\"schema\": 1, \"rows\": [\n  {}\n]}}\n", fmt::join(rows, ",\n  "));
  return !all.same ? 1 : all.met ? 0 : 4;
}
