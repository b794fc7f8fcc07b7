// SPDX-License-Identifier: Apache-2.0
// What a core may touch: all that is its own, and what the other core shares. Twin: cmodel/machine/guard.h.
//
// The other core shares its memory inside FabricBase .. FabricEnd, and its semaphores, with whom has its partition key:
// of DMA (source, destination, ring, semaphore) and of streams (instructions, semaphores) the same is asked as of
// packets. Engines reach no buffer but their own core's, so these are all ways from one core to the other.
// Plain arguments: Yosys 0.23 reads no struct as one.
package guard_pkg;

  function automatic logic in_window(input logic [47:0] base, input logic [47:0] limit, input logic [47:0] addr,
                                     input logic [47:0] bytes);
    in_window = addr >= base && addr <= limit && bytes <= limit - addr;
  endfunction

  function automatic logic reaches(input logic shared, input logic [47:0] base, input logic [47:0] limit, input logic core,
                                   input logic [47:0] addr, input logic [47:0] bytes);
    reaches = address_pkg::core_of(addr) == core || (shared && in_window(base, limit, addr, bytes));
  endfunction

  // Of a semaphore, {owner, number}.
  function automatic logic reaches_semaphore(input logic shared, input logic core, input logic owner);
    reaches_semaphore = owner == core || shared;
  endfunction

endpackage
