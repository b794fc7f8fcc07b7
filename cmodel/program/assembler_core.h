// SPDX-License-Identifier: Apache-2.0
// One core of the board under construction, and what it can hand out.
#pragma once
#include <memory>
#include <string>
#include <vector>

#include "cmodel/program/dma_ring.h"
#include "cmodel/program/engine_streams.h"
#include "cmodel/program/tile.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// One core of the board: its four streams, DMA engines, SBUF and semaphores.
class Core {
 public:
  Core(Assembler& assembler, unsigned chip, unsigned core);
  Core(const Core&) = delete;

  TensorStream& tensor() { return tensor_; }
  VectorStream& vector() { return vector_; }
  ActStream& act() { return act_; }
  SyncStream& sync() { return sync_; }
  DmaEngine& dma(unsigned engine);

  /// A new semaphore of this core, 0 at start; its name is for reports.
  Semaphore semaphore(const std::string& name = "");
  /// SBUF nobody else has: `partitions` from `partition`, `elements` each, contiguous.
  Tile sbuf(unsigned partitions, unsigned elements, defs::Dtype dtype, unsigned partition = 0);
  /// The next tile begins at a multiple of `align`; bytes of each partition that are left from
  /// there.
  unsigned align_sbuf(unsigned align);
  /// PSUM columns from `column` of a bank, fp32. Not allocated: banks are the program's to manage.
  Tile psum(unsigned bank, unsigned partitions, unsigned columns, unsigned column = 0) const;

  unsigned chip() const { return chip_; }
  unsigned index() const { return core_; }

 private:
  friend class Assembler;
  Assembler& assembler_;
  unsigned chip_, core_;
  TensorStream tensor_;
  VectorStream vector_;
  ActStream act_;
  SyncStream sync_;
  std::vector<std::unique_ptr<DmaEngine>> dma_;
  unsigned next_semaphore_ = 0;
  unsigned next_sbuf_ = 0;
};

}  // namespace cmodel
