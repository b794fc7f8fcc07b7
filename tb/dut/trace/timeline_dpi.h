// SPDX-License-Identifier: Apache-2.0
// C++ side of tb/dut/trace/timeline_dpi.sv.
#pragma once
#include "tb/dut/trace/event.h"

namespace tb {

/// What models evaluated on this thread do goes to `events`; null drops it. Set it before every
/// eval().
void set_timeline_sink(timeline::EventBuffer* events);

}  // namespace tb
