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

std::string bad_semaphore(Semaphore semaphore) {
  constexpr unsigned kAll = defs::kCores * defs::kSemaphores;
  if (semaphore.id < kAll) return {};
  return fmt::format("semaphore {}, allowed 0..{}", static_cast<int>(semaphore.id), kAll - 1);
}

std::string bad_signal(unsigned chip, Semaphore semaphore, int delta) {
  if (semaphore.chip != chip)
    return fmt::format("signal to a semaphore of chip {}, allowed: of chip {}", semaphore.chip,
                       chip);
  if (delta < -32768 || delta > 32767)
    return fmt::format("signal {}, allowed -32768..32767", delta);
  return bad_semaphore(semaphore);
}

std::string StreamBase::where() const {
  const bool known = at_.line() != 0;
  return fmt::format("chip {} core {} {} pc {}{}", chip_, core_,
                     defs::to_string(static_cast<defs::Engine>(engine_)), instructions_.size(),
                     known ? fmt::format(" ({}:{})", at_.file_name(), at_.line()) : "");
}

void StreamBase::fail(const std::string& what) const {
  throw AssemblerError(fmt::format("{}: {}", where(), what));
}

std::uint64_t StreamBase::often() const {
  std::uint64_t turns = 1;
  for (const Loop& loop : around_) turns *= loop.turns;
  return turns;
}

std::uint8_t StreamBase::number(const Register& reg) const {
  if (reg.chip != chip_ || reg.core != core_ || reg.engine != engine_)
    fail(fmt::format("register of chip {} core {} {}, allowed: of this stream", reg.chip, reg.core,
                     defs::to_string(static_cast<defs::Engine>(reg.engine))));
  if (reg.number >= defs::kRegisters)
    fail(fmt::format("register {}, allowed 0..{}", reg.number, defs::kRegisters - 1));
  return static_cast<std::uint8_t>(reg.number);
}

std::uint32_t StreamBase::word(std::int64_t value) const {
  if (value < INT32_MIN || value > std::int64_t{UINT32_MAX})
    fail(fmt::format("{} as 32 bits, allowed {}..{}", value, INT32_MIN, UINT32_MAX));
  return static_cast<std::uint32_t>(value);
}

void StreamBase::check_no_size() const {
  if (size_) fail("size from a register for an instruction without operands");
}

void StreamBase::add_wait(defs::WaitOp op, Semaphore semaphore, unsigned value) {
  if (semaphore.chip != chip_)
    fail(
        fmt::format("wait for a semaphore of chip {}, allowed: of chip {}", semaphore.chip, chip_));
  if (const auto why = bad_semaphore(semaphore); !why.empty()) fail(why);
  if (value >= 1u << defs::kSemaphoreBits)
    fail(fmt::format("wait for {}, allowed 0..{}", value, (1u << defs::kSemaphoreBits) - 1));
  if (op == defs::WaitOp::Take) assembler_.takers_.take(*this, semaphore, value);
  if (wait_) emit({});
  wait_.emplace();
  wait_->wait_op = static_cast<std::uint8_t>(op);
  wait_->wait_sem = static_cast<std::uint16_t>(semaphore.id);
  wait_->wait_value = static_cast<std::uint16_t>(value);
}

void StreamBase::add_signal(Semaphore semaphore, int delta) {
  if (const auto why = bad_signal(chip_, semaphore, delta); !why.empty()) fail(why);
  if (delta < 0)
    assembler_.takers_.count_down(where(), semaphore);
  else if (delta > 0)
    assembler_.takers_.give(semaphore);
  if (instructions_.size() != closed_ && !wait_ && instructions_.back().update &&
      starts_copy(instructions_.back()))
    fail("second signal of a started copy, allowed one: what comes next does not wait for it");
  if (instructions_.size() == closed_ || instructions_.back().update || wait_) emit({});
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

void StreamBase::put(const defs::InstrRow& row, const Given& given, Where at) {
  at_ = at;
  for (const std::uint8_t func : {given.func, given.func1.value_or(given.func)}) {
    if (!row.functions || row.functions >> func & 1) continue;
    std::string names;
    for (std::uint8_t f = 0; f < 64; ++f)
      if (row.functions >> f & 1)
        names += fmt::format("{}{}", names.empty() ? "" : ", ", row.function_name(f));
    fail(fmt::format("{} with {}, allowed {}", row.mnemonic, row.function_name(func), names));
  }
  const Tile nothing{.size = {0, 0, 0, 0}};
  const Tile& source = row.computes() ? *given.operands[row.src0().used() ? 0 : 2] : nothing;
  if (!row.computes()) check_no_size();
  const auto formats = check_state(row, given);
  if (row.computes()) check_whole(row, source, given);
  defs::Instr instr;
  instr.opcode = static_cast<std::uint8_t>(row.opcode);
  instr.func = given.func;
  instr.accumulate = given.accumulate;
  instr.imm = given.imm;
  instr.partitions = static_cast<std::uint8_t>(source.partitions);
  instr.size3 = static_cast<std::uint16_t>(source.size[0]);
  instr.size2 = static_cast<std::uint16_t>(source.size[1]);
  instr.size1 = static_cast<std::uint16_t>(source.size[2]);
  instr.size0 = static_cast<std::uint16_t>(source.size[3]);
  if (const auto size = std::exchange(size_, {})) {
    instr.size_reg = static_cast<std::uint8_t>(size->first);
    instr.size_dim = static_cast<std::uint8_t>(size->second);
    if (source.size[3 - size->second] == 1)
      fail(fmt::format("size 1 of dimension {} from a register, allowed of 2 and more",
                       size->second));
  }
  const std::array to{&instr.src0, &instr.src1, &instr.dst};
  const auto is_given = [&](unsigned i) {
    return given.operands[i] && !(given.operands[i]->space == defs::Space::None &&
                                  row.operands[i].may_lie_in(defs::Space::None));
  };
  const unsigned reduced = 1 + defs::Reduction::from({given.imm}).more;
  for (unsigned i = 1; i < 3; ++i)
    if (is_given(i)) check_shape(row.operands[i], source, *given.operands[i], reduced);
  for (unsigned i = 0; i < 3; ++i) {
    if (!is_given(i)) continue;
    Tile tile = *given.operands[i];
    if (row.operands[i].walk == defs::Walk::Outer)  // its dimensions are the outer ones
      for (unsigned d = 0; d <= defs::Reduction::from({given.imm}).more; ++d) {
        tile.size = {tile.size[1], tile.size[2], tile.size[3], 1};
        tile.stride = {tile.stride[1], tile.stride[2], tile.stride[3], 0};
      }
    *to[i] = operand(tile, row.operands[i], formats[i]);
    if (is_rounded(*to[i]) && row.is_of_bits(given.func))
      fail(fmt::format("{} rounded behind {}, allowed only what is cast", row.operands[i].role,
                       row.function_name(given.func)));
  }
  put_scalars(row, given, source, instr);
  emit(instr);
}

defs::Scalar StreamBase::scalar(const Scalar& given, const Tile& source) const {
  defs::Scalar scalar{.kind = static_cast<std::uint8_t>(given.kind),
                      .reverse = given.reverse,
                      .value = given.value};
  if (given.kind == defs::ScalarKind::Register) number(given.source);
  if (given.kind != defs::ScalarKind::Sbuf) return scalar;
  if (!source.partitions)
    fail("scalar at a place for an instruction without operands, allowed a number or a register");
  constexpr defs::OperandRow kRow{"scalar",
                                  2,
                                  1u << static_cast<unsigned>(defs::Dtype::Fp32) |
                                      1u << static_cast<unsigned>(defs::Dtype::Int32) |
                                      1u << static_cast<unsigned>(defs::Dtype::Uint32),
                                  0,
                                  defs::Walk::One,
                                  false,
                                  false};
  check_shape(kRow, source, given.place);
  const defs::Operand place = operand(given.place, kRow, ~0u);
  if (place.index) fail("scalar at a register, allowed at a place or in a register");
  scalar.value = std::uint32_t{place.partition} << 24 | place.offset;
  return scalar;
}

void StreamBase::put_scalars(const defs::InstrRow& row, const Given& given, const Tile& source,
                             defs::Instr& instr) const {
  if (row.scalars == defs::ScalarPlace::None) return;
  if (given.func1 && row.is_of_bits(given.func) != row.is_of_bits(*given.func1))
    fail(fmt::format("{} with {} and {}, allowed two of bits or two others", row.mnemonic,
                     row.function_name(given.func), row.function_name(*given.func1)));
  defs::Scalars scalars;
  scalars.first = scalar(*given.scalars[0], source);
  if (given.scalars[1]) scalars.second = scalar(*given.scalars[1], source);
  const std::uint8_t func1 = given.func1.value_or(0);
  if (row.scalars == defs::ScalarPlace::Src1) {
    constexpr auto kRegister = static_cast<std::uint8_t>(defs::ScalarKind::Register);
    if (scalars.first.kind == kRegister && scalars.second.kind == kRegister)
      fail("two scalars in registers, allowed one");
    instr.src1 = defs::Operand::from(scalars.words());
    instr.imm |= func1;
    return;
  }
  const bool immediate = given.scalars[0]->kind == defs::ScalarKind::Immediate;
  if (given.scalars[0]->kind == defs::ScalarKind::Register || given.scalars[0]->reverse)
    fail(fmt::format("scalar of {} in a register or reversed, allowed neither", row.mnemonic));
  if (immediate && scalars.first.value & 0xffff)
    fail(fmt::format("scalar {:#x} of {}, allowed those of bf16", scalars.first.value,
                     row.mnemonic));
  if (!immediate && given.scalars[0]->place.partition != source.partition)
    fail(fmt::format("scalar of {} on partitions from {}, allowed those of the first source, {}",
                     row.mnemonic, given.scalars[0]->place.partition, source.partition));
  const std::uint32_t place = (scalars.first.value & 0xff'ffffu) / 4;
  instr.imm =
      defs::FusedScalar{static_cast<std::uint16_t>(immediate ? scalars.first.value >> 16 : place),
                        scalars.first.kind, func1}
          .words()[0];
}

std::array<unsigned, 3> StreamBase::check_state(const defs::InstrRow& row, const Given& given) {
  const bool moves = row.moves && given.operands[0];
  if (!row.is_of_bits(given.func) && !moves) return {~0u, ~0u, ~0u};
  unsigned same = 0;  // size
  for (const auto dtype : defs::kEveryDtype)
    if ((moves || defs::kDtypeInteger >> static_cast<unsigned>(dtype) & 1) &&
        element_bytes(dtype) == given.operands[0]->element_bytes())
      same |= 1u << static_cast<unsigned>(dtype);
  return {same, moves ? ~0u : same, same};
}

void StreamBase::check_whole(const defs::InstrRow& row, const Tile& source,
                             const Given& given) const {
  if (!row.takes(source.elements())) {
    std::string allowed;
    if (row.least > 1 || source.elements() == 0) allowed += fmt::format(" at least {}", row.least);
    if (row.most != ~0u) allowed += fmt::format(" at most {}", row.most);
    if (row.multiple > 1) allowed += fmt::format(" multiples of {}", row.multiple);
    fail(fmt::format("{} of {} elements, allowed{}", row.mnemonic, source.elements(), allowed));
  }
  const unsigned quarter = assembler_.sizes().partitions / 4;
  if (row.by_quarters() && source.partitions % quarter)
    fail(fmt::format("{} of {} partitions, allowed multiples of {}", row.mnemonic,
                     source.partitions, quarter));
  if (row.form == defs::Form::Transpose && source.size[3] != quarter)
    fail(fmt::format("{} of {} elements in the innermost dimension, allowed {}", row.mnemonic,
                     source.size[3], quarter));
  if (row.one_in_psum && given.operands[0]->space == defs::Space::Psum &&
      given.operands[1]->space == defs::Space::Psum)
    fail(fmt::format("{} and {} in Psum, allowed one of them", row.src0().role, row.src1().role));
}

void StreamBase::check_shape(const defs::OperandRow& row, const Tile& source, const Tile& tile,
                             unsigned reduced) const {
  if (const unsigned fixed = defs::fixed_elements(row.walk)) {
    if (tile.elements() != fixed || tile.size[3] != fixed || tile.partitions != source.partitions ||
        !(row.formats(tile.space) >> static_cast<unsigned>(tile.dtype) & 1))
      fail(fmt::format("{} of {} x {} {}, allowed {} x {} {}", row.role, tile.partitions,
                       tile.elements(), defs::to_string(tile.dtype), source.partitions, fixed,
                       format_names(row.formats(tile.space))));
    return;
  }
  auto a = source.size, b = tile.size;
  for (unsigned d = 0; row.walk == defs::Walk::Outer && d < reduced; ++d) {
    if (b[0] != 1)
      fail(fmt::format("{} with {} dimensions, allowed {}: those around the innermost {}", row.role,
                       4 - d, 4 - reduced, reduced));
    a[3 - d] = 1;
    b = {b[1], b[2], b[3], 1};
  }
  if (a != b)
    fail(fmt::format("{} of sizes {}x{}x{}x{}, allowed {}x{}x{}x{}", row.role, b[0], b[1], b[2],
                     b[3], a[0], a[1], a[2], a[3]));
  if (tile.partitions != source.partitions && !row.columns)
    fail(fmt::format("{} of {} partitions, allowed {}", row.role, tile.partitions,
                     source.partitions));
}

defs::Operand StreamBase::operand(const Tile& tile, const defs::OperandRow& row,
                                  unsigned formats) const {
  const defs::Sizes& sizes = assembler_.sizes();
  const std::string_view role = row.role;
  const bool psum = tile.space == defs::Space::Psum;
  if ((tile.stochastic || tile.saturate) && !row.rounds)
    fail(fmt::format("{} with a rounding, allowed a destination that is cast", role));
  if (!row.may_lie_in(tile.space))
    fail(fmt::format("{} in {}, allowed:{}{}", role, defs::to_string(tile.space),
                     row.sbuf ? " Sbuf" : "", row.psum ? " Psum" : ""));
  if (tile.chip != chip_ || tile.core != core_)
    fail(fmt::format("{} on chip {} core {}, allowed: this core", role, tile.chip, tile.core));
  formats &= row.formats(tile.space);
  if (!(formats >> static_cast<unsigned>(tile.dtype) & 1))
    fail(fmt::format("{} of {}{}, allowed {}", role, defs::to_string(tile.dtype),
                     psum ? " in PSUM" : "", format_names(formats)));
  if (tile.partitions == 0 || tile.partitions > sizes.partitions)
    fail(
        fmt::format("{} of {} partitions, allowed 1..{}", role, tile.partitions, sizes.partitions));
  const unsigned step = partition_step(tile.partitions, sizes.partitions);
  if (tile.partition % step || !is_part(tile.partition, tile.partitions, sizes.partitions))
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
  if (tile.index.number) operand.index = number(tile.index);
  operand.stochastic = tile.stochastic;
  operand.saturate = tile.saturate;
  operand.stride3 = stride(0);
  operand.stride2 = stride(1);
  operand.stride1 = stride(2);
  operand.stride0 = stride(3);
  return operand;
}

}  // namespace cmodel
