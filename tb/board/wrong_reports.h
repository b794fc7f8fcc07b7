// SPDX-License-Identifier: Apache-2.0
// Errors that the host was notified of, against the stops of the golden model.
#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "cmodel/board/board.h"
#include "tb/board/host.h"

namespace tb {

struct WrongReport {
  enum class Kind : std::uint8_t {
    Other,     ///< of an engine that stops, but not there or not because of that
    Spurious,  ///< of an engine that does not stop
    Missing,   ///< the engine stops, the host was not told
  };
  cmodel::StreamId stream;
  std::uint32_t pc = 0;
  Kind kind = Kind::Other;
};

struct WrongReports {
  std::string lines;  ///< one for each, the first few
  std::optional<WrongReport> first;
};

/// The host must be notified of every stop of the model, and of no other. A receiver serves all
/// senders and tells its first rejection only.
WrongReports wrong_reports(std::span<const HostError> notified, const cmodel::Board& model);

}  // namespace tb
