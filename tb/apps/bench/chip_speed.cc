// SPDX-License-Identifier: Apache-2.0
// Speed of one Verilated chip (inf2): idle, and with both tensor arrays busy. Prints JSON; 4 if the
// idle chip misses its target of 2 microseconds per core cycle.
#include <fmt/format.h>

#include <cstdlib>
#include <ctime>
#include <vector>

#include "Vchip_inf2.h"
#include "tb/scenarios/tiny_program.h"
#include "tb/unit/rtl/chip_bench.h"

namespace {

using Bench = tb::ChipBench<Vchip_inf2, defs::kInf2.line_bytes, defs::kInf2.hbm_line_cycles>;
constexpr unsigned kP = defs::kInf2.partitions, kN = defs::kInf2.psum_cols;

/// Processor time, so that other work on the machine counts as little as possible.
double microseconds_per_cycle(Bench& bench, unsigned fabric_cycles) {
  const std::clock_t start = std::clock();
  for (unsigned i = 0; i < fabric_cycles; ++i) bench.fabric_cycle();
  return 1e6 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC / (2 * fabric_cycles);
}

/// Back-to-back matmuls with new weights each on `cores` cores.
cmodel::Program matmuls(unsigned cores, unsigned count) {
  tb::TinyProgram program(defs::kInf2, 1);
  for (unsigned core = 0; core < cores; ++core) {
    for (unsigned i = 0; i < count; ++i) {
      program.add(0, core, defs::Engine::Tensor,
                  tb::TinyInstr(defs::Opcode::LoadStationary).shape(kP, kP).from(tb::sbuf16(0)));
      program.add(0, core, defs::Engine::Tensor,
                  tb::TinyInstr(defs::Opcode::MultiplyMoving)
                      .shape(kP, kN)
                      .from(tb::sbuf16(0x1000))
                      .to(tb::psum32(0)));
    }
  }
  return program.build();
}

}  // namespace

int main(int argc, char** argv) {
  const unsigned cycles = argc > 1 ? static_cast<unsigned>(std::atoi(argv[1])) : 200000;
  const double scale = cycles / 200000.0;
  Bench idle_chip(nullptr);
  microseconds_per_cycle(idle_chip, 1000);
  const double idle = microseconds_per_cycle(idle_chip, cycles / 2);
  double busy[2];
  for (unsigned cores = 1; cores <= 2; ++cores) {
    Bench chip(nullptr);
    chip.load(matmuls(cores, 64));
    microseconds_per_cycle(chip, 1000);  // loaded and under way
    busy[cores - 1] = microseconds_per_cycle(chip, static_cast<unsigned>(4000 * scale));
  }
  fmt::print(
      "{{ \"schema\": 1, \"rows\": [\n"
      "  {{ \"name\": \"chip_idle\", \"us_per_cycle\": {:.3f}, \"target\": 2.0, \"measured\": "
      "{:.3f}, \"met\": {} }},\n"
      "  {{ \"name\": \"chip_one_array\", \"us_per_cycle\": {:.2f} }},\n"
      "  {{ \"name\": \"chip_two_arrays\", \"us_per_cycle\": {:.2f} }} ] }}\n",
      idle, idle, idle <= 2.0, busy[0], busy[1]);
  return idle <= 2.0 ? 0 : 4;
}
