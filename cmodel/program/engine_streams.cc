// SPDX-License-Identifier: Apache-2.0
#include "cmodel/program/engine_streams.h"

#include <fmt/format.h>

#include "cmodel/program/assembler.h"

namespace cmodel {
namespace {

/// Formats that a copy or an activation may read: int32 sums only out of PSUM.
unsigned read_out_formats(const Tile& src) {
  return src.space == defs::Space::Psum ? kReadOut : kFp32OrBf16;
}

}  // namespace

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
  instr.src0 = operand(src, "source", true, true, read_out_formats(src));
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
  instr.src0 = operand(src, "source", true, true, read_out_formats(src));
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

}  // namespace cmodel
