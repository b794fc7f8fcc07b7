// SPDX-License-Identifier: Apache-2.0
// Timing of a chip's HBM: two ports on one sparse memory.
#pragma once
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <deque>
#include <vector>

#include "cmodel/machine/hbm.h"
#include "rtl/defs/gen/defs.h"

namespace tb {

/// 820 GB/s at 1.5 GHz: what both ports of a chip get together. The pins carry 2 x 256 B a cycle
/// (inf2), so the published bandwidth is just above what they can ask for.
inline constexpr unsigned kHbmBytesPerCycle = 547;

/// Both stacks of a chip. A request is visible to every later one as soon as it is accepted; reads
/// are answered HbmLatency core cycles after that (unless told otherwise), in order per port. A
/// port accepts a line every HbmLineCycles cycles while the token bucket of the chip
/// (kHbmBytesPerCycle a cycle, holds two lines) has a line left.
class HbmTiming {
 public:
  explicit HbmTiming(const defs::Sizes& sizes) : sizes_(sizes), tokens_(2 * sizes.line_bytes) {
    for (Port& port : ports_) port.answers.resize(kInFlight);
    for (Port& port : ports_)
      for (Answer& answer : port.answers) answer.line.resize(sizes.line_bytes);
  }

  /// Before the run; 1 .. kInFlight - 1 core cycles.
  void set_latency(unsigned cycles) { latency_ = cycles; }
  static constexpr unsigned kInFlight = 256;  ///< more than any latency: never the limit

  /// Once per core cycle, before the ports are driven.
  void begin_cycle() {
    ++cycle_;
    tokens_ = std::min(tokens_ + kHbmBytesPerCycle, 2 * sizes_.line_bytes);
  }

  bool ready(unsigned port) const {
    const Port& p = ports_[port];
    return cycle_ >= p.next_line && p.count < kInFlight &&
           tokens_ >= sizes_.line_bytes * (port + 1);
  }
  bool answer_valid(unsigned port) const {
    const Port& p = ports_[port];
    return p.count && cycle_ >= p.answers[p.head].due;
  }
  /// Writes the words of the mem_rsp at the head.
  void answer(unsigned port, std::uint32_t* words) const {
    const Answer& a = ports_[port].answers[ports_[port].head];
    std::memcpy(words, a.line.data(), sizes_.line_bytes);
    words[sizes_.line_bytes / 4] = a.tag;
  }
  void answer_taken(unsigned port) {
    Port& p = ports_[port];
    p.head = (p.head + 1) % kInFlight;
    --p.count;
  }

  struct Request {
    std::uint16_t tag;
    std::uint64_t bytes, addr;
    bool write;
  };
  /// Of the words of a mem_req.
  Request request(const std::uint32_t* words) const {
    const unsigned at = sizes_.line_bytes * 8;
    return {static_cast<std::uint16_t>(defs::get_bits(words, at, 12)),
            defs::get_bits(words, at + 12, 9), defs::get_bits(words, at + 21, 48),
            defs::get_bits(words, at + 69, 1) != 0};
  }
  /// Takes them. False: the address is outside this stack (an error of the RTL).
  [[nodiscard]] bool accept(unsigned port, const Request& request, const std::uint32_t* words) {
    const auto& [tag, bytes, addr, write] = request;
    if (!cmodel::Hbm::mapped(addr, bytes) || (addr >= defs::kAddrHbm1Base) != (port == 1))
      return false;
    Port& p = ports_[port];
    p.next_line = cycle_ + sizes_.hbm_line_cycles;
    tokens_ -= sizes_.line_bytes;
    const std::uint64_t line = addr & ~std::uint64_t{sizes_.line_bytes - 1};
    if (write) {
      const auto* data = reinterpret_cast<const std::uint8_t*>(words) + (addr - line);
      memory_.write(addr, {data, bytes});
    } else {
      Answer& a = p.answers[(p.head + p.count++) % kInFlight];
      a.due = cycle_ + latency_;
      a.tag = tag;
      memory_.read(line, a.line);
    }
    return true;
  }

  bool idle() const { return !ports_[0].count && !ports_[1].count; }
  const cmodel::Hbm& memory() const { return memory_; }
  /// Past the ports, in no time.
  cmodel::Hbm& memory() { return memory_; }

 private:
  struct Answer {
    std::uint64_t due = 0;
    std::uint16_t tag = 0;
    std::vector<std::uint8_t> line;
  };
  struct Port {
    std::uint64_t next_line = 0;
    std::vector<Answer> answers;  ///< ring
    unsigned head = 0, count = 0;
  };
  const defs::Sizes& sizes_;
  unsigned tokens_, latency_ = defs::kHbmLatency;
  std::uint64_t cycle_ = 0;
  std::array<Port, defs::kHbmPorts> ports_;
  cmodel::Hbm memory_;
};

}  // namespace tb
