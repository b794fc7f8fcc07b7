// SPDX-License-Identifier: Apache-2.0
// How the nodes of a FabricRing, their links and sinks behave.
#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "fabric/model/tables.h"
#include "tb/fabric/fabric_scoreboard.h"
#include "tb/fabric/fabric_words.h"

namespace tb {

struct Options {
  unsigned chips = defs::kBoardChips;
  unsigned latency = defs::kLinkLatency;  ///< fabric cycles
  unsigned seed = 1;
  double send = 1;         ///< probability that a core offers a beat in a free core cycle
  double ready = 1;        ///< probability that a write is accepted in a core cycle
  double settled = 1;      ///< likewise for settled
  unsigned stall = 0;      ///< now and then a sink stops for up to so many core cycles
  double flit_errors = 0;  ///< probability that a word is damaged on a link
  bool lost_words = true;  ///< one damaged word in eight is lost
  /// Latencies count until a message has left its chip's only port, of one flit per cycle, which
  /// the RTL does not have: for comparison.
  bool one_port = false;
  /// Both receivers of a chip write through one port, which takes a flit per fabric cycle and holds
  /// them back meanwhile. Likewise.
  bool one_sink = false;
  double spoiled = 0;  ///< probability that a flit is changed without the link's notice
  double resends = 0;  ///< likewise that a node sends everything again in a fabric cycle
  unsigned timeout = defs::kRetryTimeout;  ///< fabric cycles until a packet is sent again
  int reset_seed = 0;             ///< other than 0: registers without reset start at random
  std::vector<Defect> defects{};  ///< from the start
  /// Each chip draws its stimulus from a stream of its own, and what it receives is kept with
  /// times.
  bool traced = false;
  /// Changes a word of (chip, port) where it arrives, and may look only.
  std::function<void(unsigned, unsigned, std::uint32_t*)> tap = {};
  /// What to do with what the scoreboard finds; none: the test fails.
  Scoreboard::Complain complain = {};
  /// Loaded into all nodes before the first cycle; none: the nodes route as a ring by themselves.
  std::optional<fabric::Tables> tables = {};
};

}  // namespace tb
