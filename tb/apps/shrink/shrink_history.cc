// SPDX-License-Identifier: Apache-2.0
#include "tb/apps/shrink/shrink_history.h"

#include <algorithm>

#include "cmodel/board/board.h"
#include "cmodel/machine/address_map.h"
#include "cmodel/program/disassemble.h"
#include "tb/apps/shrink/shrink_load.h"

namespace tb {
namespace {

using cmodel::Cell;
using cmodel::Footprint;
using Kind = Part::Kind;
constexpr auto kTensor = static_cast<unsigned>(defs::Engine::Tensor);
constexpr auto kRx = static_cast<unsigned>(defs::Engine::Rx);

struct Ignore : cmodel::CommitSink {
  void commit(const cmodel::Commit&, std::span<const std::uint8_t>) override {}
};

/// Calls visit(partition, addr) for every contiguous element of a footprint.
template <class Visit>
void each_element(const Footprint& f, Visit visit) {
  for (unsigned p = f.first; p < f.first + std::max<unsigned>(f.count, 1); ++p)
    for (std::uint32_t i3 = 0; i3 < f.size[3]; ++i3)
      for (std::uint32_t i2 = 0; i2 < f.size[2]; ++i2)
        for (std::uint32_t i1 = 0; i1 < f.size[1]; ++i1)
          for (std::uint32_t i0 = 0; i0 < f.size[0]; ++i0)
            visit(p, f.addr + static_cast<std::uint64_t>(i3 * f.stride[3] + i2 * f.stride[2] +
                                                         i1 * f.stride[1] + i0 * f.stride[0]));
}

/// The chip-local address of a byte of SBUF or HBM.
std::uint64_t address(const Footprint& f, unsigned partition, std::uint64_t byte) {
  return f.memory == Cell::Memory::Sbuf ? cmodel::sbuf_addr(f.core, partition, byte) : byte;
}

}  // namespace

History::History(const defs::Sizes& sizes, const Image& image, const Updates& updates)
    : sizes_(sizes), image_(image), updates_(updates), program_(program_of(sizes, image)) {
  if (!program_) return;
  Ignore sink;
  cmodel::Board board(sizes, *program_, sink, {.track_liveness = true});
  board.load();
  const Places places(image);
  const Records& records = board.liveness().records();
  Writers writers;
  for (std::uint32_t number = 0, seen = static_cast<std::uint32_t>(records.size()); board.step();
       ++number) {
    const auto first = seen;
    seen = static_cast<std::uint32_t>(records.size());
    if (first == seen) continue;  // moves no data
    const auto part = places.part_of(image, records[first].stream, records[first].operation.pc);
    if (part) steps_.push_back({*part, number, first, seen - first, {}, {}});
  }
  records_ = records;
  for (Step& step : steps_) trace(step, writers);
}

/// Word by word: who wrote last what this step reads; then it has written what it writes.
void History::trace(Step& step, Writers& writers) const {
  const auto self = static_cast<std::uint32_t>(&step - steps_.data());
  std::set<std::uint32_t> from, data;
  const auto& stream = records_[step.first].stream;
  if (stream.engine == kTensor) {
    const std::uint64_t weights = 1ull << 63 | stream.chip << 8 | stream.core << 4 | stream.lane;
    if (cmodel::writes_stationary(image_.code[step.part.list][step.part.index]))
      writers.psum[weights] = self;
    else if (const auto found = writers.psum.find(weights); found != writers.psum.end())
      from.insert(found->second);
  }
  for (const bool write : {false, true})
    for (std::uint32_t r = step.first; r < step.first + step.count; ++r) {
      const Footprint& f = records_[r].footprint;
      if (f.write != write) continue;
      const bool psum = f.memory == Cell::Memory::Psum;
      auto& last = psum                             ? writers.psum
                   : f.memory == Cell::Memory::Sbuf ? writers.sbuf
                                                    : writers.hbm;
      each_element(f, [&](unsigned partition, std::uint64_t addr) {
        for (std::uint64_t word = addr / 4; word < (addr + f.element + 3) / 4; ++word) {
          const std::uint64_t key = std::uint64_t{f.chip} << 56 | std::uint64_t{f.core} << 52 |
                                    (std::uint64_t{partition} << 32 ^ word);
          if (write)
            last[key] = self;
          else if (const auto found = last.find(key); found != last.end())
            (psum ? from : data).insert(found->second);
        }
      });
    }
  step.from.assign(from.begin(), from.end());
  step.data.assign(data.begin(), data.end());
}

std::optional<std::size_t> History::step_of(const Part& part) const {
  for (std::size_t i = 0; i < steps_.size(); ++i)
    if (steps_[i].part == part) return i;
  return {};
}

std::optional<Part> History::part_of(const nlohmann::json& operation) const {
  if (!operation.is_object() || !operation.contains("engine") || !operation.contains("pc"))
    return {};
  const unsigned chip = operation["chip"], pc = operation["pc"];
  if (operation.contains("from_chip")) {  // a packet: the descriptor that sent it
    if (!operation.contains("commit")) return {};
    const std::uint64_t commit = operation["commit"];
    for (const Step& step : steps_)
      for (std::uint32_t r = step.first; r < step.first + step.count; ++r) {
        const auto& record = records_[r];
        if (record.stream.engine == kRx && record.stream.chip == chip &&
            record.stream.src == operation["from_chip"] &&
            record.stream.lane >> 5 == operation["vn"] && commit >= record.begin &&
            commit < record.end)
          return step.part;
      }
    return {};
  }
  const std::string name = operation["engine"];
  cmodel::StreamId id;
  id.chip = static_cast<std::uint8_t>(chip);
  id.core = operation["core"];
  for (unsigned engine = 0; engine < kRx; ++engine)
    if (cmodel::engine_name(engine) == name) id.engine = static_cast<std::uint8_t>(engine);
  return Places(image_).part_of(image_, id, pc);
}

std::optional<Part> History::last_of(unsigned chip, std::optional<unsigned> core) const {
  for (std::size_t i = steps_.size(); i-- > 0;) {
    const auto& stream = records_[steps_[i].first].stream;
    if (stream.chip == chip && (!core || stream.core == *core)) return steps_[i].part;
  }
  return {};
}

/// The instruction that rings for a descriptor.
std::optional<Part> History::trigger_of(const Part& descriptor) const {
  const auto& ring = image_.program.rings[descriptor.list];
  for (std::uint32_t s = 0; s < image_.code.size(); ++s) {
    const auto& stream = image_.program.streams[s];
    if (stream.chip != ring.chip || stream.core != ring.core) continue;
    std::uint32_t rung = 0;
    for (std::uint32_t i = 0; i < image_.code[s].size(); ++i)
      if (const auto [engine, count] = cmodel::doorbell(image_.code[s][i]);
          count && engine == ring.engine)
        if ((rung += count) > descriptor.index) return Part{Kind::Instruction, s, i};
  }
  return {};
}

const std::vector<Update>* History::awaited(const defs::Instr& instr, unsigned chip) const {
  if (!instr.wait_op) return nullptr;
  const auto found = updates_.find({chip, instr.wait_sem});
  return found == updates_.end() ? nullptr : &found->second;
}

std::set<Part> History::needed(const Part& anchor, unsigned depth, std::size_t before) const {
  std::set<Part> keep;
  std::vector<Part> open{anchor};
  // One link of the chain of waits: who gave the anchor what it waited for.
  if (anchor.kind == Kind::Instruction) {
    const auto& instr = image_.code[anchor.list][anchor.index];
    if (const auto* list = awaited(instr, image_.program.streams[anchor.list].chip)) {
      int sum = 0;
      for (const Update& u : *list)
        if (sum += u.delta; sum >= instr.wait_value) {
          open.push_back(u.part);
          break;
        }
    }
  }
  const auto at = step_of(anchor);
  const unsigned chip = anchor.kind == Kind::Descriptor ? image_.program.rings[anchor.list].chip
                                                        : image_.program.streams[anchor.list].chip;
  for (std::size_t i = at.value_or(steps_.size()); i-- > 0 && before > 0;) {
    if (records_[steps_[i].first].stream.chip != chip) continue;
    open.push_back(steps_[i].part);
    --before;
  }
  // What cannot be loaded, whatever it takes; then who made the data, once per depth.
  for (unsigned level = 0;; ++level) {
    while (!open.empty()) {
      const Part part = open.back();
      open.pop_back();
      if (!keep.insert(part).second) continue;
      if (part.kind == Kind::Descriptor)
        if (const auto trigger = trigger_of(part)) open.push_back(*trigger);
      if (const auto step = step_of(part))
        for (const std::uint32_t from : steps_[*step].from) open.push_back(steps_[from].part);
    }
    if (level == depth) break;
    for (const Part& part : keep)
      if (const auto step = step_of(part))
        for (const std::uint32_t from : steps_[*step].data) open.push_back(steps_[from].part);
  }
  return keep;
}

/// Instructions and descriptors are no data: program_of() puts them there.
bool History::is_code(unsigned chip, std::uint64_t addr) const {
  const auto inside = [&](const auto& list) {
    return std::ranges::any_of(list, [&](const auto& at) {
      return at.chip == chip && addr >= at.base &&
             addr < at.base + std::uint64_t{at.count} * defs::kInstrBytes;
    });
  };
  return inside(image_.program.streams) || inside(image_.program.rings);
}

Image History::only(const std::set<Part>& keep) const {
  std::set<Part> gone;
  for (const Part& part : parts_of(image_))
    if (!keep.contains(part)) gone.insert(part);
  Image out = without(image_, updates_, gone);
  if (!program_) return out;
  // Who counted up may be gone: nobody counts down.
  const auto count_up = [](auto& lists) {
    for (auto& list : lists)
      for (auto& item : list)
        if (item.update && item.update_delta < 0)
          item.update = 0, item.update_sem = 0, item.update_delta = 0;
  };
  count_up(out.code);
  count_up(out.moves);

  Ignore sink;
  cmodel::Board board(sizes_, *program_, sink);
  board.load();
  std::set<std::pair<unsigned, std::uint64_t>> known;  // written by who stays, or loaded
  std::map<unsigned, Bytes> sbuf, hbm;                 // by chip
  std::uint32_t number = 0;
  for (const Step& step : steps_) {
    if (!keep.contains(step.part)) continue;
    for (; number < step.number; ++number) board.step();
    for (const bool write : {false, true})
      for (std::uint32_t r = step.first; r < step.first + step.count; ++r) {
        const Footprint& f = records_[r].footprint;
        if (f.memory == Cell::Memory::Psum || f.write != write) continue;
        each_element(f, [&](unsigned partition, std::uint64_t at) {
          for (std::uint64_t byte = at; byte < at + f.element; ++byte) {
            const std::uint64_t addr = address(f, partition, byte);
            if (!known.insert({f.chip, addr}).second || write || is_code(f.chip, addr)) continue;
            auto& bytes = f.memory == Cell::Memory::Sbuf ? sbuf[f.chip] : hbm[f.chip];
            board.read(f.chip, addr, {&bytes[addr], 1});
          }
        });
      }
  }
  std::uint32_t next = 0;
  for (const auto* lists : {&image_.code_ids, &image_.move_ids})
    for (const auto& ids : *lists)
      for (const std::uint32_t id : ids) next = std::max(next, id + 1);
  for (const auto* ids : {&image_.piece_ids, &image_.region_ids})
    for (const std::uint32_t id : *ids) next = std::max(next, id + 1);
  for (const auto& [chip, bytes] : hbm) add_pieces(out, chip, bytes, next);
  for (const auto& [chip, bytes] : sbuf) load_sbuf(out, chip, bytes, next);
  return out;
}

}  // namespace tb
