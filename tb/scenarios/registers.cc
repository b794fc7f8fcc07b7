// SPDX-License-Identifier: Apache-2.0
// Every register, every bit, through the host port; then `ring`, to see that all is as it was.
//
//   writable     reset value, a pattern, its complement (both read back), a bit that it has not
//                (rejected), reset value again
//   read-only    its value before and behind the program; a write is rejected
//   Mgmt         by packets of the chip to itself: both polarities; what cannot be written is
//   rejected elsewhere    no register, no memory, not aligned: rejected, in order with everything
//   else
//
// Patterns are random. Both banks of routing tables get them, each while the other is in use; after
// that they hold the ring's tables and the program goes by them.
#include <fmt/format.h>

#include <stdexcept>

#include "fabric/model/table_writer.h"
#include "tb/scenarios/numbers.h"
#include "tb/scenarios/scenario.h"

namespace tb {
namespace {

using defs::Csr;
using defs::ErrorCause;

class Walk {
 public:
  Walk(const ScenarioArgs& args, unsigned chip, const fabric::TableWords& words,
       std::vector<PortAccess>& out)
      : args_(args),
        chip_(chip),
        words_(words),
        random_(args.seed, fmt::format("registers {}", chip)),
        out_(out) {}

  void everything() {
    for (const Csr& csr : defs::kCsrs)
      for (unsigned core = 0; core < (csr.per_core ? defs::kCores : 1); ++core)
        for (unsigned i = 0; i < csr.count; ++i) one(csr, core, i);
    tables(1);
    tables(0);
    elsewhere();
  }

 private:
  static bool of_tables(const Csr& csr) {
    return csr.name == defs::kCsrRouteSource.name || csr.name == defs::kCsrRouteTable.name;
  }
  bool exists(const Csr& csr, unsigned i) const {
    return !csr.name.starts_with("Dma") || i < args_.sizes.dma_engines;
  }
  std::uint64_t reset(const Csr& csr, unsigned i) const {
    if (csr.name == defs::kCsrChipId.name) return chip_;
    if (csr.name == defs::kCsrRingSize.name) return args_.chips;
    if (csr.name == defs::kCsrFabricTimeout.name) return defs::kRetryTimeout;
    if (csr.name == defs::kCsrFabricEnd.name) return (std::uint64_t{1} << 48) - 1;
    if (csr.name == defs::kCsrFabricKeys.name) return i % defs::kKeyEntries == 0 ? 256 : 0;
    if (csr.name == defs::kCsrFabricPatience.name) return defs::kStallPatience;
    if (csr.name == defs::kCsrFabricControl.name) return 3;
    if (csr.name == defs::kCsrLinkErrorLimit.name) return defs::kLinkErrorLimit;
    return 0;
  }

  void one(const Csr& csr, unsigned core, unsigned i) {
    const std::uint64_t addr = csr_addr(csr, core, i);
    if (!exists(csr, i)) {
      refused(addr, false, 0, ErrorCause::UnmappedAddress);
      refused(addr, true, 0, ErrorCause::UnmappedAddress);
    } else if (csr.access == "ro") {
      // Whether the node is drained is a matter of time, and time itself.
      const bool status = csr.name == defs::kCsrFabricStatus.name;
      const bool time = csr.name == defs::kCsrFabricTime.name;
      read(addr, reset(csr, i),
           time     ? ~std::uint64_t{0xffffffff}
           : status ? ~std::uint64_t{16}
                    : ~std::uint64_t{0});
      refused(addr, true, random_.word(), ErrorCause::UnmappedAddress);
    } else if (csr.access == "wo") {
      refused(addr, false, 0, ErrorCause::UnmappedAddress);
      spare(csr, addr, 0);
    } else if (csr.name == defs::kCsrFabricControl.name) {
      for (const std::uint64_t value : {0x23, 0x43, 0x03}) {  // stop; repeat all, reads 0
        write(addr, value);
        read(addr, value & 0x3f);
      }
      spare(csr, addr, 3);
    } else if (csr.name == defs::kCsrFabricSwitch.name) {
      switch_later(csr, addr);
    } else if (csr.name == defs::kCsrMgmt.name) {
      packets(addr, i);
    } else if (!of_tables(csr)) {
      both_polarities(csr, core, i);
      write(addr, reset(csr, i));
      read(addr, reset(csr, i));
    }
  }

  /// Armed for a cycle that this run has not reached yet, and called off; and not armed.
  void switch_later(const Csr& csr, std::uint64_t addr) {
    const std::uint64_t cycle = std::uint64_t{0xffff} << 32, pattern = random_.word() & 0x7fffffff;
    for (const std::uint64_t value :
         {pattern, ~pattern & 0x7fffffff, (pattern & 0x7fff0000) | 0x80017000}) {
      write(addr, value);
      read(addr, value, ~cycle);
    }
    spare(csr, addr, 0);
    refused(addr, true, 0x80007000, ErrorCause::ReservedBits);  // takes no time
    write(addr, 0);
    read(addr, 0, ~cycle);
  }

  /// Register i mod 16 of chip i / 16.
  void packets(std::uint64_t addr, unsigned i) {
    const unsigned index = i % 16, chip = i / 16;
    read(addr, 0);
    if (index > 3 && index != 5 && index != 6 && index != 12)
      refused(addr, true, 0, ErrorCause::UnmappedAddress);
    if (index == 3) refused(addr, true, 0x80, ErrorCause::ReservedBits);
    if (chip != chip_ || index != 1) return;
    const std::uint64_t managers = csr_addr(defs::kCsrFabricManagers, 0, 0);
    write(managers, std::uint64_t{1} << chip_);
    const std::uint64_t pattern = random_.word();
    for (const std::uint64_t value : {pattern, ~pattern}) {
      write(addr, value);
      for (unsigned wait = 0; wait < 256; ++wait) read(addr, 0, 0);
      read(addr, 0);
      read(csr_addr(defs::kCsrRouteTable, 0, 0), value);
    }
    write(managers, 0);
  }

  void both_polarities(const Csr& csr, unsigned core, unsigned i) {
    const std::uint64_t addr = csr_addr(csr, core, i);
    const std::uint64_t bits =
        csr.bits == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << csr.bits) - 1;
    if (!of_tables(csr)) read(addr, reset(csr, i));
    const std::uint64_t pattern = random_.word() & bits;
    for (const std::uint64_t value : {pattern, ~pattern & bits, pattern}) {
      write(addr, value);
      read(addr, value);
    }
    spare(csr, addr, pattern);
    read(addr, pattern);
  }

  /// The bank that is not in use: any bits, then the ring's tables; then it is used.
  void tables(unsigned bank) {
    both_polarities(defs::kCsrRouteSource, 0, 0);
    for (unsigned cls = 0; cls < fabric::kMaxClasses; ++cls)
      both_polarities(defs::kCsrRouteTable, 0, cls);
    const auto last = [&](const Csr& csr, unsigned i, std::uint64_t value) {
      write(csr_addr(csr, 0, i), value);
      read(csr_addr(csr, 0, i), value);
    };
    last(defs::kCsrRouteSource, 0, words_.source);
    for (unsigned cls = 0; cls < fabric::kMaxClasses; ++cls)
      last(defs::kCsrRouteTable, cls, words_.route[cls]);
    last(defs::kCsrFabricControl, 0, bank << 4 | 3u);
  }

  void elsewhere() {
    using enum ErrorCause;
    const std::uint64_t csr = defs::kAddrCsrBase;
    for (const std::uint64_t addr :
         {csr + 0x30, csr + 0xf8, csr + 0x178, csr + 0x600, csr + 0x1090, csr + 0x1438,
          csr + 0x1498, csr + 0x3800, csr + defs::kAddrCsrSize - 8, csr + defs::kAddrCsrSize,
          defs::kAddrCore0Base, defs::kAddrHbm0Base + defs::kAddrHbm0Size,
          defs::kAddrHbm1Base + defs::kAddrHbm1Size,
          random_.word() >> 16 | std::uint64_t{1} << 47}) {
      refused(addr, false, 0, UnmappedAddress);
      refused(addr, true, random_.word(), UnmappedAddress);
    }
    refused(csr, false, 0, Misaligned, 4);
    refused(csr + 4, true, 0, Misaligned);
    refused(csr + 0x1480, true, 0, Misaligned, 16);
    refused(defs::kAddrHbm0Base + 60, false, 0, Misaligned);
    refused(defs::kAddrHbm1Base + 33, true, 0, Misaligned, 32);
    refused(defs::kAddrHbm1Base + 64, false, 0, Misaligned, 0);
  }

  /// A bit that the register has not.
  void spare(const Csr& csr, std::uint64_t addr, std::uint64_t value) {
    if (csr.bits == 64) return;
    refused(addr, true, value | std::uint64_t{1} << random_.between(csr.bits, 63),
            ErrorCause::ReservedBits);
  }
  void write(std::uint64_t addr, std::uint64_t value) {
    out_.push_back({.chip = chip_, .addr = addr, .write = true, .value = value});
  }
  void read(std::uint64_t addr, std::uint64_t value, std::uint64_t mask = ~std::uint64_t{0}) {
    out_.push_back({.chip = chip_, .addr = addr, .value = value, .mask = mask});
  }
  void refused(std::uint64_t addr, bool write, std::uint64_t value, ErrorCause cause,
               unsigned bytes = 8) {
    out_.push_back({.chip = chip_,
                    .addr = addr,
                    .bytes = bytes,
                    .write = write,
                    .value = value,
                    .refusal = cause});
  }

  const ScenarioArgs& args_;
  unsigned chip_;
  const fabric::TableWords& words_;
  Random random_;
  std::vector<PortAccess>& out_;
};

PortAccesses accesses(const ScenarioArgs& args, const cmodel::Program& program) {
  PortAccesses out;
  const fabric::Tables tables = fabric::ring_tables(args.chips);
  for (unsigned chip = 0; chip < args.chips; ++chip) {
    const fabric::TableWords words = tables.words(chip);
    Walk(args, chip, words, out.before).everything();
  }
  const auto expect = [&](unsigned chip, const Csr& csr, unsigned core, unsigned i,
                          std::uint64_t value) {
    out.after.push_back({.chip = chip, .addr = csr_addr(csr, core, i), .value = value});
  };
  // Behind the program: who ran has ended, nobody complained, nothing is on its way.
  std::vector<std::array<std::uint64_t, defs::kCores>> states(args.chips);
  for (const auto& stream : program.streams) {
    states[stream.chip][stream.core] |= std::uint64_t{2} << 2 * stream.engine;
    expect(stream.chip, defs::kCsrSeqBase, stream.core, stream.engine, stream.base);
    expect(stream.chip, defs::kCsrSeqCount, stream.core, stream.engine, stream.count);
    expect(stream.chip, defs::kCsrSeqPc, stream.core, stream.engine, stream.count - 1);  // of END
    expect(stream.chip, defs::kCsrSeqError, stream.core, stream.engine, 0);
  }
  for (const auto& ring : program.rings) {
    expect(ring.chip, defs::kCsrDmaRingBase, ring.core, ring.engine, ring.base);
    expect(ring.chip, defs::kCsrDmaRingCount, ring.core, ring.engine, ring.count);
  }
  for (unsigned chip = 0; chip < args.chips; ++chip) {
    for (unsigned core = 0; core < defs::kCores; ++core)
      expect(chip, defs::kCsrSeqState, core, 0, states[chip][core]);
    expect(chip, defs::kCsrFabricViolations, 0, 0, 0);
    expect(chip, defs::kCsrFabricStatus, 0, 0, 16);
  }
  return out;
}

cmodel::Program build(const ScenarioArgs& args) { return kRing.build(args); }
ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program,
                     RegionBytes regions) {
  return kRing.check(args, program, regions);
}

}  // namespace

const Scenario kRegisters{.name = "registers",
                          .doc = "every bit of every register; then ring",
                          .build = build,
                          .check = check,
                          .accesses = accesses};

}  // namespace tb
