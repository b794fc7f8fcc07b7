// SPDX-License-Identifier: Apache-2.0
// A text while it comes: each character as soon as the first rank of its group has it in memory.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "tb/scenarios/lm_job.h"

namespace tb::lm {
namespace {

class TextFollower : public Follower {
 public:
  TextFollower(const ScenarioArgs& args, const cmodel::Program& program, std::FILE* out)
      : job_(args), out_(out) {
    for (unsigned number = 0; number < job_.texts.size(); ++number) {
      const auto region =
          std::ranges::find(program.regions, tokens_region(number, 0), &cmodel::Region::name);
      const auto logits =
          std::ranges::find(program.regions, logits_region(number, 0), &cmodel::Region::name);
      const auto& prompt = job_.texts[number].prompt;
      const std::size_t tokens = logits->array->rows + 1;
      comings_.push_back(
          {region->chip, region->addr + 4 * prompt.size(), region->addr + 4 * tokens, prompt, {}});
    }
    if (comings_.size() == 1) show(decode(job_.model, comings_[0].tokens));
  }
  ~TextFollower() override {
    if (comings_.size() == 1 && !complete_) show("\n");
  }

  void commit(const cmodel::Commit& commit, std::uint64_t cycle,
              std::span<const std::uint8_t> data) override {
    if (commit.kind != cmodel::CommitKind::MemBurst || data.size() != 4 ||
        commit.stream.engine < static_cast<unsigned>(defs::Engine::Dma0) ||
        commit.stream.engine >= static_cast<unsigned>(defs::Engine::Rx))
      return;
    for (std::size_t number = 0; number < comings_.size(); ++number) {
      Coming& text = comings_[number];
      if (commit.stream.chip != text.chip || commit.addr < text.begin || commit.addr >= text.end)
        continue;
      std::uint32_t token;
      std::memcpy(&token, data.data(), sizeof token);
      text.cycles.push_back(cycle);
      if (token >= job_.model.characters.size()) return;  // for the check to find
      text.tokens.push_back(token);
      if (comings_.size() == 1)
        show(job_.model.characters[token]);
      else if (commit.addr + 4 == text.end)
        show(fmt::format("[{}] {}", number, decode(job_.model, text.tokens)));
      complete_ = commit.addr + 4 == text.end;
      if (complete_) show("\n");
    }
  }

  void report(std::uint64_t begin, std::uint64_t end, double mhz,
              nlohmann::ordered_json& metrics) const override {
    std::uint64_t first = end, between = 0, gaps = 0, made = 0;
    for (const Coming& text : comings_) {
      if (text.cycles.empty()) continue;
      first = std::min(first, text.cycles.front());
      between += text.cycles.back() - text.cycles.front();
      gaps += text.cycles.size() - 1;
      made += text.cycles.size();
    }
    if (made == 0 || end <= begin) return;
    const auto put = [&](const char* what, double cycles) {
      metrics[fmt::format("cycles_{}", what)] = cycles;
      metrics[fmt::format("us_{}", what)] = cycles / mhz;
    };
    put("to_first_token", static_cast<double>(first - begin));
    if (gaps) put("per_token", static_cast<double>(between) / static_cast<double>(gaps));
    metrics["tokens_per_s"] =
        static_cast<double>(made) * 1e6 * mhz / static_cast<double>(end - begin);
  }

 private:
  struct Coming {
    unsigned chip;
    std::uint64_t begin, end;  ///< addresses of what is new
    std::vector<unsigned> tokens;
    std::vector<std::uint64_t> cycles;  ///< of each new one
  };
  void show(const std::string& text) {
    if (!out_) return;
    fmt::print(out_, "{}", text);
    std::fflush(out_);
  }

  Job job_;
  std::FILE* out_;
  std::vector<Coming> comings_;
  bool complete_ = false;  ///< the text that came last
};

}  // namespace

std::unique_ptr<Follower> follow(const ScenarioArgs& args, const cmodel::Program& program,
                                 std::FILE* out) {
  return std::make_unique<TextFollower>(args, program, out);
}

}  // namespace tb::lm
