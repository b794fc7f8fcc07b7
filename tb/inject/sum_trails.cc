// SPDX-License-Identifier: Apache-2.0
#include "tb/inject/sum_trails.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>
#include <optional>

#include "cmodel/board/board.h"
#include "cmodel/machine/access_pattern.h"
#include "cmodel/machine/fp.h"
#include "cmodel/machine/instruction.h"
#include "cmodel/program/program_view.h"

namespace tb {
namespace {

constexpr auto kTensor = static_cast<unsigned>(defs::Engine::Tensor);

// Fields of an operand word: rtl/fp/fma_pkg.sv.
bool empty(std::uint32_t operand) { return operand >> 30 & 1; }
bool plane(std::uint32_t operand) { return operand >> 29 & 1; }
bool integer(std::uint32_t operand) { return operand >> 28 & 1; }
bool fresh(std::uint32_t operand) { return operand >> 27 & 1; }
bool picks(std::uint32_t operand) { return operand >> 26 & 1; }

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
  if (picks(moving)) return sum | weight;
  if (empty(weight) || empty(moving)) return sum;
  if (!integer(moving))
    return cmodel::fp::from_float(
        std::fma(value(weight), value(moving), cmodel::fp::to_float(sum)));
  const std::uint32_t product = (weight & 0xfff) * (moving & 0xfff);
  return (weight ^ moving) >> 31 ? sum - product : sum + product;
}

/// Watches the model write PSUM: what did one partition hold before rows of a core came, and after?
class Words : public cmodel::CommitSink {
 public:
  struct Word {
    std::uint32_t pc = 0;
    std::uint64_t index = 0;  ///< among the rows of its instruction
    bool inside = false;      ///< does the row have this partition?
    std::optional<std::uint32_t> before;
    std::uint32_t after = 0;
  };
  Words(unsigned chip, unsigned core, unsigned partition)
      : chip_(chip), core_(core), partition_(partition) {}

  void commit(const cmodel::Commit& commit, std::span<const std::uint8_t> data) override {
    const auto& id = commit.stream;
    if (commit.kind != cmodel::CommitKind::PsumRow || id.chip != chip_ || id.core != core_) return;
    if (id.engine != kTensor) {  // what lanes write is not followed
      held_.erase(commit.addr);
      return;
    }
    Word word;
    word.pc = commit.pc;
    word.index = rows_of_pc_[commit.pc]++;
    word.inside = partition_ - commit.first < commit.count;
    if (word.inside) {
      const auto old = held_.find(commit.addr);
      if (old != held_.end()) word.before = old->second;
      std::memcpy(&word.after, &data[std::size_t{4} * (partition_ - commit.first)], 4);
      held_[commit.addr] = word.after;
    }
    rows[id.lane].push_back(word);
  }
  std::array<std::vector<Word>, 2> rows;  ///< by lane

 private:
  unsigned chip_, core_, partition_;
  std::map<std::uint32_t, std::uint64_t> rows_of_pc_;
  std::map<std::uint64_t, std::uint32_t> held_;  ///< by address
};

}  // namespace

void SumTrails::bind(Chip& chip) {
  state_ = &chip.state();
  const auto at = [&](const char* name) { return chip.state().array(core_, name); };
  in_flight_ = at("in_flight_q");
  full_flight_ = at("full_flight_q");
  lower_flight_ = at("lower_flight_q");
  moving_ = at("moving_q");
  sums_ = at("psum_q");
  weights_ = {at("weight0_q"), at("weight1_q")};
}

std::size_t SumTrails::pe(unsigned r) const {
  return std::size_t{r} * built_sizes().partitions + c_;
}
std::uint32_t SumTrails::operand(unsigned r) const {
  return static_cast<std::uint32_t>(moving_.get(pe(r), 0, 32));
}
std::uint32_t SumTrails::weight(unsigned plane, unsigned r) const {
  return static_cast<std::uint32_t>(weights_[plane].get(pe(r), 0, 32));
}

void SumTrails::step(Chip& chip) {
  if (state_ != &chip.state()) bind(chip);
  for (unsigned lane = 0; lane < 2; ++lane) {
    const Register& flight = lane ? lower_flight_ : in_flight_;
    gone_[lane] += going_[lane];
    going_[lane] = flight.bit(0, flight.bits - 1);
  }
  std::erase_if(flying_, [this](Sum& sum) {
    // The arithmetic here must be that of the RTL, or it argues nothing.
    if (sums_.get(pe(sum.r), 0, 32) != sum.bad) {
      unclear_ = true;
    } else if (sum.good == sum.bad) {
      hidden_ = fmt::format("the sum below PE ({}, {}) is {:#010x} with or without it", sum.r, c_,
                            sum.good);
    } else if (sum.r == sum.last_r) {
      left_.push_back(sum);
    } else {
      ++sum.r;
      add(sum);
      return false;
    }
    return true;
  });
  meet_weight();
}

std::optional<unsigned> SumTrails::lane_at(unsigned r, unsigned distance) const {
  const bool lower_half = r >= built_sizes().partitions / 2;
  if (lower_half && lower_flight_.bit(0, distance)) return 1;
  if ((lower_half ? full_flight_ : in_flight_).bit(0, distance)) return 0;
  return {};
}

std::uint64_t SumTrails::row_of(unsigned lane, unsigned distance) const {
  const Register& flight = lane ? lower_flight_ : in_flight_;
  std::uint64_t older = gone_[lane];
  for (unsigned i = distance + 1; i < flight.bits; ++i) older += flight.bit(0, i);
  return older;
}

/// The sum that stands above PE (r, c_), where a vector is.
SumTrails::Sum SumTrails::sum_into(unsigned r) const {
  const unsigned p = built_sizes().partitions, distance = r + c_;
  const unsigned lane = *lane_at(r, distance);
  const bool upper = !lane && !full_flight_.bit(0, distance);
  const bool starts = r == 0 || (r == p / 2 && fresh(operand(r)));
  const auto sum = starts ? 0 : static_cast<std::uint32_t>(sums_.get(pe(r - 1), 0, 32));
  return {.lane = lane,
          .r = r,
          .last_r = (upper ? p / 2 : p) - 1,
          .row = row_of(lane, distance),
          .good = sum,
          .bad = sum};
}

/// What PE (sum.r, c_) makes of both at the next edge.
void SumTrails::add(Sum& sum) const {
  const std::uint32_t moving = operand(sum.r), with = weight(plane(moving), sum.r);
  sum.good = below(with, moving, sum.good);
  sum.bad = below(with, moving, sum.bad);
}

void SumTrails::follow_sum(unsigned r, unsigned c, std::uint32_t good) {
  c_ = c;
  Sum sum = sum_into(r + 1);
  sum.good = good;
  add(sum);
  flying_.push_back(sum);
}

void SumTrails::follow_weight(unsigned plane, unsigned r, unsigned c, std::uint32_t good) {
  c_ = c;
  weight_ = Weight{.plane = plane, .r = r, .good = good, .bad = weight(plane, r)};
  meet_weight();
}

void SumTrails::meet_weight() {
  if (weight_ && weight(weight_->plane, weight_->r) != weight_->bad) weight_.reset();
  if (!weight_ || !lane_at(weight_->r, weight_->r + c_)) return;
  const std::uint32_t moving = operand(weight_->r);
  if (plane(moving) != weight_->plane) return;
  Sum sum = sum_into(weight_->r);
  sum.good = below(weight_->good, moving, sum.good);
  sum.bad = below(weight_->bad, moving, sum.bad);
  flying_.push_back(sum);
}

std::string SumTrails::why(const cmodel::Program& program) const {
  if (unclear_ || !flying_.empty()) return {};
  return left_.empty() ? hidden_ : onto_psum(program);
}

// The rows are added onto PSUM, and what it holds is such that both sums give the same; or the
// column is beyond the tile.
std::string SumTrails::onto_psum(const cmodel::Program& program) const {
  const auto stream = std::find_if(
      program.streams.begin(), program.streams.end(),
      [&](const auto& s) { return s.chip == chip_ && s.core == core_ && s.engine == kTensor; });
  if (stream == program.streams.end()) return {};
  Words words(chip_, core_, c_);
  cmodel::Board board(built_sizes(), program, words);
  board.load();
  board.run();

  std::string why;
  for (const Sum& sum : left_) {
    if (sum.row >= words.rows[sum.lane].size()) return {};
    const Words::Word& word = words.rows[sum.lane][sum.row];
    if (!word.inside) {
      why = fmt::format("the tile of pc {} has no column {}", word.pc, c_);
      continue;
    }
    const defs::Instr instr = instr_at(program, *stream, word.pc);
    const auto dtype = static_cast<defs::Dtype>(instr.src0.dtype);
    const cmodel::Trips trips = cmodel::trips_of(instr);
    const std::uint64_t pass = std::uint64_t{trips[0]} * trips[1] * trips[2] * trips[3];
    const bool adds = instr.accumulate || (cmodel::multiplies(instr) &&
                                           dtype == defs::Dtype::Fp32 && word.index >= pass);
    if (!adds || dtype == defs::Dtype::Int8 || !word.before) return {};  // integers hide nothing
    if (cmodel::fp::add(*word.before, sum.good) != word.after ||
        cmodel::fp::add(*word.before, sum.bad) != word.after)
      return {};
    why = fmt::format("{:#010x} on PSUM plus {:#010x} is {:#010x} with or without it", *word.before,
                      sum.good, word.after);
  }
  return why;
}

}  // namespace tb
