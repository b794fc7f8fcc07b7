# SPDX-License-Identifier: Apache-2.0
"""Hand-written lines that an instruction of the lane engines has for itself, counted in the tree as it stands.

Its row in rtl/defs/instructions.toml; of RTL and model the lines that name its opcode, or its form if no other row has it,
and no other instruction, with what stands indented below them; functions that only such lines call; its unit (UNITS). What several
instructions have together is divided between them. Lines that name none, like the path of two functions, belong to
nobody: the figure is what one more instruction of a known kind costs, not what the engine does. Blank lines and
comments do not count, nor do tests.
"""
import collections
import pathlib
import re
import tomllib

from lib import rtl

# Files of one instruction or a few: nothing in them is for another one.
UNITS = {"rtl/lanes/vector_stats.sv": ["BnStats"], "rtl/lanes/vector_aggregate.sv": ["BnAggr"],
         "rtl/lanes/vector_transpose.sv": ["Transpose"], "rtl/lanes/vector_eight.sv": ["Max8", "FindIndex8", "MatchReplace8"],
         "rtl/lanes/vector_random.sv": ["Rng", "Dropout"], "rtl/lanes/accumulators.sv": ["ActReadAccumulator"],
         "rtl/lanes/lane_random.sv": ["Rng", "Dropout", "SetSeed", "ActSetSeed"], "rtl/lanes/table_function.sv": ["Activate"]}
SOURCES = ("rtl/*.sv", "cmodel/machine/*.cc", "cmodel/machine/*.h")


def is_code(line):
    return bool(line.strip()) and not line.strip().startswith(("//", "#", "*"))


def rows_of(text):
    """{instruction: lines of its table}"""
    found, name = collections.Counter(), None
    for line in text.splitlines():
        if line.startswith("["):
            table = re.fullmatch(r"\[instruction\.(\w+)\]", line.strip())
            name = table and table[1]
        if name and is_code(line):
            found[name] += 1
    return found


def mnemonic(name):
    """A name as the manual and programs write it: words in capitals, between them underscores."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).upper()


def names_of(rows):
    """{instruction: pattern of what names it}"""
    owners = collections.Counter(row.get("form") for row in rows.values())
    patterns = {}
    for name, row in rows.items():
        form = row.get("form")
        own = rf"|Form(?:::)?{form[0].upper()}{form[1:]}\b" if form and owners[form] == 1 else ""
        patterns[name] = re.compile(rf"\bOpcode(?:::)?{name}\b{own}")
    return patterns


def below(lines, at):
    """Numbers of line `at` and of what stands indented below it."""
    depth = len(lines[at]) - len(lines[at].lstrip())
    end = at + 1
    while end < len(lines) and (not lines[end].strip() or len(lines[end]) - len(lines[end].lstrip()) > depth):
        end += 1
    return range(at, end)


def owners_of(text, patterns):
    """{line number: instructions that it is for}"""
    lines, owners = text.splitlines(), collections.defaultdict(set)
    for at, line in enumerate(lines):
        named = {name for name, pattern in patterns.items() if is_code(line) and pattern.search(line)}
        if named:
            for number in below(lines, at) if len(named) == 1 else (at,):
                owners[number] |= named
    for at, line in enumerate(lines):  # functions of C++
        function = re.match(r"[\w:<>&]+[ *&]+(\w+)\(.*", line)
        calls = function and [n for n, other in enumerate(lines) if n != at and re.search(rf"\b{function[1]}\(", other)]
        if calls and all(owners.get(n) for n in calls):
            for number in below(lines, at):
                owners[number] |= set().union(*(owners[n] for n in calls))
    return {at: names for at, names in owners.items() if is_code(lines[at])}


def count(root):
    """{instruction of a lane engine: {"row": n, "rtl": n, "model": n}}"""
    text = (root / "rtl/defs/instructions.toml").read_text(encoding="utf-8")
    rows = tomllib.loads(text)["instruction"]
    patterns, own = names_of(rows), rows_of(text)
    lines = {name: {"row": own[name], "rtl": 0.0, "model": 0.0} for name, row in rows.items()
             if row.get("engine") in ("Vector", "Act")}
    for path in rtl.written(root, *SOURCES):
        source = (root / path).read_text(encoding="utf-8")
        where = "rtl" if pathlib.PurePath(path).suffix == ".sv" else "model"
        if path in UNITS:
            owners = {at: set(UNITS[path]) for at, line in enumerate(source.splitlines()) if is_code(line)}
        else:
            owners = owners_of(source, patterns)
        for names in owners.values():
            for name in names & set(lines):
                lines[name][where] += 1 / len(names)
    return lines
