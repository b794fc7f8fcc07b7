// SPDX-License-Identifier: Apache-2.0
// The recommender that serves requests: its weights and requests by seed, and its scores in
// doubles with a bound of the machine's error.
#pragma once
#include <cstdint>
#include <vector>

#include "cmodel/program/assembler.h"
#include "tb/scenarios/scenario.h"

namespace tb::recommender {

inline constexpr unsigned kDepth = 16;               ///< of an embedding: numbers
inline constexpr unsigned kLookups = 4;              ///< rows of each table that a request names
inline constexpr unsigned kTable = 512;              ///< rows of a table
inline constexpr unsigned kBest = 8;                 ///< candidates of an answer
inline constexpr unsigned kAnswerBytes = kBest * 8;  ///< scores, fp32, then numbers, uint32

/// Rows of a request, of kDepth bytes: the list of each chip's table, then the user's own numbers.
inline constexpr unsigned kRow = 4 * kLookups;
static_assert(kRow == kDepth);
inline constexpr unsigned kOwnRows = 4 * kDepth / kRow;

struct Request {
  std::vector<std::uint32_t> lists;  ///< [chip][lookup]
  std::vector<float> own;            ///< [depth], bf16 numbers
  std::uint64_t arrival = 0;         ///< core cycles
};

/// Scores of all candidates, and how far from each the machine's may be.
struct Scores {
  std::vector<double> value, bound;
};

struct Model {
  /// Throws as poisson_arrivals().
  explicit Model(const ScenarioArgs& args);

  unsigned hidden;            ///< units of the layer
  unsigned candidates;        ///< a bank of PSUM
  std::vector<float> tables;  ///< [chip][row][depth], bf16 numbers
  std::vector<float> w1, b1;  ///< [2 depth][hidden], [hidden]
  std::vector<float> w2, b2;  ///< [hidden][depth], [depth]
  std::vector<float> items;   ///< [depth][candidates]
  std::vector<Request> requests;

  Scores scores(const Request& request) const;
  std::vector<std::uint8_t> bytes(const Request& request) const;
};

/// The program that answers the model's requests (recommender_program.cc).
void write_program(cmodel::Assembler& assembler, const Model& model);

}  // namespace tb::recommender
