// SPDX-License-Identifier: Apache-2.0
#include "tb/dut/chip.h"

#include <fmt/format.h>

#include <cstring>
#include <utility>

#include "cmodel/board/observers.h"
#include "tb/dut/golden/golden_dpi.h"
#include "tb/dut/golden/golden_state.h"
#include "tb/dut/trace/commit_dpi.h"
#include "tb/dut/trace/timeline_dpi.h"
#include "tb/dut/verilated_chip.h"

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

Chip::Chip(unsigned id, unsigned ring_size, std::uint32_t power_on_seed, const ChipWires& wires,
           Inside inside)
    : id_(id), wires_(wires), hbm_(built_sizes()) {
  if (inside == Inside::Model) {
    v_ = make_model_chip(power_on_seed);
    golden_ = std::make_unique<GoldenChip>(built_sizes(), id, ring_size, commits_);
    state_ = std::make_unique<GoldenState>(*golden_, *v_);
  } else {
    v_ = make_rtl_chip(power_on_seed);
    state_ = std::make_unique<ChipState>(*v_);
  }
  const ChipPins& pins = v_->pins();
  *pins.chip_id = static_cast<std::uint16_t>(id);
  *pins.ring_size = static_cast<std::uint8_t>(ring_size);
  for (std::uint32_t* link : pins.link_rx) std::memset(link, 0, sizeof(Link::Token));
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
  state_ = std::make_unique<ChipState>(*traced);
  v_ = std::move(traced);
  v_->open_waves(wave_file_);
  traced_ = true;
}

void Chip::close_waves() { v_->close_waves(); }

void Chip::reset() {
  set_commit_sink(nullptr, id_);
  set_golden_chip(golden_.get());
  const ChipPins& pins = v_->pins();
  *pins.clk = 0;
  *pins.rst_n = 1;
  v_->eval();
  *pins.rst_n = 0;  // an edge, for the asynchronous resets
  for (unsigned cycle = 0; cycle < 4; ++cycle) {
    *pins.clk = 0;
    v_->eval();
    *pins.clk = 1;
    v_->eval();
  }
  *pins.clk = 0;
  v_->eval();
  *pins.rst_n = 1;
  v_->eval();
  if (*pins.fabric_phase) fail("fabric_phase_o is 1 in the first cycle after reset");
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

void Chip::write_hbm(std::uint64_t addr, std::span<const std::uint8_t> bytes) {
  if (golden_)
    golden_->write(addr, bytes);
  else
    hbm_.memory().write(addr, bytes);
  cmodel::Commit commit;
  commit.kind = cmodel::CommitKind::MemBurst;
  commit.stream = cmodel::host_stream(id_);
  commit.addr = addr;
  commit.count = static_cast<std::uint16_t>(bytes.size());
  commits_.commit(commit, bytes);
}

void Chip::read_hbm(std::uint64_t addr, std::span<std::uint8_t> bytes) const {
  (golden_ ? golden_->chip().hbm() : hbm_.memory()).read(addr, bytes);
}

std::uint32_t* Chip::host_token() {
  return *v_->pins().fabric_phase ? v_->pins().host_req : nullptr;
}

void Chip::settle() { v_->settle(); }

// The second half of a core cycle is its clock edge: inputs are set in the low phase, outputs are
// valid at its end, and registers change on the edge that ends the cycle.
void Chip::core_cycle() {
  const ChipPins& pins = v_->pins();
  hbm_.begin_cycle();
  std::array<bool, defs::kHbmPorts> ready, answer;
  for (unsigned port = 0; port < defs::kHbmPorts; ++port) {
    const ChipPins::Hbm& hbm = pins.hbm[port];
    *hbm.req_ready = ready[port] = hbm_.ready(port);
    *hbm.rsp_valid = answer[port] = hbm_.answer_valid(port);
    if (answer[port]) hbm_.answer(port, hbm.rsp);
  }
  *pins.clk = 0;
  v_->eval();
  dump(500);

  for (unsigned port = 0; port < defs::kHbmPorts; ++port)
    if (answer[port] && *pins.hbm[port].rsp_ready) hbm_.answer_taken(port);
  commits_.set_cycle(core_cycle_);
  events_.set_cycle(core_cycle_);
  for (unsigned port = 0; port < defs::kHbmPorts; ++port) {
    if (!ready[port] || !*pins.hbm[port].req_valid) continue;
    const HbmTiming::Request request = hbm_.request(pins.hbm[port].req);
    if (!hbm_.accept(port, request, pins.hbm[port].req))
      fail(fmt::format("HBM port {} asked for an address outside its stack", port));
    if (recording_)
      events_.add(request.write ? timeline::Happening::HbmWrite : timeline::Happening::HbmRead, 0,
                  port, 0, static_cast<std::uint32_t>(request.bytes));
  }

  v_->set_time(core_cycle_);
  *pins.clk = 1;
  v_->eval();
  if (golden_) golden_->step();
  dump(1000);
  if (fault_.empty() && v_->assertion_failed()) {
    assertion_ = take_assertion();
    fail("an assertion of the RTL failed (its message is above)");
  }
  for (const Hook& hook : hooks_) hook(*this, core_cycle_);
  ++core_cycle_;
}

void Chip::run_window(std::uint64_t first, unsigned cycles) {
  const ChipPins& pins = v_->pins();
  v_->enter();
  set_commit_sink(&commits_, id_);
  set_timeline_sink(recording_ ? &events_ : nullptr);
  tb::set_issue_sink(issues_);
  set_golden_chip(golden_.get());
  take_assertion();  // of a chip that this thread ran before
  for (std::uint64_t cycle = first; cycle < first + cycles && fault_.empty(); ++cycle) {
    const std::size_t commits = commits_.entries().size();
    for (unsigned p = 0; p < defs::kLinkPorts; ++p)
      if (wires_.rx[p])
        std::memcpy(pins.link_rx[p], wires_.rx[p]->arriving(cycle).data(), sizeof(Link::Token));
    std::memcpy(pins.host_req, wires_.host_req->arriving(cycle).data(),
                sizeof(HostRequests::Token));
    core_cycle();

    // Registered outputs: they stand for the whole fabric cycle.
    bool moves = false;
    for (unsigned p = 0; p < defs::kLinkPorts; ++p) {
      if (!wires_.tx[p]) continue;
      std::memcpy(wires_.tx[p]->sending(cycle).data(), pins.link_tx[p], sizeof(Link::Token));
      moves |= wires_.tx[p]->sent(cycle);
    }
    HostResponses::Token& response = wires_.host_rsp->sending(cycle);
    std::memcpy(response.data(), pins.host_rsp, defs::HostRsp::kWords * 4);
    moves |= defs::get_bits(response.data(), 559, 3) != 0;  // kind, credit
    quiet_ = *pins.quiet;
    response[defs::HostRsp::kWords] =
        ChipWord{quiet_, *pins.fabric_drained != 0, *pins.link_dead}.word();

    core_cycle();
    const bool commits_more = commits_.entries().size() != commits;
    if (commits_more) last_progress_ = cycle;
    if (commits_more || moves) last_movement_ = cycle;
  }
  set_commit_sink(nullptr, id_);
  set_timeline_sink(nullptr);
  tb::set_issue_sink(nullptr);
}

void Chip::finish() { v_->finish(); }

void Chip::write_coverage(const std::filesystem::path& file) { v_->write_coverage(file); }

}  // namespace tb
