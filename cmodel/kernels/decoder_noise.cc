// SPDX-License-Identifier: Apache-2.0
// What is added to the logits of a text with a temperature: decoder.h.
#include <cmath>

#include "cmodel/kernels/decoder_rank.h"

namespace cmodel {

using defs::ActFunc;
using defs::AluOp;

/// The generators begin as they do for the text alone.
void DecoderRank::seed_text(Register text) {
  auto& v = core_.vector();
  if (!sampled()) return;
  if (count() == 1) {
    v.set_seed(Scalar::bits(texts_.seeds[0]));
    return;
  }
  const Register number = v.reg();
  for (unsigned i = 0; i < count(); ++i) {
    const Label other = v.ahead();
    v.set(number, i);
    v.branch(defs::Condition::Ne, text, number, other);
    v.set_seed(Scalar::bits(texts_.seeds[i]));
    v.place(other);
  }
}

/// 23 bits of each number: with the half that follows, fp32 has all of them exactly.
void DecoderRank::draw_noise() {
  if (!sampled()) return;
  const Tile words = noise().as(defs::Dtype::Uint32, plan_.shape.characters);
  core_.vector()
      .rng(words)
      .tensor_scalar(AluOp::ShiftRight, words, Scalar::bits(32 - kNoiseBits), words)
      .signal(drawn_);
}

/// T ln -ln u, u = (bits + 1/2) / 2^23 between 0 and 1.
void DecoderRank::shape_noise() {
  if (!sampled()) return;
  const Tile words = noise().as(defs::Dtype::Uint32, plan_.shape.characters);
  core_.act()
      .take(drawn_)
      .activate_scaled(ActFunc::Log, words, std::ldexp(1.0f, -kNoiseBits),
                       std::ldexp(0.5f, -kNoiseBits), noise())
      .activate_scaled(ActFunc::Log, noise(), -1.0f, noise())
      .activate_scaled(ActFunc::Copy, noise(), texts_.temperature, noise())
      .signal(noised_);
}

}  // namespace cmodel
