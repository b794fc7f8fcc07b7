// SPDX-License-Identifier: Apache-2.0
#include "cmodel/board/observers.h"

namespace cmodel {
namespace {

constexpr auto kHost = static_cast<unsigned>(defs::Engine::Host);
constexpr auto kRx = static_cast<unsigned>(defs::Engine::Rx);
/// Of a chip: 64 places for each core, then the receivers'.
constexpr std::size_t kChipStreams = 2 * 64 + defs::kBoardChips * 128;

/// Both lanes of a tensor engine execute one program in order.
StreamId in_program_order(StreamId id) {
  if (id.engine == static_cast<unsigned>(defs::Engine::Tensor)) id.lane = 0;
  return id;
}

StreamId stream_of(const InstrStream& stream) {
  return {static_cast<std::uint8_t>(stream.chip), static_cast<std::uint8_t>(stream.core),
          static_cast<std::uint8_t>(stream.engine), 0, 0};
}

}  // namespace

StreamId host_stream(unsigned chip) {
  return {static_cast<std::uint8_t>(chip), 0, static_cast<std::uint8_t>(defs::Engine::Host), 0, 0};
}

Observers::Observers(const defs::Sizes& sizes, const Program& program, const BoardOptions& options)
    : program_(program),
      executed_(options.executed),
      copied_(options.copied),
      track_liveness_(options.track_liveness),
      keep_trace_(options.keep_trace) {
  if (track_liveness_) positions_.resize(defs::kBoardChips * kChipStreams);
  if (options.detect_races) races_.emplace(sizes, program.chips);
}

std::size_t Observers::position_of(const StreamId& id) {
  const std::size_t base = id.chip * kChipStreams;
  return id.engine == kRx ? base + 128 + id.src * 128u + id.lane
                          : base + id.core * 64u + (id.lane ? 63u : id.engine);
}

void Observers::begin(const StreamId& stream, const OperationId& operation) {
  if (races_ && stream.engine != kHost) races_->begin(in_program_order(stream), operation);
  if (!track_liveness_) return;
  auto& position = positions_[position_of(stream)];
  position.begin = position.now;
}

void Observers::issued(const StreamId& stream, const OperationId& operation,
                       const defs::Instr& instr) {
  if (executed_) executed_(stream, operation, instr);
  if (keep_trace_) trace_.add(stream, operation, instr);
  const bool equal = instr.wait_op == static_cast<std::uint8_t>(defs::WaitOp::Eq);
  if (races_ && instr.wait_op) races_->wait(stream.chip, instr.wait_sem, instr.wait_value, equal);
}

void Observers::answered() {
  if (races_) races_->answer();
}

void Observers::copies(const StreamId& stream, const OperationId& operation,
                       const defs::Descriptor& descriptor, const RowPlaces& places) {
  if (copied_) copied_(stream, operation, descriptor, places);
  if (keep_trace_) trace_.add(stream, operation, descriptor, places);
}

void Observers::received(const StreamId& from) {
  if (races_) races_->after(from);
}

void Observers::updated(const StreamId& stream, unsigned chip, unsigned sem, int delta) {
  if (races_) races_->update(stream, chip, sem, delta);
}

void Observers::rang(const StreamId& stream, const StreamId& to, unsigned count) {
  if (races_) races_->ring(stream, to, count);
}

void Observers::end(const StreamId& stream, const OperationId& operation,
                    std::span<const Footprint> footprints) {
  for (const auto& footprint : footprints) {
    if (races_ && stream.engine != kHost) races_->access(in_program_order(stream), footprint);
    if (!track_liveness_) continue;
    const auto& position = positions_[position_of(stream)];
    liveness_.add(footprint, stream, operation, position.begin, position.now);
  }
}

// The host starts nothing before all chips are loaded: that part of its work cannot race. It
// reads the regions when every sequencer has executed END: a transfer that nobody waited for may
// still be under way then.
void Observers::read_regions() {
  if (!races_ || regions_read_) return;
  regions_read_ = true;
  std::vector<Footprint> footprints;
  for (const auto& region : program_.regions) {
    const StreamId host = host_stream(region.chip);
    races_->begin(host, 0);
    for (const auto& stream : program_.streams) races_->after(stream_of(stream));
    footprints.clear();
    footprints_of_rows(region.chip, region.addr, 0, 1, region.bytes, false, footprints);
    for (const auto& footprint : footprints) races_->access(host, footprint);
  }
}

}  // namespace cmodel
