// SPDX-License-Identifier: Apache-2.0
// Causal attention of one head on a core, over keys and values that lie in HBM: of any length, by
// one program. B = 4 P keys are a block; a query tile is P tokens.
//
//   for each query tile
//     for each key block up to its own
//       scores = q^T K                         [P queries, B]     tensor
//       max so far; p = e^(scores - max)       [P, B], bf16       vector, activation
//       p^T, tile by tile                      4 x [P keys, P]    tensor, activation
//       s = p [V | 1]                          [P, head + 1]      tensor
//       o = o e^(max before - max) + s         its last column is the sum of p: vector
//     o / its last column -> HBM                                  activation, sync
//
// Three blocks are under way at once: while the array scores a block, the lanes have the next one's
// p, and the array turns and multiplies that of those before. Within its last block a query tile
// adds a mask, a window of one tile of 0 and -infinity:
//
//   mask[q][c] = c <= q + B ? 0 : -inf, from column B - P (query tile mod 4)
#pragma once
#include "cmodel/program/assembler.h"

namespace cmodel {

/// bf16 but for `out`; head is P, tokens are padded with zeros to whole tiles.
struct Attention {
  Block q;                 ///< [tile][head][P]: new queries, over the root of the head
  Block k, v;              ///< [tile][head][P] and [token][head]: of the new tokens
  Block k_cache, v_cache;  ///< [block][head][B] and [token][head]: of all tokens, room for the most
  Block out;               ///< [token][head], fp32, of the new tokens
  Block span;              ///< two words: query tiles that the cache has, new ones
};

/// Writes the streams of the core: new keys and values go into the cache, then every new query tile
/// attends to all tokens up to its own. Has seven banks of PSUM. Sync goes on when all is in HBM.
/// Error, of the sum of |p v|: 2^-8 by p in bf16, and twice the error of a score.
void attend(Assembler& assembler, Core& core, const Attention& job);

}  // namespace cmodel
