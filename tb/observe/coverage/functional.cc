// SPDX-License-Identifier: Apache-2.0
#include "tb/observe/coverage/functional.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "cmodel/files/output_file.h"
#include "cmodel/machine/chip.h"
#include "cmodel/machine/instruction.h"
#include "cmodel/program/program_view.h"
#include "tb/observe/coverage/functional_names.h"

namespace tb {
namespace {

using namespace coverage;
using defs::ErrorCause;
using defs::Instr;

}  // namespace

Functional::Functional(const defs::Sizes& sizes, const cmodel::Program& program,
                       const fabric::Tables& tables)
    : sizes_(sizes), program_(program), tables_(tables) {
  make_instruction_bins();
  make_control_bins();
  make_transfer_bins();
  make_error_bins();
  for (const unsigned src : tables.members)
    for (const unsigned dst : tables.members)
      hops_[src][dst] = std::min(tables.hops(src, dst), kMostHops);
  for (const bool flowing : {false, true}) {
    const char* flow = flowing ? "flowing" : "stalled";
    local_[flowing] = &bins_.at(fmt::format("dma.pressure.local.{}", flow));
    for (unsigned hops = 1; hops <= kMostHops; ++hops)
      remote_[hops][flowing] = &bins_.at(fmt::format("dma.pressure.hops{}.{}", hops, flow));
  }
}

std::vector<std::string> Functional::names() const {
  std::vector<std::string> names;
  for (const auto& [name, count] : bins_) names.push_back(name);
  return names;
}

void Functional::hit(const std::string& name) {
  const auto found = bins_.find(name);
  if (found != bins_.end())
    ++found->second;
  else if (illegal_hits_.size() < 20)
    illegal_hits_.push_back(name);
}

void Functional::observe(const CommitBuffer& commits) {
  for (const auto& entry : commits.entries()) {
    switch (entry.commit.kind) {
      case cmodel::CommitKind::PsumRow:
      case cmodel::CommitKind::SbufRow:
      case cmodel::CommitKind::MemBurst:
        hit_flow(entry);
        if (entry.commit.kind == cmodel::CommitKind::MemBurst) hit_contention(entry);
        break;
      case cmodel::CommitKind::Message:
        hit_message(commits.data(entry));
        break;
      case cmodel::CommitKind::Error: {
        const auto engine = static_cast<Engine>(entry.commit.stream.engine);
        hit(fmt::format("{}.error.{}", block(engine),
                        to_string(static_cast<ErrorCause>(entry.commit.delta))));
        break;
      }
      case cmodel::CommitKind::Semaphore:
        break;
    }
  }
}

void Functional::finish(const cmodel::Board& model) {
  for (const auto& [where, flow] : flows_) end_flow(where, flow);
  for (const auto& stream : program_.streams) {
    const Where where{stream.chip, stream.core, stream.engine};
    if (model.sequencer(stream.chip, stream.core, stream.engine).state != defs::SeqState::Error)
      settle(where);
    for (const auto& [pc, visits] : executed_[where]) {
      hit_control(cmodel::instr_at(program_, stream, pc));
      for (const Instr& instr : visits) hit_instruction(where, pc, instr);
    }
  }
}

std::string Functional::illegal_report() const {
  std::string report;
  for (const auto& name : illegal_hits_)
    report += fmt::format("illegal coverage bin was hit: {}\n", name);
  return report;
}

void Functional::write(const std::filesystem::path& file) const {
  nlohmann::ordered_json json{{"schema", 1}, {"count", bins_.size()}};
  for (const auto& [name, count] : bins_) json["bins"][name] = count;
  json["illegal"] = illegal_hits_;
  cmodel::write_file(file, json.dump(1) + "\n");
}

}  // namespace tb
