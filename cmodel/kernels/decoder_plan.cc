// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

#include "cmodel/kernels/decoder.h"

namespace cmodel {

namespace {

/// The greatest divisor of n that is not more than `most`.
unsigned divisor(unsigned n, unsigned most) {
  unsigned d = std::min(n, most);
  while (n % d) --d;
  return d;
}

}  // namespace

DecoderPlan::DecoderPlan(const defs::Sizes& sizes, const DecoderShape& s, unsigned count)
    : shape(s), ranks(count) {
  if (ranks == 0 || s.heads % ranks || s.hidden % ranks)
    throw AssemblerError(fmt::format("{} ranks; allowed divisors of {} heads and {} hidden units",
                                     ranks, s.heads, s.hidden));
  if (s.width > kRowBanks * sizes.psum_cols)
    throw AssemblerError(
        fmt::format("width {}; allowed at most {}", s.width, kRowBanks * sizes.psum_cols));
  // Scores are divided by the root of the head, as bf16 has it: exactly, or they are others.
  if (!std::has_single_bit(s.head()) || std::countr_zero(s.head()) % 2)
    throw AssemblerError(fmt::format("heads of {}; allowed powers of 4", s.head()));
  const unsigned local = s.width / ranks, hidden = s.hidden / ranks;
  heads = s.heads / ranks;
  tile = divisor(s.width, sizes.partitions);
  tiles = s.width / tile;
  local_tile = divisor(local, tile);
  locals = local / local_tile;
  hidden_tile = divisor(hidden, tile);
  hiddens = hidden / hidden_tile;
  chunk_bytes = 2 * s.width;
  if (local_tile % s.head() || s.characters > s.width)
    throw AssemblerError(fmt::format(
        "heads of {} in tiles of {}, {} characters; allowed whole heads, at most {} characters",
        s.head(), local_tile, s.characters, s.width));
  resident = chunks() * chunk_bytes <= sizes.sbuf_bytes / 2;
}

std::vector<std::uint8_t> DecoderPlan::pack(const DecoderWeights& weights, unsigned rank) const {
  std::vector<std::uint16_t> out(std::size_t{chunks()} * tile * shape.width);
  auto chunk = out.begin();
  const unsigned width = shape.width, local = locals * local_tile, hidden = hiddens * hidden_tile;
  // Stationary: outputs first .. first + columns - 1, over all tiles of inputs.
  const auto strip = [&](const std::vector<std::uint16_t>& w, unsigned first, unsigned columns) {
    for (unsigned p = 0; p < tile; ++p)
      for (unsigned k = 0; k < tiles; ++k)
        for (unsigned c = 0; c < columns; ++c)
          chunk[p * width + k * columns + c] = w[std::size_t{first + c} * width + k * tile + p];
    chunk += tile * width;
  };
  // Moving: all outputs of inputs first .. first + rows - 1.
  const auto rows = [&](const std::vector<std::uint16_t>& w, unsigned outputs, unsigned first,
                        unsigned count) {
    const std::size_t inputs = w.size() / outputs;
    for (unsigned p = 0; p < count; ++p)
      for (unsigned c = 0; c < outputs; ++c) chunk[p * width + c] = w[c * inputs + first + p];
    chunk += tile * width;
  };
  for (const auto& layer : weights.layers) {
    for (unsigned part = 0; part < 3; ++part)
      for (unsigned t = 0; t < locals; ++t)
        strip(layer.qkv, part * width + rank * local + t * local_tile, local_tile);
    for (unsigned t = 0; t < locals; ++t)
      rows(layer.out, width, rank * local + t * local_tile, local_tile);
    for (unsigned t = 0; t < hiddens; ++t)
      strip(layer.up, rank * hidden + t * hidden_tile, hidden_tile);
    for (unsigned t = 0; t < hiddens; ++t)
      rows(layer.down, width, rank * hidden + t * hidden_tile, hidden_tile);
  }
  for (unsigned t = 0; t < tiles; ++t) rows(weights.logits, shape.characters, t * tile, tile);
  std::vector<std::uint8_t> bytes(2 * out.size());
  std::memcpy(bytes.data(), out.data(), bytes.size());
  return bytes;
}

std::vector<float> DecoderPlan::turned(const std::vector<std::uint16_t>& table) const {
  std::vector<float> out(table.size());
  for (std::size_t i = 0; i < table.size(); ++i) {
    const std::size_t row = i / shape.width, f = i % shape.width;
    out[row * shape.width + f % tile * tiles + f / tile] =
        std::bit_cast<float>(static_cast<std::uint32_t>(table[i]) << 16);
  }
  return out;
}

}  // namespace cmodel
