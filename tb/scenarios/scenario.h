// SPDX-License-Identifier: Apache-2.0
// A scenario: a board program with a story, and the judgement of what came back.
#pragma once
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cmodel/machine/commit.h"
#include "cmodel/program/program.h"
#include "rtl/defs/gen/defs.h"
#include "tb/base/npy.h"

namespace tb {

/// Of C [m, n] = A [m, k] B [k, n].
struct ProductSize {
  unsigned m, k, n;
};
inline constexpr unsigned kMostOfASide = 16384;

/// A user's own A [m, k] and B [k, n].
struct Operands {
  Matrix a, b;
};

/// Texts that a language model goes on with.
struct TextKnobs {
  std::vector<std::string> prompts = {};  ///< empty: by seed
  unsigned tokens = 0;                    ///< that follow each prompt; 0: the scenario's default
  unsigned batch = 0;                     ///< how many texts; 0: one for each prompt
  std::optional<float> temperature = {};  ///< empty, 0: the likeliest character each time
  bool operator==(const TextKnobs&) const = default;
};
inline constexpr unsigned kMostTexts = 96;
inline constexpr float kMostTemperature = 100;

inline constexpr unsigned kMostRequests = 4096;

struct ScenarioArgs {
  const defs::Sizes& sizes;
  unsigned chips = defs::kBoardChips;  ///< 1 .. BoardChips
  std::uint64_t seed = 1;
  std::filesystem::path data_dir;  ///< tb/scenarios/data
  std::filesystem::path out_dir;   ///< files that the check leaves behind; empty: none
  unsigned length = 0;             ///< work per core where the scenario has a knob; 0: its default
  std::optional<defs::Dtype> format = {};         ///< of both operands; only if Scenario::product
  std::optional<ProductSize> size = {};           ///< only if Scenario::product; empty: by seed
  std::shared_ptr<const Operands> operands = {};  ///< only if Scenario::product; null: by seed
  bool once = false;     ///< with size or operands: an operand lies once on the board
  TextKnobs texts = {};  ///< only if Scenario::has_prompt
  /// Cores like "0,3,5.1", if Scenario::has_group, with a length; empty: cores 0 of all chips.
  std::optional<std::string> group = {};
  bool order_independent = false;  ///< likewise: the sum is
  /// Only if Scenario::serves: requests per simulated second, and how many; 0: its default.
  unsigned rate = 0, requests = 0;  ///< at most kMostRequests
};

/// Bytes of the program's regions, in the program's order.
using RegionBytes = std::span<const std::vector<std::uint8_t>>;

struct ScenarioResult {
  bool passed = false;
  std::string failure;  ///< one line; empty if passed
  nlohmann::ordered_json metrics;
};

/// An access of the host to a chip's port outside the program: a register, as a rule.
struct PortAccess {
  unsigned chip = 0;
  std::uint64_t addr = 0;
  unsigned bytes = 8;
  bool write = false;
  std::uint64_t value = 0;                            ///< written, or expected
  std::uint64_t mask = ~0ull;                         ///< bits that are compared
  defs::ErrorCause refusal = defs::ErrorCause::None;  ///< what it must be answered with
};
struct PortAccesses {
  std::vector<PortAccess> before, after;  ///< the program, in order
};

/// Watches a run of a scenario: what a host could see before the end.
class Follower {
 public:
  virtual ~Follower() = default;
  /// Of every commit in the order of its stream; core cycle 0: the golden model alone.
  virtual void commit(const cmodel::Commit& commit, std::uint64_t cycle,
                      std::span<const std::uint8_t> data) = 0;
  /// Metrics of a run of core cycles from doorbell `begin` to last result `end`, on cores of so
  /// many MHz.
  virtual void report(std::uint64_t begin, std::uint64_t end, double mhz,
                      nlohmann::ordered_json& metrics) const = 0;
};

struct Scenario {
  std::string_view name;
  std::string_view doc;
  /// Deterministic in its arguments. Throws std::runtime_error with one line for bad input.
  cmodel::Program (*build)(const ScenarioArgs& args);
  /// Judges what the host read back from the program that build() made of the same arguments. Does
  /// not know whether RTL or model ran it; that both agree is the scoreboard's business.
  ScenarioResult (*check)(const ScenarioArgs& args, const cmodel::Program& program,
                          RegionBytes regions);
  /// Engines stop on purpose; the run passes if RTL and model agree on which, where and why.
  bool stops_engines = false;
  /// Multiplies matrices of any format and size: has the knobs `format`, `size`, `operands`.
  bool product = false;
  /// Has the knob `length`.
  bool has_length = false;
  /// Then has the knobs `group`, `order_independent` as well.
  bool has_group = false;
  /// Answers requests that come while it runs: has the knobs `rate`, `requests`.
  bool serves = false;
  /// Goes on with texts: has the knobs `texts`.
  bool has_prompt = false;
  /// Shows on `out` what the run has made as soon as it is there; null: on none.
  std::unique_ptr<Follower> (*follow)(const ScenarioArgs& args, const cmodel::Program& program,
                                      std::FILE* out) = nullptr;
  /// What else the host does, and must be answered. Rejections count as commits.
  PortAccesses (*accesses)(const ScenarioArgs& args, const cmodel::Program& program) = nullptr;
};

/// All scenarios, in the order of their story; the first is the main job.
std::span<const Scenario> scenarios();

/// By name. Throws std::runtime_error that lists what is allowed.
const Scenario& find_scenario(std::string_view name);

/// The bytes of a region by name; throws std::runtime_error if missing or of the wrong size.
const std::vector<std::uint8_t>& region_bytes(const cmodel::Program& program, RegionBytes regions,
                                              std::string_view name);

// One file each.
extern const Scenario kDigits, kGemm, kRing, kBusy, kCorners, kErrors, kNoise, kTenants, kRegisters,
    kRelay, kLoops, kGather, kSoftmax, kLayernorm, kMlpGelu, kAttention, kEmbedding, kConv,
    kCollective, kLm, kRecommender, kGrammar;

}  // namespace tb
