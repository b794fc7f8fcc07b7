// SPDX-License-Identifier: Apache-2.0
#include "fabric/model/message.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "fabric/model/crc.h"

namespace fabric {

unsigned flits(unsigned bytes) {
  if (bytes <= defs::kInlineBytes) return 1;
  return 1 + (bytes + defs::kFlitBytes - 1) / defs::kFlitBytes;
}

unsigned local_port(std::uint64_t addr) {
  return defs::in_core1(addr) || defs::in_hbm1(addr) ? 1 : 0;
}

std::vector<std::uint16_t> cut(std::uint32_t row_bytes) {
  std::vector<std::uint16_t> pieces;
  for (std::uint32_t done = 0; done < row_bytes; done += pieces.back())
    pieces.push_back(static_cast<std::uint16_t>(std::min(row_bytes - done, defs::kPacketBytes)));
  return pieces;
}

defs::Header header(const Message& message) {
  defs::Header header;
  header.op =
      static_cast<std::uint8_t>(message.notify ? defs::PktOp::WriteNotify : defs::PktOp::Write);
  header.dst = message.dst;
  header.src = message.src;
  header.lport = static_cast<std::uint8_t>(local_port(message.addr));
  header.vn = message.vn;
  header.pkey = message.key;
  header.len = static_cast<std::uint8_t>(flits(message.bytes));
  header.bytes = message.bytes;
  header.tag = message.notify ? static_cast<std::uint8_t>(message.sem) : 0;
  header.addr = message.addr;
  const unsigned notify_core = message.notify ? message.sem >> 8 & 1u : 0u;
  header.group = static_cast<std::uint8_t>((message.core & 1u) << 5 | (message.engine & 0xfu) << 1 |
                                           notify_core);
  return header;
}

defs::Header manage(std::uint16_t src, std::uint16_t dst, unsigned index) {
  Message message{
      .src = src, .dst = dst, .vn = 0, .addr = defs::kCsrRouteSource.offset + 8 * index};
  message.bytes = 8;
  defs::Header result = header(message);
  result.op = static_cast<std::uint8_t>(defs::PktOp::Mgmt);
  return result;
}

std::uint8_t lane(const defs::Header& header) {
  return static_cast<std::uint8_t>(header.vn << 5 | (header.group >> 1 & 0x1f));
}

unsigned notified(const defs::Header& header) {
  return (header.group & 1u) * defs::kSemaphores + header.tag;
}

defs::ErrorCause refusal(const defs::Header& header, std::uint16_t chip) {
  if (header.dst != chip || header.lport >= defs::kLocalPorts)
    return defs::ErrorCause::BadDestination;
  const bool write = header.op == static_cast<std::uint8_t>(defs::PktOp::Write) ||
                     header.op == static_cast<std::uint8_t>(defs::PktOp::WriteNotify);
  const std::uint64_t row = header.addr - defs::kCsrRouteSource.offset;
  const bool manage = header.op == static_cast<std::uint8_t>(defs::PktOp::Mgmt) && header.vn == 0 &&
                      header.bytes == 8 && row < 128 && row % 8 == 0;
  const bool sizes = header.bytes >= 4 && header.bytes <= defs::kPacketBytes &&
                     header.bytes % 4 == 0 && header.addr % 4 == 0 &&
                     header.len == flits(header.bytes) && (header.vn != 0 || header.len <= 4);
  return (write || manage) && sizes && header.ver == 0 ? defs::ErrorCause::None
                                                       : defs::ErrorCause::BadDescriptor;
}

std::vector<Burst> deliver(const defs::Header& header, unsigned line_bytes) {
  std::vector<Burst> bursts;
  for (unsigned at = 0; at < header.bytes;) {
    const std::uint64_t addr = header.addr + at;
    const unsigned in_block = defs::kFlitBytes - at % defs::kFlitBytes;
    const unsigned in_line = line_bytes - static_cast<unsigned>(addr % line_bytes);
    const unsigned bytes = std::min({in_block, in_line, header.bytes - at});
    bursts.push_back({addr, static_cast<std::uint16_t>(at), static_cast<std::uint16_t>(bytes)});
    at += bytes;
  }
  return bursts;
}

namespace {

/// The CRC of a word on a link without control bits, from the CRC of the words before it.
std::uint32_t chain(std::uint32_t before, const std::array<std::uint32_t, 16>& payload) {
  defs::Flit::Words word{};
  std::copy(payload.begin(), payload.end(), word.begin());
  word[15] ^= before;
  return crc(word, 0);
}

/// Over body flits in order, then the head without CRC, `hop`, which routers change, and stamp.
std::array<std::uint32_t, 16> seal(defs::HeadPayload head, std::uint32_t bodies) {
  const auto hop = std::exchange(head.header.hop, std::uint8_t{0});
  const auto stamp = std::exchange(head.stamp, std::uint16_t{0});
  head.ecrc = 0;
  head.ecrc = chain(bodies, head.words());
  head.header.hop = hop;
  head.stamp = stamp;
  return head.words();
}

/// A control packet: 16 bytes inline.
std::array<std::uint32_t, 16> control(defs::PktOp op, std::uint16_t src, std::uint16_t dst,
                                      const void* bytes) {
  defs::HeadPayload head;
  head.header.op = static_cast<std::uint8_t>(op);
  head.header.src = src;
  head.header.dst = dst;
  head.header.len = 1;
  head.header.bytes = 16;
  std::memcpy(head.inline_data.data(), bytes, 16);
  return seal(head, 0);
}

}  // namespace

std::vector<std::array<std::uint32_t, 16>> flit_payloads(const defs::Header& header,
                                                         std::span<const std::uint8_t> payload,
                                                         std::uint16_t seq) {
  std::vector<std::array<std::uint32_t, 16>> words(flits(static_cast<unsigned>(payload.size())));
  defs::HeadPayload head;
  head.header = header;
  head.seq = seq;
  if (words.size() == 1) std::memcpy(head.inline_data.data(), payload.data(), payload.size());
  std::uint32_t bodies = 0;
  for (std::size_t i = 1; i < words.size(); ++i) {
    const std::size_t from = (i - 1) * defs::kFlitBytes;
    std::memcpy(words[i].data(), payload.data() + from,
                std::min<std::size_t>(defs::kFlitBytes, payload.size() - from));
    bodies = chain(bodies, words[i]);
  }
  words[0] = seal(head, bodies);
  return words;
}

bool intact(std::span<const std::array<std::uint32_t, 16>> flits) {
  std::uint32_t bodies = 0;
  for (const auto& body : flits.subspan(1)) bodies = chain(bodies, body);
  const auto head = defs::HeadPayload::from(flits[0]);
  return defs::HeadPayload::from(seal(head, bodies)).ecrc == head.ecrc;
}

std::array<std::uint32_t, 16> ack_payload(std::uint16_t src, std::uint16_t dst,
                                          const std::array<std::uint16_t, 8>& expected) {
  return control(defs::PktOp::Ack, src, dst, expected.data());
}

std::array<std::uint32_t, 16> err_payload(std::uint16_t chip, const defs::Header& offending) {
  return control(defs::PktOp::Err, chip, offending.src, offending.words().data());
}

}  // namespace fabric
