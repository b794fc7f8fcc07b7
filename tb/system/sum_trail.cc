// SPDX-License-Identifier: Apache-2.0
#include "tb/system/sum_trail.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <optional>

#include "cmodel/access_pattern.h"
#include "cmodel/board.h"
#include "cmodel/fp.h"
#include "tb/debug/program_view.h"

namespace tb {
namespace {

constexpr auto kTensor = static_cast<unsigned>(defs::Engine::Tensor);

// Fields of an operand word: rtl/fp/fma_pkg.sv.
bool empty(std::uint32_t operand) { return operand >> 30 & 1; }
bool plane(std::uint32_t operand) { return operand >> 29 & 1; }
bool integer(std::uint32_t operand) { return operand >> 28 & 1; }

float value(std::uint32_t operand) {
  const int exponent = static_cast<int>(operand >> 12 & 1023);
  const auto significand = static_cast<float>(operand & 0xfff);
  const float magnitude = exponent < 1023   ? std::ldexp(significand, exponent - 384 - 11)
                          : significand > 0 ? std::numeric_limits<float>::infinity()
                                            : std::numeric_limits<float>::quiet_NaN();
  return operand >> 31 ? -magnitude : magnitude;
}

/// The sum below a PE, with the host's arithmetic as in the model.
std::uint32_t below(std::uint32_t weight, std::uint32_t moving, std::uint32_t sum) {
  if (empty(weight) || empty(moving)) return sum;
  if (!integer(moving))
    return cmodel::fp::from_float(
        std::fma(value(weight), value(moving), cmodel::fp::to_float(sum)));
  const std::uint32_t product = (weight & 0xfff) * (moving & 0xfff);
  return (weight ^ moving) >> 31 ? sum - product : sum + product;
}

/// Watches the model write PSUM: what did one word hold before one row of a stream came?
class WordBefore : public cmodel::CommitSink {
 public:
  WordBefore(const cmodel::StreamId& stream, std::uint64_t row, unsigned partition)
      : stream_(stream), row_(row), partition_(partition) {}
  void commit(const cmodel::Commit& commit, std::span<const std::uint8_t> data) override {
    const auto& id = commit.stream;
    if (commit.kind != cmodel::CommitKind::PsumRow || id.chip != stream_.chip ||
        id.core != stream_.core || partition_ - commit.first >= commit.count)
      return count(commit);
    std::uint32_t word;
    std::memcpy(&word, data.data() + std::size_t{4} * (partition_ - commit.first), sizeof(word));
    if (id == stream_ && rows_ == row_) {
      found = commit;
      index = rows_of_pc_[commit.pc];
      if (const auto old = words_.find(commit.addr); old != words_.end()) before = old->second;
      after = word;
    }
    words_[commit.addr] = word;
    count(commit);
  }

  std::optional<cmodel::Commit> found;
  std::uint64_t index = 0;  ///< among the rows of its instruction
  std::optional<std::uint32_t> before;
  std::uint32_t after = 0;

 private:
  void count(const cmodel::Commit& commit) {
    if (commit.stream != stream_ || commit.kind != cmodel::CommitKind::PsumRow) return;
    ++rows_;
    ++rows_of_pc_[commit.pc];
  }
  cmodel::StreamId stream_;
  std::uint64_t row_, rows_ = 0;
  unsigned partition_;
  std::map<std::uint32_t, std::uint64_t> rows_of_pc_;
  std::map<std::uint64_t, std::uint32_t> words_;
};

}  // namespace

void SumTrail::bind(Chip& chip) {
  const auto at = [&](const char* name) {
    return chip.probe().at(fmt::format("u_core{}.u_tensor.u_array.{}", core_, name));
  };
  in_flight_ = at("in_flight_q");
  full_flight_ = at("full_flight_q");
  lower_flight_ = at("lower_flight_q");
  moving_ = at("moving_q");
  sums_ = at("psum_q");
  weights_ = {at("weight0_q"), at("weight1_q")};
}

void SumTrail::step(Chip& chip) {
  if (!sums_) bind(chip);
  for (unsigned lane = 0; lane < 2; ++lane) {
    const Register& flight = lane ? lower_flight_ : in_flight_;
    left_[lane] += leaving_[lane];
    leaving_[lane] = flight.bit(0, flight.bits - 1);
  }
  if (state_ != State::Flying) return;
  ++r_;
  good_ = next_good_;
  bad_ = next_bad_;
  // The arithmetic here must be that of the RTL, or it argues nothing.
  const auto actual = sums_.get(std::size_t{r_} * built_sizes().partitions + c_, 0, 32);
  if (actual != bad_)
    state_ = State::Unclear;
  else if (good_ == bad_)
    state_ = State::Equal;
  else if (r_ == last_r_)
    state_ = State::Left;
  else
    look_ahead();
}

std::uint64_t SumTrail::row(unsigned lane, unsigned distance) const {
  const Register& flight = lane ? lower_flight_ : in_flight_;
  std::uint64_t older = left_[lane];
  for (unsigned i = distance + 1; i < flight.bits; ++i) older += flight.bit(0, i);
  return older;
}

void SumTrail::follow(unsigned lane, unsigned r, unsigned c, std::uint32_t good) {
  const unsigned p = built_sizes().partitions, distance = r + c + 1;
  const bool upper = !lane && !full_flight_.bit(0, distance);
  state_ = State::Flying;
  lane_ = lane;
  r_ = r;
  c_ = c;
  last_r_ = (upper ? p / 2 : p) - 1;
  row_ = row(lane, distance);
  good_ = good;
  bad_ = static_cast<std::uint32_t>(sums_.get(std::size_t{r} * p + c, 0, 32));
  look_ahead();
}

void SumTrail::look_ahead() {
  const std::size_t pe = std::size_t{r_ + 1} * built_sizes().partitions + c_;
  const auto moving = static_cast<std::uint32_t>(moving_.get(pe, 0, 32));
  const auto weight = static_cast<std::uint32_t>(weights_[plane(moving)].get(pe, 0, 32));
  next_good_ = below(weight, moving, good_);
  next_bad_ = below(weight, moving, bad_);
}

std::string SumTrail::why(const cmodel::Program& program) const {
  if (state_ == State::Equal)
    return fmt::format("the sum below PE ({}, {}) is {:#010x} with or without it", r_, c_, good_);
  return state_ == State::Left ? onto_psum(program) : std::string();
}

// The row's instruction adds onto PSUM, and the old word is so large that both sums give the same.
std::string SumTrail::onto_psum(const cmodel::Program& program) const {
  cmodel::StreamId id;
  id.chip = static_cast<std::uint8_t>(chip_);
  id.core = static_cast<std::uint8_t>(core_);
  id.engine = static_cast<std::uint8_t>(kTensor);
  id.lane = static_cast<std::uint8_t>(lane_);
  WordBefore word(id, row_, c_);
  cmodel::Board board(built_sizes(), program, word);
  board.load();
  board.run();
  const auto stream = std::find_if(
      program.streams.begin(), program.streams.end(),
      [&](const auto& s) { return s.chip == chip_ && s.core == core_ && s.engine == kTensor; });
  if (!word.found || !word.before || stream == program.streams.end()) return {};

  const defs::Instr instr = instr_at(program, *stream, word.found->pc);
  const auto dtype = static_cast<defs::Dtype>(instr.src0.dtype);
  const cmodel::Trips trips = cmodel::trips_of(instr);
  const std::uint64_t pass = std::uint64_t{trips[0]} * trips[1] * trips[2] * trips[3];
  const bool adds = instr.accumulate || (dtype == defs::Dtype::Fp32 && word.index >= pass);
  if (!adds || dtype == defs::Dtype::Int8) return {};  // integers lose nothing
  if (cmodel::fp::add(*word.before, good_) != word.after ||
      cmodel::fp::add(*word.before, bad_) != word.after)
    return {};
  return fmt::format("{:#010x} on PSUM plus {:#010x} is {:#010x} with or without it", *word.before,
                     good_, word.after);
}

}  // namespace tb
