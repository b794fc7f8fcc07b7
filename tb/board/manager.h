// SPDX-License-Identifier: Apache-2.0
// A host that writes the fabric's registers of other chips, by management packets of its own chip.
#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "rtl/defs/gen/defs.h"

namespace tb {

/// One request at a time: behind each packet it asks whether that has left, at the end whether
/// everything was acknowledged. Its answers must be the only ones that its port gives meanwhile.
class Manager {
 public:
  explicit Manager(unsigned chip) : chip_(chip) {}

  unsigned chip() const { return chip_; }
  /// Chip `dst` is to write `value` to a fabric register.
  void tell(unsigned dst, const defs::Csr& csr, unsigned index, std::uint64_t value);
  /// FabricSwitch of its own chip is to be read, when everything was acknowledged.
  void ask_switch() { asks_switch_ = true; }

  /// The next request for its port, if there is one.
  std::optional<defs::HostReq> next();
  bool waits() const { return waits_; }
  /// Packets that its chip was ordered to send to another.
  std::uint64_t packets(unsigned dst) const {
    const auto found = sent_to_.find(dst);
    return found == sent_to_.end() ? 0 : found->second;
  }
  void answer(std::uint64_t word);

  /// Nothing to tell or ask, everything acknowledged and answered.
  bool done() const { return packets_.empty() && unsure_.empty() && !asks_switch_ && !waits_; }
  /// FabricSwitch when it was last asked.
  bool armed() const { return switch_ >> 31 & 1; }
  std::uint16_t cycle() const { return static_cast<std::uint16_t>(switch_ >> 32); }
  /// A chip that cannot be reached or does not obey; one line.
  const std::string& fault() const { return fault_; }

 private:
  struct Packet {
    unsigned dst, entry;  ///< of Mgmt
    std::uint64_t value;
  };
  unsigned chip_;
  std::deque<Packet> packets_;
  std::map<unsigned, std::uint64_t> sent_to_;
  std::set<unsigned> unsure_;     ///< chips that were notified and have not confirmed
  std::optional<unsigned> sent_;  ///< chip whose packet may not have left
  bool asks_switch_ = false, waits_ = false, asked_switch_ = false;
  unsigned asked_ = 0;
  std::uint64_t switch_ = 0;
  std::string fault_;
};

}  // namespace tb
