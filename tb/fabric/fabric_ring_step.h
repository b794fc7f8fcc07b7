// SPDX-License-Identifier: Apache-2.0
// FabricRing: traffic, and what happens in a cycle.
#pragma once
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "tb/fabric/fabric_ring.h"

namespace tb {

inline void FabricRing::step() {
  const std::size_t slot = cycle_ % options_.latency;
  for (unsigned i = 0; i < nodes_.size(); ++i) {
    Node& node = *nodes_[i];
    for (unsigned p = 0; p < cables_.ports(); ++p) {
      if (!cables_.wired({i, p})) continue;
      const fabric::End far = cables_.peer({i, p});
      std::uint32_t* rx = rx_pins(*nodes_[far.chip]->dut, far.port);
      auto& word = node.lines[p][slot];
      std::memcpy(rx, word.data(), sizeof(word));
      if (options_.flit_errors > 0) damage(rx);
      for (const auto& defect : defects_)
        if (defect.chip == i && defect.port == p) disturb(rx, defect, cycle_);
      if (options_.spoiled > 0 && type_of(rx) >= 2 && chance(options_.spoiled))
        spoil(rx, rng_), ++spoiled_;
      if (options_.tap) options_.tap(i, p, rx);
      std::memcpy(word.data(), tx_pins(*node.dut, p), sizeof(word));
      if (hashing_)
        for (const auto part : word) link_hash_ = (link_hash_ ^ part) * 0x100000001b3u;
      if (state(i, p) != defs::LinkState::Active) continue;
      repeats_asked_ += (word[16] >> 19 & 3u) == 2;
      const unsigned type = word[16] & 7u;
      if (type >= 2 && type <= 5) {
        ++node.flits[p], ++link_flits_;
        ++node.vn_flits[p][word[16] >> 4 & 3u];
        ack_flits_ += type == static_cast<unsigned>(defs::FlitType::HeadTail) &&
                      (word[3] >> 24 & 0x3fu) == static_cast<unsigned>(defs::PktOp::Ack);
        // Deadlock: only channels that the certificate knows.
        if (!board_.allowed(i, p, word[16] >> 3 & 1u))
          board_.complain(fmt::format("class on a forbidden cable, chip {} port {}", i, p));
      }
    }
  }
  for (unsigned i = 0; i < nodes_.size(); ++i)
    if (options_.resends > 0 && chance(options_.resends))
      write(i, 3, bank_ << 4 | ports_ | kResend);
  for (unsigned phase = 0; phase < 2; ++phase)
    for (unsigned i = 0; i < nodes_.size(); ++i) core_cycle(i, phase);
  ++cycle_;
}

inline void FabricRing::drain(unsigned patience) {
  std::uint64_t last = ~0ull, since = cycle_;
  while (!board_.done()) {
    step();
    if (progress() != last) last = progress(), since = cycle_;
    if (cycle_ - since > patience) {
      board_.complain(fmt::format("no progress for {} cycles: {} of {} messages", patience,
                                  delivered(), offered()));
      return;
    }
    if (board_.complaints()) return;
  }
  for (unsigned i = 0; i < patience && !quiet(); ++i) step();  // the last acknowledgements
  for (unsigned i = 0; i < nodes_.size(); ++i)
    if (!nodes_[i]->dut->quiet_o)
      board_.complain(fmt::format("chip {}: not quiet, or credits not home", i));
  board_.require_empty();
}

inline void FabricRing::post(const fabric::Message& message, std::uint64_t waited) {
  Job job{message, Payload(message.bytes), 0, 0};
  auto& rng = stream(*nodes_[message.src]);
  for (auto& byte : job.payload) byte = static_cast<std::uint8_t>(rng());
  defs::Header header = fabric::header(message);
  header.pkey = nodes_[message.src]->keys[message.core];
  board_.expect(header, job.payload, cycle_ - waited);
  nodes_[message.src]->engines[message.core][message.engine].push_back(std::move(job));
  ++nodes_[message.src]->jobs[message.core];
}

inline fabric::Message FabricRing::random_message(unsigned src, unsigned dst, unsigned most) {
  fabric::Message m;
  m.src = static_cast<std::uint16_t>(src);
  m.dst = static_cast<std::uint16_t>(dst);
  m.core = static_cast<std::uint8_t>(random(2));
  m.engine = static_cast<std::uint8_t>(random(kSizes.dma_engines));
  m.vn = static_cast<std::uint8_t>(random(4));
  if (m.vn == 0) most = std::min(most, 192u);
  m.bytes = static_cast<std::uint16_t>(4 + 4 * random(most / 4));
  static constexpr std::uint64_t kBases[] = {defs::kAddrHbm0Base, defs::kAddrHbm1Base,
                                             defs::kAddrCore0Base, defs::kAddrCore1Base};
  m.addr = kBases[random(4)] + 4 * random(1 << 20);
  m.notify = random(4) == 0;
  m.sem = static_cast<std::uint16_t>(m.notify ? random(512) : 0);
  return m;
}

inline void FabricRing::damage(std::uint32_t* word) {
  if (static_cast<double>(rng_()) >= options_.flit_errors * 0x1p32) return;
  ++damaged_;
  if (options_.lost_words && random(8) == 0) {
    std::memset(word, 0, sizeof(defs::Flit::Words));
    return;
  }
  const unsigned length = 1 + random(64), at = random(kWordBits);
  burst_error(word, at, length, rng_);
}

inline void FabricRing::core_cycle(unsigned chip, unsigned phase) {
  Node& node = *nodes_[chip];
  auto& d = *node.dut;
  d.clk_i = 0;
  d.fabric_en_i = static_cast<CData>(phase);
  if (!node.writes.empty()) {
    const auto [where, value] = node.writes.front();
    node.writes.pop_front();
    if (!put_write(d, where, value)) board_.complain(fmt::format("no write to {:#x}", where));
  } else if (!node.manage.empty()) {
    const auto [dst, index, value] = node.manage.front();
    if (put_write(d, offset(defs::kCsrMgmt, 16 * dst + index), value)) node.manage.pop_front();
  } else if (d.reg_select_i) {
    release_bus(d);
  }
  const std::uint64_t now = 2 * cycle_ + phase;
  for (unsigned c = 0; c < 2; ++c) {
    offer(node, c);
    Side& side = node.side[c];
    if (options_.stall && node.stalled[c] == 0 && random(options_.stall * 4) == 0)
      node.stalled[c] = random(options_.stall);
    *side.req_ready = node.stalled[c] == 0 && chance(options_.ready) && may_write(node, c, now);
    *side.settled = chance(options_.settled);
    if (node.stalled[c]) --node.stalled[c];
  }
  d.eval();
  for (unsigned c = 0; c < 2; ++c) {
    taken(node, c);
    board_.observe(chip, c, node.side[c], now);
    if (options_.one_sink) sink(node, c, now);
  }
  if (d.error_valid_o) {
    ++errors_;
    node.refusals.received += (d.error_valid_o & 1u) + (d.error_valid_o >> 1 & 1u);
    node.refusals.own += (d.error_valid_o >> 2 & 1u) + (d.error_valid_o >> 3 & 1u);
  }
  if (look_) look_(chip);
  d.clk_i = 1;
  d.eval();
}

inline bool FabricRing::may_write(const Node& node, unsigned c, std::uint64_t now) const {
  if (!options_.one_sink) return true;
  return now >= node.sink_free && !(c == node.sink_last && *node.side[1 - c].req_valid);
}

inline void FabricRing::sink(Node& node, unsigned c, std::uint64_t now) const {
  const Side& side = node.side[c];
  const unsigned heads = *side.message_valid;
  unsigned bytes = 0;
  if (*side.req_valid && *side.req_ready) {
    bytes = static_cast<unsigned>(defs::get_bits(side.req, ReqPins::kBytes, 9));
    node.sink_last = c;
  }
  const unsigned flits = heads + (bytes + defs::kFlitBytes - 1) / defs::kFlitBytes;
  if (flits) node.sink_free = std::max(node.sink_free, now) + defs::kFabricDivide * flits;
}

inline void FabricRing::offer(Node& node, unsigned c) {
  Side& side = node.side[c];
  if (node.offering[c] >= 0) return;
  *side.msg_valid = 0;
  auto& engines = node.engines[c];
  if (node.jobs[c] == 0) return;
  if (!chance(options_.send)) return;
  unsigned e = static_cast<unsigned>(stream(node)() % kSizes.dma_engines);
  while (engines[e].empty()) e = (e + 1) % kSizes.dma_engines;
  Job& job = engines[e].front();
  const auto& m = job.message;
  const unsigned left = m.bytes - job.sent;
  unsigned bytes = std::min(left, kSizes.line_bytes);
  if (job.sent == 0 && options_.send < 1)
    bytes = std::min(left, 4 + 4 * random(kSizes.line_bytes / 4));
  std::uint32_t* pins = side.msg;
  for (unsigned i = 0; i < ChunkPins::kWords; ++i)
    pins[i] = static_cast<std::uint32_t>(stream(node)());  // unused: junk
  std::memcpy(pins, job.payload.data() + job.sent, bytes);
  const bool last = bytes == left;
  defs::put_bits(pins, ChunkPins::kSem, 9, last && m.notify ? m.sem : 0);
  defs::put_bits(pins, ChunkPins::kNotify, 1, last && m.notify);
  defs::put_bits(pins, ChunkPins::kLast, 1, last);
  defs::put_bits(pins, ChunkPins::kVn, 2, m.vn);
  defs::put_bits(pins, ChunkPins::kBytes, 9, bytes);
  defs::put_bits(pins, ChunkPins::kAddr, 48, m.addr + job.sent);
  defs::put_bits(pins, ChunkPins::kDst, 10, m.dst);
  defs::put_bits(pins, ChunkPins::kEngine, 4, e);
  pins[ChunkPins::kWords - 1] &= ChunkPins::kTopMask;
  job.sent += bytes;
  *side.msg_valid = 1;
  node.offering[c] = static_cast<int>(e);
}

inline void FabricRing::taken(Node& node, unsigned c) {
  if (node.offering[c] < 0 || !*node.side[c].msg_ready) return;
  auto& queue = node.engines[c][static_cast<unsigned>(node.offering[c])];
  if (queue.front().sent == queue.front().message.bytes) {
    last_start_ = 2 * cycle_ + node.dut->fabric_en_i;
    queue.pop_front();
    --node.jobs[c];
  }
  node.offering[c] = -1;
  ++beats_;
}

}  // namespace tb
