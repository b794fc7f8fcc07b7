// SPDX-License-Identifier: Apache-2.0
#include "tb/system/chip.h"

#include <fmt/format.h>
#include <verilated.h>
#ifdef DODECA_COVERAGE
#include <verilated_cov.h>
#endif
#include <verilated_sym_props.h>

#include <cstring>
#include DODECA_MODEL_HEADER  // V<model>.h of this executable
#include DODECA_SYMS_HEADER   // V<model>__Syms.h: arrays that Verilator does not list by name
#ifdef DODECA_WAVES
#include <verilated_fst_c.h>
#endif

#include "tb/trace/commit_dpi.h"
#include "tb/trace/timeline_dpi.h"

#define DODECA_JOIN2(a, b) a##b
#define DODECA_JOIN(a, b) DODECA_JOIN2(a, b)
// Verilator's own function that computes all combinational logic from the registers; it calls it
// once, at the first eval. It is no part of its API, so its name is written down here only.
#define DODECA_ROOT DODECA_JOIN(DODECA_MODEL, ___024root)
#define DODECA_SETTLE DODECA_JOIN(DODECA_MODEL, ___024root___eval_settle)
void DODECA_SETTLE(DODECA_ROOT* root);

namespace tb {

const defs::Sizes& built_sizes() { return defs::DODECA_SIZES; }
#ifdef DODECA_WAVES
bool built_with_waves() { return true; }
#else
bool built_with_waves() { return false; }
#endif
#ifdef DODECA_WAVE_ARRAYS
bool built_with_wave_arrays() { return true; }
#else
bool built_with_wave_arrays() { return false; }
#endif

#ifdef DODECA_COVERAGE
bool built_with_coverage() { return true; }
#else
bool built_with_coverage() { return false; }
#endif

namespace {

/// The two-dimensional arrays of a core: Verilator 5.006 keeps no names for these.
template <class Core>
Register core_array(Core& core, const std::string& name) {
  const auto describe = []<class Element, std::size_t kCols, std::size_t kRows>(
                            VlUnpacked<VlUnpacked<Element, kCols>, kRows>& array) {
    return Register{&array, sizeof(Element) * 8, sizeof(Element), kRows * kCols};
  };
  if (name == "u_psum.mem_q") return describe(core.u_psum__DOT__mem_q);
  if (name == "u_sbuf.mem") return describe(core.u_sbuf__DOT__mem);
  if (name == "u_sbuf.wr_data_q") return describe(core.u_sbuf__DOT__wr_data_q);
  if (name == "u_tensor.u_array.weight0_q")
    return describe(core.u_tensor__DOT__u_array__DOT__weight0_q);
  if (name == "u_tensor.u_array.weight1_q")
    return describe(core.u_tensor__DOT__u_array__DOT__weight1_q);
  if (name == "u_tensor.u_array.psum_q") return describe(core.u_tensor__DOT__u_array__DOT__psum_q);
  if (name == "u_tensor.u_array.moving_q")
    return describe(core.u_tensor__DOT__u_array__DOT__moving_q);
  return {};
}

/// A wide pin as words.
template <class Pin>
std::uint32_t* words(Pin& pin) {
  return reinterpret_cast<std::uint32_t*>(&pin);
}

}  // namespace

struct Chip::Verilated : Probe::Finder {
  VerilatedContext context;
  std::unique_ptr<DODECA_MODEL> top;
#ifdef DODECA_WAVES
  std::unique_ptr<VerilatedFstC> waves;
#endif

  Register find(const std::string& scope, const std::string& name) const override {
    const std::string core0 = "TOP.chip.u_core0.", core1 = "TOP.chip.u_core1.";
    auto& symbols = *top->rootp->vlSymsp;
    if (scope.starts_with(core0))
      if (Register found =
              core_array(symbols.TOP__chip__DOT__u_core0, scope.substr(core0.size()) + "." + name))
        return found;
    if (scope.starts_with(core1))
      if (Register found =
              core_array(symbols.TOP__chip__DOT__u_core1, scope.substr(core1.size()) + "." + name))
        return found;
    const VerilatedScope* found = context.scopeFind(scope.c_str());
    const VerilatedVar* var = found ? found->varFind(name.c_str()) : nullptr;
    if (!var) return {};
    Register reg;
    reg.data = var->datap();
    reg.bits = static_cast<unsigned>(var->packed().elements());
    reg.element_bytes = reg.bits <= 8    ? 1
                        : reg.bits <= 16 ? 2
                        : reg.bits <= 32 ? 4
                        : reg.bits <= 64 ? 8
                                         : (reg.bits + 31) / 32 * 4;
    for (int dim = 1; dim <= var->udims(); ++dim) reg.elements *= var->elements(dim);
    return reg;
  }
};

Chip::Chip(unsigned id, unsigned ring_size, std::uint32_t power_on_seed, const ChipWires& wires,
           const std::filesystem::path& waves)
    : id_(id), wires_(wires), hbm_(built_sizes()), v_(std::make_unique<Verilated>()) {
#ifdef DODECA_COVERAGE
  // The counters' idea of "before" powers on like a register: random, it would count every bit that
  // never moves as one that did.
  v_->context.randReset(0);
#else
  v_->context.randReset(2);
#endif
  v_->context.randSeed(static_cast<int>(power_on_seed & 0x7fffffffu) | 1);
  v_->context.fatalOnError(false);  // an assertion of the RTL is a failed check, not an abort
  v_->context.assertOn(true);
#ifdef DODECA_COVERAGE
  v_->context.coveragep()->forcePerInstance(true);
#endif
#ifdef DODECA_WAVES
  if (!waves.empty()) v_->context.traceEverOn(true);
#else
  (void)waves;
#endif
  ::Verilated::threadContextp(&v_->context);
  v_->top = std::make_unique<DODECA_MODEL>(&v_->context, "TOP");
  probe_ = std::make_unique<Probe>(*v_);
#ifdef DODECA_WAVES
  if (!waves.empty()) {
    v_->waves = std::make_unique<VerilatedFstC>();
    v_->top->trace(v_->waves.get(), 99);
    v_->waves->open(waves.c_str());
  }
#endif
  v_->top->chip_id_i = id;
  v_->top->ring_size_i = ring_size;
  for (std::uint32_t* pins : {words(v_->top->link_rx0_i), words(v_->top->link_rx1_i),
                              words(v_->top->link_rx2_i), words(v_->top->link_rx3_i)})
    std::memset(pins, 0, sizeof(Link::Token));
  reset();
}

Chip::~Chip() {
  // Verilator unregisters the model's scopes in the thread's context, which may be another chip's.
  ::Verilated::threadContextp(&v_->context);
#ifdef DODECA_WAVES
  if (v_->waves) v_->waves->close();
#endif
  // The model's scopes leave the context of the thread, whichever that is: make it their own.
  ::Verilated::threadContextp(&v_->context);
  v_->top.reset();
}

void Chip::reset() {
  set_commit_sink(nullptr, id_);
  auto& top = *v_->top;
  top.clk_i = 0;
  top.rst_ni = 1;
  top.eval();
  top.rst_ni = 0;  // an edge, for the asynchronous resets
  for (unsigned cycle = 0; cycle < 4; ++cycle) {
    top.clk_i = 0;
    top.eval();
    top.clk_i = 1;
    top.eval();
  }
  top.clk_i = 0;
  top.eval();
  top.rst_ni = 1;
  top.eval();
  if (top.fabric_phase_o) fail("fabric_phase_o is 1 in the first cycle after reset");
}

void Chip::fail(std::string what) {
  if (!fault_.empty()) return;
  fault_ = fmt::format("chip {} core cycle {}: {}", id_, core_cycle_, what);
  fault_cycle_ = core_cycle_;
}

void Chip::dump([[maybe_unused]] unsigned picoseconds) {
#ifdef DODECA_WAVES
  if (v_->waves && core_cycle_ >= trace_first_ && core_cycle_ <= trace_last_)
    v_->waves->dump(core_cycle_ * 1000 + picoseconds);
#endif
}

void Chip::settle() { DODECA_SETTLE(v_->top->rootp); }

// The second half of a core cycle is its clock edge: inputs are set in the low phase, outputs are
// valid at its end, and registers change on the edge that ends the cycle.
void Chip::core_cycle() {
  auto& top = *v_->top;
  hbm_.begin_cycle();
  const bool ready0 = hbm_.ready(0), ready1 = hbm_.ready(1);
  const bool answer0 = hbm_.answer_valid(0), answer1 = hbm_.answer_valid(1);
  top.hbm0_req_ready_i = ready0;
  top.hbm1_req_ready_i = ready1;
  top.hbm0_rsp_valid_i = answer0;
  top.hbm1_rsp_valid_i = answer1;
  if (answer0) hbm_.answer(0, words(top.hbm0_rsp_i));
  if (answer1) hbm_.answer(1, words(top.hbm1_rsp_i));
  top.clk_i = 0;
  top.eval();
  dump(500);

  if (answer0 && top.hbm0_rsp_ready_o) hbm_.answer_taken(0);
  if (answer1 && top.hbm1_rsp_ready_o) hbm_.answer_taken(1);
  if (ready0 && top.hbm0_req_valid_o && !hbm_.accept(0, words(top.hbm0_req_o)))
    fail("HBM port 0 asked for an address outside its stack");
  if (ready1 && top.hbm1_req_valid_o && !hbm_.accept(1, words(top.hbm1_req_o)))
    fail("HBM port 1 asked for an address outside its stack");

  commits_.set_cycle(core_cycle_);
  events_.set_cycle(core_cycle_);
  issues_.set_cycle(core_cycle_);
  v_->context.time(core_cycle_);
  top.clk_i = 1;
  top.eval();
  dump(1000);
  for (const Hook& hook : hooks_) hook(*this, core_cycle_);
  ++core_cycle_;
}

void Chip::run_window(std::uint64_t first, unsigned cycles) {
  auto& top = *v_->top;
  std::uint32_t* const rx[] = {words(top.link_rx0_i), words(top.link_rx1_i), words(top.link_rx2_i),
                               words(top.link_rx3_i)};
  const std::uint32_t* const tx[] = {words(top.link_tx0_o), words(top.link_tx1_o),
                                     words(top.link_tx2_o), words(top.link_tx3_o)};
  ::Verilated::threadContextp(&v_->context);
  set_commit_sink(&commits_, id_);
  set_timeline_sink(recording_ ? &events_ : nullptr);
  set_issue_sink(&issues_);
  for (std::uint64_t cycle = first; cycle < first + cycles && fault_.empty(); ++cycle) {
    const std::size_t commits = commits_.entries().size();
    for (unsigned p = 0; p < defs::kLinkPorts; ++p)
      if (wires_.rx[p])
        std::memcpy(rx[p], wires_.rx[p]->arriving(cycle).data(), sizeof(Link::Token));
    std::memcpy(words(top.host_req_i), wires_.host_req->arriving(cycle).data(),
                sizeof(HostRequests::Token));
    core_cycle();

    // Registered outputs: they stand for the whole fabric cycle.
    bool progress = false;
    for (unsigned p = 0; p < defs::kLinkPorts; ++p) {
      if (!wires_.tx[p]) continue;
      std::memcpy(wires_.tx[p]->sending(cycle).data(), tx[p], sizeof(Link::Token));
      progress |= wires_.tx[p]->sent(cycle);
    }
    HostResponses::Token& response = wires_.host_rsp->sending(cycle);
    std::memcpy(response.data(), words(top.host_rsp_o), defs::HostRsp::kWords * 4);
    progress |= defs::get_bits(response.data(), 559, 3) != 0;  // kind, credit
    quiet_ = top.quiet_o;
    response[defs::HostRsp::kWords] =
        ChipWord{quiet_, top.fabric_drained_o != 0, top.link_dead_o}.word();

    core_cycle();
    if (progress || commits_.entries().size() != commits) last_progress_ = cycle;
    if (v_->context.gotError()) fail("an assertion of the RTL failed (its message is above)");
  }
  set_commit_sink(nullptr, id_);
  set_timeline_sink(nullptr);
  set_issue_sink(nullptr);
}

void Chip::finish() {
  ::Verilated::threadContextp(&v_->context);
  v_->top->final();
#ifdef DODECA_WAVES
  if (v_->waves) v_->waves->close();
#endif
}

void Chip::write_coverage([[maybe_unused]] const std::filesystem::path& file) {
#ifdef DODECA_COVERAGE
  v_->context.coveragep()->write(file.c_str());
#endif
}

}  // namespace tb
