// SPDX-License-Identifier: Apache-2.0
// The only user of the Verilated classes: compiled once for each, with DODECA_MAKE the function
// that makes it, or DODECA_TRACED.
#include "tb/dut/verilated_chip.h"

#include <verilated.h>
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

/// The two-dimensional arrays of a core: Verilator 5.006 keeps no names for these. A core of a
/// model chip has none.
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
template <class Symbols>
Register any_core_array(Symbols& symbols, const std::string& place) {
#define DODECA_CORE(n) TOP__chip__DOT__gen_core__BRA__##n##__KET____DOT__u_core
  if constexpr (requires { symbols.DODECA_CORE(0).u_psum__DOT__mem_q; }) {
    const std::string core0 = "TOP.chip.gen_core[0].u_core.",
                      core1 = "TOP.chip.gen_core[1].u_core.";
    if (place.starts_with(core0))
      return core_array(symbols.DODECA_CORE(0), place.substr(core0.size()));
    if (place.starts_with(core1))
      return core_array(symbols.DODECA_CORE(1), place.substr(core1.size()));
  }
#undef DODECA_CORE
  return {};
}

/// A wide pin as words.
template <class Pin>
std::uint32_t* words(Pin& pin) {
  return reinterpret_cast<std::uint32_t*>(&pin);
}

class Model final : public VerilatedChip {
 public:
  explicit Model(std::uint32_t power_on_seed) {
#ifdef DODECA_COVERAGE
    // The counters' idea of "before" powers on like a register: random, it would count every bit
    // that never moves as one that did.
    context_.randReset(0);
    context_.coveragep()->forcePerInstance(true);
#else
    context_.randReset(2);
#endif
    context_.randSeed(static_cast<int>(power_on_seed & 0x7fffffffu) | 1);
    context_.threads(
        1);  // or each context starts helpers, which do nothing and do not survive a fork
    context_.fatalOnError(false);  // an assertion of the RTL is a failed check, not an abort
    context_.assertOn(true);
#ifdef DODECA_TRACED
    context_.traceEverOn(true);
#endif
    enter();
    top_ = std::make_unique<DODECA_MODEL>(&context_, "TOP");
    auto& t = *top_;
    pins_ = {&t.clk_i,
             &t.rst_ni,
             &t.ring_size_i,
             &t.fabric_phase_o,
             &t.quiet_o,
             &t.fabric_drained_o,
             &t.link_dead_o,
             &t.chip_id_i,
             words(t.host_req_i),
             words(t.host_rsp_o),
             {words(t.link_rx_i[0]), words(t.link_rx_i[1]), words(t.link_rx_i[2]),
              words(t.link_rx_i[3])},
             {words(t.link_tx_o[0]), words(t.link_tx_o[1]), words(t.link_tx_o[2]),
              words(t.link_tx_o[3])},
             {ChipPins::Hbm{&t.hbm0_req_valid_o, &t.hbm0_req_ready_i, &t.hbm0_rsp_valid_i,
                            &t.hbm0_rsp_ready_o, words(t.hbm0_req_o), words(t.hbm0_rsp_i)},
              ChipPins::Hbm{&t.hbm1_req_valid_o, &t.hbm1_req_ready_i, &t.hbm1_rsp_valid_i,
                            &t.hbm1_rsp_ready_o, words(t.hbm1_req_o), words(t.hbm1_rsp_i)}}};
  }
  ~Model() override {
    close_waves();
    // The model's scopes leave the context of the thread, whichever that is: make it their own.
    enter();
    top_.reset();
  }

  void enter() override { ::Verilated::threadContextp(&context_); }
  void eval() override { top_->eval(); }
  void settle() override { DODECA_SETTLE(top_->rootp); }
  std::vector<Instance> state() override { return state_of(*top_->rootp->vlSymsp); }
  void set_time(std::uint64_t core_cycle) override { context_.time(core_cycle); }
  bool assertion_failed() const override { return context_.gotError(); }
#ifdef DODECA_TRACED
  void open_waves(const std::filesystem::path& file) override {
    waves_ = std::make_unique<VerilatedFstC>();
    top_->trace(waves_.get(), 99);
    waves_->open(file.c_str());
  }
  void dump_waves(std::uint64_t picoseconds) override {
    if (waves_) waves_->dump(picoseconds);
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
  void finish() override {
    enter();
    top_->final();
    close_waves();
  }
  void write_coverage([[maybe_unused]] const std::filesystem::path& file) override {
#ifdef DODECA_COVERAGE
    context_.coveragep()->write(file.c_str());
#endif
  }

  Register find(const std::string& scope, const std::string& name) const override {
    if (Register array = any_core_array(*top_->rootp->vlSymsp, scope + "." + name)) return array;
    const VerilatedScope* found = context_.scopeFind(scope.c_str());
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
  VerilatedContext context_;
  std::unique_ptr<DODECA_MODEL> top_;
#ifdef DODECA_TRACED
  std::unique_ptr<VerilatedFstC> waves_;
#endif
};

}  // namespace

#ifdef DODECA_TRACED
std::unique_ptr<VerilatedChip> make_traced_chip(VerilatedChip& chip) {
  auto traced = std::make_unique<Model>(1);
  *traced->pins().clk = 0;
  *traced->pins().rst_n = 1;
  traced->eval();  // Verilator's initial blocks, which would otherwise run over the state
  copy_state(chip.state(), traced->state());
  traced->settle();
  return traced;
}
#else
std::unique_ptr<VerilatedChip> DODECA_MAKE(std::uint32_t power_on_seed) {
  return std::make_unique<Model>(power_on_seed);
}
#endif

}  // namespace tb
