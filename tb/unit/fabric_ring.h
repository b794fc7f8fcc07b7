// SPDX-License-Identifier: Apache-2.0
// Verilated fabric nodes on a board's cables, with message generators, random sinks and a
// scoreboard that knows only fabric/tables.h and fabric/message.h.
#pragma once
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

#include "fabric/crc.h"
#include "fabric/message.h"
#include "fabric/table_writer.h"
#include "fabric/tables.h"
#ifdef FABRIC_INF2
#include "Vfabric_probe_inf2.h"
#include "Vfabric_probe_inf2___024root.h"
#else
#include "Vfabric_probe.h"
#include "Vfabric_probe___024root.h"
#endif

namespace tb {

/// Reset values of the isolation registers: key 0 everywhere, every address.
template <class Dut>
void open_all(Dut& dut) {
  std::memset(dut.keys_i.data(), 0, sizeof(dut.keys_i));
  for (unsigned port = 0; port < defs::kLinkPorts; ++port)
    defs::put_bits(dut.keys_i.data(), 9 * defs::kKeyEntries * port, 9, 0x100);
  dut.key_i = 0;
  std::memset(dut.base_i.data(), 0, sizeof(dut.base_i));
  std::memset(dut.end_i.data(), 0xff, sizeof(dut.end_i));
}

#ifdef FABRIC_INF2
using Probe = Vfabric_probe_inf2;
inline constexpr defs::Sizes kSizes = defs::kInf2;
#else
using Probe = Vfabric_probe;
inline constexpr defs::Sizes kSizes = defs::kMini;
#endif
inline constexpr unsigned kLineBits = kSizes.line_bytes * 8;

using Payload = std::vector<std::uint8_t>;

/// Bit positions of size_pkg's structs: the line, then the fields behind it.
struct ChunkPins {
  static constexpr unsigned kSem = kLineBits, kNotify = kSem + 9, kLast = kSem + 10,
                            kVn = kSem + 11, kBytes = kSem + 13, kAddr = kSem + 22,
                            kDst = kSem + 70, kEngine = kSem + 80, kWords = (kSem + 84 + 31) / 32;
  static constexpr std::uint32_t kTopMask = (1u << (kSem + 84) % 32) - 1;
};
struct ReqPins {
  static constexpr unsigned kTag = kLineBits, kBytes = kTag + 12, kAddr = kTag + 21,
                            kWrite = kTag + 69;
};

/// The pins of core or local port `c` of a node.
struct Side {
  CData *msg_valid, *msg_ready, *req_valid, *req_ready, *req_err, *settled, *sem_valid;
  CData *message_valid, *message_lane, *burst_valid, *burst_lane, *sem_lane, *trace_sem_valid;
  std::uint32_t *msg, *req, *header, *payload;
  SData *message_src, *message_bytes, *burst_src, *sem_src;
  IData* sem;
};

/// What is wrong with one direction of a cable, from fabric cycle `from` up to `to`: silence, or a
/// lane that is stuck.
struct Defect {
  unsigned chip, port;  ///< that sends
  int lane = -1;        ///< -1: all, silent
  bool value = true;    ///< at which the lane is stuck
  std::uint64_t from = 0, to = ~std::uint64_t{0};
};

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
        defects_(options.defects) {
    context_ = std::make_unique<VerilatedContext>();
    if (options.reset_seed) {
      context_->randReset(2);
      context_->randSeed(options.reset_seed);
    }
    for (unsigned i = 0; i < options.chips; ++i) {
      nodes_.push_back(std::make_unique<Node>());
      nodes_[i]->dut = std::make_unique<Probe>(context_.get());
      connect(*nodes_[i]);
      nodes_[i]->dut->chip_id_i = static_cast<SData>(i);
      nodes_[i]->dut->ring_size_i = static_cast<CData>(options.chips);
      nodes_[i]->dut->timeout_i = options.timeout;
      open_all(*nodes_[i]->dut);
      nodes_[i]->rng.seed(options.seed * 1000 + i);
      for (auto& line : nodes_[i]->lines) line.assign(options.latency, defs::Flit::Words{});
    }
    reset();
    learn_ways();
    if (options.tables) load(*options.tables);
    train();
  }

  /// Puts one more cable out of order.
  void add(const Defect& defect) { defects_.push_back(defect); }
  defs::LinkStatus status(unsigned chip, unsigned port) const {
    return defs::LinkStatus::unpack(status_pins(*nodes_[chip], port));
  }
  defs::LinkState state(unsigned chip, unsigned port) const {
    // the lowest field of the status
    return static_cast<defs::LinkState>(status_pins(*nodes_[chip], port)[0] & 7u);
  }

  /// What the scoreboard expects; the cables are those of the board it started with.
  const fabric::Tables& tables() const { return tables_; }
  unsigned chips() const { return options_.chips; }
  unsigned hops(unsigned src, unsigned dst) const { return ways_[src][dst].hops; }

  /// Every node stops sending, and what is under way arrives.
  void stop_and_drain(unsigned patience = 20000) {
    control_all(kStop);
    for (unsigned i = 0; i < patience && !drained(); ++i) step();
    ASSERT_TRUE(drained()) << "not drained";
  }
  /// Loads a set into the bank that is not in use and switches to it, as a host would; then sending
  /// goes on.
  void switch_to(const fabric::Tables& tables) {
    stop_and_drain();
    load(tables);
    tables_ = tables;
    learn_ways();
  }
  /// The cable at this end carries nothing from now on, and after a while both ends know.
  void kill(fabric::End end) {
    for (const fabric::End e : {end, cables_.peer(end)})
      add({.chip = e.chip, .port = e.port, .from = cycle_});
    const auto dead = [&](fabric::End e) { return state(e.chip, e.port) == defs::LinkState::Dead; };
    for (unsigned i = 0; i < 10000 && !(dead(end) && dead(cables_.peer(end))); ++i) step();
    ASSERT_TRUE(dead(end) && dead(cables_.peer(end)));
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
  std::uint64_t delivered() const { return delivered_; }
  std::uint64_t offered() const { return offered_; }
  std::uint64_t link_flits() const { return link_flits_; }
  std::uint64_t link_flits(unsigned chip, unsigned port) const { return nodes_[chip]->flits[port]; }
  std::uint64_t ack_flits() const { return ack_flits_; }
  std::uint64_t link_hash() const { return link_hash_; }
  std::uint64_t delivered_flits() const { return delivered_flits_; }
  unsigned last_latency() const { return last_latency_; }
  /// Flits of packets that reached their destination, by source.
  const std::vector<std::uint64_t>& accepted() const { return accepted_; }
  /// Fabric cycles from post() to the message commit, for every message since the last call.
  std::vector<std::uint32_t> take_latencies() { return std::exchange(latencies_, {}); }
  unsigned errors() const { return errors_; }
  std::uint64_t damaged() const { return damaged_; }
  /// Words with which a receiver asked its neighbour for a repeat.
  std::uint64_t repeats_asked() const { return repeats_asked_; }
  std::uint64_t spoiled() const { return spoiled_; }

  unsigned random(unsigned below) { return static_cast<unsigned>(rng_() % below); }

  /// Links crossed by the messages that were delivered so far.
  std::uint64_t delivered_hops() const { return delivered_hops_; }

  /// Gives `message`, made `waited` fabric cycles ago, to its engine and tells the scoreboard.
  void post(const fabric::Message& message, std::uint64_t waited = 0) {
    Job job{message, Payload(message.bytes), 0, 0};
    auto& rng = stream(*nodes_[message.src]);
    for (auto& byte : job.payload) byte = static_cast<std::uint8_t>(rng());
    defs::Header header = fabric::header(message);
    header.pkey = static_cast<std::uint8_t>(nodes_[message.src]->dut->key_i >> 8 * message.core);
    nodes_[message.dst]->flows[{message.src, fabric::lane(header)}].push_back(
        {header, job.payload, cycle_ - waited});
    nodes_[message.src]->engines[message.core][message.engine].push_back(std::move(job));
    ++nodes_[message.src]->jobs[message.core];
    ++offered_;
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
  std::uint64_t fabric_status(unsigned chip) {
    auto& d = *nodes_[chip]->dut;
    d.control_index_i = 4;
    d.eval();
    return d.control_rdata_o;
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
  using Trace = std::vector<std::pair<std::uint64_t, std::uint64_t>>;
  const Trace& trace(unsigned chip) const { return nodes_[chip]->trace; }
  /// Messages whose source has another key than the chip that got them.
  std::uint64_t foreign() const { return foreign_; }
  /// As take_latencies(), of messages to this chip, since the start.
  const std::vector<std::uint32_t>& latencies_at(unsigned chip) const {
    return latencies_at_[chip];
  }
  std::uint64_t delivered_flits_in(unsigned vn) const { return delivered_in_[vn]; }
  Probe& dut(unsigned chip) { return *nodes_[chip]->dut; }
  /// Register writes to all chips, value(chip), in the empty fabric of the start.
  template <class Value>
  void write_all(unsigned index, Value value) {
    for (unsigned i = 0; i < nodes_.size(); ++i) nodes_[i]->control.push_back({index, value(i)});
    settle();
  }

  /// Likewise one that must be refused: nobody expects it.
  void post_refused(const fabric::Message& message) {
    post(message);
    nodes_[message.dst]->flows.clear();
    --offered_;
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
        std::uint32_t* rx = rx_pins(*nodes_[far.chip], far.port);
        auto& word = node.lines[p][slot];
        std::memcpy(rx, word.data(), sizeof(word));
        if (options_.flit_errors > 0) damage(rx);
        for (const auto& defect : defects_)
          if (defect.chip == i && defect.port == p) disturb(rx, defect);
        if (options_.spoiled > 0) spoil(rx);
        std::memcpy(word.data(), tx_pins(node, p), sizeof(word));
        if (hashing_)
          for (const auto part : word) link_hash_ = (link_hash_ ^ part) * 0x100000001b3u;
        if (state(i, p) != defs::LinkState::Active) continue;
        repeats_asked_ += (word[16] >> 19 & 3u) == 2;
        const unsigned type = word[16] & 7u;
        if (type >= 2 && type <= 5) {
          ++node.flits[p], ++link_flits_;
          ack_flits_ += type == static_cast<unsigned>(defs::FlitType::HeadTail) &&
                        (word[3] >> 24 & 0x3fu) == static_cast<unsigned>(defs::PktOp::Ack);
          // Deadlock: only channels that the certificate knows.
          if (!allowed_[i][p][word[16] >> 3 & 1u])
            ADD_FAILURE() << "class on a forbidden cable, chip " << i << " port " << p;
        }
      }
    }
    for (auto& node : nodes_)
      if (options_.resends > 0 && chance(options_.resends))
        node->control.push_back({3, bank_ << 4 | ports_ | kResend});
    for (unsigned phase = 0; phase < 2; ++phase)
      for (auto& node : nodes_) core_cycle(*node, phase);
    ++cycle_;
  }

  void hash_links() { hashing_ = true; }

  /// Runs until everything offered was delivered and all is quiet; a watchdog counts silence.
  void drain(unsigned patience = 20000) {
    std::uint64_t last = ~0ull, since = cycle_;
    while (!done()) {
      step();
      if (progress_ != last) last = progress_, since = cycle_;
      if (cycle_ - since > patience) {
        ADD_FAILURE() << fmt::format("no progress for {} cycles: {} of {} messages", patience,
                                     delivered_, offered_);
        return;
      }
      if (testing::Test::HasFailure()) return;
    }
    for (unsigned i = 0; i < patience && !quiet(); ++i) step();  // the last acknowledgements
    for (unsigned i = 0; i < nodes_.size(); ++i) {
      EXPECT_TRUE(nodes_[i]->dut->quiet_o) << "chip " << i << ": not quiet, or credits not home";
      for (const auto& expected : nodes_[i]->ports) EXPECT_TRUE(expected.empty()) << "chip " << i;
      for (const auto& [key, flow] : nodes_[i]->flows) EXPECT_TRUE(flow.empty());
    }
  }

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
  struct Expected {
    defs::Header header;
    Payload payload;
    std::uint64_t posted;
  };
  struct Effect {  // a burst, or (bytes 0) a semaphore update
    fabric::Burst burst;
    Payload data;
    unsigned sem, src, lane;
  };
  struct Node {
    std::unique_ptr<Probe> dut;
    std::array<Side, 2> side;
    std::array<std::vector<defs::Flit::Words>, defs::kLinkPorts> lines;
    std::array<std::uint64_t, defs::kLinkPorts> flits{};
    std::array<std::array<std::deque<Job>, kSizes.dma_engines>, 2> engines;
    std::array<unsigned, 2> jobs{};  // in all engines of a core
    std::array<int, 2> offering{-1, -1};
    std::map<std::pair<unsigned, unsigned>, std::deque<Expected>> flows;
    std::array<std::deque<Effect>, 2> ports;
    std::array<Payload, 2> check_payload;  // of the message seen in the last core cycle
    std::array<unsigned, 2> stalled{};
    std::mt19937 rng;
    Trace trace;
    std::uint64_t port_free = 0;                             // with Options::one_port
    std::deque<std::pair<unsigned, std::uint64_t>> control;  // register writes to come, one a cycle
  };

  std::mt19937& stream(Node& node) { return options_.traced ? node.rng : rng_; }

  /// `kind` happened at this node in this core cycle.
  void note(Node& node, unsigned kind, const void* data, std::size_t bytes) {
    if (!options_.traced) return;
    std::uint64_t hash = 0xcbf29ce484222325u + kind;
    for (std::size_t i = 0; i < bytes; ++i)
      hash = (hash ^ static_cast<const std::uint8_t*>(data)[i]) * 0x100000001b3u;
    node.trace.emplace_back(2 * cycle_ + node.dut->fabric_en_i, hash);
  }

  static void connect(Node& node) {
    Probe& d = *node.dut;
#define SIDE(c)                                    \
  node.side[c] = {&d.msg##c##_valid_i,             \
                  &d.msg##c##_ready_o,             \
                  &d.rx##c##_req_valid_o,          \
                  &d.rx##c##_req_ready_i,          \
                  &d.rx##c##_req_err_i,            \
                  &d.rx##c##_settled_i,            \
                  &d.sem##c##_valid_o,             \
                  &d.message##c##_valid_o,         \
                  &d.message##c##_lane_o,          \
                  &d.burst##c##_valid_o,           \
                  &d.burst##c##_lane_o,            \
                  &d.trace_sem##c##_lane_o,        \
                  &d.trace_sem##c##_valid_o,       \
                  d.msg##c##_i.data(),             \
                  d.rx##c##_req_o.data(),          \
                  d.message##c##_header_o.data(),  \
                  d.message##c##_payload_o.data(), \
                  &d.message##c##_src_o,           \
                  &d.message##c##_bytes_o,         \
                  &d.burst##c##_src_o,             \
                  &d.trace_sem##c##_src_o,         \
                  &d.sem##c##_o};
    SIDE(0)
    SIDE(1)
#undef SIDE
  }

  static std::uint32_t* rx_pins(Node& node, unsigned port) {
    Probe& d = *node.dut;
    std::uint32_t* pins[] = {d.link_rx0_i.data(), d.link_rx1_i.data(), d.link_rx2_i.data(),
                             d.link_rx3_i.data()};
    return pins[port];
  }
  static const std::uint32_t* tx_pins(Node& node, unsigned port) {
    Probe& d = *node.dut;
    const std::uint32_t* pins[] = {d.link_tx0_o.data(), d.link_tx1_o.data(), d.link_tx2_o.data(),
                                   d.link_tx3_o.data()};
    return pins[port];
  }

  static const std::uint32_t* status_pins(const Node& node, unsigned port) {
    const Probe& d = *node.dut;
    const std::uint32_t* pins[] = {d.link_status0_o.data(), d.link_status1_o.data(),
                                   d.link_status2_o.data(), d.link_status3_o.data()};
    return pins[port];
  }

  /// FabricControl: what is in use, and what else.
  static constexpr unsigned kStop = 32, kResend = 64;
  /// FabricControl of every chip: bank and ports as they are, and what `more` says.
  void control_all(unsigned more) {
    for (auto& node : nodes_) node->control.push_back({3, bank_ << 4 | ports_ | more});
    settle();
  }
  void load(const fabric::Tables& tables) {
    for (unsigned i = 0; i < nodes_.size(); ++i) {
      const fabric::TableWords words = tables.words(i);
      nodes_[i]->control.push_back({0, words.source});
      nodes_[i]->control.push_back({1, words.route[0]});
      nodes_[i]->control.push_back({2, words.route[1]});
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
  /// Until the registers are written.
  void settle() {
    for (const auto& node : nodes_)
      while (!node->control.empty()) step();
  }

  /// Hops, arrival port and channels of every pair.
  void learn_ways() {
    allowed_ = {};
    for (const unsigned src : tables_.members)
      for (const unsigned dst : tables_.members) {
        const auto way = tables_.way(src, dst);
        Way& known = ways_[src][dst];
        known = {static_cast<unsigned>(way.size()), 0};
        for (const fabric::Channel& c : way) {
          allowed_[c.chip][c.port][c.cls] = true;
          known.by = tables_.board().peer({c.chip, c.port}).port;
        }
      }
  }

  void reset() {
    for (auto& node : nodes_) {
      auto& d = *node->dut;
      for (auto& side : node->side) {
        *side.msg_valid = *side.req_ready = *side.req_err = *side.settled = 0;
        std::memset(side.msg, 0, ChunkPins::kWords * 4);
      }
      for (unsigned p = 0; p < defs::kLinkPorts; ++p)
        std::memset(rx_pins(*node, p), 0, sizeof(defs::Flit::Words));
      d.control_write_i = d.control_index_i = 0;
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
        ADD_FAILURE() << "links do not come up";
        break;
      }
    }
    options_.flit_errors = errors;
  }

  void disturb(std::uint32_t* word, const Defect& defect) {
    if (cycle_ < defect.from || cycle_ >= defect.to) return;
    constexpr unsigned kLaneBits = 36, kBits = 8 * sizeof(defs::Flit::Words);
    for (unsigned i = 0; i < (defect.lane < 0 ? kBits : kLaneBits); ++i) {
      const unsigned at = defect.lane < 0 ? i : static_cast<unsigned>(defect.lane) * kLaneBits + i;
      const std::uint32_t bit = 1u << at % 32;
      word[at / 32] = defect.lane >= 0 && defect.value ? word[at / 32] | bit : word[at / 32] & ~bit;
    }
  }

  /// Flips 1 to 64 bits in a burst, or (one time in eight) loses the word, with the set
  /// probability.
  void damage(std::uint32_t* word) {
    if (static_cast<double>(rng_()) >= options_.flit_errors * 0x1p32) return;
    ++damaged_;
    constexpr unsigned kBits = 8 * sizeof(defs::Flit::Words);
    if (options_.lost_words && random(8) == 0) {
      std::memset(word, 0, sizeof(defs::Flit::Words));
      return;
    }
    const unsigned length = 1 + random(64), at = random(kBits);
    for (unsigned i = 0; i < length && at + i < kBits; ++i)
      if (i == 0 || random(2)) word[(at + i) / 32] ^= 1u << (at + i) % 32;
  }

  /// Changes a flit and its CRC, so that only the end-to-end check sees it. What routers use stays.
  void spoil(std::uint32_t* word) {
    const unsigned type = word[16] & 7u;
    if (type < static_cast<unsigned>(defs::FlitType::Head) || !chance(options_.spoiled)) return;
    const bool head = type == static_cast<unsigned>(defs::FlitType::Head) ||
                      type == static_cast<unsigned>(defs::FlitType::HeadTail);
    // The address, CRC, number and inline data of a single flit, or any bit of a body.
    const unsigned first = head ? 16 : 0, last = type == 2 ? 176 : 512;
    unsigned bit = first + random(last - first);
    if (head && bit >= 64 && bit < 128) bit += 64;
    defs::Flit::Words change{};
    change[bit / 32] = 1u << bit % 32;
    change[17] = fabric::crc(change, 0);
    for (unsigned i = 0; i < change.size(); ++i) word[i] ^= change[i];
    ++spoiled_;
  }

  bool chance(double p) { return p >= 1 || static_cast<double>(rng_() & 0xffffff) < p * 0x1000000; }

  bool done() const {
    if (delivered_ != offered_) return false;
    for (const auto& node : nodes_)
      for (const auto& expected : node->ports)
        if (!expected.empty()) return false;
    return true;
  }

  void core_cycle(Node& node, unsigned phase) {
    auto& d = *node.dut;
    d.clk_i = 0;
    d.fabric_en_i = static_cast<CData>(phase);
    d.control_write_i = !node.control.empty();
    if (d.control_write_i) {
      std::tie(d.control_index_i, d.control_wdata_i) = node.control.front();
      node.control.pop_front();
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
    for (unsigned c = 0; c < 2; ++c) observe(node, c);
    if (d.error_valid_o) ++errors_;
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

  void observe(Node& node, unsigned c) {
    Side& side = node.side[c];
    if (node.offering[c] >= 0 && *side.msg_ready) {
      auto& queue = node.engines[c][static_cast<unsigned>(node.offering[c])];
      if (queue.front().sent == queue.front().message.bytes) {
        last_start_ = 2 * cycle_ + node.dut->fabric_en_i;
        queue.pop_front();
        --node.jobs[c];
      }
      node.offering[c] = -1;
      ++progress_;
    }
    if (!node.check_payload[c].empty()) {
      EXPECT_EQ(
          std::memcmp(side.payload, node.check_payload[c].data(), node.check_payload[c].size()), 0);
      node.check_payload[c].clear();
    }
    if (*side.message_valid) note(node, 2 * c, side.header, 16);
    if (*side.message_valid) message(node, c);
    if (*side.sem_valid) semaphore(node, c);  // may meet the next packet's first write
    if (*side.req_valid && *side.req_ready) burst(node, c);
  }

  void message(Node& node, unsigned c) {
    Side& side = node.side[c];
    defs::Header header = defs::Header::unpack(side.header);
    auto& flow = node.flows[{*side.message_src, *side.message_lane}];
    ASSERT_FALSE(flow.empty()) << "message nobody sent, or twice";
    Expected expected = std::move(flow.front());
    flow.pop_front();
    const Way& way = ways_[expected.header.src][expected.header.dst];
    expected.header.hop = static_cast<std::uint8_t>(way.hops);
    ASSERT_EQ(header, expected.header) << "out of order or damaged";
    // What came by link port p is received by local port p mod 2, what stayed here by its core's.
    ASSERT_EQ(header.src == header.dst ? header.group >> 5 & 1u : way.by % 2, c);
    ASSERT_EQ(*side.message_bytes, expected.payload.size());
    last_latency_ = static_cast<unsigned>(2 * cycle_ + node.dut->fabric_en_i - last_start_);
    for (const auto& b : fabric::deliver(header, kSizes.line_bytes)) {
      node.ports[c].push_back({b,
                               Payload(expected.payload.begin() + b.offset,
                                       expected.payload.begin() + b.offset + b.bytes),
                               0, header.src, fabric::lane(header)});
    }
    if (header.op == static_cast<std::uint8_t>(defs::PktOp::WriteNotify))
      node.ports[c].push_back(
          {{}, {}, (header.group & 1u) << 8 | header.tag, header.src, fabric::lane(header)});
    node.check_payload[c] = std::move(expected.payload);
    ++delivered_;
    delivered_flits_ += header.len;
    delivered_in_[header.vn] += header.len;
    accepted_[header.src] += header.len;
    delivered_hops_ += way.hops;
    node.port_free = std::max(cycle_, node.port_free + header.len);
    latencies_.push_back(static_cast<std::uint32_t>((options_.one_port ? node.port_free : cycle_) -
                                                    expected.posted));
    latencies_at_[header.dst].push_back(latencies_.back());
    foreign_ += nodes_[header.src]->dut->key_i != node.dut->key_i;
    ++progress_;
  }

  void burst(Node& node, unsigned c) {
    Side& side = node.side[c];
    ASSERT_FALSE(node.ports[c].empty()) << "write nobody asked for";
    const Effect effect = std::move(node.ports[c].front());
    node.ports[c].pop_front();
    ASSERT_NE(effect.burst.bytes, 0u) << "write before its notify";
    ASSERT_EQ(defs::get_bits(side.req, ReqPins::kWrite, 1), 1u);
    ASSERT_EQ(defs::get_bits(side.req, ReqPins::kAddr, 48), effect.burst.addr);
    ASSERT_EQ(defs::get_bits(side.req, ReqPins::kBytes, 9), effect.burst.bytes);
    const auto* line = reinterpret_cast<const std::uint8_t*>(side.req);
    ASSERT_EQ(std::memcmp(line + effect.burst.addr % kSizes.line_bytes, effect.data.data(),
                          effect.data.size()),
              0);
    note(node, 4 + c, side.req, (kLineBits + 70) / 8);
    ASSERT_TRUE(*side.burst_valid);
    ASSERT_EQ(*side.burst_src, effect.src);
    ASSERT_EQ(*side.burst_lane, effect.lane);
    ++progress_;
  }

  void semaphore(Node& node, unsigned c) {
    Side& side = node.side[c];
    ASSERT_FALSE(node.ports[c].empty()) << "notify nobody asked for";
    const Effect effect = std::move(node.ports[c].front());
    node.ports[c].pop_front();
    ASSERT_EQ(effect.burst.bytes, 0u) << "notify before its data";
    note(node, 6 + c, side.sem, 4);
    ASSERT_EQ(*side.sem, effect.sem << 16 | 1u);
    ASSERT_TRUE(*side.trace_sem_valid);
    ASSERT_EQ(*side.sem_src, effect.src);
    ASSERT_EQ(*side.sem_lane, effect.lane);
    ++progress_;
  }

  struct Way {
    unsigned hops, by;  ///< by: the link port by which it arrives
  };
  Options options_;
  fabric::Tables tables_;
  fabric::Board cables_;
  std::array<std::array<Way, fabric::kMaxChips>, fabric::kMaxChips> ways_{};
  std::array<std::array<std::array<bool, 2>, defs::kLinkPorts>, fabric::kMaxChips> allowed_{};
  unsigned bank_ = 0, ports_ = 3;
  std::mt19937 rng_;
  std::unique_ptr<VerilatedContext> context_;
  std::vector<Defect> defects_;
  std::vector<std::unique_ptr<Node>> nodes_;
  std::uint64_t cycle_ = 0, offered_ = 0, delivered_ = 0, delivered_flits_ = 0, progress_ = 0;
  std::uint64_t delivered_hops_ = 0;
  std::uint64_t damaged_ = 0, spoiled_ = 0, repeats_asked_ = 0;
  std::uint64_t ack_flits_ = 0, link_flits_ = 0, link_hash_ = 0xcbf29ce484222325u, last_start_ = 0;
  unsigned last_latency_ = 0, errors_ = 0;
  bool hashing_ = false;
  std::vector<std::uint64_t> accepted_ = std::vector<std::uint64_t>(defs::kBoardChips);
  std::vector<std::uint32_t> latencies_;
  std::array<std::vector<std::uint32_t>, fabric::kMaxChips> latencies_at_;
  std::uint64_t foreign_ = 0;
  std::array<std::uint64_t, defs::kVirtualNets> delivered_in_{};
};

}  // namespace tb
