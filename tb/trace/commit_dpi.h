// SPDX-License-Identifier: Apache-2.0
// C++ side of tb/trace/commit_dpi.sv.
#pragma once
#include "cmodel/commit.h"

namespace tb {

/// Commits of models evaluated on this thread go to `sink`, as those of chip `chip`. Set it before
/// every eval() that may commit; null drops them (reset).
void set_commit_sink(cmodel::CommitSink* sink, unsigned chip);

}  // namespace tb
