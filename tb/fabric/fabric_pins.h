// SPDX-License-Identifier: Apache-2.0
// The pins of a Verilated fabric node, by core, local port and link port.
#pragma once
#include <array>
#include <cstring>

#include "rtl/defs/gen/defs.h"
#ifdef FABRIC_INF2
#include "Vfabric_probe_inf2.h"
#include "Vfabric_probe_inf2___024root.h"
#else
#include "Vfabric_probe.h"
#include "Vfabric_probe___024root.h"
#endif

namespace tb {

#ifdef FABRIC_INF2
using Probe = Vfabric_probe_inf2;
inline constexpr defs::Sizes kSizes = defs::kInf2;
#else
using Probe = Vfabric_probe;
inline constexpr defs::Sizes kSizes = defs::kMini;
#endif
inline constexpr unsigned kLineBits = kSizes.line_bytes * 8;

/// Bit positions of size_pkg's structs: the line, then the fields behind it.
struct ChunkPins {
  static constexpr unsigned kSem = kLineBits, kNotify = kSem + 9, kLast = kSem + 10,
                            kVn = kSem + 11, kBytes = kSem + 13, kAddr = kSem + 22,
                            kDst = kSem + 70, kEngine = kSem + 80, kWords = (kSem + 84 + 31) / 32;
  static constexpr std::uint32_t kTopMask = (1u << (kSem + 84) % 32) - 1;
};
struct ReqPins {
  static constexpr unsigned kTag = kLineBits, kBytes = kTag + 12, kAddr = kTag + 21,
                            kWrite = kTag + 69;
};

// ---- the register bus
inline std::uint32_t offset(const defs::Csr& csr, unsigned index = 0, unsigned core = 0) {
  return csr.offset + 8 * index + core * defs::kCsrCoreStride;
}
/// Nothing on the bus.
inline void release_bus(Probe& d) { d.reg_select_i = d.reg_apply_i = 0; }
/// Puts a write on the bus, and `apply` with it if it is legal.
inline bool put_write(Probe& d, std::uint32_t offset, std::uint64_t value) {
  defs::RegReq{.write = 1, .offset = offset, .data = value}.pack(d.reg_i.data());
  d.reg_select_i = 1;
  d.reg_apply_i = 0;
  d.eval();
  d.reg_apply_i = defs::RegRsp::unpack(d.reg_o.data()).cause == 0;
  return d.reg_apply_i;
}
inline std::uint64_t read_register(Probe& d, std::uint32_t offset) {
  defs::RegReq{.write = 0, .offset = offset, .data = 0}.pack(d.reg_i.data());
  d.reg_select_i = 1;
  d.reg_apply_i = 0;
  d.eval();
  const std::uint64_t value = defs::RegRsp::unpack(d.reg_o.data()).data;
  release_bus(d);
  return value;
}

/// The pins of core or local port `c` of a node.
struct Side {
  CData *msg_valid, *msg_ready, *req_valid, *req_ready, *req_err, *settled, *sem_valid;
  CData *message_valid, *message_lane, *burst_valid, *burst_lane, *sem_lane, *trace_sem_valid;
  std::uint32_t *msg, *req, *header, *payload;
  SData *message_src, *message_bytes, *burst_src, *sem_src;
  IData* sem;
};

/// Core and local port 0 and 1 of a node.
inline std::array<Side, 2> sides(Probe& d) {
  std::array<Side, 2> side;
#define SIDE(c)                               \
  side[c] = {&d.msg##c##_valid_i,             \
             &d.msg##c##_ready_o,             \
             &d.rx##c##_req_valid_o,          \
             &d.rx##c##_req_ready_i,          \
             &d.rx##c##_req_err_i,            \
             &d.rx##c##_settled_i,            \
             &d.sem##c##_valid_o,             \
             &d.message##c##_valid_o,         \
             &d.message##c##_lane_o,          \
             &d.burst##c##_valid_o,           \
             &d.burst##c##_lane_o,            \
             &d.trace_sem##c##_lane_o,        \
             &d.trace_sem##c##_valid_o,       \
             d.msg_i[c].data(),               \
             d.rx_req_o[c].data(),            \
             d.message##c##_header_o.data(),  \
             d.message##c##_payload_o.data(), \
             &d.message##c##_src_o,           \
             &d.message##c##_bytes_o,         \
             &d.burst##c##_src_o,             \
             &d.trace_sem##c##_src_o,         \
             &d.sem##c##_o};
  SIDE(0)
  SIDE(1)
#undef SIDE
  return side;
}

inline std::uint32_t* rx_pins(Probe& d, unsigned port) { return d.link_rx_i[port].data(); }
inline const std::uint32_t* tx_pins(const Probe& d, unsigned port) {
  return d.link_tx_o[port].data();
}
inline const std::uint32_t* status_pins(const Probe& d, unsigned port) {
  return d.link_status_o[port].data();
}

}  // namespace tb
