#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad input: every mistake in a data file is named by file, line and key; every wrong word by what is allowed."""
import unittest

from bench import ROOT, WithFolder
from regress.__main__ import Call, main
from regress.build import check_bins
from regress.command_line import arguments
from regress.errors import Refused

SUITES = """[program.board]
path = "tb/unit/regress/pretend_board.sh"

[canary]
test = "one"
inject = ["--inject", "x"]
seed = 1

[test.one]
scenario = "good"
program = "board"
owner = "me"
labels = ["short"]

[test.two]
ctest = "prim_test"
owner = "me"

[suite.all]
doc = "all"
[suite.all.seeds]
one = 2
"tw*" = 1
"""
TESTPLAN = """block = "b"

[[point]]
name = "first"
stage = "V1"
intention = "i"
tests = ["one"]

[[point]]
name = "second"
stage = "V2"
intention = "i"
tests = [
  "one",
  "two"]
"""
ISSUES = """[[issue]]
id = "wrap"
owner = "me"
expires = 2027-01-31
signature = "waits"

[[issue]]
id = "late"
owner = "me"
expires = 2027-01-31
signature = "late"
"""
BASELINES = """[[baseline]]
test = "one"
config = "mini"
cycles = 100
checks = 5
"""
FILES = {"suites.toml": SUITES, "testplan/b.toml": TESTPLAN, "known_issues.toml": ISSUES, "perf_baseline.toml": BASELINES}

# file, what is replaced, by what, the line that is blamed (its text; the first such line), key, what is said
MISTAKES = [
    # syntax
    ("suites.toml", "[suite.all]", "[suite.all", "[suite.all", "", "not TOML"),
    ("suites.toml", "seed = 1", "seed = ", "seed =", "", "not TOML"),
    ("suites.toml", "[test.two]", "[test.one]", "[test.one]@2", "", "not TOML"),
    ("suites.toml", 'owner = "me"\n', 'owner = "me"\nowner = "you"\n', 'owner = "you"', "", "not TOML"),
    ("known_issues.toml", "2027-01-31", "2027-02-31", "expires = 2027-02-31", "", "not TOML"),
    # keys
    ("suites.toml", 'scenario = "good"', 'scenarios = "good"', "scenarios", "test.one.scenarios", "unknown key; allowed scenario"),
    ("suites.toml", "[program.board]", "[programs.board]", "[programs.board]", "programs", "unknown key; allowed program"),
    ("suites.toml", 'owner = "me"\nlabels', "labels", "[test.one]", "test.one.owner", "is missing"),
    ("suites.toml", '[suite.all]\ndoc = "all"\n', "", "[suite.all.seeds]", "suite.all.doc", "is missing"),
    ("suites.toml", 'scenario = "good"', 'scenario = "good"\nctest = "x"', "scenario", "test.one.scenario", "exactly one"),
    ("testplan/b.toml", 'stage = "V2"\n', "", "[[point]]@2", "point.stage", "is missing"),
    ("testplan/b.toml", 'block = "b"', 'blocks = "b"', "blocks", "blocks", "unknown key; allowed block"),
    ("known_issues.toml", "[[issue]]", "[[issues]]", "[[issues]]", "issues", "unknown key; allowed issue"),
    ("known_issues.toml", 'owner = "me"\nexpires = 2027-01-31\nsignature = "late"', 'signature = "late"', "[[issue]]@2",
     "issue.owner", "is missing"),
    ("perf_baseline.toml", "cycles", "cycle", "cycle", "baseline.cycle", "unknown key; allowed test"),
    # types and values
    ("suites.toml", 'labels = ["short"]', 'labels = "short"', "labels", "test.one.labels", "allowed a list of strings"),
    ("suites.toml", 'labels = ["short"]', "labels = [1]", "labels", "test.one.labels", "allowed a list of strings"),
    ("suites.toml", 'owner = "me"', "owner = 1", "owner", "test.one.owner", "allowed a string"),
    ("suites.toml", 'owner = "me"', 'owner = "me"\ntimeout_s = 0', "timeout_s", "test.one.timeout_s", "allowed 1 or more"),
    ("suites.toml", 'owner = "me"', 'owner = "me"\nmemory_mib = true', "memory_mib", "test.one.memory_mib", "a whole number"),
    ("suites.toml", "[test.two]", '[test."../two"]', '[test."../two"]', "test.../two", "may have letters"),
    ("suites.toml", "one = 2", "one = 0", "one = 0", "suite.all.seeds.one", "allowed 1 .. 100000"),
    ("suites.toml", "one = 2", "one = 100001", "one = 100001", "suite.all.seeds.one", "allowed 1 .. 100000"),
    ("suites.toml", "one = 2", 'one = "2"', "one =", "suite.all.seeds.one", "allowed 1 .. 100000"),
    ("suites.toml", "seed = 1", "seed = 4294967296", "seed", "canary.seed", "allowed 0 .. 4294967295"),
    ("suites.toml", 'doc = "all"', 'doc = "all"\nseed = 4294967296', "seed = 4", "suite.all.seed", "allowed"),
    ("suites.toml", 'doc = "all"', 'doc = "all"\nseed = "today"', 'seed = "', "suite.all.seed", 'allowed "date"'),
    ("testplan/b.toml", 'stage = "V2"', 'stage = "V4"', 'stage = "V4"', "point.stage", "allowed V1, V2, V3"),
    ("testplan/b.toml", "[[point]]", "[point]", "[[point]]", "", "not TOML"),
    ("known_issues.toml", "expires = 2027-01-31", 'expires = "2027-01-31"', "expires", "issue.expires", "allowed a date like"),
    ("known_issues.toml", "expires = 2027-01-31", "expires = 2027-01-31T00:00:00", "expires", "issue.expires", "allowed a date like"),
    ("known_issues.toml", '"waits"', '"wai(ts"', "signature", "issue.signature", "not a regular expression"),
    ("known_issues.toml", 'signature = "late"', 'signature = ".*"', 'signature = ".*"', "issue.signature", "matches every failure"),
    ("known_issues.toml", ISSUES, "issue = 1", "issue = 1", "issue", "allowed [[...]] entries"),
    ("perf_baseline.toml", "cycles = 100", "cycles = 0", "cycles", "baseline.cycles", "allowed 1 or more"),
    ("perf_baseline.toml", "cycles = 100", "cycles = -1", "cycles", "baseline.cycles", "0 or more"),
    # names
    ("suites.toml", 'program = "board"', 'program = "boards"', "program", "test.one.program", "allowed board"),
    ("suites.toml", 'test = "one"', 'test = "on"', "test = ", "canary.test", "no scenario test is called 'on'"),
    ("suites.toml", 'test = "one"', 'test = "two"', "test = ", "canary.test", "no scenario test is called 'two'"),
    ("suites.toml", '"tw*"', '"tx*"', '"tx*"', "suite.all.seeds.tx*", "no test has this name"),
    ("suites.toml", 'doc = "all"', 'doc = "all"\nbaselines = ["two"]', "baselines", "suite.all.baselines", "no scenario test"),
    ("suites.toml", "suite.all", "suite.rerun", "[suite.rerun]", "suite.rerun", "is a call of the command"),
    ("testplan/b.toml", '"two"', '"too"', "tests = [@2", "point.tests", "no test is called 'too'"),
    ("testplan/b.toml", '"second"', '"first"', 'name = "first"@2', "point.name", "is there twice"),
    ("known_issues.toml", 'id = "late"', 'id = "wrap"', 'id = "wrap"@2', "issue.id", "is there twice"),
    ("known_issues.toml", 'signature = "late"', 'signature = "late"\ntests = ["o*", "x*"]', "tests", "issue.tests", "called 'x*'"),
    ("perf_baseline.toml", 'test = "one"', 'test = "on"', "test", "baseline.test", "no test is called 'on'"),
    ("perf_baseline.toml", '"mini"', '"tiny"', "config", "baseline.config", "allowed mini"),
    ("perf_baseline.toml", BASELINES, BASELINES * 2, 'test = "one"@2', "baseline.test", "is there twice"),
]


def line_of(text, blamed):
    """Number of the n-th line that starts so: "[[point]]@2"."""
    start, _, nth = blamed.partition("@")
    found = [number for number, line in enumerate(text.splitlines(), 1) if line.startswith(start)]
    return found[int(nth or 1) - 1]


class DataFiles(WithFolder):
    def setUp(self):
        super().setUp()
        (self.data / "testplan").mkdir(parents=True)
        self.write({})

    def write(self, changed):
        for name, text in (FILES | changed).items():
            (self.data / name).write_text(text)

    def read(self):
        words = ["all", "--data", str(self.data), "--out", str(self.out)]
        return Call(arguments(words), words)

    def test_every_mistake_names_file_line_and_key(self):
        self.read()
        for name, old, new, blamed, key, says in MISTAKES:
            with self.subTest(file=name, mistake=new):
                self.assertIn(old, FILES[name])
                text = FILES[name].replace(old, new, 1)
                self.write({name: text})
                with self.assertRaises(Refused) as caught:
                    self.read()
                line = str(caught.exception)
                self.assertEqual(caught.exception.status, 2)
                self.assertTrue(line.startswith(f"{self.data / name}:{line_of(text, blamed)}: {key}"), line)
                self.assertIn(says, line)
                self.assertNotIn("\n", line)

    def test_files_that_are_not_there(self):
        for name in FILES:
            self.write({})
            (self.data / name).unlink()
            with self.subTest(file=name), self.assertRaises(Refused) as caught:
                self.read()
            self.assertIn(str((self.data / name).parent if "/" in name else self.data / name), str(caught.exception))

    def test_the_command_says_so_in_one_line_and_leaves_nothing(self):
        self.write({"suites.toml": SUITES.replace("[suite.all]", "[suite.all")})
        self.refused("all", says=("suites.toml:19: not TOML",))
        self.assertFalse(self.out.exists())

    def test_a_scenario_or_ctest_that_is_not_there(self):
        self.write({"suites.toml": SUITES.replace('"good"', '"goood"').replace('"tw*" = 1\n', "")})
        self.refused("all", says=("suites.toml:10: test.one.scenario: board knows no scenario called 'goood'; allowed good",))
        if (ROOT / "build/CTestTestfile.cmake").exists():
            self.write({"suites.toml": SUITES.replace('"prim_test"', '"prime_test"')})
            self.refused("all", says=("suites.toml:16: test.two.ctest: CTest knows no test called 'prime_test'",))
        self.assertFalse(self.out.exists())

    def test_a_board_that_is_being_linked_cannot_be_asked(self):
        board = self.folder / "build/bin/board_mini"
        board.parent.mkdir(parents=True)
        testplan = self.read().testplan
        testplan.points[0]["coverage"] = ["no.bin"]
        for text, mode in (("#!/bin/sh\necho a.bin\n", 0o644), ("\x7fELF", 0o755), ("", 0o000)):
            board.write_text(text)
            board.chmod(mode)
            check_bins(self.folder, testplan)
        board.write_text("#!/bin/sh\necho a.bin\n")
        board.chmod(0o755)
        with self.assertRaisesRegex(Refused, "no bin is called 'no.bin'"):
            check_bins(self.folder, testplan)
        with open(board, "a"):  # somebody writes it
            check_bins(self.folder, testplan)

    def test_wrong_words_of_the_command(self):
        self.write({"suites.toml": SUITES.replace('"tw*" = 1\n', "")})
        for words, says in (
                (["dawn"], "'dawn' is unknown, allowed: all"),
                (["all", "--launcher", "pigeon"], "allowed local, slurm"),
                (["all", "--seed", str(2**32)], "--seed is '4294967296'; allowed 0 .. 4294967295"),
                (["all", "-j", "many"], "--jobs is 'many'; allowed 1 .. 4096"),
                (["all", "--label", "long"], "--label 'long': no test of suite 'all' has it, allowed: short"),
                (["all", "--test", "t*"], "--test 't*': no such test in suite 'all', allowed: one"),
                (["all", "--stage", "V9"], "--stage is 'V9'; allowed V1, V2, V3"),
                (["all", "--waves"], "--waves belongs to rerun"),
                (["all", "--resume", "--seed", "1"], "--seed is allowed with a suite only"),
                (["all", "--resume"], "No such file or directory; allowed the directory of a regression"),
                (["rerun"], "rerun needs --failed"),
                (["rerun", "--failed", "a", "b"], "'b' is one argument too many"),
                (["compare", "a"], "two directories"),
                (["all", "--see=1"], "'--see=1' is unknown or one too many; allowed: -h, --help, -L")):
            with self.subTest(words=words), self.assertRaises(Refused) as caught:
                main([*words, "--data", str(self.data), "--out", str(self.out)])
            self.assertIn(says, str(caught.exception))
        self.refused("all", "--seeds", "0", says=("--seeds is '0'; allowed 1 .. 100000",))
        self.assertFalse(self.out.exists())

    def test_the_projects_own_files_have_no_mistake(self):
        call = Call(arguments(["smoke"]), ["smoke"])
        self.assertLessEqual({"smoke", "nightly", "full"}, set(call.suites.suites))


if __name__ == "__main__":
    unittest.main()
