// SPDX-License-Identifier: Apache-2.0
// What a run executed: the instructions of every sequencer and the descriptors of every DMA engine,
// in its order, with their registers resolved.
#pragma once
#include <cstdint>
#include <map>
#include <vector>

#include "cmodel/machine/commit.h"
#include "cmodel/machine/dma.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// By stream (lane 0) and serial. Instructions that were rejected are the last of their streams,
/// descriptors that were are left out.
class Trace {
 public:
  struct Entry {
    OperationId operation;
    defs::Instr instr;
  };
  void add(StreamId stream, const OperationId& operation, const defs::Instr& instr) {
    stream.lane = 0;
    streams_[stream].push_back({operation, instr});
  }
  const std::vector<Entry>& of(StreamId stream) const {
    static const std::vector<Entry> kNothing;
    stream.lane = 0;
    const auto found = streams_.find(stream);
    return found == streams_.end() ? kNothing : found->second;
  }

  struct Copy {
    OperationId operation;
    defs::Descriptor descriptor;
    RowPlaces places;
  };
  void add(const StreamId& stream, const OperationId& operation, const defs::Descriptor& descriptor,
           const RowPlaces& places) {
    copies_[stream].push_back({operation, descriptor, places});
  }
  /// nullptr if the DMA engine executed no such descriptor.
  const Copy* copy(const StreamId& stream, std::uint32_t serial) const {
    const auto found = copies_.find(stream);
    return found == copies_.end() || serial >= found->second.size() ? nullptr
                                                                    : &found->second[serial];
  }

 private:
  std::map<StreamId, std::vector<Entry>> streams_;
  std::map<StreamId, std::vector<Copy>> copies_;
};

}  // namespace cmodel
