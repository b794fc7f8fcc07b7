// SPDX-License-Identifier: Apache-2.0
#include "cmodel/board/guard.h"

namespace cmodel {

Guard::Guard(const Program& program) : keys_(program.keys.begin(), program.keys.end()) {
  if (keys_.empty()) keys_.insert(0);
  for (const Partition& part : program.partitions) cores_[part.chip][part.core] = part;
}

defs::PeerAccess Guard::peer(unsigned chip, unsigned core) const {
  const Partition& other = cores_[chip][1 - core];
  return {.limit = other.end, .base = other.base, .shared = other.key == cores_[chip][core].key};
}

bool Guard::allowed(const defs::Header& header) const {
  const auto& owners = cores_[header.dst];
  const Partition& owner = owners[header.lport & 1];
  if (!keys_.contains(header.pkey) || header.pkey != owner.key) return false;
  if (!in_window(owner.base, owner.end, header.addr, header.bytes)) return false;
  const bool notifies = header.op == static_cast<unsigned>(defs::PktOp::WriteNotify);
  return !notifies || header.pkey == owners[header.group & 1].key;
}

bool Guard::lets_pass(const StreamId& from, const defs::Header& header) {
  const std::tuple<unsigned, unsigned, unsigned, unsigned> flow{from.chip, from.core, header.dst,
                                                                header.vn};
  if (ended_.contains(flow)) return false;
  if (allowed(header)) return true;
  ended_.insert(flow);
  forbidden_.push_back(header);
  return false;
}

}  // namespace cmodel
