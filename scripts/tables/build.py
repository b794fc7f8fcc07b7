# SPDX-License-Identifier: Apache-2.0
"""All rows and the directory that finds them."""
from tables.fit import MOST_SHIFT, QUARTER_BITS, Part, zero_row
from tables.sollya import taylor

FIRST = {"root": 0, "reciprocal": 0}  # u is never below 2^this
QUARTERS = 1 << QUARTER_BITS


class Entry:
    """Where the rows of a quarter of a binade are, base + (fraction of u >> shift), and what becomes of A."""

    def __init__(self, base, shift, kind, zero=False):
        self.base, self.shift, self.kind, self.zero = base, shift, kind, zero


def binades(side, ulp):
    """(row at zero or None, first binade, binades from there to the last)."""
    function = side.function
    first, zero = FIRST.get(function.reduce), None
    if first is None:
        first, zero = zero_row(side, ulp)
        if side.function.linear is not None and side.near != "sum":
            first = min(first, function.linear)
    return zero, first, [Part(side, e, ulp) for e in range(first, side.last + 1)]


def settle(parts):
    """Parts with rows; sollya is asked once per fineness."""
    done = []
    while parts:
        answers = iter(taylor([point for part in parts for point in part.points()]))
        tried = [(part, part.settle([next(answers) for _ in part.points()])) for part in parts]
        done += [part for part, more in tried if not more]
        parts = [one for _, more in tried for one in more]
    return done


def build(ulp, functions):
    """(rows, directory, {function: [(first, last, bias) of each side]}); first and last are exponent fields."""
    plan = {side: binades(side, ulp) for function in functions for side in function.sides}
    parts = settle([part for _, _, whole in plan.values() for part in whole])
    rows, directory, places = [[0, 0, 0, 0]], [], {}
    for side, (zero, first, _) in plan.items():
        start = len(directory)
        if zero:
            directory.append(Entry(len(rows), MOST_SHIFT, side.near, True))
            rows.append(zero)
        mine = sorted((p for p in parts if p.side is side), key=lambda p: (p.exponent, p.quarter or 0))
        for part in mine:
            entry = Entry(len(rows) - part.first(), part.shift(), part.kind)
            directory += [entry] * (QUARTERS if part.quarter is None else 1)
            rows += part.rows
        low, last = (first + 127) * QUARTERS, (side.last + 128) * QUARTERS - 1
        if zero:
            low -= 1
        if side.beyond:
            last += 1
            directory.append(directory[start] if side.beyond == "zero" else Entry(0, MOST_SHIFT, "beside", True))
        places.setdefault(side.function.name, []).append((low, last, start - low))
    return rows, directory, places
