// SPDX-License-Identifier: Apache-2.0
#include "cmodel/program/instr_stream.h"

#include <fmt/format.h>

#include "cmodel/program/assembler.h"

namespace cmodel {

namespace {

/// Start partitions allowed for a tile of n partitions, as a step.
unsigned partition_step(unsigned n, unsigned partitions) {
  if (n > partitions / 2) return partitions;
  return n > partitions / 4 ? partitions / 2 : partitions / 4;
}

/// "Fp32, Bf16": the formats whose bits are set.
std::string format_names(unsigned formats) {
  std::string names;
  for (unsigned f = 0; f < 16; ++f)
    if (formats >> f & 1)
      names += fmt::format("{}{}", names.empty() ? "" : ", ",
                           defs::to_string(static_cast<defs::Dtype>(f)));
  return names;
}

}  // namespace

std::string bad_signal(unsigned chip, Semaphore semaphore, int delta) {
  if (semaphore.chip != chip)
    return fmt::format("signal to a semaphore of chip {}, allowed: of chip {}", semaphore.chip,
                       chip);
  if (delta < -32768 || delta > 32767)
    return fmt::format("signal {}, allowed -32768..32767", delta);
  return {};
}

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
  if (const auto why = bad_signal(chip_, semaphore, delta); !why.empty()) fail(why);
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

}  // namespace cmodel
