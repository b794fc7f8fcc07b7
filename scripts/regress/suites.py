# SPDX-License-Identifier: Apache-2.0
"""regress/suites.toml: programs, tests, suites; and the choice of tests by label, glob and stage."""
import dataclasses
import datetime
import fnmatch
import hashlib
import re

from lib.toml_file import TomlFile

from .errors import Refused

SEED_LIMIT = 2**32
SEEDS_LIMIT = 100000
VERBS = ("list", "report", "rerun", "compare", "baseline")  # of the command: no suite may be called so
NAME = r"[A-Za-z0-9][A-Za-z0-9_.-]*"  # names become directories


@dataclasses.dataclass(frozen=True)
class Program:
    """A board program: where it is, what to build for it (empty: nothing), which program writes its waves (or none),
    which one counts coverage (or none)."""
    name: str
    path: str
    config: str
    target: str
    waves: str
    coverage: str


@dataclasses.dataclass(frozen=True)
class Test:
    """A scenario on a board program, or a CTest test. One test, many seeds."""
    name: str
    scenario: str
    ctest: str
    program: str
    options: tuple
    labels: tuple
    owner: str
    timeout_s: int
    memory_mib: int
    doc: str


@dataclasses.dataclass(frozen=True)
class Suite:
    name: str
    doc: str
    seeds: dict       # test name -> number of seeds
    baselines: tuple  # tests run once more with seed 1, for their cycles
    canary: str       # test that must fail when disturbed
    seed: object      # default seed: a number, or "date"
    goals: bool       # must the coverage goals be met?


class Suites:
    """Everything in suites.toml, checked."""

    def __init__(self, path):
        self.file = TomlFile(path)
        top = self.file.check("", self.file.data, {
            "program": (dict, ...), "test": (dict, ...), "suite": (dict, ...), "canary": (dict, ...)})
        self.programs = {name: self._program(name, entry) for name, entry in top["program"].items()}
        for name, program in self.programs.items():
            for key in ("waves", "coverage"):
                if (other := getattr(program, key)) and other not in self.programs:
                    self.file.refuse(f"program.{name}", key, f"is {other!r}; allowed {', '.join(self.programs)}")
        self.tests = {name: self._test(name, entry) for name, entry in top["test"].items()}
        self.canary = self.file.check("canary", top["canary"], {
            "test": (str, ...), "inject": (list, ...), "seed": (int, ...)})
        if self.canary["test"] not in self.tests or not self.tests[self.canary["test"]].scenario:
            self.file.refuse("canary", "test", f"no scenario test is called {self.canary['test']!r}")
        if self.canary["seed"] >= SEED_LIMIT:
            self.file.refuse("canary", "seed", f"is {self.canary['seed']}; allowed 0 .. {SEED_LIMIT - 1}")
        self.suites = {name: self._suite(name, entry) for name, entry in top["suite"].items()}

    def _program(self, name, entry):
        return Program(name=name, **self.file.check(f"program.{name}", entry, {
            "path": (str, ...), "config": (str, "mini"), "target": (str, ""), "waves": (str, ""), "coverage": (str, "")}))

    def _test(self, name, entry):
        table = f"test.{name}"
        self._name(table, name)
        values = self.file.check(table, entry, {
            "scenario": (str, ""), "ctest": (str, ""), "program": (str, "board_mini"), "options": (list, []),
            "labels": (list, []), "owner": (str, ...), "timeout_s": (int, 120), "memory_mib": (int, 4096),
            "doc": (str, "")})
        if bool(values["scenario"]) == bool(values["ctest"]):
            self.file.refuse(table, "scenario", "exactly one of scenario and ctest must be given")
        if values["scenario"] and values["program"] not in self.programs:
            self.file.refuse(table, "program", f"is {values['program']!r}; allowed {', '.join(self.programs)}")
        for key in ("timeout_s", "memory_mib"):
            if values[key] == 0:
                self.file.refuse(table, key, "is 0; allowed 1 or more")
        values["options"], values["labels"] = tuple(values["options"]), tuple(values["labels"])
        return Test(name=name, **values)

    def _name(self, table, name):
        if not re.fullmatch(NAME, name):
            self.file.refuse(table, None, "a name may have letters, digits, _ . -")

    def _suite(self, name, entry):
        table = f"suite.{name}"
        self._name(table, name)
        if name in VERBS:
            self.file.refuse(table, None, f"is a call of the command; a suite may not be called {', '.join(VERBS)}")
        values = self.file.check(table, entry, {
            "doc": (str, ...), "seeds": (dict, ...), "baselines": (list, []), "seed": ((int, str), 1),
            "goals": (bool, False)})
        seeds = {}
        for pattern, count in values["seeds"].items():
            if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= SEEDS_LIMIT:
                self.file.refuse(f"{table}.seeds", pattern, f"is {count!r}; allowed 1 .. {SEEDS_LIMIT} seeds")
            names = fnmatch.filter(self.tests, pattern)
            if not names:
                self.file.refuse(f"{table}.seeds", pattern, "no test has this name")
            seeds |= {test: count for test in names}
        for test in values["baselines"]:
            if test not in self.tests or not self.tests[test].scenario:
                self.file.refuse(table, "baselines", f"no scenario test is called {test!r}")
        if values["seed"] != "date" and not (isinstance(values["seed"], int) and 0 <= values["seed"] < SEED_LIMIT):
            self.file.refuse(table, "seed", f"is {values['seed']!r}; allowed \"date\", 0 .. 4294967295")
        return Suite(name, values["doc"], seeds, tuple(values["baselines"]), self.canary["test"], values["seed"],
                     values["goals"])

    def suite(self, name):
        if name not in self.suites:
            raise Refused(f"suite '{name}' is unknown, allowed: {', '.join(self.suites)}")
        return self.suites[name]

    def select(self, suite, labels=(), globs=(), stage_tests=None):
        """{test: seeds} of the suite that have one of the labels, match one of the globs, and are in the stage."""
        known = sorted({label for name in suite.seeds for label in self.tests[name].labels})
        for label in labels:
            if label not in known:
                raise Refused(f"--label '{label}': no test of suite '{suite.name}' has it, allowed: {', '.join(known)}")
        for glob in globs:
            if not fnmatch.filter(suite.seeds, glob):
                raise Refused(f"--test '{glob}': no such test in suite '{suite.name}', allowed: "
                              f"{', '.join(sorted(suite.seeds))}")
        chosen = {name: count for name, count in suite.seeds.items()
                  if (not labels or set(labels) & set(self.tests[name].labels))
                  and (not globs or any(fnmatch.fnmatch(name, g) for g in globs))
                  and (stage_tests is None or name in stage_tests)}
        if not chosen:
            raise Refused(f"no test of suite '{suite.name}' is in all of --label, --test and --stage; see: "
                          "scripts/dodeca regress list")
        return chosen


def run_seeds(seed, test, count):
    """The 32-bit seeds of a test's runs: from the regression's seed, the test's name and the run's number,
    nothing else, so that a selection or another number of runs changes none of them. All are different."""
    found = {}
    for index in range(count):
        number, again = None, ""
        while number is None or number in found:  # two of 2^32 meet now and then
            number = int.from_bytes(hashlib.sha256(f"{seed}/{test}/{index}{again}".encode()).digest()[:4], "big")
            again += "'"
        found[number] = index
    return list(found)


def default_seed(suite):
    return int(datetime.date.today().strftime("%Y%m%d")) if suite.seed == "date" else suite.seed
