// SPDX-License-Identifier: Apache-2.0
#include "cmodel/assembler.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace cmodel {
namespace {

std::uint64_t round_up(std::uint64_t value, std::uint64_t to) { return (value + to - 1) / to * to; }

template <class Packed>
void append(std::vector<std::uint8_t>& bytes, const Packed& packed) {
  const auto words = packed.words();
  const auto* first = reinterpret_cast<const std::uint8_t*>(words.data());
  bytes.insert(bytes.end(), first, first + sizeof(words));
}

constexpr std::uint64_t kStackBase[] = {defs::kAddrHbm0Base, defs::kAddrHbm1Base};
constexpr std::uint64_t kStackSize[] = {defs::kAddrHbm0Size, defs::kAddrHbm1Size};
constexpr std::uint64_t kCoreBase[] = {defs::kAddrCore0Base, defs::kAddrCore1Base};

/// Start partitions allowed for a tile of n partitions, as a step.
unsigned partition_step(unsigned n, unsigned partitions) {
  if (n > partitions / 2) return partitions;
  return n > partitions / 4 ? partitions / 2 : partitions / 4;
}

/// Why a row of a copy lies outside every memory; empty if it does not.
std::string unmapped(const defs::Sizes& sizes, std::uint64_t addr, std::uint64_t bytes) {
  for (unsigned stack = 0; stack < defs::kHbmPorts; ++stack) {
    if (addr >= kStackBase[stack] && addr - kStackBase[stack] + bytes <= kStackSize[stack])
      return {};
  }
  for (const auto base : kCoreBase) {
    if (addr < base || addr - base >= defs::kAddrCore0Size) continue;
    const auto partition = (addr - base) / defs::kSbufStride,
               byte = (addr - base) % defs::kSbufStride;
    if (partition >= sizes.partitions)
      return fmt::format("SBUF partition {}, allowed 0..{}", partition, sizes.partitions - 1);
    if (byte + bytes > sizes.sbuf_bytes)
      return fmt::format("SBUF bytes {}..{}, allowed 0..{}", byte, byte + bytes - 1,
                         sizes.sbuf_bytes - 1);
    return {};
  }
  return fmt::format("{} bytes at 0x{:x} are no memory, allowed are the HBM and SBUF windows",
                     bytes, addr);
}

}  // namespace

unsigned element_bytes(defs::Dtype dtype) {
  switch (dtype) {
    case defs::Dtype::Fp32:
    case defs::Dtype::Tf32:
    case defs::Dtype::Int32:
      return 4;
    case defs::Dtype::Bf16:
    case defs::Dtype::Fp16:
      return 2;
    default:
      return 1;
  }
}

// --- blocks and tiles

Block Block::row_range(unsigned first, unsigned count) const {
  if (count == 0 || first + count > rows)
    throw AssemblerError(fmt::format("rows {}+{} of a block, allowed 0..{}", first, count, rows));
  Block part = *this;
  part.addr = row_addr(first);
  part.rows = count;
  return part;
}

Block Block::byte_range(unsigned first, unsigned count) const {
  if (count == 0 || first + count > row_bytes)
    throw AssemblerError(
        fmt::format("bytes {}+{} of a row, allowed 0..{}", first, count, row_bytes));
  Block part = *this;
  part.addr += first;
  part.row_bytes = count;
  return part;
}

unsigned Tile::element_bytes() const { return cmodel::element_bytes(dtype); }

Tile Tile::columns(unsigned first, unsigned count) const {
  if (count == 0 || first + count > size[3])
    throw AssemblerError(
        fmt::format("columns {}+{} of a tile, allowed 0..{}", first, count, size[3]));
  Tile part = *this;
  part.offset += static_cast<int>(first * element_bytes()) * stride[3];
  part.size[3] = count;
  return part;
}

Tile Tile::rows(unsigned first, unsigned count) const {
  if (count == 0 || first + count > partitions)
    throw AssemblerError(
        fmt::format("partitions {}+{} of a tile, allowed 0..{}", first, count, partitions));
  Tile part = *this;
  part.partition += first;
  part.partitions = count;
  return part;
}

Tile Tile::shaped(std::initializer_list<unsigned> sizes, std::initializer_list<int> strides) const {
  if (sizes.size() == 0 || sizes.size() > 4 || sizes.size() != strides.size())
    throw AssemblerError(fmt::format("a tile of {} sizes and {} strides, allowed 1..4 of each",
                                     sizes.size(), strides.size()));
  Tile other = *this;
  other.size = {1, 1, 1, 1};
  other.stride = {0, 0, 0, 0};
  std::copy(sizes.begin(), sizes.end(), other.size.end() - sizes.size());
  std::copy(strides.begin(), strides.end(), other.stride.end() - strides.size());
  return other;
}

Tile Tile::as(defs::Dtype other_dtype, unsigned count) const {
  Tile other = shaped({count}, {1});
  other.dtype = other_dtype;
  return other;
}

// --- streams

std::string StreamBase::where() const {
  return fmt::format("chip {} core {} {} pc {}", chip_, core_,
                     defs::to_string(static_cast<defs::Engine>(engine_)), instructions_.size());
}

void StreamBase::fail(const std::string& what) const {
  throw AssemblerError(fmt::format("{}: {}", where(), what));
}

void StreamBase::add_wait(defs::WaitOp op, Semaphore semaphore, unsigned value) {
  if (semaphore.chip != chip_)
    fail(
        fmt::format("wait for a semaphore of chip {}, allowed: of chip {}", semaphore.chip, chip_));
  if (value >= 1u << defs::kSemaphoreBits)
    fail(fmt::format("wait for {}, allowed 0..{}", value, (1u << defs::kSemaphoreBits) - 1));
  if (wait_) emit({});
  wait_.emplace();
  wait_->wait_op = static_cast<std::uint8_t>(op);
  wait_->wait_sem = static_cast<std::uint16_t>(semaphore.id);
  wait_->wait_value = static_cast<std::uint16_t>(value);
}

void StreamBase::add_signal(Semaphore semaphore, int delta) {
  if (semaphore.chip != chip_)
    fail(fmt::format("signal to a semaphore of chip {}, allowed: of chip {}", semaphore.chip,
                     chip_));
  if (delta < -32768 || delta > 32767) fail(fmt::format("signal {}, allowed -32768..32767", delta));
  if (instructions_.empty() || instructions_.back().update || wait_) emit({});
  defs::Instr& instr = instructions_.back();
  instr.update = 1;
  instr.update_sem = static_cast<std::uint16_t>(semaphore.id);
  instr.update_delta = static_cast<std::int16_t>(delta);
}

void StreamBase::emit(defs::Instr instr) {
  if (wait_) {
    instr.wait_op = wait_->wait_op;
    instr.wait_sem = wait_->wait_sem;
    instr.wait_value = wait_->wait_value;
    wait_.reset();
  }
  instructions_.push_back(instr);
  lines_.push_back(assembler_.note(at_));
}

std::string format_names(unsigned formats) {
  std::string names;
  for (unsigned f = 0; f < 16; ++f)
    if (formats >> f & 1)
      names += fmt::format("{}{}", names.empty() ? "" : ", ",
                           defs::to_string(static_cast<defs::Dtype>(f)));
  return names;
}

defs::Operand StreamBase::operand(const Tile& tile, std::string_view role, bool allow_sbuf,
                                  bool allow_psum, unsigned formats) const {
  const defs::Sizes& sizes = assembler_.sizes();
  const bool sbuf = tile.space == defs::Space::Sbuf, psum = tile.space == defs::Space::Psum;
  if (!(sbuf && allow_sbuf) && !(psum && allow_psum))
    fail(fmt::format("{} in {}, allowed:{}{}", role, defs::to_string(tile.space),
                     allow_sbuf ? " Sbuf" : "", allow_psum ? " Psum" : ""));
  if (tile.chip != chip_ || tile.core != core_)
    fail(fmt::format("{} on chip {} core {}, allowed: this core", role, tile.chip, tile.core));
  if (psum) formats &= kFp32Only | kInt32Only;
  if (!(formats >> static_cast<unsigned>(tile.dtype) & 1))
    fail(fmt::format("{} of {}{}, allowed {}", role, defs::to_string(tile.dtype),
                     psum ? " in PSUM" : "", format_names(formats)));
  if (tile.partitions == 0 || tile.partitions > sizes.partitions)
    fail(
        fmt::format("{} of {} partitions, allowed 1..{}", role, tile.partitions, sizes.partitions));
  const unsigned step = partition_step(tile.partitions, sizes.partitions);
  if (tile.partition % step || tile.partition + tile.partitions > sizes.partitions)
    fail(fmt::format("{} of {} partitions from {}, allowed from multiples of {} within 0..{}", role,
                     tile.partitions, tile.partition, step, sizes.partitions - 1));
  if (tile.offset % tile.element_bytes())
    fail(fmt::format("{} at byte {}, allowed multiples of {}", role, tile.offset,
                     tile.element_bytes()));

  std::int64_t low = tile.offset, high = tile.offset;
  for (unsigned d = 0; d < 4; ++d) {
    if (tile.size[d] == 0 || tile.size[d] > 65535)
      fail(fmt::format("{} with a size of {}, allowed 1..65535", role, tile.size[d]));
    if (tile.stride[d] < -32768 || tile.stride[d] > 32767)
      fail(fmt::format("{} with a stride of {}, allowed -32768..32767", role, tile.stride[d]));
    const std::int64_t reach =
        std::int64_t{tile.size[d] - 1} * tile.stride[d] * tile.element_bytes();
    (reach < 0 ? low : high) += reach;
  }
  const std::int64_t bank = sizes.psum_cols * 4;
  const std::int64_t first = psum ? tile.offset / bank * bank : 0;
  const std::int64_t limit = psum ? first + bank : sizes.sbuf_bytes;
  if (low < first || high + tile.element_bytes() > limit ||
      (psum && tile.offset >= sizes.psum_banks * bank))
    fail(fmt::format("{} bytes {}..{}, allowed {}..{}", role, low, high + tile.element_bytes() - 1,
                     first, limit - 1));

  const auto stride = [&](unsigned d) {
    return static_cast<std::int16_t>(tile.size[d] == 1 ? 0 : tile.stride[d]);
  };
  defs::Operand operand;
  operand.space = static_cast<std::uint8_t>(tile.space);
  operand.dtype = static_cast<std::uint8_t>(tile.dtype);
  operand.partition = static_cast<std::uint8_t>(tile.partition);
  operand.offset = tile.offset;
  operand.stride3 = stride(0);
  operand.stride2 = stride(1);
  operand.stride1 = stride(2);
  operand.stride0 = stride(3);
  return operand;
}

defs::Instr StreamBase::shape(defs::Opcode opcode, const Tile& tile) const {
  defs::Instr instr;
  instr.opcode = static_cast<std::uint8_t>(opcode);
  instr.partitions = static_cast<std::uint8_t>(tile.partitions);
  instr.size3 = static_cast<std::uint16_t>(tile.size[0]);
  instr.size2 = static_cast<std::uint16_t>(tile.size[1]);
  instr.size1 = static_cast<std::uint16_t>(tile.size[2]);
  instr.size0 = static_cast<std::uint16_t>(tile.size[3]);
  return instr;
}

void StreamBase::same_shape(const Tile& a, const Tile& b, std::string_view role) const {
  if (a.size != b.size)
    fail(fmt::format("{} of sizes {}x{}x{}x{}, allowed {}x{}x{}x{}", role, b.size[0], b.size[1],
                     b.size[2], b.size[3], a.size[0], a.size[1], a.size[2], a.size[3]));
  if (a.partitions != b.partitions)
    fail(fmt::format("{} of {} partitions, allowed {}", role, b.partitions, a.partitions));
}

TensorStream& TensorStream::load_stationary(const Tile& tile, Where at) {
  at_ = at;
  if (tile.elements() > assembler_.sizes().partitions)
    fail(fmt::format("stationary tile of {} columns, allowed 1..{}", tile.elements(),
                     assembler_.sizes().partitions));
  defs::Instr instr = shape(defs::Opcode::LoadStationary, tile);
  instr.src0 = operand(tile, "stationary tile", true, false, kTensorInputs);
  const unsigned half = assembler_.sizes().partitions / 2;
  for (unsigned h : {0u, 1u})
    if (tile.partitions > half || h == tile.partition / half) stationary_[h] = tile;
  emit(instr);
  return *this;
}

TensorStream& TensorStream::multiply_moving(const Tile& moving, const Tile& dst, bool accumulate,
                                            Where at) {
  at_ = at;
  const unsigned half = assembler_.sizes().partitions / 2;
  const auto& stationary = stationary_[moving.partition >= half];
  if (!stationary) fail("multiply_moving before any load_stationary");
  if (moving.partitions > half && stationary_[1] &&
      stationary_[1]->partitions != stationary->partitions)
    fail("moving tile through all rows after a load_stationary into half of them");
  unsigned formats = 1u << static_cast<unsigned>(stationary->dtype);
  if (formats & kNarrowFloats) formats = kNarrowFloats;
  if (moving.partitions != stationary->partitions || moving.partition != stationary->partition)
    fail(fmt::format("moving tile on partitions {}+{}, allowed those of the stationary tile, {}+{}",
                     moving.partition, moving.partitions, stationary->partition,
                     stationary->partitions));
  if (moving.elements() > assembler_.sizes().psum_cols)
    fail(fmt::format("moving tile of {} columns, allowed 1..{}", moving.elements(),
                     assembler_.sizes().psum_cols));
  if (dst.partition != 0 || dst.partitions != stationary->elements())
    fail(fmt::format("result on partitions {}+{}, allowed 0+{}", dst.partition, dst.partitions,
                     stationary->elements()));
  if (dst.size != moving.size) fail("result and moving tile differ in their loops");
  defs::Instr instr = shape(defs::Opcode::MultiplyMoving, moving);
  instr.accumulate = accumulate;
  instr.src0 = operand(moving, "moving tile", true, false, formats);
  instr.dst = operand(dst, "result", false, true,
                      moving.dtype == defs::Dtype::Int8 ? kInt32Only : kFp32Only);
  emit(instr);
  return *this;
}

VectorStream& VectorStream::copy(const Tile& src, const Tile& dst, Where at) {
  at_ = at;
  same_shape(src, dst, "destination");
  defs::Instr instr = shape(defs::Opcode::TensorCopy, src);
  instr.src0 =
      operand(src, "source", true, true, src.space == defs::Space::Psum ? kReadOut : kFp32OrBf16);
  instr.dst = operand(dst, "destination", true, false);
  emit(instr);
  return *this;
}

VectorStream& VectorStream::tensor_tensor(defs::AluOp func, const Tile& a, const Tile& b,
                                          const Tile& dst, Where at) {
  at_ = at;
  same_shape(a, b, "second source");
  same_shape(a, dst, "destination");
  defs::Instr instr = shape(defs::Opcode::TensorTensor, a);
  instr.func = static_cast<std::uint8_t>(func);
  instr.src0 = operand(a, "first source", true, true);
  instr.src1 = operand(b, "second source", true, true);
  instr.dst = operand(dst, "destination", true, false);
  emit(instr);
  return *this;
}

VectorStream& VectorStream::reduce(defs::AluOp func, const Tile& src, const Tile& dst, Where at) {
  at_ = at;
  if (func == defs::AluOp::Sub) fail("reduce with Sub, allowed Add, Max");
  Tile outer = src, spread = dst;
  outer.size[3] = 1;
  spread.size = {dst.size[1], dst.size[2], dst.size[3], 1};
  spread.stride = {dst.stride[1], dst.stride[2], dst.stride[3], 0};
  if (dst.size[0] != 1) fail("destination of reduce with four dimensions, allowed three");
  same_shape(outer, spread, "destination");
  defs::Instr instr = shape(defs::Opcode::TensorReduce, src);
  instr.func = static_cast<std::uint8_t>(func);
  instr.src0 = operand(src, "source", true, true);
  instr.dst = operand(spread, "destination", true, false);
  emit(instr);
  return *this;
}

ActStream& ActStream::activate(defs::ActFunc func, const Tile& src, const Tile& dst, Where at) {
  at_ = at;
  return activate(func, src, Tile{}, dst);
}

ActStream& ActStream::activate(defs::ActFunc func, const Tile& src, const Tile& bias,
                               const Tile& dst, Where at) {
  at_ = at;
  same_shape(src, dst, "destination");
  defs::Instr instr = shape(defs::Opcode::Activate, src);
  instr.func = static_cast<std::uint8_t>(func);
  instr.src0 =
      operand(src, "source", true, true, src.space == defs::Space::Psum ? kReadOut : kFp32OrBf16);
  if (bias.space != defs::Space::None) {
    if (bias.elements() != 1 || bias.dtype != defs::Dtype::Fp32 ||
        bias.partitions != src.partitions)
      fail(fmt::format("bias of {} x {} {}, allowed {} x 1 Fp32", bias.partitions, bias.elements(),
                       defs::to_string(bias.dtype), src.partitions));
    instr.src1 = operand(bias, "bias", true, false);
  }
  instr.dst = operand(dst, "destination", true, false);
  emit(instr);
  return *this;
}

SyncStream& SyncStream::trigger(unsigned engine, unsigned count, Where at) {
  at_ = at;
  if (engine >= assembler_.sizes().dma_engines)
    fail(fmt::format("trigger of DMA engine {}, allowed 0..{}", engine,
                     assembler_.sizes().dma_engines - 1));
  if (count == 0 || count > 65535)
    fail(fmt::format("trigger of {} descriptors, allowed 1..65535", count));
  defs::Instr instr;
  instr.opcode = static_cast<std::uint8_t>(defs::Opcode::DmaTrigger);
  instr.imm = engine << 16 | count;
  emit(instr);
  return *this;
}

DmaEngine& SyncStream::copy(unsigned engine, const Block& src, const Block& dst, Where at) {
  trigger(engine, 1, at);
  return assembler_.core(chip_, core_).dma(engine).copy(src, dst, at);
}

// --- DMA

void DmaEngine::fail(const std::string& what) const {
  throw AssemblerError(fmt::format("chip {} core {} DMA {} descriptor {}: {}", chip_, core_,
                                   engine_, descriptors_.size(), what));
}

defs::Descriptor& DmaEngine::last() {
  if (descriptors_.empty()) fail("nothing to change, copy comes first");
  return descriptors_.back();
}

DmaEngine& DmaEngine::copy(const Block& src, const Block& dst, Where at) {
  if (src.chip != chip_) fail(fmt::format("source on chip {}, allowed {}", src.chip, chip_));
  if (dst.chip >= assembler_.chips())
    fail(fmt::format("destination on chip {}, allowed 0..{}", dst.chip, assembler_.chips() - 1));
  if (src.rows != dst.rows || src.row_bytes != dst.row_bytes)
    fail(fmt::format("destination of {} x {} bytes, allowed {} x {}", dst.rows, dst.row_bytes,
                     src.rows, src.row_bytes));
  if (src.rows == 0 || src.rows > 65535) fail(fmt::format("{} rows, allowed 1..65535", src.rows));
  if (src.row_bytes < 4 || src.row_bytes > 65536 || src.row_bytes % 4)
    fail(fmt::format("rows of {} bytes, allowed multiples of 4 in 4..65536", src.row_bytes));
  for (const Block* side : {&src, &dst}) {
    const char* name = side == &src ? "source" : "destination";
    if (side->addr % 4 || side->stride % 4)
      fail(fmt::format("{} at 0x{:x} stride {}, allowed multiples of 4", name, side->addr,
                       side->stride));
    for (unsigned row = 0; row < side->rows; ++row) {
      const auto why = unmapped(assembler_.sizes(), side->row_addr(row), side->row_bytes);
      if (!why.empty()) fail(fmt::format("{} row {}: {}", name, row, why));
    }
  }
  defs::Descriptor descriptor;
  descriptor.vn = dst.chip == chip_ ? 0 : 1;
  descriptor.rows = static_cast<std::uint16_t>(src.rows);
  descriptor.row_bytes = src.row_bytes;
  descriptor.src_stride = src.rows > 1 ? src.stride : 0;
  descriptor.dst_stride = src.rows > 1 ? dst.stride : 0;
  descriptor.dst_chip = static_cast<std::uint16_t>(dst.chip);
  descriptor.src = src.addr;
  descriptor.dst = dst.addr;
  descriptors_.push_back(descriptor);
  lines_.push_back(assembler_.note(at));
  return *this;
}

DmaEngine& DmaEngine::vn(unsigned net) {
  if (last().dst_chip == chip_) fail("virtual network of a local copy, allowed for remote ones");
  if (net < 1 || net >= defs::kVirtualNets)
    fail(fmt::format("virtual network {}, allowed 1..{}", net, defs::kVirtualNets - 1));
  last().vn = static_cast<std::uint8_t>(net);
  return *this;
}

DmaEngine& DmaEngine::signal(Semaphore semaphore, int delta) {
  if (semaphore.chip != chip_)
    fail(fmt::format("signal to a semaphore of chip {}, allowed: of chip {}", semaphore.chip,
                     chip_));
  if (delta < -32768 || delta > 32767) fail(fmt::format("signal {}, allowed -32768..32767", delta));
  if (last().update) fail("second signal, allowed one per descriptor");
  last().update = 1;
  last().update_sem = static_cast<std::uint16_t>(semaphore.id);
  last().update_delta = static_cast<std::int16_t>(delta);
  return *this;
}

DmaEngine& DmaEngine::notify(Semaphore semaphore) {
  if (last().dst_chip == chip_) fail("notify of a local copy, allowed for remote ones; use signal");
  if (semaphore.chip != last().dst_chip)
    fail(fmt::format("notify to chip {}, allowed: the destination, {}", semaphore.chip,
                     last().dst_chip));
  if (last().notify) fail("second notify, allowed one per descriptor");
  last().notify = 1;
  last().notify_sem = static_cast<std::uint16_t>(semaphore.id);
  return *this;
}

// --- core

Core::Core(Assembler& assembler, unsigned chip, unsigned core)
    : assembler_(assembler),
      chip_(chip),
      core_(core),
      tensor_(assembler, chip, core, 0),
      vector_(assembler, chip, core, 1),
      act_(assembler, chip, core, 2),
      sync_(assembler, chip, core, 3) {
  for (unsigned e = 0; e < assembler.sizes().dma_engines; ++e)
    dma_.push_back(std::make_unique<DmaEngine>(assembler, chip, core, e));
}

DmaEngine& Core::dma(unsigned engine) {
  if (engine >= dma_.size())
    throw AssemblerError(fmt::format("DMA engine {}, allowed 0..{}", engine, dma_.size() - 1));
  return *dma_[engine];
}

Semaphore Core::semaphore() {
  if (next_semaphore_ == defs::kSemaphores)
    throw AssemblerError(fmt::format("chip {} core {}: no semaphore left, allowed {} per core",
                                     chip_, core_, defs::kSemaphores));
  return {chip_, core_ * defs::kSemaphores + next_semaphore_++};
}

Tile Core::sbuf(unsigned partitions, unsigned elements, defs::Dtype dtype, unsigned partition) {
  const defs::Sizes& sizes = assembler_.sizes();
  const std::uint64_t bytes = std::uint64_t{elements} * element_bytes(dtype);
  if (elements == 0 || next_sbuf_ + bytes > sizes.sbuf_bytes)
    throw AssemblerError(
        fmt::format("chip {} core {}: SBUF tile of {} bytes per partition, allowed 1..{}", chip_,
                    core_, bytes, sizes.sbuf_bytes - next_sbuf_));
  if (partitions == 0 || partition + partitions > sizes.partitions)
    throw AssemblerError(
        fmt::format("chip {} core {}: SBUF tile on partitions {}+{}, allowed 0..{}", chip_, core_,
                    partition, partitions, sizes.partitions - 1));
  Tile tile;
  tile.chip = chip_;
  tile.core = core_;
  tile.space = defs::Space::Sbuf;
  tile.partition = partition;
  tile.partitions = partitions;
  tile.offset = next_sbuf_;
  next_sbuf_ = static_cast<unsigned>(round_up(next_sbuf_ + bytes, defs::kSbufWordBytes));
  return tile.as(dtype, elements);
}

Tile Core::psum(unsigned bank, unsigned partitions, unsigned columns, unsigned column) const {
  const defs::Sizes& sizes = assembler_.sizes();
  if (bank >= sizes.psum_banks || columns == 0 || column + columns > sizes.psum_cols)
    throw AssemblerError(
        fmt::format("PSUM bank {} columns {}+{}, allowed banks 0..{}, columns 0..{}", bank, column,
                    columns, sizes.psum_banks - 1, sizes.psum_cols - 1));
  Tile tile;
  tile.chip = chip_;
  tile.core = core_;
  tile.space = defs::Space::Psum;
  tile.partitions = partitions;
  tile.offset = (bank * sizes.psum_cols + column) * 4;
  return tile.as(defs::Dtype::Fp32, columns);
}

// --- assembler

Assembler::Assembler(const defs::Sizes& sizes, unsigned chips) : sizes_(sizes), chips_(chips) {
  if (chips < 1 || chips > defs::kBoardChips)
    throw AssemblerError(fmt::format("{} chips, allowed 1..{}", chips, defs::kBoardChips));
  state_.resize(chips);
}

Assembler::~Assembler() = default;

void Assembler::label(const std::string& text) {
  if (labels_.back() != text) labels_.push_back(text);
}

SourceNotes::Line Assembler::note(const Where& at) const {
  return {at.file_name(), at.line(), static_cast<std::uint32_t>(labels_.size() - 1)};
}

Core& Assembler::core(unsigned chip, unsigned core) {
  if (chip >= chips_ || core >= defs::kCores)
    throw AssemblerError(fmt::format("chip {} core {}, allowed chips 0..{}, cores 0..{}", chip,
                                     core, chips_ - 1, defs::kCores - 1));
  auto& slot = state_[chip].cores[core];
  if (!slot) slot = std::make_unique<Core>(*this, chip, core);
  return *slot;
}

std::uint64_t Assembler::allocate(unsigned chip, unsigned stack, std::uint64_t bytes) {
  if (chip >= chips_ || stack >= defs::kHbmPorts)
    throw AssemblerError(fmt::format("HBM of chip {} stack {}, allowed chips 0..{}, stacks 0..{}",
                                     chip, stack, chips_ - 1, defs::kHbmPorts - 1));
  auto& next = state_[chip].next[stack];
  const std::uint64_t align = std::max(sizes_.line_bytes, 64u);
  if (hole_) next += round_up(hole_(chip, stack), align);
  if (next > kStackSize[stack] || bytes > kStackSize[stack] - next)
    throw AssemblerError(fmt::format("chip {} HBM {}: {} bytes, allowed {}", chip, stack, bytes,
                                     kStackSize[stack] - next));
  const std::uint64_t addr = kStackBase[stack] + next;
  next += round_up(bytes, align);
  return addr;
}

Block Assembler::hbm(unsigned chip, unsigned stack, const std::string& name, unsigned row_bytes,
                     unsigned rows) {
  if (row_bytes == 0 || rows == 0)
    throw AssemblerError(
        fmt::format("{}: {} rows of {} bytes, allowed 1 or more", name, rows, row_bytes));
  Block block;
  block.chip = chip;
  block.row_bytes = row_bytes;
  block.rows = rows;
  block.stride = static_cast<std::int64_t>(round_up(row_bytes, 4));
  block.addr = allocate(chip, stack, static_cast<std::uint64_t>(block.stride) * rows);
  if (!state_[chip].names.emplace(name, block).second)
    throw AssemblerError(
        fmt::format("chip {}: second block named \"{}\", names are unique", chip, name));
  return block;
}

Block Assembler::data(unsigned chip, unsigned stack, const std::string& name, unsigned row_bytes,
                      unsigned rows, std::span<const std::uint8_t> bytes) {
  const Block block = hbm(chip, stack, name, row_bytes, rows);
  if (bytes.size() != std::size_t{row_bytes} * rows)
    throw AssemblerError(fmt::format("chip {} {}: {} bytes of data, allowed {}", chip, name,
                                     bytes.size(), std::size_t{row_bytes} * rows));
  Segment segment{chip, block.addr, {}};
  segment.bytes.resize(round_up(static_cast<std::uint64_t>(block.stride) * rows, 64));
  for (unsigned row = 0; row < rows; ++row)
    std::memcpy(segment.bytes.data() + row * block.stride,
                bytes.data() + std::size_t{row} * row_bytes, row_bytes);
  segments_.push_back(std::move(segment));
  return block;
}

const Block& Assembler::find(unsigned chip, const std::string& name) const {
  if (chip < chips_) {
    const auto found = state_[chip].names.find(name);
    if (found != state_[chip].names.end()) return found->second;
  }
  throw AssemblerError(fmt::format("chip {}: no block named \"{}\"", chip, name));
}

Block Assembler::block(const Tile& tile) const {
  if (tile.space != defs::Space::Sbuf || tile.size[0] * tile.size[1] * tile.size[2] != 1 ||
      (tile.size[3] > 1 && tile.stride[3] != 1))
    throw AssemblerError(
        "copy of a tile that is not contiguous SBUF; allowed: one dimension, stride 1");
  Block block;
  block.chip = tile.chip;
  block.addr =
      kCoreBase[tile.core] + std::uint64_t{tile.partition} * defs::kSbufStride + tile.offset;
  block.row_bytes = tile.size[3] * tile.element_bytes();
  block.rows = tile.partitions;
  block.stride = defs::kSbufStride;
  return block;
}

void Assembler::region(const std::string& name, const Block& block) {
  const std::uint64_t bytes =
      round_up(static_cast<std::uint64_t>(block.stride) * (block.rows - 1) + block.row_bytes, 64);
  if (name.empty() || name.size() > 64)
    throw AssemblerError(fmt::format("region name of {} characters, allowed 1..64", name.size()));
  for (const Region& other : regions_)
    if (other.name == name)
      throw AssemblerError(fmt::format("second region named \"{}\", names are unique", name));
  if (block.chip >= chips_ || block.addr % 64 || block.addr >= defs::kAddrCore0Base)
    throw AssemblerError(fmt::format("region {}: chip {} at 0x{:x}, allowed HBM at multiples of 64",
                                     name, block.chip, block.addr));
  regions_.push_back({name, block.chip, block.addr, static_cast<std::uint32_t>(bytes)});
}

Program Assembler::assemble() {
  if (assembled_) throw AssemblerError("assemble called twice, allowed once");
  assembled_ = true;
  Program program;
  program.config = sizes_.name;
  program.chips = chips_;
  program.segments = std::move(segments_);
  program.regions = std::move(regions_);
  program.labels = labels_;

  const auto place = [&](unsigned chip, unsigned core, std::vector<std::uint8_t> bytes) {
    const unsigned stack = stream_stack_ ? stream_stack_(chip, core) : core;
    const std::uint64_t base = allocate(chip, stack, bytes.size());
    program.segments.push_back({chip, base, std::move(bytes)});
    return base;
  };
  for (unsigned chip = 0; chip < chips_; ++chip) {
    for (unsigned c = 0; c < defs::kCores; ++c) {
      if (!state_[chip].cores[c]) continue;
      Core& core = *state_[chip].cores[c];

      std::vector<std::uint64_t> triggered(core.dma_.size());
      for (const defs::Instr& instr : core.sync_.instructions_)
        if (instr.opcode == static_cast<std::uint8_t>(defs::Opcode::DmaTrigger))
          triggered[instr.imm >> 16] += instr.imm & 0xffff;
      for (auto& dma : core.dma_) {
        if (triggered[dma->index()] != dma->size())
          throw AssemblerError(
              fmt::format("chip {} core {} DMA {}: {} descriptors triggered, allowed: "
                          "all {}",
                          chip, c, dma->index(), triggered[dma->index()], dma->size()));
        if (dma->size() == 0) continue;
        if (dma->size() > 65535)
          throw AssemblerError(
              fmt::format("chip {} core {} DMA {}: {} descriptors, allowed 1..65535", chip, c,
                          dma->index(), dma->size()));
        std::vector<std::uint8_t> bytes;
        for (const auto& descriptor : dma->descriptors_) append(bytes, descriptor);
        program.rings.push_back({chip, c, dma->index(), place(chip, c, std::move(bytes)),
                                 static_cast<std::uint32_t>(dma->size())});
        program.notes.push_back({chip, c, static_cast<unsigned>(defs::Engine::Dma0) + dma->index(),
                                 std::move(dma->lines_)});
      }
      for (StreamBase* stream :
           {static_cast<StreamBase*>(&core.tensor_), static_cast<StreamBase*>(&core.vector_),
            static_cast<StreamBase*>(&core.act_), static_cast<StreamBase*>(&core.sync_)}) {
        if (stream->instructions_.empty() && !stream->wait_) continue;
        defs::Instr end;
        end.opcode = static_cast<std::uint8_t>(defs::Opcode::End);
        stream->emit(end);
        if (stream->size() > 1u << 24)
          throw AssemblerError(
              fmt::format("{}: allowed {} instructions", stream->where(), 1u << 24));
        std::vector<std::uint8_t> bytes;
        for (const auto& instr : stream->instructions_) append(bytes, instr);
        program.streams.push_back({chip, c, stream->engine_, place(chip, c, std::move(bytes)),
                                   static_cast<std::uint32_t>(stream->size())});
        program.notes.push_back({chip, c, stream->engine_, std::move(stream->lines_)});
      }
    }
  }
  return program;
}

}  // namespace cmodel
