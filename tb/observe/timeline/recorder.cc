// SPDX-License-Identifier: Apache-2.0
#include "tb/observe/timeline/recorder.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "cmodel/machine/address_map.h"
#include "cmodel/machine/instruction.h"
#include "cmodel/program/disassemble.h"
#include "cmodel/program/program_view.h"
#include "tb/observe/timeline/listed.h"

namespace tb::timeline {
namespace {

constexpr unsigned kTensor = static_cast<unsigned>(defs::Engine::Tensor);
constexpr unsigned kDma0 = static_cast<unsigned>(defs::Engine::Dma0);
constexpr unsigned kRx = static_cast<unsigned>(defs::Engine::Rx);
constexpr unsigned kHost = static_cast<unsigned>(defs::Engine::Host);
constexpr std::uint64_t kCountCycles = 64, kCountSteps = 4096;  // HBM bytes: at least, at most
constexpr const char* kStreamNames[] = {" multiply", " multiply lower"};

std::string engine_track(unsigned core, unsigned engine) {
  return fmt::format("core {} {}", core, cmodel::engine_name(engine));
}

/// "HBM", "SBUF" or, for an address of neither, "?".
std::string memory(const defs::Sizes& sizes, std::uint64_t addr) {
  const cmodel::Target target = cmodel::decode(sizes, addr).target;
  return cmodel::is_hbm(target) ? "HBM" : cmodel::is_sbuf(target) ? "SBUF" : "?";
}

/// Who made a commit.
std::string author(const cmodel::StreamId& id) {
  if (id.engine == kHost) return "the host";
  if (id.engine != kRx) return engine_track(id.core, id.engine);
  return fmt::format("chip {} {}", id.src, engine_track(id.lane >> 4 & 1, kDma0 + (id.lane & 15)));
}

/// "semaphore 0.3 loaded", "fetch", ..
std::string reason_text(const cmodel::Program& program, unsigned chip, std::uint32_t value) {
  switch (static_cast<Reason>(value & 0xff)) {
    case Reason::None:
      return {};
    case Reason::Stopped:
      return "ended";
    case Reason::Semaphore:
      return "semaphore " + program.semaphore_of(chip, value >> 8);
    case Reason::Fetch:
      return "fetch";
    case Reason::Engine:
      return "engine";
    case Reason::Update:
      return "update";
    case Reason::Ending:
      return "ending";
  }
  return "?";
}

}  // namespace

Recorder::Recorder(const defs::Sizes& sizes, const cmodel::Program& program)
    : sizes_(sizes), program_(program), seen_(program.chips), semaphores_(program.chips) {
  timeline_.names.id("");
  timeline_.traffic.resize(program.chips);
  timeline_.hbm.resize(program.chips);
  for (const auto& stream : program.streams)
    for (std::uint32_t pc = 0; pc < stream.count; ++pc)
      streams_[{stream.chip, stream.core, stream.engine}].push_back(
          cmodel::instr_at(program, stream, pc));
  for (const auto& ring : program.rings)
    for (std::uint32_t at = 0; at < ring.count; ++at)
      rings_[{ring.chip, ring.core, ring.engine}].push_back(
          cmodel::descriptor_at(program, ring, at));
}

Recorder::Lane& Recorder::lane(unsigned chip, Track::Kind kind, const std::string& name) {
  const auto [at, fresh] =
      lanes_.try_emplace({chip, static_cast<int>(kind), name}, Lane{timeline_.tracks.size(), {}});
  if (fresh) timeline_.tracks.push_back({chip, kind, name, {}});
  return at->second;
}

void Recorder::begin(Lane& lane, std::uint64_t cycle, std::string_view name,
                     std::string_view detail, std::uint32_t pc, std::uint32_t source) {
  end(lane, cycle);
  lane.open = {cycle, timeline_.names.id(name), timeline_.names.id(detail), pc, source, true};
}

void Recorder::end(Lane& lane, std::uint64_t cycle) {
  Open& open = lane.open;
  if (open.is && cycle > open.begin)
    timeline_.tracks[lane.track].spans.push_back(
        {open.begin, cycle, open.name, open.detail, open.pc, open.source});
  open.is = false;
}

std::uint32_t Recorder::source(unsigned chip, unsigned core, unsigned unit, std::uint32_t at) {
  auto [engine, pc] = cmodel::place_of(unit, at);
  if (const auto ring = rings_.find({chip, core, engine - kDma0});
      engine >= kDma0 && ring != rings_.end() && !ring->second.empty())
    pc %= static_cast<std::uint32_t>(ring->second.size());
  const auto [known, fresh] = sources_.try_emplace({chip, core, engine, pc}, 0);
  if (fresh) known->second = timeline_.names.id(program_.source_of(chip, core, engine, pc));
  return known->second;
}

void Recorder::count(unsigned chip, const std::string& name, std::uint64_t cycle, double value) {
  const auto [at, fresh] = counters_.try_emplace({chip, name}, timeline_.counters.size());
  if (fresh) timeline_.counters.push_back({chip, name, {{0, 0}}});
  auto& values = timeline_.counters[at->second].values;
  if (values.back().second == value) return;
  if (values.back().first == cycle)
    values.back().second = value;
  else
    values.emplace_back(cycle, value);
}

void Recorder::pending(unsigned chip, unsigned core, unsigned engine, std::uint64_t cycle) {
  const Queue& queue = queues_[{chip, core, engine}];
  count(chip, engine_track(core, kDma0 + engine) + " pending", cycle,
        static_cast<double>(queue.rung.size()) - static_cast<double>(queue.done));
}

void Recorder::count_hbm(unsigned chip, std::uint64_t end) {
  const std::uint64_t step = std::max(kCountCycles, std::bit_ceil(end / kCountSteps));
  std::vector<std::array<std::uint64_t, 2>> bytes(end / step + 1);
  for (const HbmAccess& access : timeline_.hbm[chip])
    if (access.cycle < end) bytes[access.cycle / step][access.write] += access.bytes;
  for (std::size_t i = 0; i < bytes.size(); ++i)
    for (const bool write : {false, true})
      count(chip, write ? "HBM written, B/cycle" : "HBM read, B/cycle", i * step,
            static_cast<double>(bytes[i][write]) / static_cast<double>(step));
}

const defs::Instr* Recorder::instruction(unsigned chip, unsigned core, unsigned engine,
                                         std::uint32_t pc) {
  const auto at = streams_.find({chip, core, engine});
  return at == streams_.end() || pc >= at->second.size() ? nullptr : &at->second[pc];
}

// An event is seen at the end of its cycle: what starts, starts in the next.
void Recorder::engine_event(unsigned chip, const Event& event) {
  const std::uint64_t next = event.cycle + 1;
  const auto start = [&](Lane& on, std::uint64_t cycle, unsigned engine, std::uint32_t pc) {
    const defs::Instr* instr = instruction(chip, event.core, engine, pc);
    const std::string text = instr ? cmodel::disassemble(*instr) : "?";
    begin(on, cycle, text.substr(0, text.find(' ')), text, pc,
          source(chip, event.core, engine, pc));
    arrows_.work({chip, event.core, engine}, pc, id(on));
  };
  switch (event.what) {
    case Happening::Issue:
      ++timeline_.traffic[chip].instructions;
      if (event.unit == kTensor) break;  // its units have tracks of their own
      in_flight_[{chip, event.core, event.unit}].push_back({next, event.pc});
      if (const defs::Instr* instr = instruction(chip, event.core, event.unit, event.pc))
        if (const defs::Doorbell bell = cmodel::work_of(*instr); bell.count) {
          auto& rung = queues_[{chip, event.core, bell.engine}].rung;
          rung.insert(rung.end(), bell.count, next);
          pending(chip, event.core, bell.engine, next);
        }
      break;
    case Happening::Retire: {
      auto& waiting = in_flight_[{chip, event.core, event.unit}];
      if (waiting.empty()) break;
      const Issued issued = waiting.front();
      waiting.pop_front();
      // In service from its issue, or from the end of the one before.
      Lane& on = lane(chip, Track::Kind::Work, engine_track(event.core, event.unit));
      const auto& spans = timeline_.tracks[on.track].spans;
      start(on, spans.empty() ? issued.cycle : std::max(issued.cycle, spans.back().end), event.unit,
            issued.pc);
      end(on, next);
      break;
    }
    case Happening::Stall: {
      Lane& on = lane(chip, Track::Kind::Wait, engine_track(event.core, event.unit) + " waits");
      const std::string text = reason_text(program_, chip, event.value);
      const bool ended = (event.value & 0xff) == static_cast<std::uint32_t>(Reason::Stopped),
                 failed = failed_.contains({chip, event.core, event.unit});
      if (text.empty())
        end(on, event.cycle);
      else
        begin(on, event.cycle, ended && failed ? "stopped" : text, "", event.pc,
              ended ? 0 : source(chip, event.core, event.unit, event.pc));
      if ((event.value & 0xff) == static_cast<std::uint32_t>(Reason::Semaphore))
        arrows_.wait({chip, event.core, event.unit}, event.pc, event.value >> 8, id(on));
      break;
    }
    case Happening::LoadStart:
      start(lane(chip, Track::Kind::Work, engine_track(event.core, kTensor) + " load"), next,
            kTensor, event.pc);
      break;
    case Happening::StreamStart:
      start(lane(chip, Track::Kind::Work,
                 engine_track(event.core, kTensor) + kStreamNames[event.unit]),
            next, kTensor, event.pc);
      break;
    case Happening::LoadEnd:  // seen one cycle later, as the tracer looks for the edge
      end(lane(chip, Track::Kind::Work, engine_track(event.core, kTensor) + " load"), event.cycle);
      break;
    case Happening::StreamEnd:
      end(lane(chip, Track::Kind::Work,
               engine_track(event.core, kTensor) + kStreamNames[event.unit]),
          event.cycle);
      break;
    case Happening::DescriptorStart:
      start_descriptor(chip, event);
      break;
    case Happening::HbmRead:
    case Happening::HbmWrite: {
      const bool write = event.what == Happening::HbmWrite;
      timeline_.hbm[chip].push_back({event.cycle, event.value, write});
      break;
    }
    case Happening::DescriptorEnd:
      end_descriptor(chip, event);
      break;
  }
}

// A ring is walked round and round. What a DmaStart took out of registers is not known.
void Recorder::start_descriptor(unsigned chip, const Event& event) {
  const unsigned unit = kDma0 + event.unit;
  Queue& queue = queues_[{chip, event.core, event.unit}];
  // Spans of a track do not overlap: the first of its tracks that has none open.
  Lane* on = nullptr;
  for (unsigned n = 0; !on || on->open.is; ++n)
    on = &lane(chip, Track::Kind::Queue,
               engine_track(event.core, unit) + (n ? fmt::format(" +{}", n) : ""));
  const auto& ring = rings_[{chip, event.core, event.unit}];
  const auto [place, pc] = cmodel::place_of(unit, event.pc);
  const defs::Instr* start = instruction(chip, event.core, place, pc);
  const defs::Descriptor descriptor =
      start ? cmodel::started_copy(*start)
            : listed(ring, chip, engine_track(event.core, unit), event.pc);
  begin(*on, event.cycle + 1,
        fmt::format("{} to {}", memory(sizes_, descriptor.src),
                    descriptor.dst_chip == chip ? memory(sizes_, descriptor.dst)
                                                : fmt::format("chip {}", descriptor.dst_chip)),
        start ? cmodel::disassemble(*start) : cmodel::disassemble(descriptor), event.pc,
        source(chip, event.core, unit, event.pc));
  const Arrows::Engine engine{chip, event.core, unit};
  arrows_.work(engine, event.pc, id(*on));
  if (descriptor.dst_chip != chip && descriptor.notify)
    arrows_.notifies(engine, descriptor.vn, descriptor.dst_chip & 15u, id(*on));
  const bool alone = queue.open.empty();
  const std::uint64_t rung =
      queue.begun < queue.rung.size() ? queue.rung[queue.begun] : event.cycle + 1;
  queue.open.emplace_back(on, timeline_.transfers.size());
  timeline_.transfers.push_back({chip, event.core, event.unit, rung, !alone || queue.ended > rung,
                                 alone ? event.cycle + 1 : UINT64_MAX, id(*on), descriptor.rows,
                                 descriptor.row_bytes});
  ++queue.begun;
}

void Recorder::end_descriptor(unsigned chip, const Event& event) {
  Queue& queue = queues_[{chip, event.core, event.unit}];
  if (queue.open.empty()) return;
  end(*queue.open.front().first, event.cycle + 1);
  queue.open.pop_front();
  if (!queue.open.empty()) timeline_.transfers[queue.open.front().second].oldest = event.cycle + 1;
  ++queue.done;
  queue.ended = event.cycle + 1;
  pending(chip, event.core, event.unit, event.cycle + 1);
}

void Recorder::commit(unsigned chip, const CommitBuffer::Entry& entry) {
  const cmodel::Commit& commit = entry.commit;
  Traffic& traffic = timeline_.traffic[chip];
  switch (commit.kind) {
    case cmodel::CommitKind::PsumRow: {
      traffic.psum_written += 4u * commit.count;
      const auto& id = commit.stream;
      const defs::Instr* by = instruction(chip, id.core, id.engine, commit.pc);
      if (by && cmodel::multiplies(*by))
        traffic.macs += std::uint64_t{commit.count} * by->partitions;
      Lane& on = lane(chip, Track::Kind::Bank,
                      fmt::format("core {} PSUM bank {}", commit.stream.core,
                                  commit.addr / (4 * sizes_.psum_cols)));
      if (!on.open.is || on.open.pc != commit.pc || on.engine != id.engine) {
        end(on, on.last);
        on.engine = id.engine;
        begin(on, entry.cycle, fmt::format("pc {}", commit.pc), cmodel::engine_name(id.engine),
              commit.pc);
      }
      on.last = entry.cycle + 1;
      break;
    }
    case cmodel::CommitKind::SbufRow:
      traffic.sbuf_written += std::uint64_t{commit.element_bytes} * commit.count;
      break;
    case cmodel::CommitKind::MemBurst:
      if (cmodel::is_sbuf(cmodel::decode(sizes_, commit.addr).target))
        traffic.sbuf_written += commit.count;
      break;
    case cmodel::CommitKind::Message:
      ++traffic.messages;
      traffic.received += commit.count;
      break;
    case cmodel::CommitKind::Semaphore: {
      auto& value = semaphores_[chip][commit.addr];
      value += commit.delta;
      const auto& id = commit.stream;
      const bool ours = id.engine != kRx && id.engine != kHost;
      Lane& on =
          lane(chip, Track::Kind::Semaphore,
               "semaphore " + program_.semaphore_of(chip, static_cast<unsigned>(commit.addr)));
      std::string by = fmt::format("{:+} by {}", commit.delta, author(id));
      if (on.open.is && on.open.begin == entry.cycle)
        by = timeline_.names.text(on.open.detail) + ", " + by;
      begin(on, entry.cycle, fmt::format("= {}", value), by, ours ? commit.pc : Span::kNone,
            ours ? source(chip, id.core, id.engine, commit.pc) : 0);
      arrows_.update(chip, entry.cycle, commit);
      break;
    }
    case cmodel::CommitKind::Error: {
      const auto& id = commit.stream;
      failed_.insert({chip, id.core, id.engine});
      const auto at = lanes_.find(
          {chip, static_cast<int>(Track::Kind::Wait), engine_track(id.core, id.engine) + " waits"});
      if (at != lanes_.end() && at->second.open.name == timeline_.names.id("ended"))
        at->second.open.name = timeline_.names.id("stopped");
      break;
    }
  }
}

// A packet is a span from its head to its tail; other packets may lie between their flits.
void Recorder::words(const Board& board, unsigned chip) {
  for (unsigned port = 0; port < defs::kLinkPorts; ++port) {
    const Link* link = board.link(chip, port);
    if (!link) continue;
    const defs::LinkStatus status = board.link_status(chip, port);
    const auto state = static_cast<defs::LinkState>(status.state);
    Lane& about = lane(chip, Track::Kind::Link, fmt::format("link {}", port));
    const std::uint64_t from = defs::kFabricDivide * seen_[chip];
    const std::string name(to_string(state));
    if (!about.open.is || timeline_.names.text(about.open.name) != name)
      begin(about, from, name, "", Span::kNone);
    if (status.tx_slice != 0) continue;  // a word goes over several cycles: not read here
    for (std::uint64_t cycle = seen_[chip]; cycle < board.now(); ++cycle) {
      const auto& token = link->sent_token(cycle);
      const auto type = static_cast<defs::FlitType>(token[16] & 7u);
      const bool head = type == defs::FlitType::Head || type == defs::FlitType::HeadTail;
      const bool tail = type == defs::FlitType::Tail || type == defs::FlitType::HeadTail;
      if (!head && !tail) continue;
      const defs::Lcw lcw = defs::Lcw::unpack(token.data(), 512);
      Lane& on = lane(chip, Track::Kind::Link,
                      fmt::format("link {} VN {} class {}", port, lcw.vc >> 1, lcw.vc & 1));
      const std::uint64_t core_cycle = defs::kFabricDivide * cycle;
      if (head) {
        const defs::HeadPayload payload = defs::HeadPayload::unpack(token.data());
        const defs::Header& header = payload.header;
        begin(on, core_cycle,
              fmt::format("{} {} to {}", to_string(static_cast<defs::PktOp>(header.op)),
                          header.src & 15, header.dst & 15),
              fmt::format("{} bytes to {:#x}", header.bytes, header.addr), Span::kNone);
        arrows_.packet(chip, payload, id(on));
      }
      if (tail) end(on, core_cycle + defs::kFabricDivide);
    }
  }
}

void Recorder::observe(const Board& board, const Chip& chip) {
  const unsigned id = chip.id();
  for (const Event& event : chip.events().events()) engine_event(id, event);
  for (const auto& entry : chip.commits().entries()) commit(id, entry);
  words(board, id);
  seen_[id] = board.now();
}

Timeline Recorder::finish(std::uint64_t end_cycle) {
  for (auto& [key, lane] : lanes_)
    end(lane, std::get<1>(key) == static_cast<int>(Track::Kind::Bank) ? lane.last : end_cycle);
  for (Track& track : timeline_.tracks)
    std::erase_if(track.spans, [&](const Span& span) { return span.begin >= end_cycle; });
  std::erase_if(timeline_.transfers, [&](const Transfer& transfer) {
    return transfer.span.second >= timeline_.tracks[transfer.span.first].spans.size();
  });
  for (unsigned chip = 0; chip < timeline_.hbm.size(); ++chip) count_hbm(chip, end_cycle);
  timeline_.arrows = arrows_.finish(timeline_);
  return std::move(timeline_);
}

}  // namespace tb::timeline
