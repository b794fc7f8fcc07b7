// SPDX-License-Identifier: Apache-2.0
// Verilated fabric nodes on a board's cables, with message generators, random sinks and a
// scoreboard.
#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

#include "fabric/model/table_writer.h"
#include "fabric/model/tables.h"
#include "tb/fabric/fabric_pins.h"
#include "tb/fabric/fabric_scoreboard.h"
#include "tb/fabric/fabric_words.h"

namespace tb {

struct Options {
  unsigned chips = defs::kBoardChips;
  unsigned latency = defs::kLinkLatency;  ///< fabric cycles
  unsigned seed = 1;
  double send = 1;         ///< probability that a core offers a piece in a free core cycle
  double ready = 1;        ///< probability that a write is accepted in a core cycle
  double settled = 1;      ///< likewise for settled
  unsigned stall = 0;      ///< now and then a sink stops for up to so many core cycles
  double flit_errors = 0;  ///< probability that a word is damaged on a link
  bool lost_words = true;  ///< one damaged word in eight is lost
  /// Latencies count until a message has left its chip's only port, of one flit per cycle, which
  /// the RTL does not have: for comparison.
  bool one_port = false;
  double spoiled = 0;  ///< probability that a flit is changed without the link's notice
  double resends = 0;  ///< likewise that a node sends everything again in a fabric cycle
  unsigned timeout = defs::kRetryTimeout;  ///< fabric cycles until a packet is sent again
  int reset_seed = 0;             ///< other than 0: registers without reset start at random
  std::vector<Defect> defects{};  ///< from the start
  /// Each chip draws its stimulus from a stream of its own, and what it receives is kept with
  /// times.
  bool traced = false;
  /// Changes a word of (chip, port) where it arrives, and may look only.
  std::function<void(unsigned, unsigned, std::uint32_t*)> tap = {};
  /// What to do with what the scoreboard finds; none: the test fails.
  Scoreboard::Complain complain = {};
  /// Loaded into all nodes before the first cycle; none: the nodes route as a ring by themselves.
  std::optional<fabric::Tables> tables = {};
};

class FabricRing {
 public:
  explicit FabricRing(const Options& options)
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
  void stop_and_drain(unsigned patience = 20000) {
    control_all(kStop);
    for (unsigned i = 0; i < patience && !drained(); ++i) step();
    if (!drained()) board_.complain("not drained");
  }
  /// Loads a set into the bank that is not in use and switches to it, as a host would; then sending
  /// goes on.
  void switch_to(const fabric::Tables& tables) {
    stop_and_drain();
    load(tables);
    tables_ = tables;
    board_.learn_ways(tables);
  }
  /// The cable at this end carries nothing from now on, and after a while both ends know.
  void kill(fabric::End end) {
    for (const fabric::End e : {end, cables_.peer(end)})
      add({.chip = e.chip, .port = e.port, .from = cycle_});
    const auto dead = [&](fabric::End e) { return state(e.chip, e.port) == defs::LinkState::Dead; };
    for (unsigned i = 0; i < 10000 && !(dead(end) && dead(cables_.peer(end))); ++i) step();
    if (!dead(end) || !dead(cables_.peer(end))) board_.complain("a cut cable does not die");
  }
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
  void post(const fabric::Message& message, std::uint64_t waited = 0) {
    Job job{message, Payload(message.bytes), 0, 0};
    auto& rng = stream(*nodes_[message.src]);
    for (auto& byte : job.payload) byte = static_cast<std::uint8_t>(rng());
    defs::Header header = fabric::header(message);
    header.pkey = nodes_[message.src]->keys[message.core];
    board_.expect(header, job.payload, cycle_ - waited);
    nodes_[message.src]->engines[message.core][message.engine].push_back(std::move(job));
    ++nodes_[message.src]->jobs[message.core];
  }

  /// Flips a bit, and gives the senders time to notice, of the chip's bank 1: 0 .. 127 of the
  /// routes, 128 .. 159 of the sources.
  void upset(unsigned chip, unsigned bit) {
    auto* bank =
        nodes_[chip]->dut->rootp->fabric_probe__DOT__u_node__DOT__u_control__DOT__bank1_q.data();
    bank[bit / 32] ^= 1u << bit % 32;
    for (unsigned i = 0; i < fabric::kMaxChips; ++i) step();
  }
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
  fabric::Message random_message(unsigned src, unsigned dst, unsigned most = defs::kPacketBytes) {
    fabric::Message m;
    m.src = static_cast<std::uint16_t>(src);
    m.dst = static_cast<std::uint16_t>(dst);
    m.core = static_cast<std::uint8_t>(random(2));
    m.engine = static_cast<std::uint8_t>(random(kSizes.dma_engines));
    m.vn = static_cast<std::uint8_t>(random(4));
    if (m.vn == 0) most = std::min(most, 192u);
    m.bytes = static_cast<std::uint16_t>(4 + 4 * random(most / 4));
    static constexpr std::uint64_t kBases[] = {defs::kAddrHbm0Base, defs::kAddrHbm1Base,
                                               defs::kAddrCore0Base, defs::kAddrCore1Base};
    m.addr = kBases[random(4)] + 4 * random(1 << 20);
    m.notify = random(4) == 0;
    m.sem = static_cast<std::uint16_t>(m.notify ? random(512) : 0);
    return m;
  }

  /// One fabric cycle: two core cycles of every chip, one token per link direction.
  void step() {
    const std::size_t slot = cycle_ % options_.latency;
    for (unsigned i = 0; i < nodes_.size(); ++i) {
      Node& node = *nodes_[i];
      for (unsigned p = 0; p < cables_.ports(); ++p) {
        if (!cables_.wired({i, p})) continue;
        const fabric::End far = cables_.peer({i, p});
        std::uint32_t* rx = rx_pins(*nodes_[far.chip]->dut, far.port);
        auto& word = node.lines[p][slot];
        std::memcpy(rx, word.data(), sizeof(word));
        if (options_.flit_errors > 0) damage(rx);
        for (const auto& defect : defects_)
          if (defect.chip == i && defect.port == p) disturb(rx, defect, cycle_);
        if (options_.spoiled > 0 && type_of(rx) >= 2 && chance(options_.spoiled))
          spoil(rx, rng_), ++spoiled_;
        if (options_.tap) options_.tap(i, p, rx);
        std::memcpy(word.data(), tx_pins(*node.dut, p), sizeof(word));
        if (hashing_)
          for (const auto part : word) link_hash_ = (link_hash_ ^ part) * 0x100000001b3u;
        if (state(i, p) != defs::LinkState::Active) continue;
        repeats_asked_ += (word[16] >> 19 & 3u) == 2;
        const unsigned type = word[16] & 7u;
        if (type >= 2 && type <= 5) {
          ++node.flits[p], ++link_flits_;
          ++node.vn_flits[p][word[16] >> 4 & 3u];
          ack_flits_ += type == static_cast<unsigned>(defs::FlitType::HeadTail) &&
                        (word[3] >> 24 & 0x3fu) == static_cast<unsigned>(defs::PktOp::Ack);
          // Deadlock: only channels that the certificate knows.
          if (!board_.allowed(i, p, word[16] >> 3 & 1u))
            board_.complain(fmt::format("class on a forbidden cable, chip {} port {}", i, p));
        }
      }
    }
    for (unsigned i = 0; i < nodes_.size(); ++i)
      if (options_.resends > 0 && chance(options_.resends))
        write(i, 3, bank_ << 4 | ports_ | kResend);
    for (unsigned phase = 0; phase < 2; ++phase)
      for (unsigned i = 0; i < nodes_.size(); ++i) core_cycle(i, phase);
    ++cycle_;
  }

  void hash_links() { hashing_ = true; }

  /// Runs until everything offered was delivered and all is quiet; a watchdog counts silence.
  void drain(unsigned patience = 20000) {
    std::uint64_t last = ~0ull, since = cycle_;
    while (!board_.done()) {
      step();
      if (progress() != last) last = progress(), since = cycle_;
      if (cycle_ - since > patience) {
        board_.complain(fmt::format("no progress for {} cycles: {} of {} messages", patience,
                                    delivered(), offered()));
        return;
      }
      if (board_.complaints()) return;
    }
    for (unsigned i = 0; i < patience && !quiet(); ++i) step();  // the last acknowledgements
    for (unsigned i = 0; i < nodes_.size(); ++i)
      if (!nodes_[i]->dut->quiet_o)
        board_.complain(fmt::format("chip {}: not quiet, or credits not home", i));
    board_.require_empty();
  }

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
  /// Pieces taken, messages, writes and notifies so far.
  std::uint64_t progress() const { return board_.progress() + pieces_; }
  Probe& dut(unsigned chip) { return *nodes_[chip]->dut; }
  VerilatedContext& context() { return *context_; }
  /// What the chip told its host so far: of packets that it received, and of its own.
  struct Refusals {
    unsigned received = 0, own = 0;
  };
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
  struct Job {
    fabric::Message message;
    Payload payload;
    unsigned sent;
    std::uint64_t start;
  };
  struct Node {
    std::unique_ptr<Probe> dut;
    std::array<Side, 2> side;
    std::array<std::vector<defs::Flit::Words>, defs::kLinkPorts> lines;
    std::array<std::uint64_t, defs::kLinkPorts> flits{};
    std::array<std::array<std::uint64_t, defs::kVirtualNets>, defs::kLinkPorts> vn_flits{};
    std::array<std::uint64_t, defs::kCores> bytes{};
    std::array<std::uint64_t, defs::kVirtualNets> packets{};
    std::array<std::array<std::deque<Job>, kSizes.dma_engines>, 2> engines;
    std::array<unsigned, 2> jobs{};  // in all engines of a core
    std::array<int, 2> offering{-1, -1};
    Refusals refusals;
    std::array<unsigned, 2> stalled{};
    std::mt19937 rng;
    std::array<std::uint8_t, 2> keys{};                                // FabricKey
    std::deque<std::pair<std::uint32_t, std::uint64_t>> writes;        // to come, one a cycle
    std::deque<std::tuple<unsigned, unsigned, std::uint64_t>> manage;  // those of other chips
  };

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
  void load(const fabric::Tables& tables) {
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
  void reset() {
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

  /// Links are up, or dead, before the test starts.
  void train() {
    const double errors = std::exchange(options_.flit_errors, 0);
    for (bool up = false; !up; step()) {
      up = true;
      for (unsigned i = 0; i < nodes_.size(); ++i)
        for (unsigned p = 0; p < cables_.ports(); ++p)
          up = up &&
               (state(i, p) == defs::LinkState::Active ||
                state(i, p) == defs::LinkState::Degraded || state(i, p) == defs::LinkState::Dead);
      if (cycle_ > 10000) {
        board_.complain("links do not come up");
        break;
      }
    }
    options_.flit_errors = errors;
  }

  /// Flips 1 to 64 bits in a burst, or (one time in eight) loses the word, with the set
  /// probability.
  void damage(std::uint32_t* word) {
    if (static_cast<double>(rng_()) >= options_.flit_errors * 0x1p32) return;
    ++damaged_;
    if (options_.lost_words && random(8) == 0) {
      std::memset(word, 0, sizeof(defs::Flit::Words));
      return;
    }
    const unsigned length = 1 + random(64), at = random(kWordBits);
    burst_error(word, at, length, rng_);
  }

  bool chance(double p) { return p >= 1 || static_cast<double>(rng_() & 0xffffff) < p * 0x1000000; }

  void core_cycle(unsigned chip, unsigned phase) {
    Node& node = *nodes_[chip];
    auto& d = *node.dut;
    d.clk_i = 0;
    d.fabric_en_i = static_cast<CData>(phase);
    if (!node.writes.empty()) {
      const auto [where, value] = node.writes.front();
      node.writes.pop_front();
      if (!put_write(d, where, value)) board_.complain(fmt::format("no write to {:#x}", where));
    } else if (!node.manage.empty()) {
      const auto [dst, index, value] = node.manage.front();
      if (put_write(d, offset(defs::kCsrMgmt, 16 * dst + index), value)) node.manage.pop_front();
    } else if (d.reg_select_i) {
      release_bus(d);
    }
    for (unsigned c = 0; c < 2; ++c) {
      offer(node, c);
      Side& side = node.side[c];
      if (options_.stall && node.stalled[c] == 0 && random(options_.stall * 4) == 0)
        node.stalled[c] = random(options_.stall);
      *side.req_ready = node.stalled[c] == 0 && chance(options_.ready);
      *side.settled = chance(options_.settled);
      if (node.stalled[c]) --node.stalled[c];
    }
    d.eval();
    for (unsigned c = 0; c < 2; ++c) {
      taken(node, c);
      board_.observe(chip, c, node.side[c], 2 * cycle_ + d.fabric_en_i);
    }
    if (d.error_valid_o) {
      ++errors_;
      node.refusals.received += (d.error_valid_o & 1u) + (d.error_valid_o >> 1 & 1u);
      node.refusals.own += (d.error_valid_o >> 2 & 1u) + (d.error_valid_o >> 3 & 1u);
    }
    if (look_) look_(chip);
    d.clk_i = 1;
    d.eval();
  }

  void offer(Node& node, unsigned c) {
    Side& side = node.side[c];
    if (node.offering[c] >= 0) return;
    *side.msg_valid = 0;
    auto& engines = node.engines[c];
    if (node.jobs[c] == 0) return;
    if (!chance(options_.send)) return;
    unsigned e = static_cast<unsigned>(stream(node)() % kSizes.dma_engines);
    while (engines[e].empty()) e = (e + 1) % kSizes.dma_engines;
    Job& job = engines[e].front();
    const auto& m = job.message;
    const unsigned left = m.bytes - job.sent;
    unsigned bytes = std::min(left, kSizes.line_bytes);
    if (job.sent == 0 && options_.send < 1)
      bytes = std::min(left, 4 + 4 * random(kSizes.line_bytes / 4));
    std::uint32_t* pins = side.msg;
    for (unsigned i = 0; i < ChunkPins::kWords; ++i)
      pins[i] = static_cast<std::uint32_t>(stream(node)());  // unused: junk
    std::memcpy(pins, job.payload.data() + job.sent, bytes);
    const bool last = bytes == left;
    defs::put_bits(pins, ChunkPins::kSem, 9, last && m.notify ? m.sem : 0);
    defs::put_bits(pins, ChunkPins::kNotify, 1, last && m.notify);
    defs::put_bits(pins, ChunkPins::kLast, 1, last);
    defs::put_bits(pins, ChunkPins::kVn, 2, m.vn);
    defs::put_bits(pins, ChunkPins::kBytes, 9, bytes);
    defs::put_bits(pins, ChunkPins::kAddr, 48, m.addr + job.sent);
    defs::put_bits(pins, ChunkPins::kDst, 10, m.dst);
    defs::put_bits(pins, ChunkPins::kEngine, 4, e);
    pins[ChunkPins::kWords - 1] &= ChunkPins::kTopMask;
    job.sent += bytes;
    *side.msg_valid = 1;
    node.offering[c] = static_cast<int>(e);
  }

  /// The engine's piece, if it was taken.
  void taken(Node& node, unsigned c) {
    if (node.offering[c] < 0 || !*node.side[c].msg_ready) return;
    auto& queue = node.engines[c][static_cast<unsigned>(node.offering[c])];
    if (queue.front().sent == queue.front().message.bytes) {
      last_start_ = 2 * cycle_ + node.dut->fabric_en_i;
      queue.pop_front();
      --node.jobs[c];
    }
    node.offering[c] = -1;
    ++pieces_;
  }

  Options options_;
  fabric::Tables tables_;
  fabric::Board cables_;
  unsigned bank_ = 0, ports_ = 3;
  std::mt19937 rng_;
  std::unique_ptr<VerilatedContext> context_;
  std::vector<Defect> defects_;
  Scoreboard board_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::uint64_t cycle_ = 0, pieces_ = 0;
  std::uint64_t damaged_ = 0, spoiled_ = 0, repeats_asked_ = 0;
  std::uint64_t ack_flits_ = 0, link_flits_ = 0, link_hash_ = 0xcbf29ce484222325u, last_start_ = 0;
  unsigned errors_ = 0;
  std::uint64_t foreign_ = 0;
  std::function<void(unsigned)> look_;
  bool hashing_ = false;
};

}  // namespace tb
