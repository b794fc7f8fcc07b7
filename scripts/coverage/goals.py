# SPDX-License-Identifier: Apache-2.0
"""regress/coverage_goals.toml: what net figures must reach."""
import tomllib
from pathlib import Path

from data import BadData, TYPES


def load(file):
    """{name: percent}. Names: line, branch, toggle, functional, functional.BLOCK."""
    file = Path(file)
    try:
        table = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BadData(f"{file}: {error}") from error
    if set(table) != {"goal"} or not isinstance(table["goal"], dict):
        raise BadData(f"{file}: allowed exactly one table, [goal]")
    for name, percent in table["goal"].items():
        if name not in (*TYPES, "functional") and not str(name).startswith("functional."):
            raise BadData(f"{file}: goal.{name}: allowed {', '.join(TYPES)}, functional, functional.BLOCK")
        if isinstance(percent, bool) or not isinstance(percent, (int, float)) or not 0 < percent <= 100:
            raise BadData(f"{file}: goal.{name}: is {percent!r}; allowed a percentage above 0, up to 100")
    return table["goal"]


def rows(goals, result):
    """[{name, target, measured, met}]; nothing measured is not met."""
    out = []
    for name, target in goals.items():
        kind, _, block = name.partition(".")
        figure = result["by_block"].get(block, {}).get(kind) if block else result[kind]
        measured = figure["net"] if figure else None
        out.append({"name": name, "target": target, "measured": measured,
                    "met": measured is not None and measured >= target})
    return out

