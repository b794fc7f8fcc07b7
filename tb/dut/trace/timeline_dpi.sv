// SPDX-License-Identifier: Apache-2.0
// DPI bridge from timeline_tracer to the timeline. tb/dut/trace/timeline_dpi.cc drops the call unless the
// run writes one. What the numbers mean: tb/dut/trace/event.h.
package timeline_dpi;

  // enum Happening of tb/dut/trace/event.h
  localparam int Issue = 0, Retire = 1, Stall = 2, LoadStart = 3, LoadEnd = 4, StreamStart = 5,
                 StreamEnd = 6, DescriptorStart = 7, DescriptorEnd = 8;

  import "DPI-C" function void dodeca_timeline(
    input int happening, input int core, input int unit_number, input int pc, input int value);

endpackage
