// SPDX-License-Identifier: Apache-2.0
// FabricRing: reset and training of the nodes, loading of tables, cables out of order.
#pragma once
#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <utility>

#include "tb/fabric/fabric_ring.h"

namespace tb {

inline FabricRing::FabricRing(const Options& options)
    : options_(options),
      tables_(options.tables ? *options.tables : fabric::ring_tables(options.chips)),
      cables_(tables_.board()),
      rng_(options.seed),
      defects_(options.defects),
      board_(options.complain ? options.complain
                              : [](const std::string& what) { ADD_FAILURE() << what; }) {
  context_ = std::make_unique<VerilatedContext>();
  if (options.reset_seed) {
    context_->randReset(2);
    context_->randSeed(options.reset_seed);
  }
  for (unsigned i = 0; i < options.chips; ++i) {
    nodes_.push_back(std::make_unique<Node>());
    nodes_[i]->dut = std::make_unique<Probe>(context_.get());
    nodes_[i]->side = sides(*nodes_[i]->dut);
    nodes_[i]->dut->chip_id_i = static_cast<SData>(i);
    nodes_[i]->dut->ring_size_i = static_cast<CData>(options.chips);
    nodes_[i]->rng.seed(options.seed * 1000 + i);
    for (auto& line : nodes_[i]->lines) line.assign(options.latency, defs::Flit::Words{});
  }
  reset();
  if (options.timeout != defs::kRetryTimeout) set_timeout(options.timeout);
  board_.learn_ways(tables_);
  board_.count_one_port(options.one_port);
  board_.keep_trace(options.traced);
  board_.on_message([this](const defs::Header& header) {
    foreign_ += nodes_[header.src]->keys != nodes_[header.dst]->keys;
    nodes_[header.dst]->bytes[header.lport] += header.bytes;
    ++nodes_[header.dst]->packets[header.vn];
  });
  if (options.tables) load(*options.tables);
  train();
}

inline void FabricRing::stop_and_drain(unsigned patience) {
  control_all(kStop);
  for (unsigned i = 0; i < patience && !drained(); ++i) step();
  if (!drained()) board_.complain("not drained");
}

inline void FabricRing::switch_to(const fabric::Tables& tables) {
  stop_and_drain();
  load(tables);
  tables_ = tables;
  board_.learn_ways(tables);
}

inline void FabricRing::kill(fabric::End end) {
  for (const fabric::End e : {end, cables_.peer(end)})
    add({.chip = e.chip, .port = e.port, .from = cycle_});
  const auto dead = [&](fabric::End e) { return state(e.chip, e.port) == defs::LinkState::Dead; };
  for (unsigned i = 0; i < 10000 && !(dead(end) && dead(cables_.peer(end))); ++i) step();
  if (!dead(end) || !dead(cables_.peer(end))) board_.complain("a cut cable does not die");
}

inline void FabricRing::upset(unsigned chip, unsigned bit) {
  auto* bank =
      nodes_[chip]->dut->rootp->fabric_probe__DOT__u_node__DOT__u_control__DOT__bank1_q.data();
  bank[bit / 32] ^= 1u << bit % 32;
  for (unsigned i = 0; i < fabric::kMaxChips; ++i) step();
}

inline void FabricRing::upset_loaded(unsigned chip, unsigned copy) {
  constexpr unsigned kLoaded = 208;  // bit of the bank
  if (copy == 0) return upset(chip, kLoaded);
  auto* root = nodes_[chip]->dut->rootp;
  (copy == 1 ? root->fabric_probe__DOT__u_node__DOT__u_control__DOT__loaded_a_q
             : root->fabric_probe__DOT__u_node__DOT__u_control__DOT__loaded_b_q) ^= 2;
  for (unsigned i = 0; i < fabric::kMaxChips; ++i) step();
}

inline void FabricRing::load(const fabric::Tables& tables) {
  for (unsigned i = 0; i < nodes_.size(); ++i) {
    const fabric::TableWords words = tables.words(i);
    write(i, 0, words.source);
    write(i, 1, words.route[0]);
    write(i, 2, words.route[1]);
  }
  settle();
  bank_ ^= 1;
  ports_ |= (1u << tables.board().ports()) - 1;
  // The banks change at once, then all may send: nobody meets an old table.
  control_all(kStop);
  control_all(0);
  // Senders have looked up the ways to all chips.
  for (unsigned i = 0; i < fabric::kMaxChips; ++i) step();
}

inline void FabricRing::reset() {
  for (auto& node : nodes_) {
    auto& d = *node->dut;
    for (auto& side : node->side) {
      *side.msg_valid = *side.req_ready = *side.req_err = *side.settled = 0;
      std::memset(side.msg, 0, ChunkPins::kWords * 4);
    }
    for (unsigned p = 0; p < defs::kLinkPorts; ++p)
      std::memset(rx_pins(*node->dut, p), 0, sizeof(defs::Flit::Words));
    release_bus(d);
    d.fabric_en_i = 0;
    d.rst_ni = 1;
    d.clk_i = 0;
    d.eval();
    d.rst_ni = 0;
    for (int i = 0; i < 4; ++i) d.clk_i = !d.clk_i, d.eval();
    d.rst_ni = 1;
  }
}

inline void FabricRing::train() {
  const double errors = std::exchange(options_.flit_errors, 0);
  for (bool up = false; !up; step()) {
    up = true;
    for (unsigned i = 0; i < nodes_.size(); ++i)
      for (unsigned p = 0; p < cables_.ports(); ++p)
        up = up &&
             (state(i, p) == defs::LinkState::Active || state(i, p) == defs::LinkState::Degraded ||
              state(i, p) == defs::LinkState::Dead);
    if (cycle_ > 10000) {
      board_.complain("links do not come up");
      break;
    }
  }
  options_.flit_errors = errors;
}

}  // namespace tb
