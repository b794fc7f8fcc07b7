// SPDX-License-Identifier: Apache-2.0
#include "tb/scenarios/collective_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cstring>
#include <stdexcept>

#include "tb/scenarios/order_independent.h"

namespace tb::collective {

using cmodel::Member;
using defs::Combine;
using defs::Dtype;

const char* name_of(Kind kind) {
  constexpr std::array<const char*, kKinds> kNames{
      "all-reduce", "reduce-scatter", "all-gather", "all-to-all",
      "broadcast",  "send",           "barrier",    "order-independent sum"};
  return kNames[static_cast<unsigned>(kind)];
}

namespace {

float reduced(Combine op, float a, float b) {
  if (op == Combine::Add) return a + b;
  if (a == b) return std::signbit(a) ? b : a;  // +0 is more than -0
  return std::max(a, b);
}

/// a = op(a, b), element by element; no NaN among them.
void reduce(Combine op, Dtype dtype, Bytes& a, const Bytes& b) {
  const unsigned bytes = dtype == Dtype::Bf16 ? 2 : 4;
  for (std::size_t at = 0; at < a.size(); at += bytes) {
    std::uint32_t x = 0, y = 0;
    std::memcpy(&x, &a[at], bytes);
    std::memcpy(&y, &b[at], bytes);
    if (dtype == Dtype::Int32)
      x = op == Combine::Add                                                ? x + y
          : std::bit_cast<std::int32_t>(x) < std::bit_cast<std::int32_t>(y) ? y
                                                                            : x;
    else if (dtype == Dtype::Fp32)
      x = std::bit_cast<std::uint32_t>(
          reduced(op, std::bit_cast<float>(x), std::bit_cast<float>(y)));
    else
      x = bf16_of(reduced(op, float_of(static_cast<std::uint16_t>(x)),
                          float_of(static_cast<std::uint16_t>(y))));
    std::memcpy(&a[at], &x, bytes);
  }
}

/// A ring adds each chunk in an order of its own: whole numbers so small that every sum is exact.
bool is_exact(const Step& step) {
  return step.kind == Kind::AllReduce && step.algorithm == cmodel::Algorithm::Ring &&
         step.op == Combine::Add;
}
constexpr unsigned kSmall = 10;  // times ranks: at most 2^8, whole in bf16
static_assert(kSmall * defs::kBoardChips * defs::kCores <= 256);

Bytes draw(Random& random, const Step& step) {
  const Dtype dtype = step.dtype;
  Bytes out(step.in_shape.bytes());
  const auto half = [&]() -> std::uint16_t {
    if (!is_exact(step)) return random.bf16();
    return bf16_of(static_cast<float>(random.between(0, 2 * kSmall)) - kSmall);
  };
  for (unsigned at = 0; at < out.size(); at += 4) {
    auto word = static_cast<std::uint32_t>(random.word());
    if (dtype == Dtype::Fp32)
      word = std::uint32_t{half()} << 16 | (is_exact(step) ? 0 : word & 0xffff);
    if (dtype == Dtype::Bf16) word = std::uint32_t{half()} << 16 | half();
    std::memcpy(&out[at], &word, 4);
  }
  return out;
}

Bytes part(const Bytes& whole, std::size_t count, std::size_t i) {
  const auto bytes = static_cast<std::ptrdiff_t>(whole.size() / count);
  const auto first = whole.begin() + static_cast<std::ptrdiff_t>(i) * bytes;
  return {first, first + bytes};
}

Bytes total(const Step& step) {
  Bytes sum = step.in[0];
  for (std::size_t rank = 1; rank < step.in.size(); ++rank)
    reduce(step.op, step.dtype, sum, step.in[rank]);
  return sum;
}

Bytes order_independent(const Step& step) {
  std::vector<std::vector<float>> numbers;
  for (const Bytes& in : step.in) {
    numbers.emplace_back(in.size() / 4);
    std::memcpy(numbers.back().data(), in.data(), in.size());
  }
  const auto sums = order_independent_sum(numbers);
  const auto bytes = bytes_of(sums);
  return {bytes.begin(), bytes.end()};
}

/// What every rank must have.
void expect(Step& step) {
  const std::size_t n = step.in.size();
  step.out.resize(n);
  for (std::size_t rank = 0; rank < n; ++rank) switch (step.kind) {
      case Kind::AllReduce:
        step.out[rank] = total(step);
        break;
      case Kind::ReduceScatter:
        step.out[rank] = part(total(step), n, rank);
        break;
      case Kind::AllGather:
        for (const Bytes& in : step.in)
          step.out[rank].insert(step.out[rank].end(), in.begin(), in.end());
        break;
      case Kind::AllToAll:
        for (const Bytes& in : step.in) {
          const Bytes mine = part(in, n, rank);
          step.out[rank].insert(step.out[rank].end(), mine.begin(), mine.end());
        }
        break;
      case Kind::Broadcast:
        step.out[rank] = step.in[step.from];
        break;
      case Kind::Send:
        if (rank == step.to) step.out[rank] = step.in[step.from];
        break;
      case Kind::Barrier:  // then each rank writes what the next one had kept until then
        step.out[rank] = step.in[(rank + n - 1) % n];
        break;
      case Kind::OrderIndependentSum:
        step.out[rank] = rank ? step.out[0] : order_independent(step);
        break;
    }
}

void fill(Random& random, Step& step, unsigned ranks) {
  for (unsigned rank = 0; rank < ranks; ++rank) {
    step.in.push_back(draw(random, step));
    step.delays.push_back(random.one_in(3) ? random.between(1, 60) : 0);
  }
  expect(step);
}

std::vector<Member> draw_group(Random& random, unsigned chips) {
  std::vector<Member> all;
  const bool both = chips == 1 || random.one_in(3);
  for (unsigned chip = 0; chip < chips; ++chip)
    for (unsigned core = 0; core < (both ? defs::kCores : 1); ++core)
      all.push_back({chip, both ? core : random.between(0, 1)});
  for (std::size_t i = all.size(); i > 1; --i)
    std::swap(all[i - 1], all[random.between(0, static_cast<unsigned>(i) - 1)]);
  all.resize(random.one_in(2) ? all.size() : random.between(1, static_cast<unsigned>(all.size())));
  return all;
}

Step draw_step(Random& random, const Plan& plan) {
  Step step;
  step.kind = static_cast<Kind>(random.between(0, kKinds - 1));
  step.group = random.between(0, static_cast<unsigned>(plan.groups.size()) - 1);
  const auto n = static_cast<unsigned>(plan.groups[step.group].size());
  if (n == 1 && step.kind == Kind::Barrier) step.kind = Kind::AllReduce;  // would wait for nobody
  constexpr std::array kFormats{Dtype::Fp32, Dtype::Bf16, Dtype::Int32};
  step.op = random.one_in(2) ? Combine::Add : Combine::Max;
  step.dtype = kFormats[random.between(0, 2)];
  const unsigned words = random.one_in(3) ? random.between(1, 8) : random.between(1, 120);
  Shape one{random.one_in(3) ? random.between(2, 6) : 1, 4 * words}, whole = one;
  if (step.kind == Kind::ReduceScatter || step.kind == Kind::AllGather ||
      step.kind == Kind::AllToAll) {
    if (one.rows > 1)
      whole.rows *= n;  // a multiple of ranks: parts are rows
    else
      (random.one_in(2) || n == 1 ? whole.rows : whole.row_bytes) *= n;
  }
  step.in_shape = step.kind == Kind::AllGather ? one : whole;
  step.out_shape = step.kind == Kind::ReduceScatter ? one : whole;
  step.from = random.between(0, n - 1);
  step.to = random.between(0, n - 1);
  const bool sum = step.kind == Kind::OrderIndependentSum,
             for_all = sum || step.kind == Kind::AllReduce;
  if (sum) {
    step.dtype = Dtype::Fp32;
    step.in_shape.row_bytes = cmodel::OrderIndependent::kBlockBytes * random.between(1, 20);
    step.out_shape = step.in_shape;
  }
  if (for_all && plan.ring_slots[step.group] && !random.one_in(3))
    step.algorithm = cmodel::Algorithm::Ring;
  step.in_place = for_all && random.one_in(3);
  if (!step.in_place && step.kind != Kind::Barrier && random.one_in(3))
    step.turns = random.between(2, 4);
  step.in_sbuf = !step.in_place && step.in_shape.rows == 1 && step.in_shape.row_bytes <= 512 &&
                 step.kind != Kind::Broadcast && step.kind != Kind::Barrier && random.one_in(2);
  fill(random, step, n);
  return step;
}

/// "0,3,5.1": cores of chips, 0 if it does not say.
std::vector<Member> group_of(const std::string& text) {
  std::vector<Member> group;
  const char *at = text.data(), *end = at + text.size();
  const auto number = [&](unsigned& value) {
    const auto [rest, error] = std::from_chars(at, end, value);
    at = rest;
    return error == std::errc{};
  };
  for (bool more = true; more;) {
    Member member;
    bool good = number(member.chip);
    if (good && at != end && *at == '.') good = number(*(++at, &member.core));
    more = at != end && *at == ',';
    if (!good || (at != end && !more))
      throw std::runtime_error(
          fmt::format("--group is \"{}\"; allowed chips or CHIP.CORE, like 0,3,5.1", text));
    group.push_back(member);
    at += more;
  }
  return group;
}

/// One collective in a loop.
Plan timed_plan(const ScenarioArgs& args, Random& random) {
  Plan plan;
  if (args.group)
    plan.groups.push_back(group_of(*args.group));
  else
    for (plan.groups.emplace_back(); plan.groups[0].size() < args.chips;)
      plan.groups[0].push_back({static_cast<unsigned>(plan.groups[0].size()), 0});
  const auto ranks = static_cast<unsigned>(plan.groups[0].size());
  const unsigned bytes = kSizes[(args.seed - 1) % std::size(kSizes)],
                 most = bytes / ranks + args.sizes.line_bytes;
  const bool small = args.sizes.sbuf_bytes < 65536;
  plan.slot_bytes.push_back(std::min(most / 4 * 4, small ? 512u : 8192u));
  plan.ring_slots.push_back(ranks > 1 ? 8 : 0);
  const unsigned grain = args.sizes.partitions * args.sizes.line_bytes;
  plan.sum_bytes.push_back(
      args.order_independent ? std::min((bytes + grain - 1) / grain, 8u) * grain : 0);
  Step step;
  if (args.order_independent) step.kind = Kind::OrderIndependentSum;
  step.in_shape = step.out_shape = {1, bytes};
  step.turns = args.length;
  step.algorithm = cmodel::algorithm_of(bytes, ranks, plan.ring_slots[0]);
  step.in_sbuf = bytes <= args.sizes.sbuf_bytes / 4;
  fill(random, step, ranks);
  step.delays.assign(ranks, 0);
  plan.steps.push_back(std::move(step));
  return plan;
}

}  // namespace

Plan plan_of(const ScenarioArgs& args) {
  Random random(args.seed, "collective");
  if (args.length) return timed_plan(args, random);
  Plan plan;
  const unsigned groups = random.between(1, 2), steps = random.between(2, 5);
  for (unsigned group = 0; group < groups; ++group) {
    plan.groups.push_back(draw_group(random, args.chips));
    plan.slot_bytes.push_back(4 * random.between(1, 64));
    // A core that is in two large groups has no semaphores for the rings of both.
    const auto ranks = plan.groups.back().size();
    const bool rings = ranks > 1 && (groups == 1 || ranks <= 16) && random.one_in(2);
    plan.ring_slots.push_back(rings ? random.between(4, 7) : 0);
    plan.sum_bytes.push_back(args.sizes.partitions * cmodel::OrderIndependent::kBlockBytes *
                             random.between(1, 3));
  }
  for (unsigned i = 0; i < steps; ++i) plan.steps.push_back(draw_step(random, plan));
  return plan;
}

}  // namespace tb::collective
