# SPDX-License-Identifier: Apache-2.0
"""Mutant schemata: a source that holds many mutants; at run time one of them is chosen, or none.

  expression   before   ->   ($c1("mutant(N, ", (before) != (after), ")") ? (after) : (before))
  statement    before   ->   if ($c1("mutant(N, true)")) begin after end else begin before end

`mutant` (tb/dut/mutants.h) notes that a mutant was met with another value than the design's, and says whether
it is the chosen one. Lines keep their numbers.
"""
import dataclasses
import re

COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.S)


@dataclasses.dataclass(frozen=True)
class Edit:
    """Mutant `number` puts `after` where [start, end) of the file is."""
    number: int
    start: int
    end: int
    after: str
    statement: bool
    wider: bool = False


class Overlap(Exception):
    """Two edits that cannot be in one source: neither is inside the other."""

    def __init__(self, *numbers):
        super().__init__(f"mutants {numbers} overlap")
        self.numbers = numbers


def one_line(source):
    return " ".join(COMMENT.sub(" ", source).split())


def schema(edit, before, plain):
    """`before` with the edits inside it; `plain` without any."""
    after = one_line(edit.after)
    if edit.statement:
        return f'if ($c1("mutant({edit.number}, true)")) begin {after} end else begin {before} end'
    wide = " + 64'd0" if edit.wider else ""
    differs = f"(({one_line(plain)}){wide}) != (({after}){wide})"
    return f'($c1("mutant({edit.number}, ", {differs}, ")") ? ({after}) : ({before}))'


def with_edits(text, edits):
    """The source with all edits; an edit may lie inside another, or at the same place."""
    order = sorted(edits, key=lambda e: (e.start, -e.end, e.number))

    def render(start, end, inside):
        out, at = [], start
        while inside:
            edit, inside = inside[0], inside[1:]
            own = [e for e in inside if e.start < edit.end]
            if any(e.end > edit.end for e in own):
                raise Overlap(edit.number, max(own, key=lambda e: e.end).number)
            inside = inside[len(own):]
            out += [text[at:edit.start], schema(edit, render(edit.start, edit.end, own), text[edit.start:edit.end])]
            at = edit.end
        return "".join(out) + text[at:end]

    return render(0, len(text), order)
