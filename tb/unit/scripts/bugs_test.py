#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""regress/bugs: every entry is whole and has its place in the RTL; every mistake in one is named by file, line and key."""
import pathlib
import re
import sys
import tempfile
import tomllib
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))
from lib.errors import Refused  # noqa: E402
from mutate import bugs  # noqa: E402

GOOD = {"name": '"wrong_way"', "file": '"rtl/one.sv"', "before": '"a && b"', "after": '"a"', "block": '"sbuf"',
        "about": '"It does."'}
FOUND = {"when": '"2026-11-22 a92f10c"', "since": '"2026-11-22"', "by": '"somebody"', "layer": '"test"', "seen_by": '"x"'}
RTL = """assign x = a && b;
always_comb begin
  if (x) y = c; else y = d;
  z = c; z = c;
  w = a ? c : d && a;
end
part u_part (.in_i(d), .out_o(e));
"""


class Catalogues(unittest.TestCase):
    def test_every_entry_has_its_place(self):
        for name, least in (("planted", 24), ("museum", 15)):
            self.assertGreaterEqual(len(bugs.read(ROOT, name)), least)
        bugs.read(ROOT)

    def test_places_of_a_catalogue_do_not_overlap(self):
        """Else they could not all be in one build."""
        places = {}
        for bug in bugs.read(ROOT):
            for change in bug.changes:
                start = (ROOT / change.file).read_text().index(change.before)
                for name, first, end in places.setdefault(change.file, []):
                    self.assertTrue(end <= start or start + len(change.before) <= first,
                                    f"{bug.name} and {name} share a place in {change.file}")
                places[change.file].append((bug.name, start, start + len(change.before)))

    def test_who_sees_a_bug_of_the_museum_exists(self):
        suites = tomllib.loads((ROOT / "regress/suites.toml").read_text())["test"]
        lists = " ".join(f.read_text() for f in (ROOT / "tb").rglob("CMakeLists.txt"))
        loops = re.findall(r"NAME (\w+_)\$\{", lists)  # board_${group}
        for bug in bugs.read(ROOT, "museum"):
            names = [bug.seen_by, *(bug.seen_by[len(p):] for p in loops if bug.seen_by.startswith(p))]
            self.assertTrue(bug.seen_by in suites or any(re.search(rf"\b{n}\b", lists) for n in names),
                            f"{bug.name}: {bug.seen_by}")


class Mistakes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        for name, text in (("rtl/one.sv", RTL), ("tb/debug/cause.cc", (ROOT / "tb/debug/cause.cc").read_text())):
            (self.root / name).parent.mkdir(parents=True)
            (self.root / name).write_text(text)
        (self.root / "regress/bugs").mkdir(parents=True)

    def read(self, *entries, catalogue="planted"):
        text = "".join("[[bug]]\n" + "".join(f"{k} = {v}\n" for k, v in entry.items()) for entry in entries)
        (self.root / f"regress/bugs/{catalogue}.toml").write_text(text)
        return bugs.read(self.root, catalogue)

    def rejected(self, line, words, *entries, catalogue="planted"):
        with self.assertRaises(Refused) as caught:
            self.read(*entries, catalogue=catalogue)
        self.assertRegex(str(caught.exception), rf"{catalogue}\.toml:{line}: .*{words}")
        self.assertNotIn("\n", str(caught.exception))

    def test_the_kinds(self):
        for before, after, kind in (("a && b", "a", "expression"), ("if (x) y = c; else y = d;", "", "statements"),
                                    ("assign x = a && b;", "assign x = b;", "assign"), (".in_i(d)", ".in_i(c)", "port")):
            bug, = self.read(GOOD | {"before": f'"{before}"', "after": f'"{after}"'})
            self.assertEqual(bug.changes[0].kind, kind)
            self.assertEqual(bug.blocks, ("sbuf",))
            start, end, instead = bug.changes[0].place(RTL)
            if kind in ("assign", "port"):
                self.assertEqual((RTL[start:end], instead), {"assign": ("a && b", "b"), "port": ("d", "c")}[kind])

    def test_what_binds_otherwise_is_no_expression(self):
        """Else the one build would differ from the RTL with no bug chosen."""
        for before in ("a ? c : d", "c : d && a", "w", "e"):  # the last two are written to
            with self.assertRaisesRegex(Refused, "before: is no whole expression" if RTL.count(before) == 1 else "times"):
                self.read(GOOD | {"before": f'"{before}"', "after": '"b"'})
        self.read(GOOD | {"before": '"a ? c : d && a"', "after": '"c"'})

    def test_each_field_is_needed(self):
        for key in GOOD:
            self.rejected(1, f"{key}: is missing", {k: v for k, v in GOOD.items() if k != key})
        for key in FOUND:
            self.rejected(1, f"{key}: is missing", {k: v for k, v in (GOOD | FOUND).items() if k != key}, catalogue="museum")
        self.read(GOOD | FOUND, catalogue="museum")
        self.rejected(8, "when: unknown key", GOOD | {"when": FOUND["when"]})

    def test_what_is_wrong_is_named(self):
        for key, value, words in (
                ("name", '"Wrong"', "small letters"), ("about", '""', "is empty"), ("block", '"sbuff"', "allowed tensor_array"),
                ("block", '["sbuf", "none"]', "'none'"), ("file", '"rtl/two.sv"', "allowed a file of the RTL"),
                ("file", '"../one.sv"', "allowed a file of the RTL"), ("before", '"e"', "times; allowed once"),
                ("before", '"a & b"', "0 times"), ("before", '"z = c;"', "2 times"), ("after", '"a && b"', "the same before and after"),
                ("after", '""', "an expression after"), ("after", '"(a"', "unmatched"), ("after", '"a;"', "without ';'")):
            self.rejected(2 + list(GOOD).index(key), f"{key}: .*{words}", GOOD | {key: value})
        self.rejected(5, "statements after", GOOD | {"before": '"if (x) y = c; else y = d;"', "after": '"a"'})
        self.rejected(5, "same left side", GOOD | {"before": '"assign x = a && b;"', "after": '"assign w = a;"'})
        self.rejected(9, "there twice", GOOD, GOOD)
        self.rejected(8, "a day and a commit", GOOD | FOUND | {"when": '"yesterday"'}, catalogue="museum")
        self.rejected(11, "allowed smoke, test", GOOD | FOUND | {"layer": '"lab"'}, catalogue="museum")

    def test_names_are_unique_in_both(self):
        self.read(GOOD | FOUND, catalogue="museum")
        self.read(GOOD)
        with self.assertRaisesRegex(Refused, "museum.toml:2: .*in another catalogue"):
            bugs.read(self.root)


if __name__ == "__main__":
    unittest.main()
