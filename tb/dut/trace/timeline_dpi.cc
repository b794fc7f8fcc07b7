// SPDX-License-Identifier: Apache-2.0
#include "tb/dut/trace/timeline_dpi.h"

namespace {
thread_local tb::timeline::EventBuffer* sink = nullptr;
}

namespace tb {
void set_timeline_sink(timeline::EventBuffer* events) { sink = events; }
}  // namespace tb

extern "C" void dodeca_timeline(int happening, int core, int unit, int pc, int value) {
  if (!sink) return;
  sink->add(static_cast<tb::timeline::Happening>(happening), static_cast<unsigned>(core),
            static_cast<unsigned>(unit), static_cast<std::uint32_t>(pc),
            static_cast<std::uint32_t>(value));
}
