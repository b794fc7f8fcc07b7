// SPDX-License-Identifier: Apache-2.0
// Two tenants share the board: one has core 0 of every chip, the other core 1.
//
//   address of a core   | below | messages ... | prey | edge | above |
//                               base                         end         FabricBase, FabricEnd
//
// Members of a tenant send each other messages. One core of some chips goes astray, on virtual
// network 3: into the other tenant's memory, beside its own tenant's windows or across their end,
// raises the other's semaphore, or has a key that nobody admits. From then on nothing of the flow
// arrives; what the core sends on another network does. The check sees that nobody else lost
// anything and that no byte is where it must not be; the board, that every host was notified and
// every chip counted.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "cmodel/program/assembler.h"
#include "tb/scenarios/numbers.h"
#include "tb/scenarios/scenario.h"

namespace tb {
namespace {

using cmodel::Assembler;
using cmodel::Block;
using cmodel::Semaphore;

constexpr unsigned kMostBytes = 3000;
constexpr unsigned kPreyBytes = 2560;
constexpr unsigned kAstrayNet = 3;  ///< nobody else uses it
constexpr unsigned kTimeout = 1024;

enum class Crime { OtherMemory, OtherSemaphore, Below, Above, Across, Stranger };
constexpr unsigned kCrimes = 6;

struct Message {
  unsigned src = 0, dst = 0, core = 0, vn = 1, engine = 0;
  std::vector<std::uint8_t> bytes;
  std::string name(const char* what) const {
    return fmt::format("{} {}.{} {} vn{}", what, src, core, dst, vn);
  }
};

/// A core that does what it may not.
struct Astray {
  unsigned chip = 0, core = 0, dst = 0;
  Crime crime = Crime::Below;
  unsigned bytes = 64;
  bool notify = false;
};

struct Plan {
  unsigned key[2] = {};
  unsigned stranger_key = 0;
  std::vector<std::uint32_t> keys;
  std::vector<Message> messages;
  std::vector<Astray> astray;

  bool stranger(unsigned chip, unsigned core) const {
    return std::any_of(astray.begin(), astray.end(), [&](const Astray& a) {
      return a.chip == chip && a.core == core && a.crime == Crime::Stranger;
    });
  }
};

Plan plan_of(const ScenarioArgs& args) {
  if (args.chips < 2) throw std::runtime_error("tenants: chips is 1; allowed 2 .. 12");
  Random random(args.seed, "tenants");
  Plan plan;
  std::set<std::uint32_t> drawn;
  while (drawn.size() < defs::kKeyEntries + 1) drawn.insert(random.between(0, 255));
  plan.keys.assign(drawn.begin(), drawn.end());
  for (std::size_t i = plan.keys.size() - 1; i > 0; --i)
    std::swap(plan.keys[i], plan.keys[random.between(0, static_cast<unsigned>(i))]);
  plan.stranger_key = plan.keys.back();
  plan.keys.pop_back();
  plan.key[0] = plan.keys[random.between(0, 7)];
  plan.key[1] = plan.keys[random.between(8, defs::kKeyEntries - 1)];

  const unsigned first = random.between(0, kCrimes - 1);
  for (unsigned chip = 0; chip < args.chips; ++chip) {
    if (chip != 0 && random.one_in(4)) continue;
    Astray astray;
    astray.chip = chip;
    astray.core = random.between(0, 1);
    astray.dst = (chip + random.between(1, args.chips - 1)) % args.chips;
    astray.crime = static_cast<Crime>((first + chip) % kCrimes);
    astray.bytes = 4 * random.between(1, kPreyBytes / 4);
    astray.notify = random.one_in(2);
    plan.astray.push_back(astray);
  }
  for (unsigned src = 0; src < args.chips; ++src)
    for (unsigned core = 0; core < defs::kCores; ++core)
      for (unsigned dst = 0; dst < args.chips; ++dst) {
        if (src == dst || plan.stranger(src, core) || plan.stranger(dst, core)) continue;
        Message message{src, dst, core, random.between(1, 2), 0, {}};
        message.engine = random.between(0, args.sizes.dma_engines - 2);
        message.bytes.resize(4 * random.between(1, kMostBytes / 4));
        for (auto& byte : message.bytes) byte = static_cast<std::uint8_t>(random.word() >> 32);
        plan.messages.push_back(std::move(message));
      }
  return plan;
}

/// Bytes off a block, as a place to write to.
Block part(const Block& block, std::int64_t skip, unsigned bytes) {
  Block out = block;
  out.addr += skip;
  out.row_bytes = bytes;
  out.rows = 1;
  out.stride = bytes;
  return out;
}

cmodel::Program build(const ScenarioArgs& args) {
  const Plan plan = plan_of(args);
  Assembler assembler(args.sizes, args.chips);
  struct Home {
    Block below, prey, edge, above;
    Semaphore arrived, victim;
    unsigned count = 0;
  };
  std::vector<std::array<Home, defs::kCores>> homes(args.chips);
  const auto watch = [&](unsigned chip, unsigned core, const char* what, unsigned bytes) {
    const std::string name = fmt::format("{} {}.{}", what, chip, core);
    const Block block = assembler.hbm(chip, core, name, bytes);
    assembler.region(name, block);
    return block;
  };
  std::vector<Block> landed(plan.messages.size()), before(plan.astray.size());
  for (unsigned chip = 0; chip < args.chips; ++chip)
    for (unsigned core = 0; core < defs::kCores; ++core) {
      Home& home = homes[chip][core];
      home.below = watch(chip, core, "below", kPreyBytes);
      for (std::size_t i = 0; i < plan.messages.size(); ++i) {
        const Message& m = plan.messages[i];
        if (m.dst != chip || m.core != core) continue;
        landed[i] = assembler.hbm(chip, core, m.name("out"), static_cast<unsigned>(m.bytes.size()));
        assembler.region(m.name("out"), landed[i]);
      }
      for (std::size_t i = 0; i < plan.astray.size(); ++i) {
        const Astray& a = plan.astray[i];
        if (a.dst != chip || a.core != core) continue;
        before[i] = assembler.hbm(chip, core, fmt::format("honest {}", a.chip), 64);
        assembler.region(fmt::format("honest {}", a.chip), before[i]);
      }
      home.prey = watch(chip, core, "prey", kPreyBytes);
      home.edge = watch(chip, core, "edge", args.sizes.line_bytes);
      home.above = watch(chip, core, "above", kPreyBytes);
      home.arrived = assembler.core(chip, core).semaphore("arrived");
      home.victim = assembler.core(chip, core).semaphore("victim");
    }

  for (std::size_t i = 0; i < plan.messages.size(); ++i) {
    const Message& m = plan.messages[i];
    const auto bytes = static_cast<unsigned>(m.bytes.size());
    const Block in = assembler.data(m.src, m.core, m.name("in"), bytes, 1, m.bytes);
    Home& home = homes[m.dst][m.core];
    assembler.core(m.src, m.core)
        .sync()
        .copy(m.engine, in, landed[i])
        .vn(m.vn)
        .notify(home.arrived);
    ++home.count;
  }
  for (std::size_t i = 0; i < plan.astray.size(); ++i) {
    const Astray& a = plan.astray[i];
    const std::vector<std::uint8_t> loot(kPreyBytes, 0xa5);
    const Block in =
        assembler.data(a.chip, a.core, fmt::format("loot {}", a.chip), kPreyBytes, 1, loot);
    auto& sync = assembler.core(a.chip, a.core).sync();
    const unsigned engine = args.sizes.dma_engines - 1;
    const Home& friendly = homes[a.dst][a.core];
    const Home& other = homes[a.dst][1 - a.core];
    const auto send = [&](const Block& to, std::optional<Semaphore> notify,
                          unsigned vn = kAstrayNet) {
      auto& dma = sync.copy(engine, part(in, 0, to.row_bytes), to);
      dma.vn(vn);
      if (notify) dma.notify(*notify);
    };
    // An honest beginning: arrives, unless nobody lets the key in. Not in the same flow: what has
    // arrived there and is not yet acknowledged when the flow ends is reported as well.
    send(part(before[i], 0, 64), std::nullopt, 1);
    const auto notify = a.notify ? std::optional(other.victim) : std::nullopt;
    switch (a.crime) {
      case Crime::OtherMemory:
        send(part(other.prey, 0, a.bytes), notify);
        break;
      case Crime::OtherSemaphore:
        send(part(friendly.prey, 0, std::min(a.bytes, defs::kPacketBytes)), other.victim);
        break;
      case Crime::Below:
        send(part(friendly.below, kPreyBytes - a.bytes, a.bytes), notify);
        break;
      case Crime::Above:
        send(part(friendly.above, 0, a.bytes), notify);
        break;
      case Crime::Across:
        send(part(friendly.above, -32, 64), std::nullopt);
        break;
      case Crime::Stranger:
        send(part(friendly.prey, 0, a.bytes), std::nullopt);
        break;
    }
    // Innocent in itself, but behind what ended the flow.
    send(part(friendly.prey, 0, 64), friendly.victim);
  }
  for (unsigned chip = 0; chip < args.chips; ++chip)
    for (unsigned core = 0; core < defs::kCores; ++core)
      if (homes[chip][core].count > 0)
        assembler.core(chip, core)
            .sync()
            .wait_ge(homes[chip][core].arrived, homes[chip][core].count);

  cmodel::Program program = assembler.assemble();
  program.keys = plan.keys;
  for (unsigned chip = 0; chip < args.chips; ++chip)
    for (unsigned core = 0; core < defs::kCores; ++core) {
      const Home& home = homes[chip][core];
      const bool stranger = plan.stranger(chip, core);
      program.partitions.push_back({chip, core, stranger ? plan.stranger_key : plan.key[core],
                                    home.below.addr + kPreyBytes, home.above.addr});
    }
  return program;
}

/// What waits for a report that got lost is not to wait long.
PortAccesses accesses(const ScenarioArgs& args, const cmodel::Program&) {
  PortAccesses out;
  for (unsigned chip = 0; chip < args.chips; ++chip)
    out.before.push_back({.chip = chip,
                          .addr = csr_addr(defs::kCsrFabricTimeout, 0, 0),
                          .write = true,
                          .value = kTimeout});
  return out;
}

ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program,
                     RegionBytes regions) {
  const Plan plan = plan_of(args);
  ScenarioResult result;
  std::uint64_t wrong = 0;
  const auto complain = [&](const std::string& what) {
    if (wrong++ == 0) result.failure = what;
  };
  for (const Message& m : plan.messages) {
    const auto& got = region_bytes(program, regions, m.name("out"));
    if (!std::equal(m.bytes.begin(), m.bytes.end(), got.begin()))
      complain(m.name("message") + " did not arrive as it was sent");
  }
  for (const Astray& a : plan.astray) {
    const auto& got = region_bytes(program, regions, fmt::format("honest {}", a.chip));
    const bool strange = a.crime == Crime::Stranger || plan.stranger(a.dst, a.core);
    const std::uint8_t expected = strange ? 0 : 0xa5;
    if (std::any_of(got.begin(), got.end(), [&](auto byte) { return byte != expected; }))
      complain(
          fmt::format("chip {}: what it sent before it went astray is not as it must be", a.chip));
  }
  for (unsigned chip = 0; chip < args.chips; ++chip)
    for (unsigned core = 0; core < defs::kCores; ++core)
      for (const char* what : {"below", "prey", "edge", "above"}) {
        const std::string name = fmt::format("{} {}.{}", what, chip, core);
        const auto& got = region_bytes(program, regions, name);
        if (std::any_of(got.begin(), got.end(), [](auto byte) { return byte != 0; }))
          complain(name + " was written by somebody who may not");
      }
  result.metrics["tenant_messages"] = plan.messages.size();
  result.metrics["astray"] = plan.astray.size();
  result.passed = wrong == 0;
  return result;
}

}  // namespace

const Scenario kTenants{.name = "tenants",
                        .doc = "two tenants on one board; some cores go where they may not",
                        .build = build,
                        .check = check,
                        .stops_engines = true,
                        .accesses = accesses};

}  // namespace tb
