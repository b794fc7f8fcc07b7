// SPDX-License-Identifier: Apache-2.0
// What one DMA descriptor does: twin of rtl/dma/dma.sv. The ring's bookkeeping is the caller's.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "cmodel/machine/address_map.h"
#include "cmodel/machine/footprint.h"
#include "cmodel/machine/guard.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// Which engine of which chip, and how many chips there are (RTL: the straps); what its core may
/// touch of the other one.
struct DmaIdentity {
  unsigned chip = 0, core = 0, engine = 0;
  unsigned ring_size = 1;
  defs::PeerAccess peer = kAllShared;
};

/// What a descriptor acts on. Addresses are chip-local and were checked.
class DmaPort {
 public:
  virtual ~DmaPort() = default;
  /// Reads from one memory of this chip (SBUF: from one partition).
  virtual void read(std::uint64_t addr, std::span<std::uint8_t> bytes) = 0;
  /// One write request: one MemBurst commit. Never crosses a line.
  virtual void write(std::uint64_t addr, std::span<const std::uint8_t> bytes) = 0;
  /// One packet, as the fabric interface sends it (header.src, group, lport, len filled in).
  virtual void send(const defs::Header& header, std::span<const std::uint8_t> payload) = 0;
};

/// The error cause of an engine with work before it fetches: None, Misaligned (base not a multiple
/// of LineBytes) or BadDescriptor (empty ring).
defs::ErrorCause check_ring(const defs::Sizes& sizes, std::uint64_t base, std::uint32_t count);

/// Chip-local address of descriptor `index` (since start) of a checked ring. A ring entry outside
/// memory stops the engine with UnmappedAddress: see decode().
constexpr std::uint64_t descriptor_addr(std::uint64_t base, std::uint32_t count,
                                        std::uint32_t index) {
  constexpr std::uint64_t kAddrMask = (std::uint64_t{1} << 48) - 1;
  return (base + std::uint64_t{defs::kInstrBytes} * (index % count)) & kAddrMask;
}

/// What is wrong with a descriptor, or None. Order and rules: rtl/dma/dma_check.sv.
defs::ErrorCause check(const defs::Sizes& sizes, const DmaIdentity& id, const defs::Descriptor& d);

/// Where the rows of a checked descriptor are that are moved: of one with indices, without those
/// that are left out, and up to the first one that stops the engine.
struct RowPlaces {
  struct Row {
    std::uint64_t src, src1, dst;
  };
  std::vector<Row> rows;
  bool fault = false;  ///< an index is out of bounds: OutOfBounds, behind the rows
};
/// Reads the list of indices, if there is one.
RowPlaces places_of(const defs::Descriptor& d, DmaPort& port);
/// Does it combine rows with those of a second source?
bool has_second(const defs::Descriptor& d);
/// Bytes of a row at the destination.
std::uint32_t destination_bytes(const defs::Descriptor& d);

/// Appends what it reads, its list first, and what it writes if that is on this chip.
void footprints_of_copy(unsigned chip, const defs::Descriptor& d, const RowPlaces& places,
                        bool writes, std::vector<Footprint>& out);

/// Moves the rows of a checked descriptor, combined with those of its second source or cast, in
/// order. Local rows are cut into beats that cross no line of a source nor of the destination;
/// remote rows into packets of up to PacketBytes from the row's start, the last packet of the
/// descriptor being the WriteNotify if `notify`; of a cast at most one element for every four bytes
/// of a line. The semaphore update is left to the caller. `scratch` keeps its memory from call to
/// call.
void execute(const defs::Sizes& sizes, const DmaIdentity& id, const defs::Descriptor& d,
             const RowPlaces& places, DmaPort& port, std::vector<std::uint8_t>& scratch);

}  // namespace cmodel
