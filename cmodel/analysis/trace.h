// SPDX-License-Identifier: Apache-2.0
// What a run executed: the instructions of every sequencer, in its order, with their registers
// resolved.
#pragma once
#include <cstdint>
#include <map>
#include <vector>

#include "cmodel/machine/commit.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// By stream (lane 0) and serial. Instructions that were rejected are the last of their streams.
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

 private:
  std::map<StreamId, std::vector<Entry>> streams_;
};

}  // namespace cmodel
