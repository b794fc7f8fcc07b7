// SPDX-License-Identifier: Apache-2.0
// Writes board programs: instruction streams, descriptor rings and data, placed in HBM.
#pragma once
#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <source_location>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "cmodel/access_pattern.h"
#include "cmodel/program.h"
#include "rtl/defs/gen/defs.h"

namespace cmodel {

/// One line: what is wrong and what is allowed.
class AssemblerError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The line that calls: what every method that makes an instruction notes of it.
using Where = std::source_location;

/// A semaphore of a chip. `id` is {core, semaphore}: both cores of the chip can use it.
struct Semaphore {
  unsigned chip = 0;
  unsigned id = 0;
};

/// Rows of contiguous bytes of a chip's HBM or SBUF: what a DMA descriptor moves.
struct Block {
  unsigned chip = 0;
  std::uint64_t addr = 0;  ///< chip-local address of the first row
  std::uint32_t row_bytes = 0;
  std::uint32_t rows = 1;
  std::int64_t stride = 0;  ///< bytes from row to row

  std::uint64_t row_addr(unsigned row) const {
    return addr + static_cast<std::int64_t>(row) * stride;
  }
  /// Rows first .. first + count - 1.
  Block row_range(unsigned first, unsigned count) const;
  /// Bytes first .. first + count - 1 of every row.
  Block byte_range(unsigned first, unsigned count) const;
};

/// An access pattern in SBUF or PSUM of one core: what an instruction's operand names.
/// `size` and `stride` (in elements) go from the outermost dimension to the innermost, [3].
struct Tile {
  unsigned chip = 0, core = 0;
  defs::Space space = defs::Space::None;
  defs::Dtype dtype = defs::Dtype::Fp32;
  unsigned partition = 0, partitions = 0;
  unsigned offset = 0;  ///< byte in the partition
  std::array<unsigned, 4> size{1, 1, 1, 1};
  std::array<int, 4> stride{0, 0, 0, 0};

  unsigned element_bytes() const;
  /// Elements per partition.
  unsigned elements() const { return size[0] * size[1] * size[2] * size[3]; }
  /// Elements first .. first + count - 1 of the innermost dimension.
  Tile columns(unsigned first, unsigned count) const;
  /// Partitions first .. first + count - 1 of this tile.
  Tile rows(unsigned first, unsigned count) const;
  /// The same first element with other loops, outermost first; both lists have 1 to 4 entries.
  Tile shaped(std::initializer_list<unsigned> sizes, std::initializer_list<int> strides) const;
  /// The same first byte and partitions as `count` elements of another format, contiguous.
  Tile as(defs::Dtype other, unsigned count) const;
};

class Assembler;

/// Instructions of one sequencer, in order. A wait belongs to the next instruction, a signal to the
/// last one, so that a line reads in the order in which things happen:
///
///   core.tensor().wait_ge(loaded, 2).load_stationary(w).multiply_moving(x, acc).signal(summed);
///
/// An instruction has one wait and one update: a second one costs a NOP, inserted here.
class StreamBase {
 public:
  StreamBase(Assembler& assembler, unsigned chip, unsigned core, unsigned engine)
      : assembler_(assembler), chip_(chip), core_(core), engine_(engine) {}
  StreamBase(const StreamBase&) = delete;

  std::size_t size() const { return instructions_.size(); }

 protected:
  friend class Assembler;
  void add_wait(defs::WaitOp op, Semaphore semaphore, unsigned value);
  void add_signal(Semaphore semaphore, int delta);
  void emit(defs::Instr instr);
  /// The operand of a tile, checked: on this core, allowed space, partition rule, inside its
  /// buffer.
  defs::Operand operand(const Tile& tile, std::string_view role, bool allow_sbuf, bool allow_psum,
                        unsigned formats = kFp32OrBf16) const;
  defs::Instr shape(defs::Opcode opcode, const Tile& tile) const;
  void same_shape(const Tile& a, const Tile& b, std::string_view role) const;
  [[noreturn]] void fail(const std::string& what) const;
  std::string where() const;

  Assembler& assembler_;
  unsigned chip_, core_, engine_;
  std::vector<defs::Instr> instructions_;
  std::vector<SourceNotes::Line> lines_;  ///< of each instruction
  std::optional<defs::Instr> wait_;       ///< only its wait fields
  Where at_;                              ///< who called last
};

template <class Derived>
class Stream : public StreamBase {
 public:
  using StreamBase::StreamBase;
  /// The next instruction issues when semaphore >= value.
  Derived& wait_ge(Semaphore semaphore, unsigned value, Where at = Where::current()) {
    at_ = at;
    add_wait(defs::WaitOp::Ge, semaphore, value);
    return self();
  }
  Derived& wait_eq(Semaphore semaphore, unsigned value, Where at = Where::current()) {
    at_ = at;
    add_wait(defs::WaitOp::Eq, semaphore, value);
    return self();
  }
  /// Adds delta when the last instruction is done.
  Derived& signal(Semaphore semaphore, int delta = 1, Where at = Where::current()) {
    at_ = at;
    add_signal(semaphore, delta);
    return self();
  }
  Derived& nop(Where at = Where::current()) {
    at_ = at;
    emit({});
    return self();
  }

 protected:
  Derived& self() { return static_cast<Derived&>(*this); }
};

class TensorStream : public Stream<TensorStream> {
 public:
  using Stream::Stream;
  /// Stationary tile: K partitions x M elements, SBUF, any format but Int32.
  TensorStream& load_stationary(const Tile& tile, Where at = Where::current());
  /// Moving tile, K partitions x N elements, through the array into (or onto) dst in PSUM. Bf16,
  /// Fp16 and the fp8 formats may be mixed; Tf32, Fp32 and Int8 go with their like. dst is Fp32, or
  /// Int32
  /// (`as`) for Int8.
  TensorStream& multiply_moving(const Tile& moving, const Tile& dst, bool accumulate = false,
                                Where at = Where::current());

 private:
  std::optional<Tile> stationary_[2];  ///< last loaded, by half of the array's rows
};

class VectorStream : public Stream<VectorStream> {
 public:
  using Stream::Stream;
  VectorStream& copy(const Tile& src, const Tile& dst, Where at = Where::current());
  VectorStream& tensor_tensor(defs::AluOp func, const Tile& a, const Tile& b, const Tile& dst,
                              Where at = Where::current());
  /// dst element i = func over src's innermost dimension, ascending; dst has src's outer
  /// dimensions.
  VectorStream& reduce(defs::AluOp func, const Tile& src, const Tile& dst,
                       Where at = Where::current());
};

class ActStream : public Stream<ActStream> {
 public:
  using Stream::Stream;
  ActStream& activate(defs::ActFunc func, const Tile& src, const Tile& dst,
                      Where at = Where::current());
  /// bias: one fp32 element per partition, SBUF.
  ActStream& activate(defs::ActFunc func, const Tile& src, const Tile& bias, const Tile& dst,
                      Where at = Where::current());
};

/// Descriptors of one DMA engine, in order. vn, signal and notify belong to the last one.
class DmaEngine {
 public:
  DmaEngine(Assembler& assembler, unsigned chip, unsigned core, unsigned engine)
      : assembler_(assembler), chip_(chip), core_(core), engine_(engine) {}
  DmaEngine(const DmaEngine&) = delete;

  /// Rows of src (on this chip) to dst, here or on another chip. Shapes must agree.
  DmaEngine& copy(const Block& src, const Block& dst, Where at = Where::current());
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

class SyncStream : public Stream<SyncStream> {
 public:
  using Stream::Stream;
  /// Starts the next `count` descriptors of a DMA engine of this core.
  SyncStream& trigger(unsigned engine, unsigned count = 1, Where at = Where::current());
  /// Appends a copy to the engine's ring and triggers it; signal and notify follow on the result.
  DmaEngine& copy(unsigned engine, const Block& src, const Block& dst, Where at = Where::current());
};

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

  /// A new semaphore of this core, 0 at start.
  Semaphore semaphore();
  /// SBUF nobody else has: `partitions` from `partition`, `elements` each, contiguous.
  Tile sbuf(unsigned partitions, unsigned elements, defs::Dtype dtype, unsigned partition = 0);
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

/// The program under construction. Cores, streams and engines are created on demand and live as
/// long as the assembler. Every mistake that the machine would stop at is refused here, by name.
class Assembler {
 public:
  /// chips: 1 .. BoardChips.
  Assembler(const defs::Sizes& sizes, unsigned chips);
  Assembler(const Assembler&) = delete;
  ~Assembler();

  const defs::Sizes& sizes() const { return sizes_; }
  unsigned chips() const { return chips_; }
  Core& core(unsigned chip, unsigned core);

  /// HBM of a stack (0 or 1) nobody else has, aligned to LineBytes; bytes are zero until written.
  /// Row stride is row_bytes rounded up to 4. Names are unique per chip.
  Block hbm(unsigned chip, unsigned stack, const std::string& name, unsigned row_bytes,
            unsigned rows = 1);
  /// The same with bytes that the host writes before the start: rows x row_bytes, row by row.
  Block data(unsigned chip, unsigned stack, const std::string& name, unsigned row_bytes,
             unsigned rows, std::span<const std::uint8_t> bytes);
  /// The block of a name given to hbm() or data().
  const Block& find(unsigned chip, const std::string& name) const;
  /// The bytes of a tile of contiguous elements, one row per partition: source or target of a copy.
  Block block(const Tile& tile) const;
  /// The host reads this block (whole, with the gaps of its stride, in multiples of 64 bytes) at
  /// the end. Names are unique on the board.
  void region(const std::string& name, const Block& block);

  /// What is emitted from now on belongs to this: shown beside its source line in reports.
  void label(const std::string& text);

  /// From now on, hole(chip, stack) bytes of HBM stay unused before each block: for programs that
  /// want to be spread over the address space.
  void scatter(std::function<std::uint64_t(unsigned chip, unsigned stack)> hole) {
    hole_ = std::move(hole);
  }

  /// Streams and rings of a core lie in stack(chip, core) of HBM instead of the core's own.
  void streams_in(std::function<unsigned(unsigned chip, unsigned core)> stack) {
    stream_stack_ = std::move(stack);
  }

  /// Appends END to every stream that has instructions, places streams and rings, returns all.
  Program assemble();

 private:
  friend class StreamBase;
  friend class DmaEngine;
  friend class Core;
  SourceNotes::Line note(const Where& at) const;
  std::uint64_t allocate(unsigned chip, unsigned stack, std::uint64_t bytes);

  struct ChipState {
    std::array<std::uint64_t, defs::kHbmPorts> next{};
    std::map<std::string, Block> names;
    std::array<std::unique_ptr<Core>, defs::kCores> cores;
  };
  const defs::Sizes& sizes_;
  unsigned chips_;
  std::vector<ChipState> state_;
  std::vector<Segment> segments_;
  std::vector<Region> regions_;
  std::vector<std::string> labels_{""};
  std::function<std::uint64_t(unsigned, unsigned)> hole_;
  std::function<unsigned(unsigned, unsigned)> stream_stack_;
  bool assembled_ = false;
};

/// Bytes of one element; throws for formats that this machine does not store.
unsigned element_bytes(defs::Dtype dtype);

}  // namespace cmodel
