// SPDX-License-Identifier: Apache-2.0
// The host's part of a live switch-over: another set of routing tables while a program runs.
#pragma once
#include <cstdint>
#include <deque>
#include <set>
#include <string>
#include <vector>

#include "fabric/model/tables.h"
#include "rtl/defs/gen/defs.h"
#include "tb/board/manager.h"

namespace tb {

/// A write or read of a 64-bit register through the host port.
defs::HostReq csr_write(const defs::Csr& csr, unsigned core, unsigned index, std::uint64_t value);
defs::HostReq csr_read(const defs::Csr& csr, unsigned core, unsigned index);

/// Takes cables out of service, because they died or because somebody asked:
///
///   Serving --a cable must go--> Stopping  no packet leaves its sender any more
///                                Draining  until nothing was in flight in one fabric cycle
///                                Loading   tables for the cables that are left; banks change
///                                Resuming  senders go on                       --> Serving
///
/// What waits at its sender is looked up again when the bank changes (fabric_ni_tx). What was lost
/// on the cable is the senders' to repeat.
///
/// `by_packets`: two managers, chip 0 and the one across, load all others while senders go on, each
/// those that it reaches, and reach it, by the tables in use, and let all chips switch in one
/// fabric cycle:
///
///   Serving --> Telling   tables, until they are acknowledged
///               Timing    what fabric cycle is it?
///               Arming    FabricSwitch, until that is acknowledged too, in time
///               Switching until it is done                                       --> Serving
///
/// A chip that neither reaches is written by its own host.
class Reroute {
 public:
  /// `tables`: what is or will be in use; `loaded`: into the routers, else they compute it
  /// themselves.
  Reroute(const fabric::Board& cables, const fabric::Tables& tables, bool loaded, bool by_packets);

  /// Register writes that chips need before all others; their owner sends and removes them.
  std::vector<std::deque<defs::HostReq>> requests;

  /// The cable at this end must go.
  void leave(fabric::End end);
  /// Once in every fabric cycle. `drained`: nothing was in flight on any chip. `written`: every
  /// chip has executed all `requests`.
  /// `free`: nobody waits for an answer of a port.
  void advance(std::uint64_t cycle, bool drained, bool written, bool free);

  /// The manager on this chip, if one is there.
  Manager* manager(unsigned chip);
  /// Management packets that chip `src` was ordered to send to chip `dst`.
  std::uint64_t packets(unsigned src, unsigned dst) const;

  bool busy() const { return step_ != Step::Serving; }
  /// Chips that are cut off from each other; one line, empty if none are.
  const std::string& fault() const { return fault_; }
  unsigned switches() const { return switches_; }
  /// Was this packet, delivered in that fabric cycle, sent by another route than at the beginning?
  bool rerouted(unsigned src, unsigned dst, std::uint64_t cycle) const;

 private:
  enum class Step {
    Serving,
    Stopping,
    Draining,
    Loading,
    Resuming,
    Telling,
    Timing,
    Arming,
    Switching
  };
  void control(bool stop);
  void load();
  void tell();
  void arm();
  bool acknowledged() const;
  void switched(std::uint64_t cycle);
  /// The manager that reaches this chip by the tables in use, and is reached.
  Manager* manager_of(unsigned chip);

  fabric::Board cables_;               ///< still in service
  fabric::Tables first_, now_, next_;  ///< when the program began, in use, to come
  bool by_packets_, starting_ = false;
  std::vector<Manager> managers_;
  std::uint16_t at_ = 0;  ///< fabric cycle, mod 2^16, in which senders are to stop
  unsigned ports_, bank_;
  std::set<fabric::End> gone_;
  Step step_ = Step::Serving;
  bool wanted_ = false;
  unsigned switches_ = 0;
  std::uint64_t since_ = 0;  ///< fabric cycle in which the first switch-over was complete
  std::string fault_;
};

/// Loads `tables` into the bank that is not in use.
void load_tables(std::deque<defs::HostReq>& requests, unsigned chip, const fabric::Tables& tables);
/// FabricControl.
defs::HostReq fabric_control(unsigned ports, unsigned bank, bool stop);

}  // namespace tb
