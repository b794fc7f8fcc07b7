# SPDX-License-Identifier: Apache-2.0
"""What the tests of the regression runner share: data files of their own, with a pretended board, and the command."""
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))
# No cluster of this machine: tests of the Slurm launcher say which one they mean. No repository either: whoever edits or
# commits here meanwhile makes it another tree, on which nothing is resumed.
ENVIRONMENT = {k: v for k, v in os.environ.items() if k != "SLURM_CONF"} | {"GIT_DIR": os.devnull}
BOARD = "tb/unit/regress/pretend_board.sh"


def script(*words):
    return [sys.executable, "-I", ROOT / "scripts/start.py", *words]


def command(*words):
    return script("regress", *map(str, words))


def toml(value):
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return value if isinstance(value, Raw) else json.dumps(value)


class Raw(str):
    """TOML as it is: a date."""


def table(header, entries):
    return f"[{header}]\n" + "".join(f"{key} = {toml(value)}\n" for key, value in entries.items()) + "\n"


class WithFolder(unittest.TestCase):
    environment = ENVIRONMENT

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.out, self.data = self.folder / "out", self.folder / "data"

    def write_data(self, tests, seeds=None, issues=(), **suite):
        """tests: {name: {key: value}}; all of them, `seeds` runs each (or {name: runs}), make the suite `all`."""
        (self.data / "testplan").mkdir(parents=True, exist_ok=True)
        text = table("program.board", {"path": BOARD}) + table("canary", {"test": "bird", "inject": ["--inject", "x"], "seed": 1})
        for name, entries in {"bird": {"scenario": "good"}, **tests}.items():
            board = {} if "ctest" in entries or "program" in entries else {"program": "board"}
            text += table(f"test.{name}", {"owner": "me", **board, **entries})
        text += table("suite.all", {"doc": "all", **suite})
        text += table("suite.all.seeds", {name: seeds.get(name, 1) if isinstance(seeds, dict) else seeds or 1 for name in tests})
        (self.data / "suites.toml").write_text(text)
        (self.data / "testplan" / "board.toml").write_text(
            'block = "board"\n\n' + table("[point]", {"name": "p", "stage": "V1", "intention": "i", "tests": list(tests)[:1]}))
        (self.data / "known_issues.toml").write_text("".join(table("[issue]", issue) for issue in issues))
        (self.data / "perf_baseline.toml").write_text("")

    def words(self, *words):
        return command(*words, "--data", self.data, "--out", self.out)

    def regress(self, *words, status=0):
        """Runs the command and expects its exit status."""
        done = subprocess.run(self.words(*words), cwd=ROOT, env=self.environment, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done

    def start(self, *words):
        """Starts the command in a process group of its own."""
        return subprocess.Popen(self.words(*words), cwd=ROOT, env=self.environment, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE, text=True, start_new_session=True)

    def refused(self, *words, status=2, says=()):
        """One line on stderr, nothing on stdout."""
        done = self.regress(*words, status=status)
        self.assertEqual((done.stdout, len(done.stderr.strip().splitlines())), ("", 1), done.stderr)
        for word in says:
            self.assertIn(word, done.stderr)

    def last(self):
        return (self.out / "last_regression").resolve()

    def evidence(self):
        return json.loads((self.last() / "evidence.json").read_text())

    def runs(self, evidence=None):
        """{test: its run}, of the tests with one run."""
        return {run["test"]: run for run in (evidence or self.evidence())["runs"] if run["kind"] == "test"}

    def left_running(self):
        """Processes of our runs: what they write goes into our folder."""
        found = ""
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if str(self.out) in os.readlink(path / "fd/1"):
                    found += (path / "cmdline").read_text().replace("\0", " ") + "\n"
            except OSError:
                continue  # of somebody else, or ended
        return found
