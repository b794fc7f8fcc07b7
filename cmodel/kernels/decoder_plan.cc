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

/// Divisions by these come next.
void check_shape(const DecoderShape& s) {
  const std::pair<const char*, unsigned> sizes[] = {
      {"width", s.width},   {"heads", s.heads},     {"layers", s.layers},
      {"hidden", s.hidden}, {"context", s.context}, {"characters", s.characters}};
  for (const auto& [what, size] : sizes)
    if (size == 0) throw AssemblerError(fmt::format("{} is 0; allowed 1 and more", what));
  if (s.width % s.heads)
    throw AssemblerError(fmt::format("{} heads; allowed divisors of width {}", s.heads, s.width));
}

}  // namespace

void check_weights(const DecoderWeights& weights) {
  const auto& s = weights.shape;
  check_shape(s);
  const auto check = [](const std::string& what, const std::vector<std::uint16_t>& w,
                        unsigned outputs, unsigned inputs) {
    if (w.size() != std::size_t{outputs} * inputs)
      throw AssemblerError(
          fmt::format("{} has {} weights; allowed {} x {}", what, w.size(), outputs, inputs));
  };
  check("embedding", weights.embedding, s.characters, s.width);
  check("position", weights.position, s.context, s.width);
  check("logits", weights.logits, s.characters, s.width);
  if (weights.layers.size() != s.layers)
    throw AssemblerError(
        fmt::format("weights of {} layers; allowed {}", weights.layers.size(), s.layers));
  for (unsigned i = 0; i < s.layers; ++i) {
    const auto& layer = weights.layers[i];
    const auto in = [&](const char* what) { return fmt::format("{} of layer {}", what, i); };
    check(in("qkv"), layer.qkv, 3 * s.width, s.width);
    check(in("out"), layer.out, s.width, s.width);
    check(in("up"), layer.up, s.hidden, s.width);
    check(in("down"), layer.down, s.width, s.hidden);
  }
}

DecoderPlan::DecoderPlan(const defs::Sizes& sizes, const DecoderShape& s, unsigned count)
    : shape(s), ranks(count), psum_cols(sizes.psum_cols) {
  check_shape(s);
  if (ranks == 0 || s.heads % ranks || s.hidden % ranks)
    throw AssemblerError(fmt::format("{} ranks; allowed divisors of {} heads and {} hidden units",
                                     ranks, s.heads, s.hidden));
  if (s.width > kRowBanks * sizes.psum_cols)
    throw AssemblerError(
        fmt::format("width {}; allowed at most {}", s.width, kRowBanks * sizes.psum_cols));
  // Scores are divided by the root of the head, as bf16 has it: exactly, or they are others.
  if (!std::has_single_bit(s.head()) || std::countr_zero(s.head()) % 2)
    throw AssemblerError(fmt::format("heads of {}; allowed powers of 4", s.head()));
  if (ranks > sizes.partitions)
    throw AssemblerError(fmt::format("{} ranks; allowed at most {}", ranks, sizes.partitions));
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
  if (tiles > kTurnedBanks * group())
    throw AssemblerError(fmt::format("{} ranks of a vector of {} columns; allowed at most {} ranks",
                                     ranks, tiles, kTurnedBanks * psum_cols / tiles));
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
