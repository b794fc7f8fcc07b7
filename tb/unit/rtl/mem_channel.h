// SPDX-License-Identifier: Apache-2.0
// Fields of the size-dependent structs mem_req, mem_rsp and msg_chunk on Verilated pins.
#pragma once
#include <cstdint>
#include <cstring>
#include <vector>

#include "rtl/defs/gen/defs.h"

namespace tb {

using Line = std::vector<std::uint8_t>;

/// mem_req_t as a value; `data` is a whole line (may be empty: zero).
struct MemReq {
  bool write = false;
  std::uint64_t addr = 0;
  unsigned bytes = 0;
  unsigned tag = 0;
  Line data;
};

struct MemRsp {
  unsigned tag = 0;
  Line data;
};

struct MsgChunk {
  unsigned engine = 0, dst = 0;
  std::uint64_t addr = 0;
  unsigned bytes = 0, vn = 0;
  bool last = false, notify = false;
  unsigned sem = 0;
  Line data;
};

template <class Pin>
void put_line(Pin& pin, const Line& line, unsigned line_bytes) {
  std::memset(&pin, 0, line_bytes);
  if (!line.empty()) std::memcpy(&pin, line.data(), line_bytes);
}

template <class Pin>
Line get_line(const Pin& pin, unsigned line_bytes) {
  Line line(line_bytes);
  std::memcpy(line.data(), &pin, line_bytes);
  return line;
}

template <class Pin>
void put(Pin& pin, const MemReq& req, unsigned line_bytes) {
  put_line(pin, req.data, line_bytes);
  auto* words = reinterpret_cast<std::uint32_t*>(&pin);
  const unsigned at = line_bytes * 8;
  defs::put_bits(words, at, 12, req.tag);
  defs::put_bits(words, at + 12, 9, req.bytes);
  defs::put_bits(words, at + 21, 48, req.addr);
  defs::put_bits(words, at + 69, 1, req.write);
}

template <class Pin>
MemReq get_req(const Pin& pin, unsigned line_bytes) {
  const auto* words = reinterpret_cast<const std::uint32_t*>(&pin);
  const unsigned at = line_bytes * 8;
  MemReq req;
  req.tag = static_cast<unsigned>(defs::get_bits(words, at, 12));
  req.bytes = static_cast<unsigned>(defs::get_bits(words, at + 12, 9));
  req.addr = defs::get_bits(words, at + 21, 48);
  req.write = defs::get_bits(words, at + 69, 1);
  req.data = get_line(pin, line_bytes);
  return req;
}

template <class Pin>
void put(Pin& pin, const MemRsp& rsp, unsigned line_bytes) {
  put_line(pin, rsp.data, line_bytes);
  defs::put_bits(reinterpret_cast<std::uint32_t*>(&pin), line_bytes * 8, 12, rsp.tag);
}

template <class Pin>
MemRsp get_rsp(const Pin& pin, unsigned line_bytes) {
  const auto* words = reinterpret_cast<const std::uint32_t*>(&pin);
  return {static_cast<unsigned>(defs::get_bits(words, line_bytes * 8, 12)),
          get_line(pin, line_bytes)};
}

template <class Pin>
MsgChunk get_chunk(const Pin& pin, unsigned line_bytes) {
  const auto* words = reinterpret_cast<const std::uint32_t*>(&pin);
  unsigned at = line_bytes * 8;
  const auto field = [&](unsigned bits) {
    const auto value = defs::get_bits(words, at, bits);
    at += bits;
    return value;
  };
  MsgChunk chunk;
  chunk.sem = static_cast<unsigned>(field(9));
  chunk.notify = field(1);
  chunk.last = field(1);
  chunk.vn = static_cast<unsigned>(field(2));
  chunk.bytes = static_cast<unsigned>(field(9));
  chunk.addr = field(48);
  chunk.dst = static_cast<unsigned>(field(10));
  chunk.engine = static_cast<unsigned>(field(4));
  chunk.data = get_line(pin, line_bytes);
  return chunk;
}

}  // namespace tb
