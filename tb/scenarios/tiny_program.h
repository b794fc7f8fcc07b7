// SPDX-License-Identifier: Apache-2.0
// Hand-written programs for unit tests: instructions and descriptors per engine, laid out in HBM.
#pragma once
#include <cstring>
#include <map>
#include <span>
#include <tuple>
#include <utility>
#include <vector>

#include "cmodel/machine/address_map.h"
#include "cmodel/program/program.h"
#include "rtl/defs/gen/instructions.h"

namespace tb {

/// An instruction being written: TinyInstr(Opcode::Nop).wait(3, 1).update(4, 1).
struct TinyInstr : defs::Instr {
  explicit TinyInstr(const defs::Instr& instr) : defs::Instr(instr) {}
  explicit TinyInstr(defs::Opcode op) { opcode = static_cast<std::uint8_t>(op); }
  TinyInstr& wait(unsigned sem, unsigned value, defs::WaitOp op = defs::WaitOp::Ge) {
    wait_op = static_cast<std::uint8_t>(op);
    wait_sem = static_cast<std::uint16_t>(sem);
    wait_value = static_cast<std::uint16_t>(value);
    return *this;
  }
  TinyInstr& then(unsigned sem, int delta = 1) {
    update = 1;
    update_sem = static_cast<std::uint16_t>(sem);
    update_delta = static_cast<std::int16_t>(delta);
    return *this;
  }
  /// `n` partitions, size1 x size0 elements.
  TinyInstr& shape(unsigned n, unsigned s0, unsigned s1 = 1) {
    partitions = static_cast<std::uint8_t>(n);
    size3 = size2 = 1;
    size1 = static_cast<std::uint16_t>(s1);
    size0 = static_cast<std::uint16_t>(s0);
    return *this;
  }
  TinyInstr& from(const defs::Operand& operand) {
    src0 = operand;
    return *this;
  }
  TinyInstr& and_from(const defs::Operand& operand) {
    src1 = operand;
    return *this;
  }
  TinyInstr& to(const defs::Operand& operand) {
    dst = operand;
    return *this;
  }
  TinyInstr& with(defs::AluOp op) {
    func = static_cast<std::uint8_t>(op);
    return *this;
  }
  TinyInstr& with(defs::ActFunc op) {
    func = static_cast<std::uint8_t>(op);
    return *this;
  }
  TinyInstr& acc() {
    accumulate = 1;
    return *this;
  }
};

/// A dense row of elements in every partition.
inline defs::Operand tiny_operand(defs::Space space, defs::Dtype dtype, unsigned offset,
                                  int stride0 = 1, unsigned partition = 0, int stride1 = 0) {
  defs::Operand out;
  out.space = static_cast<std::uint8_t>(space);
  out.dtype = static_cast<std::uint8_t>(dtype);
  out.offset = offset;
  out.partition = static_cast<std::uint8_t>(partition);
  out.stride0 = static_cast<std::int16_t>(stride0);
  out.stride1 = static_cast<std::int16_t>(stride1);
  return out;
}
inline defs::Operand sbuf16(unsigned offset, int stride0 = 1) {
  return tiny_operand(defs::Space::Sbuf, defs::Dtype::Bf16, offset, stride0);
}
inline defs::Operand sbuf32(unsigned offset, int stride0 = 1) {
  return tiny_operand(defs::Space::Sbuf, defs::Dtype::Fp32, offset, stride0);
}
inline defs::Operand psum32(unsigned offset, int stride0 = 1) {
  return tiny_operand(defs::Space::Psum, defs::Dtype::Fp32, offset, stride0);
}

inline TinyInstr ring_dma(unsigned engine, unsigned count) {
  return TinyInstr(defs::encode_dma_trigger(
      {static_cast<std::uint8_t>(engine), static_cast<std::uint16_t>(count)}));
}

/// A local copy; set dst_chip, vn and notify for a remote one.
inline defs::Descriptor copy_rows(unsigned chip, std::uint64_t src, std::uint64_t dst,
                                  unsigned rows, unsigned row_bytes, std::int64_t src_stride,
                                  std::int64_t dst_stride) {
  defs::Descriptor out;
  out.dst_chip = static_cast<std::uint16_t>(chip);
  out.src = src;
  out.dst = dst;
  out.rows = static_cast<std::uint16_t>(rows);
  out.row_bytes = row_bytes;
  out.src_stride = src_stride;
  out.dst_stride = dst_stride;
  return out;
}

/// Collects the parts and lays them out: code and rings at 1 MiB of HBM 0, or, of isolated cores,
/// of their own HBM; data where the test says.
class TinyProgram {
 public:
  TinyProgram(const defs::Sizes& sizes, unsigned chips) : sizes_(sizes) {
    program_.config = sizes.name;
    program_.chips = chips;
  }
  void add(unsigned chip, unsigned core, defs::Engine engine, const defs::Instr& instr) {
    code_[{chip, core, static_cast<unsigned>(engine)}].push_back(instr.words());
  }
  void add(unsigned chip, unsigned core, unsigned dma, const defs::Descriptor& descriptor) {
    rings_[{chip, core, dma}].push_back(descriptor.words());
  }
  void data(unsigned chip, std::uint64_t addr, std::span<const std::uint8_t> bytes) {
    program_.segments.push_back({chip, addr, {bytes.begin(), bytes.end()}});
  }
  void isolate(const cmodel::Partition& partition) { program_.partitions.push_back(partition); }
  void region(const char* name, unsigned chip, std::uint64_t addr, unsigned bytes) {
    program_.regions.push_back({name, chip, addr, bytes});
  }
  /// With `end`, every stream gets its END.
  cmodel::Program build(bool end = true) const {
    cmodel::Program out = program_;
    std::vector<std::array<std::uint64_t, 2>> tops(
        out.chips, {defs::kAddrHbm0Base + 0x10'0000, defs::kAddrHbm1Base + 0x10'0000});
    const auto place = [&](unsigned chip, unsigned core, const Words& words) {
      std::uint64_t& next = tops[chip][out.partitions.empty() ? 0 : core];
      const std::uint64_t base = next;
      std::vector<std::uint8_t> bytes(words.size() * sizeof(words[0]));
      std::memcpy(bytes.data(), words.data(), bytes.size());
      next += (bytes.size() + sizes_.line_bytes - 1) / sizes_.line_bytes * sizes_.line_bytes;
      out.segments.push_back({chip, base, std::move(bytes)});
      return base;
    };
    for (const auto& [key, code] : code_) {
      Words words = code;
      if (end) words.push_back(defs::encode_end().words());
      const auto [chip, core, engine] = key;
      out.streams.push_back(
          {chip, core, engine, place(chip, core, words), static_cast<std::uint32_t>(words.size())});
    }
    for (const auto& [key, words] : rings_) {
      const auto [chip, core, engine] = key;
      out.rings.push_back(
          {chip, core, engine, place(chip, core, words), static_cast<std::uint32_t>(words.size())});
    }
    return out;
  }

 private:
  using Words = std::vector<std::array<std::uint32_t, 16>>;
  using Key = std::tuple<unsigned, unsigned, unsigned>;
  const defs::Sizes& sizes_;
  cmodel::Program program_;
  std::map<Key, Words> code_, rings_;
};

}  // namespace tb
