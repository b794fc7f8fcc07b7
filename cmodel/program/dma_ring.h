// SPDX-License-Identifier: Apache-2.0
// Descriptors of one DMA engine while they are written.
#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "cmodel/program/copy.h"
#include "cmodel/program/instr_stream.h"
#include "cmodel/program/program.h"
#include "cmodel/program/tile.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// Descriptors of one DMA engine, in order. combine, vn, signal and notify belong to the last one.
class DmaEngine {
 public:
  DmaEngine(Assembler& assembler, unsigned chip, unsigned core, unsigned engine)
      : assembler_(assembler), chip_(chip), core_(core), engine_(engine) {}
  DmaEngine(const DmaEngine&) = delete;

  /// Rows of src (on this chip) to dst, here or on another chip. Shapes must agree.
  DmaEngine& copy(const Block& src, const Block& dst, const Rows& rows = {},
                  Where at = Where::current());
  /// dst = op(src, local), row by row: a second source, on this chip and shaped like src. It may be
  /// dst.
  DmaEngine& combine(defs::Combine op, defs::Dtype dtype, const Block& local);
  /// Virtual network of a remote copy, 1 .. 3 (1 unless told).
  DmaEngine& vn(unsigned net);
  /// On this chip, when the last byte has left the source and, if local, is visible.
  DmaEngine& signal(Semaphore semaphore, int delta = 1);
  /// + 1 on the destination chip, behind the last byte of a remote copy.
  DmaEngine& notify(Semaphore semaphore);

  unsigned index() const { return engine_; }
  std::size_t size() const { return descriptors_.size(); }

 private:
  friend class Assembler;
  defs::Descriptor& last();
  [[noreturn]] void fail(const std::string& what) const;

  Assembler& assembler_;
  unsigned chip_, core_, engine_;
  std::vector<defs::Descriptor> descriptors_;
  std::vector<SourceNotes::Line> lines_;  ///< of each descriptor
};

}  // namespace cmodel
