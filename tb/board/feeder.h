// SPDX-License-Identifier: Apache-2.0
// Requests that reach the host while the machine runs (cmodel::Request), from their arrival to
// their answer.
//
//   arrival --queue of the chip--> bytes to HBM, doorbell --> stream runs --> its completion
//             until the stream is at rest
#pragma once
#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "cmodel/program/program.h"

namespace tb {

/// Fabric cycles of the board. `sent`: the first byte left the host; `answered`: the completion of
/// the stream came.
struct Served {
  std::uint64_t arrival = 0, sent = 0, answered = 0;
};

class Feeder {
 public:
  /// `program` must outlive it.
  explicit Feeder(const cmodel::Program& program);

  /// The streams run: arrivals count from here.
  void start(std::uint64_t cycle);

  /// What is to be sent to the chip now, if anything is: up to 64 bytes for HBM, or the doorbell of
  /// the stream.
  std::optional<defs::HostReq> next(unsigned chip, std::uint64_t cycle);
  /// The next request of the chip has not arrived yet, and nothing else holds it up.
  bool expects(unsigned chip, std::uint64_t cycle) const;

  /// A stream of the chip has ended, or, `stopped`, will never start again.
  void ended(unsigned chip, unsigned core, unsigned engine, std::uint64_t cycle, bool stopped);

  /// In the program's order; those that were answered have `answered`.
  const std::vector<Served>& served() const { return served_; }

 private:
  enum class Stream { Rests, Runs, Stopped };
  struct Chip {
    std::deque<std::size_t> queue;  ///< requests not sent completely
    std::size_t done = 0;           ///< bytes of the first one that were sent
    struct Door {
      Stream state = Stream::Rests;
      std::size_t request = 0;  ///< that it runs for
    };
    std::array<Door, defs::kCores * defs::kSequencers> doors{};
  };
  static Chip::Door& door(Chip& chip, unsigned core, unsigned engine) {
    return chip.doors[core * defs::kSequencers + engine];
  }
  bool held_up(const Chip& chip) const;

  const cmodel::Program& program_;
  std::vector<Chip> chips_;
  std::vector<Served> served_;
};

}  // namespace tb
