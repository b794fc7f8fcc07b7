// SPDX-License-Identifier: Apache-2.0
// Compiled once for each model that a program has: the only file that knows a Verilated class.
#include "tb/system/verilated_chip.h"

#ifdef DODECA_COVERAGE
#include <verilated_cov.h>
#endif
#include <verilated_sym_props.h>

#include DODECA_MODEL_HEADER  // V<model>.h
#include DODECA_STATE_HEADER  // V<model>__state.h: all its variables, and V<model>__Syms.h
#ifdef DODECA_TRACED
#include <verilated_fst_c.h>
#endif

#define DODECA_JOIN2(a, b) a##b
#define DODECA_JOIN(a, b) DODECA_JOIN2(a, b)
// Verilator's own function that computes all combinational logic from the registers; it calls it
// once, at the first eval. It is no part of its API, so its name is written down here only.
#define DODECA_ROOT DODECA_JOIN(DODECA_MODEL, ___024root)
#define DODECA_SETTLE DODECA_JOIN(DODECA_MODEL, ___024root___eval_settle)
void DODECA_SETTLE(DODECA_ROOT* root);

namespace tb {
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

class Model final : public VerilatedChip {
 public:
  explicit Model(std::uint32_t power_on_seed) : VerilatedChip(power_on_seed) {
#ifdef DODECA_TRACED
    context.traceEverOn(true);
#endif
    ::Verilated::threadContextp(&context);
    top_ = std::make_unique<DODECA_MODEL>(&context, "TOP");
    auto& t = *top_;
    pins_ = std::make_unique<Pins>(
        Pins{t.clk_i,
             t.rst_ni,
             t.ring_size_i,
             t.chip_id_i,
             t.fabric_phase_o,
             t.quiet_o,
             t.fabric_drained_o,
             t.link_dead_o,
             t.hbm0_req_valid_o,
             t.hbm0_req_ready_i,
             t.hbm0_rsp_valid_i,
             t.hbm0_rsp_ready_o,
             t.hbm1_req_valid_o,
             t.hbm1_req_ready_i,
             t.hbm1_rsp_valid_i,
             t.hbm1_rsp_ready_o,
             {words(t.hbm0_req_o), words(t.hbm1_req_o)},
             {words(t.hbm0_rsp_i), words(t.hbm1_rsp_i)},
             {words(t.link_rx0_i), words(t.link_rx1_i), words(t.link_rx2_i), words(t.link_rx3_i)},
             {words(t.link_tx0_o), words(t.link_tx1_o), words(t.link_tx2_o), words(t.link_tx3_o)},
             words(t.host_req_i),
             words(t.host_rsp_o)});
  }
  ~Model() override {
    close_waves();
    // The model's scopes leave the context of the thread, whichever that is: make it their own.
    ::Verilated::threadContextp(&context);
    top_.reset();
  }

  Pins& pins() override { return *pins_; }
  void eval() override { top_->eval(); }
  void settle() override { DODECA_SETTLE(top_->rootp); }
  void final() override { top_->final(); }
  std::vector<Instance> state() override { return state_of(*top_->rootp->vlSymsp); }

#ifdef DODECA_TRACED
  void open_waves(const std::filesystem::path& file) override {
    waves_ = std::make_unique<VerilatedFstC>();
    top_->trace(waves_.get(), 99);
    waves_->open(file.c_str());
  }
  void dump_waves(std::uint64_t time) override {
    if (waves_) waves_->dump(time);
  }
  void close_waves() override {
    if (waves_) waves_->close();
    waves_.reset();
  }
#else
  void open_waves(const std::filesystem::path&) override {}
  void dump_waves(std::uint64_t) override {}
  void close_waves() override {}
#endif

  Register find(const std::string& scope, const std::string& name) const override {
    const std::string core0 = "TOP.chip.u_core0.", core1 = "TOP.chip.u_core1.";
    auto& symbols = *top_->rootp->vlSymsp;
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

 private:
  std::unique_ptr<DODECA_MODEL> top_;
  std::unique_ptr<Pins> pins_;
#ifdef DODECA_TRACED
  std::unique_ptr<VerilatedFstC> waves_;
#endif
};

}  // namespace

#ifdef DODECA_TRACED
std::unique_ptr<VerilatedChip> make_traced_chip(VerilatedChip& chip) {
  auto traced = std::make_unique<Model>(1);
  traced->pins().clk_i = 0;
  traced->pins().rst_ni = 1;
  traced->eval();  // Verilator's initial blocks, which would otherwise run over the state
  copy_state(chip.state(), traced->state());
  traced->settle();
  return traced;
}
#else
VerilatedChip::VerilatedChip(std::uint32_t power_on_seed) {
#ifdef DODECA_COVERAGE
  // The counters' idea of "before" powers on like a register: random, it would count every bit that
  // never moves as one that did.
  context.randReset(0);
  context.coveragep()->forcePerInstance(true);
#else
  context.randReset(2);
#endif
  context.randSeed(static_cast<int>(power_on_seed & 0x7fffffffu) | 1);
  context.threads(1);  // or each context starts helpers, which do nothing and do not outlive a fork
  context.fatalOnError(false);  // an assertion of the RTL is a failed check, not an abort
  context.assertOn(true);
}

std::unique_ptr<VerilatedChip> make_plain_chip(std::uint32_t power_on_seed) {
  return std::make_unique<Model>(power_on_seed);
}
#endif

}  // namespace tb
