// SPDX-License-Identifier: Apache-2.0
#include "cmodel/machine/lanes.h"

#include <algorithm>

#include "cmodel/machine/access_pattern.h"
#include "cmodel/machine/fp.h"

namespace cmodel {

void LanePort::read(const defs::Operand& src, std::uint32_t addr,
                    std::span<std::uint32_t> lanes) const {
  if (src.space == static_cast<std::uint8_t>(defs::Space::Psum)) {
    psum.check(addr / 4, src.partition, lanes.size());
    std::ranges::copy(psum.row(addr / 4).subspan(src.partition, lanes.size()), lanes.begin());
    if (src.dtype == static_cast<std::uint8_t>(defs::Dtype::Int32))
      for (auto& lane : lanes) lane = fp::int32_to_fp32(lane);
    return;
  }
  const unsigned bytes = element_bytes(src.dtype);
  sbuf.read_column(addr, bytes, src.partition, lanes);
  if (bytes == 2) {
    for (auto& lane : lanes) lane = fp::bf16_to_fp32(static_cast<fp::Bf16>(lane));
  }
}

void LanePort::write(const defs::Operand& dst, std::uint32_t addr, std::uint32_t pc,
                     std::span<const std::uint32_t> lanes) {
  Commit commit;
  commit.kind = CommitKind::SbufRow;
  commit.stream = stream;
  commit.pc = pc;
  commit.addr = addr;
  commit.first = dst.partition;
  commit.count = static_cast<std::uint16_t>(lanes.size());
  commit.element_bytes = static_cast<std::uint8_t>(element_bytes(dst.dtype));

  Lanes words;
  std::array<std::uint16_t, std::tuple_size_v<Lanes>> halves;
  const std::size_t n = lanes.size();
  const std::uint8_t* data;
  if (commit.element_bytes == 2) {
    for (std::size_t i = 0; i < n; ++i) words[i] = halves[i] = fp::fp32_to_bf16(lanes[i]);
    data = reinterpret_cast<const std::uint8_t*>(halves.data());
  } else {
    for (std::size_t i = 0; i < n; ++i) words[i] = fp::canonical(lanes[i]);
    data = reinterpret_cast<const std::uint8_t*>(words.data());
  }
  sbuf.write_column(addr, commit.element_bytes, dst.partition, std::span(words).first(n));
  sink.commit(commit, {data, n * commit.element_bytes});
}

}  // namespace cmodel
