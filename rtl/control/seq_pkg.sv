// SPDX-License-Identifier: Apache-2.0
// What a sequencer has in flight.
package seq_pkg;

  // What an operation waits for: the engine's done, or just its turn.
  typedef enum logic [1:0] {KindEngine = 0, KindOwn = 1, KindEnd = 2, KindRejected = 3} kind_e;

  // An instruction, or a pair of them.
  typedef struct packed {
    kind_e       kind;
    logic        pair;
    logic [31:0] pc;     // of the one with the update
    logic [31:0] serial; // likewise
    logic        update;
    logic [8:0]  sem;
    logic [15:0] delta;  // or the cause of a rejection
  } entry_t;

endpackage
