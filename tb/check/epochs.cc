// SPDX-License-Identifier: Apache-2.0
#include "tb/check/epochs.h"

#include <fmt/format.h>

#include "cmodel/files/output_file.h"

namespace tb {

void write_epochs(const Chains& chains, unsigned epoch_cycles, const std::filesystem::path& file) {
  std::string text = fmt::format("{{\"schema\":1,\"epoch_cycles\":{},\"lists\":[", epoch_cycles);
  const char* before_list = "\n";
  const auto add = [&](const cmodel::StreamId& id, const char* list, const CommitChain& chain) {
    if (!chain.made()) return;
    text += fmt::format("{}{{\"stream\":[{},{},{},{},{}],\"list\":\"{}\",\"points\":[", before_list,
                        id.chip, id.core, id.engine, id.src, id.lane, list);
    const char* before_point = "";
    for (const ChainPoint& p : chain.points()) {
      text += fmt::format("{}[{},{},{}]", before_point, p.epoch, p.made, p.hash);
      before_point = ",";
    }
    text += "]}";
    before_list = ",\n";
  };
  for (const auto& [id, stream] : chains) {
    add(id, "writes", *stream.writes);
    add(id, "semaphores", *stream.semaphores);
  }
  cmodel::write_file(file, text + "\n]}\n");
}

}  // namespace tb
