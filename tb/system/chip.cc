// SPDX-License-Identifier: Apache-2.0
#include "tb/system/chip.h"

#include <fmt/format.h>

#ifdef DODECA_COVERAGE
#include <verilated_cov.h>
#endif

#include <cstring>
#include <utility>

#include "tb/system/verilated_chip.h"
#include "tb/trace/commit_dpi.h"
#include "tb/trace/timeline_dpi.h"

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

Chip::Chip(unsigned id, unsigned ring_size, std::uint32_t power_on_seed, const ChipWires& wires)
    : id_(id),
      wires_(wires),
      hbm_(built_sizes()),
      v_(make_plain_chip(power_on_seed)),
      probe_(std::make_unique<Probe>(*v_)) {
  auto& pins = v_->pins();
  pins.chip_id_i = static_cast<std::uint16_t>(id);
  pins.ring_size_i = static_cast<std::uint8_t>(ring_size);
  for (std::uint32_t* link : pins.link_rx_i) std::memset(link, 0, sizeof(Link::Token));
  reset();
}

Chip::~Chip() = default;

void Chip::record_waves(std::filesystem::path file, std::uint64_t first, std::uint64_t last) {
  wave_file_ = std::move(file);
  wave_first_ = first;
  wave_last_ = last;
}

void Chip::prepare_window(std::uint64_t first, unsigned cycles) {
  if (traced_ || wave_file_.empty() || defs::kFabricDivide * (first + cycles) <= wave_first_)
    return;
  auto traced = make_traced_chip(*v_);
  probe_ = std::make_unique<Probe>(*traced);
  v_ = std::move(traced);
  v_->open_waves(wave_file_);
  traced_ = true;
}

void Chip::close_waves() { v_->close_waves(); }

void Chip::reset() {
  set_commit_sink(nullptr, id_);
  auto& top = v_->pins();
  top.clk_i = 0;
  top.rst_ni = 1;
  v_->eval();
  top.rst_ni = 0;  // an edge, for the asynchronous resets
  for (unsigned cycle = 0; cycle < 4; ++cycle) {
    top.clk_i = 0;
    v_->eval();
    top.clk_i = 1;
    v_->eval();
  }
  top.clk_i = 0;
  v_->eval();
  top.rst_ni = 1;
  v_->eval();
  if (top.fabric_phase_o) fail("fabric_phase_o is 1 in the first cycle after reset");
}

void Chip::fail(std::string what) {
  if (!fault_.empty()) return;
  fault_ = fmt::format("chip {} core cycle {}: {}", id_, core_cycle_, what);
  fault_cycle_ = core_cycle_;
}

void Chip::dump(unsigned picoseconds) {
  if (traced_ && core_cycle_ >= wave_first_ && core_cycle_ <= wave_last_)
    v_->dump_waves(core_cycle_ * 1000 + picoseconds);
}

void Chip::settle() { v_->settle(); }

// The second half of a core cycle is its clock edge: inputs are set in the low phase, outputs are
// valid at its end, and registers change on the edge that ends the cycle.
void Chip::core_cycle() {
  auto& top = v_->pins();
  hbm_.begin_cycle();
  const bool ready0 = hbm_.ready(0), ready1 = hbm_.ready(1);
  const bool answer0 = hbm_.answer_valid(0), answer1 = hbm_.answer_valid(1);
  top.hbm0_req_ready_i = ready0;
  top.hbm1_req_ready_i = ready1;
  top.hbm0_rsp_valid_i = answer0;
  top.hbm1_rsp_valid_i = answer1;
  if (answer0) hbm_.answer(0, top.hbm_rsp_i[0]);
  if (answer1) hbm_.answer(1, top.hbm_rsp_i[1]);
  top.clk_i = 0;
  v_->eval();
  dump(500);

  if (answer0 && top.hbm0_rsp_ready_o) hbm_.answer_taken(0);
  if (answer1 && top.hbm1_rsp_ready_o) hbm_.answer_taken(1);
  if (ready0 && top.hbm0_req_valid_o && !hbm_.accept(0, top.hbm_req_o[0]))
    fail("HBM port 0 asked for an address outside its stack");
  if (ready1 && top.hbm1_req_valid_o && !hbm_.accept(1, top.hbm_req_o[1]))
    fail("HBM port 1 asked for an address outside its stack");

  commits_.set_cycle(core_cycle_);
  events_.set_cycle(core_cycle_);
  issues_.set_cycle(core_cycle_);
  v_->context.time(core_cycle_);
  top.clk_i = 1;
  v_->eval();
  dump(1000);
  for (const Hook& hook : hooks_) hook(*this, core_cycle_);
  ++core_cycle_;
}

void Chip::run_window(std::uint64_t first, unsigned cycles) {
  auto& top = v_->pins();
  ::Verilated::threadContextp(&v_->context);
  set_commit_sink(&commits_, id_);
  set_timeline_sink(recording_ ? &events_ : nullptr);
  set_issue_sink(&issues_);
  for (std::uint64_t cycle = first; cycle < first + cycles && fault_.empty(); ++cycle) {
    const std::size_t commits = commits_.entries().size();
    for (unsigned p = 0; p < defs::kLinkPorts; ++p)
      if (wires_.rx[p])
        std::memcpy(top.link_rx_i[p], wires_.rx[p]->arriving(cycle).data(), sizeof(Link::Token));
    std::memcpy(top.host_req_i, wires_.host_req->arriving(cycle).data(),
                sizeof(HostRequests::Token));
    core_cycle();

    // Registered outputs: they stand for the whole fabric cycle.
    bool progress = false;
    for (unsigned p = 0; p < defs::kLinkPorts; ++p) {
      if (!wires_.tx[p]) continue;
      std::memcpy(wires_.tx[p]->sending(cycle).data(), top.link_tx_o[p], sizeof(Link::Token));
      progress |= wires_.tx[p]->sent(cycle);
    }
    HostResponses::Token& response = wires_.host_rsp->sending(cycle);
    std::memcpy(response.data(), top.host_rsp_o, defs::HostRsp::kWords * 4);
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
  v_->final();
  v_->close_waves();
}

void Chip::write_coverage([[maybe_unused]] const std::filesystem::path& file) {
#ifdef DODECA_COVERAGE
  v_->context.coveragep()->write(file.c_str());
#endif
}

}  // namespace tb
