// SPDX-License-Identifier: Apache-2.0
// A small language model that writes texts on its own: token by token, of any number of tokens by
// one program, with no host in between, one text after the other. Heads and hidden units are split
// over cores (ranks); each has the residual x, its part of the cache and picks the same next token.
//
//   x = embedding[token] + position                                    sync: rows of HBM by
//   register each layer:
//     f = 1 / root mean square, while W is multiplied by x             vector, tensor (sum), act
//     q, k, v = f W x      columns; k and v go to the cache            tensor, vector, act
//     scores = q K         q as a block for each head: [heads, n]      tensor
//     p = softmax          [heads, n]                                  vector, act
//     o = sum of p V       p copied to the partitions of its head by
//                          a product, then times V, then summed        tensor, vector
//     row = W o            [1, width]: the rank's part                 tensor, vector
//     x += sum of rows     all ranks' rows lie in one tile by rank,
//                          are turned into columns and added in the
//                          order of ranks                              sync, tensor, vector
//     likewise gelu(f' W x') and its row                               act
//   logits = f'' W x''     a row: max8, find_index8                    tensor, vector
//     with a temperature   T g is added to it, g = -ln -ln u, u of     vector, act
//                          the random generator of lane 0, before the
//                          greatest is looked for: token c is picked
//                          with probability ~ e^(logit / T) (Gumbel)
//   tokens[next] = index   if the prompt does not say what it is       sync
//
// A vector of `width` is a tile [tile, width / tile], feature t * tile + p in partition p, column
// t. Weights are chunks of [tile rows, 2 width bytes] in the order of their use: all of them stay
// in SBUF if they fit in its half, else they stream through slots, once a token.
#pragma once
#include <cstdint>
#include <vector>

#include "cmodel/program/assembler.h"

namespace cmodel {

/// Heads have width / heads features; the norms have no gain, the layers no bias.
struct DecoderShape {
  unsigned width = 0, heads = 0, layers = 0, hidden = 0, context = 0, characters = 0;
  unsigned head() const { return width / heads; }
  bool operator==(const DecoderShape&) const = default;
};

/// Of a norm: x / sqrt(mean of squares + epsilon).
inline constexpr float kDecoderEpsilon = 0x1p-17f;

/// bf16, [outputs][inputs]; qkv [3 width][width]: q, k, v of head after head.
struct DecoderWeights {
  DecoderShape shape;
  std::vector<std::uint16_t> embedding, position;  ///< [character][width], [context][width]
  struct Layer {
    std::vector<std::uint16_t> qkv, out, up, down;
  };
  std::vector<Layer> layers;
  std::vector<std::uint16_t> logits;  ///< [character][width]
};

/// A text for each seed, one after the other. Seed and temperature are instructions' own; all ranks
/// draw the same numbers, so they pick the same token, and a text has the same noise on any number
/// of ranks, alone or among others.
struct DecoderTexts {
  std::vector<std::uint32_t> seeds = {0};
  float temperature = 0;  ///< 0: the greatest logit; seeds are without effect
};

/// Throws AssemblerError if the weights are not those of their shape: which, how many, allowed.
void check_weights(const DecoderWeights& weights);

/// How one rank's part lies in tiles; throws AssemblerError if the shape does not split so.
struct DecoderPlan {
  DecoderPlan(const defs::Sizes& sizes, const DecoderShape& shape, unsigned ranks);

  static constexpr unsigned kRowBanks = 3;     ///< of PSUM, that a row may take
  static constexpr unsigned kTurnedBanks = 4;  ///< likewise all ranks' rows, turned
  DecoderShape shape;
  unsigned ranks;
  unsigned tile, tiles;                ///< of a vector: rows and columns
  unsigned heads, local_tile, locals;  ///< of a rank: heads, tiles of their features
  unsigned hidden_tile, hiddens;       ///< likewise of its hidden units
  unsigned psum_cols;
  unsigned chunk_bytes;  ///< of each partition
  bool resident;

  /// Columns of a vector whose parts of all ranks lie in one bank.
  unsigned group() const { return psum_cols / ranks; }
  unsigned layer_chunks() const { return 3 * locals + locals + 2 * hiddens; }
  unsigned chunks() const { return shape.layers * layer_chunks() + tiles; }
  /// All chunks of a rank: [chunk][tile][chunk_bytes].
  std::vector<std::uint8_t> pack(const DecoderWeights& weights, unsigned rank) const;
  /// fp32 [row][tile][tiles]: a vector in each row of a table [row][width].
  std::vector<float> turned(const std::vector<std::uint16_t>& table) const;
};

/// What a rank has in the HBM of its chip.
struct DecoderBlocks {
  Block tokens;  ///< [text][context] words: the prompt, then what is made
  Block logits;  ///< [text][context][characters], fp32: of the token behind each
  Block
      span;  ///< [text] two words: tokens that are looked at, less than the context; of the prompt
};

class Decoder {
 public:
  /// Writes all streams of the cores, a rank each. Sync ends when all is in HBM. Throws
  /// AssemblerError for weights, texts or numbers of cores that cannot be.
  Decoder(Assembler& assembler, const std::vector<Core*>& cores, const DecoderWeights& weights,
          const DecoderTexts& texts = {});

  const std::vector<DecoderBlocks>& blocks() const { return blocks_; }
  /// Tokens that fit: the context, keys in a bank of PSUM, the cache in SBUF.
  unsigned capacity() const { return capacity_; }

 private:
  std::vector<DecoderBlocks> blocks_;
  unsigned capacity_ = 0;
};

}  // namespace cmodel
