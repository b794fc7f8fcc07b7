// SPDX-License-Identifier: Apache-2.0
#include "tb/inject/inject.h"

#include <fmt/format.h>
#include <xxhash.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <functional>
#include <map>
#include <optional>

#include "cmodel/board/board.h"
#include "tb/base/exit_status.h"
#include "tb/board/board.h"
#include "tb/inject/sum_trails.h"

namespace tb {
namespace {

/// A stream of numbers of its own for every seed and name.
class Random {
 public:
  Random(std::uint32_t seed, std::string_view name)
      : state_(XXH3_64bits_withSeed(name.data(), name.size(), seed)) {}
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
  }
  /// 0 .. bound - 1
  unsigned below(std::uint64_t bound) { return static_cast<unsigned>(next() % bound); }

 private:
  std::uint64_t state_;
};

/// Counts and hashes what a run of the model commits, by stream.
class Census : public cmodel::CommitSink {
 public:
  struct Stream {
    std::uint64_t writes = 0, all = 0, chain = 0;
    bool operator==(const Stream&) const = default;
  };
  void commit(const cmodel::Commit& commit, std::span<const std::uint8_t> data) override {
    Stream& s = streams[{commit.stream, commit.kind == cmodel::CommitKind::Semaphore}];
    const std::uint64_t fields[] = {static_cast<std::uint64_t>(commit.kind),
                                    commit.pc,
                                    commit.addr,
                                    commit.first,
                                    commit.count,
                                    commit.element_bytes,
                                    static_cast<std::uint64_t>(std::int64_t{commit.delta}),
                                    s.chain};
    s.chain = XXH3_64bits_withSeed(data.data(), data.size(), XXH3_64bits(fields, sizeof(fields)));
    ++s.all;
    if (commit.kind == cmodel::CommitKind::PsumRow) rows[commit.stream].push_back(commit.count);
  }
  /// {stream, semaphore list?}
  std::map<std::pair<cmodel::StreamId, bool>, Stream> streams;
  /// M of the PsumRow commits of each tensor stream.
  std::map<cmodel::StreamId, std::vector<std::uint16_t>> rows;
};

constexpr unsigned kDraws = 32;  // places tried in one cycle
constexpr auto kTensor = static_cast<std::uint8_t>(defs::Engine::Tensor);
constexpr auto kDma0 = static_cast<std::uint8_t>(defs::Engine::Dma0);
constexpr auto kRx = static_cast<std::uint8_t>(defs::Engine::Rx);
constexpr auto kHost = static_cast<std::uint8_t>(defs::Engine::Host);

/// What the attempt of one cycle did, and the evidence for a later argument.
struct Done {
  std::string place;
  /// Asked when the run has passed: why nobody could see it; empty if there is no reason.
  std::function<std::string()> why;
  std::optional<unsigned> core = {};  ///< none: what the cores share
};

}  // namespace

struct Injector::Impl {
  Impl(std::uint32_t seed, const cmodel::Program& program, const Site& which,
       const std::vector<bool>& models);

  void hook(Chip& chip, std::uint64_t cycle);
  /// Tries to inject in this cycle.
  std::optional<Done> attempt(Chip& chip);

  std::optional<Done> weight(Chip& chip);
  std::optional<Done> partial_sum(Chip& chip);
  std::optional<Done> psum(Chip& chip);
  std::optional<Done> tensor_count(Chip& chip);
  std::optional<Done> sbuf_write_lost(Chip& chip);
  std::optional<Done> dma_address(Chip& chip);
  std::optional<Done> flit_payload(Chip& chip);
  std::optional<Done> credit_lost(Chip& chip);
  std::optional<Done> semaphore_lost(Chip& chip);
  std::optional<Done> instruction(Chip& chip);

  Register in_core(Chip& chip, std::string_view name) const {
    return chip.state().in_core(core, name);
  }
  bool inside_tile(unsigned lane, unsigned distance, unsigned column) const;
  std::string dead(const cmodel::Cell& cell) const;
  std::string same_commits(const cmodel::InstrStream& stream, std::uint32_t pc, unsigned bit) const;

  const cmodel::Program& program;
  const Site& site;
  Random random;
  Census census;
  std::unique_ptr<cmodel::Board> oracle;  ///< run to its end: knows all accesses

  unsigned chip_id = 0, core = 0;
  std::uint64_t arm_at = 0;  ///< commits of the place that show the site in use
  // Of the chip, while it runs.
  std::uint64_t seen = 0, done_commits = 0;
  cmodel::StreamPositions positions;
  std::optional<CommitBuffer::Entry> last_row;  ///< newest PsumRow of the core, in this cycle
  std::vector<std::uint32_t> freed_before;
  std::optional<SumTrails> trails;  ///< of weight and partial_sum

  std::optional<Done> done;
  std::uint64_t cycle = 0;
};

namespace {

struct SiteEntry {
  Site site;
  std::string_view block;  ///< as a diagnosis names it (tb/debug/diagnosis.h)
  std::optional<Done> (Injector::Impl::*attempt)(Chip&);
  /// Does a commit of this stream show that the site is in use there?
  bool (*used)(const cmodel::StreamId&, bool semaphore);
};

bool tensor_stream(const cmodel::StreamId& id, bool) { return id.engine == kTensor; }
bool lane_stream(const cmodel::StreamId& id, bool semaphore) {
  return !semaphore && (id.engine == 1 || id.engine == 2);
}
bool dma_stream(const cmodel::StreamId& id, bool) { return id.engine >= kDma0 && id.engine < kRx; }
bool rx_stream(const cmodel::StreamId& id, bool) { return id.engine == kRx; }
bool sequencer_stream(const cmodel::StreamId& id, bool) { return id.engine < defs::kSequencers; }
bool sequencer_update(const cmodel::StreamId& id, bool semaphore) {
  return semaphore && id.engine < kRx;
}

}  // namespace

// Impl is complete here; the table needs its members.
static const SiteEntry kSites[] = {
    {{"weight", "a bit of a weight in a PE, while an operand stands before it"},
     "tensor_array",
     &Injector::Impl::weight,
     tensor_stream},
    {{"partial_sum", "a bit of a partial sum on its way down the array"},
     "tensor_array",
     &Injector::Impl::partial_sum,
     tensor_stream},
    {{"psum", "a bit of a PSUM word that was just written"},
     "psum",
     &Injector::Impl::psum,
     tensor_stream},
    {{"tensor_count", "a bit of the counter of PE work of a tensor engine"},
     "tensor_counters",
     &Injector::Impl::tensor_count,
     tensor_stream},
    {{"sbuf_write_lost", "a row that an engine writes does not reach SBUF"},
     "sbuf",
     &Injector::Impl::sbuf_write_lost,
     lane_stream},
    {{"dma_address", "a bit of the address that a DMA engine writes to"},
     "dma",
     &Injector::Impl::dma_address,
     dma_stream},
    {{"flit_payload", "a payload bit of a flit in a receive buffer behind a link"},
     "fabric",
     &Injector::Impl::flit_payload,
     rx_stream},
    {{"credit_lost", "a flit buffer that was freed is never reported to the sender"},
     "fabric",
     &Injector::Impl::credit_lost,
     rx_stream},
    {{"semaphore_lost", "a semaphore update on its way is dropped"},
     "semaphores",
     &Injector::Impl::semaphore_lost,
     sequencer_update},
    {{"instruction", "a bit of a fetched instruction before it issues"},
     "sequencer",
     &Injector::Impl::instruction,
     sequencer_stream},
};

std::vector<std::string_view> site_names() {
  std::vector<std::string_view> names;
  for (const SiteEntry& entry : kSites) names.push_back(entry.site.name);
  return names;
}

bool find_site(std::string_view name) {
  const auto names = site_names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

std::string site_list() {
  std::string text;
  for (const SiteEntry& entry : kSites)
    text += fmt::format("{:<16} {}\n", entry.site.name, entry.site.doc);
  return text;
}

static const SiteEntry& entry_of(std::string_view name) {
  return *std::find_if(std::begin(kSites), std::end(kSites),
                       [&](const SiteEntry& entry) { return entry.site.name == name; });
}

Injector::Impl::Impl(std::uint32_t seed, const cmodel::Program& prog, const Site& which,
                     const std::vector<bool>& models)
    : program(prog), site(which), random(seed, which.name) {
  cmodel::BoardOptions board_options;
  board_options.track_liveness = true;
  oracle = std::make_unique<cmodel::Board>(built_sizes(), program, census, board_options);
  oracle->load();
  oracle->run();

  // Chips and cores where the site is in use, and how much each chip does.
  std::vector<std::pair<unsigned, unsigned>> candidates;
  std::map<std::pair<unsigned, unsigned>, std::uint64_t> work;
  for (const auto& [key, stream] : census.streams) {
    const auto& [id, semaphore] = key;
    if (!entry_of(site.name).used(id, semaphore) || models[id.chip]) continue;
    const std::pair<unsigned, unsigned> place{id.chip, id.core};
    work[place] += stream.all;
    if (candidates.empty() || candidates.back() != place) candidates.push_back(place);
  }
  if (candidates.empty())
    throw Refused(kBadInput,
                  fmt::format("--inject is \"{}\"; this program does not use it on a chip in RTL: "
                              "allowed another site, program or --rtl",
                              site.name));
  std::tie(chip_id, core) = candidates[random.below(candidates.size())];
  arm_at = work[{chip_id, core}] * random.below(700) / 1000;
  if (entry_of(site.name).block == "tensor_array") trails.emplace(chip_id, core);
}

void Injector::Impl::hook(Chip& chip, std::uint64_t core_cycle) {
  const auto& commits = chip.commits();
  last_row.reset();
  for (; seen < commits.total(); ++seen) {
    const auto& entry = commits.entries()[commits.entries().size() - (commits.total() - seen)];
    const auto& id = entry.commit.stream;
    if (entry.commit.kind != cmodel::CommitKind::Semaphore) ++positions[id];
    const bool semaphore = entry.commit.kind == cmodel::CommitKind::Semaphore;
    if (id.core == core && entry_of(site.name).used(id, semaphore)) ++done_commits;
    if (entry.commit.kind == cmodel::CommitKind::PsumRow && id.core == core) last_row = entry;
  }
  if (trails) trails->step(chip);
  if (done || done_commits < arm_at || done_commits == 0) return;
  // Several draws: few places of a big array are live at a time.
  for (unsigned draw = 0; draw < kDraws && !done; ++draw)
    done = (this->*entry_of(site.name).attempt)(chip);
  if (!done) return;
  const std::string_view block = entry_of(site.name).block;
  if (block != "fabric" && block != "semaphores") done->core = core;
  cycle = core_cycle;
  chip.settle();
}

/// The model's next access to a cell, if it is not a read.
std::string Injector::Impl::dead(const cmodel::Cell& cell) const {
  if (oracle->live(cell, positions)) return {};
  return to_string(oracle->liveness().next_access(cell, positions));
}

// Is `column` inside the tile of the vector at this distance in the array?
bool Injector::Impl::inside_tile(unsigned lane, unsigned distance, unsigned column) const {
  cmodel::StreamId id;
  id.chip = static_cast<std::uint8_t>(chip_id);
  id.core = static_cast<std::uint8_t>(core);
  id.engine = kTensor;
  id.lane = static_cast<std::uint8_t>(lane);
  const auto rows = census.rows.find(id);
  const std::uint64_t row = trails->row_of(lane, distance);
  return rows != census.rows.end() && row < rows->second.size() && column < rows->second[row];
}

// PE (r, c) holds the vector of flight bit r + c before it (see tensor_array.sv).
std::optional<Done> Injector::Impl::weight(Chip& chip) {
  const unsigned p = built_sizes().partitions;
  const unsigned r = random.below(p), c = random.below(p);
  const auto lane = trails->lane_at(r, r + c);
  if (!lane) return {};
  const auto operand = chip.state().array(core, "moving_q").get(r * p + c, 0, 32);
  const Register plane = chip.state().array(core, operand >> 29 & 1 ? "weight1_q" : "weight0_q");
  const auto old = plane.get(r * p + c, 0, 32);
  const auto sum = r ? chip.state().array(core, "psum_q").get((r - 1) * p + c, 0, 32) : 0;
  const bool empty = old >> 30 & 1, zero = !(operand & 0xfff) || !(old & 0xfff);
  const bool special =
      (operand >> 12 & 1023) == 1023 || (old >> 12 & 1023) == 1023 || (sum >> 23 & 255) == 255;
  const bool integer = operand >> 28 & 1;
  if (empty || zero || (special && !integer)) return {};
  // A product far below the sum is rounded away whatever its weight: not a moment that matters.
  const int product = static_cast<int>((operand >> 12 & 1023) + (old >> 12 & 1023)) - 640;
  if (!integer && product + 8 < static_cast<int>(sum >> 23 & 255)) return {};
  if (!inside_tile(*lane, r + c, c)) return {};
  // Sign, exponent (which integers do not have), significand.
  static constexpr unsigned kBits[] = {31, 10, 9, 14, 13, 12};
  const unsigned bit = kBits[random.below(integer ? 3 : std::size(kBits))];
  plane.flip(r * p + c, bit);
  trails->follow_weight(operand >> 29 & 1, r, c, static_cast<std::uint32_t>(old));
  return Done{
      fmt::format("core {} PE ({}, {}) weight plane {} bit {}", core, r, c, operand >> 29 & 1, bit),
      [this] { return trails->why(program); }};
}

std::optional<Done> Injector::Impl::partial_sum(Chip& chip) {
  const unsigned p = built_sizes().partitions;
  const unsigned r = random.below(p - 1), c = random.below(p);
  // What is below the last row of a half is only on its way if the vector goes on.
  const auto lane = trails->lane_at(r + 1, r + c + 1);
  if (!lane || (*lane && r + 1 == p / 2)) return {};  // a lower tile starts from +0
  const Register sums = chip.state().array(core, "psum_q");
  const unsigned bit = 24 + random.below(8);
  const auto old = sums.get(r * p + c, 0, 32);
  const auto exponent = old >> 23 & 255;
  if (exponent < 64 || exponent > 190) return {};  // zero, or nearly: seldom seen
  if (!inside_tile(*lane, r + c + 1, c)) return {};
  sums.flip(r * p + c, bit);
  trails->follow_sum(r, c, static_cast<std::uint32_t>(old));
  return Done{fmt::format("core {} sum below PE ({}, {}) bit {}", core, r, c, bit),
              [this] { return trails->why(program); }};
}

std::optional<Done> Injector::Impl::psum(Chip& chip) {
  if (!last_row) return {};
  const auto& row = last_row->commit;
  const unsigned lane = random.below(row.count), bit = random.below(32);
  const auto word = static_cast<unsigned>(row.addr / 4);
  chip.state().psum(core).flip(std::size_t{word} * built_sizes().partitions + lane, bit);
  return Done{fmt::format("core {} PSUM partition {} bank {} column {} bit {}", core, lane,
                          word / built_sizes().psum_cols, word % built_sizes().psum_cols, bit),
              [=, this] {
                cmodel::Cell cell;
                cell.memory = cmodel::Cell::Memory::Psum;
                cell.chip = static_cast<std::uint8_t>(chip_id);
                cell.core = static_cast<std::uint8_t>(core);
                cell.partition = static_cast<std::uint16_t>(lane);
                cell.addr = std::uint64_t{word} * 4 + bit / 8;
                return dead(cell);
              }};
}

std::optional<Done> Injector::Impl::tensor_count(Chip& chip) {
  const unsigned bit = random.below(48);
  in_core(chip, "u_tensor.u_counters.pe_busy_q").flip(0, bit);
  return Done{fmt::format("core {} PeBusy bit {}", core, bit), [] { return std::string(); }};
}

std::optional<Done> Injector::Impl::sbuf_write_lost(Chip& chip) {
  const auto& sizes = built_sizes();
  const Register valid = in_core(chip, "u_sbuf.wr_valid_q");
  if (!valid.value()) return {};
  const unsigned e = valid.bit(0, 0) ? 0 : 1;
  const unsigned word_bits = static_cast<unsigned>(std::bit_width(sizes.sbuf_bytes / 8 - 1));
  const unsigned lane_bits = static_cast<unsigned>(std::bit_width(sizes.partitions - 1));
  const auto word =
      static_cast<unsigned>(in_core(chip, "u_sbuf.wr_word_q").get(0, e * word_bits, word_bits));
  const auto byte = static_cast<unsigned>(in_core(chip, "u_sbuf.wr_byte_q").get(0, 3 * e, 3));
  const auto bytes = static_cast<unsigned>(in_core(chip, "u_sbuf.wr_bytes_q").get(0, 3 * e, 3));
  const auto first =
      static_cast<unsigned>(in_core(chip, "u_sbuf.wr_first_q").get(0, lane_bits * e, lane_bits));
  const auto count = static_cast<unsigned>(in_core(chip, "u_sbuf.wr_count_q").get(0, 8 * e, 8));
  const Register data = in_core(chip, "u_sbuf.wr_data_q"), mem = chip.state().sbuf(core);
  std::vector<unsigned> changed;  // partitions whose bytes would have changed
  for (unsigned i = 0; i < count; ++i) {
    const auto old = mem.get(std::size_t{word} * sizes.partitions + first + i, 8 * byte, 8 * bytes);
    if (old != data.get(e * sizes.partitions + i, 0, 8 * bytes)) changed.push_back(first + i);
  }
  valid.put(0, e, 1, 0);
  return Done{fmt::format("core {} {} write of byte {:#x}, partitions {}..{}", core,
                          e ? "Act" : "Vector", word * 8 + byte, first, first + count - 1),
              [=, this] {
                if (changed.empty()) return std::string("the lost row was equal to what SBUF held");
                std::string why;
                for (unsigned partition : changed)
                  for (unsigned b = 0; b < bytes; ++b) {
                    cmodel::Cell cell;
                    cell.memory = cmodel::Cell::Memory::Sbuf;
                    cell.chip = static_cast<std::uint8_t>(chip_id);
                    cell.core = static_cast<std::uint8_t>(core);
                    cell.partition = static_cast<std::uint16_t>(partition);
                    cell.addr = word * 8 + byte + b;
                    why = dead(cell);
                    if (why.empty()) return why;
                  }
                return why;
              }};
}

std::optional<Done> Injector::Impl::dma_address(Chip& chip) {
  const auto running = in_core(chip, "u_dma.u_engines.running_q").value();
  const auto issued = in_core(chip, "u_dma.u_engines.issued_q").value();
  const unsigned e = random.below(built_sizes().dma_engines);
  // Between two rows: inside a packet only its first address counts.
  if (!(running >> e & 1) || issued >> e & 1 ||
      in_core(chip, "u_dma.u_engines.done_q").get(e, 0, 17))
    return {};
  const unsigned bit = 2 + random.below(14);
  in_core(chip, "u_dma.u_engines.dst_row_q").flip(e, bit);
  return Done{fmt::format("core {} DMA {} destination bit {}", core, e, bit),
              [] { return std::string(); }};
}

// A flit at the head of a queue. Body flits are data to the last bit; the last flit of a packet may
// be padded, but not in its first word.
std::optional<Done> Injector::Impl::flit_payload(Chip& chip) {
  static constexpr unsigned kBase[] = {0, defs::kVnDepth0, defs::kVnDepth0 + defs::kVnDepth1,
                                       defs::kVnDepth0 + defs::kVnDepth1 + defs::kVnDepth2};
  for (unsigned q = 0; q < 16; ++q) {
    const unsigned port = q >> 3, cls = q >> 2 & 1, vn = q & 3;
    const auto place = [&](std::string_view name) {
      return chip.state().in_input(port, cls, name);
    };
    if (!place("hol_valid_q").bit(0, vn)) continue;
    const auto slot = kBase[vn] + static_cast<unsigned>(place("read_q").get(0, 7 * vn, 7));
    const defs::HolFlit flit = chip.state().first_flit(port, 2 * vn + cls);
    if (flit.head && !flit.tail) continue;
    const unsigned bit = flit.head   ? 176 + random.below(32)
                         : flit.tail ? random.below(32)
                                     : random.below(512);
    place("mem").flip(slot, bit);
    return Done{fmt::format("port {} class {} VN {} {} flit, payload bit {}", port, cls, vn,
                            flit.head   ? "single"
                            : flit.tail ? "last"
                                        : "body",
                            bit),
                [] { return std::string(); }};
  }
  return {};
}

std::optional<Done> Injector::Impl::credit_lost(Chip& chip) {
  std::vector<std::uint32_t> freed;
  for (unsigned q = 0; q < 4; ++q)
    freed.push_back(
        static_cast<std::uint32_t>(chip.state().in_input(q >> 1, q & 1, "freed_q").value()));
  const auto before = std::exchange(freed_before, freed);  // later draws of a cycle see no change
  if (before.empty()) return {};
  for (unsigned q = 0; q < 4; ++q)
    for (unsigned vn = 0; vn < defs::kVirtualNets; ++vn) {
      const unsigned old = before[q] >> 8 * vn & 255;
      if (old == (freed[q] >> 8 * vn & 255)) continue;
      chip.state().in_input(q >> 1, q & 1, "freed_q").put(0, 8 * vn, 8, old);
      return Done{fmt::format("port {} class {} VN {}", q >> 1, q & 1, vn),
                  [] { return std::string(); }};
    }
  return {};
}

std::optional<Done> Injector::Impl::semaphore_lost(Chip& chip) {
  const Register valid = chip.state().at("u_semaphores.upd_valid_q");
  const auto ports = valid.value();
  if (!ports) return {};
  const auto port = static_cast<unsigned>(std::countr_zero(ports));
  const auto sem = chip.state().at("u_semaphores.upd_q").get(0, 25 * port + 16, 9);
  valid.put(0, port, 1, 0);
  return Done{fmt::format("update port {} of semaphore {}.{}", port, sem >> 8, sem & 255),
              [] { return std::string(); }};
}

// The model runs the program with the same bit changed: equal commits mean that it means the same.
std::string Injector::Impl::same_commits(const cmodel::InstrStream& stream, std::uint32_t pc,
                                         unsigned bit) const {
  cmodel::Program changed = program;
  const std::uint64_t addr = stream.base + std::uint64_t{pc} * defs::kInstrBytes + bit / 8;
  for (auto& segment : changed.segments)
    if (segment.chip == stream.chip && addr >= segment.addr &&
        addr < segment.addr + segment.bytes.size())
      segment.bytes[addr - segment.addr] ^= static_cast<std::uint8_t>(1u << bit % 8);
  Census other;
  cmodel::Board board(built_sizes(), changed, other, {});
  board.load();
  board.run();
  auto expected = census.streams, actual = other.streams;
  std::erase_if(expected, [](const auto& item) { return item.first.first.engine == kHost; });
  std::erase_if(actual, [](const auto& item) { return item.first.first.engine == kHost; });
  return expected == actual ? fmt::format(
                                  "the model makes the same commits with this bit of instruction "
                                  "{} changed",
                                  pc)
                            : std::string();
}

std::optional<Done> Injector::Impl::instruction(Chip& chip) {
  const unsigned index = random.below(defs::kSequencers);
  const SequencerState s = chip.state().sequencer(core, index);
  if (!s.fetched || !s.issuing) return {};
  const auto stream = std::find_if(
      program.streams.begin(), program.streams.end(),
      [&](const auto& s) { return s.chip == chip_id && s.core == core && s.engine == index; });
  if (stream == program.streams.end()) return {};
  const unsigned bit = random.below(512);
  chip.state().in_sequencer(core, index, "u_fetch.instr_q").flip(0, bit);
  return Done{fmt::format("core {} {} instruction {} bit {}", core,
                          to_string(static_cast<defs::Engine>(index)), s.pc, bit),
              [=, this, found = *stream, pc = s.pc] { return same_commits(found, pc, bit); }};
}

Injector::Injector(std::string_view site, std::uint32_t seed, const cmodel::Program& program,
                   const std::vector<bool>& models)
    : impl_(std::make_unique<Impl>(seed, program, entry_of(site).site, models)) {}
Injector::~Injector() = default;

void Injector::arm(Board& board) {
  board.chip(impl_->chip_id).add_hook([this](Chip& chip, std::uint64_t cycle) {
    impl_->hook(chip, cycle);
  });
}

namespace {

/// The chip whose network interface dropped a damaged packet. Empty if there was none.
std::string made_good(const nlohmann::ordered_json& counters) {
  for (const auto& chip : counters.at("chips"))
    if (const auto damaged = chip.at("Damaged").get<unsigned>())
      return fmt::format(
          "the end-to-end check of chip {} dropped {}; its flow was sent again, or, "
          "an acknowledgement, followed by another",
          chip.at("chip").get<unsigned>(),
          damaged == 1 ? "a packet" : fmt::format("{} packets", damaged));
  return {};
}

}  // namespace

void Injector::judge(Outcome& outcome, nlohmann::ordered_json& metrics) {
  nlohmann::ordered_json report;
  report["site"] = impl_->site.name;
  report["chip"] = impl_->chip_id;
  report["block"] = entry_of(impl_->site.name).block;
  std::string verdict = "detected", why;
  if (!impl_->done) {
    verdict = "none";
    why = "no live moment came behind the seeded one: nothing was injected";
    if (outcome.status == Outcome::Status::Passed) {
      outcome.status = Outcome::Status::Failed;
      outcome.report += why + "\n";
    }
  } else {
    report["cycle"] = impl_->cycle;
    report["place"] = impl_->done->place;
    if (impl_->done->core) report["core"] = *impl_->done->core;
    if (outcome.status == Outcome::Status::Passed) {
      why = impl_->done->why();
      verdict = why.empty() ? "missed" : "masked";
      if (const std::string how = made_good(metrics.at("fabric")); !how.empty()) {
        why = how;
        verdict = "corrected";
      }
    }
  }
  if (verdict == "missed") {
    outcome.status = Outcome::Status::Failed;
    outcome.report +=
        fmt::format("injected fault was missed: chip {} {}\n", impl_->chip_id, impl_->done->place);
  }
  report["outcome"] = verdict;
  report["why"] = why;
  metrics["inject"] = report;
}

}  // namespace tb
