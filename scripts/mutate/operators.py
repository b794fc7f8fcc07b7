# SPDX-License-Identifier: Apache-2.0
"""What a mutant changes: small mistakes of one place, each as a piece of source and what stands there instead."""
import dataclasses
import re

SWAPS = {
    "arithmetic": {"+": "-", "-": "+", "*": "+"},
    "logic": {"&&": "||", "||": "&&", "&": "|", "|": "&", "^": "|"},
    "equality": {"==": "!=", "!=": "=="},
    "order": {"<": ">=", "<=": ">", ">": "<=", ">=": "<"},
    "boundary": {"<": "<=", "<=": "<", ">": ">=", ">=": ">"},
    "shift": {"<<": ">>", ">>": "<<", ">>>": ">>"},
}
REDUCTIONS = {"|": "&", "&": "|", "^": "|"}
NUMBER = re.compile(r"(?:(?P<size>\d+)\s*)?'(?P<base>[sS]?[bBdDhHoO])(?P<digits>[0-9a-fA-F_]+)$")
BASES = {"b": (2, "b"), "o": (8, "o"), "d": (10, "d"), "h": (16, "x")}


@dataclasses.dataclass(frozen=True)
class Change:
    """`before` at [start, end) of a file becomes `after`. A statement is dropped: `after` is empty."""
    operator: str
    start: int
    end: int
    after: str
    wider: bool = False  # may the two differ above the width of the operands only?


def number(text):
    """Other values of a literal, one up and one down."""
    if text in ("'0", "'1"):
        return ["'1" if text == "'0" else "'0"]
    if text.isdigit():
        return [str(v) for v in (int(text) + 1, int(text) - 1) if v >= 0]
    match = NUMBER.match(text)
    if not match:
        return []
    radix, letter = BASES[match["base"][-1].lower()]
    value, size = int(match["digits"].replace("_", ""), radix), int(match["size"] or 32)
    others = {(value + 1) % 2**size, (value - 1) % 2**size} - {value}
    return [f"{match['size'] or ''}'{match['base']}{v:{letter}}" for v in sorted(others)]


def of_node(node, text):
    """Changes of one node itself."""
    def source(part):
        return text[part.start:part.end]

    def change(operator, after, **more):
        return Change(operator, node.start, node.end, after, **more)

    if node.kind == "binary":
        left, right = node.parts
        for operator, swaps in SWAPS.items():
            if node.op in swaps:
                yield change(operator, f"{source(left)} {swaps[node.op]} {source(right)}",
                             wider=operator in ("arithmetic", "shift"))
        if node.op in ("&&", "||", "&", "|"):
            yield change("term dropped", source(left))
            yield change("term dropped", source(right))
    elif node.kind == "unary":
        if node.op in ("!", "~"):
            yield change("inversion dropped", source(node.parts[0]))
        elif node.op in REDUCTIONS:
            yield change("logic", f"{REDUCTIONS[node.op]}{source(node.parts[0])}")
    elif node.kind == "ternary":
        condition, one, two = map(source, node.parts)
        yield change("arms swapped", f"{condition} ? {two} : {one}")
        yield change("condition forced", one)
        yield change("condition forced", two)
    elif node.kind == "number":
        for other in number(node.op):
            yield change("constant", other)
    elif node.kind == "index":
        index = node.parts[-1]
        other = number(index.op) if index.kind == "number" else [f"({source(index)}) + 1'd1", f"({source(index)}) - 1'd1"]
        for place in other:
            yield change("index", f"{text[node.start:index.start]}{place}{text[index.end:node.end]}")


def below(node):
    """A node and all below it; the literal of an index changes with the index."""
    yield node
    for part in node.parts:
        if not (node.kind == "index" and part is node.parts[-1] and part.kind == "number"):
            yield from below(part)


def of_region(region, text):
    """Every change of a region; a mutant makes one of them."""
    root, found = region.root, []
    if region.context == "assignment":
        found.append(Change("assignment dropped", root.start, root.end, ""))
        root = root.parts[1]
    if region.context == "condition":
        source = text[root.start:root.end]
        found += [Change("condition forced", root.start, root.end, "1'b1"),
                  Change("condition forced", root.start, root.end, "1'b0"),
                  Change("condition negated", root.start, root.end, f"!({source})")]
    for node in below(root):
        found += of_node(node, text)
    return found
