// SPDX-License-Identifier: Apache-2.0
// Random instructions of the tensor, vector and activation engine.
#include <algorithm>
#include <array>

#include "tb/scenarios/corners.h"

namespace tb::corners {
namespace {

/// Formats of the tensor engine: narrow floats go with each other, the others with their like.
constexpr std::array kNarrowFloats{Dtype::Bf16, Dtype::Fp16, Dtype::Fp8E5M2, Dtype::Fp8E4M3,
                                   Dtype::Fp8E3M4};
constexpr std::array kTensorFormats{Dtype::Bf16,    Dtype::Fp16, Dtype::Fp8E5M2, Dtype::Fp8E4M3,
                                    Dtype::Fp8E3M4, Dtype::Tf32, Dtype::Fp32,    Dtype::Int8};
/// Whose bits it moves.
constexpr std::array kMovedFormats{Dtype::Bf16,  Dtype::Fp16,   Dtype::Int16, Dtype::Uint16,
                                   Dtype::Int32, Dtype::Uint32, Dtype::Tf32,  Dtype::Fp32};
static_assert(kMovedFormats.size() == kTensorFormats.size());

}  // namespace

void Corners::compute(unsigned chip, unsigned c, Semaphore filled) {
  auto& core = assembler_.core(chip, c);
  const std::array summed{core.semaphore("summed0"), core.semaphore("summed1")};
  const unsigned half = args_.sizes.psum_banks / 2, bank_bytes = args_.sizes.psum_cols * 4;

  Counter tensor(assembler_, chip, c);
  core.tensor().wait_ge(filled, fills());
  const auto operand = [&](Dtype dtype, unsigned n, const std::array<unsigned, 4>& size) {
    const bool wide = dtype == Dtype::Bf16;
    return tile(chip, c, Space::Sbuf, dtype, n, size, wide ? 0 : kNarrowAt,
                wide ? kNarrowAt : kSourceBytes - kNarrowAt);
  };
  for (unsigned round = 0; round < 2; ++round) {
    // Every word of the banks is written once, so that the others find no stale bits.
    Tile weights = operand(Dtype::Bf16, p_, {1, 1, 1, p_});
    core.tensor().load_stationary(weights);
    for (unsigned bank = round * half; bank < (round + 1) * half; ++bank)
      core.tensor().multiply_moving(operand(Dtype::Bf16, p_, {1, 1, 1, args_.sizes.psum_cols}),
                                    core.psum(bank, p_, args_.sizes.psum_cols));
    for (unsigned i = 0; i < length() / 4; ++i) {
      // Bits of many rows, picked by random numbers, would nearly all be set.
      const bool bits = random_.one_in(4);
      const unsigned k = bits && random_.one_in(2) ? 1 : partitions();
      auto m = loops(p_);
      if (random_.one_in(4)) m = {1, 1, 1, p_};
      tensor.wait(core.tensor(), random_);
      const Dtype stationary =
          (bits ? kMovedFormats : kTensorFormats)[random_.between(0, kTensorFormats.size() - 1)];
      weights = operand(stationary, k, m);
      if (bits)
        core.tensor().load_bits(weights);
      else
        core.tensor().load_stationary(weights);
      tensor.signal(core.tensor(), random_);
      for (unsigned again = random_.between(1, 3); again > 0; --again) {
        const auto n = loops(args_.sizes.psum_cols);
        const bool is_narrow = std::ranges::count(kNarrowFloats, stationary) > 0;
        const Dtype meets = bits ? kTensorFormats[random_.between(0, kTensorFormats.size() - 1)]
                            : is_narrow
                                ? kNarrowFloats[random_.between(0, kNarrowFloats.size() - 1)]
                                : stationary;
        Tile moving = operand(meets, k, n);
        moving.partition = weights.partition;
        const unsigned bank = round * half + random_.between(0, half - 1);
        Tile sums = tile(chip, c, Space::Psum,
                         bits || stationary == Dtype::Int8 ? Dtype::Int32 : Dtype::Fp32,
                         weights.elements(), n, bank * bank_bytes, bank_bytes);
        sums.partition = 0;
        tensor.wait(core.tensor(), random_);
        if (bits)
          core.tensor().transpose_moving(moving, sums);
        else
          core.tensor().multiply_moving(moving, sums, random_.one_in(2));
        tensor.signal(core.tensor(), random_);
      }
      if (random_.one_in(8)) core.tensor().nop();
    }
    core.tensor().signal(summed[round]);
  }

  Counter vector(assembler_, chip, c), act(assembler_, chip, c);
  core.vector().wait_ge(filled, fills());
  core.act().wait_ge(filled, fills());
  for (unsigned i = 0; i < length(); ++i) {
    if (i == length() / 4) {
      core.vector().wait_ge(summed[0], 1);
      core.act().wait_ge(summed[0], 1);
    }
    if (i == length() / 4 * 3) {
      core.vector().wait_ge(summed[1], 1);
      core.act().wait_ge(summed[1], 1);
    }
    const unsigned banks = i < length() / 4 ? 0 : i < length() / 4 * 3 ? half : 2 * half;
    const auto result = [&] { return random_.one_in(2) ? Dtype::Fp32 : Dtype::Bf16; };
    {
      vector.wait(core.vector(), random_);
      const unsigned n = partitions();
      const auto size = lane_loops();
      const unsigned kind = random_.between(0, 4);
      const auto func = defs::kEveryAluOp[random_.between(0, 2)];
      if (kind == 4) {
        core.vector().nop();
      } else if (kind == 3) {
        Tile outer = tile(chip, c, Space::Sbuf, result(), n, {size[0], size[1], size[2], 1},
                          kVectorAt, kEngineBytes);
        // reduce() takes the destination without the innermost dimension.
        outer.size = {1, outer.size[0], outer.size[1], outer.size[2]};
        outer.stride = {0, outer.stride[0], outer.stride[1], outer.stride[2]};
        core.vector().reduce(func == defs::AluOp::Sub ? defs::AluOp::Add : func,
                             source(chip, c, n, size, banks), outer);
      } else {
        const Tile a = source(chip, c, n, size, banks), b = source(chip, c, n, size, banks);
        const Tile to =
            rounded(tile(chip, c, Space::Sbuf, result(), n, size, kVectorAt, kEngineBytes));
        if (kind == 0)
          core.vector().copy(a, to);
        else
          core.vector().tensor_tensor(func, a, b, to);
      }
      vector.signal(core.vector(), random_);
    }
    {
      act.wait(core.act(), random_);
      const unsigned n = partitions();
      const auto size = lane_loops();
      const Tile a = source(chip, c, n, size, banks);
      const Dtype made = defs::kEveryDtype[random_.between(0, defs::kEveryDtype.size() - 1)];
      const Tile to = rounded(tile(chip, c, Space::Sbuf, made, n, size, kActAt, kEngineBytes));
      const Tile bias = tile(chip, c, Space::Sbuf, Dtype::Fp32, n, {1, 1, 1, 1}, 0, kSourceBytes);
      const defs::Accumulator sums{.command = static_cast<std::uint8_t>(random_.between(0, 3))};
      const auto func = defs::kEveryActFunc[random_.between(0, defs::kEveryActFunc.size() - 1)];
      if (random_.one_in(10))
        core.act().nop();
      else if (random_.one_in(20))
        core.act().set_seed(static_cast<float>(i));
      else if (random_.one_in(8))
        core.act().read_accumulator(to);
      else if (random_.one_in(3))
        core.act().activate(func, a, to, sums);
      else if (random_.one_in(2))
        core.act().activate(func, a, bias, to, sums);
      else
        core.act().activate_scaled(func, a, -1.5f, bias, to, sums);
      act.signal(core.act(), random_);
    }
  }
  rows(chip, c, vector, act);
}

}  // namespace tb::corners
