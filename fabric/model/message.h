// SPDX-License-Identifier: Apache-2.0
// Packets as values: what a DMA engine's message becomes at the source and causes at the
// destination. Twin of fabric_ni_tx.sv and fabric_ni_rx.sv; knows only rtl/defs.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "rtl/defs/gen/defs.h"

namespace fabric {

/// One packet's worth of a DMA transfer to another chip.
struct Message {
  std::uint16_t src = 0;    ///< {board 6, chip 4}
  std::uint16_t dst = 0;    ///< likewise
  std::uint8_t core = 0;    ///< sending core
  std::uint8_t engine = 0;  ///< sending DMA engine of that core
  std::uint8_t vn = 1;      ///< virtual network
  std::uint64_t addr = 0;   ///< chip-local address at the destination, multiple of 4
  std::uint16_t bytes = 0;  ///< 4 .. kPacketBytes, multiple of 4
  bool notify = false;      ///< last packet of a descriptor that notifies
  std::uint8_t key = 0;     ///< partition key of the sending core
  std::uint16_t sem = 0;    ///< with notify: {core, semaphore} at the destination
};

/// A write the destination makes for a packet: bytes [offset, offset + bytes) of its payload.
struct Burst {
  std::uint64_t addr = 0;
  std::uint16_t offset = 0;
  std::uint16_t bytes = 0;
  bool operator==(const Burst&) const = default;
};

/// Flits of a packet with `bytes` of payload, head included.
unsigned flits(unsigned bytes);

/// Local port of the destination: the core that owns the address.
unsigned local_port(std::uint64_t addr);

/// Bytes of each packet into which a row of `row_bytes` is cut, from its start.
std::vector<std::uint16_t> cut(std::uint32_t row_bytes);

/// The header the source's network interface writes; `hop` is 0.
defs::Header header(const Message& message);

/// A management packet: chip `dst` writes the 8 bytes of its payload to the fabric register at
/// offset 0x100 + 8 * index. It changes no memory, so no commit stream knows of it.
defs::Header manage(std::uint16_t src, std::uint16_t dst, unsigned index);

/// Lane of the receiver's commit stream: {vn 2, sending core 1, sending DMA engine 4}.
std::uint8_t lane(const defs::Header& header);

/// The semaphore {core, semaphore} that a packet which notifies adds 1 to.
unsigned notified(const defs::Header& header);

/// Why the receiver rejects a packet (None: it does not). `chip` is its own id.
defs::ErrorCause refusal(const defs::Header& header, std::uint16_t chip);

/// What a packet writes, in order: 64-byte writes from the start of its payload, each split at
/// the lines of the destination.
std::vector<Burst> deliver(const defs::Header& header, unsigned line_bytes);

/// The words of the packet's flits as they leave the source (payload part only); `seq` is its
/// number in its flow. The end-to-end CRC is in the head.
std::vector<std::array<std::uint32_t, 16>> flit_payloads(const defs::Header& header,
                                                         std::span<const std::uint8_t> payload,
                                                         std::uint16_t seq);

/// Does the end-to-end CRC of a packet's flits hold, as they are on a link?
bool intact(std::span<const std::array<std::uint32_t, 16>> flits);

/// The acknowledgement of chip `src` to chip `dst`: the numbers it expects next, {core, VN}.
std::array<std::uint32_t, 16> ack_payload(std::uint16_t src, std::uint16_t dst,
                                          const std::array<std::uint16_t, 8>& expected);

/// The report of chip `chip` to the sender of a packet that is forbidden there.
std::array<std::uint32_t, 16> err_payload(std::uint16_t chip, const defs::Header& offending);

}  // namespace fabric
