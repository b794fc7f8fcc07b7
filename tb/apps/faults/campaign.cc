// SPDX-License-Identifier: Apache-2.0
#include "tb/apps/faults/campaign.h"

#include <algorithm>
#include <atomic>
#include <thread>

namespace tb {
namespace {

struct Job {
  std::size_t row;
  unsigned number;  ///< of the trial in its class
  std::vector<Event> events{};
  std::uint64_t cycles = 0, link_hash = 0, delivered = 0;
};

void run_trial(const Plan& plan, Job& job) {
  const FaultClass& fault = *plan.classes[job.row];
  Trial trial(fault, plan.seed, job.number);
  const unsigned first = job.number * fault.per_trial;
  for (unsigned k = first; k < first + fault.per_trial && !trial.over(); ++k) {
    if (plan.only >= 0 && k > static_cast<unsigned>(plan.only)) break;
    job.events.push_back(trial.run(k));
  }
  job.cycles = trial.cycles();
  job.link_hash = trial.link_hash();
  job.delivered = trial.delivered();
}

void run_all(const Plan& plan, std::vector<Job>& jobs) {
  std::atomic<std::size_t> next{0};
  const auto work = [&] {
    for (std::size_t i; (i = next++) < jobs.size();) run_trial(plan, jobs[i]);
  };
  std::vector<std::thread> threads;
  for (unsigned i = 1; i < plan.threads; ++i) threads.emplace_back(work);
  work();
  for (auto& thread : threads) thread.join();
}

void add(const Plan& plan, const Job& job, Verdict& verdict) {
  const auto mix = [](std::uint64_t& hash, std::uint64_t value) {
    hash = (hash ^ value) * 0x100000001b3u;
  };
  Row& row = verdict.rows[job.row];
  for (std::size_t i = 0; i < job.events.size(); ++i) {
    const Event& event = job.events[i];
    // Nothing was there, and yet something was lost: that is a finding, not a masked event.
    const auto outcome = static_cast<unsigned>(event.outcome);
    ++row.outcomes[outcome];
    ++verdict.events;
    mix(verdict.commit_hash, outcome);
    mix(verdict.commit_hash, event.messages);
    const unsigned allowed = row.fault->allowed | 1u << static_cast<unsigned>(Outcome::Masked);
    if (!(allowed >> outcome & 1))
      verdict.findings.push_back(
          {row.fault, job.number * row.fault->per_trial + static_cast<unsigned>(i), event.outcome,
           event.why.empty() ? "not what the documents promise" : event.why});
  }
  verdict.messages += job.delivered;
  verdict.cycles += job.cycles;
  mix(verdict.link_hash, job.link_hash);
  (void)plan;
}

}  // namespace

std::uint64_t Row::effective() const {
  std::uint64_t sum = 0;
  for (unsigned i = 1; i < kOutcomes; ++i) sum += outcomes[i];
  return sum;
}

Verdict run_campaign(const Plan& plan) {
  Verdict verdict;
  for (const FaultClass* fault : plan.classes) verdict.rows.push_back({fault});
  std::vector<unsigned> trials(plan.classes.size());
  if (plan.only >= 0) {
    std::vector<Job> jobs{{0, static_cast<unsigned>(plan.only) / plan.classes[0]->per_trial}};
    run_all(plan, jobs);
    add(plan, jobs[0], verdict);
    return verdict;
  }
  // As many as may do, then what is missing; so the number of threads changes nothing.
  for (;;) {
    std::vector<Job> jobs;
    for (std::size_t i = 0; i < plan.classes.size(); ++i) {
      const auto done = verdict.rows[i].effective();
      if (done >= plan.effective || trials[i] * plan.classes[i]->per_trial > 4 * plan.effective)
        continue;
      const unsigned per = plan.classes[i]->per_trial;
      const auto missing = static_cast<unsigned>(plan.effective - done);
      for (unsigned n = (missing + per - 1) / per; n > 0; --n) jobs.push_back({i, trials[i]++});
    }
    if (jobs.empty()) return verdict;
    run_all(plan, jobs);
    for (const Job& job : jobs) add(plan, job, verdict);
  }
}

std::string matrix(const Verdict& verdict) {
  std::string text = fmt::format("  {:<14}", "");
  text += fmt::format("{:>10}", "effective");
  for (const auto name : kOutcomeNames) text += fmt::format("{:>10}", name);
  text += '\n';
  for (const Row& row : verdict.rows) {
    text += fmt::format("  {:<14}{:>10}", row.fault->name, row.effective());
    for (const auto count : row.outcomes) text += fmt::format("{:>10}", count);
    text += '\n';
  }
  return text;
}

}  // namespace tb
