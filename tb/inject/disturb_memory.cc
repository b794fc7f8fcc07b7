// SPDX-License-Identifier: Apache-2.0
// Faults on the way to memory: SBUF writes, DMA addresses, the host's beats.
#include <fmt/format.h>

#include <bit>
#include <cstdint>
#include <vector>

#include "cmodel/machine/hbm.h"
#include "tb/inject/injector.h"

namespace tb {

using namespace inject;

std::optional<Done> Injector::Impl::sbuf_write_lost(Chip& chip) {
  const auto& sizes = built_sizes();
  const Register valid = in_core(chip, "u_sbuf.wr_valid_q");
  if (!valid.value()) return {};
  const unsigned e = valid.bit(0, 0) ? 0 : 1;
  const unsigned word_bits = static_cast<unsigned>(std::bit_width(sizes.sbuf_bytes / 8 - 1));
  const unsigned lane_bits = static_cast<unsigned>(std::bit_width(sizes.partitions - 1));
  const auto word =
      static_cast<unsigned>(in_core(chip, "u_sbuf.wr_word_q").get(0, e * word_bits, word_bits));
  const auto byte = static_cast<unsigned>(in_core(chip, "u_sbuf.wr_byte_q").get(0, 3 * e, 3));
  const auto bytes = static_cast<unsigned>(in_core(chip, "u_sbuf.wr_bytes_q").get(0, 3 * e, 3));
  const auto first =
      static_cast<unsigned>(in_core(chip, "u_sbuf.wr_first_q").get(0, lane_bits * e, lane_bits));
  const auto count = static_cast<unsigned>(in_core(chip, "u_sbuf.wr_count_q").get(0, 8 * e, 8));
  const Register data = in_core(chip, "u_sbuf.wr_data_q"), mem = chip.state().sbuf(core);
  std::vector<unsigned> changed;  // partitions whose bytes would have changed
  for (unsigned i = 0; i < count; ++i) {
    const auto old = mem.get(std::size_t{word} * sizes.partitions + first + i, 8 * byte, 8 * bytes);
    if (old != data.get(e * sizes.partitions + i, 0, 8 * bytes)) changed.push_back(first + i);
  }
  valid.put(0, e, 1, 0);
  return Done{fmt::format("core {} {} write of byte {:#x}, partitions {}..{}", core,
                          e ? "Act" : "Vector", word * 8 + byte, first, first + count - 1),
              [=, this] {
                if (changed.empty()) return std::string("the lost row was equal to what SBUF held");
                std::string why;
                for (unsigned partition : changed)
                  for (unsigned b = 0; b < bytes; ++b) {
                    why = dead(cmodel::Cell::Memory::Sbuf, partition, word * 8 + byte + b);
                    if (why.empty()) return why;
                  }
                return why;
              }};
}

std::optional<Done> Injector::Impl::dma_address(Chip& chip) {
  const auto running = in_core(chip, "u_dma.u_engines.running_q").value();
  const unsigned e = random.below(built_sizes().dma_engines);
  // Between two rows: inside a packet only its first address counts.
  if (!(running >> e & 1) || in_core(chip, "u_dma.u_engines.done_q").get(e, 0, 17)) return {};
  const unsigned bit = 2 + random.below(14);
  in_core(chip, "u_dma.u_engines.dst_row_q").flip(e, bit);
  return Done{fmt::format("core {} DMA {} destination bit {}", core, e, bit),
              [] { return std::string(); }};
}

std::optional<Done> Injector::Impl::dma_stuck(Chip& chip) {
  const unsigned e = random.below(built_sizes().dma_engines);
  const auto is = [&](std::string_view name) {
    return in_core(chip, fmt::format("u_dma.{}", name)).bit(0, e);
  };
  if (!is("u_fetch.work_q") || !is("u_engines.running_q")) return {};
  const auto stop = [this, e](Chip& at) {
    const Register work = in_core(at, "u_dma.u_fetch.work_q");
    const bool was = work.bit(0, e);
    work.put(0, e, 1, 0);
    return was;
  };
  stop(chip);
  return Done{fmt::format("core {} DMA {} at pc {}", core, e, chip.state().dma(core, e).pc),
              [] { return std::string(); },
              {},
              stop};
}

std::optional<Done> Injector::Impl::host_beat(Chip& chip) {
  std::uint32_t* token = chip.host_token();
  if (!token) return {};
  const auto request = defs::HostReq::unpack(token);
  if (!request.valid || !request.write || !cmodel::Hbm::mapped(request.addr, request.bytes))
    return {};
  const unsigned bit = random.below(8u * request.bytes);
  token[bit / 32] ^= 1u << bit % 32;  // data is the lowest field
  return Done{fmt::format("host write of {:#x}, data bit {}", request.addr, bit),
              [] { return std::string(); }};
}

}  // namespace tb
