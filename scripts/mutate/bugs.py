# SPDX-License-Identifier: Apache-2.0
"""regress/bugs/*.toml: mistakes that can be built into the RTL, each chosen at run time.

    for bug in bugs.read(ROOT, "planted"):
        for change in bug.changes:
            change.file, change.kind, change.before, change.after

A change has one of four kinds, by what `before` is:
    expression   (chosen ? (after) : (before))
    statements   if (chosen) begin after end else begin before end
    assign       assign x = (chosen ? (after's) : (before's));
    port         .x(chosen ? (after's) : (before's))
"""
import dataclasses
import re

from lib.toml_file import Tables, TomlFile

from .lexer import SyntaxProblem
from .operators import below
from .syntax import regions

CATALOGUES = ("planted", "museum")
LAYERS = ("smoke", "test", "nightly", "proof", "review")
# Their left side, which both have, and the expression.
SIDES = {"assign": re.compile(r"assign\s+([^=]+?)\s*=\s*([^;]+);\s*\Z"), "port": re.compile(r"(\.\w+)\((.+)\)\Z", re.S)}
CHANGE = {"file": (str, ...), "before": (str, ...), "after": (str, ...)}
FIELDS = {"name": (str, ...), "block": ((str, list), ...), "about": (str, ...)}
FOUND = {key: (str, ...) for key in ("when", "since", "by", "layer", "seen_by")}
WHEN = re.compile(r"\d{4}-\d\d-\d\d [0-9a-f]{7,40}")


@dataclasses.dataclass(frozen=True)
class Change:
    """`before` is in `file` exactly once; `after` stands there if the bug is chosen."""
    file: str
    before: str
    after: str
    kind: str   # expression, statements, assign, port

    def place(self, text):
        """Of the change in the file's text: (start, end, what stands there instead)."""
        start = text.index(self.before)
        if self.kind not in SIDES:
            return start, start + len(self.before), self.after
        side = SIDES[self.kind].fullmatch(self.before)
        return start + side.start(2), start + side.end(2), SIDES[self.kind].fullmatch(self.after)[2]


@dataclasses.dataclass(frozen=True)
class Bug:
    name: str
    blocks: tuple     # a diagnosis is right if it names one of them
    about: str
    changes: tuple
    when: str = ""    # museum only: day and commit of the repair,
    since: str = ""   # of the mistake,
    by: str = ""      # what found it,
    layer: str = ""   # one of LAYERS,
    seen_by: str = ""  # and the test or smoke scenario that fails with it today


def blocks(root):
    """Names of the blocks that a diagnosis can blame."""
    return re.findall(r'\{"(\w+)", "u_\w', (root / "tb/debug/cause.cc").read_text(encoding="utf-8"))


def kind_of(before):
    for kind, first in (("assign", "assign "), ("port", ".")):
        if before.startswith(first):
            return kind
    return "statements" if before.rstrip().endswith((";", "end")) else "expression"


def wrong_pair(before, after):
    """Why the two cannot stand in one place, or None."""
    kind = kind_of(before)
    if before == after:
        return "is the same before and after"
    for text in (before, after):
        if any(text.count(a) != text.count(b) for a, b in ("()", "[]", "{}")):
            return f"has an unmatched bracket: {text[:60]!r}"
    if kind == "expression" and (";" in before + after or not after.strip()):
        return "is an expression before; allowed an expression after, without ';'"
    if kind == "statements" and after.strip() and kind_of(after) != "statements":
        return "are statements before; allowed statements after, up to the last ';' or 'end', or nothing"
    if kind in SIDES:
        pair = [SIDES[kind].fullmatch(text) for text in (before, after)]
        if not all(pair) or pair[0][1] != pair[1][1]:
            return f"is of kind {kind}; allowed one whole {kind}, with the same left side, before and after"
    return None


def is_whole(text, start, end):
    """Is this an expression of the source, as its operators bind, that is evaluated while the model runs?"""
    return any((node.start, node.end) == (start, end) for region in regions(text) for node in below(region.root))


class Catalogue:
    """One file, read and checked against the tree at `root`."""

    def __init__(self, root, path):
        self.root, self.file = root, TomlFile(path)
        self.blocks = blocks(root)
        self.fields = FIELDS | (FOUND if path.stem == "museum" else {})
        self.texts = {}
        entries = self.file.check("", self.file.data, {"bug": (Tables, ...)})["bug"]
        self.bugs = []
        for index, entry in enumerate(entries):
            self.bugs.append(self.bug(index, entry))

    def bug(self, index, entry):
        def refuse(key, what):
            self.file.refuse("bug", key, what, index)

        inner = "change" in entry
        fields = self.file.check("bug", entry, self.fields | ({"change": (Tables, ...)} if inner else CHANGE), index)
        name = fields["name"]
        if not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)+", name):
            refuse("name", f"{name!r}; allowed words in small letters, joined by _")
        if any(other.name == name for other in self.bugs):
            refuse("name", f"{name!r} is there twice")
        for key, value in fields.items():
            if value in ("", []) and key != "after":
                refuse(key, "is empty")
        names = [fields["block"]] if isinstance(fields["block"], str) else fields["block"]
        for block in names:
            if block not in self.blocks:
                refuse("block", f"{block!r}; allowed {', '.join(dict.fromkeys(self.blocks))}")
        if "layer" in fields and fields["layer"] not in LAYERS:
            refuse("layer", f"{fields['layer']!r}; allowed {', '.join(LAYERS)}")
        if "when" in fields and not WHEN.fullmatch(fields["when"]):
            refuse("when", f"{fields['when']!r}; allowed a day and a commit: 2026-11-22 a92f10c")
        changes = [self.file.check("bug.change", c, CHANGE, index) for c in fields["change"]] if inner else [fields]
        return Bug(blocks=tuple(names), changes=tuple(self.change(c, refuse) for c in changes),
                   **{key: fields[key] for key in self.fields if key != "block"})

    def change(self, fields, refuse):
        file, before, after = fields["file"], fields["before"].strip("\n"), fields["after"].strip("\n")
        if not re.fullmatch(r"(rtl|fabric/rtl)/[\w/]+\.sv", file) or "/gen/" in file or not (self.root / file).is_file():
            refuse("file", f"{file!r}; allowed a file of the RTL, rtl/**.sv or fabric/rtl/**.sv")
        if file not in self.texts:
            self.texts[file] = (self.root / file).read_text(encoding="utf-8")
        if (count := self.texts[file].count(before)) != 1:
            refuse("before", f"is in {file} {count} times; allowed once")
        if wrong := wrong_pair(before, after):
            refuse("after", wrong)
        change = Change(file, before, after, kind_of(before))
        try:
            if change.kind != "statements" and not is_whole(self.texts[file], *change.place(self.texts[file])[:2]):
                refuse("before", "is no whole expression that is evaluated while the model runs, as its operators bind")
        except SyntaxProblem as problem:
            refuse("file", f"{file} cannot be read: {problem}")
        return change


def read(root, *catalogues):
    """Bugs of the named catalogues, all of them if none is named; names are unique in all."""
    found = []
    for name in catalogues or CATALOGUES:
        catalogue = Catalogue(root, root / f"regress/bugs/{name}.toml")
        for index, bug in enumerate(catalogue.bugs):
            if any(other.name == bug.name for other in found):
                catalogue.file.refuse("bug", "name", f"{bug.name!r} is in another catalogue, too", index)
        found += catalogue.bugs
    return found
