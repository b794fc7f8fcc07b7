// SPDX-License-Identifier: Apache-2.0
// DPI bridge from the RTL of a model chip (host port, fabric node) to the golden model inside it.
// tb/dut/golden/golden_dpi.cc hands each call to the GoldenChip of the chip being stepped (one per
// thread), so no chip number here.
package golden_dpi;

  localparam int unsigned LineBits = size_pkg::LineBytes * 8;

  // The host's registers, with the doorbell. `peer`: what the other core shares.
  import "DPI-C" function void dodeca_golden_peer(
    input int core, input bit shared, input longint base, input longint limit);
  import "DPI-C" function void dodeca_golden_ring(
    input int core, input int engine, input longint base, input int count);
  import "DPI-C" function void dodeca_golden_start(
    input int core, input int sequencer, input longint base, input int count);

  // Has the status of a sequencer or DMA engine changed? Is there a beat of a message? Does nothing
  // run, and is nothing left to send?
  import "DPI-C" function bit dodeca_golden_changed(input int core);
  import "DPI-C" function bit dodeca_golden_sends(input int core);
  import "DPI-C" function bit dodeca_golden_quiet(input int core);
  // `ended`: END or an error that the host was not notified of.
  import "DPI-C" function void dodeca_golden_sequencer(
    input int core, input int sequencer, output bit [1:0] state, output int pc,
    output bit [7:0] cause, output bit ended);
  import "DPI-C" function void dodeca_golden_dma(
    input int core, input int engine, output bit stopped, output bit [7:0] cause, output int pc);
  import "DPI-C" function void dodeca_golden_beat(
    input int core, output bit [3:0] engine, output bit [9:0] dst, output bit [47:0] addr,
    output bit [8:0] bytes, output bit [1:0] vn, output bit last, output bit notify,
    output bit [8:0] sem, output bit [LineBits-1:0] data);
  import "DPI-C" function longint dodeca_golden_count(input int core, input int index);

  // Memory: lines, as in size_pkg::mem_req_t. A semaphore's update is rejected with 0.
  import "DPI-C" function bit dodeca_golden_mapped(input longint addr);
  import "DPI-C" function void dodeca_golden_write(
    input longint addr, input int bytes, input bit [LineBits-1:0] line);
  import "DPI-C" function void dodeca_golden_read(
    input longint addr, output bit [LineBits-1:0] line);
  import "DPI-C" function bit dodeca_golden_update(input int sem, input int delta);

endpackage
