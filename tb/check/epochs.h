// SPDX-License-Identifier: Apache-2.0
// epochs.json: where two runs part, without their commits.
#pragma once
#include <filesystem>

#include "tb/check/commit_chain.h"

namespace tb {

/// A line per list that has a commit:
///
///   {"schema": 1, "epoch_cycles": 1024, "lists": [
///   {"stream": [chip, core, engine, src, lane], "list": "writes" or "semaphores",
///    "points": [[epoch, commits so far, 32 bits of the chain's hash], ...]}, ...
///   ]}
///
/// `epoch_cycles` is 0 where the golden model alone ran: all is epoch 0. Throws as OutputFile does.
void write_epochs(const Chains& chains, unsigned epoch_cycles, const std::filesystem::path& file);

}  // namespace tb
