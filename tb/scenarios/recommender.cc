// SPDX-License-Identifier: Apache-2.0
// A recommender that answers requests as they come: how it computes stands in
// recommender_program.cc, what it must answer in recommender_model.h.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <set>

#include "tb/scenarios/arrivals.h"
#include "tb/scenarios/network.h"
#include "tb/scenarios/recommender_model.h"

namespace tb {
namespace {

using namespace recommender;

cmodel::Program build(const ScenarioArgs& args) {
  const Model model(args);
  cmodel::Assembler assembler(args.sizes, args.chips);
  write_program(assembler, model);
  return assembler.assemble();
}

/// The eight that the machine names are candidates, each with its score, and none that it leaves
/// out is better by more than its error.
void judge(const Model& model, unsigned request, const std::vector<std::uint8_t>& answers,
           network::Accuracy& accuracy, std::string& failure) {
  const Scores scores = model.scores(model.requests[request]);
  std::set<std::uint32_t> named;
  double least = std::numeric_limits<double>::infinity();  // what one left out may score
  std::uint32_t before = 0;
  for (unsigned i = 0; i < kBest; ++i) {
    const std::size_t at = std::size_t{request} * kAnswerBytes + 4 * i;
    std::uint32_t number;
    std::memcpy(&number, &answers[at + 4 * kBest], sizeof number);
    if (number >= model.candidates || !named.insert(number).second) {
      if (failure.empty())
        failure =
            fmt::format("request {}: place {} names candidate {}; allowed each of 0 .. {} once",
                        request, i, number, model.candidates - 1);
      return;
    }
    accuracy.add(float_at(answers, at), scores.value[number], scores.bound[number],
                 [&] { return fmt::format("request {} candidate {}", request, number); });
    const double most = scores.value[number] + scores.bound[number];
    if (i && failure.empty() &&
        scores.value[number] - scores.bound[number] > scores.value[before] + scores.bound[before])
      failure = fmt::format("request {}: place {} scores {}, the one before it {}", request, i,
                            scores.value[number], scores.value[before]);
    least = std::min(least, most);
    before = number;
  }
  for (unsigned c = 0; c < model.candidates && failure.empty(); ++c)
    if (!named.contains(c) && scores.value[c] - scores.bound[c] > least)
      failure = fmt::format("request {}: candidate {} scores {}, one that is named at most {}",
                            request, c, scores.value[c], least);
}

ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program,
                     RegionBytes regions) {
  const Model model(args);
  const auto& answers = region_bytes(program, regions, "answers");
  ScenarioResult result;
  network::Accuracy accuracy;
  std::string failure;
  for (unsigned i = 0; i < model.requests.size(); ++i) judge(model, i, answers, accuracy, failure);
  std::vector<std::uint64_t> arrivals;
  for (const Request& request : model.requests) arrivals.push_back(request.arrival);
  put_arrivals(arrivals, result.metrics);
  result.metrics["candidates"] = model.candidates;
  accuracy.report(result);
  if (!failure.empty()) result.passed = false, result.failure = failure;
  return result;
}

}  // namespace

extern const Scenario kRecommender{
    .name = "recommender",
    .doc = "answers requests of a Poisson stream: tables on all chips, layers, ranking",
    .build = build,
    .check = check,
    .serves = true};

}  // namespace tb
