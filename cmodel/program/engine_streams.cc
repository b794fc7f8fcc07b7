// SPDX-License-Identifier: Apache-2.0
#include "cmodel/program/engine_streams.h"

#include <fmt/format.h>

#include "cmodel/program/assembler.h"
#include "cmodel/program/copy.h"

namespace cmodel {

std::array<unsigned, 3> TensorStream::check_state(const defs::InstrRow& row, const Given& given) {
  const defs::Sizes& sizes = assembler_.sizes();
  const unsigned half = sizes.partitions / 2;
  const Tile& tile = *given.operands[0];
  if (row.stationary == defs::Stationary::Write) {
    if (tile.elements() > sizes.partitions)
      fail(fmt::format("stationary tile of {} columns, allowed 1..{}", tile.elements(),
                       sizes.partitions));
    for (unsigned h : {0u, 1u})
      if (tile.partitions > half || h == tile.partition / half) {
        stationary_[h] = tile;
        bits_[h] = row.transposes;
      }
    return StreamBase::check_state(row, given);
  }
  const auto& stationary = stationary_[tile.partition >= half];
  if (!stationary) fail(fmt::format("{} before any load of a stationary tile", row.mnemonic));
  if (tile.partitions > half && stationary_[1] &&
      stationary_[1]->partitions != stationary->partitions)
    fail("moving tile through all rows after a load of a stationary tile into half of them");
  if (tile.partitions != stationary->partitions || tile.partition != stationary->partition)
    fail(fmt::format("moving tile on partitions {}+{}, allowed those of the stationary tile, {}+{}",
                     tile.partition, tile.partitions, stationary->partition,
                     stationary->partitions));
  if (bits_[tile.partition >= half] != row.transposes)
    fail(fmt::format("{} with a stationary tile of {}, allowed one of {}", row.mnemonic,
                     row.transposes ? "numbers" : "bits", row.transposes ? "bits" : "numbers"));
  if (tile.elements() > sizes.psum_cols)
    fail(fmt::format("moving tile of {} columns, allowed 1..{}", tile.elements(), sizes.psum_cols));
  const Tile& dst = *given.operands[2];
  if (dst.partition != 0 || dst.partitions != stationary->elements())
    fail(fmt::format("result on partitions {}+{}, allowed 0+{}", dst.partition, dst.partitions,
                     stationary->elements()));
  if (row.transposes) return {~0u, ~0u, ~0u};
  unsigned formats = 1u << static_cast<unsigned>(stationary->dtype);
  if (formats & defs::kFormatsNarrow) formats = defs::kFormatsNarrow;
  const auto sum = tile.dtype == defs::Dtype::Int8 ? defs::Dtype::Int32 : defs::Dtype::Fp32;
  return {formats, ~0u, 1u << static_cast<unsigned>(sum)};
}

void SyncStream::check_engine(const char* what, unsigned engine) const {
  if (engine >= assembler_.sizes().dma_engines)
    fail(fmt::format("{} of DMA engine {}, allowed 0..{}", what, engine,
                     assembler_.sizes().dma_engines - 1));
}

SyncStream& SyncStream::trigger(unsigned engine, unsigned count, Where at) {
  at_ = at;
  check_engine("trigger", engine);
  if (count == 0 || count > 65535)
    fail(fmt::format("trigger of {} descriptors, allowed 1..65535", count));
  check_no_size();
  Triggered& all = triggered_.try_emplace(engine, Triggered{.loop = innermost()}).first->second;
  all.one_loop = all.one_loop && all.loop == innermost();
  all.once += count;
  all.often += count * often();
  all.known = all.known && often() > 0;
  emit(defs::encode_dma_trigger(
      {static_cast<std::uint8_t>(engine), static_cast<std::uint16_t>(count)}));
  return *this;
}

DmaEngine& SyncStream::copy(unsigned engine, const Block& src, const Block& dst, const Rows& rows,
                            Where at) {
  at_ = at;
  if (const auto all = triggered_.find(engine);
      all != triggered_.end() && (!all->second.one_loop || all->second.loop != innermost()))
    fail(
        fmt::format("copy by DMA engine {} in two loops, or in one and outside of it; allowed one "
                    "of these, whose turns go once round its ring",
                    engine));
  trigger(engine, 1, at);
  return assembler_.core(chip_, core_).dma(engine).copy(src, dst, rows, at);
}

SyncStream& SyncStream::start(unsigned engine, const Block& src, const Block& dst,
                              const Started& more, Where at) {
  at_ = at;
  check_engine("start", engine);
  check_no_size();
  const auto check = [&](const std::string& why) {
    if (!why.empty()) fail(why);
  };
  check(bad_copy(assembler_, chip_, src, dst, more.how));
  const defs::Descriptor copy = copy_of(chip_, src, dst, more.how);
  defs::DmaStart start;
  start.engine = static_cast<std::uint8_t>(engine);
  start.rows = copy.rows;
  start.row_bytes = copy.row_bytes;
  // With a register for the rows, one row may become several.
  start.src_stride = more.rows.number ? src.stride : copy.src_stride;
  start.dst_stride = more.rows.number ? dst.stride : copy.dst_stride;
  start.dst_chip = copy.dst_chip;
  start.src = copy.src;
  start.dst = copy.dst;
  start.combine = copy.combine;
  start.dtype = copy.dtype;
  start.dst_dtype = copy.dst_dtype;
  start.index_mode = copy.index_mode;
  start.skip = copy.skip;
  start.index = copy.index;
  start.bound = copy.bound;
  if (dst.chip != chip_) {
    check(bad_vn(chip_, copy, more.vn));
    start.vn = static_cast<std::uint8_t>(more.vn);
  }
  if (more.notify) {
    check(bad_notify(chip_, copy, *more.notify));
    assembler_.takers_.give(*more.notify);
    start.notify = 1;
    start.notify_sem = static_cast<std::uint16_t>(more.notify->id);
  }
  if (more.combine != defs::Combine::Copy) {
    check(bad_combine(assembler_, copy, more.combine, more.dtype, dst));
    start.combine = static_cast<std::uint8_t>(more.combine);
    start.dtype = static_cast<std::uint8_t>(more.dtype);
  }
  const auto from = [&](const Register& r) { return r.number ? number(r) : std::uint8_t{0}; };
  start.src_reg = from(more.src);
  start.dst_reg = from(more.dst);
  start.index_reg = from(more.index);
  start.rows_reg = from(more.rows);
  emit(defs::encode_dma_start(start));
  return *this;
}

}  // namespace cmodel
