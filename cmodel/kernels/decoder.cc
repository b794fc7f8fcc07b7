// SPDX-License-Identifier: Apache-2.0
#include "cmodel/kernels/decoder.h"

#include <bit>
#include <cmath>

#include "cmodel/kernels/decoder_rank.h"
#include "cmodel/kernels/product_copies.h"

namespace cmodel {

using defs::Dtype;
using defs::RegOp;

namespace {

constexpr std::uint16_t kOne = 0x3f80;
constexpr unsigned kHostBytes = 64;  ///< what a host writes begins at multiples of them

template <class Word>
std::vector<std::uint8_t> as_bytes(const std::vector<Word>& words) {
  const auto* first = reinterpret_cast<const std::uint8_t*>(words.data());
  return {first, first + words.size() * sizeof(Word)};
}

}  // namespace

DecoderRank::DecoderRank(Assembler& assembler, Core& core, const DecoderPlan& plan,
                         const DecoderWeights& weights, const DecoderTexts& texts, unsigned rank)
    : assembler_(assembler), core_(core), plan_(plan), texts_(texts), rank_(rank) {
  const auto& shape = plan.shape;
  blocks.tokens = hbm("tokens", 4 * shape.context, count());
  blocks.logits = hbm("logits", 4 * shape.characters, count() * shape.context);
  blocks.span = hbm("span", kHostBytes, count()).byte_range(0, 8);
  const unsigned vector_bytes = 4 * plan.tiles;
  embedding_ = data("embedding", vector_bytes, shape.characters * plan.tile,
                    as_bytes(plan.turned(weights.embedding)));
  position_ = data("position", vector_bytes, shape.context * plan.tile,
                   as_bytes(plan.turned(weights.position)));
  weights_ = data("weights", plan.chunk_bytes, plan.chunks() * plan.tile, plan.pack(weights, rank));
  place();
}

void DecoderRank::place() {
  const auto& p = plan_;
  slots_ = lines(p.tile, (p.resident ? p.chunks() : kSlots) * p.chunk_bytes / 2, Dtype::Bf16);
  for (Tile* vector : {&token_, &at_, &x_, &squares_})
    *vector = core_.sbuf(p.tile, p.tiles, Dtype::Fp32);
  for (Tile* number : {&square_, &inverse_}) *number = core_.sbuf(p.tile, 1, Dtype::Fp32);
  h_ = core_.sbuf(p.tile, p.tiles, Dtype::Bf16);
  ones_ = core_.sbuf(p.tile, p.tile, Dtype::Fp32);
  mask_ = core_.sbuf(p.local_tile, mask_columns(), Dtype::Bf16);
  q_ = core_.sbuf(p.local_tile, p.locals * p.heads, Dtype::Bf16);
  members_ = core_.sbuf(p.heads, p.locals * p.local_tile, Dtype::Bf16);
  eye_ = core_.sbuf(p.ranks, even(p.ranks), Dtype::Bf16);
  o_ = core_.sbuf(p.local_tile, p.locals, Dtype::Bf16);
  for (Tile* number : {&minus_max_, &sum_, &share_}) *number = core_.sbuf(p.heads, 1, Dtype::Fp32);
  hidden_ = core_.sbuf(p.hidden_tile, p.hiddens, Dtype::Bf16);
  for (unsigned phase = 0; phase < kPhases; ++phase) {
    rows_[phase] = core_.sbuf(p.ranks, p.shape.width, Dtype::Fp32);
    row_[phase] = p.ranks == 1 ? rows_[phase] : core_.sbuf(1, p.shape.width, Dtype::Fp32);
    for_pieces(p.shape.width, [&](unsigned, unsigned, unsigned) {
      arrived_[phase].push_back(core_.semaphore("arrived"));
    });
  }
  logits_ = core_.sbuf(1, p.shape.characters, Dtype::Fp32);
  greatest_ = core_.sbuf(1, 8, Dtype::Fp32);
  picked_tile_ = core_.sbuf(1, 8, Dtype::Uint32);
  // What is left is for the cache and for what has an element for each key.
  const unsigned left = core_.align_sbuf(assembler_.sizes().line_bytes),
                 key_bytes = p.shape.layers * 2 * p.locals * 2 + 4 + 4 + 2;
  capacity_ = std::min({p.shape.context, assembler_.sizes().psum_cols, left / key_bytes}) / 4 * 4;
  if (capacity_ == 0)
    throw AssemblerError(fmt::format("{} bytes of SBUF are left for the cache, allowed {} and more",
                                     left, 4 * key_bytes));
  cache_ = core_.sbuf(p.local_tile, p.shape.layers * 2 * p.locals * capacity_, Dtype::Bf16);
  terms_ = core_.sbuf(p.local_tile, capacity_, Dtype::Fp32);
  e_ = core_.sbuf(p.heads, capacity_, Dtype::Fp32);
  shares_ = core_.sbuf(p.heads, capacity_, Dtype::Bf16);
  for (unsigned e = 0; e < parts_of_copies({{chunk(), slot()}}, assembler_.sizes().dma_engines,
                                           assembler_.sizes().line_bytes)
                               .size();
       ++e)
    loaded_.push_back(core_.semaphore("weights"));
  if (sampled()) drawn_ = core_.semaphore("drawn"), noised_ = core_.semaphore("noise");
}

void DecoderRank::load_constants() {
  const auto& p = plan_;
  const unsigned head = p.shape.head();
  std::vector<std::uint16_t> mask(std::size_t{p.local_tile} * mask_columns()),
      members(std::size_t{p.heads} * p.locals * p.local_tile),
      eye(std::size_t{p.ranks} * even(p.ranks));
  for (unsigned i = 0; i < p.ranks; ++i) eye[i * even(p.ranks) + i] = kOne;
  // Divides scores by the root of the head, a power of two as bf16 has it exactly.
  const float scale = 1 / std::sqrt(static_cast<float>(head));
  for (unsigned t = 0; t < p.locals; ++t)
    for (unsigned f = 0; f < p.local_tile; ++f) {
      const unsigned h = (t * p.local_tile + f) / head;
      mask[f * mask_columns() + t * p.heads + h] =
          static_cast<std::uint16_t>(std::bit_cast<std::uint32_t>(scale) >> 16);
      members[(h * p.locals + t) * p.local_tile + f] = kOne;
    }
  unsigned parts = 0;
  const auto load = [&](const char* what, const std::vector<std::uint16_t>& words,
                        const Tile& tile) {
    const Block from = data(what, static_cast<unsigned>(2 * words.size() / tile.partitions),
                            tile.partitions, as_bytes(words));
    parts += spread(assembler_, core_, from, assembler_.block(tile), there_);
  };
  load("mask", mask, mask_);
  load("members", members, members_);
  load("identity", eye, eye_);
  auto& s = core_.sync();
  if (p.resident) {
    const unsigned each = spread_parts(assembler_, chunk());
    const Register from = s.reg(), to = s.reg();
    s.loop(p.chunks(), [&] {
      spread(assembler_, core_, chunk(), slot(), there_, {.src = from, .dst = to});
      s.add(from, std::int64_t{p.tile} * weights_.stride);
      s.add(to, p.chunk_bytes);
    });
    parts += each * p.chunks();
  }
  core_.vector().memset(1.0f, ones_).signal(there_);
  core_.vector().wait_ge(there_, parts + 1).nop();
  core_.tensor().wait_ge(there_, parts + 1).nop();
}

void DecoderRank::write(const Ranks& all) {
  load_constants();
  write_sync(all);
  write_tensor();
  write_vector();
  write_act();
}

Decoder::Decoder(Assembler& assembler, const std::vector<Core*>& cores,
                 const DecoderWeights& weights, const DecoderTexts& texts) {
  if (texts.seeds.empty()) throw AssemblerError("no texts; allowed 1 and more");
  if (!(texts.temperature >= 0) || std::isinf(texts.temperature))
    throw AssemblerError(fmt::format("temperature {}; allowed 0 and more", texts.temperature));
  check_weights(weights);
  const DecoderPlan plan(assembler.sizes(), weights.shape, static_cast<unsigned>(cores.size()));
  std::vector<std::unique_ptr<DecoderRank>> ranks;
  for (unsigned i = 0; i < cores.size(); ++i)
    ranks.push_back(std::make_unique<DecoderRank>(assembler, *cores[i], plan, weights, texts, i));
  for (const auto& rank : ranks) {
    rank->write(ranks);
    blocks_.push_back(rank->blocks);
  }
  capacity_ = ranks[0]->capacity();
}

}  // namespace cmodel
