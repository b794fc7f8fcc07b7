// SPDX-License-Identifier: Apache-2.0
// A tagger that marks wrong characters in lines of text as they come, on every core.
//
//   host: codes of a line --> inbox of a core; doorbell: given + 1
//   P positions at a time, one on each partition:
//     gather: of each place in the window the row of its character --> [P, places x units]
//     vector: sum over places, max 0, times `out`, sum over units, + bias --> a logit each
//   logits --> answers; answered: the doorbell's stream ends, which tells the host
//
// The first layer of a window of characters is a sum of rows of tables, so there is no product at
// all. A core has one line in flight, and requests take cores in turn.
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <deque>

#include "cmodel/kernels/spread.h"
#include "tb/scenarios/arrivals.h"
#include "tb/scenarios/grammar_model.h"
#include "tb/scenarios/network.h"

namespace tb {
namespace {

using cmodel::Block;
using cmodel::Semaphore;
using cmodel::Tile;
using defs::AluOp;
using defs::Dtype;
using namespace grammar;

struct Line {
  std::vector<std::uint32_t> text;
  unsigned wrong = 0;  ///< place of the character that was replaced
  std::uint64_t arrival = 0;
};

struct Job {
  explicit Job(const ScenarioArgs& args)
      : model(read_model(args.data_dir / "grammar_weights.bin")) {
    const auto text = held_out(model, args.data_dir / "moby-dick.txt.gz");
    Random random(args.seed, "grammar");
    const auto any = [&](std::size_t room) {
      return random.between(0, static_cast<unsigned>(text.size() - room));
    };
    for (const std::uint64_t arrival : poisson_arrivals(args)) {
      const auto at = text.begin() + any(kText);
      Line& line =
          lines.emplace_back(std::vector(at, at + kText), random.between(0, kLine - 1), arrival);
      std::uint32_t& wrong = line.text[line.wrong + kWindow / 2];
      for (const std::uint32_t right = wrong; wrong == right;) wrong = text[any(1)];
    }
  }
  Model model;
  std::vector<Line> lines;
};

unsigned servers(unsigned chips) { return chips * defs::kCores; }
/// Requests i, i + servers, ..
unsigned share(std::size_t requests, unsigned chips, unsigned server) {
  return static_cast<unsigned>((requests + servers(chips) - 1 - server) / servers(chips));
}

class Server {
 public:
  Server(cmodel::Assembler& assembler, const Job& job, unsigned number)
      : assembler_(assembler),
        job_(job),
        number_(number),
        core_(assembler.core(number / defs::kCores, number % defs::kCores)),
        name_(network::core_name(core_.chip(), core_.index())),
        p_(std::min(assembler.sizes().partitions, kLine)) {}

  void write() {
    const unsigned requests = share(job_.lines.size(), assembler_.chips(), number_);
    if (requests == 0) return;
    count_ = data("requests", 4, 1, network::word_bytes({requests}));
    inbox_ = assembler_.hbm(core_.chip(), core_.index(), "inbox " + name_, 4 * kText);
    core_.tensor().nop().signal(given_);
    core_.tensor().take(answered_, kLine / p_).nop();
    write_sync(requests);
    write_vector();
  }

  void request(const Line& line) {
    assembler_.request({.arrival = line.arrival,
                        .chip = core_.chip(),
                        .core = core_.index(),
                        .engine = static_cast<unsigned>(defs::Engine::Tensor),
                        .bytes = network::word_bytes(line.text)},
                       inbox_);
  }

 private:
  Block data(const char* what, unsigned row_bytes, unsigned rows,
             std::span<const std::uint8_t> bytes) {
    return assembler_.data(core_.chip(), core_.index(), fmt::format("{} {}", what, name_),
                           row_bytes, rows, bytes);
  }
  template <class S, class Body>
  void serve(S& s, Body&& body) {
    const cmodel::Register count = s.reg();
    s.load(count, count_);
    s.loop(count, body);
  }

  void write_sync(unsigned requests) {
    auto& s = core_.sync();
    const unsigned engines = assembler_.sizes().dma_engines, count = job_.model.count();
    const Block tables = data("tables", 4 * kHidden, kWindow * count, bytes_of(job_.model.tables));
    Block out = data("out", 4 * kHidden, 1, bytes_of(job_.model.out));
    out.rows = p_, out.stride = 0;  // the same for all positions
    const Semaphore loaded = core_.semaphore("constants");
    const unsigned parts = cmodel::spread(assembler_, core_, out, assembler_.block(out_), loaded);
    core_.vector().wait_ge(loaded, parts).nop();
    const Block answers =
        assembler_.hbm(core_.chip(), core_.index(), "answers " + name_, 4 * kLine, kMostRequests);
    assembler_.region("answers " + name_, answers.row_range(0, requests), Dtype::Fp32);
    const cmodel::Register at = s.reg();
    serve(s, [&] {
      s.take(given_).nop();
      for (unsigned pass = 0; pass < kLine / p_; ++pass)
        for (unsigned place = 0; place < kWindow; ++place) {
          const Block list = inbox_.byte_range(4 * (pass * p_ + place), 4 * p_);
          s.start(place % engines, tables.row_range(place * count, count),
                  assembler_.block(rows(pass).columns(place * kHidden, kHidden)),
                  {.how = {.gather = list}})
              .signal(gathered_);
        }
      for (unsigned pass = 0; pass < kLine / p_; ++pass) {
        Block to = answers.row_range(0, 1).byte_range(4 * pass * p_, 4);
        to.rows = p_, to.stride = 4;
        s.take(made_)
            .start(pass % engines, assembler_.block(logits_.columns(pass, 1)), to, {.dst = at})
            .signal(answered_);
      }
      s.add(at, 4 * kLine);
    });
  }

  void write_vector() {
    auto& v = core_.vector();
    const Tile hidden = core_.sbuf(p_, kHidden, Dtype::Fp32);
    const int units = kHidden;
    serve(v, [&] {
      // All passes' rows: which engine is first with which is nobody's to say.
      v.take(gathered_, kWindow * (kLine / p_)).nop();
      for (unsigned pass = 0; pass < kLine / p_; ++pass) {
        v.reduce(AluOp::Add, rows(pass).shaped({kHidden, kWindow}, {1, units}), hidden);
        v.tensor_scalar(AluOp::Max, hidden, 0.0f, hidden);
        v.tensor_tensor(AluOp::Mul, hidden, out_, hidden);
        v.reduce(AluOp::Add, hidden, logits_.columns(pass, 1));
        v.tensor_scalar(AluOp::Add, logits_.columns(pass, 1), job_.model.bias,
                        logits_.columns(pass, 1))
            .signal(made_);
      }
    });
  }

  Tile rows(unsigned pass) const {
    return rows_.columns(pass * kWindow * kHidden, kWindow * kHidden);
  }

  cmodel::Assembler& assembler_;
  const Job& job_;
  unsigned number_;
  cmodel::Core& core_;
  std::string name_;
  unsigned p_;  ///< positions of a pass
  Block count_, inbox_;
  Tile rows_ =
           cmodel::line_tile(assembler_, core_, p_, kLine / p_ * kWindow * kHidden, Dtype::Fp32),
       logits_ = core_.sbuf(p_, kLine / p_, Dtype::Fp32),
       out_ = core_.sbuf(p_, kHidden, Dtype::Fp32);
  Semaphore given_ = core_.semaphore("given"), gathered_ = core_.semaphore("gathered"),
            made_ = core_.semaphore("made"), answered_ = core_.semaphore("answered");
};

cmodel::Program build(const ScenarioArgs& args) {
  const Job job(args);
  cmodel::Assembler assembler(args.sizes, args.chips);
  std::deque<Server> all;
  for (unsigned i = 0; i < servers(args.chips); ++i) all.emplace_back(assembler, job, i).write();
  // A chip's in the order of their arrivals.
  for (std::size_t i = 0; i < job.lines.size(); ++i) all[i % all.size()].request(job.lines[i]);
  return assembler.assemble();
}

ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program,
                     RegionBytes regions) {
  const Job job(args);
  ScenarioResult result;
  network::Accuracy accuracy;
  std::size_t right = 0, found = 0;
  std::vector<std::uint64_t> arrivals;
  for (std::size_t i = 0; i < job.lines.size(); ++i) {
    const Line& line = job.lines[i];
    const auto server = static_cast<unsigned>(i % servers(args.chips));
    const auto& answers =
        region_bytes(program, regions,
                     "answers " + network::core_name(server / defs::kCores, server % defs::kCores));
    const Logits logits = job.model.logits(line.text);
    std::vector<float> got(kLine);
    std::memcpy(got.data(), answers.data() + i / servers(args.chips) * 4 * kLine, 4 * kLine);
    for (unsigned at = 0; at < kLine; ++at) {
      accuracy.add(got[at], logits.value[at], logits.bound[at],
                   [&] { return fmt::format("request {} character {}", i, at); });
      right += (got[at] > 0) == (at == line.wrong);
    }
    found += std::ranges::max_element(got) - got.begin() == line.wrong;
    arrivals.push_back(line.arrival);
  }
  put_arrivals(arrivals, result.metrics);
  const auto lines = static_cast<double>(job.lines.size());
  result.metrics["characters_right"] = static_cast<double>(right) / (lines * kLine);
  result.metrics["lines_found"] = static_cast<double>(found) / lines;
  accuracy.report(result);
  return result;
}

}  // namespace

extern const Scenario kGrammar{
    .name = "grammar",
    .doc = "marks the wrong character in lines of text that come as a Poisson stream",
    .build = build,
    .check = check,
    .serves = true};

}  // namespace tb
