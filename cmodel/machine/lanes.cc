// SPDX-License-Identifier: Apache-2.0
#include "cmodel/machine/lanes.h"

#include <algorithm>
#include <cstring>

#include "cmodel/machine/access_pattern.h"
#include "cmodel/machine/fp.h"
#include "cmodel/machine/rounding.h"

namespace cmodel {

void LanePort::read(const defs::Operand& src, std::uint32_t addr,
                    std::span<std::uint32_t> lanes) const {
  if (src.space == static_cast<std::uint8_t>(defs::Space::Psum)) {
    psum.check(addr / 4, src.partition, lanes.size());
    std::ranges::copy(psum.row(addr / 4).subspan(src.partition, lanes.size()), lanes.begin());
  } else {
    sbuf.read_column(addr, element_bytes(src.dtype), src.partition, lanes);
  }
  const auto dtype = static_cast<defs::Dtype>(src.dtype);
  if (bits || dtype == defs::Dtype::Fp32) return;
  for (auto& lane : lanes) lane = fp::element_to_fp32(dtype, lane);
}

void LanePort::read(const defs::Scalar& scalar, std::span<std::uint32_t> lanes) const {
  if (scalar.kind == static_cast<std::uint8_t>(defs::ScalarKind::Sbuf))
    sbuf.read_column(scalar.value & 0xff'ffffu, 4, scalar.value >> 24, lanes);
  else
    std::ranges::fill(lanes, scalar.value);
}

void LanePort::write(const defs::Operand& dst, std::uint32_t addr, std::uint32_t pc,
                     std::span<const std::uint32_t> lanes, std::span<const bool> skip) {
  const bool to_psum = dst.space == static_cast<std::uint8_t>(defs::Space::Psum);
  Commit commit;
  commit.kind = to_psum ? CommitKind::PsumRow : CommitKind::SbufRow;
  commit.stream = stream;
  commit.pc = pc;
  commit.addr = addr;
  commit.first = dst.partition;
  commit.count = static_cast<std::uint16_t>(lanes.size());
  commit.element_bytes = static_cast<std::uint8_t>(element_bytes(dst.dtype));

  Lanes words;
  std::array<std::uint8_t, sizeof(Lanes)> data;
  const std::size_t n = lanes.size();
  const auto dtype = static_cast<defs::Dtype>(dst.dtype);
  std::ranges::copy(lanes, words.begin());
  const auto numbers = dst.stochastic ? random.draw() : std::span<const std::uint32_t>();
  for (std::size_t i = 0; i < n && !bits; ++i) {
    if (dst.saturate) words[i] = fp::saturated(dtype, words[i]);
    if (dst.stochastic) words[i] = fp::at_random(dtype, words[i], numbers[i]);
    words[i] = fp::fp32_to_element(dtype, words[i]);
  }
  for (std::size_t i = 0; i < skip.size(); ++i)
    if (skip[i]) words[i] = 0;
  for (std::size_t i = 0; i < n; ++i)
    std::memcpy(&data[i * commit.element_bytes], &words[i], commit.element_bytes);
  const auto put = [&](std::size_t first, std::size_t count) {
    const auto from = static_cast<unsigned>(dst.partition + first);
    const auto part = std::span(words).subspan(first, count);
    if (!to_psum) return sbuf.write_column(addr, commit.element_bytes, from, part);
    std::ranges::copy(part, psum.row(addr / 4).begin() + from);
    psum.mark(addr / 4, from, count);
  };
  if (skip.empty()) put(0, n);
  for (std::size_t i = 0; i < skip.size(); ++i)
    if (!skip[i]) put(i, 1);
  sink.commit(commit, {data.data(), n * commit.element_bytes});
}

}  // namespace cmodel
