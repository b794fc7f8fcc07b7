// SPDX-License-Identifier: Apache-2.0
// A channel to memory: requests one way, answers to reads the other way. Contract: mem_xbar.sv.
//
// An interface, not an array of structs: Verilator joins its members with the wires at both ends,
// but copies every element of an array of lines at every port in every cycle.
interface mem_if;
  logic req_valid, req_ready;
  size_pkg::mem_req_t req;
  logic rsp_valid, rsp_ready;
  size_pkg::mem_rsp_t rsp;
  // What only the crossbar says.
  logic req_err, rsp_err;
  logic [mem_xbar_pkg::Memories-1:0] stuck;

  // A requester at the crossbar; the crossbar's side of it.
  modport requester (output req_valid, req, rsp_ready,
                     input req_ready, req_err, stuck, rsp_valid, rsp, rsp_err);
  modport crossbar (input req_valid, req, rsp_ready,
                    output req_ready, req_err, stuck, rsp_valid, rsp, rsp_err);
  // The crossbar at a memory; the memory's side of it.
  modport client (output req_valid, req, rsp_ready, input req_ready, rsp_valid, rsp);
  modport memory (input req_valid, req, rsp_ready, output req_ready, rsp_valid, rsp);
endinterface
