// SPDX-License-Identifier: Apache-2.0
// What a loader relies on, field by field.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>
#include <tuple>
#include <vector>

#include "cmodel/machine/hbm.h"
#include "cmodel/machine/instruction.h"
#include "cmodel/program/program.h"
#include "cmodel/program/program_format.h"
#include "cmodel/program/program_view.h"

namespace cmodel {

using namespace program_format;

namespace {

constexpr std::uint32_t kMaxInstructions = 1u << 24;
constexpr std::uint32_t kMaxDescriptors = 65535;
constexpr std::uint64_t kHostBytes = 64;  // one host write

// What nobody can wait for, or hold in memory, is refused with its amount.
constexpr std::uint64_t kMostElements = std::uint64_t{1} << 32;  // of a stream, per partition
constexpr std::uint64_t kMostReadBack = std::uint64_t{1} << 30;  // bytes, of all regions
constexpr std::uint64_t kLastArrival = std::uint64_t{1} << 32;   // core cycles: some seconds

constexpr std::uint64_t kInstruction = defs::kInstrBytes;

/// Anything as one printable line.
std::string printable(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isprint(byte))
      out += c;
    else
      out += fmt::format("\\x{:02x}", byte);
  }
  return out;
}

std::string known_configs() {
  std::string names;
  for (const auto* sizes : defs::kConfigs)
    names += (names.empty() ? "" : ", ") + std::string(sizes->name);
  return names;
}

/// Stretches of memory that must lie inside one segment of their chip.
class SegmentMap {
 public:
  SegmentMap(const Program& program, const std::string& where) : segments_(program.segments) {
    for (std::size_t i = 0; i < program.segments.size(); ++i) {
      const auto& segment = program.segments[i];
      spans_.push_back({segment.chip, segment.addr, segment.addr + segment.bytes.size(), i});
    }
    std::sort(spans_.begin(), spans_.end());
    for (std::size_t i = 1; i < spans_.size(); ++i) {
      const auto& [chip, begin, end, index] = spans_[i];
      const auto& [last_chip, last_begin, last_end, last_index] = spans_[i - 1];
      if (chip == last_chip && begin < last_end)
        fail(where, "segment {} (chip {} addr {:#x}) overlaps segment {} ({:#x} .. {:#x})", index,
             chip, begin, last_index, last_begin, last_end - 1);
    }
  }
  bool covers(std::uint32_t chip, std::uint64_t begin, std::uint64_t bytes) const {
    return find(chip, begin, bytes) != nullptr;
  }
  /// Word `index` of a stream or ring that is covered.
  template <class Packed>
  Packed word(std::uint32_t chip, std::uint64_t base, std::uint64_t index) const {
    constexpr std::size_t kBytes = sizeof(typename Packed::Words);
    return unpack_bytes<Packed>({find(chip, base + index * kBytes, kBytes), kBytes});
  }

 private:
  const std::uint8_t* find(std::uint32_t chip, std::uint64_t begin, std::uint64_t bytes) const {
    const auto it = std::upper_bound(spans_.begin(), spans_.end(),
                                     std::tuple(chip, begin, ~std::uint64_t{0}, ~std::size_t{0}));
    if (it == spans_.begin()) return nullptr;
    const auto& [span_chip, span_begin, span_end, index] = *std::prev(it);
    const bool inside =
        span_chip == chip && begin >= span_begin && begin < span_end && bytes <= span_end - begin;
    return inside ? segments_[index].bytes.data() + (begin - span_begin) : nullptr;
  }

  const std::vector<Segment>& segments_;
  std::vector<std::tuple<std::uint32_t, std::uint64_t, std::uint64_t, std::size_t>> spans_;
};

/// Adds to `sum`; throws if that is more than `most`.
void add_work(const std::string& where, const std::string& field, std::uint64_t& sum,
              std::uint64_t amount, const char* what, std::uint64_t most) {
  if (amount > most - sum)
    fail(where, "{}: {} {} behind {}; allowed {} in all", field, amount, what, sum, most);
  sum += amount;
}

/// The elements that a stream's instructions walk once, unless they are none that its engine
/// executes (the tensor engine's own bounds are narrow). How often loops come back to them only a
/// run can tell.
void check_work(const Program& program, const defs::Sizes& sizes, const SegmentMap& map,
                const std::string& where) {
  for (std::size_t i = 0; i < program.streams.size(); ++i) {
    const auto& stream = program.streams[i];
    const auto engine = static_cast<defs::Engine>(stream.engine);
    if (engine == defs::Engine::Tensor) continue;
    std::uint64_t sum = 0;
    for (std::uint32_t pc = 0; pc < stream.count; ++pc) {
      auto instr = map.word<defs::Instr>(stream.chip, stream.base, pc);
      instr.src0.index = instr.src1.index = instr.dst.index = instr.size_reg = instr.size_dim = 0;
      const auto* row = defs::row_of(instr.opcode);
      if (row && row->computes() &&
          instr_faults(sizes, instr, engine).first_cause() == defs::ErrorCause::None)
        add_work(where, fmt::format("stream {} pc {}", i, pc), sum,
                 std::uint64_t{instr.size3} * instr.size2 * instr.size1 * instr.size0, "elements",
                 kMostElements);
    }
  }
}

void check_memory(const std::string& where, const std::string& field, std::uint64_t addr,
                  std::uint64_t bytes) {
  if (!Hbm::mapped(addr, bytes))
    fail(where, "{} addr {:#x} with {} bytes leaves HBM; allowed {:#x} .. {:#x} and {:#x} .. {:#x}",
         field, addr, bytes, defs::kAddrHbm0Base, defs::kAddrHbm0Base + defs::kAddrHbm0Size - 1,
         defs::kAddrHbm1Base, defs::kAddrHbm1Base + defs::kAddrHbm1Size - 1);
}

void check_multiple(const std::string& where, const std::string& field, std::uint64_t value,
                    std::uint64_t step) {
  if (value % step != 0) fail(where, "{} is {:#x}; allowed multiples of {}", field, value, step);
}

void check_below(const std::string& where, const std::string& field, std::uint64_t value,
                 std::uint64_t limit) {
  if (value >= limit) fail(where, "{} is {}; allowed 0 .. {}", field, value, limit - 1);
}

void check_requests(const Program& program, const std::string& where) {
  std::vector<std::uint64_t> last(program.chips);
  for (std::size_t i = 0; i < program.requests.size(); ++i) {
    const Request& request = program.requests[i];
    const std::string field = fmt::format("request {}", i);
    check_below(where, field + " chip", request.chip, program.chips);
    const auto starts = [&](const InstrStream& s) {
      return s.chip == request.chip && s.core == request.core && s.engine == request.engine;
    };
    if (std::ranges::none_of(program.streams, starts))
      fail(where, "{} starts chip {} core {} engine {}; allowed a stream of the program", field,
           request.chip, request.core, request.engine);
    if (request.arrival < last[request.chip] || request.arrival > kLastArrival)
      fail(where, "{} arrival is {}; allowed {} .. {}, those of a chip ascending", field,
           request.arrival, last[request.chip], kLastArrival);
    last[request.chip] = request.arrival;
    check_multiple(where, field + " addr", request.addr, kHostBytes);
    const std::uint64_t bytes = request.bytes.size();
    if (bytes == 0) fail(where, "{} bytes is 0; allowed 1 ..", field);
    check_memory(where, field, request.addr, bytes);
    // Sequencers and DMA engines fetch ahead.
    const auto holds = [&](const auto& row) {
      return row.chip == request.chip && request.addr < row.base + row.count * kInstruction &&
             row.base < request.addr + bytes;
    };
    if (std::ranges::any_of(program.streams, holds) || std::ranges::any_of(program.rings, holds))
      fail(where, "{} addr {:#x} with {} bytes overwrites instructions; allowed data", field,
           request.addr, bytes);
  }
}

}  // namespace

void validate_program(const Program& program, const std::string& where) {
  const defs::Sizes* sizes = nullptr;
  for (const auto* known : defs::kConfigs)
    if (known->name == program.config) sizes = known;
  if (!sizes)
    fail(where, "config is \"{}\"; allowed {}", printable(program.config), known_configs());
  if (program.chips < 1 || program.chips > defs::kBoardChips)
    fail(where, "chips is {}; allowed 1 .. {}", program.chips, defs::kBoardChips);

  for (std::size_t i = 0; i < program.segments.size(); ++i) {
    const auto& segment = program.segments[i];
    const std::string field = fmt::format("segment {}", i);
    check_below(where, field + " chip", segment.chip, program.chips);
    check_multiple(where, field + " addr", segment.addr, kHostBytes);
    if (segment.bytes.empty()) fail(where, "{} bytes is 0; allowed 1 ..", field);
    check_memory(where, field, segment.addr, segment.bytes.size());
  }
  const SegmentMap map(program, where);

  const auto table = [&](const auto& rows, const char* one, std::uint32_t engines,
                         std::uint32_t most) {
    std::set<std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>> seen;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto& row = rows[i];
      const std::string field = fmt::format("{} {}", one, i);
      check_below(where, field + " chip", row.chip, program.chips);
      check_below(where, field + " core", row.core, defs::kCores);
      check_below(where, field + " engine", row.engine, engines);
      check_multiple(where, field + " base", row.base, sizes->line_bytes);
      if (row.count < 1 || row.count > most)
        fail(where, "{} count is {}; allowed 1 .. {}", field, row.count, most);
      if (!map.covers(row.chip, row.base, std::uint64_t{row.count} * defs::kInstrBytes))
        fail(where, "{} base {:#x} count {}: not inside one segment of chip {}", field, row.base,
             row.count, row.chip);
      if (!seen.emplace(row.chip, row.core, row.engine).second)
        fail(where, "{} is the second for chip {} core {} engine {}; allowed one", field, row.chip,
             row.core, row.engine);
    }
  };
  table(program.streams, "stream", defs::kSequencers, kMaxInstructions);
  table(program.rings, "ring", sizes->dma_engines, kMaxDescriptors);
  check_work(program, *sizes, map, where);

  if (program.keys.size() > defs::kKeyEntries)
    fail(where, "keys are {}; allowed 0 .. {}", program.keys.size(), defs::kKeyEntries);
  for (const auto key : program.keys) check_below(where, "key", key, 256);
  std::set<std::pair<std::uint32_t, std::uint32_t>> isolated;
  for (std::size_t i = 0; i < program.partitions.size(); ++i) {
    const auto& part = program.partitions[i];
    const std::string field = fmt::format("partition {}", i);
    check_below(where, field + " chip", part.chip, program.chips);
    check_below(where, field + " core", part.core, defs::kCores);
    check_below(where, field + " key", part.key, 256);
    check_below(where, field + " end", part.end, std::uint64_t{1} << 48);
    check_below(where, field + " base", part.base, part.end + 1);
    if (!isolated.emplace(part.chip, part.core).second)
      fail(where, "{} is the second for chip {} core {}; allowed one", field, part.chip, part.core);
  }

  check_requests(program, where);

  std::set<std::string> names;
  std::uint64_t read_back = 0;
  for (std::size_t i = 0; i < program.regions.size(); ++i) {
    const auto& region = program.regions[i];
    const std::string field = fmt::format("region {}", i);
    if (region.name.empty() || region.name.size() > kMaxName)
      fail(where, "{} name length is {}; allowed 1 .. {}", field, region.name.size(), kMaxName);
    if (printable(region.name) != region.name)
      fail(where, "{} name is \"{}\"; allowed printable ASCII", field, printable(region.name));
    if (!names.insert(region.name).second)
      fail(where, "{} name \"{}\" is used twice; allowed once", field, region.name);
    check_below(where, field + " chip", region.chip, program.chips);
    check_multiple(where, field + " addr", region.addr, kHostBytes);
    if (region.bytes == 0) fail(where, "{} bytes is 0; allowed 64 .. in steps of 64", field);
    check_multiple(where, field + " bytes", region.bytes, kHostBytes);
    check_memory(where, field, region.addr, region.bytes);
    add_work(where, field, read_back, region.bytes, "bytes", kMostReadBack);
  }
}

}  // namespace cmodel
