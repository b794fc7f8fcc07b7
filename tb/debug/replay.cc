// SPDX-License-Identifier: Apache-2.0
#include "tb/debug/replay.h"

#include <systemc>

#include "tb/debug/failure_waves.h"
#include "tb/debug/stuck.h"
#include "tb/dut/wave_error.h"

namespace tb {
namespace {

using nlohmann::json;

json to_json(const cmodel::Cell& cell) {
  return {static_cast<int>(cell.memory), cell.chip, cell.core, cell.partition, cell.addr};
}
cmodel::Cell cell_from(const json& j) {
  return {static_cast<cmodel::Cell::Memory>(j[0].get<int>()), j[1].get<std::uint8_t>(),
          j[2].get<std::uint8_t>(), j[3].get<std::uint16_t>(), j[4].get<std::uint64_t>()};
}
json to_json(const std::optional<WatchFinding>& f) {
  if (!f) return {};
  return {{"kind", static_cast<int>(f->kind)},
          {"cell", to_json(f->cell)},
          {"cycle", f->cycle},
          {"expected", f->expected},
          {"actual", f->actual}};
}
std::optional<WatchFinding> finding_from(const json& j) {
  if (j.is_null()) return {};
  return WatchFinding{static_cast<WatchFinding::Kind>(j["kind"].get<int>()), cell_from(j["cell"]),
                      j["cycle"], j["expected"], j["actual"]};
}

/// Equal for two runs that did the same until they ended.
json fingerprint(const Board& board) {
  return {board.now(), board.scoreboard().commit_hash(), board.link_hash()};
}

}  // namespace

Replay::Replay(std::optional<std::uint64_t> snapshots) : snapshots_(snapshots) {
  if (start_.woken()) request_ = json::from_cbor(start_.request());
}

void Replay::attach(Board& board) {
  board_ = &board;
  if (again()) return arm();
  board.set_between([this] {
    // Of a board that stands still one copy is as good as another.
    if (board_->now() > board_->last_progress() + kStill) return false;
    const auto request = snapshots_.take(defs::kFabricDivide * board_->now());
    if (!request) return false;
    request_ = json::from_cbor(*request);
    arm();
    return true;
  });
}

void Replay::arm() {
  if (request_.contains("cells")) {
    std::vector<cmodel::Cell> cells;
    for (const auto& cell : request_["cells"]) cells.push_back(cell_from(cell));
    watch_ = std::make_unique<Watch>(board_->chip(request_["chip"].get<unsigned>()),
                                     defs::kFabricDivide * board_->now(), std::move(cells),
                                     request_["until"].get<std::uint64_t>());
    return;
  }
  for (const unsigned chip : request_["chips"].get<std::vector<unsigned>>())
    board_->record_waves(chip, request_["dir"].get<std::string>(), request_["first"],
                         request_["last"]);
}

void Replay::answer() {
  for (unsigned chip = 0; chip < board_->chips(); ++chip) board_->chip(chip).close_waves();
  json reply{{"fingerprint", fingerprint(*board_)}, {"wave_error", tb::wave_error()}};
  if (watch_) {
    reply["finding"] = to_json(watch_->finding());
    reply["certain"] = watch_->certain();
  }
  const auto bytes = json::to_cbor(reply);
  if (start_.woken()) start_.reply(bytes);
  snapshots_.reply(bytes);
}

json Replay::ask(Standby& copy, const json& request) {
  const auto bytes = copy.ask(json::to_cbor(request));
  const json reply = bytes.empty() ? json() : json::from_cbor(bytes);
  if (!reply.is_null()) wave_error_ = reply["wave_error"];
  return reply.is_null() || reply["fingerprint"] != fingerprint(*board_) ? json() : reply;
}

std::optional<WatchFinding> Replay::watch(unsigned chip, const std::vector<cmodel::Cell>& cells,
                                          std::uint64_t until) {
  json request{{"chip", chip}, {"until", until}, {"cells", json::array()}};
  for (const auto& cell : cells) request["cells"].push_back(to_json(cell));
  if (const auto* copy = snapshots_.oldest())
    if (const json reply = ask(*copy->process, request); !reply.is_null() && reply["certain"])
      return finding_from(reply["finding"]);
  const json reply = ask(start_, request);
  return reply.is_null() ? std::nullopt : finding_from(reply["finding"]);
}

std::optional<std::uint64_t> Replay::waves(const WavePlan& plan, const std::filesystem::path& dir) {
  std::filesystem::create_directories(dir);
  const json request{
      {"chips", plan.chips}, {"first", plan.first}, {"last", plan.last}, {"dir", dir.string()}};
  if (const auto* copy = snapshots_.before(plan.first))
    if (!ask(*copy->process, request).is_null() && !wave_error_) return copy->core_cycle;
  if (!wave_error_ && !ask(start_, request).is_null() && !wave_error_) return 0;
  std::filesystem::remove_all(dir);
  return {};
}

void run_again(Replay& replay, const Settings& settings, const Wiring& wiring,
               const cmodel::Program& program, const PortAccesses& accesses,
               const std::function<void(Board&)>& prepare) {
  Settings quiet = settings;
  quiet.waves = false;
  Board board("board", quiet, wiring, program, {}, accesses);
  prepare(board);
  replay.attach(board);
  sc_core::sc_start();
  replay.answer();
}

}  // namespace tb
