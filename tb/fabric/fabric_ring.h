// SPDX-License-Identifier: Apache-2.0
// Verilated fabric nodes on a board's cables, with message generators, random sinks and a
// scoreboard.
#pragma once
#include <array>
#include <cstdint>
#include <ctime>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <utility>
#include <vector>

#include "fabric/model/table_writer.h"
#include "fabric/model/tables.h"
#include "tb/fabric/fabric_options.h"
#include "tb/fabric/fabric_pins.h"
#include "tb/fabric/fabric_ring_node.h"
#include "tb/fabric/fabric_scoreboard.h"
#include "tb/fabric/fabric_words.h"

namespace tb {

class FabricRing {
 public:
  explicit FabricRing(const Options& options);

  /// Puts one more cable out of order.
  void add(const Defect& defect) { defects_.push_back(defect); }
  defs::LinkStatus status(unsigned chip, unsigned port) const {
    return defs::LinkStatus::unpack(status_pins(*nodes_[chip]->dut, port));
  }
  defs::LinkState state(unsigned chip, unsigned port) const {
    // the lowest field of the status
    return static_cast<defs::LinkState>(status_pins(*nodes_[chip]->dut, port)[0] & 7u);
  }

  /// What the scoreboard expects; the cables are those of the board it started with.
  const fabric::Tables& tables() const { return tables_; }
  unsigned chips() const { return options_.chips; }
  unsigned hops(unsigned src, unsigned dst) const { return board_.hops(src, dst); }

  /// Every node stops sending, and what is under way arrives.
  void stop_and_drain(unsigned patience = 20000);
  /// Loads a set into the bank that is not in use and switches to it, as a host would; then sending
  /// goes on.
  void switch_to(const fabric::Tables& tables);
  /// The cable at this end carries nothing from now on, and after a while both ends know.
  void kill(fabric::End end);
  /// Nothing is on its way between the chips.
  bool drained() const {
    for (const auto& node : nodes_)
      if (!node->dut->drained_o) return false;
    return true;
  }
  std::mt19937& rng() { return rng_; }
  Options& options() { return options_; }
  std::uint64_t cycle() const { return cycle_; }
  std::uint64_t delivered() const { return board_.delivered(); }
  std::uint64_t offered() const { return board_.offered(); }
  std::uint64_t link_flits() const { return link_flits_; }
  std::uint64_t link_flits(unsigned chip, unsigned port) const { return nodes_[chip]->flits[port]; }
  std::uint64_t ack_flits() const { return ack_flits_; }
  std::uint64_t link_hash() const { return link_hash_; }
  std::uint64_t delivered_flits() const { return board_.delivered_flits(); }
  unsigned last_latency() const {
    return static_cast<unsigned>(board_.last_commit() - last_start_);
  }
  /// Flits of packets that reached their destination, by source.
  const std::vector<std::uint64_t>& accepted() const { return board_.accepted(); }
  /// Fabric cycles from post() to the message commit, for every message since the last call.
  std::vector<std::uint32_t> take_latencies() { return board_.take_latencies(); }
  unsigned errors() const { return errors_; }
  std::uint64_t damaged() const { return damaged_; }
  /// Words with which a receiver asked its neighbour for a repeat.
  std::uint64_t repeats_asked() const { return repeats_asked_; }
  std::uint64_t spoiled() const { return spoiled_; }

  unsigned random(unsigned below) { return static_cast<unsigned>(rng_() % below); }

  /// Links crossed by the messages that were delivered so far.
  std::uint64_t delivered_hops() const { return board_.delivered_hops(); }

  /// Gives `message`, made `waited` fabric cycles ago, to its engine and tells the scoreboard.
  void post(const fabric::Message& message, std::uint64_t waited = 0);

  /// Flips a bit, and gives the senders time to notice, of the chip's bank 1: 0 .. 127 of the
  /// routes, 128 .. 159 of the sources.
  void upset(unsigned chip, unsigned bit);
  /// Likewise one of the three copies of what says that bank 1 was loaded.
  void upset_loaded(unsigned chip, unsigned copy);
  /// FabricStatus of the chip.
  std::uint64_t fabric_status(unsigned chip) { return read(chip, 4); }

  // ---- registers
  /// A write of this host's own, a core cycle after the last one.
  void set(unsigned chip, const defs::Csr& csr, std::uint64_t value, unsigned index = 0,
           unsigned core = 0) {
    if (csr.offset == defs::kCsrFabricKey.offset)
      nodes_[chip]->keys[core] = static_cast<std::uint8_t>(value);
    nodes_[chip]->writes.emplace_back(offset(csr, index, core), value);
  }
  /// Until all are written.
  void settle() {
    for (const auto& node : nodes_)
      while (!node->writes.empty()) step();
  }

  // ---- registers of fabric_control: `index` as in FabricWrite; by management packets
  /// Every chip obeys the packets of these chips.
  void obey(unsigned managers) {
    for (unsigned i = 0; i < nodes_.size(); ++i) set(i, defs::kCsrFabricManagers, managers);
  }
  /// The host of `chip` makes it send a packet: chip `dst` writes `value` to register `index`.
  void manage(unsigned chip, unsigned dst, unsigned index, std::uint64_t value) {
    nodes_[chip]->manage.push_back({dst, index, value});
  }
  /// Everything that it was to send to `dst` was acknowledged, or (lost) will never be.
  bool managed(unsigned chip, unsigned dst) {
    return nodes_[chip]->manage.empty() && !(status_of(chip, dst) & 2);
  }
  bool lost(unsigned chip, unsigned dst) { return status_of(chip, dst) & 4; }
  /// Of FabricSwitch: the fabric cycle it is, as the chip counts.
  unsigned now(unsigned chip) { return static_cast<unsigned>(read(chip, 12) >> 32 & 0xffff); }
  std::uint64_t read(unsigned chip, unsigned index) {
    return read_register(dut(chip), offset(defs::kCsrRouteSource, index));
  }
  /// The set that the routers will use once the banks have changed; senders go on all the time.
  void expect_switch(const fabric::Tables& tables) {
    bank_ ^= 1;
    tables_ = tables;
    board_.learn_ways(tables);
  }
  /// Calls `look(chip)` in every core cycle, before the edge.
  void watch(std::function<void(unsigned)> look) { look_ = std::move(look); }
  /// A write of this host's own.
  void write(unsigned chip, unsigned index, std::uint64_t value) {
    set(chip, defs::kCsrRouteSource, value, index);
  }

  /// Likewise one that nobody may receive.
  void post_forbidden(const fabric::Message& message) {
    Job job{message, Payload(message.bytes), 0, 0};
    nodes_[message.src]->engines[message.core][message.engine].push_back(std::move(job));
    ++nodes_[message.src]->jobs[message.core];
  }
  /// Messages of the chip's cores that were not taken yet.
  unsigned waiting(unsigned chip) const { return waiting(chip, 0) + waiting(chip, 1); }
  unsigned waiting(unsigned chip, unsigned core) const { return nodes_[chip]->jobs[core]; }
  /// What reached the chip, and when: {core cycle, hash}, with Options::traced.
  using Trace = Scoreboard::Trace;
  const Trace& trace(unsigned chip) const { return board_.trace(chip); }
  /// Messages whose source has another key than the chip that got them.
  std::uint64_t foreign() const { return foreign_; }
  /// As take_latencies(), of messages to this chip, since the start.
  const std::vector<std::uint32_t>& latencies_at(unsigned chip) const {
    return board_.latencies_at(chip);
  }
  const fabric::Board& cables() const { return cables_; }

  /// Writes a register of fabric_counters in every chip: all in the same core cycle.
  void write_counters(const defs::Csr& csr, std::uint32_t value) {
    for (unsigned i = 0; i < nodes_.size(); ++i) set(i, csr, value);
    settle();
  }
  std::uint64_t read_counters(unsigned chip, const defs::Csr& csr, unsigned index = 0) {
    return read_register(dut(chip), offset(csr, index));
  }
  /// Copies the counters of all chips, a cycle long.
  void snapshot() {
    write_counters(defs::kCsrFabricSnapshot, static_cast<std::uint32_t>(cycle()));
    step();
  }
  /// Of the last copy.
  std::uint32_t count(unsigned chip, unsigned port, defs::PortCount which) {
    return counter(chip, 32 * port + static_cast<unsigned>(which));
  }
  std::uint32_t count(unsigned chip, defs::ChipCount which, unsigned more = 0) {
    return counter(chip, 32 * defs::kLinkPorts + static_cast<unsigned>(which) + more);
  }
  /// What the test bench counted itself: flits on the wire, payload to a core, packets delivered.
  std::uint64_t wire_flits(unsigned chip, unsigned port, unsigned vn) const {
    return nodes_[chip]->vn_flits[port][vn];
  }
  std::uint64_t delivered_bytes(unsigned chip, unsigned core) const {
    return nodes_[chip]->bytes[core];
  }
  std::uint64_t delivered_packets(unsigned chip, unsigned vn) const {
    return nodes_[chip]->packets[vn];
  }
  std::uint64_t delivered_flits_in(unsigned vn) const { return board_.delivered_flits_in(vn); }
  /// Register writes to all chips, value(chip), in the empty fabric of the start.
  template <class Value>
  void write_all(unsigned index, Value value) {
    for (unsigned i = 0; i < nodes_.size(); ++i) write(i, index, value(i));
    settle();
  }

  /// Likewise one that must be refused: nobody expects it.
  void post_refused(const fabric::Message& message) {
    post(message);
    board_.expect_not(message.dst);
  }

  /// A message with random contents; VN 0 gets short ones.
  fabric::Message random_message(unsigned src, unsigned dst, unsigned most = defs::kPacketBytes);

  /// One fabric cycle: two core cycles of every chip, one token per link direction.
  void step();

  void hash_links() { hashing_ = true; }

  /// Runs until everything offered was delivered and all is quiet; a watchdog counts silence.
  void drain(unsigned patience = 20000);

  void set_timeout(unsigned cycles) {
    for (unsigned i = 0; i < nodes_.size(); ++i) set(i, defs::kCsrFabricTimeout, cycles);
  }
  /// Receiver `c` of the chip takes nothing for so many core cycles.
  void stall(unsigned chip, unsigned c, unsigned core_cycles) {
    nodes_[chip]->stalled[c] = core_cycles;
  }
  bool waits(unsigned chip, unsigned c) const {
    const Side& side = nodes_[chip]->side[c];
    return *side.req_valid && !*side.req_ready;
  }

  Scoreboard& scoreboard() { return board_; }
  /// Beats taken, messages, writes and notifies so far.
  std::uint64_t progress() const { return board_.progress() + beats_; }
  Probe& dut(unsigned chip) { return *nodes_[chip]->dut; }
  VerilatedContext& context() { return *context_; }
  /// What the chip notified its host of so far.
  using Refusals = fabric_ring::Refusals;
  Refusals refusals(unsigned chip) const { return nodes_[chip]->refusals; }

  /// Chips whose engines have nothing left to send.
  unsigned idle_sources() const {
    unsigned idle = 0;
    for (const auto& node : nodes_)
      idle += node->jobs[0] + node->jobs[1] == 0 && node->offering == std::array{-1, -1};
    return idle;
  }

  bool quiet() const {
    for (const auto& node : nodes_)
      if (!node->dut->quiet_o) return false;
    return true;
  }

  /// Runs idle or loaded cycles and returns nanoseconds per node and fabric cycle.
  template <class F>
  static double nanoseconds(F&& f) {
    timespec a{}, b{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &a);
    f();
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &b);
    return 1e9 * static_cast<double>(b.tv_sec - a.tv_sec) +
           static_cast<double>(b.tv_nsec - a.tv_nsec);
  }

 private:
  using Job = fabric_ring::Job;
  using Node = fabric_ring::Node;

  unsigned status_of(unsigned chip, unsigned dst) {
    return static_cast<unsigned>(read_register(dut(chip), offset(defs::kCsrMgmt, 16 * dst)));
  }
  std::uint32_t counter(unsigned chip, unsigned number) {
    return static_cast<std::uint32_t>(read_counters(chip, defs::kCsrFabricCounts, number / 2) >>
                                      32 * (number % 2));
  }
  std::mt19937& stream(Node& node) { return options_.traced ? node.rng : rng_; }

  /// FabricControl: what is in use, and what else.
  static constexpr unsigned kStop = 32, kResend = 64;
  /// FabricControl of every chip: bank and ports as they are, and what `more` says.
  void control_all(unsigned more) {
    for (unsigned i = 0; i < nodes_.size(); ++i) write(i, 3, bank_ << 4 | ports_ | more);
    settle();
  }
  void load(const fabric::Tables& tables);
  void reset();

  /// Links are up, or dead, before the test starts.
  void train();

  /// Flips 1 to 64 bits in a burst, or (one time in eight) loses the word, with the set
  /// probability.
  void damage(std::uint32_t* word);

  bool chance(double p) { return p >= 1 || static_cast<double>(rng_() & 0xffffff) < p * 0x1000000; }

  void core_cycle(unsigned chip, unsigned phase);
  /// Options::one_sink: whose turn it is, and how long what was taken keeps the port.
  bool may_write(const Node& node, unsigned c, std::uint64_t now) const;
  void sink(Node& node, unsigned c, std::uint64_t now) const;

  void offer(Node& node, unsigned c);

  /// The engine's beat, if it was taken.
  void taken(Node& node, unsigned c);

  Options options_;
  fabric::Tables tables_;
  fabric::Board cables_;
  unsigned bank_ = 0, ports_ = 3;
  std::mt19937 rng_;
  std::unique_ptr<VerilatedContext> context_;
  std::vector<Defect> defects_;
  Scoreboard board_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::uint64_t cycle_ = 0, beats_ = 0;
  std::uint64_t damaged_ = 0, spoiled_ = 0, repeats_asked_ = 0;
  std::uint64_t ack_flits_ = 0, link_flits_ = 0, link_hash_ = 0xcbf29ce484222325u, last_start_ = 0;
  unsigned errors_ = 0;
  std::uint64_t foreign_ = 0;
  std::function<void(unsigned)> look_;
  bool hashing_ = false;
};

}  // namespace tb

#include "tb/fabric/fabric_ring_control.h"
#include "tb/fabric/fabric_ring_step.h"
