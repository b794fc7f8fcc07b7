# SPDX-License-Identifier: Apache-2.0
"""Arrays and lanes in benches of their own, and the lines that an instruction has."""
import statistics
import tomllib

from bench.programs import BUILD, ROOT, figures, run_json
from lib import instruction_lines


def bench_array(_args):
    return run_json(BUILD / "array_bench", statuses=(0, 4))[1]["rows"]


def bench_lanes(_args):
    return run_json(BUILD / "lanes_bench", statuses=(0, 4))[1]["rows"]


def bench_matmul(_args):
    return run_json(BUILD / "matmul_bench", statuses=(0, 4))[1]["rows"]


def of_matmul(row):
    """A row of `matmul` as one of an instruction, or the row itself if it is none."""
    if row["name"] not in ("matmul", "matmul_dependent", "transpose"):
        return row
    moves = row["name"] == "transpose"
    instructions = tomllib.loads((ROOT / "rtl/defs/instructions.toml").read_text())["instruction"]
    size = f"M {row['n_stationary']}, N {row['n_moving']}"
    formula = ("4 " if row["format"] == "fp32" and not moves else "") + "max(min(64, M), N)"
    return {"name": f"{row['name']} {row['format']}, {size}", "unit": "cycles", "measured": row["rtl_cycles"],
            "target": round(row["published_cycles"] * (1 + row["target"]), 2), "met": row["met"],
            "instruction": ", ".join(instruction_lines.mnemonic(name) for name, it in instructions.items()
                                     if "stationary" in it and it.get("transposes", False) == moves), "engine": "Tensor",
            "formats": f"{row['format']} -> {'int32' if moves or row['format'] == 'int8' else 'fp32'}", "size": size,
            "formula": formula, "published_formula": formula, "published": row["published_cycles"], "fixed": 0,
            "share": row["ratio"]}


def bench_instructions(args):
    """The tests of the lane engines hold their table of cycles; `matmul` measures the tensor engine."""
    return figures({"vector_engine_test": "*CostsWhatTheTableSays", "act_engine_test": "*CostsWhatTheTableSays"}) + \
        [of_matmul(row) for row in bench_matmul(args)]


def bench_dma(_args):
    return figures({"dma_test": "*", "dma_rate_test": "*"})


def bench_lines(_args):
    lines = instruction_lines.count(ROOT)
    totals = {name: sum(parts.values()) for name, parts in lines.items()}
    median = statistics.median(totals.values())
    return [{"name": "lines_per_instruction", "instructions": len(lines), "target": 25, "measured": round(median, 1),
             "met": median <= 25}] + \
        [{"name": "lines", "instruction": name, "lines": round(totals[name], 1)} | {part: round(n, 1) for part, n in parts.items()}
         for name, parts in lines.items()]
