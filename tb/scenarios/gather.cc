// SPDX-License-Identifier: Apache-2.0
// Rows of a table in HBM are looked up by lists of indices, batch by batch, in a loop of the sync
// engine: every address and the number of rows come out of registers.
//
//   table --gather by list + R--> batch (SBUF) --add--> sums    --cast--> sums as bf16
//                                              --max--> maxima  --to the next chip-->
//   rows  --scatter by list, some of it out of bounds and skipped--> places
//   few   --gather by list, cast from one format to another--> the same numbers
//
// The casts of the board take the pairs of formats in turn, and a seed begins where another has
// been. The first lookups are descriptors of a ring, the others DmaStart. Numbers are small
// integers, so that sums are exact.
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <string>
#include <vector>

#include "cmodel/program/assembler.h"
#include "tb/scenarios/numbers.h"
#include "tb/scenarios/scenario.h"

namespace tb {
namespace {

using cmodel::Assembler;
using cmodel::Block;
using cmodel::Register;
using cmodel::Semaphore;
using cmodel::Tile;
using defs::Combine;
using defs::Dtype;

constexpr unsigned kColumns = 12, kRowBytes = kColumns * 4;
constexpr unsigned kCasts = 3;  ///< of a core
constexpr unsigned kFew = 8;    ///< 0 .. 7 are exact in every format

using Bytes = std::vector<std::uint8_t>;

/// What a core looks up, and what comes of it.
struct Lookup {
  std::string name, next;  ///< of its regions: here, on the next chip
  std::vector<float> sums, maxima, first, places;
  std::vector<Bytes> casts;
};

/// n < kFew as an element.
std::uint32_t element_of(Dtype format, unsigned n) {
  const auto as_float = [n](unsigned exponent_bits, unsigned fraction_bits) {
    if (n == 0) return 0u;
    const unsigned exponent = static_cast<unsigned>(std::bit_width(n)) - 1;
    return ((exponent + (1u << (exponent_bits - 1)) - 2) << fraction_bits) +
           (n << (fraction_bits - exponent));
  };
  switch (format) {
    case Dtype::Fp32:
    case Dtype::Tf32:
      return as_float(8, 23);
    case Dtype::Bf16:
      return as_float(8, 7);
    case Dtype::Fp16:
      return as_float(5, 10);
    case Dtype::Fp8E5M2:
      return as_float(5, 2);
    case Dtype::Fp8E4M3:
      return as_float(4, 3);
    case Dtype::Fp8E3M4:
      return as_float(3, 4);
    default:
      return n;
  }
}
Bytes elements_of(Dtype format, const std::vector<unsigned>& numbers) {
  const unsigned bytes = cmodel::element_bytes(static_cast<std::uint8_t>(format));
  Bytes out(numbers.size() * bytes);
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const std::uint32_t element = element_of(format, numbers[i]);
    std::memcpy(&out[i * bytes], &element, bytes);
  }
  return out;
}

class Gather {
 public:
  explicit Gather(const ScenarioArgs& args)
      : args_(args),
        random_(args.seed, "gather"),
        assembler_(args.sizes, args.chips),
        pair_(args.seed * kCasts * defs::kBoardChips) {
    for (unsigned chip = 0; chip < args.chips; ++chip)
      there_.push_back(assembler_.core(chip, 0).semaphore("there"));
    for (unsigned chip = 0; chip < args.chips; ++chip) {
      const unsigned cores = random_.between(1, defs::kCores);
      for (unsigned core = 0; core < cores; ++core) write(chip, core);
      const unsigned next = (chip + 1) % args.chips;
      if (next != chip) assembler_.core(next, 0).act().wait_ge(there_[next], cores).nop();
    }
  }
  cmodel::Program assemble() { return assembler_.assemble(); }
  const std::vector<Lookup>& lookups() const { return lookups_; }

 private:
  std::vector<float> numbers(unsigned rows) {
    std::vector<float> out(std::size_t{rows} * kColumns);
    for (float& x : out) x = static_cast<float>(static_cast<int>(random_.between(0, 40)) - 20);
    return out;
  }
  Block words(unsigned chip, unsigned c, const std::string& name,
              const std::vector<std::uint32_t>& list) {
    return assembler_.data(chip, random_.between(0, 1), fmt::format("{} {}.{}", name, chip, c),
                           static_cast<unsigned>(4 * list.size()), 1,
                           {reinterpret_cast<const std::uint8_t*>(list.data()), 4 * list.size()});
  }
  Block region(unsigned chip, unsigned c, const std::string& name, unsigned row_bytes,
               unsigned rows) {
    const Block block = assembler_.hbm(chip, random_.between(0, 1),
                                       fmt::format("{} {}.{}", name, chip, c), row_bytes, rows);
    assembler_.region(fmt::format("{} {}.{}", name, chip, c), block);
    return block;
  }

  void write(unsigned chip, unsigned c) {
    auto& core = assembler_.core(chip, c);
    const unsigned most = args_.sizes.partitions, entries = random_.between(5, 90),
                   batches = random_.between(2, 5);
    const auto engine = [&] { return random_.between(0, args_.sizes.dma_engines - 1); };
    const unsigned next = (chip + 1) % args_.chips;
    Lookup look{fmt::format("{}.{}", chip, c), fmt::format("{}.{}", next, c), {}, {}, {}, {}, {}};
    look.sums.resize(std::size_t{most} * kColumns);
    look.maxima.resize(look.sums.size());

    const auto table = numbers(entries), rows = numbers(most);
    std::vector<std::uint32_t> list, counts, targets;
    for (unsigned batch = 0; batch < batches; ++batch) {
      counts.push_back(random_.between(1, most));
      for (unsigned i = 0; i < most; ++i) {
        list.push_back(random_.between(0, entries - 1));
        for (unsigned k = 0; k < kColumns && i < counts.back(); ++k) {
          const float x = table[list.back() * kColumns + k];
          look.sums[i * kColumns + k] += x;
          look.maxima[i * kColumns + k] = std::max(look.maxima[i * kColumns + k], x);
        }
      }
    }
    for (unsigned i = 0; i < most; ++i)
      for (unsigned k = 0; k < kColumns; ++k) look.first.push_back(table[list[i] * kColumns + k]);
    look.places.resize(std::size_t{entries} * kColumns);
    for (unsigned i = 0; i < most; ++i) {
      targets.push_back(random_.one_in(3) ? entries + random_.between(0, 1u << 30)
                                          : random_.between(0, entries - 1));
      for (unsigned k = 0; k < kColumns && targets.back() < entries; ++k)
        look.places[targets.back() * kColumns + k] = rows[i * kColumns + k];
    }

    const Block from =
        assembler_.data(chip, c, "table " + look.name, kRowBytes, entries, bytes_of(table));
    const Block given =
        assembler_.data(chip, 1 - c, "rows " + look.name, kRowBytes, most, bytes_of(rows));
    const Block indices = words(chip, c, "list", list), target = words(chip, c, "targets", targets),
                turns = words(chip, c, "counts", counts);
    const Block sums = region(chip, c, "sums", kRowBytes, most),
                maxima = region(chip, c, "maxima", kRowBytes, most),
                half = region(chip, c, "half", kRowBytes / 2, most),
                first = region(chip, c, "first", kRowBytes, most),
                places = region(chip, c, "places", kRowBytes, entries);
    const Block far = region(next, c, "from left", kRowBytes, most);
    const Tile batch = core.sbuf(most, kColumns, Dtype::Fp32);
    const Block here = assembler_.block(batch);
    const Semaphore looked = core.semaphore("looked"), added = core.semaphore("added"),
                    done = core.semaphore("done");

    auto& s = core.sync();
    s.copy(engine(), from, first, {.gather = indices}).signal(done);
    s.start(engine(), given, places, {.how = {.scatter = target, .skip = true}}).signal(done);
    cast(chip, c, entries, std::span(list).first(most), indices, look, done);
    const Register n = s.reg(), count = s.reg();
    const unsigned e = engine();
    s.loop(batches, most * 4, [&](Register at) {
      s.load(n, turns, count);
      s.add(count, 4);
      s.start(e, from, here, {.rows = n, .how = {.gather = indices}, .index = at}).signal(looked);
      s.take(looked);
      s.start(e, here, sums, {.rows = n, .combine = Combine::Add, .dtype = Dtype::Fp32})
          .signal(added);
      s.start((e + 1) % args_.sizes.dma_engines, here, maxima,
              {.rows = n, .combine = Combine::Max, .dtype = Dtype::Fp32})
          .signal(added);
      s.take(added, 2).nop();
    });
    s.start(engine(), sums, half, {.how = {.cast = {{Dtype::Fp32, Dtype::Bf16}}}}).signal(done);
    // Descriptors of one engine end in their order.
    const bool away = next != chip;
    cmodel::Started last{.how = {.gather = indices}};
    if (away) last.vn = random_.between(1, 3);
    if (away) last.notify = there_[next];
    s.start(e, from, far, last).signal(done);
    s.wait_ge(done, 4 + kCasts).nop();
    lookups_.push_back(std::move(look));
  }

  void cast(unsigned chip, unsigned c, unsigned entries, std::span<const std::uint32_t> list,
            const Block& indices, Lookup& look, Semaphore done) {
    auto& s = assembler_.core(chip, c).sync();
    const auto rows = static_cast<unsigned>(list.size());
    for (unsigned k = 0; k < kCasts; ++k, ++pair_) {
      constexpr auto& kFormats = defs::kEveryDtype;
      const Dtype from = kFormats[pair_ % kFormats.size()],
                  to = kFormats[pair_ / kFormats.size() % kFormats.size()];
      std::vector<unsigned> few(std::size_t{entries} * kColumns), found;
      for (auto& x : few) x = random_.between(0, kFew - 1);
      for (const std::uint32_t row : list)
        found.insert(found.end(), &few[row * kColumns], &few[row * kColumns] + kColumns);
      const Bytes table = elements_of(from, few);
      look.casts.push_back(elements_of(to, found));
      const Block source =
          assembler_.data(chip, random_.between(0, 1), fmt::format("few{} {}", k, look.name),
                          static_cast<unsigned>(table.size() / entries), entries, table);
      const Block target = region(chip, c, fmt::format("cast{}", k),
                                  static_cast<unsigned>(look.casts.back().size() / rows), rows);
      const cmodel::Rows how{.gather = indices, .cast = {{from, to}}};
      const unsigned engine = random_.between(0, args_.sizes.dma_engines - 1);
      if (k % 2)
        s.copy(engine, source, target, how).signal(done);
      else
        s.start(engine, source, target, {.how = how}).signal(done);
    }
  }

  const ScenarioArgs& args_;
  Random random_;
  Assembler assembler_;
  std::vector<Semaphore> there_;  ///< by chip: what the chip before sends has come
  std::vector<Lookup> lookups_;
  std::uint64_t pair_;  ///< of formats, of the next cast
};

cmodel::Program build(const ScenarioArgs& args) { return Gather(args).assemble(); }

ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program,
                     RegionBytes regions) {
  const Gather gather(args);
  ScenarioResult result;
  const auto compare = [&](const std::string& name, const std::vector<float>& expected, bool half) {
    const auto& bytes = region_bytes(program, regions, name);
    for (std::size_t i = 0; i < expected.size() && result.failure.empty(); ++i) {
      const float want = half ? float_of(bf16_of(expected[i])) : expected[i];
      std::uint16_t bits = 0;
      if (half) std::memcpy(&bits, bytes.data() + 2 * i, 2);
      if (const float came = half ? float_of(bits) : float_at(bytes, 4 * i); came != want)
        result.failure = fmt::format("{} row {} column {} is {}, expected {}", name, i / kColumns,
                                     i % kColumns, came, want);
    }
  };
  for (const Lookup& look : gather.lookups()) {
    compare("sums " + look.name, look.sums, false);
    compare("maxima " + look.name, look.maxima, false);
    compare("half " + look.name, look.sums, true);
    compare("first " + look.name, look.first, false);
    compare("places " + look.name, look.places, false);
    compare("from left " + look.next, look.first, false);
    for (unsigned k = 0; k < kCasts; ++k)
      if (const auto name = fmt::format("cast{} {}", k, look.name);
          region_bytes(program, regions, name) != look.casts[k] && result.failure.empty())
        result.failure = fmt::format("{} are other numbers", name);
  }
  result.metrics["cores"] = gather.lookups().size();
  result.passed = result.failure.empty();
  return result;
}

}  // namespace

extern const Scenario kGather{.name = "gather",
                              .doc = "rows looked up and spread by lists of indices, in a loop",
                              .build = build,
                              .check = check};

}  // namespace tb
