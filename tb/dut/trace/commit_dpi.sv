// SPDX-License-Identifier: Apache-2.0
// DPI bridge from the tracers to the scoreboard. tb/dut/trace/commit_dpi.cc turns each call into a
// cmodel::Commit for the sink of the chip being stepped (one per thread), so no chip number here.
package commit_dpi;

  // PsumRow (kind 0) or SbufRow (kind 1): `count` partitions from `first`; data[i] is the element
  // of partition first + i, right-aligned. Lane: of the tensor engine's stream.
  import "DPI-C" function void dodeca_commit_row(
    input int kind, input int core, input int engine, input int lane, input int serial, input int pc,
    input longint addr, input int first, input int count, input int element_bytes,
    input bit [31:0] data [size_pkg::Partitions]);

  // MemBurst: `bytes` bytes at `addr`; data is the line, bytes at their place in it.
  import "DPI-C" function void dodeca_commit_burst(
    input int core, input int engine, input int src, input int lane, input int serial, input int pc,
    input longint addr, input int bytes, input bit [size_pkg::LineBytes*8-1:0] data);

  // Message: header and the first `bytes` bytes of payload.
  import "DPI-C" function void dodeca_commit_message(
    input int src, input int lane, input bit [127:0] header, input int bytes,
    input bit [8191:0] payload);

  import "DPI-C" function void dodeca_commit_semaphore(
    input int core, input int engine, input int src, input int lane, input int serial, input int pc,
    input int sem, input int delta);

  import "DPI-C" function void dodeca_commit_error(
    input int core, input int engine, input int serial, input int pc, input int cause);

  // An instruction that a sequencer lets go: no commit, but evidence when one goes wrong.
  import "DPI-C" function void dodeca_issue(
    input int core, input int sequencer, input int pc, input bit [511:0] instr);

endpackage
