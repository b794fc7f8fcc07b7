#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every table set of the ring and of C12(1,5): certificate accepted by the program that did not
write it, loads as published; and what must be rejected is, in one line that names the place.

Usage: tables_test.py FABRIC_TABLES [unittest options]"""
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
WRITER = None


def run(*command):
    return subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def checker(*sets):
    return run("python3", ROOT / "fabric/tools/check_tables.py", *sets)


class TableSets(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.scratch = tempfile.TemporaryDirectory()
        cls.dir = pathlib.Path(cls.scratch.name)
        done = run(WRITER, "--all", cls.dir)
        assert done.returncode == 0, done.stderr
        cls.sets = sorted(cls.dir.glob("*.tables"))

    @classmethod
    def tearDownClass(cls):
        cls.scratch.cleanup()

    def load(self, name):
        text = (self.dir / f"{name}.tables").read_text()
        return [int(word) for word in re.search(r"^load (.*)$", text, re.M).group(1).split()]

    def test_every_certificate_holds(self):
        names = {path.stem for path in self.sets}
        self.assertEqual(len([n for n in names if n.startswith("ring-12-without")]), 12)
        self.assertEqual(len([n for n in names if n.startswith("c12-without")]), 24)
        self.assertEqual(len([n for n in names if n.startswith("chips-")]), 120)
        self.assertLessEqual({"ring-12", "ring-balanced", "c12", "ring-a", "ring-b"}, names)
        done = checker(*self.sets)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(done.stdout.splitlines()), len(self.sets))

    def test_links_are_as_even_as_theory_allows(self):
        # 11 / busiest link is the uniform saturation: 0.611 for the ring, 2.2 for C12(1,5).
        for name, most in (("ring-12", 18), ("ring-balanced", 18), ("ring-a", 18), ("ring-b", 18), ("c12", 5)):
            self.assertEqual(self.load(name)[0], most, name)
        for path in self.sets:
            if path.stem.startswith("c12-without"):
                self.assertLessEqual(self.load(path.stem)[0], 7, path.stem)  # keeps 1.571
            if path.stem.startswith("ring-12-without"):
                self.assertEqual(self.load(path.stem)[0], 36, path.stem)

    def test_classes_are_balanced(self):
        for name, hops in (("ring-balanced", 432), ("c12", 240)):
            _, low, high = self.load(name)
            self.assertEqual(low + high, hops)
            self.assertLessEqual(abs(low - high), 4, name)

    def test_the_writer_reads_what_it_wrote(self):
        done = run(WRITER, "--check", self.dir / "c12.tables")
        self.assertEqual(done.returncode, 0, done.stderr)

    # ------------------------------------------------------------ what must be rejected
    def tampered(self, name, change):
        path = self.dir / "tampered"
        text = (self.dir / f"{name}.tables").read_text()
        path.write_text(change(text))
        self.assertTrue(path.read_text() != text, "nothing was changed")
        return path

    def refused(self, path, *patterns, by_checker=True):
        done = run(WRITER, "--check", path)
        self.assertEqual(done.returncode, 2, done.stdout)
        self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
        for pattern in patterns:
            self.assertRegex(done.stderr, pattern)
        if by_checker:
            self.assertEqual(checker(path).returncode, 1)

    def test_a_cycle_is_named(self):
        # Everything in class 0: the ring closes.
        path = self.tampered("ring-12", lambda text: re.sub(
            r"^(source .*|route \d+ 1 .*)\n", "", text, flags=re.M))
        text = path.read_text()
        lines = []
        for chip in range(12):
            ahead = [(d - chip) % 12 for d in range(12)]
            ports = [None if a == 0 else 0 if a < 6 or (a == 6 and chip % 2 == 0) else 1 for a in ahead]
            lines.append(f"source {chip} " + " ".join("-" if p is None else "0" for p in ports))
            lines.append(f"route {chip} 1 " + " ".join("-" for _ in ports))
            text = re.sub(rf"^route {chip} 0 .*$",
                          f"route {chip} 0 " + " ".join("-" if p is None else f"{p}/0" for p in ports),
                          text, flags=re.M)
        path.write_text(text + "\n".join(lines) + "\n")
        self.refused(path, r"cycle", r"0\.0/0 -> 1\.0/0 -> .*11\.0/0 -> 0\.0/0")

    def test_a_pair_without_a_way_is_named(self):
        path = self.tampered("c12", lambda text: re.sub(r"^(source 3 \d) \d", r"\1 -", text, flags=re.M))
        self.refused(path, "chip 3 cannot reach chip 1")

    def test_a_dead_end_is_named(self):
        path = self.tampered("ring-12", lambda text: text.replace("cable 0.0 1.1\n", ""))
        self.refused(path, r"chip \d+ cannot reach chip \d+", "names no wired port")

    def test_a_line_out_of_form_is_named(self):
        for old, new, words in (
                (r"^route 5 0 \S+ ", "route 5 0 4/0 ", r":\d+: route: '4' is not a number from 0 to 3"),
                (r"^route 5 0 \S+ ", "route 5 0 ", r":\d+: route: the form is"),
                (r"^route 5 0 \S+ ", "route 5 0 1 ", r":\d+: route: '1' is not PORT/CLASS"),
                (r"^source 5 \S+ ", "source 5 2 ", r":\d+: source: '2' is not a number from 0 to 1"),
                (r"^source 5 .*\n", "", r"source, route: chip 5 needs"),
                (r"^(source 5 .*\n)", r"\1\1", r":\d+: source: the line of this chip is there twice"),
                (r"^members", "member", r":\d+: member: expected"),
                (r"^chips 12", "chips 17", r":1: chips: '17' is not a number from 0 to 12"),
                (r"^ports 4", "", r": cable: expected 'ports N'"),
                (r"^load", "lode", r":\d+: lode: unknown keyword")):
            with self.subTest(words):
                path = self.tampered("c12", lambda text: re.sub(old, new, text, count=1, flags=re.M))
                self.refused(path, words, by_checker=False)

    def test_members_are_there_once(self):
        for members in ("", " 0 0", " 0 0 1", " 0 1 1"):
            with self.subTest(members):
                path = self.tampered("chips-0-1", lambda text: re.sub("^members.*", "members" + members, text, flags=re.M))
                self.refused(path, r":\d+: members: ")

    def test_a_false_certificate_is_refused(self):
        # The ranks of two neighbours on somebody's way exchanged.
        def swap(text):
            return re.sub(r"^(rank \S+ \d) (\d+)\n(.*\n)*?(rank \S+ \d) (\d+)$",
                          lambda m: m.group(0).replace(f"{m.group(1)} {m.group(2)}\n", f"{m.group(1)} 999\n", 1),
                          text, count=1, flags=re.M)
        self.assertIn("waits from channel", checker(self.tampered("c12", swap)).stderr)
        # A claim that is not true.
        path = self.tampered("c12", lambda text: re.sub(r"^load 5", "load 4", text, flags=re.M))
        self.assertIn("load: claimed", checker(path).stderr)
        # A detour.
        path = self.tampered("chips-0-2", lambda text: text.replace("members", "cable 0.1 2.0\nmembers"))
        self.assertIn("2 links, 1 would do", checker(path).stderr)

    def test_boards_with_a_missing_or_doubled_cable_are_refused(self):
        good = "".join(f"cable {i}.0 {(i + 1) % 4}.1\n" for i in range(4))
        for cables, words in (
                (good.replace("cable 1.0 2.1\n", ""), r"board: cable: port 1\.0 has none"),
                (good + "cable 0.0 2.1\n", r":7: cable: port 0\.0 has two cables"),
                (good.replace("1.0 2.1", "1.0 1.0"), r":4: cable: port 1\.0 is wired to itself"),
                (good.replace("1.0 2.1", "1.0 4.1"), r":4: cable: no port 4\.1"),
                (good.replace("1.0 2.1", "1.0 2"), r":4: cable: '2' is not CHIP\.PORT"),
                (good.replace("cable 1.0 2.1", "wire 1.0 2.1"), r":4: wire: unknown keyword"),
                (good.replace("1.0 2.1", "1.0"), r":4: cable: the form is")):
            with self.subTest(words):
                board = self.dir / "board"
                board.write_text("chips 4\nports 2\n" + cables)
                done = run(WRITER, "--board", board)
                self.assertEqual(done.returncode, 2)
                self.assertEqual(len(done.stderr.strip().splitlines()), 1, done.stderr)
                self.assertRegex(done.stderr, words)
        board.write_text("chips 4\nports 2\n" + good)
        self.assertEqual(run(WRITER, "--board", board).returncode, 0)

    def test_the_command_line_is_checked(self):
        for arguments, words in (
                (["--fail", "3-7"], "no cable between chips 3 and 7"),
                (["--fail", "3"], "--fail 3: give two chips"),
                (["--members", "3-12"], "--members 3-12"),
                (["--board", "nowhere"], "nowhere: cannot be read"),
                (["--check", "nowhere"], "nowhere: cannot be read"),
                (["--check", "/dev/zero"], "/dev/zero: longer than")):
            with self.subTest(arguments):
                done = run(WRITER, *arguments)
                self.assertEqual(done.returncode, 2)
                self.assertIn(words, done.stderr)


if __name__ == "__main__":
    WRITER = sys.argv.pop(1)
    unittest.main()
