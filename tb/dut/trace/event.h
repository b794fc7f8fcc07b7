// SPDX-License-Identifier: Apache-2.0
// What timeline_tracer tells about one chip, as it happens.
#pragma once
#include <cstdint>
#include <vector>

namespace tb::timeline {

/// `unit`, `value` of an event; the numbers are those of tb/dut/trace/timeline_dpi.sv.
enum class Happening : std::uint8_t {
  Issue,            ///< sequencer; instruction pc goes to the engine (or is a NOP or END)
  Retire,           ///< sequencer; its oldest instruction is done (tensor engine: or pair of them)
  Stall,            ///< sequencer; from now on a Reason, with the semaphore in bits 8 and up
  LoadStart,        ///< 0; LOAD_STATIONARY pc starts to read weights
  LoadEnd,          ///< 0
  StreamStart,      ///< stream (0: upper or all rows, 1: lower); MULTIPLY_MOVING pc starts
  StreamEnd,        ///< stream
  DescriptorStart,  ///< DMA engine; descriptor pc is read, perhaps while older ones write
  DescriptorEnd,    ///< DMA engine; its oldest one
  HbmRead,          ///< port; a line is asked for bytes (from the pins, not the tracer)
  HbmWrite,         ///< likewise
};

/// Why a sequencer issues nothing in a cycle.
enum class Reason : std::uint8_t {
  Stopped,    ///< no program, or it ended, or an error
  None,       ///< it does issue
  Semaphore,  ///< the condition of the next instruction does not hold
  Fetch,      ///< the next instruction has not come from HBM
  Engine,     ///< the engine takes no more, or 16 are in flight
  Update,     ///< an update that may be rejected is not yet answered
  Ending,     ///< END is issued, older work is not done
};
inline constexpr unsigned kReasons = 7;

struct Event {
  std::uint64_t cycle;  ///< core cycle at whose end it happened
  Happening what;
  std::uint8_t core, unit;
  std::uint32_t pc, value;
};

/// Events of one chip in one window, kept until the barrier.
class EventBuffer {
 public:
  void set_cycle(std::uint64_t core_cycle) { cycle_ = core_cycle; }
  void add(Happening what, unsigned core, unsigned unit, std::uint32_t pc, std::uint32_t value) {
    events_.push_back({cycle_, what, static_cast<std::uint8_t>(core),
                       static_cast<std::uint8_t>(unit), pc, value});
  }
  void clear() { events_.clear(); }
  const std::vector<Event>& events() const { return events_; }

 private:
  std::uint64_t cycle_ = 0;
  std::vector<Event> events_;
};

}  // namespace tb::timeline
