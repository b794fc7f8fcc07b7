// SPDX-License-Identifier: Apache-2.0
// Loops of all engines of a core. First each for itself:
//
//   tensor     into banks half .., when the lanes have read their last of them
//   lanes      from sources and banks .. half - 1, each to its own area
//   sync       DMA from sources, a descriptor or two a turn
//
// then in turn, in any order: a token goes round. Who has it may also read what the others wrote,
// and writes for them.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>
#include <vector>

#include "tb/scenarios/corners.h"

namespace tb::corners {
namespace {

constexpr unsigned kMostElements = 64;
constexpr std::array kProducts{Dtype::Bf16, Dtype::Fp16, Dtype::Fp8E4M3, Dtype::Fp32, Dtype::Int8};

}  // namespace

LooperWords Corners::words(unsigned chip, unsigned c) {
  const auto noise = fmt::format("noise{}", random_.between(0, 1));
  return {assembler_.find(chip, noise).byte_range(0, LooperWords::kBytes),
          assembler_.data(chip, c, fmt::format("turns{}", c), 4 * LooperWords::kTurns, 1,
                          LooperWords::turn_bytes())};
}

template <class S>
Tile Corners::moved_source(Looper<S>& looper, unsigned chip, unsigned c, unsigned n,
                           const std::array<unsigned, 4>& size, bool integer, bool shared,
                           unsigned others) {
  if (random_.one_in(3)) {
    const unsigned banks = args_.sizes.psum_banks / (shared ? 1 : 2);
    const unsigned bytes = args_.sizes.psum_cols * 4, bank = random_.between(0, banks - 1);
    const Dtype dtype = integer && random_.one_in(2) ? Dtype::Int32 : Dtype::Fp32;
    return looper.moved(bank * bytes, bytes, [&](unsigned at, unsigned room) {
      return tile(chip, c, Space::Psum, dtype, n, size, at, room);
    });
  }
  const bool written = shared && random_.one_in(2);
  const Dtype dtype = random_.one_in(2) ? Dtype::Fp32 : Dtype::Bf16;
  return looper.moved(written ? others : 0, written ? kEngineBytes : kSourceBytes,
                      [&](unsigned at, unsigned room) {
                        return tile(chip, c, Space::Sbuf, dtype, n, size, at, room);
                      });
}

void Corners::turn(Looper<cmodel::TensorStream>& looper, unsigned chip, unsigned c, bool) {
  auto& tensor = assembler_.core(chip, c).tensor();
  const unsigned half = args_.sizes.psum_banks / 2, bank_bytes = args_.sizes.psum_cols * 4;
  const Dtype dtype = kProducts[random_.between(0, kProducts.size() - 1)];
  const auto operand = [&](unsigned n, const std::array<unsigned, 4>& size) {
    const bool wide = dtype == Dtype::Bf16;
    return looper.moved(wide ? 0 : kNarrowAt, wide ? kNarrowAt : kSourceBytes - kNarrowAt,
                        [&](unsigned at, unsigned room) {
                          return tile(chip, c, Space::Sbuf, dtype, n, size, at, room);
                        });
  };
  const unsigned k = partitions();
  const auto m = loops(p_);
  const Tile weights = operand(k, m);
  looper.sized(m);
  tensor.load_stationary(weights);
  for (unsigned again = random_.between(1, 2); again > 0; --again) {
    const auto n = loops(kMostElements);
    Tile moving = operand(k, n);
    moving.partition = weights.partition;
    const unsigned bank = half + random_.between(0, half - 1);
    const Dtype sum = dtype == Dtype::Int8 ? Dtype::Int32 : Dtype::Fp32;
    Tile sums = looper.moved(bank * bank_bytes, bank_bytes, [&](unsigned at, unsigned room) {
      return tile(chip, c, Space::Psum, sum, weights.elements(), n, at, room);
    });
    sums.partition = 0;
    looper.sized(n);
    tensor.multiply_moving(moving, sums, random_.one_in(2));
  }
}

void Corners::turn(Looper<cmodel::VectorStream>& looper, unsigned chip, unsigned c, bool shared) {
  auto& vector = assembler_.core(chip, c).vector();
  const unsigned n = partitions(), kind = random_.between(0, 2);
  const auto size = loops(kMostElements);
  const auto func = defs::kEveryAluOp[random_.between(0, 2)];
  const Dtype result = random_.one_in(2) ? Dtype::Fp32 : Dtype::Bf16;
  const auto to = [&](const std::array<unsigned, 4>& size) {
    return looper.moved(kVectorAt, kEngineBytes, [&](unsigned at, unsigned room) {
      return tile(chip, c, Space::Sbuf, result, n, size, at, room);
    });
  };
  const Tile a = moved_source(looper, chip, c, n, size, kind == 0, shared, kActAt);
  if (kind == 0) {
    const Tile dst = to(size);
    looper.sized(size);
    vector.copy(a, dst);
  } else if (kind == 1) {
    const Tile b = moved_source(looper, chip, c, n, size, false, shared, kActAt);
    const Tile dst = to(size);
    looper.sized(size);
    vector.tensor_tensor(func, a, b, dst);
  } else {
    Tile dst = to({size[0], size[1], size[2], 1});
    std::rotate(dst.size.begin(), dst.size.end() - 1, dst.size.end());
    std::rotate(dst.stride.begin(), dst.stride.end() - 1, dst.stride.end());
    looper.sized(size);
    vector.reduce(func == defs::AluOp::Sub ? defs::AluOp::Add : func, a, dst);
  }
}

void Corners::turn(Looper<cmodel::ActStream>& looper, unsigned chip, unsigned c, bool shared) {
  auto& act = assembler_.core(chip, c).act();
  const unsigned n = partitions();
  const auto size = loops(kMostElements);
  const auto func = defs::kEveryActFunc[random_.between(0, 1)];
  const Dtype result = random_.one_in(2) ? Dtype::Fp32 : Dtype::Bf16;
  const Tile a = moved_source(looper, chip, c, n, size, true, shared, kVectorAt);
  const Tile dst = looper.moved(kActAt, kEngineBytes, [&](unsigned at, unsigned room) {
    return tile(chip, c, Space::Sbuf, result, n, size, at, room);
  });
  if (random_.one_in(2)) {
    looper.sized(size);
    act.activate(func, a, dst);
    return;
  }
  const Tile bias = looper.moved(0, kSourceBytes, [&](unsigned at, unsigned room) {
    return tile(chip, c, Space::Sbuf, Dtype::Fp32, n, {1, 1, 1, 1}, at, room);
  });
  looper.sized(size);
  act.activate(func, a, bias, dst);
}

void Corners::loops(unsigned chip, unsigned c) {
  auto& core = assembler_.core(chip, c);
  const LooperWords words = this->words(chip, c);
  const auto any_core = [&](const char* name) {
    return assembler_.core(chip, random_.between(0, 1)).semaphore(name);
  };
  const auto looper_of = [&]<class S>(S& s) {
    return Looper<S>(s, random_, words, {any_core("own"), any_core("own")});
  };
  auto tensor = looper_of(core.tensor());
  auto vector = looper_of(core.vector());
  auto act = looper_of(core.act());
  auto sync = looper_of(core.sync());

  // The lanes' areas are written before anybody reads them.
  Tile all{chip, c, Space::Sbuf, Dtype::Fp32, 0, p_, 0, {1, 1, 1, kEngineBytes / 4}, {0, 0, 0, 1}};
  Tile area = all;
  const Semaphore read = any_core("read");
  area.offset = kVectorAt;
  core.vector().copy(all, area).signal(read);
  area.offset = kActAt;
  core.act().activate(defs::ActFunc::Copy, all, area).signal(read);
  core.tensor().take(read, 2).nop();

  const auto alone = [&](auto& looper) {
    for (unsigned i = 0; i < length() / 12; ++i)
      looper.loops([&] {
        looper.scribble();
        turn(looper, chip, c, false);
      });
  };
  alone(tensor);
  alone(vector);
  alone(act);
  for (unsigned i = 0; i < length() / 12; ++i) {
    const unsigned rounds = random_.between(1, LooperWords::kMostTurns), n = random_.between(1, 2);
    const unsigned engine = random_.between(1, args_.sizes.dma_engines - 1);
    for (unsigned d = 0; d < rounds * n; ++d) {
      const unsigned bytes = row_bytes(d), src_memory = random_.between(0, 3);
      const auto [src, dst] = rows(chip, chip, bytes, 1, src_memory, random_.between(0, 3));
      core.dma(engine).copy(src, dst);
    }
    sync.rounds(rounds, false, [&] {
      sync.scribble();
      core.sync().trigger(engine, n);
    });
  }

  // In turn. When a token has been round once, all are here.
  std::array<Semaphore, defs::kSequencers> tokens;
  for (auto& token : tokens) token = any_core("token");
  std::array<unsigned, defs::kSequencers> places;
  std::iota(places.begin(), places.end(), 0);
  for (unsigned i = defs::kSequencers - 1; i > 0; --i)
    std::swap(places[i], places[random_.between(0, i)]);
  const unsigned rounds = random_.between(1, LooperWords::kMostTurns);
  const auto in_turn = [&](auto& looper, auto& stream, unsigned engine, auto&& work) {
    const Semaphore mine = tokens[places[engine]];
    const Semaphore next = tokens[(places[engine] + 1) % defs::kSequencers];
    if (places[engine] == 0) stream.nop().signal(mine);
    stream.take(mine).nop().signal(next);
    const bool loaded = engine != static_cast<unsigned>(defs::Engine::Sync) && random_.one_in(2);
    looper.rounds(rounds, loaded, [&] {
      looper.scribble();
      stream.take(mine);
      work();
      stream.signal(next);
    });
  };
  in_turn(tensor, core.tensor(), 0, [&] { turn(tensor, chip, c, true); });
  in_turn(vector, core.vector(), 1, [&] { turn(vector, chip, c, true); });
  in_turn(act, core.act(), 2, [&] { turn(act, chip, c, true); });
  const unsigned engine = random_.between(1, args_.sizes.dma_engines - 1);
  const Semaphore written = any_core("written");
  for (unsigned round = 0; round < rounds; ++round) {
    const unsigned bytes = 4 * random_.between(1, 64);
    const unsigned at = kVectorAt + 4 * random_.between(0, (2 * kEngineBytes - bytes) / 4);
    const Block src{chip, cmodel::sbuf_addr(c, random_.between(0, p_ - 1), at), bytes, 1, 0};
    Block dst;
    to(chip, random_.between(0, 1), bytes, 1, dst);
    core.dma(engine).copy(src, dst).signal(written);
  }
  in_turn(sync, core.sync(), 3, [&] { core.sync().trigger(engine).take(written).nop(); });
}

}  // namespace tb::corners
