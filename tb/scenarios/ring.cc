// SPDX-License-Identifier: Apache-2.0
// Everybody talks to everybody: each chip sends a message to every other one.
//
//   source HBM, or SBUF filled from there -> HBM or SBUF of the other chip, one notify each
//
// Sizes, virtual networks, cores, DMA engines and alignments are random. A core that has all its
// notifies copies what came into SBUF on to HBM, where the host reads it.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "cmodel/program/assembler.h"
#include "tb/scenarios/numbers.h"
#include "tb/scenarios/scenario.h"

namespace tb {
namespace {

using cmodel::Assembler;
using cmodel::Block;
using cmodel::Semaphore;
using cmodel::Tile;

constexpr unsigned kMostBytes = 8192;
constexpr unsigned kMostRow = 512;  ///< bytes per partition of a message in SBUF

struct Message {
  unsigned src = 0, dst = 0;
  unsigned src_core = 0, dst_core = 0, engine = 0, vn = 1;
  bool from_sbuf = false, to_sbuf = false;
  unsigned rows = 1, row_bytes = 4;     ///< one row unless SBUF is involved
  unsigned src_skew = 0, dst_skew = 0;  ///< bytes off the alignment in HBM
  std::vector<std::uint8_t> bytes;

  unsigned size() const { return rows * row_bytes; }
  std::string name() const { return fmt::format("m{}.{}", src, dst); }
};

/// By source, then destination; a chip alone sends to itself through its DMA.
std::vector<Message> plan(const ScenarioArgs& args) {
  Random random(args.seed, "ring");
  std::vector<Message> messages;
  std::map<std::pair<unsigned, unsigned>, unsigned> sbuf_used;  // {chip, core}: bytes per partition
  const auto fits = [&](unsigned chip, unsigned core, unsigned bytes) {
    unsigned& used = sbuf_used[{chip, core}];
    const unsigned aligned = (bytes + 7) / 8 * 8;
    if (used + aligned > args.sizes.sbuf_bytes) return false;
    used += aligned;
    return true;
  };
  for (unsigned src = 0; src < args.chips; ++src) {
    for (unsigned dst = 0; dst < args.chips; ++dst) {
      if (src == dst && args.chips > 1) continue;
      Message message;
      message.src = src;
      message.dst = dst;
      message.src_core = random.between(0, 1);
      message.dst_core = random.between(0, 1);
      message.engine = random.between(0, args.sizes.dma_engines - 1);
      message.vn = random.between(1, 3);
      message.from_sbuf = random.one_in(3);
      message.to_sbuf = random.one_in(2);
      // Few sizes are small if all are drawn evenly: draw the order of magnitude first.
      const unsigned most = std::min(kMostBytes, 8u << random.between(0, 10));
      if (message.from_sbuf || message.to_sbuf) {
        message.rows = 1u << random.between(0, 4);
        message.row_bytes =
            4 * random.between(1, std::clamp(most / message.rows, 4u, kMostRow) / 4);
      } else {
        message.row_bytes = 4 * random.between(1, most / 4);
      }
      // Where SBUF is full, HBM serves.
      message.from_sbuf = message.from_sbuf && fits(src, message.src_core, message.row_bytes);
      message.to_sbuf = message.to_sbuf && fits(dst, message.dst_core, message.row_bytes);
      message.src_skew = 4 * random.between(0, 15);
      message.dst_skew = 4 * random.between(0, 15);
      message.bytes.resize(message.size());
      for (auto& byte : message.bytes) byte = static_cast<std::uint8_t>(random.word() >> 32);
      messages.push_back(std::move(message));
    }
  }
  return messages;
}

/// Rows of a message, packed, `skew` bytes into a buffer of HBM.
Block packed(const Block& buffer, const Message& message, unsigned skew) {
  Block block = buffer;
  block.addr += skew;
  block.rows = message.rows;
  block.row_bytes = message.row_bytes;
  block.stride = message.row_bytes;
  return block;
}

cmodel::Program build(const ScenarioArgs& args) {
  const auto messages = plan(args);
  Assembler assembler(args.sizes, args.chips);
  struct CoreState {
    Semaphore staged, arrived, out;
    unsigned staged_count = 0, arrived_count = 0, out_count = 0;
  };
  std::vector<std::array<CoreState, defs::kCores>> state(args.chips);
  for (unsigned chip = 0; chip < args.chips; ++chip)
    for (unsigned c = 0; c < defs::kCores; ++c) {
      auto& core = assembler.core(chip, c);
      state[chip][c] = {core.semaphore("staged"), core.semaphore("arrived"), core.semaphore("out")};
    }
  const auto sbuf = [&](unsigned chip, unsigned c, const Message& message) {
    return assembler.block(
        assembler.core(chip, c).sbuf(message.rows, message.row_bytes / 4, defs::Dtype::Fp32));
  };

  std::vector<Block> sources, landed(messages.size()), results;
  for (const Message& message : messages) {
    std::vector<std::uint8_t> image(message.src_skew);
    image.insert(image.end(), message.bytes.begin(), message.bytes.end());
    const Block in = assembler.data(message.src, message.src_core, "in " + message.name(),
                                    static_cast<unsigned>(image.size()), 1, image);
    sources.push_back(packed(in, message, message.src_skew));
    if (!message.from_sbuf) continue;
    const Block stage = sbuf(message.src, message.src_core, message);
    CoreState& mine = state[message.src][message.src_core];
    assembler.core(message.src, message.src_core)
        .sync()
        .copy(message.engine, sources.back(), stage)
        .signal(mine.staged);
    ++mine.staged_count;
    sources.back() = stage;
  }
  for (const Message& message : messages) {
    const Block out = assembler.hbm(message.dst, 1 - message.dst_core, "out " + message.name(),
                                    message.dst_skew + message.size());
    assembler.region(message.name(), out);
    results.push_back(packed(out, message, message.dst_skew));
  }
  for (unsigned chip = 0; chip < args.chips; ++chip)
    for (unsigned c = 0; c < defs::kCores; ++c)
      if (state[chip][c].staged_count > 0)
        assembler.core(chip, c).sync().wait_ge(state[chip][c].staged, state[chip][c].staged_count);

  for (std::size_t i = 0; i < messages.size(); ++i) {
    const Message& message = messages[i];
    landed[i] = message.to_sbuf ? sbuf(message.dst, message.dst_core, message) : results[i];
    CoreState& theirs = state[message.dst][message.dst_core];
    auto& dma = assembler.core(message.src, message.src_core)
                    .sync()
                    .copy(message.engine, sources[i], landed[i]);
    if (message.dst == message.src)
      dma.signal(theirs.arrived);
    else
      dma.vn(message.vn).notify(theirs.arrived);
    ++theirs.arrived_count;
  }
  for (unsigned chip = 0; chip < args.chips; ++chip)
    for (unsigned c = 0; c < defs::kCores; ++c)
      if (state[chip][c].arrived_count > 0)
        assembler.core(chip, c).sync().wait_ge(state[chip][c].arrived,
                                               state[chip][c].arrived_count);
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const Message& message = messages[i];
    if (!message.to_sbuf) continue;
    CoreState& mine = state[message.dst][message.dst_core];
    assembler.core(message.dst, message.dst_core)
        .sync()
        .copy(message.engine, landed[i], results[i])
        .signal(mine.out);
    ++mine.out_count;
  }
  for (unsigned chip = 0; chip < args.chips; ++chip)
    for (unsigned c = 0; c < defs::kCores; ++c)
      if (state[chip][c].out_count > 0)
        assembler.core(chip, c).sync().wait_ge(state[chip][c].out, state[chip][c].out_count);
  return assembler.assemble();
}

ScenarioResult check(const ScenarioArgs& args, const cmodel::Program& program,
                     RegionBytes regions) {
  ScenarioResult result;
  const auto messages = plan(args);
  std::uint64_t bytes = 0, packets = 0, wrong = 0;
  for (const Message& message : messages) {
    const auto& region = region_bytes(program, regions, message.name());
    bytes += message.size();
    packets += std::uint64_t{message.rows} *
               ((message.row_bytes + defs::kPacketBytes - 1) / defs::kPacketBytes);
    for (unsigned i = 0; i < message.size(); ++i) {
      if (region[message.dst_skew + i] == message.bytes[i]) continue;
      if (wrong++ == 0)
        result.failure =
            fmt::format("message {} -> {} byte {} is 0x{:02x}; sent was 0x{:02x}", message.src,
                        message.dst, i, region[message.dst_skew + i], message.bytes[i]);
    }
  }
  result.metrics["messages"] = messages.size();
  result.metrics["packets"] = packets;
  result.metrics["bytes"] = bytes;
  result.metrics["bytes_wrong"] = wrong;
  result.passed = result.failure.empty();
  return result;
}

}  // namespace

extern const Scenario kRing{"ring", "every chip sends to every other one, into HBM and SBUF", build,
                            check};

}  // namespace tb
