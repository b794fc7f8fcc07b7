# SPDX-License-Identifier: Apache-2.0
"""Is the block that a failure's earliest cause names the one whose source was changed? (tb/debug/cause.h)"""
import fnmatch

# Blocks by source; what several blocks are made of may show in each of them. The first row that fits counts.
RIGHT = [
    ("rtl/control/semaphores.sv", "semaphores"),
    ("rtl/control/core_regs.sv", "host_if sequencer"),
    ("rtl/control/*", "sequencer"),
    ("rtl/tensor/tensor_counters.sv", "tensor_counters"),
    ("rtl/tensor/*", "tensor_array"),
    ("rtl/fp/*", "tensor_array vector_engine act_engine dma"),
    ("rtl/lanes/*", "vector_engine act_engine"),
    ("rtl/operand/*", "vector_engine act_engine tensor_array dma sequencer"),
    ("rtl/dma/*", "dma"),
    ("rtl/mem/psum.sv", "psum"),
    ("rtl/mem/sbuf.sv", "sbuf"),
    ("rtl/mem/mem_*", "mem_xbar hbm"),
    ("rtl/mem/row_pkg.sv", "sbuf psum tensor_array vector_engine act_engine"),
    ("rtl/host/*", "host_if"),
    ("rtl/prim/*", "sequencer dma mem_xbar fabric host_if sbuf psum vector_engine act_engine tensor_array"),
    ("rtl/core/*", "chip sequencer dma sbuf psum vector_engine act_engine tensor_array host_if"),
    ("rtl/chip/*", "chip host_if mem_xbar fabric semaphores"),
    ("fabric/*", "fabric"),
]
NEAR = {"psum": "tensor_array vector_engine act_engine", "sbuf": "tensor_array vector_engine act_engine dma",
        "mem_xbar": "dma hbm host_if sequencer", "dma": "mem_xbar hbm sbuf fabric semaphores", "fabric": "dma semaphores",
        "host_if": "mem_xbar hbm semaphores sequencer", "sequencer": "semaphores mem_xbar hbm", "semaphores": "sequencer dma",
        "tensor_array": "psum sbuf sequencer", "vector_engine": "psum sbuf sequencer", "act_engine": "psum sbuf sequencer",
        "tensor_counters": "tensor_array host_if"}

# What a unit program that fails says: the block that it tests alone.
UNITS = {"fabric": "fabric", "tensor": "tensor_array", "vector": "vector_engine", "act": "act_engine", "dma": "dma",
         "mem": "mem_xbar", "sbuf": "sbuf", "semaphores": "semaphores", "sequencer": "sequencer", "host": "host_if"}


def block_of_unit(program):
    """Of dma_test: dma; nothing for a board and for programs around several blocks or none."""
    return UNITS.get(program.split("_")[0], "") if program.endswith("_test") else ""


def right_blocks(file):
    return next(blocks.split() for pattern, blocks in RIGHT if fnmatch.fnmatch(file, pattern))


def blame(file, cause, right=None):
    """right, neighbour, wrong, none."""
    right = right or right_blocks(file)
    if not cause:
        return "none"
    if cause in right:
        return "right"
    return "neighbour" if any(cause in NEAR.get(block, "").split() for block in right) else "wrong"
